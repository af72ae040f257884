import {
  any,
  between,
  boolean,
  fields,
  finite,
  list,
  nonNegativeInteger,
  or,
  type Rule,
  requireShape,
  type Shape,
  tuple,
} from "../../check/index.js";
import { Album, type Picture, Pictures, SortedList } from "../../collections/index.js";
import { LinesReader, linesPart, type Part, type PartReader } from "../../engine/index.js";
import {
  descriptionRule,
  type Embeddings,
  type Id,
  idRule,
  type LiveEvent,
  MAX_AHEAD_MS,
  nameRule,
  type OffAir,
  type OnAir,
  parseEvent,
  type StreamEvent,
  type StreamUpdate,
  tagsRule,
  titleRule,
} from "../../protocol/index.js";
import { requireNew } from "./packed/parts.js";

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

/** A stream that went off air; the end is in the host's time. */
type Gone = KnownStream & { readonly isOnAir: false; readonly endedAt: number };

/** For what the latest event of a stream that said it came, so that an older one does not undo it. */
interface Times {
  /** When this broadcast began. */
  start: number;
  onAir: number;
  viewers: number;
  likes: number;
  title: number;
  category: number;
  tags: number;
}

/** What is known of a stream before its `on_air` has come. */
interface Early {
  /** When it went off air; -1: it did not. */
  endedAt: number;
  /** At most `EARLY_UPDATES`. */
  updates: StreamUpdate[];
}

/** A stream in a part of `Catalogue.part`. */
export type SavedStream = Omit<CatalogStream, "index" | "isOnAir" | "embeddings"> & {
  embeddings: Embeddings;
  times: Times;
};

/** The plain values of `Catalogue.save`. */
export interface SavedCatalogue {
  ignored: number;
}

/** A record of `Catalogue.part`: streams by index, then those that went off air, the latest last, then early ones. */
type SavedRecord =
  | ["stream", SavedStream]
  | ["gone", StreamTraits & { id: Id; endedAt: number }]
  | ["early", Early & { id: Id }];

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
/** Streams remembered of which an `update` or `off_air` came first, and updates of each. */
const EARLY = 1024;
const EARLY_UPDATES = 8;
const NO_UPDATES: readonly StreamUpdate[] = [];

/** Whether a time is before a kept one. A kept time far ahead of the present is of a clock that was wrong. */
function isBefore(time: number, kept: number, now: number): boolean {
  return time < kept && kept <= now + MAX_AHEAD_MS;
}

/** A stream without a category has "". */
const TRAITS = { id: idRule, streamer: idRule, category: or("", nameRule), tags: tagsRule };
const VECTOR = or(undefined, list(between(-1e6, 1e6), 1));

/** An event of a file is one that `parseEvent` takes. */
const update: Rule = [
  (value) => {
    try {
      return parseEvent(value as StreamUpdate).kind === "update";
    } catch {
      return false;
    }
  },
  "an update of a stream",
];

const SAVED: Shape = fields<SavedCatalogue>({ ignored: nonNegativeInteger });

const RECORDS: { readonly [Kind in SavedRecord[0]]: Shape } = {
  stream: fields<SavedStream>({
    ...TRAITS,
    title: titleRule,
    description: descriptionRule,
    language: or(undefined, nameRule),
    mature: or(undefined, boolean),
    embeddings: fields<Embeddings>({ text: VECTOR, image: VECTOR, audio: VECTOR }),
    startedAt: finite,
    updatedAt: finite,
    viewers: nonNegativeInteger,
    peakViewers: nonNegativeInteger,
    likes: nonNegativeInteger,
    times: fields<Times>({
      start: finite,
      onAir: finite,
      viewers: finite,
      likes: finite,
      title: finite,
      category: finite,
      tags: finite,
    }),
  }),
  gone: fields<StreamTraits & { id: Id; endedAt: number }>({ ...TRAITS, endedAt: finite }),
  early: fields<Early & { id: Id }>({ id: idRule, endedAt: finite, updates: list(update, 0, EARLY_UPDATES) }),
};

const RECORD: Shape = tuple([(kind) => Object.hasOwn(RECORDS, kind as string), "a kind of record"], any);

/** The streams on air at one moment, while they change. */
class StreamsPicture implements Picture {
  #streams: readonly Stream[] | undefined;
  /** Streams as they were before they changed. */
  readonly #before = new Map<Stream, Stream>();

  constructor(streams: readonly Stream[]) {
    this.#streams = streams;
  }

  get isOpen(): boolean {
    return this.#streams !== undefined;
  }

  /** A stream is about to change. Tags and embeddings are replaced, not changed. */
  keep(stream: Stream): void {
    if (!this.#before.has(stream)) this.#before.set(stream, { ...stream, times: { ...stream.times } } as Stream);
  }

  *saved(): Generator<SavedStream, void> {
    for (const each of this.#streams ?? []) {
      const { index: _, isOnAir: __, ...described } = this.#before.get(each) ?? each;
      yield { ...described, embeddings: unpacked(described.embeddings) };
    }
  }

  close(): void {
    this.#streams = undefined;
    this.#before.clear();
  }
}

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
  times: Times;

  constructor(event: OnAir, index: number, at: number = event.time) {
    this.id = event.stream;
    this.index = index;
    this.startedAt = event.time;
    this.times = { start: at, onAir: at, viewers: -1, likes: -1, title: -1, category: -1, tags: -1 };
    this.describe(event, at, at);
  }

  /** Applies the description of an `on_air`, but for what a later update changed. */
  describe(event: OnAir, at: number, now: number): void {
    const { times } = this;
    times.onAir = at;
    this.streamer = event.streamer;
    if (!isBefore(at, times.category, now)) this.category = event.category ?? "";
    if (!isBefore(at, times.tags, now)) this.tags = event.tags ?? NONE;
    if (!isBefore(at, times.title, now)) this.title = event.title ?? "";
    this.description = event.description ?? "";
    this.language = event.language;
    this.mature = event.mature;
    this.embeddings = packed(event.embeddings);
    this.updatedAt = at;
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

function gone({ id, streamer, category, tags }: StreamTraits & { id: Id }, endedAt: number): Gone {
  return { id, streamer, category, tags, isOnAir: false, endedAt };
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
  readonly #gone: Album<Id, Gone>;
  readonly #streams: Stream[] = [];
  readonly #popular = new SortedList<Stream>(isMoreViewed);
  readonly #newest = new SortedList<Stream>(isNewer);
  readonly #streamers = new Groups();
  readonly #categories = new Groups();
  readonly #followers: Follower[] = [];
  /** Of streams that are not on air. */
  readonly #early = new Album<Id, Early>(EARLY);
  /** Streams whose `on_air` was ahead of the host's time. */
  readonly #ahead = new Set<Stream>();
  readonly #pictures = new Pictures<StreamsPicture>();
  #host = Number.NEGATIVE_INFINITY;
  #ignored = 0;

  /** @param remembered - Streams remembered after they went off air, the latest. Default 16 384. */
  constructor(remembered: number = REMEMBERED) {
    this.#gone = new Album(remembered);
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
   * Takes any event; only `on_air`, `update` and `off_air` have an effect. Whatever order they come in, a stream ends in
   * the state of their times.
   *
   * @param known - The result of `find` for the event's stream, from a caller that has it.
   * @param now - The host's time: no event counts a later one. Default: the event's.
   * @returns Updates of a new stream that came before it, in order of time: give them next.
   */
  feedback(event: LiveEvent, known?: KnownStream, now: number = Infinity): readonly StreamUpdate[] {
    if (event.kind !== "on_air" && event.kind !== "update" && event.kind !== "off_air") return NO_UPDATES;
    const found = known ?? this.find(event.stream);
    const stream = found?.isOnAir ? (found as Stream) : undefined;
    const at = Math.min(event.time, now);
    if (this.isOutdated(event, found, now)) {
      if (event.kind === "off_air" && stream !== undefined && at >= stream.times.start) this.#restart(stream, at);
      return NO_UPDATES;
    }
    if (event.kind === "on_air") return this.#onAir(event, stream, at, now);
    if (stream === undefined) this.#expect(event, at, found);
    else if (event.kind === "update") this.#update(event, stream, at, now);
    else this.#offAir(event, stream, at);
    return NO_UPDATES;
  }

  /**
   * Whether a later event has already said otherwise: an `off_air` before the latest `on_air`, an `on_air` before the
   * latest of them or before a later end.
   *
   * @param known - The result of `find` for the event's stream.
   */
  isOutdated(event: StreamEvent, known: KnownStream | undefined, now: number): boolean {
    if (event.kind === "update") return false;
    const at = Math.min(event.time, now);
    if (known?.isOnAir) return isBefore(at, (known as Stream).times.onAir, now);
    if (event.kind === "off_air") return false;
    const endedAt = known === undefined ? (this.#early.get(event.stream)?.endedAt ?? -1) : (known as Gone).endedAt;
    return isBefore(at, endedAt, now);
  }

  /** Whether an event would put its stream on air, or take it off. */
  changes(event: LiveEvent, now: number): boolean {
    if (event.kind !== "on_air" && event.kind !== "off_air") return false;
    const isOnAir = this.#index.has(event.stream);
    return isOnAir === (event.kind === "off_air") && !this.isOutdated(event, this.find(event.stream), now);
  }

  /** Takes the host's time: no stream on air begins later. */
  present(now: number): void {
    this.#host = now;
    for (const stream of this.#ahead) {
      if (stream.startedAt > now) {
        this.#keep(stream);
        this.#newest.delete(stream);
        stream.startedAt = now;
        this.#newest.add(stream);
      }
      this.#ahead.delete(stream);
    }
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

  /** Plain values beside those of `part`. */
  save(): SavedCatalogue {
    return { ignored: this.#ignored };
  }

  /** @throws RangeError that names what is not as `save` gives it, as every `load` of the state. */
  load(saved: SavedCatalogue): void {
    requireShape(SAVED, saved, "catalogue");
    this.#ignored = saved.ignored;
  }

  /** The part of a save: a picture of this moment. */
  part(name: string): Part {
    const streams = new StreamsPicture(this.#streams.slice());
    this.#pictures.add(streams);
    const [gone, early] = [this.#gone.picture(), this.#early.picture()];
    function* records(): Generator<SavedRecord, void> {
      for (const stream of streams.saved()) yield ["stream", stream];
      for (const [, { isOnAir: _, ...traits }] of gone.entries()) yield ["gone", traits];
      for (const [id, known] of early.entries()) yield ["early", { id, ...known }];
    }
    return linesPart(name, records, () => {
      for (const picture of [streams, gone, early]) picture.close();
    });
  }

  /** Reads such a part into an empty catalogue. */
  reader(name: string): PartReader {
    let count = 0;
    return new LinesReader(name, (record) => {
      const path = `${name}.${count++}`;
      requireShape(RECORD, record, path);
      const [kind, value] = record as SavedRecord;
      requireShape(RECORDS[kind], value, `${path}.${kind}`);
      const table = {
        stream: { has: (id: Id) => this.has(id), size: 0, max: 1 },
        gone: this.#gone,
        early: this.#early,
      };
      requireNew(table[kind], value.id, `${path}.${kind}.id`);
      if (kind === "stream") this.#restore(value);
      else if (kind === "gone") this.#gone.set(value.id, gone(value, value.endedAt));
      else this.#early.set(value.id, { endedAt: value.endedAt, updates: value.updates });
    });
  }

  #restore({ id, startedAt, updatedAt, viewers, peakViewers, likes, times, ...described }: SavedStream): void {
    const event: OnAir = { ...described, kind: "on_air", stream: id, time: startedAt, tags: [...described.tags] };
    const stream = new Stream(event, this.size);
    Object.assign(stream, { updatedAt, viewers, peakViewers, likes, times });
    this.#ahead.add(stream);
    this.#enter(stream);
  }

  /** A stream on air is about to change. */
  #keep(stream: Stream): void {
    this.#pictures.tell((picture) => picture.keep(stream));
  }

  /** An `on_air` for a stream on air describes it anew; its start and its numbers stay. */
  #onAir(event: OnAir, stream: Stream | undefined, at: number, now: number): readonly StreamUpdate[] {
    if (stream === undefined) {
      this.#gone.delete(event.stream);
      const entered = new Stream(event, this.size, at);
      this.#enter(entered);
      if (event.time > this.#host) this.#ahead.add(entered);
      const early = this.#early.get(event.stream)?.updates ?? NO_UPDATES;
      this.#early.delete(event.stream);
      return early.filter(({ time }) => time > at).sort((a, b) => a.time - b.time);
    }
    this.#keep(stream);
    this.#streamers.delete(stream.streamer, stream);
    this.#categories.delete(stream.category, stream);
    stream.describe(event, at, now);
    this.#streamers.add(stream.streamer, stream);
    this.#categories.add(stream.category, stream);
    for (const follower of this.#followers) follower.changed(stream);
    return NO_UPDATES;
  }

  /** Remembers an event of a stream that is not on air, in case its `on_air` comes later. */
  #expect(event: StreamUpdate | OffAir, at: number, known: KnownStream | undefined): void {
    this.#ignored++;
    const { endedAt, updates } = this.#early.get(event.stream) ?? { endedAt: -1, updates: [] };
    const end = event.kind === "off_air" ? Math.max(endedAt, at) : endedAt;
    const later = event.kind === "update" ? [...updates, event].slice(-EARLY_UPDATES) : updates;
    this.#early.set(event.stream, { endedAt: end, updates: later });
    const ended = known as Gone | undefined;
    if (ended !== undefined && end > ended.endedAt) this.#gone.set(ended.id, gone(ended, end));
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

  #update(event: StreamUpdate, stream: Stream, at: number, now: number): void {
    this.#keep(stream);
    const { times } = stream;
    /** The value of a field, unless a later event gave another. */
    const given = <F extends Exclude<keyof Times, "start" | "onAir">>(field: F): StreamUpdate[F] => {
      const described = field === "viewers" || field === "likes" ? times.start : times.onAir;
      const known = Math.max(times[field], described);
      if (event[field] === undefined || isBefore(at, known, now)) return undefined;
      times[field] = at;
      return event[field];
    };
    const [category, tags, viewers] = [given("category"), given("tags"), given("viewers")];
    if (category !== undefined && category !== stream.category) {
      this.#categories.delete(stream.category, stream);
      stream.category = category;
      this.#categories.add(category, stream);
    }
    if (tags !== undefined) stream.tags = tags;
    if (category !== undefined || tags !== undefined) for (const follower of this.#followers) follower.changed(stream);
    if (viewers !== undefined) this.#reorder(stream, viewers);
    stream.likes = given("likes") ?? stream.likes;
    stream.title = given("title") ?? stream.title;
    stream.updatedAt = at;
  }

  #reorder(stream: Stream, viewers: number): void {
    if (viewers === stream.viewers) return;
    this.#popular.delete(stream);
    stream.viewers = viewers;
    stream.peakViewers = Math.max(stream.peakViewers, viewers);
    this.#popular.add(stream);
  }

  /** The latest `on_air` of a stream began a broadcast of its own: the one before ended at a time. */
  #restart(stream: Stream, ended: number): void {
    this.#keep(stream);
    const { times } = stream;
    times.start = times.onAir;
    this.#newest.delete(stream);
    stream.startedAt = times.onAir;
    this.#newest.add(stream);
    const isOver = (field: "viewers" | "likes") => times[field] <= ended;
    if (isOver("viewers")) {
      this.#reorder(stream, 0);
      stream.peakViewers = 0;
    }
    if (isOver("likes")) stream.likes = 0;
  }

  #offAir(event: OffAir, stream: Stream, at: number): void {
    const { times } = stream;
    // Of a broadcast to come, which reach further than this end.
    for (const field of ["viewers", "likes", "title", "category", "tags"] as const) {
      if (times[field] <= at) continue;
      this.#early.set(stream.id, {
        endedAt: -1,
        updates: [
          ...(this.#early.get(stream.id)?.updates ?? []),
          { kind: "update", time: times[field], stream: stream.id, [field]: stream[field] },
        ],
      });
    }
    this.#index.delete(event.stream);
    this.#ahead.delete(stream);
    this.#popular.delete(stream);
    this.#newest.delete(stream);
    this.#streamers.delete(stream.streamer, stream);
    this.#categories.delete(stream.category, stream);
    this.#gone.set(stream.id, gone(stream, at));
    const last = this.#streams.pop()!;
    const { index: from } = last;
    if (last !== stream) {
      last.index = stream.index;
      this.#streams[last.index] = last;
    }
    for (const follower of this.#followers) follower.left(stream.index, from);
  }
}
