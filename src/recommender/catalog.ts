import type { Id, LiveEvent, OffAir, OnAir, StreamUpdate } from "./events.js";

/** A stream on air, as the events have told it. */
export interface CatalogStream {
  readonly id: Id;
  /** Where it stands in `Catalog.streams`, in [0, size); changes when another stream goes off air. */
  readonly index: number;
  readonly streamer: Id;
  readonly category: string;
  readonly tags: readonly string[];
  readonly title: string;
  /** When it went on air, milliseconds. */
  readonly startedAt: number;
  /** When something was last said about it, milliseconds. */
  readonly updatedAt: number;
  /** Current number of viewers by the last `update`; 0 until there is one. */
  readonly viewers: number;
  /** The largest number of viewers so far. */
  readonly peakViewers: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NO_TAGS: readonly string[] = [];

/**
 * What is on air now.
 *
 * Holds one record for each stream on air, without gaps, and nothing of a stream that has gone: an `off_air` moves the
 * last record into the place that became free. Every event takes O(1).
 */
export class Catalog {
  readonly #index = new Map<Id, Mutable<CatalogStream>>();
  readonly #streams: Mutable<CatalogStream>[] = [];
  #ignored = 0;

  /** Number of streams on air. */
  get size(): number {
    return this.#streams.length;
  }

  /** The streams on air, each at its `index`. A live view: do not keep it across events. */
  get streams(): readonly CatalogStream[] {
    return this.#streams;
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

  [Symbol.iterator](): IterableIterator<CatalogStream> {
    return this.#streams.values();
  }

  /** Takes any event; those that say nothing about what is on air change nothing. */
  feedback(event: LiveEvent): void {
    if (event.kind === "on_air") this.#onAir(event);
    else if (event.kind === "update") this.#update(event);
    else if (event.kind === "off_air") this.#offAir(event);
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

  /** An `on_air` for a stream on air says again what it is; its start and its viewers stay. */
  #onAir(event: OnAir): void {
    const known = this.#index.get(event.stream);
    const tags = event.tags ?? NO_TAGS;
    const title = event.title ?? "";
    if (known !== undefined) {
      known.streamer = event.streamer;
      known.category = event.category;
      known.tags = tags;
      known.title = title;
      known.updatedAt = event.time;
      return;
    }
    const stream = {
      id: event.stream,
      index: this.#streams.length,
      streamer: event.streamer,
      category: event.category,
      tags,
      title,
      startedAt: event.time,
      updatedAt: event.time,
      viewers: 0,
      peakViewers: 0,
    };
    this.#streams.push(stream);
    this.#index.set(stream.id, stream);
  }

  #update(event: StreamUpdate): void {
    const stream = this.#index.get(event.stream);
    if (stream === undefined) {
      this.#ignored++;
      return;
    }
    stream.category = event.category ?? stream.category;
    stream.viewers = event.viewers ?? stream.viewers;
    stream.peakViewers = Math.max(stream.peakViewers, stream.viewers);
    stream.updatedAt = event.time;
  }

  #offAir(event: OffAir): void {
    const stream = this.#index.get(event.stream);
    if (stream === undefined) {
      this.#ignored++;
      return;
    }
    this.#index.delete(stream.id);
    const last = this.#streams.pop()!;
    if (last === stream) return;
    last.index = stream.index;
    this.#streams[last.index] = last;
  }
}
