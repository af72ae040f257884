import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";

/** Headers that belong to the connection, which is the server's. */
const OWN = ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"];
/** Milliseconds in which the rest of a refused body is read, so that its sender reads the answer before the end. */
const LINGER_MS = 500;

/**
 * Sends a response as its body comes, at the client's pace. Rejects only before its first byte.
 * @param begin - Called right before that.
 */
export async function sendResponse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  response: Response,
  begin: () => void,
): Promise<void> {
  if (outgoing.destroyed || outgoing.headersSent) {
    await response.body?.cancel().catch(() => {});
    return;
  }
  const isBodiless = incoming.method === "HEAD" || [204, 205, 304].includes(response.status);
  const reader = response.body?.getReader();
  // An error before the first byte is still a 500.
  const first = isBodiless ? undefined : await reader?.read();
  requireBytes(first?.value);
  const next = first === undefined || first.done ? undefined : reader!.read();
  // Of a stream that pauses here, the first piece goes out at once.
  const second = next && (await Promise.race([next, setImmediate(undefined)]));
  if (isBodiless) await reader?.cancel().catch(() => {});
  if (outgoing.destroyed || outgoing.headersSent) {
    await reader?.cancel().catch(() => {});
    return;
  }
  begin();
  writeHead(outgoing, response, isBodiless);
  // A body of one piece needs no chunks.
  if (second?.done) outgoing.setHeader("content-length", first!.value!.byteLength);
  if (first === undefined || first.done) {
    if (!isBodiless) outgoing.setHeader("content-length", 0);
    end(incoming, outgoing);
    return;
  }
  if (second?.done) {
    end(incoming, outgoing, first.value);
    return;
  }
  closeEarly(incoming, outgoing);
  await stream(incoming, outgoing, [first, next!], reader!);
}

function requireBytes(piece: unknown): void {
  if (piece === undefined || piece instanceof Uint8Array) return;
  throw new TypeError(`the body of a Response must be bytes, got ${typeof piece}`);
}

type Piece = ReadableStreamReadResult<Uint8Array>;

/** Sends the pieces read so far and the rest. A body that fails midway ends the connection: its client must not take it as whole. */
async function stream(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  head: (Piece | Promise<Piece>)[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<void> {
  const stop = new AbortController();
  const gone = () => {
    stop.abort();
    void reader.cancel().catch(() => {});
  };
  outgoing.once("close", gone);
  try {
    while (!outgoing.destroyed) {
      if (outgoing.writableNeedDrain) await once(outgoing, "drain", { signal: stop.signal });
      const { done, value } = await (head.shift() ?? reader.read());
      if (done) break;
      requireBytes(value);
      outgoing.write(value);
    }
    end(incoming, outgoing);
  } catch {
    gone();
    outgoing.destroy();
  } finally {
    outgoing.off("close", gone);
  }
}

function writeHead(outgoing: ServerResponse, { status, headers }: Response, isBodiless: boolean): void {
  outgoing.statusCode = status;
  for (const [name, value] of headers) {
    const isLength = name === "content-length" && isBodiless;
    if ((!OWN.includes(name) || isLength) && name !== "set-cookie") outgoing.setHeader(name, value);
  }
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
}

/** Sends a short answer; does nothing once another one has begun. */
export function sendText(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  if (outgoing.destroyed) return;
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.statusCode = status;
  for (const name of outgoing.getHeaderNames()) if (name !== "connection") outgoing.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
  const bytes = Buffer.from(text);
  outgoing.setHeader("content-length", bytes.length);
  end(incoming, outgoing, incoming.method === "HEAD" ? undefined : bytes);
}

/** Ends an answer. One to a request whose body has not arrived ends its connection: the client may only stop sending now. */
function end(incoming: IncomingMessage, outgoing: ServerResponse, bytes?: Uint8Array): void {
  closeEarly(incoming, outgoing);
  if (incoming.complete || incoming.destroyed) {
    outgoing.end(bytes);
    return;
  }
  // Node closes at the end of the answer, and what is unread by then would take the answer with it.
  if (bytes === undefined) outgoing.flushHeaders();
  else outgoing.write(bytes);
  const finish = () => {
    clearTimeout(timer);
    outgoing.end();
  };
  const timer = setTimeout(finish, LINGER_MS).unref();
  incoming.removeAllListeners("data").once("end", finish).once("close", finish).resume();
}

function closeEarly(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (!incoming.complete && !outgoing.headersSent) outgoing.setHeader("connection", "close");
}
