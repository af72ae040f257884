import { asEvent, isEvent, type LiveEvent } from "../../protocol/index.js";
import { Batched, inBatches, skipLine } from "../basics/index.js";
import { lenient } from "./lenient.js";
import { LineError } from "./lines.js";
import { type ByteSource, checkedReader, type ReaderOptions, readLineBlocks } from "./text.js";

/**
 * Reads events, one JSON object a line; blank lines are skipped. Holds one piece of the source at a time; pieces of bytes
 * or text may be cut anywhere. Rows of databases are read as they are meant: null is absent, integers are ids, and fields
 * that events do not have are left out and counted (`unknown`).
 *
 * @throws LineError naming line and field of an invalid event, unless `onError` is `skip`: `line 12: "watchMs" must
 * be a finite number >= 0, got -5`.
 */
export function readJsonl(source: ByteSource, options: ReaderOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
  return new Batched(jsonlBatches(source, options));
}

async function* jsonlBatches(source: ByteSource, options: ReaderOptions): AsyncGenerator<LiveEvent[], void, undefined> {
  const { onError, report, unknown, ...text } = checkedReader(options);
  const mend = (value: unknown) => lenient(value, unknown, report);
  for await (const { first, lines } of readLineBlocks(source, text)) {
    const events: LiveEvent[] = [];
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const event = typeof line === "string" ? parseEventLine(line, mend) : line;
      if (event === undefined) continue;
      if (!(event instanceof Error)) {
        events.push(event);
        continue;
      }
      const error = event instanceof LineError ? event : new LineError(text.name, first + i, event);
      if (onError === "throw") {
        yield events;
        throw error;
      }
      if (report !== undefined) skipLine(report, error.message);
    }
    yield events;
  }
}

/** Deepest nesting of an event: an array in an object needs 2. */
const DEPTH = 8;
/** Length of a line that may nest as deep as it likes: nothing recursive fails on it. */
const SHORT = 1024;

/** Whether a line of JSON nests deeper than `limit`. */
function nestsDeep(line: string, limit: number): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (isText) {
      if (code === 0x5c) i++;
      else if (code === 0x22) isText = false;
    } else if (code === 0x22) isText = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** The value of a line of JSON, or the error in it; undefined for a blank line. */
export function parseLine(line: string, depth: number): unknown {
  // First: the error of a parser costs some hundred times as much as the line.
  if (line.charCodeAt(0) !== 0x7b && !/\S/.test(line)) return undefined;
  if (line.length > SHORT && nestsDeep(line, depth)) return new SyntaxError(`must nest at most ${depth} deep`);
  try {
    return JSON.parse(line);
  } catch {
    // Engines word JSON errors differently; this message is the same in all.
    return new SyntaxError("must be one JSON object");
  }
}

/**
 * The event of a line, or the error in it; undefined for a blank line.
 * @param mend Makes a value that is no event one, as far as it can. Default: it is refused.
 */
export function parseEventLine(line: string, mend?: (value: unknown) => unknown): LiveEvent | Error | undefined {
  const value = parseLine(line, DEPTH);
  if (value === undefined || value instanceof Error) return value;
  if (isEvent(value)) return value;
  try {
    return asEvent(mend === undefined ? value : mend(value));
  } catch (error) {
    return error as Error;
  }
}

/** Least length of a written piece but the last, in UTF-16 units. */
export const PIECE = 1 << 16;

/** Writes events as `readJsonl` reads them, in pieces of whole lines. */
export async function* toJsonl(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
): AsyncGenerator<string, void, undefined> {
  let piece = "";
  for await (const batch of inBatches(events)) {
    for (const event of batch) piece += `${JSON.stringify(event)}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
