/**
 * The matrix of action values of one state: theta (C, N), N quantiles for each of C actions, contiguous f32, and which
 * of the actions are available: bits in u32 words, or 0 for all. All that chooses among actions is written for this.
 */
import { exp, log } from "./math";
import { argmax } from "./vector";

/** Whether action a is available. */
// @ts-ignore: decorator
@inline
export function isAvailable(bits: usize, a: i32): bool {
  return !bits || ((load<u32>(bits + (usize(a >> 5) << 2)) >> (a & 31)) & 1) != 0;
}

/** How many of c actions are available. */
export function countOf(c: i32, bits: usize): i32 {
  if (!bits) return c;
  let n = 0;
  for (let i = 0; i < c; i += 32) n += i32(popcnt<u32>(load<u32>(bits + (usize(i) >> 3))));
  return n;
}

/** Bits of n flags: bit i of the words at dst = src(i) != 0. */
export function packBits(n: i32, src: usize, dst: usize): void {
  for (let i = 0; i < n; i += 32) {
    let word: u32 = 0;
    for (let j = 0; j < 32 && i + j < n; j++) word |= u32(load<u8>(src + i + j) != 0) << j;
    store<u32>(dst + (usize(i) >> 3), word);
  }
}

/** q(c) = mean over the quantiles of theta(c,n), -infinity where not available. q may be theta where n = 1. */
export function expectations(c: i32, n: i32, theta: usize, bits: usize, q: usize): void {
  if (n == 1 && !bits) {
    if (q != theta) memory.copy(q, theta, usize(c) << 2);
    return;
  }
  const share: f32 = 1 / f32(n);
  for (let a = 0; a < c; a++) {
    let value: f32 = -Infinity;
    if (isAvailable(bits, a)) {
      value = load<f32>(theta);
      for (let i = 1; i < n; i++) value += load<f32>(theta + (usize(i) << 2));
      if (n > 1) value *= share;
    }
    store<f32>(q + (usize(a) << 2), value);
    theta += usize(n) << 2;
  }
}

/**
 * p(c) f64: the chances of actions that are drawn by softmax(q / temperature) or, with probability epsilon, uniformly from
 * the `available` ones. q(c): from expectations of the same bits. Requires available > 0 and temperature > 0.
 */
export function boltzmann(
  c: i32,
  available: i32,
  q: usize,
  bits: usize,
  temperature: f64,
  epsilon: f64,
  p: usize,
): void {
  const largest = load<f32>(q + (usize(argmax(c, q)) << 2));
  let sum: f64 = 0;
  for (let a = 0; a < c; a++) {
    const value = load<f32>(q + (usize(a) << 2));
    let e: f64 = 0;
    // Equal ones too that are infinite; of NaN the chance is 0.
    if (isAvailable(bits, a)) e = value == largest ? 1 : exp((f64(value) - f64(largest)) / temperature);
    if (!(e >= 0)) e = 0;
    store<f64>(p + (usize(a) << 3), e);
    sum += e;
  }
  const least = epsilon / f64(available);
  const share = sum > 0 ? (1 - epsilon) / sum : 0;
  for (let a = 0; a < c; a++) {
    const at = p + (usize(a) << 3);
    store<f64>(at, isAvailable(bits, a) ? least + load<f64>(at) * share : 0);
  }
}

/** The action whose part of [0, 1) holds u, by chances p(c) f64: none of chance 0. */
export function drawn(c: i32, p: usize, u: f64): i32 {
  let chosen = 0;
  for (let a = 0; a < c; a++) {
    const share = load<f64>(p + (usize(a) << 3));
    if (!(share > 0)) continue;
    chosen = a;
    if (u < share) break;
    u -= share;
  }
  return chosen;
}

/** The best available action of q(c) from expectations; -1 where none is. */
export function best(c: i32, q: usize, bits: usize): i32 {
  return countOf(c, bits) > 0 ? argmax(c, q) : -1;
}

/**
 * theta(a, i) += v(i), less the mean over all actions a' of theta(a', i) where isCentred. Actions that are not available
 * count too: with the mean over a set that changes, one that stands alone would be worth v whatever it is.
 * Wang et al. 2016, arXiv:1511.06581, eq. 9; without the mean eq. 7.
 */
export function duel(c: i32, n: i32, v: usize, theta: usize, isCentred: bool): void {
  const share: f32 = 1 / f32(c);
  const stride = usize(n) << 2;
  const rows = stride * c;
  for (let i: usize = 0; i < stride; i += 4) {
    let sum: f32 = 0;
    if (isCentred) for (let at = i; at < rows; at += stride) sum += load<f32>(theta + at);
    const shift = load<f32>(v + i) - sum * share;
    for (let at = i; at < rows; at += stride) store<f32>(theta + at, load<f32>(theta + at) + shift);
  }
}

/** d(c,n) becomes the gradient of centred advantages; dv(n): its sum over the actions, which is the gradient of v. */
export function duelBackward(c: i32, n: i32, d: usize, dv: usize): void {
  const share: f32 = 1 / f32(c);
  const stride = usize(n) << 2;
  for (let i: usize = 0; i < stride; i += 4) {
    const shift = load<f32>(dv + i) * share;
    for (let at = i; at < stride * c; at += stride) store<f32>(d + at, load<f32>(d + at) - shift);
  }
}

/**
 * p(c) = softmax(q / temperature); returns temperature * log sum exp(q / temperature). q(c): -infinity where not
 * available. Requires an available one.
 */
export function softmax(c: i32, q: usize, temperature: f32, p: usize): f32 {
  const largest = load<f32>(q + (usize(argmax(c, q)) << 2));
  let sum: f32 = 0;
  for (let a: usize = 0; a < usize(c) << 2; a += 4) {
    const e = f32(exp((load<f32>(q + a) - largest) / temperature));
    store<f32>(p + a, e);
    sum += e;
  }
  const share: f32 = 1 / sum;
  for (let a: usize = 0; a < usize(c) << 2; a += 4) store<f32>(p + a, load<f32>(p + a) * share);
  return largest + temperature * f32(log(sum));
}
