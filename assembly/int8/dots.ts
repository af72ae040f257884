/**
 * Products of 8-bit weights with numbers of 16 or 8 bits, summed exactly in 32: the same bits in whatever order.
 *
 * Weights w(n,k), n padded to 4 and k to 8, lie in panels of 16 outputs, and of 4 where fewer are left: for each four
 * inputs four bytes of each output, one output after the other, so that i16 lanes hold a first and a second input, and a
 * third and a fourth. The bytes of the first and third input hold w + 128: a mask takes them out, an arithmetic shift the others.
 *
 * Numbers x(k) lie as the lanes need them: of each four the first, third, second and fourth. A row ends with an i32, what the
 * 128 add to each of its sums, times -1. Numbers of 8 bits need no mask: with the lane 256 u + v of weights u and v,
 * (256 u + v) x + u (y - 256 x) = v x + u y, and y - 256 x, which is kept in place of y, has 16 bits.
 */

// As literals these would be made anew at each use in a loop.
/** Low bytes of i16 lanes. */
const LOW: usize = memory.data<u8>([255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0]);
/** All bits: what the mask is for numbers of 8 bits. */
const ALL: usize = memory.data<u64>([-1, -1]);
/** 1 where a lane holds a first or third input. */
const FIRSTS: usize = memory.data<u8>([1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
/** 1.5 * 2^23 in f32. */
const SHIFT: usize = memory.data<u32>([0x4b400000, 0x4b400000, 0x4b400000, 0x4b400000]);

/** Bytes of a row of k numbers. */
// @ts-ignore: decorator
@inline
export function rowBytes(k: i32): usize {
  return (usize(k) << 1) + 16;
}

/** Bytes of the panels. */
export function panelBytes(n: i32, k: i32): u64 {
  return u64(n) * u64(k);
}

/**
 * q(k) = x(k) * inverse(k) to nearest, ties to even, at most `most`, as the products take it   i16
 * Returns the sum of the first and third of each four, for `endRow`.
 * step: bytes from one vector of inverse to the next, 16, or 0 where all four numbers of the first serve. NaN becomes 0.
 * isNarrow: numbers of 8 bits. Requires k % 8 == 0.
 */
export function quantise(
  k: i32,
  x: usize,
  inverse: usize,
  step: usize,
  most: f32,
  isNarrow: bool,
  q: usize,
): i32 {
  const high = f32x4.splat(most);
  const low = f32x4.splat(-most);
  const firsts = v128.load(FIRSTS);
  let sum = i32x4.splat(0);
  for (; k > 0; k -= 8) {
    const a = rounded(f32x4.mul(v128.load(x), v128.load(inverse)), low, high);
    inverse += step;
    const b = rounded(f32x4.mul(v128.load(x, 16), v128.load(inverse)), low, high);
    inverse += step;
    const v = i16x8.narrow_i32x4_s(a, b);
    const ordered = i16x8.shuffle(v, v, 0, 2, 1, 3, 4, 6, 5, 7);
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(ordered, firsts));
    v128.store(q, isNarrow ? i16x8.sub(ordered, i16x8.shl(i64x2.shl(ordered, 32), 8)) : ordered);
    x += 32;
    q += 16;
  }
  const half = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  return half + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
}

/** Ends a row of k numbers whose first and third of each four add up to `sum`. */
export function endRow(k: i32, sum: i32, q: usize): void {
  store<i32>(q + (usize(k) << 1), -128 * sum);
}

/**
 * The nearest integers of v in [low, high], which are below 2^22: a number plus 1.5 * 2^23 has no bits for a fraction, and the
 * addition rounds. It is a third of the instructions of nearest and trunc_sat.
 */
// @ts-ignore: decorator
@inline
function rounded(v: v128, low: v128, high: v128): v128 {
  const number = v128.and(v, f32x4.eq(v, v));
  const shifted = f32x4.add(f32x4.pmax(f32x4.pmin(number, high), low), v128.load(SHIFT));
  return i32x4.sub(shifted, v128.load(SHIFT));
}

/** The sums that row i of c starts from: those of init, or 0, and the row's correction. */
// @ts-ignore: decorator
@inline
function startOf(init: usize, at: usize, correction: usize): v128 {
  const v = v128.load32_splat(correction);
  return init ? i32x4.add(v, v128.load(init + at)) : v;
}

/**
 * c(m,n) = x(m,k) * w(n,k)^T + init(n) in i32. init: 0 for zeros. isNarrow: as for quantise.
 * Requires m, k > 0, n % 4 == 0, k % 8 == 0.
 */
export function dots(
  m: i32,
  n: i32,
  k: i32,
  x: usize,
  w: usize,
  init: usize,
  isNarrow: bool,
  c: usize,
): void {
  const mask = isNarrow ? ALL : LOW;
  const ldx = rowBytes(k);
  const ldc = usize(n) << 2;
  let at: usize = 0;
  for (; n >= 16; n -= 16) {
    let i = m;
    let px = x;
    let pc = c + at;
    for (; i >= 2; i -= 2) {
      dots2x16(k, px, ldx, w, init, at, mask, pc, ldc);
      px += ldx << 1;
      pc += ldc << 1;
    }
    if (i) {
      if (isNarrow) narrow1x16(k, px, w, init, at, pc);
      else dots1x16(k, px, w, init, at, pc);
    }
    w += usize(k) << 4;
    at += 64;
  }
  for (; n > 0; n -= 4) {
    let px = x;
    let pc = c + at;
    for (let i = m; i > 0; i--) {
      dots1x4(k, px, w, init, at, mask, pc);
      px += ldx;
      pc += ldc;
    }
    w += usize(k) << 2;
    at += 16;
  }
}

function dots1x16(k: i32, x: usize, w: usize, init: usize, at: usize, c: usize): void {
  const bytes = v128.load(LOW);
  const end = x + (usize(k) << 1);
  let c0 = startOf(init, at, end);
  let c1 = startOf(init, at + 16, end);
  let c2 = startOf(init, at + 32, end);
  let c3 = startOf(init, at + 48, end);
  for (; x < end; x += 8) {
    const a = v128.load32_splat(x);
    const b = v128.load32_splat(x, 4);
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.and(w0, bytes), a));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v128.and(w1, bytes), a));
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(i16x8.shr_s(w0, 8), b));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(i16x8.shr_s(w1, 8), b));
    const w2 = v128.load(w, 32);
    const w3 = v128.load(w, 48);
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(v128.and(w2, bytes), a));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(v128.and(w3, bytes), a));
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(i16x8.shr_s(w2, 8), b));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(i16x8.shr_s(w3, 8), b));
    w += 64;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

/** The same for numbers of 8 bits: five instructions in place of six for as many products. */
function narrow1x16(k: i32, x: usize, w: usize, init: usize, at: usize, c: usize): void {
  const end = x + (usize(k) << 1);
  let c0 = startOf(init, at, end);
  let c1 = startOf(init, at + 16, end);
  let c2 = startOf(init, at + 32, end);
  let c3 = startOf(init, at + 48, end);
  for (; x < end; x += 8) {
    const a = v128.load32_splat(x);
    const b = v128.load32_splat(x, 4);
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(w0, a));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(w1, a));
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(i16x8.shr_s(w0, 8), b));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(i16x8.shr_s(w1, 8), b));
    const w2 = v128.load(w, 32);
    const w3 = v128.load(w, 48);
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(w2, a));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(w3, a));
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(i16x8.shr_s(w2, 8), b));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(i16x8.shr_s(w3, 8), b));
    w += 64;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

/** The same for two rows, which share the weights' halves. */
function dots2x16(
  k: i32,
  x: usize,
  ldx: usize,
  w: usize,
  init: usize,
  at: usize,
  mask: usize,
  c: usize,
  ldc: usize,
): void {
  const bytes = v128.load(mask);
  const end = x + (usize(k) << 1);
  let c0 = startOf(init, at, end);
  let c1 = startOf(init, at + 16, end);
  let c2 = startOf(init, at + 32, end);
  let c3 = startOf(init, at + 48, end);
  let d0 = startOf(init, at, end + ldx);
  let d1 = startOf(init, at + 16, end + ldx);
  let d2 = startOf(init, at + 32, end + ldx);
  let d3 = startOf(init, at + 48, end + ldx);
  let y = x + ldx;
  for (; x < end; x += 8) {
    const v0 = v128.load(w);
    const v1 = v128.load(w, 16);
    const v2 = v128.load(w, 32);
    const v3 = v128.load(w, 48);
    let xa = v128.load32_splat(x);
    let ya = v128.load32_splat(y);
    let u = v128.and(v0, bytes);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(u, xa));
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(u, ya));
    u = v128.and(v1, bytes);
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(u, xa));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(u, ya));
    u = v128.and(v2, bytes);
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(u, xa));
    d2 = i32x4.add(d2, i32x4.dot_i16x8_s(u, ya));
    u = v128.and(v3, bytes);
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(u, xa));
    d3 = i32x4.add(d3, i32x4.dot_i16x8_s(u, ya));
    xa = v128.load32_splat(x, 4);
    ya = v128.load32_splat(y, 4);
    u = i16x8.shr_s(v0, 8);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(u, xa));
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(u, ya));
    u = i16x8.shr_s(v1, 8);
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(u, xa));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(u, ya));
    u = i16x8.shr_s(v2, 8);
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(u, xa));
    d2 = i32x4.add(d2, i32x4.dot_i16x8_s(u, ya));
    u = i16x8.shr_s(v3, 8);
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(u, xa));
    d3 = i32x4.add(d3, i32x4.dot_i16x8_s(u, ya));
    w += 64;
    y += 8;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  c += ldc;
  v128.store(c, d0);
  v128.store(c, d1, 16);
  v128.store(c, d2, 32);
  v128.store(c, d3, 48);
}

function dots1x4(k: i32, x: usize, w: usize, init: usize, at: usize, mask: usize, c: usize): void {
  const bytes = v128.load(mask);
  const end = x + (usize(k) << 1);
  let c0 = startOf(init, at, end);
  let c1 = i32x4.splat(0);
  // k is even in fours.
  for (; x < end; x += 16) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.and(w0, bytes), v128.load32_splat(x)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(i16x8.shr_s(w0, 8), v128.load32_splat(x, 4)));
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.and(w1, bytes), v128.load32_splat(x, 8)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(i16x8.shr_s(w1, 8), v128.load32_splat(x, 12)));
    w += 32;
  }
  v128.store(c, i32x4.add(c0, c1));
}

/** z(m,n) = c(m,n) i32 * scale(n) + base(n), in place. Requires n % 4 == 0. */
export function rescale(m: i32, n: i32, c: usize, scale: usize, base: usize): void {
  const bytes = usize(n) << 2;
  for (; m > 0; m--) {
    for (let j: usize = 0; j < bytes; j += 16) {
      const v = f32x4.mul(f32x4.convert_i32x4_s(v128.load(c + j)), v128.load(scale + j));
      v128.store(c + j, f32x4.add(v, v128.load(base + j)));
    }
    c += bytes;
  }
}

/** y(n) += scale(n) * sum over slots of weight * W(index, :)   W i8 (size, n). Requires n % 4 == 0. */
export function addIndexRows(n: i32, slots: i32, indices: usize, w: usize, scale: usize, y: usize): void {
  const weights = usize(slots) << 2;
  const end = indices + weights;
  for (let j: usize = 0; j < usize(n); j += 4) {
    let sum = f32x4.splat(0);
    for (let i = indices; i < end; i += 4) {
      const row = w + usize(load<u32>(i)) * usize(n) + j;
      const four = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(row)));
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(i + weights), f32x4.convert_i32x4_s(four)));
    }
    const at = y + (j << 2);
    v128.store(at, f32x4.add(v128.load(at), f32x4.mul(sum, v128.load(scale + (j << 2)))));
  }
}
