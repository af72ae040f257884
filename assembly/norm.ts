/**
 * Layer and batch normalisation of pre-activations z, followed by ReLU or nothing: h = max(gain * x + shift, least) with
 * x = (z - mean) * spread, spread = 1 / sqrt(variance + 1e-5). Row-major f32, n = columns padded; `width` of them are
 * real, the others hold 0 in z, gain and shift, and stay 0.
 */

const EPSILON: f32 = 1e-5;

/** Of a running statistic that a batch replaces; PyTorch's default for BatchNorm1d. */
const MOMENTUM: f32 = 0.1;

/** All bits where column j + lane < width. */
// @ts-ignore: decorator
@inline
function real(j: i32, width: i32): v128 {
  return i32x4.gt_s(i32x4.splat(width - j), i32x4(0, 1, 2, 3));
}

// @ts-ignore: decorator
@inline
function fold(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** h = max(gain * x + shift, least) for one vector of x. */
// @ts-ignore: decorator
@inline
function scaled(x: v128, gain: usize, shift: usize, least: v128): v128 {
  return f32x4.pmax(f32x4.add(f32x4.mul(x, v128.load(gain)), v128.load(shift)), least);
}

/**
 * Each row over its columns: z(m,n) becomes h, x(m,n) and spread(m) are kept for the backward. least: 0 for ReLU, -infinity for none.
 * Ba, Kiros & Hinton 2016, arXiv:1607.06450.
 */
export function layerNorm(
  m: i32,
  n: i32,
  width: i32,
  z: usize,
  gain: usize,
  shift: usize,
  x: usize,
  spread: usize,
  least: f32,
): void {
  const bytes = usize(n) << 2;
  const vl = f32x4.splat(least);
  const share: f32 = 1 / f32(width);
  for (let i = 0; i < m; i++) {
    let sum = f32x4.splat(0);
    for (let j: usize = 0; j < bytes; j += 16) sum = f32x4.add(sum, v128.load(z + j));
    const mean = f32x4.splat(fold(sum) * share);
    let squares = f32x4.splat(0);
    for (let j: usize = 0; j < bytes; j += 16) {
      const d = v128.and(f32x4.sub(v128.load(z + j), mean), real(i32(j >> 2), width));
      squares = f32x4.add(squares, f32x4.mul(d, d));
      v128.store(x + j, d);
    }
    const s: f32 = 1 / Mathf.sqrt(fold(squares) * share + EPSILON);
    const vs = f32x4.splat(s);
    for (let j: usize = 0; j < bytes; j += 16) {
      const vx = f32x4.mul(v128.load(x + j), vs);
      v128.store(x + j, vx);
      v128.store(z + j, scaled(vx, gain + j, shift + j, vl));
    }
    store<f32>(spread, s);
    spread += 4;
    z += bytes;
    x += bytes;
  }
}

/** dgain(n) = sum over rows of dy * x, dshift(n) = sum of dy: dy = d loss / d (gain * x + shift). */
export function normGradient(m: i32, n: i32, dy: usize, x: usize, dgain: usize, dshift: usize): void {
  const bytes = usize(n) << 2;
  for (let j: usize = 0; j < bytes; j += 16) {
    let gain = f32x4.splat(0);
    let shift = f32x4.splat(0);
    for (let i: usize = j, end = j + bytes * m; i < end; i += bytes) {
      const d = v128.load(dy + i);
      gain = f32x4.add(gain, f32x4.mul(d, v128.load(x + i)));
      shift = f32x4.add(shift, d);
    }
    v128.store(dgain + j, gain);
    v128.store(dshift + j, shift);
  }
}

/** dz = spread * (dx - mean(dx) - x * mean(dx * x)), dx = gain * dy, means over the columns; in place of dy(m,n). */
export function layerNormBackward(m: i32, n: i32, width: i32, dy: usize, gain: usize, x: usize, spread: usize): void {
  const bytes = usize(n) << 2;
  const share: f32 = 1 / f32(width);
  for (let i = 0; i < m; i++) {
    let sum = f32x4.splat(0);
    let product = sum;
    for (let j: usize = 0; j < bytes; j += 16) {
      const dx = f32x4.mul(v128.load(dy + j), v128.load(gain + j));
      sum = f32x4.add(sum, dx);
      product = f32x4.add(product, f32x4.mul(dx, v128.load(x + j)));
    }
    const mean = f32x4.splat(fold(sum) * share);
    const slope = f32x4.splat(fold(product) * share);
    const s = v128.load32_splat(spread);
    for (let j: usize = 0; j < bytes; j += 16) {
      const dx = f32x4.mul(v128.load(dy + j), v128.load(gain + j));
      const rest = f32x4.sub(f32x4.sub(dx, mean), f32x4.mul(v128.load(x + j), slope));
      v128.store(dy + j, v128.and(f32x4.mul(rest, s), real(i32(j >> 2), width)));
    }
    spread += 4;
    dy += bytes;
    x += bytes;
  }
}

/**
 * Each column over the rows: z(m,n) becomes h; x(m,n), spread(n), mean(n) and variance(n) are kept.
 * Ioffe & Szegedy 2015, arXiv:1502.03167.
 */
export function batchNorm(
  m: i32,
  n: i32,
  z: usize,
  gain: usize,
  shift: usize,
  x: usize,
  spread: usize,
  mean: usize,
  variance: usize,
  least: f32,
): void {
  const bytes = usize(n) << 2;
  const vl = f32x4.splat(least);
  const share = f32x4.splat(<f32>1 / f32(m));
  for (let j: usize = 0; j < bytes; j += 16) {
    const end = j + bytes * m;
    let sum = f32x4.splat(0);
    for (let i: usize = j; i < end; i += bytes) sum = f32x4.add(sum, v128.load(z + i));
    const vm = f32x4.mul(sum, share);
    let squares = f32x4.splat(0);
    for (let i: usize = j; i < end; i += bytes) {
      const d = f32x4.sub(v128.load(z + i), vm);
      squares = f32x4.add(squares, f32x4.mul(d, d));
      v128.store(x + i, d);
    }
    const vv = f32x4.mul(squares, share);
    const s = f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(vv, f32x4.splat(EPSILON))));
    for (let i: usize = j; i < end; i += bytes) {
      const vx = f32x4.mul(v128.load(x + i), s);
      v128.store(x + i, vx);
      v128.store(z + i, scaled(vx, gain + j, shift + j, vl));
    }
    v128.store(spread + j, s);
    v128.store(mean + j, vm);
    v128.store(variance + j, vv);
  }
}

/** As layerNormBackward, the means over the rows. */
export function batchNormBackward(m: i32, n: i32, dy: usize, gain: usize, x: usize, spread: usize): void {
  const bytes = usize(n) << 2;
  const share = f32x4.splat(<f32>1 / f32(m));
  for (let j: usize = 0; j < bytes; j += 16) {
    const end = j + bytes * m;
    let sum = f32x4.splat(0);
    let product = sum;
    for (let i: usize = j; i < end; i += bytes) {
      const dx = f32x4.mul(v128.load(dy + i), v128.load(gain + j));
      sum = f32x4.add(sum, dx);
      product = f32x4.add(product, f32x4.mul(dx, v128.load(x + i)));
    }
    const mean = f32x4.mul(sum, share);
    const slope = f32x4.mul(product, share);
    const s = v128.load(spread + j);
    for (let i: usize = j; i < end; i += bytes) {
      const dx = f32x4.mul(v128.load(dy + i), v128.load(gain + j));
      const rest = f32x4.sub(f32x4.sub(dx, mean), f32x4.mul(v128.load(x + i), slope));
      v128.store(dy + i, f32x4.mul(rest, s));
    }
  }
}

/** Moves running statistics towards a batch of m rows, the variance without bias, as in PyTorch. Requires m > 1. */
export function keepStatistics(m: i32, n: i32, mean: usize, variance: usize, runMean: usize, runVariance: usize): void {
  const momentum = f32x4.splat(MOMENTUM);
  const unbiased = f32x4.splat(f32(m) / f32(m - 1));
  for (let j: usize = 0, bytes = usize(n) << 2; j < bytes; j += 16) {
    const vm = v128.load(runMean + j);
    const vv = v128.load(runVariance + j);
    const variances = f32x4.mul(v128.load(variance + j), unbiased);
    v128.store(runMean + j, f32x4.add(vm, f32x4.mul(momentum, f32x4.sub(v128.load(mean + j), vm))));
    v128.store(runVariance + j, f32x4.add(vv, f32x4.mul(momentum, f32x4.sub(variances, vv))));
  }
}

/**
 * W and b of a layer whose plain form y = relu(x W + b) equals the normalised one with the running statistics:
 * W * s and (b - mean) * s + shift, s = gain / sqrt(variance + 1e-5). W in panels of `rows` rows; w may alias wOut.
 */
export function foldNorm(
  rows: i32,
  n: i32,
  w: usize,
  b: usize,
  gain: usize,
  shift: usize,
  mean: usize,
  variance: usize,
  wOut: usize,
  bOut: usize,
): void {
  for (let j: usize = 0, bytes = usize(n) << 2; j < bytes; j += 16) {
    const root = f32x4.sqrt(f32x4.add(v128.load(variance + j), f32x4.splat(EPSILON)));
    const s = f32x4.div(v128.load(gain + j), root);
    const centred = f32x4.mul(f32x4.sub(v128.load(b + j), v128.load(mean + j)), s);
    v128.store(bOut + j, f32x4.add(centred, v128.load(shift + j)));
    const panel = (j & ~63) * rows;
    const width = usize(min(16, n - i32((j & ~63) >> 2))) << 2;
    for (let i: usize = panel + (j & 63), end = panel + width * rows; i < end; i += width) {
      v128.store(wOut + i, f32x4.mul(v128.load(w + i), s));
    }
  }
}
