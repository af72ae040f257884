/** What a bootstrapped value of a state without an available action is. */
const NO_VALUE: f32 = 0;

/**
 * y = discount == 0 ? r : r + discount * value. The target is selected, never multiplied: a value that is not finite
 * behind a discount of 0 must not show. discount = terminated ? 0 : gamma^steps. Sutton & Barto 2018, eq. 6.8.
 */
export function bellman(reward: f32, discount: f32, value: f32): f32 {
  return discount == 0 ? reward : reward + discount * value;
}

/** The value of a state: q at the selected action, or 0 where no action was available (action < 0). */
export function valueAt(q: usize, action: i32): f32 {
  return action < 0 ? NO_VALUE : load<f32>(q + (usize(action) << 2));
}
