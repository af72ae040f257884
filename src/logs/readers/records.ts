import { mustBe, oneOf, optional, type Rule, show } from "../../check/index.js";
import { LineError } from "./lines.js";
import { type CheckedReader, checkedReader, type ReaderOptions } from "./text.js";

/** How the records of a file are written. */
export interface CsvDialect {
  /** Separates fields: any text without quotes and line feeds. Default `,`. */
  separator?: string;
  /** The mark around fields with separators, line feeds or quotes in them; `none` for files in which it is text. Default `"`. */
  quote?: '"' | "'" | "none";
  /** A quote within quotes is written twice, or after a backslash, which then also escapes elsewhere. Default doubled. */
  escape?: "doubled" | "backslash";
  /** Lines that begin with this text are skipped. Default none. */
  comment?: string;
  /** Lines to skip at the start. Default 0. */
  skip?: number;
  /** Names of the columns of a source without a header. Default: the first record is the header. */
  columns?: readonly string[];
}

/** How to read comma-separated records. */
export interface CsvOptions extends ReaderOptions, CsvDialect {}

const text: Rule = [(value) => typeof value === "string" && value !== "", "text"];

/** The rules of a dialect: of options and of mappings. */
export const DIALECT: { readonly [K in keyof Required<CsvDialect>]: Rule } = {
  separator: optional([
    (value) => typeof value === "string" && value !== "" && !/["\r\n]/.test(value),
    "text without quotes and line feeds",
  ]),
  quote: optional(oneOf('"', "'", "none")),
  escape: optional(oneOf("doubled", "backslash")),
  comment: optional(text),
  skip: optional([(value) => Number.isSafeInteger(value) && (value as number) >= 0, "an integer >= 0"]),
  columns: optional([
    (value) => Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string"),
    "an array of names",
  ]),
};

/** The fields of a record and the line on which it begins, or an error in place of a line. */
export type TakeRecord = (fields: readonly string[] | LineError, line: number) => void;

/** Most lines of one record. A quote that is never closed ends at this: then its line alone is refused. */
const LINES_MAX = 1000;
/** Of a source with many such quotes. */
const LINES_MIN = 8;
/** Number of lines within quotes of which this share would be records, that shows the quote to be a stray one. Set by hand. */
const [MANY, MOST] = [8, 0.8] as const;
/** Lines within quotes, each of which would be a record, that show the quote to be a stray one. */
const RECORDS_WITHIN = 4;

const ESCAPED: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", 0: "\0" };

/**
 * Joins lines to records. A record whose quotes do not end properly costs its first line: the lines after it are read
 * again.
 */
export class Records {
  readonly text: CheckedReader;
  /** Names of a record's fields; none before the header. */
  columns: readonly string[] = [];
  readonly #separator: string;
  /** Undefined if there is no quoting. */
  readonly #quote: string | undefined;
  readonly #escapes: boolean;
  readonly #comment: string | undefined;
  #skip: number;
  /** Number of fields that a record must have. */
  #width = -1;
  /** Fields of the current record, and its last field while that goes on with the next line. */
  #fields: string[] = [];
  #open: string | undefined;
  /** Whether the open field is without quotes: its line feed was escaped. */
  #isBare = false;
  /** The lines so far of a record that goes on, its length, and the number of its first line. */
  #held: string[] = [];
  #length = 0;
  #start = 0;
  /** Most lines of a record at the moment: halved by each stray quote, so that they cost no more than was sent. */
  #limit = LINES_MAX;
  /** The next backslash of the line that is being read. */
  #slash = -1;

  constructor(options: CsvOptions) {
    const {
      separator = ",",
      quote = '"',
      escape: escaping = "doubled",
      comment,
      skip = 0,
      columns,
      ...reader
    } = options;
    const dialect: Readonly<Record<string, unknown>> = { separator, quote, escape: escaping, comment, skip, columns };
    for (const [name, [holds, must]] of Object.entries(DIALECT)) {
      if (!holds(dialect[name])) throw mustBe(name, must, dialect[name]);
    }
    this.text = checkedReader(reader);
    this.#separator = separator;
    this.#quote = quote === "none" ? undefined : quote;
    this.#escapes = escaping === "backslash";
    this.#comment = comment;
    this.#skip = skip;
    if (columns !== undefined) this.#header(columns);
  }

  /** The prefix of errors about the whole source. */
  get where(): string {
    return this.text.name === undefined ? "" : `${this.text.name}: `;
  }

  /** Takes a line, and gives the record that it completes, if it does. */
  take(line: string | LineError, number: number, give: TakeRecord): void {
    // Neither lines that are read again nor those of an open record: its limit would never be reached.
    if (this.#limit < LINES_MAX && this.#held.length === 0) this.#limit++;
    this.#take(line, number, give);
  }

  #take(line: string | LineError, number: number, give: TakeRecord): void {
    if (this.#held.length > 0) {
      this.#continue(line, number, give);
      return;
    }
    if (typeof line !== "string") {
      give(line, number);
      return;
    }
    const text = line.charCodeAt(line.length - 1) === 13 ? line.slice(0, -1) : line;
    if (this.#skip > 0) this.#skip--;
    else if (text !== "" && !(this.#comment !== undefined && text.startsWith(this.#comment))) {
      this.#begin(line, text, number, give);
    }
  }

  /** Takes the end of the source. */
  end(give: TakeRecord): void {
    while (this.#held.length > 0) this.#giveBack("must have an end to its quotes", give);
  }

  #begin(line: string, text: string, number: number, give: TakeRecord): void {
    const isPlain =
      (this.#quote === undefined || !text.includes(this.#quote)) && !(this.#escapes && text.includes("\\"));
    if (isPlain) {
      this.#record(text.split(this.#separator), number, give);
      return;
    }
    this.#fields = [];
    this.#open = undefined;
    const fault = this.#scan(line);
    if (fault === undefined && this.#open === undefined) this.#record(this.#fields, number, give);
    else {
      this.#held = [line];
      this.#start = number;
      this.#length = line.length;
      if (fault !== undefined) this.#giveBack(fault, give);
    }
  }

  /** Takes a further line of a record. */
  #continue(line: string | LineError, number: number, give: TakeRecord): void {
    if (typeof line !== "string") {
      this.#giveBack("must have an end to its quotes", give);
      this.#take(line, number, give);
      return;
    }
    this.#held.push(line);
    this.#length += line.length + 1;
    const { maxLine } = this.text;
    let fault: string | undefined;
    if (this.#length > maxLine) fault = `must have at most ${maxLine} characters, got quotes without an end`;
    else if (this.#held.length > this.#limit) fault = `must have an end to its quotes within ${this.#limit} lines`;
    else fault = this.#scan(line);
    if (fault === undefined && this.#open !== undefined) return;
    const width = this.#width < 0 ? this.#fields.length : this.#width;
    if (fault === undefined && (this.#fields.length !== width || this.#holdsRecords(width))) {
      fault = "must have an end to its quotes, got one in the middle of a later record";
    }
    if (fault !== undefined) {
      this.#giveBack(fault, give);
      return;
    }
    this.#held = [];
    this.#record(this.#fields, this.#start, give);
  }

  /** Refuses the first line of a record, and reads the others again. */
  #giveBack(fault: string, give: TakeRecord): void {
    const [first, ...rest] = this.#held;
    const start = this.#start;
    this.#held = [];
    this.#open = undefined;
    if (rest.length > 0) this.#limit = Math.max(LINES_MIN, this.#limit >> 1);
    // A header whose quotes are odd still names the columns.
    if (this.#width < 0)
      this.#record(
        first!
          .replaceAll(this.#quote ?? "", "")
          .trimEnd()
          .split(this.#separator),
        1,
        give,
      );
    else give(new LineError(this.text.name, start, fault), start);
    for (let i = 0; i < rest.length; i++) this.#take(rest[i]!, start + 1 + i, give);
  }

  /** Whether the lines between the first and the last one of a record are records themselves. */
  #holdsRecords(width: number): boolean {
    const within = this.#held.slice(1, -1);
    if (width < 2 || within.length < RECORDS_WITHIN) return false;
    const like = within.filter((line) => line.split(this.#separator).length === width).length;
    // Of many records some have separators or quotes of their own; text has seldom as many separators as a record.
    return like === within.length || (width > 2 && within.length >= MANY && like >= MOST * within.length);
  }

  #header(columns: readonly string[]): void {
    const names = columns.map((name) => name.trim());
    const seen = new Set<string>();
    const twice = names.find((name) => seen.size === seen.add(name).size);
    if (twice !== undefined) {
      throw new Error(`${this.where}columns must have names of their own, got ${show(twice)} twice`);
    }
    this.#width = names.length;
    this.columns = names;
  }

  #record(fields: readonly string[], line: number, give: TakeRecord): void {
    if (fields.length === this.#width) give(fields, line);
    else if (this.#width < 0) this.#header(fields);
    else {
      const must = `must have ${this.#width} fields separated by ${show(this.#separator)}, got ${fields.length}`;
      give(new LineError(this.text.name, line, must), line);
    }
  }

  /** Reads the fields of a line that contains quotes or escapes, or goes on with a field; returns what is wrong. */
  #scan(line: string): string | undefined {
    const separator = this.#separator;
    // Within quotes a carriage return is text; at the end of a record it is part of the line feed.
    const end = line.charCodeAt(line.length - 1) === 13 ? line.length - 1 : line.length;
    let at = 0;
    this.#slash = this.#escapes ? -1 : Number.POSITIVE_INFINITY;
    for (;;) {
      const isQuoted = this.#open === undefined ? line[at] === this.#quote : !this.#isBare;
      if (isQuoted) {
        if (this.#open === undefined) at++;
        at = this.#quoted(line, at);
        if (at < 0) return undefined;
        if (at < end && !line.startsWith(separator, at)) {
          return `must have a separator after the quotes of field ${this.#fields.length}`;
        }
      } else {
        at = this.#bare(line, at, end);
        if (at < 0) return undefined;
      }
      if (at >= end) return undefined;
      at += separator.length;
      if (this.#width >= 0 && this.#fields.length >= this.#width && this.#held.length > 0) {
        return "must have an end to its quotes, got too many fields";
      }
    }
  }

  /** The position of the first backslash from `at`, each part of the line being searched once; Infinity if there is none. */
  #escapeFrom(line: string, at: number): number {
    if (this.#slash < at) {
      const found = line.indexOf("\\", at);
      this.#slash = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    return this.#slash;
  }

  /** Reads a field without quotes; returns the position behind it, or -1 if the line ends in an escape. */
  #bare(line: string, from: number, end: number): number {
    const next = line.indexOf(this.#separator, from);
    const slash = this.#escapeFrom(line, from);
    const before = this.#open === undefined ? "" : `${this.#open}\n`;
    this.#open = undefined;
    if (slash > (next < 0 ? end : next)) {
      this.#fields.push(before + line.slice(from, next < 0 ? end : next));
      return next < 0 ? end : next;
    }
    let text = before;
    let at = from;
    for (; at < end && !line.startsWith(this.#separator, at); at++) {
      if (line[at] !== "\\") text += line[at];
      else if (++at < end) text += ESCAPED[line[at]!] ?? line[at];
      else {
        this.#open = text;
        this.#isBare = true;
        return -1;
      }
    }
    // The null of databases stays as it is written.
    this.#fields.push(line.slice(from, at) === "\\N" ? "\\N" : text);
    return at;
  }

  /** Reads on within quotes from `at`; returns the position behind them, or -1 if the line ends within. */
  #quoted(line: string, from: number): number {
    const quote = this.#quote!;
    let text = this.#open === undefined ? "" : `${this.#open}\n`;
    this.#open = undefined;
    this.#isBare = false;
    let at = from;
    for (;;) {
      let mark = line.indexOf(quote, at);
      const slash = this.#escapeFrom(line, at);
      if (slash < (mark < 0 ? line.length : mark)) {
        text += line.slice(at, slash) + (ESCAPED[line[slash + 1]!] ?? line[slash + 1] ?? "");
        at = slash + 2;
        continue;
      }
      if (mark < 0) {
        this.#open = text + line.slice(at);
        return -1;
      }
      text += line.slice(at, mark);
      if (line[++mark] !== quote) {
        this.#fields.push(text);
        return mark;
      }
      text += quote;
      at = mark + 1;
    }
  }
}
