import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import type { Calibration, Listing, Plot } from "../reports/index.js";
import { print, writeJson } from "./output.js";

/** One measured figure; every command that measures writes an array of these with --json. */
export interface Row {
  /** The command: `recommender`, `learning`, ... */
  suite: string;
  /** What was run: `livesim/dqn`, `ml-100k/itemknn`, ... */
  case: string;
  /** What was measured: `watch_min_per_user_day`, `hr_at_10`, ... */
  metric: string;
  value: number;
  unit: string;
  /**
   * The 95 % interval. Left out for a single seed's figure, for the worst of several, and if {@link isExact}.
   */
  lo?: number;
  hi?: number;
  n?: number;
  /** Whether the value is a count without error: the same at every run. */
  isExact?: boolean;
  seeds?: number[];
  /** The goal for the value, or its bounds, and whether it is met. */
  target?: number;
  band?: readonly [low: number, high: number];
  met?: boolean;
  /** Why the goal is not met, if known. */
  note?: string;
  /** A published value without an interval, and its source. */
  published?: number;
  source?: string;
  /** Short hash of the settings, for a later run to compare. */
  recipe?: string;
}

/** A row with the place of its measurement, as files contain it. */
export interface StoredRow extends Row {
  runtime: string;
  machine: string;
  version: string;
  commit: string;
}

export const version: string = packageJson.version;

/** The commit of the checkout that this runs from; "unknown" without one. */
function commit(): string {
  try {
    const answer = execFileSync("git", ["rev-parse", "--show-toplevel", "HEAD"], {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [top, head] = answer.split("\n");
    // Installed below another project's checkout, the commit would be that project's.
    return existsSync(join(top!, "src", "build.mjs")) ? head!.slice(0, 12) : "unknown";
  } catch {
    return "unknown";
  }
}

/** The place of a measurement, here and now. */
function origin(): Omit<StoredRow, keyof Row> {
  return {
    runtime: `node ${process.versions.node}`,
    machine: `${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`,
    version,
    commit: commit(),
  };
}

/** Rows with the place of their measurement. */
export function stamped(rows: readonly Row[]): StoredRow[] {
  const where = origin();
  return rows.map((row) => ({ ...row, ...where }));
}

/** What a run has measured so far and what its figures mean, for the registry of runs and for reports. */
export interface Collected {
  readonly rows: Row[];
  readonly verdicts: string[];
  readonly plots: Plot[];
  readonly listings: Listing[];
  readonly calibrations: Calibration[];
}

let collected: Collected | undefined;

/** From now on takes all rows, verdicts, plots and listings of this process, until `stop`. */
export function collect(): Collected & { stop: () => void } {
  const own: Collected = { rows: [], verdicts: [], plots: [], listings: [], calibrations: [] };
  collected = own;
  return {
    ...own,
    stop() {
      if (collected === own) collected = undefined;
    },
  };
}

/** Curves for a report. */
export function notePlot(plot: Plot): void {
  collected?.plots.push(plot);
}

/** Predictions beside returns for a report; says why there are none. */
export function noteCalibration(calibration: Calibration | string): void {
  if (typeof calibration === "string") process.stderr.write(`${calibration}\n`);
  else collected?.calibrations.push(calibration);
}

/** A table for a report. */
export function noteListing(listing: Listing): void {
  collected?.listings.push(listing);
}

/** Prints sentences on what figures mean, to stderr where one of these outputs uses stdout for data. */
export function printVerdicts(sentences: readonly string[], ...outputs: (string | undefined)[]): void {
  collected?.verdicts.push(...sentences);
  for (const sentence of sentences) print(`${sentence}\n`, ...outputs);
}

/**
 * Writes rows, to a file or (`-`) stdout, with the place of their measurement; rows of an earlier run keep theirs. Without
 * a file only the registry of runs gets them.
 */
export function writeRows(file: string | undefined, rows: readonly (Row | StoredRow)[]): void {
  collected?.rows.push(...rows);
  if (file === undefined) return;
  const where = origin();
  writeJson(
    file,
    rows.map((row) => ({ ...row, ...where, ...row })),
  );
}

/**
 * The rows of a file of `writeRows`; none if the file is missing.
 * @throws Error for a file with other contents.
 */
export function readRows(file: string): StoredRow[] {
  if (!existsSync(file)) return [];
  let rows: unknown;
  try {
    rows = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`${file} does not hold JSON rows`, { cause });
  }
  const isRow = (row: Partial<StoredRow> | null) =>
    typeof row?.case === "string" && typeof row.metric === "string" && typeof row.commit === "string";
  if (!Array.isArray(rows) || !rows.every(isRow)) throw new Error(`${file} does not hold JSON rows`);
  return rows as StoredRow[];
}
