import { describe, expect, test } from "vitest";
import { KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench(128);
const kernels = bench.exports;

/** Where a row of k quantised numbers ends: its i32. */
const rowBytes = (k: number) => 2 * k + 16;
/** Place of number i in a row. */
const placeOf = (i: number) => (i & ~3) + [0, 2, 1, 3][i & 3]!;

/** Weights of w(n,k), as panels, at an address. */
function panels(n: number, k: number, w: (o: number, i: number) => number): number {
  const { at } = bench.f32((n * k) / 4);
  const bytes = new Int8Array(kernels.memory.buffer, at, n * k);
  const whole = n - (n % 16);
  for (let o = 0; o < n; o++) {
    const width = o < whole ? 16 : 4;
    const start = (o - (o % width)) * k + 4 * (o % width);
    for (let i = 0; i < k; i++) bytes[start + 4 * width * (i >> 2) + (i & 3)] = w(o, i) + (i & 1 ? 0 : 128);
  }
  return at;
}

/** Rows x(m,k) of f32 quantised by one inverse for each number. */
function quantised(m: number, k: number, x: Float32Array, inverse: Float32Array, most: number, isNarrow = false) {
  const q = bench.f32((m * rowBytes(k)) / 4);
  const source = bench.f32(m * k, x);
  const inverses = bench.f32(k, inverse);
  for (let i = 0; i < m; i++) {
    const row = q.at + rowBytes(k) * i;
    kernels.endRow(k, kernels.quantise(k, source.at + 4 * k * i, inverses.at, 16, most, isNarrow, row), row);
  }
  const rows = Array.from({ length: m }, (_, i) => {
    const row = new Int16Array(kernels.memory.buffer, q.at + rowBytes(k) * i, k);
    // In place of every other number: it, less 256 times the one before.
    const before = (j: number) => (isNarrow && j % 2 === 1 ? 256 * row[placeOf(j - 1)]! : 0);
    return Array.from({ length: k }, (_, j) => row[placeOf(j)]! + before(j));
  });
  return { q, rows };
}

/** To nearest, ties to even. */
function nearest(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

describe("quantise", () => {
  test("rounds to nearest even, cuts off, and makes 0 of NaN", () => {
    bench.reset();
    const x = Float32Array.from([0.5, 1.5, -0.5, -1.5, 1e9, -1e9, Number.NaN, Number.POSITIVE_INFINITY]);
    const { rows } = quantised(1, 8, x, new Float32Array(8).fill(1), 1000);
    expect(rows[0]).toEqual([0, 2, -0, -2, 1000, -1000, 0, 1000].map((v) => v + 0));
    expect(bench.guardsHold()).toBe(true);
  });

  test("equals its twin, with one step for each number and with one for all", () => {
    for (const k of [8, 16, 24, 40]) {
      bench.reset();
      const x = numbers(3 * k, k);
      const inverse = Float32Array.from(numbers(k, k + 1), (v) => 300 * Math.abs(v));
      const { rows } = quantised(3, k, x, inverse, 250);
      const twin = (v: number) => Math.max(-250, Math.min(250, nearest(v))) + 0;
      for (const [i, row] of rows.entries()) {
        expect(row).toEqual(row.map((_, j) => twin(Math.fround(x[i * k + j]! * inverse[j]!))));
      }
      const source = bench.f32(k, x.subarray(0, k));
      const one = bench.f32(4, new Float32Array(4).fill(77));
      const q = bench.f32(rowBytes(k) / 4);
      kernels.quantise(k, source.at, one.at, 0, 250, false, q.at);
      const row = new Int16Array(kernels.memory.buffer, q.at, k);
      const got = Array.from({ length: k }, (_, j) => row[placeOf(j)]!);
      expect(got).toEqual(got.map((_, j) => twin(Math.fround(x[j]! * 77))));
      expect(bench.guardsHold()).toBe(true);
    }
  });
});

describe("dots", () => {
  test("equals its integer twin, for all small sizes", () => {
    for (let m = 1; m <= 5; m++) {
      for (const n of [4, 8, 12, 16, 20, 24, 28, 32, 48, 52]) {
        for (const [k, most] of [8, 16, 24, 32, 72].flatMap((k) => [32767, 127].map((most) => [k, most] as const))) {
          bench.reset();
          const inverse = new Float32Array(k).fill(most);
          const isNarrow = most === 127;
          const { q, rows } = quantised(m, k, numbers(m * k, m + k), inverse, most, isNarrow);
          const w = Int8Array.from(numbers(n * k, n), (v) => Math.round(127 * v));
          const at = panels(n, k, (o, i) => w[o * k + i]!);
          const init = bench.f32(n);
          const start = new Int32Array(kernels.memory.buffer, init.at, n).map((_, o) => 1000 * o - 7);
          new Int32Array(kernels.memory.buffer, init.at, n).set(start);
          const c = bench.f32(m * n);
          for (const from of [0, init.at]) {
            kernels.dots(m, n, k, q.at, at, from, isNarrow, c.at);
            const got = new Int32Array(kernels.memory.buffer, c.at, m * n);
            for (let i = 0; i < m; i++) {
              for (let o = 0; o < n; o++) {
                let sum = from ? start[o]! : 0;
                for (let j = 0; j < k; j++) sum += rows[i]![j]! * w[o * k + j]!;
                expect(got[i * n + o], `${m} x ${n} x ${k}, ${most}, ${i} ${o}`).toBe(sum);
              }
            }
          }
          expect(bench.guardsHold()).toBe(true);
        }
      }
    }
  });

  test("is exact at its bounds: every weight and every number the largest", () => {
    for (const [k, most] of [
      [512, 32767],
      [131072, 127],
    ] as const) {
      for (const sign of [1, -1]) {
        bench.reset();
        const x = new Float32Array(k).fill(1e6 * sign);
        const { q } = quantised(1, k, x, new Float32Array(k).fill(1), most, most === 127);
        for (const n of [4, 16]) {
          const at = panels(n, k, () => -128);
          const c = bench.f32(n);
          kernels.dots(1, n, k, q.at, at, 0, most === 127, c.at);
          const expected = new Int32Array(n).fill(-128 * most * k * sign);
          expect(new Int32Array(kernels.memory.buffer, c.at, n)).toEqual(expected);
        }
      }
    }
  });
});

describe("rescale and addIndexRows", () => {
  test("equal their twins", () => {
    for (const n of [4, 8, 20]) {
      bench.reset();
      const [scale, base] = [bench.f32(n, numbers(n, 1)), bench.f32(n, numbers(n, 2))];
      const c = bench.f32(3 * n);
      const sums = Int32Array.from(numbers(3 * n, 3), (v) => 1e6 * v);
      new Int32Array(kernels.memory.buffer, c.at, 3 * n).set(sums);
      kernels.rescale(3, n, c.at, scale.at, base.at);
      const f = Math.fround;
      const twin = Array.from(sums, (sum, j) => f(f(f(sum) * scale.data[j % n]!) + base.data[j % n]!));
      expect([...c.data]).toEqual(twin);

      const slots = 3;
      const input = bench.f32(2 * slots);
      const indices = [0, 4, 6];
      new Int32Array(kernels.memory.buffer, input.at, slots).set(indices);
      const weights = [0.5, -2, 0.3].map(f);
      input.data.set(weights, slots);
      const rows = bench.f32(7 * n);
      const w = new Int8Array(kernels.memory.buffer, rows.at, 7 * n);
      w.set(Int8Array.from(numbers(7 * n, 4), (v) => 127 * v));
      const y = bench.f32(n, numbers(n, 5));
      const sum = (j: number) => indices.reduce((all, index, s) => f(all + f(weights[s]! * w[index * n + j]!)), 0);
      const expected = Array.from(y.data, (v, j) => f(v + f(sum(j) * scale.data[j]!)));
      kernels.addIndexRows(n, slots, input.at, rows.at, scale.at, y.at);
      expect([...y.data]).toEqual(expected);
      expect(bench.guardsHold()).toBe(true);
    }
  });
});
