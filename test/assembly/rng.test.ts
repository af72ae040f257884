import { expect, test } from "vitest";
import { KernelBench } from "../reference/kernels.js";
import { Pcg32 } from "../reference/rng.js";

const bench = new KernelBench();
const { seedRng, nextU32, uniform, uniformIn, below } = bench.exports;

function seeded(seed: bigint, stream: bigint): number {
  bench.reset();
  const { at } = bench.f32(4);
  seedRng(at, seed, stream);
  return at;
}

/** Chi-square of counts against equal shares. */
function chiSquare(counts: number[]): number {
  const share = counts.reduce((sum, x) => sum + x, 0) / counts.length;
  return counts.reduce((sum, x) => sum + (x - share) ** 2 / share, 0);
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
