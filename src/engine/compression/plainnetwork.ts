import type { DQN, LayerWeights, ResolvedOptions, SparseOptions } from "../index.js";
import { type AgentState, naming, requirePlain } from "./state.js";

/** What a layer reads for one row: dense numbers, and indices with their weights. */
export interface LayerInput {
  readonly dense: Float64Array;
  /** By column of the layer's weights. */
  readonly indexed: ReadonlyMap<number, number>;
}

/** Gets what a layer reads. The arrays are valid during the call. */
export type Visit = (layer: number, input: LayerInput) => void;

const NO_INDICES: ReadonlyMap<number, number> = new Map();
const EPSILON = 1e-5;

/** Where in the first layer's columns an input lies. */
interface Columns {
  readonly dense: number;
  readonly sparse: SparseOptions | undefined;
  readonly from: number;
}

/**
 * The layers of an agent as plain numbers, run in f64: what ranges are measured with, and how much neurons matter. Layers are
 * those of `weights()`, in its order: the main stream, then that of the value.
 */
export class PlainNetwork {
  readonly layers: readonly LayerWeights[];
  readonly options: Readonly<ResolvedOptions>;
  /** Index of the first layer of the value stream; the number of layers where there is none. */
  readonly valueAt: number;
  readonly #observation: Columns;
  readonly #candidate: Columns;

  /** @throws TypeError for another activation than ReLU, which alone it has, and int8 too. */
  constructor(options: Readonly<ResolvedOptions>, layers: readonly LayerWeights[]) {
    requirePlain(options);
    this.options = options;
    this.layers = layers;
    const value = layers.findIndex(({ name }) => name.startsWith("value."));
    this.valueAt = value < 0 ? layers.length : value;
    const { observation, sparse, candidates } = options;
    this.#observation = { dense: observation, sparse, from: 0 };
    const from = observation + (sparse?.size ?? 0);
    this.#candidate = { dense: candidates?.features ?? 0, sparse: candidates?.sparse, from };
  }

  /** Whether the value stream reads the last but one hidden layer, in place of the observation. */
  get isShared(): boolean {
    return !this.options.candidates && this.options.hidden.length > 1;
  }

  /**
   * Runs the states, and shows what each layer reads in each of their rows: one a state, or one a candidate.
   *
   * @param agent - The agent whose layers these are: it checks and stages the states.
   * @param name - Of the states, for messages.
   */
  visit(agent: DQN, name: string, states: readonly AgentState[], visit: Visit): void {
    const { candidates } = this.options;
    for (const [i, { observation, available }] of states.entries()) {
      const rows = naming(name, i, () => agent.evaluate(observation, available)).length;
      const seen = inputOf(this.#observation, agent.observation, 0);
      if (!candidates) {
        const trunk = this.#run(seen, 0, this.valueAt, visit);
        if (this.valueAt === this.layers.length) continue;
        this.#run(this.isShared ? trunk : seen, this.valueAt, this.layers.length, visit);
        continue;
      }
      for (let row = 0; row < rows; row++) {
        const offered = inputOf(this.#candidate, agent.candidates, row);
        this.#run(joined(seen, offered, this.#candidate), 0, this.valueAt, visit);
      }
      if (this.valueAt < this.layers.length) this.#run(seen, this.valueAt, this.layers.length, visit);
    }
  }

  /** Layers from..to-1; returns what the last hidden one reads. */
  #run(input: LayerInput, from: number, to: number, visit: Visit): LayerInput {
    let last = input;
    for (let l = from; l < to; l++) {
      visit(l, input);
      if (l === to - 2) last = input;
      if (l < to - 1) input = { dense: activations(this.layers[l]!, input), indexed: NO_INDICES };
    }
    return last;
  }
}

/** A row of staged words. */
function inputOf({ dense, sparse, from }: Columns, words: Float32Array, row: number): LayerInput {
  const slots = sparse?.slots ?? 0;
  const at = row * (dense + 2 * slots);
  const numbers = Float64Array.from(words.subarray(at, at + dense));
  if (slots === 0) return { dense: numbers, indexed: NO_INDICES };
  const indices = new Int32Array(words.buffer, words.byteOffset + 4 * (at + dense), slots);
  const indexed = new Map<number, number>();
  for (const [s, index] of indices.entries()) {
    const weight = words[at + dense + slots + s]!;
    if (weight !== 0) indexed.set(from + dense + index, weight);
  }
  return { dense: numbers, indexed };
}

/** An observation with a candidate behind it: dense numbers stand where their columns are. */
function joined(seen: LayerInput, offered: LayerInput, second: Columns): LayerInput {
  const dense = new Float64Array(second.from + second.dense);
  dense.set(seen.dense);
  dense.set(offered.dense, second.from);
  return { dense, indexed: new Map([...seen.indexed, ...offered.indexed]) };
}

/** Outputs of a layer before normalisation and ReLU. */
function outputsOf({ inputs, outputs, weight, bias }: LayerWeights, { dense, indexed }: LayerInput): Float64Array {
  const z = Float64Array.from(bias);
  for (let o = 0; o < outputs; o++) {
    const row = o * inputs;
    let sum = z[o]!;
    for (let i = 0; i < dense.length; i++) sum += weight[row + i]! * dense[i]!;
    for (const [column, x] of indexed) sum += weight[row + column]! * x;
    z[o] = sum;
  }
  return z;
}

/** Outputs of a hidden layer. */
function activations(layer: LayerWeights, input: LayerInput): Float64Array {
  const z = outputsOf(layer, input);
  const { gain, shift } = layer;
  if (gain && shift) {
    const mean = z.reduce((sum, x) => sum + x, 0) / z.length;
    const variance = z.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / z.length;
    const spread = 1 / Math.sqrt(variance + EPSILON);
    for (let o = 0; o < z.length; o++) z[o] = gain[o]! * (z[o]! - mean) * spread + shift[o]!;
  }
  for (let o = 0; o < z.length; o++) z[o] = Math.max(0, z[o]!);
  return z;
}
