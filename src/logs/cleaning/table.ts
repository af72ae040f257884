import { checked, mustBe, oneOf, positive, positiveInteger, type Rule, type Rules } from "../../check/index.js";
import { Latest } from "../../collections/index.js";
import { change, drop, emptyQualityReport, parseNumber, type QualityReport } from "../basics/index.js";
import { Mode, Sketch } from "./sketch.js";

export type TableCell = string | number | boolean | null | undefined;
export type TableRow = Readonly<Record<string, TableCell>>;

/** The cleaning of one column. */
export interface ColumnCleaning {
  /** `number` converts text; text that is not a number is missing. Default `text`: as it is. */
  type?: "number" | "text";
  /**
   * For a missing value (undefined, null, the empty text, NaN): keep it, drop its row, or fill in a statistic of the
   * training data or `constant`. `indicator` fills in `constant` (default 0) and adds a column `<column>_missing`, 1 or
   * 0. Default `keep`.
   */
  missing?: "keep" | "drop" | "mean" | "median" | "mode" | "constant" | "indicator";
  /**
   * The value to fill in, for `constant` and `indicator`: also one beyond the limits, such as -1, which then stays as it
   * is. Default 0 for `indicator`.
   */
  constant?: string | number | undefined;
  /**
   * Outliers are numbers beyond the quartiles by more than `factor` interquartile ranges (`iqr`; Tukey 1977), or from the
   * mean by more than `factor` standard deviations (`z`), both of the training data. Default `keep`: none.
   */
  outliers?: "keep" | "iqr" | "z";
  /** Distance of the fences, in interquartile ranges or standard deviations. Default 1.5 for `iqr`, 3 for `z`. */
  factor?: number | undefined;
  /** The smallest possible value. Default -Infinity. */
  min?: number;
  /** The largest possible value. Default Infinity. */
  max?: number;
  /** An outlier or an impossible number: move it to the nearest allowed value, or drop its row. Default `clip`. */
  beyond?: "clip" | "drop";
}

/** The cleaning of a table by column; other columns pass unchanged. */
export type TableCleaning = Readonly<Record<string, ColumnCleaning>>;

const bound: Rule = [(value) => typeof value === "number" && !Number.isNaN(value), "a number"];

const TABLE: Rules<ColumnCleaning> = {
  type: oneOf("number", "text"),
  missing: oneOf("keep", "drop", "mean", "median", "mode", "constant", "indicator"),
  constant: [
    (value) => value === undefined || typeof value === "string" || Number.isFinite(value),
    "text or a finite number",
  ],
  outliers: oneOf("keep", "iqr", "z"),
  factor: [(value) => value === undefined || positive[0](value), positive[1]],
  min: bound,
  max: bound,
  beyond: oneOf("clip", "drop"),
};

const DEFAULTS: ColumnCleaning = {
  type: "text",
  missing: "keep",
  outliers: "keep",
  min: -Infinity,
  max: Infinity,
  beyond: "clip",
};

type Checked = Required<ColumnCleaning>;

/** Statistics of a column in training data: plain data. */
export interface ColumnStatistics {
  /** Present values. */
  n: number;
  missing: number;
  /** Most frequent value; of equally frequent ones the first to come. Absent without values. */
  mode?: string | number | boolean;
  /** Mean, standard deviation (of the population) and quartiles of the numbers; absent without numbers. */
  mean?: number;
  sd?: number;
  q1?: number;
  median?: number;
  q3?: number;
}

export type TableStatistics = Record<string, ColumnStatistics>;

function checkedPolicies(policies: TableCleaning): [name: string, policy: Checked][] {
  return Object.entries(policies).map(([name, given]) => {
    const policy = checked<ColumnCleaning>(given, TABLE, DEFAULTS, `${name}.`) as Checked;
    const { type, missing, outliers, constant, min, max } = policy;
    const needsNumber =
      missing === "mean" || missing === "median" || outliers !== "keep" || min > -Infinity || max < Infinity;
    if (type !== "number" && needsNumber) throw mustBe(`${name}.type`, '"number" for this policy', type);
    if (missing === "constant" && constant === undefined) throw mustBe(`${name}.constant`, TABLE.constant[1], constant);
    if (type === "number" && typeof constant === "string")
      throw mustBe(`${name}.constant`, "a finite number", constant);
    if (min > max) throw mustBe(`${name}.min`, `at most "${name}.max" (${max})`, min);
    return [name, policy];
  });
}

/** The value of a cell; undefined if it is missing. */
function valueIn(cell: TableCell, type: Checked["type"]): string | number | boolean | undefined {
  if (cell === undefined || cell === null || cell === "") return undefined;
  if (type === "text") return typeof cell === "number" && Number.isNaN(cell) ? undefined : cell;
  const value = typeof cell === "string" ? parseNumber(cell.trim()) : Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

/** Statistics of one column, in one pass and in bounded memory. */
export class ColumnMeter {
  readonly #mode = new Mode<string | number | boolean>();
  readonly #sketch = new Sketch();
  #n = 0;
  #missing = 0;
  #mean = 0;
  /** Sum of squared differences from the mean. Welford 1962. */
  #squares = 0;

  /** @param value Undefined if it is missing. */
  add(value: string | number | boolean | undefined): void {
    if (value === undefined) {
      this.#missing++;
      return;
    }
    this.#n++;
    this.#mode.add(value);
    if (typeof value !== "number") return;
    this.#sketch.add(value);
    const difference = value - this.#mean;
    this.#mean += difference / this.#sketch.n;
    this.#squares += difference * (value - this.#mean);
  }

  get statistics(): ColumnStatistics {
    const mode = this.#mode.value;
    const common = { n: this.#n, missing: this.#missing, ...(mode === undefined ? {} : { mode }) };
    const { n } = this.#sketch;
    if (n === 0) return common;
    const [q1, median, q3] = [0.25, 0.5, 0.75].map((p) => this.#sketch.quantile(p)) as [number, number, number];
    return { ...common, mean: this.#mean, sd: Math.sqrt(this.#squares / n), q1, median, q3 };
  }
}

/**
 * Measures on training data the statistics that `cleanTable` needs, in one pass and in bounded memory.
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export async function fitTable(
  rows: AsyncIterable<TableRow> | Iterable<TableRow>,
  policies: TableCleaning,
): Promise<TableStatistics> {
  const columns = checkedPolicies(policies).map(([name, { type }]) => ({ name, type, meter: new ColumnMeter() }));
  for await (const row of rows) {
    for (const { name, type, meter } of columns) meter.add(valueIn(row[name], type));
  }
  return Object.fromEntries(columns.map(({ name, meter }) => [name, meter.statistics]));
}

/** The cleaning of a column with its statistics in place. */
interface Column {
  name: string;
  type: Checked["type"];
  missing: Checked["missing"];
  fill: string | number | boolean | undefined;
  /** Numbers beyond the fences are outliers; numbers beyond the limits are impossible. */
  fences: [low: number, high: number];
  limits: [low: number, high: number];
  beyond: Checked["beyond"];
}

function statistic<K extends keyof ColumnStatistics>(name: string, statistics: TableStatistics, key: K) {
  const value = Object.hasOwn(statistics, name) ? statistics[name]![key] : undefined;
  if (value === undefined || value === null) throw mustBe(`${name}.${key}`, "in the statistics", value);
  return value as Exclude<ColumnStatistics[K], undefined>;
}

function columnOf(name: string, policy: Checked, statistics: TableStatistics): Column {
  const { type, missing, constant, outliers, factor, min, max, beyond } = policy;
  let fences: [number, number] = [-Infinity, Infinity];
  if (outliers === "iqr") fences = quartileFences(statistics, name, factor);
  if (outliers === "z") {
    const reach = (factor ?? 3) * statistic(name, statistics, "sd");
    const mean = statistic(name, statistics, "mean");
    fences = [mean - reach, mean + reach];
  }
  let fill: Column["fill"] = missing === "indicator" ? (constant ?? 0) : constant;
  if (missing === "mean" || missing === "median" || missing === "mode") fill = statistic(name, statistics, missing);
  return { name, type, missing, fill, fences, limits: [min, max], beyond };
}

/** Tukey's fences: beyond them a number is an outlier. */
export function quartileFences(statistics: TableStatistics, name: string, factor = 1.5): [low: number, high: number] {
  const [q1, q3] = [statistic(name, statistics, "q1"), statistic(name, statistics, "q3")];
  return [q1 - factor * (q3 - q1), q3 + factor * (q3 - q1)];
}

/** How to clean a table as a whole. */
export interface CleanTableOptions {
  /** Rows equal to an earlier one in all these columns are dropped. Default none: no row is dropped. */
  key?: readonly string[];
  /** The most rows remembered for that; at least 15/16 of them are. Default 262 144. */
  window?: number;
  /** The report to count into. Default a new one. */
  report?: QualityReport;
}

const OPTIONS: Rules<CleanTableOptions> = {
  key: [(value) => Array.isArray(value) && value.every((name) => typeof name === "string"), "an array of columns"],
  window: positiveInteger,
  report: [() => true, ""],
};

/** Cleaned items, to be iterated once, and the report on those so far. */
export interface CleanedRecords<T> extends AsyncIterable<T> {
  readonly report: QualityReport;
}

/**
 * Cleans rows column by column, with statistics that `fitTable` measured on training data. Cleaning clean rows changes
 * nothing.
 *
 * @param statistics May be empty if no column needs any.
 * @returns The rows, to be iterated once, and the report.
 * @throws TypeError for an unknown option, RangeError for a wrong value or a missing statistic.
 */
export function cleanTable(
  rows: AsyncIterable<TableRow> | Iterable<TableRow>,
  policies: TableCleaning,
  statistics: TableStatistics = {},
  options: CleanTableOptions = {},
): CleanedRecords<Record<string, TableCell>> {
  const { key, window, report } = checked<CleanTableOptions>(options, OPTIONS, {
    key: [],
    window: 1 << 18,
    report: options.report ?? emptyQualityReport(),
  }) as Required<CleanTableOptions>;
  const columns = checkedPolicies(policies).map(([name, policy]) => columnOf(name, policy, statistics));
  const seen = new Latest<string, true>(window);
  async function* clean(): AsyncGenerator<Record<string, TableCell>, void, undefined> {
    for await (const row of rows) {
      report.read++;
      const cleaned = cleanRow(row, columns, report);
      if (cleaned === undefined) continue;
      if (key.length > 0) {
        const id = JSON.stringify(key.map((name) => cleaned[name] ?? null));
        if (seen.has(id)) {
          drop(report, "duplicate");
          continue;
        }
        seen.set(id, true);
      }
      report.kept++;
      yield cleaned;
    }
  }
  return { report, [Symbol.asyncIterator]: clean };
}

/** The clean row; undefined, and counted, if it is dropped. */
function cleanRow(
  row: TableRow,
  columns: readonly Column[],
  report: QualityReport,
): Record<string, TableCell> | undefined {
  const cleaned: Record<string, TableCell> = { ...row };
  const changes: [reason: string, column: string][] = [];
  for (const column of columns) {
    const { name, type, missing, fill } = column;
    let value = valueIn(row[name], type);
    if (value === undefined && missing === "drop") {
      drop(report, `missing ${name}`);
      return undefined;
    }
    if (missing === "indicator" && !Object.hasOwn(row, `${name}_missing`)) {
      cleaned[`${name}_missing`] = value === undefined ? 1 : 0;
    }
    if (value === undefined && missing !== "keep") {
      value = fill;
      changes.push([`missing: ${missing}`, name]);
    }
    // What was declared stands for what is missing: it is no outlier, nor in rows that were cleaned before.
    const isDeclared = (missing === "constant" || missing === "indicator") && value === fill;
    if (typeof value === "number" && !isDeclared) {
      const fitting = nearest(value, column);
      if (fitting !== value && column.beyond === "drop") {
        drop(report, reasonOf(value, column, name));
        return undefined;
      }
      if (fitting !== value) changes.push([reasonOf(value, column), name]);
      value = fitting;
    }
    if (value !== undefined) cleaned[name] = value;
    else if (name in cleaned && type === "number") cleaned[name] = null;
  }
  for (const [reason, column] of changes) change(report, reason, column);
  return cleaned;
}

/** The nearest number within the fences, then within the limits, which take precedence. */
function nearest(value: number, { fences, limits }: Column): number {
  const fenced = Math.min(Math.max(value, fences[0]), fences[1]);
  return Math.min(Math.max(fenced, limits[0]), limits[1]);
}

function reasonOf(value: number, { limits }: Column, name = ""): string {
  const reason = value < limits[0] || value > limits[1] ? "impossible" : "outlier";
  return name === "" ? reason : `${reason} ${name}`;
}
