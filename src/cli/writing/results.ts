import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { writeJson } from "./output.js";

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
   * The 95 % interval. None where the figure is one of those that another one's interval is made of (a single seed), or
   * the worst of them, or {@link isExact}.
   */
  lo?: number;
  hi?: number;
  n?: number;
  /** Whether it is counted and not estimated: the same at every run. */
  isExact?: boolean;
  seeds?: number[];
  /** What it should be, at least or at most, or within which bounds, and whether it is. */
  target?: number;
  band?: readonly [low: number, high: number];
  met?: boolean;
  /** Why it is not, where that is known. */
  note?: string;
  /** What others measured, who gave no interval, and where that is to be read. */
  published?: number;
  source?: string;
  /** Short hash of the settings that it comes from, where a later run must know whether they are still the same. */
  recipe?: string;
}

/** A row with what it was measured on, as it stands in a file. */
export interface StoredRow extends Row {
  runtime: string;
  machine: string;
  version: string;
  commit: string;
}

export const version: string = packageJson.version;

/** The commit of the checkout that this runs from; "unknown" where there is none. */
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

/** What is measured on, here and now. */
function origin(): Omit<StoredRow, keyof Row> {
  return {
    runtime: `node ${process.versions.node}`,
    machine: `${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`,
    version,
    commit: commit(),
  };
}

/** Rows with what they were measured on. */
export function stamped(rows: readonly Row[]): StoredRow[] {
  const where = origin();
  return rows.map((row) => ({ ...row, ...where }));
}

/** Writes rows, to a file or (`-`) stdout, with what they were measured on, which rows of an earlier run say themselves. */
export function writeRows(file: string, rows: readonly (Row | StoredRow)[]): void {
  const where = origin();
  writeJson(
    file,
    rows.map((row) => ({ ...row, ...where, ...row })),
  );
}

/**
 * The rows of a file that `writeRows` wrote; none where there is no file.
 * @throws Error for a file that holds something else.
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
