import { randomBytes } from "node:crypto";
import { type Command, CommanderError } from "commander";
import { CASE_SLICES } from "../../evaluation/index.js";
import { commitAround, digestsOf } from "../origins/index.js";
import { UsageError } from "../reading/arguments.js";
import { renderReport } from "../reports/index.js";
import { EXIT, Stopped } from "../stop.js";
import { tryOutputs, writeText } from "../writing/output.js";
import { type Collected, collect, version } from "../writing/results.js";
import { append, type Run, registryOf } from "./registry.js";

/** Options that name what a run reads; `--model` is read by `evaluate`, and by `train` to resume. */
const INPUTS = ["events", "warmup", "decisions", "movielens", "titles", "words", "schedule", "options", "space"];

/** Adds the option of a report to a command. */
export function withReport(own: Command): Command {
  return own.option("--report <file>", "a report as one file of HTML: pictures, intervals, options, how to repeat it");
}

/** Adds the options of the registry to a command, and that of a report. */
export function withRegistry(own: Command): Command {
  return withReport(own)
    .option("--runs <file>", "the registry that gets a row about this run (default: $LIVEQ_RUNS or liveq-runs.jsonl)")
    .option("--no-run", "leave no row in the registry of runs");
}

/** Files and folders that a command reads. */
function inputsOf(command: string, args: readonly string[], options: Record<string, unknown>): string[] {
  const names = [...INPUTS, ...(command === "evaluate" || options["resume"] === true ? ["model"] : [])];
  const given = names.flatMap((name) => (options[name] as string | string[] | undefined) ?? []);
  const models = command === "compare" ? args.filter((name) => /\.\w+$/.test(name)) : [];
  return [...given, ...models].filter((name) => typeof name === "string");
}

/** What code the command will end with. */
function exitOf(error: unknown): number {
  return error instanceof Stopped ? error.exitCode : EXIT.failed;
}

/** A figure that covers all cases, not a slice of them. */
function isWhole({ case: name }: { case: string }): boolean {
  return !CASE_SLICES.some((slice) => slice !== "all" && name.endsWith(`/${slice}`));
}

/** The files in which a run leaves traces. */
interface Traces {
  readonly registry: string | undefined;
  readonly report: string | undefined;
}

/** A run of a command from its begin. */
class Running {
  readonly #command: Command;
  readonly #options: Record<string, unknown>;
  readonly #begun = new Date();
  readonly #start = performance.now();
  readonly #data: Run["data"];
  readonly #collected = collect();

  constructor(command: Command) {
    this.#command = command;
    this.#options = command.opts<Record<string, unknown>>();
    this.#data = digestsOf(inputsOf(command.name(), command.args, this.#options));
  }

  /** Ends it without a trace. */
  drop(): void {
    this.#collected.stop();
  }

  /** Ends it: it leaves a row in the registry and a report, where they are wanted. */
  end(exit: number, { registry, report }: Traces, error?: unknown): void {
    this.#collected.stop();
    const run = this.#row(exit, error);
    if (registry !== undefined) tryAppend(registry, run);
    if (report !== undefined) writeText(report, renderReport(contentOf(run, this.#collected)));
  }

  #row(exit: number, error: unknown): Run {
    const { runs: _, run: __, json: ___, report: ____, ...own } = this.#options;
    const { name, args } = { name: this.#command.name(), args: this.#command.args };
    const commit = commitAround(".");
    const figures = this.#collected.rows.filter(isWhole).map(({ case: what, metric, value, unit, lo, hi, n }) => {
      const bounds = lo !== undefined && hi !== undefined ? { lo, hi } : {};
      return { case: what, metric, value, unit, ...bounds, ...(n !== undefined && { n }) };
    });
    return {
      ...{ id: newId(), time: this.#begun.toISOString(), command: name, line: process.argv.slice(2) },
      ...{ options: { ...own, ...(args.length > 0 && { arguments: args }) }, data: this.#data },
      ...(commit !== undefined && { commit }),
      ...{ version, runtime: `node ${process.versions.node}` },
      ...(typeof own["seed"] === "number" && { seed: own["seed"] }),
      ...{ seconds: Math.round(performance.now() - this.#start) / 1000, exit },
      ...(error !== undefined && { error: error instanceof Error ? error.message : String(error) }),
      ...{ figures, verdicts: [...this.#collected.verdicts] },
    };
  }
}

/** A run as a report; slices of figures are in it, which the registry leaves out. */
function contentOf(run: Run, { rows, plots, listings, calibrations }: Collected) {
  const { command, line, options, verdicts, error, time, commit = "unknown", data, seconds } = run;
  const place = { time, version: run.version, commit, runtime: run.runtime, seconds: String(seconds) };
  const files = data.map((one) => [one.file, one.sha256 ?? "", one.bytes ?? Number.NaN]);
  const read = { title: "Files that were read", header: ["file", "SHA-256", "bytes"], rows: files };
  return {
    ...{ title: `liveq ${command}`, rows, plots, calibrations, slices: CASE_SLICES, options, line, place },
    verdicts: error === undefined ? verdicts : [...verdicts, `It did not end well: ${error}`],
    listings: files.length > 0 ? [...listings, read] : listings,
  };
}

/** Runs an action, and leaves its traces in whatever way it ends but by wrong usage. */
async function traced<A extends unknown[]>(action: (...given: A) => unknown, given: A, traces: Traces): Promise<void> {
  if (traces.registry === undefined && traces.report === undefined) {
    await action(...given);
    return;
  }
  tryOutputs(traces.report);
  const running = new Running(given.at(-1) as Command);
  try {
    await action(...given);
  } catch (error) {
    if (error instanceof UsageError || error instanceof CommanderError) running.drop();
    else running.end(exitOf(error), traces, error);
    throw error;
  }
  running.end(Number(process.exitCode ?? EXIT.ok), traces);
}

type Action<A extends unknown[]> = (...given: A) => unknown;

/**
 * An action of a command that leaves a row in the registry when it ends, in whatever way but wrong usage, and a report where
 * one is asked for. A row that cannot be written is a warning.
 */
export function recorded<A extends unknown[]>(action: Action<A>): (...given: A) => Promise<void> {
  return (...given) => {
    const { report, ...options } = (given.at(-1) as Command).opts<{ report?: string }>();
    return traced(action, given, { registry: registryOf(options), report });
  };
}

/** An action of a command that leaves a report where one is asked for: by a file whose name ends in `.html`. */
export function reported<A extends unknown[]>(action: Action<A>): (...given: A) => Promise<void> {
  return (...given) => {
    const { report } = (given.at(-1) as Command).opts<{ report?: string }>();
    return traced(action, given, { registry: undefined, report: isHtml(report) ? report : undefined });
  };
}

/** Whether a report goes into a file of this name as HTML. */
export function isHtml(file: string | undefined): boolean {
  return file !== undefined && /\.html?$/i.test(file);
}

function newId(): string {
  return randomBytes(4).toString("hex");
}

function tryAppend(file: string, run: Run): void {
  try {
    append(file, run);
  } catch (error) {
    process.stderr.write(`${file}: the run is not in the registry: ${(error as Error).message}\n`);
  }
}
