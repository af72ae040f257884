import type { ReturnLog } from "../../evaluation/index.js";
import { DAY, type Decision, type LoggedDecision } from "../../protocol/index.js";
import type { Recommender } from "../../recommender/index.js";
import { type Figure, type Interval, meanInterval } from "../../statistics/index.js";
import type { Calibration } from "../reports/index.js";

/** How a policy discounts. */
export interface Discount {
  gamma: number;
  gapScaleMs: number | undefined;
}

/** What of a log counts, and how. */
export interface Counted extends Discount {
  /** Milliseconds: the first decision that counts, and the end of the log. */
  from: number;
  until: number;
}

/** Whose predictions are compared, and with what returns. */
export interface Predicted extends Counted {
  /** `the DQN`. */
  name: string;
  /** Whose slates were shown: `its own slates`. */
  shown: string;
}

/** The values of a DQN that serves a generated platform: of the days that count. */
export function valuesOfWorld(world: { gamma: number; warmupDays: number; days: number }): Predicted {
  const { gamma, warmupDays, days } = world;
  const span = { from: warmupDays * DAY, until: days * DAY };
  return { name: "the DQN", shown: "its own slates", gamma, gapScaleMs: undefined, ...span };
}

/** Most of a return: what `ReturnLog` takes by default. */
const HORIZON_MS = 14 * DAY;
const OVERALL = {
  predicted: "mean prediction",
  realised: "mean return",
  bias: "prediction above return",
  rmse: "RMSE",
};
/** Streams that are valued for one decision, at most. */
const RANKED = 1000;

/** A logged decision with a recommender's values of its streams; undefined where it knows none of them. */
export function valuedBy(recommender: Pick<Recommender, "rank">, decision: LoggedDecision): Decision | undefined {
  const { user, time, slate } = decision;
  const known = recommender.rank({ user, now: time, k: RANKED });
  const values = new Map(known.slate.map((stream, i) => [stream, known.scores[i]!]));
  const own = slate.filter((stream) => values.has(stream));
  if (own.length === 0) return undefined;
  return { ...decision, slate: own, scores: own.map((stream) => values.get(stream)!) } as Decision;
}

/** Two weeks, or half of the log. */
const horizonOf = ({ from, until }: Counted) => Math.min(HORIZON_MS, (until - from) / 2);

/** Predictions and returns by tenth of the predictions. Why there are none, where there are none. */
export function returnFigures(log: ReturnLog, counted: Counted): Figure[] | string {
  const { gamma, gapScaleMs, from } = counted;
  const horizonMs = horizonOf(counted);
  if (!(horizonMs > 0) || gamma >= 1) return "there are no returns: the log is too short, or gamma is 1";
  try {
    return log.result({ gamma, from, horizonMs, ...(gapScaleMs !== undefined && { gapScaleMs }) });
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

type Find = (metric: string, slice: string) => (Interval & { n: number }) | undefined;

function calibration(find: Find, given: Predicted, unit: string): Calibration {
  const bins = Array.from({ length: 10 }, (_, i) => `decile_${i + 1}`).flatMap((slice) => {
    const [predicted, realised] = [find("predicted", slice), find("realised", slice)];
    if (predicted === undefined || realised === undefined) return [];
    const { value, lo, hi, n } = realised;
    return [{ predicted: predicted.value, realised: value, lo, hi, n }];
  });
  const overall = Object.entries(OVERALL).flatMap(([metric, what]) => {
    const figure = find(metric, "all");
    return figure === undefined ? [] : [{ what, value: figure.value, lo: figure.lo, hi: figure.hi }];
  });
  const { name, shown, gamma } = given;
  const days = Number((horizonOf(given) / DAY).toPrecision(3));
  const about =
    `Values of the streams that were entered, beside the discounted rewards of the ${days} days that followed, with ` +
    `gamma ${gamma}; of ${shown}. Intervals of 95 % by ${unit}.`;
  return { title: `Q against return: ${name}`, about, bins, overall };
}

/** Values that a policy predicted beside the returns that followed. Why there are none, where there are none. */
export function calibrationOf(log: ReturnLog, given: Predicted): Calibration | string {
  const figures = returnFigures(log, given);
  if (typeof figures === "string") return `${given.name}: ${figures}`;
  const find: Find = (metric, slice) => figures.find((one) => one.metric === metric && one.slice === slice);
  return calibration(find, given, "viewer");
}

/** The same of several worlds, each with its own tenths: means of the worlds. */
export function calibrationOfWorlds(worlds: readonly (Figure[] | string)[], given: Predicted): Calibration | string {
  const known = worlds.filter((figures) => typeof figures !== "string");
  if (known.length === 0) return `${given.name}: ${worlds[0]}`;
  const find: Find = (metric, slice) => {
    const found = known.flatMap((figures) => figures.find((one) => one.metric === metric && one.slice === slice) ?? []);
    if (found.length === 0) return undefined;
    return { ...meanInterval(found.map(({ value }) => value)), n: found.reduce((sum, { n }) => sum + n, 0) };
  };
  return calibration(find, given, "world");
}
