import type { Rule } from "../check/index.js";
import { log } from "../numeric/index.js";
import type { StreamTraits } from "../recommender/state/index.js";
import { bootstrapInterval, type Figure, gini, type ResampleOptions } from "../statistics/index.js";

/** How alike two items are: 1 for the same, 0 for nothing in common. */
export type SimilarityFunction<T> = (a: T, b: T) => number;

export const similarityRule: Rule = [(value) => typeof value === "function", "a function"];

/** The cosine of the angle between two vectors of the same length, in [-1, 1]; 0 where either vector is 0. */
export function cosineSimilarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squareA += a[i]! * a[i]!;
    squareB += b[i]! * b[i]!;
  }
  return product === 0 ? 0 : product / Math.sqrt(squareA) / Math.sqrt(squareB);
}

/** Jaccard's index of category and tags, in [0, 1]: those that both streams have, divided by those that either has. */
export function traitSimilarity(a: StreamTraits, b: StreamTraits): number {
  const isSame = a.category !== "" && a.category === b.category;
  let shared = isSame ? 1 : 0;
  let all = isSame ? 1 : 2;
  // Tags are few: a search through them is faster than a set. Repeats count once.
  for (const [i, tag] of a.tags.entries()) {
    if (a.tags.indexOf(tag) < i) continue;
    all++;
    if (b.tags.includes(tag)) shared++;
  }
  for (const [i, tag] of b.tags.entries()) if (b.tags.indexOf(tag) === i && !a.tags.includes(tag)) all++;
  return shared / all;
}

/**
 * Intra-list similarity: the mean similarity of all pairs of a list; NaN for less than two items. Intra-list diversity
 * is 1 minus it. Zheng et al. 2018 (DRN), equation 13, where the similarity is the cosine.
 *
 * @param similarity - Symmetric: it is called once for each pair.
 */
export function intraListSimilarity<T>(list: readonly T[], similarity: SimilarityFunction<T>): number {
  let sum = 0;
  for (let i = 1; i < list.length; i++) for (let j = 0; j < i; j++) sum += similarity(list[i]!, list[j]!);
  return sum / ((list.length * (list.length - 1)) / 2);
}

/**
 * -log2 of an item's share of all visits, with one visit added to each item, in bits. Its mean over the items shown is
 * novelty (Vargas & Castells 2011).
 *
 * @param visits - To the item, >= 0.
 * @param total - To all items.
 * @param items - Number of items, at least 1.
 */
export function selfInformation(visits: number, total: number, items: number): number {
  return log((total + items) / (visits + 1)) / Math.LN2;
}

/**
 * Personalisation: 1 minus the mean share of items that the lists of two users have in common, in [0, 1]; 0 when all
 * lists are the same, NaN for less than two lists. Takes one pass over the lists.
 *
 * @param lists - All of the same length, at least 1, without repeats.
 */
export function personalisation<T>(lists: readonly (readonly T[])[]): number {
  const users = new Map<T, number>();
  for (const list of lists) for (const item of list) users.set(item, (users.get(item) ?? 0) + 1);
  let shared = 0;
  for (const n of users.values()) shared += (n * (n - 1)) / 2;
  const pairs = (lists.length * (lists.length - 1)) / 2;
  return 1 - shared / (lists[0]?.length ?? 0) / pairs;
}

/** The Gini coefficient of exposures by item, with an interval that resamples items. */
export function exposureGini(metric: string, exposures: ArrayLike<number>, options: Partial<ResampleOptions>): Figure {
  return { metric, slice: "all", ...bootstrapInterval(exposures, { ...options, statistic: gini }) };
}
