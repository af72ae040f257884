/**
 * The engine alone, in this Node or another: train step, decision, replay, environment, start, memory. Each figure is a
 * median with its spread; where the work is known also GFLOP/s, and percent of the highest of several loops that touch
 * no memory, sampled in the same rounds.
 */
import { Option } from "commander";
import { ACTOR_PROBES } from "./engine/actors.js";
import { AGENT_PROBES, ENVIRONMENT_PROBES, memoryRows } from "./engine/agents.js";
import { goalsIn } from "./engine/goals.js";
import { limits } from "./engine/limits.js";
import type { EngineProbe } from "./engine/probe.js";
import { PROCESS_PROBES } from "./engine/processes.js";
import { REPLAY_PROBES } from "./engine/replay.js";
import { rooflineOf, rowsOf, textOf } from "./engine/report.js";
import { command, count } from "./harness/command.js";
import { NODE_OPTION } from "./harness/node.js";
import { sampleInTurn } from "./harness/rounds.js";
import { type Context, momentary, type Result, runtimeSlot } from "./harness/suite.js";

const ROUNDS = 101;
const QUICK_ROUNDS = 7;

interface Options {
  rounds?: number;
  quick?: true;
}

async function measure(chosen: readonly EngineProbe[], rounds: number, context: Context): Promise<Result[]> {
  const { probes, note, stop } = await limits();
  if (note) context.say(note);
  try {
    const series = await sampleInTurn([...probes, ...chosen], rounds, context);
    const roofline = rooflineOf(series);
    context.say(`roofline: ${roofline.gflops.toFixed(1)} GFLOP/s, of "${roofline.name}"`);
    const rows = series.flatMap((each) => rowsOf(each, roofline));
    const bytes = chosen.some(({ name }) => name === "memory") ? memoryRows() : [];
    const top = { case: "roofline", metric: "gflops", unit: "GFLOP/s", value: roofline.gflops };
    return [top, ...rows, ...bytes];
  } finally {
    await stop();
  }
}

await command<EngineProbe, Options>({
  name: "engine",
  description: "Measures the engine alone. A missed goal is printed, and no failure.",
  cases: [...AGENT_PROBES, ...REPLAY_PROBES, ...ENVIRONMENT_PROBES, ...ACTOR_PROBES, ...PROCESS_PROBES],
  goals: goalsIn(),
  mustMeetGoals: false,
  slotOf: runtimeSlot,
  options: [
    new Option("--rounds <n>", `samples of each case that is quick; default ${ROUNDS}`).argParser(count),
    new Option("--quick", `${QUICK_ROUNDS} rounds`),
    NODE_OPTION,
  ],
  tasks(chosen, { quick, rounds = quick ? QUICK_ROUNDS : ROUNDS }) {
    const names = chosen.map(({ name }) => name);
    const run = (context: Context) => measure(chosen, rounds, context);
    return [
      { case: `${names.length} cases in turn`, recipe: momentary("engine", { names, rounds }), isAlone: true, run },
    ];
  },
  report: (rows) => ({ text: textOf(rows) }),
});
