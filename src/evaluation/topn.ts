import { checked, type Rule, type Rules, rules } from "../check/index.js";
import { type Interactions, userHistories } from "../logs/index.js";
import {
  bootstrapInterval,
  type Figure,
  gini,
  groupOf,
  type ListScores,
  type ResampleOptions,
  scoreList,
  Tally,
} from "../statistics/index.js";
import { intraListSimilarity, type Similarity, selfInformation } from "./diversity.js";
import type { Ranker } from "./ranking.js";

export interface ListOptions {
  /** Length of the list, at least 1. Default 10. */
  k: number;
  /** Of two items, for the diversity of lists. Default: none is told. */
  similarity: Similarity<number> | undefined;
}

const DEFAULTS: ListOptions = { k: 10, similarity: undefined };
const optional: Rule = [(value) => value === undefined || typeof value === "function", "a function"];
const TABLE: Rules<ListOptions> = { k: rules.atLeastOne, similarity: optional };

/** What lists are worth. */
export interface ListResult {
  /**
   * HR, precision, recall, F1, MAP and NDCG at k, `accuracy`, `mrr`, `novelty_bits_at_k` and, given a similarity,
   * `diversity_at_k`: means over users; `coverage_at_k` and `exposure_gini_at_k`: of items. All with their intervals.
   */
  figures: Figure[];
  /** The sums behind the means, to be compared with those of another ranker: see {@link Tally.minus}. */
  tally: Tally;
}

/** The scores of a list, by the name of the figure that is their mean. */
const MEANS: Readonly<Record<string, keyof ListScores>> = {
  hr: "hitRate",
  precision: "precision",
  recall: "recall",
  f1: "f1",
  map: "averagePrecision",
  ndcg: "ndcg",
};

/** Positions by falling score; of equal scores the lowest position first. */
function byScore(scores: Float64Array): Int32Array {
  return Int32Array.from(scores.keys()).sort((a, b) => {
    if (scores[a] === scores[b]) return a - b;
    return scores[a]! > scores[b]! ? -1 : 1;
  });
}

/**
 * Ranks for each user of the test set all items that the user has not had in training, and scores the list against all
 * that the user had in the test set: for splits that hold out several interactions of a user.
 *
 * @throws TypeError or RangeError for unknown or wrong options, or where no user has anything new in the test set. Error
 *   when a score is NaN.
 */
export function evaluateLists(
  ranker: Ranker,
  train: Interactions,
  test: Interactions,
  options: Partial<ListOptions> = {},
  resample: Partial<ResampleOptions> = {},
): ListResult {
  const { k, similarity } = checked<ListOptions>(options, TABLE, DEFAULTS);
  const names = Object.keys(MEANS).map((name) => `${name}_at_${k}`);
  const metrics = ["accuracy", "mrr", `novelty_bits_at_${k}`, ...names];
  if (similarity !== undefined) metrics.push(`diversity_at_${k}`);
  const tally = new Tally(metrics);
  const visits = new Int32Array(train.items);
  for (const item of train.item) visits[item]!++;
  const exposures = new Float64Array(train.items);
  for (const { user, list, relevant } of lists(ranker, train, test)) {
    const scores = scoreList(list, relevant, k);
    const top = Array.from(list.subarray(0, k));
    let bits = 0;
    for (const item of top) {
      exposures[item]!++;
      bits += selfInformation(visits[item]!, train.user.length, train.items);
    }
    const values = [scores.accuracy, scores.reciprocalRank, bits / top.length];
    for (const key of Object.values(MEANS)) values.push(scores[key]);
    if (similarity !== undefined) values.push(1 - intraListSimilarity(top, similarity));
    const group = groupOf(String(user));
    for (const [metric, value] of values.entries()) if (!Number.isNaN(value)) tally.add(group, metric, 1, value, 1);
  }
  const figures = tally.figures(resample);
  if (figures.length === 0) throw new RangeError('"test" must have an item that its user has not had in training');
  const all = { slice: "all" };
  const shown = exposures.map((n) => (n > 0 ? 1 : 0));
  figures.push({ metric: `coverage_at_${k}`, ...all, ...bootstrapInterval(shown, resample) });
  const spread = bootstrapInterval(exposures, { ...resample, statistic: (values) => gini(values) });
  figures.push({ metric: `exposure_gini_at_${k}`, ...all, ...spread });
  return { figures, tally };
}

interface UserList {
  user: number;
  /** All items that the user has not had, best first. Overwritten by the next. */
  list: Int32Array;
  relevant: Set<number>;
}

/** The whole ranking for each user who has something new in the test set. */
function* lists(ranker: Ranker, train: Interactions, test: Interactions): Generator<UserList, void, undefined> {
  const had = userHistories(train);
  const wanted = userHistories(test);
  const seen = new Uint8Array(train.items);
  const items = new Int32Array(train.items);
  const scores = new Float64Array(train.items);
  for (let user = 0; user < test.users; user++) {
    const held = wanted.event.subarray(wanted.start[user]!, wanted.start[user + 1]!);
    if (held.length === 0) continue;
    const own = had.event.subarray(had.start[user]!, had.start[user + 1]!);
    for (const e of own) seen[train.item[e]!] = 1;
    const relevant = new Set<number>();
    for (const e of held) if (seen[test.item[e]!] === 0) relevant.add(test.item[e]!);
    let count = 0;
    for (let item = 0; item < train.items; item++) if (seen[item] === 0) items[count++] = item;
    for (const e of own) seen[train.item[e]!] = 0;
    if (relevant.size === 0) continue;
    const candidates = items.subarray(0, count);
    const values = scores.subarray(0, count);
    ranker.score(user, test.time[held[0]!]!, candidates, values);
    const nan = values.findIndex(Number.isNaN);
    if (nan >= 0) throw new Error(`${ranker.name}: the score of item ${candidates[nan]} for user ${user} is NaN`);
    yield { user, list: byScore(values).map((j) => candidates[j]!), relevant };
  }
}
