import { mustBe, oneOf } from "../../../check/index.js";
import type { Part } from "../../../engine/index.js";
import { log1p } from "../../../numeric/index.js";
import { type FeedbackEvent, type Id, isLiking, MINUTE } from "../../../protocol/index.js";
import {
  type CatalogStream,
  CollaborativeVectors,
  type Fact,
  type Keeper,
  type NamedReader,
  type State,
  type UserProfile,
  type UserTraits,
  type VectorOptions,
} from "../../state/index.js";
import { type FeatureContext, type FeatureGroup, type FeatureWriter, featureGroup } from "../group.js";
import { squashed } from "../scale.js";

const NAME = "vectors";

/** The names of a user's traits in collaborative vectors: kinds of people, not people. */
export function traitNames({ gender, region, language, device }: UserTraits): string[] {
  const given = { gender, region, language, device };
  return Object.entries(given).flatMap(([trait, value]) => (value === undefined ? [] : [`${trait}:${value}`]));
}

/** Collaborative vectors, and what they learn from. */
export interface TasteOptions extends VectorOptions {
  /**
   * `watches`: engaged watches alone. `visits`: clicks and approvals too, for platforms that do not measure watching, such
   * as shops: a click weighs 1, an approval 2, a watch log(1 + minutes). Default `watches`.
   */
  learnFrom: "watches" | "visits";
}

const SOURCES = oneOf("watches", "visits");

/** What a click and an approval weigh. Set by hand. */
const CLICK = 1;
const APPROVAL = 2;

/** Collaborative vectors of users and streamers, learned from every watch that counts. */
export class KeptVectors implements Keeper {
  readonly vectors: CollaborativeVectors;
  /** The options as given. */
  readonly options: Partial<TasteOptions>;
  readonly #state: State;
  readonly #takesVisits: boolean;

  constructor({ state, seed }: FeatureContext, options: Partial<TasteOptions>) {
    const { users, streamers } = state.users.options;
    const { learnFrom = "watches", ...own } = options;
    if (!SOURCES[0](learnFrom)) throw mustBe("learnFrom", SOURCES[1], learnFrom);
    this.options = options;
    this.vectors = new CollaborativeVectors({ seed, users, streamers, ...own });
    this.#state = state;
    this.#takesVisits = learnFrom === "visits";
  }

  /** Numbers in a vector. */
  get size(): number {
    return this.vectors.size;
  }

  /**
   * Writes a user's vector; returns false for a user without an own part: its vector would only find popular streams.
   */
  readUser(user: Id, out: Float32Array, offset: number): boolean {
    return this.vectors.readUser(user, out, offset, traitNames(this.#state.users.get(user)?.traits ?? {}));
  }

  readStreamer(streamer: Id, category: string, out: Float32Array, offset: number, tags: readonly string[]): boolean {
    return this.vectors.readStreamer(streamer, category, out, offset, tags);
  }

  feedback({ event, stream, isNew, sharedMs }: Fact): void {
    if (stream === undefined) return;
    const { streamer, category, tags } = stream;
    if (isNew) this.vectors.offer(streamer, category, tags);
    if (!("user" in event) || !("stream" in event)) return;
    const weight = this.#weightOf(event, sharedMs);
    if (weight === 0) return;
    const traits = traitNames(this.#state.users.get(event.user)?.traits ?? {});
    this.vectors.learn(event.user, streamer, category, weight, tags, traits);
  }

  #weightOf(event: FeedbackEvent, sharedMs: number): number {
    const { engagedMs } = this.#state.users.options;
    if (event.kind === "watch") return sharedMs < engagedMs ? 0 : log1p(sharedMs / MINUTE);
    if (!this.#takesVisits) return 0;
    return event.kind === "click" ? CLICK : isLiking(event, engagedMs) ? APPROVAL : 0;
  }

  forget(user: Id): void {
    this.vectors.forget(user);
  }

  forgetStreamer(streamer: Id): void {
    this.vectors.forgetStreamer(streamer);
  }

  forgetTrait(trait: string): void {
    this.vectors.forgetTrait(trait);
  }

  parts(name: string): Part[] {
    return [this.vectors.part(name)];
  }

  readers(name: string): NamedReader[] {
    return [[name, this.vectors.reader(name)]];
  }

  save(): null {
    return null;
  }

  load(): void {}
}

/** The vectors that a recommender keeps; undefined when no group asked for them. */
export function keptVectors(state: State): KeptVectors | undefined {
  return state.keeper(NAME) as KeptVectors | undefined;
}

/**
 * The vectors of a recommender, kept once for all groups that read them.
 * @throws RangeError for options that differ from an earlier group's.
 */
export function keepVectors(context: FeatureContext, options: Partial<TasteOptions>): CollaborativeVectors {
  const kept = context.state.keep(NAME, () => new KeptVectors(context, options));
  const [own, given] = [kept.options, options].map((object) => JSON.stringify(Object.entries(object).sort()));
  if (own !== given) throw mustBe("features", '"taste" and "vectors" with the same options: they share vectors', given);
  return kept.vectors;
}

/**
 * The collaborative vectors of user and streamer themselves, each number squashed into (-1, 1).
 *
 * Keeps vectors of `size` numbers for users, streamers, categories, tags and traits, which watches write: 4 bytes a
 * number. Writes `size` numbers of the observation and as many of a candidate.
 */
export function vectors(options: Partial<TasteOptions> = {}): FeatureGroup {
  return featureGroup("vectors", options, (context, given) => new VectorWriter(keepVectors(context, given)));
}

class VectorWriter implements FeatureWriter {
  readonly observation: number;
  readonly candidate: number;
  readonly #vectors: CollaborativeVectors;

  readonly #user: Float32Array;

  constructor(vectors: CollaborativeVectors) {
    this.#vectors = vectors;
    this.#user = new Float32Array(vectors.size);
    this.observation = this.candidate = vectors.size;
  }

  begin(user: Id, { traits }: UserProfile): void {
    this.#vectors.readUser(user, this.#user, 0, traitNames(traits));
  }

  writeObservation(row: Float32Array, offset: number): void {
    for (let f = 0; f < this.#user.length; f++) row[offset + f] = squashed(this.#user[f]!);
  }

  writeCandidate(row: Float32Array, offset: number, { streamer, category, tags }: CatalogStream): void {
    row.fill(0, offset, offset + this.candidate);
    this.#vectors.readStreamer(streamer, category, row, offset, tags);
    for (let f = 0; f < this.#user.length; f++) row[offset + f] = squashed(row[offset + f]!);
  }
}
