import { PopularPolicy } from "../recommender/policies/popular.js";
import { RandomPolicy } from "../recommender/policies/random.js";
import type { Policy } from "../recommender/policy.js";
import { Recommender, type RecommenderOptions } from "../recommender/recommender.js";
import type { PlatformOptions } from "../recommender/simulator/index.js";

/** The contestants of the demo, by name. */
export const CONTESTANTS = ["random", "popular", "dqn-gamma-0", "dqn"] as const;

export type Contestant = (typeof CONTESTANTS)[number];

/** What a worker is asked to run. */
export interface Job {
  contestant: Contestant;
  platform: PlatformOptions;
  /** Discount of `dqn`; `dqn-gamma-0` is the same network with 0. */
  gamma: number;
}

/** A policy and how to let its memory go. */
export interface Running {
  policy: Policy;
  dispose: () => void;
}

/** A fresh contestant. */
export function enter({ contestant, platform, gamma }: Job): Running {
  const { seed } = platform;
  if (contestant === "random") return { policy: new RandomPolicy(seed), dispose() {} };
  if (contestant === "popular") return { policy: new PopularPolicy(), dispose() {} };
  const options: Partial<RecommenderOptions> = { seed, gamma: contestant === "dqn" ? gamma : 0 };
  const policy = new Recommender(options);
  return { policy, dispose: () => policy.dispose() };
}
