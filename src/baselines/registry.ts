import type { Policy } from "../protocol/index.js";
import { coreFeatures, Recommender, type RecommenderOptions } from "../recommender/index.js";
import type { RewardOptions } from "../recommender/learning/index.js";
import { CollaborativeVectors } from "../recommender/state/index.js";
import { BprPolicy, type BprPolicyOptions } from "./bpr.js";
import { type ContextOptions, ContextPolicy } from "./context.js";
import { EasePolicy, type EasePolicyOptions } from "./ease.js";
import { ItemKnnPolicy, type ItemKnnPolicyOptions } from "./itemknn.js";
import { LinUcb, type LinUcbOptions } from "./linucb.js";
import { PopularPolicy } from "./popular.js";
import { RandomPolicy } from "./random.js";

/** A policy that may hold memory, which `dispose` frees. */
export interface DisposablePolicy extends Policy {
  dispose?(): void;
}

/** A policy of the registry. */
export interface PolicyEntry {
  /** One line on what the policy does. */
  readonly description: string;
  /**
   * Creates the policy.
   * @param seed - Of everything random in it, an integer >= 0.
   * @param options - Options of its class.
   * @param instance - Part of the names of its decisions; the same one for the same names. Default: 64 random bits.
   * @throws TypeError for an unknown option, RangeError for one out of range.
   */
  create(seed: number, options?: object, instance?: string): DisposablePolicy;
}

/** A recommender under another name. */
class Renamed implements DisposablePolicy {
  readonly name: string;
  readonly recommend: Policy["recommend"];
  readonly feedback: Policy["feedback"];
  readonly dispose: () => void;

  constructor(name: string, recommender: Recommender) {
    this.name = name;
    this.recommend = (request) => recommender.recommend(request);
    this.feedback = (event, now) => recommender.feedback(event, now);
    this.dispose = () => recommender.dispose();
  }
}

/** A reward with all weights 0. */
const NOTHING: Partial<RewardOptions> = {
  click: 0,
  watch: 0,
  like: 0,
  comment: 0,
  share: 0,
  follow: 0,
  rating: 0,
  gift: 0,
  purchase: 0,
  bounce: 0,
  dislike: 0,
};

/** The recommender's network with gamma 0 and one kind of reward: the reward of the next impression alone. */
function greedy(name: string, reward: Partial<RewardOptions>): PolicyEntry["create"] {
  return (seed, options: Partial<RecommenderOptions> = {}, instance) =>
    new Renamed(
      name,
      new Recommender({
        ...options,
        ...named(instance),
        seed,
        gamma: 0,
        reward: { ...NOTHING, ...reward, ...options.reward },
      }),
    );
}

function named(instance: string | undefined): Partial<RecommenderOptions> {
  return instance === undefined ? {} : { instance };
}

/** A recommender whose agent is a linear bandit; it also learns from impressions without a click. */
function linUcb(seed: number, options: Partial<LinUcbOptions> = {}, instance?: string): DisposablePolicy {
  const recommender = new Recommender(
    {
      ...named(instance),
      features: coreFeatures(),
      seed,
      gamma: 0,
      warmupUpdates: 0,
      trainEvery: 0,
      explore: { epsilon: 0 },
    },
    new LinUcb(options),
  );
  return new Renamed("linucb", recommender);
}

const ENTRIES = {
  random: {
    description: "streams on air, each equally likely",
    create: (seed, _, instance) => new RandomPolicy(seed, instance),
  },
  popular: {
    description: "the streams with the most viewers",
    create: (_, __, instance) => new PopularPolicy(instance),
  },
  "popular-by-context": {
    description: "the most popular streams by category, time of day and group of users",
    create: (_, options?: Partial<ContextOptions>, instance?: string) => new ContextPolicy(options, instance),
  },
  itemknn: {
    description: "streamers liked by the same users as those that this user liked",
    create: (_, options?: Partial<ItemKnnPolicyOptions>, instance?: string) => new ItemKnnPolicy(options, instance),
  },
  bpr: {
    description: "matrix factorisation: vectors of users and streamers, learned watch by watch",
    create: (seed, options?: Partial<BprPolicyOptions>, instance?: string) =>
      new BprPolicy(new CollaborativeVectors({ seed }), options, instance),
  },
  ease: {
    description: "a linear autoencoder over streamers, fitted anew as likes come in",
    create: (_, options?: Partial<EasePolicyOptions>, instance?: string) => new EasePolicy(options, instance),
  },
  linucb: {
    description: "a linear model of the recommender's features and reward, with a bonus for uncertainty",
    create: linUcb,
  },
  "click-greedy": {
    description: "the recommender's network with gamma 0, for the next click",
    create: greedy("click-greedy", { click: 1 }),
  },
  "watch-greedy": {
    description: "the recommender's network with gamma 0, for the next watch",
    create: greedy("watch-greedy", { watch: 1 }),
  },
  "dqn-gamma-0": {
    description: "the recommender with gamma 0: it values the next slate alone",
    create: (seed, options?: Partial<RecommenderOptions>, instance?: string) =>
      new Renamed("dqn-gamma-0", new Recommender({ ...options, ...named(instance), seed, gamma: 0 })),
  },
  dqn: {
    description: "the recommender: deep Q-learning over the whole stay",
    create: (seed, options?: Partial<RecommenderOptions>, instance?: string) =>
      new Recommender({ ...options, ...named(instance), seed }),
  },
} satisfies Record<string, PolicyEntry>;

export type PolicyName = keyof typeof ENTRIES;

/** All policies of the live platform by name, the baselines first. */
export const POLICIES: Readonly<Record<PolicyName, PolicyEntry>> = ENTRIES;
