import { checked, integer, type Rules } from "../../options.js";

/** Size and seed of a generated live platform. */
export interface PlatformOptions {
  /** Number of viewers, in [1, 100000]. Default 400. */
  viewers: number;
  /** Number of streamers at the start, in [1, 100000]; about 7 % of them are live at a time. Default 600. */
  streamers: number;
  /** Length of the run, in [1, 3650] days. Default 14. */
  days: number;
  /** Number of streams asked for at each request, in [1, 100]. Default 6. */
  slate: number;
  /** Seed of the world: a safe integer of at least 0. Default 1. */
  seed: number;
  /** Days at the start that the metrics leave out, in [0, 3649] and below `days`. Default 0. */
  warmupDays: number;
}

const DEFAULTS: PlatformOptions = { viewers: 400, streamers: 600, days: 14, slate: 6, seed: 1, warmupDays: 0 };

const TABLE: Rules<PlatformOptions> = {
  viewers: integer(1, 100_000),
  streamers: integer(1, 100_000),
  days: integer(1, 3650),
  slate: integer(1, 100),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  warmupDays: integer(0, 3649),
};

/**
 * The options with the defaults filled in.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value: `"viewers" must be an integer in [1, 100000],
 *   got 0`.
 */
export function platformOptions(given: Partial<PlatformOptions>): PlatformOptions {
  const options = checked(given, TABLE, DEFAULTS);
  if (options.warmupDays >= options.days) {
    throw new RangeError(`"warmupDays" must be below "days" (${options.days}), got ${options.warmupDays}`);
  }
  return options;
}
