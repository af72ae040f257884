import { mustBe, show } from "../../check/index.js";
import { asEvent, fieldsOf, KINDS, type LiveEvent } from "../../protocol/index.js";
import { skipLine } from "../report.js";
import { parseNumber, parseTime } from "../values.js";
import { PIECE } from "./jsonl.js";
import { Line, LineError } from "./lines.js";
import { type CheckedReader, checkedReader, type ReaderOptions, readBlocks, type Source } from "./text.js";

export interface CsvOptions extends ReaderOptions {
  /** Between fields: any text without quotes and line feeds. Default `,`. */
  separator?: string;
  /** Names of the columns of a source without a header. Default: the first record names them. */
  columns?: readonly string[];
}

/** Rows with the columns that were asked for, in the order in which they were. */
export interface TableOptions extends CsvOptions {
  /** Columns to be read: `a|b` is the first that is there, `?a` is empty where there is none. Default all. */
  wanted?: readonly string[];
}

/**
 * Reads comma-separated records as RFC 4180 has them: fields in quotes may hold separators, line feeds and doubled
 * quotes. Blank lines are skipped. Holds one piece of the source and one record at a time.
 *
 * @returns Each record as an object of text by column name.
 * @throws LineError naming the line of a record that is none or has other than the header's number of fields, unless
 * `onError` is `skip`; an Error for a header that names a column twice.
 */
export async function* readCsv(
  source: Source,
  options: CsvOptions = {},
): AsyncGenerator<Record<string, string>, void, undefined> {
  const table = new Table(options);
  for await (const { first, lines } of readBlocks(source, table.text)) {
    for (let i = 0; i < lines.length; i++) {
      const row = table.take(lines[i]!, first + i);
      if (row !== undefined) yield Object.fromEntries(table.columns.map((name, column) => [name, row.text(column)]));
    }
  }
  table.end();
}

/** As `readCsv`, but rows that know where they are and check their fields. */
export async function* readRows(source: Source, options: TableOptions): AsyncGenerator<Line, void, undefined> {
  const table = new Table(options);
  for await (const { first, lines } of readBlocks(source, table.text)) {
    for (let i = 0; i < lines.length; i++) {
      const row = table.take(lines[i]!, first + i);
      if (row !== undefined) yield row;
    }
  }
  table.end();
}

/** Puts lines together to records, and knows the columns. */
class Table {
  readonly text: CheckedReader;
  /** What each field of a row is called; known after the header. */
  columns: readonly string[] = [];
  readonly #separator: string;
  readonly #wanted: readonly string[] | undefined;
  /** Number of fields that a record must have. */
  #width = -1;
  /** Where the wanted columns stand in a record. */
  #positions: readonly number[] | undefined;
  /** Fields of a record that has begun, with a field whose quotes are open. */
  #fields: string[] = [];
  #open: string | undefined;
  /** Line of the source on which that record began, and its length so far. */
  #start = 0;
  #length = 0;

  constructor(options: TableOptions) {
    const { separator = ",", columns, wanted, ...text } = options;
    this.text = checkedReader(text);
    if (typeof separator !== "string" || separator === "" || /["\r\n]/.test(separator)) {
      throw mustBe("separator", "text without quotes and line feeds", separator);
    }
    this.#separator = separator;
    this.#wanted = wanted;
    if (columns !== undefined) this.#header(columns);
  }

  /** Takes a line: the row that it completes, if it does. */
  take(line: string | LineError, number: number): Line | undefined {
    if (typeof line !== "string") {
      this.#open = undefined;
      return this.#fail(line);
    }
    const text = line.charCodeAt(line.length - 1) === 13 ? line.slice(0, -1) : line;
    if (this.#open === undefined) {
      if (text === "") return undefined;
      this.#start = number;
      if (!text.includes('"')) return this.#record(text.split(this.#separator));
      this.#fields = [];
      this.#length = 0;
    }
    try {
      this.#scan(line);
    } catch (error) {
      this.#open = undefined;
      return this.#fail(new LineError(this.text.name, number, error));
    }
    return this.#open === undefined ? this.#record(this.#fields) : undefined;
  }

  /** @throws LineError when quotes are still open. */
  end(): void {
    if (this.#open === undefined) return;
    this.#fail(new LineError(this.text.name, this.#start, "must have an end to its quotes"));
  }

  #fail(error: LineError): undefined {
    if (this.text.onError === "throw") throw error;
    if (this.text.report !== undefined) skipLine(this.text.report, error.message);
  }

  #header(columns: readonly string[]): void {
    const twice = columns.find((name, column) => columns.indexOf(name) < column);
    const where = this.text.name === undefined ? "" : `${this.text.name}: `;
    if (twice !== undefined) throw new Error(`${where}columns must have names of their own, got ${show(twice)} twice`);
    this.#width = columns.length;
    this.columns = columns;
    if (this.#wanted === undefined) return;
    this.columns = this.#wanted.map((wanted) => {
      const names = wanted.replace(/^\?/, "").split("|");
      const name = names.find((one) => columns.includes(one));
      if (name !== undefined || wanted.startsWith("?")) return name ?? names[0]!;
      throw new Error(`${where}must have a column "${names.join('" or "')}", got ${columns.join(", ")}`);
    });
    this.#positions = this.columns.map((name) => columns.indexOf(name));
  }

  #record(fields: readonly string[]): Line | undefined {
    if (this.#width < 0) {
      this.#header(fields);
      return undefined;
    }
    if (fields.length !== this.#width) {
      const must = `must have ${this.#width} fields separated by ${show(this.#separator)}, got ${fields.length}`;
      return this.#fail(new LineError(this.text.name, this.#start, must));
    }
    const picked = this.#positions?.map((position) => fields[position] ?? "") ?? fields;
    return new Line(this.text.name, this.#start, this.columns, picked);
  }

  /** Reads the fields of a line that has quotes in it or begins in quotes. */
  #scan(line: string): void {
    const separator = this.#separator;
    this.#length += line.length + 1;
    if (this.#length > this.text.maxLine) throw new Error(`must have at most ${this.text.maxLine} characters`);
    // Within quotes a carriage return is one; at the end of a record it is part of the line feed.
    const end = line.charCodeAt(line.length - 1) === 13 ? line.length - 1 : line.length;
    let at = 0;
    for (;;) {
      if (this.#open !== undefined || line[at] === '"') {
        if (this.#open === undefined) at++;
        at = this.#quoted(line, at);
        if (at < 0) return;
        if (at < end && !line.startsWith(separator, at)) {
          throw new Error(`must have a separator after the quotes of field ${this.#fields.length}`);
        }
      } else {
        const next = line.indexOf(separator, at);
        const stop = next < 0 ? end : next;
        this.#fields.push(line.slice(at, stop));
        at = stop;
      }
      if (at >= end) return;
      at += separator.length;
    }
  }

  /** Reads on in quotes from `at`: the place behind them, or -1 where the line ends within. */
  #quoted(line: string, at: number): number {
    let text = this.#open === undefined ? "" : `${this.#open}\n`;
    this.#open = undefined;
    for (;;) {
      const quote = line.indexOf('"', at);
      if (quote < 0) {
        this.#open = text + line.slice(at);
        return -1;
      }
      text += line.slice(at, quote);
      if (line[quote + 1] !== '"') {
        this.#fields.push(text);
        return quote + 1;
      }
      text += '"';
      at = quote + 2;
    }
  }
}

/** How one column becomes one field. */
export interface FieldMapping {
  /** `a|b` is the first of two that is there; `?a` may be missing. */
  column: string;
  /** Unit of `time` where it is a number; ISO 8601 dates are read in any case. Default ms. */
  unit?: "s" | "ms";
  /** What a number is multiplied by: 60000 makes minutes to milliseconds. Default 1. */
  scale?: number;
  /** Between the entries of `tags`. Default: they are a JSON list, as `toCsv` writes them. */
  separator?: string;
}

/** How records become events. */
export interface EventMapping {
  /** Of all events; or the column that says it, and which kinds its values stand for where they are not kinds. */
  kind: LiveEvent["kind"] | { column: string; values?: Readonly<Record<string, LiveEvent["kind"]>> };
  /** The column, or more about it, of each field of events. Empty fields are left out. */
  fields: Readonly<Record<string, string | FieldMapping>>;
}

/** Every field of events, in the order in which `toCsv` writes them. */
const FIELDS: readonly string[] = [...new Set(KINDS.flatMap((kind) => fieldsOf(kind)))];
const NUMBERS = new Set("watchMs dwellMs position viewers likes rating amount age".split(" "));

/** The mapping of the files that `toCsv` writes, and of those that have some of their columns. */
const OWN: EventMapping = {
  kind: { column: "kind" },
  fields: Object.fromEntries(FIELDS.map((field) => [field, `?${field}`])),
};

type Convert = (text: string) => unknown;

/** What cannot be converted stays text, and the schema says what it must be. */
function converter(field: string, { unit = "ms", scale = 1, separator }: FieldMapping): Convert {
  if (unit !== "ms" && unit !== "s") throw mustBe(`fields.${field}.unit`, '"s" or "ms"', unit);
  if (!Number.isFinite(scale)) throw mustBe(`fields.${field}.scale`, "a finite number", scale);
  const factor = unit === "s" ? 1000 : scale;
  const number: Convert = (text) => {
    const value = parseNumber(text);
    return Number.isNaN(value) ? text : value * factor;
  };
  if (NUMBERS.has(field)) return number;
  if (field === "time") {
    return (text) => {
      const moment = parseTime(text);
      return Number.isNaN(moment) ? number(text) : moment;
    };
  }
  if (field === "mature")
    return (text) => (/^(?:true|1)$/i.test(text) ? true : /^(?:false|0)$/i.test(text) ? false : text);
  if (field === "tags" && separator !== undefined) return (text) => text.split(separator).map(own);
  if (field === "tags" || field === "embeddings") return json;
  return own;
}

/** Text of this length and more, cut from a longer one, keeps all of that alive in V8. */
const CUT = 13;

/** The same text in memory of its own, so that an id that is remembered does not hold the piece that it came in. */
function own(text: string): string {
  return text.length < CUT ? text : JSON.parse(JSON.stringify(text));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface Setter {
  column: number;
  field: string;
  convert: Convert;
}

/** For each kind, how its fields are read from the wanted columns; column 0 says the kind where it is not fixed. */
function plan(mapping: EventMapping): { wanted: string[]; setters: Map<string, Setter[]> } {
  const { kind, fields } = mapping;
  const kinds = typeof kind === "string" ? [kind] : KINDS;
  if (typeof kind === "string" && !KINDS.includes(kind)) throw mustBe("kind", `one of ${KINDS.join(", ")}`, kind);
  const wanted = typeof kind === "string" ? [] : [kind.column];
  const all: Setter[] = Object.entries(fields).map(([field, given]) => {
    const known = kinds.some((one) => fieldsOf(one).includes(field));
    if (!known) throw new TypeError(`"fields.${field}" is not a field of ${kinds.length > 1 ? "events" : kinds[0]}`);
    const more = typeof given === "string" ? { column: given } : given;
    return { field, column: wanted.push(more.column) - 1, convert: converter(field, more) };
  });
  const setters = kinds.map((one): [string, Setter[]] => {
    const own = new Set(fieldsOf(one));
    return [one, all.filter(({ field }) => own.has(field))];
  });
  return { wanted, setters: new Map(setters) };
}

/**
 * Reads events from comma-separated records.
 *
 * @param mapping Which columns the fields are read from. Where the kind is read from a column, a field that the kind of
 * a record does not have is left out. Default: as `toCsv` writes them.
 * @throws LineError naming line and field of what is not an event, unless `onError` is `skip`.
 */
export async function* csvEvents(
  source: Source,
  mapping: EventMapping = OWN,
  options: CsvOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const { wanted, setters } = plan(mapping);
  const { kind } = mapping;
  const values = typeof kind === "string" ? undefined : kind.values;
  const { onError, report } = options;
  for await (const row of readRows(source, { ...options, wanted })) {
    const said = typeof kind === "string" ? kind : row.text(0);
    const name = values === undefined ? said : Object.hasOwn(values, said) ? values[said]! : said;
    const event: Record<string, unknown> = { kind: name };
    for (const { column, field, convert } of setters.get(name) ?? []) {
      const text = row.text(column);
      if (text !== "") event[field] = convert(text);
    }
    let checked: LiveEvent;
    try {
      checked = asEvent(event);
    } catch (cause) {
      const error = new LineError(options.name, row.number, cause);
      if (onError !== "skip") throw error;
      if (report !== undefined) skipLine(report, error.message);
      continue;
    }
    yield checked;
  }
}

function cell(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes events as `csvEvents` reads them, in pieces of whole records: a header, then one column for each field that
 * events may have. An empty title or description is not told from none.
 */
export async function* toCsv(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
): AsyncGenerator<string, void, undefined> {
  let piece = `kind,${FIELDS.join(",")}\n`;
  for await (const event of events) {
    const fields = event as unknown as Record<string, unknown>;
    piece += `${event.kind},${FIELDS.map((field) => cell(fields[field])).join(",")}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
