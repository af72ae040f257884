import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { Explorer } from "../../../src/recommender/serving/explorer.js";
import { type Grouped, type Slate, SlateBuilder } from "../../../src/recommender/serving/slate.js";

const SCORES = Float32Array.of(0.1, 0.9, 0.5, 0.5, -1, 0.7);

function streams(n: number): Grouped[] {
  return Array.from({ length: n }, (_, i) => ({ streamer: `s${i}`, category: `c${i % 2}` }));
}

function builder(explore: object, slate: object = {}, seed = 1): SlateBuilder {
  return new SlateBuilder(16, new Explorer(Random.named(seed, "test"), explore), slate);
}

/** Draws k of the streams with these scores. */
function drawn(slates: SlateBuilder, scores: Float32Array, k: number, candidates = streams(scores.length)): Slate {
  return slates.draw({ heads: [{ scores, ranked: slates.rank(scores) }], candidates }, k);
}

describe("a drawn slate", () => {
  test.each([
    { temperature: 1, epsilon: 0.3, top: 4 },
    { temperature: 0.5, epsilon: 1, top: 32 },
    { temperature: 1e9, epsilon: 0.8, top: 3 },
    { temperature: 1e-3, epsilon: 1, top: 3 },
  ])("comes up at the rate of its propensities, with %o", (explore) => {
    const slates = builder(explore);
    const draws = 50_000;
    const counts = new Map<string, { n: number; p: number }>();
    for (let i = 0; i < draws; i++) {
      const slate = drawn(slates, SCORES, 2);
      const key = slate.indices.join();
      const cell = counts.get(key) ?? { n: 0, p: slate.propensities[0]! * slate.propensities[1]! };
      cell.n++;
      counts.set(key, cell);
    }
    let total = 0;
    for (const { n, p } of counts.values()) {
      total += p;
      expect(Math.abs(n / draws - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / draws));
    }
    expect(total).toBeGreaterThan(0.999);
    expect(total).toBeLessThan(1 + 1e-9);
  });

  test("without exploration is the best first, ties by the lower index, with probability 1", () => {
    const slates = builder({ epsilon: 0 });
    const slate = drawn(slates, SCORES, 9);
    expect(slate.indices).toEqual([1, 5, 2, 3, 0, 4]);
    expect(slate.propensities).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test("holds no stream twice, whatever the scores", () => {
    const random = new Random(5);
    const slates = builder({ temperature: 2, epsilon: 0.5 });
    for (let i = 0; i < 500; i++) {
      const n = 1 + random.below(16);
      const scores = Float32Array.from({ length: n }, () => random.normal() * 10 ** random.below(30));
      const slate = drawn(slates, scores, 6);
      expect(slate.indices.length).toBe(Math.min(n, 6));
      expect(new Set(slate.indices).size).toBe(slate.indices.length);
      for (const p of slate.propensities) {
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
      }
    }
  });

  test("ranks like a stable sort, signs, zeros and subnormals included", () => {
    const random = new Random(6);
    const values = [0, -0, 1e-42, -1e-42, 1, -1, 3.4e38, -3.4e38];
    const slates = builder({ epsilon: 0 });
    for (let i = 0; i < 200; i++) {
      const scores = Float32Array.from({ length: 16 }, () => random.pick(values));
      const expected = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
      expect([...slates.rank(scores)]).toEqual(expected);
    }
  });

  test("keeps to its limits and is shorter rather than break one", () => {
    const same = streams(6).map((stream) => ({ ...stream, streamer: "ann" }));
    const one = builder({}, { perStreamer: 1 });
    expect(drawn(one, SCORES, 6, same).indices.length).toBe(1);
    const two = builder({}, { perCategory: 2 });
    const { indices } = drawn(two, SCORES, 6);
    const odd = indices.filter((index) => index % 2 === 1).length;
    expect([indices.length, odd]).toEqual([4, 2]);
  });

  test("is the same for the same seed", () => {
    const run = (seed: number) => {
      const slates = builder({ epsilon: 0.5 }, {}, seed);
      return Array.from({ length: 20 }, () => {
        const slate = drawn(slates, SCORES, 3);
        return slate.indices.join();
      });
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  test("of nothing is empty", () => {
    const slates = builder({});
    const slate = drawn(slates, new Float32Array(0), 3);
    expect(slate.indices).toEqual([]);
  });
});

test("refuses options out of their range", () => {
  expect(() => builder({ epsilon: 2 })).toThrow('"explore.epsilon" must be in [0, 1], got 2');
  expect(() => builder({}, { perStreamer: 0 })).toThrow('"slate.perStreamer" must be an integer >= 1, got 0');
});
