/**
 * n-step returns: steps wait here until n rewards have come, or the episode ends.
 *
 * A waiting step: observation f32(inputs) | features of the chosen candidate f32(features) | return f32 | discount f32 |
 * action i32 | padding. Its return is r0 + d0 r1 + d0 d1 r2 ..., its discount the product of those of its steps, so that
 * fewer than n steps at an episode's end need no special case. Sutton 1988; Hessel et al. 2018, arXiv:1710.02298.
 */
import { Arena, take, takeStruct } from "./arena";
import { allFinite } from "./vector";

@unmanaged
export class Tail {
  /** The most steps that wait. */
  n: i32;
  /** Bytes of the observation and of the features. */
  observation: usize;
  features: usize;
  /** Bytes of a step, a multiple of 16. */
  stride: usize;
  rows: usize;
}

/** Takes room for n steps. Requires n > 0. */
export function newTail(arena: Arena, n: i32, observation: i32, features: i32): Tail {
  const tail = changetype<Tail>(takeStruct(arena, offsetof<Tail>()));
  tail.n = n;
  tail.observation = usize(observation) << 2;
  tail.features = usize(features) << 2;
  tail.stride = (tail.observation + tail.features + 12 + 15) & ~15;
  tail.rows = take(arena, u64(n) * u64(tail.stride));
  return tail;
}

/** Waiting step i. */
// @ts-ignore: decorator
@inline
export function waitingAt(tail: Tail, i: i32): usize {
  return tail.rows + tail.stride * usize(i);
}

// @ts-ignore: decorator
@inline
function valuesOf(tail: Tail, step: usize): usize {
  return step + tail.observation + tail.features;
}

// @ts-ignore: decorator
@inline
export function candidateOf(tail: Tail, step: usize): usize {
  return step + tail.observation;
}

// @ts-ignore: decorator
@inline
export function returnOf(tail: Tail, step: usize): f32 {
  return load<f32>(valuesOf(tail, step));
}

// @ts-ignore: decorator
@inline
export function discountOfTail(tail: Tail, step: usize): f32 {
  return load<f32>(valuesOf(tail, step), 4);
}

// @ts-ignore: decorator
@inline
export function actionOfTail(tail: Tail, step: usize): i32 {
  return load<i32>(valuesOf(tail, step), 8);
}

/** Lets a step wait behind `count` others. Requires count < n. */
export function enter(tail: Tail, count: i32, observation: usize, candidate: usize, action: i32): void {
  const step = waitingAt(tail, count);
  memory.copy(step, observation, tail.observation);
  memory.copy(candidateOf(tail, step), candidate, tail.features);
  const values = valuesOf(tail, step);
  store<f32>(values, 0);
  store<f32>(values, 1, 4);
  store<i32>(values, action, 8);
}

/** Adds a reward, and the discount behind it, to `count` waiting steps. */
export function reward(tail: Tail, count: i32, r: f32, discount: f32): void {
  for (let i = 0; i < count; i++) {
    const values = valuesOf(tail, waitingAt(tail, i));
    const d = load<f32>(values, 4);
    store<f32>(values, load<f32>(values) + d * r);
    store<f32>(values, d * discount, 4);
  }
}

/** Drops the first of `count` waiting steps. */
export function leave(tail: Tail, count: i32): void {
  memory.copy(tail.rows, tail.rows + tail.stride, tail.stride * usize(count - 1));
}

/** Whether waiting step i holds finite numbers, a discount in [0, 1] and an action in bounds. */
export function waitingIsValid(tail: Tail, i: i32, actions: i32): bool {
  const step = waitingAt(tail, i);
  const discount = discountOfTail(tail, step);
  const action = actionOfTail(tail, step);
  if (!(discount >= 0 && discount <= 1) || action < 0 || action >= actions) return false;
  return allFinite(i32((tail.observation + tail.features) >> 2) + 1, step);
}
