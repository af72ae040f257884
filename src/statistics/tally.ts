import { checked, nonNegativeInteger, positiveInteger, type Rules } from "../check/index.js";
import { Random } from "../numeric/index.js";
import type { Id } from "../protocol/index.js";
import { type Interval, quantile } from "./intervals.js";

/** One metric of one slice of the cases, with its 95 % interval. */
export interface Figure extends Interval {
  /** Name of the metric: `click_rate`, `hr_at_10`, ... */
  metric: string;
  /** Name of the slice: `all`, `repeat`, ... */
  slice: string;
  /** Denominator of the value: impressions, cases, user-days. */
  n: number;
  /** Only where it holds: an estimate that the data does not support; do not trust it or its interval. */
  isUnsupported?: true;
}

export interface ResampleOptions {
  /** Number of resamples, at least 1. Default 1000. */
  resamples: number;
  /** Seed of the resampling, an integer >= 0. Default 0. */
  seed: number;
}

const DEFAULTS: ResampleOptions = { resamples: 1000, seed: 0 };
const TABLE: Rules<ResampleOptions> = { resamples: positiveInteger, seed: nonNegativeInteger };

/**
 * The options of a resampling with the defaults filled in.
 * @throws TypeError or RangeError for unknown or wrong options.
 */
export function resampleOptions(given: Partial<ResampleOptions>): ResampleOptions {
  return checked<ResampleOptions>(given, TABLE, DEFAULTS);
}

/**
 * Number of groups of users. Bounds the memory of a tally and the work of a resample for any number of users. With 1024
 * groups a standard error is itself known to 2 %. Set by hand.
 */
export const GROUPS = 1024;

/** The most slices of a tally: they are bits of an int32. */
const SLICES_MAX = 31;

/**
 * The group of a user, an integer in [0, 1024), by a hash. It is the same in every tally, so that tallies of two
 * policies can be compared user by user. Takes about a microsecond: see {@link GroupCache}.
 */
export function groupOf(user: Id): number {
  return Random.named(0, "group", user).below(GROUPS);
}

/** The groups of ids, each computed once: takes memory by id. */
export class GroupCache {
  readonly #groups = new Map<Id, number>();

  /** See {@link groupOf}. */
  of(id: Id): number {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = groupOf(id);
      this.#groups.set(id, group);
    }
    return group;
  }
}

/**
 * Ratios of sums, such as clicks per impression, by metric and slice of the cases, with intervals.
 *
 * The events of one user are not independent, so users are resampled: the cluster bootstrap (Davison & Hinkley 1997,
 * 3.8). Users fall at random into at most 1024 groups, and groups are resampled, as sums over independent users are
 * independent too. `add` takes O(1) and no memory.
 */
export class Tally {
  readonly metrics: readonly string[];
  readonly slices: readonly string[];
  /** Numerator and denominator of each group, metric and slice. (1024, metrics, slices, 2) */
  readonly #sums: Float64Array;
  readonly #width: number;

  /** @throws RangeError for no metric, no slice, or more than 31 slices. */
  constructor(metrics: readonly string[], slices: readonly string[] = ["all"]) {
    if (metrics.length === 0) throw new RangeError('"metrics" must not be empty');
    if (slices.length < 1 || slices.length > SLICES_MAX) {
      throw new RangeError(`"slices" must be 1 to ${SLICES_MAX}, got ${slices.length}`);
    }
    this.metrics = [...metrics];
    this.slices = [...slices];
    this.#width = 2 * metrics.length * slices.length;
    this.#sums = new Float64Array(GROUPS * this.#width);
  }

  /**
   * Adds to the two sums of a metric.
   *
   * @param group - The user's: {@link groupOf}.
   * @param metric - Position in `metrics`.
   * @param slices - Bit s is set where the case belongs to slice s.
   * @param amount - Added to the numerator, finite.
   * @param of - Added to the denominator, finite, >= 0.
   */
  add(group: number, metric: number, slices: number, amount: number, of: number): void {
    const start = group * this.#width + 2 * metric * this.slices.length;
    for (let bits = slices; bits !== 0; bits &= bits - 1) {
      const at = start + 2 * (31 - Math.clz32(bits & -bits));
      this.#sums[at]! += amount;
      this.#sums[at + 1]! += of;
    }
  }

  /**
   * The sums of one metric and slice by group, of groups with any: `[group, numerator, denominator]`, to be added to another
   * tally, or kept as JSON.
   *
   * @throws RangeError for a metric or slice that is not there.
   */
  sums(metric: string, slice = "all"): [group: number, amount: number, of: number][] {
    const [m, s] = [this.metrics.indexOf(metric), this.slices.indexOf(slice)];
    if (m < 0 || s < 0) throw new RangeError(`there must be a metric ${metric} of the slice ${slice}`);
    const start = 2 * (m * this.slices.length + s);
    return Array.from({ length: GROUPS }, (_, group): [number, number, number] => {
      const at = group * this.#width + start;
      return [group, this.#sums[at]!, this.#sums[at + 1]!];
    }).filter(([, , of]) => of !== 0);
  }

  clone(): Tally {
    const copy = new Tally(this.metrics, this.slices);
    copy.#sums.set(this.#sums);
    return copy;
  }

  /**
   * All ratios with a denominator above 0, each with its percentile interval; unbounded where all cases are of one
   * group. Percentiles are a little narrow for less than about 40 users.
   *
   * @throws TypeError or RangeError for unknown or wrong options.
   */
  figures(options: Partial<ResampleOptions> = {}): Figure[] {
    return this.#figures(undefined, options);
  }

  /**
   * The ratios of this tally minus those of another one, paired by user: both are resampled alike, so that the interval
   * is that of the difference. `n` is the smaller of both.
   *
   * @param other - Has the same metrics and slices, such as the tally of another policy on the same cases.
   * @throws RangeError when its metrics or slices differ.
   */
  minus(other: Tally, options: Partial<ResampleOptions> = {}): Figure[] {
    if (`${other.metrics}` !== `${this.metrics}` || `${other.slices}` !== `${this.slices}`) {
      throw new RangeError('"other" must have the same metrics and slices');
    }
    return this.#figures(other, options);
  }

  #figures(other: Tally | undefined, options: Partial<ResampleOptions>): Figure[] {
    const { resamples, seed } = resampleOptions(options);
    const read = (times?: Int32Array) => {
      const ratios = this.#ratios(times);
      if (other !== undefined) for (const [column, its] of other.#ratios(times).entries()) ratios[column]! -= its;
      return ratios;
    };
    const both = [this, other ?? this];
    const groups: number[] = [];
    for (let group = 0; group < GROUPS; group++) if (both.some((tally) => tally.#has(group))) groups.push(group);
    const random = Random.named(seed, "tally");
    const drawn = Array.from({ length: resamples }, () => read(drawGroups(groups, random)));
    const totals = both.map((tally) => tally.#total());
    const figures: Figure[] = [];
    for (const [column, value] of read().entries()) {
      if (!Number.isFinite(value)) continue;
      const metric = this.metrics[Math.floor(column / this.slices.length)]!;
      const slice = this.slices[column % this.slices.length]!;
      const isBounded = both.every((tally) => tally.#spread(column) > 1);
      const bounds = isBounded ? middleOf(Float64Array.from(drawn, (ratios) => ratios[column]!)) : UNBOUNDED;
      figures.push({ metric, slice, value, ...bounds, n: Math.min(...totals.map((sums) => sums[2 * column + 1]!)) });
    }
    return figures;
  }

  /** Whether anything has been added to a group. */
  #has(group: number): boolean {
    return this.#sums.subarray(group * this.#width, (group + 1) * this.#width).some((sum) => sum !== 0);
  }

  /** Number of groups with a part in the denominator of a ratio. */
  #spread(column: number): number {
    let groups = 0;
    for (let at = 2 * column + 1; at < this.#sums.length; at += this.#width) if (this.#sums[at] !== 0) groups++;
    return groups;
  }

  /** The ratio in each column, with each group taken `times[group]` times; once by default. */
  #ratios(times?: Int32Array): Float64Array {
    const sums = this.#total(times);
    return Float64Array.from({ length: this.#width / 2 }, (_, column) => sums[2 * column]! / sums[2 * column + 1]!);
  }

  /** The sums over all groups, each taken as in `#ratios`. */
  #total(times?: Int32Array): Float64Array {
    const total = new Float64Array(this.#width);
    const sums = this.#sums;
    for (let group = 0, at = 0; group < GROUPS; group++, at += this.#width) {
      const factor = times === undefined ? 1 : times[group]!;
      if (factor === 0) continue;
      for (let i = 0; i < this.#width; i++) total[i]! += factor * sums[at + i]!;
    }
    return total;
  }
}

/** One resample of some groups, with as many draws as there are groups: how often each group was drawn, (1024). */
export function drawGroups(groups: readonly number[], random: Random): Int32Array {
  const times = new Int32Array(GROUPS);
  for (let i = 0; i < groups.length; i++) times[groups[random.below(groups.length)]!]!++;
  return times;
}

/** The bounds of a value that nothing bounds. */
export const UNBOUNDED = { lo: -Infinity, hi: Infinity };

/** The bounds of the middle 95 % of resampled values; those that are not finite are left out. */
export function middleOf(drawn: Float64Array): { lo: number; hi: number } {
  const sorted = drawn.filter(Number.isFinite).sort();
  if (sorted.length === 0) return UNBOUNDED;
  return { lo: quantile(sorted, 0.025), hi: quantile(sorted, 0.975) };
}
