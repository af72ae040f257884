import { describe, expect, test } from "vitest";
import { type DisposablePolicy, POLICIES, type PolicyName } from "../../src/baselines/registry.js";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import type { Decision, Policy, Request } from "../../src/protocol/policy.js";
import { EventError } from "../../src/protocol/schema.js";
import { MINUTE } from "../../src/protocol/time.js";
import { simulate } from "../../src/simulator/index.js";
import { putOnAir } from "../support/events.js";

const NAMES = Object.keys(POLICIES) as PolicyName[];
/** Those that draw what they show. */
const STOCHASTIC: readonly PolicyName[] = ["random", "click-greedy", "watch-greedy", "dqn-gamma-0", "dqn"];
/** Options by which the policies that learn are ready early enough for a test. */
const EAGER: Partial<Record<PolicyName, object>> = {
  ease: { refitEvery: 10, lambda: 5 },
  ...Object.fromEntries(
    ["click-greedy", "watch-greedy", "dqn-gamma-0", "dqn"].map((name) => [
      name,
      { warmupUpdates: 100, updatesPerTrain: 1, learner: { hidden: [16], learningStarts: 50, learningRate: 3e-3 } },
    ]),
  ),
};

/** Passes all on, and keeps what was decided. */
class Witness implements Policy {
  readonly name = "witness";
  readonly decisions: Decision[] = [];
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  recommend(request: Request): Decision {
    const decision = this.#policy.recommend(request);
    this.decisions.push(decision);
    return decision;
  }

  feedback(event: LiveEvent): void {
    this.#policy.feedback(event);
  }
}

function running(
  name: PolicyName,
  use: (policy: DisposablePolicy) => void,
  options: object | undefined = EAGER[name],
): void {
  const policy = POLICIES[name].create(1, options, "");
  try {
    use(policy);
  } finally {
    policy.dispose?.();
  }
}

/** Streams s0 to s(n - 1), of which the last has the most viewers. */
function air(policy: Policy, n: number): void {
  const order = [...Array(n).keys()];
  putOnAir(
    policy,
    order.map((i) => (i % 2 ? "a" : "b")),
    order,
  );
}

const TASTES = ["chess", "music", "racing"];

/**
 * A small world: 12 streams, four of each category, of which users like one category each; users have given their group,
 * which is their taste. Returns the minutes watched per request over the second half.
 */
function minutesIn(policy: Policy, requests: number): number {
  const random = new Random(7);
  const order = random.shuffle([...Array(12).keys()]);
  for (const i of order) {
    policy.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `x${i}`, category: TASTES[i % 3]! });
    policy.feedback({ kind: "update", time: 0, stream: `s${i}`, viewers: 10 * (i < 6 ? 1 : 2) });
  }
  const users = 18;
  for (let u = 0; u < users; u++) policy.feedback({ kind: "user", time: 0, user: `u${u}`, gender: `g${u % 3}` });
  let minutes = 0;
  for (let n = 0; n < requests; n++) {
    const now = n * 31 * MINUTE;
    // A sign of life of those that nobody enters.
    if (n % 23 === 0) for (const i of order) policy.feedback({ kind: "update", time: now, stream: `s${i}` });
    const u = random.below(users);
    const user = `u${u}`;
    const { id, slate } = policy.recommend({ user, now, k: 2 });
    const draws = [random.uniform(), random.uniform()];
    for (const [position, stream] of slate.entries()) {
      policy.feedback({ kind: "impression", time: now, user, stream, decision: id, position });
    }
    // Streams with more viewers are a little better, so that popularity has some value too.
    const clicked = slate.findIndex((stream, position) => {
      const i = Number(stream.slice(1));
      return draws[position]! < (i % 3 === u % 3 ? 0.5 : 0.05) + (i < 6 ? 0 : 0.15);
    });
    if (clicked < 0) continue;
    const stream = slate[clicked]!;
    const isLiked = Number(stream.slice(1)) % 3 === u % 3;
    const watched = isLiked ? 30 : 0.5;
    if (n >= requests / 2) minutes += (2 * watched) / requests;
    policy.feedback({ kind: "click", time: now, user, stream, decision: id });
    const watchMs = watched * MINUTE;
    policy.feedback({ kind: "watch", time: now + watchMs, user, stream, watchMs, decision: id });
  }
  return minutes;
}

describe.each(NAMES)("%s", (name) => {
  test("shows at most k distinct streams on air, over a simulated day", () => {
    running(name, (policy) => {
      expect(policy.name).toBe(name);
      const witness = new Witness(policy);
      // `simulate` throws at a stream that is off air, shown twice, or one too many.
      const { requests } = simulate(witness, { viewers: 25, streamers: 80, days: 1, seed: 3, slate: 4 });
      expect(requests).toBe(witness.decisions.length);
      expect(requests).toBeGreaterThan(50);
      const ids = new Set(witness.decisions.map(({ id }) => id));
      expect(ids.size).toBe(requests);
      for (const { slate, propensities, scores } of witness.decisions) {
        expect([propensities.length, scores.length]).toEqual([slate.length, slate.length]);
        expect(scores.every(Number.isFinite)).toBe(true);
        const isSure = !STOCHASTIC.includes(name);
        expect(propensities.every((p) => (isSure ? p === 1 : p > 0 && p <= 1))).toBe(true);
        if (isSure) expect(scores).toEqual([...scores].sort((a, b) => b - a));
      }
    });
  });

  test("chooses among the candidates on air, for unknown users and streamers", () => {
    running(name, (policy) => {
      air(policy, 12);
      policy.feedback({ kind: "off_air", time: 1, stream: "s3" });
      for (let n = 0; n < 20; n++) {
        const candidates = ["s9", "nobody", "s3", "s1", "s9", "s4"];
        const { slate } = policy.recommend({ user: `u${n}`, now: 2, k: 5, candidates });
        expect([...slate].sort()).toEqual(["s1", "s4", "s9"]);
      }
      expect(policy.recommend({ user: "u", now: 2, k: 5, candidates: [] }).slate).toEqual([]);
      expect(policy.recommend({ user: "u", now: 2, k: 3 }).slate).toHaveLength(3);
    });
  });

  test("makes the same decisions for the same seed and the same events", () => {
    const decide = () => {
      let decisions: Decision[] = [];
      running(name, (policy) => {
        const witness = new Witness(policy);
        minutesIn(witness, 150);
        ({ decisions } = witness);
      });
      return decisions;
    };
    expect(decide()).toEqual(decide());
  });

  test("refuses invalid requests, events and options", () => {
    running(name, (policy) => {
      air(policy, 3);
      expect(() => policy.recommend({ user: "u", now: 0, k: 0 })).toThrow(EventError);
      const wrong = { kind: "watch", time: 1, user: "u", stream: "s1", watchMs: Number.NaN } as const;
      expect(() => policy.feedback(wrong)).toThrow('"watchMs"');
      expect(policy.recommend({ user: "u", now: 1, k: 3 }).slate).toHaveLength(3);
    });
    // These two have no options.
    if (name !== "random" && name !== "popular") {
      expect(() => POLICIES[name].create(1, { nonsense: 1 })).toThrow('"nonsense" is not an option');
    }
  });
});

test.each(NAMES.filter((name) => name !== "random"))("%s is watched longer than random in a planted world", (name) => {
  running(name, (policy) => {
    const random = minutesIn(POLICIES.random.create(1), 900);
    expect(minutesIn(policy, 900)).toBeGreaterThan((name === "popular" ? 1.05 : 1.25) * random);
  });
});

test("policies show the most popular to an unknown user", () => {
  for (const name of ["popular", "popular-by-context", "itemknn", "ease"] as const) {
    running(name, (policy) => {
      air(policy, 6);
      expect(policy.recommend({ user: "new", now: 0, k: 3 }).slate, name).toEqual(["s5", "s4", "s3"]);
    });
  }
});
