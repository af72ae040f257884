import { describe, expect, test } from "vitest";
import { PopularPolicy, RandomPolicy } from "../../src/baselines/index.js";
import { chiSquareTail, SampleRatioTest } from "../../src/evaluation/abtest/mismatch.js";
import {
  ABLog,
  ABTest,
  type ABTestOptions,
  ArmAssignment,
  type SavedABLog,
  type SavedABTest,
  SplitPolicy,
  type TestArm,
} from "../../src/evaluation/index.js";
import { exponential } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import type { Decision, LiveEvent, Policy } from "../../src/recommender/index.js";
import { simulate } from "../../src/simulator/index.js";

describe("arms", () => {
  test("get their shares under any names, and users keep their arms", () => {
    for (const [name, share] of [
      ["one", 0.5],
      ["two", 0.1],
    ] as const) {
      const arms = new ArmAssignment({ name, share });
      const n = 20_000;
      let inB = 0;
      for (let i = 0; i < n; i++) if (arms.of(`user-${i}`) === "b") inB++;
      expect(Math.abs(inB - n * share)).toBeLessThan(4 * Math.sqrt(n * share * (1 - share)));
    }
    expect(new ArmAssignment({ name: "one" }).of("u7")).toBe(
      new ArmAssignment({ name: "one", seed: 0, share: 0.5 }).of("u7"),
    );
  });

  test("of other experiments and other seeds are independent", () => {
    const [one, two, three] = [
      new ArmAssignment({ name: "x" }),
      new ArmAssignment({ name: "y" }),
      new ArmAssignment({ name: "x", seed: 1 }),
    ];
    const n = 8000;
    for (const other of [two, three]) {
      let both = 0;
      for (let i = 0; i < n; i++) if (one.of(`u${i}`) === "b" && other.of(`u${i}`) === "b") both++;
      expect(Math.abs(both - n / 4)).toBeLessThan(4 * Math.sqrt((n * 3) / 16));
    }
  });

  test("keep their users when the share grows", () => {
    const [small, large] = [
      new ArmAssignment({ name: "ramp", share: 0.1 }),
      new ArmAssignment({ name: "ramp", share: 0.4 }),
    ];
    for (let i = 0; i < 2000; i++) if (small.of(`u${i}`) === "b") expect(large.of(`u${i}`)).toBe("b");
  });

  test("must have a name and a share", () => {
    expect(() => new ArmAssignment({} as { name: string })).toThrow('"name" must be a string of 1 to 200 characters');
    expect(() => new ArmAssignment({ name: "x", share: 1 })).toThrow('"share" must be in (0, 1), got 1');
    expect(() => new ArmAssignment({ name: "x", weight: 1 } as { name: string })).toThrow('"weight" is not an option');
  });
});

describe("the mismatch test", () => {
  test("has the tail of chi-square", () => {
    // Quantiles of chi-square with one degree of freedom, as any table has them.
    for (const [x, p] of [
      [2.705543454, 0.1],
      [3.841458821, 0.05],
      [6.634896601, 0.01],
      [10.82756617, 0.001],
      [15.13670523, 1e-4],
    ] as const) {
      expect(chiSquareTail(x) / p).toBeCloseTo(1, 8);
    }
    expect(chiSquareTail(0)).toBe(1);
    expect(chiSquareTail(5000)).toBe(0);
    // Both halves meet where one gives way to the other.
    expect(chiSquareTail(8 - 1e-9) / chiSquareTail(8 + 1e-9)).toBeCloseTo(1, 8);
    // By a sum over the density: 2 phi(sqrt x) dz.
    let area = 0;
    for (let i = 0; i < 100_000; i++) {
      const z = 1.2 + (i + 0.5) * 1e-4;
      area += 2 * Math.exp((-z * z) / 2) * 1e-4;
    }
    expect(chiSquareTail(1.44)).toBeCloseTo(area / Math.sqrt(2 * Math.PI), 8);
    expect(() => chiSquareTail(-1)).toThrow('"x" must be at least 0');
  });

  const counted = (share: number, meant: number, n: number, seed: number, see?: (test: SampleRatioTest) => void) => {
    const random = Random.named(seed, "mismatch");
    const mismatch = new SampleRatioTest(meant);
    for (let i = 0; i < n; i++) {
      mismatch.add(random.bernoulli(share) ? "b" : "a");
      see?.(mismatch);
    }
    return mismatch;
  };

  test("is the chi-square of the counts, and the beta-binomial's evidence", () => {
    const mismatch = new SampleRatioTest(0.5);
    for (let i = 0; i < 30; i++) mismatch.add("a");
    for (let i = 0; i < 50; i++) mismatch.add("b");
    const { a, b, p, pSequential } = mismatch.result();
    expect([a, b]).toEqual([30, 50]);
    expect(p).toBeCloseTo(chiSquareTail(((30 - 40) ** 2 + (50 - 40) ** 2) / 40), 14);
    // Beta(50 + 30, 50 + 50) / Beta(50, 50) / 0.5^80 by factorials, at its largest.
    const ratio = (x: number, y: number) => {
      let value = 0;
      for (let i = 0; i < x; i++) value += Math.log(50 + i);
      for (let i = 0; i < y; i++) value += Math.log(50 + i);
      for (let i = 0; i < x + y; i++) value -= Math.log(100 + i) + Math.log(0.5);
      return value;
    };
    let most = 0;
    for (let i = 0; i <= 30; i++) most = Math.max(most, ratio(i, 0));
    for (let i = 0; i <= 50; i++) most = Math.max(most, ratio(30, i));
    expect(pSequential).toBeCloseTo(Math.exp(-most), 12);
  });

  test("finds a share of 52 % where 50 % was assigned, and none at 50 %, at any number of looks: 300 tests each", () => {
    let found = 0;
    for (let seed = 0; seed < 40; seed++) if (counted(0.52, 0.5, 30_000, seed).result().pSequential < 0.01) found++;
    expect(found).toBeGreaterThan(36);
    let [cried, criedEachLook] = [0, 0];
    for (let seed = 0; seed < 300; seed++) {
      let least = 1;
      const fair = counted(0.5, 0.5, 2000, seed, (test) => {
        if (seed < 60) least = Math.min(least, test.result().p);
      });
      if (fair.result().pSequential < 0.01) cried++;
      if (seed < 60 && least < 0.01) criedEachLook++;
    }
    // Ville: at most 3 of 300 on average. The plain test, looked at each time, cries wolf.
    expect(cried).toBeLessThanOrEqual(7);
    expect(criedEachLook / 60).toBeGreaterThan(0.05);
    expect(counted(0.2, 0.2, 20_000, 1).result().pSequential).toBeGreaterThan(0.05);
  });
});

/** A test with users of one distribution, arm `b` above by `gain`. */
function run(
  seed: number,
  n: number,
  draw: (random: Random, arm: TestArm) => number,
  options: Partial<ABTestOptions> = {},
  see?: (test: ABTest) => boolean,
): ABTest {
  const random = Random.named(seed, "run");
  const ab = new ABTest({ name: `test-${seed}`, users: 2000, ...options });
  for (let i = 0; i < n; i++) {
    const user = `u${i}`;
    ab.add(user, draw(random, ab.arms.of(user)));
    if (see?.(ab)) break;
  }
  return ab;
}

const watched = (random: Random) => exponential(random, 30);

describe("the sequential test", () => {
  test("finds no difference where there is none, at any number of looks, where a t-test does: 300 tests", () => {
    let [wrong, wrongT] = [0, 0];
    const tests = 300;
    for (let seed = 0; seed < tests; seed++) {
      let peeked = false;
      const random = Random.named(seed, "run");
      const sums = { a: [0, 0, 0], b: [0, 0, 0] };
      const ab = new ABTest({ name: `test-${seed}`, users: 2000 });
      for (let i = 0; i < 1500; i++) {
        const user = `u${i}`;
        const value = watched(random);
        ab.add(user, value);
        const own = sums[ab.arms.of(user)];
        own[0]!++;
        own[1]! += value;
        own[2]! += value * value;
        if (i < 200 || peeked) continue;
        const [a, b] = [sums.a, sums.b].map(([count, sum, squares]) => {
          const mean = sum! / count!;
          return { mean, error: (squares! / count! - mean * mean) / count! };
        }) as [{ mean: number; error: number }, { mean: number; error: number }];
        peeked = Math.abs(a.mean - b.mean) > 1.96 * Math.sqrt(a.error + b.error);
      }
      if (ab.result().decidedAt !== undefined) wrong++;
      if (peeked) wrongT++;
    }
    expect(wrong / tests).toBeLessThan(0.05);
    expect(wrongT / tests).toBeGreaterThan(0.15);
  });

  test("holds the true difference at all numbers of users at once: 200 tests", () => {
    let lost = 0;
    for (let seed = 0; seed < 200; seed++) {
      let hasLost = false;
      run(
        seed,
        1200,
        (random, arm) => watched(random) + (arm === "b" ? 4 : 0),
        {},
        (ab) => {
          const { lo, hi } = ab.result().difference;
          hasLost ||= lo > 4 || hi < 4;
          return hasLost;
        },
      );
      if (hasLost) lost++;
    }
    expect(lost / 200).toBeLessThan(0.05);
  });

  test("finds a difference, the sooner the larger it is, in either direction, and the verdict stands", () => {
    const at = (gain: number) => run(1, 20_000, (random, arm) => watched(random) + (arm === "b" ? gain : 0)).result();
    const [small, large] = [at(4), at(12)];
    for (const result of [small, large]) expect(result.status).toBe("b_better");
    expect(large.decidedAt!).toBeLessThan(small.decidedAt! / 2);
    expect(small.p).toBeLessThan(0.05);
    expect(at(-8).status).toBe("a_better");
    // What comes later cannot take it back.
    const flips = run(2, 6000, (random, arm) => watched(random) + (arm === "b" ? 12 : 0));
    const before = flips.result().decidedAt;
    for (let i = 0; i < 3000; i++) flips.add(`late-${i}`, flips.arms.of(`late-${i}`) === "a" ? 100 : 0);
    expect(flips.result()).toMatchObject({ status: "b_better", decidedAt: before });
    expect(flips.result().difference.hi).toBeLessThan(0);
  });

  test("finds no difference within a margin", () => {
    const options = { margin: 3, users: 10_000 };
    expect(run(3, 20_000, watched, options).result().status).toBe("no_difference");
    expect(run(3, 20_000, watched, { ...options, margin: 0 }).result().status).toBe("running");
    expect(run(3, 200, watched, options).result().status).toBe("running");
  });

  test("equals the formula, computed by hand", () => {
    const ab = new ABTest({ name: "hand", users: 100, atLeast: 2, alpha: 0.1 });
    const values: Record<TestArm, number[]> = { a: [], b: [] };
    for (let i = 0; i < 40; i++) {
      const value = (i * 7) % 11;
      ab.add(`u${i}`, value);
      values[ab.arms.of(`u${i}`)].push(value);
    }
    const mean = (of: number[]) => of.reduce((sum, x) => sum + x, 0) / of.length;
    const variance = (of: number[]) => of.reduce((sum, x) => sum + (x - mean(of)) ** 2, 0) / (of.length - 1);
    const d = mean(values.b) - mean(values.a);
    const s = Math.sqrt(variance(values.a) / values.a.length + variance(values.b) / values.b.length);
    const tr = (40 * (-2 * Math.log(0.1) + Math.log(1 - 2 * Math.log(0.1)))) / 100;
    const half = s * Math.sqrt(((2 * (tr + 1)) / tr) * Math.log(Math.sqrt(tr + 1) / 0.1));
    const { difference, a, b } = ab.result();
    expect(difference.value).toBeCloseTo(d, 12);
    expect([difference.lo, difference.hi]).toEqual([expect.closeTo(d - half, 10), expect.closeTo(d + half, 10)]);
    expect([a.users, b.users]).toEqual([values.a.length, values.b.length]);
    expect(a.mean).toBeCloseTo(mean(values.a), 12);
    // p is the alpha at which the interval would end at 0, at its smallest so far.
    const edge = Math.sqrt(tr + 1) * Math.exp((-((d / s) ** 2) * tr) / (2 * (tr + 1)));
    expect(ab.result().p).toBeLessThanOrEqual(Math.min(1, edge) + 1e-12);
  });

  test("concludes nothing where users do not come in the assigned shares", () => {
    const ab = new ABTest({ name: "lossy" });
    const random = Random.named(1, "lossy");
    // Every tenth user of b is lost, who would have watched least.
    for (let i = 0; i < 12_000; i++) {
      const user = `u${i}`;
      const value = watched(random);
      if (ab.arms.of(user) === "b" && value < 3) continue;
      ab.add(user, value);
    }
    const { status, decidedAt, mismatch } = ab.result();
    expect(decidedAt).toBeDefined();
    expect(status).toBe("mismatch");
    expect(mismatch.b).toBeLessThan(mismatch.a);
    expect(mismatch.p).toBeLessThan(1e-6);
  });

  test("continues from JSON as if it had never stopped", () => {
    const draw = (random: Random, arm: TestArm) => watched(random) + (arm === "b" ? 6 : 0);
    const whole = run(5, 3000, draw, { margin: 1, share: 0.3 });
    const random = Random.named(5, "run");
    let half = new ABTest({ name: "test-5", users: 2000, margin: 1, share: 0.3 });
    for (let i = 0; i < 3000; i++) {
      if (i % 1000 === 500) half = ABTest.load(JSON.parse(JSON.stringify(half.save())) as SavedABTest);
      half.add(`u${i}`, draw(random, half.arms.of(`u${i}`)));
    }
    expect(half.result()).toEqual(whole.result());
    expect(half.save()).toEqual(whole.save());
    const saved = half.save();
    expect(() => ABTest.load({ ...saved, p: Number.NaN })).toThrow('"saved.p" must be in [0, 1], got NaN');
    expect(() => ABTest.load({ ...saved, users: [] })).toThrow('"saved.users" must be a list of 3000');
  });

  test("refuses a second value of a user and an invalid value, and changes nothing", () => {
    const ab = new ABTest({ name: "strict" });
    ab.add("u", 1);
    const before = ab.save();
    expect(() => ab.add("u", 2)).toThrow('"user" must be new, got "u" again');
    expect(() => ab.add("v", Number.NaN)).toThrow('"value" must be in [-1e9, 1e9], got NaN');
    expect(ab.save()).toEqual(before);
    expect(ab.result().status).toBe("running");
    expect(() => new ABTest({ name: "x", alpha: 1 })).toThrow('"alpha" must be in [0.000001, 0.5], got 1');
    expect(() => new ABTest({ name: "x", size: 1 } as { name: string })).toThrow('"size" is not an option');
  });
});

/** Keeps the events that it gets. */
class Witness implements Policy {
  readonly name = "witness";
  readonly heard: LiveEvent[] = [];
  #decisions = 0;

  recommend({ user, now }: { user: string; now: number }): Decision {
    return { id: `w-${this.#decisions++}`, user, time: now, slate: [], propensities: [], scores: [] };
  }

  feedback(event: LiveEvent): void {
    this.heard.push(event);
  }
}

describe("two policies on one platform", () => {
  test("both get events of streams, and each those of its own users; decisions keep the policy's ids", () => {
    const arms = new ArmAssignment({ name: "split" });
    const [a, b] = [new Witness(), new Witness()];
    const split = new SplitPolicy(arms, a, b);
    const inA = Array.from({ length: 20 }, (_, i) => `u${i}`).find((user) => arms.of(user) === "a")!;
    const inB = Array.from({ length: 20 }, (_, i) => `u${i}`).find((user) => arms.of(user) === "b")!;
    const onAir: LiveEvent = { kind: "on_air", time: 0, stream: "s", streamer: "s", category: "c" };
    split.feedback(onAir);
    const decisions = [inA, inB].map((user) => split.recommend({ user, now: 1, k: 1 }));
    expect(decisions.map(({ id }) => id)).toEqual(["a:w-0", "b:w-0"]);
    for (const { id, user } of decisions) split.feedback({ kind: "click", time: 2, user, stream: "s", decision: id });
    const friends: LiveEvent = { kind: "friend", time: 3, user: inA, friend: inB };
    const age: LiveEvent = { kind: "user", time: 4, user: inB, age: 30 };
    split.feedback(friends);
    split.feedback(age);
    const click = (user: string) => ({ kind: "click", time: 2, user, stream: "s", decision: "w-0" });
    expect(a.heard).toEqual([onAir, click(inA), friends]);
    expect(b.heard).toEqual([onAir, click(inB), friends, age]);
    expect(() => new SplitPolicy(arms, a, a)).toThrow('"a" and "b" must be two policies');
  });

  /** A test of two policies on the simulator. */
  function tested(a: Policy, b: Policy, name: string): ABLog {
    const log = new ABLog({ name, users: 800 }, { windowMs: 2 * 86_400_000 });
    const split = new SplitPolicy(log.test.arms, a, b);
    const hooks = { onDecision: (one: Decision) => log.decision(one), onEvent: (one: LiveEvent) => log.feedback(one) };
    simulate(split, { viewers: 1000, streamers: 200, days: 4, seed: 1 }, hooks);
    return log;
  }

  test("random against popular: popular is watched longer; popular against itself shows no difference", () => {
    const found = tested(new RandomPolicy(1), new PopularPolicy(), "popular").test.result();
    expect(found.status).toBe("b_better");
    expect(found.difference.lo).toBeGreaterThan(0);
    const same = tested(new PopularPolicy(), new PopularPolicy(), "same").test.result();
    expect(same.status).toBe("running");
    expect(same.difference.lo).toBeLessThan(0);
    expect(same.difference.hi).toBeGreaterThan(0);
    expect(same.a.users + same.b.users).toBeGreaterThan(500);
  });

  test("each user counts once, with the window after the first decision", () => {
    const log = new ABLog({ name: "windows" }, { windowMs: 1000, metric: "clicks" });
    const click = (time: number, user: string): LiveEvent => ({ kind: "click", time, user, stream: "s" });
    log.feedback(click(5, "u"));
    log.decision({ user: "u", time: 10 });
    log.feedback(click(20, "u"));
    log.decision({ user: "u", time: 500 });
    log.decision({ user: "v", time: 600 });
    log.feedback(click(1009, "u"));
    expect(log.open).toBe(2);
    const again = ABLog.load(JSON.parse(JSON.stringify(log.save())) as SavedABLog);
    for (const one of [log, again]) {
      one.feedback(click(1010, "u"));
      expect([one.test.has("u"), one.test.has("v"), one.open]).toEqual([true, false, 1]);
      one.decision({ user: "u", time: 1020 });
      one.advance(5000);
      const { a, b } = one.test.result();
      expect(a.users + b.users).toBe(2);
      const sum = (a.users && a.users * a.mean) + (b.users && b.users * b.mean);
      expect(sum).toBe(2);
    }
    expect(again.save()).toEqual(log.save());
  });
});
