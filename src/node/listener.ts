import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import { callback, checked, integer, type Rules, zeroOr } from "../check/index.js";
import { sendResponse, sendText } from "./response.js";

/** Who asks. */
export interface RequestClient {
  /** The address of the other end of the connection, such as `203.0.113.7`; undefined once that is closed. */
  readonly address: string | undefined;
}

/** Answers a request: `ingest` of `liveq/server`, the `fetch` of a Hono app. */
export type RequestHandler = (request: Request, client: RequestClient) => Response | Promise<Response>;

/** Limits of a single request. */
export interface ListenerOptions {
  /** Maximum size of a body in bytes as sent; beyond, the answer is 413. Default 8 MiB, as for `ingest`. */
  maxBytes?: number;
  /** Maximum number of requests that are handled at once; beyond, the answer is 503. Default 1000, set by hand. */
  maxRequests?: number;
  /**
   * Milliseconds of work in one turn of the event loop, beyond which requests get 503 at once, unread, but for two each 5 ms, of
   * a turn or in hand: so that those do not wait for a queue that only grows. 0: all are taken. Default 0.
   */
  maxTurnMs?: number;
  /** Paths that are answered however long a turn takes, such as `/live`. Default: none. */
  urgentPaths?: readonly string[];
  /** Milliseconds until a body has arrived in full; beyond, the answer is 408. Default 10 000. */
  bodyTimeoutMs?: number;
  /** Milliseconds until the handler answers a body that has arrived; beyond, the answer is 503. Default 30 000. */
  answerTimeoutMs?: number;
  /** Called with what the handler threw; the sender gets a 500 without details. Default: ignored. */
  onError?: (error: unknown) => void;
}

const MS = integer(1, 2 ** 31 - 1);
/** @internal The rules and defaults of {@link ListenerOptions}. */
export const LISTENER_RULES: Rules<ListenerOptions> = {
  maxBytes: integer(1, Number.MAX_SAFE_INTEGER),
  maxRequests: integer(1, 1_000_000),
  maxTurnMs: zeroOr(0.1, 60_000),
  urgentPaths: [(value) => Array.isArray(value) && value.every((one) => typeof one === "string"), "an array of paths"],
  bodyTimeoutMs: MS,
  answerTimeoutMs: MS,
  onError: callback,
};
/** @internal */
export const LISTENER_DEFAULTS: Required<ListenerOptions> = {
  maxBytes: 2 ** 23,
  maxRequests: 1000,
  maxTurnMs: 0,
  urgentPaths: [],
  bodyTimeoutMs: 10_000,
  answerTimeoutMs: 30_000,
  onError: () => {},
};

/** Methods that `Request` refuses. */
const FORBIDDEN = ["CONNECT", "TRACE", "TRACK"];
const BODILESS = ["GET", "HEAD"];
/** A host with a port or without one: a name, IPv4 or [IPv6]. */
const HOST = /^(?:[\w.-]{1,255}|\[[\da-fA-F:.]{2,64}\])(?::\d{1,5})?$/;

/** A request that is answered without the handler. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/**
 * Takes the `IncomingMessage` and the `ServerResponse` of `node:http`: objects here, so that projects without the types of
 * Node compile.
 */
export type NodeListener = (incoming: object, outgoing: object) => void;

/**
 * Makes a listener for `node:http` from a handler on Web APIs. Whatever a client sends gets an answer or a closed
 * connection; nothing of it is thrown. For the time-outs of headers and of idle connections see `serve`.
 *
 * ```ts
 * createServer(requestListener(ingest({ sink }))).listen(8787);
 * ```
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function requestListener(handler: RequestHandler, options: ListenerOptions = {}): NodeListener {
  const resolved = checked<ListenerOptions>(options, LISTENER_RULES, LISTENER_DEFAULTS) as Required<ListenerOptions>;
  let open = 0;
  const turns = new Turns();
  return (incoming, outgoing) => {
    const [request, response] = [incoming as IncomingMessage, outgoing as ServerResponse];
    // Without listeners an error of the connection would end the process.
    request.on("error", () => {});
    response.on("error", () => {});
    if (open >= resolved.maxRequests) {
      sendAway(request, response);
      return;
    }
    const { maxTurnMs, urgentPaths } = resolved;
    if (maxTurnMs > 0 && turns.isFull(maxTurnMs, open) && !urgentPaths.includes(pathOf(request))) {
      sendAway(request, response);
      return;
    }
    open++;
    void handle(handler, request, response, resolved).finally(() => open--);
  };
}

/** A body of so many bytes is read before a 503, so that its connection stays: to open another costs more than the answer. */
const SHORT_BODY = 65_536;
/** Milliseconds that such a body may take. */
const SHORT_BODY_MS = 500;

/** Answers a request that is one too many. */
function sendAway(request: IncomingMessage, response: ServerResponse): void {
  const refused = new Refused(503, "too many requests at once; try again", { "retry-after": "1" });
  const { "content-length": length = 0, "transfer-encoding": coding } = request.headers;
  if (coding !== undefined || !(Number(length) <= SHORT_BODY)) {
    refuse(request, response, refused);
    return;
  }
  const answer = () => {
    clearTimeout(timer);
    refuse(request, response, refused);
  };
  const timer = setTimeout(answer, SHORT_BODY_MS).unref();
  request.once("end", answer).resume();
}

/**
 * Requests of a turn, or in hand, that are taken however long turns last, for each millisecond of `maxTurnMs`: a program that has just
 * begun is slow, and not busy.
 */
const ALWAYS = 0.4;

/** The turns of the event loop: how much there is to do in each. */
class Turns {
  /** When this turn began, and for how long the loop had been busy until then; and what the turn before it took. */
  #from = 0;
  #active = 0;
  #before = 0;
  #taken = 0;
  #isBegun = false;

  /** Whether another request would wait too long, or make others wait. */
  isFull(maxMs: number, inHand: number): boolean {
    const now = performance.now();
    if (!this.#isBegun) {
      this.#isBegun = true;
      this.#from = now;
      this.#taken = 0;
      // Answers take several turns: what counts is what the loop does in all of one, without the time that it sleeps.
      const { active } = performance.eventLoopUtilization();
      this.#before = active - this.#active;
      this.#active = active;
      // Runs once all connections that are ready have been read.
      setImmediate(() => {
        this.#isBegun = false;
      });
    }
    const always = Math.ceil(ALWAYS * maxMs);
    const isMuch = inHand >= always || this.#taken >= always;
    if (isMuch && (this.#before > maxMs || now - this.#from > maxMs)) return true;
    this.#taken++;
    return false;
  }
}

function pathOf({ url = "" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
}

/** Never rejects. */
async function handle(
  handler: RequestHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: Required<ListenerOptions>,
): Promise<void> {
  const limits = new Limits(incoming, outgoing, options);
  try {
    const request = webRequest(incoming, limits);
    const answer = Promise.resolve(handler(request, { address: incoming.socket.remoteAddress }));
    // The handler may go on after its time, and then fails unheard.
    answer.catch(() => {});
    const response = await Promise.race([answer, limits.broken]);
    if (!(response instanceof Response) || response.type === "error") {
      throw new TypeError(`the handler must return a Response, got ${response?.constructor?.name ?? typeof response}`);
    }
    await Promise.race([sendResponse(incoming, outgoing, response, () => limits.end()), limits.broken]);
  } catch (error) {
    if (error instanceof Refused) refuse(incoming, outgoing, error);
    else {
      report(options.onError, error);
      refuse(incoming, outgoing, new Refused(500, "the server failed"));
    }
  } finally {
    limits.end();
  }
}

function report(onError: (error: unknown) => void, error: unknown): void {
  try {
    onError(error);
  } catch {
    // A log that fails must not end the server.
  }
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, { status, message, headers }: Refused): void {
  const body = JSON.stringify({ error: { field: "", message } });
  sendText(incoming, outgoing, status, body, { "content-type": "application/json", ...headers });
}

/** @throws Refused for what no `Request` can hold. */
function webRequest(incoming: IncomingMessage, limits: Limits): Request {
  const { method = "GET" } = incoming;
  if (FORBIDDEN.includes(method.toUpperCase())) throw new Refused(501, `the method ${method} is not served`);
  const url = urlOf(incoming);
  const headers = headersOf(incoming);
  if (Number(incoming.headers["content-length"] ?? 0) > limits.maxBytes) throw limits.tooLarge();
  const { signal } = limits;
  if (BODILESS.includes(method)) {
    limits.received();
    return new Request(url, { method, headers, signal });
  }
  const body = limits.body();
  return new Request(url, { method, headers, signal, body, duplex: "half" } as RequestInit);
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    try {
      headers.append(name, rawHeaders[i + 1]!);
    } catch {
      throw new Refused(400, `the header ${JSON.stringify(name.slice(0, 40))} is invalid`);
    }
  }
  return headers;
}

/** The URL: of a path, or of an absolute target, whose host counts more than the header. */
function urlOf({ url: target = "/", rawHeaders, headers }: IncomingMessage): string {
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host").length;
  const host = headers.host ?? "localhost";
  if (hosts > 1 || (host !== "" && !HOST.test(host))) throw new Refused(400, "the header Host must be one host");
  const text = target.startsWith("/") ? `http://${host || "localhost"}${target}` : target;
  if (!/^https?:\/\//i.test(text)) throw new Refused(400, "the target must be a path or an http URL");
  try {
    const { href, username, password } = new URL(text);
    if (username === "" && password === "") return href;
  } catch {
    // Said below.
  }
  throw new Refused(400, "the target must be a valid URL");
}

/** Watches one request: its size, its time, and whether its client is still there. */
class Limits {
  readonly maxBytes: number;
  /** Rejects with Refused once a limit is broken. */
  readonly broken: Promise<never>;
  readonly #incoming: IncomingMessage;
  readonly #options: Required<ListenerOptions>;
  readonly #gone = new AbortController();
  #break: (reason: Refused) => void = () => {};
  #timer: NodeJS.Timeout;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, options: Required<ListenerOptions>) {
    this.maxBytes = options.maxBytes;
    this.#incoming = incoming;
    this.#options = options;
    this.broken = new Promise((_, reject) => {
      this.#break = reject;
    });
    this.broken.catch(() => {});
    this.#timer = this.#in(options.bodyTimeoutMs, 408, "the body did not arrive in time");
    outgoing.on("close", () => {
      if (outgoing.writableFinished) return;
      this.#gone.abort();
      this.#break(new Refused(499, "the client is gone"));
    });
  }

  /** Aborts when the client is gone, or a limit is broken. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  #in(ms: number, status: number, message: string): NodeJS.Timeout {
    const headers: Record<string, string> = status === 503 ? { "retry-after": "1" } : {};
    return setTimeout(() => this.#fail(new Refused(status, message, headers)), ms).unref();
  }

  #fail(reason: Refused): Refused {
    this.#break(reason);
    this.#gone.abort(reason);
    return reason;
  }

  tooLarge(): Refused {
    return new Refused(413, `the body must have at most ${this.maxBytes} bytes`);
  }

  /** The body has arrived: the rest is the handler's time. */
  received(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#in(this.#options.answerTimeoutMs, 503, "no answer in time; try again");
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** The body as it arrives, at its reader's pace. */
  body(): ReadableStream<Uint8Array> {
    const incoming = this.#incoming;
    let bytes = 0;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const fail = (reason: Error) => controller.error(reason);
          this.signal.addEventListener("abort", () => fail(new Error("the request ended early")), { once: true });
          incoming.on("data", (piece: Uint8Array) => {
            if (this.signal.aborted) return;
            bytes += piece.length;
            if (bytes > this.maxBytes) {
              this.#fail(this.tooLarge());
              return;
            }
            controller.enqueue(new Uint8Array(piece));
            if (!((controller.desiredSize ?? 0) > 0)) incoming.pause();
          });
          incoming.on("end", () => {
            if (this.signal.aborted) return;
            this.received();
            controller.close();
          });
          incoming.pause();
        },
        pull: () => void incoming.resume(),
        // The rest is read and dropped, for at most the time of the body.
        cancel: () => void incoming.removeAllListeners("data").resume(),
      },
      { highWaterMark: 1 },
    );
  }
}
