import { momentNow, ServerClock } from "./clock.js";
import { ClientError, errorOf } from "./error.js";
import { fraction } from "./random.js";

/** The header of an answer with the server's time, milliseconds. */
const TIME_HEADER = "liveq-now";
/** A call that the server asks to repeat only after longer fails at once: its caller waits. */
const PATIENCE_MS = 60_000;

/** How calls are made. */
export interface TransportOptions {
  url: string;
  token: string | undefined;
  timeoutMs: number;
  retries: number;
  retryMs: number;
  retryMaxMs: number;
  fetch: typeof fetch | undefined;
}

export interface Call {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  /** JSON. */
  body?: string | undefined;
  signal?: AbortSignal | undefined;
  /** The same call under the same key is answered once. */
  key?: string;
  /** Goes on when the page is gone; of at most 64 KiB. */
  keepalive?: boolean;
}

/** Calls over HTTP, with time-outs and repeats; what they say of the time goes to a clock. */
export class Transport {
  readonly clock = new ServerClock();
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = { ...options, url: options.url.replace(/\/$/, "") };
  }

  get hasToken(): boolean {
    return this.#options.token !== undefined;
  }

  urlOf(path: string): string {
    return this.#options.url + path;
  }

  /** The answer to a call, which is repeated while it may pass. @throws ClientError, or the reason of the signal. */
  async call(call: Call): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.attempt(call);
      } catch (error) {
        if (!(error instanceof ClientError) || !error.mayPass || attempt >= this.#options.retries) throw error;
        if ((error.retryAfterMs ?? 0) > PATIENCE_MS) throw error;
        await sleep(this.delayOf(attempt, error), call.signal);
      }
    }
  }

  /**
   * Milliseconds to wait after a failure: random, up to a bound that doubles with each, so that clients that failed
   * together do not come back together; after the time that the server asks for.
   */
  delayOf(attempt: number, { retryAfterMs = 0 }: ClientError): number {
    const { retryMs, retryMaxMs } = this.#options;
    return retryAfterMs + fraction() * Math.min(retryMaxMs, retryMs * (1 << Math.min(attempt, 20)));
  }

  /** One attempt. @throws ClientError, or the reason of the signal. */
  async attempt({ method, path, body, signal, key, keepalive = false }: Call): Promise<unknown> {
    signal?.throwIfAborted();
    const { timeoutMs, token } = this.#options;
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    if (key !== undefined) headers["idempotency-key"] = key;
    const controller = new AbortController();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      controller.abort();
    }, timeoutMs);
    const abort = () => controller.abort();
    signal?.addEventListener("abort", abort, { once: true });
    const sent = momentNow();
    try {
      const init: RequestInit = { method, headers, signal: controller.signal };
      if (body !== undefined) init.body = body;
      // Some runtimes refuse fields that they do not know.
      if (keepalive) init.keepalive = true;
      if (typeof document !== "undefined") Object.assign(init, { credentials: "omit", cache: "no-store" });
      const response = await (this.#options.fetch ?? fetch)(this.urlOf(path), init);
      this.#learnTime(response, sent);
      return await read(response);
    } catch (error) {
      if (error instanceof ClientError) throw error;
      signal?.throwIfAborted();
      if (isLate) {
        const message = `the server did not answer within ${timeoutMs} ms`;
        throw new ClientError(message, { fault: "timeout", cause: error });
      }
      throw new ClientError("the server could not be reached", { fault: "unreachable", cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Learns the server's time from its headers; where a page cannot read them, its own clock must do. */
  #learnTime({ headers, ok }: Response, sent: ReturnType<typeof momentNow>): void {
    const received = momentNow();
    const exact = headers.get(TIME_HEADER);
    if (exact !== null) this.clock.learn(Number(exact), 0, sent, received);
    else if (headers.has("date")) this.clock.learn(Date.parse(headers.get("date")!), 1000, sent, received);
    // An error may be of a proxy.
    else if (ok && !this.clock.isKnown) this.clock.learn(Number.NaN, 0, sent, received);
  }
}

async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  let answer: unknown;
  try {
    answer = text === "" ? undefined : JSON.parse(text);
  } catch (cause) {
    const { status } = response;
    if (!response.ok) throw errorOf(status, undefined, retryAfterOf(response));
    throw new ClientError("the answer must be JSON", { fault: "answer", status, cause });
  }
  if (!response.ok) throw errorOf(response.status, answer, retryAfterOf(response));
  return answer;
}

/** Milliseconds, from seconds or a date. */
function retryAfterOf({ headers }: Response): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? 1000 * seconds : Date.parse(text) - Date.parse(headers.get("date") ?? "");
  return ms >= 0 ? ms : undefined;
}

/** @throws The reason of the signal. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}
