import { SortedList } from "../../collections/index.js";
import type { Embeddings, Id, LiveEvent, OffAir, OnAir, StreamUpdate } from "../../protocol/index.js";
import { Rates, type SavedRates } from "./rates.js";

/** The vectors that a platform has given of a stream; any may be missing. */
export type StreamEmbeddings = { readonly [Modality in keyof Embeddings]: Float32Array };

/** A stream on air, as the events have told it. */
export interface CatalogStream {
  readonly id: Id;
  /** Where it stands in `Catalog.streams`, in [0, size); changes when another stream goes off air. */
  readonly index: number;
  readonly streamer: Id;
  readonly category: string;
  readonly tags: readonly string[];
  readonly title: string;
  readonly description: string;
  /** Of what is spoken; undefined when it was not told. */
  readonly language: string | undefined;
  /** For adults only; false when it was not told. */
  readonly mature: boolean;
  readonly embeddings: StreamEmbeddings;
  /** When it went on air, milliseconds. */
  readonly startedAt: number;
  /** When something was last said about it, milliseconds. */
  readonly updatedAt: number;
  /** Current number of viewers by the last `update`; 0 until there is one. */
  readonly viewers: number;
  /** The largest number of viewers so far. */
  readonly peakViewers: number;
  /** Likes since it went on air by the last `update` that told them; 0 until there is one. */
  readonly likes: number;
  /**
   * Clicks a minute over the last 50 to 60 s, a user once in 10 s, as all rates here; undefined in the first 10 s on
   * air, and as long as no event of the kind has come for any stream.
   */
  readonly joinRate: number | undefined;
  /** Comments a minute. */
  readonly commentRate: number | undefined;
  /** Gifts a minute, whatever their amounts. */
  readonly giftRate: number | undefined;
  /** Likes and follows a minute. */
  readonly likeRate: number | undefined;
  /** Growth of log(1 + viewers) a minute over the last half minute or more; undefined until there is such a time. */
  readonly viewerTrend: number | undefined;
}

/** A stream as `Catalog.save` gives it. */
export type SavedStream = Omit<Told, "embeddings"> & { embeddings: Embeddings };

/** What `Catalog.save` gives. */
export interface SavedCatalogue {
  now: number;
  ignored: number;
  /** By index. */
  streams: SavedStream[];
  moments: SavedRates;
}

/** Keeps something for each stream on air, at the stream's index. */
export interface Follower {
  /** `stream` is on air, or whose it is, its category or its tags may have changed; a new one stands at the last index. */
  told(stream: CatalogStream): void;
  /** The stream at `index` is off air; what stood at `last`, the last index, stands at `index` now. */
  gone(index: number, last: number): void;
}

/** What events have told of a stream, as opposed to where it stands and what is counted. */
type Told = Omit<CatalogStream, "index" | "joinRate" | "commentRate" | "giftRate" | "likeRate" | "viewerTrend">;

const NONE: readonly never[] = [];
const NO_EMBEDDINGS: StreamEmbeddings = {};

/** What all streams of a catalogue share. */
interface Shared {
  now: number;
  readonly moments: Rates;
}

/** A record whose rates are read from the catalogue's counts at the catalogue's time. */
class Stream implements CatalogStream {
  readonly id: Id;
  index: number;
  streamer!: Id;
  category!: string;
  tags!: readonly string[];
  title!: string;
  description!: string;
  language: string | undefined;
  mature!: boolean;
  embeddings!: StreamEmbeddings;
  startedAt: number;
  updatedAt!: number;
  viewers = 0;
  peakViewers = 0;
  likes = 0;
  readonly #shared: Shared;

  constructor(event: OnAir, index: number, shared: Shared) {
    this.#shared = shared;
    this.id = event.stream;
    this.index = index;
    this.startedAt = event.time;
    this.tell(event);
  }

  /** Takes what an `on_air` says of it. */
  tell(event: OnAir): void {
    this.streamer = event.streamer;
    this.category = event.category;
    this.tags = event.tags ?? NONE;
    this.title = event.title ?? "";
    this.description = event.description ?? "";
    this.language = event.language;
    this.mature = event.mature ?? false;
    this.embeddings = packed(event.embeddings);
    this.updatedAt = event.time;
  }

  get joinRate(): number | undefined {
    return this.#shared.moments.rate(this.index, "join", this.startedAt, this.#shared.now);
  }

  get commentRate(): number | undefined {
    return this.#shared.moments.rate(this.index, "comment", this.startedAt, this.#shared.now);
  }

  get giftRate(): number | undefined {
    return this.#shared.moments.rate(this.index, "gift", this.startedAt, this.#shared.now);
  }

  get likeRate(): number | undefined {
    return this.#shared.moments.rate(this.index, "like", this.startedAt, this.#shared.now);
  }

  get viewerTrend(): number | undefined {
    return this.#shared.moments.trend(this.index, this.#shared.now);
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

/** Whether `a` comes before `b`: more viewers, then the lower id. */
export function isMoreViewed(a: CatalogStream, b: CatalogStream): boolean {
  return a.viewers === b.viewers ? a.id < b.id : a.viewers > b.viewers;
}

/** Whether `a` comes before `b`: the later start, then the lower id. */
export function isNewer(a: CatalogStream, b: CatalogStream): boolean {
  return a.startedAt === b.startedAt ? a.id < b.id : a.startedAt > b.startedAt;
}

/** Streams by a name that they share: a streamer, a category. */
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
 * What is on air now, and what goes on there.
 *
 * Holds one record for each stream on air, without gaps, and nothing of a stream that has gone: an `off_air` moves the
 * last record into the place that became free. An event takes O(1), but for O(log n) to keep the orders when a stream
 * comes, goes, or has another number of viewers.
 */
export class Catalogue {
  readonly #index = new Map<Id, Stream>();
  readonly #streams: Stream[] = [];
  readonly #popular = new SortedList<Stream>(isMoreViewed);
  readonly #newest = new SortedList<Stream>(isNewer);
  readonly #streamers = new Groups();
  readonly #categories = new Groups();
  readonly #followers: readonly Follower[];
  readonly #shared: Shared = { now: 0, moments: new Rates() };
  #ignored = 0;

  /** @param followers - Told of every stream that comes, changes and goes. Default: none. */
  constructor(followers: readonly Follower[] = NONE) {
    this.#followers = followers;
  }

  /** Number of streams on air. */
  get size(): number {
    return this.#streams.length;
  }

  /** The streams on air, each at its `index`. A live view: do not keep it across events. */
  get streams(): readonly CatalogStream[] {
    return this.#streams;
  }

  /** The streams on air, the most viewed first; of as many viewers the lower id first. A live view. */
  get popular(): Iterable<CatalogStream> {
    return this.#popular;
  }

  /** The streams on air, the one that went on air last first; of the same time the lower id first. A live view. */
  get newest(): Iterable<CatalogStream> {
    return this.#newest;
  }

  /** Number of `update` and `off_air` events so far that named a stream not on air. */
  get ignored(): number {
    return this.#ignored;
  }

  has(id: Id): boolean {
    return this.#index.has(id);
  }

  /** The record of a stream on air; undefined when it is not. */
  get(id: Id): CatalogStream | undefined {
    return this.#index.get(id);
  }

  /** The streams on air of a streamer. A live view. */
  of(streamer: Id): ReadonlySet<CatalogStream> {
    return this.#streamers.get(streamer) ?? EMPTY;
  }

  /** The streams on air in a category. A live view. */
  within(category: string): ReadonlySet<CatalogStream> {
    return this.#categories.get(category) ?? EMPTY;
  }

  [Symbol.iterator](): IterableIterator<CatalogStream> {
    return this.#streams.values();
  }

  /** Time is now `now`, milliseconds: the rates of streams are of this time. It never goes back. */
  advance(now: number): void {
    if (!(now > this.#shared.now)) return;
    this.#shared.now = now;
    this.#shared.moments.advance(now);
  }

  /** Takes any event; those that say nothing about what is on air change nothing. */
  feedback(event: LiveEvent): void {
    this.advance(event.time);
    if (event.kind === "on_air") this.#onAir(event);
    else if (event.kind === "update") this.#update(event);
    else if (event.kind === "off_air") this.#offAir(event);
    else if ("stream" in event) {
      const stream = this.#index.get(event.stream);
      if (stream !== undefined) this.#shared.moments.add(stream.index, event.kind, event.user, event.stream);
    }
  }

  /** The records of those candidates that are on air, each once, in their order; of all on air without candidates. */
  among(candidates?: readonly Id[]): readonly CatalogStream[] {
    if (candidates === undefined) return this.#streams;
    const found = new Set<CatalogStream>();
    for (const id of candidates) {
      const stream = this.#index.get(id);
      if (stream !== undefined) found.add(stream);
    }
    return [...found];
  }

  /** Plain values: what `JSON.stringify` can write, and `load` takes back. */
  save(): SavedCatalogue {
    const { now, moments } = this.#shared;
    const streams = this.#streams.map(({ index, ...told }) => ({ ...told, embeddings: unpacked(told.embeddings) }));
    return { now, ignored: this.#ignored, streams, moments: moments.save(this.size) };
  }

  /** Takes what `save` gave, into an empty catalogue. */
  load(saved: SavedCatalogue): void {
    this.advance(saved.now);
    this.#ignored = saved.ignored;
    for (const { id, startedAt, updatedAt, viewers, peakViewers, likes, ...told } of saved.streams) {
      const event: OnAir = { ...told, kind: "on_air", stream: id, time: startedAt, tags: [...told.tags] };
      const stream = new Stream(event, this.size, this.#shared);
      Object.assign(stream, { updatedAt, viewers, peakViewers, likes });
      this.#enter(stream);
    }
    this.#shared.moments.load(saved.moments);
  }

  /** An `on_air` for a stream on air says again what it is; its start and its numbers stay. */
  #onAir(event: OnAir): void {
    const known = this.#index.get(event.stream);
    if (known === undefined) {
      this.#enter(new Stream(event, this.size, this.#shared));
      return;
    }
    this.#streamers.delete(known.streamer, known);
    this.#categories.delete(known.category, known);
    known.tell(event);
    this.#streamers.add(known.streamer, known);
    this.#categories.add(known.category, known);
    for (const follower of this.#followers) follower.told(known);
  }

  #enter(stream: Stream): void {
    this.#streams.push(stream);
    this.#index.set(stream.id, stream);
    this.#popular.add(stream);
    this.#newest.add(stream);
    this.#streamers.add(stream.streamer, stream);
    this.#categories.add(stream.category, stream);
    this.#shared.moments.open(stream.index);
    for (const follower of this.#followers) follower.told(stream);
  }

  #update(event: StreamUpdate): void {
    const stream = this.#index.get(event.stream);
    if (stream === undefined) {
      this.#ignored++;
      return;
    }
    const { category, tags, viewers } = event;
    if (category !== undefined && category !== stream.category) {
      this.#categories.delete(stream.category, stream);
      stream.category = category;
      this.#categories.add(category, stream);
    }
    if (tags !== undefined) stream.tags = tags;
    if (category !== undefined || tags !== undefined) for (const follower of this.#followers) follower.told(stream);
    if (viewers !== undefined) {
      this.#shared.moments.viewers(stream.index, viewers, this.#shared.now);
      this.#reorder(stream, viewers);
    }
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

  #offAir(event: OffAir): void {
    const stream = this.#index.get(event.stream);
    if (stream === undefined) {
      this.#ignored++;
      return;
    }
    this.#index.delete(stream.id);
    this.#popular.delete(stream);
    this.#newest.delete(stream);
    this.#streamers.delete(stream.streamer, stream);
    this.#categories.delete(stream.category, stream);
    const last = this.#streams.pop()!;
    const { index: from } = last;
    if (last !== stream) {
      last.index = stream.index;
      this.#streams[last.index] = last;
      this.#shared.moments.move(from, last.index);
    }
    for (const follower of this.#followers) follower.gone(stream.index, from);
  }
}
