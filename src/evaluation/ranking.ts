import { type Interactions, userHistories } from "../logs/index.js";
import { log, Random } from "../numeric/index.js";
import {
  type Figure,
  groupOf,
  type Interval,
  type ResampleOptions,
  Tally,
  topK,
  wilsonInterval,
} from "../statistics/index.js";

/** Scores items for a user: what evaluation by ranking needs of a recommender. */
export interface Ranker {
  readonly name: string;
  /**
   * Writes the score of `items[j]` for `user` at the moment `now` to `out[j]`, higher is better, in any unit.
   *
   * @param now Milliseconds, on the clock of the interactions.
   * @param items Dense integers, each at most once, in any order.
   * @param out At least as long as `items`; every score must be a number (not NaN).
   */
  score(user: number, now: number, items: Int32Array, out: Float64Array): void;
}

/**
 * Which items the held-out one has to beat.
 *
 * - `"full"`: all items that the user has not had in training. The one to trust.
 * - `"sampled"`: `negatives` (at least 1, 99 is usual) of these, drawn uniformly without repetition (He et al. 2017,
 *   "Neural Collaborative Filtering"). Reads far higher than `"full"` and may order methods otherwise (Krichene & Rendle 2020, "On Sampled
 *   Metrics for Item Recommendation"); only for comparison with results published that way.
 * - `"given"`: these, a list for each test interaction, in the order of the test set, each item at most once and the
 *   held-out one not at all. For comparison with a published result of which the draw is known.
 */
export type RankingProtocol =
  | { kind: "full" }
  | { kind: "sampled"; negatives: number; seed: number }
  | { kind: "given"; negatives: readonly Int32Array[] };

/** Where the held-out items came: one entry per test interaction, in the order of the test set. */
export interface Placements {
  /** How many candidates scored higher than the held-out item. */
  better: Int32Array;
  /** How many other candidates scored exactly the same. */
  tied: Int32Array;
}

/** Means over the test interactions, and coverage. All are in [0, 1], higher is better. */
export interface RankingScores {
  /** Number of test interactions. */
  n: number;
  hitRate: number;
  ndcg: number;
  mrr: number;
  /**
   * The share of all items that are in the top k of at least one user of the test set, with the interval of a share of
   * items drawn at random; of tied items the one with the lowest index comes first. Under the full protocol only.
   */
  coverage?: Interval;
}

/** The scored candidates of one test interaction; the arrays are overwritten by the next. */
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
  const { start, event } = userHistories(train);
  const seen = new Uint8Array(train.items);
  const items = new Int32Array(train.items);
  const scores = new Float64Array(train.items);
  requireNegatives(protocol, train, test);
  const random = protocol.kind === "sampled" ? Random.named(protocol.seed, "negatives") : undefined;
  for (let t = 0; t < test.user.length; t++) {
    const user = test.user[t]!;
    const held = test.item[t]!;
    const own = event.subarray(start[user]!, start[user + 1]!);
    for (const e of own) seen[train.item[e]!] = 1;
    let count = 0;
    let positive = 0;
    for (let item = 0; item < train.items; item++) {
      if (item === held) positive = count;
      if (seen[item] === 0 || item === held) items[count++] = item;
    }
    for (const e of own) seen[train.item[e]!] = 0;
    if (protocol.kind === "sampled") {
      count = draw(items.subarray(0, count), positive, protocol.negatives, random!);
      positive = 0;
    } else if (protocol.kind === "given") {
      items[0] = held;
      items.set(protocol.negatives[t]!, 1);
      count = 1 + protocol.negatives[t]!.length;
      positive = 0;
    }
    const ballot: Ballot = { test: t, items: items.subarray(0, count), scores: scores.subarray(0, count), positive };
    ranker.score(user, test.time[t]!, ballot.items, ballot.scores);
    const nan = ballot.scores.findIndex(Number.isNaN);
    if (nan >= 0) throw new Error(`${ranker.name}: the score of item ${items[nan]} for user ${user} is NaN`);
    yield ballot;
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

/** Moves the held-out item and then random others to the front; returns how many these are together. */
function draw(items: Int32Array, positive: number, negatives: number, random: Random): number {
  const count = Math.min(1 + negatives, items.length);
  swap(items, 0, positive);
  for (let j = 1; j < count; j++) swap(items, j, j + random.below(items.length - j));
  return count;
}

function swap(items: Int32Array, a: number, b: number): void {
  const item = items[a]!;
  items[a] = items[b]!;
  items[b] = item;
}

/** Enters the place of one held-out item. */
function enter(placements: Placements, { test, scores, positive }: Ballot): void {
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

function emptyPlacements(n: number): Placements {
  return { better: new Int32Array(n), tied: new Int32Array(n) };
}

/**
 * Ranks the held-out item of every test interaction among its candidates.
 *
 * @param train What the user has had: never a candidate, unless it is the held-out item itself.
 * @throws Error when a score is NaN: it would compare as neither better nor worse, and so flatter the ranker.
 */
export function place(ranker: Ranker, train: Interactions, test: Interactions, protocol: RankingProtocol): Placements {
  const placements = emptyPlacements(test.user.length);
  for (const ballot of ballots(ranker, train, test, protocol)) enter(placements, ballot);
  return placements;
}

/**
 * HR@k of each test interaction: 1 when the held-out item is among the k best, else 0. A tie counts as its expectation
 * over all orders of the tied items, so that equal scores are worth exactly what chance is worth, and never more
 * (McSherry & Najork 2008, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
 * Scores").
 *
 * @param k At least 1.
 */
export function hitRate(placements: Placements, k: number): Float64Array {
  return expectation(placements, (rank) => (rank < k ? 1 : 0));
}

/** NDCG@k of each test interaction, 1 / log2(rank + 1) for a rank from 1 to k, else 0; ties as in {@link hitRate}. */
export function ndcg(placements: Placements, k: number): Float64Array {
  return expectation(placements, (rank) => (rank < k ? Math.LN2 / log(rank + 2) : 0));
}

/** 1 / rank of each test interaction, whatever the rank; the mean is the MRR; ties as in {@link hitRate}. */
export function reciprocalRank(placements: Placements): Float64Array {
  return expectation(placements, (rank) => 1 / (rank + 1));
}

/** The mean of `gain` over the ranks (from 0) that a held-out item may get among those it is tied with. */
function expectation({ better, tied }: Placements, gain: (rank: number) => number): Float64Array {
  const values = new Float64Array(better.length);
  let ranks = 0;
  for (let t = 0; t < better.length; t++) ranks = Math.max(ranks, better[t]! + tied[t]! + 1);
  const sums = new Float64Array(ranks + 1);
  for (let rank = 0; rank < ranks; rank++) sums[rank + 1] = sums[rank]! + gain(rank);
  for (let t = 0; t < values.length; t++) {
    // Without a tie the gain itself, free of the rounding of a difference of sums.
    const last = better[t]! + tied[t]!;
    values[t] = tied[t] === 0 ? gain(last) : (sums[last + 1]! - sums[better[t]!]!) / (tied[t]! + 1);
  }
  return values;
}

/**
 * HR@k, NDCG@k and MRR with their intervals, by user: `hr_at_k`, `ndcg_at_k`, `mrr`.
 *
 * @param test What was placed.
 * @param k At least 1.
 */
export function rankingFigures(
  placements: Placements,
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
 * @param k Length of the list, at least 1; default 10.
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
    hitRate: mean(hitRate(placements, k)),
    ndcg: mean(ndcg(placements, k)),
    mrr: mean(reciprocalRank(placements)),
  };
  if (protocol.kind === "full") scores.coverage = wilsonInterval(sum(shown), train.items);
  return scores;
}

function sum(values: Float64Array | Uint8Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function mean(values: Float64Array): number {
  return sum(values) / values.length;
}
