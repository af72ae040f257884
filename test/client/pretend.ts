import { type ClientOptions, type EventFault, LiveQClient } from "../../src/client/index.js";
import type { LiveEvent } from "../../src/protocol/index.js";

/** What becomes of a request: answered, or lost on its way there or back, or answered with another status. */
export type Fate = "ok" | "lost" | "unanswered" | { status: number; headers?: Record<string, string>; body?: unknown };

/** A request as it arrived. */
export interface Arrived {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  keepalive: boolean;
}

/** A server that only counts: each event once by its id, each key once. */
export class PretendServer {
  /** Of the next requests; then all are answered. */
  fates: Fate[] = [];
  readonly arrived: Arrived[] = [];
  readonly taken: LiveEvent[] = [];
  /** What it says of an event beside taking it. */
  judge: (event: LiveEvent) => EventFault["answer"] | undefined = () => undefined;
  /** Its clock minus the host's; undefined: its answers say no time. */
  aheadMs: number | undefined = 0;
  /** Milliseconds to an answer. */
  latencyMs = 0;
  readonly #ids = new Map<string, string>();
  readonly #keys = new Map<string, { body: string; answer: unknown }>();

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { pathname: path } = new URL(String(input));
    const headers = init.headers as Record<string, string>;
    const text = (init.body as string | undefined) ?? "";
    const body = text === "" ? undefined : JSON.parse(text);
    const { method = "GET", keepalive = false, signal } = init;
    const fate = this.fates.shift() ?? "ok";
    await wait(this.latencyMs / 2, signal);
    if (fate === "lost") throw new TypeError("fetch failed");
    this.arrived.push({ method, path, headers, body, keepalive });
    if (typeof fate === "object") {
      const given: Record<string, string> = fate.body === undefined ? {} : { "content-type": "application/json" };
      const content = typeof fate.body === "string" ? fate.body : JSON.stringify(fate.body ?? {});
      return new Response(content, { status: fate.status, headers: { ...given, ...fate.headers } });
    }
    const answer = this.#answer(path, headers["idempotency-key"], text, body);
    if (fate === "unanswered") throw new TypeError("fetch failed");
    const now = this.aheadMs === undefined ? undefined : String(Date.now() + this.aheadMs);
    await wait(this.latencyMs / 2, signal);
    return new Response(JSON.stringify(answer), { headers: now === undefined ? {} : { "liveq-now": now } });
  };

  client(options: Partial<ClientOptions> = {}): LiveQClient {
    return new LiveQClient({ url: "http://server/base/", fetch: this.fetch as typeof fetch, ...options });
  }

  #answer(path: string, key: string | undefined, text: string, body: unknown): unknown {
    if (!path.endsWith("/v1/events")) return { answer: "taken" };
    const known = key === undefined ? undefined : this.#keys.get(key);
    if (known !== undefined) {
      if (known.body !== text) throw new Error("another body came under this key");
      return known.answer;
    }
    const faults: EventFault[] = [];
    let accepted = 0;
    for (const [index, event] of (body as LiveEvent[]).entries()) {
      const content = JSON.stringify(event);
      const before = this.#ids.get(event.id!);
      const fault = before === undefined ? this.judge(event) : before === content ? "duplicate" : "conflict";
      if (fault !== undefined) faults.push({ index, answer: fault, field: "id", message: fault });
      else {
        accepted++;
        this.taken.push(event);
      }
      this.#ids.set(event.id!, content);
    }
    const of = (answer: string) => faults.filter((fault) => fault.answer === answer).length;
    const rejected = of("invalid") + of("conflict");
    const answer = { accepted, duplicates: of("duplicate"), late: of("late"), rejected, faults };
    if (key !== undefined) this.#keys.set(key, { body: text, answer });
    return answer;
  }
}

function wait(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException("aborted", "AbortError"));
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    if (ms > 0) setTimeout(resolve, ms);
    else resolve();
  });
}

/** A storage in memory. */
export class MemoryStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
  keys = () => [...this.items.keys()];
}
