/**
 * Ring of transitions, one row each, so that a sample touches neighbouring lines and the filled part is one slice:
 *
 *   observation f32(inputs) | features of the chosen candidate f32(features) | next observation f32(inputs) |
 *   next candidates f32(next, features) | next mask, bits, u32((actions + 31) / 32) |
 *   reward f32 | discount f32 | action i32 | number of next candidates i32
 *
 * discount = terminated ? 0 : gamma^steps, so neither a terminal flag nor n-step returns reach the kernels.
 */
import { Arena, LIMIT, take, takeStruct } from "./arena";
import { below, Rng, uniform } from "./rng";
import { find, priorityOf, SumTree, totalOf } from "./sumtree";
import { allFinite } from "./vector";

@unmanaged
export class Replay {
  capacity: i32;
  observation: i32;
  features: i32;
  /** The most next candidates. */
  next: i32;
  /** Number of actions where they carry a mask, else 0. */
  masked: i32;
  /** Bytes of all rows, in 64 bits: it may be too large to take. */
  bytes: u64;
  /** Bytes of a row, a multiple of 16, and offsets in it. */
  stride: usize;
  nextObservation: usize;
  candidate: usize;
  nextCandidates: usize;
  mask: usize;
  reward: usize;
  rows: usize;
}

/** Describes the rows. */
export function newReplay(
  arena: Arena,
  capacity: i32,
  observation: i32,
  features: i32,
  next: i32,
  masked: i32,
): Replay {
  const replay = changetype<Replay>(takeStruct(arena, offsetof<Replay>()));
  replay.capacity = capacity;
  replay.observation = observation;
  replay.features = features;
  replay.next = next;
  replay.masked = masked;
  replay.candidate = usize(observation) << 2;
  replay.nextObservation = replay.candidate + (usize(features) << 2);
  replay.nextCandidates = replay.nextObservation + (usize(observation) << 2);
  const mask = u64(replay.nextCandidates) + (u64(next) * u64(features) << 2);
  const reward = mask + (u64((masked + 31) >> 5) << 2);
  const stride = (reward + 16 + 15) & ~15;
  replay.mask = usize(mask);
  replay.reward = usize(reward);
  replay.stride = usize(stride);
  replay.bytes = stride < LIMIT ? stride * u64(capacity) : stride;
  return replay;
}

/** Takes the rows; must be the last part of the persistent span. */
export function takeRows(replay: Replay, arena: Arena): void {
  replay.rows = take(arena, replay.bytes);
}

/** Row i. */
// @ts-ignore: decorator
@inline
export function rowAt(replay: Replay, i: i32): usize {
  return replay.rows + replay.stride * usize(i);
}

// @ts-ignore: decorator
@inline
export function rewardOf(replay: Replay, row: usize): f32 {
  return load<f32>(row + replay.reward);
}

// @ts-ignore: decorator
@inline
export function discountOf(replay: Replay, row: usize): f32 {
  return load<f32>(row + replay.reward, 4);
}

// @ts-ignore: decorator
@inline
export function actionOf(replay: Replay, row: usize): i32 {
  return load<i32>(row + replay.reward, 8);
}

/** How many next candidates the row holds. */
// @ts-ignore: decorator
@inline
export function countOf(replay: Replay, row: usize): i32 {
  return load<i32>(row + replay.reward, 12);
}

/** Writes row i from the given tensors; mask: u8 (masked), 1 = available. */
export function writeRow(
  replay: Replay,
  i: i32,
  observation: usize,
  candidate: usize,
  nextObservation: usize,
  nextCandidates: usize,
  mask: usize,
  action: i32,
  count: i32,
  reward: f32,
  discount: f32,
): void {
  const row = rowAt(replay, i);
  const size = usize(replay.observation) << 2;
  const width = usize(replay.features) << 2;
  memory.copy(row, observation, size);
  memory.copy(row + replay.candidate, candidate, width);
  memory.copy(row + replay.nextObservation, nextObservation, size);
  memory.copy(row + replay.nextCandidates, nextCandidates, width * usize(count));
  packBits(replay.masked, mask, row + replay.mask);
  store<f32>(row + replay.reward, reward);
  store<f32>(row + replay.reward, discount, 4);
  store<i32>(row + replay.reward, action, 8);
  store<i32>(row + replay.reward, count, 12);
}

/** Bits of n flags: bit i of the words at dst = src(i) != 0. */
function packBits(n: i32, src: usize, dst: usize): void {
  for (let i = 0; i < n; i += 32) {
    let word: u32 = 0;
    for (let j = 0; j < 32 && i + j < n; j++) word |= u32(load<u8>(src + i + j) != 0) << j;
    store<u32>(dst + (usize(i) >> 3), word);
  }
}

/** Where bit i of the words is 0, q(i) = -infinity. */
export function maskOut(n: i32, bits: usize, q: usize): void {
  for (let i = 0; i < n; i++) {
    const word = load<u32>(bits + (usize(i >> 5) << 2));
    if (!((word >> (i & 31)) & 1)) store<f32>(q + (usize(i) << 2), -Infinity);
  }
}

/** Draws n of `size` rows uniformly with replacement: indices (n) i32. Requires size > 0. */
export function sampleUniform(rng: Rng, size: i32, n: i32, indices: usize): void {
  for (let i = 0; i < n; i++) store<i32>(indices + (usize(i) << 2), below(rng, size));
}

/**
 * Draws n rows in proportion to their priorities, one from each of n equal shares of the total: indices (n) i32, and
 * weights (n): (size * p / total)^-beta, divided by the largest of the batch. Requires a total above 0.
 * Schaul et al. 2016, arXiv:1511.05952.
 */
export function samplePrioritized(
  tree: SumTree,
  rng: Rng,
  size: i32,
  n: i32,
  beta: f64,
  indices: usize,
  weights: usize,
): void {
  const total = f64(totalOf(tree));
  let largest: f32 = 0;
  for (let i = 0; i < n; i++) {
    const index = find(tree, ((f64(i) + uniform(rng)) / f64(n)) * total);
    const weight = Mathf.pow(f32((f64(size) * f64(priorityOf(tree, index))) / total), f32(-beta));
    store<i32>(indices + (usize(i) << 2), index);
    store<f32>(weights + (usize(i) << 2), weight);
    largest = max(largest, weight);
  }
  for (let i = 0; i < n; i++) {
    const at = weights + (usize(i) << 2);
    store<f32>(at, load<f32>(at) / largest);
  }
}

/** Whether row i holds only what writeRow can have written: finite numbers, discount in [0, 1], indices in bounds. */
export function rowIsValid(replay: Replay, i: i32, actions: i32): bool {
  const row = rowAt(replay, i);
  const discount = discountOf(replay, row);
  const action = actionOf(replay, row);
  const count = countOf(replay, row);
  if (!(discount >= 0 && discount <= 1)) return false;
  if (action < 0 || action >= actions || count < 0 || count > replay.next) return false;
  const floats = 2 * replay.observation + (1 + count) * replay.features;
  return allFinite(floats, row) && allFinite(1, row + replay.reward);
}
