import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { Option } from "commander";
import { type Row, type StoredRow, stamped } from "../../src/cli/writing/results.js";
import type { Goal } from "./goals.js";

/** A row before the harness adds the suite and, where it is left out, the case. */
export type Result = Omit<Row, "suite" | "case"> & Partial<Pick<StoredRow, "case" | "runtime">>;

/** Something that is measured, by the name that `--only` matches and `--list` prints. */
export interface Case {
  readonly name: string;
  /** Its purpose, for `--list`. */
  readonly title?: string;
}

/** A case and a seed: the unit of work of a child process. */
export interface Job {
  readonly case: string;
  /** Left out where the case chooses its seeds itself. */
  readonly seed?: number;
}

/** A measurement whose rows are kept together, as soon as it is done. */
export interface Task extends Job {
  /** Hash of everything that decides the rows. */
  readonly recipe: string;
  /** Runs it in this process. Without it, a child process runs the case. */
  readonly run?: (context: Context) => Promise<Result[]>;
  /** Whether no other task may run beside it, since it measures time or memory. */
  readonly isAlone: boolean;
}

/** Tools of a task that runs in this process. */
export interface Context {
  readonly signal: AbortSignal;
  /** Shows how far the task is, [0, 1]. */
  progress(fraction: number, text: string): void;
  /** Prints a line on stderr. */
  say(text: string): void;
  /** Reports something that went wrong: the command goes on, and ends with 1. */
  fail(text: string): void;
}

/** Arguments of a case in a child process. */
export interface CaseContext {
  readonly seed: number;
  /** The suite's own options, as given on the command line. */
  readonly options: Readonly<Record<string, unknown>>;
  say(text: string): void;
}

/** A case that runs in a child process. */
export interface ProcessCase extends Case {
  /** Runs once with each seed from 1 to this. Without it, the case runs once and chooses its seeds itself. */
  readonly seeds?: number;
  readonly isAlone?: boolean;
  /**
   * Everything that decides the rows, except the seed: plain data. Rows with the same recipe are not measured again. Without it,
   * only rows of the same commit and machine count.
   */
  readonly recipe?: unknown;
  run(context: CaseContext): Result[] | Promise<Result[]>;
}

/** The report of a suite. */
export interface Report {
  /** Tables to print. */
  readonly text: string;
  /** Rows computed from several others. */
  readonly rows?: readonly (Result & { case: string })[];
  /** Faults of the rows; the command then ends with 1. */
  readonly failures?: readonly string[];
}

/** Named cases, the tasks that measure them, and their report. */
export interface Suite<C extends Case = Case, O extends object = object> {
  /** The `suite` of its rows. */
  readonly name: string;
  readonly description: string;
  readonly cases: readonly C[];
  /** Options of this suite alone. */
  readonly options?: readonly Option[];
  /** The module whose export `CASES` child processes run. */
  readonly module?: URL;
  /** Bounds of its figures. Rows may have goals of their own. */
  readonly goals?: readonly Goal[];
  /** Whether a missed goal makes the command end with 1. */
  readonly mustMeetGoals: boolean;
  /** A new row replaces the rows of a file in the same slot. Default: the case. */
  readonly slotOf?: (row: StoredRow) => string;
  tasks(chosen: readonly C[], options: O): readonly Task[] | Promise<readonly Task[]>;
  /** @param rows - Of all tasks that are done, in their order. */
  report(rows: readonly StoredRow[]): Report;
}

/** A short hash of plain data: of its content, not of the order in which it is written. */
export function hashOf(recipe: unknown): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(recipe, sorted)).digest("hex").slice(0, 12);
}

/** Changes of this checkout that are not committed. */
function uncommitted(): string {
  try {
    return execFileSync("git", ["diff", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 2 ** 28,
    });
  } catch {
    return String(Math.random());
  }
}

/** The recipe of a measurement that any change of the code, the runtime or the machine may change. */
export function momentary(name: string, settings: object = {}): string {
  const rows = stamped([{ suite: "", case: "", metric: "", value: 0, unit: "" }]);
  const { runtime, machine, commit } = rows[0]!;
  return hashOf({ name, ...settings, runtime, machine, commit, uncommitted: uncommitted() });
}

/** The tasks of cases that run in child processes. @param seeds - Seeds of every case that has any. */
export function processTasks(cases: readonly ProcessCase[], seeds?: number, options: object = {}): Task[] {
  return cases.flatMap((each) => {
    const { name, isAlone = false } = each;
    const recipe = each.recipe === undefined ? momentary(name, options) : hashOf(each.recipe);
    if (each.seeds === undefined) return [{ case: name, recipe, isAlone }];
    return Array.from({ length: seeds ?? each.seeds }, (_, i) => ({ case: name, seed: i + 1, recipe, isAlone }));
  });
}

/** The slot of rows that runtimes have side by side: the case, and the runtime without its version; of Node, the major one. */
export function runtimeSlot({ case: name, runtime }: StoredRow): string {
  return `${name} ${/^node \d+|^\S+/.exec(runtime)?.[0]}`;
}
