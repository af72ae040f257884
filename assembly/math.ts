/**
 * The two transcendental functions that the engine needs, in f64 and without tables: to 1e-13 of their value, so that
 * rounding to f32 is correct but for ties. Smaller than AssemblyScript's own.
 */

/** e^x; 0 below -708, infinity above 709, NaN of NaN. */
export function exp(x: f64): f64 {
  if (!(x >= -708)) return x < 0 ? 0 : x;
  if (x > 709) return Infinity;
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * 0.6931471805599453;
  // Taylor's series for |r| <= 0.35.
  let sum: f64 = 1 + r * (1.0 / 11);
  sum = 1 + r * (1.0 / 10) * sum;
  sum = 1 + r * (1.0 / 9) * sum;
  sum = 1 + r * (1.0 / 8) * sum;
  sum = 1 + r * (1.0 / 7) * sum;
  sum = 1 + r * (1.0 / 6) * sum;
  sum = 1 + r * (1.0 / 5) * sum;
  sum = 1 + r * (1.0 / 4) * sum;
  sum = 1 + r * (1.0 / 3) * sum;
  sum = 1 + r * 0.5 * sum;
  return (1 + r * sum) * reinterpret<f64>((i64(n) + 1023) << 52);
}

/** The natural logarithm of a finite x >= 2^-1022. */
export function log(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  // x = m 2^n with m in [sqrt(1/2), sqrt(2)).
  const n = i64(bits - 0x3fe6a09e667f3bcd) >> 52;
  const m = reinterpret<f64>(bits - (n << 52));
  const s = (m - 1) / (m + 1);
  const z = s * s;
  // 2 artanh(s) for |s| <= 0.172.
  let sum: f64 = 1.0 / 15 + z * (1.0 / 17);
  sum = 1.0 / 13 + z * sum;
  sum = 1.0 / 11 + z * sum;
  sum = 1.0 / 9 + z * sum;
  sum = 1.0 / 7 + z * sum;
  sum = 1.0 / 5 + z * sum;
  sum = 1.0 / 3 + z * sum;
  return f64(n) * 0.6931471805599453 + 2 * (s + s * z * sum);
}
