import { above, between, checked, integer, mustBe, oneOf, type Rules } from "../../check/index.js";

/** How an ensemble chooses where it explores; see `EnsembleOptions.policy`. */
export type EnsemblePolicy = "thompson" | "optimism" | "mean" | "vote";

/** Options of an ensemble beside those of its members. */
export interface EnsembleOptions {
  /** Agents, [2, 64]. Default 5. */
  members: number;
  /** (members) weight of each in means, deviations and votes, [0, 1e6], not all 0. Default: all 1. */
  weights: readonly number[];
  /**
   * Probability that a transition reaches a member, (0, 1]: the bootstrap that makes members differ where there is little
   * data. One that would reach no member is drawn anew. Below 1 it excludes `nStep` above 1. Default 0.5, the
   * double or nothing of Owen & Eckles 2012, or 1 with `nStep` above 1.
   */
  mask: number;
  /**
   * Standard deviation of normal noise on the reward, of each member anew, [0, 1e6]: randomised least-squares value
   * iteration (Osband, Van Roy & Wen 2016, arXiv:1402.0635) keeps members apart where data are few, and averages out where
   * they are many. With parts of rewards it is on the first. Default 0.
   */
  rewardNoise: number;
  /**
   * Scale of a random function that each member's values begin with and keep, beside what they learn, [0, 1000]: where there
   * are no data, members differ by it (randomised prior functions, Osband, Aslanides & Cassirer 2018, arXiv:1806.03335). Every
   * second member has that of the one before with the sign turned, so that whatever is untried, one of two hopes for it. It
   * is a network of `priorUnits` units in each hidden layer, whose weights no update moves. It needs `normalization: "none"`,
   * and no `noisySigma`, `weightDecay` or `dueling`. Agents that were made apart have none. Default 0.
   */
  priorScale: number;
  /** Units of the prior in each hidden layer, beside those of `hidden`, [1, 1024]. Default 32. */
  priorUnits: number;
  /**
   * What `act` without an epsilon follows. `thompson`: one member, drawn anew for each episode, greedily (bootstrapped
   * DQN, Osband et al. 2016, arXiv:1602.04621). `optimism`: the mean plus `optimism` standard deviations. `mean`: the mean,
   * epsilon-greedily by the members' `epsilon`. `vote`: the most points of Borda's count. Default `thompson`.
   */
  policy: EnsemblePolicy;
  /** Standard deviations that `optimism` adds, [-1000, 1000]. Default 1. */
  optimism: number;
  /** Of masks, noise and drawn members, [0, 2^53 - 1]. Default: that of the members' options, or 0. */
  seed: number;
}

const MEMBERS_MAX = 64;

const DEFAULTS = {
  members: 5,
  mask: 0.5,
  rewardNoise: 0,
  priorScale: 0,
  priorUnits: 32,
  policy: "thompson",
  optimism: 1,
} as const;

const isWeight = between(0, 1e6)[0];

const RULES: Rules<EnsembleOptions> = {
  members: integer(2, MEMBERS_MAX),
  weights: [
    (value) => Array.isArray(value) && value.every(isWeight) && value.some((weight) => weight > 0),
    "numbers in [0, 1e6], one a member, not all 0",
  ],
  mask: above(0, 1),
  rewardNoise: between(0, 1e6),
  priorScale: between(0, 1000),
  priorUnits: integer(1, 1024),
  policy: oneOf("thompson", "optimism", "mean", "vote"),
  optimism: between(-1000, 1000),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

/**
 * @param agent - Those of the members.
 * @throws TypeError or RangeError for an option that is unknown or wrong.
 */
export function resolveEnsemble(
  given: Partial<EnsembleOptions>,
  { seed = 0, nStep = 1 }: { readonly seed?: number | undefined; readonly nStep?: number | undefined },
): EnsembleOptions {
  const { members = DEFAULTS.members } = given;
  const count = RULES.members[0](members) ? members : 1;
  const defaults = {
    ...DEFAULTS,
    mask: nStep > 1 ? 1 : DEFAULTS.mask,
    weights: new Array<number>(count).fill(1),
    seed,
  };
  const options = checked(given, RULES, defaults, "ensemble.");
  const { weights, mask } = options;
  if (weights.length !== members) throw mustBe("ensemble.weights", `${members} numbers`, weights);
  if (mask < 1 && nStep > 1) {
    throw new TypeError(
      '"ensemble.mask" below 1 excludes "nStep" above 1: a return sums the rewards of steps in a row',
    );
  }
  return { ...options, weights: [...weights] };
}
