import { describe, expect, test } from "vitest";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const kernels = bench.exports;

/** h(m,k) W(n,k)^T + b in f64, and in the order of dot. */
function twins(m: number, n: number, k: number, gap: number) {
  bench.reset();
  const ld = k + gap;
  const h = bench.f32(m * ld, numbers(m * ld, m + k));
  const w = bench.f32(n * ld, numbers(n * ld, n + k + 1));
  const b = bench.f32(n, numbers(n, k));
  const q = bench.f32(m * n);
  kernels.dotRows(m, n, k, h.at, 4 * ld, w.at, 4 * ld, b.at, q.at);
  const [exact, alone]: [number[], number[]] = [[], []];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = b.data[j]!;
      for (let l = 0; l < k; l++) sum += h.data[i * ld + l]! * w.data[j * ld + l]!;
      exact.push(sum);
      alone.push(Math.fround(kernels.dot(k, h.at + 4 * ld * i, w.at + 4 * ld * j) + b.data[j]!));
    }
  }
  return { q: [...q.data], exact, alone };
}

describe("dotRows", () => {
  test("has the bits of dot and equals its f64 twin, for all small sizes", () => {
    for (let m = 1; m <= 9; m++) {
      for (let n = 1; n <= 11; n++) {
        for (const k of [4, 8, 12, 16, 20, 32, 36, 40, 68, 72]) {
          const { q, exact, alone } = twins(m, n, k, k % 3 ? 4 : 0);
          expect(q, `${m} x ${n} x ${k}`).toEqual(alone);
          expect(difference(Float32Array.from(q), exact)).toBeLessThan(1e-5);
          expect(bench.guardsHold()).toBe(true);
        }
      }
    }
  });
});
