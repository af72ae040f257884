import { expect, test } from "vitest";
import { inverse } from "../../src/numeric/cholesky.js";
import { Random } from "../../src/numeric/random.js";
import { naiveInverse } from "../reference/inverse.js";

/** X X' + ridge I of a random X. */
function definite(n: number, ridge: number, random: Random): number[][] {
  const x = Array.from({ length: n }, () => Array.from({ length: n }, () => random.normal()));
  return x.map((a, i) => x.map((b, j) => a.reduce((sum, _, k) => sum + a[k]! * b[k]!, i === j ? ridge : 0)));
}

test("agrees with Gauss and Jordan at every size around a tile, and is symmetric to the bit", () => {
  const random = new Random(1);
  for (let n = 1; n <= 13; n++) {
    const matrix = definite(n, 0.5, random);
    const result = inverse(Float64Array.from(matrix.flat()), n);
    const expected = naiveInverse(matrix);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        expect(result[i * n + j]).toBeCloseTo(expected[i]![j]!, 9);
        expect(result[i * n + j]).toBe(result[j * n + i]);
      }
    }
  }
});

test("reads the lower triangle only, and leaves the matrix as it is", () => {
  const matrix = Float64Array.from(definite(6, 1, new Random(2)).flat());
  const lower = matrix.map((x, at) => (at % 6 > Math.floor(at / 6) ? Number.NaN : x));
  const before = lower.slice();
  expect(inverse(lower, 6)).toEqual(inverse(matrix, 6));
  expect(lower).toEqual(before);
});

test("multiplied with a matrix of 130 rows gives the identity", () => {
  const n = 130;
  const matrix = definite(n, 1, new Random(3));
  const result = inverse(Float64Array.from(matrix.flat()), n);
  for (const i of [0, 64, 129]) {
    for (let j = 0; j < n; j++) {
      const product = matrix[i]!.reduce((sum, x, k) => sum + x * result[k * n + j]!, 0);
      expect(product).toBeCloseTo(i === j ? 1 : 0, 9);
    }
  }
});

test("refuses a matrix that is not positive definite", () => {
  for (const matrix of [[0], [-1], [1, 2, 2, 1], [Number.NaN]]) {
    expect(() => inverse(Float64Array.from(matrix), Math.sqrt(matrix.length))).toThrow("must be positive definite");
  }
});
