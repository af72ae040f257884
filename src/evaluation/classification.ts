import { log } from "../numeric/index.js";

/** Probabilities nearer to 0 or 1 than this count as this far from it: one certain error must not cost an infinity. */
const SURE = 1e-15;

function requireAlike(scores: ArrayLike<number>, labels: ArrayLike<boolean>): void {
  if (scores.length !== labels.length || scores.length === 0) {
    throw new RangeError(
      `"labels" must be as many as the scores (${scores.length}) and not none, got ${labels.length}`,
    );
  }
}

/**
 * The chance that a positive scores above a negative, where a tie is worth half: the area under the ROC curve (Hanley &
 * McNeil 1982). NaN when all labels are the same.
 *
 * @throws RangeError when lengths differ or a score is NaN.
 */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<boolean>): number {
  requireAlike(scores, labels);
  const order = Int32Array.from({ length: scores.length }, (_, i) => i);
  const nan = order.findIndex((i) => Number.isNaN(scores[i]!));
  if (nan >= 0) throw new RangeError(`"scores" must be numbers, got NaN at ${nan}`);
  order.sort((a, b) => (scores[a]! === scores[b]! ? a - b : scores[a]! < scores[b]! ? -1 : 1));
  let positives = 0;
  let ranks = 0;
  for (let from = 0, to = 0; from < order.length; from = to) {
    let tied = 0;
    for (to = from; to < order.length && scores[order[to]!] === scores[order[from]!]; to++) {
      if (labels[order[to]!]) tied++;
    }
    positives += tied;
    // All of a tie have the mean of its ranks, which count from 1.
    ranks += (tied * (from + to + 1)) / 2;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (scores.length - positives));
}

/**
 * The mean of -ln of the probability that was given to what came true, >= 0, lower is better.
 *
 * @param probabilities - Of the label being true, in [0, 1]; nearer than 1e-15 to either end they count as 1e-15 from it.
 * @throws RangeError when lengths differ or a probability is out of its range.
 */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<boolean>): number {
  requireAlike(probabilities, labels);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const p = probabilities[i]!;
    if (!(p >= 0 && p <= 1)) throw new RangeError(`"probabilities" must be in [0, 1], got ${p} at ${i}`);
    sum -= log(Math.max(SURE, labels[i] ? p : 1 - p));
  }
  return sum / labels.length;
}

/** What comes of calling true all that scores at least `threshold`. */
export interface ClassificationScores {
  /** Share that is called right. */
  accuracy: number;
  /** Share of those called true that are; NaN when none is called so. */
  precision: number;
  /** Share of the true ones that are called so; NaN when none is true. */
  recall: number;
  /** Harmonic mean of both: 2 hits / (called true + true). NaN when there is neither. */
  f1: number;
}

/**
 * Accuracy, precision, recall and F1 of a binary prediction.
 *
 * @throws RangeError when lengths differ.
 */
export function classificationScores(
  scores: ArrayLike<number>,
  labels: ArrayLike<boolean>,
  threshold = 0.5,
): ClassificationScores {
  requireAlike(scores, labels);
  let hits = 0;
  let called = 0;
  let positives = 0;
  for (let i = 0; i < labels.length; i++) {
    const isCalled = scores[i]! >= threshold;
    if (isCalled) called++;
    if (labels[i]) positives++;
    if (isCalled && labels[i]) hits++;
  }
  const right = labels.length - called - positives + 2 * hits;
  return {
    accuracy: right / labels.length,
    precision: hits / called,
    recall: hits / positives,
    f1: (2 * hits) / (called + positives),
  };
}
