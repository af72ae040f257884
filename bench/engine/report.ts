/** From samples to rows and to text. */
import type { StoredRow } from "../../src/cli/writing/results.js";
import { table } from "../../src/cli/writing/table.js";
import type { Series } from "../harness/rounds.js";
import type { Result } from "../harness/suite.js";
import { type Spread, spreadOf } from "../harness/timing.js";
import type { EngineProbe } from "./probe.js";

const GROUPS: readonly [prefix: string, title: string][] = [
  ["loop/", "register-only loop"],
  ["train/", "train step"],
  ["act/", "one decision"],
  ["act64/", "decisions for 64 states"],
  ["PER/", "sum tree, of each in batches of 64"],
  ["replay/", "reading a batch, of 160 MB as f32"],
  ["CartPole/", "CartPole"],
  ["start of ", "start"],
  ["memory", "memory"],
];

/** The highest of the loops, by their medians. */
export interface Roofline {
  name: string;
  gflops: number;
}

type Measured = Result & { case: string };

const rowOf = (name: string, metric: string, unit: string, { min, median, max }: Spread, n: number): Measured => {
  return { case: name, metric, value: median, unit, lo: min, hi: max, n };
};

/** @throws Error where no loop was sampled. */
export function rooflineOf(series: readonly Series[]): Roofline {
  const loops = series.filter(({ name }) => name.startsWith("loop/"));
  const all = loops.map(({ name, values }) => ({ name: name.slice("loop/".length), gflops: spreadOf(values).median }));
  if (all.length === 0) throw new Error("no register-only loop was sampled");
  return all.reduce((best, each) => (each.gflops > best.gflops ? each : best));
}

/** The rows of a metric: as sampled, and of times with known work GFLOP/s and percent of the roofline. */
export function rowsOf(series: Series<EngineProbe>, roofline: Roofline): Measured[] {
  const { name, metric, unit, values, probe } = series;
  const { flop } = probe;
  const rows = [rowOf(name, metric, unit, spreadOf(values), values.length)];
  const add = (what: string, unitOf: string, of: (value: number) => number) =>
    rows.push(rowOf(name, what, unitOf, spreadOf(values.map(of)), values.length));
  const isRate = metric === "gflops";
  const gflops = isRate ? (value: number) => value : flop > 0 ? (us: number) => flop / us / 1000 : undefined;
  if (gflops && !isRate) add("gflops", "GFLOP/s", gflops);
  if (gflops) add("roofline_percent", "%", (value) => (100 * gflops(value)) / roofline.gflops);
  if (name.startsWith("PER/")) add("per_second", "1/s", (us) => 1e6 / us);
  return rows;
}

function show(value: number): string {
  return value.toFixed(value < 1 ? 3 : value < 100 ? 2 : 0);
}

/** A line: the figure with its spread, and what follows from it. */
function lineOf(rows: readonly StoredRow[]): string[] {
  const [first] = rows;
  const { case: name, value, lo, hi } = first!;
  const [scale, unit] = name.startsWith("PER/") ? [1000, "ns"] : [1, first!.unit];
  const spread = lo === undefined ? "" : ` (${show(scale * lo)} to ${show(scale * hi!)})`;
  const of = (metric: string) => rows.find((row) => row.metric === metric && row !== first);
  return [
    name.replace(/^(loop|train|act64|act|PER|replay|CartPole|memory)\//, ""),
    `${show(scale * value)}${spread} ${unit}`,
    of("gflops")?.value.toFixed(1) ?? "",
    of("roofline_percent")?.value.toFixed(0) ?? "",
  ];
}

/** The tables of all rows, in groups of a kind. */
export function textOf(rows: readonly StoredRow[]): string {
  const cases = [...new Set(rows.map((row) => row.case))];
  const grouped = cases.map((name) => rows.filter((row) => row.case === name));
  const header = ["median (min to max)", "GFLOP/s", "% of roofline"];
  const tables = GROUPS.map(([prefix, title]) => {
    const lines = grouped.filter(([first]) => first!.case.startsWith(prefix)).map(lineOf);
    if (lines.length === 0) return "";
    // Columns without a figure here are left out.
    const kept = [0, 1, ...[2, 3].filter((column) => lines.some((line) => line[column] !== ""))];
    const cut = (line: readonly string[]) => kept.map((column) => line[column]!);
    return `${table(cut([title, ...header]), lines.map(cut))}\n`;
  });
  const top = rows.find((row) => row.case === "roofline");
  const roofline = top ? `roofline: ${top.value.toFixed(1)} GFLOP/s; ${top.runtime}\n` : "";
  return [roofline, ...tables].filter((text) => text !== "").join("\n");
}
