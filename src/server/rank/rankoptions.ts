import {
  above,
  between,
  boolean,
  checked,
  integer,
  nonNegativeInteger,
  positiveInteger,
  type Rule,
  type Rules,
} from "../../check/index.js";
import { type Exploration, explorationRule } from "./exploration.js";

/** How actions that a caller gives are ranked, and when their rewards are due. */
export interface RankOptions {
  /** Seed of the network, an integer >= 0. Default 1. */
  seed: number;
  /** Whether it begins as an apprentice, which serves the first action and learns to choose it. Default false. */
  apprentice: boolean;
  /** How far below the first action an apprentice learns to hold others, in units of the reward, (0, 1000]. Default 0.5. */
  margin: number;
  /** Milliseconds that an event waits for its reward, [1000, 2 days]. Default 10 minutes. */
  waitMs: number;
  /** The reward of an event that got none in time, [-1000, 1000]. Default 0. */
  defaultReward: number;
  /** Events remembered; beyond them the oldest are dropped, and get the default reward if they wait. Default 50 000. */
  events: number;
  /** How a choice departs from the best action, unless a request says it. Default epsilon-greedy with 0.1. */
  exploration: Exploration;
  /** Widths of the hidden layers, 1 to 8 of them. Default [32]. */
  hidden: readonly number[];
  /** The network's learning rate, (0, 1]. Default 1e-3. */
  learningRate: number;
  /** Rewards that the replay holds. Default 4096. */
  capacity: number;
  /** Updates after each reward, [0, 100]. Default 2. */
  updatesPerReward: number;
  /** Updates between two models, at least. Default 32. */
  modelUpdates: number;
}

const HOUR = 3_600_000;
/** Largest reward in size. */
export const REWARD_MAX = 1000;

export const DEFAULTS: RankOptions = {
  seed: 1,
  apprentice: false,
  margin: 0.5,
  waitMs: HOUR / 6,
  defaultReward: 0,
  events: 50_000,
  exploration: { policy: "epsilon", epsilon: 0.1 },
  hidden: [32],
  learningRate: 1e-3,
  capacity: 4096,
  updatesPerReward: 2,
  modelUpdates: 32,
};

const widths: Rule = [
  (value) => Array.isArray(value) && value.length > 0 && value.length <= 8 && value.every(integer(1, 1024)[0]),
  "1 to 8 integers in [1, 1024]",
];

const RULES: Rules<RankOptions> = {
  seed: nonNegativeInteger,
  apprentice: boolean,
  margin: above(0, REWARD_MAX),
  waitMs: between(1000, 48 * HOUR),
  defaultReward: between(-REWARD_MAX, REWARD_MAX),
  events: integer(1, 1e7),
  exploration: explorationRule,
  hidden: widths,
  learningRate: above(0, 1),
  capacity: integer(64, 2 ** 24),
  updatesPerReward: integer(0, 100),
  modelUpdates: positiveInteger,
};

/** @throws TypeError for an unknown option, RangeError for a wrong value. */
export function checkedRank(options: Partial<RankOptions>): RankOptions {
  return checked(options, RULES, DEFAULTS, "rank.");
}
