import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import type { QFunction } from "../../../src/recommender/agent.js";
import { coreFeatures, featureSizes } from "../../../src/recommender/features/features.js";
import type { SlateTransition } from "../../../src/recommender/learning/index.js";
import { Recommender } from "../../../src/recommender/recommender.js";
import { Explorer } from "../../../src/recommender/serving/explorer.js";

const STREAMS = 6;
/** Place in a row of whether a streamer has fewer than ten impressions. */
const IS_NEW = 12;
const { candidate: candidateSize } = featureSizes(coreFeatures());

/** Values by place alone: streams come by name, so s0 is the best by a little, and the unknown s5 the worst. */
class ByPlace implements QFunction {
  readonly steps = 0;
  readonly updates = 0;
  readonly transitions: number[][] = [];

  observe({ nextCandidates }: SlateTransition): void {
    this.transitions.push([...nextCandidates]);
  }

  evaluate(_: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    return Float32Array.from({ length: candidates.length / candidateSize }, (_, i) => 10 - 0.1 * i);
  }

  learn(): number {
    return Number.NaN;
  }

  save(): Uint8Array {
    return new Uint8Array();
  }

  dispose(): void {}
}

/** One stream each of six streamers, of whom all but the last have been shown to fifty users. */
function filled(bonus: number, epsilon = 0) {
  const agent = new ByPlace();
  const options = { warmupUpdates: 0, nextCandidates: 1, explore: { epsilon, bonus } };
  const recommender = new Recommender({ features: coreFeatures(), ...options }, agent);
  for (let i = 0; i < STREAMS; i++) {
    recommender.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `r${i}`, category: "c" });
  }
  for (let u = 0; u < 50; u++) {
    for (let i = 0; i < STREAMS - 1; i++) {
      recommender.feedback({ kind: "impression", time: 0, user: `u${u}`, stream: `s${i}` });
    }
  }
  return { agent, recommender };
}

const request = (user: string, now = 1) => ({ user, now, k: 1 });

describe("the bonus of little-known streamers", () => {
  test("falls as one over the root of impressions, in deviations of the values", () => {
    const scores = Float32Array.of(1, 3, 1, 3);
    const known = [0, 3, 99, 1e12];
    const lifted = (bonus: number) => {
      const out = new Explorer(Random.named(1, "test"), { bonus }).lift(scores, (i) => known[i]!);
      return Array.from(out, (value, i) => value - scores[i]!);
    };
    expect(lifted(0)).toEqual([0, 0, 0, 0]);
    for (const [i, expected] of [2, 1, 0.2, 2e-6].entries()) expect(lifted(2)[i]).toBeCloseTo(expected, 5);
    expect(() => new Explorer(Random.named(1, "test"), { bonus: -1 })).toThrow('"explore.bonus" must be in [0, 1000]');
  });

  test("shows them until they are known as well as others", () => {
    const shown = (bonus: number) => {
      const { recommender } = filled(bonus);
      return Array.from({ length: 400 }, (_, u) => recommender.recommend(request(`u${u}`)).slate[0]);
    };
    expect(shown(0).every((stream) => stream === "s0")).toBe(true);
    const first = shown(20).indexOf("s0");
    expect(first).toBeGreaterThan(5);
    expect(
      shown(20)
        .slice(0, first)
        .every((stream) => stream === "s5"),
    ).toBe(true);
    expect(shown(40).filter((stream) => stream === "s5").length).toBeGreaterThan(first);
  });

  test("is in the propensities: slates come up at their rate", () => {
    const { recommender } = filled(12, 0.6);
    // Shown 8 times to one user, a streamer is known no better by the ninth: from then on nothing changes.
    for (let i = 0; i < 600; i++) recommender.recommend(request("u"));
    const draws = 3000;
    const counts = new Map<string, { n: number; p: number }>();
    for (let i = 0; i < draws; i++) {
      const { slate, propensities } = recommender.recommend(request("u"));
      const cell = counts.get(slate[0]!) ?? { n: 0, p: propensities[0]! };
      expect(propensities[0]).toBe(cell.p);
      cell.n++;
      counts.set(slate[0]!, cell);
    }
    expect(counts.size).toBe(STREAMS);
    for (const { n, p } of counts.values()) {
      expect(Math.abs(n / draws - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / draws));
    }
    const plain = filled(0, 0.6).recommender;
    const worst = Array.from({ length: 2000 }, () => plain.recommend(request("u"))).find(
      ({ slate }) => slate[0] === "s5",
    );
    expect(counts.get("s5")!.p).toBeGreaterThan(1.5 * worst!.propensities[0]!);
  });

  test("is in no reported or learned value", () => {
    const { agent, recommender } = filled(50);
    expect(recommender.rank({ ...request("u"), k: 2 }).slate).toEqual(["s0", "s1"]);
    const { id, slate, scores } = recommender.recommend(request("u"));
    expect([slate, scores]).toEqual([["s5"], [Math.fround(9.5)]]);
    recommender.feedback({ kind: "click", time: 2, user: "u", stream: "s5", decision: id });
    recommender.feedback({ kind: "watch", time: 5002, user: "u", stream: "s5", watchMs: 5000, decision: id });
    expect(recommender.recommend(request("u", 6000)).slate).toEqual(["s5"]);
    expect(agent.transitions.map((next) => [next.length, next[IS_NEW]])).toEqual([[candidateSize, 0]]);
  });

  test("does not change by a click farm", () => {
    const [calm, attacked] = [filled(1, 1).recommender, filled(1, 1).recommender];
    for (let i = 0; i < 3000; i++) {
      for (const kind of ["impression", "click", "like"] as const) {
        attacked.feedback({ kind, time: 1 + i, user: "bot", stream: "s5" });
      }
    }
    const known = (recommender: Recommender) => recommender.streamerProfile("r5")!.estimate.impressions;
    expect(known(calm)).toBe(0);
    expect(known(attacked)).toBeCloseTo(1, 4);
    const chance = (recommender: Recommender) => {
      for (;;) {
        const { slate, propensities } = recommender.recommend(request("v", 5000));
        if (slate[0] === "s5") return propensities[0]!;
      }
    };
    expect(chance(attacked)).toBeLessThan(chance(calm));
  });
});
