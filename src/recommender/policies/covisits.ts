import { exp } from "../../math.js";
import { above, checked, integer, type Rules, rules } from "../../options.js";
import type { CatalogStream } from "../catalog.js";
import { WEEK } from "../decay.js";
import type { FeedbackEvent, Id } from "../events.js";
import { Latest } from "../latest.js";
import type { Request } from "../policy.js";
import type { StreamTraits } from "../profile.js";
import { isLiking, Scorer } from "./baseline.js";
import { Visits } from "./visits.js";

export interface ItemKnnPolicyOptions {
  /** Milliseconds in which a visit comes to count half. Default 4 weeks. */
  halfLifeMs: number;
  /** Added to the root of the product of two streamers' visits: what few have in common says little. Default 5. */
  shrinkage: number;
  /** Weight of a streamer relative to the one that the user liked just after, (0, 1]. Default 0.98. */
  recency: number;
  /** Milliseconds of watching from which a user liked a stream. Default 60 000. */
  engagedMs: number;
  /** Users remembered, [1, 1e7]. Default 50 000. */
  users: number;
  /** Streamers remembered of a user, [1, 1024]. Default 64. */
  history: number;
  /** Streamers remembered, [1, 1e7]. Default 50 000. */
  streamers: number;
  /** Neighbours remembered of a streamer, [2, 65536]; beyond, the weakest eighth is forgotten. Default 256. */
  neighbours: number;
}

const TABLE: Rules<ItemKnnPolicyOptions> = {
  halfLifeMs: rules.positive,
  shrinkage: rules.nonNegative,
  recency: above(0, 1),
  engagedMs: rules.nonNegative,
  users: integer(1, 1e7),
  history: integer(1, 1024),
  streamers: integer(1, 1e7),
  neighbours: integer(2, 65_536),
};

const DEFAULTS: ItemKnnPolicyOptions = {
  halfLifeMs: 4 * WEEK,
  shrinkage: 5,
  recency: 0.98,
  engagedMs: 60_000,
  users: 50_000,
  history: 64,
  streamers: 50_000,
  neighbours: 256,
};

/** Half-lives in which the weight of new visits may grow before all are divided by it. */
const GROWTH = 64;

/** Who liked a streamer, and what else they liked. */
interface Audience {
  visits: number;
  /** Visits in common, by streamer. */
  common: Map<Id, number>;
}

/**
 * Item-based nearest neighbours over streamers, online: streamers whom the same users liked are near.
 *
 * The similarity is the cosine of who liked them, common / (sqrt(visits * visits) + shrinkage), where a pair counts from
 * the moment at which it was complete and fades from then on. A streamer's score is the sum of its similarities to
 * those whom the user liked, itself included: people come back. Instead of fading every count, each new one weighs more
 * than those before (Cormode et al. 2009, "Forward Decay").
 *
 * Sarwar et al. 2001, "Item-Based Collaborative Filtering Recommendation Algorithms"; `ItemKnn` is the same on a log.
 */
export class ItemKnnPolicy extends Scorer {
  readonly name = "itemknn";
  readonly options: Readonly<ItemKnnPolicyOptions>;
  readonly #visits: Visits;
  readonly #audiences: Latest<Id, Audience>;
  /** When a visit weighed 1. */
  #origin: number | undefined;

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(options: Partial<ItemKnnPolicyOptions> = {}) {
    super();
    this.options = checked(options, TABLE, DEFAULTS);
    this.#visits = new Visits(this.options.users, this.options.history);
    this.#audiences = new Latest(this.options.streamers);
  }

  protected override learn(event: FeedbackEvent, { streamer }: StreamTraits): void {
    if (!isLiking(event, this.options.engagedMs)) return;
    const before = this.#visits.of(event.user);
    if (!this.#visits.add(event.user, streamer)) return;
    const weight = this.#weightAt(event.time);
    const own = this.#audiences.get(streamer) ?? { visits: 0, common: new Map() };
    this.#audiences.set(streamer, own);
    own.visits += weight;
    for (const other of before) {
      const audience = this.#audiences.get(other);
      if (audience === undefined) continue;
      this.#join(own, other, weight);
      this.#join(audience, streamer, weight);
    }
  }

  protected override score({ user, now }: Request, streams: readonly CatalogStream[], scores: Float64Array): void {
    const { recency } = this.options;
    const liked = this.#visits.of(user).reverse();
    const shrinkage = this.options.shrinkage * this.#weightAt(now);
    for (let i = 0; i < streams.length; i++) {
      const { streamer } = streams[i]!;
      const audience = this.#audiences.get(streamer);
      scores[i] = audience === undefined ? Number.NaN : 0;
      if (audience === undefined) continue;
      let weight = 1;
      for (const other of liked) {
        const common = other === streamer ? audience.visits : (audience.common.get(other) ?? 0);
        const visits = common > 0 ? (this.#audiences.get(other)?.visits ?? 0) : 0;
        if (visits > 0) scores[i]! += (weight * common) / (Math.sqrt(audience.visits * visits) + shrinkage);
        weight *= recency;
      }
    }
  }

  #join(audience: Audience, other: Id, weight: number): void {
    const { common } = audience;
    const { neighbours } = this.options;
    common.set(other, (common.get(other) ?? 0) + weight);
    if (common.size <= neighbours) return;
    // A sort by weight keeps the order of the map where weights are equal.
    const entries = [...common].sort(([, a], [, b]) => b - a);
    audience.common = new Map(entries.slice(0, Math.max(1, neighbours - (neighbours >> 3))));
  }

  /** What a visit weighs now. Moves the origin, and all weights with it, before numbers grow out of bounds. */
  #weightAt(now: number): number {
    this.#origin ??= now;
    const { halfLifeMs } = this.options;
    let halfLives = (now - this.#origin) / halfLifeMs;
    if (halfLives > GROWTH) {
      const factor = exp(-Math.LN2 * Math.min(halfLives, 1000));
      for (const audience of this.#audiences.values()) {
        audience.visits *= factor;
        for (const [other, common] of audience.common) audience.common.set(other, common * factor);
      }
      this.#origin = now;
      halfLives = 0;
    }
    return exp(Math.LN2 * halfLives);
  }
}
