import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { slateScores, slateValue } from "../../../src/recommender/serving/value.js";

/** All slates of k of n candidates. */
function slates(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  const all: number[][] = [];
  for (let i = from; i <= n - k; i++) for (const rest of slates(n, k - 1, i + 1)) all.push([i, ...rest]);
  return all;
}

/** The indices of the k largest scores. */
function top(scores: Float32Array, k: number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, k);
}

const value = fc.double({ min: -50, max: 50, noNaN: true });
const offer = fc
  .array(fc.record({ value, choice: fc.double({ min: -4, max: 4, noNaN: true }) }), { minLength: 1, maxLength: 7 })
  .map((rows) => ({
    values: Float32Array.from(rows, (row) => row.value),
    choices: Float32Array.from(rows, ({ choice }) => Math.exp(choice)),
  }));

test("the product of weight and value orders them alike, whatever nothing weighs", () => {
  const values = Float32Array.of(1, 2, 3);
  const choices = Float32Array.of(60, 20, 10);
  const all = [0, 100].map((nothing) => [...slateScores({ values, choices, nothing }, 1, true)]);
  expect(all[0]).toEqual([60, 40, 30]);
  expect(all[1]).toEqual(all[0]);
});

test("the k best scores are the best of all slates of k, whatever the value of nothing", () => {
  fc.assert(
    fc.property(offer, value, fc.integer({ min: 1, max: 7 }), ({ values, choices }, nothing, k) => {
      const size = Math.min(k, values.length);
      const worth = (slate: number[]) => slateValue(values, choices, nothing, slate);
      const best = Math.max(...slates(values.length, size).map(worth));
      const found = worth(top(slateScores({ values, choices, nothing }, k), size));
      expect(found).toBeGreaterThanOrEqual(best - 1e-4 * Math.max(1, Math.abs(best)));
    }),
    { numRuns: 2000, seed: 1 },
  );
});

describe("the value of a slate", () => {
  test("is the mean of its values and that of nothing, by the weights of the choice", () => {
    const [values, choices] = [Float32Array.of(10, 20, 30), Float32Array.of(1, 2, 4)];
    expect(slateValue(values, choices, 5, [])).toBe(5);
    expect(slateValue(values, choices, 5, [0])).toBe(7.5);
    expect(slateValue(values, choices, 5, [1, 2])).toBe((5 + 40 + 120) / 7);
  });

  test("makes a lure worth showing that is entered often beside one that is worth more and never entered", () => {
    const scores = slateScores({ values: Float32Array.of(10, 11), choices: Float32Array.of(1, 0.01), nothing: 0 }, 1);
    expect(top(scores, 1)).toEqual([0]);
  });

  test("keeps out what is entered often and worth less than the rest of the slate", () => {
    const [values, choices] = [Float32Array.of(10, 9, 2), Float32Array.of(1, 1, 50)];
    expect(top(slateScores({ values, choices, nothing: 8 }, 2), 2)).toEqual([0, 1]);
    // With a worthless alternative it is better than an ignored slate.
    expect(top(slateScores({ values, choices, nothing: -30 }, 2), 2)).toContain(2);
  });
});

test("without weights of a choice the scores are the values, a copy", () => {
  const values = Float32Array.of(3, 1, 2);
  const scores = slateScores({ values }, 2);
  expect(scores).toEqual(values);
  scores[0] = 9;
  expect(values[0]).toBe(3);
});

test("no candidates have no scores, and a slate longer than the offer holds all of it", () => {
  const none = new Float32Array(0);
  expect(slateScores({ values: none, choices: none, nothing: 1 }, 3)).toHaveLength(0);
  const scores = slateScores({ values: Float32Array.of(1, 2), choices: Float32Array.of(1, 1), nothing: 0 }, 9);
  expect(top(scores, 9)).toEqual([1, 0]);
});
