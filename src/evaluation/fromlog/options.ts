import {
  abortSignal,
  between,
  callback,
  checked,
  group,
  integer,
  nonNegative,
  oneOf,
  optional,
  positiveInteger,
  type Rules,
} from "../../check/index.js";
import type { LoggedDecision } from "../../protocol/index.js";
import type { Recommender } from "../../recommender/index.js";
import type { CompleteLogOptions } from "../decisions/complete.js";
import type { LogSource } from "./source.js";

/** Where a run stands. */
export interface LearnProgress {
  /** The fold that is left out, from 0; undefined: none. */
  readonly fold: number | undefined;
  /** The pass over the log, from 1. */
  readonly epoch: number;
  /** Events and decisions of this pass so far. */
  readonly entries: number;
  readonly recommender: Recommender;
}

export interface LearnFromLogOptions {
  /** Decisions of the logging policy, in order of time. Default: rebuilt from impressions, or drawn. */
  decisions?: LogSource<LoggedDecision> | undefined;
  /**
   * Share of the log's time, at its end, that is held out: it stops learning early, and its figures tell what was
   * learned; [0, 0.9]. 0: nothing is held out, all is learned from. Needs a log that can be read again, or `from`.
   * Default 0.1, of a log that can be read once only 0.
   */
  validation: number;
  /** Time from which on the log is held out, milliseconds, in place of a share. Default: by `validation`. */
  from?: number | undefined;
  /**
   * Passes over the log, at most, [1, 1000]. Each begins with an empty memory of users and streams, and the weights of the
   * one before. More than one needs a log that can be read again, and options in place of a recommender. Default 5
   * with a held-out part that ends them, else 1.
   */
  epochs: number;
  /** Passes without a better figure after which it stops, an integer >= 1. Default 1. */
  patience: number;
  /** What is better: NDCG or hits among the first `k`, or the mean reciprocal rank, of the held-out clicks. Default `ndcg`. */
  metric: "ndcg" | "hits" | "mrr";
  /** Which held-out visits count: all, or those that stay. Default `click`. */
  target: "click" | "engaged";
  /** Length of the lists that are judged, an integer >= 1. Default 10. */
  k: number;
  /**
   * Folds of users, 0 or [2, 20]: each is left out once, and judged by what was learned from the others; then all are
   * learned from. Takes as many times longer. Default 0: none.
   */
  folds: number;
  /** Whose weight in learning is equal: each event's, or each user's, for which it reads the log once more. Default `events`. */
  draw: "events" | "users";
  /** How the log is completed: what is on air, and what users chose from. */
  log: Partial<CompleteLogOptions>;
  /** Ends it early with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called after every 1024 events and decisions. */
  onProgress?: ((progress: LearnProgress) => void) | undefined;
}

export const DEFAULTS: LearnFromLogOptions = {
  validation: 0.1,
  epochs: 5,
  patience: 1,
  metric: "ndcg",
  target: "click",
  k: 10,
  folds: 0,
  draw: "events",
  log: {},
};

const isFolds = integer(2, 20)[0];

const TABLE: Rules<LearnFromLogOptions> = {
  decisions: [
    (value) => value === undefined || typeof value === "function" || group[0](value),
    "an iterable, or a function that opens one",
  ],
  validation: between(0, 0.9),
  from: optional(nonNegative),
  epochs: integer(1, 1000),
  patience: positiveInteger,
  metric: oneOf("ndcg", "hits", "mrr"),
  target: oneOf("click", "engaged"),
  k: positiveInteger,
  folds: [(value) => value === 0 || isFolds(value), "0 or an integer in [2, 20]"],
  draw: oneOf("events", "users"),
  log: group,
  signal: optional(abortSignal),
  onProgress: optional(callback),
};

/** The options with their defaults. @throws TypeError or RangeError for one that is unknown or out of its range. */
export function checkedLearning(
  given: Partial<LearnFromLogOptions>,
  isRepeatable: boolean,
  isMade: boolean,
): LearnFromLogOptions {
  const options = checked<LearnFromLogOptions>(given, TABLE, DEFAULTS);
  const { validation: share, epochs, ...rest } = options;
  const validation = given.validation ?? (isRepeatable ? share : 0);
  const isHeldOut = options.from !== undefined || validation > 0;
  const passes = given.epochs ?? (isRepeatable && isMade && isHeldOut ? epochs : 1);
  const again = 'needs a log that can be read again: an array, or a function that opens it; or give "from"';
  if (!isRepeatable) {
    if (validation > 0 && options.from === undefined) throw new RangeError(`"validation" above 0 ${again}`);
    if (passes > 1) throw new RangeError(`"epochs" above 1 ${again.split(";")[0]}`);
    if (options.folds > 0) throw new RangeError(`"folds" ${again.split(";")[0]}`);
    if (options.draw === "users") throw new RangeError(`"draw" of users ${again.split(";")[0]}`);
  }
  if (!isMade && (passes > 1 || options.folds > 0)) {
    throw new RangeError('"epochs" above 1 and "folds" need options of a recommender, got a recommender');
  }
  if (options.folds > 0 && !isHeldOut) throw new RangeError('"folds" need a held-out part, got "validation" 0');
  return { ...rest, validation, epochs: passes };
}
