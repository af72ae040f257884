/** The command of a suite: its options, the order of its tasks, the report and the exit code. */
import { availableParallelism } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { Progress, type ReportedRow, renderReport } from "../../src/cli/reports/index.js";
import { saveFile } from "../../src/node/index.js";
import type { RuntimeName } from "../../test/runtimes/install.js";
import { goalLines, judged } from "./goals.js";
import { Ledger } from "./ledger.js";
import { runInNode } from "./node.js";
import { runInPool } from "./pool.js";
import type { Case, Context, Job, Result, Suite, Task } from "./suite.js";

const INTERRUPTED = 130;
const ERROR_LENGTH = 200;

/** The options that every suite has. */
interface Common {
  json?: string;
  report?: string;
  again?: true;
  only?: RegExp[];
  list?: true;
  node?: RuntimeName;
  processes: number;
}

/** A count on the command line. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be an integer of at least 1.");
  return value;
}

function pattern(text: string, others: RegExp[] = []): RegExp[] {
  try {
    return [...others, new RegExp(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The command line; ends the process where it is wrong, or asks for help. */
function parsed<C extends Case, O extends object>(suite: Suite<C, O>): { chosen: C[]; options: Common & O } {
  const program = new Command(suite.name === "engine" ? "bench" : `bench:${suite.name}`)
    .description(`${suite.description} Ends with 1 if something failed, 130 if interrupted.`)
    .option("--json <file>", "keep the rows in this file; a second run does only what is missing there")
    .option("--report <file>", "all rows as one file of HTML")
    .option("--again", "measure what is in the file again")
    .option("--only <regex...>", "only the cases whose name one of these matches", pattern)
    .option("--list", "list the cases");
  if (suite.module) {
    const processes = new Option("--processes <n>", "cases at a time").argParser(count).default(availableParallelism());
    program.addOption(processes);
  }
  for (const option of suite.options ?? []) program.addOption(option);
  const options = program.parse().opts<Common & O>();
  const { only } = options;
  const unmatched = only?.find((each) => !suite.cases.some(({ name }) => each.test(name)));
  if (unmatched) program.error(`no case matches ${unmatched}; --list lists them`);
  return { chosen: suite.cases.filter(({ name }) => !only || only.some((each) => each.test(name))), options };
}

/** A run of a command: it does tasks, keeps their rows and reports them. */
class Run<C extends Case, O extends object> {
  readonly failures: string[] = [];
  readonly #suite: Suite<C, O>;
  readonly #options: Common & O;
  readonly #tasks: readonly Task[];
  readonly #ledger: Ledger;
  readonly #signal: AbortSignal;
  #done = 0;

  constructor(suite: Suite<C, O>, options: Common & O, tasks: readonly Task[], signal: AbortSignal) {
    this.#suite = suite;
    this.#options = options;
    this.#tasks = tasks;
    this.#signal = signal;
    this.#ledger = new Ledger(suite, options.json, tasks);
    if (options.again) this.#ledger.forget(tasks);
  }

  /** Does all tasks that are not in the file: first those that may run beside each other. */
  async measure(): Promise<void> {
    const left = this.#tasks.filter((task) => !this.#ledger.has(task));
    const { length } = this.#tasks;
    this.#done = length - left.length;
    if (this.#done > 0)
      say(`${this.#done} of ${length} are in ${this.#options.json} already (--again: measure them too)`);
    await this.#inPool(
      left.filter(({ isAlone, run }) => !isAlone && !run),
      this.#options.processes,
    );
    for (const task of left.filter(({ isAlone }) => isAlone)) {
      if (this.#signal.aborted) return;
      if (task.run) await this.#here(task, task.run);
      else await this.#inPool([task], 1);
    }
  }

  async #inPool(tasks: readonly Task[], processes: number): Promise<void> {
    const { module } = this.#suite;
    if (tasks.length === 0 || !module) return;
    const listener = {
      onText: (task: Task, text: string) => say(`${labelOf(task)}: ${text}`),
      onResults: (task: Task, results: Result[]) => this.#keep(task, results),
      onError: (task: Task, error: string) => this.#fail(task, error),
    };
    await runInPool(tasks, processes, { module, options: this.#options }, listener, this.#signal);
  }

  async #here(task: Task, run: (context: Context) => Promise<Result[]>): Promise<void> {
    const progress = process.stderr.isTTY ? new Progress("%") : undefined;
    const context: Context = {
      signal: this.#signal,
      progress: (fraction, text) => progress?.show({ count: 100 * fraction, fraction, text }),
      say,
      fail: (text) => void this.failures.push(text),
    };
    const stopped = new Promise<undefined>((resolve) => {
      this.#signal.addEventListener("abort", () => resolve(undefined));
    });
    const before = this.failures.length;
    try {
      const results = await Promise.race([run(context), stopped]);
      progress?.end();
      if (results && !this.#signal.aborted) this.#keep(task, results, this.failures.length === before);
    } catch (error) {
      this.#fail(task, (error as Error).message);
    }
  }

  #keep(task: Task, results: readonly Result[], isWhole = true): void {
    const named = results.map((result) => ({ ...result, case: result.case ?? task.case }));
    this.#ledger.add(task, judged(named, this.#suite.goals ?? []), { isWhole });
    const [first] = results;
    const seconds = results.find(({ metric }) => metric === "seconds");
    const took = seconds ? `, ${seconds.value.toFixed(1)} s` : "";
    const what = task.seed === undefined ? `${results.length} rows` : `${first?.metric} ${first?.value.toPrecision(5)}`;
    say(`[${++this.#done}/${this.#tasks.length}] ${labelOf(task)}: ${what}${took}`);
  }

  #fail(task: Task, error: string): void {
    this.failures.push(`${labelOf(task)}: ${error.slice(0, ERROR_LENGTH)}`);
    say(`[${++this.#done}/${this.#tasks.length}] ${this.failures.at(-1)}`);
  }

  /** Prints the report, and keeps the rows computed for it. @returns Whether nothing failed. */
  conclude(): boolean {
    const { rows, commits } = this.#ledger;
    const { goals = [] } = this.#suite;
    const { text, rows: unjudged = [], failures = [] } = this.#suite.report(rows);
    const computed = judged(unjudged, goals);
    this.#ledger.write(computed);
    console.log(text);
    if (commits.length > 1) console.log(`\nmeasured at different commits: ${commits.join(", ")}`);
    this.failures.push(...failures);
    const lines = goalLines([...rows, ...computed], goals);
    this.#report([...rows, ...computed], lines);
    const met = lines.filter((line) => line.startsWith("met"));
    if (lines.length > 0) console.log(["", ...lines, `${met.length} of ${lines.length} goals met`].join("\n"));
    for (const failure of this.failures) console.log(`failed   ${failure}`);
    return this.failures.length === 0 && (met.length === lines.length || !this.#suite.mustMeetGoals);
  }

  /** Writes the report that was asked for. */
  #report(rows: readonly ReportedRow[], lines: readonly string[]): void {
    const { report, ...options } = this.#options;
    if (report === undefined) return;
    const [{ version = "unknown", runtime = "unknown", machine = "unknown" } = {}] = this.#ledger.rows;
    const place = { version, runtime, machine, commits: this.#ledger.commits.join(", ") };
    const goals = lines.map((line) => [line]);
    const content = renderReport({
      ...{ title: `npm run bench:${this.#suite.name}`, verdicts: [], plots: [], options, place },
      rows,
      listings: goals.length > 0 ? [{ title: "Goals", header: ["goal"], rows: goals }] : [],
      line: process.argv.slice(2),
      program: `npm run bench:${this.#suite.name} --`,
    });
    saveFile(report, new TextEncoder().encode(content));
  }
}

function labelOf({ case: name, seed }: Job): string {
  return seed === undefined ? name : `${name}, seed ${seed}`;
}

/** Runs a suite with the options of the command line. */
export async function command<C extends Case, O extends object>(suite: Suite<C, O>): Promise<void> {
  const { chosen, options } = parsed(suite);
  if (options.list) {
    console.log(suite.cases.map(({ name, title }) => (title ? `${name.padEnd(12)} ${title}` : name)).join("\n"));
    return;
  }
  if (options.node) {
    process.exitCode = runInNode(options.node);
    return;
  }
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  const run = new Run(suite, options, await suite.tasks(chosen, options), interrupt.signal);
  await run.measure();
  const isWell = run.conclude();
  if (interrupt.signal.aborted) {
    say(`interrupted; ${options.json ? `what is finished is in ${options.json}` : "nothing is kept without --json"}`);
    process.exit(INTERRUPTED);
  }
  process.exitCode = isWell ? 0 : 1;
}
