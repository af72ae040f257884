import fc from "fast-check";
import { expect, test } from "vitest";
import { gini } from "../../src/statistics/inequality.js";

test("the Gini coefficient is half the relative mean difference", () => {
  expect(gini([5, 5, 5, 5])).toBeCloseTo(0, 12);
  expect(gini([0, 0, 0, 8])).toBeCloseTo(0.75, 12);
  expect(gini([1, 2, 3, 4])).toBeCloseTo(0.25, 12);
  expect(gini([0, 0])).toBeNaN();
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }), (values) => {
      const sum = values.reduce((a, b) => a + b, 0);
      if (sum === 0) return;
      const differences = values.flatMap((a) => values.map((b) => Math.abs(a - b))).reduce((a, b) => a + b, 0);
      expect(gini(values)).toBeCloseTo(differences / (2 * values.length * sum), 9);
    }),
  );
});
