/** The engine's usual sizes, for its benches in all runtimes. It runs in browsers too, so nothing here may need Node. */
import { type AgentInput, DQN, type DQNOptions, type EngineOptions, type SparseInput } from "../../src/index.js";
import { time, type Workload } from "../harness/timing.js";

export interface Shape {
  /** As in the names of cases. */
  name: string;
  options: DQNOptions;
  /** Candidates that a decision is among; 1 with actions. */
  rows: number;
}

/** Without Double, clipping and moves of the target within a sample. */
const COMMON = {
  capacity: 10_000,
  learningStarts: 1,
  double: false,
  loss: "huber",
  normalization: "none",
  maxGradNorm: 0,
  targetEvery: 250,
  tau: 1,
  seed: 1,
} as const;

export const SHAPES: Shape[] = [
  { name: "S", options: { ...COMMON, observation: 4, actions: 2, hidden: [120, 84], batchSize: 128 }, rows: 1 },
  { name: "M", options: { ...COMMON, observation: 100, actions: 10, hidden: [50], batchSize: 32 }, rows: 1 },
  { name: "L", options: { ...COMMON, observation: 1000, actions: 100, hidden: [128], batchSize: 64 }, rows: 1 },
  {
    name: "sparse L",
    options: {
      ...COMMON,
      observation: 0,
      sparse: { slots: 30, size: 1000 },
      actions: 100,
      hidden: [128],
      batchSize: 64,
    },
    rows: 1,
  },
  {
    name: "XL",
    options: { ...COMMON, observation: 256, actions: 1000, hidden: [512, 512], batchSize: 256 },
    rows: 1,
  },
  {
    name: "candidates",
    options: {
      ...COMMON,
      observation: 64,
      candidates: { max: 200, features: 32, next: 32 },
      hidden: [128, 64],
      batchSize: 32,
    },
    rows: 200,
  },
];

/** Multiplications and additions of one train step and of one decision, without the optimiser's. */
export function flops({ options, rows }: Shape): { train: number; act: number } {
  const { sparse, actions = 1, candidates, hidden = [], batchSize = 1, double } = options;
  // An index input costs as much as it has indices, whatever its size.
  const observation = options.observation + (sparse?.slots ?? 0);
  const features = candidates?.features ?? 0;
  const first = hidden[0]!;
  const inner = hidden.slice(1).reduce((sum, width, i) => sum + 2 * width * hidden[i]!, 0);
  const last = hidden.at(-1)!;
  const seen = 2 * observation * first;
  const offered = 2 * features * first + inner + 2 * last;
  const valuesOf = (n: number) => (candidates ? seen + n * offered : seen + inner + 2 * last * actions);
  const one = seen + offered;
  const next = valuesOf(candidates?.next ?? 0) + (double ? one : 0);
  const backward = seen + 2 * features * first + 2 * inner + 4 * last;
  return { train: batchSize * (one + next + backward), act: valuesOf(rows) };
}

/** Noise in [-1, 1), the same each time. */
function noiseFrom(seed: number): (n: number) => Float32Array {
  let word = seed;
  return (n) => Float32Array.from({ length: n }, () => (word = (word * 48271) % 2147483647) / 1073741823.5 - 1);
}

/** An observation of an agent. */
function observationOf({ options }: DQN, noise: (n: number) => Float32Array): AgentInput {
  const { observation, sparse } = options;
  if (!sparse) return noise(observation);
  const { slots, size } = sparse;
  // One index in each stretch of the same length, in rising order.
  const indices = Int32Array.from(noise(slots), (x, i) => Math.floor(((i + (x + 1) / 2) * size) / slots));
  return { dense: noise(observation), indices, weights: noise(slots) };
}

/** An agent with a full replay. */
export function filled({ options }: Shape, run?: EngineOptions): DQN {
  const agent = new DQN(options, run);
  const { candidates, actions } = agent.options;
  const noise = noiseFrom(1);
  for (let i = 0; i < 2000; i++) {
    const common = {
      observation: observationOf(agent, noise),
      nextObservation: observationOf(agent, noise),
      reward: i % 2,
      terminated: i % 20 === 0,
    };
    if (candidates) {
      const nextCandidates = noise(candidates.next * candidates.features);
      agent.observe({ ...common, candidate: noise(candidates.features), nextCandidates });
    } else agent.observe({ ...common, action: i % actions });
  }
  return agent;
}

/** The train step of an agent of a shape. */
export function trainOf(shape: Shape, agent: DQN): Workload {
  return { name: `train/${shape.name}`, flop: flops(shape).train, call: (count) => void agent.learn(count) };
}

/** Its greedy decision. */
export function actOf(shape: Shape, agent: DQN): Workload {
  const { candidates, sparse } = agent.options;
  const offered = candidates ? agent.candidates.subarray(0, shape.rows * candidates.features) : undefined;
  const seen = sparse ? observationOf(agent, noiseFrom(2)) : agent.observation;
  const call = (count: number) => {
    for (let i = 0; i < count; i++) agent.act(seen, offered, 0);
  };
  return { name: `act/${shape.name}`, flop: flops(shape).act, call };
}

/** Rows that are decided for at once. */
export const ROWS = 64;

/** Its greedy decisions for ROWS states at once; of candidates, a set each of ROWS. */
export function actManyOf(shape: Shape, agent: DQN): Workload {
  const { candidates, observation, sparse } = agent.options;
  const noise = noiseFrom(2);
  const offers = candidates ? Array.from({ length: ROWS }, () => noise(OFFERED * candidates.features)) : undefined;
  const seen = sparse ? manyOf(agent, noise) : noise(ROWS * observation);
  const rows = candidates ? OFFERED : 1;
  const call = (count: number) => {
    for (let i = 0; i < count; i++) agent.actBatch(seen, offers, 0);
  };
  return { name: `act64/${shape.name}`, flop: ROWS * flops({ ...shape, rows }).act, call };
}

/** Candidates of each of many states. */
const OFFERED = 8;

/** ROWS observations with index inputs, as one. */
function manyOf(agent: DQN, noise: (n: number) => Float32Array): AgentInput {
  const all = Array.from({ length: ROWS }, () => observationOf(agent, noise) as SparseInput);
  return {
    dense: all.flatMap(({ dense = [] }) => [...Array.from(dense)]),
    indices: all.flatMap(({ indices }) => Array.from(indices)),
    weights: all.flatMap(({ weights = [] }) => Array.from(weights)),
  };
}

/** A train step and a decision of a shape. */
function workloadsOf(shape: Shape): Workload[] {
  const agent = filled(shape);
  return [trainOf(shape, agent), actOf(shape, agent)];
}

/** Microseconds of a train step and of a decision of each shape by name, sample by sample. */
export function measure(samples: number): Record<string, number[]> {
  const workloads = SHAPES.flatMap(workloadsOf);
  const times = time(workloads, samples);
  return Object.fromEntries(workloads.map(({ name }, i) => [name, times[i]!]));
}
