import { softmax } from "./values";

/** Huber's loss of a TD error, kink at 1: d^2 / 2 inside, |d| - 1/2 outside. Huber 1964. */
export function huber(d: f32): f32 {
  const a = abs(d);
  return a <= 1 ? 0.5 * d * d : a - 0.5;
}

/** Its derivative: the TD error clipped to [-1, 1]; NaN stays NaN. */
export function huberGradient(d: f32): f32 {
  return max(<f32>-1, min(<f32>1, d));
}

/** d^2, as PyTorch's mse_loss (not d^2 / 2). */
export function squared(d: f32): f32 {
  return d * d;
}

/** Its derivative. */
export function squaredGradient(d: f32): f32 {
  return 2 * d;
}

/**
 * td(i) = q(i) - y(i); dq(i) = w(i) loss'(td(i)) / n; returns the mean of w(i) loss(td(i)), summed in f64
 * q, y, w, td, dq: (n) f32; w = 0: all 1. dq and td may alias q.
 */
export function tdLoss(n: i32, q: usize, y: usize, isSquared: bool, w: usize, td: usize, dq: usize): f32 {
  let total: f64 = 0;
  const share: f32 = 1 / f32(n);
  for (let i: usize = 0, end = usize(n) << 2; i < end; i += 4) {
    const d = load<f32>(q + i) - load<f32>(y + i);
    const weight: f32 = w ? load<f32>(w + i) : 1;
    total += weight * (isSquared ? squared(d) : huber(d));
    store<f32>(td + i, d);
    store<f32>(dq + i, share * weight * (isSquared ? squaredGradient(d) : huberGradient(d)));
  }
  return f32(total / f64(n));
}

/**
 * Quantile regression for m rows of n quantiles theta (m,n) and n targets y (m,n), midpoints (i + 1/2) / n, kink at 1:
 *
 *   loss(row) = sum over i, mean over j of |midpoint(i) - [u < 0]| huber(u), u = y(j) - theta(i)
 *   td(row) = mean(theta) - mean(y); dtheta(i) = w(row) d loss(row) / d theta(i) / m; returns the mean of w * loss
 *
 * w = 0: all 1. dtheta must not alias theta. Dabney et al. 2018, arXiv:1710.10044, eq. 10.
 */
export function quantileLoss(m: i32, n: i32, theta: usize, y: usize, w: usize, td: usize, dtheta: usize): f32 {
  let total: f64 = 0;
  const bytes = usize(n) << 2;
  const share: f32 = 1 / f32(n);
  for (let row: usize = 0; row < usize(m) << 2; row += 4) {
    const weight: f32 = w ? load<f32>(w + row) : 1;
    let loss: f32 = 0;
    let predicted: f32 = 0;
    let wanted: f32 = 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const prediction = load<f32>(theta + i);
      loss += quantileRow(n, prediction, (f32(i >> 2) + 0.5) * share, y, (weight * share) / f32(m), dtheta + i);
      predicted += prediction;
      wanted += load<f32>(y + i);
    }
    total += weight * loss * share;
    store<f32>(td + row, (predicted - wanted) * share);
    theta += bytes;
    y += bytes;
    dtheta += bytes;
  }
  return f32(total / f64(m));
}

/** The sum over targets y(n) for one quantile, and at d `factor` times its derivative. Four targets at once. */
function quantileRow(n: i32, theta: f32, midpoint: f32, y: usize, factor: f32, d: usize): f32 {
  const one = f32x4.splat(1);
  const half = f32x4.splat(0.5);
  const zero = f32x4.splat(0);
  const above = f32x4.splat(midpoint);
  const below = f32x4.splat(1 - midpoint);
  const vt = f32x4.splat(theta);
  let loss = zero;
  let slope = zero;
  for (let j = 0; j < n; j += 4) {
    const isReal = i32x4.gt_s(i32x4.splat(n - j), i32x4(0, 1, 2, 3));
    const u = v128.and(f32x4.sub(v128.load(y + (usize(j) << 2)), vt), isReal);
    const weight = v128.bitselect(below, above, f32x4.lt(u, zero));
    const size = f32x4.abs(u);
    const clipped = f32x4.min(size, one);
    // min(|u|, 1) * (|u| - min(|u|, 1) / 2) is Huber's loss on both sides of its kink.
    loss = f32x4.add(loss, f32x4.mul(weight, f32x4.mul(clipped, f32x4.sub(size, f32x4.mul(half, clipped)))));
    slope = f32x4.add(slope, f32x4.mul(weight, f32x4.max(f32x4.splat(-1), f32x4.min(one, u))));
  }
  store<f32>(d, -factor * fold(slope));
  return fold(loss);
}

/** The sum of four lanes. */
// @ts-ignore: decorator
@inline
function fold(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/**
 * The conservative term of one state: scale * (log sum exp q - q(action)), whose gradient for q(a), p(a) - [a = action],
 * is spread over the n quantiles and added to d(c,n). q(c): -infinity where not available; p(c): scratch.
 * Kumar et al. 2020, arXiv:2006.04779, eq. 4 with entropy as the regulariser.
 */
export function conservative(c: i32, n: i32, q: usize, action: i32, scale: f32, p: usize, d: usize): f32 {
  const loss = softmax(c, q, 1, p) - load<f32>(q + (usize(action) << 2));
  const share = scale / f32(n);
  for (let a = 0; a < c; a++) {
    const g = share * (load<f32>(p + (usize(a) << 2)) - f32(a == action));
    for (let i = 0; i < n; i++) {
      store<f32>(d, load<f32>(d) + g);
      d += 4;
    }
  }
  return scale * loss;
}
