import { softmax } from "./values";

/**
 * y = discount == 0 ? r : r + discount * value. The target is selected, never multiplied: a value that is not finite
 * behind a discount of 0 must not show. discount = terminated ? 0 : gamma^steps. Sutton & Barto 2018, eq. 6.8.
 */
export function bellman(reward: f32, discount: f32, value: f32): f32 {
  return discount == 0 ? reward : reward + discount * value;
}

/**
 * The soft value of a state, for each quantile: v(i) = sum over a of p(a) (theta(a,i) - temperature * log p(a)), p the
 * softmax of q / temperature. q(c): the means of theta(c,n), -infinity where not available; p(c): scratch.
 * Requires an available action. Vieillard, Pietquin & Geist 2020, arXiv:2007.14430, eq. 1 and 4.
 */
export function softValue(c: i32, n: i32, theta: usize, q: usize, temperature: f32, p: usize, v: usize): void {
  const logSum = softmax(c, q, temperature, p);
  // -temperature * log p(a) = logSum - q(a): its mean is the entropy, the same for all quantiles.
  let mean: f32 = 0;
  for (let a: usize = 0; a < usize(c) << 2; a += 4) {
    const share = load<f32>(p + a);
    if (share > 0) mean += share * load<f32>(q + a);
  }
  const entropy = logSum - mean;
  for (let i = 0; i < n; i++) {
    let sum: f32 = 0;
    for (let a = 0; a < c; a++) {
      const share = load<f32>(p + (usize(a) << 2));
      if (share > 0) sum += share * load<f32>(theta + (usize(a * n + i) << 2));
    }
    store<f32>(v + (usize(i) << 2), sum + entropy);
  }
}

/** Munchausen's addition to the reward: alpha * max(temperature * log p(action), clip), clip < 0. p(c): scratch. */
export function munchausen(c: i32, q: usize, action: i32, alpha: f32, temperature: f32, clip: f32, p: usize): f32 {
  const logSum = softmax(c, q, temperature, p);
  // At most 0 but for rounding.
  const logPolicy = min<f32>(0, load<f32>(q + (usize(action) << 2)) - logSum);
  return alpha * max(clip, logPolicy);
}
