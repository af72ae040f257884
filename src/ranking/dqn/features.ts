import { log1p } from "../../numeric/index.js";
import type { FactorRanker } from "../bpr.js";
import type { RankerFeatureGroup } from "./groups.js";
import { GENRE_BITS, type UserHistory } from "./history.js";
import { type ItemTable, memoriesOf } from "./items.js";
import { TREND_SPANS } from "./trend.js";

/** Names of a candidate's features, in the order of a row. */
export function featureNames(features: readonly RankerFeatureGroup[]): string[] {
  const names: string[] = [];
  if (features.includes("popularity")) names.push("log_popularity");
  if (features.includes("trend")) names.push(...TREND_SPANS.map((span) => `trend_${span / 86_400_000}_days`));
  names.push(...memoriesOf(features).map(({ kind, rate }) => `${kind}_${rate}`));
  if (features.includes("factors")) names.push("factors");
  if (features.includes("genres")) names.push("genres", "recent_genres");
  if (features.includes("year")) names.push("year_gap");
  if (features.includes("rating")) names.push("mean_rating");
  return names;
}

/**
 * Writes the features of a candidate for a user with this history to `out[at ..]`, in the order of `featureNames`.
 *
 * In training, the counts include the user's next item; when serving they do not. So that a feature means the same in
 * both, the user's share of this *held* item is subtracted from every count (leave one out), and `factors` must be
 * trained without it.
 *
 * @param factors - Matrix factorisation; undefined without that group.
 * @param heldRating - Rating of the candidate where it is the held item: the user's next interaction in the log. NaN
 *   for other candidates, which the user does not have.
 */
export function writeFeatures(
  table: ItemTable,
  history: UserHistory,
  factors: FactorRanker | undefined,
  item: number,
  heldRating: number,
  out: Float32Array,
  at: number,
): void {
  const { features, memories, times } = table;
  const held = !Number.isNaN(heldRating);
  const count = table.count(item) - (held ? 1 : 0);
  if (features.includes("popularity")) out[at++] = log1p(count);
  if (times) {
    for (const span of TREND_SPANS) out[at++] = log1p(times.between(item, history.now - span, history.now));
  }
  const root = Math.sqrt(count + 1);
  for (let m = 0; m < memories.length; m++) out[at + m] = history.memories[m]![item]!;
  if (held) table.forget(history.items.subarray(0, history.length), history.times, history.now, out, at);
  for (const { kind, rate } of memories) {
    if (rate === 1 && kind !== "ease") out[at]! /= Math.sqrt(history.length + 1);
    // One more than the count shrinks the similarities of rare items, which are uncertain.
    if (kind !== "ease") out[at]! /= root;
    at++;
  }
  if (factors) out[at++] = factors.dot(history.user, item);
  const genres = table.genres[item]!;
  if (features.includes("genres")) {
    out[at++] = affinity(history.all.genres, genres);
    out[at++] = affinity(history.recent.genres, genres);
  }
  if (features.includes("year")) {
    out[at++] = Math.abs(table.year[item]! - history.recent.year / Math.max(history.recent.weight, 1));
  }
  if (features.includes("rating")) out[at] = table.meanRating(item, heldRating);
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
