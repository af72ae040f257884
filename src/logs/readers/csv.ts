import { mustBe, show } from "../../check/index.js";
import { skipLine } from "../report.js";
import { Line, LineError } from "./lines.js";
import { type ByteSource, type CheckedReader, checkedReader, type ReaderOptions, readLineBlocks } from "./text.js";

/** How to read comma-separated records. */
export interface CsvOptions extends ReaderOptions {
  /** Separates fields: any text without quotes and line feeds. Default `,`. */
  separator?: string;
  /** Names of the columns of a source without a header. Default: the first record is the header. */
  columns?: readonly string[];
}

export interface RowOptions extends CsvOptions {
  /** Columns to read, in this order: `a|b` is the first that exists, `?a` is empty if there is none. Default all. */
  wanted?: readonly string[];
}

/**
 * Reads comma-separated records as in RFC 4180: quoted fields may hold separators, line feeds and doubled quotes. Blank
 * lines are skipped. Holds one piece of the source and one record at a time.
 *
 * @returns Each record as an object of text by column name.
 * @throws LineError naming the line of an invalid record, or of one whose number of fields differs from the header's,
 * unless `onError` is `skip`; an Error for a header that names a column twice.
 */
export async function* readCsv(
  source: ByteSource,
  options: CsvOptions = {},
): AsyncGenerator<Record<string, string>, void, undefined> {
  const table = new RecordParser(options);
  for await (const { first, lines } of readLineBlocks(source, table.text)) {
    for (let i = 0; i < lines.length; i++) {
      const row = table.take(lines[i]!, first + i);
      if (row !== undefined) yield Object.fromEntries(table.columns.map((name, column) => [name, row.text(column)]));
    }
  }
  table.end();
}

/** As `readCsv`, but each row has its line number and checks its fields. */
export async function* readRows(source: ByteSource, options: RowOptions): AsyncGenerator<Line, void, undefined> {
  const table = new RecordParser(options);
  for await (const { first, lines } of readLineBlocks(source, table.text)) {
    for (let i = 0; i < lines.length; i++) {
      const row = table.take(lines[i]!, first + i);
      if (row !== undefined) yield row;
    }
  }
  table.end();
}

/** Joins lines to records, and holds the columns. */
class RecordParser {
  readonly text: CheckedReader;
  /** Names of a row's fields; known after the header. */
  columns: readonly string[] = [];
  readonly #separator: string;
  readonly #wanted: readonly string[] | undefined;
  /** Number of fields that a record must have. */
  #width = -1;
  /** Positions of the wanted columns in a record. */
  #positions: readonly number[] | undefined;
  /** Fields of the current record, and its last field while its quotes are open. */
  #fields: string[] = [];
  #open: string | undefined;
  /** The line on which that record begins, and its length so far. */
  #start = 0;
  #length = 0;

  constructor(options: RowOptions) {
    const { separator = ",", columns, wanted, ...text } = options;
    this.text = checkedReader(text);
    if (typeof separator !== "string" || separator === "" || /["\r\n]/.test(separator)) {
      throw mustBe("separator", "text without quotes and line feeds", separator);
    }
    this.#separator = separator;
    this.#wanted = wanted;
    if (columns !== undefined) this.#header(columns);
  }

  /** Takes a line; returns the row if the line completes one. */
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

  /** Reads the fields of a line that contains quotes or begins within quotes. */
  #scan(line: string): void {
    const separator = this.#separator;
    this.#length += line.length + 1;
    if (this.#length > this.text.maxLine) throw new Error(`must have at most ${this.text.maxLine} characters`);
    // Within quotes a carriage return is text; at the end of a record it is part of the line feed.
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

  /** Reads on within quotes from `at`; returns the position behind them, or -1 if the line ends within. */
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
