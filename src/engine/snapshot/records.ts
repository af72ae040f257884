/** Parts of many records or numbers, written and read piece by piece. */
import { SnapshotError } from "./error.js";
import type { Part, PartReader } from "./part.js";
import { slices } from "./snapshot.js";

/** Characters of JSON, and floats, that are made at once: about half a millisecond each. */
const TEXT = 1 << 15;
const FLOATS = 1 << 16;
/** Records that are asked for at once, for those that give no text. */
const RECORDS = 1 << 10;
const NEWLINE = 10;

/** A part of records, each a line of JSON. `records` gives the same ones each time; an undefined one is left out. */
export function linesPart(name: string, records: () => Iterable<unknown>, release: () => void = () => {}): Part {
  return {
    name,
    *chunks() {
      for (const text of pieces(records())) {
        if (text === "") yield new Uint8Array();
        else yield* slices(new TextEncoder().encode(text));
      }
    },
    release,
  };
}

function* pieces(records: Iterable<unknown>): Generator<string, void> {
  let [text, count] = ["", 0];
  for (const record of records) {
    if (record !== undefined) text += `${JSON.stringify(record)}\n`;
    if (text.length < TEXT && ++count < RECORDS) continue;
    yield text;
    [text, count] = ["", 0];
  }
  yield text;
}

/** Reads the lines of `linesPart`. */
export class LinesReader implements PartReader {
  readonly #name: string;
  readonly #take: (record: unknown) => void;
  /** Pieces of a line whose end has not come. */
  #begun: Uint8Array[] = [];

  /** @param take - Gets each record; whatever it throws is a fault of the file. */
  constructor(name: string, take: (record: unknown) => void) {
    this.#name = name;
    this.#take = take;
  }

  write(chunk: Uint8Array): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#line(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from < chunk.byteLength) this.#begun.push(chunk.slice(from));
  }

  end(): void {
    if (this.#begun.length > 0) throw new SnapshotError(`the last of the file's ${this.#name} is cut off`);
  }

  #line(last: Uint8Array): void {
    const bytes = this.#begun.length === 0 ? last : gathered([...this.#begun, last]);
    this.#begun = [];
    try {
      this.#take(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)));
    } catch (cause) {
      if (cause instanceof SnapshotError) throw cause;
      throw new SnapshotError(`the file's ${this.#name} are not as written: ${(cause as Error).message}`, { cause });
    }
  }
}

/** Pieces as one. */
export function gathered(bytes: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(bytes.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const each of bytes) {
    all.set(each, at);
    at += each.byteLength;
  }
  return all;
}

/** A part of arrays of floats, one after the other. `arrays` gives the same ones each time. */
export function floatsPart(name: string, arrays: () => Iterable<Float32Array>, release: () => void = () => {}): Part {
  return {
    name,
    *chunks() {
      let piece = new Float32Array(FLOATS);
      let used = 0;
      for (const array of arrays()) {
        for (let at = 0; at < array.length; ) {
          const some = array.subarray(at, at + FLOATS - used);
          piece.set(some, used);
          at += some.length;
          used += some.length;
          if (used < FLOATS) continue;
          yield new Uint8Array(piece.buffer);
          piece = new Float32Array(FLOATS);
          used = 0;
        }
      }
      yield new Uint8Array(piece.buffer, 0, used * 4).slice();
    },
    release,
  };
}

/** Reads the arrays of `floatsPart`, each into memory of its own. */
export class FloatsReader implements PartReader {
  readonly #name: string;
  readonly #lengths: readonly number[];
  readonly #arrays: Float32Array[] = [];
  /** The bytes of the array that is being read, and how many have come. */
  #memory = new Uint8Array();
  #at = 0;
  #taken = 0;

  /**
   * @param lengths - Of the arrays, as the file has it.
   * @param bytes - Of the part.
   * @throws SnapshotError for lengths that the part does not have.
   */
  constructor(name: string, lengths: readonly number[], bytes: number) {
    this.#name = name;
    this.#lengths = lengths;
    let sum = 0;
    for (const length of lengths) sum += Number.isInteger(length) && length >= 0 ? length : Number.NaN;
    if (sum * 4 !== bytes) {
      throw new SnapshotError(`the file's "${name}" must be ${sum} numbers of 4 bytes, got ${bytes} bytes`);
    }
    this.#next();
  }

  write(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.byteLength; ) {
      const some = chunk.subarray(from, from + this.#memory.byteLength - this.#at);
      if (some.byteLength === 0) throw new SnapshotError(`the file's "${this.#name}" are too many numbers`);
      this.#memory.set(some, this.#at);
      this.#at += some.byteLength;
      from += some.byteLength;
      if (this.#at === this.#memory.byteLength) this.#close();
    }
  }

  end(): void {
    if (this.#arrays.length < this.#lengths.length) throw new SnapshotError(`the file's "${this.#name}" are cut off`);
  }

  /** The arrays in order, one a call. @throws SnapshotError for another length. */
  take(length: number): Float32Array {
    const array = this.#arrays[this.#taken];
    if (array?.length !== length)
      throw new SnapshotError(`the file's "${this.#name}" are not as many numbers as it needs`);
    delete this.#arrays[this.#taken++];
    return array;
  }

  #close(): void {
    const array = new Float32Array(this.#memory.buffer);
    if (!array.every(Number.isFinite)) throw new SnapshotError(`the file's "${this.#name}" must be finite numbers`);
    this.#arrays.push(array);
    this.#next();
  }

  /** Begins the next array that is not empty. */
  #next(): void {
    while (this.#lengths[this.#arrays.length] === 0) this.#arrays.push(new Float32Array());
    this.#memory = new Uint8Array((this.#lengths[this.#arrays.length] ?? 0) * 4);
    this.#at = 0;
  }
}

/** Reads a part as a whole. */
export class BytesReader implements PartReader {
  #pieces: Uint8Array[] = [];

  write(chunk: Uint8Array): void {
    this.#pieces.push(chunk.slice());
  }

  end(): void {}

  /** All bytes; once. */
  take(): Uint8Array {
    const all = gathered(this.#pieces);
    this.#pieces = [];
    return all;
  }
}

/** Depth of a value down to which its members are written one by one; below it, and in long lists, only those of huge lists. */
const DEPTH = 6;
const LONG = 64;
/** A list that is written at once has at most so many items. */
const HUGE = 2048;

/** A value as JSON, as it is now, so that no string holds all of it. */
export function jsonPart(name: string, value: object): Part {
  const encoder = new TextEncoder();
  const all: Uint8Array[] = [];
  let text = "";
  for (const piece of written(value, DEPTH)) {
    text += piece;
    if (text.length < TEXT) continue;
    all.push(encoder.encode(text));
    text = "";
  }
  all.push(encoder.encode(text));
  return {
    name,
    *chunks() {
      for (const bytes of all) yield* slices(bytes);
    },
    release() {
      all.length = 0;
    },
  };
}

/** The text of `JSON.stringify` in pieces. */
function* written(given: unknown, depth: number): Generator<string, void> {
  const value = plain(given);
  const items = Array.isArray(value) ? value.length : 0;
  if (typeof value !== "object" || value === null || (depth <= 0 && items <= HUGE)) {
    yield JSON.stringify(value) ?? "null";
  } else if (Array.isArray(value)) {
    let before = "[";
    for (const each of value) {
      yield before;
      yield* written(each, items > LONG ? 0 : depth - 1);
      before = ",";
    }
    yield before === "[" ? "[]" : "]";
  } else {
    let before = "{";
    for (const [key, each] of Object.entries(value)) {
      const member = plain(each);
      if (member === undefined || typeof member === "function") continue;
      yield `${before}${JSON.stringify(key)}:`;
      yield* written(member, depth - 1);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  }
}

/** What stands for a value in JSON. */
function plain(value: unknown): unknown {
  const { toJSON } = (value ?? {}) as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(value) : value;
}
