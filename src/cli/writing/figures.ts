import type { Figure, Interval } from "../../statistics/index.js";
import type { Row } from "./results.js";
import { table } from "./table.js";

/** A figure with its interval, if it has one: `0.123 [0.101, 0.145]`. */
export function cell({ value, lo, hi }: Pick<Interval, "value" | "lo" | "hi">, digits = digitsOf(value)): string {
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) return value.toFixed(digits);
  return `${value.toFixed(digits)} [${lo.toFixed(digits)}, ${hi.toFixed(digits)}]`;
}

/** Decimals for three significant digits, at most four. */
function digitsOf(value: number): number {
  const size = Math.abs(value);
  return size >= 99.5 ? 0 : size >= 9.95 ? 1 : size >= 0.995 ? 2 : size >= 0.0995 ? 3 : 4;
}

/** Units by pattern of the metric's name; all other metrics are shares. */
const UNITS: readonly [RegExp, string][] = [
  [/^watch_min/, "min"],
  [/^hours_/, "h"],
  [/^sessions_per_user_day/, "1/d"],
  [/_bits/, "bit"],
  [/^reward_/, "reward"],
  [/^q_mean|^td_error_mean/, "reward"],
  [/^td_error_squared/, "reward^2"],
];

export function unitOf(metric: string): string {
  return UNITS.find(([pattern]) => pattern.test(metric))?.[1] ?? "1";
}

/** Figures as rows; a slice other than `all` is appended to the case. */
export function rowsOf(figures: readonly Figure[], suite: string, what: string, seeds: number[]): Row[] {
  return figures.map(({ metric, slice, value, lo, hi, n }) => {
    const bounds = Number.isFinite(lo) && Number.isFinite(hi) ? { lo, hi } : {};
    const name = slice === "all" ? what : `${what}/${slice}`;
    return { suite, case: name, metric, value, unit: unitOf(metric), ...bounds, n, seeds };
  });
}

/** A table of figures; a missing figure leaves its cell empty. */
export function grid(
  lines: readonly string[],
  columns: readonly string[],
  find: (line: string, column: string) => Pick<Interval, "value" | "lo" | "hi"> | undefined,
): string {
  const cells = lines.map((line) => {
    const figures = columns.map((column) => find(line, column));
    return [line, ...figures.map((figure) => (figure === undefined ? "" : cell(figure)))];
  });
  return table(["", ...columns], cells);
}

/** One line for each metric, one column for each slice. */
export function bySlice(figures: readonly Figure[], slices: readonly string[]): string {
  const metrics = [...new Set(figures.map(({ metric }) => metric))];
  return grid(metrics, slices, (metric, slice) => figures.find((one) => one.metric === metric && one.slice === slice));
}
