import { log } from "../numeric/index.js";

/** Scores of one ranked list, all in [0, 1]; higher is better. */
export interface ListScores {
  /** 1 when at least one of the first k items is relevant, else 0. */
  hitRate: number;
  /** 1 when the first item is relevant, else 0: HR@1. */
  accuracy: number;
  /** Number of relevant items among the first k, divided by k. */
  precision: number;
  /** Number of relevant items among the first k, divided by the number of all relevant items. */
  recall: number;
  /** The harmonic mean of precision and recall; 0 when both are 0. */
  f1: number;
  /**
   * The sum of the precision at each relevant item among the first k, divided by min(k, number of relevant items); its
   * mean over users is MAP.
   */
  averagePrecision: number;
  /** The sum of 1 / log2(rank + 1) over the relevant items among the first k, divided by the largest possible sum. */
  ndcg: number;
  /** 1 / rank of the first relevant item of the whole list; its mean over users is MRR. */
  reciprocalRank: number;
}

/** The discount of a rank in NDCG, 1 / log2(rank + 2) for a rank from 0. Jarvelin & Kekalainen 2002. */
export function rankDiscount(rank: number): number {
  return Math.LN2 / log(rank + 2);
}

/**
 * Scores a ranked list against the set of relevant items.
 *
 * @param list - Best first, without repeats. Only the reciprocal rank looks beyond the first k.
 * @param relevant - Not empty; may hold items that are not in the list.
 * @param k - An integer >= 1; precision divides by it even when the list is shorter.
 * @throws RangeError for another k, or an empty `relevant`.
 */
export function scoreList<T>(list: ArrayLike<T>, relevant: ReadonlySet<T>, k: number): ListScores {
  if (!(Number.isInteger(k) && k >= 1)) throw new RangeError(`"k" must be an integer >= 1, got ${k}`);
  if (relevant.size === 0) throw new RangeError('"relevant" must not be empty');
  let hits = 0;
  let first = -1;
  let gained = 0;
  let precisions = 0;
  for (let rank = 0; rank < list.length && (rank < k || first < 0); rank++) {
    if (!relevant.has(list[rank]!)) continue;
    if (first < 0) first = rank;
    if (rank >= k) break;
    hits++;
    gained += rankDiscount(rank);
    precisions += hits / (rank + 1);
  }
  const best = Math.min(k, relevant.size);
  let ideal = 0;
  for (let rank = 0; rank < best; rank++) ideal += rankDiscount(rank);
  return {
    hitRate: hits > 0 ? 1 : 0,
    accuracy: first === 0 ? 1 : 0,
    precision: hits / k,
    recall: hits / relevant.size,
    f1: (2 * hits) / (k + relevant.size),
    averagePrecision: precisions / best,
    ndcg: gained / ideal,
    reciprocalRank: first < 0 ? 0 : 1 / (first + 1),
  };
}
