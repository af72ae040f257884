import { randomBytes } from "node:crypto";
import { type Command, CommanderError } from "commander";
import { CASE_SLICES } from "../../evaluation/index.js";
import { UsageError } from "../reading/arguments.js";
import { EXIT, Stopped } from "../stop.js";
import { collect, version } from "../writing/results.js";
import { commitAround } from "./commit.js";
import { digestsOf } from "./digest.js";
import { append, type Run, registryOf } from "./registry.js";

/** Options that name what a run reads; `--model` is read by `evaluate`, and by `train` to resume. */
const INPUTS = ["events", "warmup", "decisions", "movielens", "titles", "words", "schedule", "options", "space"];

/** Adds the options of the registry to a command. */
export function withRegistry(own: Command): Command {
  return own
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

/**
 * An action of a command that leaves a row in the registry when it ends, in whatever way but wrong usage. A row that cannot
 * be written is a warning.
 */
export function recorded<A extends unknown[]>(action: (...given: A) => unknown): (...given: A) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = command.opts<Record<string, unknown>>();
    const file = registryOf(options);
    if (file === undefined) {
      await action(...given);
      return;
    }
    const begun = new Date();
    const start = performance.now();
    const data = digestsOf(inputsOf(command.name(), command.args, options));
    const { rows, verdicts, stop } = collect();
    const end = (exit: number, error?: unknown) => {
      stop();
      const { runs: _, run: __, json: ___, ...own } = options;
      const commit = commitAround(".");
      const figures = rows.filter(isWhole).map(({ case: what, metric, value, unit, lo, hi, n }) => {
        const bounds = lo !== undefined && hi !== undefined ? { lo, hi } : {};
        return { case: what, metric, value, unit, ...bounds, ...(n !== undefined && { n }) };
      });
      tryAppend(file, {
        ...{ id: newId(), time: begun.toISOString(), command: command.name(), line: process.argv.slice(2) },
        ...{ options: { ...own, ...(command.args.length > 0 && { arguments: command.args }) }, data },
        ...(commit !== undefined && { commit }),
        ...{ version, runtime: `node ${process.versions.node}` },
        ...(typeof own["seed"] === "number" && { seed: own["seed"] }),
        ...{ seconds: Math.round(performance.now() - start) / 1000, exit },
        ...(error !== undefined && { error: error instanceof Error ? error.message : String(error) }),
        ...{ figures, verdicts: [...verdicts] },
      });
    };
    try {
      await action(...given);
    } catch (error) {
      if (error instanceof UsageError || error instanceof CommanderError) stop();
      else end(exitOf(error), error);
      throw error;
    }
    end(Number(process.exitCode ?? EXIT.ok));
  };
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
