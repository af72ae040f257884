import { between, checked, positive, positiveInteger, type Rules } from "../../check/index.js";
import { exp, type Random } from "../../numeric/index.js";

/** How often, and how far, a choice departs from the best score. */
export interface ExploreOptions {
  /** Share of the positions that explore, in [0, 1]. Default 0.05. */
  epsilon: number;
  /**
   * Temperature of the softmax from which an exploring position draws, in standard deviations of the candidates'
   * scores, > 0: a small one stays near the best, a large one is uniform. Default 1. Uniform exploration over all
   * streams on air hurt in production (Zheng et al. 2018, DRN; Chen et al. 2019, arXiv:1812.02353).
   */
  temperature: number;
  /** Number of the best remaining streams from which it draws, at least 1. Default 32. */
  top: number;
  /**
   * Added to the value of a stream whose streamer has n impressions: bonus / sqrt(n + 1), in standard deviations of the
   * candidates' values, in [0, 1000]. n halves in a week; one account adds to it as `profile.influenceWindowMs` allows.
   * The bonus affects the choice alone, and is neither learned nor reported. Counts replace confidence bounds, as in
   * Strehl & Littman 2008 ("An analysis of model-based interval estimation for Markov decision processes"). Default 0:
   * on the simulated platform 1 and 3 showed 3 and 6 % more of the streams, and people watched no longer.
   */
  bonus: number;
}

const DEFAULTS: ExploreOptions = { epsilon: 0.05, temperature: 1, top: 32, bonus: 0 };

const TABLE: Rules<ExploreOptions> = {
  epsilon: between(0, 1),
  temperature: positive,
  top: positiveInteger,
  bonus: between(0, 1000),
};

/** Keeps streams far below the best, whose exponentials vanish, drawable when no others remain. */
const WEIGHT_MIN = 1e-200;

/** The standard deviation of the first n scores. */
function deviation(scores: Float32Array, n: number): number {
  let mean = 0;
  for (let i = 0; i < n; i++) mean += scores[i]! / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += ((scores[i]! - mean) * (scores[i]! - mean)) / n;
  return Math.sqrt(variance);
}

/** Draws streams for the positions of a slate, with the probability of each draw. */
export class Explorer {
  readonly options: Readonly<ExploreOptions>;
  /** The probability of the latest draw, given its pool; (0, 1]. */
  propensity = 1;
  readonly #random: Random;
  /** Softmax weights by candidate; 0 where not computed yet. */
  #weights = new Float64Array(0);
  #scores: Float32Array = new Float32Array(0);
  #best = 0;
  #scale = 0;

  /** @throws TypeError or RangeError when an option is unknown or out of its range. */
  constructor(random: Random, options: Partial<ExploreOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "explore.");
    this.#random = random;
  }

  /** The scores with their bonuses; `impressions(i)` returns the impressions of the i-th. */
  lift(scores: Float32Array, impressions: (index: number) => number): Float32Array {
    const scale = this.options.bonus * deviation(scores, scores.length);
    return scores.map((score, i) => score + scale / Math.sqrt(impressions(i) + 1));
  }

  /** The next draws are among the first n of `scores`; the largest is `best`. */
  begin(scores: Float32Array, n: number, best: number): void {
    if (this.#weights.length < n) this.#weights = new Float64Array(n);
    this.#weights.fill(0, 0, n);
    this.#scores = scores;
    this.#best = best;
    const spread = deviation(scores, n);
    this.#scale = spread > 0 ? 1 / (spread * this.options.temperature) : 0;
  }

  /**
   * An index into `pool[0..n)`, which holds indices into the scores, best first; n >= 1. Takes one random number.
   * p(i) = (1 - epsilon) * [i is the best] + epsilon * softmax(scores / (temperature * deviation))(i).
   */
  draw(pool: Int32Array, n: number): number {
    const sum = this.#sum(pool, n);
    let left = this.#random.uniform();
    let drawn = 0;
    // Rounding may leave a remainder after the last of the pool: it goes to the best.
    for (let i = 0; i < n; i++) {
      const p = this.#chance(pool, i, sum);
      if (left < p) {
        drawn = i;
        break;
      }
      left -= p;
    }
    this.propensity = this.#chance(pool, drawn, sum);
    return drawn;
  }

  /** The probability that `draw` returns each index into `pool[0..n)`; takes no random number. */
  chances(pool: Int32Array, n: number): number[] {
    const sum = this.#sum(pool, n);
    return Array.from({ length: n }, (_, i) => this.#chance(pool, i, sum));
  }

  #sum(pool: Int32Array, n: number): number {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += this.#weight(pool[i]!);
    return sum;
  }

  #chance(pool: Int32Array, i: number, sum: number): number {
    const { epsilon } = this.options;
    return (i === 0 ? 1 - epsilon : 0) + (epsilon * this.#weight(pool[i]!)) / sum;
  }

  #weight(candidate: number): number {
    const known = this.#weights[candidate]!;
    if (known > 0) return known;
    const weight = Math.max(exp((this.#scores[candidate]! - this.#best) * this.#scale), WEIGHT_MIN);
    this.#weights[candidate] = weight;
    return weight;
  }
}
