/** Who had what, when: one entry per interaction, ordered by time. Users and items are dense integers from 0. */
export interface Interactions {
  /** Number of users; every `user[i]` is below it. */
  users: number;
  /** Number of items; every `item[i]` is below it. */
  items: number;
  user: Int32Array;
  item: Int32Array;
  /** What the interaction was worth, in the unit of its source: a rating, minutes watched. */
  value: Float32Array;
  /** Milliseconds, never falling. */
  time: Float64Array;
}

/** The interactions of each user: those of user u are `event[start[u] .. start[u + 1])`, in order of time. */
export interface Histories {
  /** users + 1 offsets into `event`. */
  start: Int32Array;
  /** Positions in the interactions. */
  event: Int32Array;
}

/** A log in two parts: `train` is what may be learned from, `test` is what is to be predicted. */
export interface Split {
  train: Interactions;
  test: Interactions;
}

/** Groups interactions by user, each user's in their order in the log. */
export function histories(log: Interactions): Histories {
  const start = new Int32Array(log.users + 1);
  for (const user of log.user) start[user + 1]!++;
  for (let user = 0; user < log.users; user++) start[user + 1]! += start[user]!;
  const next = start.slice();
  const event = new Int32Array(log.user.length);
  for (let i = 0; i < log.user.length; i++) event[next[log.user[i]!]!++] = i;
  return { start, event };
}

/**
 * Orders interactions by time. Those of one moment keep the order of their source: a stable sort, so that which of a
 * user's simultaneous interactions is the last depends on nothing but the file. (MovieLens users rate a whole page at
 * once: 76 % of its ratings share user and second with another. Ordering these by item id instead would make
 * the last one an obscure item and halve every hit rate.)
 */
export function byTime(log: Interactions): Interactions {
  const order = Int32Array.from(log.time.keys()).sort((a, b) => log.time[a]! - log.time[b]! || a - b);
  return select(log, order);
}

/**
 * Holds out the last interaction of each user who has at least two. Ties are broken by the order of the log, see
 * {@link byTime}. Applied again to `train`, it holds out the last but one: the validation interaction, which model
 * selection may look at.
 *
 * @param log Ordered by time.
 * @returns Both parts in the order of the log; `test` has at most one interaction per user.
 * @throws RangeError when the log is not ordered by time.
 */
export function leaveLastOut(log: Interactions): Split {
  const count = new Int32Array(log.users);
  const last = new Int32Array(log.users);
  for (let i = 0; i < log.user.length; i++) {
    if (i > 0 && !(log.time[i]! >= log.time[i - 1]!)) {
      throw new RangeError(`"time" must never fall, got ${log.time[i]} after ${log.time[i - 1]} at interaction ${i}`);
    }
    count[log.user[i]!]!++;
    last[log.user[i]!] = i;
  }
  const isTest = (i: number) => count[log.user[i]!]! > 1 && last[log.user[i]!] === i;
  const positions = Int32Array.from(log.user.keys());
  return {
    train: select(
      log,
      positions.filter((i) => !isTest(i)),
    ),
    test: select(log, positions.filter(isTest)),
  };
}

/** The last interaction of each user with each item, in the order of the log. */
export function lastOfEachPair(log: Interactions): Interactions {
  const last = new Map<number, number>();
  for (let i = 0; i < log.user.length; i++) last.set(log.user[i]! * log.items + log.item[i]!, i);
  if (last.size === log.user.length) return log;
  return select(log, Int32Array.from(last.values()).sort());
}

/** The interactions at these positions, in this order. */
export function select(log: Interactions, positions: Int32Array): Interactions {
  const n = positions.length;
  const picked: Interactions = {
    users: log.users,
    items: log.items,
    user: new Int32Array(n),
    item: new Int32Array(n),
    value: new Float32Array(n),
    time: new Float64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const from = positions[i]!;
    picked.user[i] = log.user[from]!;
    picked.item[i] = log.item[from]!;
    picked.value[i] = log.value[from]!;
    picked.time[i] = log.time[from]!;
  }
  return picked;
}
