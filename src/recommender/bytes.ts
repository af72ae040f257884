import { type Part, SnapshotError } from "../engine/index.js";

/** A window of events or decisions as a part of a file. */
export function windowPart(name: string, chunks: () => Iterable<Uint8Array>): Part {
  return { name, chunks, release() {} };
}

/** The words of such a part, entries of three words each. */
export function wordsOf(name: string, bytes: Uint8Array): Uint32Array {
  if (bytes.length % 12 !== 0) throw new SnapshotError(`the file's "${name}" must be entries of three words`);
  return new Uint32Array(bytes.slice().buffer);
}
