import { checked, fields, finite, nonNegativeInteger, requireShape, type Shape } from "../../check/index.js";
import { exp, log } from "../../numeric/index.js";
import { share, type TestArm } from "./arms.js";

const SQRT_PI = 1.772453850905516;
/** Above this the continued fraction is faster than the series. */
const LARGE = 2;
/** Number of terms; both have converged to 1e-16 by then, each on its side of `LARGE`. */
const TERMS = 80;

/**
 * The probability that the square of a standard normal is at least `x`: the p-value of a chi-square test with one
 * degree of freedom.
 *
 * @param x - At least 0.
 * @returns Within a relative error of 1e-13; 0 beyond about x = 1400.
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

const SAVED: Shape = fields<ReturnType<SampleRatioTest["save"]>>({
  counts: fields<Record<TestArm, number>>({ a: nonNegativeInteger, b: nonNegativeInteger }),
  evidence: finite,
  most: finite,
});

/** The number of users in each arm, and how well it fits the assigned shares. */
export interface SampleRatioMismatch {
  a: number;
  b: number;
  /** P-value of the chi-square test at this number of users alone: each look has its own chance of a false alarm. */
  p: number;
  /**
   * Sequential p-value, valid at all looks together: where nothing is wrong, it ever falls below p with probability p.
   */
  pSequential: number;
}

/** Weight of the prior on the assigned share, in users. Set by hand. */
const PRIOR_USERS = 100;

/**
 * Tests whether users come in the assigned shares. With a sample ratio mismatch one arm loses users or their data, and
 * the arms cannot be compared (Fabijan et al. 2019).
 *
 * The evidence is a ratio of two probabilities of the sequence of arms: with a share drawn from a beta distribution
 * around the assigned one, and with the assigned share. Where the assigned share holds, the ratio is a martingale that
 * begins at 1, and ever passes 1 / p with a probability of at most p (Ville). Lindon & Malek 2022, "Anytime-Valid
 * Inference For Multinomial Count Data", arXiv:2011.03567.
 */
export class SampleRatioTest {
  readonly #share: number;
  readonly #counts = { a: 0, b: 0 };
  #evidence = 0;
  /** The logarithm of the most evidence so far. */
  #most = 0;

  /** @param shareOfB - Share of the users in arm `b`, in (0, 1). */
  constructor(shareOfB: number) {
    this.#share = checked<{ shareOfB: number }>({ shareOfB }, { shareOfB: share }, {}).shareOfB;
  }

  /** Counts a user of an arm. */
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

  /** The state as plain values. */
  save(): { counts: { a: number; b: number }; evidence: number; most: number } {
    return { counts: { ...this.#counts }, evidence: this.#evidence, most: this.#most };
  }

  /** Takes the state that `save` gave. @throws RangeError that names what is wrong. */
  load(saved: ReturnType<SampleRatioTest["save"]>): void {
    requireShape(SAVED, saved, "saved.mismatch");
    const { counts, evidence, most } = saved;
    Object.assign(this.#counts, counts);
    this.#evidence = evidence;
    this.#most = most;
  }
}
