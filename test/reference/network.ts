import type { Kernels } from "../support/kernels.js";
import { moments } from "./moments.js";
import type { Pcg32 } from "./rng.js";

/** One layer in f64: w (inputs, outputs) row-major and b (outputs); gain and shift where normalised. */
export interface Layer {
  inputs: number;
  outputs: number;
  w: Float64Array;
  b: Float64Array;
  gain?: Float64Array;
  shift?: Float64Array;
  /** Running statistics. */
  mean?: Float64Array;
  variance?: Float64Array;
  /** Noise scales of w and b. */
  sigmaW?: Float64Array;
  sigmaB?: Float64Array;
}

export type Normalization = "none" | "layer" | "batch";

export type Activation = "relu" | "tanh" | "gelu" | "linear";

/** Activations of hidden layers by their definitions. */
export const ACTIVATIONS: Record<Activation, (z: number) => number> = {
  relu: (z) => Math.max(z, 0),
  tanh: Math.tanh,
  gelu: (z) => 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))),
  linear: (z) => z,
};

/** The shape of a network. */
export interface Plan {
  /** Width of an observation and of a candidate, index inputs written out. */
  observation: number;
  features: number;
  hidden: number[];
  actions: number;
  quantiles: number;
  normalization: Normalization;
  isDueling: boolean;
  isNoisy: boolean;
  /** Whether a weight of the choice stands behind the quantiles. */
  isSlate?: boolean;
  /** Default ReLU. */
  activation?: Activation;
}

/** The naive twin of network.ts in f64. */
export interface Network {
  hidden: Layer[];
  head: Layer;
  normalization: Normalization;
  activation: Activation;
  value?: Network;
  /** Whether the value stream parts before the last hidden layer. */
  isShared: boolean;
}

/** Reads a parameter block of the engine, or one laid out like it without running statistics. */
export function unpackNetwork(kernels: Kernels, block: ArrayLike<number>, plan: Plan): Network {
  const { observation, features, hidden, actions, quantiles, normalization, isDueling, isSlate = false } = plan;
  const { activation = "relu" } = plan;
  const reader = new BlockReader(kernels, block, normalization !== "none", activation);
  const inputs = observation + features;
  const main = reader.network([inputs, ...hidden, Math.max(1, actions) * quantiles + Number(isSlate)], normalization);
  if (isDueling) {
    main.isShared = features === 0 && hidden.length > 1;
    const last = hidden.slice(main.isShared ? -2 : 0);
    const widths = main.isShared ? last : [observation, ...hidden];
    main.value = reader.network([...widths, quantiles], normalization);
  }
  const all = layersOf(main);
  const heads = [main.head, main.value?.head];
  if (plan.isNoisy) for (const layer of all) reader.noise(layer, heads.includes(layer));
  if (normalization === "batch") {
    reader.alignTo(16);
    for (const layer of all.filter(({ gain }) => gain)) reader.statistics(layer);
  }
  return main;
}

class BlockReader {
  readonly #kernels: Kernels;
  readonly #block: ArrayLike<number>;
  readonly #isNormalised: boolean;
  readonly #activation: Activation;
  #at = 0;

  constructor(kernels: Kernels, block: ArrayLike<number>, isNormalised: boolean, activation: Activation) {
    this.#activation = activation;
    this.#kernels = kernels;
    this.#block = block;
    this.#isNormalised = isNormalised;
  }

  network(widths: number[], normalization: Normalization): Network {
    const layers = widths.slice(1).map((outputs, l) => this.#layer(widths[l]!, outputs, l === widths.length - 2));
    const activation = this.#activation;
    return { hidden: layers.slice(0, -1), head: layers.at(-1)!, normalization, activation, isShared: false };
  }

  #layer(inputs: number, outputs: number, isHead: boolean): Layer {
    const { w, b } = this.#weights(inputs, outputs, isHead);
    if (isHead || !this.#isNormalised) return { inputs, outputs, w, b };
    return { inputs, outputs, w, b, gain: this.#vector(outputs), shift: this.#vector(outputs) };
  }

  #weights(inputs: number, outputs: number, isHead: boolean): { w: Float64Array; b: Float64Array } {
    const { padded, panelOffset } = this.#kernels;
    const rows = padded(inputs);
    const w = new Float64Array(inputs * outputs);
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) {
        const offset = isHead ? j * rows + i : panelOffset(rows, outputs, i, j) / 4;
        w[i * outputs + j] = this.#block[this.#at + offset]!;
      }
    }
    this.#at += rows * padded(outputs);
    return { w, b: this.#vector(outputs) };
  }

  #vector(n: number): Float64Array {
    const values = Float64Array.from({ length: n }, (_, j) => this.#block[this.#at + j]!);
    this.#at += this.#kernels.padded(n);
    return values;
  }

  noise(layer: Layer, isHead: boolean): void {
    const { w, b } = this.#weights(layer.inputs, layer.outputs, isHead);
    layer.sigmaW = w;
    layer.sigmaB = b;
    if (layer.gain) this.#at += 2 * this.#kernels.padded(layer.outputs);
  }

  alignTo(floats: number): void {
    this.#at = Math.ceil(this.#at / floats) * floats;
  }

  statistics(layer: Layer): void {
    layer.mean = this.#vector(layer.outputs);
    layer.variance = this.#vector(layer.outputs);
  }
}

/** All layers in the order of a parameter block. */
export function layersOf(network: Network): Layer[] {
  return [...network.hidden, network.head, ...(network.value ? layersOf(network.value) : [])];
}

/** How a forward goes: with the statistics of its batch, and outputs dropped by a generator's draws. */
export interface Pass {
  isTraining: boolean;
  dropout?: { share: number; rng: Pcg32 };
}

export const INFERENCE: Pass = { isTraining: false };

/** Outputs for each row, and what the last hidden layer but one gave (or the rows). */
export function forwardRows(
  network: Network,
  rows: number[][],
  pass: Pass,
): { outputs: number[][]; trunk: number[][] } {
  let h = rows;
  let trunk = rows;
  for (const layer of network.hidden) {
    trunk = h;
    h = activate(layer, network, affine(layer, h), pass);
  }
  return { outputs: affine(network.head, h), trunk };
}

function affine({ inputs, outputs, w, b }: Layer, rows: number[][]): number[][] {
  return rows.map((x) => {
    const y = Array.from(b);
    for (let i = 0; i < inputs; i++) {
      const xi = x[i]!;
      if (xi !== 0) for (let j = 0; j < outputs; j++) y[j]! += xi * w[i * outputs + j]!;
    }
    return y;
  });
}

function activate(layer: Layer, { normalization, activation }: Network, z: number[][], pass: Pass): number[][] {
  const { gain, shift, mean, variance, outputs } = layer;
  const columns = Array.from({ length: outputs }, (_, j) => j);
  const perColumn =
    normalization === "batch" && pass.isTraining ? columns.map((j) => moments(z.map((row) => row[j]!))) : undefined;
  return z.map((row) => {
    const own = normalization === "layer" ? moments(row) : undefined;
    return row.map((value, j) => {
      let a = value;
      if (normalization !== "none") {
        const m = own ?? perColumn?.[j] ?? { mean: mean![j]!, variance: variance![j]! };
        a = (gain![j]! * (value - m.mean)) / Math.sqrt(m.variance + 1e-5) + shift![j]!;
      }
      const h = ACTIVATIONS[activation](a);
      if (!pass.isTraining || !pass.dropout?.share) return h;
      const { share, rng } = pass.dropout;
      return rng.next() < Math.floor(share * 2 ** 32) ? 0 : h / (1 - share);
    });
  });
}

/** A state: what is seen, and which actions or candidates are on offer. */
export interface Offer {
  observation: number[];
  /** With fixed actions: which are available. */
  mask?: boolean[];
  /** With candidates: their features. */
  set?: number[][];
}

/** theta[state][action][quantile]: the matrix of action values, dueling where the network is: with fixed actions centred over all. */
export function matrices(network: Network, states: Offer[], quantiles: number, pass: Pass = INFERENCE): number[][][] {
  const rows = states.flatMap(({ observation, set }) => (set ? set.map((c) => [...observation, ...c]) : [observation]));
  const { outputs, trunk } = forwardRows(network, rows, pass);
  const split = (flat: number[]) =>
    Array.from({ length: flat.length / quantiles }, (_, a) => flat.slice(a * quantiles, (a + 1) * quantiles));
  let at = 0;
  const theta = states.map(({ set }) => (set ? outputs.slice(at, (at += set.length)) : split(outputs[at++]!)));
  if (!network.value) return theta;
  const v = forwardRows(network.value, network.isShared ? trunk : states.map((s) => s.observation), pass).outputs;
  return theta.map((advantages, s) => {
    const n = states[s]!.set ? Number.POSITIVE_INFINITY : advantages.length;
    const mean = v[s]!.map((_, i) => advantages.reduce((sum, A) => sum + A[i]! / n, 0));
    return advantages.map((A) => A.map((value, i) => v[s]![i]! + value - mean[i]!));
  });
}

/** Noise of each layer, in the engine's order of draws. */
export function drawNoise(network: Network, rng: Pcg32): { a: number[]; b: number[] }[] {
  return layersOf(network).map(({ inputs, outputs }) => ({ a: noises(rng, inputs), b: noises(rng, outputs) }));
}

function noises(rng: Pcg32, n: number): number[] {
  const x: number[] = [];
  while (x.length < n) {
    const u = 2 * rng.uniform() - 1;
    const v = 2 * rng.uniform() - 1;
    const s = u * u + v * v;
    if (s >= 1 || Math.fround(s) === 0) continue;
    const scale = Math.sqrt((-2 * Math.log(Math.fround(s))) / s);
    x.push(u * scale, v * scale);
  }
  return x.slice(0, n).map((value) => Math.sign(value) * Math.sqrt(Math.abs(value)));
}

/** The network whose weights carry noise. */
export function perturbed(network: Network, noise: { a: number[]; b: number[] }[]): Network {
  let l = 0;
  const layer = (given: Layer): Layer => {
    const { a, b } = noise[l++]!;
    const w = given.w.map((mu, i) => {
      const j = i % given.outputs;
      return mu + given.sigmaW![i]! * a[(i - j) / given.outputs]! * b[j]!;
    });
    return { ...given, w, b: given.b.map((mu, j) => mu + given.sigmaB![j]! * b[j]!) };
  };
  const apply = (given: Network): Network => {
    const hidden = given.hidden.map(layer);
    const head = layer(given.head);
    const { normalization, activation, isShared } = given;
    const result: Network = { hidden, head, normalization, activation, isShared };
    if (given.value) result.value = apply(given.value);
    return result;
  };
  return apply(network);
}

/** Everything that is trained, array by array; those of two networks with one plan correspond. */
export function parametersOf(network: Network): Float64Array[] {
  return layersOf(network).flatMap(({ w, b, gain, shift, sigmaW, sigmaB }) =>
    [w, b, gain, shift, sigmaW, sigmaB].filter((x) => x !== undefined),
  );
}

/** d loss / d parameters by central differences, in the order of flat(). */
export function differences(network: Network, loss: () => number, step = 1e-6): number[] {
  return parametersOf(network).flatMap((parameters) =>
    Array.from(parameters, (value, i) => {
      parameters[i] = value + step;
      const above = loss();
      parameters[i] = value - step;
      const below = loss();
      parameters[i] = value;
      return (above - below) / (2 * step);
    }),
  );
}

/** All trained parameters, one after the other. */
export function flat(network: Network): number[] {
  return parametersOf(network).flatMap((parameters) => Array.from(parameters));
}
