import { checked, nonNegative, positiveInteger, type Rules } from "../check/index.js";
import { Latest } from "../collections/index.js";
import { log1p } from "../numeric/index.js";
import { ENGAGED_MS, type FeedbackEvent, type Id, type Request } from "../protocol/index.js";
import type { CatalogStream, StreamTraits } from "../recommender/state/index.js";
import { ScoringPolicy } from "./baseline.js";
import { watchWeight } from "./watch.js";

/** Vectors of users and streamers that learn online, such as `CollaborativeVectors`. */
export interface Affinities {
  /** Takes a streamer whose stream goes on air. */
  offer(streamer: Id, category: string, tags: readonly string[]): void;
  /** Learns from an engaged watch; `weight` > 0. */
  learn(user: Id, streamer: Id, category: string, weight: number, tags: readonly string[]): void;
  /** The inner product of their vectors; unknown users and streamers have vectors too. */
  dot(user: Id, streamer: Id, category: string, tags: readonly string[]): number;
}

export interface BprPolicyOptions {
  /** Milliseconds of watching from which the policy learns from a watch, >= 0. Default 60 000. */
  engagedMs: number;
  /**
   * Weight of log(1 + viewers) in a score, >= 0. Default 1: with 0, a policy that learns only from its own slates keeps
   * to the streams that it happened to show first, which on the simulated platform is no better than random.
   */
  popularity: number;
  /** Number of users remembered as known. Default 50 000. */
  users: number;
}

const TABLE: Rules<BprPolicyOptions> = {
  engagedMs: nonNegative,
  popularity: nonNegative,
  users: positiveInteger,
};

const DEFAULTS: BprPolicyOptions = { engagedMs: ENGAGED_MS, popularity: 1, users: 50_000 };

/**
 * Shows streams by popularity and the inner product of the user's and the streamer's vectors: matrix factorisation,
 * learned watch by watch. The vectors are those of {@link Affinities}; `Bpr` of `liveq/ranking` trains on a whole log.
 * Users without an engaged watch get the most popular streams: the vector of an unknown user does worse.
 */
export class BprPolicy extends ScoringPolicy {
  readonly name = "bpr";
  readonly options: Readonly<BprPolicyOptions>;
  readonly #affinities: Affinities;
  readonly #users: Latest<Id, true>;

  /**
   * @param affinities - Learns from this policy's events.
   * @param instance - Part of the names of its decisions. Default: 64 random bits.
   * @throws TypeError for an unknown option, RangeError for one out of range.
   */
  constructor(affinities: Affinities, options: Partial<BprPolicyOptions> = {}, instance?: string) {
    super(instance);
    this.options = checked(options, TABLE, DEFAULTS);
    this.#users = new Latest(this.options.users);
    this.#affinities = affinities;
  }

  protected override offer({ streamer, category, tags }: StreamTraits): void {
    this.#affinities.offer(streamer, category, tags);
  }

  protected override learn(event: FeedbackEvent, { streamer, category, tags }: StreamTraits): void {
    if (event.kind !== "watch" || event.watchMs < this.options.engagedMs) return;
    this.#users.set(event.user, true);
    this.#affinities.learn(event.user, streamer, category, watchWeight(event), tags);
  }

  protected override score({ user }: Request, streams: readonly CatalogStream[], scores: Float64Array): void {
    if (!this.#users.has(user)) {
      scores.fill(Number.NaN);
      return;
    }
    for (let i = 0; i < streams.length; i++) {
      const { streamer, category, tags, viewers } = streams[i]!;
      scores[i] = this.#affinities.dot(user, streamer, category, tags) + this.options.popularity * log1p(viewers);
    }
  }
}
