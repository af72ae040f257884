import { above, checked, integer, type Rules, rules } from "../../options.js";
import type { CatalogStream } from "../catalog.js";
import type { Ranker } from "../evaluation/ranking.js";
import { type Histories, histories, type Interactions, lastOfEachPair } from "../evaluation/splits.js";
import type { FeedbackEvent, Id } from "../events.js";
import type { Request } from "../policy.js";
import type { StreamTraits } from "../profile.js";
import { isLiking, Scorer } from "./baseline.js";
import { inverse } from "./cholesky.js";
import { Visits } from "./visits.js";

export interface EaseOptions {
  /** Weight of the squared length of the weights, (0, 1e9]. Default 300, the best of MovieLens-100K by NDCG@10. */
  lambda?: number;
}

const lambda = above(0, 1e9);
const RULES: Rules<EaseOptions> = { lambda };

/**
 * The item-to-item weights of EASE: those with a diagonal of 0 that reproduce who had what best, in closed form,
 * B = I - P / diag(P) by columns, for P = (G + lambda I)^-1.
 *
 * Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data".
 *
 * @param gram - (n, n): how many users had both items; on the diagonal, how many had the item.
 * @returns (n, n): row i, what item i, when a user has had it, adds to the score of each item.
 */
export function easeWeights(gram: Float64Array, n: number, lambda: number): Float64Array {
  const regularised = gram.slice();
  for (let i = 0; i < n; i++) regularised[i * n + i]! += lambda;
  const weights = inverse(regularised, n);
  const diagonal = Float64Array.from({ length: n }, (_, i) => weights[i * n + i]!);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) weights[i * n + j]! /= -diagonal[j]!;
    weights[i * n + i] = 0;
  }
  return weights;
}

/** A linear model of which items go together, on implicit feedback: {@link easeWeights}. */
export class Ease implements Ranker {
  readonly name = "ease";
  /** (items, items), row i: what item i, when a user has had it, adds to the score of each item. */
  readonly weights: Float64Array;
  private readonly sums: Float64Array;
  private readonly train: Interactions;
  private readonly byUser: Histories;

  /**
   * Takes time in proportion to items^3: 1.3 s for 1682.
   * @throws TypeError for an unknown option, RangeError for one out of range.
   */
  constructor(train: Interactions, options: EaseOptions = {}) {
    const { lambda } = checked(options, RULES, { lambda: 300 }) as Required<EaseOptions>;
    this.train = lastOfEachPair(train);
    this.byUser = histories(this.train);
    this.weights = easeWeights(this.gram(), train.items, lambda);
    this.sums = new Float64Array(train.items);
  }

  score(user: number, _now: number, items: Int32Array, out: Float64Array): void {
    const { weights, sums } = this;
    // Whole rows, though few items may be asked for: a gather would miss the cache at every step.
    sums.fill(0);
    for (const item of this.itemsOf(user)) {
      for (let j = 0, at = item * sums.length; j < sums.length; j++, at++) sums[j]! += weights[at]!;
    }
    for (let j = 0; j < items.length; j++) out[j] = sums[items[j]!]!;
  }

  private itemsOf(user: number): Int32Array {
    const { start, event } = this.byUser;
    return event.subarray(start[user]!, start[user + 1]!).map((e) => this.train.item[e]!);
  }

  private gram(): Float64Array {
    const { users, items } = this.train;
    const gram = new Float64Array(items * items);
    for (let user = 0; user < users; user++) {
      const own = this.itemsOf(user);
      for (const i of own) for (const j of own) gram[i * items + j]!++;
    }
    return gram;
  }
}

export interface EasePolicyOptions {
  /** Weight of the squared length of the weights, (0, 1e9]. Default 20. [set by hand] */
  lambda: number;
  /**
   * What a streamer whom the user liked adds to its own score, >= 0; the paper, where nothing is had twice, has 0.
   * Default 1: people come back.
   */
  repeat: number;
  /** New pairs of a user and a liked streamer after which the weights are computed anew, [1, 1e9]. Default 1000. */
  refitEvery: number;
  /** Streamers that it knows, those liked by most users, [1, 4096]: a refit takes their third power. Default 512. */
  streamers: number;
  /** Milliseconds of watching from which a user liked a stream. Default 60 000. */
  engagedMs: number;
  /** Users remembered, [1, 1e7]. Default 50 000. */
  users: number;
  /** Streamers remembered of a user, [1, 1024]. Default 64. */
  history: number;
}

const POLICY_RULES: Rules<EasePolicyOptions> = {
  lambda,
  repeat: rules.nonNegative,
  refitEvery: integer(1, 1e9),
  streamers: integer(1, 4096),
  engagedMs: rules.nonNegative,
  users: integer(1, 1e7),
  history: integer(1, 1024),
};

const POLICY_DEFAULTS: EasePolicyOptions = {
  lambda: 20,
  repeat: 1,
  refitEvery: 1000,
  streamers: 512,
  engagedMs: 60_000,
  users: 50_000,
  history: 64,
};

/**
 * EASE over streamers: which of them go together, computed anew every so often from whom each user liked.
 *
 * Until the first time it shows what is popular; what it does not know counts as its category does.
 */
export class EasePolicy extends Scorer {
  readonly name = "ease";
  readonly options: Readonly<EasePolicyOptions>;
  readonly #visits: Visits;
  /** Row of each streamer in the weights, (rows, rows). */
  #rows = new Map<Id, number>();
  #weights: Float64Array = new Float64Array(0);
  #pairs = 0;

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(options: Partial<EasePolicyOptions> = {}) {
    super();
    this.options = checked(options, POLICY_RULES, POLICY_DEFAULTS);
    this.#visits = new Visits(this.options.users, this.options.history);
  }

  protected override learn(event: FeedbackEvent, { streamer }: StreamTraits): void {
    const { engagedMs, refitEvery } = this.options;
    if (!isLiking(event, engagedMs) || !this.#visits.add(event.user, streamer)) return;
    if (++this.#pairs % refitEvery === 0) this.#fit();
  }

  protected override score({ user }: Request, streams: readonly CatalogStream[], scores: Float64Array): void {
    const rows = this.#rows;
    const liked = this.#known(this.#visits.of(user));
    for (let i = 0; i < streams.length; i++) {
      const row = rows.get(streams[i]!.streamer);
      scores[i] = row === undefined ? Number.NaN : 0;
      if (row === undefined) continue;
      for (const other of liked) {
        scores[i]! += other === row ? this.options.repeat : this.#weights[other * rows.size + row]!;
      }
    }
  }

  #fit(): void {
    const users = new Map<Id, number>();
    for (const own of this.#visits.all())
      for (const streamer of own) users.set(streamer, (users.get(streamer) ?? 0) + 1);
    // A stable sort: of streamers with as many users those stay that were met first.
    const most = [...users].sort(([, a], [, b]) => b - a).slice(0, this.options.streamers);
    this.#rows = new Map(most.map(([streamer], row) => [streamer, row]));
    const n = most.length;
    const gram = new Float64Array(n * n);
    for (const own of this.#visits.all()) {
      const known = this.#known(own);
      for (const i of known) for (const j of known) gram[i * n + j]!++;
    }
    this.#weights = easeWeights(gram, n, this.options.lambda);
  }

  /** The rows of those streamers that have one. */
  #known(streamers: readonly Id[]): number[] {
    return streamers.flatMap((streamer) => this.#rows.get(streamer) ?? []);
  }
}
