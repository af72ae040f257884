/** From samples to rows and to text. */
import type { Row } from "../../src/cli/writing/results.js";
import { table } from "../../src/cli/writing/table.js";
import { type Figure, figureOf } from "../shapes.js";
import type { Series } from "./probe.js";
import { isMet, targetOf } from "./targets.js";

const GROUPS: readonly [prefix: string, title: string][] = [
  ["loop/", "register-only loop"],
  ["train/", "train step"],
  ["act/", "one decision"],
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

const rowOf = (name: string, metric: string, unit: string, { min, median, max }: Figure, n: number): Row => {
  const target = targetOf(name, metric);
  const goal = target && { target: target.value, met: isMet(target, median) };
  return { suite: "engine", case: name, metric, value: median, unit, lo: min, hi: max, n, ...goal };
};

export function rooflineOf(series: readonly Series[]): Roofline {
  const loops = series.filter(({ name }) => name.startsWith("loop/"));
  const all = loops.map(({ name, values }) => ({ name: name.slice("loop/".length), gflops: figureOf(values).median }));
  return all.reduce((best, each) => (each.gflops > best.gflops ? each : best));
}

/** The rows of a metric: as it was sampled, and of times with known work GFLOP/s and percent of the roofline. */
export function rowsOf({ name, metric, unit, flop, values }: Series, roofline: Roofline): Row[] {
  const rows = [rowOf(name, metric, unit, figureOf(values), values.length)];
  const add = (what: string, unitOf: string, of: (value: number) => number) =>
    rows.push(rowOf(name, what, unitOf, figureOf(values.map(of)), values.length));
  const gflops =
    metric === "gflops" ? (value: number) => value : flop > 0 ? (us: number) => flop / us / 1000 : undefined;
  if (gflops && metric !== "gflops") add("gflops", "GFLOP/s", gflops);
  if (gflops) add("roofline_percent", "%", (value) => (100 * gflops(value)) / roofline.gflops);
  if (name.startsWith("PER/")) add("per_second", "1/s", (us) => 1e6 / us);
  return rows;
}

function show(value: number): string {
  return value.toFixed(value < 1 ? 3 : value < 100 ? 2 : 0);
}

/** A line: the figure with its spread, what follows from it, and its target. */
function lineOf(rows: readonly Row[]): string[] {
  const [first] = rows;
  const isTiny = first!.case.startsWith("PER/");
  const [scale, unit] = isTiny ? [1000, "ns"] : [1, first!.unit];
  const shown = ({ value, lo, hi }: Row) =>
    `${show(scale * value)} (${show(scale * lo!)} to ${show(scale * hi!)}) ${unit}`;
  const of = (metric: string) => rows.find((row) => row.metric === metric && row !== first);
  const goals = rows.filter(({ target }) => target !== undefined).map((row) => goalOf(row, scale, unit));
  return [
    first!.case.replace(/^(loop|train|act|PER|replay|CartPole)\//, ""),
    shown(first!),
    of("gflops")?.value.toFixed(1) ?? "",
    of("roofline_percent")?.value.toFixed(0) ?? "",
    goals.join(""),
  ];
}

function goalOf({ metric, target, met, case: name, value }: Row, scale: number, unit: string): string {
  const said = met ? "met" : "MISSED";
  if (metric === "roofline_percent") return `>= ${target} %: ${said}`;
  if (name.startsWith("PER/")) return `>= ${1 / target!} M/s: ${said} (${(1 / value).toFixed(1)})`;
  return `<= ${scale * target!} ${unit}: ${said}`;
}

/** The tables of all rows, in groups of a metric. */
export function textOf(grouped: readonly (readonly Row[])[]): string {
  const header = ["median (min to max)", "GFLOP/s", "% of roofline", "target"];
  return GROUPS.map(([prefix, title]) => {
    const lines = grouped.filter(([first]) => first!.case.startsWith(prefix)).map(lineOf);
    if (lines.length === 0) return "";
    // Columns that say nothing here are left out.
    const kept = [0, 1, ...[2, 3, 4].filter((column) => lines.some((line) => line[column] !== ""))];
    const cut = (line: readonly string[]) => kept.map((column) => line[column]!);
    return `${table(cut([title, ...header]), lines.map(cut))}\n`;
  })
    .filter((text) => text !== "")
    .join("\n");
}
