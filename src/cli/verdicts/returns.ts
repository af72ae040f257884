import type { ReturnLog } from "../../evaluation/index.js";
import { DAY } from "../../protocol/index.js";
import type { Calibration } from "../reports/index.js";

/** Whose predictions are compared, and with what returns. */
export interface Predicted {
  /** `the DQN`. */
  name: string;
  /** Whose slates were shown: `its own slates`. */
  shown: string;
  gamma: number;
  gapScaleMs: number | undefined;
  /** Milliseconds: the first decision that counts, and the end of the log. */
  from: number;
  until: number;
}

/** Most of a return: what `ReturnLog` takes by default. */
const HORIZON_MS = 14 * DAY;
const OVERALL = {
  predicted: "mean prediction",
  realised: "mean return",
  bias: "prediction above return",
  rmse: "RMSE",
};

/**
 * Values that a policy predicted beside the returns that followed, by tenth of the predictions, over two weeks or half of
 * the log. Why there are none, where there are none.
 */
export function calibrationOf(log: ReturnLog, given: Predicted): Calibration | string {
  const { name, shown, gamma, gapScaleMs, from, until } = given;
  const horizonMs = Math.min(HORIZON_MS, (until - from) / 2);
  if (!(horizonMs > 0) || gamma >= 1) return `${name}: there are no returns: the log is too short, or gamma is 1`;
  let figures: ReturnType<ReturnLog["result"]>;
  try {
    figures = log.result({ gamma, from, horizonMs, ...(gapScaleMs !== undefined && { gapScaleMs }) });
  } catch (error) {
    if (error instanceof RangeError) return `${name}: ${error.message}`;
    throw error;
  }
  const find = (metric: string, slice: string) => figures.find((one) => one.metric === metric && one.slice === slice);
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
  const days = Number((horizonMs / DAY).toPrecision(3));
  const about =
    `Values of the streams that were entered, beside the discounted rewards of the ${days} days that followed, with ` +
    `gamma ${gamma}; of ${shown}. Intervals of 95 % by viewer.`;
  return { title: `Q against return: ${name}`, about, bins, overall };
}
