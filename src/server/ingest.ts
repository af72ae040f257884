import { callback, checked, integer, nonNegative, oneOf, positive, type Rules } from "../check/index.js";
import { Seen } from "../collections/index.js";
import { parseEventLine, readBytes, readLineBlocks } from "../logs/index.js";
import {
  asEvent,
  EventError,
  identityOf,
  type LiveEvent,
  MAX_AHEAD_MS,
  type Receipt,
  timeFault,
} from "../protocol/index.js";
import { bodyOf, DEPTH, HttpError, isShallow, mediaType } from "./body.js";

/** What a sink took: all (nothing returned), the first so many, or one receipt for each event. */
export type Sunk = number | readonly Receipt[] | undefined;

export interface IngestOptions {
  /**
   * Takes the new events of a request, in their order, with the host's time. Calls never overlap; they follow the order in
   * which request bodies arrived in full. The response waits for the sink, so the sender's next request already finds its
   * events. A sink returns nothing when it took all, the number it took from the first on, or a receipt for each: such as
   * `takeEach(recommender, events, now)`. When it throws, it must have taken none: all may then be sent again.
   */
  sink: (events: LiveEvent[], now: number) => Sunk | Promise<Sunk> | void | Promise<void>;
  /** Maximum size of a body in bytes, both as sent and after decompression. Default 8 MiB. */
  maxBytes?: number;
  /** Maximum number of events in a request, and of blank lines beside them. Default 10 000. */
  maxEvents?: number;
  /**
   * What to do with an invalid event: `skip` leaves out that event alone and lists it in the answer, `refuse` rejects the
   * whole request. Default `skip`.
   */
  onInvalid?: "refuse" | "skip";
  /**
   * How many event ids are remembered, to drop an event that arrives again, and to refuse another event under the same id.
   * Default 262 144.
   */
  window?: number;
  /** The host's time, milliseconds since the Unix epoch. Default `Date.now`. */
  now?: () => number;
  /**
   * Events dated further ahead of the host's time are refused, milliseconds, >= 0. Default 5 minutes, as in a recommender.
   */
  maxAheadMs?: number;
  /** How long a body may take to arrive, milliseconds, > 0. Default 10 000. */
  bodyTimeoutMs?: number;
  /** Requests in hand at one time, whose bodies are read or wait for the sink; more are sent away with 503. Default 64. */
  maxRequests?: number;
  /** Called with the sink's error; the sender learns only that its events were not taken. Default: ignored. */
  onError?: (error: unknown) => void;
}

/** An event that was not taken, and why. */
export interface IngestFault {
  /** Line of a body of lines, from 1. */
  line?: number;
  /** Index in a body that is an array, from 0. */
  index?: number;
  /**
   * `duplicate`: it came before. `late`: too old, dropped. `invalid`: it can never be taken. `conflict`: another event came
   * under this id before. None of them may be sent again.
   */
  answer: "duplicate" | "late" | "invalid" | "conflict";
  /** Path of the wrong field; empty when the event as a whole is wrong. */
  field: string;
  message: string;
}

/** The body of a response about events; it has `error`, the first fault, when none of them could be taken. */
export interface IngestAnswer {
  /** Events that the sink took. */
  accepted: number;
  /** Events that came before. */
  duplicates: number;
  /** Events too old to be taken. */
  late: number;
  /** Events that can never be taken: invalid, dated ahead, or under the id of another event. */
  rejected: number;
  /** Every event that was not taken, in the order of the body. */
  faults: IngestFault[];
}

/** What reading a body of events needs to know. */
export type EventLimits = Required<
  Pick<IngestOptions, "maxBytes" | "maxEvents" | "onInvalid" | "now" | "maxAheadMs" | "bodyTimeoutMs">
>;

const TABLE: Rules<IngestOptions> = {
  sink: callback,
  maxBytes: integer(1, 2 ** 30),
  maxEvents: integer(1, 2 ** 23),
  onInvalid: oneOf("refuse", "skip"),
  window: integer(1, 2 ** 24),
  now: callback,
  maxAheadMs: nonNegative,
  bodyTimeoutMs: positive,
  maxRequests: integer(1, 2 ** 16),
  onError: callback,
};

const DEFAULTS: Partial<IngestOptions> = {
  maxBytes: 2 ** 23,
  maxEvents: 10_000,
  onInvalid: "skip",
  window: 1 << 18,
  now: () => Date.now(),
  maxAheadMs: MAX_AHEAD_MS,
  bodyTimeoutMs: 10_000,
  maxRequests: 64,
  onError: () => {},
};

const JSON_TYPE = "application/json";
const LINES = ["application/x-ndjson", "application/jsonl", "application/x-jsonlines"];
/** Where an event stands in a body. */
type Place = Pick<IngestFault, "line" | "index">;

/** One element of a body: an event, or why it is invalid. */
interface Element {
  readonly place: Place;
  readonly read: LiveEvent | Error;
}

function faultOf(place: Place, answer: IngestFault["answer"], error: Error): IngestFault {
  return { ...place, answer, field: error instanceof EventError ? error.field : "", message: error.message };
}

async function* linesOf(request: Request, limits: EventLimits): AsyncGenerator<Element, void, undefined> {
  let blank = 0;
  for await (const { first, lines } of readLineBlocks(bodyOf(request, limits))) {
    for (const [i, line] of lines.entries()) {
      const read = typeof line === "string" ? parseEventLine(line) : new TypeError(String(line.cause));
      if (read !== undefined) yield { place: { line: first + i }, read };
      else if (++blank > limits.maxEvents) throw tooMany("blank lines", limits);
    }
  }
}

async function* jsonOf(request: Request, limits: EventLimits): AsyncGenerator<Element, void, undefined> {
  const bytes = await readBytes(bodyOf(request, limits));
  let value: unknown;
  try {
    if (!isShallow(bytes)) throw new RangeError("too deep");
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new HttpError(400, `the body must be JSON in UTF-8, nested at most ${DEPTH} deep`);
  }
  const isList = Array.isArray(value);
  const elements = isList ? (value as unknown[]) : [value];
  if (elements.length > limits.maxEvents) throw tooMany("events", limits);
  for (const [index, element] of elements.entries()) {
    yield { place: isList ? { index } : {}, read: parsed(element) };
  }
}

function parsed(element: unknown): LiveEvent | Error {
  try {
    return asEvent(element);
  } catch (error) {
    return error as Error;
  }
}

function tooMany(what: string, { maxEvents }: EventLimits): HttpError {
  return new HttpError(413, `a request must have at most ${maxEvents} ${what}`);
}

function elementsOf(request: Request, limits: EventLimits): AsyncIterable<Element> {
  const type = mediaType(request);
  if (type === JSON_TYPE) return jsonOf(request, limits);
  if (LINES.includes(type)) return linesOf(request, limits);
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
 * The handler answers event by event: 200 with an `IngestAnswer` once the sink took the events, with what became of those
 * that it did not take; 400 or 422 when there is none that could be taken; 405 for another method, 408 for a body that
 * takes too long, 413 for too many bytes or events, 415 for another content type, and 503 when the sink threw, did not take
 * all, or too many requests wait: those events alone may be sent again. It drops an event whose id it remembers, so a
 * sender without a response can send the same request again.
 *
 * ```ts
 * const events = ingest({ sink: (events, now) => takeEach(recommender, events, now) });
 * Deno.serve(events); // Bun: Bun.serve({ fetch: events }); Workers: export default { fetch: events }
 * app.post("/events", (c) => events(c.req.raw)); // Hono
 * ```
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function ingest(options: IngestOptions): (request: Request) => Promise<Response> {
  const resolved = checked<IngestOptions>(options, TABLE, DEFAULTS) as Required<IngestOptions>;
  const intake = new Intake(resolved);
  let inHand = 0;
  return async (request) => {
    if (inHand === resolved.maxRequests) return failure(busy());
    inHand++;
    try {
      if (request.method !== "POST") throw new HttpError(405, "the method must be POST", { allow: "POST" });
      return await intake.take(await readEvents(request, resolved));
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return failure(error);
    } finally {
      inHand--;
    }
  };
}

/** Seconds after which a sender may try again. */
const RETRY = { "retry-after": "1" };

function busy(): HttpError {
  return new HttpError(503, "too many requests wait; send the events again", RETRY);
}

/** The response to a request that is rejected. */
export function failure({ status, message, headers, field }: HttpError): Response {
  return answer(status, { error: { field, message } }, headers);
}

/** The events of one request. */
export interface Batch {
  events: LiveEvent[];
  /** Where each of them stands in the body. */
  places: Place[];
  faults: IngestFault[];
}

/** The events of a request's body. @throws HttpError for a body that cannot be read. */
export async function readEvents(request: Request, limits: EventLimits): Promise<Batch> {
  const batch: Batch = { events: [], places: [], faults: [] };
  const { maxEvents, maxAheadMs, onInvalid } = limits;
  const host = limits.now();
  for await (const { place, read } of elementsOf(request, limits)) {
    if (batch.events.length + batch.faults.length === maxEvents) throw tooMany("events", limits);
    const error = read instanceof Error ? read : timeFault(read.time, host, maxAheadMs);
    if (error === undefined) {
      batch.events.push(read as LiveEvent);
      batch.places.push(place);
      continue;
    }
    batch.faults.push(faultOf(place, "invalid", error));
    if (onInvalid === "refuse") return { events: [], places: [], faults: batch.faults.slice(-1) };
  }
  return batch;
}

/** Hands new events to the sink, one request at a time: no response may call a batch a duplicate that can still fail. */
class Intake {
  readonly #options: Required<IngestOptions>;
  readonly #seen: Seen;
  /** No sender can make an event that is taken for another one's, or many that are slow to tell apart. */
  readonly #secret = crypto.getRandomValues(new Uint32Array(2));
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: Required<IngestOptions>) {
    this.#options = options;
    this.#seen = new Seen(options.window);
  }

  take(batch: Batch): Promise<Response> {
    const taken = this.#last.then(() => this.#take(batch));
    this.#last = taken.catch(() => {});
    return taken;
  }

  async #take({ events, places, faults }: Batch): Promise<Response> {
    const own = new Seen(this.#options.maxEvents);
    const fresh: number[] = [];
    for (const [i, event] of events.entries()) {
      const identity = event.id === undefined ? undefined : identityOf(event, this.#secret);
      const note = identity && (own.get(identity.key) ?? this.#seen.get(identity.key));
      if (note !== undefined) faults.push(repeated(places[i]!, event, note === identity!.content));
      else {
        fresh.push(i);
        if (identity !== undefined) own.add(identity.key, identity.content);
      }
    }
    const receipts = await this.#sink(fresh.map((i) => events[i]!));
    for (const [n, receipt] of receipts.entries()) {
      const event = events[fresh[n]!]!;
      if (receipt === undefined) continue;
      if (event.id !== undefined) this.#remember(event);
      if (receipt !== "taken") faults.push(refusal(places[fresh[n]!]!, receipt));
    }
    return answerOf(receipts, faults);
  }

  #remember(event: LiveEvent): void {
    const { key, content } = identityOf(event, this.#secret);
    if (this.#seen.get(key) === undefined) this.#seen.add(key, content);
  }

  /** A receipt for each event; undefined for those that the sink left. */
  async #sink(events: LiveEvent[]): Promise<(Receipt | undefined)[]> {
    if (events.length === 0) return [];
    let sunk: unknown;
    try {
      sunk = await this.#options.sink(events, this.#options.now());
    } catch (error) {
      this.#options.onError(error);
      throw new HttpError(503, "the events were not taken; send them again", RETRY);
    }
    if (Array.isArray(sunk)) return events.map((_, n) => (sunk as readonly Receipt[])[n]);
    const taken = typeof sunk === "number" ? sunk : events.length;
    return events.map((_, n) => (n < taken ? "taken" : undefined));
  }
}

function repeated(place: Place, { id }: LiveEvent, isSame: boolean): IngestFault {
  if (isSame) return { ...place, answer: "duplicate", field: "id", message: "the event came before" };
  const message = `"id" must be unique to an event of a sender, and another event came as ${JSON.stringify(id)}`;
  return { ...place, answer: "conflict", field: "id", message };
}

/** Why an event was not taken. */
export function refusal(place: Place, receipt: Exclude<Receipt, "taken">): IngestFault {
  if (receipt === "duplicate") return { ...place, answer: receipt, field: "", message: "the event was taken before" };
  if (receipt === "late") return { ...place, answer: receipt, field: "time", message: "the event is too old" };
  return faultOf(place, receipt.field === "id" ? "conflict" : "invalid", receipt);
}

/** The response about events, each with its receipt. */
export function answerOf(receipts: readonly (Receipt | undefined)[], faults: IngestFault[]): Response {
  const accepted = receipts.filter((receipt) => receipt === "taken").length;
  const left = receipts.filter((receipt) => receipt === undefined).length;
  const of = (...answers: string[]) => faults.filter(({ answer }) => answers.includes(answer)).length;
  faults.sort((a, b) => (a.line ?? a.index ?? 0) - (b.line ?? b.index ?? 0));
  const counts = { accepted, duplicates: of("duplicate"), late: of("late"), rejected: of("invalid", "conflict") };
  const body: IngestAnswer = { ...counts, faults };
  if (left > 0) {
    const error = { field: "", message: `${left} events were not taken; send them again` };
    return answer(503, { ...body, error }, RETRY);
  }
  if (counts.rejected === 0 || counts.rejected < accepted + faults.length) return answer(200, body);
  const status = faults.every(({ answer }) => answer === "conflict") ? 422 : 400;
  return answer(status, { ...body, error: faults[0] });
}
