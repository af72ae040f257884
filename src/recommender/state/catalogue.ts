import {
  between,
  boolean,
  distinct,
  fields,
  list,
  moment,
  nonNegativeInteger,
  or,
  requireShape,
  type Shape,
  text,
} from "../../check/index.js";
import { Latest, SortedList } from "../../collections/index.js";
import type { Embeddings, Id, LiveEvent, OffAir, OnAir, StreamUpdate } from "../../protocol/index.js";

/** The platform's vectors of a stream; any may be missing. */
export type StreamEmbeddings = { readonly [Modality in keyof Embeddings]: Float32Array };

/** Streamer, category and tags of a stream. */
export interface StreamTraits {
  readonly streamer: Id;
  readonly category: string;
  readonly tags: readonly string[];
}

/** A stream on air or recently off air. */
export interface KnownStream extends StreamTraits {
  readonly id: Id;
  readonly isOnAir: boolean;
}

/** A stream on air, as its events describe it. */
export interface CatalogStream extends KnownStream {
  /** Its place in `Catalogue.streams`, in [0, size); changes when another stream goes off air. */
  readonly index: number;
  readonly title: string;
  readonly description: string;
  /** The spoken language; undefined when unknown. */
  readonly language: string | undefined;
  /** For adults only; undefined when unknown. */
  readonly mature: boolean | undefined;
  readonly embeddings: StreamEmbeddings;
  /** When it went on air, milliseconds. */
  readonly startedAt: number;
  /** Time of the latest event about it, milliseconds. */
  readonly updatedAt: number;
  /** Number of viewers by the last `update`; 0 before the first. */
  readonly viewers: number;
  /** The largest number of viewers so far. */
  readonly peakViewers: number;
  /** Likes since it went on air, by the last `update` with likes; 0 before the first. */
  readonly likes: number;
}

type Gone = KnownStream & { readonly isOnAir: false };

/** A stream in the plain values of `Catalogue.save`. */
export type SavedStream = Omit<CatalogStream, "index" | "isOnAir" | "embeddings"> & { embeddings: Embeddings };

/** The plain values of `Catalogue.save`. */
export interface SavedCatalogue {
  ignored: number;
  /** By index. */
  streams: SavedStream[];
  /** Streams that went off air, the latest last. */
  gone: (StreamTraits & { id: Id })[];
}

/** Keeps data for each stream on air, at the stream's index. */
export interface Follower {
  /** `stream` went on air, at the last index. */
  entered(stream: CatalogStream): void;
  /** The streamer, the category or the tags of `stream` may have changed. */
  changed(stream: CatalogStream): void;
  /** The stream at `index` went off air; the stream at `last`, the last index, stands at `index` now. */
  left(index: number, last: number): void;
}

const NONE: readonly never[] = [];
const NO_EMBEDDINGS: StreamEmbeddings = {};

/** Streams remembered after they went off air, for late feedback. */
const REMEMBERED = 16_384;

const TRAITS = { id: text, streamer: text, category: text, tags: list(text) };
const VECTOR = or(undefined, list(between(-1e6, 1e6), 1));
const idOf = ({ id }: { id: Id }) => id;

const SAVED: Shape = fields<SavedCatalogue>({
  ignored: nonNegativeInteger,
  streams: distinct(
    list(
      fields<SavedStream>({
        ...TRAITS,
        title: text,
        description: text,
        language: or(undefined, text),
        mature: or(undefined, boolean),
        embeddings: fields<Embeddings>({ text: VECTOR, image: VECTOR, audio: VECTOR }),
        startedAt: moment,
        updatedAt: moment,
        viewers: nonNegativeInteger,
        peakViewers: nonNegativeInteger,
        likes: nonNegativeInteger,
      }),
    ),
    idOf,
  ),
  gone: distinct(list(fields<StreamTraits & { id: Id }>(TRAITS), 0, REMEMBERED), idOf),
});

class Stream implements CatalogStream {
  readonly id: Id;
  readonly isOnAir = true;
  index: number;
  streamer!: Id;
  category!: string;
  tags!: readonly string[];
  title!: string;
  description!: string;
  language: string | undefined;
  mature: boolean | undefined;
  embeddings!: StreamEmbeddings;
  startedAt: number;
  updatedAt!: number;
  viewers = 0;
  peakViewers = 0;
  likes = 0;

  constructor(event: OnAir, index: number) {
    this.id = event.stream;
    this.index = index;
    this.startedAt = event.time;
    this.describe(event);
  }

  /** Applies the description of an `on_air`. */
  describe(event: OnAir): void {
    this.streamer = event.streamer;
    this.category = event.category;
    this.tags = event.tags ?? NONE;
    this.title = event.title ?? "";
    this.description = event.description ?? "";
    this.language = event.language;
    this.mature = event.mature;
    this.embeddings = packed(event.embeddings);
    this.updatedAt = event.time;
  }
}

function packed(given: Embeddings | undefined): StreamEmbeddings {
  if (given === undefined) return NO_EMBEDDINGS;
  const entries = Object.entries(given).map(([modality, vector]) => [modality, Float32Array.from(vector)]);
  return Object.fromEntries(entries) as StreamEmbeddings;
}

function unpacked(embeddings: StreamEmbeddings): Embeddings {
  return Object.fromEntries(Object.entries(embeddings).map(([modality, vector]) => [modality, [...vector]]));
}

function gone({ id, streamer, category, tags }: StreamTraits & { id: Id }): Gone {
  return { id, streamer, category, tags, isOnAir: false };
}

/** Whether `a` comes before `b`: more viewers, then the lower id. */
export function isMoreViewed(a: CatalogStream, b: CatalogStream): boolean {
  return a.viewers === b.viewers ? a.id < b.id : a.viewers > b.viewers;
}

/** Whether `a` comes before `b`: the later start, then the lower id. */
export function isNewer(a: CatalogStream, b: CatalogStream): boolean {
  return a.startedAt === b.startedAt ? a.id < b.id : a.startedAt > b.startedAt;
}

/** Streams by a shared name: a streamer, a category. */
class Groups {
  readonly #groups = new Map<string, Set<Stream>>();

  get(name: string): ReadonlySet<Stream> | undefined {
    return this.#groups.get(name);
  }

  add(name: string, stream: Stream): void {
    const group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, new Set([stream]));
    else group.add(stream);
  }

  delete(name: string, stream: Stream): void {
    const group = this.#groups.get(name)!;
    group.delete(stream);
    if (group.size === 0) this.#groups.delete(name);
  }
}

const EMPTY: ReadonlySet<CatalogStream> = new Set();

/**
 * The streams on air, and for a while streams that went off air.
 *
 * Holds one record for each stream on air, without gaps: an `off_air` moves the last record into the free place. An
 * event takes O(1), or O(log n) to keep the orders when a stream comes, goes, or changes its number of viewers.
 */
export class Catalogue {
  readonly #index = new Map<Id, Stream>();
  readonly #gone: Latest<Id, Gone>;
  readonly #streams: Stream[] = [];
  readonly #popular = new SortedList<Stream>(isMoreViewed);
  readonly #newest = new SortedList<Stream>(isNewer);
  readonly #streamers = new Groups();
  readonly #categories = new Groups();
  readonly #followers: Follower[] = [];
  #ignored = 0;

  /** @param remembered - Streams remembered after they went off air, the latest. Default 16 384. */
  constructor(remembered: number = REMEMBERED) {
    this.#gone = new Latest(remembered);
  }

  /** Calls `follower` for every stream on air, and for every later arrival, change and departure. */
  follow(follower: Follower): void {
    this.#followers.push(follower);
    for (const stream of this.#streams) follower.entered(stream);
  }

  /** Number of streams on air. */
  get size(): number {
    return this.#streams.length;
  }

  /** The streams on air, each at its `index`. A live view: do not keep it across events. */
  get streams(): readonly CatalogStream[] {
    return this.#streams;
  }

  /** The streams on air, the most viewed first, ties by the lower id. A live view. */
  get popular(): Iterable<CatalogStream> {
    return this.#popular;
  }

  /** The streams on air, the newest first, ties by the lower id. A live view. */
  get newest(): Iterable<CatalogStream> {
    return this.#newest;
  }

  /** Number of `update` and `off_air` events so far for a stream not on air. */
  get ignored(): number {
    return this.#ignored;
  }

  has(id: Id): boolean {
    return this.#index.has(id);
  }

  /** The record of a stream on air; undefined for any other. */
  get(id: Id): CatalogStream | undefined {
    return this.#index.get(id);
  }

  /** A stream on air or recently off air; undefined for any other. */
  find(id: Id): KnownStream | undefined {
    return this.#index.get(id) ?? this.#gone.get(id);
  }

  /** The streams on air of a streamer. A live view. */
  of(streamer: Id): ReadonlySet<CatalogStream> {
    return this.#streamers.get(streamer) ?? EMPTY;
  }

  /** The ids of a streamer's streams that recently went off air. */
  goneOf(streamer: Id): Id[] {
    return Array.from(this.#gone.values()).flatMap((stream) => (stream.streamer === streamer ? stream.id : []));
  }

  /** The streams on air in a category. A live view. */
  within(category: string): ReadonlySet<CatalogStream> {
    return this.#categories.get(category) ?? EMPTY;
  }

  [Symbol.iterator](): IterableIterator<CatalogStream> {
    return this.#streams.values();
  }

  /**
   * Takes any event; only `on_air`, `update` and `off_air` have an effect.
   *
   * @param known - The result of `find` for the event's stream, from a caller that has it.
   */
  feedback(event: LiveEvent, known?: KnownStream): void {
    if (event.kind !== "on_air" && event.kind !== "update" && event.kind !== "off_air") return;
    const found = known ?? this.#index.get(event.stream);
    const stream = found?.isOnAir ? (found as Stream) : undefined;
    if (event.kind === "on_air") this.#onAir(event, stream);
    else if (stream === undefined) this.#ignored++;
    else if (event.kind === "update") this.#update(event, stream);
    else this.#offAir(event, stream);
  }

  /** The records of the candidates on air, each once, in their order; without candidates, all streams on air. */
  among(candidates?: readonly Id[]): readonly CatalogStream[] {
    if (candidates === undefined) return this.#streams;
    const found = new Set<CatalogStream>();
    for (const id of candidates) {
      const stream = this.#index.get(id);
      if (stream !== undefined) found.add(stream);
    }
    return [...found];
  }

  /** Forgets the streams of a streamer that went off air. */
  forgetStreamer(streamer: Id): void {
    for (const id of this.goneOf(streamer)) this.#gone.delete(id);
  }

  /** Plain values for `JSON.stringify`; `load` restores them. */
  save(): SavedCatalogue {
    const streams = this.#streams.map(({ index: _, isOnAir: __, ...described }) => ({
      ...described,
      embeddings: unpacked(described.embeddings),
    }));
    return {
      ignored: this.#ignored,
      streams,
      gone: Array.from(this.#gone.values(), ({ isOnAir: _, ...traits }) => traits),
    };
  }

  /**
   * Restores the values of `save` into an empty catalogue.
   * @throws RangeError that names what is not as `save` gives it, as every `load` of the state.
   */
  load(saved: SavedCatalogue): void {
    requireShape(SAVED, saved, "catalogue");
    this.#ignored = saved.ignored;
    for (const traits of saved.gone) this.#gone.set(traits.id, gone(traits));
    for (const { id, startedAt, updatedAt, viewers, peakViewers, likes, ...described } of saved.streams) {
      const event: OnAir = { ...described, kind: "on_air", stream: id, time: startedAt, tags: [...described.tags] };
      const stream = new Stream(event, this.size);
      Object.assign(stream, { updatedAt, viewers, peakViewers, likes });
      this.#enter(stream);
    }
  }

  /** An `on_air` for a stream on air describes it anew; its start and its numbers stay. */
  #onAir(event: OnAir, stream: Stream | undefined): void {
    if (stream === undefined) {
      this.#gone.delete(event.stream);
      this.#enter(new Stream(event, this.size));
      return;
    }
    this.#streamers.delete(stream.streamer, stream);
    this.#categories.delete(stream.category, stream);
    stream.describe(event);
    this.#streamers.add(stream.streamer, stream);
    this.#categories.add(stream.category, stream);
    for (const follower of this.#followers) follower.changed(stream);
  }

  #enter(stream: Stream): void {
    this.#streams.push(stream);
    this.#index.set(stream.id, stream);
    this.#popular.add(stream);
    this.#newest.add(stream);
    this.#streamers.add(stream.streamer, stream);
    this.#categories.add(stream.category, stream);
    for (const follower of this.#followers) follower.entered(stream);
  }

  #update(event: StreamUpdate, stream: Stream): void {
    const { category, tags, viewers } = event;
    if (category !== undefined && category !== stream.category) {
      this.#categories.delete(stream.category, stream);
      stream.category = category;
      this.#categories.add(category, stream);
    }
    if (tags !== undefined) stream.tags = tags;
    if (category !== undefined || tags !== undefined) for (const follower of this.#followers) follower.changed(stream);
    if (viewers !== undefined) this.#reorder(stream, viewers);
    stream.likes = event.likes ?? stream.likes;
    stream.title = event.title ?? stream.title;
    stream.updatedAt = event.time;
  }

  #reorder(stream: Stream, viewers: number): void {
    if (viewers === stream.viewers) return;
    this.#popular.delete(stream);
    stream.viewers = viewers;
    stream.peakViewers = Math.max(stream.peakViewers, viewers);
    this.#popular.add(stream);
  }

  #offAir(event: OffAir, stream: Stream): void {
    this.#index.delete(event.stream);
    this.#popular.delete(stream);
    this.#newest.delete(stream);
    this.#streamers.delete(stream.streamer, stream);
    this.#categories.delete(stream.category, stream);
    this.#gone.set(stream.id, gone(stream));
    const last = this.#streams.pop()!;
    const { index: from } = last;
    if (last !== stream) {
      last.index = stream.index;
      this.#streams[last.index] = last;
    }
    for (const follower of this.#followers) follower.left(stream.index, from);
  }
}
