import { describe, expect, test } from "vitest";
import { moments } from "../reference/moments.js";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const kernels = bench.exports;

/** The twin: h = relu(gain * (z - mean) / sqrt(variance + 1e-5) + shift), moments along rows or columns. */
function naive(z: number[][], gain: number[], shift: number[], isPerRow: boolean): number[][] {
  return z.map((row, i) =>
    row.map((x, j) => {
      const { mean, variance } = moments(isPerRow ? z[i]! : z.map((other) => other[j]!));
      return Math.max(0, (gain[j]! * (x - mean)) / Math.sqrt(variance + 1e-5) + shift[j]!);
    }),
  );
}

/** A matrix with zeros in its padding. */
function padded(rows: number[][], columns: number) {
  const tensor = bench.f32(rows.length * columns, new Float32Array(rows.length * columns));
  rows.forEach((row, i) => void tensor.data.set(row, i * columns));
  return tensor;
}

describe.each([
  ["layer", true],
  ["batch", false],
] as const)("%s normalisation", (_, isPerRow) => {
  test("equals its f64 twin and central differences for all sizes up to 13 x 21, and keeps its padding zero", () => {
    for (let m = isPerRow ? 1 : 2; m <= 13; m += 3) {
      for (let width = 1; width <= 21; width++) {
        bench.reset();
        const n = kernels.padded(width);
        const rows = (seed: number) =>
          Array.from({ length: m }, (__, i) => Array.from(numbers(width, seed + i), (x) => 2 * x));
        const z = rows(width);
        const [gains, shifts] = [Array.from(numbers(width, 3), (x) => 1 + x / 2), Array.from(numbers(width, 4))];
        const tensor = padded(z, n);
        const gain = padded([gains], n);
        const shift = padded([shifts], n);
        const x = bench.f32(m * n);
        const spread = bench.f32(Math.max(m, n));
        const [mean, variance] = [bench.f32(n), bench.f32(n)];
        const args = [tensor.at, gain.at, shift.at, x.at, spread.at] as const;
        if (isPerRow) kernels.layerNorm(m, n, width, ...args, 0);
        else kernels.batchNorm(m, n, ...args, mean.at, variance.at, 0);
        const label = `${m}x${width}`;
        const h = naive(z, gains, shifts, isPerRow);
        expect(difference(tensor.data, padded(h, n).data), label).toBeLessThan(2e-5);

        const weights = rows(width + 40);
        const loss = () =>
          naive(z, gains, shifts, isPerRow).reduce(
            (sum, row, i) => sum + row.reduce((s, value, j) => s + value * weights[i]![j]!, 0),
            0,
          );
        const slope = (values: number[], i: number) => {
          const [kept, step] = [values[i]!, 1e-6];
          values[i] = kept + step;
          const above = loss();
          values[i] = kept - step;
          const below = loss();
          values[i] = kept;
          return (above - below) / (2 * step);
        };
        const dy = padded(
          weights.map((row, i) => row.map((w, j) => (h[i]![j]! > 0 ? w : 0))),
          n,
        );
        const [dgain, dshift] = [bench.f32(n), bench.f32(n)];
        kernels.normGradient(m, n, dy.at, x.at, dgain.at, dshift.at);
        if (isPerRow) kernels.layerNormBackward(m, n, width, dy.at, gain.at, x.at, spread.at);
        else kernels.batchNormBackward(m, n, dy.at, gain.at, x.at, spread.at);
        const scale = isPerRow && width === 1 ? 300 : 1;
        const expected = z.map((row) => row.map((__, j) => slope(row, j)));
        expect(difference(dy.data, padded(expected, n).data), label).toBeLessThan(2e-3 * scale);
        const [gainSlopes, shiftSlopes] = [gains, shifts].map((values) => values.map((__, j) => slope(values, j)));
        expect(difference(dgain.data, padded([gainSlopes!], n).data), label).toBeLessThan(1e-4);
        expect(difference(dshift.data, padded([shiftSlopes!], n).data), label).toBeLessThan(1e-4);
        expect(bench.guardsHold(), label).toBe(true);
      }
    }
  });
});

test("folding gives the plain layer of the same outputs", () => {
  for (const [inputs, outputs] of [
    [3, 5],
    [4, 16],
    [7, 21],
    [2, 44],
  ] as const) {
    bench.reset();
    const { padded: pad, panelOffset } = kernels;
    const [rows, n] = [pad(inputs), pad(outputs)];
    const vector = (seed: number, offset: number) =>
      padded([Array.from(numbers(outputs, seed), (x) => offset + x / 2)], n);
    const [b, gain, shift, mean, variance] = [vector(1, 0), vector(2, 1), vector(3, 0), vector(4, 0), vector(5, 1)];
    const w = bench.f32(rows * n, numbers(rows * n, 6));
    const [wOut, bOut] = [bench.f32(rows * n), bench.f32(n)];
    const statistics = [gain.at, shift.at, mean.at, variance.at] as const;
    kernels.foldNorm(rows, n, w.at, b.at, ...statistics, wOut.at, bOut.at);
    for (let j = 0; j < outputs; j++) {
      const s = gain.data[j]! / Math.sqrt(variance.data[j]! + 1e-5);
      expect(bOut.data[j]).toBeCloseTo((b.data[j]! - mean.data[j]!) * s + shift.data[j]!, 5);
      for (let i = 0; i < inputs; i++) {
        const at = panelOffset(rows, outputs, i, j) / 4;
        expect(wOut.data[at]).toBeCloseTo(w.data[at]! * s, 5);
      }
    }
    expect(bench.guardsHold()).toBe(true);
  }
});
