import { type Context, Hono } from "hono";
import { HttpError } from "../body.js";
import { failure } from "../ingest.js";
import { type Scope, Tokens } from "./auth.js";
import { asHttp, type Desk, type Handler, type Handlers, RETRY } from "./desk.js";
import { type Metric, ServerMetrics } from "./metrics.js";
import { type CheckedAppOptions, checkedApp, type EdgeAppOptions } from "./options.js";
import { connectionRoutes } from "./routes/connections.js";
import { eventRoutes } from "./routes/events.js";
import { figuresOf } from "./routes/figures.js";
import { modelRoutes } from "./routes/models.js";
import { operationRoutes } from "./routes/operation.js";
import { slateRoutes } from "./routes/slates.js";
import { streamRoutes } from "./routes/streams.js";
import { userRoutes } from "./routes/users.js";
import { ROUTES, type Route } from "./table.js";

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
  const server = new EdgeServer(checkedApp(options));
  return { fetch: (request) => server.fetch(request), drain: () => server.drain() };
}

/** Finds the route of a request, lets nobody past who may not, counts, and turns what goes wrong into a status. */
class EdgeServer implements Desk {
  readonly options: CheckedAppOptions;
  readonly metrics = new ServerMetrics();
  isDraining = false;
  inHand = 0;
  readonly #tokens: Tokens;
  readonly #app = new Hono();

  constructor(options: CheckedAppOptions) {
    this.options = options;
    this.#tokens = new Tokens(options.tokens);
    const handlers: Handlers = {
      ...slateRoutes(this),
      ...eventRoutes(this),
      ...streamRoutes(this),
      ...userRoutes(this),
      ...modelRoutes(this),
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

  async fetch(request: Request): Promise<Response> {
    if (this.inHand >= this.options.maxRequests) {
      return failure(new HttpError(503, "too many requests wait: try again later", RETRY));
    }
    this.inHand++;
    try {
      return await this.#app.fetch(request);
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
    const { now } = this.options;
    const from = now();
    const response = await this.#answer(route, handler, context).catch((error: unknown) => failure(asHttp(error)));
    this.metrics.answered(route.path, response.status, (now() - from) / 1000);
    return response;
  }

  async #answer(route: Route, handler: Handler, context: Context): Promise<Response> {
    await this.#admit(route, context);
    return handler(context);
  }

  /** Lets a request to its handler, or throws why not: the one place for whatever may send it away. @throws HttpError. */
  async #admit({ scope }: Route, context: Context): Promise<void> {
    if (scope !== undefined) await this.#require(scope, context);
  }

  async #require(scope: Scope, context: Context): Promise<void> {
    const status = await this.#tokens.check(context.req.header("authorization"), scope);
    if (status === 401) {
      throw new HttpError(401, "a token is needed: authorization: Bearer ...", { "www-authenticate": "Bearer" });
    }
    if (status === 403) throw new HttpError(403, `the token must have the scope "${scope}"`);
  }
}
