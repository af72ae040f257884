/** Figures as rows, and as tables. */
import type { StoredRow } from "../../src/cli/writing/results.js";
import type { Result } from "../harness/suite.js";
import { spreadOf } from "../harness/timing.js";
import { METRICS, type Metric } from "./timing.js";

/** The samples of a peer at a shape, in microseconds. */
export interface Samples {
  peer: string;
  shape: string;
  metric: Metric;
  /** What ran: its title, the form of it and the runtime. */
  runtime: string;
  samples: readonly number[];
}

/** The peer that the others are measured by. */
export const OWN = "liveq" as const;

/** A label with a version in its place; without one where it is not known. */
export function titled(label: string, version = ""): string {
  return label.replace(version ? "{}" : /,? by \{\}|,? ?\{\}/, version);
}

const TITLES: Record<Metric, string> = {
  train: "train step",
  act: "one decision",
  act64: "decisions for 64 rows",
};

/** A duration as a table shows it: `0.77 us`, `1,236 us`, `22.2 ms`, `32.6 s`. */
export function duration(us: number): string {
  if (us < 10) return `${us.toFixed(2)} us`;
  if (us < 100) return `${us.toFixed(1)} us`;
  if (us < 10_000) return `${Math.round(us).toLocaleString("en")} us`;
  if (us < 1_000_000) return `${(us / 1000).toPrecision(3)} ms`;
  return `${(us / 1e6).toPrecision(3)} s`;
}

/** A multiple as a table shows it: `0.29`, `1.25`, `13.5`, `952`. */
export function multiple(ratio: number): string {
  if (ratio < 10) return ratio.toFixed(2);
  return ratio < 100 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString("en");
}

const median = (samples: readonly number[]) => spreadOf(samples).median;

const unique = (values: readonly string[]) => [...new Set(values)];

/**
 * How many times LiveQ's time a peer takes, where LiveQ has one: the median over rounds, which a slow spell of the machine
 * hardly changes; of medians for a peer that was not in all rounds.
 */
function ratioOf({ samples }: Samples, own: Samples | undefined): number | undefined {
  if (!own) return undefined;
  if (own.samples.length !== samples.length) return median(samples) / median(own.samples);
  return median(samples.map((sample, i) => sample / own.samples[i]!));
}

/** Rows of samples; lo and hi are the fastest and the slowest. */
export function rowsOf(all: readonly Samples[]): Result[] {
  return all.flatMap((each) => {
    const { peer, shape, metric, samples, runtime } = each;
    const { min, median: value, max } = spreadOf(samples);
    const common = { case: `${metric}/${shape}/${peer}`, runtime };
    const figure = { ...common, metric: "median_us", value, unit: "us", n: samples.length, lo: min, hi: max };
    const own = all.find((other) => other.peer === OWN && other.shape === shape && other.metric === metric);
    const ratio = ratioOf(each, own);
    return ratio === undefined ? [figure] : [figure, { ...common, metric: "ratio", value: ratio, unit: "x" }];
  });
}

/** What follows a peer's title in `runtime`: the form in which it ran, and Node. */
const FORM =
  /(, (dense|indices|gcc|clang(-\d+)?|\S+=\S+|(bag )?(foreach|loop|fused)( \S+=\S+)?|(wasm|cpu) by-\w+))?(, node [\d.]+)?$/;

/** The title of a peer: one where all rows agree, else their common beginning, and "or" between what follows. */
function titleOf(rows: readonly StoredRow[]): string {
  const titles = unique(rows.map(({ runtime }) => runtime.replace(FORM, "")));
  const [first = ""] = titles;
  let end = first.length;
  while (!titles.every((title) => title.startsWith(first.slice(0, end)))) end--;
  const start = titles.length === 1 ? 0 : first.lastIndexOf(" ", end) + 1;
  return first.slice(0, start) + titles.map((title) => title.slice(start)).join(" or ");
}

/** A table for each metric: a line for each peer, a column for each shape. */
export function tablesOf(rows: readonly StoredRow[]): string {
  const places = rows.map((row) => ({
    row,
    place: row.case.split("/") as [metric: string, shape: string, peer: string],
  }));
  const shapes = unique(places.map(({ place }) => place[1]));
  return METRICS.filter((metric) => places.some(({ place }) => place[0] === metric))
    .map((metric) => {
      const own = places.filter(({ place }) => place[0] === metric);
      const lines = unique(own.map(({ place }) => place[2])).map((name) => {
        const mine = own.filter(({ place }) => place[2] === name);
        const cells = shapes.map((shape) =>
          cellOf(mine.filter(({ place }) => place[1] === shape).map(({ row }) => row)),
        );
        return [titleOf(mine.map(({ row }) => row)), ...cells].map((cell) => (name === OWN ? `**${cell}**` : cell));
      });
      return markdown([TITLES[metric], ...shapes], lines);
    })
    .join("\n\n");
}

/** A figure as a table shows it, with its multiple of LiveQ's in brackets; `-` where there is none. */
export function cellOf(rows: readonly StoredRow[]): string {
  const of = (metric: string) => rows.find((row) => row.metric === metric);
  const [time, ratio] = [of("median_us"), of("ratio")];
  if (!time) return "-";
  if (!ratio || time.case.endsWith(`/${OWN}`)) return duration(time.value);
  return `${duration(time.value)} (${multiple(ratio.value)})`;
}

/** A table in Markdown: the first column to the left, the others to the right. */
export function markdown(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [row(header), `|---|${"--:|".repeat(header.length - 1)}`, ...lines.map(row)].join("\n");
}
