/** The second door, for tests and benches only: the kernels by name. */
import { adamShare } from "./adam";
import { arenaAt } from "./arena";
import { split } from "./crew";
import { gemmShare } from "./gemm";
import { findAll, newSumTree, priorityOf, rebuild, setPriorities, setPriority, SumTree, totalOf } from "./sumtree";

export { activate } from "./activation";
export { adam } from "./adam";
export { addNoise, correlate, drawUniform, smooth, squash, squashBackward, tanh } from "./continuous/squash";
export { dotRows } from "./dots";
export { addIndexRows, dots, endRow, quantise, rescale } from "./int8/dots";
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
export {
  choiceLoss,
  choiceWeights,
  conservativeSlate,
  greedySlate,
  joinChoices,
  mixture,
  splitChoices,
} from "./slate";
export { gatherRows, scatterRows, zeroRows } from "./sparse";
export { fromBytes, fromHalves, toBytes, toHalves } from "./storage";
export { best, boltzmann, countOf, drawn, duel, duelBackward, expectations, packBits, softmax } from "./values";
export { allWithin, argmax, axpy, copy, dot, dot4, lerp, rectify, scale, scaleMasked, scaleSloped, sumSquares } from "./vector";

/** Share `part` of the last product once more, as if it went into `parts`. */
export function gemmPart(part: i32, parts: i32): void {
  split(parts);
  gemmShare(part);
}

/** The same of the last call of adam. */
export function adamPart(part: i32, parts: i32): void {
  split(parts);
  adamShare(part);
}

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
