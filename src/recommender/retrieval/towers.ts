import { above, checked, fields, nonNegativeInteger, type Rules, requireShape } from "../../check/index.js";
import { type Part, type PartReader, SnapshotError } from "../../engine/index.js";
import type { Id } from "../../protocol/index.js";
import { TopK } from "../../statistics/index.js";
import {
  type ByteReader,
  ByteWriter,
  type CatalogStream,
  type Follower,
  floatRows,
  framedPart,
  framedReader,
  type NumberRows,
} from "../state/index.js";
import { InvertedFile } from "./invertedfile.js";

/** Vectors of users and streamers in one space: the larger their dot product, the better the two fit. */
export interface Vectors {
  /** Numbers in a vector, at least 1. */
  readonly size: number;
  /** Writes a user's vector, finite numbers, from `offset`; returns false without a vector. */
  readUser(user: Id, out: Float32Array, offset: number): boolean;
  /** The same for a streamer in a category, with tags. */
  readStreamer(streamer: Id, category: string, out: Float32Array, offset: number, tags: readonly string[]): boolean;
}

/** The plain values of `Towers.save`. */
export interface SavedTowers {
  next: number;
}

/** No number of a row is beyond. */
const NUMBER_MAX = 1e6;

export interface TowersOptions {
  /**
   * Least share of the streams that a search multiplies, in (0, 1]: streams of the categories nearest to the user, and
   * more until it has found as many as requested. At 1 the search is exact. Default 1.
   */
  probe: number;
}

const TABLE: Rules<TowersOptions> = { probe: above(0, 1) };

/** @throws TypeError or RangeError when an option is unknown or out of its range. */
export function towersOptions(options: Partial<TowersOptions>): TowersOptions {
  return checked(options, TABLE, { probe: 1 }, "towers.");
}

/**
 * The vectors of all streams on air in one matrix, for the streams nearest to a user by dot product: the retrieval half
 * of two towers (Yi et al. 2019, "Sampling-bias-corrected neural modeling for large corpus item recommendations").
 *
 * A search multiplies every row, 100 000 of 32 in a few milliseconds, or the rows of the likeliest categories alone. A
 * row is written at an event of its stream, and again in turn by `refresh`, as learning moves the vectors.
 */
export class Towers implements Follower {
  readonly options: Readonly<TowersOptions>;
  readonly #vectors: Vectors;
  readonly #rows: NumberRows<Float32Array>;
  /** By row, whether it has a vector. */
  #known: Uint8Array;
  readonly #streams: CatalogStream[] = [];
  readonly #user: Float32Array;
  /** The same numbers: a product of f64 by f64 saves a conversion. */
  readonly #wide: Float64Array;
  /** Rows with vectors by category, when not all are searched. */
  readonly #cells: InvertedFile | undefined;
  /** The row that `refresh` writes next. */
  #next = 0;

  /**
   * @param vectors - The source of the vectors, read again and again.
   * @throws TypeError or RangeError when an option is unknown or out of its range.
   */
  constructor(vectors: Vectors, options: Partial<TowersOptions> = {}) {
    this.options = towersOptions(options);
    this.#vectors = vectors;
    if (this.options.probe < 1) this.#cells = new InvertedFile(vectors.size);
    this.#user = new Float32Array(vectors.size);
    this.#wide = new Float64Array(vectors.size);
    this.#rows = floatRows(vectors.size);
    this.#known = new Uint8Array(0);
  }

  entered(stream: CatalogStream): void {
    const { index } = stream;
    if (index >= this.#known.length) this.#grow(2 * index + 16);
    this.#streams[index] = stream;
    this.#write(stream);
  }

  changed(stream: CatalogStream): void {
    this.#write(stream);
  }

  left(index: number, last: number): void {
    this.#cells?.delete(index, this.#rows);
    if (index !== last) this.#cells?.move(last, index);
    if (index !== last) this.#rows.move(last, index);
    this.#known[index] = this.#known[last]!;
    this.#streams[index] = this.#streams[last]!;
    this.#streams.length = last;
  }

  /** Writes the next `count` rows again, in turn; each at most once. */
  refresh(count: number): void {
    const n = this.#streams.length;
    for (let i = Math.min(count, n); i > 0; i--) {
      if (this.#next >= n) this.#next = 0;
      this.#write(this.#streams[this.#next++]!);
    }
  }

  /**
   * The streams nearest to a user, best first, ties by the lower id; none for a user without a vector.
   *
   * @param count - Most streams to return.
   * @param accepts - Whether a stream may be returned; called only for streams that are near enough.
   * @param among - Streams to search. Default: all on air.
   */
  nearest(
    user: Id,
    count: number,
    accepts: (stream: CatalogStream) => boolean,
    among?: readonly CatalogStream[],
  ): CatalogStream[] {
    if (count < 1 || !this.#vectors.readUser(user, this.#user, 0)) return [];
    return this.#search(this.#user, count, accepts, among);
  }

  /** The streams nearest to one of them, itself first; none for one without a vector. */
  like({ index }: CatalogStream, count: number): CatalogStream[] {
    const at = this.#rows.at(index);
    return this.#known[index] === 1
      ? this.#search(this.#rows.of(index).slice(at, at + this.#wide.length), count, () => true)
      : [];
  }

  #search(
    vector: Float32Array,
    count: number,
    accepts: (stream: CatalogStream) => boolean,
    among?: readonly CatalogStream[],
  ): CatalogStream[] {
    this.#wide.set(vector);
    const streams = this.#streams;
    const best = new TopK(Math.min(count, streams.length), (a, b) => streams[a]!.id < streams[b]!.id);
    if (among !== undefined) for (const { index } of among) this.#offer(index, best, accepts);
    else if (this.#cells !== undefined) this.#probe(this.#cells, best, accepts);
    else for (let row = 0; row < streams.length; row++) this.#offer(row, best, accepts);
    return Array.from(best.take(), (row) => streams[row]!);
  }

  /** Plain values beside the rows. */
  save(): SavedTowers {
    return { next: this.#next };
  }

  /** Restores the values of `save`. */
  load(saved: SavedTowers): void {
    requireShape(fields<SavedTowers>({ next: nonNegativeInteger }), saved, "towers");
    this.#next = saved.next;
  }

  /** The part of a save: the rows as they are now, which may differ from the current vectors. */
  part(name: string): Part {
    const [rows, known] = [this.#rows.share(), this.#known.slice(0, this.#streams.length)];
    function* frames() {
      const out = new ByteWriter();
      for (let index = 0; index < known.length; index++) {
        out.clear().u8(known[index]!);
        const at = rows.at(index);
        for (let i = 0; known[index] === 1 && i < rows.size; i++) out.f32(rows.of(index)[at + i]!);
        yield out.bytes.subarray(0, out.length);
      }
    }
    return framedPart(name, frames);
  }

  /** Reads such a part, after the catalogue, which gave each stream a row. */
  reader(name: string): PartReader {
    let index = 0;
    const read = (frame: ByteReader) => {
      frame.what = `${name}.${index}`;
      const stream = this.#streams[index];
      if (stream === undefined) frame.fail(`rows of ${index} streams`);
      this.#cells?.delete(index, this.#rows);
      this.#known[index] = frame.count(1, "known");
      const [row, at] = [this.#rows.write(index), this.#rows.at(index)];
      for (let i = 0; this.#known[index] === 1 && i < this.#rows.size; i++) {
        row[at + i] = frame.f32();
        if (!(Math.abs(row[at + i]!) <= NUMBER_MAX)) frame.fail(`numbers in [-${NUMBER_MAX}, ${NUMBER_MAX}]`);
      }
      if (this.#known[index] === 1) this.#cells?.add(index, stream.category, this.#rows);
      index++;
    };
    return framedReader(name, read, () => {
      if (index < this.#streams.length) {
        throw new SnapshotError(`"${name}" must have ${this.#streams.length} rows, got ${index}`);
      }
    });
  }

  #write({ index, streamer, category, tags }: CatalogStream): void {
    this.#cells?.delete(index, this.#rows);
    const row = this.#rows.write(index);
    const isKnown = this.#vectors.readStreamer(streamer, category, row, this.#rows.at(index), tags);
    this.#known[index] = isKnown ? 1 : 0;
    if (isKnown) this.#cells?.add(index, category, this.#rows);
  }

  #offer(row: number, best: TopK, accepts: (stream: CatalogStream) => boolean): void {
    if (this.#known[row] === 0) return;
    const score = dot(this.#rows.of(row), this.#rows.at(row), this.#wide);
    if (score < best.least) return;
    if (accepts(this.#streams[row]!)) best.offer(row, score);
  }

  /** Searches whole cells, so that the result does not depend on the order within them. */
  #probe(cells: InvertedFile, best: TopK, accepts: (stream: CatalogStream) => boolean): void {
    let left = cells.size * this.options.probe;
    for (const rows of cells.nearest(this.#wide)) {
      if (left <= 0 && best.isFull) return;
      for (const row of rows) this.#offer(row, best, accepts);
      left -= rows.length;
    }
  }

  #grow(rows: number): void {
    const known = new Uint8Array(rows);
    known.set(this.#known);
    this.#known = known;
  }
}

/** The product of a row and a vector, in f64, always in this order: four sums, so that the processor need not wait. */
function dot(rows: Float32Array, start: number, vector: Float64Array): number {
  const n = vector.length;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < n; i += 4) {
    a += rows[start + i]! * vector[i]!;
    b += rows[start + i + 1]! * vector[i + 1]!;
    c += rows[start + i + 2]! * vector[i + 2]!;
    d += rows[start + i + 3]! * vector[i + 3]!;
  }
  for (; i < n; i++) a += rows[start + i]! * vector[i]!;
  return a + b + (c + d);
}
