import { above, bounded, checked, integer, mustBe, nonNegative, positive, type Rules } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import {
  drawGroups,
  type Figure,
  GROUPS,
  type Interval,
  middleOf,
  type ResampleOptions,
  resampleOptions,
  UNBOUNDED,
} from "../../statistics/index.js";

/** One position of a logged decision. */
export interface LoggedChoice {
  /** The logging policy's probability of the item at this position, given the positions before it, (0, 1]. */
  propensity: number;
  /** The evaluated policy's probability of the same, [0, 1]. */
  probability: number;
  /** Reward of the item, in [-1e9, 1e9]. */
  reward: number;
  /** The reward predicted by a model that was fitted on other users; with `expected`, in all choices or in none. */
  predicted?: number;
  /** The mean predicted reward over the evaluated policy's choice at this position. */
  expected?: number;
}

export interface OffPolicyEstimateOptions {
  /** Positions of the longest slate, [1, 100]. Default 1: one choice a decision. */
  positions: number;
  /** Upper bound of the weights, (0, 1e6]: less variance, more bias. Default 1e6, which clips none in practice. */
  clip: number;
  /** Weight above which Switch-DR uses the model alone, > 0. Default 10. [set by hand] */
  switchAbove: number;
  /**
   * Effective number of decisions below which `figures` leaves out all estimates with weights, >= 0: the log does not
   * support them, and they come out as 0, or as what a few decisions earned. With less, they are given and those below
   * 50 are marked. Default 50. [set by hand]
   */
  minEss: number;
}

/** Effective number of decisions below which an estimate is marked. Set by hand. */
const FEW = 50;
const DEFAULTS: OffPolicyEstimateOptions = { positions: 1, clip: 1e6, switchAbove: 10, minEss: FEW };

/** Figures that come from no weights. */
const WEIGHTLESS: readonly string[] = ["logged", "dm", "ess", "mean_weight", "clipped_share"];

/** Rules of the options that others take over. */
export const WEIGHT_RULES: Rules<Pick<OffPolicyEstimateOptions, "clip" | "switchAbove" | "minEss">> = {
  clip: above(0, 1e6),
  switchAbove: positive,
  minEss: nonNegative,
};
const TABLE: Rules<OffPolicyEstimateOptions> = { positions: integer(1, 100), ...WEIGHT_RULES };

const REWARD_MAX = 1e9;
/** Upper bound of products of ratios, which would overflow otherwise. */
const RATIO_MAX = 1e300;

/** Positions of the sums with one term a decision. */
const SUM = { decisions: 0, logged: 1, clipped: 2, squaredWeight: 3, whole: 4, independent: 5, direct: 6, switched: 7 };
const SUMS = Object.keys(SUM).length;

/**
 * Positions of the sums of each position, which follow: the weight of all positions down to this one, the weight times
 * the reward, the weight times the model's error, and the weight of the positions before this one times the model's
 * expectation.
 */
const OWN = { weight: 0, reward: 1, missed: 2, expected: 3 };
const OWNS = Object.keys(OWN).length;

/**
 * Estimates what a policy would earn a decision, from the decisions of another policy with their propensities.
 *
 * With w_p = probability / propensity at position p, W_p = w_1 ... w_p (clipped at `clip`), W the weight of the whole
 * slate, r_p the reward, q_p `predicted` and v_p `expected`, means over decisions of:
 *
 * - `ips`: W times the sum of r (Horvitz & Thompson 1952). Unbiased for rewards that depend on the whole slate.
 *   `snips`: divided by the sum of W instead of the number of decisions (Swaminathan & Joachims 2015): consistent, with
 *   less variance.
 * - `rips`: sum of W_p r_p (McInerney et al. 2020, arXiv:2007.12986). Unbiased where a reward does not depend on the
 *   positions below it, as with users who read from the top. `snrips` divides each position by its own sum of W_p.
 * - `iips`: sum of w_p r_p (Li et al. 2018, arXiv:1804.10488). Unbiased where a reward depends on its own position
 *   alone *and* propensities are marginal: P(stream at p), not given the positions before. The propensities of the Open
 *   Bandit data are marginal, those of `Decision` are not: use `rips` for them.
 * - `dm`: sum of v_p: the model alone, given the logged positions before.
 * - `dr`: sum of W_(p-1) v_p + W_p (r_p - q_p) (Dudik et al. 2011; by position as in Kiyohara et al. 2022,
 *   arXiv:2202.01562, with a model of a position's own reward). Unbiased where `rips` is, for any model. `sndr` divides
 *   as `snrips` does; `switch_dr` drops weights above `switchAbove` (Wang et al. 2017, arXiv:1612.01205).
 *
 * And of the log: `logged`, the mean reward of the logging policy; `ess`, the effective number of decisions, (sum W)^2
 * / sum W^2; `mean_weight`, near 1 where propensities are right and weights are not clipped; `clipped_share`, the share
 * of decisions with a clipped weight. `rips`, `snrips` and `iips` are given for more than one position.
 *
 * Intervals resample users, and every figure is computed anew from each resample. They are too narrow where few
 * decisions have most of the weight (a small `ess`); the interval of `dm` has no part for the model's bias.
 */
export class OffPolicyEstimates {
  readonly options: Readonly<OffPolicyEstimateOptions>;
  /** By group: the sums over decisions, then those of each position. (1024, width) */
  readonly #sums: Float64Array;
  readonly #width: number;
  /** Whether choices come with predictions; undefined before the first. */
  #isModelled: boolean | undefined;

  /** @throws TypeError or RangeError for unknown or wrong options. */
  constructor(options: Partial<OffPolicyEstimateOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    this.#width = SUMS + OWNS * this.options.positions;
    this.#sums = new Float64Array(GROUPS * this.#width);
  }

  /**
   * Takes a decision.
   *
   * @param group - The user's: `groupOf`.
   * @param choices - By position; empty where nothing was available, so that every policy earns 0.
   * @throws RangeError for more choices than `positions`, or a field out of its range; nothing changes then.
   */
  add(group: number, choices: readonly LoggedChoice[]): void {
    const { positions, clip, switchAbove } = this.options;
    this.#check(choices);
    const sums = this.#sums.subarray(group * this.#width, (group + 1) * this.#width);
    let [raw, before, earned, isClipped] = [1, 1, 0, false];
    for (let p = 0; p < positions; p++) {
      const at = SUMS + OWNS * p;
      const choice = choices[p];
      if (choice === undefined) {
        sums[at + OWN.weight]! += before;
        continue;
      }
      const { propensity, probability, reward, predicted = 0, expected = 0 } = choice;
      const ratio = Math.min(probability / propensity, RATIO_MAX);
      raw = Math.min(raw * ratio, RATIO_MAX);
      const weight = Math.min(raw, clip);
      isClipped ||= raw > clip || ratio > clip;
      earned += reward;
      sums[SUM.independent]! += Math.min(ratio, clip) * reward;
      sums[SUM.direct]! += expected;
      sums[SUM.switched]! += (before > switchAbove ? 1 : before) * expected;
      if (weight <= switchAbove) sums[SUM.switched]! += weight * (reward - predicted);
      sums[at + OWN.weight]! += weight;
      sums[at + OWN.reward]! += weight * reward;
      sums[at + OWN.missed]! += weight * (reward - predicted);
      sums[at + OWN.expected]! += before * expected;
      before = weight;
    }
    sums[SUM.decisions]!++;
    sums[SUM.logged]! += earned;
    sums[SUM.clipped]! += isClipped ? 1 : 0;
    sums[SUM.squaredWeight]! += before * before;
    sums[SUM.whole]! += before * earned;
  }

  /**
   * All estimates, each with its percentile interval; unbounded where all decisions are of one group. Estimates with a
   * denominator of 0 or without a model are left out, as are those with weights where `ess` is below `minEss`. `n` is
   * the number of decisions.
   *
   * @throws TypeError or RangeError for unknown or wrong options.
   */
  figures(options: Partial<ResampleOptions> = {}): Figure[] {
    const { resamples, seed } = resampleOptions(options);
    const groups = [...Array(GROUPS).keys()].filter((group) => this.#sums[group * this.#width]! > 0);
    const random = Random.named(seed, "offpolicy");
    const drawn = Array.from({ length: resamples }, () => this.#read(groups, drawGroups(groups, random)));
    const n = this.#total(groups)[SUM.decisions]!;
    const isBounded = groups.length > 1;
    const read = this.#read(groups);
    const ess = read["ess"]! || 0;
    const isRefused = (metric: string) => ess < this.options.minEss && !WEIGHTLESS.includes(metric);
    return Object.entries(read)
      .filter(([metric, value]) => Number.isFinite(value) && !isRefused(metric))
      .map(([metric, value]) => {
        const bounds = isBounded ? middleOf(Float64Array.from(drawn, (each) => each[metric]!)) : UNBOUNDED;
        const mark = ess < FEW && !WEIGHTLESS.includes(metric) ? ({ isUnsupported: true } as const) : {};
        return { metric, slice: "all", value, ...bounds, n, ...mark };
      });
  }

  /**
   * How far an estimate is above what the logging policy earned, or above another policy's estimate from the same
   * decisions: both are computed from each resample of the users. `base` is the other's value.
   *
   * @param metric - One of the estimates.
   * @returns undefined where one of both is left out of `figures`.
   * @throws TypeError or RangeError for unknown or wrong options.
   */
  above(
    metric: string,
    other?: OffPolicyEstimates,
    options: Partial<ResampleOptions> = {},
  ): (Interval & { base: number }) | undefined {
    const isGiven = (one: OffPolicyEstimates) => one.figures({ resamples: 1 }).some((each) => each.metric === metric);
    if (!isGiven(this) || (other !== undefined && !isGiven(other))) return undefined;
    const { resamples, seed } = resampleOptions(options);
    const groups = [...Array(GROUPS).keys()].filter((group) => this.#sums[group * this.#width]! > 0);
    const random = Random.named(seed, "offpolicy");
    const read = (times?: Int32Array) => {
      const own = this.#read(groups, times);
      const base = other === undefined ? own["logged"]! : other.#read(groups, times)[metric]!;
      return { value: own[metric]! - base, base };
    };
    const drawn = Float64Array.from({ length: resamples }, () => read(drawGroups(groups, random)).value);
    return { ...read(), ...(groups.length > 1 ? middleOf(drawn) : UNBOUNDED), n: groups.length };
  }

  #check(choices: readonly LoggedChoice[]): void {
    const { positions } = this.options;
    if (choices.length > positions) {
      throw new RangeError(`"choices" must be at most ${positions} ("positions"), got ${choices.length}`);
    }
    let isModelled = this.#isModelled;
    for (const [p, { propensity, probability, reward, predicted, expected }] of choices.entries()) {
      const refuse = (field: string, must: string, got: unknown) => mustBe(`choices.${p}.${field}`, must, got);
      if (!(propensity > 0 && propensity <= 1)) throw refuse("propensity", "in (0, 1]", propensity);
      if (!(probability >= 0 && probability <= 1)) throw refuse("probability", "in [0, 1]", probability);
      if (!(Math.abs(reward) <= REWARD_MAX)) throw refuse("reward", bounded(REWARD_MAX), reward);
      isModelled ??= predicted !== undefined;
      for (const [field, value] of Object.entries({ predicted, expected })) {
        const must = isModelled ? bounded(REWARD_MAX) : "left out, as in the choices before";
        const holds = isModelled ? Math.abs(value ?? Number.NaN) <= REWARD_MAX : value === undefined;
        if (!holds) throw refuse(field, must, value);
      }
    }
    this.#isModelled = isModelled;
  }

  /** The sums over some groups, each taken `times[group]` times; once by default. */
  #total(groups: readonly number[], times?: Int32Array): Float64Array {
    const total = new Float64Array(this.#width);
    for (const group of groups) {
      const factor = times === undefined ? 1 : times[group]!;
      if (factor === 0) continue;
      const start = group * this.#width;
      for (let i = 0; i < this.#width; i++) total[i]! += factor * this.#sums[start + i]!;
    }
    return total;
  }

  #read(groups: readonly number[], times?: Int32Array): Record<string, number> {
    const { positions } = this.options;
    const sums = this.#total(groups, times);
    const n = sums[SUM.decisions]!;
    let [rips, snrips, dr, sndr] = [0, 0, 0, 0];
    let before = n;
    for (let at = SUMS; at < sums.length; at += OWNS) {
      const weight = sums[at + OWN.weight]!;
      const [reward, missed] = [sums[at + OWN.reward]!, sums[at + OWN.missed]!];
      const expected = sums[at + OWN.expected]!;
      rips += reward / n;
      snrips += reward / weight;
      dr += (expected + missed) / n;
      sndr += expected / before + missed / weight;
      before = weight;
    }
    const slates = { rips, snrips, iips: sums[SUM.independent]! / n };
    const models = { dm: sums[SUM.direct]! / n, dr, sndr, switch_dr: sums[SUM.switched]! / n };
    return {
      logged: sums[SUM.logged]! / n,
      ips: sums[SUM.whole]! / n,
      snips: sums[SUM.whole]! / before,
      ...(positions > 1 && slates),
      ...(this.#isModelled && models),
      ess: (before * before) / sums[SUM.squaredWeight]!,
      mean_weight: before / n,
      clipped_share: sums[SUM.clipped]! / n,
    };
  }
}
