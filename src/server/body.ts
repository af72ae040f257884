/** A request that the server rejects with this status. */
export class HttpError extends Error {
  constructor(
    readonly status: 400 | 405 | 413 | 415 | 503,
    message: string,
    readonly headers: Record<string, string> = {},
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

/**
 * The chunks of a request's body, decompressed if the content encoding is gzip.
 *
 * @param maxBytes - Maximum size in bytes, as sent and decompressed. Reading stops there.
 * @throws HttpError for another encoding, a larger body, or a body that is cut off or damaged.
 */
export async function* bodyOf(request: Request, maxBytes: number): AsyncGenerator<Bytes, void, undefined> {
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
    yield* pieces(sent);
    return;
  }
  yield* pieces(atMost(sent.pipeThrough(new DecompressionStream("gzip")), maxBytes));
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
async function* pieces(stream: ReadableStream<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isDone = done;
      if (done) return;
      yield value;
    }
  } catch (error) {
    isDone = true;
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "the body must be complete and match its content encoding");
  } finally {
    if (!isDone) await reader.cancel().catch(() => {});
  }
}
