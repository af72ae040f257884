import type { LayerWeights } from "../index.js";
import type { LayerInput, PlainNetwork, Visit } from "./plainnetwork.js";

/** What the inputs of a layer were in the states of a calibration. */
export class Ranges {
  /** (inputs) largest absolute value of each column, and its mean. */
  readonly largest: Float64Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  #rows = 0;

  constructor({ inputs }: LayerWeights) {
    this.largest = new Float64Array(inputs);
    this.#sums = new Float64Array(inputs);
    this.#squares = new Float64Array(inputs);
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
