import { SnapshotError } from "../engine/index.js";

/** The bytes of arrays, one after the other. */
export function bytesOf(arrays: readonly (Float32Array | Uint32Array)[]): Uint8Array {
  const all = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    all.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return all;
}

/** The floats in the bytes of `bytesOf`. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

/** The words in the bytes of `bytesOf`. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.length % 12 !== 0) throw new SnapshotError("the windows of a file must be entries of three words");
  return new Uint32Array(bytes.slice().buffer);
}
