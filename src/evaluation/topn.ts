import { checked, positiveInteger, type Rule, type Rules } from "../check/index.js";
import { type Interactions, userHistories } from "../logs/index.js";
import {
  bootstrapInterval,
  type Figure,
  groupOf,
  type ListScores,
  type ResampleOptions,
  scoreList,
  Tally,
  topK,
} from "../statistics/index.js";
import { exposureGini, intraListSimilarity, type SimilarityFunction, selfInformation } from "./diversity.js";
import { type Ranker, scoreItems, UnseenItems } from "./ranking.js";

export interface ListEvaluationOptions {
  /** Length of the list, at least 1. Default 10. */
  k: number;
  /** Similarity of two items; adds the diversity of lists. Default undefined. */
  similarity: SimilarityFunction<number> | undefined;
}

const DEFAULTS: ListEvaluationOptions = { k: 10, similarity: undefined };
const optional: Rule = [(value) => value === undefined || typeof value === "function", "a function"];
const TABLE: Rules<ListEvaluationOptions> = { k: positiveInteger, similarity: optional };

/** The result of an evaluation of lists. */
export interface ListEvaluation {
  /**
   * HR, precision, recall, F1, MAP and NDCG at k, `accuracy`, `mrr`, `novelty_bits_at_k` and, given a similarity,
   * `diversity_at_k`: means over users. `coverage_at_k` and `exposure_gini_at_k`: over items. All with 95 % intervals.
   */
  figures: Figure[];
  /** The sums behind the means, for a comparison with another ranker: {@link Tally.minus}. */
  tally: Tally;
}

/** The score of a list behind each mean. */
const MEANS: Readonly<Record<string, keyof ListScores>> = {
  hr: "hitRate",
  precision: "precision",
  recall: "recall",
  f1: "f1",
  map: "averagePrecision",
  ndcg: "ndcg",
};

/**
 * Ranks for each user of the test set all items that are new to the user, and scores the list against the user's items
 * in the test set: for splits that hold out several interactions of a user.
 *
 * @throws TypeError or RangeError for unknown or wrong options, or a test set without an item that is new to its user.
 *   Error when a score is NaN.
 */
export function evaluateLists(
  ranker: Ranker,
  train: Interactions,
  test: Interactions,
  options: Partial<ListEvaluationOptions> = {},
  resample: Partial<ResampleOptions> = {},
): ListEvaluation {
  const { k, similarity } = checked<ListEvaluationOptions>(options, TABLE, DEFAULTS);
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
  const shown = exposures.map((n) => (n > 0 ? 1 : 0));
  figures.push({ metric: `coverage_at_${k}`, slice: "all", ...bootstrapInterval(shown, resample) });
  figures.push(exposureGini(`exposure_gini_at_${k}`, exposures, resample));
  return { figures, tally };
}

interface UserList {
  user: number;
  /** All items that are new to the user, best first. The next user's overwrites it. */
  list: Int32Array;
  relevant: Set<number>;
}

/** The whole ranking for each user with a new item in the test set. */
function* lists(ranker: Ranker, train: Interactions, test: Interactions): Generator<UserList, void, undefined> {
  const { start, event } = userHistories(test);
  const unseen = new UnseenItems(train);
  const buffer = new Float64Array(train.items);
  for (let user = 0; user < test.users; user++) {
    const held = event.subarray(start[user]!, start[user + 1]!);
    if (held.length === 0) continue;
    const items = unseen.of(user);
    const relevant = new Set(Array.from(held, (e) => test.item[e]!).filter((item) => unseen.has(item)));
    if (relevant.size === 0) continue;
    const scores = buffer.subarray(0, items.length);
    scoreItems(ranker, user, test.time[held[0]!]!, items, scores);
    yield { user, list: topK(scores, items.length).map((j) => items[j]!), relevant };
  }
}
