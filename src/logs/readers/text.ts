import { checked, integer, oneOf, type Rule, type Rules } from "../../check/index.js";
import type { QualityReport } from "../report.js";
import { plain } from "./encodings.js";
import { LineError } from "./lines.js";
import { type ByteSource, joined, piecesOf } from "./pieces.js";

export { type ByteSource, readBytes } from "./pieces.js";

export type TextEncoding = "utf-8" | "latin-1";

/** How to cut a source into lines. */
export interface TextOptions {
  /** Prefix of line numbers in messages, such as the name of the file. Default none. */
  name?: string;
  /**
   * Encoding of bytes; latin-1 means windows-1252, as in the Encoding Standard. Bytes that begin with a byte-order mark of
   * UTF-16 are read as such in place of UTF-8. Default utf-8.
   */
  encoding?: TextEncoding;
  /** Longest line in UTF-16 units; longer lines are refused and not held in memory. Default 2^20. */
  maxLine?: number;
}

/** How to read a source of lines. */
export interface ReaderOptions extends TextOptions {
  /** An invalid line ends the reading with an error, or is skipped and counted. Default throw. */
  onError?: "throw" | "skip";
  /** Counts the skipped lines; may be the report of the cleaning. Default none. */
  report?: QualityReport;
}

const anything: Rule = [() => true, ""];

const RULES: Rules<ReaderOptions> = {
  name: [(value) => value === undefined || typeof value === "string", "a string"],
  encoding: oneOf("utf-8", "latin-1"),
  maxLine: integer(1, 2 ** 28),
  onError: oneOf("throw", "skip"),
  report: anything,
};

/** Reader options with defaults in place. */
export type CheckedReader = ReaderOptions & Required<Pick<ReaderOptions, "encoding" | "maxLine" | "onError">>;

/** @throws TypeError for an unknown option, RangeError for a wrong value. */
export function checkedReader(options: ReaderOptions): CheckedReader {
  return checked<ReaderOptions>(options, RULES, {
    encoding: "utf-8",
    maxLine: 1 << 20,
    onError: "throw",
  }) as CheckedReader;
}

/** Several lines at once: one by one, each would cost a promise. */
export interface LineBlock {
  /** Number of the first line; 1 for the first of the source. */
  first: number;
  /** Without their line feeds; in place of an invalid line its error. */
  lines: (string | LineError)[];
}

const LINE_FEED = 10;

/**
 * Yields the lines of a source in blocks; holds at most one piece and one line. Skips a byte-order mark; keeps a carriage
 * return at the end of its line; the last line may end without a line feed. A source with carriage returns and no line
 * feed, as of old Macs, has lines that end in those.
 */
export async function* readLineBlocks(
  source: ByteSource,
  options: TextOptions = {},
): AsyncGenerator<LineBlock, void, undefined> {
  const splitter = new Splitter(options);
  for await (const piece of plain(piecesOf(source), options.encoding !== "latin-1")) {
    const block = splitter.push(piece);
    if (block.lines.length > 0) yield block;
  }
  const rest = splitter.end();
  if (rest.lines.length > 0) yield rest;
}

/** Cuts pieces into lines. */
class Splitter {
  readonly #name: string | undefined;
  readonly #maxLine: number;
  readonly #decoder: TextDecoder;
  /** Parts of the line that has not ended: all text or all bytes. */
  #open: (Uint8Array | string)[] = [];
  #openLength = 0;
  #line = 1;
  #begun = false;
  /** Whether the open line is too long: then its parts are discarded until it ends. */
  #overlong = false;

  constructor({ name, encoding = "utf-8", maxLine = 1 << 20 }: TextOptions) {
    this.#name = name;
    this.#maxLine = maxLine;
    this.#decoder =
      encoding === "utf-8" ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }) : new TextDecoder("latin1");
  }

  push(piece: Uint8Array | string): LineBlock {
    const block: LineBlock = { first: this.#line, lines: [] };
    const feed = typeof piece === "string" ? piece.indexOf("\n") : piece.indexOf(LINE_FEED);
    if (feed < 0) {
      this.#keep(piece);
      return block;
    }
    this.#keep(piece.slice(0, feed));
    this.#close(block);
    const last = typeof piece === "string" ? piece.lastIndexOf("\n") : piece.lastIndexOf(LINE_FEED);
    if (last > feed)
      this.#split(typeof piece === "string" ? piece.slice(feed + 1, last) : piece.subarray(feed + 1, last), block);
    this.#keep(piece.slice(last + 1));
    return block;
  }

  end(): LineBlock {
    const block: LineBlock = { first: this.#line, lines: [] };
    if (this.#openLength > 0) this.#close(block);
    return block;
  }

  /** Adds a part of the open line. */
  #keep(part: Uint8Array | string): void {
    if (part.length === 0) return;
    this.#openLength += part.length;
    // A UTF-16 unit takes at most three bytes: a line longer than this is too long in any case.
    this.#overlong ||= this.#openLength > 3 * this.#maxLine + 3;
    if (this.#overlong) this.#open.length = 0;
    else this.#open.push(part);
  }

  /** Ends the open line. */
  #close(block: LineBlock): void {
    const overlong = this.#overlong;
    const parts = this.#open;
    this.#open = [];
    this.#openLength = 0;
    this.#overlong = false;
    if (overlong) this.#refuse(block, this.#tooLong);
    else if (parts.every((part) => typeof part === "string")) this.#take(block, parts.join(""));
    else this.#decode(block, parts.length === 1 ? (parts[0] as Uint8Array) : joined(parts));
  }

  /** Takes the whole lines within one piece. */
  #split(part: Uint8Array | string, block: LineBlock): void {
    if (typeof part === "string") {
      for (const line of part.split("\n")) this.#take(block, line);
      return;
    }
    let text: string;
    try {
      text = this.#decoder.decode(part);
    } catch {
      // At least one line is invalid: decode each alone.
      for (let start = 0; start <= part.length; ) {
        const feed = part.indexOf(LINE_FEED, start);
        const end = feed < 0 ? part.length : feed;
        this.#decode(block, part.subarray(start, end));
        start = end + 1;
      }
      return;
    }
    for (const line of text.split("\n")) this.#take(block, line);
  }

  #decode(block: LineBlock, bytes: Uint8Array): void {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      this.#refuse(block, "must be UTF-8 text");
      return;
    }
    this.#take(block, text);
  }

  #take(block: LineBlock, text: string): void {
    const line = this.#begun || text.charCodeAt(0) !== 0xfeff ? text : text.slice(1);
    if (line.length > this.#maxLine) {
      this.#refuse(block, this.#tooLong);
      return;
    }
    block.lines.push(line);
    this.#begun = true;
    this.#line++;
  }

  get #tooLong(): string {
    return `must have at most ${this.#maxLine} characters`;
  }

  #refuse(block: LineBlock, why: string): void {
    block.lines.push(new LineError(this.#name, this.#line, why));
    this.#begun = true;
    this.#line++;
  }
}
