/** The data that every peer starts from: a full replay, weights, the first batches, and rows to act on. */
import { writeFileSync } from "node:fs";

export interface Shape {
  name: string;
  observation: number;
  hidden: readonly number[];
  actions: number;
  batch: number;
  /** How many numbers of an observation are not 0, where most are. */
  nonZero?: number;
}

export const SHAPES: readonly Shape[] = [
  { name: "S", observation: 4, hidden: [120, 84], actions: 2, batch: 128 },
  { name: "M", observation: 100, hidden: [50], actions: 10, batch: 32 },
  { name: "L", observation: 1000, hidden: [128], actions: 100, batch: 64 },
  { name: "XL", observation: 256, hidden: [512, 512], actions: 1000, batch: 256 },
  { name: "sparse L", observation: 1000, hidden: [128], actions: 100, batch: 64, nonZero: 30 },
];

/** Adam's, with the default epsilon of LiveQ. */
export const RATES = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1.5e-4 } as const;

export const CAPACITY = 10_000;
/** Updates that are checked. */
export const STEPS = 3;
/** Rows that a peer chooses actions for at once. */
export const ROWS = 64;
const GAMMA = 0.99;
const MOST_LAYERS = 9;

/** As numbers lie in the file that peers read: observations to staged rows are arrays of peer.h, in its order. */
export interface Data {
  shape: Shape;
  capacity: number;
  /** (capacity, observation) */
  observations: Float32Array;
  nextObservations: Float32Array;
  /** (capacity) */
  rewards: Float32Array;
  /** (capacity), 0 where the task ended. */
  discounts: Float32Array;
  taken: Int32Array;
  /** weight (out, in) and bias (out), layer by layer. */
  parameters: Float32Array;
  /** (ROWS, observation) */
  staged: Float32Array;
  /** (STEPS, batch): the rows of the first batches, those that an agent with seed 1 draws. */
  drawn: Int32Array;
}

/** Widths of all layers, from inputs to actions. */
export function widthsOf({ observation, hidden, actions }: Shape): number[] {
  return [observation, ...hidden, actions];
}

const MULTIPLIER = 6364136223846793005n;
const WORD = (1n << 64n) - 1n;

/** PCG32, stream 1 of seed 1, and Lemire's integers below n: O'Neill 2014, Lemire 2019. */
function drawnRows(count: number, n: number): Int32Array {
  let state = 0n;
  const next = () => {
    const old = state;
    state = (old * MULTIPLIER + 3n) & WORD;
    const mixed = Number((((old >> 18n) ^ old) >> 27n) & 0xffffffffn);
    const turn = Number(old >> 59n);
    return ((mixed >>> turn) | (mixed << (-turn & 31))) >>> 0;
  };
  next();
  state = (state + 1n) & WORD;
  next();
  const threshold = 2 ** 32 % n;
  return Int32Array.from({ length: count }, () => {
    for (;;) {
      const product = BigInt(next()) * BigInt(n);
      if (Number(product & 0xffffffffn) >= threshold) return Number(product >> 32n);
    }
  });
}

/** Made-up data of a shape; the same for every call. */
export function dataOf(shape: Shape, capacity = CAPACITY): Data {
  const { observation, actions, batch, nonZero } = shape;
  let word = 1;
  /** In (-1, 1). */
  const noise = () => (word = (word * 48271) % 2147483647) / 1073741823.5 - 1;
  const fill = (n: number, scale = 1) => Float32Array.from({ length: n }, () => scale * noise());
  const rows = (n: number) => {
    if (!nonZero) return fill(n * observation);
    const all = new Float32Array(n * observation);
    for (let i = 0; i < n; i++) {
      for (let used = 0; used < nonZero; ) {
        const at = i * observation + Math.floor(((noise() + 1) / 2) * observation);
        if (all[at] === 0) used++;
        all[at] = noise() || 1;
      }
    }
    return all;
  };
  const widths = widthsOf(shape);
  // PyTorch's initialisation of Linear.
  const layers = widths.slice(1).map((out, l) => fill(out * (widths[l]! + 1), widths[l]! ** -0.5));
  const parameters = new Float32Array(layers.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const layer of layers) {
    parameters.set(layer, at);
    at += layer.length;
  }
  return {
    shape,
    capacity,
    observations: rows(capacity),
    nextObservations: rows(capacity),
    // Beyond 1 too, so that both branches of Huber's loss count.
    rewards: fill(capacity, 3),
    discounts: Float32Array.from({ length: capacity }, (_, i) => (i % 20 === 0 ? 0 : GAMMA)),
    taken: Int32Array.from({ length: capacity }, () => Math.floor(((noise() + 1) / 2) * actions)),
    parameters,
    staged: rows(ROWS),
    drawn: drawnRows(STEPS * batch, capacity),
  };
}

/** Writes the file that peers read: settings i32, rates f64, arrays. */
export function writeData(path: string, data: Data): void {
  const { shape, capacity } = data;
  const { observation, hidden, actions, batch } = shape;
  const widths = [...hidden, ...new Array<number>(MOST_LAYERS - hidden.length).fill(0)];
  const settings = Int32Array.of(observation, actions, batch, capacity, hidden.length, ...widths);
  const { learningRate, beta1, beta2, epsilon } = RATES;
  const parts = [
    settings,
    Float64Array.of(learningRate, beta1, beta2, epsilon),
    data.observations,
    data.nextObservations,
    data.rewards,
    data.discounts,
    data.taken,
    data.parameters,
    data.staged,
    data.drawn,
  ];
  const bytes = parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  writeFileSync(path, Buffer.concat(bytes));
}
