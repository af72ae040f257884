import { checked, integer, type Rules } from "../check/index.js";
import { Random, weightedIndex } from "../numeric/index.js";
import { topK } from "../statistics/index.js";
import type { Environment, StepResult } from "../training/index.js";

/** Topics, of which each document has one; the first are trash, the last nourish. */
const TOPICS = 20;
const TRASHY = 14;
/** Mean quality of the worst and, negated, of the best topic; between them it rises linearly, to 0 in the middle. */
const QUALITY_LEAST = -3;
const QUALITY_DEVIATION = 0.1;
/** Minutes of every document, and of a session at its start. */
const LENGTH = 4;
const BUDGET = 200;
/** Minutes that a slate costs of which nothing is chosen. */
const IGNORED_COST = 0.5;
/** Weight of choosing nothing; a document weighs the interest in its topic, and 1 is added to both. */
const NOTHING = 1;
/** Interest that moves at most, by a document on a topic that leaves the user cold. */
const DRIFT = 0.3;
/** Minutes that a minute of quality 1 gives back. */
const REFUND = 0.9 / 3.4;

/** Size of `InterestEvolution`. */
export interface InterestEvolutionOptions {
  /** Documents to choose from at each step, [1, 1000]. Default 10. */
  candidates: number;
  /** Documents in a slate, at most, [1, 1000]. Default 3. */
  slate: number;
}

const DEFAULTS: InterestEvolutionOptions = { candidates: 10, slate: 3 };
const TABLE: Rules<InterestEvolutionOptions> = { candidates: integer(1, 1000), slate: integer(1, 1000) };

/** The result of a slate. */
export interface SlateResult extends StepResult {
  /** Position of the watched document in the slate; -1 for none. */
  chosen: number;
}

/**
 * RecSim's interest evolution, in its default setting: a user with a budget of time, whose interests move towards or away
 * from each watched document, and documents whose quality depends on the topic and lengthens or shortens the session.
 * Popular topics do not keep the user: showing the best topics earns far more than showing the liked ones.
 *
 * Observation: (20) the interest in each topic, in [-1, 1]. Candidates: (candidates, 20), 1 at the topic of each.
 * Action: a slate, as indices of candidates; a single index is a slate of one. Reward: minutes watched. Terminated when
 * the time is spent; never truncated.
 *
 * Restated from Ie et al. 2019, "RecSim" (arXiv:1909.04847) and "SlateQ" (arXiv:1905.12767), and the constants of
 * google-research/recsim (`recsim/environments/interest_evolution.py`, with the proportional model of
 * `recsim/choice_model.py`, as its `create_environment` has it).
 */
export class InterestEvolution implements Environment {
  /** (20) mean quality by topic: what a policy has to find out. */
  static readonly topicQualities: Float64Array = Float64Array.from({ length: TOPICS }, (_, topic) =>
    topic < TRASHY
      ? QUALITY_LEAST * (1 - topic / (TRASHY - 1))
      : (-QUALITY_LEAST * (topic - TRASHY)) / (TOPICS - TRASHY - 1),
  );
  readonly observationSize = TOPICS;
  /** Features of a candidate. */
  readonly features = TOPICS;
  readonly options: Readonly<InterestEvolutionOptions>;
  /** (20) interest of the user in each topic, in [-1, 1]. */
  readonly interests: Float64Array = new Float64Array(TOPICS);
  /** (candidates) the topic of each, and its quality, which no policy sees before the user watches. */
  readonly topics: Int32Array;
  readonly qualities: Float64Array;
  readonly #observation = new Float32Array(TOPICS);
  #random!: Random;
  #seed = 0;
  #budget = 0;

  /** @throws TypeError for an unknown option, RangeError for one out of range or a slate larger than the candidates. */
  constructor(options: Partial<InterestEvolutionOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    const { candidates, slate } = this.options;
    if (slate > candidates) throw new RangeError(`"slate" must be at most "candidates" (${candidates}), got ${slate}`);
    this.topics = new Int32Array(candidates);
    this.qualities = new Float64Array(candidates);
  }

  /** Minutes left in the session. */
  get budget(): number {
    return this.#budget;
  }

  reset(seed: number = this.#seed): Float32Array {
    this.#random = Random.named(seed, "interest");
    this.#seed = seed + 1;
    this.#budget = BUDGET;
    for (let topic = 0; topic < TOPICS; topic++) this.interests[topic] = 2 * this.#random.uniform() - 1;
    return this.#draw();
  }

  /**
   * @param shown - Indices of different candidates, at most `slate`; or one index.
   * @throws RangeError for another slate, Error where the episode is over.
   */
  step(shown: number | readonly number[]): SlateResult {
    const slate = typeof shown === "number" ? [shown] : shown;
    this.#check(slate);
    const chosen = this.#choose(slate);
    let reward = 0;
    if (chosen < 0) this.#budget -= IGNORED_COST;
    else {
      const document = slate[chosen]!;
      reward = Math.min(this.#budget, LENGTH);
      this.#drift(this.topics[document]!);
      this.#budget += reward * (REFUND * this.qualities[document]! - 1);
    }
    return { observation: this.#draw(), reward, terminated: this.#budget <= 0, truncated: false, chosen };
  }

  candidates(): Float32Array {
    const rows = new Float32Array(this.topics.length * TOPICS);
    for (const [i, topic] of this.topics.entries()) rows[i * TOPICS + topic] = 1;
    return rows;
  }

  #check(slate: readonly number[]): void {
    if (this.#budget <= 0) throw new Error("the episode is over: reset() must be called before step()");
    const { candidates, slate: max } = this.options;
    const isSound =
      slate.length <= max &&
      slate.every((i, position) => Number.isInteger(i) && i >= 0 && i < candidates && slate.indexOf(i) === position);
    if (isSound) return;
    throw new RangeError(`a slate must be at most ${max} different integers in [0, ${candidates - 1}], got [${slate}]`);
  }

  /** Draws a document in proportion to 1 + the interest in its topic, or nothing. */
  #choose(slate: readonly number[]): number {
    const weights = slate.map((document) => 1 + this.interests[this.topics[document]!]!);
    const chosen = weightedIndex(this.#random, [...weights, 1 + NOTHING]);
    return chosen < slate.length ? chosen : -1;
  }

  /** Interest grows with the probability (1 + interest) / 2, or else falls; the stronger it is, the less it moves. */
  #drift(topic: number): void {
    const interest = this.interests[topic]!;
    const step = DRIFT * (1 - Math.abs(interest)) * (1 - interest);
    const moved = this.#random.bernoulli((1 + interest) / 2) ? interest + step : interest - step;
    this.interests[topic] = Math.max(-1, Math.min(1, moved));
  }

  /** New documents, and the user's interests as they are now. */
  #draw(): Float32Array {
    for (let i = 0; i < this.topics.length; i++) {
      const topic = this.#random.below(TOPICS);
      this.topics[i] = topic;
      this.qualities[i] = InterestEvolution.topicQualities[topic]! + QUALITY_DEVIATION * this.#random.normal();
    }
    this.#observation.set(this.interests);
    return this.#observation;
  }
}

/** Chooses a slate of `InterestEvolution`, as indices of candidates. */
export type SlatePolicy = (environment: InterestEvolution) => number[];

/** Shows the candidates whose topics score highest; of equal ones the first. */
function topicSlates(score: (interest: number, quality: number) => number): SlatePolicy {
  return ({ topics, interests, options }) => {
    const { topicQualities } = InterestEvolution;
    const scores = Float64Array.from(topics, (topic) => score(interests[topic]!, topicQualities[topic]!));
    return Array.from(topK(scores, options.slate));
  };
}

/** Shows every slate equally often. */
export function randomSlates(seed: number): SlatePolicy {
  const random = Random.named(seed, "slates");
  return ({ topics, options }) => random.shuffle([...topics.keys()]).slice(0, options.slate);
}

/** Shows the topics that the user likes best now: myopic affinity. */
export const affinitySlates: SlatePolicy = topicSlates((interest) => interest);

/** Shows the topics of the best quality, whatever the user likes. An oracle: learners do not see quality. */
export const qualitySlates: SlatePolicy = topicSlates((_, quality) => quality);

/**
 * Multiplies the chance that a document is chosen by all the minutes that its length buys: each minute watched refunds a
 * part of itself, which is watched too. An oracle as well.
 */
export const lifetimeSlates: SlatePolicy = topicSlates(
  (interest, quality) => ((1 + interest) * LENGTH) / (1 - REFUND * quality),
);

/** (episodes) minutes watched in each episode, with consecutive seeds from `seed` (default 0). */
export function interestReturns(
  policy: SlatePolicy,
  options: Partial<InterestEvolutionOptions>,
  episodes: number,
  seed = 0,
): Float64Array {
  const environment = new InterestEvolution(options);
  return Float64Array.from({ length: episodes }, (_, episode) => {
    environment.reset(seed + episode);
    let minutes = 0;
    for (let isOver = false; !isOver; ) {
      const { reward, terminated } = environment.step(policy(environment));
      minutes += reward;
      isOver = terminated;
    }
    return minutes;
  });
}
