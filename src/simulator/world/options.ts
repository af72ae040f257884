import {
  above,
  between,
  boolean,
  checked,
  group,
  integer,
  mustBe,
  optional,
  type Rules,
  show,
} from "../../check/index.js";
import type { Broadcast } from "../../logs/index.js";
import { NO_CAUSES, type ViewerCauses } from "./causes.js";

/**
 * A broadcast of a replayed schedule: the channel becomes the streamer's id; `startMs` may be on any clock whose days begin
 * at multiples of 24 hours.
 */
export type ScheduledBroadcast = Pick<Broadcast, "channel" | "startMs" | "lengthMs" | "category" | "averageViewers">;

/** Size and seed of a live platform. */
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
  /**
   * Minutes watched recently that multiply the gap until the next session by e, in (0, Infinity]; Infinity: watching
   * delays nobody. Gaps and the spread of activity are fitted so that viewers watch as long whatever it is; below 45 they
   * watch less. Default 45.
   */
  satiation: number;
  /**
   * How strongly satisfaction brings viewers back, in [0, 5]: 1 divides the gap by 2.5 for each unit, 0 leaves it as it is.
   * The mean gap is set for 1. Default 1.
   */
  satisfactionEffect: number;
  /**
   * Whether a new viewer, with another id, takes the place of one who is lost, so that a platform lasts for months; none
   * comes in the first 14 days, as a loss is not sure before. Default true.
   */
  newcomers: boolean;
  /**
   * Causes that viewers follow beside topics, quality and habit, each with a strength in [0, 1]. Above 0, the platform sends
   * the events that carry the cause, and a quarter of the streams fits each viewer by it. Default: none.
   */
  causes?: Partial<ViewerCauses>;
  /**
   * Whether the platform sends heartbeats while viewers watch. The world is the same with and without; the metrics hold
   * the whole watches. Default: none.
   */
  heartbeats?: Heartbeats;
  /**
   * Broadcasts to replay in place of generated ones, at least one, in any order; the run begins on the day of the first.
   * Streamers, categories and popularity come from them, and `streamers` must not be given. Default: generated.
   */
  schedule?: readonly ScheduledBroadcast[];
}

/** The heartbeats of a platform. */
export interface Heartbeats {
  /** Milliseconds between two heartbeats of a watch, in [1000, 3600000]. */
  everyMs: number;
  /** Share of watches whose last event, the `watch`, is lost, [0, 1]. Default 0. */
  lostEnds?: number;
}

const DEFAULTS: Omit<PlatformOptions, "schedule" | "heartbeats"> = {
  viewers: 400,
  streamers: 600,
  days: 14,
  slate: 6,
  seed: 1,
  warmupDays: 0,
  satiation: 45,
  satisfactionEffect: 1,
  newcomers: true,
  causes: {},
};

const CAUSES: Rules<ViewerCauses> = {
  chat: between(0, 1),
  picture: between(0, 1),
  region: between(0, 1),
  friends: between(0, 1),
};

const BEATS: Rules<Heartbeats> = { everyMs: between(1000, 3_600_000), lostEnds: between(0, 1) };

const TABLE: Rules<PlatformOptions> = {
  viewers: integer(1, 100_000),
  streamers: integer(1, 100_000),
  days: integer(1, 3650),
  slate: integer(1, 100),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  warmupDays: integer(0, 3649),
  satiation: above(0, Number.POSITIVE_INFINITY),
  satisfactionEffect: between(0, 5),
  newcomers: boolean,
  causes: group,
  heartbeats: optional(group),
  schedule: [
    (value) => value === undefined || (Array.isArray(value) && value.length > 0),
    "a list of at least one broadcast",
  ],
};

/** Longest name, as in events: a stream's id is the channel's and a number. */
const NAME_LENGTH = 200;
const isName = (value: unknown) => typeof value === "string" && value.length >= 1 && value.length <= NAME_LENGTH;
const NAME = `a string of 1 to ${NAME_LENGTH} characters`;

const BROADCAST: Rules<ScheduledBroadcast> = {
  channel: [isName, NAME],
  startMs: [(value) => Number.isFinite(value), "a finite number"],
  lengthMs: [(value) => Number.isFinite(value) && (value as number) > 0, "a finite number > 0"],
  category: [isName, NAME],
  averageViewers: [(value) => Number.isFinite(value) && (value as number) >= 0, "a finite number >= 0"],
};

/** @throws TypeError for an unknown option, RangeError for a wrong or missing value. */
function checkedBeats(given: Heartbeats): void {
  const { everyMs } = checked<Heartbeats>(given, BEATS, { lostEnds: 0 }, "heartbeats.");
  if (everyMs === undefined) throw mustBe("heartbeats.everyMs", BEATS.everyMs[1], everyMs);
}

/**
 * The options with the defaults filled in.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value: `"viewers" must be an integer in [1, 100000],
 *   got 0`.
 */
export function platformOptions(given: Partial<PlatformOptions>): PlatformOptions {
  const options = checked(given, TABLE, DEFAULTS as PlatformOptions);
  checked(options.causes, CAUSES, NO_CAUSES, "causes.");
  if (options.heartbeats) checkedBeats(options.heartbeats);
  if (options.warmupDays >= options.days) {
    throw new RangeError(`"warmupDays" must be below "days" (${options.days}), got ${options.warmupDays}`);
  }
  if (!options.schedule) return options;
  if (given.streamers !== undefined) {
    throw new RangeError(
      `"streamers" must not be given with "schedule", which has its own, got ${show(given.streamers)}`,
    );
  }
  options.schedule.forEach(({ channel, startMs, lengthMs, category, averageViewers }, i) => {
    // Other fields of a broadcast are allowed and ignored.
    checked({ channel, startMs, lengthMs, category, averageViewers }, BROADCAST, {}, `schedule.${i}.`);
  });
  return options;
}
