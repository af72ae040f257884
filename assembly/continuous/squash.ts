/** What makes an action of numbers: tanh, noise and bounds. */
import { exp } from "../math";
import { normals, Rng, uniformIn } from "../rng";

/** tanh(x), to 3e-14 of its value; odd to the bit. */
export function tanh(x: f64): f64 {
  const a = abs(x);
  // Below, 1 - 2 / (e^2a + 1) would lose its digits; the series ends at 1e-16 of the value.
  if (a < 0.06) {
    const s = x * x;
    const rest = -17.0 / 315 + s * (62.0 / 2835 + s * (-1382.0 / 155925));
    return x * (1 + s * (-1.0 / 3 + s * (2.0 / 15 + s * rest)));
  }
  const t = 1 - 2 / (exp(2 * a) + 1);
  return x < 0 ? -t : t;
}

/** y(n) = tanh(u(n)) f32; y may be u. */
export function squash(n: i32, u: usize, y: usize): void {
  for (let i: usize = 0; i < usize(n) << 2; i += 4) store<f32>(y + i, f32(tanh(f64(load<f32>(u + i)))));
}

/** du(n) = (1 - a(n)^2) da(n): the gradient behind tanh, whose value is a; du may be da. */
export function squashBackward(n: i32, a: usize, da: usize, du: usize): void {
  for (let i: usize = 0; i < usize(n) << 2; i += 4) {
    const x = load<f32>(a + i);
    store<f32>(du + i, (1 - x * x) * load<f32>(da + i));
  }
}

// @ts-ignore: decorator
@inline
function clamp(x: f32, most: f32): f32 {
  return min(most, max(-most, x));
}

/**
 * a(n) = clip(a + clip(sigma * N(0, 1), -most, most), -1, 1): target policy smoothing. z(n): scratch.
 * Fujimoto, van Hoof & Meger 2018, arXiv:1802.09477, eq. 14.
 */
export function smooth(rng: Rng, n: i32, sigma: f32, most: f32, z: usize, a: usize): void {
  normals(rng, n, z);
  for (let i: usize = 0; i < usize(n) << 2; i += 4) {
    store<f32>(a + i, clamp(load<f32>(a + i) + clamp(sigma * load<f32>(z + i), most), 1));
  }
}

/** a(n) = clip(a + sigma * z, -1, 1) for noise z(n). */
export function addNoise(n: i32, sigma: f32, z: usize, a: usize): void {
  for (let i: usize = 0; i < usize(n) << 2; i += 4) {
    store<f32>(a + i, clamp(load<f32>(a + i) + sigma * load<f32>(z + i), 1));
  }
}

/**
 * z(n) = c z + sqrt(1 - c^2) N(0, 1), new(n) being scratch: the Ornstein-Uhlenbeck process at equal steps, whose
 * standard deviation is 1 at all times. Uhlenbeck & Ornstein 1930.
 */
export function correlate(rng: Rng, n: i32, c: f64, fresh: usize, z: usize): void {
  normals(rng, n, fresh);
  const kept = f32(c);
  const rest = f32(Math.sqrt(1 - c * c));
  for (let i: usize = 0; i < usize(n) << 2; i += 4) {
    store<f32>(z + i, kept * load<f32>(z + i) + rest * load<f32>(fresh + i));
  }
}

/** a(n) uniform in [-1, 1). */
export function drawUniform(rng: Rng, n: i32, a: usize): void {
  for (let i: usize = 0; i < usize(n) << 2; i += 4) store<f32>(a + i, uniformIn(rng, -1, 1));
}
