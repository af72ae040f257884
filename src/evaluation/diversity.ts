import type { Rule } from "../check/index.js";
import { log } from "../numeric/index.js";
import type { StreamTraits } from "../recommender/state/index.js";
import { bootstrapInterval, type Figure, gini, type ResampleOptions } from "../statistics/index.js";

/** How alike two things are: 1 the same, 0 nothing in common. */
export type SimilarityFunction<T> = (a: T, b: T) => number;

export const similarityRule: Rule = [(value) => typeof value === "function", "a function"];

/** The cosine of the angle between two vectors of one length, in [-1, 1]; 0 where either is 0. */
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

/** Jaccard's index of category and tags, in [0, 1]: how many of them two streams share, of all that either has. */
export function traitSimilarity(a: StreamTraits, b: StreamTraits): number {
  const isSame = a.category === b.category;
  let shared = isSame ? 1 : 0;
  let all = isSame ? 1 : 2;
  // Tags are few: a search through them is faster than a set, and passes over repeats as well.
  for (const [i, tag] of a.tags.entries()) {
    if (a.tags.indexOf(tag) < i) continue;
    all++;
    if (b.tags.includes(tag)) shared++;
  }
  for (const [i, tag] of b.tags.entries()) if (b.tags.indexOf(tag) === i && !a.tags.includes(tag)) all++;
  return shared / all;
}

/**
 * Intra-list similarity: the mean similarity of two different places of a list; NaN for less than two. Intra-list
 * diversity is 1 minus it. Zheng et al. 2018 (DRN), equation 13, where the similarity is the cosine.
 *
 * @param similarity - Symmetric: of each pair one order is asked for.
 */
export function intraListSimilarity<T>(list: readonly T[], similarity: SimilarityFunction<T>): number {
  let sum = 0;
  for (let i = 1; i < list.length; i++) for (let j = 0; j < i; j++) sum += similarity(list[i]!, list[j]!);
  return sum / ((list.length * (list.length - 1)) / 2);
}

/**
 * -log2 of the share of all visits that went to an item, with one imagined visit to each item, in bits: how much of a
 * novelty it is to see it. The mean over what was shown is novelty (Vargas & Castells 2011).
 *
 * @param visits - To the item, >= 0.
 * @param total - To all items.
 * @param items - How many items there are, at least 1.
 */
export function selfInformation(visits: number, total: number, items: number): number {
  return log((total + items) / (visits + 1)) / Math.LN2;
}

/**
 * Personalisation: 1 minus the mean share of items that the lists of two users have in common, in [0, 1]; 0 when all
 * see the same. Takes one pass, not one for each pair of users. NaN for less than two lists.
 *
 * @param lists - Each of the same length, at least 1, without repeats.
 */
export function personalisation<T>(lists: readonly (readonly T[])[]): number {
  const users = new Map<T, number>();
  for (const list of lists) for (const item of list) users.set(item, (users.get(item) ?? 0) + 1);
  let shared = 0;
  for (const n of users.values()) shared += (n * (n - 1)) / 2;
  const pairs = (lists.length * (lists.length - 1)) / 2;
  return 1 - shared / (lists[0]?.length ?? 0) / pairs;
}

/** How unequally items were shown: the Gini coefficient of their numbers of exposures, with an interval by item. */
export function exposureGini(metric: string, exposures: ArrayLike<number>, options: Partial<ResampleOptions>): Figure {
  return { metric, slice: "all", ...bootstrapInterval(exposures, { ...options, statistic: gini }) };
}
