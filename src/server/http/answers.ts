import type { Context } from "hono";
import { readBytes } from "../../logs/index.js";
import { bodyOf, HttpError } from "../body.js";
import type { Desk, Handlers } from "./desk.js";

/** Answers that are remembered by their idempotency key. */
const ANSWERS = 4096;
/** Longest of them, in characters. */
const ANSWER_MAX = 16_384;

interface Answer {
  status: number;
  text: string;
}

/**
 * Names for what a request with an idempotency key says, the same over restarts, when answers are no longer remembered: what
 * has no id of its own is logged under one of them.
 */
export interface Lasting {
  /** Of the key. */
  readonly key: string;
  /** Of the key and all of the request. */
  readonly request: string;
}

/** A request with an idempotency key is answered once: the same again gets the same answer. */
export class OnceAnswered {
  readonly #desk: Desk;
  readonly #answers = new Map<string, { digest: string; answer: Promise<Answer> }>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async of(request: Request, run: (request: Request, names?: Lasting) => Promise<Response>): Promise<Response> {
    const key = request.headers.get("idempotency-key");
    if (key === null) return run(request);
    if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
      throw new HttpError(400, '"idempotency-key" must be 1 to 200 visible characters');
    }
    const body = await readBytes(bodyOf(request, this.#desk.options));
    const digest = fingerprint(request, await sha256(body));
    const own = `${request.headers.get("authorization") ?? ""} ${key}`;
    const known = this.#answers.get(own);
    if (known !== undefined && known.digest !== digest) {
      throw new HttpError(422, "another body came with this idempotency key");
    }
    const headers = { "content-type": request.headers.get("content-type") ?? "" };
    const again = () => new Request(request.url, { method: request.method, headers, body: body as BodyInit });
    const names = async () => ({ key: await nameOf(own), request: await nameOf(`${own} ${digest}`) });
    const { status, text } = await (known?.answer ??
      this.#once(
        own,
        digest,
        names().then((of) => run(again(), of)),
      ));
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
}

/** The same handlers, but that a request with an idempotency key is answered once; those that change nothing are none. */
export function answeredOnce(desk: Desk, handlers: Handlers): Handlers {
  const once = new OnceAnswered(desk);
  const wrapped = Object.entries(handlers).map(([name, handler]): [string, Handlers[string]] => [
    name,
    (context) => {
      if (context.req.method === "GET" || context.req.method === "HEAD") return handler(context);
      return once.of(context.req.raw, async (request, names) => {
        context.req.raw = request;
        context.set(LASTING, names);
        return handler(context);
      });
    },
  ]);
  return Object.fromEntries(wrapped);
}

/** The names for a request with an idempotency key; undefined without one. */
export function lastingOf(context: Context): Lasting | undefined {
  return context.get(LASTING) as Lasting | undefined;
}

const LASTING = "lasting";

/** A server may have several addresses, and another port after a restart: the path counts. */
function fingerprint({ method, url, headers }: Request, digest: string): string {
  const { pathname, search } = new URL(url);
  return `${method} ${pathname}${search} ${headers.get("content-type")} ${digest}`;
}

/** In hexadecimal: no key, and no token, stands in a log. */
async function nameOf(text: string): Promise<string> {
  return `key-${(await sha256(new TextEncoder().encode(text))).slice(0, 40)}`;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
