import type { LayerWeights } from "../index.js";
import type { LayerInput, PlainNetwork, Visit } from "./plainnetwork.js";

/** The most inputs of which it is known how they go together. */
const TOGETHER_MAX = 1024;

/** Share of the mean variance that is added to each; and the same for each input that there was for a row. */
const RIDGE = 1e-4;
const RIDGE_OF_ROWS = 1e-2;

/** What the inputs of a layer were in the states of a calibration. */
export class Ranges {
  /** (inputs) largest absolute value of each column, and its mean. */
  readonly largest: Float64Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  /** (inputs, inputs) sums of products, below and on the diagonal. */
  readonly #products: Float64Array | undefined;
  #rows = 0;

  constructor({ inputs }: LayerWeights) {
    this.largest = new Float64Array(inputs);
    this.#sums = new Float64Array(inputs);
    this.#squares = new Float64Array(inputs);
    this.#products = inputs <= TOGETHER_MAX ? new Float64Array(inputs * inputs) : undefined;
  }

  add({ dense, indexed }: LayerInput): void {
    const { largest } = this;
    for (let i = 0; i < dense.length; i++) {
      const x = dense[i]!;
      largest[i] = Math.max(largest[i]!, Math.abs(x));
      this.#sums[i]! += x;
      this.#squares[i]! += x * x;
    }
    for (const [column, x] of indexed) this.#sums[column]! += x;
    this.#rows++;
    this.#multiply(dense);
  }

  #multiply(dense: Float64Array): void {
    const products = this.#products;
    if (!products) return;
    const n = this.largest.length;
    for (let i = 0; i < dense.length; i++) {
      const x = dense[i]!;
      if (x === 0) continue;
      const row = i * n;
      for (let j = 0; j <= i; j++) products[row + j]! += x * dense[j]!;
    }
  }

  /**
   * (inputs, inputs) covariance of the dense columns, drawn towards its diagonal where there were few rows; undefined where
   * inputs are too many.
   */
  covariance(): Float64Array | undefined {
    const products = this.#products;
    if (!products || this.#rows === 0) return undefined;
    const n = this.largest.length;
    const all = new Float64Array(n * n);
    let trace = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const covariance = products[i * n + j]! / this.#rows - this.mean(i) * this.mean(j);
        all[i * n + j] = all[j * n + i] = covariance;
      }
      trace += Math.max(0, all[i * n + i]!);
    }
    const ridge = (trace / n) * (RIDGE + (RIDGE_OF_ROWS * n) / this.#rows) || 1;
    for (let i = 0; i < n; i++) all[i * n + i]! = Math.max(0, all[i * n + i]!) + ridge;
    return all;
  }

  /** Mean of a column; 0 where nothing was seen. */
  mean(column: number): number {
    return this.#rows === 0 ? 0 : this.#sums[column]! / this.#rows;
  }

  /** Standard deviation of a dense column. */
  deviation(column: number): number {
    const mean = this.mean(column);
    return this.#rows === 0 ? 0 : Math.sqrt(Math.max(0, this.#squares[column]! / this.#rows - mean * mean));
  }
}

/** The ranges of all layers, and what fills them. */
export function rangesOf({ layers }: PlainNetwork): { ranges: Ranges[]; visit: Visit } {
  const ranges = layers.map((layer) => new Ranges(layer));
  return { ranges, visit: (layer, input) => ranges[layer]!.add(input) };
}
