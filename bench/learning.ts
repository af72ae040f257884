/**
 * What the engine learns, measured: probes with known values, classic control, changing candidates, learning from logs.
 * Every seed is a run in a child process; with --json FILE each is kept as soon as it is done, and not done again.
 */
import { availableParallelism } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { Ledger } from "./learning/ledger.js";
import { type Job, runAll } from "./learning/pool.js";
import { CASES, caseNamed, SUITES } from "./learning/suites.js";

interface Options {
  json?: string;
  seeds?: number;
  only?: string[];
  processes: number;
}

const INTERRUPTED = 130;
const ERROR_LENGTH = 120;

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be an integer of at least 1.");
  return value;
}

const program = new Command("bench:learning")
  .description("Measures what the engine learns; ends with 1 if a goal is missed, 130 if interrupted.")
  .option("--json <file>", "keep the figures as rows; a second run with the same file goes on where the first ended")
  .option("--seeds <n>", "seeds 1 to n of every case instead of as many as it reports", count)
  .option("--only <case...>", `only these cases, or groups of them: ${CASES.map(({ name }) => name).join(", ")}`)
  .option("--processes <n>", "runs at a time", count, availableParallelism())
  .parse();
const { json, seeds, only, processes } = program.opts<Options>();

const isChosen = (name: string) => !only || only.some((each) => name === each || name.startsWith(`${each}/`));
const cases = CASES.filter(({ name }) => isChosen(name));
for (const each of only ?? []) {
  if (!cases.some(({ name }) => name === each || name.startsWith(`${each}/`)))
    program.error(`there is no case ${each}`);
}
const jobs: Job[] = cases.flatMap((each) =>
  Array.from({ length: seeds ?? each.seeds }, (_, i) => ({ case: each.name, seed: i + 1 })),
);
const ledger = new Ledger(json, cases);
const left = jobs.filter((job) => !ledger.has(job));
if (left.length < jobs.length) say(`${jobs.length - left.length} of ${jobs.length} runs are in ${json} already`);

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const failures: string[] = [];
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
let done = jobs.length - left.length;
await runAll(
  left,
  processes,
  {
    onText: ({ case: name, seed }, text) => say(`${name}, seed ${seed}: ${text}`),
    onFigures({ case: name, seed }, figures) {
      ledger.add(caseNamed(name), seed, figures);
      const { metric, value } = figures[0]!;
      const seconds = figures.find((figure) => figure.metric === "seconds")?.value ?? Number.NaN;
      const what = `${metric} ${value.toPrecision(5)}, ${seconds.toFixed(1)} s`;
      say(`[${++done}/${jobs.length}] ${name}, seed ${seed}: ${what}`);
    },
    onError({ case: name, seed }, error) {
      failures.push(`${name}, seed ${seed}: ${error.slice(0, ERROR_LENGTH)}`);
      say(`[${++done}/${jobs.length}] ${failures.at(-1)}`);
    },
  },
  interrupt.signal,
);

const outcomes = ledger.outcomes(jobs);
const reports = SUITES.map((suite) => suite.report(outcomes)).filter(({ rows }) => rows.length > 0);
ledger.write(reports.flatMap(({ rows }) => rows));
for (const { text } of reports) console.log(`${text}\n`);
if (ledger.commits.length > 1) console.log(`measured at different commits: ${ledger.commits.join(", ")}\n`);
const goals = [
  ...reports.flatMap((report) => report.goals),
  ...failures.map((failure) => ({ text: `failed: ${failure}`, isMet: false })),
];
for (const { text, isMet } of goals) console.log(`${isMet ? "met    " : "NOT met"}  ${text}`);
if (goals.length > 0) console.log(`${goals.filter(({ isMet }) => isMet).length} of ${goals.length} goals met`);
if (interrupt.signal.aborted) {
  say(`interrupted; ${json ? `what is finished is in ${json}` : "nothing is kept without --json"}`);
  process.exit(INTERRUPTED);
}
process.exitCode = goals.every(({ isMet }) => isMet) ? 0 : 1;
