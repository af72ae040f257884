/**
 * The engine alone: train step and inference at the usual sizes, as medians with their spread, GFLOP/s and percent of
 * the fastest register-only loop that this engine and machine reach in the same run.
 */
import { readFileSync } from "node:fs";
import { type Row, writeRows } from "../src/cli/results.js";
import { table } from "../src/cli/table.js";
import { DQN, type DQNOptions } from "../src/index.js";

interface Shape {
  name: string;
  options: DQNOptions;
  rows: number;
}

const COMMON = { capacity: 10_000, learningStarts: 1, double: false, maxGradNorm: 0, seed: 1 } as const;

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

/** Microseconds of one call: minimum, median and maximum of samples that each last about SAMPLE_MS. */
function time(call: (count: number) => void): { min: number; median: number; max: number } {
  const measure = (count: number) => {
    const start = performance.now();
    call(count);
    return performance.now() - start;
  };
  let count = 1;
  while (measure(count) < SAMPLE_MS) count *= 2;
  for (let i = 0; i < 5; i++) measure(count);
  const samples = Array.from({ length: SAMPLES }, () => (1000 * measure(count)) / count).sort((a, b) => a - b);
  return { min: samples[0]!, median: samples[SAMPLES >> 1]!, max: samples.at(-1)! };
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

/** GFLOP/s of the fastest loop of multiplications and additions that touches no memory. */
function roofline(): number {
  const bytes = readFileSync(".build/kernels.wasm");
  const { peak } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
    peak: (n: number, a: number, b: number) => number;
  };
  const { min } = time((count) => void peak(count * 1000, 1, 1));
  return (1000 * PEAK_FLOPS) / (min * 1000);
}

/** Of one turn of `peak` in assembly/kernels.ts: 12 vectors of 4. */
const PEAK_FLOPS = 48;

const at = process.argv.indexOf("--json");
const json = at > 0 ? process.argv[at + 1] : undefined;
const peak = roofline();
console.log(`register-only loop: ${peak.toFixed(1)} GFLOP/s on ${process.version}`);
const rows: Row[] = [{ suite: "engine", case: "roofline", metric: "gflops", value: peak, unit: "GFLOP/s" }];
const lines: string[][] = [];
for (const shape of SHAPES) {
  const agent = filled(shape);
  const work = flops(shape);
  const { candidates } = agent.options;
  const train = time((count) => void agent.learn(count));
  const offered = candidates ? agent.candidates.subarray(0, shape.rows * candidates.features) : undefined;
  const act = time((count) => {
    for (let i = 0; i < count; i++) agent.act(agent.observation, offered, 0);
  });
  for (const [kind, figure, flop] of [
    ["train", train, work.train],
    ["act", act, work.act],
  ] as const) {
    const gflops = flop / figure.median / 1000;
    const name = `${kind}/${shape.name}`;
    const micro = { value: figure.median, lo: figure.min, hi: figure.max, n: SAMPLES };
    rows.push({ suite: "engine", case: name, metric: "median_us", unit: "us", ...micro });
    rows.push({ suite: "engine", case: name, metric: "roofline_percent", value: (100 * gflops) / peak, unit: "%" });
    const spread = `${figure.median.toFixed(2)} (${figure.min.toFixed(2)} to ${figure.max.toFixed(2)})`;
    lines.push([name, spread, gflops.toFixed(1), ((100 * gflops) / peak).toFixed(0)]);
  }
  agent.dispose();
}
console.log(table(["case", "us, median (min to max)", "GFLOP/s", "% of loop"], lines));
if (json) writeRows(json, rows);
