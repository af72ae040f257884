import type { StoredRow } from "../../src/cli/writing/results.js";
import { table } from "../../src/cli/writing/table.js";
import { meanInterval } from "../../src/statistics/index.js";
import type { Goal } from "../harness/goals.js";
import type { Report } from "../harness/suite.js";

export const GOALS: readonly Goal[] = [
  { case: /^speed\/X?L$/, metric: "times_faster", atLeast: 1.8 },
  { case: /^speed\/X?L$/, metric: "times_smaller", atLeast: 3.5 },
  { case: /\/int8$/, metric: "loss_percent_mean", atMost: 1 },
  { case: /\/int8$/, metric: "tau_mean", atLeast: 0.98 },
  { case: /\/(pruned|student)$/, metric: "loss_percent_mean", atMost: 2 },
];

const WAYS = ["int8", "pruned", "student"];
const METRICS = ["loss_percent", "tau", "same_best", "times_smaller"];

/** Means over seeds, by environment and way. */
export function report(rows: readonly StoredRow[]): Report {
  const single = rows.filter(({ case: name }) => !name.includes("/"));
  const names = [...new Set(single.map(({ case: name }) => name))];
  const means = names.flatMap((name) =>
    WAYS.flatMap((way) =>
      METRICS.map((metric) => {
        const own = single.filter((row) => row.case === name && row.metric === `${way}_${metric}`);
        const { value, lo, hi, n } = meanInterval(own.map((row) => row.value));
        const seeds = own.flatMap((row) => row.seeds ?? []);
        const bounds = n > 1 ? { lo, hi } : {};
        return {
          case: `${name}/${way}`,
          metric: `${metric}_mean`,
          value,
          unit: own[0]?.unit ?? "1",
          ...bounds,
          n,
          seeds,
        };
      }),
    ),
  );
  const cell = (name: string, metric: string) => {
    const { value, lo, hi } = means.find((row) => row.case === name && row.metric === `${metric}_mean`)!;
    return lo === undefined ? value.toFixed(3) : `${value.toFixed(3)} [${lo.toFixed(3)}, ${hi!.toFixed(3)}]`;
  };
  const lines = [...new Set(means.map((row) => row.case))].map((name) => [name, ...METRICS.map((m) => cell(name, m))]);
  return { text: table(["environment, way", ...METRICS], lines), rows: means };
}
