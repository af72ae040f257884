/**
 * How rows of inputs lie in the replay: their dense numbers as f32, as IEEE 754 halves, or as bytes that divide a range
 * into 255 steps. Indices i32 and their weights f32 stay as they are, from the next multiple of 4 bytes on.
 */
import { INPUT_MAX, Storage } from "./abi";
import { bytesOf, indicesAreValid, Part, wordsOf } from "./sparse";
import { allWithin, copy } from "./vector";

/** Sets the storage of a part's dense numbers, and their bounds. */
export function setStorage(part: Part, storage: Storage, low: f32, high: f32): void {
  part.storage = storage;
  part.low = low;
  part.high = high;
}

/** Bytes of n dense numbers. */
// @ts-ignore: decorator
@inline
function denseBytes(part: Part, n: i32): usize {
  return (usize(n) << 2) >> part.storage;
}

/** Bytes of a stored row of a part. */
export function storedBytes(part: Part): usize {
  const dense = denseBytes(part, part.dense);
  return part.slots ? ((dense + 3) & ~3) + (usize(part.slots) << 3) : dense;
}

/** Stores n rows of a part that are staged at x. */
export function pack(part: Part, n: i32, x: usize, stored: usize): void {
  move(part, n, x, stored, true);
}

/** The inverse, up to rounding. */
export function unpack(part: Part, n: i32, stored: usize, x: usize): void {
  move(part, n, x, stored, false);
}

function move(part: Part, n: i32, x: usize, stored: usize, isPacking: bool): void {
  if (part.storage == Storage.F32) {
    copy(isPacking ? stored : x, isPacking ? x : stored, bytesOf(part) * n);
    return;
  }
  if (!part.slots) {
    // Rows without indices are one run of numbers.
    convert(part, part.dense * n, x, stored, isPacking);
    return;
  }
  const tail = usize(part.slots) << 3;
  while (n-- > 0) {
    convert(part, part.dense, x, stored, isPacking);
    x += bytesOf(part);
    stored += storedBytes(part);
    memory.copy((isPacking ? stored : x) - tail, (isPacking ? x : stored) - tail, tail);
  }
}

function convert(part: Part, n: i32, x: usize, stored: usize, isPacking: bool): void {
  if (part.storage == Storage.F16) {
    if (isPacking) toHalves(n, x, stored);
    else fromHalves(n, stored, x);
  } else {
    if (isPacking) toBytes(n, part.low, part.high, x, stored);
    else fromBytes(n, part.low, part.high, stored, x);
  }
}

/**
 * Whether n staged rows of a part lie in their bounds: dense numbers in the storage's, indices in the
 * first layer, weights in INPUT_MAX.
 */
export function inputsAreValid(part: Part, n: i32, x: usize): bool {
  // With f32, weights have the bounds of numbers, and so have indices read as numbers: those in bounds are subnormal.
  const isUniform = !part.slots || part.storage == Storage.F32;
  if (isUniform && !allWithin(n * wordsOf(part), part.low, part.high, x)) return false;
  if (!part.slots) return true;
  const weights = usize(part.dense + part.slots) << 2;
  while (n-- > 0) {
    if (!indicesAreValid(part, x)) return false;
    if (!isUniform) {
      if (!allWithin(part.dense, part.low, part.high, x)) return false;
      if (!allWithin(part.slots, -f32(INPUT_MAX), f32(INPUT_MAX), x + weights)) return false;
    }
    x += bytesOf(part);
  }
  return true;
}

/**
 * h(n) = x(n) f32 as halves, to nearest, ties to even   u16
 * Requires |x| < 65536, and 12 bytes behind x that can be read.
 *
 * A number in [2^e, 2^(e+1)) plus 2^(e+13) has steps of 2^(e-10), the half's: the addition rounds. Below 2^-14 the
 * steps stay, as those of subnormal halves do; a sum that is rounded up to the next power of two carries by itself.
 */
export function toHalves(n: i32, x: usize, h: usize): void {
  const exponent = i32x4.splat(0x7f800000);
  const least = i32x4.splat(113 << 23);
  while (n > 0) {
    const v = v128.load(x);
    const power = i32x4.max_s(v128.and(v, exponent), least);
    const large = i32x4.add(power, i32x4.splat(13 << 23));
    const steps = i32x4.sub(f32x4.add(f32x4.abs(v), large), large);
    const magnitude = i32x4.add(steps, i32x4.shr_u(i32x4.sub(power, least), 13));
    const words = v128.or(magnitude, i32x4.shl(i32x4.shr_u(v, 31), 15));
    const halves = i16x8.narrow_i32x4_u(words, words);
    if (n >= 4) {
      v128.store64_lane(h, halves, 0);
      x += 16;
      h += 8;
      n -= 4;
    } else {
      v128.store16_lane(h, halves, 0);
      x += 4;
      h += 2;
      n--;
    }
  }
}

/**
 * x(n) f32 = h(n) halves, exactly; what is no finite half becomes 65536 or more
 * Requires 6 bytes behind h that can be read.
 *
 * The bits of a half, moved to where an f32 has them, mean its value times 2^-112. A subnormal half is a subnormal f32
 * there, which some processors are slow to multiply; to go round it would cost all others a quarter more.
 */
export function fromHalves(n: i32, h: usize, x: usize): void {
  const signAndRest = i32x4.splat(0x8fffffff);
  // 2^112
  const scale = i32x4.splat(239 << 23);
  while (n > 0) {
    const v = f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(h), 13), signAndRest), scale);
    if (n >= 4) {
      v128.store(x, v);
      x += 16;
      h += 8;
      n -= 4;
    } else {
      v128.store32_lane(x, v, 0);
      x += 4;
      h += 2;
      n--;
    }
  }
}

/**
 * u(n) = (x(n) f32 - low) / (high - low) * 255, to nearest   u8
 * Requires x in [low, high], low < high, and 12 bytes behind x that can be read.
 */
export function toBytes(n: i32, low: f32, high: f32, x: usize, u: usize): void {
  const vLow = f32x4.splat(low);
  const scale = f32x4.splat(255 / (high - low));
  while (n > 0) {
    const v = f32x4.nearest(f32x4.mul(f32x4.sub(v128.load(x), vLow), scale));
    const words = i32x4.trunc_sat_f32x4_s(v);
    const halves = i16x8.narrow_i32x4_s(words, words);
    const bytes = i8x16.narrow_i16x8_u(halves, halves);
    if (n >= 4) {
      v128.store32_lane(u, bytes, 0);
      x += 16;
      u += 4;
      n -= 4;
    } else {
      v128.store8_lane(u, bytes, 0);
      x += 4;
      u++;
      n--;
    }
  }
}

/**
 * x(n) f32 = low + u(n) * (high - low) / 255, at most high
 * Requires 3 bytes behind u that can be read.
 */
export function fromBytes(n: i32, low: f32, high: f32, u: usize, x: usize): void {
  const vLow = f32x4.splat(low);
  const vHigh = f32x4.splat(high);
  const step = f32x4.splat((high - low) / 255);
  while (n > 0) {
    const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(u)));
    const v = f32x4.pmin(f32x4.add(vLow, f32x4.mul(f32x4.convert_i32x4_s(words), step)), vHigh);
    if (n >= 4) {
      v128.store(x, v);
      x += 16;
      u += 4;
      n -= 4;
    } else {
      v128.store32_lane(x, v, 0);
      x += 4;
      u++;
      n--;
    }
  }
}
