import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";
import { checked, integer, optional, type Rules } from "../check/index.js";
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
  /**
   * The descriptor of a socket that listens, or is bound, in place of port and address: of a supervisor that keeps it, so that
   * connections wait while one process follows another. Default: none.
   */
  fd?: number | undefined;
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
  fd: optional(integer(0, 1_000_000)),
  maxConnections: integer(1, 1_000_000),
  maxHeaderBytes: integer(256, 2 ** 20),
  headersTimeoutMs: MS,
  keepAliveMs: MS,
  idleTimeoutMs: MS,
};
const DEFAULTS: Required<Omit<ServeOptions, "fd">> = {
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
   * @param lingerMs - Milliseconds for which idle connections stay: whose client sends just now gets its answer, with which
   *   the connection ends, and not the end alone. Default 0.
   */
  stop(graceMs?: number, lingerMs?: number): Promise<void>;
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
  const { maxBytes, maxRequests, maxTurnMs, urgentPaths, bodyTimeoutMs, answerTimeoutMs, onError } = resolved;
  const limits = { maxBytes, maxRequests, maxTurnMs, urgentPaths, bodyTimeoutMs, answerTimeoutMs };
  const listener = requestListener(handler, { ...limits, onError });
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
    const { port, hostname: host, fd } = resolved;
    server.listen(fd === undefined ? { port, host } : { fd }, () => {
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
    stop(graceMs = GRACE_MS, lingerMs = 0) {
      isStopping = true;
      for (const answer of answers) if (!answer.headersSent) answer.setHeader("connection", "close");
      stopped ??= stop(server, graceMs, lingerMs);
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

async function stop(server: Server, graceMs: number, lingerMs: number): Promise<void> {
  // Not that of the HTTP server, which closes idle connections at once.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  let look: NodeJS.Timeout | undefined;
  const part = () => {
    server.closeIdleConnections();
    // Connections become idle as their answers end: not all clients obey "close".
    look = setInterval(() => server.closeIdleConnections(), 20);
  };
  const linger = lingerMs > 0 ? setTimeout(part, Math.min(lingerMs, graceMs)) : undefined;
  if (linger === undefined) part();
  const end = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(linger);
  clearInterval(look);
  clearTimeout(end);
  // The rest of what the HTTP server does when it closes: its watch over time-outs ends.
  server.close(() => {});
}
