import { expect, test } from "vitest";
import { KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const { exports } = bench;

/** Chances of c actions of values q, of which those of `mask` are available, by the kernel. */
function chancesOf(q: ArrayLike<number>, mask: readonly boolean[] | undefined, temperature: number, epsilon: number) {
  bench.reset();
  const c = q.length;
  const available = mask ? mask.filter(Boolean).length : c;
  const values = bench.f32(
    c,
    Array.from(q, (x, a) => (mask?.[a] === false ? Number.NEGATIVE_INFINITY : x)),
  );
  const bits = bench.f32(4, [0, 0, 0, 0]);
  const words = new Uint32Array(exports.memory.buffer, bits.at, 4);
  mask?.forEach((isAvailable, a) => {
    if (isAvailable) words[a >> 5]! |= 1 << (a & 31);
  });
  const p = bench.f32(2 * c);
  // 16 bytes behind a multiple of 64: aligned for f64.
  exports.boltzmann(c, available, values.at, mask ? bits.at : 0, temperature, epsilon, p.at);
  expect(bench.guardsHold()).toBe(true);
  return { p: new Float64Array(exports.memory.buffer, p.at, c), at: p.at };
}

/** The same by the definition. */
function expectedOf(q: ArrayLike<number>, mask: readonly boolean[] | undefined, temperature: number, epsilon: number) {
  const isAvailable = (a: number) => mask?.[a] ?? true;
  const all = Array.from(q, (x, a) => (isAvailable(a) ? Math.fround(x) : Number.NEGATIVE_INFINITY));
  const largest = Math.max(...all);
  const e = all.map((x) => Math.exp((x - largest) / temperature));
  const sum = e.reduce((s, x) => s + x, 0);
  const available = all.filter((x) => x > Number.NEGATIVE_INFINITY).length;
  return e.map((x, a) => (isAvailable(a) ? epsilon / available + ((1 - epsilon) * x) / sum : 0));
}

test("chances equal those of the f64 twin for all sizes up to 70, masked ones 0, and sum to 1", () => {
  for (let c = 1; c <= 70; c++) {
    const q = numbers(c, c);
    for (const mask of [undefined, Array.from(q, (_, a) => (a * 7 + c) % 3 > 0 || a === 0)]) {
      for (const [temperature, epsilon] of [
        [0.01, 0],
        [1, 0.25],
        [1000, 0],
        [0.3, 1],
      ] as const) {
        const { p } = chancesOf(q, mask, temperature, epsilon);
        const expected = expectedOf(q, mask, temperature, epsilon);
        expected.forEach((x, a) => {
          expect(Math.abs(p[a]! - x)).toBeLessThan(1e-12);
          if (mask?.[a] === false) expect(p[a]).toBe(0);
        });
        expect(Math.abs(p.reduce((s, x) => s + x, 0) - 1)).toBeLessThan(1e-12);
      }
    }
  }
});

test("values without bounds: the largest one has it all, and NaN nothing", () => {
  expect(Array.from(chancesOf([Number.POSITIVE_INFINITY, 3, 1e38], undefined, 1, 0).p)).toEqual([1, 0, 0]);
  expect(Array.from(chancesOf([1, Number.NaN, -1e38], undefined, 1e-3, 0).p)).toEqual([1, 0, 0]);
  expect(Array.from(chancesOf([1, 1], undefined, 1e-300, 0).p)).toEqual([0.5, 0.5]);
});

test("a draw takes the action whose part of [0, 1) holds it, and none of chance 0", () => {
  const { p, at } = chancesOf([0, 0, 0, 0, 0], [false, true, true, false, true], 1, 0);
  p.set([0, 0.25, 0.5, 0, 0.25]);
  const drawn = [0, 0.2499999, 0.25, 0.7499999, 0.75, 1 - 2 ** -53].map((u) => exports.drawn(5, at, u));
  expect(drawn).toEqual([1, 1, 2, 2, 4, 4]);
  // What rounding leaves goes to the last one that has a chance.
  p.set([0, 0.5, 0.4999999, 0, 0]);
  expect(exports.drawn(5, at, 1 - 2 ** -53)).toBe(2);
});
