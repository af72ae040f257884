import {
  any,
  between,
  bounded,
  checked,
  distinct,
  fields,
  finite,
  group,
  list,
  mustBe,
  nonNegative,
  nonNegativeInteger,
  oneOf,
  or,
  positiveInteger,
  type Rules,
  requireShape,
  type Shape,
  text,
} from "../../check/index.js";
import { exp, log } from "../../numeric/index.js";
import type { Id } from "../../protocol/index.js";
import type { Interval } from "../../statistics/index.js";
import { ARMS_DEFAULTS, ARMS_TABLE, ArmAssignment, type ArmAssignmentOptions, type TestArm } from "./arms.js";
import { type SampleRatioMismatch, SampleRatioTest } from "./mismatch.js";

export interface ABTestOptions extends ArmAssignmentOptions {
  /** Probability of ever finding a difference where there is none, [1e-6, 0.5]. Default 0.05. */
  alpha: number;
  /**
   * The largest difference that counts as none, in units of the metric, >= 0; with 0 a test never ends in
   * `no_difference`. Default 0.
   */
  margin: number;
  /**
   * Number of users of both arms at which the interval is tightest, >= 1. It is valid at any number, and somewhat wider
   * at a tenth or ten times as many. Default 10 000.
   */
  users: number;
  /**
   * Users of each arm before any verdict, >= 2: the interval rests on the central limit theorem. Default 100. [set by
   * hand]
   */
  atLeast: number;
  /** Probability of ever finding a sample ratio mismatch where there is none, [1e-6, 0.5]. Default 0.01. */
  mismatchAlpha: number;
}

const probability = between(1e-6, 0.5);
const TABLE: Rules<ABTestOptions> = {
  ...ARMS_TABLE,
  alpha: probability,
  margin: nonNegative,
  users: positiveInteger,
  atLeast: [(value) => Number.isSafeInteger(value) && (value as number) >= 2, "an integer >= 2"],
  mismatchAlpha: probability,
};

const DEFAULTS = { ...ARMS_DEFAULTS, alpha: 0.05, margin: 0, users: 10_000, atLeast: 100, mismatchAlpha: 0.01 };
const VALUE_MAX = 1e9;

/**
 * Status of a test: `mismatch` where users do not come in the assigned shares, so that no conclusion is possible;
 * `no_difference` where the difference is within the margin.
 */
export type ABStatus = "running" | "a_better" | "b_better" | "no_difference" | "mismatch";

/** Status and figures of a test. */
export interface ABResult {
  status: ABStatus;
  /** Number of users of each arm, and the mean of their values; NaN without users. */
  a: { users: number; mean: number };
  b: { users: number; mean: number };
  /**
   * Mean of `b` minus mean of `a`. The interval holds the truth at all looks together with probability 1 - alpha; `n`
   * is the number of users.
   */
  difference: Interval;
  /** The smallest p-value so far, valid at all looks together. */
  p: number;
  /** Number of users at the verdict; undefined while there is none. */
  decidedAt: number | undefined;
  mismatch: SampleRatioMismatch;
}

/** Number of values, their mean, and the sum of squared differences from it. */
interface Moments {
  n: number;
  mean: number;
  squares: number;
}

type Verdict = { status: Exclude<ABStatus, "running" | "mismatch">; users: number };

/** The result of `ABTest.save`: plain values. */
export interface SavedABTest {
  options: ABTestOptions;
  moments: Record<TestArm, Moments>;
  mismatch: ReturnType<SampleRatioTest["save"]>;
  p: number;
  verdict: Verdict | undefined;
  users: Id[];
}

const moments = fields<Moments>({ n: nonNegativeInteger, mean: finite, squares: nonNegative });

const SAVED: Shape = fields<SavedABTest>({
  options: group,
  moments: fields<Record<TestArm, Moments>>({ a: moments, b: moments }),
  mismatch: any,
  p: between(0, 1),
  verdict: or(
    undefined,
    fields<Verdict>({ status: oneOf("a_better", "b_better", "no_difference"), users: nonNegativeInteger }),
  ),
  users: distinct(list(text)),
});

/**
 * A sequential A/B test of a metric by user: it may be read after every user and stopped at its verdict, and finds a
 * difference where there is none with a probability of at most `alpha`. A t-test that is read again and again finds one
 * sooner or later.
 *
 * With t users, d the difference of the means, and s its standard error, the interval is
 *
 *     d +- s sqrt(2 (t r + 1) / (t r) * log(sqrt(t r + 1) / alpha)),   r = (-2 log alpha + log(1 - 2 log alpha)) / users:
 *
 * Robbins's mixture over normals: the mixture sequential probability ratio test of Johari et al. (2022, "Always Valid
 * Inference", arXiv:1512.04922) in the form of the asymptotic confidence sequence of Waudby-Smith et al. (2021,
 * "Time-uniform central limit theory and asymptotic confidence sequences", arXiv:2103.06476).
 *
 * The first verdict stands. The test takes users as independent. On a platform the arms share streams, and a stream
 * that is popular in one arm may be shown more in both.
 */
export class ABTest {
  readonly options: Readonly<ABTestOptions>;
  readonly arms: ArmAssignment;
  readonly #moments: Record<TestArm, Moments> = { a: { n: 0, mean: 0, squares: 0 }, b: { n: 0, mean: 0, squares: 0 } };
  readonly #mismatch: SampleRatioTest;
  readonly #users = new Set<Id>();
  #p = 1;
  #verdict: Verdict | undefined;

  /** @throws TypeError or RangeError for unknown, missing or wrong options. */
  constructor(options: Pick<ABTestOptions, "name"> & Partial<ABTestOptions>) {
    this.options = checked<ABTestOptions>(options, TABLE, DEFAULTS);
    const { name, seed, share } = this.options;
    this.arms = new ArmAssignment({ name, seed, share });
    this.#mismatch = new SampleRatioTest(this.options.share);
  }

  /** Whether the user's value is in the test. */
  has(user: Id): boolean {
    return this.#users.has(user);
  }

  /**
   * Takes the value of a user, once, when it is complete; users in the order in which their values are complete.
   *
   * @param value - In [-1e9, 1e9].
   * @throws RangeError for another value, or a user whose value is in the test; nothing changes then.
   */
  add(user: Id, value: number): void {
    if (!(Math.abs(value) <= VALUE_MAX)) throw mustBe("value", bounded(VALUE_MAX), value);
    if (this.has(user)) throw new RangeError(`"user" must be new, got ${JSON.stringify(user)} again`);
    this.#users.add(user);
    const arm = this.arms.of(user);
    this.#mismatch.add(arm);
    const moments = this.#moments[arm];
    // Welford 1962.
    const off = value - moments.mean;
    moments.n++;
    moments.mean += off / moments.n;
    moments.squares += off * (value - moments.mean);
    this.#judge();
  }

  result(): ABResult {
    const { a, b } = this.#moments;
    const mismatch = this.#mismatch.result();
    const isMismatch = mismatch.pSequential < this.options.mismatchAlpha;
    const summary = ({ n, mean }: Moments) => ({ users: n, mean: n === 0 ? Number.NaN : mean });
    return {
      status: isMismatch ? "mismatch" : (this.#verdict?.status ?? "running"),
      a: summary(a),
      b: summary(b),
      difference: this.#difference(),
      p: this.#p,
      decidedAt: this.#verdict?.users,
      mismatch,
    };
  }

  /** Everything, as plain values for JSON. */
  save(): SavedABTest {
    return structuredClone({
      options: this.options,
      moments: this.#moments,
      mismatch: this.#mismatch.save(),
      p: this.#p,
      verdict: this.#verdict,
      users: [...this.#users],
    });
  }

  /**
   * The test that `save` wrote.
   * @throws TypeError or RangeError for an invalid `saved`.
   */
  static load(saved: SavedABTest): ABTest {
    requireShape(SAVED, saved, "saved");
    const test = new ABTest(saved.options);
    const { a, b } = saved.moments;
    if (saved.users.length !== a.n + b.n) throw mustBe("saved.users", `a list of ${a.n + b.n} users`, saved.users);
    for (const arm of ["a", "b"] as const) Object.assign(test.#moments[arm], saved.moments[arm]);
    for (const user of saved.users) test.#users.add(user);
    test.#mismatch.load(saved.mismatch);
    test.#p = saved.p;
    test.#verdict = saved.verdict && { ...saved.verdict };
    return test;
  }

  /** Standard error of the difference, and t r of the formula above. */
  #scale(): { error: number; mixture: number } {
    const { a, b } = this.#moments;
    const { alpha, users } = this.options;
    const variance = ({ n, squares }: Moments) => squares / (n - 1) / n;
    const tightest = -2 * log(alpha);
    return {
      error: Math.sqrt(variance(a) + variance(b)),
      mixture: ((a.n + b.n) * (tightest + log(1 + tightest))) / users,
    };
  }

  /** Whether there are enough users for the central limit theorem. */
  get #isReady(): boolean {
    const { a, b } = this.#moments;
    return Math.min(a.n, b.n) >= this.options.atLeast;
  }

  #difference(): Interval {
    const { a, b } = this.#moments;
    const value = a.n === 0 || b.n === 0 ? Number.NaN : b.mean - a.mean;
    if (!this.#isReady) return { value, lo: -Infinity, hi: Infinity, n: a.n + b.n };
    const { error, mixture } = this.#scale();
    const inLog = 0.5 * log(mixture + 1) - log(this.options.alpha);
    const half = error * Math.sqrt(((2 * (mixture + 1)) / mixture) * inLog);
    return { value, lo: value - half, hi: value + half, n: a.n + b.n };
  }

  /** Updates p and the verdict. */
  #judge(): void {
    if (!this.#isReady) return;
    const { value, lo, hi, n } = this.#difference();
    const { error, mixture } = this.#scale();
    const z2 = error > 0 ? (value / error) * (value / error) : value === 0 ? 0 : Infinity;
    this.#p = Math.min(this.#p, exp(0.5 * log(mixture + 1) - (z2 * mixture) / (2 * (mixture + 1))));
    if (this.#verdict !== undefined) return;
    const { margin } = this.options;
    if (lo > 0) this.#verdict = { status: "b_better", users: n };
    else if (hi < 0) this.#verdict = { status: "a_better", users: n };
    else if (margin > 0 && lo >= -margin && hi <= margin) this.#verdict = { status: "no_difference", users: n };
  }
}
