import { Random } from "../numeric/index.js";

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
  return splitBy(log, isTest);
}

/** A log in three parts: model selection looks at `validation`, and only what is reported at `test`. */
export interface ThreeWaySplit extends Split {
  validation: Interactions;
}

/**
 * Holds out the last interaction of each user who has at least two, and for validation the last but one of each who has
 * at least three.
 *
 * @param log Ordered by time.
 * @throws RangeError when the log is not ordered by time.
 */
export function leaveLastTwoOut(log: Interactions): ThreeWaySplit {
  const { train: rest, test } = leaveLastOut(log);
  const { train, test: validation } = leaveLastOut(rest);
  return { train, validation, test };
}

/**
 * Cuts a log at instants: part p has what is from instant p - 1 on and before instant p. Nothing that is learned from
 * an earlier part can know of a later one.
 *
 * @param log Ordered by time.
 * @param instants Milliseconds, never falling.
 * @returns One part more than there are instants; a part may be empty.
 * @throws RangeError when the instants fall.
 */
export function cutAt(log: Interactions, instants: readonly number[]): Interactions[] {
  return cuts(log.time, instants).map(([from, to]) => select(log, range(from, to)));
}

/**
 * The instants at which a log is cut into parts of about these shares. What happened at the same moment stays
 * together, in the later part.
 *
 * @param time Milliseconds, never falling.
 * @param shares At least two, each > 0, of a sum of 1 (to 1e-9): `[0.8, 0.1, 0.1]`.
 * @throws RangeError for shares that are not so, or no times.
 */
export function instantsOf(time: ArrayLike<number>, shares: readonly number[]): number[] {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (!(shares.length > 1 && shares.every((share) => share > 0) && Math.abs(sum - 1) <= 1e-9)) {
    throw new RangeError(`"shares" must be two or more, each > 0, of a sum of 1, got [${shares.join(", ")}]`);
  }
  if (time.length === 0) throw new RangeError('"time" must not be empty');
  let before = 0;
  return shares.slice(0, -1).map((share) => {
    before += share;
    return time[Math.min(time.length - 1, Math.round(before * time.length))]!;
  });
}

/** Ranges [from, to) of the positions between instants. */
export function cuts(time: ArrayLike<number>, instants: readonly number[]): [from: number, to: number][] {
  const bounds = [0];
  for (const [i, instant] of instants.entries()) {
    if (!(i === 0 || instant >= instants[i - 1]!) || Number.isNaN(instant)) {
      throw new RangeError(`"instants" must be numbers that never fall, got ${instant} at ${i}`);
    }
    let at = bounds[i]!;
    for (let end = time.length; at < end; ) {
      const middle = (at + end) >> 1;
      if (time[middle]! < instant) at = middle + 1;
      else end = middle;
    }
    bounds.push(at);
  }
  bounds.push(time.length);
  return bounds.slice(1).map((to, part) => [bounds[part]!, to]);
}

/**
 * Deals things at random into folds whose sizes differ by at most one.
 *
 * @param n How many things.
 * @param folds At least 2, at most n.
 * @param seed A safe integer.
 * @returns The fold of each, in [0, folds).
 * @throws RangeError for no such number of folds.
 */
export function deal(n: number, folds: number, seed: number): Int32Array {
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= n)) {
    throw new RangeError(`"folds" must be an integer in [2, ${n}], got ${folds}`);
  }
  const fold = new Int32Array(n);
  const order = Random.named(seed, "folds").shuffle(Array.from({ length: n }, (_, i) => i));
  for (const [place, i] of order.entries()) fold[i] = place % folds;
  return fold;
}

/**
 * K splits of a log; what is tested on in one is learned from in all others.
 *
 * @param by `users`: all of a user is in one fold, so that tested users have nothing to be learned from: a cold start.
 *   `interactions`: whatever the user, which lets what is learned from be later than what is tested on.
 * @param folds At least 2, at most the number of what is dealt.
 * @param seed A safe integer.
 * @returns Parts in the order of the log. Folds differ by at most one user, or interaction.
 * @throws RangeError for no such number of folds.
 */
export function kFold(log: Interactions, by: "users" | "interactions", folds: number, seed: number): Split[] {
  const dealt = deal(by === "users" ? log.users : log.user.length, folds, seed);
  const foldOf = (i: number) => dealt[by === "users" ? log.user[i]! : i]!;
  return Array.from({ length: folds }, (_, fold) => splitBy(log, (i) => foldOf(i) === fold));
}

/**
 * Holds out all interactions of some users, drawn at random: how well are those served of whom nothing is known?
 *
 * @param share Of the users, in (0, 1); rounded to whole users, at least one.
 * @param seed A safe integer.
 * @throws RangeError for a share out of its range.
 */
export function holdOutUsers(log: Interactions, share: number, seed: number): Split {
  const held = drawShare(log.users, share, seed);
  return splitBy(log, (i) => held[log.user[i]!] === 1);
}

/** 1 for a share of n things, drawn at random. */
export function drawShare(n: number, share: number, seed: number): Uint8Array {
  if (!(share > 0 && share < 1)) throw new RangeError(`"share" must be in (0, 1), got ${share}`);
  const drawn = new Uint8Array(n);
  const order = Random.named(seed, "held out").shuffle(Array.from({ length: n }, (_, i) => i));
  for (const i of order.slice(0, Math.max(1, Math.round(share * n)))) drawn[i] = 1;
  return drawn;
}

/** A log in two parts, each in its order. */
function splitBy(log: Interactions, isTest: (position: number) => boolean): Split {
  const positions = range(0, log.user.length);
  const train = positions.filter((i) => !isTest(i));
  return { train: select(log, train), test: select(log, positions.filter(isTest)) };
}

/** The whole numbers in [from, to). */
function range(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
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
