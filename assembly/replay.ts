/**
 * Ring of transitions, one row each, so that a sample touches neighbouring lines and the filled part is one slice:
 *
 *   observation | chosen candidate | next observation | next candidates (next) | next mask, bits, u32((actions + 31) / 32) |
 *   where the set that was chosen from is kept: their number i32, candidates (next), mask, bits |
 *   with slates, which have no chosen candidate beside the set: how many of it were shown i32, the most of the next slate i32 |
 *   return f32, of each part | discount f32 | action i32 | number of next candidates i32
 *
 * Each begins at a multiple of 4 bytes; observations and candidates lie there as storage.ts says.
 *
 * discount = terminated ? 0 : gamma^steps, so neither a terminal flag nor n-step returns reach the kernels. Steps that
 * wait for their n-step return lie in rows of the same shape; see nstep.ts.
 */
import { RETURN_MAX, Storage } from "./abi";
import { Arena, LIMIT, take, takeStruct } from "./arena";
import { exp, log } from "./math";
import { below, Rng, uniform } from "./rng";
import { bytesOf, newPart, Part, wordsOf } from "./sparse";
import { inputsAreValid, pack, storedBytes, unpack } from "./storage";
import { findAll, priorityOf, SumTree, totalOf } from "./sumtree";
import { isAvailable, packBits } from "./values";
import { allWithin, copy } from "./vector";

@unmanaged
export class Replay {
  capacity: i32;
  /** What an observation and a candidate consist of. */
  observation: Part;
  features: Part;
  /** The features that lie beside the observation: of the chosen candidate, or none with slates. */
  chosen: Part;
  /** The most candidates of a set. */
  next: i32;
  /** Number of actions where they carry a mask, else 0. */
  masked: i32;
  /** Whether a row keeps the set that its action was chosen from. */
  hasSets: bool;
  isSlate: bool;
  /** Parts of a return. */
  parts: i32;
  /** Bytes of all rows, in 64 bits: it may be too large to take. */
  bytes: u64;
  /** Bytes of a row, a multiple of 16, of one of its candidates, and offsets in it. */
  stride: usize;
  featureBytes: usize;
  candidate: usize;
  nextObservation: usize;
  nextCandidates: usize;
  nextMask: usize;
  set: usize;
  candidates: usize;
  mask: usize;
  shown: usize;
  /** Of the return's parts, the last of which begins the values. */
  returns: usize;
  values: usize;
  rows: usize;
  /** Room for what staged() unpacks. */
  scratch: usize;
}

/** Describes the rows. */
export function newReplay(
  arena: Arena,
  capacity: i32,
  observation: Part,
  features: Part,
  next: i32,
  masked: i32,
  hasSets: bool,
  isSlate: bool,
  parts: i32,
): Replay {
  const replay = changetype<Replay>(takeStruct(arena, offsetof<Replay>()));
  replay.capacity = capacity;
  replay.observation = observation;
  replay.features = features;
  replay.next = next;
  replay.masked = masked;
  replay.hasSets = hasSets;
  replay.isSlate = isSlate;
  replay.parts = parts;
  replay.chosen = isSlate ? newPart(arena, 0, 0, 0) : features;
  replay.featureBytes = storedBytes(features);
  replay.candidate = (storedBytes(observation) + 3) & ~3;
  replay.nextObservation = replay.candidate + ((storedBytes(replay.chosen) + 3) & ~3);
  replay.nextCandidates = replay.nextObservation + replay.candidate;
  const candidates = (u64(next) * u64(replay.featureBytes) + 3) & ~3;
  const bits = u64((masked + 31) >> 5) << 2;
  const nextMask = u64(replay.nextCandidates) + candidates;
  const set = nextMask + bits;
  const shown = hasSets ? set + 4 + candidates + bits : set;
  const returns = shown + (isSlate ? 8 : 0);
  const values = returns + u64(4 * (parts - 1));
  const stride = (values + 16 + 15) & ~15;
  replay.nextMask = usize(nextMask);
  replay.set = usize(set);
  replay.candidates = usize(set + 4);
  replay.mask = usize(set + 4 + candidates);
  replay.shown = usize(shown);
  replay.returns = usize(returns);
  replay.values = usize(values);
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

/** Part p of its return. */
// @ts-ignore: decorator
@inline
export function returnOf(replay: Replay, row: usize, p: i32): f32 {
  return load<f32>(row + replay.returns + (usize(p) << 2));
}

// @ts-ignore: decorator
@inline
export function discountOf(replay: Replay, row: usize): f32 {
  return load<f32>(row + replay.values, 4);
}

/** The index of the action taken; with candidates, among those of the set where it is kept, else 0; -1: none of a slate. */
// @ts-ignore: decorator
@inline
export function actionOf(replay: Replay, row: usize): i32 {
  return load<i32>(row + replay.values, 8);
}

/** How many of the candidates a slate showed, the first of them. */
// @ts-ignore: decorator
@inline
export function shownOf(replay: Replay, row: usize): i32 {
  return load<i32>(row + replay.shown);
}

/** The most candidates of the next state's slate. */
// @ts-ignore: decorator
@inline
export function nextSlateOf(replay: Replay, row: usize): i32 {
  return load<i32>(row + replay.shown, 4);
}

/** How many next candidates the row holds. */
// @ts-ignore: decorator
@inline
export function nextCountOf(replay: Replay, row: usize): i32 {
  return load<i32>(row + replay.values, 12);
}

/** How many candidates the action was chosen from. */
// @ts-ignore: decorator
@inline
export function countOf(replay: Replay, row: usize): i32 {
  return load<i32>(row + replay.set);
}

/** The bits of the next mask, and of the mask that the action was chosen under; 0 where all actions are available. */
// @ts-ignore: decorator
@inline
export function nextBitsOf(replay: Replay, row: usize): usize {
  return replay.masked ? row + replay.nextMask : 0;
}

// @ts-ignore: decorator
@inline
export function bitsOf(replay: Replay, row: usize): usize {
  return replay.masked ? row + replay.mask : 0;
}

/** The first half of a step, to a row: what was seen, offered (count candidates, mask u8) and done. */
export function writeStep(
  replay: Replay,
  row: usize,
  observation: usize,
  candidate: usize,
  candidates: usize,
  count: i32,
  mask: usize,
  action: i32,
  shown: i32,
): void {
  pack(replay.observation, 1, observation, row);
  pack(replay.chosen, 1, candidate, row + replay.candidate);
  if (replay.hasSets) {
    store<i32>(row + replay.set, count);
    pack(replay.features, count, candidates, row + replay.candidates);
    packBits(replay.masked, mask, row + replay.mask);
  }
  if (replay.isSlate) store<i32>(row + replay.shown, shown);
  memory.fill(row + replay.returns, 0, usize(replay.parts) << 2);
  store<f32>(row + replay.values, 1, 4);
  store<i32>(row + replay.values, action, 8);
}

/** The second half: what followed. */
export function writeNext(
  replay: Replay,
  row: usize,
  observation: usize,
  candidates: usize,
  count: i32,
  mask: usize,
  slate: i32,
): void {
  pack(replay.observation, 1, observation, row + replay.nextObservation);
  pack(replay.features, count, candidates, row + replay.nextCandidates);
  packBits(replay.masked, mask, row + replay.nextMask);
  store<i32>(row + replay.values, count, 12);
  if (replay.isSlate) store<i32>(row + replay.shown, slate, 4);
}

/** x = [observation | chosen candidate] of a row. */
export function readStep(replay: Replay, row: usize, x: usize): void {
  if (replay.observation.storage == Storage.F32) {
    // Both at once: they lie beside each other here as there.
    copy(x, row, replay.nextObservation);
    return;
  }
  unpack(replay.observation, 1, row, x);
  unpack(replay.chosen, 1, row + replay.candidate, x + bytesOf(replay.observation));
}

/** n rows of a part that are stored at `at` as they were staged: in place, or unpacked where the next call does too. */
export function staged(replay: Replay, part: Part, n: i32, at: usize): usize {
  if (part.storage == Storage.F32) return at;
  unpack(part, n, at, replay.scratch);
  return replay.scratch;
}

/** Draws n of `size` rows uniformly with replacement: indices (n) i32. Requires size > 0. */
export function sampleUniform(rng: Rng, size: i32, n: i32, indices: usize): void {
  for (let i = 0; i < n; i++) store<i32>(indices + (usize(i) << 2), below(rng, size));
}

/**
 * Draws n rows in proportion to their priorities, one from each of n equal shares of the total: indices (n) i32.
 * targets: scratch, f64 (n). Requires a total above 0. Schaul et al. 2016, arXiv:1511.05952.
 */
export function samplePrioritized(tree: SumTree, rng: Rng, n: i32, targets: usize, indices: usize): void {
  const total = f64(totalOf(tree));
  for (let i = 0; i < n; i++) {
    store<f64>(targets + (usize(i) << 3), ((f64(i) + uniform(rng)) / f64(n)) * total);
  }
  findAll(tree, n, targets, indices);
}

/** Importance weights (n) of drawn rows: (size * p / total)^-beta, divided by the largest of the batch. */
export function importanceWeights(
  tree: SumTree,
  size: i32,
  n: i32,
  beta: f64,
  indices: usize,
  weights: usize,
): void {
  const total = f64(totalOf(tree));
  let largest: f32 = 0;
  for (let i: usize = 0; i < usize(n) << 2; i += 4) {
    const priority = f64(priorityOf(tree, load<i32>(indices + i)));
    const weight = f32(exp(-beta * log((f64(size) * priority) / total)));
    store<f32>(weights + i, weight);
    largest = max(largest, weight);
  }
  for (let i: usize = 0; i < usize(n) << 2; i += 4) store<f32>(weights + i, load<f32>(weights + i) / largest);
}

/** Whether a row's first half is what writeStep can have written: numbers in their bounds, discount in [0, 1], indices in bounds. */
export function stepIsValid(replay: Replay, row: usize, actions: i32): bool {
  const discount = discountOf(replay, row);
  if (!(discount >= 0 && discount <= 1)) return false;
  if (!allWithin(replay.parts, -f32(RETURN_MAX), f32(RETURN_MAX), row + replay.returns)) return false;
  if (!storedAreValid(replay, replay.observation, 1, row)) return false;
  if (!storedAreValid(replay, replay.chosen, 1, row + replay.candidate)) return false;
  const taken = actionOf(replay, row);
  const action = u32(taken);
  if (!replay.hasSets) return action < u32(actions);
  const count = countOf(replay, row);
  const isSet = wordsOf(replay.features) > 0;
  if (count < 0 || count > replay.next) return false;
  if (replay.isSlate) {
    const shown = shownOf(replay, row);
    if (shown < 0 || shown > count || taken < -1 || taken >= shown) return false;
  } else if (action >= u32(isSet ? count : actions) || !isAvailable(bitsOf(replay, row), action)) return false;
  return storedAreValid(replay, replay.features, count, row + replay.candidates);
}

/** Whether all of row i is what writeStep and writeNext can have written. */
export function rowIsValid(replay: Replay, i: i32, actions: i32): bool {
  const row = rowAt(replay, i);
  const count = nextCountOf(replay, row);
  if (count < 0 || count > replay.next || !stepIsValid(replay, row, actions)) return false;
  if (replay.isSlate && nextSlateOf(replay, row) < 0) return false;
  if (!storedAreValid(replay, replay.observation, 1, row + replay.nextObservation)) return false;
  return storedAreValid(replay, replay.features, count, row + replay.nextCandidates);
}

/** Whether n stored rows of a part lie in their bounds: any byte does, but not any half. */
function storedAreValid(replay: Replay, part: Part, n: i32, at: usize): bool {
  return inputsAreValid(part, n, staged(replay, part, n, at));
}
