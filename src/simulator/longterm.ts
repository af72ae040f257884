import { above, between, checked, integer, mustBe, type Rules } from "../check/index.js";
import { exp, log1p, pow, Random, sigmoid } from "../numeric/index.js";
import type { Environment, StepResult } from "../training/index.js";

/** Share of the exposure that is kept from one step to the next, and the deviation of what else changes it. */
const MEMORY = 0.7;
const INNOVATION = 0.05;
/** Width of the exposure at the start, around 0. */
const START_WIDTH = 1 / (1 - MEMORY);
/** Log engagement at satisfaction 1, with a document of pure kale, and what pure choc adds; its deviation is 1 for both. */
const KALE = 4;
const CHOC = 1;
/** Largest engagement that is observed; the reward is not cut. */
const OBSERVED_MOST = 100;

/** Size of `LongTermSatisfaction`, and how strongly the past tells. */
export interface LongTermSatisfactionOptions {
  /** Documents to choose from at each step, in [1, 1000]. Default 10. */
  candidates: number;
  /** Steps of an episode, in [1, 10000]. Default 60, as in RecSim. */
  steps: number;
  /**
   * How strongly the exposure moves satisfaction, in (0, 10]. Default 0.01, as in RecSim's code: so little that nothing
   * but choc is best. From 0.1 on it is better to show mostly kale.
   */
  sensitivity: number;
  /** Last steps that an observation holds, in [0, 1000]. Default 10. */
  history: number;
}

const DEFAULTS: LongTermSatisfactionOptions = { candidates: 10, steps: 60, sensitivity: 0.01, history: 10 };
const TABLE: Rules<LongTermSatisfactionOptions> = {
  candidates: integer(1, 1000),
  steps: integer(1, 10_000),
  sensitivity: above(0, 10),
  history: integer(0, 1000),
};

/**
 * RecSim's long-term satisfaction, also known as choc and kale: documents between kale, which satisfies, and choc, which
 * engages now and satisfies less later. Satisfaction, which multiplies engagement, is hidden.
 *
 * Each document has a score in [0, 1], drawn uniformly: 0 is kale, 1 choc. At exposure x, satisfaction is
 * s = sigmoid(sensitivity x), and a document of score c engages by exp((4 + c) s + z); then x becomes
 * .7 x + 1 - 2 c + .05 z', with z and z' standard normal. At the start x is uniform between -5/3 and 5/3.
 *
 * Observation: (1 + 2 history) the share of the steps that is left, and of each of the last steps, the latest first,
 * 1 - 2 c and log(1 + engagement), the latter cut at 100; 0 for steps before the first. Candidates: (candidates, 1), the scores.
 * Action: an index of a candidate. Reward: the engagement. Terminated after `steps`; never truncated.
 *
 * Restated from Ie et al. 2019, "RecSim" (arXiv:1909.04847), and the constants of google-research/recsim
 * (`recsim/environments/long_term_satisfaction.py`), with slates of one and new documents at each step.
 */
export class LongTermSatisfaction implements Environment {
  readonly observationSize: number;
  /** Features of a candidate. */
  readonly features = 1;
  readonly options: Readonly<LongTermSatisfactionOptions>;
  /** (candidates) the score of each, in [0, 1]: 0 is kale, 1 choc. */
  readonly scores: Float64Array;
  readonly #observation: Float32Array;
  #random!: Random;
  #seed = 0;
  #exposure = 0;
  #left = 0;

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(options: Partial<LongTermSatisfactionOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    this.scores = new Float64Array(this.options.candidates);
    this.observationSize = 1 + 2 * this.options.history;
    this.#observation = new Float32Array(this.observationSize);
  }

  /** Satisfaction in (0, 1), which no policy sees. */
  get satisfaction(): number {
    return sigmoid(this.options.sensitivity * this.#exposure);
  }

  /** Net positive exposure, which no policy sees. */
  get exposure(): number {
    return this.#exposure;
  }

  reset(seed: number = this.#seed): Float32Array {
    this.#random = Random.named(seed, "longterm");
    this.#seed = seed + 1;
    this.#left = this.options.steps;
    this.#exposure = (this.#random.uniform() - 0.5) * START_WIDTH;
    this.#observation.fill(0);
    return this.#draw();
  }

  /**
   * @param action - Index of a candidate.
   * @throws RangeError for another index, Error where the episode is over.
   */
  step(action: number): StepResult {
    if (this.#left <= 0) throw new Error("the episode is over: reset() must be called before step()");
    const score = Number.isInteger(action) ? this.scores[action] : undefined;
    if (score === undefined) {
      throw new RangeError(`"action" must be an integer in [0, ${this.scores.length - 1}], got ${action}`);
    }
    const reward = exp((KALE + CHOC * score) * this.satisfaction + this.#random.normal());
    this.#exposure = MEMORY * this.#exposure + 1 - 2 * score + INNOVATION * this.#random.normal();
    this.#left--;
    this.#remember(score, reward);
    return { observation: this.#draw(), reward, terminated: this.#left === 0, truncated: false };
  }

  /** (candidates, 1) */
  candidates(): Float32Array {
    return Float32Array.from(this.scores);
  }

  #remember(score: number, engagement: number): void {
    if (this.options.history === 0) return;
    this.#observation.copyWithin(3, 1, this.observationSize - 2);
    this.#observation[1] = 1 - 2 * score;
    this.#observation[2] = log1p(Math.min(OBSERVED_MOST, engagement));
  }

  /** New documents. */
  #draw(): Float32Array {
    for (let i = 0; i < this.scores.length; i++) this.scores[i] = this.#random.uniform();
    this.#observation[0] = this.#left / this.options.steps;
    return this.#observation;
  }
}

/** Chooses a candidate of `LongTermSatisfaction`, as its index. */
export type DocumentPolicy = (environment: LongTermSatisfaction) => number;

/** The candidate of the highest score times `sign`. */
function extreme(scores: Float64Array, sign: number): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (sign * scores[i]! > sign * scores[best]!) best = i;
  return best;
}

/** Shows what is most like choc: the most engaging now. */
export const chocDocuments: DocumentPolicy = ({ scores }) => extreme(scores, 1);

/** Shows what is most like kale. */
export const kaleDocuments: DocumentPolicy = ({ scores }) => extreme(scores, -1);

/**
 * Shows what is most like choc with a fixed chance, and else what is most like kale.
 *
 * @param choc - The chance, in [0, 1].
 */
export function mixedDocuments(choc: number, seed: number): DocumentPolicy {
  const random = Random.named(seed, "mixture");
  return (environment) => (random.bernoulli(choc) ? chocDocuments : kaleDocuments)(environment);
}

/** (episodes) engagement in each episode, with consecutive seeds from `seed` (default 0). */
export function satisfactionReturns(
  policy: DocumentPolicy,
  options: Partial<LongTermSatisfactionOptions>,
  episodes: number,
  seed = 0,
): Float64Array {
  const environment = new LongTermSatisfaction(options);
  return Float64Array.from({ length: episodes }, (_, episode) => {
    environment.reset(seed + episode);
    let sum = 0;
    for (let isOver = false; !isOver; ) {
      const { reward, terminated } = environment.step(policy(environment));
      sum += reward;
      isOver = terminated;
    }
    return sum;
  });
}

/** Points of the exposure, within what it can reach but for its noise, at which the value is kept. */
const POINTS = 201;
const REACH = START_WIDTH + 0.5;
const SPACING = (2 * REACH) / (POINTS - 1);
/** Equally likely parts of the distribution of a score, each taken at its mean. */
const PARTS = 24;

/** The mean of the highest of n uniform scores in each of its equally likely parts. */
function partsOfHighest(n: number): Float64Array {
  const power = 1 + 1 / n;
  const below = (part: number) => pow(part / PARTS, power) / power;
  return Float64Array.from({ length: PARTS }, (_, part) => PARTS * (below(part + 1) - below(part)));
}

/** The value at an exposure between the points, by linear interpolation. */
function valueAt(values: Float64Array, exposure: number): number {
  const place = Math.min(POINTS - 1, Math.max(0, (exposure + REACH) / SPACING));
  const at = Math.min(POINTS - 2, Math.floor(place));
  return values[at]! + (place - at) * (values[at + 1]! - values[at]!);
}

/**
 * Expected engagement of an episode with `mixedDocuments`, by dynamic programming over the exposure; within 0.1 % of the
 * truth.
 *
 * @param choc - The chance of choc, in [0, 1].
 * @throws TypeError or RangeError for an option that is unknown or out of range; RangeError for a wrong chance.
 */
export function mixtureValue(choc: number, options: Partial<LongTermSatisfactionOptions> = {}): number {
  const [isChance, must] = between(0, 1);
  if (!isChance(choc)) throw mustBe("choc", must, choc);
  const { candidates, steps, sensitivity } = checked(options, TABLE, DEFAULTS);
  const highest = partsOfHighest(candidates);
  const parts = [
    ...Array.from(highest, (score) => ({ score, weight: choc / PARTS })),
    ...Array.from(highest, (score) => ({ score: 1 - score, weight: (1 - choc) / PARTS })),
  ];
  const exposures = Float64Array.from({ length: POINTS }, (_, i) => i * SPACING - REACH);
  // The noise of engagement multiplies its mean by exp(1 / 2).
  const engagement = exposures.map((x) => {
    const satisfied = sigmoid(sensitivity * x);
    return parts.reduce((sum, { score, weight }) => sum + weight * exp((KALE + CHOC * score) * satisfied + 0.5), 0);
  });
  let values = new Float64Array(POINTS);
  for (let step = 0; step < steps; step++) {
    const after = values;
    values = exposures.map((x, i) => {
      let sum = engagement[i]!;
      for (const { score, weight } of parts) {
        const next = MEMORY * x + 1 - 2 * score;
        sum += (weight * (valueAt(after, next - INNOVATION) + valueAt(after, next + INNOVATION))) / 2;
      }
      return sum;
    });
  }
  let sum = 0;
  for (let part = 0; part < PARTS; part++) sum += valueAt(values, ((part + 0.5) / PARTS - 0.5) * START_WIDTH);
  return sum / PARTS;
}

/** Chances of choc that are tried first, and how finely the best is then looked for. */
const TRIED = 20;
const FINEST = 1e-3;

/** The best chance of choc for `mixedDocuments`, and its expected engagement of an episode: what a fixed mixture can earn. */
export function bestMixture(options: Partial<LongTermSatisfactionOptions> = {}): { choc: number; value: number } {
  let best = { choc: 0, value: Number.NEGATIVE_INFINITY };
  const attempt = (choc: number) => {
    const value = mixtureValue(choc, options);
    if (value > best.value) best = { choc, value };
  };
  for (let i = 0; i <= TRIED; i++) attempt(i / TRIED);
  for (let step = 1 / TRIED / 2; step >= FINEST; step /= 2) {
    const { choc } = best;
    if (choc - step >= 0) attempt(choc - step);
    if (choc + step <= 1) attempt(choc + step);
  }
  return best;
}
