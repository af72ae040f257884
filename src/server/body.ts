/** A request that the server rejects with this status. */
export class HttpError extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 429 | 503 | 507,
    message: string,
    readonly headers: Record<string, string> = {},
    /** Path of the wrong field; empty when the request as a whole is wrong. */
    readonly field = "",
  ) {
    super(message);
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** The media type of a request. @throws HttpError for a charset other than UTF-8. */
export function mediaType(request: Request): string {
  const [type = "", ...parameters] = (request.headers.get("content-type") ?? "").toLowerCase().split(";");
  const charset = parameters.map((parameter) => /^\s*charset="?([^"\s]+)/.exec(parameter)?.[1]).find(Boolean);
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
    throw new HttpError(415, `the charset must be utf-8, got ${charset.slice(0, 40)}`);
  }
  return type.trim();
}

/** Deepest nesting of a body in JSON: an array of events with arrays in objects needs 4. */
export const DEPTH = 8;

/** Whether JSON nests at most `DEPTH` deep: parsers take time and memory by depth. One pass over the bytes. */
export function isShallow(json: Uint8Array): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (isText) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEPTH) return false;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return true;
}

/** Limits of a body. */
interface BodyLimits {
  /** Maximum size in bytes, as sent and decompressed. Reading stops there. */
  maxBytes: number;
  /** How long it may take to arrive, milliseconds. */
  bodyTimeoutMs: number;
}

/**
 * The chunks of a request's body, decompressed if the content encoding is gzip.
 * @throws HttpError for another encoding, a larger or slower body, or a body that is cut off or damaged.
 */
export async function* bodyOf(
  request: Request,
  { maxBytes, bodyTimeoutMs }: BodyLimits,
): AsyncGenerator<Bytes, void, undefined> {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  // RFC 9110, 8.4.1.3.
  const isGzip = encoding === "gzip" || encoding === "x-gzip";
  if (encoding !== "identity" && !isGzip) {
    throw new HttpError(415, `the content encoding must be gzip or identity, got ${encoding.slice(0, 40)}`, {
      "accept-encoding": "gzip, identity",
    });
  }
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return;
  const sent = atMost(request.body as ReadableStream<Bytes>, maxBytes);
  if (encoding === "identity") {
    yield* pieces(sent, bodyTimeoutMs);
    return;
  }
  yield* pieces(atMost(sent.pipeThrough(new DecompressionStream("gzip")), maxBytes), bodyTimeoutMs);
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, `the body must have at most ${maxBytes} bytes`);
}

function atMost(stream: ReadableStream<Bytes>, maxBytes: number): ReadableStream<Bytes> {
  let bytes = 0;
  return stream.pipeThrough(
    new TransformStream<Bytes, Bytes>({
      transform(piece, controller) {
        bytes += piece.length;
        if (bytes > maxBytes) throw tooLarge(maxBytes);
        controller.enqueue(piece);
      },
    }),
  );
}

/** Reads by hand, as Safari's streams lack `for await`. */
async function* pieces(stream: ReadableStream<Bytes>, timeoutMs: number): AsyncGenerator<Bytes, void, undefined> {
  const reader = stream.getReader();
  let isDone = false;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) throw new HttpError(408, `the body must arrive within ${timeoutMs} ms`);
      isDone = done;
      if (done) return;
      yield value;
    }
  } catch (error) {
    isDone = true;
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "the body must be complete and match its content encoding");
  } finally {
    clearTimeout(timer);
    if (!isDone) await reader.cancel().catch(() => {});
  }
}
