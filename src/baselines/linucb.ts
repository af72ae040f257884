import { checked, integer, mustBe, nonNegative, nonNegativeInteger, positive, type Rules } from "../check/index.js";
import { bytesOf, type FileBytes } from "../engine/index.js";
import { coreFeatures, featureSizes } from "../recommender/features/index.js";
import type { QFunction } from "../recommender/index.js";
import type { SlateTransition } from "../recommender/learning/index.js";

export interface LinUcbOptions {
  /** Weight of the standard deviation of the estimate in a score, >= 0. Default 0.5. [set by hand] */
  alpha: number;
  /** Weight of the squared length of the coefficients, > 0. Default 1, as in the paper. */
  ridge: number;
  /** Length of an observation, [0, 4096]. Default that of `coreFeatures()`. */
  observation: number;
  /** Length of a candidate, [1, 4096]. Default that of `coreFeatures()`. */
  candidate: number;
}

const TABLE: Rules<LinUcbOptions> = {
  alpha: nonNegative,
  ridge: positive,
  observation: integer(0, 4096),
  candidate: integer(1, 4096),
};

const DEFAULTS = { alpha: 0.5, ridge: 1 } satisfies Partial<LinUcbOptions>;

/**
 * A linear contextual bandit, for use as a recommender's agent. The reward of a candidate is linear in x = [1 |
 * observation | candidate]; its score is the upper confidence bound theta . x + alpha sqrt(x' A^-1 x), so that
 * uncertain candidates are tried. All candidates share one model.
 *
 * A is ridge I + sum of x x'; its inverse is updated by the Sherman-Morrison formula.
 *
 * Li et al. 2010, "A Contextual-Bandit Approach to Personalized News Article Recommendation", with shared coefficients.
 */
export class LinUcb implements QFunction {
  readonly options: Readonly<LinUcbOptions>;
  /** Length of x. */
  readonly size: number;
  /** A^-1, (size, size), and the sum of reward * x, (size). */
  readonly #inverse: Float64Array;
  readonly #sum: Float64Array;
  readonly #theta: Float64Array;
  readonly #x: Float64Array;
  readonly #product: Float64Array;
  #scores = new Float32Array(0);
  #steps = 0;

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(options: Partial<LinUcbOptions> = {}) {
    this.options = checked<LinUcbOptions>(options, TABLE, { ...DEFAULTS, ...featureSizes(coreFeatures()) });
    const { ridge, observation, candidate } = this.options;
    this.size = 1 + observation + candidate;
    this.#inverse = new Float64Array(this.size * this.size);
    for (let i = 0; i < this.size; i++) this.#inverse[i * this.size + i] = 1 / ridge;
    this.#sum = new Float64Array(this.size);
    this.#theta = new Float64Array(this.size);
    this.#x = new Float64Array(this.size);
    this.#product = new Float64Array(this.size);
    this.#x[0] = 1;
  }

  /** Number of rewards; each is an update too. */
  get steps(): number {
    return this.#steps;
  }

  get updates(): number {
    return this.#steps;
  }

  /** Learns from each examined stream, of reward 0 unless it was entered; a bandit ignores the next state. */
  observe({ observation, candidates, shown, action, reward }: SlateTransition): void {
    const width = this.options.candidate;
    this.#x.set(observation, 1);
    for (let row = 0; row < shown; row++) {
      this.#x.set(candidates.subarray(row * width, (row + 1) * width), 1 + this.options.observation);
      this.#learn(row === action ? reward : 0);
    }
  }

  #learn(reward: number): void {
    const { size } = this;
    const spread = this.#multiply();
    const [x, v, inverse] = [this.#x, this.#product, this.#inverse];
    const scale = 1 / (1 + spread);
    for (let i = 0, at = 0; i < size; i++) {
      const row = scale * v[i]!;
      for (let j = 0; j < size; j++) inverse[at++]! -= row * v[j]!;
      this.#sum[i]! += reward * x[i]!;
    }
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += inverse[i * size + j]! * this.#sum[j]!;
      this.#theta[i] = sum;
    }
    this.#steps++;
  }

  /** (n) upper confidence bounds of the rows of `candidates`; a view that the next call overwrites. */
  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    const { observation: offset, candidate: width, alpha } = this.options;
    const n = candidates.length / width;
    if (this.#scores.length < n) this.#scores = new Float32Array(2 * n);
    this.#x.set(observation, 1);
    for (let i = 0; i < n; i++) {
      for (let f = 0; f < width; f++) this.#x[1 + offset + f] = candidates[i * width + f]!;
      const spread = alpha > 0 ? this.#multiply() : 0;
      let mean = 0;
      for (let f = 0; f < this.size; f++) mean += this.#theta[f]! * this.#x[f]!;
      this.#scores[i] = mean + alpha * Math.sqrt(Math.max(spread, 0));
    }
    return this.#scores.subarray(0, n);
  }

  /** Does nothing: `observe` has learned already. @returns NaN */
  learn(): number {
    return Number.NaN;
  }

  /** The state as bytes, without the options. */
  save(): Uint8Array {
    const numbers = new Float64Array([this.#steps, ...this.#inverse, ...this.#sum, ...this.#theta]);
    return new Uint8Array(numbers.buffer);
  }

  /**
   * Takes the state that `save` gave.
   * @throws RangeError for a state of another size, or with a number that is not finite; nothing changes then.
   */
  load(file: FileBytes): void {
    const bytes = bytesOf(file);
    const { size } = this;
    const length = 1 + size * (size + 2);
    if (bytes.length !== 8 * length)
      throw new RangeError(`"file" must hold ${length} numbers, got ${bytes.length / 8}`);
    const numbers = new Float64Array(bytes.slice().buffer);
    const wrong = numbers.findIndex((x) => !Number.isFinite(x));
    if (wrong >= 0) throw mustBe(`file.${wrong}`, "a finite number", numbers[wrong]);
    if (!nonNegativeInteger[0](numbers[0])) throw mustBe("file.0", nonNegativeInteger[1], numbers[0]);
    this.#steps = numbers[0]!;
    this.#inverse.set(numbers.subarray(1, 1 + size * size));
    this.#sum.set(numbers.subarray(1 + size * size, 1 + size * (size + 1)));
    this.#theta.set(numbers.subarray(1 + size * (size + 1)));
  }

  /** Does nothing: there is nothing to free. */
  dispose(): void {}

  /** Writes A^-1 x into `#product`; returns x' A^-1 x. */
  #multiply(): number {
    const { size } = this;
    const [x, product, inverse] = [this.#x, this.#product, this.#inverse];
    let spread = 0;
    for (let i = 0, at = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += inverse[at++]! * x[j]!;
      product[i] = sum;
      spread += sum * x[i]!;
    }
    return spread;
  }
}
