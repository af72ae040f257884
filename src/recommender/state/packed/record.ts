import { SnapshotError } from "../../../engine/index.js";
import { type ByteReader, ByteWriter, shortBits, shortOf } from "./bytes.js";
import { DEAD } from "./names.js";

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

/** Calls `visit` for each name of a record, in order, with its table of names and its table. */
function eachName(tables: readonly Table[], counts: Uint32Array, visit: (names: number, table: number) => void): void {
  for (let t = 0; t < tables.length; t++) {
    for (let entry = counts[t]!; entry > 0; entry--) for (const names of tables[t]!.names) visit(names, t);
  }
}

/**
 * Calls `visit` for each group of numbers, n of them, each `stride` after the one before: column c, or with c below 0 the
 * row of a table of one entry.
 */
function eachGroup(
  tables: readonly Table[],
  counts: Uint32Array,
  visit: (columns: readonly Column[], c: number, n: number, from: number, stride: number) => void,
): void {
  let from = 0;
  tables.forEach(({ columns }, t) => {
    const n = counts[t]!;
    const width = columns.length;
    if (n === 1) visit(columns, -1, width, from, 1);
    for (let c = 0; c < width && n > 1; c++) visit(columns, c, n, from + c, width);
    from += n * width;
  });
}

/** What is put together, and taken apart, at the moment. */
const codes: number[] = [];
const places: number[] = [];
const numbers: number[] = [];
const words: number[] = [];

/** Writes what stands before the numbers of a record. */
function putHead(
  out: ByteWriter,
  tables: readonly Table[],
  { base, counts, names }: { base: number; counts: Uint32Array; names: readonly number[] },
): void {
  out.f64(base);
  for (const n of counts) out.varint(n);
  let wide = 0;
  let i = 0;
  eachName(tables, counts, (table) => {
    const number = names[i++]!;
    if (number >= DEAD_SHORT && number !== DEAD) wide |= 1 << table;
  });
  out.varint(wide);
  i = 0;
  eachName(tables, counts, (table) => {
    const number = names[i++]!;
    if (wide & (1 << table)) out.u24(number);
    else out.u16(Math.min(number, DEAD_SHORT));
  });
}

/**
 * A record of tables. Its bytes: the base, the number of entries of each table, all names, the numbers: column by column,
 * as most columns hold much of a kind; those of a table of one entry in a row. So the names are found without reading a
 * number, and numbers cost what they hold.
 */
export class RecordWriter {
  readonly #tables: readonly Table[];
  readonly #out = new ByteWriter(8192);
  readonly counts: Uint32Array;
  base = 0;
  readonly names: number[] = [];
  readonly #values: number[] = [];

  constructor(tables: readonly Table[]) {
    this.#tables = tables;
    this.counts = new Uint32Array(tables.length);
  }

  begin(base: number): void {
    this.base = base;
    this.counts.fill(0);
    this.names.length = this.#values.length = 0;
  }

  /** An entry of a table; then its names and numbers follow. Tables come in order. */
  entry(table: number): void {
    this.counts[table]!++;
  }

  name(number: number): void {
    this.names.push(number);
  }

  number(value: number): void {
    this.#values.push(value);
  }

  /** The bytes, until the next record. */
  end(): Uint8Array {
    const out = this.#out.clear();
    putHead(out, this.#tables, this);
    eachGroup(this.#tables, this.counts, (columns, c, n, from, stride) => {
      for (let i = 0; i < n; i++) numbers[i] = this.#values[from + i * stride]!;
      if (c < 0) this.#mixed(n, columns, 0, 1);
      else this.#column(n, columns, c);
    });
    return out.bytes.subarray(0, out.length);
  }

  /** The bytes of the record that a reader has opened. */
  again(reader: RecordReader): Uint8Array {
    this.begin(reader.base);
    this.counts.set(reader.counts);
    this.names.push(...reader.names);
    this.#values.push(...reader.values);
    return this.end();
  }

  /** Codes, then numbers: of columns from one on (`step` 1), or all of one column (0). */
  #mixed(n: number, columns: readonly Column[], c: number, step: number): void {
    for (let i = 0; i < n; i++) codes[i] = this.#codeOf(numbers[i]!, columns[c + i * step]!.kind);
    this.#out.bits(codes, n, 2);
    for (let i = 0; i < n; i++) this.#put(numbers[i]!, codes[i]!, columns[c + i * step]!.kind);
  }

  #column(n: number, columns: readonly Column[], c: number): void {
    const out = this.#out;
    const { kind } = columns[c]!;
    let mode = -1;
    for (let i = 0; i < n; i++) {
      const code = (codes[i] = this.#codeOf(numbers[i]!, kind));
      mode = mode === -1 || mode === code ? code : MIXED;
    }
    const different = mode !== ZERO && (kind === "count" || kind === "real") ? this.#words(n) : 0;
    if (different > 0) {
      out.u8(MIXED + different);
      for (let i = 0; i < different; i++) numbers[i] = words[i]!;
      this.#mixed(different, columns, c, 0);
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
    let [different, saved] = [0, 0];
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
    const whole = kind === "time" ? this.base - value : value;
    if (Number.isSafeInteger(whole) && whole >= 0 && (kind !== "time" || Object.is(this.base - whole, value))) {
      if (whole > 0) return INTEGER;
      if (Object.is(whole, 0)) return ZERO;
    }
    if (kind === "short" ? shortBits(value) >= 0 : Math.fround(value) === value) return NARROW;
    return WIDE;
  }

  #put(value: number, code: number, kind: Column["kind"]): void {
    const out = this.#out;
    if (code === INTEGER) out.varint(kind === "time" ? this.base - value : value);
    else if (code === WIDE) out.f64(value);
    else if (code === NARROW && kind === "short") out.u24(shortBits(value));
    else if (code === NARROW) out.f32(value);
  }
}

/** Reads records, by way of arrays that it keeps. */
export class RecordReader {
  readonly #tables: readonly Table[];
  readonly counts: Uint32Array;
  base = 0;
  /** Names and numbers of the record. */
  readonly names: number[] = [];
  readonly values: number[] = [];
  #name = 0;
  #value = 0;
  /** Tables of names whose names take three bytes, a bit each; and where the names end. */
  #wide = 0;
  #namesEnd = 0;

  constructor(tables: readonly Table[]) {
    this.#tables = tables;
    this.counts = new Uint32Array(tables.length);
  }

  /**
   * Reads a record; then `name` and `number` give what it holds in the order of writing.
   *
   * @param isOld - Whether it is of version 8 of files: three bytes a name, codes of all numbers, all numbers. Default
   *   false.
   */
  open(bytes: ByteReader, isOld = false): void {
    this.#head(bytes, isOld);
    this.names.length = this.values.length = 0;
    eachName(this.#tables, this.counts, (table) => this.names.push(this.#readName(bytes, table)));
    if (isOld) this.#openOld(bytes);
    else this.#openColumns(bytes);
    this.#name = this.#value = 0;
  }

  /** The number of the next name. */
  name(): number {
    return this.names[this.#name++]!;
  }

  number(): number {
    return this.values[this.#value++]!;
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
    eachName(this.#tables, this.counts, (names, table) => visit(names, this.#readName(bytes, names), table));
  }

  /** Writes a record with other names. @param own - The number of a name of a table of names. */
  renamed(bytes: ByteReader, out: ByteWriter, own: (names: number, number: number) => number): void {
    const names: number[] = [];
    this.walk(bytes, (table, number) => names.push(own(table, number)));
    putHead(out, this.#tables, { base: this.base, counts: this.counts, names });
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
          const value = this.values[i]!;
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
        const number = this.names[i]!;
        if (names.length > 1 || number === dead) continue;
        if (seen.has(number))
          throw new SnapshotError(`"${what}.${name}.${entry}" must not have the name of another entry`);
        seen.add(number);
      }
    }
  }

  /** Reads base and counts, and requires the names to be there. */
  #head(bytes: ByteReader, isOld = false): void {
    this.base = bytes.f64();
    const tables = this.#tables;
    for (let t = 0; t < tables.length; t++) this.counts[t] = bytes.count(tables[t]!.max, tables[t]!.name);
    this.#wide = isOld ? -1 : bytes.varint();
    let size = 0;
    for (let t = 0; t < tables.length; t++) {
      for (const names of tables[t]!.names) size += this.counts[t]! * (2 + ((this.#wide >> names) & 1));
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
    this.#mixed(bytes, all.length, all, 0, 1);
    for (let i = 0; i < all.length; i++) this.values[i] = numbers[i]!;
  }

  #openColumns(bytes: ByteReader): void {
    eachGroup(this.#tables, this.counts, (columns, c, n, from, stride) => {
      if (c < 0) this.#mixed(bytes, n, columns, 0, 1);
      else this.#column(bytes, n, columns, c);
      for (let i = 0; i < n; i++) this.values[from + i * stride] = numbers[i]!;
    });
  }

  /** As written by the writer's. */
  #mixed(bytes: ByteReader, n: number, columns: readonly Column[], c: number, step: number): void {
    bytes.bits(codes, n, 2);
    for (let i = 0; i < n; i++) numbers[i] = this.#number(bytes, codes[i]!, columns[c + i * step]!.kind);
  }

  #column(bytes: ByteReader, n: number, columns: readonly Column[], c: number): void {
    const mode = bytes.u8();
    if (mode < MIXED) {
      for (let i = 0; i < n; i++) numbers[i] = this.#number(bytes, mode, columns[c]!.kind);
      return;
    }
    const different = mode - MIXED;
    if (different > WORDS_MAX) bytes.fail("of known columns");
    this.#mixed(bytes, different || n, columns, c, 0);
    if (different === 0) return;
    for (let i = 0; i < different; i++) words[i] = numbers[i]!;
    bytes.bits(codes, n, bitsFor(different));
    for (let i = 0; i < n; i++) {
      if (codes[i]! >= different) bytes.fail("of known words");
      numbers[i] = words[codes[i]!]!;
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
