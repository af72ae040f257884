import { play, shareFor, statesOf } from "../../src/cli/compress/index.js";
import {
  type AgentState,
  agreementOf,
  distill,
  pruneNeurons,
  type QuantisedAgent,
  quantise,
  type Valuer,
} from "../../src/engine/compression/index.js";
import { Acrobot, CartPole, DQN, type DQNOptions, type Environment, train } from "../../src/index.js";
import { LiveEnvironment } from "../../src/simulator/index.js";
import { arithmeticMean } from "../../src/statistics/index.js";
import { filled, SHAPES, type Shape } from "../engine/shapes.js";
import type { CaseContext, ProcessCase, Result } from "../harness/suite.js";
import { spreadOf, time, type Workload } from "../harness/timing.js";

/** An environment, and how the agent that is made smaller is trained in it. */
interface Task {
  readonly make: () => Environment;
  readonly options: Partial<DQNOptions>;
  readonly steps: number;
  readonly evaluation: { every: number; episodes: number; stopAt?: number };
  /** Episodes that judge, and states of learning and of judging. */
  readonly tests: number;
  readonly states: number;
  readonly held: number;
}

const linear = (from: number, to: number, steps: number) => ({ type: "linear" as const, from, to, steps });

const LIVE = { streamers: 120, days: 10, maxCandidates: 32 };

/** Budgets are a part of those of bench:learning: what counts is what is lost, not what was reached. */
const TASKS: Readonly<Record<string, Task>> = {
  "CartPole-v1": {
    make: () => new CartPole(),
    options: { hidden: [64, 64], learningRate: linear(2e-3, 1e-4, 50_000), epsilon: linear(1, 0.04, 8000) },
    steps: 50_000,
    evaluation: { every: 2000, episodes: 50, stopAt: 500 },
    tests: 100,
    states: 4000,
    held: 1000,
  },
  "Acrobot-v1": {
    make: () => new Acrobot(),
    options: { hidden: [64, 64], learningRate: linear(2e-3, 3e-4, 40_000), gamma: 0.995, tau: 0.005 },
    steps: 40_000,
    evaluation: { every: 4000, episodes: 50 },
    tests: 100,
    states: 4000,
    held: 1000,
  },
  live: {
    make: () => new LiveEnvironment(LIVE),
    options: { hidden: [64, 32], gamma: 0.9, learningRate: 5e-4, epsilon: linear(1, 0.05, 3000), learningStarts: 500 },
    steps: 5000,
    evaluation: { every: 5000, episodes: 5 },
    tests: 40,
    states: 1000,
    held: 300,
  },
};

/** Seeds of training, of states, and of the episodes that judge never meet. Others than 1 to 20 were used to find the options. */
const TRAINING = 1_000_000;
const STATES = 30_000_000;
const HELD = 40_000_000;
const TEST = 50_000_000;

function agentFor(task: Task, environment: Environment, seed: number): DQN {
  const { observationSize, actions } = environment;
  const offered = environment instanceof LiveEnvironment;
  const choice = offered
    ? { candidates: { max: LIVE.maxCandidates, features: environment.features } }
    : { actions: actions! };
  return new DQN({ ...task.options, observation: observationSize, ...choice, seed } as DQNOptions);
}

/** A smaller agent, and how much smaller its network is. */
interface Small {
  readonly way: string;
  readonly agent: Valuer & Pick<QuantisedAgent, "act">;
  readonly smaller: number;
}

async function smallOf(agent: DQN, states: readonly AgentState[], seed: number): Promise<Small[]> {
  const bytes = (one: DQN) =>
    4 * one.weights().reduce((sum, { weight, bias, gain }) => sum + weight.length + bias.length * (gain ? 3 : 1), 0);
  const rounded = quantise(agent, states);
  const pruned = await pruneNeurons(agent, states, { fineTune: { loss: "values", seed, updates: 3000 } });
  const { actions, ...rest } = agent.options;
  const share = shareFor(agent, 4);
  const hidden = rest.hidden.map((width) => Math.max(1, Math.floor(width * share)));
  const student = new DQN({ ...(rest as DQNOptions), ...(actions > 0 && { actions }), hidden });
  await distill(agent, student, states, { loss: "values", updates: 10_000, seed });
  return [
    { way: "int8", agent: rounded, smaller: bytes(agent) / rounded.parameterBytes },
    { way: "pruned", agent: pruned.agent, smaller: bytes(agent) / bytes(pruned.agent) },
    { way: "student", agent: student, smaller: bytes(agent) / bytes(student) },
  ];
}

async function run(task: Task, { seed, say }: CaseContext): Promise<Result[]> {
  const agent = agentFor(task, task.make(), seed);
  const evaluation = { environment: task.make(), seed: 2_000_000 + seed * 1000, ...task.evaluation };
  await train(agent, [task.make()], { steps: task.steps, seed: seed * TRAINING, evaluation });
  const environment = task.make();
  const states = statesOf(agent, environment, task.states, STATES + seed * 10_000);
  const held = statesOf(agent, environment, task.held, HELD + seed * 10_000);
  const returnsOf = (actor: Small["agent"]) =>
    Array.from({ length: task.tests }, (_, i) => play(actor, environment, TEST + i));
  const before = arithmeticMean(returnsOf(agent));
  say(`return ${before.toFixed(2)} on ${states.length} states`);
  const results: Result[] = [{ metric: "return_mean", value: before, unit: "1", n: task.tests }];
  for (const { way, agent: small, smaller } of await smallOf(agent, states, seed)) {
    const after = arithmeticMean(returnsOf(small));
    const { sameBest, tau } = agreementOf(agent, small, held);
    const loss = (100 * (before - after)) / Math.abs(before);
    say(`${way}: return ${after.toFixed(2)}, tau ${tau.toFixed(4)}, ${smaller.toFixed(2)} times smaller`);
    results.push(
      { metric: `${way}_loss_percent`, value: loss, unit: "%" },
      { metric: `${way}_tau`, value: tau, unit: "1" },
      { metric: `${way}_same_best`, value: sameBest, unit: "1" },
      { metric: `${way}_times_smaller`, value: smaller, unit: "1" },
    );
  }
  return results;
}

const SAMPLES = 41;

/** A decision of an agent as it is, and rounded; the agents' networks are fresh ones. */
function decisions(shape: Shape): { workloads: Workload[]; smaller: number } {
  const agent = filled(shape);
  const { candidates } = agent.options;
  const noise = (n: number) =>
    Float32Array.from({ length: n }, (_, i) => ((i * 48271) % 2147483647) / 1073741823.5 - 1);
  const seen = noise(agent.options.observation);
  const offered = candidates && noise(shape.rows * candidates.features);
  const small = quantise(agent, [{ observation: seen, ...(offered && { available: offered }) }]);
  const workloads = [agent, small].map((one) => {
    one.observation.set(seen);
    const available = offered && one.candidates.subarray(0, offered.length);
    if (available) available.set(offered);
    const call = (count: number) => {
      for (let i = 0; i < count; i++) one.act(one.observation, available, 0);
    };
    return { name: `act/${shape.name}`, flop: 0, call };
  });
  const weights = agent.weights().reduce((sum, { weight, bias }) => sum + 4 * (weight.length + bias.length), 0);
  return { workloads, smaller: weights / small.save().byteLength };
}

function speed(): Result[] {
  return SHAPES.filter(({ options }) => !options.sparse).flatMap((shape) => {
    const { workloads, smaller } = decisions(shape);
    const [before, after] = time(workloads, SAMPLES);
    // Samples of one round stand beside each other.
    const ratio = spreadOf(before!.map((us, i) => us / after![i]!));
    const name = `speed/${shape.name}`;
    return [
      { case: name, metric: "f32_us", unit: "us", ...middleOf(spreadOf(before!)) },
      { case: name, metric: "int8_us", unit: "us", ...middleOf(spreadOf(after!)) },
      { case: name, metric: "times_faster", unit: "1", ...middleOf(ratio) },
      { case: name, metric: "times_smaller", unit: "1", value: smaller, isExact: true },
    ];
  });
}

function middleOf({ min, median, max }: ReturnType<typeof spreadOf>) {
  return { value: median, lo: min, hi: max, n: SAMPLES };
}

const SEEDS: Readonly<Record<string, number>> = { "CartPole-v1": 3, "Acrobot-v1": 3, live: 3 };

export const CASES: readonly ProcessCase[] = [
  ...Object.entries(TASKS).map(([name, task]) => ({
    name,
    title: "return lost by int8, half of the neurons, a student of a quarter",
    seeds: SEEDS[name]!,
    run: (context: CaseContext) => run(task, context),
  })),
  { name: "speed", title: "a decision and a file, f32 and int8", isAlone: true, run: speed },
];
