/** Train steps and decisions at all shapes, and train steps with options that cost time. */
import { setTimeout as sleep } from "node:timers/promises";
import { CartPole, DQN, type DQNOptions, type EngineOptions, train } from "../../src/index.js";
import type { Result } from "../harness/suite.js";
import { type EngineProbe, timed } from "./probe.js";
import { actManyOf, actOf, filled, flops, ROWS, SHAPES, type Shape, trainOf } from "./shapes.js";

const HIRE_MS = 5000;
const TRAINING_STEPS = 10_000;
const TRAININGS = 5;
const ENVIRONMENT_STEPS = 50_000;

function shapeNamed(name: string): Shape {
  const shape = SHAPES.find((each) => each.name === name);
  if (!shape) throw new Error(`there is no shape ${name}`);
  return shape;
}

/** One agent for both probes of a shape. */
const agents = new Map<string, DQN>();

export function agentOf(shape: Shape): DQN {
  const agent = agents.get(shape.name) ?? filled(shape);
  agents.set(shape.name, agent);
  return agent;
}

/** The train step of a shape with other options, or run otherwise. */
function variant(name: string, what: string, options: Partial<DQNOptions>, run: EngineOptions = {}): EngineProbe {
  const plain = shapeNamed(name);
  const shape = { ...plain, options: { ...plain.options, ...options } };
  const prepare = async () => {
    const agent = filled(shape, run);
    await hired(agent, run.threads ?? 1);
    return trainOf(shape, agent);
  };
  return timed(`train/${name}, ${what}`, prepare, flops(shape).train);
}

/** Waits until all threads are there. */
async function hired(agent: DQN, threads: number): Promise<void> {
  const end = performance.now() + HIRE_MS;
  while (agent.stats().threads < threads) {
    if (performance.now() > end) throw new Error(`no ${threads} threads: ${agent.stats().threadsReason}`);
    await sleep(10);
  }
}

const PER = { priorityExponent: 0.6 };
const ACTIONS = ["S", "M", "L", "XL"];

export const AGENT_PROBES: readonly EngineProbe[] = [
  ...SHAPES.map((shape) => timed(`train/${shape.name}`, () => trainOf(shape, agentOf(shape)), flops(shape).train)),
  ...SHAPES.map((shape) => timed(`act/${shape.name}`, () => actOf(shape, agentOf(shape)), flops(shape).act)),
  ...SHAPES.map((shape) =>
    timed(`act64/${shape.name}`, () => actManyOf(shape, agentOf(shape)), ROWS * flops(shape).act),
  ),
  ...ACTIONS.flatMap((name) => [
    variant(name, "Double", { double: true }),
    variant(name, "PER", PER),
    variant(name, "Double, PER", { double: true, ...PER }),
  ]),
  variant("L", "storage f16", { storage: "f16" }),
  // All of it in cache: the difference is the cost of rows that lie further away.
  ...["M", "L"].map((name) => variant(name, "replay of 64", { capacity: 64 })),
  ...["S", "L", "XL"].map((name) => variant(name, "2 threads", {}, { threads: 2 })),
  ...["S", "L"].flatMap((name) => [
    variant(name, "rolled kernels", {}, { kernels: "rolled" }),
    variant(name, "unrolled kernels", {}, { kernels: "unrolled" }),
  ]),
];

/** Steps a second of a whole training with the defaults. */
async function trainedPerSecond(): Promise<number> {
  const agent = new DQN({ observation: 4, actions: 2, seed: 1 });
  const start = performance.now();
  await train(agent, new CartPole(), { steps: TRAINING_STEPS });
  const perSecond = (1000 * TRAINING_STEPS) / (performance.now() - start);
  agent.dispose();
  return perSecond;
}

function steppedPerSecond(environment: CartPole): number {
  const start = performance.now();
  environment.reset(1);
  for (let i = 0; i < ENVIRONMENT_STEPS; i++) {
    const { terminated, truncated } = environment.step(i & 1);
    if (terminated || truncated) environment.reset();
  }
  return (1000 * ENVIRONMENT_STEPS) / (performance.now() - start);
}

const CROWD = 16;

/** Microseconds of a step of training in one environment, or in CROWD; one update for `trainEvery` steps. */
async function microsecondsOfStep(environments: number, trainEvery: number): Promise<number> {
  const agent = new DQN({ observation: 4, actions: 2, hidden: [120, 84], environments, trainEvery, seed: 1 });
  const all = Array.from({ length: environments }, () => new CartPole());
  const start = performance.now();
  await train(agent, all, { steps: TRAINING_STEPS });
  const us = (1000 * (performance.now() - start)) / TRAINING_STEPS;
  agent.dispose();
  return us;
}

/** In how many environments at once, after how many steps an update follows, and what that is. */
const CROWDS: readonly [environments: number, trainEvery: number, what: string][] = [
  [1, 1, "one environment, an update a step"],
  [CROWD, CROWD, "16 environments, an update for a step of each"],
  [1, CROWD, "one environment, an update for 16 steps"],
  [1, 1e6, "one environment, no update"],
  [CROWD, 1e6, "16 environments, no update"],
];

const PER_SECOND = [{ metric: "per_second", unit: "steps/s" }];

export const ENVIRONMENT_PROBES: readonly EngineProbe[] = [
  {
    name: "CartPole/train() with the defaults",
    metrics: PER_SECOND,
    flop: 0,
    prepare: () => ({ samples: TRAININGS, sample: async () => [await trainedPerSecond()] }),
  },
  ...CROWDS.map(
    ([environments, trainEvery, what]): EngineProbe => ({
      name: `CartPole/train(), ${what}`,
      metrics: [{ metric: "step_us", unit: "us" }],
      flop: 0,
      prepare: () => ({ samples: TRAININGS, sample: async () => [await microsecondsOfStep(environments, trainEvery)] }),
    }),
  ),
  {
    name: "CartPole/environment alone",
    metrics: PER_SECOND,
    flop: 0,
    prepare() {
      const environment = new CartPole();
      steppedPerSecond(environment);
      return { sample: () => [steppedPerSecond(environment)] };
    },
  },
];

/** The Wasm memory of an agent of each shape. */
export function memoryRows(): Result[] {
  return SHAPES.map((shape) => {
    const value = agentOf(shape).memoryBytes / 2 ** 20;
    return { case: `memory/${shape.name}`, metric: "wasm_megabytes", value, unit: "MB", isExact: true };
  });
}
