import { SnapshotError } from "../../../engine/index.js";
import { type ByteReader, ByteWriter, shortBits, shortOf } from "./bytes.js";

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

/** Codes of a number, two bits each. */
const [ZERO, INTEGER, NARROW, WIDE] = [0, 1, 2, 3] as const;

/**
 * A record of tables. Its bytes: the base, the number of entries of each table, all names, a code for each number, the
 * numbers. So the names are found without reading a number, and numbers cost what they hold.
 */
export class RecordWriter {
  readonly #tables: readonly Table[];
  readonly #out = new ByteWriter(8192);
  readonly #counts: Uint32Array;
  #names = new Uint32Array(1024);
  #nameCount = 0;
  #values = new Float64Array(4096);
  #valueCount = 0;
  #base = 0;

  constructor(tables: readonly Table[]) {
    this.#tables = tables;
    this.#counts = new Uint32Array(tables.length);
  }

  begin(base: number): void {
    this.#base = base;
    this.#counts.fill(0);
    this.#nameCount = 0;
    this.#valueCount = 0;
  }

  /** An entry of a table; then its names and numbers follow. Tables come in order. */
  entry(table: number): void {
    this.#counts[table]!++;
  }

  name(number: number): void {
    if (this.#nameCount === this.#names.length) {
      const names = new Uint32Array(2 * this.#nameCount);
      names.set(this.#names);
      this.#names = names;
    }
    this.#names[this.#nameCount++] = number;
  }

  number(value: number): void {
    if (this.#valueCount === this.#values.length) {
      const values = new Float64Array(2 * this.#valueCount);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#valueCount++] = value;
  }

  /** The bytes, until the next record. */
  end(): Uint8Array {
    const out = this.#out.clear();
    out.f64(this.#base);
    for (const n of this.#counts) out.varint(n);
    for (let i = 0; i < this.#nameCount; i++) out.u24(this.#names[i]!);
    const codes = out.length;
    const codeBytes = (this.#valueCount + 3) >>> 2;
    out.room(codeBytes + 9 * this.#valueCount);
    out.bytes.fill(0, codes, codes + codeBytes);
    out.length += codeBytes;
    let i = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const { columns } = this.#tables[t]!;
      for (let entry = this.#counts[t]!; entry > 0; entry--) {
        for (let c = 0; c < columns.length; c++, i++) {
          const code = this.#put(this.#values[i]!, columns[c]!.kind);
          out.bytes[codes + (i >>> 2)]! |= code << (2 * (i & 3));
        }
      }
    }
    return out.bytes.subarray(0, out.length);
  }

  #put(value: number, kind: Column["kind"]): number {
    const out = this.#out;
    const whole = kind === "time" ? this.#base - value : value;
    if (Number.isSafeInteger(whole) && whole >= 0 && (kind !== "time" || Object.is(this.#base - whole, value))) {
      if (whole > 0) {
        out.varint(whole);
        return INTEGER;
      }
      if (Object.is(whole, 0)) return ZERO;
    }
    if (kind === "short") {
      const bits = shortBits(value);
      if (bits >= 0) {
        out.u24(bits);
        return NARROW;
      }
    } else if (Math.fround(value) === value) {
      out.f32(value);
      return NARROW;
    }
    out.f64(value);
    return WIDE;
  }
}

/** Reads records, by way of arrays that it keeps. */
export class RecordReader {
  readonly #tables: readonly Table[];
  readonly counts: Uint32Array;
  base = 0;
  #names = new Uint32Array(1024);
  #values = new Float64Array(4096);
  #name = 0;
  #value = 0;

  constructor(tables: readonly Table[]) {
    this.#tables = tables;
    this.counts = new Uint32Array(tables.length);
  }

  /** Reads a record; then `name` and `number` give what it holds in the order of writing. */
  open(bytes: ByteReader): void {
    const [names, values] = this.#head(bytes);
    if (names > this.#names.length) this.#names = new Uint32Array(2 * names);
    if (values > this.#values.length) this.#values = new Float64Array(2 * values);
    for (let i = 0; i < names; i++) this.#names[i] = bytes.u24();
    const codes = bytes.skip((values + 3) >>> 2);
    let i = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const { columns } = this.#tables[t]!;
      for (let entry = this.counts[t]!; entry > 0; entry--) {
        for (let c = 0; c < columns.length; c++, i++) {
          const code = (bytes.bytes[codes + (i >>> 2)]! >>> (2 * (i & 3))) & 3;
          this.#values[i] = this.#number(bytes, code, columns[c]!.kind);
        }
      }
    }
    this.#name = this.#value = 0;
  }

  /** The number of the next name. */
  name(): number {
    return this.#names[this.#name++]!;
  }

  number(): number {
    return this.#values[this.#value++]!;
  }

  /** The numbers of names of one table, without reading the rest. */
  namesOf(bytes: ByteReader, table: number): Uint32Array {
    this.#head(bytes);
    for (let t = 0; t < table; t++) bytes.skip(3 * this.counts[t]! * this.#tables[t]!.names.length);
    const names = new Uint32Array(this.counts[table]! * this.#tables[table]!.names.length);
    for (let i = 0; i < names.length; i++) names[i] = bytes.u24();
    return names;
  }

  /** The first number of the first table, and its first name; undefined for an empty table. */
  first(bytes: ByteReader): { name: number; value: number } | undefined {
    const [names, values] = this.#head(bytes);
    if (this.counts[0] === 0) return undefined;
    const name = bytes.u24();
    bytes.skip(3 * (names - 1));
    const codes = bytes.skip((values + 3) >>> 2);
    return { name, value: this.#number(bytes, bytes.bytes[codes]! & 3, this.#tables[0]!.columns[0]!.kind) };
  }

  /** Calls `visit` for each name, with the index of its table of names and where its number stands. */
  walk(bytes: ByteReader, visit: (names: number, number: number, at: number) => void): void {
    this.#head(bytes);
    for (let t = 0; t < this.#tables.length; t++) {
      const { names } = this.#tables[t]!;
      for (let entry = this.counts[t]!; entry > 0; entry--) {
        for (let n = 0; n < names.length; n++) {
          const at = bytes.at;
          visit(names[n]!, bytes.u24(), at);
        }
      }
    }
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
          const value = this.#values[i]!;
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
        const number = this.#names[i]!;
        if (names.length > 1 || number === dead) continue;
        if (seen.has(number))
          throw new SnapshotError(`"${what}.${name}.${entry}" must not have the name of another entry`);
        seen.add(number);
      }
    }
  }

  /** Reads base and counts. Returns how many names and numbers follow. */
  #head(bytes: ByteReader): [names: number, values: number] {
    this.base = bytes.f64();
    let names = 0;
    let values = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const table = this.#tables[t]!;
      const n = bytes.count(table.max, table.name);
      this.counts[t] = n;
      names += n * table.names.length;
      values += n * table.columns.length;
    }
    return [names, values];
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
