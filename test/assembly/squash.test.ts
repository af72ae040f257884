import { expect, test } from "vitest";
import { moments } from "../reference/moments.js";
import { KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench(4);
const { exports } = bench;

function seeded(seed: bigint): number {
  const { at } = bench.f32(4);
  // 8-byte words at an address that is a multiple of 16.
  exports.seedRng(at, seed, 2n);
  return at;
}

test("tanh is the host's to 3e-14 of its value, odd to the bit, and 1 far out", () => {
  for (let x = 1e-9; x < 30; x *= 1.01) {
    expect(Math.abs(exports.tanh(x) / Math.tanh(x) - 1)).toBeLessThan(3e-14);
    expect(exports.tanh(-x)).toBe(-exports.tanh(x));
  }
  expect([exports.tanh(0), exports.tanh(400), exports.tanh(-1e30)]).toEqual([0, 1, -1]);
  expect(exports.tanh(Number.NaN)).toBeNaN();
});

test("the gradient behind tanh is that of small differences, at all small sizes", () => {
  for (let n = 1; n <= 9; n++) {
    bench.reset();
    const u = bench.f32(n, numbers(n, n));
    const a = bench.f32(n);
    const da = bench.f32(n, numbers(n, n + 100));
    const du = bench.f32(n);
    exports.squash(n, u.at, a.at);
    exports.squashBackward(n, a.at, da.at, du.at);
    for (let i = 0; i < n; i++) {
      expect(a.data[i]).toBe(Math.fround(exports.tanh(u.data[i]!)));
      const slope = (Math.tanh(u.data[i]! + 1e-6) - Math.tanh(u.data[i]! - 1e-6)) / 2e-6;
      expect(Math.abs(du.data[i]! - slope * da.data[i]!)).toBeLessThan(1e-6);
    }
    expect(bench.guardsHold()).toBe(true);
  }
});

test("noise on targets is normal, held in its bound, and the action in [-1, 1]", () => {
  bench.reset();
  const rng = seeded(5n);
  const n = 4000;
  const z = bench.f32(n + 1);
  const a = bench.f32(n);
  a.data.fill(0);
  exports.smooth(rng, n, 0.2, 0.5, z.at, a.at);
  const drawn = Array.from(a.data);
  const { mean, variance } = moments(drawn);
  expect(Math.abs(mean)).toBeLessThan(0.012);
  // Of a normal that is clipped at 2.5 deviations.
  expect(Math.abs(Math.sqrt(variance) / 0.2 - 0.989)).toBeLessThan(0.04);
  expect(Math.max(...drawn)).toBe(0.5);
  expect(Math.min(...drawn)).toBe(-0.5);
  a.data.fill(0.8);
  exports.smooth(rng, n, 0.2, 0.5, z.at, a.at);
  expect(Math.max(...a.data)).toBe(1);
  expect(Math.min(...a.data)).toBe(Math.fround(Math.fround(0.8) - 0.5));
});

test("correlated noise keeps a deviation of 1, and its correlation from step to step", () => {
  bench.reset();
  const rng = seeded(6n);
  const n = 2000;
  const fresh = bench.f32(n + 1);
  const z = bench.f32(n);
  exports.normals(rng, n, z.at);
  let before = Array.from(z.data);
  for (let step = 0; step < 20; step++) {
    exports.correlate(rng, n, 0.9, fresh.at, z.at);
    const now = Array.from(z.data);
    const product = moments(now.map((x, i) => x * before[i]!)).mean;
    expect(Math.abs(product - 0.9)).toBeLessThan(0.12);
    expect(Math.abs(moments(now).variance - 1)).toBeLessThan(0.12);
    before = now;
  }
  exports.correlate(rng, n, 0, fresh.at, z.at);
  expect(Array.from(z.data)).toEqual(Array.from(fresh.data.subarray(0, n)));
});

test("uniform actions fill [-1, 1) evenly", () => {
  bench.reset();
  const rng = seeded(7n);
  const n = 5000;
  const a = bench.f32(n);
  exports.drawUniform(rng, n, a.at);
  const { mean, variance } = moments(Array.from(a.data));
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1 / 3)).toBeLessThan(0.015);
});
