import { checked } from "../../check/index.js";
import { exp, log } from "../../numeric/index.js";
import { share, type TestArm } from "./arms.js";

const SQRT_PI = 1.772453850905516;
/** From here a continued fraction is faster than the series. */
const LARGE = 2;
/** Terms after which both have long converged, within 1e-16, on their side of `LARGE`. */
const TERMS = 80;

/**
 * The probability that the square of a standard normal is at least `x`: the chi-square test with one degree of freedom.
 *
 * @param x - At least 0.
 * @returns To a relative 1e-13, until it vanishes beyond x = 1400.
 */
export function chiSquareTail(x: number): number {
  if (!(x >= 0)) throw new RangeError(`"x" must be at least 0, got ${x}`);
  const z = Math.sqrt(x / 2);
  const density = exp(-z * z) / SQRT_PI;
  if (z < LARGE) {
    // Abramowitz and Stegun 7.1.6: erf z = 2 / sqrt(pi) e^-z^2 sum of 2^n z^(2n + 1) / (2n + 1)!!.
    let [term, sum] = [z, z];
    for (let n = 1; n < TERMS; n++) {
      term *= (2 * z * z) / (2 * n + 1);
      sum += term;
    }
    return 1 - 2 * density * sum;
  }
  // 7.1.14: erfc z = e^-z^2 / sqrt(pi) / (z + (1/2) / (z + 1 / (z + (3/2) / (z + ...)))), from its far end.
  let fraction = z;
  for (let n = TERMS; n >= 1; n--) fraction = z + n / 2 / fraction;
  return density / fraction;
}

/** What the counts of a test look like beside what was meant. */
export interface SampleRatioMismatch {
  a: number;
  b: number;
  /** Of the chi-square test at this size alone: below 0.05 one time in 20 at each look. */
  p: number;
  /** Valid at all looks together: below 0.01 at any of them in one test of 100, where nothing is wrong. */
  pSequential: number;
}

/** Users whose worth of evidence the prior has that the share is the one that was meant. Set by hand. */
const PRIOR_USERS = 100;

/**
 * Whether users come in the shares in which they were dealt: a sample ratio mismatch says that somewhere one arm loses
 * users, or their data, and that the arms cannot be compared (Fabijan et al. 2019).
 *
 * Evidence is the ratio of two probabilities of the arms as they came: by a share drawn from a beta around the one that
 * was meant, and by that share itself. As that share holds, the ratio is a martingale from 1, which passes 1 / p with a
 * probability of at most p, ever (Ville). Lindon & Malek 2022, "Anytime-Valid Inference For Multinomial Count Data",
 * arXiv:2011.03567.
 */
export class SampleRatioTest {
  readonly #share: number;
  readonly #counts = { a: 0, b: 0 };
  #evidence = 0;
  /** The logarithm of the most evidence so far. */
  #most = 0;

  /** @param shareOfB - Of the users, in (0, 1). */
  constructor(shareOfB: number) {
    this.#share = checked<{ shareOfB: number }>({ shareOfB }, { shareOfB: share }, {}).shareOfB;
  }

  /** A user of an arm came in. */
  add(arm: TestArm): void {
    const meant = arm === "b" ? this.#share : 1 - this.#share;
    const { a, b } = this.#counts;
    const expected = (PRIOR_USERS * meant + this.#counts[arm]) / (PRIOR_USERS + a + b);
    this.#evidence += log(expected / meant);
    this.#most = Math.max(this.#most, this.#evidence);
    this.#counts[arm]++;
  }

  result(): SampleRatioMismatch {
    const { a, b } = this.#counts;
    const n = a + b;
    const off = b - n * this.#share;
    const statistic = n === 0 ? 0 : (off * off) / (n * this.#share * (1 - this.#share));
    return { a, b, p: chiSquareTail(statistic), pSequential: exp(-this.#most) };
  }

  /** Plain values. */
  save(): { counts: { a: number; b: number }; evidence: number; most: number } {
    return { counts: { ...this.#counts }, evidence: this.#evidence, most: this.#most };
  }

  /** Goes on from what `save` gave. */
  load({ counts, evidence, most }: ReturnType<SampleRatioTest["save"]>): void {
    Object.assign(this.#counts, counts);
    this.#evidence = evidence;
    this.#most = most;
  }
}
