import type { WatchState } from "../../server/index.js";
import { LineChart } from "../widgets/chart.js";
import { format } from "../widgets/format.js";
import { Table } from "../widgets/table.js";
import type { History, Reading } from "./history.js";

/** Metrics of the policy in the words of a reader. */
const METRICS: readonly (readonly [metric: string, title: string])[] = [
  ["watch_min_per_user_day", "Minutes watched a viewer and day"],
  ["watch_min_per_visit", "Minutes a visit"],
  ["click_rate", "Clicks an impression"],
  ["sessions_per_user_day", "Sessions a viewer and day"],
  ["return_within_1d", "Back within a day"],
  ["return_within_7d", "Back within a week"],
  ["hours_to_next_visit", "Hours to the next visit"],
  ["stream_coverage", "Share of streams that were shown"],
  ["exposure_gini", "Gini of exposure"],
  ["slate_diversity", "Diversity of a slate"],
];

/** Those with a curve. */
const DRAWN = ["watch_min_per_user_day", "click_rate", "return_within_1d", "stream_coverage", "exposure_gini"];

type Readings = readonly Reading<WatchState["figures"]>[];

/** What the policy has brought since the server began, with intervals, and how they became narrower. */
export function Brought({ history }: { history: History }) {
  const found = METRICS.flatMap(([metric, title]) => {
    const figure = history.state.figures.find((one) => one.metric === metric);
    return figure === undefined ? [] : [{ metric, title, figure }];
  });
  const rows = found.map(({ metric, title, figure: { value, lo, hi } }) => {
    return [metric, [title, format(value), `${format(lo)} to ${format(hi)}`]] as const;
  });
  return (
    <section class="card wide" aria-labelledby="brought">
      <h2 id="brought">What the policy has brought since the server began</h2>
      {rows.length === 0 ? (
        <p class="hint">Nothing is known yet.</p>
      ) : (
        <Table head={["Figure", "Value", "95 % interval"]} numbers={[1, 2]} rows={rows} />
      )}
      <div class="charts">
        {found
          .filter(({ metric }) => DRAWN.includes(metric))
          .map(({ metric, title }) => (
            <Course key={metric} metric={metric} title={title} readings={history.figures} />
          ))}
      </div>
    </section>
  );
}

/** One figure as it came in, with its interval. */
function Course({ metric, title, readings }: { metric: string; title: string; readings: Readings }) {
  const of = (key: "value" | "lo" | "hi") =>
    readings.map(({ of }) => {
      const value = of.find((one) => one.metric === metric)?.[key];
      return Number.isFinite(value) ? value! : null;
    });
  const x = { label: "second", values: readings.map(({ second }) => second) };
  const line = { label: "95 %", values: of("value"), band: { lo: of("lo"), hi: of("hi") } };
  return <LineChart title={title} x={x} lines={[line]} height={120} />;
}
