import { mustBe } from "../../check/index.js";

/** The contents of a file: an `ArrayBuffer`, as `fetch` gives it, a `Uint8Array` or `Buffer`, or any other view. */
export type FileBytes = ArrayBuffer | ArrayBufferView;

/** The bytes, not copied, as a plain `Uint8Array`: of a Buffer, slice() would share memory. @throws TypeError. */
export function bytesOf(file: FileBytes): Uint8Array {
  if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  // Of another realm too, such as a frame of a page.
  const kind = Object.prototype.toString.call(file);
  if (kind === "[object ArrayBuffer]" || kind === "[object SharedArrayBuffer]") return new Uint8Array(file);
  throw mustBe("file", "a Uint8Array, an ArrayBuffer or a view of one", file);
}
