/** The engine's train step and one decision in every runtime with a fine clock, as medians with their spread. */
import { Option } from "commander";
import type { StoredRow } from "../src/cli/writing/results.js";
import { table } from "../src/cli/writing/table.js";
import { RUNTIMES, type Runtime, type RuntimeName, runtime } from "../test/runtimes/install.js";
import { type Job, runJob } from "../test/runtimes/job.js";
import { SHAPES } from "./engine/shapes.js";
import { command, count } from "./harness/command.js";
import { type Probe, sampleInTurn } from "./harness/rounds.js";
import { type Context, momentary, type Result, runtimeSlot } from "./harness/suite.js";
import { spreadOf } from "./harness/timing.js";

const SAMPLES = 7;
const ROUNDS = 3;
const TIMEOUT_MS = 120_000;
const JOB: Job = { module: "bench/engine/shapes.ts", function: "measure", arguments: [SAMPLES] };
const KINDS = ["train", "act"] as const;
const METRICS = SHAPES.flatMap(({ name }) => KINDS.map((kind) => `${kind}/${name}`));

/** workerd's clock stands still while a request is worked on. */
const TIMED = RUNTIMES.filter((name) => name !== "workerd" && name !== "arm64");

/** A runtime, whose samples are several of each train step and each decision. */
interface RuntimeProbe extends Probe {
  /** With its version, once it is installed. */
  label: string;
}

function probeOf(name: RuntimeName): RuntimeProbe {
  return {
    name,
    label: name,
    metrics: METRICS.map((suffix) => ({ metric: "median_us", unit: "us", suffix })),
    prepare() {
      const found = runtime(name);
      if ("missing" in found) throw new Error(`it is missing: ${found.missing}`);
      this.label = labelOf(found);
      return {
        async sample() {
          const times = (await runJob(found, JOB, { timeoutMs: TIMEOUT_MS })) as Record<string, number[]>;
          return METRICS.map((each) => times[each]!);
        },
      };
    },
  };
}

/** As the rows of other benches name a runtime. */
const labelOf = ({ name, version }: Runtime) => `${name.replace(/\d+$/, "")} ${version}`;

async function measure(chosen: readonly RuntimeProbe[], rounds: number, context: Context): Promise<Result[]> {
  const series = await sampleInTurn(chosen, rounds, context);
  return series.map(({ metric, unit, suffix, values, probe }) => {
    const { min, median, max } = spreadOf(values);
    const common = { case: suffix!, metric, unit, n: values.length };
    return { ...common, value: median, lo: min, hi: max, runtime: probe.label };
  });
}

function cellOf(rows: readonly StoredRow[], runtime: string, name: string): string {
  const row = rows.find((each) => each.runtime === runtime && each.case === name);
  if (!row) return "";
  const { value, lo = value, hi = value } = row;
  const digits = value < 100 ? 2 : 0;
  return `${value.toFixed(digits)} (${lo.toFixed(digits)} to ${hi.toFixed(digits)})`;
}

/** A table for train steps, and one for decisions. */
function textOf(rows: readonly StoredRow[]): string {
  const runtimes = [...new Set(rows.map((row) => row.runtime))];
  const tables = KINDS.map((kind) => {
    const lines = runtimes.map((each) => [each, ...SHAPES.map(({ name }) => cellOf(rows, each, `${kind}/${name}`))]);
    const title = kind === "train" ? "train step" : "one decision";
    return `\n\n${table([title, ...SHAPES.map(({ name }) => name)], lines)}`;
  });
  return `us, median (min to max); lo and hi in the rows are the fastest and the slowest sample${tables.join("")}`;
}

await command<RuntimeProbe, { rounds: number }>({
  name: "runtimes",
  description: "Measures the engine in every runtime, installing those that are missing as test:runtimes does.",
  cases: TIMED.map(probeOf),
  mustMeetGoals: true,
  slotOf: runtimeSlot,
  options: [new Option("--rounds <n>", `${SAMPLES} samples of each figure in each`).argParser(count).default(ROUNDS)],
  tasks(chosen, { rounds }) {
    const names = chosen.map(({ name }) => name);
    const run = (context: Context) => measure(chosen, rounds, context);
    return [{ case: names.join(", "), recipe: momentary("runtimes", { names, rounds }), isAlone: true, run }];
  },
  report: (rows) => ({ text: textOf(rows) }),
});
