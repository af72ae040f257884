import { checked, nonNegative, type Rules } from "../check/index.js";
import { ENGAGED_MS, type FeedbackEvent, isLiking, type Request } from "../protocol/index.js";
import {
  type CatalogStream,
  NEIGHBOUR_TABLE,
  NEIGHBOURS,
  type Nearness,
  type NeighbourOptions,
  Neighbours,
  type StreamTraits,
} from "../recommender/state/index.js";
import { ScoringPolicy } from "./baseline.js";

export interface ItemKnnPolicyOptions extends NeighbourOptions {
  /** Milliseconds of watching from which a watch counts as a like, >= 0. Default 60 000. */
  engagedMs: number;
}

const TABLE: Rules<ItemKnnPolicyOptions> = { ...NEIGHBOUR_TABLE, engagedMs: nonNegative };

const DEFAULTS: ItemKnnPolicyOptions = { ...NEIGHBOURS, engagedMs: ENGAGED_MS };

/**
 * Item-based nearest neighbours over streamers, learned online: a streamer's score is the sum of its similarities to
 * the streamers that the user liked, itself included, as people come back. The similarities fade with time and are
 * shrunk (`Neighbours` of the recommender); `ItemKnn` of `liveq/ranking` is the plain algorithm on a whole log.
 */
export class ItemKnnPolicy extends ScoringPolicy {
  readonly name = "itemknn";
  readonly options: Readonly<ItemKnnPolicyOptions>;
  readonly #neighbours: Neighbours;
  readonly #nearness: Nearness = { all: 0, others: 0, weight: 0, nearest: 0 };

  /**
   * @param instance - Part of the names of its decisions. Default: 64 random bits.
   * @throws TypeError for an unknown option, RangeError for one out of range.
   */
  constructor(options: Partial<ItemKnnPolicyOptions> = {}, instance?: string) {
    super(instance);
    this.options = checked(options, TABLE, DEFAULTS);
    const { engagedMs: _, ...rest } = this.options;
    this.#neighbours = new Neighbours(rest);
  }

  protected override learn(event: FeedbackEvent, { streamer }: StreamTraits): void {
    if (isLiking(event, this.options.engagedMs)) this.#neighbours.learn(event.user, streamer, event.time);
  }

  protected override score({ user, now }: Request, streams: readonly CatalogStream[], scores: Float64Array): void {
    this.#neighbours.begin(user, now);
    for (let i = 0; i < streams.length; i++) {
      scores[i] = this.#neighbours.read(streams[i]!.streamer, this.#nearness) ? this.#nearness.all : Number.NaN;
    }
  }
}
