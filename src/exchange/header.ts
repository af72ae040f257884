import { SnapshotError } from "../engine/index.js";

/** A tensor in a header; `begin` and `end` are offsets into the data after the header, in bytes. */
export interface TensorEntry {
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

/** A parsed header, its offsets unchecked. */
export interface TensorHeader {
  metadata: Map<string, string>;
  entries: Map<string, TensorEntry>;
}

const FIELDS = ["dtype", "shape", "data_offsets"];
/** More dimensions than any tool writes; bounds the work that a hostile header can cause. */
const RANK_MAX = 8;
const NAME_SHOWN = 100;

/**
 * Parses the JSON of a safetensors header by hand, since JSON.parse keeps the last of two equal names, rounds numbers
 * beyond 2^53 and reads 4e0 as 4.
 * @throws SnapshotError that names the fault and its character.
 */
export function parseHeader(text: string): TensorHeader {
  return new HeaderParser(text).header();
}

/** A name from a file for messages: on one line, of limited length. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > NAME_SHOWN ? `${name.slice(0, NAME_SHOWN)}...` : name);
}

class HeaderParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  header(): TensorHeader {
    const metadata = new Map<string, string>();
    const entries = new Map<string, TensorEntry>();
    if (this.#text[0] !== "{") throw this.#error('must begin with "{"');
    this.#object((name) => {
      if (name === "__metadata__") this.#object((key) => metadata.set(key, this.#string()));
      else entries.set(name, this.#entry(name));
    });
    if (/[^ ]/.test(this.#text.slice(this.#at))) throw this.#error("must have only spaces after its object");
    return { metadata, entries };
  }

  #entry(name: string): TensorEntry {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.#object((field) => {
      if (field === "dtype") dtype = this.#string();
      else if (field === "shape") shape = this.#integers(RANK_MAX);
      else if (field === "data_offsets") offsets = this.#integers(2);
      else
        throw this.#error(
          `gives tensor ${quoted(name)} the field ${quoted(field)}, but fields are ${FIELDS.join(", ")}`,
        );
    });
    if (dtype === undefined || shape === undefined || offsets?.length !== 2) {
      throw this.#error(`must give tensor ${quoted(name)} dtype, shape and two data_offsets`);
    }
    return { dtype, shape, begin: offsets[0]!, end: offsets[1]! };
  }

  /** Reads `{ "name": ..., ... }`; `value` reads each value. Two equal names are refused. */
  #object(value: (name: string) => void): void {
    this.#expect("{");
    const seen = new Set<string>();
    if (this.#next("}")) return;
    do {
      const name = this.#string();
      if (seen.has(name)) throw this.#error(`has ${quoted(name)} twice`);
      seen.add(name);
      this.#expect(":");
      value(name);
    } while (this.#next(","));
    this.#expect("}");
  }

  #integers(most: number): number[] {
    const list: number[] = [];
    this.#expect("[");
    if (this.#next("]")) return list;
    do {
      if (list.length === most) throw this.#error(`has more than ${most} numbers in a list`);
      list.push(this.#integer());
    } while (this.#next(","));
    this.#expect("]");
    return list;
  }

  /** An integer without sign, fraction, exponent or leading zeros, up to 2^53 - 1. */
  #integer(): number {
    this.#skip();
    const digits = /^(?:0|[1-9]\d{0,15})(?![\d.eE])/.exec(this.#text.slice(this.#at, this.#at + 18))?.[0];
    const value = Number(digits);
    if (digits === undefined || !Number.isSafeInteger(value))
      throw this.#error("must have an integer in [0, 2^53 - 1]");
    this.#at += digits.length;
    return value;
  }

  /** A JSON string of well-formed Unicode. */
  #string(): string {
    this.#skip();
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#error("must have a string");
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    let value: unknown;
    try {
      value = JSON.parse(this.#text.slice(start, end + 1));
    } catch {
      throw this.#error("must have a string without bad escapes");
    }
    if (typeof value !== "string" || /\p{Surrogate}/u.test(value)) throw this.#error("must have well-formed strings");
    this.#at = end + 1;
    return value;
  }

  #expect(mark: string): void {
    if (!this.#next(mark)) throw this.#error(`must have "${mark}"`);
  }

  /** Whether this mark comes next; if so, moves past it. */
  #next(mark: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #error(what: string): SnapshotError {
    return new SnapshotError(`the header ${what}, at character ${this.#at}`);
  }
}
