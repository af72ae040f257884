import type { Part, PartReader } from "../../src/engine/index.js";

/** All bytes of a part, which is released. */
export function bytesOf(part: Part): Uint8Array {
  const chunks = [...part.chunks()];
  part.release();
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Bytes as text, a character each, to search for names and to compare. */
export function textOf(...bytes: Iterable<Uint8Array>[] | Uint8Array[]): string {
  const flat = bytes.flatMap((one) => (one instanceof Uint8Array ? [one] : [...one]));
  return flat.map((one) => Buffer.from(one.buffer, one.byteOffset, one.length).toString("latin1")).join("");
}

/** A name as files hold it. */
export function written(name: string): string {
  return String.fromCharCode(2 * name.length) + name;
}

/** Saves parts, and reads them into something new. */
export function copyParts(
  parts: readonly Part[],
  readers: readonly (readonly [string, PartReader])[],
  piece?: number,
): void {
  const bytes = new Map(parts.map((part) => [part.name, bytesOf(part)]));
  for (const [name, reader] of readers) readAll(reader, bytes.get(name)!, piece);
}

/** The records of a part of lines. */
export function linesOf(part: Part): unknown[] {
  const text = new TextDecoder().decode(bytesOf(part));
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Gives a reader all bytes, in pieces of so many. */
export function readAll(reader: PartReader, bytes: Uint8Array, piece = bytes.length): void {
  for (let at = 0; at < bytes.length; at += piece) reader.write(bytes.subarray(at, at + piece));
  reader.end();
}
