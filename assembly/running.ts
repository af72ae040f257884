/**
 * Running normalisation: observations by their mean and deviation so far, rewards by the deviation of their discounted
 * returns, as VecNormalize of Stable-Baselines3 has it. The moments are in the persistent span, and change only when a
 * transition is observed. Welford 1962, "Note on a Method for Calculating Corrected Sums of Squares and Products".
 */
import { Arena, take, takeF32, takeStruct } from "./arena";

@unmanaged
export class Running {
  /** Dense numbers of an observation; 0 where they are taken as they are. */
  dense: i32;
  hasRewards: bool;
  /** Whether the next three follow the moments. */
  isFresh: bool;
  /** f32 (dense): means, and 1 over deviations; and the factor of rewards. */
  mean: usize;
  scale: usize;
  rewardScale: f32;
  /** f64, persistent: a count, means and sums of squares (dense); a count, mean and sum of squares of returns; returns. */
  moments: usize;
  ofReturns: usize;
  returns: usize;
  environments: i32;
}

/** Added to variances, and the bound of what comes out: those of VecNormalize. */
const EPSILON: f64 = 1e-8;
export const MOST: f32 = 10;
/** Bounds of a return that runs on, and of its sum of squares. */
const RETURN: f64 = 1e12;
const SQUARES: f64 = 1e60;

/** Takes the moments, none where neither is normalised; then they are the next part of the persistent span. */
export function newRunning(arena: Arena, dense: i32, hasRewards: bool, environments: i32): Running {
  const running = changetype<Running>(takeStruct(arena, offsetof<Running>()));
  running.dense = dense;
  running.hasRewards = hasRewards;
  running.environments = environments;
  running.rewardScale = 1;
  running.moments = take(arena, dense > 0 ? (u64(dense) * 2 + 1) << 3 : 0);
  running.ofReturns = take(arena, hasRewards ? (u64(environments) + 3) << 3 : 0);
  running.returns = running.ofReturns + 24;
  return running;
}

/** Takes what follows from them. */
export function takeFactors(running: Running, arena: Arena): void {
  running.mean = takeF32(arena, running.dense);
  running.scale = takeF32(arena, running.dense);
}

/** Adds one number to a mean and a sum of squares. */
// @ts-ignore: decorator
@inline
function add(count: f64, x: f64, mean: usize, squares: usize): void {
  const d = x - load<f64>(mean);
  store<f64>(mean, load<f64>(mean) + d / count);
  store<f64>(squares, load<f64>(squares) + d * (x - load<f64>(mean)));
}

/** Counts an observation x (dense) and a reward of an environment, whose episode ends there with isLast. */
export function note(running: Running, x: usize, reward: f64, gamma: f64, environment: i32, isLast: bool): void {
  const n = usize(running.dense);
  running.isFresh = false;
  if (n > 0) {
    const count = load<f64>(running.moments) + 1;
    store<f64>(running.moments, count);
    for (let i: usize = 0; i < n; i++) {
      const mean = running.moments + 8 + (i << 3);
      add(count, load<f32>(x + (i << 2)), mean, mean + (n << 3));
    }
  }
  if (!running.hasRewards) return;
  const at = running.returns + (usize(environment) << 3);
  const sum = min(RETURN, max(-RETURN, load<f64>(at) * gamma + reward));
  const count = load<f64>(running.ofReturns) + 1;
  store<f64>(running.ofReturns, count);
  add(count, sum, running.ofReturns + 8, running.ofReturns + 16);
  store<f64>(at, isLast ? 0 : sum);
}

/** Begins the return of an environment anew. */
export function renew(running: Running, environment: i32): void {
  if (running.hasRewards) store<f64>(running.returns + (usize(environment) << 3), 0);
}

/** 1 over the deviation of `count` numbers; 1 of none. */
function inverseOf(count: f64, squares: f64): f32 {
  return f32(1 / Math.sqrt((count > 0 ? squares / count : 1) + EPSILON));
}

/** Makes the factors follow the moments. */
export function refresh(running: Running): void {
  if (running.isFresh) return;
  running.isFresh = true;
  const n = usize(running.dense);
  if (n > 0) {
    const count = load<f64>(running.moments);
    for (let i: usize = 0; i < n; i++) {
      const mean = running.moments + 8 + (i << 3);
      store<f32>(running.mean + (i << 2), f32(load<f64>(mean)));
      store<f32>(running.scale + (i << 2), inverseOf(count, load<f64>(mean + (n << 3))));
    }
  }
  if (running.hasRewards) {
    running.rewardScale = inverseOf(load<f64>(running.ofReturns), load<f64>(running.ofReturns + 16));
  }
}

/** The dense numbers of a row x in place: clip((x - mean) / sqrt(variance + 1e-8), -10, 10). Requires fresh factors. */
export function normalise(running: Running, x: usize): void {
  for (let i: usize = 0; i < usize(running.dense) << 2; i += 4) {
    const z = (load<f32>(x + i) - load<f32>(running.mean + i)) * load<f32>(running.scale + i);
    store<f32>(x + i, min(MOST, max(-MOST, z)));
  }
}

/** A sum of up to n rewards as it is learned from. Requires fresh factors. */
export function scaledReturn(running: Running, n: i32, sum: f32): f32 {
  if (!running.hasRewards) return sum;
  const most = MOST * f32(n);
  return min(most, max(-most, sum * running.rewardScale));
}

/** Whether moments that were written from outside lie in their bounds. */
export function momentsAreCounted(running: Running): bool {
  running.isFresh = false;
  const n = running.dense;
  if (n > 0 && !areMoments(running.moments, n)) return false;
  if (!running.hasRewards) return true;
  if (!areMoments(running.ofReturns, 1)) return false;
  for (let i = 0; i < running.environments; i++) {
    if (!(abs(load<f64>(running.returns + (usize(i) << 3))) <= RETURN)) return false;
  }
  return true;
}

/** A count, n means and n sums of squares. */
function areMoments(at: usize, n: i32): bool {
  const count = load<f64>(at);
  if (!(count >= 0 && count <= 9007199254740991 && count == Math.floor(count))) return false;
  for (let i = 1; i <= n; i++) {
    if (!(abs(load<f64>(at + (usize(i) << 3))) <= RETURN)) return false;
    const squares = load<f64>(at + (usize(i + n) << 3));
    if (!(squares >= 0 && squares <= SQUARES)) return false;
  }
  return true;
}
