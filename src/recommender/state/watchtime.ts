import type { Watch } from "../../protocol/index.js";

/** A watch may be reported this much longer than it can have been: clocks of pages and servers differ. [set by hand] */
const CLOCK_TOLERANCE_MS = 10_000;

/** A watch as it counts. */
export interface WatchTime {
  /** Milliseconds watched, as far as that is possible. */
  readonly watchMs: number;
  /** How long the user would have stayed is unknown: the stream had ended, or part of the watch was impossible. */
  readonly isCut: boolean;
}

/**
 * How long a watch can have been, and whether it was cut: the one rule for all that counts watches.
 *
 * @param since - When it can have begun at the earliest, milliseconds: when the user last entered or left a stream of the
 *   streamer, or was shown the stream. -Infinity where nothing is known.
 * @param isOnAir - Whether the stream is still on air.
 */
export function watchTimeOf({ time, watchMs }: Watch, since: number, isOnAir: boolean): WatchTime {
  const isPossible = watchMs <= time - since + CLOCK_TOLERANCE_MS;
  return { watchMs: isPossible ? watchMs : time - since, isCut: !isOnAir || !isPossible };
}
