import { expect, test } from "vitest";
import { gini } from "../../../src/recommender/simulator/metrics.js";

test("the Gini coefficient is 0 for equal shares and (n - 1) / n when one has all", () => {
  expect(gini([5, 5, 5, 5])).toBeCloseTo(0, 12);
  expect(gini([0, 0, 0, 8])).toBeCloseTo(0.75, 12);
  expect(gini([1, 2, 3, 4])).toBeCloseTo(0.25, 12);
  expect(gini([0, 0])).toBeNaN();
});
