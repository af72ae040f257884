/**
 * The engine alone, in this Node or another: train step, decision, replay, environment, start, memory. Each figure is a
 * median with its spread; where the work is known also GFLOP/s, and percent of the highest of several loops that touch
 * no memory, measured in the same rounds.
 */
import { spawnSync } from "node:child_process";
import { Command, InvalidArgumentError, Option } from "commander";
import { Progress } from "../src/cli/writing/progress.js";
import { type Row, type StoredRow, writeRows } from "../src/cli/writing/results.js";
import { RUNTIMES, type RuntimeName, runtime } from "../test/runtimes/install.js";
import { AGENT_PROBES, agentOf, ENVIRONMENT_PROBES } from "./engine/agents.js";
import { type Probe, sampleAll } from "./engine/probe.js";
import { loopsOf, PROCESS_PROBES } from "./engine/processes.js";
import { REPLAY_PROBES } from "./engine/replay.js";
import { rooflineOf, rowsOf, textOf } from "./engine/report.js";
import { rooflineLoops } from "./engine/roofline.js";
import { SHAPES, sampler } from "./shapes.js";

interface Options {
  json?: string;
  only: RegExp;
  rounds?: number;
  quick?: boolean;
  node?: RuntimeName;
  list?: boolean;
}

const ROUNDS = 101;
const QUICK_ROUNDS = 7;
/** Has relaxed SIMD, which the roofline of an engine without it is taken from. */
const PEER: RuntimeName = "node24";

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be an integer of at least 1.");
  return value;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

const program = new Command("bench")
  .description("Measures the engine alone. A missed target does not fail it.")
  .option("--json <file>", "write the figures as rows")
  .option("--only <regex>", "only the cases whose name it matches, and the loops", pattern, /./)
  .option("--rounds <n>", `samples of each case, as far as they are quick; default ${ROUNDS}`, count)
  .option("--quick", `${QUICK_ROUNDS} rounds`)
  .option("--list", "name the cases")
  .addOption(
    new Option("--node <name>", "run in this Node, installing it as test:runtimes does").choices(
      RUNTIMES.filter((name) => name.startsWith("node")),
    ),
  )
  .parse();
const { json, only, quick, rounds = quick ? QUICK_ROUNDS : ROUNDS, node, list } = program.opts<Options>();

const known: readonly Probe[] = [...AGENT_PROBES, ...REPLAY_PROBES, ...ENVIRONMENT_PROBES, ...PROCESS_PROBES];
const chosen = known.filter(({ name }) => only.test(name));
if (chosen.length === 0) program.error(`no case matches ${only}; --list names them`);

/** Runs the same command in another Node; its exit code. */
function runIn(name: RuntimeName): number {
  const found = runtime(name);
  if ("missing" in found) return program.error(`${name} is missing: ${found.missing}`);
  const [command, ...first] = found.command;
  const own = process.argv.slice(1).filter((word, i, all) => !/^--node\b/.test(word) && all[i - 1] !== "--node");
  return spawnSync(command!, [...first, "--import", "tsx", ...own], { stdio: "inherit" }).status ?? 1;
}

/** The loops of this Node, and where it has no relaxed SIMD those of one that has. */
async function loops(): Promise<{ probes: Probe[]; note: string; stop: () => void }> {
  const { loops: own, isRelaxed } = rooflineLoops();
  const probes = own.map((loop): Probe => {
    const make = () => {
      const sample = sampler(loop);
      sample();
      return () => [loop.flop / sample() / 1000];
    };
    return { name: `loop/${loop.name}`, metrics: [{ metric: "gflops", unit: "GFLOP/s" }], flop: 0, make };
  });
  if (isRelaxed) return { probes, note: "", stop: () => {} };
  const found = runtime(PEER);
  const without = "this Node has no relaxed SIMD";
  if ("missing" in found) {
    const note = `${without}, and ${PEER} is missing (${found.missing}): percents are of this Node's own loops`;
    return { probes, note, stop: () => {} };
  }
  const { probe, stop } = await loopsOf(found);
  return { probes: [...probes, probe], note: `${without}: the loops of Node ${found.version} count too`, stop };
}

async function measure(): Promise<void> {
  const { probes, note, stop } = await loops();
  const progress = process.stderr.isTTY ? new Progress("rounds") : undefined;
  const all = await sampleAll([...probes, ...chosen], rounds, (fraction, text) =>
    progress?.show({ count: fraction * rounds, fraction, text }),
  );
  progress?.end();
  stop();
  const roofline = rooflineOf(all);
  const grouped = all.map((series) => rowsOf(series, roofline));
  const build = agentOf(SHAPES[0]!).stats().build;
  console.log(
    `Node ${process.versions.node}, V8 ${process.versions.v8}, kernels ${build} unless said, ${rounds} rounds`,
  );
  console.log(`roofline: ${roofline.gflops.toFixed(1)} GFLOP/s, of "${roofline.name}"`);
  if (note) console.log(note);
  console.log(`\n${textOf(grouped)}`);
  const bytes = memoryRows();
  if (bytes.length > 0) {
    const said = bytes.map(({ case: name, value }) => `${name.split("/")[1]} ${value.toFixed(1)}`).join(", ");
    console.log(`memoryBytes, in MB, a replay of 10,000 included: ${said}`);
  }
  const goals = grouped.flat().filter(({ met }) => met !== undefined);
  console.log(`${goals.filter(({ met }) => met).length} of ${goals.length} targets met`);
  const common = { suite: "engine", case: "roofline", metric: "gflops", unit: "GFLOP/s" };
  const rows: (Row & Partial<Pick<StoredRow, "runtime">>)[] = [{ ...common, value: roofline.gflops }];
  if (json) writeRows(json, [...rows, ...grouped.flat(), ...bytes]);
}

/** What each shape takes of Wasm memory. */
function memoryRows(): Row[] {
  if (!chosen.some(({ name }) => name === "memory")) return [];
  return SHAPES.map((shape) => {
    const value = agentOf(shape).memoryBytes / 2 ** 20;
    return { suite: "engine", case: `memory/${shape.name}`, metric: "wasm_megabytes", value, unit: "MB" };
  });
}

if (list) for (const { name } of known) console.log(name);
else if (node) process.exitCode = runIn(node);
else await measure();
