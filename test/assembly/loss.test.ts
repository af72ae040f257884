import { describe, expect, test } from "vitest";
import { logSumExp, quantileLoss as naiveQuantileLoss } from "../reference/dqn.js";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const kernels = bench.exports;

describe("loss", () => {
  test("huber and squared have the derivatives that central differences give, and hand-computed values", () => {
    const { huber, huberGradient, squared, squaredGradient } = kernels;
    expect([0, 0.5, 1, -1, 3, -3].map((d) => huber(d))).toEqual([0, 0.125, 0.5, 0.5, 2.5, 2.5]);
    expect([0, 0.5, -3].map((d) => squared(d))).toEqual([0, 0.25, 9]);
    const h = 2 ** -8;
    for (let d = -4; d <= 4; d += 0.25) {
      if (Math.abs(Math.abs(d) - 1) > h)
        expect(huberGradient(d)).toBeCloseTo((huber(d + h) - huber(d - h)) / (2 * h), 4);
      expect(squaredGradient(d)).toBeCloseTo((squared(d + h) - squared(d - h)) / (2 * h), 3);
    }
  });

  test("a target is selected, not multiplied: a discount of 0 hides any next value", () => {
    expect(kernels.bellman(1.5, 0, Number.NaN)).toBe(1.5);
    expect(kernels.bellman(1.5, 0, Number.NEGATIVE_INFINITY)).toBe(1.5);
    expect(kernels.bellman(1, 0.5, 3)).toBe(2.5);
  });
});

/** Runs the kernel on one batch of rows. */
function quantileLoss(n: number, theta: number[], y: number[], weights?: number[]) {
  bench.reset();
  const m = theta.length / n;
  const vy = bench.f32(m * n + 4, [...y, 0, 0, 0, 0]);
  const td = bench.f32(m);
  const d = bench.f32(m * n);
  const w = weights ? bench.f32(m, weights).at : 0;
  const total = kernels.quantileLoss(m, n, bench.f32(m * n, theta).at, vy.at, w, td.at, d.at);
  expect(bench.guardsHold()).toBe(true);
  return { total, td: Array.from(td.data), d: Array.from(d.data) };
}

describe("quantile regression", () => {
  test("gives these numbers: sum over the current quantiles, mean over the targets", () => {
    const { total, td, d } = quantileLoss(4, [-1, 0.5, 2, 3], [0, 1, 2.5, -2]);
    expect(total).toBe(1.5546875);
    expect(td).toEqual([0.75]);
    expect(d).toEqual([0.125, 0.09375, 0.203125, 0.109375]);
  });

  test("equals its f64 twin, and its gradient central differences, for all sizes up to 19", () => {
    for (let n = 1; n <= 19; n++) {
      const m = 1 + (n % 3);
      const theta = Array.from(numbers(m * n, n), (x) => 3 * x);
      const y = Array.from(numbers(m * n, n + 50), (x) => 3 * x);
      const weights = Array.from({ length: m }, (_, b) => 1 - b / 4);
      const value = (given: number[]) =>
        weights.reduce((sum, w, b) => {
          const row = [b * n, (b + 1) * n] as const;
          return sum + (w * naiveQuantileLoss(given.slice(...row), y.slice(...row))) / m;
        }, 0);
      const { total, d } = quantileLoss(n, theta, y, weights);
      expect(difference([total], [value(theta)])).toBeLessThan(1e-6);
      const h = 1e-6;
      const slopes = theta.map((_, i) => {
        const moved = (by: number) => value(theta.map((x, j) => (i === j ? x + by : x)));
        return (moved(h) - moved(-h)) / (2 * h);
      });
      expect(difference(d, slopes)).toBeLessThan(2e-5);
    }
  });

  test("with one quantile it is half of Huber's loss, so that a row of equal targets pulls to their median", () => {
    expect(quantileLoss(1, [2], [2.5]).total).toBe(0.0625);
    expect(quantileLoss(1, [2], [5]).total).toBe(1.25);
  });
});

describe("the conservative term", () => {
  const q = [1, -0.5, 2, 0.25];

  test("gives these numbers", () => {
    for (const [action, golden] of [1.484731, 2.984731, 0.484731, 2.234731].entries()) {
      bench.reset();
      const d = bench.f32(4, [0, 0, 0, 0]);
      const loss = kernels.conservative(4, 1, bench.f32(4, q).at, action, 1, bench.f32(4).at, d.at);
      expect(loss).toBeCloseTo(golden, 5);
      const softmax = [0.226563, 0.050553, 0.615863, 0.107021];
      expect(
        difference(
          d.data,
          softmax.map((p, a) => p - (a === action ? 1 : 0)),
        ),
      ).toBeLessThan(1e-6);
    }
  });

  test("adds to the gradient, in equal shares for the quantiles, and adds nothing for unavailable actions", () => {
    bench.reset();
    const masked = [1, Number.NEGATIVE_INFINITY, 2];
    const d = bench.f32(6, [1, 1, 1, 1, 1, 1]);
    const loss = kernels.conservative(3, 2, bench.f32(3, masked).at, 0, 0.5, bench.f32(3).at, d.at);
    expect(loss).toBeCloseTo(0.5 * (logSumExp([1, 2], 1) - 1), 6);
    const p = 1 / (1 + Math.E);
    const g = 0.25 * (p - 1);
    expect(difference(d.data, [1 + g, 1 + g, 1, 1, 1 - g, 1 - g])).toBeLessThan(1e-6);
  });
});

describe("soft targets", () => {
  const q = [1, -0.5, 2, 0.25];

  test("the soft value gives these numbers, for each quantile", () => {
    bench.reset();
    const v = bench.f32(1);
    kernels.softValue(4, 1, bench.f32(4, q).at, bench.f32(4, q).at, 1, bench.f32(4).at, v.at);
    expect(v.data[0]).toBeCloseTo(2.484731, 5);
    kernels.softValue(4, 1, bench.f32(4, q).at, bench.f32(4, q).at, 0.03, bench.f32(4).at, v.at);
    expect(v.data[0]).toBeCloseTo(2, 6);
    // Quantiles of +-1 about each mean move the two values by +-1, and the entropy is the same.
    const theta = q.flatMap((x) => [x - 1, x + 1]);
    const two = bench.f32(2);
    kernels.softValue(4, 2, bench.f32(8, theta).at, bench.f32(4, q).at, 1, bench.f32(4).at, two.at);
    expect(difference(two.data, [1.484731, 3.484731])).toBeLessThan(1e-6);
  });

  test("Munchausen's addition gives these numbers: clipped at -1, never above 0, far actions included", () => {
    for (const [action, golden] of [-0.9, -0.9, -0.0715242, -0.9].entries()) {
      bench.reset();
      const got = kernels.munchausen(4, bench.f32(4, q).at, action, 0.9, 0.5, -1, bench.f32(4).at);
      expect(got).toBeCloseTo(golden, 6);
    }
    bench.reset();
    const far = bench.f32(2, [1e30, -1e30]);
    expect(kernels.munchausen(2, far.at, 1, 1, 0.03, -1, bench.f32(2).at)).toBe(-1);
    expect(kernels.munchausen(2, far.at, 0, 1, 0.03, -1, bench.f32(2).at)).toBeCloseTo(0);
  });
});
