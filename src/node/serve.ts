import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { checked, integer, type Rules } from "../check/index.js";
import {
  LISTENER_DEFAULTS,
  LISTENER_RULES,
  type ListenerOptions,
  type RequestHandler,
  requestListener,
} from "./listener.js";

/** Limits of a server beside those of its requests. */
export interface ServeOptions extends ListenerOptions {
  /** The port to listen on, [0, 65535]; 0 takes a free one. Default 8787. */
  port?: number;
  /** The address to listen on. Default: this machine alone, `127.0.0.1`. */
  hostname?: string;
  /** Maximum number of connections; more are closed at once. Default 10 000. */
  maxConnections?: number;
  /** Maximum size of a request's headers in bytes; beyond, the answer is 431. Default 8 KiB. */
  maxHeaderBytes?: number;
  /** Milliseconds until the headers of a request have arrived; beyond, the answer is 408. Default 5000. */
  headersTimeoutMs?: number;
  /** Milliseconds until an idle connection between two requests is closed. Default 5000, as in Node. */
  keepAliveMs?: number;
  /** Milliseconds without a byte in either direction until a connection is closed. Default 60 000. */
  idleTimeoutMs?: number;
}

const MS = integer(1, 2 ** 31 - 1);
const RULES: Rules<ServeOptions> = {
  ...LISTENER_RULES,
  port: integer(0, 65535),
  hostname: [(value) => typeof value === "string" && value !== "", "an address"],
  maxConnections: integer(1, 1_000_000),
  maxHeaderBytes: integer(256, 2 ** 20),
  headersTimeoutMs: MS,
  keepAliveMs: MS,
  idleTimeoutMs: MS,
};
const DEFAULTS: Required<ServeOptions> = {
  ...LISTENER_DEFAULTS,
  port: 8787,
  hostname: "127.0.0.1",
  maxConnections: 10_000,
  maxHeaderBytes: 8192,
  headersTimeoutMs: 5000,
  keepAliveMs: 5000,
  idleTimeoutMs: 60_000,
};
/** Requests of one connection; the next one needs another, so that no client stays for ever. */
const REQUESTS_MAX = 100_000;
/** Milliseconds between two looks at the time-outs at most. */
const LOOK_MS = 1000;
/** Milliseconds that `stop` waits for requests. */
const GRACE_MS = 10_000;

/** A server that listens. */
export interface Serving {
  readonly port: number;
  /** Such as `http://127.0.0.1:8787`. */
  readonly url: string;
  /** The `Server` of `node:http`; an object here, so that projects without the types of Node compile. */
  readonly server: object;
  /**
   * Takes no more connections, closes idle ones, and waits for the requests that have begun, whose answers end their
   * connections; then closes all that is left. May be called again.
   *
   * @param graceMs - Milliseconds to wait. Default 10 000.
   */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Serves a handler on Web APIs with `node:http`, with limits and time-outs for all that a client can do.
 *
 * ```ts
 * const serving = await serve(ingest({ sink }), { port: 8787 });
 * process.once("SIGTERM", () => serving.stop());
 * ```
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value; Error of the system, such as for a used port.
 */
export async function serve(handler: RequestHandler, options: ServeOptions = {}): Promise<Serving> {
  const resolved = checked<ServeOptions>(options, RULES, DEFAULTS) as Required<ServeOptions>;
  const { maxBytes, maxRequests, bodyTimeoutMs, answerTimeoutMs, onError } = resolved;
  const listener = requestListener(handler, { maxBytes, maxRequests, bodyTimeoutMs, answerTimeoutMs, onError });
  const server = serverOf(resolved);
  let isStopping = false;
  const answers = new Set<ServerResponse>();
  server.on("request", (request, response) => {
    if (isStopping) response.setHeader("connection", "close");
    answers.add(response);
    response.on("close", () => answers.delete(response));
    listener(request, response);
  });
  server.on("connect", (_, socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    setTimeout(() => socket.destroy(), LOOK_MS).unref();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(resolved.port, resolved.hostname, () => {
      server.off("error", reject);
      server.on("error", (error) => onError(error));
      resolve();
    });
  });
  const { port, address, family } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    port,
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    server,
    stop(graceMs = GRACE_MS) {
      isStopping = true;
      for (const answer of answers) if (!answer.headersSent) answer.setHeader("connection", "close");
      stopped ??= stop(server, graceMs);
      return stopped;
    },
  };
}

function serverOf(options: Required<ServeOptions>): Server {
  const { headersTimeoutMs, bodyTimeoutMs, keepAliveMs, idleTimeoutMs } = options;
  const server = createServer({
    maxHeaderSize: options.maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    // The listener answers before; this is for a request that no listener reads.
    requestTimeout: headersTimeoutMs + 2 * bodyTimeoutMs,
    connectionsCheckingInterval: Math.max(1, Math.min(LOOK_MS, headersTimeoutMs >> 1)),
    keepAliveTimeout: keepAliveMs,
    insecureHTTPParser: false,
  });
  server.maxConnections = options.maxConnections;
  server.maxRequestsPerSocket = REQUESTS_MAX;
  server.setTimeout(idleTimeoutMs);
  // A client that ends its side after its requests still waits for their answers.
  return Object.assign(server, { httpAllowHalfOpen: true });
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Connections become idle as their answers end: not all clients obey "close".
  const look = setInterval(() => server.closeIdleConnections(), 20);
  const end = setTimeout(() => server.closeAllConnections(), graceMs);
  server.closeIdleConnections();
  await closed;
  clearInterval(look);
  clearTimeout(end);
}
