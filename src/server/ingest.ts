import { checked, integer, oneOf, type Rules } from "../check/index.js";
import { Recent } from "../collections/index.js";
import { parseEventLine, readBytes, readLineBlocks } from "../logs/index.js";
import { asEvent, EventError, type LiveEvent } from "../protocol/index.js";
import { bodyOf, HttpError, mediaType } from "./body.js";

export interface IngestOptions {
  /**
   * Takes the new events of a request, in their order; one call at a time, in the order in which requests have come whole.
   * The answer waits for it, so that who has it finds what they told.
   */
  sink: (events: LiveEvent[]) => void | Promise<void>;
  /** Most bytes of a body, as sent and inflated. Default 8 MiB. */
  maxBytes?: number;
  /** Most events of a request. Default 10 000. */
  maxEvents?: number;
  /**
   * What an event that is none does: the whole request is refused and nothing of it taken, or it alone is left out and
   * named in the answer. Default refuse.
   */
  onInvalid?: "refuse" | "skip";
  /** Ids of events that are remembered at least, so that one that comes again is dropped; at most twice as many. Default 262 144. */
  window?: number;
  /** Told what the sink has thrown; the sender is told only that the events were not taken. Default nobody. */
  onError?: (error: unknown) => void;
}

/** An event that is none. */
export interface IngestFault {
  /** 1 for the first line, of a body of lines. */
  line?: number;
  /** 0 for the first element, of a body that is an array. */
  index?: number;
  /** Path of the offending field; empty where the whole is wrong. */
  field: string;
  message: string;
}

/** The body of an answer: of 200 the counts, of any other the `error`. */
export interface IngestAnswer {
  /** Events that the sink has taken. */
  accepted: number;
  /** Events that were known by their ids. */
  duplicates: number;
  /** Events that are none, with `onInvalid: "skip"`. */
  rejected: number;
  /** The first 100 of them. */
  faults: IngestFault[];
}

const isFunction = (value: unknown) => typeof value === "function";

const TABLE: Rules<IngestOptions> = {
  sink: [isFunction, "a function"],
  maxBytes: integer(1, 2 ** 30),
  maxEvents: integer(1, 2 ** 23),
  onInvalid: oneOf("refuse", "skip"),
  window: integer(1, 2 ** 23),
  onError: [isFunction, "a function"],
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
/** Most faults that an answer lists. */
const FAULTS = 100;

/** An element of a body: an event, or why it is none. */
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
 * The door for events: a handler of `POST /events`, wherever it is mounted. A body is one event or an array
 * (`application/json`), or one event a line (`application/x-ndjson`), plain or gzip.
 *
 * It answers 200 with an `IngestAnswer` after the sink has taken the events; 400 for what is no event, with
 * `{ error: { line, field, message } }`; 405, 413 and 415 for another method, too much, another type; and 503 where the sink
 * has thrown. Events that come again with an id that is remembered are dropped: what was not answered can be sent again.
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
  const seen = new Recent<true>(resolved.window);
  // One request at a time: a second copy of a batch must not be answered while the first may still fail.
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

/** What a request holds. */
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

/** Hands what is new to the sink. */
async function take(batch: Batch, seen: Recent<true>, options: Required<IngestOptions>): Promise<Response> {
  const { events, rejected, faults } = batch;
  if (rejected > 0 && options.onInvalid === "refuse") return answer(400, { error: faults[0]! });
  const ids = new Set<string>();
  const fresh = events.filter(({ id }) => {
    return id === undefined || (!seen.get(id) && ids.size < ids.add(id).size);
  });
  try {
    if (fresh.length > 0) await options.sink(fresh);
  } catch (error) {
    options.onError(error);
    throw new HttpError(503, "the events were not taken; they may be sent again");
  }
  for (const id of ids) seen.set(id, true);
  const duplicates = events.length - fresh.length;
  return answer(200, { accepted: fresh.length, duplicates, rejected, faults } satisfies IngestAnswer);
}
