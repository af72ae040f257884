import { describe, expect, test } from "vitest";
import { HALF_MAX } from "../../assembly/abi.js";
import { halfValue, nearestByte, nearestHalf } from "../reference/storage.js";
import { KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const bench = new KernelBench();
const { fromBytes, fromHalves, toBytes, toHalves } = bench.exports;

const SENTINEL = 0xab;

/** Room for `bytes` of packed numbers at an odd address, between bytes that must stay. */
function packed(bytes: number): { at: number; data: Uint8Array; isKept: () => boolean } {
  const { at, data } = bench.f32((bytes >> 2) + 8);
  const all = new Uint8Array(data.buffer, at, data.byteLength).fill(SENTINEL);
  const isKept = () => all.every((byte, i) => (i > 0 && i <= bytes) || byte === SENTINEL);
  return { at: at + 1, data: all.subarray(1, 1 + bytes), isKept };
}

/** Numbers in tensors that are never read beyond. */
function halvesOf(x: ArrayLike<number>): Uint16Array {
  bench.reset();
  const h = packed(2 * x.length);
  toHalves(x.length, bench.f32(x.length + 3, [...Array.from(x), 0, 0, 0]).at, h.at);
  expect(h.isKept() && bench.guardsHold()).toBe(true);
  return new Uint16Array(h.data.slice().buffer);
}

function floatsOf(halves: Uint16Array): Float32Array {
  bench.reset();
  const h = packed(2 * halves.length);
  h.data.set(new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength));
  const x = bench.f32(halves.length);
  fromHalves(halves.length, h.at, x.at);
  expect(bench.guardsHold()).toBe(true);
  return x.data.slice();
}

function bytesOf(x: ArrayLike<number>, low: number, high: number): Uint8Array {
  bench.reset();
  const u = packed(x.length);
  toBytes(x.length, low, high, bench.f32(x.length + 3, [...Array.from(x), 0, 0, 0]).at, u.at);
  expect(u.isKept() && bench.guardsHold()).toBe(true);
  return u.data.slice();
}

function floatsOfBytes(bytes: Uint8Array, low: number, high: number): Float32Array {
  bench.reset();
  const u = packed(bytes.length);
  u.data.set(bytes);
  const x = bench.f32(bytes.length);
  fromBytes(bytes.length, low, high, u.at, x.at);
  expect(bench.guardsHold()).toBe(true);
  return x.data.slice();
}

/** Index of the first pair that differs in its bits; -1 for none. */
const firstDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).findIndex((x, i) => !Object.is(x, b[i]));

const isFiniteHalf = (half: number) => (half & 0x7c00) !== 0x7c00;
const ALL = Uint16Array.from({ length: 65536 }, (_, half) => half);

/** The f32 that follows x away from 0, or comes before it. */
function besides(x: number, by: number): number {
  const float = new Float32Array([x]);
  new Int32Array(float.buffer)[0]! += by;
  return float[0]!;
}

describe("halves", () => {
  test("each of the 65,536 has the value of its definition; infinities and NaN exceed the largest", () => {
    const x = floatsOf(ALL);
    const finite = ALL.filter(isFiniteHalf);
    expect(finite.length).toBe(2 * 0x7c00);
    expect(finite.filter((half) => !Object.is(x[half], halfValue(half)))).toEqual(new Uint16Array());
    expect(ALL.filter((half) => !isFiniteHalf(half) && !(Math.abs(x[half]!) > HALF_MAX))).toEqual(new Uint16Array());
  });

  test("each finite one is the rounding of its value", () => {
    const finite = ALL.filter(isFiniteHalf);
    expect(halvesOf(floatsOf(finite))).toEqual(finite);
  });

  test("between any two neighbours numbers go to the nearer, from the middle to the even one", () => {
    const x: number[] = [];
    for (let half = 0; half < 0x7c00; half++) {
      const above = half + 1 < 0x7c00 ? halfValue(half + 1) : 65536;
      const middle = (halfValue(half) + above) / 2;
      for (const value of [middle, besides(middle, -1), besides(middle, 1), besides(halfValue(half), 1)]) {
        x.push(value, -value);
      }
    }
    const expected = x.map(nearestHalf);
    expect(firstDifference(halvesOf(x), expected)).toBe(-1);
  });

  test("odd numbers", () => {
    const x = [0, -0, 1e-45, -1e-45, 1.1754944e-38, 2 ** -25, besides(2 ** -25, 1), 2 ** -24, 2 ** -14, 6.0976e-5];
    x.push(1 / 3, 0.1, 1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2047.5, 2049, 2051, HALF_MAX, 65519.99, 65520, 65535.99);
    const signed = Float32Array.from([...x, ...x.map((value) => -value)]);
    const expected = Array.from(signed, nearestHalf);
    expect(firstDifference(halvesOf(signed), expected)).toBe(-1);
    expect(expected.slice(18, 22)).toEqual([0x7bff, 0x7bff, 0x7c00, 0x7c00]);
  });

  test("of every length up to 67, nothing is written beside", () => {
    for (let n = 0; n <= 67; n++) {
      const x = numbers(n, n).map((value) => value * 10 ** ((n % 11) - 6));
      const halves = halvesOf(x);
      expect(Array.from(halves)).toEqual(Array.from(x, nearestHalf));
      expect(firstDifference(floatsOf(halves), Array.from(halves, halfValue))).toBe(-1);
    }
  });

  test("the error is at most 2^-11 of the number, below 2^-14 it is 2^-25", () => {
    const x = Float32Array.from({ length: 60_000 }, (_, i) => numbers(1, i)[0]! * 10 ** ((i % 13) - 8));
    const kept = floatsOf(halvesOf(x));
    const beyond = kept.findIndex((y, i) => !(Math.abs(y - x[i]!) <= Math.max(2 ** -11 * Math.abs(x[i]!), 2 ** -25)));
    expect(beyond).toBe(-1);
  });
});

const RANGES = [
  [0, 1],
  [-1, 1],
  [0, 255],
  [-3, 4.5],
  [-1e6, 1e6],
  [999_900, 1e6],
  [0, 1e-6],
  [-0.1, 0.2].map(Math.fround),
] as [low: number, high: number][];

describe.each(RANGES)("bytes from %s to %s", (low, high) => {
  const step = (high - low) / 255;
  // What f32 rounds off in the range, in each of three operations.
  const slack = 3 * 2 ** -24 * Math.max(Math.abs(low), Math.abs(high), high - low);

  test("each of the 256 has the value of its definition in the range, and is that value's rounding", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const x = floatsOfBytes(all, low, high);
    expect(x[0]).toBe(low);
    expect(Math.max(...x)).toBeLessThanOrEqual(high);
    expect(x.findIndex((value, byte) => !(Math.abs(value - (low + byte * step)) <= slack))).toBe(-1);
    expect(bytesOf(x, low, high)).toEqual(all);
    expect(Array.from(bytesOf([low, high], low, high))).toEqual([0, 255]);
  });

  test("numbers of every count up to 67 go to the nearest, at most half a step away, and nothing is written beside", () => {
    for (let n = 0; n <= 67; n++) {
      const x = numbers(n, n + 1).map((value) => Math.min(high, Math.max(low, low + (value + 1) * 0.5 * (high - low))));
      const bytes = bytesOf(x, low, high);
      for (const [i, byte] of bytes.entries()) {
        // In the middle, f32 may go either way.
        const exact = ((x[i]! - low) / (high - low)) * 255;
        if (Math.abs(exact - Math.floor(exact) - 0.5) > 1e-3) expect(byte).toBe(nearestByte(x[i]!, low, high));
      }
      const kept = floatsOfBytes(bytes, low, high);
      expect(kept.findIndex((y, i) => !(Math.abs(y - x[i]!) <= step / 2 + slack))).toBe(-1);
    }
  });
});

test("bytes keep pixels exactly: 0 to 255, and these divided by 255 as f32", () => {
  const pixels = Float32Array.from({ length: 256 }, (_, i) => i);
  expect(floatsOfBytes(bytesOf(pixels, 0, 255), 0, 255)).toEqual(pixels);
  const shares = pixels.map((pixel) => pixel / 255);
  const kept = floatsOfBytes(bytesOf(shares, 0, 1), 0, 1);
  expect(kept.findIndex((x, i) => Math.abs(x - shares[i]!) > 2 ** -24)).toBe(-1);
  expect([kept[0], kept[255]]).toEqual([0, 1]);
});
