/**
 * The engine alone: train step and inference at the usual sizes, as medians with their spread, GFLOP/s and percent of
 * a register-only loop in the same run. The loop is what this JavaScript engine makes of it, not the processor's peak.
 * And reading a batch from the replay, by how it is stored.
 */
import { readFileSync } from "node:fs";
import { type Row, writeRows } from "../src/cli/results.js";
import { table } from "../src/cli/table.js";
import { DQN, type DQNOptions } from "../src/index.js";

/** What is timed of the kernels build. */
interface Kernels {
  memory: WebAssembly.Memory;
  lerp(n: number, tau: number, x: number, y: number): void;
  fromHalves(n: number, h: number, x: number): void;
  fromBytes(n: number, low: number, high: number, u: number, x: number): void;
}

interface Shape {
  name: string;
  options: DQNOptions;
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

const SHAPES: Shape[] = [
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

const SAMPLES = 31;
const SAMPLE_MS = 20;

/** Something to time: `call` does it `count` times. */
interface Case {
  name: string;
  /** Multiplications and additions of one time; 0 where it is about memory. */
  flop: number;
  call: (count: number) => void;
}

interface Figure {
  min: number;
  median: number;
  max: number;
}

/**
 * Microseconds of each case. Samples last about SAMPLE_MS and go round all cases, so that a slow spell of a shared
 * machine falls on all of them alike.
 */
function time(cases: readonly Case[]): Figure[] {
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
  const rounds = Array.from({ length: SAMPLES }, () =>
    cases.map((each, i) => (1000 * measure(each, counts[i]!)) / counts[i]!),
  );
  return cases.map((_, i) => {
    const samples = rounds.map((round) => round[i]!).sort((x, y) => x - y);
    return { min: samples[0]!, median: samples[SAMPLES >> 1]!, max: samples.at(-1)! };
  });
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
import { type Case, casesOf, figureOf, SHAPES, time } from "./shapes.js";

const SAMPLES = 31;

/** A loop of multiplications and additions that touches no memory: 12 vectors of 4 in a turn, 1000 turns a time. */
function peakLoop(): Case {
  const bytes = readFileSync(".build/kernels.wasm");
  const { peak } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
    peak: (n: number, a: number, b: number) => number;
  };
  return { name: "register-only loop", flop: 48_000, call: (count) => void peak(count * 1000, 1, 1) };
}

const GATHER = { rows: 64, width: 1000, capacity: 40_000 };

/** Reading random rows of a replay as each storage keeps them: 160 MB of f32, half and a quarter of it. */
function gathers(): Case[] {
  const bytes = readFileSync(".build/kernels.wasm");
  const { memory, lerp, fromHalves, fromBytes } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
    .exports as unknown as Kernels;
  const { rows, width, capacity } = GATHER;
  const to = 65536;
  const from = to + rows * width * 4;
  memory.grow(Math.ceil((from + capacity * width * 4) / 65536));
  // Ordinary numbers in each form.
  new Uint8Array(memory.buffer, from).fill(0x38);
  const kinds: [name: string, bytes: number, read: (at: number, x: number) => void][] = [
    ["f32", 4, (at, x) => lerp(width, 1, at, x)],
    ["f16", 2, (at, x) => fromHalves(width, at, x)],
    ["u8", 1, (at, x) => fromBytes(width, 0, 1, at, x)],
  ];
  let word = 1;
  return kinds.map(([name, size, read]) => ({
    name: `gather/${name}`,
    flop: 0,
    call(count) {
      for (let i = 0; i < count * rows; i++) {
        word = (word * 48271) % 2147483647;
        read(from + (word % capacity) * width * size, to + (i % rows) * width * 4);
      }
    },
  }));
}

/** A train step and a decision of a shape. */
function casesOf(shape: Shape): Case[] {
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

const at = process.argv.indexOf("--json");
const cases = [peakLoop(), ...SHAPES.flatMap(casesOf), ...gathers()];
const figures = time(cases);
const at = process.argv.indexOf("--json");
const cases = [peakLoop(), ...SHAPES.flatMap(casesOf)];
const figures = time(cases, SAMPLES).map(figureOf);
const gflops = cases.map(({ flop }, i) => flop / figures[i]!.median / 1000);
const rows: Row[] = [];
const lines = cases.map(({ name, flop }, i) => {
  const { min, median, max } = figures[i]!;
  const percent = (100 * gflops[i]!) / gflops[0]!;
  const common = { suite: "engine", case: name };
  rows.push({ ...common, metric: "median_us", value: median, unit: "us", lo: min, hi: max, n: SAMPLES });
  const spread = `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  if (flop === 0) return [name, spread, "", ""];
  rows.push({ ...common, metric: "gflops", value: gflops[i]!, unit: "GFLOP/s" });
  rows.push({ ...common, metric: "loop_percent", value: percent, unit: "%" });
  return [name, spread, gflops[i]!.toFixed(1), percent.toFixed(0)];
});
console.log(`node ${process.versions.node}; lo and hi in the rows are the fastest and the slowest sample`);
console.log(table(["case", "us, median (min to max)", "GFLOP/s", "% of loop"], lines));
if (at > 0) writeRows(process.argv[at + 1]!, rows);
