import { log } from "../../math.js";
import { Random } from "../../random.js";
import { histories, type Interactions } from "./splits.js";

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
 * - `"sampled"`: `negatives` of these, drawn uniformly without repetition (He et al. 2017, "Neural Collaborative
 *   Filtering"). Reads far higher than `"full"` and may order methods otherwise (Krichene & Rendle 2020, "On Sampled
 *   Metrics for Item Recommendation"); only for comparison with results published that way.
 */
export type RankingProtocol = { kind: "full" } | { kind: "sampled"; negatives: number; seed: number };

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
  /** Under the full protocol only: see {@link coverage}. */
  coverage?: number;
}

/**
 * Ranks the held-out item of every test interaction among its candidates.
 *
 * @param train What the user has had: never a candidate, unless it is the held-out item itself.
 * @throws Error when a score is NaN: it would compare as neither better nor worse, and so flatter the ranker.
 */
export function place(ranker: Ranker, train: Interactions, test: Interactions, protocol: RankingProtocol): Placements {
  const n = test.user.length;
  const placements: Placements = { better: new Int32Array(n), tied: new Int32Array(n) };
  const candidates = new Candidates(train);
  const scores = new Float64Array(train.items);
  const random = protocol.kind === "sampled" ? Random.named(protocol.seed, "negatives") : undefined;
  for (let t = 0; t < n; t++) {
    const user = test.user[t]!;
    const items = candidates.unseen(user, test.item[t]!);
    const count = random && protocol.kind === "sampled" ? draw(items, protocol.negatives, random) : items.length;
    ranker.score(user, test.time[t]!, items.subarray(0, count), scores);
    const positive = scores[0]!;
    for (let j = 0; j < count; j++) {
      const score = scores[j]!;
      if (Number.isNaN(score)) throw new Error(`${ranker.name}: the score of item ${items[j]} for user ${user} is NaN`);
      if (score > positive) placements.better[t]!++;
      else if (score === positive && j > 0) placements.tied[t]!++;
    }
  }
  return placements;
}

/** The candidates of one user after the other, without an allocation for each. */
class Candidates {
  private readonly seen: Uint8Array;
  private readonly items: Int32Array;
  private readonly byUser;

  constructor(private readonly train: Interactions) {
    this.seen = new Uint8Array(train.items);
    this.items = new Int32Array(train.items);
    this.byUser = histories(train);
  }

  /** The items that the user has not had, by index; `first`, if given, comes first even if the user has had it. */
  unseen(user: number, first = -1): Int32Array {
    const { start, event } = this.byUser;
    const own = event.subarray(start[user]!, start[user + 1]!);
    for (const e of own) this.seen[this.train.item[e]!] = 1;
    let count = 0;
    if (first >= 0) this.items[count++] = first;
    for (let item = 0; item < this.train.items; item++) {
      if (this.seen[item] === 0 && item !== first) this.items[count++] = item;
    }
    for (const e of own) this.seen[this.train.item[e]!] = 0;
    return this.items.subarray(0, count);
  }
}

/** Moves `negatives` random ones of `items[1..]` behind `items[0]`; returns how many items there are up to the last. */
function draw(items: Int32Array, negatives: number, random: Random): number {
  const count = Math.min(1 + negatives, items.length);
  for (let j = 1; j < count; j++) {
    const other = j + random.below(items.length - j);
    const item = items[j]!;
    items[j] = items[other]!;
    items[other] = item;
  }
  return count;
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
 * The share of all items that are in the top k of at least one user of the test set, ranking all that this user has
 * not had in training. Of tied items the one with the lowest index comes first.
 */
export function coverage(ranker: Ranker, train: Interactions, test: Interactions, k: number): number {
  const candidates = new Candidates(train);
  const scores = new Float64Array(train.items);
  const shown = new Uint8Array(train.items);
  for (let t = 0; t < test.user.length; t++) {
    const items = candidates.unseen(test.user[t]!);
    ranker.score(test.user[t]!, test.time[t]!, items, scores);
    for (const j of topK(scores.subarray(0, items.length), k)) shown[items[j]!] = 1;
  }
  return shown.reduce((sum, one) => sum + one, 0) / train.items;
}

/** Positions of the k highest scores, highest first; of equal scores the lowest position first. */
export function topK(scores: Float64Array, k: number): Int32Array {
  const top = new Int32Array(Math.min(k, scores.length));
  let count = 0;
  for (let j = 0; j < scores.length; j++) {
    const score = scores[j]!;
    if (count === top.length && !(score > scores[top[count - 1]!]!)) continue;
    let at = count < top.length ? count++ : count - 1;
    for (; at > 0 && score > scores[top[at - 1]!]!; at--) top[at] = top[at - 1]!;
    top[at] = j;
  }
  return top;
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
  if (test.user.length === 0) throw new RangeError('"test" must have at least one interaction, got none');
  const placements = place(ranker, train, test, protocol);
  const scores: RankingScores = {
    n: test.user.length,
    hitRate: mean(hitRate(placements, k)),
    ndcg: mean(ndcg(placements, k)),
    mrr: mean(reciprocalRank(placements)),
  };
  if (protocol.kind === "full") scores.coverage = coverage(ranker, train, test, k);
  return scores;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
