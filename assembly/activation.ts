/**
 * Activations of hidden layers beside ReLU, which is part of products and norms: y = f(z) and its slope f'(z), in f32 vectors
 * of operations that give the same bits everywhere.
 */
import { Activation } from "./abi";

/** e^x of x in [-44, 44], to 2e-7 of its value. */
// @ts-ignore: decorator
@inline
function expOf(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  // ln 2 in two parts, of which the first has few bits, so that its product is exact.
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  // Taylor's series for |r| <= 0.35.
  let sum = f32x4.add(f32x4.splat(1.0 / 720), f32x4.mul(r, f32x4.splat(1.0 / 5040)));
  sum = f32x4.add(f32x4.splat(1.0 / 120), f32x4.mul(r, sum));
  sum = f32x4.add(f32x4.splat(1.0 / 24), f32x4.mul(r, sum));
  sum = f32x4.add(f32x4.splat(1.0 / 6), f32x4.mul(r, sum));
  sum = f32x4.add(f32x4.splat(0.5), f32x4.mul(r, sum));
  sum = f32x4.add(f32x4.splat(1), f32x4.mul(r, sum));
  sum = f32x4.add(f32x4.splat(1), f32x4.mul(r, sum));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(sum, power);
}

/** tanh of four numbers, to 3e-7 of its value; odd to the bit, NaN of NaN. */
// @ts-ignore: decorator
@inline
function tanhOf(x: v128): v128 {
  // Beyond, it is 1 as f32.
  const a = f32x4.min(f32x4.abs(x), f32x4.splat(10));
  const one = f32x4.splat(1);
  const large = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(expOf(f32x4.add(a, a)), one)));
  // Below, the difference would lose its digits; the series ends at 2e-8 of the value.
  const s = f32x4.mul(a, a);
  let sum = f32x4.add(f32x4.splat(62.0 / 2835), f32x4.mul(s, f32x4.splat(-1382.0 / 155925)));
  sum = f32x4.add(f32x4.splat(-17.0 / 315), f32x4.mul(s, sum));
  sum = f32x4.add(f32x4.splat(2.0 / 15), f32x4.mul(s, sum));
  sum = f32x4.add(f32x4.splat(-1.0 / 3), f32x4.mul(s, sum));
  const small = f32x4.add(a, f32x4.mul(f32x4.mul(a, s), sum));
  const t = v128.bitselect(small, large, f32x4.lt(a, f32x4.splat(0.35)));
  return v128.bitselect(x, t, i32x4.splat(i32.MIN_VALUE));
}

/**
 * y = f(z) in place of z(n), and slope(n) = f'(z). Requires n % 4 == 0 and f other than ReLU. GELU is 0.5 z (1 + tanh(sqrt(2 /
 * pi) (z + 0.044715 z^3))): Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
 */
export function activate(f: Activation, n: i32, z: usize, slope: usize): void {
  const one = f32x4.splat(1);
  if (f == Activation.Linear) {
    for (const end = slope + (usize(n) << 2); slope < end; slope += 16) v128.store(slope, one);
    return;
  }
  for (const end = z + (usize(n) << 2); z < end; z += 16) {
    const x = v128.load(z);
    if (f == Activation.Tanh) {
      const t = tanhOf(x);
      v128.store(z, t);
      v128.store(slope, f32x4.sub(one, f32x4.mul(t, t)));
    } else gelu(x, z, slope);
    slope += 16;
  }
}

// @ts-ignore: decorator
@inline
function gelu(x: v128, y: usize, slope: usize): void {
  const one = f32x4.splat(1);
  const half = f32x4.splat(0.5);
  const root = f32x4.splat(0.7978845608028654);
  const cubic = f32x4.splat(0.044715 * 0.7978845608028654);
  // Where the tanh is 1 or -1 it has no slope, but the cube may be infinite.
  const c = f32x4.max(f32x4.min(x, f32x4.splat(10)), f32x4.splat(-10));
  const square = f32x4.mul(f32x4.mul(c, c), cubic);
  const t = tanhOf(f32x4.mul(c, f32x4.add(root, square)));
  const share = f32x4.mul(half, f32x4.add(one, t));
  const inner = f32x4.add(root, f32x4.mul(f32x4.splat(3), square));
  const steep = f32x4.mul(f32x4.mul(f32x4.mul(half, c), f32x4.sub(one, f32x4.mul(t, t))), inner);
  v128.store(y, f32x4.mul(x, share));
  v128.store(slope, f32x4.add(share, steep));
}
