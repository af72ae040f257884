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
    const node = levelAt(tree, level - 1) + (usize(i >> 4) << 6);
    i >>= 4;
    store<f32>(levelAt(tree, level) + (usize(i) << 2), sumOf(node));
  }
}

/** The sum of all priorities. */
export function totalOf(tree: SumTree): f32 {
  return sumOf(levelAt(tree, tree.levels - 1));
}

/**
 * The leaf at which the running sum of priorities exceeds `target`. A leaf of priority 0 is never the answer: a child is
 * chosen only where target < its sum, and where rounding leaves the target beyond them all, the last that is not 0.
 * Requires 0 <= target and a total above 0.
 */
export function find(tree: SumTree, target: f64): i32 {
  let i = 0;
  for (let level = tree.levels - 1; level >= 0; level--) {
    const node = levelAt(tree, level) + (usize(i) << 6);
    let chosen = 0;
    let before = target;
    for (let child = 0; child < 16; child++) {
      const sum = f64(load<f32>(node + (usize(child) << 2)));
      if (sum > 0) {
        chosen = child;
        before = target;
        if (target < sum) break;
        target -= sum;
      }
    }
    target = before;
    i = (i << 4) | chosen;
  }
  return i;
}

/** Recomputes all sums from the priorities, as if each had been set. */
export function rebuild(tree: SumTree, capacity: i32): void {
  let n = capacity;
  for (let level = 1; level < tree.levels; level++) {
    n = (n + 15) >> 4;
    for (let i: usize = 0; i < usize(n); i++) {
      store<f32>(levelAt(tree, level) + (i << 2), sumOf(levelAt(tree, level - 1) + (i << 6)));
    }
  }
}
