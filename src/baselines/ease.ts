import { above, checked, integer, nonNegative, type Rules } from "../check/index.js";
import { ENGAGED_MS, type FeedbackEvent, type Id, isLiking, type Request } from "../protocol/index.js";
import { easeWeights } from "../ranking/index.js";
import { type CatalogStream, type StreamTraits, Visits } from "../recommender/state/index.js";
import { topK } from "../statistics/index.js";
import { ScoringPolicy } from "./baseline.js";

export interface EasePolicyOptions {
  /** Weight of the squared length of the weights, (0, 1e9]. Default 20. [set by hand] */
  lambda: number;
  /**
   * Addend to the score of a streamer that the user liked before, >= 0. Default 1, as people come back; 0 in the paper,
   * where no item is consumed twice.
   */
  repeat: number;
  /** Number of new pairs of a user and a liked streamer between two fits, [1, 1e9]. Default 1000. */
  refitEvery: number;
  /**
   * Number of streamers in the model, those liked by most users, [1, 4096]; a fit takes O(streamers^3). Default 512.
   */
  streamers: number;
  /** Milliseconds of watching from which a watch counts as a like, >= 0. Default 60 000. */
  engagedMs: number;
  /** Number of users remembered, [1, 1e7]. Default 50 000. */
  users: number;
  /** Number of liked streamers remembered of each user, [1, 1024]. Default 64. */
  history: number;
}

const POLICY_RULES: Rules<EasePolicyOptions> = {
  lambda: above(0, 1e9),
  repeat: nonNegative,
  refitEvery: integer(1, 1e9),
  streamers: integer(1, 4096),
  engagedMs: nonNegative,
  users: integer(1, 1e7),
  history: integer(1, 1024),
};

const POLICY_DEFAULTS: EasePolicyOptions = {
  lambda: 20,
  repeat: 1,
  refitEvery: 1000,
  streamers: 512,
  engagedMs: ENGAGED_MS,
  users: 50_000,
  history: 64,
};

/**
 * EASE over streamers: item-to-item weights, fitted anew every `refitEvery` pairs from the streamers that each user
 * liked. `Ease` of `liveq/ranking` fits a whole log once.
 *
 * Before the first fit it shows the most popular streams; unknown streamers score as the mean of their category.
 */
export class EasePolicy extends ScoringPolicy {
  readonly name = "ease";
  readonly options: Readonly<EasePolicyOptions>;
  readonly #visits: Visits;
  /** Row of each streamer in the weights. */
  #rows = new Map<Id, number>();
  /** (rows, rows) */
  #weights: Float64Array = new Float64Array(0);
  #pairs = 0;

  /**
   * @param instance - Part of the names of its decisions. Default: 64 random bits.
   * @throws TypeError for an unknown option, RangeError for one out of range.
   */
  constructor(options: Partial<EasePolicyOptions> = {}, instance?: string) {
    super(instance);
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
    // Of streamers with equally many users, those met first stay.
    const most = topK([...users.values()], this.options.streamers);
    const streamers = [...users.keys()];
    this.#rows = new Map(Array.from(most, (at, row) => [streamers[at]!, row]));
    const n = most.length;
    const gram = new Float64Array(n * n);
    for (const own of this.#visits.all()) {
      const known = this.#known(own);
      for (const i of known) for (const j of known) gram[i * n + j]!++;
    }
    this.#weights = easeWeights(gram, n, this.options.lambda);
  }

  /** The rows of the streamers in the model. */
  #known(streamers: readonly Id[]): number[] {
    return streamers.flatMap((streamer) => this.#rows.get(streamer) ?? []);
  }
}
