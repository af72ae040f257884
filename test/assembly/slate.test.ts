import { describe, expect, test } from "vitest";
import { greedySlate, logSumExp, mixture } from "../reference/dqn.js";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const kernels = bench.exports;

/** Values and weights over nothing and c candidates; with ties where asked for. */
function offerOf(c: number, seed: number, isTied: boolean) {
  const q = numbers(c + 1, seed).map((x) => (isTied ? Math.round(2 * x) : 3 * x));
  const v = numbers(c + 1, seed + 7).map((x) => (isTied ? 1 : Math.exp(2 * x)));
  v[0] = 1;
  return { q, v };
}

describe("a slate", () => {
  test("is found greedily and valued as its f64 twin has it, for all small sizes and ties", () => {
    for (let c = 0; c <= 9; c++) {
      for (let k = 0; k <= c; k++) {
        for (const n of [1, 3]) {
          for (const isTied of [false, true]) {
            bench.reset();
            const { q, v } = offerOf(c, 5 * c + k, isTied);
            const chosen = bench.f32(k);
            const taken = bench.f32(c);
            const [at, weights] = [bench.f32(c + 1, q).at, bench.f32(c + 1, v).at];
            kernels.greedySlate(c, k, at, weights, taken.at, chosen.at);
            const got = Array.from(new Int32Array(chosen.data.buffer, chosen.data.byteOffset, k));
            const expected = greedySlate(Array.from(q), Array.from(v), k);
            expect(got).toEqual(expected);
            const theta = numbers((c + 1) * n, 3);
            const rows = Array.from({ length: c + 1 }, (_, i) => Array.from(theta.subarray(i * n, i * n + n)));
            const y = bench.f32(n);
            kernels.mixture(k, n, chosen.at, bench.f32((c + 1) * n, theta).at, weights, y.at);
            expect(difference(y.data, mixture(rows, Array.from(v), expected))).toBeLessThan(1e-6);
            expect(bench.guardsHold()).toBe(true);
          }
        }
      }
    }
  });

  test("takes the first ones in their order where no indices are given", () => {
    bench.reset();
    const { q, v } = offerOf(4, 1, false);
    const y = bench.f32(1);
    kernels.mixture(2, 1, 0, bench.f32(5, q).at, bench.f32(5, v).at, y.at);
    const rows = Array.from(q, (x) => [x]);
    expect(difference(y.data, mixture(rows, Array.from(v), [0, 1]))).toBeLessThan(1e-6);
  });
});

test("weights of the choice part from the values and join them again, bit for bit", () => {
  for (const m of [1, 2, 5]) {
    for (const n of [1, 2, 4]) {
      bench.reset();
      const all = numbers(m * (n + 1), m + n);
      const rows = bench.f32(m * (n + 1), all);
      const u = bench.f32(m);
      kernels.splitChoices(m, n, rows.at, u.at);
      for (let i = 0; i < m; i++) {
        expect(u.data[i]).toBe(all[i * (n + 1) + n]);
        for (let j = 0; j < n; j++) expect(rows.data[i * n + j]).toBe(all[i * (n + 1) + j]);
      }
      kernels.joinChoices(m, n, rows.at, u.at);
      expect(Array.from(rows.data)).toEqual(Array.from(all));
      expect(bench.guardsHold()).toBe(true);
    }
  }
});

test("weights are e^u with u held in [-20, 20], and that of nothing is 1", () => {
  bench.reset();
  const u = [5, -3, 0, 1.5, 20, -20, 1e9, -1e9];
  const v = bench.f32(u.length, Float32Array.from(u));
  kernels.choiceWeights(u.length - 1, v.at);
  const expected = [1, ...u.slice(1).map((x) => Math.exp(Math.max(-20, Math.min(20, x))))];
  for (const [i, x] of expected.entries()) expect(Math.abs(v.data[i]! / x - 1)).toBeLessThan(1e-6);
});

test("the loss of a choice is its cross-entropy, and the gradient equals central differences; nothing has none", () => {
  for (const c of [0, 1, 2, 5]) {
    for (let action = -1; action < c; action++) {
      bench.reset();
      const u = numbers(c + 1, c + 3).map((x) => 3 * x);
      const du = bench.f32(c + 1, new Float32Array(c + 1));
      const got = kernels.choiceLoss(c, bench.f32(c + 1, u).at, action, 0.7, bench.f32(c + 1).at, du.at);
      const loss = (x: number[]) => 0.7 * (logSumExp([0, ...x], 1) - [0, ...x][action + 1]!);
      const own = Array.from(u.subarray(1));
      expect(Math.abs(got - loss(own))).toBeLessThan(1e-6);
      expect(du.data[0]).toBe(0);
      own.forEach((_, i) => {
        const moved = (step: number) => loss(own.map((x, j) => (i === j ? x + step : x)));
        expect(du.data[i + 1]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 5);
      });
      if (c === 0) expect(got).toBe(0);
      expect(bench.guardsHold()).toBe(true);
    }
  }
});

test("the conservative term of a slate is the mean cross-entropy of its places, and nothing has no part", () => {
  for (const [c, k] of [
    [0, 0],
    [1, 1],
    [4, 0],
    [4, 1],
    [5, 3],
    [4, 4],
  ] as const) {
    for (const n of [1, 3]) {
      bench.reset();
      const q = numbers(c + 1, 9 * c + k).map((x) => 3 * x);
      const d = bench.f32((c + 1) * n, new Float32Array((c + 1) * n));
      const got = kernels.conservativeSlate(c, k, n, bench.f32(c + 1, q).at, 0.7, bench.f32(c).at, d.at);
      const term = (x: number[]) => {
        let sum = 0;
        for (let i = 0; i < k; i++) sum += logSumExp(x.slice(1 + i), 1) - x[1 + i]!;
        return k === 0 ? 0 : (0.7 * sum) / k;
      };
      const own = Array.from(q);
      expect(Math.abs(got - term(own))).toBeLessThan(2e-6);
      own.forEach((_, a) => {
        const moved = (step: number) => term(own.map((x, j) => (a === j ? x + step : x)));
        // The gradient of the mean is spread over the quantiles.
        for (let i = 0; i < n; i++) {
          expect(d.data[a * n + i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5 / n, 5);
        }
      });
      expect(bench.guardsHold()).toBe(true);
    }
  }
});
