import {
  checked,
  integer,
  nonNegative,
  nonNegativeInteger,
  oneOf,
  positive,
  positiveInteger,
  type Rule,
  type Rules,
} from "../../check/index.js";
import { DAY, MINUTE } from "../../protocol/index.js";
import type { QualityReport } from "../report.js";
import type { EventBounds } from "./bounds.js";

/** How to clean events. */
export interface CleanEventsOptions {
  /** Events before this time, milliseconds, are dropped. Default 0. */
  from?: number;
  /** Events at or after this time are dropped: one clock a century ahead would make all other events late. Default Infinity. */
  to?: number;
  /** How late an event may come and still be put in order, milliseconds. Default 60 000. */
  latenessMs?: number;
  /** Events later than `latenessMs` are dropped, or kept with the time of the event before them. Default `drop`. */
  late?: "drop" | "keep";
  /**
   * Simultaneous events keep the order in which they came, or are put in one of their own (by stream or user, then by
   * kind), so that the same events come out the same in whatever order they came. Default `keep`.
   */
  simultaneous?: "keep" | "sort";
  /**
   * The most events that wait to be put in order, and the most event ids and visits remembered; of those at least 15/16.
   * Default 262 144.
   */
  window?: number;
  /**
   * Feedback on a stream that is not on air (and has not been within `graceMs`): `drop` or `keep`. `auto` is `keep` for a log
   * without `on_air` events, where nothing is known to be on air: one whose first 4096 events have none. They are held
   * until that is clear. Default `auto`.
   */
  offAir?: "auto" | "drop" | "keep";
  /** Milliseconds after the end of a stream in which feedback on it still counts. Default 5 minutes, set by hand. */
  graceMs?: number;
  /** Milliseconds without an event of a stream after which it goes off air. Default 24 hours, set by hand. */
  timeoutMs?: number;
  /** Watches with `watchMs` 0: `drop` or `keep`. Default `drop`. */
  emptyWatch?: "drop" | "keep";
  /** Longest watch and longest dwell. Default 24 hours. */
  watchMaxMs?: number;
  /** Watches and dwells longer than `watchMaxMs` or the stream's time on air: cut to it, or dropped. Default `clip`. */
  long?: "clip" | "drop";
  /** Gifts sooner than this after the click are dropped; 0 keeps them. Default 10 000. */
  giftAfterMs?: number;
  /** Gifts of a user to a stream sooner than this after the previous one are dropped; a combo sends many in a second. Default 0: kept. */
  giftGapMs?: number;
  /** The most feedback events except impressions of one user in `limitMs`; more are dropped; 0 for no limit. Default 0. */
  userLimit?: number;
  /**
   * As `userLimit`, for one user on one stream. Default 0. It keeps floods out of logs and load off a recommender. The
   * recommender itself bounds how much one account counts, however slowly the account acts and whatever is kept here.
   */
  pairLimit?: number;
  /** Length of the limits' windows, milliseconds; each window begins at a multiple of it. Default 60 000. */
  limitMs?: number;
  /** The largest usual values; larger ones are outliers and cut to these. Default none. */
  bounds?: EventBounds;
  /** Ids of each sort that the diversity figures hold; with more ids the figures are estimates. Default 1 000 000. */
  ids?: number;
  /** The report to count into; may be the one that a reader counts into. Default a new one. */
  report?: QualityReport;
}

const finiteOrInfinity: Rule = [(value) => typeof value === "number" && value >= 0, "a number >= 0"];
const BOUNDS: Rules<EventBounds> = (() => {
  const above: Rule = [(value) => value === undefined || positive[0](value), positive[1]];
  return { watchMs: above, dwellMs: above, amount: above, purchase: above };
})();

const TABLE: Rules<CleanEventsOptions> = {
  from: nonNegative,
  to: finiteOrInfinity,
  latenessMs: nonNegative,
  late: oneOf("drop", "keep"),
  simultaneous: oneOf("keep", "sort"),
  window: integer(1, 2 ** 23),
  offAir: oneOf("auto", "drop", "keep"),
  graceMs: nonNegative,
  timeoutMs: positive,
  emptyWatch: oneOf("drop", "keep"),
  watchMaxMs: positive,
  long: oneOf("clip", "drop"),
  giftAfterMs: nonNegative,
  giftGapMs: nonNegative,
  userLimit: nonNegativeInteger,
  pairLimit: nonNegativeInteger,
  limitMs: positive,
  bounds: [(value) => typeof value === "object" && value !== null, "{ watchMs, dwellMs, amount, purchase }"],
  ids: positiveInteger,
  report: [() => true, ""],
};

const DEFAULTS: CleanEventsOptions = {
  from: 0,
  to: Infinity,
  latenessMs: MINUTE,
  late: "drop",
  simultaneous: "keep",
  window: 1 << 18,
  offAir: "auto",
  graceMs: 5 * MINUTE,
  timeoutMs: DAY,
  emptyWatch: "drop",
  watchMaxMs: DAY,
  long: "clip",
  giftAfterMs: 10_000,
  giftGapMs: 0,
  userLimit: 0,
  pairLimit: 0,
  limitMs: MINUTE,
  bounds: {},
  ids: 1_000_000,
};

/** Options with defaults in place. */
export type CheckedCleaning = Required<Omit<CleanEventsOptions, "report">> & Pick<CleanEventsOptions, "report">;

/** @throws TypeError for an unknown option, RangeError for a wrong value. */
export function checkedCleaning(options: CleanEventsOptions): CheckedCleaning {
  const resolved = checked<CleanEventsOptions>(options, TABLE, DEFAULTS) as CheckedCleaning;
  checked<EventBounds>(resolved.bounds, BOUNDS, {}, "bounds.");
  return resolved;
}
