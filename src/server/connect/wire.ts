import type { PlatformRequest } from "../../logs/index.js";

/** How to ask a platform. */
export interface WireOptions {
  /** The host's time, milliseconds since the Unix epoch. */
  now: () => number;
  /** Ends what is under way. */
  signal: AbortSignal;
  /** The headers of a request; `isRefused`: those of before were answered with 401. Default none. */
  headers?: (isRefused: boolean) => Promise<Record<string, string>>;
  /** How long an answer may take, milliseconds. Default 10 000. */
  timeoutMs?: number;
  /** Maximum size of an answer in bytes. Default 4 MiB. */
  maxBytes?: number;
  /** Default the host's. */
  fetch?: typeof fetch;
}

/** Most redirects of a request, all to the same host. */
const REDIRECTS = 3;
/** Answers that are remembered by their ETag. */
const TAGGED = 64;
/** The longest that a platform may ask to wait. */
const WAIT_MS = 3_600_000;

/** A request to a platform. */
export interface WireRequest extends Omit<PlatformRequest, "method"> {
  method: PlatformRequest["method"] | "DELETE";
}

/** A request without an answer. Its message names the address without its query. */
export class WireError extends Error {}

/**
 * Asks a platform over HTTP: bounded in time, bytes and redirects, never another host than it was told. It asks nothing
 * while the platform wants it to wait, and remembers answers that have an ETag.
 */
export class Wire {
  readonly #options: Required<WireOptions>;
  readonly #tagged = new Map<string, { tag: string; answer: unknown }>();
  #waitUntil = 0;

  constructor(options: WireOptions) {
    const defaults = { headers: async () => ({}), timeoutMs: 10_000, maxBytes: 2 ** 22 };
    this.#options = { ...defaults, fetch: (...asked) => fetch(...asked), ...options };
  }

  /** Until when the platform wants no request, milliseconds. */
  get waitUntil(): number {
    return this.#waitUntil;
  }

  /**
   * The parsed JSON of an answer; undefined for one of another status than 200.
   *
   * @param statuses Those that are no errors.
   * @throws WireError.
   */
  async ask(request: WireRequest, statuses: readonly number[] = [200]): Promise<unknown> {
    const { now } = this.#options;
    const name = nameOf(request.url);
    if (now() < this.#waitUntil) throw new WireError(`${name} wants no request before ${timeOf(this.#waitUntil)}`);
    for (const isRefused of [false, true]) {
      const answer = await this.#once(request, name, { isRefused, statuses });
      if (answer !== REFUSED) return answer;
    }
    throw new WireError(`${name} answered 401: the token is not right`);
  }

  async #once(
    request: WireRequest,
    name: string,
    how: { isRefused: boolean; statuses: readonly number[] },
  ): Promise<unknown> {
    const { timeoutMs, signal } = this.#options;
    const abort = new AbortController();
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      abort.abort();
    }, timeoutMs);
    const stop = () => abort.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      return await this.#answer(request, name, { ...how, signal: abort.signal });
    } catch (error) {
      if (error instanceof WireError) throw error;
      if (isLate) throw new WireError(`${name} did not answer within ${timeoutMs} ms`);
      throw new WireError(`${name} cannot be reached: ${reasonOf(error)}`);
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
    }
  }

  async #answer(
    { method, url, body }: WireRequest,
    name: string,
    { isRefused, statuses, signal }: { isRefused: boolean; statuses: readonly number[]; signal: AbortSignal },
  ): Promise<unknown> {
    const known = method === "GET" ? this.#tagged.get(url) : undefined;
    const headers: Record<string, string> = { accept: "application/json", ...(await this.#options.headers(isRefused)) };
    if (known !== undefined) headers["if-none-match"] = known.tag;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init: RequestInit = { method, headers, signal, redirect: "manual" };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await this.#redirected(url, init);
    this.#heed(response);
    if (response.status === 304 && known !== undefined) return known.answer;
    if (response.status !== 200) {
      await response.body?.cancel().catch(() => {});
      if (response.status === 401) return REFUSED;
      if (statuses.includes(response.status)) return undefined;
      throw new WireError(`${name} answered ${response.status}`);
    }
    const answer = parsed(await this.#bytes(response, name), name);
    const tag = response.headers.get("etag");
    if (method === "GET" && tag !== null && tag.length <= 256) this.#remember(url, tag, answer);
    return answer;
  }

  /** The answer at the end of redirects within the host. */
  async #redirected(url: string, init: RequestInit): Promise<Response> {
    let at = new URL(url);
    for (let i = 0; i <= REDIRECTS; i++) {
      const response = await this.#options.fetch(at.href, init);
      const location = response.headers.get("location");
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
      await response.body?.cancel().catch(() => {});
      const to = URL.canParse(location, at.href) ? new URL(location, at.href) : undefined;
      const isUpgrade = to?.protocol === "https:" && to.hostname === at.hostname && to.port === "" && at.port === "";
      if (to === undefined || (to.origin !== at.origin && !isUpgrade)) {
        throw new WireError(`${nameOf(at.href)} redirects to another host: give the address of that one`);
      }
      at = to;
    }
    throw new WireError(`${nameOf(url)} redirects more than ${REDIRECTS} times`);
  }

  /** Notes how long the platform wants to be left alone. */
  #heed({ status, headers }: Response): void {
    const now = this.#options.now();
    const until = (at: number) => {
      if (at > now) this.#waitUntil = Math.max(this.#waitUntil, Math.min(at, now + WAIT_MS));
    };
    const after = headers.get("retry-after");
    if (after !== null && (status === 429 || status === 503)) {
      until(/^\d{1,9}$/.test(after) ? now + 1000 * Number(after) : Date.parse(after));
    }
    const reset = headers.get("ratelimit-reset") ?? "";
    if (!/^\d{1,12}$/.test(reset) || !(headers.get("ratelimit-remaining") === "0" || status === 429)) return;
    // Seconds since the epoch at Twitch, seconds from now in others.
    until(Number(reset) > 1e9 ? 1000 * Number(reset) : now + 1000 * Number(reset));
  }

  async #bytes(response: Response, name: string): Promise<Uint8Array> {
    const { maxBytes } = this.#options;
    const reader = response.body?.getReader();
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done || value === undefined) break;
      size += value.length;
      if (size > maxBytes) {
        await reader!.cancel().catch(() => {});
        throw new WireError(`${name} answered with more than ${maxBytes} bytes`);
      }
      pieces.push(value);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #remember(url: string, tag: string, answer: unknown): void {
    this.#tagged.delete(url);
    this.#tagged.set(url, { tag, answer });
    if (this.#tagged.size > TAGGED) this.#tagged.delete(this.#tagged.keys().next().value!);
  }
}

const REFUSED = Symbol("refused");

function nameOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** The code of a system's error, such as ECONNREFUSED. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : message.slice(0, 200);
}

function parsed(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new WireError(`${name} answered with what is no JSON`);
  }
}
