import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { Explorer } from "../../../src/recommender/serving/explorer.js";
import { type Grouped, SlateBuilder } from "../../../src/recommender/serving/slate.js";

const SCORES = Float32Array.of(0.1, 0.9, 0.5, 0.5, -1, 0.7);

function streams(n: number): Grouped[] {
  return Array.from({ length: n }, (_, i) => ({ streamer: `s${i}`, category: `c${i % 2}` }));
}

function builder(explore: object, slate: object = {}, seed = 1): SlateBuilder {
  return new SlateBuilder(16, new Explorer(Random.named(seed, "test"), explore), slate);
}

describe("a drawn slate", () => {
  test.each([
    { temperature: 1, epsilon: 0.3, top: 4 },
    { temperature: 0.5, epsilon: 1, top: 32 },
    { temperature: 1e9, epsilon: 0.8, top: 3 },
    { temperature: 1e-3, epsilon: 1, top: 3 },
  ])("comes up as often as its propensities say, with %o", (explore) => {
    const slate = builder(explore);
    const draws = 50_000;
    const counts = new Map<string, { n: number; p: number }>();
    for (let i = 0; i < draws; i++) {
      slate.draw(SCORES, SCORES.length, 2, streams(SCORES.length));
      const key = slate.chosen.join();
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

  test("without exploration is the best first, the lower index of equals, with probability 1", () => {
    const slate = builder({ epsilon: 0 });
    slate.draw(SCORES, SCORES.length, 9, streams(SCORES.length));
    expect(slate.chosen).toEqual([1, 5, 2, 3, 0, 4]);
    expect(slate.propensities).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test("holds no stream twice, whatever the scores", () => {
    const random = new Random(5);
    const slate = builder({ temperature: 2, epsilon: 0.5 });
    for (let i = 0; i < 500; i++) {
      const n = 1 + random.below(16);
      const scores = Float32Array.from({ length: n }, () => random.normal() * 10 ** random.below(30));
      slate.draw(scores, n, 6, streams(n));
      expect(slate.chosen.length).toBe(Math.min(n, 6));
      expect(new Set(slate.chosen).size).toBe(slate.chosen.length);
      for (const p of slate.propensities) {
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
      }
    }
  });

  test("ranks like a stable sort, signs, zeros and subnormals included", () => {
    const random = new Random(6);
    const values = [0, -0, 1e-42, -1e-42, 1, -1, 3.4e38, -3.4e38];
    const slate = builder({ epsilon: 0 });
    for (let i = 0; i < 200; i++) {
      const scores = Float32Array.from({ length: 16 }, () => random.pick(values));
      slate.draw(scores, 16, 1, streams(16));
      const expected = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
      expect([...slate.ranked]).toEqual(expected);
    }
  });

  test("keeps to its limits and is shorter rather than break one", () => {
    const same = streams(6).map((stream) => ({ ...stream, streamer: "ann" }));
    const one = builder({}, { perStreamer: 1 });
    one.draw(SCORES, 6, 6, same);
    expect(one.chosen.length).toBe(1);
    const two = builder({}, { perCategory: 2 });
    two.draw(SCORES, 6, 6, streams(6));
    const odd = two.chosen.filter((index) => index % 2 === 1).length;
    expect([two.chosen.length, odd]).toEqual([4, 2]);
  });

  test("is the same for the same seed", () => {
    const run = (seed: number) => {
      const slate = builder({ epsilon: 0.5 }, {}, seed);
      return Array.from({ length: 20 }, () => {
        slate.draw(SCORES, SCORES.length, 3, streams(SCORES.length));
        return slate.chosen.join();
      });
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  test("of nothing is empty", () => {
    const slate = builder({});
    slate.draw(SCORES, 0, 3, []);
    expect(slate.chosen).toEqual([]);
  });
});

test("refuses options out of their range", () => {
  expect(() => builder({ epsilon: 2 })).toThrow('"explore.epsilon" must be in [0, 1], got 2');
  expect(() => builder({}, { perStreamer: 0 })).toThrow('"slate.perStreamer" must be an integer >= 1, got 0');
});
