import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { coreFeatures } from "../../../src/recommender/features/features.js";
import { Recommender, type RecommenderOptions } from "../../../src/recommender/recommender.js";
import { onAir } from "../../support/events.js";

const STREAMS = 12;

/** A recommender that has learned a little from random visits. */
function taught(options: Partial<RecommenderOptions>): Recommender {
  const recommender = new Recommender({
    ...{ instance: "", seed: 5, features: coreFeatures(), warmupUpdates: 20 },
    ...options,
    learner: { hidden: [8], learningStarts: 20, batchSize: 8, capacity: 500, ...options.learner },
  });
  for (let i = 0; i < STREAMS; i++) {
    recommender.feedback(
      onAir(`s${i}`, { streamer: `r${i}`, category: `c${i % 3}`, embeddings: { text: [i % 4, 1] } }),
    );
  }
  const random = new Random(2);
  for (let visit = 0; visit < 120; visit++) {
    const time = 1000 * (visit + 1);
    const { id, slate } = recommender.recommend({ user: `u${visit % 9}`, now: time, k: 3 });
    const about = { user: `u${visit % 9}`, stream: slate[random.below(3)]!, decision: id };
    recommender.feedback({ kind: "click", time: time + 1, ...about });
    recommender.feedback({ kind: "watch", time: time + 500, ...about, watchMs: 499 });
  }
  return recommender;
}

const HEADS = { explore: { heads: 6, epsilon: 0.1 }, learner: { noisySigma: 0.5 } };
const later = { user: "u1", now: 1e6, k: 3 };

describe("heads", () => {
  test("need noise, and noise needs them", () => {
    const make = (options: object) => () => new Recommender(options);
    expect(make({ explore: { heads: 2 } })).toThrow('"explore.heads" above 1 needs "learner.noisySigma" above 0');
    expect(make({ learner: { noisySigma: 0.5 } })).toThrow('"learner.noisySigma" cannot be given: it needs');
    expect(make({ explore: { heads: 1 }, learner: { noisySigma: 0.5 } })).toThrow('it needs "explore.heads" above 1');
  });

  test("depart from the best without epsilon, with propensities that average to the rates of streams", () => {
    const recommender = taught({ ...HEADS, explore: { heads: 4, epsilon: 0 } });
    const shown = new Map<string, number>();
    const expected = new Map<string, number>();
    const rounds = 1500;
    for (let i = 0; i < rounds; i++) {
      // Of a new user each, so that all requests are alike.
      const request = { user: `new${i}`, now: 1e6, k: 1 };
      const [at] = recommender.distributions(request, ["none"]);
      const { slate } = recommender.recommend(request);
      shown.set(slate[0]!, (shown.get(slate[0]!) ?? 0) + 1);
      expect([...at!.values()].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
      for (const p of at!.values()) expect((4 * p) % 1).toBeCloseTo(0, 9);
      for (const [id, p] of at!) expected.set(id, (expected.get(id) ?? 0) + p);
    }
    expect(shown.size).toBeGreaterThan(1);
    for (const [id, sum] of expected) {
      const [rate, p] = [(shown.get(id) ?? 0) / rounds, sum / rounds];
      // Two estimates of one probability, of rounds draws and of four times as many sets.
      expect(Math.abs(rate - p)).toBeLessThanOrEqual(5 * Math.sqrt((1.25 * p * (1 - p)) / rounds) + 0.01);
    }
    recommender.dispose();
  });

  test("report values without noise, and continue to the bit from a save", () => {
    const recommender = taught({ ...HEADS, slate: { diversity: { method: "dpp", by: "embeddings" }, seenMax: 3 } });
    const copy = Recommender.load(recommender.save(), { instance: "" });
    for (let i = 0; i < 5; i++) {
      const request = { ...later, now: 1e6 + i };
      const decision = recommender.recommend(request);
      expect(copy.recommend(request)).toEqual(decision);
      expect(decision.propensities!.every((p) => p > 0 && p <= 1)).toBe(true);
      const { slate, scores } = recommender.rank({ ...request, k: STREAMS });
      copy.rank({ ...request, k: STREAMS });
      expect([...slate].sort()).toEqual(Array.from({ length: STREAMS }, (_, s) => `s${s}`).sort());
      expect(recommender.rank({ ...request, k: STREAMS })).toEqual({ slate, scores });
    }
    expect(Buffer.compare(recommender.save(), copy.save())).toBe(0);
    recommender.dispose();
    copy.dispose();
  });
});

test("a streamer shown seenMax times in the session comes last until the user enters or comes back", () => {
  const recommender = new Recommender({
    ...{ features: coreFeatures(), warmupUpdates: 1e9, explore: { epsilon: 0 }, slate: { seenMax: 2 } },
  });
  for (let i = 0; i < 4; i++) {
    recommender.feedback(onAir(`s${i}`, { streamer: `r${i}` }));
    recommender.feedback({ kind: "update", time: 0, stream: `s${i}`, viewers: 10 - i });
  }
  const shown = (now: number, k = 2) => recommender.recommend({ user: "u", now, k }).slate;
  expect([shown(1), shown(2), shown(3), shown(4)]).toEqual([
    ["s0", "s1"],
    ["s0", "s1"],
    ["s2", "s3"],
    ["s2", "s3"],
  ]);
  // All are seen too often: the best come again, and no slate is shorter.
  expect(shown(5)).toEqual(["s0", "s1"]);
  recommender.feedback({ kind: "click", time: 6, user: "u", stream: "s3" });
  expect(shown(7, 4)).toEqual(["s3", "s0", "s1", "s2"]);
  recommender.feedback({ kind: "watch", time: 8, user: "u", stream: "s3", watchMs: 2 });
  expect(shown(9e6)).toEqual(["s0", "s1"]);
  recommender.dispose();
});
