import { beforeAll, describe, expect, test } from "vitest";
import { naiveGemm } from "../reference/gemm.js";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const { gemm, padded, packPanels, packTransposed, panelOffset, transpose, useUnrolled } = bench.exports;
const NONE = 0;
const RELU = 1;
const MASK = 2;
const TOLERANCE = 2e-6;

/** A row-major matrix with a row stride of `ld` numbers, NaN between the rows. */
function matrix(rows: number, columns: number, ld: number, values: ArrayLike<number>) {
  const tensor = bench.f32(rows * ld);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) tensor.data[i * ld + j] = values[i * columns + j]!;
  return tensor;
}

/** A matrix in panels of `rows` rows, zero where padded. */
function panels(rows: number, m: number, n: number, values: ArrayLike<number>, first = 0) {
  const tensor = bench.f32(rows * padded(n));
  tensor.data.fill(0);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) tensor.data[panelOffset(rows, n, first + i, j) / 4] = values[i * n + j]!;
  }
  return tensor;
}

function read(tensor: { data: Float32Array }, m: number, n: number, ld: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, x) => tensor.data[Math.floor(x / n) * ld + (x % n)]!);
}

function bytes(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function sizes(): [number, number, number][] {
  const all: [number, number, number][] = [];
  for (let m = 1; m <= 17; m++) for (let n = 1; n <= 17; n++) for (let k = 1; k <= 17; k++) all.push([m, n, k]);
  for (const m of [1, 2, 5, 33])
    for (const n of [24, 31, 36, 44, 64, 84, 100]) for (const k of [1, 7, 67]) all.push([m, n, k]);
  return all;
}

describe.each([
  ["rolled", false],
  ["unrolled", true],
])("gemm, %s", (_, isUnrolled) => {
  beforeAll(() => useUnrolled(isUnrolled));

  test("equals its f64 twin for all m, n, k in 1..17 and beyond, with odd strides, each initial value and epilogue", () => {
    for (const [m, n, k] of sizes()) {
      bench.reset();
      const width = padded(n);
      const lda = k + (m % 4);
      const ldc = width + 4 * (k % 3);
      const av = numbers(m * k, m + 31 * k);
      const bv = numbers(k * n, n + 17 * k);
      const iv = numbers(m * n, m * n);
      const row = k % 3;
      const rows = k + row + (n % 2);
      const a = matrix(m, k, lda, av);
      const b = panels(rows, k, n, bv, row);
      const bias = bench.f32(width, new Float32Array(width));
      bias.data.set(iv.subarray(0, n));
      const init = matrix(m, n, ldc, iv);
      for (let i = 0; i < m; i++) init.data.fill(0, i * ldc + n, i * ldc + width);
      const h = bench.f32(m * ldc, numbers(m * ldc, 5));
      const c = bench.f32(m * ldc);
      const rowBias = Float64Array.from({ length: m * n }, (_, x) => iv[x % n]!);
      const label = `${m}x${n}x${k}`;

      gemm(m, width, k, a.at, lda * 4, b.at, rows, row, c.at, ldc * 4, 0, 0, bias.at, 0, RELU, 0);
      const relu = naiveGemm(m, n, k, av, bv, rowBias).map((x) => Math.max(x, 0));
      expect(difference(read(c, m, n, ldc), relu), label).toBeLessThan(TOLERANCE);
      for (let j = n; j < width; j++) expect(c.data[j], "padding stays zero").toBe(0);

      gemm(m, width, k, a.at, lda * 4, b.at, rows, row, c.at, ldc * 4, 0, 0, init.at, ldc * 4, NONE, 0);
      const plain = naiveGemm(m, n, k, av, bv, iv);
      expect(difference(read(c, m, n, ldc), plain), label).toBeLessThan(TOLERANCE);

      gemm(m, width, k, a.at, lda * 4, b.at, rows, row, c.at, ldc * 4, 0, 0, 0, 0, MASK, h.at);
      const masked = naiveGemm(m, n, k, av, bv, new Float64Array(m * n));
      for (let x = 0; x < m * n; x++) if (!(h.data[Math.floor(x / n) * ldc + (x % n)]! > 0)) masked[x] = 0;
      expect(difference(read(c, m, n, ldc), masked), label).toBeLessThan(TOLERANCE);

      const crow = n % 2;
      const crows = m + crow + (k % 3);
      const p = bench.f32(crows * width);
      gemm(m, width, k, a.at, lda * 4, b.at, rows, row, p.at, 0, crows, crow, 0, 0, NONE, 0);
      const product = naiveGemm(m, n, k, av, bv, new Float64Array(m * n));
      const unpacked = Float64Array.from(
        { length: m * n },
        (_, x) => p.data[panelOffset(crows, n, crow + Math.floor(x / n), x % n) / 4]!,
      );
      expect(difference(unpacked, product), label).toBeLessThan(TOLERANCE);
      expect(bench.guardsHold(), label).toBe(true);
    }
  });

  test("gives each row the same bits whatever rows stand beside it", () => {
    bench.reset();
    const [m, n, k] = [7, 44, 50];
    const a = bench.f32(m * k, numbers(m * k, 1));
    const b = panels(k, k, n, numbers(k * n, 2));
    const width = padded(n);
    const c = bench.f32(m * width);
    gemm(m, width, k, a.at, k * 4, b.at, k, 0, c.at, width * 4, 0, 0, 0, 0, NONE, 0);
    const one = bench.f32(width);
    for (let i = 0; i < m; i++) {
      gemm(1, width, k, a.at + i * k * 4, k * 4, b.at, k, 0, one.at, width * 4, 0, 0, 0, 0, NONE, 0);
      expect(Array.from(one.data)).toEqual(Array.from(c.data.subarray(i * width, (i + 1) * width)));
    }
  });

  test("keeps NaN through ReLU, so that divergence shows", () => {
    bench.reset();
    const a = bench.f32(1, [Number.NaN]);
    const b = panels(1, 1, 4, [1, 1, 1, 1]);
    const c = bench.f32(4);
    gemm(1, 4, 1, a.at, 4, b.at, 1, 0, c.at, 16, 0, 0, 0, 0, RELU, 0);
    expect(Array.from(c.data)).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  });
});

test("rolled and unrolled loops give the same bits", () => {
  for (const [m, n, k] of sizes()) {
    bench.reset();
    const width = padded(n);
    const a = bench.f32(m * k, numbers(m * k, k));
    const b = panels(k, k, n, numbers(k * n, n));
    const [c, d] = [bench.f32(m * width), bench.f32(m * width)];
    for (const [isUnrolled, { at }] of [[false, c] as const, [true, d] as const]) {
      useUnrolled(isUnrolled);
      gemm(m, width, k, a.at, k * 4, b.at, k, 0, at, width * 4, 0, 0, 0, 0, NONE, 0);
    }
    expect(Buffer.compare(bytes(c.data), bytes(d.data)), `${m}x${n}x${k}`).toBe(0);
  }
});

describe("pack", () => {
  test("padded is the least multiple of 4 whose rest beyond panels of 16 is 0, 4 or 8", () => {
    expect([1, 4, 5, 8, 9, 12, 13, 16, 17, 84, 120].map((n) => padded(n))).toEqual([
      4, 4, 8, 8, 16, 16, 16, 16, 20, 84, 120,
    ]);
  });

  test("panels and transposes hold every element at its panelOffset", () => {
    for (let m = 1; m <= 21; m++) {
      for (let n = 1; n <= 36; n++) {
        bench.reset();
        const height = padded(m);
        const width = padded(n);
        const ld = width + 4;
        const src = bench.f32(height * ld, numbers(height * ld, m * n));
        const at = (i: number, j: number) => src.data[i * ld + j];

        const packed = bench.f32(m * width);
        packPanels(m, width, src.at, ld * 4, packed.at);
        const t4 = (x: number) => (x + 3) & ~3;
        const turned = bench.f32(t4(n) * t4(m));
        transpose(m, n, src.at, ld * 4, turned.at, t4(m) * 4);
        const rows = width + 3;
        const turnedPanels = bench.f32(rows * height);
        packTransposed(m, width, src.at, ld * 4, turnedPanels.at, rows, 3);
        let wrong = 0;
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            if (packed.data[panelOffset(m, n, i, j) / 4] !== at(i, j)) wrong++;
            if (turned.data[j * t4(m) + i] !== at(i, j)) wrong++;
            if (turnedPanels.data[panelOffset(rows, m, 3 + j, i) / 4] !== at(i, j)) wrong++;
          }
        }
        expect(wrong, `${m}x${n}`).toBe(0);
        expect(bench.guardsHold()).toBe(true);
      }
    }
  });
});
