import type { DisposablePolicy } from "../../../baselines/index.js";
import { ABLog, type ABStatus, SplitPolicy } from "../../../evaluation/index.js";
import { DAY, type Decision, type LiveEvent, type Receipt, type Request } from "../../../protocol/index.js";
import { verdict } from "../../verdicts/index.js";
import { cell } from "../../writing/figures.js";
import type { Row } from "../../writing/results.js";

export interface TrialOptions {
  seed: number;
  /** Maximum number of users. */
  users: number;
  /** Days after a user's first decision in which minutes count. */
  days: number;
  /** Time from which decisions count, milliseconds. */
  from: number;
}

/** An A/B test of two policies by watch time. */
export class Trial implements DisposablePolicy {
  readonly name: string;
  readonly #policies: readonly [DisposablePolicy, DisposablePolicy];
  readonly #split: SplitPolicy;
  readonly #log: ABLog;
  readonly #from: number;

  constructor(a: DisposablePolicy, b: DisposablePolicy, { seed, users, days, from }: TrialOptions) {
    this.#log = new ABLog({ name: `${a.name}|${b.name}`, seed, users }, { windowMs: days * DAY });
    this.#split = new SplitPolicy(this.#log.test.arms, a, b);
    this.#policies = [a, b];
    this.#from = from;
    this.name = this.#split.name;
  }

  recommend(request: Request): Decision {
    const decision = this.#split.recommend(request);
    if (decision.time >= this.#from) this.#log.decision(decision);
    return decision;
  }

  feedback(event: LiveEvent, now?: number): Receipt {
    this.#log.feedback(event);
    return this.#split.feedback(event, now);
  }

  dispose(): void {
    for (const policy of this.#policies) policy.dispose?.();
  }

  /** The state of the test, in two lines. */
  get text(): string {
    const [a, b] = this.#policies.map(({ name }) => name) as [string, string];
    const { status, difference, p, decidedAt, mismatch, ...arms } = this.#log.test.result();
    const days = this.#log.options.windowMs / DAY;
    const verdicts: Record<ABStatus, string> = {
      running: "not decided",
      a_better: `${a} is better`,
      b_better: `${b} is better`,
      no_difference: "no difference",
      mismatch: "the arms' sizes do not match the split: no conclusion is possible",
    };
    const of = (name: string, { users, mean }: { users: number; mean: number }) =>
      `${name} ${mean.toFixed(1)} (${users} users)`;
    const after = decidedAt === undefined ? "" : `, after ${decidedAt} users`;
    return (
      `minutes watched by a user in ${days} days: ${of(a, arms.a)}, ${of(b, arms.b)}\n` +
      `difference ${cell(difference, 1)}, p ${p.toPrecision(2)}, of arms ${mismatch.p.toPrecision(2)}: ` +
      `${verdicts[status]}${after}`
    );
  }

  /** What its difference means. */
  verdict(): string {
    const [name, reference] = this.#policies.map((policy) => policy.name) as [string, string];
    const { status, difference, a, b } = this.#log.test.result();
    if (status === "mismatch")
      return `${name} and ${reference} cannot be compared: the arms' sizes do not match the split.`;
    // The difference is that of b above a.
    const paired = { name: reference, reference: name, base: a.mean, metric: "watch time", unit: "users" };
    return verdict({ ...paired, ...difference, n: Math.min(a.users, b.users) });
  }

  rows(seed: number): Row[] {
    const { difference, p, mismatch, a, b } = this.#log.test.result();
    const common = { suite: "recommender", case: `ab/${this.name}`, seeds: [seed] };
    const bounds = Number.isFinite(difference.lo) ? { lo: difference.lo, hi: difference.hi } : {};
    const { value, n } = difference;
    const all: Row[] = [
      { ...common, metric: "watch_min_per_user_a", unit: "min", value: a.mean, n: a.users },
      { ...common, metric: "watch_min_per_user_b", unit: "min", value: b.mean, n: b.users },
      { ...common, metric: "difference", unit: "min", value, ...bounds, n },
      { ...common, metric: "p", unit: "1", value: p, n },
      { ...common, metric: "mismatch_p", unit: "1", value: mismatch.pSequential, n },
    ];
    return all.filter((row) => Number.isFinite(row.value));
  }
}
