import { type Context, Hono } from "hono";
import { checked, integer, optional, positive, type Rule, type Rules } from "../../check/index.js";
import { readBytes } from "../../logs/index.js";
import {
  asEvent,
  EventError,
  jsonSchemas,
  type LiveEvent,
  MAX_AHEAD_MS,
  type Receipt,
  type Request as SlateRequest,
} from "../../protocol/index.js";
import { StorageError } from "../../storage/index.js";
import { bodyOf, DEPTH, HttpError, isShallow, mediaType } from "../body.js";
import type { Edge } from "../edge/edge.js";
import { answerOf, type EventLimits, failure, readEvents, refusal } from "../ingest.js";
import { type Scope, type Token, Tokens } from "./auth.js";
import { type Metric, ServerMetrics } from "./metrics.js";
import { openApi, ROUTES, type Route } from "./openapi.js";

/** How a server answers. */
export interface EdgeAppOptions {
  /** What answers, logs and learns. */
  edge: Edge;
  /** Who may do what. Default: everybody may do all; give some where others than this machine reach the server. */
  tokens?: readonly Token[] | undefined;
  /** Maximum size of a body in bytes, as sent and after decompression. Default 8 MiB. */
  maxBytes?: number;
  /** Maximum number of events in a request. Default 10 000. */
  maxEvents?: number;
  /** Maximum number of requests in a batch. Default 100. */
  maxBatch?: number;
  /** Requests in hand at one time; more are sent away with 503. Default 1024. */
  maxRequests?: number;
  /** How long a body may take to arrive, milliseconds, > 0. Default 10 000. */
  bodyTimeoutMs?: number;
  /** The host's time, milliseconds since the Unix epoch. Default `Date.now`. */
  now?: () => number;
}

const anything: Rule = [() => true, ""];
const RULES: Rules<EdgeAppOptions> = {
  edge: anything,
  tokens: optional(anything),
  maxBytes: integer(1, 2 ** 30),
  maxEvents: integer(1, 2 ** 20),
  maxBatch: integer(1, 10_000),
  maxRequests: integer(1, 2 ** 20),
  bodyTimeoutMs: positive,
  now: anything,
};
const DEFAULTS: Required<Omit<EdgeAppOptions, "edge" | "tokens">> = {
  maxBytes: 2 ** 23,
  maxEvents: 10_000,
  maxBatch: 100,
  maxRequests: 1024,
  bodyTimeoutMs: 10_000,
  now: () => Date.now(),
};

type Options = Required<Omit<EdgeAppOptions, "tokens">>;

/** Seconds after which a client may try again. */
const RETRY = { "retry-after": "1" };
/** Answers that are remembered by their idempotency key. */
const ANSWERS = 4096;
/** Longest of them, in characters. */
const ANSWER_MAX = 16_384;

interface Answer {
  status: number;
  text: string;
}

/** A server of one edge: what a host mounts. */
export interface EdgeApp {
  fetch(request: Request): Promise<Response>;
  /** From now on `/ready` says no, so that no new requests are sent here. */
  drain(): void;
}

/**
 * Answers requests for slates, events, streams, users and models over HTTP: `openapi.json` describes them.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function edgeApp(options: EdgeAppOptions): EdgeApp {
  const { tokens, ...given } = checked<EdgeAppOptions>(options, RULES, DEFAULTS) as Options & EdgeAppOptions;
  const server = new EdgeServer(given as Options, new Tokens(tokens));
  return { fetch: (request) => server.fetch(request), drain: () => server.drain() };
}

type Handler = (context: Context) => Response | Promise<Response>;

class EdgeServer {
  readonly #options: Options;
  readonly #tokens: Tokens;
  readonly #metrics = new ServerMetrics();
  readonly #app = new Hono();
  readonly #answers = new Map<string, { digest: string; answer: Promise<Answer> }>();
  #inHand = 0;
  #isDraining = false;

  constructor(options: Options, tokens: Tokens) {
    this.#options = options;
    this.#tokens = tokens;
    const handlers = this.#handlers();
    const allowed = new Map<string, string[]>();
    for (const route of ROUTES) {
      const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
      this.#app.on(route.method, path, (context) => this.#run(route, handlers[route.name]!, context));
      allowed.set(path, [...(allowed.get(path) ?? []), route.method]);
    }
    for (const [path, methods] of allowed) {
      const error = new HttpError(405, `the method must be ${methods.join(" or ")}`, { allow: methods.join(", ") });
      this.#app.all(path, () => failure(error));
    }
    this.#app.notFound(() => failure(new HttpError(404, "there is nothing here; /openapi.json lists what there is")));
  }

  async fetch(request: Request): Promise<Response> {
    if (this.#inHand >= this.#options.maxRequests) {
      return failure(new HttpError(503, "too many requests wait: try again later", RETRY));
    }
    this.#inHand++;
    try {
      return await this.#app.fetch(request);
    } finally {
      this.#inHand--;
    }
  }

  drain(): void {
    this.#isDraining = true;
  }

  async #run(route: Route, handler: Handler, context: Context): Promise<Response> {
    const { now } = this.#options;
    const from = now();
    const response = await this.#answer(route, handler, context).catch((error: unknown) => failure(asHttp(error)));
    this.#metrics.answered(route.path, response.status, (now() - from) / 1000);
    return response;
  }

  async #answer({ scope }: Route, handler: Handler, context: Context): Promise<Response> {
    if (scope !== undefined) await this.#require(scope, context);
    return handler(context);
  }

  async #require(scope: Scope, context: Context): Promise<void> {
    const status = await this.#tokens.check(context.req.header("authorization"), scope);
    if (status === 401) {
      throw new HttpError(401, "a token is needed: authorization: Bearer ...", { "www-authenticate": "Bearer" });
    }
    if (status === 403) throw new HttpError(403, `the token must have the scope "${scope}"`);
  }

  #handlers(): Record<string, Handler> {
    const { edge } = this.#options;
    return {
      recommend: async ({ req }) => json(edge.recommend((await this.#object(req.raw)) as unknown as SlateRequest)),
      recommendBatch: async ({ req }) => this.#batch(await this.#object(req.raw)),
      events: ({ req }) => this.#idempotent(req.raw, (request) => this.#events(request)),
      onAir: async ({ req }) => this.#stream("on_air", param(req.param("stream")), await this.#object(req.raw)),
      update: async ({ req }) => this.#stream("update", param(req.param("stream")), await this.#object(req.raw)),
      offAir: ({ req }) => this.#stream("off_air", param(req.param("stream")), {}),
      user: ({ req }) => json(edge.profile(param(req.param("user"))) ?? missing("user")),
      forget: async ({ req }) => json({ wasKnown: await edge.forget(param(req.param("user"))) }),
      models: () => json({ models: edge.models(), ...edge.stats() }),
      rollback: async ({ req }) => this.#rollback(await this.#object(req.raw)),
      release: () => {
        edge.release();
        return json(edge.stats());
      },
      stats: () => json({ ...edge.stats(), recommender: edge.recommenderStats() }),
      live: () => json({ live: true }),
      ready: () => {
        if (this.#isDraining) throw new HttpError(503, "the server is stopping", RETRY);
        const { failed } = edge.stats();
        if (failed !== undefined) throw new HttpError(503, `the ${failed} no longer works: start the server anew`);
        return json({ ready: true });
      },
      metrics: () => new Response(this.#metrics.page(this.#figures()), { headers: { "content-type": PROMETHEUS } }),
      openapi: async () => json(await openApi()),
      schemas: async () => json(await jsonSchemas()),
    };
  }

  #batch({ requests, ...rest }: Record<string, unknown>): Response {
    const { edge, maxBatch } = this.#options;
    const [other] = Object.keys(rest);
    if (other !== undefined) throw new EventError(other, `"${other}" is not a field of a batch`);
    if (!Array.isArray(requests) || requests.length === 0 || requests.length > maxBatch) {
      throw new EventError("requests", `"requests" must be an array of 1 to ${maxBatch} requests`);
    }
    const decisions = requests.map((request: unknown, i) => {
      try {
        return edge.recommend(requireObject(request, "a request") as unknown as SlateRequest);
      } catch (error) {
        if (!(error instanceof EventError)) throw error;
        return { error: { field: `requests.${i}.${error.field}`, message: error.message } };
      }
    });
    return json({ decisions });
  }

  async #events(request: Request): Promise<Response> {
    const { edge, maxBytes, maxEvents, bodyTimeoutMs, now } = this.#options;
    const limits: EventLimits = {
      ...{ maxBytes, maxEvents, bodyTimeoutMs, now, maxAheadMs: MAX_AHEAD_MS, onInvalid: "skip" },
    };
    const { events, places, faults } = await readEvents(request, limits);
    for (const { answer } of faults) this.#metrics.refused(answer);
    const receipts = events.length === 0 ? [] : await edge.feed(events);
    for (const [i, receipt] of receipts.entries()) {
      if (receipt === "taken") continue;
      const fault = refusal(places[i]!, receipt);
      this.#metrics.refused(fault.answer);
      faults.push(fault);
    }
    return answerOf(receipts, faults);
  }

  /** A request with an idempotency key is answered once: the same again gets the same answer. */
  async #idempotent(request: Request, run: (request: Request) => Promise<Response>): Promise<Response> {
    const key = request.headers.get("idempotency-key");
    if (key === null) return run(request);
    if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
      throw new HttpError(400, '"idempotency-key" must be 1 to 200 visible characters');
    }
    const { maxBytes, bodyTimeoutMs } = this.#options;
    const body = await readBytes(bodyOf(request, { maxBytes, bodyTimeoutMs }));
    const digest = await fingerprint(request, body);
    const own = `${request.headers.get("authorization") ?? ""} ${key}`;
    const known = this.#answers.get(own);
    if (known !== undefined && known.digest !== digest) {
      throw new HttpError(422, "another body came with this idempotency key");
    }
    const headers = { "content-type": request.headers.get("content-type") ?? "" };
    const again = () => new Request(request.url, { method: request.method, headers, body: body as BodyInit });
    const { status, text } = await (known?.answer ?? this.#once(own, digest, run(again())));
    return new Response(text, { status, headers: { "content-type": "application/json" } });
  }

  /** Remembers an answer by its key, unless it is large: then what was taken is a duplicate, if it comes again. */
  #once(key: string, digest: string, run: Promise<Response>): Promise<Answer> {
    const answer = run.then(async (response) => ({ status: response.status, text: await response.text() }));
    this.#answers.set(key, { digest, answer });
    if (this.#answers.size > ANSWERS) this.#answers.delete(this.#answers.keys().next().value!);
    const forget = () => void this.#answers.delete(key);
    // What was not done may be asked for again.
    answer.then(({ status, text }) => (status >= 500 || text.length > ANSWER_MAX) && forget(), forget);
    return answer;
  }

  async #stream(
    kind: "on_air" | "update" | "off_air",
    stream: string,
    body: Record<string, unknown>,
  ): Promise<Response> {
    const event = asEvent({ time: this.#options.now(), ...body, kind, stream }) as LiveEvent;
    const [receipt] = (await this.#options.edge.feed([event])) as [Receipt];
    if (receipt instanceof EventError) throw receipt;
    return json({ answer: receipt });
  }

  #rollback({ version }: Record<string, unknown>): Response {
    const { edge } = this.#options;
    if (version !== undefined && !Number.isSafeInteger(version)) {
      throw new EventError("version", '"version" must be an integer');
    }
    try {
      edge.rollback(version as number | undefined);
    } catch (error) {
      if (error instanceof RangeError) throw new EventError("version", error.message);
      throw error;
    }
    return json(edge.stats());
  }

  #figures(): Metric[] {
    const { edge, now } = this.#options;
    const stats = edge.stats();
    const recommender = edge.recommenderStats();
    const newest = edge.models().at(-1)!;
    return [
      { name: "decisions_total", help: "Slates that were chosen.", value: stats.requests },
      { name: "decisions_unlogged_total", help: "Slates that could not be logged.", value: stats.unlogged },
      { name: "events_total", help: "Events that were taken.", value: stats.events },
      {
        name: "learner_behind_records",
        help: "Logged records that the learner has not yet seen.",
        value: stats.behind,
      },
      { name: "model_version", help: "The model that answers.", value: stats.model },
      { name: "model_updates", help: "Updates of the model that answers.", value: stats.modelUpdates },
      { name: "model_age_seconds", help: "Since the model went live.", value: (now() - stats.modelAt) / 1000 },
      {
        name: "failed",
        help: "Whether the learner or the log no longer works.",
        value: Number(stats.failed !== undefined),
      },
      { name: "model_pinned", help: "Whether newer models wait.", value: Number(stats.isPinned) },
      { name: "loss", help: "Mean of the latest losses of the newest model.", value: newest.loss },
      { name: "q_mean", help: "Mean value in the last batch of the newest model.", value: newest.qMean },
      { name: "streams_on_air", help: "Streams on air.", value: recommender.onAir },
      { name: "users", help: "Users that are remembered.", value: recommender.users },
      { name: "pending_decisions", help: "Decisions that wait for feedback.", value: recommender.pending },
      { name: "requests_in_hand", help: "Requests that are being answered.", value: this.#inHand },
    ];
  }

  /** The object that a request's body is. @throws HttpError. */
  async #object(request: Request): Promise<Record<string, unknown>> {
    const { maxBytes, bodyTimeoutMs } = this.#options;
    const type = mediaType(request);
    const bytes = await readBytes(bodyOf(request, { maxBytes, bodyTimeoutMs }));
    if (bytes.byteLength === 0) return {};
    if (type !== "application/json") {
      throw new HttpError(415, `the content type must be application/json, got ${type.slice(0, 80) || "none"}`);
    }
    return requireObject(parsed(bytes), "the body");
  }
}

const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

function parsed(bytes: Uint8Array): unknown {
  try {
    if (!isShallow(bytes)) throw new RangeError("too deep");
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new HttpError(400, `the body must be JSON in UTF-8, nested at most ${DEPTH} deep`);
  }
}

function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new EventError("", `${what} must be an object`);
}

function json(value: unknown): Response {
  return new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });
}

/** A part of a path. */
function param(value: string | undefined): string {
  return value ?? "";
}

function missing(what: string): never {
  throw new HttpError(404, `the ${what} is not known`);
}

async function fingerprint(request: Request, body: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", body as BufferSource);
  return `${request.headers.get("content-type")} ${[...new Uint8Array(digest)].join(" ")}`;
}

/** What goes wrong, as a status. */
function asHttp(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof EventError) return new HttpError(400, error.message, {}, error.field);
  if (error instanceof StorageError) {
    if (error.reason === "full") return new HttpError(507, "no space is left for events; slates are still answered");
    return new HttpError(503, "the events were not taken; send them again", RETRY);
  }
  throw error;
}
