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
