import { type Decision, EventError } from "../../protocol/index.js";
import { HttpError } from "../body.js";

/** The content types of a request for a slate, and of its answer, as bytes. */
export const REQUEST_TYPE = "application/vnd.liveq.request";
export const DECISION_TYPE = "application/vnd.liveq.decision";

/** The first byte of both. */
const VERSION = 1;
/** In place of a number of candidates: all streams on air. */
const ALL = 0xffff;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads numbers and texts one after the other; all are little-endian. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  /** A text behind its length in bytes. */
  text(field: string): string {
    const length = this.u16();
    const start = this.#skip(length);
    try {
      return decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw new EventError(field, `"${field}" must be UTF-8`);
    }
  }

  #skip(size: number): number {
    const at = this.#at;
    if (at + size > this.#bytes.byteLength) throw new HttpError(400, "the body is cut off");
    this.#at += size;
    return at;
  }
}

/**
 * A request for a slate: u8 version 1, u8 0, u16 k, text user, u16 number of candidates or 65535 for all on air, then a text
 * for each. A text is a u16 length in bytes and UTF-8.
 *
 * @throws HttpError, EventError for other bytes.
 */
export function decodeRequest(bytes: Uint8Array): Record<string, unknown> {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) throw new HttpError(400, `the first byte must be the version ${VERSION}, got ${version}`);
  const reserved = reader.u8();
  if (reserved !== 0) throw new HttpError(400, `the second byte must be 0, got ${reserved}`);
  const k = reader.u16();
  const user = reader.text("user");
  const count = reader.u16();
  const candidates: string[] = [];
  for (let i = 0; count !== ALL && i < count; i++) candidates.push(reader.text(`candidates.${i}`));
  if (!reader.isAtEnd) throw new HttpError(400, "the body has more bytes than a request");
  return { user, k, ...(count !== ALL && { candidates }) };
}

/**
 * A decision: u8 version 1, u8 0, u16 number of streams, f64 time, text id; then for each stream f32 propensity, f32 score and
 * text id.
 */
export function encodeDecision({ id, time, slate, propensities, scores }: Decision): Uint8Array<ArrayBuffer> {
  // A unit of UTF-16 takes at most 3 bytes.
  let most = 14 + 3 * id.length;
  for (const stream of slate) most += 10 + 3 * stream.length;
  const bytes = new Uint8Array(most);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(2, slate.length, true);
  view.setFloat64(4, time, true);
  let at = write(id, bytes, view, 12);
  for (const [i, stream] of slate.entries()) {
    view.setFloat32(at, propensities[i]!, true);
    view.setFloat32(at + 4, scores[i]!, true);
    at = write(stream, bytes, view, at + 8);
  }
  return bytes.slice(0, at);
}

/** Writes a text behind its length, and returns where it ends. */
function write(text: string, bytes: Uint8Array, view: DataView, at: number): number {
  const start = at + 2;
  let end = start;
  // Ids are short, and mostly ASCII: a call of the encoder for each would take longer.
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      end = start + encoder.encodeInto(text, bytes.subarray(start)).written;
      break;
    }
    bytes[end++] = code;
  }
  view.setUint16(at, end - start, true);
  return end;
}
