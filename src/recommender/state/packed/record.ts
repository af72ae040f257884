import { SnapshotError } from "../../../engine/index.js";
import { type ByteReader, ByteWriter, shortBits, shortOf } from "./bytes.js";
import { DEAD, type Names } from "./names.js";

/** How a column's numbers are stored, and their range; any number is stored to the bit, these in few bytes. */
export interface Column {
  readonly name: string;
  /**
   * `count`: small integers; `time`: milliseconds, near the record's base; `short`: as `short` rounds; `real`: f32 where
   * that is exact.
   */
  readonly kind: "count" | "time" | "short" | "real";
  readonly min: number;
  readonly max: number;
}

/** A table of a record: entries of names, each of a table of names, and of numbers. */
export interface Table {
  readonly name: string;
  /** For each name of an entry, the index of its table of names. */
  readonly names: readonly number[];
  readonly columns: readonly Column[];
  /** Most entries. */
  readonly max: number;
}

/** A clock may say any time. */
const TIME_MAX = Number.MAX_VALUE;

export function count(name: string, max: number = Number.MAX_VALUE): Column {
  return { name, kind: "count", min: 0, max };
}

export function time(name: string): Column {
  return { name, kind: "time", min: -TIME_MAX, max: TIME_MAX };
}

export function shortSum(name: string): Column {
  return { name, kind: "short", min: 0, max: 1e12 };
}

export function real(name: string, max = 1e12, min = 0): Column {
  return { name, kind: "real", min, max };
}

/** Codes of a number, two bits each; and the bytes that such numbers take at least. */
const [ZERO, INTEGER, NARROW, WIDE] = [0, 1, 2, 3] as const;
const SIZES = [0, 1, 3, 8] as const;
/** What a column begins with: the code of all its numbers; this, where they have one each; or this and the number of words. */
const MIXED = 4;
/** Most different numbers of a column that is written as words and their places. */
const WORDS_MAX = 16;
/** A dead name in two bytes. Larger numbers take three. */
const DEAD_SHORT = 0xffff;

/** Bits of a place among so many words. */
function bitsFor(words: number): number {
  return words > 4 ? 4 : words > 2 ? 2 : words - 1;
}

/** What is put together, and taken apart, at the moment: memory that is kept, as garbage cost a quarter of the time. */
let codes = new Uint8Array(256);
let places = new Uint8Array(256);
let numbers = new Float64Array(256);
const words = new Float64Array(WORDS_MAX);

/** Makes room for the numbers of a group. */
function roomFor(count: number): void {
  if (count <= numbers.length) return;
  numbers = new Float64Array(2 * count);
  codes = new Uint8Array(2 * count);
  places = new Uint8Array(2 * count);
}

/** Names and numbers of a record, in the order of its tables: lists that keep their memory. */
export class RecordContents {
  readonly counts: Uint32Array;
  base = 0;
  names = new Uint32Array(256);
  nameCount = 0;
  values = new Float64Array(1024);
  valueCount = 0;

  constructor(tables: readonly Table[]) {
    this.counts = new Uint32Array(tables.length);
  }

  begin(base: number): void {
    this.base = base;
    this.counts.fill(0);
    this.nameCount = this.valueCount = 0;
  }

  addName(number: number): void {
    if (this.nameCount === this.names.length) {
      const names = new Uint32Array(2 * this.names.length);
      names.set(this.names);
      this.names = names;
    }
    this.names[this.nameCount++] = number;
  }

  addValue(value: number): void {
    if (this.valueCount === this.values.length) this.roomForValues(this.valueCount + 1);
    this.values[this.valueCount++] = value;
  }

  roomForValues(count: number): void {
    if (count <= this.values.length) return;
    const values = new Float64Array(2 * count);
    values.set(this.values);
    this.values = values;
  }
}

/** Writes what stands before the numbers of a record. */
function putHead(out: ByteWriter, tables: readonly Table[], contents: RecordContents): void {
  const { base, counts, names: own } = contents;
  out.f64(base);
  for (let t = 0; t < counts.length; t++) out.varint(counts[t]!);
  let wide = 0;
  for (let t = 0, i = 0; t < tables.length; t++) {
    const { names } = tables[t]!;
    for (let entry = counts[t]!; entry > 0; entry--) {
      for (let n = 0; n < names.length; n++, i++) {
        const number = own[i]!;
        if (number >= DEAD_SHORT && number !== DEAD) wide |= 1 << names[n]!;
      }
    }
  }
  out.varint(wide);
  for (let t = 0, i = 0; t < tables.length; t++) {
    const { names } = tables[t]!;
    for (let entry = counts[t]!; entry > 0; entry--) {
      for (let n = 0; n < names.length; n++, i++) {
        if (wide & (1 << names[n]!)) out.u24(own[i]!);
        else out.u16(Math.min(own[i]!, DEAD_SHORT));
      }
    }
  }
}

/** Refers to the names of what was read or written last (1), or no longer does (-1). */
export function referTo(tables: readonly Table[], record: RecordContents, all: readonly Names[], by: 1 | -1): void {
  for (let t = 0, i = 0; t < tables.length; t++) {
    const { names } = tables[t]!;
    for (let entry = record.counts[t]!; entry > 0; entry--) {
      for (let n = 0; n < names.length; n++, i++) {
        if (by === 1) all[names[n]!]!.refer(record.names[i]!);
        else all[names[n]!]!.drop(record.names[i]!);
      }
    }
  }
}

/**
 * A record of tables. Its bytes: the base, the number of entries of each table, all names, the numbers: column by column,
 * as most columns hold much of a kind; those of a table of one entry in a row. So the names are found without reading a
 * number, and numbers cost what they hold.
 */
export class RecordWriter {
  readonly #tables: readonly Table[];
  readonly #out = new ByteWriter(8192);
  /** Of the record that is written, or was last. */
  readonly contents: RecordContents;

  constructor(tables: readonly Table[]) {
    this.#tables = tables;
    this.contents = new RecordContents(tables);
  }

  begin(base: number): void {
    this.contents.begin(base);
  }

  /** An entry of a table; then its names and numbers follow. Tables come in order. */
  entry(table: number): void {
    this.contents.counts[table]!++;
  }

  name(number: number): void {
    this.contents.addName(number);
  }

  number(value: number): void {
    this.contents.addValue(value);
  }

  /** The bytes, until the next record. */
  end(): Uint8Array {
    const out = this.#out.clear();
    const tables = this.#tables;
    const { counts } = this.contents;
    putHead(out, tables, this.contents);
    for (let t = 0, from = 0; t < tables.length; t++) {
      const { columns } = tables[t]!;
      const [n, width] = [counts[t]!, columns.length];
      if (n === 1) this.#row(columns, from);
      else if (n > 1) for (let c = 0; c < width; c++) this.#column(columns[c]!.kind, n, from + c, width);
      from += n * width;
    }
    return out.bytes.subarray(0, out.length);
  }

  /** The bytes of the record that a reader has opened. */
  again({ contents: own }: RecordReader): Uint8Array {
    this.begin(own.base);
    this.contents.counts.set(own.counts);
    for (let i = 0; i < own.nameCount; i++) this.name(own.names[i]!);
    for (let i = 0; i < own.valueCount; i++) this.number(own.values[i]!);
    return this.end();
  }

  /** The numbers of a table of one entry: codes, then numbers. */
  #row(columns: readonly Column[], from: number): void {
    const { values } = this.contents;
    const width = columns.length;
    roomFor(width);
    for (let i = 0; i < width; i++) codes[i] = this.#codeOf(values[from + i]!, columns[i]!.kind);
    this.#out.bits(codes, width, 2);
    for (let i = 0; i < width; i++) this.#put(values[from + i]!, codes[i]!, columns[i]!.kind);
  }

  /** Numbers of a column, each `stride` after the one before. */
  #column(kind: Column["kind"], n: number, from: number, stride: number): void {
    const out = this.#out;
    const { values } = this.contents;
    roomFor(n);
    let mode = -1;
    for (let i = 0, at = from; i < n; i++, at += stride) {
      const value = values[at]!;
      numbers[i] = value;
      const code = this.#codeOf(value, kind);
      codes[i] = code;
      mode = mode === -1 || mode === code ? code : MIXED;
    }
    const different = mode !== ZERO && (kind === "count" || kind === "real") ? this.#words(n) : 0;
    if (different > 0) {
      out.u8(MIXED + different);
      for (let i = 0; i < different; i++) codes[i] = this.#codeOf(words[i]!, kind);
      out.bits(codes, different, 2);
      for (let i = 0; i < different; i++) this.#put(words[i]!, codes[i]!, kind);
      out.bits(places, n, bitsFor(different));
      return;
    }
    out.u8(mode);
    if (mode === MIXED) out.bits(codes, n, 2);
    for (let i = 0; i < n; i++) this.#put(numbers[i]!, codes[i]!, kind);
  }

  /**
   * The different numbers in the order of their first use, as words, and the place of each among them. Returns how many
   * there are; 0 where they are too many, or would take more bytes.
   */
  #words(n: number): number {
    let different = 0;
    let saved = 0;
    for (let i = 0; i < n; i++) {
      const value = numbers[i]!;
      let place = 0;
      while (place < different && !Object.is(words[place], value)) place++;
      if (place < different) saved += SIZES[codes[i] as 0];
      else if (different === WORDS_MAX) return 0;
      else words[different++] = value;
      places[i] = place;
    }
    return 8 * saved > n * bitsFor(different) + 2 * different ? different : 0;
  }

  #codeOf(value: number, kind: Column["kind"]): number {
    const { base } = this.contents;
    const whole = kind === "time" ? base - value : value;
    if (Number.isSafeInteger(whole) && whole >= 0 && (kind !== "time" || Object.is(base - whole, value))) {
      if (whole > 0) return INTEGER;
      if (Object.is(whole, 0)) return ZERO;
    }
    if (kind === "short" ? shortBits(value) >= 0 : Math.fround(value) === value) return NARROW;
    return WIDE;
  }

  #put(value: number, code: number, kind: Column["kind"]): void {
    const out = this.#out;
    if (code === INTEGER) out.varint(kind === "time" ? this.contents.base - value : value);
    else if (code === WIDE) out.f64(value);
    else if (code === NARROW && kind === "short") out.u24(shortBits(value));
    else if (code === NARROW) out.f32(value);
  }
}

/** Reads records, by way of arrays that it keeps. */
export class RecordReader {
  readonly #tables: readonly Table[];
  /** Of the record that was read last. */
  readonly contents: RecordContents;
  #name = 0;
  #value = 0;
  /** Tables of names whose names take three bytes, a bit each; and where the names end. */
  #wide = 0;
  #namesEnd = 0;

  constructor(tables: readonly Table[]) {
    this.#tables = tables;
    this.contents = new RecordContents(tables);
  }

  get base(): number {
    return this.contents.base;
  }

  get counts(): Uint32Array {
    return this.contents.counts;
  }

  /**
   * Reads a record; then `name` and `number` give what it holds in the order of writing.
   *
   * @param isOld - Whether it is of version 8 of files: three bytes a name, codes of all numbers, all numbers. Default
   *   false.
   */
  open(bytes: ByteReader, isOld = false): void {
    this.openNames(bytes, isOld);
    if (isOld) this.#openOld(bytes);
    else this.#openColumns(bytes);
    this.#name = this.#value = 0;
  }

  /** Reads the names of a record alone. */
  openNames(bytes: ByteReader, isOld = false): void {
    this.#head(bytes, isOld);
    const { contents } = this;
    const { counts } = contents;
    contents.nameCount = contents.valueCount = 0;
    for (let t = 0; t < counts.length; t++) {
      const { names } = this.#tables[t]!;
      for (let entry = counts[t]!; entry > 0; entry--) {
        for (let n = 0; n < names.length; n++) contents.addName(this.#readName(bytes, names[n]!));
      }
    }
  }

  /** The number of the next name. */
  name(): number {
    return this.contents.names[this.#name++]!;
  }

  number(): number {
    return this.contents.values[this.#value++]!;
  }

  /** The name and the number of the first table, which has at most one entry, of one each; undefined for an empty one. */
  first(bytes: ByteReader): { name: number; value: number } | undefined {
    this.#head(bytes);
    if (this.counts[0] === 0) return undefined;
    const { names, columns } = this.#tables[0]!;
    const name = this.#readName(bytes, names[0]!);
    bytes.at = this.#namesEnd;
    return { name, value: this.#number(bytes, bytes.u8(), columns[0]!.kind) };
  }

  /** Calls `visit` for each name, with the index of its table of names, and that of its table. */
  walk(bytes: ByteReader, visit: (names: number, number: number, table: number) => void): void {
    this.#head(bytes);
    for (let t = 0; t < this.#tables.length; t++) {
      for (let entry = this.counts[t]!; entry > 0; entry--) {
        for (const names of this.#tables[t]!.names) visit(names, this.#readName(bytes, names), t);
      }
    }
  }

  /** Writes a record with other names. @param own - The number of a name of a table of names. */
  renamed(bytes: ByteReader, out: ByteWriter, own: (names: number, number: number) => number): void {
    this.openNames(bytes);
    const { names, counts } = this.contents;
    for (let t = 0, i = 0; t < counts.length; t++) {
      for (let entry = counts[t]!; entry > 0; entry--) {
        for (const table of this.#tables[t]!.names) {
          names[i] = own(table, names[i]!);
          i++;
        }
      }
    }
    putHead(out, this.#tables, this.contents);
    out.raw(bytes.bytes.subarray(bytes.at, bytes.end));
  }

  /**
   * Checks the opened record: its numbers, and that no table of one name an entry has a name twice.
   *
   * @param dead - The number of forgotten names, which may come twice.
   * @throws SnapshotError that names the column, or the entry.
   */
  check(what: string, dead: number): void {
    this.#checkNames(what, dead);
    if (!(Math.abs(this.base) <= TIME_MAX)) throw new SnapshotError(`"${what}.base" must be finite, got ${this.base}`);
    let i = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const { columns, name } = this.#tables[t]!;
      for (let entry = 0; entry < this.counts[t]!; entry++) {
        for (let c = 0; c < columns.length; c++, i++) {
          const value = this.contents.values[i]!;
          const column = columns[c]!;
          if (value >= column.min && value <= column.max) continue;
          const range = `in [${column.min}, ${column.max}]`;
          throw new SnapshotError(`"${what}.${name}.${entry}.${column.name}" must be ${range}, got ${value}`);
        }
      }
    }
  }

  #checkNames(what: string, dead: number): void {
    let i = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const { names, name } = this.#tables[t]!;
      const seen = new Set<number>();
      for (let entry = 0; entry < this.counts[t]! * names.length; entry++, i++) {
        const number = this.contents.names[i]!;
        if (names.length > 1 || number === dead) continue;
        if (seen.has(number))
          throw new SnapshotError(`"${what}.${name}.${entry}" must not have the name of another entry`);
        seen.add(number);
      }
    }
  }

  /** Reads base and counts, and requires the names to be there. */
  #head(bytes: ByteReader, isOld = false): void {
    this.contents.base = bytes.f64();
    const tables = this.#tables;
    for (let t = 0; t < tables.length; t++) this.counts[t] = bytes.count(tables[t]!.max, tables[t]!.name);
    this.#wide = isOld ? -1 : bytes.varint();
    let size = 0;
    for (let t = 0; t < tables.length; t++) {
      const { names } = tables[t]!;
      for (let n = 0; n < names.length; n++) size += this.counts[t]! * (2 + ((this.#wide >> names[n]!) & 1));
    }
    const from = bytes.skip(size);
    this.#namesEnd = bytes.at;
    bytes.at = from;
  }

  #readName(bytes: ByteReader, table: number): number {
    if (this.#wide & (1 << table)) return bytes.u24();
    const number = bytes.u16();
    return number === DEAD_SHORT ? DEAD : number;
  }

  /** Three bytes a name, codes of all numbers, all numbers row by row. */
  #openOld(bytes: ByteReader): void {
    const all = this.#tables.flatMap(({ columns }, t) =>
      new Array<typeof columns>(this.counts[t]!).fill(columns).flat(),
    );
    this.#row(bytes, all, 0);
    this.contents.valueCount = all.length;
  }

  #openColumns(bytes: ByteReader): void {
    const { contents } = this;
    const { counts } = contents;
    for (let t = 0, from = 0; t < counts.length; t++) {
      const { columns } = this.#tables[t]!;
      const [n, width] = [counts[t]!, columns.length];
      contents.roomForValues(from + n * width);
      if (n === 1) this.#row(bytes, columns, from);
      else if (n > 1) for (let c = 0; c < width; c++) this.#column(bytes, columns[c]!.kind, n, from + c, width);
      from += n * width;
      contents.valueCount = from;
    }
  }

  /** As written by the writer's. */
  #row(bytes: ByteReader, columns: readonly Column[], from: number): void {
    const width = columns.length;
    roomFor(width);
    this.contents.roomForValues(from + width);
    const { values } = this.contents;
    bytes.bits(codes, width, 2);
    for (let i = 0; i < width; i++) values[from + i] = this.#number(bytes, codes[i]!, columns[i]!.kind);
  }

  #column(bytes: ByteReader, kind: Column["kind"], n: number, from: number, stride: number): void {
    const { values } = this.contents;
    const mode = bytes.u8();
    if (mode < MIXED) {
      for (let i = 0, at = from; i < n; i++, at += stride) values[at] = this.#number(bytes, mode, kind);
      return;
    }
    const different = mode - MIXED;
    if (different > WORDS_MAX) bytes.fail("of known columns");
    roomFor(n);
    if (different === 0) {
      bytes.bits(codes, n, 2);
      for (let i = 0, at = from; i < n; i++, at += stride) values[at] = this.#number(bytes, codes[i]!, kind);
      return;
    }
    bytes.bits(codes, different, 2);
    for (let i = 0; i < different; i++) words[i] = this.#number(bytes, codes[i]!, kind);
    bytes.bits(codes, n, bitsFor(different));
    for (let i = 0, at = from; i < n; i++, at += stride) {
      if (codes[i]! >= different) bytes.fail("of known words");
      values[at] = words[codes[i]!]!;
    }
  }

  #number(bytes: ByteReader, code: number, kind: Column["kind"]): number {
    switch (code) {
      case ZERO:
        return kind === "time" ? this.base : 0;
      case INTEGER:
        return kind === "time" ? this.base - bytes.varint() : bytes.varint();
      case NARROW:
        return kind === "short" ? shortOf(bytes.u24()) : bytes.f32();
      default:
        return bytes.f64();
    }
  }
}
