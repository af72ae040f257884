import { type Interactions, type UserHistories, userHistories } from "../logs/index.js";
import { Random } from "../numeric/index.js";
import {
  arithmeticMean,
  type Figure,
  groupOf,
  type Interval,
  type ResampleOptions,
  rankDiscount,
  Tally,
  topK,
  wilsonInterval,
} from "../statistics/index.js";

/** Scores items for a user. */
export interface Ranker {
  readonly name: string;
  /**
   * Writes the score of `items[j]` for `user` at the time `now` to `out[j]`: higher is better, in any unit.
   *
   * @param now - Milliseconds, as the times of the interactions.
   * @param items - Dense integers, each at most once, in any order.
   * @param out - At least as long as `items`; no score may be NaN.
   */
  score(user: number, now: number, items: Int32Array, out: Float64Array): void;
}

/**
 * The candidates among which a held-out item is ranked.
 *
 * - `"full"`: all items that are not in the user's training data. The one to trust.
 * - `"sampled"`: `negatives` (at least 1, usually 99) of these, drawn uniformly without repetition (He et al. 2017,
 *   "Neural Collaborative Filtering"). Its figures are far higher than those of `"full"`, and may order methods
 *   otherwise (Krichene & Rendle 2020, "On Sampled Metrics for Item Recommendation"); only for comparison with results
 *   published that way.
 * - `"given"`: a list for each test interaction, in the order of the test set, without repeats and without the held-out
 *   item. For comparison with a published result whose draw is known.
 */
export type RankingProtocol =
  | { kind: "full" }
  | { kind: "sampled"; negatives: number; seed: number }
  | { kind: "given"; negatives: readonly Int32Array[] };

/** The ranks of held-out items: one entry per test interaction, in the order of the test set. */
export interface HeldOutPlacements {
  /** Number of candidates with a higher score than the held-out item. */
  better: Int32Array;
  /** Number of other candidates with the same score. */
  tied: Int32Array;
}

/** Means over the test interactions, and coverage. All are in [0, 1]; higher is better. */
export interface RankingScores {
  /** Number of test interactions. */
  n: number;
  hitRate: number;
  ndcg: number;
  mrr: number;
  /**
   * The share of all items that are in the top k of at least one test interaction, with a Wilson interval; of tied
   * items the lowest comes first. Under the full protocol only.
   */
  coverage?: Interval;
}

/** The items that are new to a user: not in the user's training data. */
export class UnseenItems {
  readonly #train: Interactions;
  readonly #userHistories: UserHistories;
  readonly #isSeen: Uint8Array;
  readonly #items: Int32Array;
  #seen: Int32Array = new Int32Array(0);

  constructor(train: Interactions) {
    this.#train = train;
    this.#userHistories = userHistories(train);
    this.#isSeen = new Uint8Array(train.items);
    this.#items = new Int32Array(train.items);
  }

  /** The user's new items, and `also`, in ascending order; a view that the next call overwrites. */
  of(user: number, also = -1): Int32Array {
    const { start, event } = this.#userHistories;
    for (const e of this.#seen) this.#isSeen[this.#train.item[e]!] = 0;
    this.#seen = event.subarray(start[user]!, start[user + 1]!);
    for (const e of this.#seen) this.#isSeen[this.#train.item[e]!] = 1;
    let count = 0;
    for (let item = 0; item < this.#items.length; item++) {
      if (this.#isSeen[item] === 0 || item === also) this.#items[count++] = item;
    }
    return this.#items.subarray(0, count);
  }

  /** Whether an item is new to the user of the last call of `of`. */
  has(item: number): boolean {
    return this.#isSeen[item] === 0;
  }
}

/** Writes the scores of items. @throws Error when a score is NaN: it would compare as neither better nor worse. */
export function scoreItems(ranker: Ranker, user: number, now: number, items: Int32Array, out: Float64Array): void {
  ranker.score(user, now, items, out);
  const nan = out.findIndex(Number.isNaN);
  if (nan >= 0) throw new Error(`${ranker.name}: the score of item ${items[nan]} for user ${user} is NaN`);
}

/** The scored candidates of one test interaction; the next one overwrites the arrays. */
interface Ballot {
  /** Position in the test set. */
  test: number;
  items: Int32Array;
  scores: Float64Array;
  /** Position of the held-out item in `items`. */
  positive: number;
}

/** Scores the candidates of one test interaction after the other. */
function* ballots(
  ranker: Ranker,
  train: Interactions,
  test: Interactions,
  protocol: RankingProtocol,
): Generator<Ballot, void, undefined> {
  const unseen = new UnseenItems(train);
  const buffer = new Float64Array(train.items);
  requireNegatives(protocol, train, test);
  const random = protocol.kind === "sampled" ? Random.named(protocol.seed, "negatives") : undefined;
  for (let t = 0; t < test.user.length; t++) {
    const user = test.user[t]!;
    const held = test.item[t]!;
    let items: Int32Array;
    if (protocol.kind === "given") items = Int32Array.from([held, ...protocol.negatives[t]!]);
    else {
      items = unseen.of(user, held);
      if (protocol.kind === "sampled") items = draw(items, items.indexOf(held), protocol.negatives, random!);
    }
    const scores = buffer.subarray(0, items.length);
    scoreItems(ranker, user, test.time[t]!, items, scores);
    yield { test: t, items, scores, positive: items.indexOf(held) };
  }
}

/** @throws RangeError for negatives that cannot be ranked. */
function requireNegatives(protocol: RankingProtocol, train: Interactions, test: Interactions): void {
  if (protocol.kind === "full") return;
  const { kind, negatives } = protocol;
  if (kind === "sampled") {
    if (Number.isInteger(negatives) && negatives >= 1) return;
    throw new RangeError(`"negatives" must be an integer of at least 1, got ${negatives}`);
  }
  if (negatives.length !== test.user.length) {
    throw new RangeError(
      `"negatives" must have ${test.user.length} lists, one a test interaction, got ${negatives.length}`,
    );
  }
  for (const [t, list] of negatives.entries()) {
    const once = new Set(list).add(test.item[t]!);
    if (once.size === list.length + 1 && list.every((item) => item >= 0 && item < train.items)) continue;
    throw new RangeError(`"negatives[${t}]" must be other items below ${train.items} than ${test.item[t]}, each once`);
  }
}

/** Moves the held-out item, then random negatives, to the front; returns a view of these. */
function draw(items: Int32Array, positive: number, negatives: number, random: Random): Int32Array {
  const count = Math.min(1 + negatives, items.length);
  swap(items, 0, positive);
  for (let j = 1; j < count; j++) swap(items, j, j + random.below(items.length - j));
  return items.subarray(0, count);
}

function swap(items: Int32Array, a: number, b: number): void {
  const item = items[a]!;
  items[a] = items[b]!;
  items[b] = item;
}

/** Writes the placement of one held-out item. */
function enter(placements: HeldOutPlacements, { test, scores, positive }: Ballot): void {
  const held = scores[positive]!;
  let better = 0;
  let equal = 0;
  for (const score of scores) {
    if (score > held) better++;
    else if (score === held) equal++;
  }
  placements.better[test] = better;
  placements.tied[test] = equal - 1;
}

function emptyPlacements(n: number): HeldOutPlacements {
  return { better: new Int32Array(n), tied: new Int32Array(n) };
}

/**
 * Ranks the held-out item of every test interaction among its candidates.
 *
 * @param train - Items that the user has had here are no candidates, except the held-out item itself.
 * @throws RangeError for wrong negatives. Error when a score is NaN.
 */
export function placeHeldOut(
  ranker: Ranker,
  train: Interactions,
  test: Interactions,
  protocol: RankingProtocol,
): HeldOutPlacements {
  const placements = emptyPlacements(test.user.length);
  for (const ballot of ballots(ranker, train, test, protocol)) enter(placements, ballot);
  return placements;
}

/**
 * HR@k of each test interaction: 1 when the held-out item is among the k best, else 0. A tie counts as the expectation
 * over all orders of the tied items, so that equal scores are worth what chance is worth (McSherry & Najork 2008,
 * "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores").
 *
 * @param k - At least 1.
 */
export function hitRate(placements: HeldOutPlacements, k: number): Float64Array {
  return expectation(placements, (rank) => (rank < k ? 1 : 0));
}

/** NDCG@k of each test interaction, 1 / log2(rank + 1) for a rank from 1 to k, else 0; ties as in {@link hitRate}. */
export function ndcg(placements: HeldOutPlacements, k: number): Float64Array {
  return expectation(placements, (rank) => (rank < k ? rankDiscount(rank) : 0));
}

/** 1 / rank of each test interaction, for any rank; its mean is the MRR. Ties as in {@link hitRate}. */
export function reciprocalRank(placements: HeldOutPlacements): Float64Array {
  return expectation(placements, (rank) => 1 / (rank + 1));
}

/** The mean of `gain` over the ranks, from 0, that a held-out item can have among the items it is tied with. */
function expectation({ better, tied }: HeldOutPlacements, gain: (rank: number) => number): Float64Array {
  const values = new Float64Array(better.length);
  let ranks = 0;
  for (let t = 0; t < better.length; t++) ranks = Math.max(ranks, better[t]! + tied[t]! + 1);
  const sums = new Float64Array(ranks + 1);
  for (let rank = 0; rank < ranks; rank++) sums[rank + 1] = sums[rank]! + gain(rank);
  for (let t = 0; t < values.length; t++) {
    // Without a tie, the gain itself: a difference of sums would round.
    const last = better[t]! + tied[t]!;
    values[t] = tied[t] === 0 ? gain(last) : (sums[last + 1]! - sums[better[t]!]!) / (tied[t]! + 1);
  }
  return values;
}

/**
 * HR@k, NDCG@k and MRR with their intervals, by user: `hr_at_k`, `ndcg_at_k`, `mrr`.
 *
 * @param test - The same as in {@link placeHeldOut}.
 * @param k - At least 1.
 */
export function rankingFigures(
  placements: HeldOutPlacements,
  test: Interactions,
  k: number,
  options: Partial<ResampleOptions> = {},
): Figure[] {
  const tally = new Tally([`hr_at_${k}`, `ndcg_at_${k}`, "mrr"]);
  const values = [hitRate(placements, k), ndcg(placements, k), reciprocalRank(placements)];
  for (const [t, user] of test.user.entries()) {
    const group = groupOf(String(user));
    for (let metric = 0; metric < values.length; metric++) tally.add(group, metric, 1, values[metric]![t]!, 1);
  }
  return tally.figures(options);
}

/**
 * HR@k, NDCG@k, MRR and, under the full protocol, catalogue coverage@k.
 *
 * @param k - Length of the list, at least 1. Default 10.
 * @throws RangeError when the test set is empty. Error when a score is NaN.
 */
export function evaluateRanking(
  ranker: Ranker,
  train: Interactions,
  test: Interactions,
  protocol: RankingProtocol,
  k = 10,
): RankingScores {
  const n = test.user.length;
  if (n === 0) throw new RangeError('"test" must have at least one interaction, got none');
  const placements = emptyPlacements(n);
  const shown = new Uint8Array(train.items);
  for (const ballot of ballots(ranker, train, test, protocol)) {
    enter(placements, ballot);
    for (const j of topK(ballot.scores, k)) shown[ballot.items[j]!] = 1;
  }
  const scores: RankingScores = {
    n,
    hitRate: arithmeticMean(hitRate(placements, k)),
    ndcg: arithmeticMean(ndcg(placements, k)),
    mrr: arithmeticMean(reciprocalRank(placements)),
  };
  if (protocol.kind === "full")
    scores.coverage = wilsonInterval(
      shown.reduce((sum, each) => sum + each, 0),
      train.items,
    );
  return scores;
}
