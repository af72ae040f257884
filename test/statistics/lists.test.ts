import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scoreList } from "../../src/statistics/lists.js";

describe("the scores of one list", () => {
  test("are those of a hand-computed example", () => {
    // Relevant at ranks 2 and 4; one more is not in the list at all.
    const scores = scoreList(["a", "b", "c", "d", "e"], new Set(["b", "d", "z"]), 4);
    expect(scores.hitRate).toBe(1);
    expect(scores.accuracy).toBe(0);
    expect(scores.precision).toBe(2 / 4);
    expect(scores.recall).toBe(2 / 3);
    expect(scores.f1).toBeCloseTo(4 / 7, 12);
    expect(scores.averagePrecision).toBeCloseTo((1 / 2 + 2 / 4) / 3, 12);
    // (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 1 / 2) = (0.63093 + 0.43068) / 2.13093
    expect(scores.ndcg).toBeCloseTo(0.4981891, 6);
    expect(scores.reciprocalRank).toBe(1 / 2);
  });

  test("look beyond the first k for the reciprocal rank alone", () => {
    const { hitRate, precision, recall, f1, averagePrecision, ndcg, reciprocalRank } = scoreList(
      [5, 6, 7],
      new Set([7]),
      2,
    );
    expect([hitRate, precision, recall, f1, averagePrecision, ndcg]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(reciprocalRank).toBe(1 / 3);
  });

  test("are all 1 for the perfect list of k", () => {
    expect(scoreList([3, 1, 2], new Set([1, 2, 3]), 3)).toEqual({
      hitRate: 1,
      accuracy: 1,
      precision: 1,
      recall: 1,
      f1: 1,
      averagePrecision: 1,
      ndcg: 1,
      reciprocalRank: 1,
    });
  });

  test("equal their definitions, written out", () => {
    const list = fc.uniqueArray(fc.nat(15), { maxLength: 12 });
    const relevant = fc.uniqueArray(fc.nat(15), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(list, relevant, fc.integer({ min: 1, max: 14 }), (list, wanted, k) => {
        const relevant = new Set(wanted);
        const top = list.slice(0, k);
        const hits = top.filter((item) => relevant.has(item)).length;
        const precision = hits / k;
        const recall = hits / relevant.size;
        const gain = (flags: boolean[]) =>
          flags.reduce((sum, flag, rank) => sum + (flag ? 1 / Math.log2(rank + 2) : 0), 0);
        const ideal = Array.from({ length: Math.min(k, relevant.size) }, () => true);
        const precisions = top.map((item, rank) =>
          relevant.has(item) ? top.slice(0, rank + 1).filter((other) => relevant.has(other)).length / (rank + 1) : 0,
        );
        const first = list.findIndex((item) => relevant.has(item));
        const scores = scoreList(list, relevant, k);
        const expected = {
          hitRate: hits > 0 ? 1 : 0,
          accuracy: list.length > 0 && relevant.has(list[0]!) ? 1 : 0,
          precision,
          recall,
          f1: hits === 0 ? 0 : (2 * precision * recall) / (precision + recall),
          averagePrecision: precisions.reduce((a, b) => a + b, 0) / Math.min(k, relevant.size),
          ndcg: gain(top.map((item) => relevant.has(item))) / gain(ideal),
          reciprocalRank: first < 0 ? 0 : 1 / (first + 1),
        };
        for (const [name, value] of Object.entries(expected)) {
          expect(scores[name as keyof typeof scores], name).toBeCloseTo(value, 12);
        }
      }),
    );
  });

  test("refuse k below 1 and an empty relevant set", () => {
    expect(() => scoreList([1], new Set([1]), 0)).toThrow('"k" must be an integer >= 1, got 0');
    expect(() => scoreList([1], new Set(), 1)).toThrow('"relevant" must not be empty');
  });
});
