import { joined, requirePiece } from "./pieces.js";

const FEED = 10;
const RETURN = 13;
/** Length of a source's start within which a line feed, if it has any, is expected. */
const AHEAD = 1 << 16;

type Piece = Uint8Array | string;

/**
 * Pieces whose lines end in line feeds, in UTF-8, latin-1 or as text: UTF-16 with a byte-order mark is decoded, and the
 * lone carriage returns of old Macs become line feeds. Other sources pass as they are. Holds the start of a source until
 * its first line feed, at most 64 Ki characters.
 *
 * @param marked Whether the bytes may begin with a byte-order mark of UTF-16.
 */
export async function* plain(source: AsyncIterable<Piece>, marked: boolean): AsyncGenerator<Piece, void, undefined> {
  let start: Uint8Array = new Uint8Array();
  let decoder: Utf16 | undefined;
  let isMarkKnown = !marked;
  let held: Piece[] | undefined = [];
  let length = 0;
  let isMac = false;
  for await (const given of source) {
    requirePiece(given);
    let piece = given;
    if (!isMarkKnown && piece instanceof Uint8Array) {
      start = start.length > 0 ? joined([start, piece]) : piece;
      if (start.length < 2) continue;
      piece = start;
      decoder = utf16Of(start);
    }
    isMarkKnown = true;
    if (decoder !== undefined && piece instanceof Uint8Array) piece = decoder.text(piece);
    if (held === undefined) {
      yield isMac ? withFeeds(piece) : piece;
      continue;
    }
    held.push(piece);
    length += piece.length;
    const hasFeed = has(piece, FEED);
    if (!hasFeed && length < AHEAD) continue;
    isMac = !hasFeed && held.some((one) => has(one, RETURN));
    for (const one of held) yield isMac ? withFeeds(one) : one;
    held = undefined;
  }
  const rest = [...(isMarkKnown ? [] : [start]), ...(held ?? []), decoder?.end() ?? ""];
  isMac ||= held !== undefined && rest.some((one) => has(one, RETURN));
  for (const one of rest) if (one.length > 0) yield isMac ? withFeeds(one) : one;
}

/** The decoder for the byte-order mark at the start; undefined without one. */
export function utf16Of(bytes: Uint8Array): Utf16 | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new Utf16(0);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new Utf16(1);
  return undefined;
}

/** Decodes UTF-16 in pieces, unit by unit: a lone surrogate stays what it is, so that no two names become one. */
class Utf16 {
  readonly #low: 0 | 1;
  #odd: number | undefined;

  /** @param low Place of a unit's low byte. */
  constructor(low: 0 | 1) {
    this.#low = low;
  }

  text(piece: Uint8Array): string {
    const bytes = this.#odd === undefined ? piece : joined([Uint8Array.of(this.#odd), piece]);
    const units = new Uint16Array(Math.min(bytes.length >> 1, 1 << 13));
    let text = "";
    for (let at = 0; at + 1 < bytes.length; ) {
      let n = 0;
      for (; n < units.length && at + 1 < bytes.length; at += 2) {
        units[n++] = bytes[at + this.#low]! | (bytes[at + 1 - this.#low]! << 8);
      }
      text += String.fromCharCode.apply(null, units.subarray(0, n) as unknown as number[]);
    }
    this.#odd = bytes.length % 2 === 1 ? bytes.at(-1) : undefined;
    return text;
  }

  /** What is left: half a unit makes its line invalid. */
  end(): string {
    return this.#odd === undefined ? "" : "\ufffd";
  }
}

function has(piece: Piece, code: number): boolean {
  return typeof piece === "string" ? piece.includes(String.fromCharCode(code)) : piece.includes(code);
}

function withFeeds(piece: Piece): Piece {
  if (typeof piece === "string") return piece.replaceAll("\r", "\n");
  return piece.map((byte) => (byte === RETURN ? FEED : byte));
}
