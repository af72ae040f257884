import { between, checked, integer, oneOf, positive, positiveInteger, type Rules } from "../../check/index.js";
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
  /**
   * Score sets of a request, each by weights with new noise, of which a slate follows one: deep exploration by samples
   * of the value (Fortunato et al. 2018, arXiv:1706.10295; Osband et al. 2016, arXiv:1602.04621). More than 1 needs
   * `learner.noisySigma` above 0. In [1, 64]. Default 1: no noise.
   */
  heads: number;
  /**
   * How an ensemble explores that is given as the agent; others have no members. `thompson`: each slate follows one member,
   * each as likely (Osband et al. 2016, arXiv:1602.04621); propensities are exact, over all of them. `session`: the slates of
   * a user's session follow one; propensities are exact given that one. `optimism`: the values' mean plus `optimism`
   * standard deviations of the members'. `mean`: the mean alone. Default `thompson`.
   */
  members: "thompson" | "session" | "optimism" | "mean";
  /** Standard deviations that `members: "optimism"` adds, [0, 1000]. Default 1. */
  optimism: number;
}

/** What a request may say about its exploration. */
export type RequestExploration = Partial<Pick<ExploreOptions, "epsilon" | "temperature" | "top">>;

const DEFAULTS: ExploreOptions = {
  ...{ epsilon: 0.05, temperature: 1, top: 32, bonus: 0, heads: 1 },
  ...{ members: "thompson", optimism: 1 },
};

const TABLE: Rules<ExploreOptions> = {
  epsilon: between(0, 1),
  temperature: positive,
  top: positiveInteger,
  bonus: between(0, 1000),
  heads: integer(1, 64),
  members: oneOf("thompson", "session", "optimism", "mean"),
  optimism: between(0, 1000),
};

/** The standard deviation of some scores. */
export function deviation(scores: Float32Array): number {
  const n = scores.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += scores[i]! / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += ((scores[i]! - mean) * (scores[i]! - mean)) / n;
  return Math.sqrt(variance);
}

/** How likely each stream of a pool takes a position. */
export class Explorer {
  options: Readonly<ExploreOptions>;
  readonly #own: Readonly<ExploreOptions>;
  readonly #random: Random;

  /** @throws TypeError or RangeError when an option is unknown or out of its range. */
  constructor(random: Random, options: Partial<ExploreOptions> = {}) {
    this.options = this.#own = checked(options, TABLE, DEFAULTS, "explore.");
    this.#random = random;
  }

  /**
   * Explores by other options until the next call; not given: by its own.
   * @throws TypeError or RangeError when an option is unknown or out of its range; nothing changes then.
   */
  use(options: RequestExploration = {}): void {
    const { epsilon, temperature, top } = TABLE;
    this.options = checked(options, { epsilon, temperature, top } as Rules<ExploreOptions>, this.#own, "explore.");
  }

  /** The scores with their bonuses; `impressions(i)` returns the impressions of the i-th. */
  lift(scores: Float32Array, impressions: (index: number) => number): Float32Array {
    const scale = this.options.bonus * deviation(scores);
    return scores.map((score, i) => score + scale / Math.sqrt(impressions(i) + 1));
  }

  /** The random number of one position, in [0, 1). */
  uniform(): number {
    return this.#random.uniform();
  }

  /**
   * Writes the probability of each of `pool[0..n)`, which holds indices into the scores, best first; n >= 1:
   *
   *     p(i) = (1 - epsilon) * [i is the best] + epsilon * softmax(scores * unit / temperature)(i)
   *
   * @param unit - One over the deviation of the scores; 0 where all are the same.
   */
  weigh(scores: Float32Array, unit: number, pool: Int32Array, n: number, chances: Float64Array): void {
    const { epsilon, temperature } = this.options;
    const best = scores[pool[0]!]!;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const weight = exp(((scores[pool[i]!]! - best) * unit) / temperature);
      chances[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < n; i++) chances[i] = (i === 0 ? 1 - epsilon : 0) + (epsilon * chances[i]!) / sum;
  }
}
