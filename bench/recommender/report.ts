import type { StoredRow } from "../../src/cli/writing/results.js";
import { table } from "../../src/cli/writing/table.js";
import { figure, type Goal, wanted } from "../harness/goals.js";
import type { Report } from "../harness/suite.js";
import { FARSIGHT_GOALS } from "./farsight/goals.js";
import { farsightRows, isOneSeed } from "./farsight/rows.js";
import { RANKER_GOALS } from "./ranker.js";
import { YEAR_GOALS } from "./year.js";

/** A recommender answers within a millisecond, whatever its groups of features; other goals stand beside their cases. */
export const GOALS: readonly Goal[] = [
  { case: /^latency\/(?!.*\/against$)/, metric: "recommend_p99_us", atMost: 1000 },
  { case: /^latency\/(?!.*\/against$)/, metric: "recommend_cpu_p99_us", atMost: 1000 },
  ...RANKER_GOALS,
  ...FARSIGHT_GOALS,
  ...YEAR_GOALS,
];

const HEADER = ["figure", "unit", "value", "95 % interval", "published", "goal", ""];

/** A line of the table. */
function lineOf(row: StoredRow): string[] {
  const { case: name, metric, value, unit, lo, hi, isExact, published, met } = row;
  const interval = isExact ? "exact" : lo === undefined ? "" : `[${figure(lo, unit)}, ${figure(hi!, unit)}]`;
  const verdict = met === undefined ? "" : met ? "met" : "NOT met";
  const known = published === undefined ? "" : `${published}`;
  return [`${name} ${metric}`, unit, figure(value, unit), interval, known, wanted(row, GOALS), verdict];
}

/** All figures in one table; each must have an interval, or be exact. */
export function report(rows: readonly StoredRow[]): Report {
  const computed = farsightRows(rows);
  const unbounded = rows.filter((row) => {
    const { isExact, lo, hi } = row;
    return !isExact && !isOneSeed(row) && !(Number.isFinite(lo) && Number.isFinite(hi));
  });
  const shown = [...rows.filter((row) => !isOneSeed(row)), ...computed.map((row) => ({ ...row }) as StoredRow)];
  return {
    text: table(HEADER, shown.map(lineOf)),
    rows: computed,
    failures: unbounded.map(({ case: name, metric }) => `${name} ${metric} has no interval`),
  };
}
