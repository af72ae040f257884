import { asEvent, type LiveEvent } from "../../protocol/index.js";
import { skipLine } from "../report.js";
import { Batched, inBatches } from "./batches.js";
import { LineError } from "./lines.js";
import { type ByteSource, checkedReader, type ReaderOptions, readLineBlocks } from "./text.js";

/**
 * Reads events, one JSON object a line; blank lines are skipped. Holds one piece of the source at a time; pieces of bytes
 * or text may be cut anywhere.
 *
 * @throws LineError naming line and field of an invalid event, unless `onError` is `skip`: `line 12: "watchMs" must
 * be a finite number >= 0, got -5`.
 */
export function readJsonl(source: ByteSource, options: ReaderOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
  return new Batched(jsonlBatches(source, options));
}

async function* jsonlBatches(source: ByteSource, options: ReaderOptions): AsyncGenerator<LiveEvent[], void, undefined> {
  const { onError, report, ...text } = checkedReader(options);
  for await (const { first, lines } of readLineBlocks(source, text)) {
    const events: LiveEvent[] = [];
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const event = typeof line === "string" ? parseEventLine(line) : line;
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

/** Whether a line of JSON nests deeper than `DEPTH`. */
function nestsDeep(line: string): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (isText) {
      if (code === 0x5c) i++;
      else if (code === 0x22) isText = false;
    } else if (code === 0x22) isText = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > DEPTH) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** The event of a line, or the error in it; undefined for a blank line. */
export function parseEventLine(line: string): LiveEvent | Error | undefined {
  // First: the error of a parser costs some hundred times as much as the line.
  if (line.charCodeAt(0) !== 0x7b && !/\S/.test(line)) return undefined;
  if (line.length > SHORT && nestsDeep(line)) return new SyntaxError(`must nest at most ${DEPTH} deep`);
  try {
    return asEvent(JSON.parse(line));
  } catch (error) {
    // Engines word JSON errors differently; this message is the same in all.
    return error instanceof SyntaxError ? new SyntaxError("must be one JSON object") : (error as Error);
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
