import { exp } from "../../numeric/index.js";
import type { ExploreOptions } from "./explorer.js";
import type { Scores } from "./scored.js";
import { selectBest } from "./selection.js";

/** Keeps streams far below the best, whose exponentials vanish, drawable when no others remain. */
const WEIGHT_MIN = 1e-200;

/** What each candidate adds to the diversity of the slate so far, and its weight in [0, 1]. */
export interface Terms {
  readonly terms: Float64Array;
  readonly weight: number;
}

/** The candidates that may take a position: those of one state. */
export interface Eligible {
  readonly states: Uint8Array;
  readonly state: number;
}

/** A policy that fills a slate position by position. All ways to explore are one, so that propensities are exact. */
export interface Strategy {
  /** The candidates that the next position may take, after `next`; the probability of each. */
  readonly pool: Int32Array;
  readonly chances: Float64Array;
  /** Writes the distribution of the next position, given the slate so far; returns the number of candidates in it. */
  next(eligible: Eligible): number;
  /** The slate goes on with a candidate, whether or not this policy would have chosen it. */
  add(index: number): void;
}

/** The standard deviation of the first n scores. */
export function deviation(scores: Float32Array | Float64Array, n: number): number {
  let mean = 0;
  for (let i = 0; i < n; i++) mean += scores[i]! / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += ((scores[i]! - mean) * (scores[i]! - mean)) / n;
  return Math.sqrt(variance);
}

/**
 * One score set as a policy: of the candidates with the best scores given the slate so far, the best, or with
 * probability epsilon one by a softmax:
 *
 *     p(i) = (1 - epsilon) * [i is the best] + epsilon * softmax(scores / (temperature * deviation))(i)
 *
 * The score of a candidate is its value; with `choices`, the value of the slate with it, (q0 + sum v q) / (1 + sum v):
 * the greedy slates of SlateQ (Ie et al. 2019, arXiv:1905.12767). With diversity it is (1 - weight) * score / (deviation
 * of the scores of an empty slate) + weight * term: the greedy maximum of one function of slates.
 */
export class Head implements Strategy {
  pool = new Int32Array(0);
  chances = new Float64Array(0);
  readonly #options: Readonly<ExploreOptions>;
  /** The scores of the next position. */
  #scores = new Float64Array(0);
  /** The values, with their bonuses. */
  #values = new Float32Array(0);
  #choices: Float32Array | undefined;
  #diversity: Terms | undefined;
  #n = 0;
  /** q0 + sum v q and 1 + sum v of the slate so far. */
  #total = 0;
  #weight = 1;
  /** One over the deviation of the scores of an empty slate, and the best of them. */
  #scale = 0;
  #best = 0;

  constructor(options: Readonly<ExploreOptions>) {
    this.#options = options;
  }

  /**
   * An empty slate.
   * @param bonuses - For each candidate, deviations of the values that are added to its value. Default: none.
   */
  begin({ values, choices, nothing = 0 }: Scores, bonuses?: Float64Array, diversity?: Terms): void {
    const n = values.length;
    this.#reserve(n);
    this.#n = n;
    this.#choices = choices;
    this.#total = nothing;
    this.#weight = 1;
    this.#values.set(values);
    if (bonuses !== undefined) {
      const unit = deviation(values, n);
      for (let i = 0; i < n; i++) this.#values[i]! += unit * bonuses[i]!;
    }
    this.#diversity = undefined;
    this.#score();
    this.#diversity = diversity;
    this.#scale = inverse(deviation(this.#scores, n));
    this.#best = n > 0 ? this.#scores[0]! : 0;
    for (let i = 1; i < n; i++) this.#best = Math.max(this.#best, this.#scores[i]!);
  }

  next(eligible: Eligible): number {
    const { epsilon, temperature, top } = this.#options;
    const isFixed = this.#choices === undefined && this.#diversity === undefined;
    if (!isFixed) this.#score();
    const limit = Math.min(epsilon === 0 ? 1 : top, this.pool.length);
    const size = selectBest(this.#scores, this.#n, eligible, this.pool, limit);
    if (size === 0) return 0;
    // Scores that change with the slate are measured anew, among those that may take the position.
    const scale = (isFixed ? this.#scale : inverse(this.#spread(eligible))) / temperature;
    const best = isFixed ? this.#best : this.#scores[this.pool[0]!]!;
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const weight = Math.max(exp((this.#scores[this.pool[i]!]! - best) * scale), WEIGHT_MIN);
      this.chances[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < size; i++) this.chances[i] = (i === 0 ? 1 - epsilon : 0) + (epsilon * this.chances[i]!) / sum;
    return size;
  }

  add(index: number): void {
    if (this.#choices === undefined) return;
    const weight = this.#choices[index]!;
    this.#total += weight * this.#values[index]!;
    this.#weight += weight;
  }

  #reserve(n: number): void {
    if (this.#values.length >= n) return;
    this.#values = new Float32Array(n);
    this.#scores = new Float64Array(n);
    this.pool = new Int32Array(Math.min(this.#options.top, n));
    this.chances = new Float64Array(this.pool.length);
  }

  /** Writes each candidate's score given the slate so far. */
  #score(): void {
    const [n, scores, values, choices] = [this.#n, this.#scores, this.#values, this.#choices];
    if (choices === undefined) for (let i = 0; i < n; i++) scores[i] = values[i]!;
    else {
      const [total, weight] = [this.#total, this.#weight];
      for (let i = 0; i < n; i++) scores[i] = (total + choices[i]! * values[i]!) / (weight + choices[i]!);
    }
    if (this.#diversity === undefined) return;
    const { terms, weight } = this.#diversity;
    const unit = (1 - weight) * this.#scale;
    for (let i = 0; i < n; i++) scores[i] = unit * (scores[i]! - this.#best) + weight * terms[i]!;
  }

  /** The deviation of the scores of those that may take the position. */
  #spread({ states, state }: Eligible): number {
    const scores = this.#scores;
    let count = 0;
    let mean = 0;
    for (let i = 0; i < this.#n; i++) {
      if (states[i] !== state) continue;
      count++;
      mean += scores[i]!;
    }
    mean /= count;
    let variance = 0;
    for (let i = 0; i < this.#n; i++) {
      if (states[i] === state) variance += ((scores[i]! - mean) * (scores[i]! - mean)) / count;
    }
    return Math.sqrt(variance);
  }
}

/** One over a deviation; 0 where all are the same. */
function inverse(spread: number): number {
  return spread > 0 ? 1 / spread : 0;
}
