import { log1p } from "../../numeric/index.js";
import type { FactorRanker } from "../bpr.js";
import { GENRE_BITS, type UserHistory } from "./history.js";
import { type ItemTable, MEMORIES } from "./items.js";

/** Names of a candidate's features. */
export const featureNames: readonly string[] = [
  "log_popularity",
  "cosine",
  "cosine_slow",
  "cosine_middle",
  "near_slow",
  "near_middle",
  "near_fast",
  "factors",
  "genres",
  "recent_genres",
  "year_gap",
  "mean_rating",
];

/** Number of a candidate's features. */
export const FEATURES: number = featureNames.length;

/**
 * Writes the features of a candidate for a user with this history to `out[at ..]`.
 *
 * In training, the counts include the user's next item; when serving they do not. So that a feature means the same in
 * both, the user's share of this *held* item is subtracted from every count (leave one out), and `factors` must be
 * trained without it.
 *
 * @param factors - Matrix factorisation.
 * @param heldRating - Rating of the candidate where it is the held item: the user's next interaction in the log. NaN
 *   for other candidates, which the user does not have.
 */
export function writeFeatures(
  table: ItemTable,
  history: UserHistory,
  factors: FactorRanker,
  item: number,
  heldRating: number,
  out: Float32Array,
  at: number,
): void {
  const held = !Number.isNaN(heldRating);
  const count = table.count(item) - (held ? 1 : 0);
  out[at++] = log1p(count);
  for (let m = 0; m < MEMORIES; m++) out[at + m] = history.memories[m]![item]!;
  if (held) table.forget(history.items.subarray(0, history.length), out, at);
  out[at]! /= Math.sqrt(history.length + 1);
  // One more than the count shrinks the similarities of rare items, which are uncertain.
  for (const end = at + MEMORIES; at < end; at++) out[at]! /= Math.sqrt(count + 1);
  out[at++] = factors.dot(history.user, item);
  const genres = table.genres[item]!;
  out[at++] = affinity(history.all.genres, genres);
  out[at++] = affinity(history.recent.genres, genres);
  out[at++] = Math.abs(table.year[item]! - history.recent.year / Math.max(history.recent.weight, 1));
  out[at] = table.meanRating(item, heldRating);
}

/** Cosine of genre weights and the genre flags of one item; 0 where either is empty. */
function affinity(weights: Float64Array, genres: number): number {
  let dot = 0;
  let squares = 0;
  let flags = 0;
  for (let g = 0; g < GENRE_BITS; g++) {
    const flag = (genres >>> g) & 1;
    dot += flag * weights[g]!;
    squares += weights[g]! * weights[g]!;
    flags += flag;
  }
  return dot === 0 ? 0 : dot / Math.sqrt(squares * flags);
}
