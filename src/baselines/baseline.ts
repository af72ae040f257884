import { mustBe } from "../check/index.js";
import {
  type Decision,
  type FeedbackEvent,
  type Id,
  type LiveEvent,
  type Policy,
  parseEvent,
  parseRequest,
  type Receipt,
  type Request,
  STREAM_TIMEOUT_MS,
  type TargetPolicy,
  type UserEvent,
} from "../protocol/index.js";
import { Offers } from "../recommender/retrieval/index.js";
import {
  type CatalogStream,
  Intake,
  instanceName,
  newInstance,
  prefixOf,
  type StreamTraits,
  Watches,
} from "../recommender/state/index.js";
import { topK } from "../statistics/index.js";

/** A baseline's choice of streams for one request. */
export interface SlateChoice {
  /** Positions among the streams on offer, best first, without repeats. */
  chosen: readonly number[];
  /** For each chosen stream, as in `Decision`. */
  propensities: number[];
  scores: number[];
}

/** The base of all baselines: keeps the streams on air, finds the streamer of each feedback, and makes decisions. */
export abstract class Baseline implements Policy, TargetPolicy {
  abstract readonly name: string;
  /**
   * Milliseconds without a sign of life of a stream, any event that names it, after which it is taken off air, as its end was
   * lost. 0: never, for catalogues, whose items have no end. Default 24 hours.
   */
  streamTimeoutMs: number = STREAM_TIMEOUT_MS;
  readonly #offers = new Offers();
  readonly #watches = new Watches();
  readonly #intake = new Intake();
  readonly #instance: string;
  #decisions = 0;

  /**
   * @param instance - Part of the names of its decisions, `NAME-INSTANCE-0` and so on. Default: 64 random bits.
   * @throws RangeError for an instance that cannot be part of a name.
   */
  constructor(instance: string = newInstance()) {
    if (!instanceName[0](instance)) throw mustBe("instance", instanceName[1], instance);
    this.#instance = instance;
  }

  /** @throws EventError for an invalid request. */
  recommend(request: Request): Decision {
    const parsed = parseRequest(request);
    this.#intake.follow(parsed.now);
    this.#offers.catalogue.present(parsed.now);
    for (const watch of this.#watches.settleRequest(parsed.user, this.#intake.clock.settled)) this.#take(watch);
    const streams = this.#offers.among(parsed);
    const { chosen, propensities, scores } = this.choose(parsed, streams);
    return {
      id: `${prefixOf(this.name, this.#instance)}${this.#decisions++}`,
      user: parsed.user,
      time: parsed.now,
      slate: chosen.map((i) => streams[i]!.id),
      propensities,
      scores,
    };
  }

  /**
   * For each position of a slate, this policy's probability of each stream: see {@link TargetPolicy}.
   * @throws EventError for an invalid request. Error for a policy without known probabilities.
   */
  distributions(request: Request, slate: readonly Id[]): Map<Id, number>[] {
    const parsed = parseRequest(request);
    return this.chances(parsed, this.#offers.among(parsed), slate);
  }

  /**
   * Takes an event; see {@link Policy}.
   * @throws EventError for what is no event, RangeError for `now`; nothing changes then.
   */
  feedback(event: LiveEvent, now?: number): Receipt {
    const parsed = parseEvent(event);
    const { clock } = this.#intake;
    const receipt = this.#intake.receive(parsed, now, (repeated) =>
      this.#offers.catalogue.changes(repeated, clock.time),
    );
    if (receipt !== "taken") return receipt;
    const { time, settled } = clock;
    // What users share counts no later time than the host's.
    parsed.time = Math.min(parsed.time, time);
    for (const each of this.#watches.settle(parsed, time, settled)) this.#take(each);
    // Last: the event's own stream has had its sign.
    this.#offers.end(parsed, Number.isFinite(settled) ? settled : time, this.streamTimeoutMs);
    return receipt;
  }

  #take(parsed: LiveEvent): void {
    if (!("stream" in parsed)) {
      this.meet(parsed);
      return;
    }
    const { catalogue } = this.#offers;
    const stream = catalogue.find(parsed.stream);
    const early = this.#offers.feedback(parsed, stream, this.#intake.clock.time);
    if ("user" in parsed) {
      if (stream !== undefined && parsed.kind !== "heartbeat") this.learn(parsed, stream);
      return;
    }
    const now = catalogue.get(parsed.stream);
    if (parsed.kind === "on_air" && now !== undefined) this.offer(now);
    for (const update of early) this.#take(update);
  }

  /** Chooses at most `request.k` of the streams. */
  protected abstract choose(request: Request, streams: readonly CatalogStream[]): SlateChoice;

  /** The result of `distributions` for the streams on offer. Default: throws, as the probabilities are unknown. */
  protected chances(_request: Request, _streams: readonly CatalogStream[], _slate: readonly Id[]): Map<Id, number>[] {
    throw new Error(`policy ${JSON.stringify(this.name)} does not know its probabilities`);
  }

  /** Learns from a user's feedback to a stream; a watch reported by heartbeats comes once, when it has ended. */
  protected learn(_event: FeedbackEvent, _stream: StreamTraits): void {}

  /** Takes an event about a user alone. */
  protected meet(_event: UserEvent): void {}

  /** Takes a stream that went on air. */
  protected offer(_stream: StreamTraits): void {}
}

/** A baseline that always shows the streams with the highest scores. */
export abstract class ScoringPolicy extends Baseline {
  #scores = new Float64Array(0);

  /**
   * Writes the score of each stream for the user of the request. NaN, for an unknown stream, becomes the mean score of
   * its category among these streams, or else of all of them.
   */
  protected abstract score(request: Request, streams: readonly CatalogStream[], scores: Float64Array): void;

  protected override choose(request: Request, streams: readonly CatalogStream[]): SlateChoice {
    const scores = this.#score(request, streams);
    const chosen = best(streams, scores, request.k);
    return { chosen, propensities: chosen.map(() => 1), scores: chosen.map((i) => scores[i]!) };
  }

  /** The best stream that is left has probability 1. */
  protected override chances(request: Request, streams: readonly CatalogStream[], slate: readonly Id[]) {
    // The best stream left at any position is among the first `slate.length`.
    const ranked = best(streams, this.#score(request, streams), slate.length).map((i) => streams[i]!.id);
    return slate.map((_, position) => {
      const left = ranked.find((id) => !slate.slice(0, position).includes(id));
      return new Map(left === undefined ? [] : [[left, 1]]);
    });
  }

  /** The score of each stream; a view that the next call overwrites. */
  #score(request: Request, streams: readonly CatalogStream[]): Float64Array {
    if (this.#scores.length < streams.length) this.#scores = new Float64Array(2 * streams.length);
    const scores = this.#scores.subarray(0, streams.length);
    this.score(request, streams, scores);
    fillUnknown(streams, scores);
    return scores;
  }
}

interface Mean {
  sum: number;
  n: number;
}

function fillUnknown(streams: readonly CatalogStream[], scores: Float64Array): void {
  if (!scores.some(Number.isNaN)) return;
  const all: Mean = { sum: 0, n: 0 };
  const categories = new Map<string, Mean>();
  for (const [i, { category }] of streams.entries()) {
    if (Number.isNaN(scores[i]!)) continue;
    const own = categories.get(category) ?? { sum: 0, n: 0 };
    categories.set(category, own);
    for (const mean of [own, all]) {
      mean.sum += scores[i]!;
      mean.n++;
    }
  }
  for (const [i, { category }] of streams.entries()) {
    if (!Number.isNaN(scores[i]!)) continue;
    const { sum, n } = categories.get(category) ?? all;
    scores[i] = n > 0 ? sum / n : 0;
  }
}

/** Positions of the k highest scores, highest first; of equal ones that of more viewers, then of the lower index. */
function best(streams: readonly CatalogStream[], scores: Float64Array, k: number): number[] {
  const precedes = (a: number, b: number) => {
    const [x, y] = [streams[a]!, streams[b]!];
    return x.viewers === y.viewers ? x.index < y.index : x.viewers > y.viewers;
  };
  return Array.from(topK(scores, k, precedes));
}
