import { type Context, Hono } from "hono";
import { HttpError } from "../body.js";
import { failure } from "../ingest.js";
import { answeredOnce } from "./answers.js";
import { type Scope, Tokens } from "./auth.js";
import { CrossOrigin } from "./cors.js";
import { asHttp, type Desk, type Handler, type Handlers, RETRY } from "./desk.js";
import { clientOf, RateLimits } from "./limits.js";
import { type Metric, ServerMetrics } from "./metrics.js";
import { type CheckedAppOptions, checkedApp, type EdgeAppOptions } from "./options.js";
import { connectionRoutes } from "./routes/connections.js";
import { eventRoutes } from "./routes/events.js";
import { experimentRoutes } from "./routes/experiment.js";
import { figuresOf } from "./routes/figures.js";
import { modelRoutes } from "./routes/models.js";
import { operationRoutes } from "./routes/operation.js";
import { rankRoutes } from "./routes/rank.js";
import { slateRoutes } from "./routes/slates.js";
import { streamRoutes } from "./routes/streams.js";
import { userRoutes } from "./routes/users.js";
import { watchRoutes } from "./routes/watch.js";
import { ROUTES, type Route } from "./table.js";

/** Who asks, as far as a host knows. */
export interface EdgeClient {
  /** Such as `203.0.113.7`. */
  readonly address?: string | undefined;
}

/** What is known of a request on its way. */
interface Underway {
  client: string;
  route: string;
}

/** Routes that are answered to whoever asks, however often: balancers and supervisors do. */
const ALWAYS = ["/live", "/ready"];

/** A server of one edge: what a host mounts. */
export interface EdgeApp {
  /** Answers a request; a host that knows the address of its client says so, for `limits`. */
  fetch(request: Request, client?: EdgeClient): Promise<Response>;
  /** From now on `/ready` says no, so that no new requests are sent here. */
  drain(): void;
}

/**
 * Answers requests for slates, events, streams, users and models over HTTP: `openapi.json` describes them.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function edgeApp(options: EdgeAppOptions): EdgeApp {
  const server = new EdgeServer(checkedApp(options));
  return { fetch: (request, client) => server.fetch(request, client), drain: () => server.drain() };
}

/** Finds the route of a request, lets nobody past who may not, counts, and turns what goes wrong into a status. */
class EdgeServer implements Desk {
  readonly options: CheckedAppOptions;
  readonly metrics = new ServerMetrics();
  isDraining = false;
  inHand = 0;
  readonly #tokens: Tokens;
  readonly #origins: CrossOrigin;
  readonly #limits: RateLimits;
  readonly #app = new Hono();

  constructor(options: CheckedAppOptions) {
    this.options = options;
    this.#tokens = new Tokens(options.tokens);
    this.#origins = new CrossOrigin(options.origins, options.tokens !== undefined, options.now);
    this.#limits = new RateLimits(options.limits);
    const handlers: Handlers = {
      ...answeredOnce(this, slateRoutes(this)),
      ...eventRoutes(this),
      ...answeredOnce(this, streamRoutes(this)),
      ...userRoutes(this),
      ...answeredOnce(this, modelRoutes(this)),
      ...answeredOnce(this, rankRoutes(this)),
      ...answeredOnce(this, experimentRoutes(this)),
      ...watchRoutes(this),
      ...operationRoutes(this),
      ...connectionRoutes(this),
    };
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

  fetch(request: Request, client: EdgeClient = {}): Promise<Response> {
    return this.#origins.answer(request, () => this.#taken(request, client));
  }

  async #taken(request: Request, client: EdgeClient): Promise<Response> {
    if (this.inHand >= this.options.maxRequests) {
      this.metrics.sentAway("busy");
      return failure(new HttpError(503, "too many requests wait: try again later", RETRY));
    }
    this.inHand++;
    const { onAnswer } = this.options;
    const from = performance.now();
    const underway: Underway = { client: clientOf(client.address), route: "" };
    try {
      const response = await this.#app.fetch(request, underway);
      const id = idOf(request);
      response.headers.set("x-request-id", id);
      const { method } = request;
      onAnswer?.({ id, method, route: underway.route, status: response.status, ms: performance.now() - from });
      return response;
    } finally {
      this.inHand--;
    }
  }

  drain(): void {
    this.isDraining = true;
  }

  figures(): Metric[] {
    return figuresOf(this);
  }

  async #run(route: Route, handler: Handler, context: Context): Promise<Response> {
    const from = performance.now();
    (context.env as Underway).route = route.path;
    const response = await this.#answer(route, handler, context).catch((error: unknown) => failure(asHttp(error)));
    this.metrics.answered(route.path, response.status, (performance.now() - from) / 1000);
    return response;
  }

  async #answer(route: Route, handler: Handler, context: Context): Promise<Response> {
    await this.#admit(route, context);
    return handler(context);
  }

  /** Lets a request to its handler, or throws why not: the one place for whatever may send it away. @throws HttpError. */
  async #admit({ scope, path }: Route, context: Context): Promise<void> {
    if (!ALWAYS.includes(path)) this.#limit(context);
    if (scope !== undefined) await this.#require(scope, context);
  }

  /** By the token, if it was shown before and is known; else by the address, so that guessing tokens costs its own rate. */
  #limit({ req, env }: Context): void {
    const client = this.#tokens.known(req.header("authorization")) ?? `at ${(env as Underway).client}`;
    const wait = this.#limits.take(client, this.options.now());
    if (wait === 0) return;
    this.metrics.sentAway("rate");
    throw new HttpError(429, "too many requests of this client: try again later", { "retry-after": String(wait) });
  }

  async #require(scope: Scope, context: Context): Promise<void> {
    const status = await this.#tokens.check(context.req.header("authorization"), scope);
    if (status === 401) {
      throw new HttpError(401, "a token is needed: authorization: Bearer ...", { "www-authenticate": "Bearer" });
    }
    if (status === 403) throw new HttpError(403, `the token must have the scope "${scope}"`);
  }
}

/** Longest name of a request that a client may choose. */
const ID = /^[\x21-\x7e]{1,64}$/;

function idOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && ID.test(given) ? given : crypto.randomUUID();
}
