import { show } from "../../check/index.js";

/** Pieces of bytes or of text, cut anywhere: a Node stream, a web stream, a list. */
type Pieces =
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | { getReader(): PieceReader; cancel?(): Promise<void> };

interface PieceReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | string | undefined }>;
  cancel?(): Promise<void>;
}

/** The input of readers: bytes or text, whole or in pieces. */
export type ByteSource = Uint8Array | string | Pieces;

/** The pieces of a source. @throws TypeError for what is no source. */
export async function* piecesOf(source: ByteSource): AsyncGenerator<Uint8Array | string, void, undefined> {
  if (typeof source === "string" || source instanceof Uint8Array) {
    yield* slices(source);
  } else if (typeof source !== "object" || source === null) {
    throw new TypeError(`"source" must be bytes, text or pieces of them, got ${show(source)}`);
  } else if (Symbol.asyncIterator in source || Symbol.iterator in source) {
    yield* source as AsyncIterable<Uint8Array | string>;
  } else {
    // Web streams without iteration, as in Safari.
    const reader = source.getReader();
    let done = false;
    try {
      for (;;) {
        const next = await reader.read();
        done = next.done;
        if (done) return;
        yield next.value!;
      }
    } finally {
      if (!done) await reader.cancel?.();
    }
  }
}

const SLICE = 1 << 16;

/** Slices of a whole, so that not all its lines exist at the same time. */
function* slices(whole: Uint8Array | string): Generator<Uint8Array | string, void, undefined> {
  for (let at = 0; at < whole.length; at += SLICE) {
    yield typeof whole === "string" ? whole.slice(at, at + SLICE) : whole.subarray(at, at + SLICE);
  }
}

/** @throws TypeError for a piece that is neither bytes nor text. */
export function requirePiece(piece: unknown): void {
  if (typeof piece !== "string" && !(piece instanceof Uint8Array)) {
    throw new TypeError(`pieces of a source must be bytes or text, got ${show(piece)}`);
  }
}

/** Parts as one array; text as UTF-8. */
export function joined(parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const bytes = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  const whole = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** All bytes of a source; text as UTF-8. */
export async function readBytes(source: ByteSource): Promise<Uint8Array> {
  const parts: (Uint8Array | string)[] = [];
  for await (const piece of piecesOf(source)) parts.push(piece);
  return joined(parts);
}
