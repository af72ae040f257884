import { expect, test } from "vitest";
import { chiSquare } from "../reference/moments.js";
import { Pcg32 } from "../reference/rng.js";
import { KernelBench } from "../support/kernels.js";

const bench = new KernelBench();
const { seedRng, nextU32, normals, uniform, uniformIn, below } = bench.exports;

function seeded(seed: bigint, stream: bigint): number {
  bench.reset();
  const { at } = bench.f32(4);
  seedRng(at, seed, stream);
  return at;
}

/** n standard normals. */
function normalsOf(rng: number, n: number): Float32Array {
  const { at, data } = bench.f32(n);
  normals(rng, n, at);
  expect(bench.guardsHold()).toBe(true);
  return data;
}

test("PCG32 gives the published sequence for seed 42, stream 54", () => {
  const rng = seeded(42n, 54n);
  const words = Array.from({ length: 6 }, () => nextU32(rng) >>> 0);
  // From pcg-random.org's pcg32-demo.
  expect(words).toEqual([0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e]);
});

test("next, uniform and below equal the BigInt twin", () => {
  for (const seed of [0n, 1n, 0xdeadbeefcafef00dn]) {
    const rng = seeded(seed, 2n);
    const twin = Pcg32.seeded(seed, 2n);
    for (let i = 0; i < 2000; i++) {
      expect(nextU32(rng) >>> 0).toBe(twin.next());
      expect(uniform(rng)).toBe(twin.uniform());
      const n = 1 + ((i * 2654435761) % 4294967295);
      expect(below(rng, n) >>> 0).toBe(twin.below(n));
    }
  }
});

test("below is uniform: chi-square over 1,000,000 draws for several n", () => {
  for (const n of [2, 3, 10, 97]) {
    const rng = seeded(BigInt(n), 1n);
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < 1_000_000; i++) counts[below(rng, n)]!++;
    // Mean n - 1, deviation sqrt(2 (n - 1)): five deviations.
    expect(chiSquare(counts)).toBeLessThan(n - 1 + 5 * Math.sqrt(2 * (n - 1)));
  }
});

test("uniform fills [0, 1) evenly and never reaches 1; uniformIn keeps its bounds", () => {
  const rng = seeded(5n, 1n);
  const counts = new Array<number>(64).fill(0);
  for (let i = 0; i < 640_000; i++) counts[Math.floor(uniform(rng) * 64)]!++;
  expect(chiSquare(counts)).toBeLessThan(63 + 5 * Math.sqrt(126));
  for (let i = 0; i < 10_000; i++) {
    const x = uniformIn(rng, -0.5, 0.5);
    expect(x >= -0.5 && x <= 0.5).toBe(true);
  }
});

test("normals are standard: moments, and chi-square over 32 equally likely bins", () => {
  const bounds = Array.from({ length: 31 }, (_, i) => normalQuantile((i + 1) / 32));
  const counts = new Array<number>(32).fill(0);
  const rng = seeded(9n, 3n);
  const n = 199_999;
  const x = normalsOf(rng, n);
  for (const value of x) counts[bounds.filter((bound) => value > bound).length]!++;
  expect(chiSquare(counts)).toBeLessThan(31 + 5 * Math.sqrt(62));
  const mean = x.reduce((sum, value) => sum + value, 0) / n;
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(n));
  const variance = x.reduce((sum, value) => sum + value * value, 0) / n;
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  // Neighbours come from one pair: they must not be correlated, nor their squares.
  const product = (f: (value: number) => number) =>
    x.reduce((sum, value, i) => (i % 2 ? sum + f(value) * f(x[i - 1]!) : sum), 0) / (n / 2);
  expect(Math.abs(product((value) => value))).toBeLessThan(5 / Math.sqrt(n / 2));
  expect(Math.abs(product((value) => value * value - 1))).toBeLessThan(10 / Math.sqrt(n / 2));
});

/** The standard normal quantile by bisection of the error function's series. */
function normalQuantile(p: number): number {
  const below = (z: number) => {
    let term = z;
    let sum = z;
    for (let k = 1; k < 200; k++) {
      term *= (z * z) / (2 * k + 1);
      sum += term;
    }
    return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
  };
  let [low, high] = [-6, 6];
  while (high - low > 1e-10) {
    const middle = (low + high) / 2;
    if (below(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}
