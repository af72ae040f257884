/** The second door, for tests and benches only: the kernels by name. */
import { arenaAt } from "./arena";
import { findAll, newSumTree, priorityOf, rebuild, setPriorities, setPriority, SumTree, totalOf } from "./sumtree";

export { adam } from "./adam";
export { bellman, munchausen, softValue } from "./bellman";
export { gemm, padded, useUnrolled } from "./gemm";
export { conservative, huber, huberGradient, quantileLoss, squared, squaredGradient, tdLoss } from "./loss";
export { exp, log } from "./math";
export { drawNoise, noiseGradient, perturb } from "./noise";
export {
  batchNorm,
  batchNormBackward,
  foldNorm,
  keepStatistics,
  layerNorm,
  layerNormBackward,
  normGradient,
} from "./norm";
export { packPanels, packTransposed, panelOffset, transpose } from "./pack";
export { below, nextU32, normals, seedRng, uniform, uniformIn } from "./rng";
export { gatherRows, scatterRows, zeroRows } from "./sparse";
export { fromBytes, fromHalves, toBytes, toHalves } from "./storage";
export { best, countOf, duel, duelBackward, expectations, softmax } from "./values";
export { allWithin, argmax, axpy, dot, dot2, lerp, rectify, scale, scaleMasked, sumSquares } from "./vector";

/** A sum tree of its own, in memory that starts at `base` and must be zero; the tests' handle to it. */
export function treeAt(base: usize, capacity: i32): usize {
  return changetype<usize>(newSumTree(arenaAt(base), capacity));
}

export function treeSet(tree: usize, i: i32, priority: f32): void {
  setPriority(changetype<SumTree>(tree), i, priority);
}

export function treeSetAll(tree: usize, n: i32, leaves: usize, priorities: usize): void {
  setPriorities(changetype<SumTree>(tree), n, leaves, priorities);
}

export function treeGet(tree: usize, i: i32): f32 {
  return priorityOf(changetype<SumTree>(tree), i);
}

export function treeTotal(tree: usize): f32 {
  return totalOf(changetype<SumTree>(tree));
}

export function treeFind(tree: usize, n: i32, targets: usize, leaves: usize): void {
  findAll(changetype<SumTree>(tree), n, targets, leaves);
}

export function treeRebuild(tree: usize, capacity: i32): void {
  rebuild(changetype<SumTree>(tree), capacity);
}

/**
 * n turns of six chains x = x * a and six chains y = y + b that touch no memory: as many multiplications as additions,
 * as in a product, each waiting for nothing but itself. What the machine can do at the most.
 */
export function peak(n: i32, a: f32, b: f32): f32 {
  const va = f32x4.splat(a);
  const vb = f32x4.splat(b);
  let x0 = va;
  let x1 = va;
  let x2 = va;
  let x3 = va;
  let x4 = va;
  let x5 = va;
  let y0 = vb;
  let y1 = vb;
  let y2 = vb;
  let y3 = vb;
  let y4 = vb;
  let y5 = vb;
  while (n-- > 0) {
    x0 = f32x4.mul(x0, va);
    x1 = f32x4.mul(x1, va);
    y0 = f32x4.add(y0, vb);
    y1 = f32x4.add(y1, vb);
    x2 = f32x4.mul(x2, va);
    x3 = f32x4.mul(x3, va);
    y2 = f32x4.add(y2, vb);
    y3 = f32x4.add(y3, vb);
    x4 = f32x4.mul(x4, va);
    x5 = f32x4.mul(x5, va);
    y4 = f32x4.add(y4, vb);
    y5 = f32x4.add(y5, vb);
  }
  const x = f32x4.add(f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)), f32x4.add(x4, x5));
  const y = f32x4.add(f32x4.add(f32x4.add(y0, y1), f32x4.add(y2, y3)), f32x4.add(y4, y5));
  return f32x4.extract_lane(f32x4.add(x, y), 0);
}
