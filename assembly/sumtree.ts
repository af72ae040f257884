/**
 * Priorities and their sums: draws an index in proportion to its priority.
 *
 * A tree of nodes with 16 f32 children, one cache line each. Level 0 holds the priorities, level l + 1 the sums of the
 * nodes of level l; the highest level is one node. A parent is always recomputed from its children, never moved by a
 * difference, so that no error builds up. Schaul et al. 2016, arXiv:1511.05952.
 */
import { Arena, takeF32, takeStruct } from "./arena";

/** 16^8 leaves are more than a memory holds. */
const MAX_LEVELS: i32 = 8;

@unmanaged
export class SumTree {
  levels: i32;
  /** Addresses of the levels, MAX_LEVELS. */
  nodes: usize;
}

// @ts-ignore: decorator
@inline
function levelAt(tree: SumTree, level: i32): usize {
  return load<usize>(tree.nodes + (usize(level) << 2));
}

/** Takes a tree of `capacity` priorities, all 0. Requires capacity > 0. */
export function newSumTree(arena: Arena, capacity: i32): SumTree {
  const tree = changetype<SumTree>(takeStruct(arena, offsetof<SumTree>()));
  tree.nodes = takeStruct(arena, MAX_LEVELS << 2);
  let n = u64(capacity);
  let level = 0;
  do {
    store<usize>(tree.nodes + (usize(level++) << 2), takeF32(arena, (n + 15) & ~15));
    n = (n + 15) >> 4;
  } while (n > 1);
  tree.levels = level;
  return tree;
}

/** The sum of a node, in one fixed order. */
// @ts-ignore: decorator
@inline
function sumOf(node: usize): f32 {
  const s = f32x4.add(
    f32x4.add(v128.load(node), v128.load(node, 16)),
    f32x4.add(v128.load(node, 32), v128.load(node, 48)),
  );
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
}

/** The priority of leaf i. */
export function priorityOf(tree: SumTree, i: i32): f32 {
  return load<f32>(levelAt(tree, 0) + (usize(i) << 2));
}

/** Sets the priority of leaf i. Requires priority >= 0 and finite. */
export function setPriority(tree: SumTree, i: i32, priority: f32): void {
  store<f32>(levelAt(tree, 0) + (usize(i) << 2), priority);
  for (let level = 1; level < tree.levels; level++) {
    i >>= 4;
    resum(tree, level, i);
  }
}

/** The same for n leaves i32, level by level, so that no sum waits for the one before; of a leaf twice the last counts. */
export function setPriorities(tree: SumTree, n: i32, leaves: usize, priorities: usize): void {
  const end = usize(n) << 2;
  for (let i: usize = 0; i < end; i += 4) {
    store<f32>(levelAt(tree, 0) + (usize(load<i32>(leaves + i)) << 2), load<f32>(priorities + i));
  }
  for (let level = 1; level < tree.levels; level++) {
    for (let i: usize = 0; i < end; i += 4) resum(tree, level, load<i32>(leaves + i) >> (level << 2));
  }
}

/** Recomputes sum i of a level above 0. */
// @ts-ignore: decorator
@inline
function resum(tree: SumTree, level: i32, i: i32): void {
  store<f32>(levelAt(tree, level) + (usize(i) << 2), sumOf(levelAt(tree, level - 1) + (usize(i) << 6)));
}

/** The sum of all priorities. */
export function totalOf(tree: SumTree): f32 {
  return sumOf(levelAt(tree, tree.levels - 1));
}

/** Running sums of the children of one node, f64 (1 + 16): the first is 0. */
const SUMS: usize = memory.data(136, 16);

/**
 * For each of n targets f64 the leaf at which the running sum of priorities exceeds it: leaves i32 (n). A leaf of
 * priority 0 is never the answer: a child is chosen only where target < its running sum, and where rounding leaves the
 * target beyond them all, the last that is not 0. The targets are overwritten.
 *
 * All of them go down one level before any goes to the next, so that their cache misses overlap.
 * Requires 0 <= target and a total above 0.
 */
export function findAll(tree: SumTree, n: i32, targets: usize, leaves: usize): void {
  memory.fill(leaves, 0, usize(n) << 2);
  for (let level = tree.levels - 1; level >= 0; level--) {
    const nodes = levelAt(tree, level);
    for (let i: usize = 0; i < usize(n); i++) {
      const leaf = leaves + (i << 2);
      const target = targets + (i << 3);
      const at = load<i32>(leaf);
      const child = childAt(nodes + (usize(at) << 6), load<f64>(target));
      store<f64>(target, load<f64>(target) - load<f64>(SUMS + (usize(child) << 3)));
      store<i32>(leaf, (at << 4) | child);
    }
  }
}

/** The child of a node that holds the target; leaves the running sums at SUMS. */
// @ts-ignore: decorator
@inline
function childAt(node: usize, target: f64): i32 {
  const goal = f64x2.splat(target);
  let sum = f64x2.splat(0);
  let passed = i64x2.splat(0);
  for (let v: usize = 0; v < 4; v++) {
    const four = v128.load(node + (v << 4));
    const low = runningSum(f64x2.promote_low_f32x4(four), sum);
    const high = runningSum(f64x2.promote_low_f32x4(i32x4.shuffle(four, four, 2, 3, 2, 3)), low);
    v128.store(SUMS + (v << 5), low, 8);
    v128.store(SUMS + (v << 5), high, 24);
    passed = i64x2.add(passed, i64x2.add(f64x2.le(low, goal), f64x2.le(high, goal)));
    sum = high;
  }
  let child = -i32(i64x2.extract_lane(passed, 0) + i64x2.extract_lane(passed, 1));
  if (child == 16) do child--; while (child > 0 && load<f32>(node + (usize(child) << 2)) == 0);
  return child;
}

/** [s + a, s + (a + b)] of [a, b], s being the last of the sums before. */
// @ts-ignore: decorator
@inline
function runningSum(pair: v128, before: v128): v128 {
  const sums = f64x2.add(pair, i64x2.shuffle(f64x2.splat(0), pair, 0, 2));
  return f64x2.add(i64x2.shuffle(before, before, 1, 1), sums);
}

/** Recomputes all sums from the priorities, as if each had been set. */
export function rebuild(tree: SumTree, capacity: i32): void {
  let n = capacity;
  for (let level = 1; level < tree.levels; level++) {
    n = (n + 15) >> 4;
    for (let i = 0; i < n; i++) resum(tree, level, i);
  }
}
