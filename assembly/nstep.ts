/**
 * n-step returns: steps wait here until n rewards have come, or the episode ends. Each environment that feeds the agent
 * has a queue of its own.
 *
 * A queue: number of waiting steps i32, padded to 16 | n rows of the replay's shape, whose second half is not yet known.
 * The return of a step is r0 + d0 r1 + d0 d1 r2 ..., its discount the product of those of its steps, so that fewer than
 * n steps at an episode's end need no special case. Sutton 1988; Hessel et al. 2018, arXiv:1710.02298.
 */
import { RETURN_MAX, REWARD_MAX } from "./abi";
import { Arena, take, takeStruct } from "./arena";
import { discountOf, Replay, returnOf, stepIsValid } from "./replay";

@unmanaged
export class Tail {
  environments: i32;
  /** The most steps that wait in a queue. */
  n: i32;
  replay: Replay;
  /** Bytes of a queue. */
  stride: usize;
  queues: usize;
}

const HEADER: usize = 16;

/** Takes a queue of n steps for each environment. Requires n > 0 and environments > 0. */
export function newTail(arena: Arena, replay: Replay, environments: i32, n: i32): Tail {
  const tail = changetype<Tail>(takeStruct(arena, offsetof<Tail>()));
  tail.environments = environments;
  tail.n = n;
  tail.replay = replay;
  const stride = u64(HEADER) + u64(n) * u64(replay.stride);
  tail.stride = usize(stride);
  tail.queues = take(arena, u64(environments) * stride);
  return tail;
}

// @ts-ignore: decorator
@inline
function queueOf(tail: Tail, environment: i32): usize {
  return tail.queues + tail.stride * usize(environment);
}

/** How many steps of an environment wait. */
export function waitingOf(tail: Tail, environment: i32): i32 {
  return load<i32>(queueOf(tail, environment));
}

/** Waiting step i, a row of the replay's shape. */
// @ts-ignore: decorator
@inline
export function waitingAt(tail: Tail, environment: i32, i: i32): usize {
  return queueOf(tail, environment) + HEADER + tail.replay.stride * usize(i);
}

/** Whether one more reward, f64 (parts), and the returns of all that wait with it, lie in their bounds. */
export function canReward(tail: Tail, environment: i32, rewards: usize): bool {
  for (let p = 0; p < tail.replay.parts; p++) {
    if (!canAdd(tail, environment, p, f32(load<f64>(rewards + (usize(p) << 3))))) return false;
  }
  return true;
}

function canAdd(tail: Tail, environment: i32, p: i32, r: f32): bool {
  if (!(abs(r) <= f32(REWARD_MAX))) return false;
  for (let i = 0, n = waitingOf(tail, environment); i < n; i++) {
    const step = waitingAt(tail, environment, i);
    const sum = returnOf(tail.replay, step, p) + discountOf(tail.replay, step) * r;
    if (!(abs(sum) <= f32(RETURN_MAX))) return false;
  }
  return true;
}

/** Lets one more step wait, and gives its row, to be written at once. Requires fewer than n that wait. */
export function enter(tail: Tail, environment: i32): usize {
  const queue = queueOf(tail, environment);
  const count = load<i32>(queue);
  store<i32>(queue, count + 1);
  return waitingAt(tail, environment, count);
}

/** Adds a reward, f64 (parts), and the discount behind it, to all that wait. */
export function reward(tail: Tail, environment: i32, rewards: usize, discount: f32): void {
  for (let i = 0, n = waitingOf(tail, environment); i < n; i++) {
    const step = waitingAt(tail, environment, i);
    const values = step + tail.replay.values;
    const d = load<f32>(values, 4);
    for (let p = 0; p < tail.replay.parts; p++) {
      const at = step + tail.replay.returns + (usize(p) << 2);
      store<f32>(at, load<f32>(at) + d * f32(load<f64>(rewards + (usize(p) << 3))));
    }
    store<f32>(values, d * discount, 4);
  }
}

/** Drops the first `count` that wait. */
export function leave(tail: Tail, environment: i32, count: i32): void {
  const rest = waitingOf(tail, environment) - count;
  const first = waitingAt(tail, environment, 0);
  memory.copy(first, waitingAt(tail, environment, count), tail.replay.stride * usize(rest));
  store<i32>(queueOf(tail, environment), rest);
}

/** Drops all that wait in an environment whose episode will not continue. */
export function abandon(tail: Tail, environment: i32): void {
  leave(tail, environment, waitingOf(tail, environment));
}

/** Whether all queues are valid: fewer than n steps, each in its bounds. */
export function tailIsValid(tail: Tail, actions: i32): bool {
  for (let e = 0; e < tail.environments; e++) {
    const waiting = waitingOf(tail, e);
    if (waiting < 0 || waiting >= tail.n) return false;
    for (let i = 0; i < waiting; i++) if (!stepIsValid(tail.replay, waitingAt(tail, e, i), actions)) return false;
  }
  return true;
}
