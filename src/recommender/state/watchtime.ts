import type { Watch } from "../../protocol/index.js";

/** A report may exceed the longest possible watch by this much: clocks of pages and servers differ. [set by hand] */
const CLOCK_TOLERANCE_MS = 10_000;

/** The counted length of a watch. */
export interface WatchTime {
  /** Milliseconds watched, at most the longest possible. */
  readonly watchMs: number;
  /** The full length is unknown: the stream had ended, or part of the reported watch was impossible. */
  readonly isCut: boolean;
}

/**
 * The counted length of a watch, and whether it was cut: the one rule for every count of watches.
 *
 * @param since - The earliest possible start, milliseconds: when the user last entered or left a stream of the
 *   streamer, or was shown the stream. -Infinity when unknown.
 * @param isOnAir - Whether the stream is still on air.
 */
export function watchTimeOf({ time, watchMs }: Watch, since: number, isOnAir: boolean): WatchTime {
  const isPossible = watchMs <= time - since + CLOCK_TOLERANCE_MS;
  return { watchMs: isPossible ? watchMs : time - since, isCut: !isOnAir || !isPossible };
}
