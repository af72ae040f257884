import type { Id, LiveEvent } from "../../protocol/index.js";
import { cutRanges, dealFolds, sampleMask } from "./partition.js";

/** A log of events in two parts, each in its order. Both hold all events of streams: which streams are on air is no secret. */
export interface EventSplit {
  train: LiveEvent[];
  test: LiveEvent[];
}

/**
 * Cuts a log of events at instants, as `cutInteractionsAt` does interactions. A part does not repeat the `on_air` events
 * of streams that began before it: to test on a part, feed the earlier parts too, as `evaluateLog` does with `from`.
 *
 * @param events - In order of time.
 * @param instants - Milliseconds, never falling.
 * @returns One part more than there are instants.
 * @throws RangeError when the instants fall.
 */
export function cutEventsAt(events: readonly LiveEvent[], instants: readonly number[]): LiveEvent[][] {
  const time = Float64Array.from(events, (event) => event.time);
  return cutRanges(time, instants).map(([from, to]) => events.slice(from, to));
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
 * @throws RangeError for a number of folds out of range.
 */
export function kFoldEvents(events: readonly LiveEvent[], folds: number, seed: number): EventSplit[] {
  const users = usersOf(events);
  const dealt = dealFolds(users.length, folds, seed);
  return Array.from({ length: folds }, (_, fold) => {
    return splitByUser(events, new Set(users.filter((_user, i) => dealt[i] === fold)));
  });
}

/**
 * Holds out all events of some users, drawn at random, see `holdOutUsers`.
 *
 * @param share - Of the users, in (0, 1); rounded to whole users, at least one.
 * @param seed - A safe integer.
 * @throws RangeError for a share out of range.
 */
export function holdOutUserEvents(events: readonly LiveEvent[], share: number, seed: number): EventSplit {
  const users = usersOf(events);
  const drawn = sampleMask(users.length, share, seed);
  return splitByUser(events, new Set(users.filter((_user, i) => drawn[i] === 1)));
}

/** All events of a held-out user go to the test alone, a friendship with one as well. */
function splitByUser(events: readonly LiveEvent[], held: ReadonlySet<Id>): EventSplit {
  const isHeld = (event: LiveEvent) =>
    "user" in event && (held.has(event.user) || ("friend" in event && held.has(event.friend)));
  return {
    train: events.filter((event) => !isHeld(event)),
    test: events.filter((event) => !("user" in event) || isHeld(event)),
  };
}
