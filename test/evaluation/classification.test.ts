import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { areaUnderCurve, classificationScores, logLoss } from "../../src/evaluation/classification.js";

const scored = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.boolean()), { minLength: 1, maxLength: 40 });

describe("the area under the curve", () => {
  test("is the share of pairs in order, a tie counting half", () => {
    // Of the four pairs 0.9 > 0.5, 0.9 > 0.1, 0.5 = 0.5, 0.5 > 0.1 three and a half are in order.
    expect(areaUnderCurve([0.9, 0.5, 0.5, 0.1], [true, true, false, false])).toBe(3.5 / 4);
    fc.assert(
      fc.property(scored, (rows) => {
        let ordered = 0;
        let pairs = 0;
        for (const [a, isA] of rows) {
          for (const [b, isB] of rows) {
            if (!isA || isB) continue;
            pairs++;
            ordered += a > b ? 1 : a === b ? 0.5 : 0;
          }
        }
        const area = areaUnderCurve(
          rows.map(([score]) => score),
          rows.map(([, label]) => label),
        );
        if (pairs === 0) expect(area).toBeNaN();
        else expect(area).toBeCloseTo(ordered / pairs, 12);
      }),
    );
  });

  test("refuses scores that are NaN, and another number of labels", () => {
    expect(() => areaUnderCurve([1, Number.NaN], [true, false])).toThrow('"scores" must be numbers, got NaN at 1');
    expect(() => areaUnderCurve([1], [])).toThrow('"labels" must be as many as the scores (1) and at least one, got 0');
  });
});

describe("the log loss", () => {
  test("is that of a hand-computed example, and finite for a certain error", () => {
    expect(logLoss([0.8, 0.4], [true, false])).toBeCloseTo(-(Math.log(0.8) + Math.log(0.6)) / 2, 12);
    expect(logLoss([0], [true])).toBeCloseTo(-Math.log(1e-15), 9);
    expect(logLoss([1, 0], [true, false])).toBe(0);
    expect(() => logLoss([1.5], [true])).toThrow('"probabilities" must be in [0, 1], got 1.5 at 0');
  });
});

describe("a binary prediction", () => {
  test("has the scores of its four counts", () => {
    // True positive, false positive, false negative, true negative, true negative.
    const { accuracy, precision, recall, f1 } = classificationScores(
      [0.7, 0.6, 0.2, 0.1, 0.3],
      [true, false, true, false, false],
    );
    expect([accuracy, precision, recall, f1]).toEqual([3 / 5, 1 / 2, 1 / 2, 1 / 2]);
    fc.assert(
      fc.property(scored, fc.integer({ min: 0, max: 9 }), (rows, threshold) => {
        const count = (called: boolean, is: boolean) =>
          rows.filter(([score, label]) => score >= threshold === called && label === is).length;
        const got = classificationScores(
          rows.map(([score]) => score),
          rows.map(([, label]) => label),
          threshold,
        );
        expect(got.accuracy).toBeCloseTo((count(true, true) + count(false, false)) / rows.length, 12);
        expect(got.precision).toEqual(count(true, true) / (count(true, true) + count(true, false)));
        expect(got.recall).toEqual(count(true, true) / (count(true, true) + count(false, true)));
      }),
    );
  });
});
