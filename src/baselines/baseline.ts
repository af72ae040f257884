import {
  type Decision,
  type FeedbackEvent,
  type Id,
  type LiveEvent,
  type Policy,
  parseEvent,
  parseRequest,
  type Request,
  type TargetPolicy,
  type UserEvent,
} from "../protocol/index.js";
import { type CatalogStream, Catalogue, type StreamTraits } from "../recommender/state/index.js";
import { topK } from "../statistics/index.js";

/** What a baseline shows. */
export interface SlateChoice {
  /** Positions among the streams to choose from, best first, each once. */
  chosen: readonly number[];
  /** For each chosen one, as in `Decision`. */
  propensities: number[];
  scores: number[];
}

/** What all baselines share: what is on air, whom feedback is about, and the form of a decision. */
export abstract class Baseline implements Policy, TargetPolicy {
  abstract readonly name: string;
  readonly #catalog = new Catalogue();
  #decisions = 0;

  /** @throws EventError for a request that is not one. */
  recommend(request: Request): Decision {
    const parsed = parseRequest(request);
    const streams = this.#catalog.among(parsed.candidates);
    const { chosen, propensities, scores } = this.choose(parsed, streams);
    return {
      id: `${this.name}-${this.#decisions++}`,
      user: parsed.user,
      time: parsed.now,
      slate: chosen.map((i) => streams[i]!.id),
      propensities,
      scores,
    };
  }

  /**
   * For each position of a slate, how likely this policy would put each stream there: see {@link TargetPolicy}.
   * @throws EventError for a request that is not one. Error where the policy does not say how it chooses.
   */
  distributions(request: Request, slate: readonly Id[]): Map<Id, number>[] {
    const parsed = parseRequest(request);
    return this.chances(parsed, this.#catalog.among(parsed.candidates), slate);
  }

  /** @throws EventError for an event that is not one; nothing changes then. */
  feedback(event: LiveEvent): void {
    const parsed = parseEvent(event);
    if (!("stream" in parsed)) {
      this.meet(parsed);
      return;
    }
    const stream = this.#catalog.find(parsed.stream);
    if ("user" in parsed) {
      if (stream !== undefined) this.learn(parsed, stream);
      return;
    }
    this.#catalog.feedback(parsed, stream);
    const now = this.#catalog.get(parsed.stream);
    if (parsed.kind === "on_air" && now !== undefined) this.offer(now);
  }

  /** At most `request.k` of the streams. */
  protected abstract choose(request: Request, streams: readonly CatalogStream[]): SlateChoice;

  /** What `distributions` gives, of the streams to choose from. Default: the policy does not say. */
  protected chances(_request: Request, _streams: readonly CatalogStream[], _slate: readonly Id[]): Map<Id, number>[] {
    throw new Error(`policy ${JSON.stringify(this.name)} does not say how likely it chooses what`);
  }

  /** Takes what a user did with a stream. */
  protected learn(_event: FeedbackEvent, _stream: StreamTraits): void {}

  /** Takes what else is known of a user. */
  protected meet(_event: UserEvent): void {}

  /** A stream went on air. */
  protected offer(_stream: StreamTraits): void {}
}

/** A baseline that shows the streams of the highest score, surely. */
export abstract class ScoringPolicy extends Baseline {
  #scores = new Float64Array(0);

  /**
   * Writes the score of each stream for the user of the request; NaN where it knows nothing of the stream, which then
   * counts as the mean of its category among these streams, or else of all of them.
   */
  protected abstract score(request: Request, streams: readonly CatalogStream[], scores: Float64Array): void;

  protected override choose(request: Request, streams: readonly CatalogStream[]): SlateChoice {
    const scores = this.#score(request, streams);
    const chosen = best(streams, scores, request.k);
    return { chosen, propensities: chosen.map(() => 1), scores: chosen.map((i) => scores[i]!) };
  }

  /** The best one that is left, surely. */
  protected override chances(request: Request, streams: readonly CatalogStream[], slate: readonly Id[]) {
    // Of what is left at a position, the best is among as many as there are positions.
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
