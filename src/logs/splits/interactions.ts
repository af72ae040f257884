/** Interactions of users with items, one entry each, ordered by time. Users and items are dense integers from 0. */
export interface Interactions {
  /** Number of users; every `user[i]` is below it. */
  users: number;
  /** Number of items; every `item[i]` is below it. */
  items: number;
  user: Int32Array;
  item: Int32Array;
  /** The worth of the interaction in the unit of its source: a rating, minutes watched. */
  value: Float32Array;
  /** Milliseconds, never falling. */
  time: Float64Array;
}

/** The interactions of each user: those of user u are `event[start[u] .. start[u + 1])`, in order of time. */
export interface UserHistories {
  /** users + 1 offsets into `event`. */
  start: Int32Array;
  /** Positions in the interactions. */
  event: Int32Array;
}

/** Groups interactions by user; those of one user keep the order of the log. */
export function userHistories(log: Interactions): UserHistories {
  const start = new Int32Array(log.users + 1);
  for (const user of log.user) start[user + 1]!++;
  for (let user = 0; user < log.users; user++) start[user + 1]! += start[user]!;
  const next = start.slice();
  const event = new Int32Array(log.user.length);
  for (let i = 0; i < log.user.length; i++) event[next[log.user[i]!]!++] = i;
  return { start, event };
}

/**
 * Orders interactions by time. Simultaneous ones keep the order of their source: a stable sort, so that only the file
 * decides which of a user's simultaneous interactions is the last. (MovieLens users rate a whole page at once: 76 % of
 * its ratings share user and second with another. Ordering these by item id instead would make the last one an obscure
 * item and halve every hit rate.)
 */
export function sortInteractions(log: Interactions): Interactions {
  const order = Int32Array.from(log.time.keys()).sort((a, b) => log.time[a]! - log.time[b]! || a - b);
  return selectInteractions(log, order);
}

/** The last interaction of each user with each item, in the order of the log. */
export function lastOfEachPair(log: Interactions): Interactions {
  const last = new Map<number, number>();
  for (let i = 0; i < log.user.length; i++) last.set(log.user[i]! * log.items + log.item[i]!, i);
  if (last.size === log.user.length) return log;
  return selectInteractions(log, Int32Array.from(last.values()).sort());
}

/** The interactions at `positions`, in the order of `positions`. */
export function selectInteractions(log: Interactions, positions: Int32Array): Interactions {
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
