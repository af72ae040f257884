import { cos, Random, sin } from "../numeric/index.js";

/** A value and the bounds of its 95 % interval. */
export interface Interval {
  value: number;
  lo: number;
  hi: number;
  /** Number of observations. */
  n: number;
}

export interface BootstrapOptions {
  /** The statistic of a sample. Default the arithmetic mean. */
  statistic?: (values: Float64Array) => number;
  /** Number of resamples, at least 1. Default 2000. */
  resamples?: number;
  /** Seed of the resampling, a safe integer. Default 0. */
  seed?: number;
}

/** The 97.5 % quantile of the standard normal. */
const NORMAL_975 = 1.959963984540054;
const HALF_PI = 1.5707963267948966;
/** Degrees of freedom from which the expansion in 1 / freedom is exact to 1e-9. */
const LARGE = 200;
/** Up to this many coin tosses, the binomial probabilities are summed one by one. */
const TOSSES_MAX = 1000;

/** P(|T| <= t) for Student's t with whole degrees of freedom, where t = sqrt(freedom) tan(angle). */
function studentWithin(angle: number, sine: number, cosine: number, freedom: number): number {
  // Abramowitz and Stegun 26.7.3 and 26.7.4: a finite sum for whole degrees of freedom.
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = odd && freedom === 1 ? 0 : term;
  for (let i = odd ? 3 : 2; i <= freedom - 2; i += 2) {
    term *= ((i - 1) / i) * cosine * cosine;
    sum += term;
  }
  return odd ? (angle + sine * sum) / HALF_PI : sine * sum;
}

/**
 * The 97.5 % quantile of Student's t: half the width of a 95 % interval, in standard errors.
 *
 * @param freedom - Degrees of freedom, a whole number of at least 1.
 */
export function student975(freedom: number): number {
  if (!(Number.isInteger(freedom) && freedom >= 1)) {
    throw new RangeError(`"freedom" must be an integer of at least 1, got ${freedom}`);
  }
  const z = NORMAL_975;
  if (freedom > LARGE) {
    // Fisher and Cornish 1960, in powers of z^2 = y.
    const y = z * z;
    const v = freedom;
    const first = (y + 1) / 4 / v;
    const second = ((5 * y + 16) * y + 3) / 96 / v / v;
    const third = (((3 * y + 19) * y + 17) * y - 15) / 384 / v / v / v;
    return z * (1 + first + second + third);
  }
  let lo = 0;
  let hi = HALF_PI;
  for (let i = 0; i < 60; i++) {
    const angle = (lo + hi) / 2;
    if (studentWithin(angle, sin(angle), cos(angle), freedom) < 0.95) lo = angle;
    else hi = angle;
  }
  return (Math.sqrt(freedom) * sin(lo)) / cos(lo);
}

function requireValues(values: ArrayLike<number>): void {
  if (values.length === 0) throw new RangeError('"values" must not be empty');
}

/** The arithmetic mean. */
export function arithmeticMean(values: ArrayLike<number>): number {
  requireValues(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/**
 * The mean of the values that remain after a quarter of them, rounded down, is dropped at each end.
 *
 * Agarwal et al. 2021, arXiv:2108.13264.
 */
export function interquartileMean(values: ArrayLike<number>): number {
  requireValues(values);
  const sorted = Float64Array.from(values).sort();
  const cut = Math.floor(sorted.length / 4);
  return arithmeticMean(sorted.subarray(cut, sorted.length - cut));
}

/** The p-quantile of sorted values, p in [0, 1], by linear interpolation between order statistics. */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  requireValues(sorted);
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** The mean with its 95 % Student interval; the interval of a single value is unbounded. */
export function meanInterval(values: ArrayLike<number>): Interval {
  const n = values.length;
  const value = arithmeticMean(values);
  if (n === 1) return { value, lo: -Infinity, hi: Infinity, n };
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i]! - value) * (values[i]! - value);
  const half = student975(n - 1) * Math.sqrt(squares / (n - 1) / n);
  return { value, lo: value - half, hi: value + half, n };
}

/**
 * About how many times as many observations it takes until an interval leaves 0 out, if the value stays as it is: widths
 * fall with the square root of the number. 1 for an interval that leaves 0 out already, Infinity for a value of 0 and for
 * an unbounded interval.
 */
export function growthToTell({ value, lo, hi }: Pick<Interval, "value" | "lo" | "hi">): number {
  if (lo > 0 || hi < 0) return 1;
  const half = value > 0 ? value - lo : hi - value;
  if (!(Number.isFinite(half) && value !== 0)) return Infinity;
  const ratio = half / value;
  return Math.max(ratio * ratio, 1);
}

/** Observations from which more are no answer. */
const OBSERVATIONS_MAX = 2 ** 20;

/**
 * The number of observations at which Student's interval of `meanInterval` would leave 0 out, if value and spread stay as
 * they are; Infinity above a million, and for an unbounded interval. Of few observations it is far less than widths by the
 * square root say: the quantile falls too.
 */
export function observationsToTell({ value, lo, hi, n }: Interval): number {
  const half = (hi - lo) / 2;
  if (!(Number.isFinite(half) && n > 1)) return Infinity;
  const spread = (half * Math.sqrt(n)) / student975(n - 1);
  const isEnough = (count: number) => (student975(count - 1) * spread) / Math.sqrt(count) < Math.abs(value);
  if (isEnough(n)) return n;
  let [low, high] = [n, 2 * n];
  while (!isEnough(high)) {
    if (high > OBSERVATIONS_MAX) return Infinity;
    [low, high] = [high, 2 * high];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The largest rank r such that fewer than r heads in n tosses of a fair coin have a probability of at most 1 / 40. */
function medianRank(n: number): number {
  // 2^-n would underflow; the normal approximation is off by one at most, to the safe side.
  if (n > TOSSES_MAX) return Math.floor((n - NORMAL_975 * Math.sqrt(n)) / 2);
  let rank = 0;
  let term = 1;
  for (let toss = 0; toss < n; toss++) term /= 2;
  for (let below = term; below <= 0.025; below += term) {
    rank++;
    term *= (n - rank + 1) / rank;
  }
  return rank;
}

/**
 * The median with its 95 % interval by order statistics, for any distribution: the median lies beyond either bound with
 * a probability of at most 1 / 40. Unbounded for less than six values; for six to eight the bounds are the least and
 * the greatest value. Thompson 1936.
 */
export function medianInterval(values: ArrayLike<number>): Interval {
  requireValues(values);
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const rank = medianRank(n);
  const bounds = rank === 0 ? { lo: -Infinity, hi: Infinity } : { lo: sorted[rank - 1]!, hi: sorted[n - rank]! };
  return { value: quantile(sorted, 0.5), ...bounds, n };
}

/**
 * A proportion with its 95 % score interval, which stays within [0, 1] and has a width at 0 and 1 too. Wilson 1927.
 *
 * @param successes - In [0, n].
 * @param n - Number of independent trials, at least 1: users rather than their many events.
 * @throws RangeError for numbers out of their range.
 */
export function wilsonInterval(successes: number, n: number): Interval {
  if (!(n >= 1 && n < Infinity)) throw new RangeError(`"n" must be a finite number >= 1, got ${n}`);
  if (!(successes >= 0 && successes <= n)) throw new RangeError(`"successes" must be in [0, ${n}], got ${successes}`);
  const value = successes / n;
  const z2 = NORMAL_975 * NORMAL_975;
  const centre = (value + z2 / (2 * n)) / (1 + z2 / n);
  const half = (NORMAL_975 * Math.sqrt((value * (1 - value)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  // At 0 and 1 the bound equals the value exactly, without rounding.
  return { value, lo: successes === 0 ? 0 : centre - half, hi: successes === n ? 1 : centre + half, n };
}

/**
 * A statistic with its 95 % percentile bootstrap interval; the same seed gives the same interval.
 *
 * Efron 1979. The values must be independent: resample users or seeds, not events.
 */
export function bootstrapInterval(values: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  const { statistic = arithmeticMean, resamples = 2000, seed = 0 } = options;
  requireValues(values);
  if (!(Number.isInteger(resamples) && resamples >= 1)) {
    throw new RangeError(`"resamples" must be an integer of at least 1, got ${resamples}`);
  }
  const n = values.length;
  const random = Random.named(seed, "bootstrap");
  const sample = new Float64Array(n);
  const statistics = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < n; i++) sample[i] = values[random.below(n)]!;
    statistics[r] = statistic(sample);
  }
  statistics.sort();
  const value = statistic(Float64Array.from(values));
  return { value, lo: quantile(statistics, 0.025), hi: quantile(statistics, 0.975), n };
}
