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

/** The best available action of q(c) from expectations; -1 where none is. */
export function best(c: i32, q: usize, bits: usize): i32 {
  return countOf(c, bits) > 0 ? argmax(c, q) : -1;
}

/**
 * theta(a, i) = v(i) + theta(a, i) - mean over the available a' of theta(a', i), in place of the advantages.
 * Wang et al. 2016, arXiv:1511.06581, eq. 9, over the actions that there are.
 */
export function duel(c: i32, n: i32, v: usize, theta: usize, bits: usize): void {
  const available = countOf(c, bits);
  const share: f32 = available > 0 ? 1 / f32(available) : 0;
  for (let i = 0; i < n; i++) {
    let sum: f32 = 0;
    for (let a = 0; a < c; a++) if (isAvailable(bits, a)) sum += load<f32>(theta + (usize(a * n + i) << 2));
    const shift = load<f32>(v + (usize(i) << 2)) - sum * share;
    for (let a = 0; a < c; a++) {
      const at = theta + (usize(a * n + i) << 2);
      store<f32>(at, load<f32>(at) + shift);
    }
  }
}

/** dv(n) = sum over actions of d(c,n); d becomes the gradient of the advantages. The available ones alone share it. */
export function duelBackward(c: i32, n: i32, d: usize, bits: usize, dv: usize): void {
  const available = countOf(c, bits);
  const share: f32 = available > 0 ? 1 / f32(available) : 0;
  for (let i = 0; i < n; i++) {
    let sum: f32 = 0;
    for (let a = 0; a < c; a++) sum += load<f32>(d + (usize(a * n + i) << 2));
    store<f32>(dv + (usize(i) << 2), sum);
    for (let a = 0; a < c; a++) {
      const at = d + (usize(a * n + i) << 2);
      if (isAvailable(bits, a)) store<f32>(at, load<f32>(at) - sum * share);
    }
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
