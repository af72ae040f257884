import { callback, checked, integer, oneOf, type Rules } from "../check/index.js";
import { Latest } from "../collections/index.js";
import { parseEventLine, readBytes, readLineBlocks } from "../logs/index.js";
import { asEvent, EventError, type LiveEvent } from "../protocol/index.js";
import { bodyOf, HttpError, mediaType } from "./body.js";

export interface IngestOptions {
  /**
   * Takes the new events of a request, in their order. Calls never overlap; they follow the order in which request bodies
   * arrived in full. The response waits for the sink, so the sender's next request already finds its events.
   */
  sink: (events: LiveEvent[]) => void | Promise<void>;
  /** Maximum size of a body in bytes, both as sent and after decompression. Default 8 MiB. */
  maxBytes?: number;
  /** Maximum number of events in a request. Default 10 000. */
  maxEvents?: number;
  /**
   * What to do with an invalid event: `refuse` rejects the whole request, `skip` leaves out that event alone and lists it
   * in the answer. Default `refuse`.
   */
  onInvalid?: "refuse" | "skip";
  /**
   * How many event ids are remembered, to drop an event that arrives again. A full memory forgets its oldest sixteenth.
   * Default 262 144.
   */
  window?: number;
  /** Called with the sink's error; the sender learns only that its events were not taken. Default: ignored. */
  onError?: (error: unknown) => void;
}

/** An invalid event. */
export interface IngestFault {
  /** Line of a body of lines, from 1. */
  line?: number;
  /** Index in a body that is an array, from 0. */
  index?: number;
  /** Path of the wrong field; empty when the event as a whole is wrong. */
  field: string;
  message: string;
}

/** The body of a 200 response. Any other status has `{ error: IngestFault }`. */
export interface IngestAnswer {
  /** Events that the sink took. */
  accepted: number;
  /** Events dropped because their ids are remembered. */
  duplicates: number;
  /** Invalid events left out, with `onInvalid: "skip"`. */
  rejected: number;
  /** The first 100 of the rejected events. */
  faults: IngestFault[];
}

const TABLE: Rules<IngestOptions> = {
  sink: callback,
  maxBytes: integer(1, 2 ** 30),
  maxEvents: integer(1, 2 ** 23),
  onInvalid: oneOf("refuse", "skip"),
  window: integer(1, 2 ** 23),
  onError: callback,
};

const DEFAULTS: Partial<IngestOptions> = {
  maxBytes: 2 ** 23,
  maxEvents: 10_000,
  onInvalid: "refuse",
  window: 1 << 18,
  onError: () => {},
};

const JSON_TYPE = "application/json";
const LINES = ["application/x-ndjson", "application/jsonl", "application/x-jsonlines"];
/** Maximum number of faults in an answer. */
const FAULTS = 100;

/** One element of a body: an event, or why it is invalid. */
type Element = LiveEvent | IngestFault;

function isFault(element: Element): element is IngestFault {
  return "message" in element;
}

function faultOf(where: { line: number } | { index: number } | object, error: Error): IngestFault {
  return { ...where, field: error instanceof EventError ? error.field : "", message: error.message };
}

async function* linesOf(request: Request, maxBytes: number): AsyncGenerator<Element, void, undefined> {
  for await (const { first, lines } of readLineBlocks(bodyOf(request, maxBytes))) {
    for (const [i, line] of lines.entries()) {
      const event = typeof line === "string" ? parseEventLine(line) : new TypeError(String(line.cause));
      if (event instanceof Error) yield faultOf({ line: first + i }, event);
      else if (event !== undefined) yield event;
    }
  }
}

async function* jsonOf(request: Request, maxBytes: number): AsyncGenerator<Element, void, undefined> {
  const bytes = await readBytes(bodyOf(request, maxBytes));
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new HttpError(400, "the body must be JSON in UTF-8");
  }
  const isList = Array.isArray(value);
  for (const [index, element] of (isList ? (value as unknown[]) : [value]).entries()) {
    try {
      yield asEvent(element);
    } catch (error) {
      yield faultOf(isList ? { index } : {}, error as Error);
    }
  }
}

function elementsOf(request: Request, maxBytes: number): AsyncIterable<Element> {
  const type = mediaType(request);
  if (type === JSON_TYPE) return jsonOf(request, maxBytes);
  if (LINES.includes(type)) return linesOf(request, maxBytes);
  const accept = [JSON_TYPE, LINES[0]].join(", ");
  throw new HttpError(415, `the content type must be one of ${accept}, got ${type.slice(0, 80) || "none"}`, {
    "accept-post": accept,
  });
}

function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": JSON_TYPE, ...headers } });
}

/**
 * Makes a handler for `POST` requests that carry watch events: one event or an array (`application/json`), or one event a
 * line (`application/x-ndjson`), plain or gzip.
 *
 * The handler responds 200 with an `IngestAnswer` once the sink took the events, 400 with
 * `{ error: { line, field, message } }` for an invalid event, 405 for another method, 413 for too many bytes or events, 415
 * for another content type, and 503 when the sink threw. It drops an event whose id it remembers, so a sender without a
 * response can send the same request again.
 *
 * ```ts
 * const sink = (events) => events.forEach((event) => recommender.feedback(event));
 * const events = ingest({ sink });
 * Deno.serve(events); // Bun: Bun.serve({ fetch: events }); Workers: export default { fetch: events }
 * app.post("/events", (c) => events(c.req.raw)); // Hono
 * ```
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function ingest(options: IngestOptions): (request: Request) => Promise<Response> {
  const resolved = checked<IngestOptions>(options, TABLE, DEFAULTS) as Required<IngestOptions>;
  const seen = new Latest<string, true>(resolved.window);
  // One request at a time: no response may call a batch a duplicate while its first copy can still fail.
  let last: Promise<unknown> = Promise.resolve();
  return async (request) => {
    try {
      if (request.method !== "POST") throw new HttpError(405, "the method must be POST", { allow: "POST" });
      const read = await readEvents(request, resolved);
      const taken = last.then(() => take(read, seen, resolved));
      last = taken.catch(() => {});
      return await taken;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return answer(error.status, { error: { field: "", message: error.message } }, error.headers);
    }
  };
}

/** The events of one request. */
interface Batch {
  events: LiveEvent[];
  rejected: number;
  faults: IngestFault[];
}

async function readEvents(
  request: Request,
  { maxBytes, maxEvents, onInvalid }: Required<IngestOptions>,
): Promise<Batch> {
  const batch: Batch = { events: [], rejected: 0, faults: [] };
  for await (const element of elementsOf(request, maxBytes)) {
    if (batch.events.length + batch.rejected === maxEvents) {
      throw new HttpError(413, `a request must have at most ${maxEvents} events`);
    }
    if (!isFault(element)) {
      batch.events.push(element);
      continue;
    }
    batch.rejected++;
    if (batch.faults.length < FAULTS) batch.faults.push(element);
    if (onInvalid === "refuse") break;
  }
  return batch;
}

/** Hands the new events to the sink. */
async function take(batch: Batch, seen: Latest<string, true>, options: Required<IngestOptions>): Promise<Response> {
  const { events, rejected, faults } = batch;
  if (rejected > 0 && options.onInvalid === "refuse") return answer(400, { error: faults[0]! });
  const ids = new Set<string>();
  const fresh = events.filter(({ id }) => {
    return id === undefined || (!seen.has(id) && ids.size < ids.add(id).size);
  });
  try {
    if (fresh.length > 0) await options.sink(fresh);
  } catch (error) {
    options.onError(error);
    throw new HttpError(503, "the events were not taken; send them again");
  }
  for (const id of ids) seen.set(id, true);
  const duplicates = events.length - fresh.length;
  return answer(200, { accepted: fresh.length, duplicates, rejected, faults } satisfies IngestAnswer);
}
