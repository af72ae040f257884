import { describe, expect, test } from "vitest";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const { best, countOf, duel, duelBackward, expectations, softmax } = bench.exports;

/** Bits of a mask, or 0 for none. */
function bitsOf(mask: boolean[] | undefined): number {
  if (!mask) return 0;
  const tensor = bench.f32(Math.ceil(mask.length / 32));
  const words = new Uint32Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length).fill(0);
  mask.forEach((isThere, a) => {
    if (isThere) words[a >> 5]! |= 1 << (a & 31);
  });
  return tensor.at;
}

const masks = (c: number): (boolean[] | undefined)[] => [
  undefined,
  Array.from({ length: c }, (_, a) => a % 3 !== 1),
  Array.from({ length: c }, (_, a) => a === c - 1),
  new Array<boolean>(c).fill(false),
];

describe("the matrix of action values", () => {
  test("means, the best and the count equal their definitions for all sizes and masks", () => {
    for (const c of [1, 2, 3, 5, 31, 32, 33, 40]) {
      for (const n of [1, 2, 5]) {
        for (const mask of masks(c)) {
          bench.reset();
          const isThere = mask ?? new Array<boolean>(c).fill(true);
          const available = isThere.filter(Boolean).length;
          const theta = numbers(c * n, c + n);
          const bits = bitsOf(mask);
          expect(countOf(c, bits)).toBe(available);
          const q = bench.f32(c);
          expectations(c, n, bench.f32(c * n, theta).at, bits, q.at);
          isThere.forEach((there, a) => {
            const mean = theta.slice(a * n, a * n + n).reduce((sum, x) => sum + x, 0) / n;
            if (there) expect(q.data[a]).toBeCloseTo(mean, 5);
            else expect(q.data[a]).toBe(Number.NEGATIVE_INFINITY);
          });
          expect(best(c, q.at, bits)).toBe(available ? q.data.indexOf(Math.max(...q.data)) : -1);
          expect(bench.guardsHold()).toBe(true);
        }
      }
    }
  });

  test.each([true, false])("dueling equals its definition for all sizes, centred: %s", (isCentred) => {
    for (const c of [1, 2, 3, 5, 31, 32, 33, 40]) {
      for (const n of [1, 2, 5]) {
        bench.reset();
        const [v, advantages] = [numbers(n, 3), numbers(c * n, c + n)];
        const theta = bench.f32(c * n, advantages);
        duel(c, n, bench.f32(n, v).at, theta.at, isCentred);
        const mean = (i: number) => advantages.reduce((sum, x, at) => sum + (at % n === i ? x / c : 0), 0);
        const expected = Array.from(advantages, (x, at) => v[at % n]! + x - (isCentred ? mean(at % n) : 0));
        expect(difference(theta.data, expected)).toBeLessThan(1e-6);
        expect(bench.guardsHold()).toBe(true);
      }
    }
  });

  test("the gradient of dueling is its transpose: <duel(v, A), d> = <v, dv> + <A, dA>", () => {
    for (const c of [1, 4, 7]) {
      for (const n of [1, 3]) {
        bench.reset();
        const [v, a, d] = [numbers(n, 1), numbers(c * n, 2), numbers(c * n, 4)];
        const theta = bench.f32(c * n, a);
        duel(c, n, bench.f32(n, v).at, theta.at, true);
        const left = theta.data.reduce((sum, x, i) => sum + x * d[i]!, 0);
        const dA = bench.f32(c * n, d);
        const dv = bench.f32(
          n,
          v.map((_, i) => d.reduce((sum, x, at) => sum + (at % n === i ? x : 0), 0)),
        );
        duelBackward(c, n, dA.at, dv.at);
        const right =
          dv.data.reduce((sum, x, i) => sum + x * v[i]!, 0) + dA.data.reduce((sum, x, i) => sum + x * a[i]!, 0);
        expect(left).toBeCloseTo(right, 5);
      }
    }
  });

  test("softmax is stable for large values, and gives unavailable actions nothing", () => {
    bench.reset();
    const p = bench.f32(3);
    const logSum = softmax(3, bench.f32(3, [1e30, Number.NEGATIVE_INFINITY, 1e30]).at, 0.03, p.at);
    expect(Array.from(p.data)).toEqual([0.5, 0, 0.5]);
    expect(logSum).toBe(Math.fround(1e30));
    expect(softmax(2, bench.f32(2, [0, Math.log(3)]).at, 1, p.at)).toBeCloseTo(Math.log(4), 6);
    expect(difference(p.data.slice(0, 2), [0.25, 0.75])).toBeLessThan(1e-6);
  });
});
