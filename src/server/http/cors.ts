import { mustBe } from "../../check/index.js";

/** The server's time in each answer, milliseconds: clients date events by it. */
export const TIME_HEADER = "liveq-now";
const METHODS = "GET, POST, PUT, PATCH, DELETE";
const HEADERS = "authorization, content-type, content-encoding, idempotency-key";
const EXPOSED = `${TIME_HEADER}, retry-after, date`;
/** Seconds for which a browser need not ask again; none remembers longer. */
const MAX_AGE = "86400";

/** Whether a text is an origin as browsers write it, such as `https://live.example`. */
function isOrigin(text: unknown): boolean {
  try {
    return text === "*" || new URL(text as string).origin === text;
  } catch {
    return false;
  }
}

/** Says which pages of other origins may read answers, and the time. */
export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;
  readonly #now: () => number;

  /**
   * @param origins - Origins of pages; `*` for all.
   * @param hasTokens - Whether calls need a token: without, all pages must not do all.
   * @throws RangeError for what is no origin, and for `*` without tokens.
   */
  constructor(origins: readonly string[], hasTokens: boolean, now: () => number) {
    if (!Array.isArray(origins)) throw mustBe("origins", "an array of origins", origins);
    const wrong = origins.findIndex((origin) => !isOrigin(origin));
    if (wrong >= 0) {
      throw mustBe(`origins.${wrong}`, 'an origin such as "https://live.example", or "*"', origins[wrong]);
    }
    if (origins.includes("*") && !hasTokens) {
      throw new RangeError('"origins" must be without "*" where no tokens are given: every page could do all');
    }
    this.#origins = new Set(origins);
    this.#now = now;
  }

  /** Answers a request, or asks what answers it. */
  async answer(request: Request, run: () => Promise<Response>): Promise<Response> {
    const origin = request.headers.get("origin");
    const isAllowed = origin !== null && (this.#origins.has(origin) || this.#origins.has("*"));
    const isPreflight = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
    const response = isAllowed && isPreflight ? preflight() : await run();
    response.headers.set(TIME_HEADER, String(this.#now()));
    if (this.#origins.size > 0) response.headers.append("vary", "origin");
    if (!isAllowed) return response;
    response.headers.set("access-control-allow-origin", origin);
    response.headers.set("access-control-expose-headers", EXPOSED);
    return response;
  }
}

function preflight(): Response {
  const headers = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": HEADERS,
    "access-control-max-age": MAX_AGE,
  };
  return new Response(null, { status: 204, headers });
}
