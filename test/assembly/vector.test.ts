import { describe, expect, test } from "vitest";
import { GRADIENT_MAX, MOMENT_MAX, SQUARE_MAX, WEIGHT_MAX } from "../../assembly/abi.js";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const kernels = bench.exports;
const LENGTHS = [4, 8, 12, 16, 20, 32, 52, 100];

describe("vector", () => {
  test("dot4 has the bits of four dots, whatever lies between the rows", () => {
    for (const n of LENGTHS) {
      bench.reset();
      const a = bench.f32(n, numbers(n, n + 1));
      const ldb = n + 4;
      const b = bench.f32(4 * ldb, numbers(4 * ldb, n + 2));
      const y = bench.f32(4);
      kernels.dot4(n, a.at, b.at, 4 * ldb, y.at);
      expect([...y.data]).toEqual([0, 1, 2, 3].map((i) => kernels.dot(n, a.at, b.at + 4 * ldb * i)));
      expect(bench.guardsHold()).toBe(true);
    }
  });

  test("dot, sumSquares, axpy, scaleMasked and lerp equal their f64 twins", () => {
    for (const n of LENGTHS) {
      bench.reset();
      const x = numbers(n, n);
      const y = numbers(n, n + 1);
      const vx = bench.f32(n, x);
      const vy = bench.f32(n, y);
      const sum = x.reduce((s, v, i) => s + v * y[i]!, 0);
      expect(Math.abs(kernels.dot(n, vx.at, vy.at) - sum)).toBeLessThan(1e-5);
      expect(kernels.sumSquares(n, vx.at)).toBeCloseTo(
        x.reduce((s, v) => s + v * v, 0),
        4,
      );
      kernels.axpy(n, 0.3, vx.at, vy.at);
      expect(
        difference(
          vy.data,
          x.map((v, i) => y[i]! + 0.3 * v),
        ),
      ).toBeLessThan(1e-6);
      const out = bench.f32(n);
      kernels.scaleMasked(n, -2, vx.at, vy.at, out.at);
      expect(
        difference(
          out.data,
          x.map((v, i) => (vy.data[i]! > 0 ? -2 * v : 0)),
        ),
      ).toBeLessThan(1e-6);
      const before = vy.data.slice();
      kernels.lerp(n, 0.1, vx.at, vy.at);
      expect(
        difference(
          vy.data,
          x.map((v, i) => before[i]! + 0.1 * (v - before[i]!)),
        ),
      ).toBeLessThan(1e-6);
      kernels.lerp(n, 1, vx.at, vy.at);
      expect(vy.data).toEqual(vx.data);
      expect(bench.guardsHold()).toBe(true);
    }
  });

  test("argmax gives the lowest index of the largest value, for every length and position", () => {
    for (let n = 1; n <= 40; n++) {
      bench.reset();
      const v = bench.f32(n);
      for (let best = 0; best < n; best++) {
        v.data.set(numbers(n, n));
        v.data[best] = 2;
        if (best + 3 < n) v.data[best + 3] = 2;
        expect(kernels.argmax(n, v.at)).toBe(best);
        v.data.fill(Number.NEGATIVE_INFINITY);
        v.data[best] = -1e30;
        expect(kernels.argmax(n, v.at)).toBe(best);
      }
      v.data.fill(0);
      expect(kernels.argmax(n, v.at)).toBe(0);
      v.data.fill(Number.NaN);
      expect(kernels.argmax(n, v.at)).toBeLessThan(n);
    }
  });

  test("allWithin finds one number outside or NaN at any place, and takes both bounds, -0 and subnormals", () => {
    const high = 1e6;
    for (let n = 1; n <= 21; n++) {
      bench.reset();
      const v = bench.f32(n);
      for (const low of [-high, 0]) {
        for (const good of [high, low, -0, 1e-45, 0.5]) {
          v.data.fill(good);
          expect(kernels.allWithin(n, low, high, v.at)).toBe(1);
        }
        const outside = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1000000.0625, 3e38];
        for (const bad of [...outside, low === 0 ? -1e-45 : -1000000.0625]) {
          for (let i = 0; i < n; i++) {
            v.data.fill(1e-45);
            v.data[i] = bad;
            expect(kernels.allWithin(n, low, high, v.at)).toBe(0);
          }
        }
      }
    }
  });
});

test("rectify and scale equal their definitions, and NaN stays", () => {
  for (const n of LENGTHS) {
    bench.reset();
    const x = numbers(n, n);
    const v = bench.f32(n, x);
    kernels.scale(n, 0.5, v.at);
    expect(Array.from(v.data)).toEqual(Array.from(x, (value) => value / 2));
    v.data[0] = Number.NaN;
    kernels.rectify(n, v.at);
    expect(Array.from(v.data)).toEqual(Array.from(x, (value, i) => (i ? Math.max(value / 2, 0) : Number.NaN)));
    expect(bench.guardsHold()).toBe(true);
  }
});

describe("adam", () => {
  const [rate, beta1, beta2, epsilon] = [0.01, 0.9, 0.999, 1e-3];

  test("follows PyTorch's formula over 200 steps: eps outside the root, after the bias correction", () => {
    bench.reset();
    const n = 12;
    const w = bench.f32(n, numbers(n, 1));
    const g = bench.f32(n);
    const m = bench.f32(n, new Float32Array(n));
    const v = bench.f32(n, new Float32Array(n));
    const tw = Float64Array.from(w.data);
    const tm = new Float64Array(n);
    const tv = new Float64Array(n);
    for (let t = 1; t <= 200; t++) {
      g.data.set(numbers(n, t));
      kernels.adam(n, w.at, g.at, m.at, v.at, 0.5, rate, beta1, beta2, epsilon, beta1 ** t, beta2 ** t, 0);
      for (let i = 0; i < n; i++) {
        const d = 0.5 * g.data[i]!;
        tm[i] = beta1 * tm[i]! + (1 - beta1) * d;
        tv[i] = beta2 * tv[i]! + (1 - beta2) * d * d;
        const corrected = Math.sqrt(tv[i]! / (1 - beta2 ** t)) + epsilon;
        tw[i]! -= (rate * (tm[i]! / (1 - beta1 ** t))) / corrected;
      }
      expect(difference(w.data, tw)).toBeLessThan(1e-5);
    }
    expect(bench.guardsHold()).toBe(true);
  });

  test("AdamW shrinks weights by rate * decay before the step, whatever the gradient", () => {
    bench.reset();
    const w = bench.f32(4, [1, -2, 0.5, 0]);
    const [g, m, v] = [bench.f32(4, [0, 0, 0, 0]), bench.f32(4, [0, 0, 0, 0]), bench.f32(4, [0, 0, 0, 0])];
    kernels.adam(4, w.at, g.at, m.at, v.at, 1, rate, beta1, beta2, epsilon, beta1, beta2, 0.1);
    expect(difference(w.data, [0.999, -1.998, 0.4995, 0])).toBeLessThan(1e-7);
  });

  test("keeps weights in their bounds and all finite, whatever gradients it may be given", () => {
    for (const rates of [
      [1, 0.9, 0.999, 1e-12],
      [1, 0, 0, 1e-12],
      [1, 1 - 2 ** -53, 0, 1e-12],
      [1, 0.9, 1 - 2 ** -53, 1e-12],
      [1, 1 - 2 ** -30, 1 - 2 ** -25, 1],
    ] as const) {
      const [learningRate, b1, b2, e] = rates;
      bench.reset();
      const w = bench.f32(8, [1, -1, WEIGHT_MAX, -WEIGHT_MAX, 0, -0, 1e-45, 3]);
      const g = bench.f32(8);
      const m = bench.f32(8, new Float32Array(8));
      const v = bench.f32(8, new Float32Array(8));
      for (let t = 1; t <= 3000; t++) {
        const size = t % 7 === 0 ? 0 : 10 ** (((t * 11) % 63) - 45);
        g.data.set(numbers(8, t).map((x) => Math.sign(x) * (t < 1500 ? GRADIENT_MAX : size)));
        kernels.adam(8, w.at, g.at, m.at, v.at, 1, learningRate, b1, b2, e, b1 ** t, b2 ** t, 0);
      }
      expect(kernels.allWithin(8, -WEIGHT_MAX, WEIGHT_MAX, w.at), `weights, ${rates}`).toBe(1);
      expect(kernels.allWithin(8, -MOMENT_MAX, MOMENT_MAX, m.at), `first moments, ${rates}`).toBe(1);
      expect(kernels.allWithin(8, 0, SQUARE_MAX, v.at), `second moments, ${rates}`).toBe(1);
    }
  });

  test("lets no first moment decay into denormals", () => {
    bench.reset();
    const w = bench.f32(4, [1, 1, 1, 1]);
    const g = bench.f32(4, [1, 1, 1, 1]);
    const m = bench.f32(4, [0, 0, 0, 0]);
    const v = bench.f32(4, [0, 0, 0, 0]);
    for (let t = 1; t <= 1200; t++) {
      kernels.adam(4, w.at, g.at, m.at, v.at, 1, rate, beta1, beta2, epsilon, beta1 ** t, beta2 ** t, 0);
      g.data.fill(0);
    }
    expect(Array.from(m.data)).toEqual([0, 0, 0, 0]);
  });
});
