/**
 * The engine's train step and one decision in every runtime with a fine clock, as medians with their spread. Rounds go over
 * all runtimes again and again, so that a slow spell of a shared machine falls on all of them alike.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { type Row, type StoredRow, writeRows } from "../src/cli/writing/results.js";
import { table } from "../src/cli/writing/table.js";
import { RUNTIMES, type Runtime, runtime } from "../test/runtimes/install.js";
import { type Job, runJob } from "../test/runtimes/job.js";
import { figureOf, SHAPES } from "./shapes.js";

const SAMPLES = 7;
const TIMEOUT_MS = 120_000;
const JOB: Job = { module: "bench/shapes.ts", function: "measure", arguments: [SAMPLES] };

/** workerd's clock stands still while a request is worked on. */
const TIMED = RUNTIMES.filter((name) => name !== "workerd");

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be an integer of at least 1.");
  return value;
}

const program = new Command("bench:runtimes")
  .description("Measures the engine in every runtime, installing those that are not there as test:runtimes does.")
  .option("--json <file>", "write the figures as rows")
  .option("--rounds <n>", `${SAMPLES} samples of each case in each`, count, 3)
  .addOption(new Option("--only <name...>", "only these").choices(TIMED))
  .parse();
const { json, rounds, only } = program.opts<{ json?: string; rounds: number; only?: string[] }>();

const found: Runtime[] = [];
for (const name of TIMED.filter((each) => !only || only.includes(each))) {
  const answer = runtime(name);
  if ("missing" in answer) {
    console.log(`${name} is missing: ${answer.missing}`);
    process.exitCode = 1;
  } else found.push(answer);
}

/** As the rows of other benches name a runtime. */
const labelOf = ({ name, version }: Runtime) => `${name.replace(/\d+$/, "")} ${version}`;

/** Samples by runtime and case. */
const samples = new Map<Runtime, Record<string, number[]>>(found.map((each) => [each, {}]));
for (let round = 1; round <= rounds; round++) {
  for (const [each, own] of samples) {
    if (process.stderr.isTTY) process.stderr.write(`\rround ${round} of ${rounds}: ${each.name.padEnd(10)}`);
    const times = (await runJob(each, JOB, { timeoutMs: TIMEOUT_MS })) as Record<string, number[]>;
    for (const [name, list] of Object.entries(times)) (own[name] ??= []).push(...list);
  }
}
if (process.stderr.isTTY) process.stderr.write("\r");

const rows: (Row & Pick<StoredRow, "runtime">)[] = [];
for (const [each, own] of samples) {
  for (const [what, list] of Object.entries(own)) {
    const { min, median, max } = figureOf(list);
    const common = { suite: "runtimes", case: what, metric: "median_us", unit: "us", n: list.length };
    rows.push({ ...common, value: median, lo: min, hi: max, runtime: labelOf(each) });
  }
}
console.log("us, median (min to max); lo and hi in the rows are the fastest and the slowest sample");
for (const [kind, title] of [
  ["train", "train step"],
  ["act", "one decision"],
] as const) {
  const lines = [...samples].map(([each, own]) => [
    labelOf(each),
    ...SHAPES.map((shape) => {
      const { min, median, max } = figureOf(own[`${kind}/${shape.name}`]!);
      const digits = median < 100 ? 2 : 0;
      return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
    }),
  ]);
  console.log(`\n${table([title, ...SHAPES.map(({ name }) => name)], lines)}`);
}
if (json) writeRows(json, rows);
