import { Random } from "../../src/numeric/random.js";

/** Bytes in pieces of 0 to `most` bytes, cut wherever chance has it. */
export function cut(bytes: Uint8Array, seed: number, most = 7): Uint8Array[] {
  const random = Random.named(seed, "cut");
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = random.below(most + 1);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** All that a reader gives. */
export async function all<T>(source: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** n bytes that differ from their neighbours. */
export function bytes(n: number): Uint8Array {
  return Uint8Array.from({ length: n }, (_, i) => (i * 31) & 255);
}
