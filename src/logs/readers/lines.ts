import { EventError } from "../../protocol/index.js";
import { parseIsoTime, parseNumber } from "../basics/index.js";

/** An invalid line or record; the message begins with its place: `click.csv:12: `, `line 12: `. */
export class LineError extends Error {
  override readonly name = "LineError";
  /** 1 for the first line of the source. */
  readonly line: number;
  /** Path of the offending field, as in `EventError`; empty if the error is not about a field of an event. */
  readonly field: string;

  constructor(file: string | undefined, line: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${file === undefined ? "line " : `${file}:`}${line}: ${reason}`, { cause });
    this.line = line;
    this.field = cause instanceof EventError ? cause.field : "";
  }
}

/** One line of a delimited file. Errors of its field readers name file, line and field. */
export class Line {
  constructor(
    readonly file: string | undefined,
    /** 1 for the first line. */
    readonly number: number,
    readonly columns: readonly string[],
    private readonly fields: readonly string[],
  ) {}

  /** The unchanged field. */
  text(column: number): string {
    return this.fields[column]!;
  }

  /** The field as non-empty text. */
  id(column: number): string {
    const text = this.fields[column]!;
    if (text === "") throw this.refuse(column, "not be empty");
    return text;
  }

  /** The field as a decimal integer in [min, max]. */
  integer(column: number, min: number, max: number): number {
    const text = this.fields[column]!;
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw this.refuse(column, `be an integer ${range(min, max)}`);
    return value;
  }

  /** The field as a decimal number in [min, max]. */
  decimal(column: number, min: number, max: number): number {
    const value = parseNumber(this.fields[column]!);
    if (!(value >= min && value <= max)) throw this.refuse(column, `be a number ${range(min, max)}`);
    return value;
  }

  /** Whether the field is a decimal number. */
  isNumber(column: number): boolean {
    return !Number.isNaN(parseNumber(this.fields[column]!));
  }

  /** The field, an ISO 8601 date or date and time, in milliseconds; UTC if it names no zone. */
  time(column: number): number {
    const value = parseIsoTime(this.fields[column]!);
    if (Number.isNaN(value)) throw this.refuse(column, "be a date such as 2019-06-30 or 2019-06-30T23:45:00Z");
    return value;
  }

  /** The position of the field in `choices`. */
  choice(column: number, choices: readonly string[]): number {
    const position = choices.indexOf(this.fields[column]!);
    if (position < 0) throw this.refuse(column, `be one of ${choices.join(", ")}`);
    return position;
  }

  /** The error that names the field, the requirement (`must` completes "must ...") and the value. */
  refuse(column: number, must: string): LineError {
    const got = JSON.stringify(this.fields[column]);
    return new LineError(this.file, this.number, `"${this.columns[column]}" must ${must}, got ${got}`);
  }
}

function range(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `in [${min}, ${max}]`;
}

/**
 * Yields the lines of a delimited file without a header. The last line may end without a line feed; `\r\n` is read as
 * `\n`.
 *
 * @param columns Names of the fields, in order; every line must have exactly these.
 * @throws Error naming file and line if the file is empty, or a line has too few or too many fields.
 */
export function* readLines(
  file: string,
  text: string,
  separator: string,
  columns: readonly string[],
): Generator<Line, void, undefined> {
  if (text.length === 0) throw new Error(`${file}: must have at least one line, got an empty file`);
  const name = separator === "\t" ? "tab" : separator;
  for (let start = 0, number = 1; start < text.length; number++) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    const fields = text.slice(start, text[end - 1] === "\r" ? end - 1 : end).split(separator);
    if (fields.length !== columns.length) {
      const which = fields.length < columns.length ? `; "${columns[fields.length]}" is missing` : "";
      const must = `must have ${columns.length} fields separated by ${name}, got ${fields.length}`;
      throw new LineError(file, number, `${must}${which}`);
    }
    yield new Line(file, number, columns, fields);
    start = end + 1;
  }
}

/**
 * Decodes ISO 8859-1 text; refuses byte-order marks, UTF-16, UTF-8 and control characters.
 *
 * @throws Error naming file and line.
 */
export function decodeLatin1(file: string, bytes: Uint8Array): string {
  const mark = byteOrderMark(bytes);
  if (mark) throw new Error(`${file}:1: must be latin-1 text, got a ${mark} byte-order mark`);
  // Non-ASCII bytes that are valid UTF-8 are hardly ever anything else.
  const utf8 = bytes.some((byte) => byte > 0x7f) && isUtf8(bytes);
  for (let i = 0, line = 1; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f && utf8) throw new Error(`${file}:${line}: must be latin-1 text, got UTF-8`);
    if (isControl(byte)) {
      throw new Error(`${file}:${line}: must be latin-1 text, got byte 0x${byte.toString(16).padStart(2, "0")}`);
    }
    if (byte === 0x0a) line++;
  }
  // Without 0x80 to 0x9f, windows-1252 (which this label stands for in the Encoding Standard) is latin-1.
  return new TextDecoder("latin1").decode(bytes);
}

/** Whether a byte is a control character of ISO 8859-1 other than tab, line feed and carriage return. */
function isControl(byte: number): boolean {
  if (byte < 0x20) return byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
  return byte >= 0x7f && byte <= 0x9f;
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "UTF-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "UTF-16";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "UTF-16";
  return undefined;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
