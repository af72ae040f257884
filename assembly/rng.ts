import { log } from "./math";

/**
 * PCG32 (XSH-RR 64/32): 64-bit state, 32-bit outputs, 2^63 streams.
 * O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
 * Generation".
 */
@unmanaged
export class Rng {
  state: u64;
  /** Odd; selects the stream. */
  increment: u64;
}

const MULTIPLIER: u64 = 6364136223846793005;

/** Starts stream number `stream` of `seed`. */
export function seedRng(rng: Rng, seed: u64, stream: u64): void {
  rng.state = 0;
  rng.increment = (stream << 1) | 1;
  nextU32(rng);
  rng.state += seed;
  nextU32(rng);
}

/** 32 uniform bits. */
export function nextU32(rng: Rng): u32 {
  const old = rng.state;
  rng.state = old * MULTIPLIER + rng.increment;
  const xorshifted = u32(((old >> 18) ^ old) >> 27);
  return rotr<u32>(xorshifted, u32(old >> 59));
}

/** Uniform in [0, 1) with 53 random bits. */
export function uniform(rng: Rng): f64 {
  const high = u64(nextU32(rng) >> 5);
  const low = u64(nextU32(rng) >> 6);
  return f64((high << 26) | low) * (1.0 / 9007199254740992.0);
}

/** Uniform in [low, high), rounded to f32. */
export function uniformIn(rng: Rng, low: f64, high: f64): f32 {
  return f32(low + (high - low) * uniform(rng));
}

/**
 * Uniform integer in [0, n), without bias. Requires n > 0.
 * Lemire 2019, "Fast Random Integer Generation in an Interval".
 */
export function below(rng: Rng, n: u32): u32 {
  let product = u64(nextU32(rng)) * u64(n);
  if (u32(product) < n) {
    const threshold: u32 = (0 - n) % n;
    while (u32(product) < threshold) product = u64(nextU32(rng)) * u64(n);
  }
  return u32(product >> 32);
}

/**
 * x(n) = standard normal f32, drawn in pairs; the second of the last pair is dropped where n is odd.
 * Marsaglia & Bray 1964, "A Convenient Method for Generating Normal Variables".
 */
export function normals(rng: Rng, n: i32, x: usize): void {
  for (let i = 0; i < n; i += 2) {
    let u: f64;
    let v: f64;
    let s: f64;
    do {
      u = 2 * uniform(rng) - 1;
      v = 2 * uniform(rng) - 1;
      s = u * u + v * v;
    } while (s >= 1 || f32(s) == 0);
    const scale = Math.sqrt((-2 * log(s)) / s);
    store<f32>(x + (usize(i) << 2), f32(u * scale));
    if (i + 1 < n) store<f32>(x + (usize(i) << 2), f32(v * scale), 4);
  }
}
