import { group, type Rule, type Rules, rules } from "../check/index.js";
import { Latest } from "../collections/index.js";
import { Contents, type SavedContents, type SavedWordVectors, savedWords } from "../encoders/index.js";
import { log1p } from "../numeric/index.js";
import {
  type FeedbackEvent,
  type Id,
  isLiking,
  type LiveEvent,
  MINUTE,
  type Request,
  type Source,
  type StreamEvent,
  type UserEvent,
} from "../protocol/index.js";
import { type FeatureOptions, Features, type SavedFeatures, traitNames } from "./features/index.js";
import {
  favouritesOf,
  type RetrievalOptions,
  Retriever,
  type SavedTowers,
  Towers,
  type TowersOptions,
  type Vectors,
} from "./retrieval/index.js";
import {
  type CatalogStream,
  Catalogue,
  CollaborativeVectors,
  Neighbours,
  type ProfileOptions,
  type SavedCatalogue,
  type SavedNeighbours,
  type SavedUsers,
  type SavedVectors,
  type StreamTraits,
  Users,
  type VectorOptions,
} from "./state/index.js";

export interface KnowledgeOptions {
  /** Seed of everything random, an integer >= 0. Default 1. */
  seed: number;
  /** Streams scored for a request, at most; more on air are retrieved first. [1, 65536]. Default 256. */
  maxCandidates: number;
  retrieval: Partial<RetrievalOptions>;
  /** Of the search for streams whose vectors are near the user's; false: there is none. Default: among all on air. */
  towers: Partial<TowersOptions> | false;
  profile: Partial<ProfileOptions>;
  features: Partial<FeatureOptions>;
  /** Of the collaborative vectors; their seed, and how many users and streamers they hold, are by default the others'. */
  vectors: Partial<VectorOptions>;
  /**
   * Word vectors of at most 32 numbers, as `liveq train --titles` and `WordVectors.save` give them: what a title and tags
   * mean, for the input `content` where the platform tells no embedding of a text. It should tell all or none: its
   * embeddings and these cannot be compared with each other. Default: none.
   */
  words?: SavedWordVectors | undefined;
}

export const KNOWLEDGE: Readonly<KnowledgeOptions> = {
  seed: 1,
  maxCandidates: 256,
  retrieval: {},
  towers: {},
  profile: {},
  features: {},
  vectors: {},
};

const CANDIDATES_MAX = 65_536;
export const candidateCount: Rule = [
  (value) => rules.atLeastOne[0](value) && (value as number) <= CANDIDATES_MAX,
  `an integer in [1, ${CANDIDATES_MAX}]`,
];

export const KNOWLEDGE_TABLE: Rules<KnowledgeOptions> = {
  seed: rules.count,
  maxCandidates: candidateCount,
  retrieval: group,
  towers: [(value) => value === false || group[0](value), "an object, or false"],
  profile: group,
  features: group,
  vectors: group,
  words: savedWords,
};

/** Streams remembered after they went off air, for the feedback that is still to come. */
const GONE = 16_384;
/** Less than the policy's: a request reads the history of its user for every candidate. [set by hand] */
const NEIGHBOURHOOD = { history: 32, neighbours: 64 } as const;

/** The streams that a user may be shown, and all that is known of them: rows of features. */
export interface Scene {
  readonly streams: readonly CatalogStream[];
  /** For each stream what brought it. */
  readonly sources: readonly Source[];
  /** The state, and a row for each stream: views that the next scene overwrites. */
  readonly observation: Float32Array;
  readonly candidates: Float32Array;
}

/** What `Knowledge.save` gives beside its numbers. */
export interface SavedKnowledge {
  profiles: SavedUsers;
  features: SavedFeatures;
  vectors: Omit<SavedVectors, "rows">;
  contents: SavedContents;
  /** Of the input `neighbours`; undefined without it. */
  neighbours: SavedNeighbours | undefined;
  catalog: SavedCatalogue;
  towers: SavedTowers | undefined;
  gone: [Id, StreamTraits][];
}

/** The numbers of a save: too many for text. */
export const NUMBERS = ["vectors", "contents", "towers"] as const;
export type SavedNumbers = Record<(typeof NUMBERS)[number], Float32Array>;

/**
 * What is known now, by the events alone: what is on air and what is in it, users and streamers, and vectors of both.
 *
 * It hears events in order of time and faces requests; what is decided, and how that is learned from, is no part of it.
 */
export class Knowledge {
  readonly profiles: Users;
  readonly catalog: Catalogue;
  readonly features: Features;
  readonly #vectors: CollaborativeVectors;
  readonly #contents: Contents;
  readonly #neighbours: Neighbours;
  readonly #towers: Towers | undefined;
  readonly #retriever: Retriever;
  readonly #gone = new Latest<Id, StreamTraits>(GONE);
  readonly #maxCandidates: number;
  readonly #observation: Float32Array;
  readonly #candidates: Float32Array;

  /** @throws TypeError or RangeError for an option of a part that is unknown or out of its range. */
  constructor(options: Readonly<KnowledgeOptions>) {
    const { seed, maxCandidates, retrieval, towers, profile, features, vectors, words } = options;
    this.profiles = new Users(profile);
    const { users, streamers } = this.profiles.options;
    this.#vectors = new CollaborativeVectors({ seed, users, streamers, ...vectors });
    this.#contents = new Contents(seed, words);
    this.#neighbours = new Neighbours({ users, streamers, ...NEIGHBOURHOOD });
    const sources = {
      profiles: this.profiles,
      vectors: this.#vectors,
      contents: this.#contents,
      neighbours: this.#neighbours,
    };
    this.features = new Features(sources, features);
    if (towers !== false) this.#towers = new Towers(new Tastes(this.profiles, this.#vectors), towers);
    this.catalog = new Catalogue(this.#towers ? [this.#towers] : []);
    this.#retriever = new Retriever(this.catalog, retrieval, this.#towers);
    this.#maxCandidates = maxCandidates;
    this.#observation = new Float32Array(this.features.observationSize);
    this.#candidates = new Float32Array(maxCandidates * this.features.candidateSize);
  }

  /**
   * Takes what happened.
   * @param isCounted - It is an impression that `shown` has counted.
   * @returns False for an event about a stream that never went on air, or long ago; and for an `update` or `off_air` of
   *   one not on air.
   */
  hear(event: LiveEvent, isCounted = false): boolean {
    if (!("user" in event)) return this.#hearStream(event);
    this.catalog.feedback(event);
    if (!("stream" in event)) {
      this.#hearUser(event);
      return true;
    }
    const stream = this.catalog.get(event.stream) ?? this.#gone.get(event.stream);
    if (stream !== undefined && !isCounted) this.#hearFeedback(event, stream);
    return stream !== undefined;
  }

  /** The streams that a user may be shown, with what is known of them. The user is here now. */
  face({ user, now, candidates, filter }: Omit<Request, "k">): Scene {
    this.catalog.advance(now);
    const profile = this.profiles.open(user, now);
    const { streams, sources } = this.#retriever.retrieve({
      user,
      now,
      max: this.#maxCandidates,
      favourites: favouritesOf(profile),
      friends: this.profiles.company(profile, now),
      candidates,
      filter,
    });
    let viewersMax = 0;
    for (const stream of streams) viewersMax = Math.max(viewersMax, stream.viewers);
    this.features.begin(user, profile, { now, onAir: this.catalog.size, viewersMax });
    this.features.writeObservation(this.#observation, 0);
    this.#write(this.#candidates, streams);
    const rows = this.#candidates.subarray(0, streams.length * this.features.candidateSize);
    return { streams, sources, observation: this.#observation, candidates: rows };
  }

  /** A row for each of these streams, as the scene that was last faced would have it. */
  rowsOf(streams: readonly CatalogStream[]): Float32Array {
    const rows = new Float32Array(streams.length * this.features.candidateSize);
    this.#write(rows, streams);
    return rows;
  }

  /** A slate was shown. Call after its rows are written: they use only what came before. */
  shown(user: Id, slate: readonly CatalogStream[], now: number): void {
    this.features.shown(slate);
    this.profiles.shown(user, slate, now);
  }

  /** Forgets a user: profile, friendships and vector. Returns whether there was a profile. */
  forget(user: Id): boolean {
    this.#vectors.forget(user);
    this.#neighbours.forget(user);
    return this.profiles.delete(user);
  }

  /** Forgets a streamer, but for streams on air. Returns whether there was a profile. */
  forgetStreamer(streamer: Id): boolean {
    this.#vectors.forgetStreamer(streamer);
    this.#neighbours.forgetStreamer(streamer);
    for (const stream of this.catalog.of(streamer)) this.#towers?.told(stream);
    for (const [stream, traits] of this.#gone) {
      if (traits.streamer !== streamer) continue;
      this.#gone.delete(stream);
      this.#contents.delete(stream);
    }
    return this.profiles.deleteStreamer(streamer);
  }

  /** Everything: plain values, and the numbers that go with them. */
  save(): { state: SavedKnowledge; numbers: SavedNumbers } {
    const { rows, ...vectors } = this.#vectors.save();
    const contents: Float32Array[] = [];
    const towers: Float32Array[] = [];
    const state = {
      profiles: this.profiles.save(),
      features: this.features.save(),
      vectors,
      contents: this.#contents.save(contents),
      neighbours: this.features.readsNeighbours ? this.#neighbours.save() : undefined,
      catalog: this.catalog.save(),
      towers: this.#towers?.save(towers),
      gone: [...this.#gone],
    };
    return { state, numbers: { vectors: Float32Array.from(rows), contents: joined(contents), towers: joined(towers) } };
  }

  /** Takes what `save` of the same options gave, knowing nothing yet. */
  load(state: SavedKnowledge, numbers: SavedNumbers): void {
    this.profiles.load(state.profiles);
    this.features.load(state.features);
    this.#vectors.load({ ...state.vectors, rows: numbers.vectors });
    this.#contents.load(state.contents, numbers.contents);
    if (state.neighbours !== undefined) this.#neighbours.load(state.neighbours);
    for (const [stream, traits] of state.gone) this.#gone.set(stream, traits);
    this.catalog.load(state.catalog);
    if (state.towers !== undefined) this.#towers?.load(state.towers, numbers.towers);
  }

  #write(rows: Float32Array, streams: readonly CatalogStream[]): void {
    const { candidateSize } = this.features;
    for (let i = 0; i < streams.length; i++) this.features.write(rows, i * candidateSize, streams[i]!);
  }

  #hearStream(event: StreamEvent): boolean {
    const stream = this.catalog.get(event.stream);
    if (event.kind === "on_air") this.#gone.delete(event.stream);
    else if (event.kind === "off_air" && stream !== undefined) {
      const { streamer, category, tags } = stream;
      this.#gone.set(event.stream, { streamer, category, tags });
    }
    this.catalog.feedback(event);
    if (event.kind === "on_air" && stream === undefined) {
      this.profiles.streamers.onAir(event.streamer, event.category, event.time);
      this.#vectors.offer(event.streamer, event.category, event.tags);
    }
    if (this.features.readsContents) {
      if (event.kind === "on_air") this.#contents.onAir(event);
      else if (event.kind === "update") this.#contents.update(event);
      else this.#contents.offAir(event.stream);
    }
    return event.kind === "on_air" || stream !== undefined;
  }

  #hearUser(event: UserEvent): void {
    if (event.kind === "page_view") this.profiles.page(event.user, event.dwellMs, event.time);
    else if (event.kind === "user") {
      const { kind: _kind, id: _id, user, time, ...traits } = event;
      this.profiles.update(user, traits, time);
    } else this.profiles.befriend(event.user, event.friend, event.kind === "friend", event.time);
  }

  #hearFeedback(event: FeedbackEvent, stream: StreamTraits): void {
    const { user, time } = event;
    const { profiles } = this;
    if (this.features.readsNeighbours && isLiking(event, profiles.options.engagedMs)) {
      this.#neighbours.learn(user, stream.streamer, time);
    }
    switch (event.kind) {
      case "impression":
        profiles.impression(user, stream, time);
        break;
      case "click":
        profiles.click(user, stream, time);
        break;
      case "watch": {
        const cut = !this.catalog.has(event.stream);
        const watchMs = profiles.watch(user, stream, event.watchMs, cut, time, this.#contents.get(event.stream));
        this.#learnTaste(user, stream, watchMs);
        break;
      }
      case "follow":
        profiles.follow(user, stream, time);
        profiles.interact(user, stream, false, time);
        break;
      case "rating":
        profiles.rate(user, stream, event.rating, time);
        profiles.interact(user, stream, event.rating < 0.5, time);
        break;
      default:
        profiles.interact(user, stream, event.kind === "dislike", time);
    }
  }

  #learnTaste(user: Id, { streamer, category, tags }: StreamTraits, watchMs: number): void {
    if (watchMs < this.profiles.options.engagedMs) return;
    const traits = traitNames(this.profiles.get(user)?.traits ?? {});
    this.#vectors.learn(user, streamer, category, log1p(watchMs / MINUTE), tags, traits);
  }
}

/** The collaborative vectors of those who have a part of their own: a search by anything less finds what is popular. */
class Tastes implements Vectors {
  readonly #profiles: Users;
  readonly #vectors: CollaborativeVectors;

  constructor(profiles: Users, vectors: CollaborativeVectors) {
    this.#profiles = profiles;
    this.#vectors = vectors;
  }

  get size(): number {
    return this.#vectors.size;
  }

  readUser(user: Id, out: Float32Array, offset: number): boolean {
    return this.#vectors.readUser(user, out, offset, traitNames(this.#profiles.get(user)?.traits ?? {}));
  }

  readStreamer(streamer: Id, category: string, out: Float32Array, offset: number, tags: readonly string[]): boolean {
    return this.#vectors.readStreamer(streamer, category, out, offset, tags);
  }
}

/** The arrays, one after the other. */
export function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
