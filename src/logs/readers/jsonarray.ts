import type { LiveEvent } from "../../protocol/index.js";
import { skipLine } from "../report.js";
import { Batched } from "./batches.js";
import { plain } from "./encodings.js";
import { parseEventLine } from "./jsonl.js";
import { LineError } from "./lines.js";
import { type ByteSource, joined, piecesOf } from "./pieces.js";
import { checkedReader, type ReaderOptions } from "./text.js";

/**
 * Reads events of a JSON array, or objects one after the other, on one line or on many: `[{...},{...}]`. Holds one piece
 * of the source and one element at a time.
 *
 * @param options `maxLine` bounds an element: a longer one has no end, and what follows cannot be told apart.
 * @throws LineError naming the line where an invalid element begins, unless `onError` is `skip`; in any case for one
 * that has no end within `maxLine`.
 */
export function readJsonArray(
  source: ByteSource,
  options: ReaderOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  return new Batched(arrayBatches(source, options));
}

async function* arrayBatches(source: ByteSource, options: ReaderOptions): AsyncGenerator<LiveEvent[], void, undefined> {
  const { onError, report, name, encoding, maxLine } = checkedReader(options);
  const decoder =
    encoding === "utf-8" ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }) : new TextDecoder("latin1");
  const elements = new Elements(3 * maxLine);
  const encoder = new TextEncoder();
  const take = (found: readonly Element[], events: LiveEvent[]) => {
    for (const { bytes, line, fault } of found) {
      const event = fault === undefined ? eventOf(decoder, bytes) : new Error(fault);
      if (!(event instanceof Error)) {
        events.push(event);
        continue;
      }
      const error = new LineError(name, line, event);
      if (onError === "throw" || elements.isLost) return error;
      if (report !== undefined) skipLine(report, error.message);
    }
    return undefined;
  };
  for await (const piece of plain(piecesOf(source), encoding !== "latin-1")) {
    const events: LiveEvent[] = [];
    const error = take(elements.push(typeof piece === "string" ? encoder.encode(piece) : piece), events);
    yield events;
    if (error !== undefined) throw error;
  }
  const events: LiveEvent[] = [];
  const error = take(elements.end(), events);
  yield events;
  if (error !== undefined) throw error;
}

function eventOf(decoder: TextDecoder, bytes: Uint8Array): LiveEvent | Error {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return new Error("must be UTF-8 text");
  }
  return parseEventLine(text) ?? new Error("must be one JSON object");
}

/** An element of an array, or the fault in it. */
interface Element {
  bytes: Uint8Array;
  /** The line on which it begins; 1 for the first. */
  line: number;
  fault?: string;
}

const [QUOTE, ESCAPE, FEED, COMMA] = [0x22, 0x5c, 0x0a, 0x2c];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** The byte-order mark of UTF-8. */
const MARK = [0xef, 0xbb, 0xbf];

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === FEED || byte === 0x0d || byte === 0x09;
}

/** Cuts bytes into the elements of an array. */
class Elements {
  /** Whether an element had no end. */
  isLost = false;
  readonly #max: number;
  #parts: Uint8Array[] = [];
  #held = 0;
  /** Within an element: how deep, and whether within text. */
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  /** The last byte of the element that is neither space nor text. */
  #last = 0;
  #line = 1;
  #start = 0;
  /** Whether the array has been opened. */
  #isOpen = false;
  /** Whether the byte-order mark, if there is one, is over. */
  #isBegun = false;
  /** After text that has no end: everything up to a line that begins with an object is left out. */
  #isAstray = false;
  #isLineStart = false;

  /** @param max - Most bytes of an element. */
  constructor(max: number) {
    this.#max = max;
  }

  push(piece: Uint8Array): Element[] {
    const found: Element[] = [];
    if (this.isLost) return found;
    let from = this.#start > 0 ? 0 : -1;
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]!;
      if (!this.#isBegun && MARK.includes(byte)) continue;
      this.#isBegun = true;
      if (byte === FEED) this.#line++;
      if (this.#isAstray && !this.#isFound(byte)) continue;
      if (this.#isText) {
        if (byte === FEED) {
          found.push({ ...this.#taken(piece.subarray(from, i)), fault: "must have an end to its quotes" });
          this.#isAstray = true;
          this.#isLineStart = true;
          continue;
        }
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === ESCAPE) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isText = false;
        continue;
      }
      if (this.#start === 0) {
        if (isSpace(byte) || byte === COMMA || byte === CLOSE_LIST) continue;
        if (byte === OPEN_LIST && !this.#isOpen) {
          this.#isOpen = true;
          continue;
        }
        this.#start = this.#line;
        this.#depth = 0;
        this.#last = 0;
        from = i;
      } else if (this.#depth === 0 && (byte === COMMA || byte === CLOSE_LIST || byte === FEED)) {
        // What is no object ends where the next begins.
        found.push(this.#taken(piece.subarray(from, i)));
        continue;
      } else if (this.#depth === 1 && byte === OPEN && this.#last === COMMA) {
        // No object begins after a comma within an object: that one has lost its end.
        found.push({ ...this.#taken(piece.subarray(from, i)), fault: "must have an end to its object" });
        this.#start = this.#line;
        this.#depth = 0;
        from = i;
      }
      if (byte === QUOTE) this.#isText = true;
      else if (byte === OPEN || byte === OPEN_LIST) this.#depth++;
      else if (byte === CLOSE || byte === CLOSE_LIST) this.#depth--;
      if (!isSpace(byte)) this.#last = byte;
      if (this.#depth > 0 || (byte !== CLOSE && byte !== CLOSE_LIST)) continue;
      found.push(this.#taken(piece.subarray(from, i + 1)));
    }
    if (this.#start > 0) this.#hold(piece.subarray(from), found);
    return found;
  }

  /** Whether an object begins a line here. */
  #isFound(byte: number): boolean {
    if (byte === OPEN && this.#isLineStart) this.#isAstray = false;
    else if (!isSpace(byte)) this.#isLineStart = false;
    else if (byte === FEED) this.#isLineStart = true;
    return !this.#isAstray;
  }

  end(): Element[] {
    if (this.#start === 0) return [];
    const isObject = this.#depth > 0 || this.#isText;
    const element = this.#taken(new Uint8Array());
    return [isObject ? { ...element, fault: "must have an end to its object" } : element];
  }

  #hold(part: Uint8Array, found: Element[]): void {
    this.#held += part.length;
    this.#parts.push(part);
    if (this.#held <= this.#max) return;
    this.isLost = true;
    const fault = "must have an end to the object that begins here; what follows cannot be read";
    found.push({ ...this.#taken(new Uint8Array()), fault });
  }

  #taken(part: Uint8Array): Element {
    const bytes = this.#held === 0 ? part : joined([...this.#parts, part]);
    const element = { bytes, line: this.#start };
    this.#parts = [];
    this.#held = 0;
    this.#start = 0;
    this.#isText = false;
    this.#isEscaped = false;
    return element;
  }
}
