import { type Interactions, selectInteractions } from "./interactions.js";
import { cutRanges, dealFolds, sampleMask } from "./partition.js";

/** Interactions in two parts: `train` to learn from, `test` to predict. */
export interface InteractionSplit {
  train: Interactions;
  test: Interactions;
}

/** Interactions in three parts: model selection uses `validation`; only reported figures use `test`. */
export interface ThreeWaySplit extends InteractionSplit {
  validation: Interactions;
}

/**
 * Holds out the last interaction of each user who has at least two. The order of the log breaks ties, see
 * {@link sortInteractions}. Applied again to `train`, it holds out the last but one: the validation interaction, which
 * model selection may use.
 *
 * @param log Ordered by time.
 * @returns Both parts in the order of the log; `test` has at most one interaction per user.
 * @throws RangeError when the log is not ordered by time.
 */
export function leaveLastOut(log: Interactions): InteractionSplit {
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
 * Cuts a log at instants: part p holds the interactions from instant p - 1 on and before instant p. So a model trained
 * on an earlier part knows nothing of a later one.
 *
 * @param log Ordered by time.
 * @param instants Milliseconds, never falling.
 * @returns One part more than there are instants; a part may be empty.
 * @throws RangeError when the instants fall.
 */
export function cutInteractionsAt(log: Interactions, instants: readonly number[]): Interactions[] {
  return cutRanges(log.time, instants).map(([from, to]) => selectInteractions(log, range(from, to)));
}

/**
 * K splits of a log; the test part of one split is in the training parts of all others.
 *
 * @param by `users`: all interactions of a user are in one fold, so that nothing is learned about tested users: a cold
 *   start. `interactions`: regardless of the user, so that training may use later interactions than the test.
 * @param folds At least 2, at most the number of users or interactions.
 * @param seed A safe integer.
 * @returns Parts in the order of the log. Folds differ by at most one user, or interaction.
 * @throws RangeError for a number of folds out of range.
 */
export function kFold(
  log: Interactions,
  by: "users" | "interactions",
  folds: number,
  seed: number,
): InteractionSplit[] {
  const dealt = dealFolds(by === "users" ? log.users : log.user.length, folds, seed);
  const foldOf = (i: number) => dealt[by === "users" ? log.user[i]! : i]!;
  return Array.from({ length: folds }, (_, fold) => splitBy(log, (i) => foldOf(i) === fold));
}

/**
 * Holds out all interactions of some users, drawn at random: the test of how well a model serves unknown users.
 *
 * @param share Of the users, in (0, 1); rounded to whole users, at least one.
 * @param seed A safe integer.
 * @throws RangeError for a share out of range.
 */
export function holdOutUsers(log: Interactions, share: number, seed: number): InteractionSplit {
  const held = sampleMask(log.users, share, seed);
  return splitBy(log, (i) => held[log.user[i]!] === 1);
}

/** Both parts keep the order of the log. */
function splitBy(log: Interactions, isTest: (position: number) => boolean): InteractionSplit {
  const positions = range(0, log.user.length);
  const train = positions.filter((i) => !isTest(i));
  return { train: selectInteractions(log, train), test: selectInteractions(log, positions.filter(isTest)) };
}

/** The integers in [from, to). */
function range(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}
