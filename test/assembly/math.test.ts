import { describe, expect, test } from "vitest";
import { KernelBench } from "../support/kernels.js";

const { exp, log } = new KernelBench().exports;

describe("math", () => {
  test("exp is within 1e-13 of the host's over its range", () => {
    let worst = 0;
    for (let x = -708; x <= 709; x += 0.0137) worst = Math.max(worst, Math.abs(exp(x) / Math.exp(x) - 1));
    expect(worst).toBeLessThan(1e-13);
    for (const x of [0, -0, 1e-300, -1e-17, 0.34657, -0.34658]) expect(exp(x)).toBeCloseTo(Math.exp(x), 13);
  });

  test("log is within 1e-15 of the host's, at any scale", () => {
    const scale = (x: number) => Math.max(1e-3, Math.abs(Math.log(x)));
    for (let n = -1022; n < 1024; n += 3) {
      for (const m of [1, 1.1, Math.SQRT2, 1.41422, 1.999999]) {
        const x = m * 2 ** n;
        expect(Math.abs(log(x) - Math.log(x)) / scale(x), `log(${x})`).toBeLessThan(2e-15);
      }
    }
    expect(log(1)).toBe(0);
  });

  test("ends: 0, infinity and NaN", () => {
    expect([exp(Number.NEGATIVE_INFINITY), exp(-709), exp(710), exp(Number.NaN)]).toEqual([0, 0, Infinity, Number.NaN]);
    expect([1500, 1e300, Number.POSITIVE_INFINITY].map(exp)).toEqual([Infinity, Infinity, Infinity]);
  });
});
