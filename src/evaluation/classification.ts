import { log } from "../numeric/index.js";

/**
 * Probabilities are clamped to this distance from 0 and 1, so that one certain error does not make the loss infinite.
 */
const CLAMP = 1e-15;

function requireAlike(scores: ArrayLike<number>, labels: ArrayLike<boolean>): void {
  if (scores.length !== labels.length || scores.length === 0) {
    throw new RangeError(
      `"labels" must be as many as the scores (${scores.length}) and at least one, got ${labels.length}`,
    );
  }
}

/**
 * The area under the ROC curve: the probability that a positive scores above a negative, where a tie counts half
 * (Hanley & McNeil 1982). NaN when all labels are the same.
 *
 * @throws RangeError for no scores, lengths that differ, or a score that is NaN.
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
    // All tied scores get the mean of their ranks, which count from 1.
    ranks += (tied * (from + to + 1)) / 2;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (scores.length - positives));
}

/**
 * The mean of -ln(probability of the actual label), >= 0; lower is better.
 *
 * @param probabilities - Of the label being true, in [0, 1]; clamped to [1e-15, 1 - 1e-15].
 * @throws RangeError for no probabilities, lengths that differ, or a probability out of its range.
 */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<boolean>): number {
  requireAlike(probabilities, labels);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const p = probabilities[i]!;
    if (!(p >= 0 && p <= 1)) throw new RangeError(`"probabilities" must be in [0, 1], got ${p} at ${i}`);
    sum -= log(Math.max(CLAMP, labels[i] ? p : 1 - p));
  }
  return sum / labels.length;
}

/** Scores of a binary prediction. */
export interface ClassificationScores {
  /** Share of correct predictions. */
  accuracy: number;
  /** True positives / predicted positives; NaN when none is predicted. */
  precision: number;
  /** True positives / actual positives; NaN when there is none. */
  recall: number;
  /** Harmonic mean of precision and recall; NaN when nothing is predicted or actually positive. */
  f1: number;
}

/**
 * Accuracy, precision, recall and F1 of a binary prediction.
 *
 * @param threshold - Scores of at least this predict true. Default 0.5.
 * @throws RangeError for no scores, or lengths that differ.
 */
export function classificationScores(
  scores: ArrayLike<number>,
  labels: ArrayLike<boolean>,
  threshold = 0.5,
): ClassificationScores {
  requireAlike(scores, labels);
  let hits = 0;
  let predicted = 0;
  let positives = 0;
  for (let i = 0; i < labels.length; i++) {
    const isPredicted = scores[i]! >= threshold;
    if (isPredicted) predicted++;
    if (labels[i]) positives++;
    if (isPredicted && labels[i]) hits++;
  }
  const correct = labels.length - predicted - positives + 2 * hits;
  return {
    accuracy: correct / labels.length,
    precision: hits / predicted,
    recall: hits / positives,
    f1: (2 * hits) / (predicted + positives),
  };
}
