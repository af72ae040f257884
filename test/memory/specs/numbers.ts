/** What the fuzzed calls are made of: sizes, numbers tame and odd, places in panels. */
import fc from "fast-check";
import { type Case, POISON, type Tensor } from "../harness.js";

/** A kernel, and calls of it. */
export interface Spec {
  kernel: string;
  cases: fc.Arbitrary<Case>;
}

const ODD = [
  ...[0, -0, 1, -1, 1e-45, -1e-45, 1e-40, -1e-39, 1.1754943508222875e-38, 1e-38, -1e-38, 1e-30, -1e-19, 1e19],
  ...[1e38, -1e38, 3.4028234663852886e38, -3.4028234663852886e38, 16777216, 0.5, 1e6, -1e9],
];

/** n numbers: in [-1, 1), or odd ones among numbers of all sizes. */
export function draw(n: number, seed: number, isOdd: boolean): Float64Array {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) | 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 16777216;
  };
  for (let i = 0; i < 3; i++) next();
  return Float64Array.from({ length: n }, () => {
    const x = 2 * next() - 1;
    if (!isOdd) return Math.fround(x);
    const kind = next();
    if (kind < 0.4) return Math.fround(ODD[Math.floor(next() * ODD.length)]!);
    return Math.fround(kind < 0.7 ? x : x * 10 ** (76 * next() - 38));
  });
}

/** A tensor to write. */
export const output = (n: number): Tensor => ({ values: new Float64Array(n).fill(POISON), isOutput: true });
/** A tensor to change. */
export const changed = (values: ArrayLike<number>): Tensor => ({ values, isOutput: true });
/** A tensor to read. */
export const input = (values: ArrayLike<number>): Tensor => ({ values });
export const words = (values: ArrayLike<number>): Tensor => ({ values, type: "u32" });

/** Poison with a matrix (m, n) in it, rows ld apart, no longer than needed. */
export function spread(m: number, n: number, ld: number, values: ArrayLike<number>): Float64Array {
  const all = new Float64Array(m && n ? (m - 1) * ld + n : 0).fill(POISON);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) all[i * ld + j] = values[i * n + j]!;
  return all;
}

export const size = (least = 0) => fc.integer({ min: least, max: 67 });
export const seed = fc.nat(1e6);
/** A third of the calls are odd. */
export const isOdd = fc.integer({ min: 0, max: 2 }).map((x) => x === 0);

/** Into how many shares a product or a step goes. */
export const parts = fc.constantFrom(1, 1, 2, 3, 5);

export const up4 = (n: number) => (n + 3) & ~3;

/** By its definition: the least multiple of 4 whose rest beyond panels of 16 is 0, 4 or 8. */
export function pad(n: number): number {
  let least = n;
  while (least % 4 !== 0 || least % 16 === 12) least++;
  return least;
}

/** Where element (i, j) stands in panels of `rows` rows, of a matrix with n columns. */
export function inPanels(rows: number, n: number, i: number, j: number): number {
  const panel = j - (j % 16);
  return panel * rows + i * Math.min(16, n - panel) + (j - panel);
}

/** (a + b) + (c + d), as kernels fold four lanes. */
export const fold = ([a, b, c, d]: ArrayLike<number> & Iterable<number>, r: (x: number) => number) =>
  r(r(a! + b!) + r(c! + d!));
