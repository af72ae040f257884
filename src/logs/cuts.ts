import type { Id, LiveEvent } from "../protocol/index.js";
import { cuts, deal, drawShare } from "./splits.js";

/** A log of events in two parts, each in its order. Both have all events of streams: what is on air is no secret. */
export interface LogSplit {
  train: LiveEvent[];
  test: LiveEvent[];
}

/**
 * Cuts a log of events at instants, as `cutAt` does interactions. A part does not say again what has been on air since
 * before it: to test on a part, feed what precedes it too, as `evaluateLog` does with `from`.
 *
 * @param events - In order of time.
 * @param instants - Milliseconds, never falling.
 * @returns One part more than there are instants.
 * @throws RangeError when the instants fall.
 */
export function cutLogAt(events: readonly LiveEvent[], instants: readonly number[]): LiveEvent[][] {
  const time = Float64Array.from(events, (event) => event.time);
  return cuts(time, instants).map(([from, to]) => events.slice(from, to));
}

/** The users of a log, by their first event. */
function usersOf(events: readonly LiveEvent[]): Id[] {
  const users = new Set<Id>();
  for (const event of events) if ("user" in event) users.add(event.user);
  return [...users];
}

/**
 * K splits of a log of events by user; folds differ by at most one user, see `kFold`.
 *
 * @param folds - At least 2, at most the number of users.
 * @param seed - A safe integer.
 * @throws RangeError for no such number of folds.
 */
export function kFoldLog(events: readonly LiveEvent[], folds: number, seed: number): LogSplit[] {
  const users = usersOf(events);
  const dealt = deal(users.length, folds, seed);
  return Array.from({ length: folds }, (_, fold) => {
    return splitLog(events, new Set(users.filter((_user, i) => dealt[i] === fold)));
  });
}

/**
 * Holds out all events of some users, drawn at random, see `holdOutUsers`.
 *
 * @param share - Of the users, in (0, 1); rounded to whole users, at least one.
 * @param seed - A safe integer.
 * @throws RangeError for a share out of its range.
 */
export function holdOutLogUsers(events: readonly LiveEvent[], share: number, seed: number): LogSplit {
  const users = usersOf(events);
  const drawn = drawShare(users.length, share, seed);
  return splitLog(events, new Set(users.filter((_user, i) => drawn[i] === 1)));
}

/** What a held-out user has to do with is for the test alone: a friendship with one as well. */
function splitLog(events: readonly LiveEvent[], held: ReadonlySet<Id>): LogSplit {
  const isHeld = (event: LiveEvent) =>
    "user" in event && (held.has(event.user) || ("friend" in event && held.has(event.friend)));
  return {
    train: events.filter((event) => !isHeld(event)),
    test: events.filter((event) => !("user" in event) || isHeld(event)),
  };
}
