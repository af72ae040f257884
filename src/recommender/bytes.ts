import { SnapshotError } from "../engine/index.js";

/** The bytes of words. */
export function wordBytes({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The words in such bytes, entries of a window: three words each. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.length % 12 !== 0) throw new SnapshotError("the windows of a file must be entries of three words");
  return new Uint32Array(bytes.slice().buffer);
}
