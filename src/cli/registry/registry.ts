import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { DataDigest } from "../origins/index.js";
import type { Row } from "../writing/results.js";

/** The name of the registry in the current folder. */
export const REGISTRY = "liveq-runs.jsonl";
/** In `LIVEQ_RUNS`: no registry. */
const NONE = "none";

/** A figure of a run. */
export type RunFigure = Pick<Row, "case" | "metric" | "value" | "unit" | "lo" | "hi" | "n">;

/** A row of the registry. */
export interface Run {
  /** Eight hexadecimal digits. */
  id: string;
  /** When it began, ISO 8601. */
  time: string;
  command: string;
  /** The words after `liveq`. */
  line: string[];
  /** All options with their defaults, and the arguments. */
  options: Record<string, unknown>;
  data: DataDigest[];
  /** Of the git work tree around the current folder. */
  commit?: string;
  version: string;
  runtime: string;
  seed?: number;
  seconds: number;
  exit: number;
  error?: string;
  figures: RunFigure[];
  verdicts: string[];
}

/** The registry's file: `--runs`, else `LIVEQ_RUNS`, else `liveq-runs.jsonl`; undefined: none. */
export function registryOf({ runs, run = true }: { runs?: string; run?: boolean }): string | undefined {
  if (!run) return undefined;
  const file = runs ?? (process.env["LIVEQ_RUNS"] || REGISTRY);
  return file === NONE ? undefined : file;
}

/** Appends a run in one write, so that runs side by side do not tear each other's rows. @throws Error of the file system. */
export function append(file: string, run: Run): void {
  const descriptor = openSync(file, "a");
  try {
    const bytes = new TextEncoder().encode(`${JSON.stringify(run, finite)}\n`);
    if (writeSync(descriptor, bytes) < bytes.length) throw new Error("no room left for the whole row");
  } finally {
    closeSync(descriptor);
  }
}

/** Infinity as text, which JSON knows no number for. */
function finite(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** The runs of a file in its order, and the number of other lines in it. @throws Error that names the file. */
export function readRuns(file: string): { runs: Run[]; others: number } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      const commands = "simulate, train, evaluate, compare and tune";
      throw new Error(`${file}: no runs yet; ${commands} leave a row each in the registry`, { cause });
    }
    throw new Error(`${file}: must be a registry of runs: ${(cause as Error).message}`, { cause });
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const runs = lines.flatMap((line) => runIn(line) ?? []);
  return { runs, others: lines.length - runs.length };
}

function runIn(line: string): Run | undefined {
  try {
    const run = JSON.parse(line) as Partial<Run> | null;
    const isRun =
      [run?.id, run?.time, run?.command].every((value) => typeof value === "string") &&
      [run?.figures, run?.line, run?.data, run?.verdicts].every(Array.isArray) &&
      typeof run?.options === "object" &&
      run.options !== null;
    return isRun ? (run as Run) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The run whose id begins so; `last` is the last one.
 * @throws Error where there is none or more than one.
 */
export function findRun(runs: readonly Run[], id: string): Run {
  if (id === "last" && runs.length > 0) return runs.at(-1)!;
  const found = runs.filter((run) => run.id.startsWith(id));
  if (found.length === 1) return found[0]!;
  const what = found.length === 0 ? "no run" : `${found.length} runs`;
  throw new Error(`"${id}" must be the beginning of one run's id, or "last": ${what} of ${runs.length} begin so`);
}
