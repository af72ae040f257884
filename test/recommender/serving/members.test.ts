import { describe, expect, test } from "vitest";
import { Ensemble, type EnsembleOptions } from "../../../src/engine/ensemble/index.js";
import { Random } from "../../../src/numeric/random.js";
import { coreFeatures } from "../../../src/recommender/features/features.js";
import { Recommender, type RecommenderOptions } from "../../../src/recommender/recommender.js";
import { optimistic } from "../../../src/recommender/serving/index.js";
import { onAir } from "../../support/events.js";

const STREAMS = 8;

/** A recommender on an ensemble that has learned a little from random visits. */
function taught(
  explore: RecommenderOptions["explore"],
  ensemble: Partial<EnsembleOptions> = {},
  visits = 150,
): Recommender {
  const recommender = new Recommender(
    {
      ...{ instance: "", seed: 5, features: coreFeatures(), warmupUpdates: 20, explore },
      learner: { hidden: [8], learningStarts: 20, batchSize: 8, capacity: 500 },
    },
    (options) => new Ensemble(options, { members: 4, ...ensemble }),
  );
  for (let i = 0; i < STREAMS; i++) {
    recommender.feedback(onAir(`s${i}`, { streamer: `r${i}`, category: `c${i % 3}` }));
  }
  const random = new Random(2);
  for (let visit = 0; visit < visits; visit++) {
    const time = 1000 * (visit + 1);
    const { id, slate } = recommender.recommend({ user: `u${visit % 9}`, now: time, k: 3 });
    const about = { user: `u${visit % 9}`, stream: slate[random.below(3)]!, decision: id };
    recommender.feedback({ kind: "click", time: time + 1, ...about });
    recommender.feedback({ kind: "watch", time: time + 500, ...about, watchMs: 499 });
  }
  expect(recommender.stats().updates).toBeGreaterThan(20);
  return recommender;
}

describe("an ensemble as the agent", () => {
  test.each([
    ["thompson", 0],
    ["thompson", 0.2],
    ["optimism", 0.2],
    ["mean", 0.2],
  ] as const)("explores by %s with epsilon %d as often as its propensities say", (members, epsilon) => {
    const recommender = taught({ members, epsilon }, { rewardNoise: 3 }, 90);
    // By position and stream: what was shown less its chance, and the variance of that.
    const sums = new Map<string, { excess: number; variance: number }>();
    const add = (position: number, at: Map<string, number>, shown: string) => {
      for (const [id, p] of at) {
        const key = `${position} ${id}`;
        const sum = sums.get(key) ?? { excess: 0, variance: 0 };
        sums.set(key, { excess: sum.excess + Number(id === shown) - p, variance: sum.variance + p * (1 - p) });
      }
    };
    for (let i = 0; i < 500; i++) {
      const request = { user: `new${i}`, now: 1e6, k: 2 };
      const below = new Map(
        recommender.onAir().map((id) => [id, recommender.distributions(request, [id, "none"])] as const),
      );
      const { slate, propensities } = recommender.recommend(request);
      for (const [position, at] of below.get(slate[0]!)!.entries()) {
        expect(propensities![position]).toBeCloseTo(at.get(slate[position]!)!, 9);
        expect([...at.values()].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
        add(position, at, slate[position]!);
      }
    }
    let random = 0;
    for (const { excess, variance } of sums.values()) {
      expect(Math.abs(excess)).toBeLessThanOrEqual(4.5 * Math.sqrt(variance) + 1e-6);
      if (variance > 3) random++;
    }
    expect(random).toBeGreaterThan(1);
    recommender.dispose();
  });

  test("distributions are exact, and draw nothing", () => {
    const recommender = taught({ members: "thompson", epsilon: 0.1 });
    const request = { user: "u1", now: 1e6, k: 3 };
    const before = recommender.distributions(request, ["s0", "s1"]);
    expect(recommender.distributions(request, ["s0", "s1"])).toEqual(before);
    recommender.dispose();
  });

  test("by session follows one member through a user's session, each of them for some", () => {
    const recommender = taught({ members: "session", epsilon: 0 }, { rewardNoise: 2 });
    const firsts = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const request = { user: `new${i}`, now: 1e6, k: 1 };
      const { slate, propensities } = recommender.recommend(request);
      expect(propensities).toEqual([1]);
      firsts.add(slate[0]!);
      // The same session: the same member, which is asked about the same streams.
      const [at] = recommender.distributions({ ...request, now: 1e6 + 1 }, ["none"]);
      expect([...at!.values()].filter((p) => p > 0)).toEqual([1]);
    }
    expect(firsts.size).toBeGreaterThan(1);
    recommender.dispose();
  });

  test("continues to the bit from a save, with a function that reads its agent", () => {
    const recommender = taught({ members: "thompson" }, { rewardNoise: 0.1 });
    const copy = Recommender.load(recommender.save(), { instance: "", loadAgent: (file) => Ensemble.load(file) });
    for (let i = 0; i < 30; i++) {
      const request = { user: "u1", now: 1e6 + 1000 * i, k: 3 };
      const decision = recommender.recommend(request);
      expect(copy.recommend(request)).toEqual(decision);
      const about = { user: "u1", stream: decision.slate[0]!, decision: decision.id, time: request.now + 10 };
      for (const each of [recommender, copy]) each.feedback({ kind: "watch", ...about, watchMs: 5 });
    }
    expect(Buffer.compare(recommender.save(), copy.save())).toBe(0);
    recommender.dispose();
    copy.dispose();
  });
});

test("optimism adds deviations of the members' values, and leaves the choice as it is", () => {
  const known = { values: Float32Array.of(1, 2), choices: Float32Array.of(3, 4), nothing: 5 };
  const members = [{ values: Float32Array.of(0, 2) }, { values: Float32Array.of(2, 2) }];
  expect(optimistic(known, members, 2)).toEqual({ ...known, values: Float32Array.of(3, 2) });
});
