import { between, checked, integer, type Rules } from "../check/index.js";
import { ContinuousAgent, type ContinuousOptions, type FileBytes } from "../engine/index.js";
import { defaultFeatures, featureSizes } from "../recommender/features/index.js";
import type { QFunction } from "../recommender/index.js";
import type { SlateTransition } from "../recommender/learning/index.js";

export interface StreamWeightsOptions {
  /** Length of an observation, [1, 4096]. Default that of `defaultFeatures()`. */
  observation: number;
  /** Length of a candidate, [1, 1024]. Default that of `defaultFeatures()`. */
  candidate: number;
  /** Standard deviation of the noise on weights, which are in [-1, 1]; [0, 10]. Default 0.3. [set by hand] */
  noise: number;
  /** Of everything random, [0, 2^53 - 1]. Default 0. */
  seed: number;
  /** Other options of the ContinuousAgent, which win over those that are set here. Default: none. */
  learner: Partial<Omit<ContinuousOptions, "observation" | "continuous" | "seed">>;
}

const TABLE: Rules<StreamWeightsOptions> = {
  observation: integer(1, 4096),
  candidate: integer(1, 1024),
  noise: between(0, 10),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  learner: [(value) => typeof value === "object" && value !== null, "options of a ContinuousAgent"],
};

/** Set by hand on small worlds: an actor that learns as fast as its critics runs into the bounds of its weights. */
const LEARNER = {
  hidden: [64, 64],
  learningRate: 3e-4,
  actorLearningRate: 3e-5,
  batchSize: 128,
  capacity: 20_000,
  learningStarts: 500,
};

/** Weights that wait for their rewards: of more requests, the oldest are forgotten. */
const WAITING = 8192;

/** Largest absolute reward that the agent takes. */
const REWARD_MAX = 1e6;

/**
 * A policy over features, for use as a recommender's agent: an actor gives weights w from the viewer's state, and the score
 * of a stream is w . phi, phi being its features. Weights are the action of TD3 (Fujimoto et al. 2018): what a slate earned is
 * the reward of the weights that ordered it.
 *
 * Give the recommender `warmupUpdates: 0`: it learns from slates that its own weights ordered.
 */
export class StreamWeights implements QFunction {
  readonly options: Readonly<StreamWeightsOptions>;
  readonly #agent: ContinuousAgent;
  /** By observation, the weights that it was answered with. */
  readonly #served = new Map<string, Float64Array>();
  #scores = new Float32Array(0);

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(options: Partial<StreamWeightsOptions> = {}) {
    this.options = checked<StreamWeightsOptions>(options, TABLE, {
      ...featureSizes(defaultFeatures()),
      ...{ noise: 0.3, seed: 0, learner: {} },
    });
    const { observation, candidate, noise, seed, learner } = this.options;
    const continuous = { low: new Array<number>(candidate).fill(-1), high: new Array<number>(candidate).fill(1) };
    const own = { noise, randomSteps: 0, rewardClip: REWARD_MAX, ...LEARNER, ...learner };
    this.#agent = new ContinuousAgent({ ...own, observation, continuous, seed });
  }

  get steps(): number {
    return this.#agent.steps;
  }

  get updates(): number {
    return this.#agent.updates;
  }

  /**
   * (n) scores of the rows of `candidates`, by weights with noise; a view that the next call overwrites. The same
   * observation gets the same weights, while they are known.
   */
  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    const { candidate: width } = this.options;
    const n = candidates.length / width;
    if (this.#scores.length < n) this.#scores = new Float32Array(2 * n);
    const weights = this.#weightsFor(observation);
    for (let i = 0; i < n; i++) {
      let score = 0;
      for (let f = 0; f < width; f++) score += weights[f]! * candidates[i * width + f]!;
      this.#scores[i] = score;
    }
    return this.#scores.subarray(0, n);
  }

  #weightsFor(observation: ArrayLike<number>): Float64Array {
    const key = keyOf(observation);
    const known = this.#served.get(key);
    if (known) return known;
    const weights = this.#agent.act(observation).slice();
    this.#served.set(key, weights);
    if (this.#served.size > WAITING) this.#served.delete(this.#served.keys().next().value!);
    return weights;
  }

  /** Learns what the weights earned; of a slate that others ordered, as if the actor's own had. */
  observe({ observation, nextObservation, reward, terminated, discount }: SlateTransition): void {
    const key = keyOf(observation);
    const action = this.#served.get(key) ?? this.#agent.act(observation, 0).slice();
    const outcome = { reward, terminated, ...(discount !== undefined && { discount }) };
    this.#agent.observe({ observation, action, nextObservation, ...outcome });
  }

  learn(updates?: number): number {
    return this.#agent.learn(updates);
  }

  /** The agent as a file; weights that wait for their rewards are not in it. */
  save(): Uint8Array {
    return this.#agent.save();
  }

  /**
   * Takes the weights of a file that `save` gave; replay and counters stay.
   * @throws SnapshotError for another file, RangeError for one of other sizes; nothing changes then.
   */
  load(file: FileBytes): void {
    const saved = ContinuousAgent.load(file);
    try {
      this.#agent.restoreWeights(saved.copyWeights());
    } finally {
      saved.dispose();
    }
    this.#served.clear();
  }

  dispose(): void {
    this.#agent.dispose();
  }
}

/** The bytes of an observation as a text. */
function keyOf(observation: ArrayLike<number>): string {
  return String.fromCharCode(...new Uint16Array(Float32Array.from(observation).buffer));
}
