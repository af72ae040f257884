/**
 * The engine's usual sizes, and how they are timed: for the benches of the engine, in whatever runtime. It runs in browsers
 * too, so nothing here may need Node.
 */
import { DQN, type DQNOptions } from "../src/index.js";

export interface Shape {
  /** What figures call it. */
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

const SAMPLE_MS = 20;

/** Something to time: `call` does it `count` times. */
export interface Case {
  name: string;
  /** Multiplications and additions of one time. */
  flop: number;
  call: (count: number) => void;
}

/**
 * Microseconds of each case, sample by sample. Samples last about SAMPLE_MS and go round all cases, so that a slow spell of
 * a shared machine falls on all of them alike.
 */
export function time(cases: readonly Case[], samples: number): number[][] {
  const measure = ({ call }: Case, count: number) => {
    const start = performance.now();
    call(count);
    return performance.now() - start;
  };
  const counts = cases.map((each) => {
    let count = 1;
    while (measure(each, count) < SAMPLE_MS) count *= 2;
    return count;
  });
  const round = () => cases.map((each, i) => (1000 * measure(each, counts[i]!)) / counts[i]!);
  // Until a case has run for a while, engines run what they have compiled in a hurry.
  round();
  const rounds = Array.from({ length: samples }, round);
  return cases.map((_, i) => rounds.map((times) => times[i]!));
}

export interface Figure {
  min: number;
  median: number;
  max: number;
}

/** The middle of some samples, and how far they spread. */
export function figureOf(samples: readonly number[]): Figure {
  const sorted = [...samples].sort((x, y) => x - y);
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]!, max: sorted.at(-1)! };
}

/** Multiplications and additions of one train step and of one decision, without the optimiser's. */
function flops({ options, rows }: Shape): { train: number; act: number } {
  const { observation, actions, candidates, hidden = [], batchSize = 1 } = options;
  const features = candidates?.features ?? 0;
  const first = hidden[0]!;
  const inner = hidden.slice(1).reduce((sum, width, i) => sum + 2 * width * hidden[i]!, 0);
  const last = hidden.at(-1)!;
  const outputs = actions ?? 1;
  const row = 2 * (observation + features) * first + inner + 2 * last;
  const next = candidates
    ? 2 * observation * first + candidates.next! * (2 * features * first + inner + 2 * last)
    : 2 * observation * first + inner + 2 * last * outputs;
  const backward = 2 * (observation + features) * first + 2 * inner + 4 * last;
  const act = candidates
    ? 2 * observation * first + rows * (2 * features * first + inner + 2 * last)
    : 2 * observation * first + inner + 2 * last * outputs;
  return { train: batchSize * (row + next + backward), act };
}

/** An agent with a full replay. */
function filled({ options }: Shape): DQN {
  const agent = new DQN(options);
  const { observation, candidates, actions } = agent.options;
  let word = 1;
  const noise = (n: number) =>
    Float32Array.from({ length: n }, () => (word = (word * 48271) % 2147483647) / 1073741823.5 - 1);
  for (let i = 0; i < 2000; i++) {
    const common = {
      observation: noise(observation),
      nextObservation: noise(observation),
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

/** A train step and a decision of a shape. */
export function casesOf(shape: Shape): Case[] {
  const agent = filled(shape);
  const { candidates } = agent.options;
  const offered = candidates ? agent.candidates.subarray(0, shape.rows * candidates.features) : undefined;
  const { train, act } = flops(shape);
  return [
    { name: `train/${shape.name}`, flop: train, call: (count) => void agent.learn(count) },
    {
      name: `act/${shape.name}`,
      flop: act,
      call(count) {
        for (let i = 0; i < count; i++) agent.act(agent.observation, offered, 0);
      },
    },
  ];
}

/** Microseconds of a train step and of a decision of each shape by name, sample by sample. */
export function measure(samples: number): Record<string, number[]> {
  const cases = SHAPES.flatMap(casesOf);
  const times = time(cases, samples);
  return Object.fromEntries(cases.map(({ name }, i) => [name, times[i]!]));
}
