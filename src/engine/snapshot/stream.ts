import { bytesOf } from "./bytes.js";
import { SnapshotError } from "./error.js";
import { type Digest, newDigest } from "./sha256.js";
import { headerLength, openHeader, requireDigest } from "./snapshot.js";

/** A Web stream, by what is read of it: not all platforms have its type, and not all can iterate over it. */
export interface WebStream {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** A file in chunks of any size: a Node or Web stream, `saveChunks`, or any iterable. */
export type FileChunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | WebStream;

/** Takes one tensor, all of its bytes. */
export type TensorReader = (name: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Reads a file of `kind` in chunks: the header, then each tensor, in the order of the file, as its bytes come. Only when
 * all have come is their digest known: until then they may be anything.
 *
 * @param open - Gets the metadata and the tensors' sizes; returns the reader of the tensors.
 * @throws SnapshotError that names the fault.
 */
export async function readSnapshotStream(
  kind: string,
  chunks: FileChunks,
  open: (metadata: Record<string, string>, sizes: ReadonlyMap<string, number>) => TensorReader,
): Promise<void> {
  const source = each(chunks);
  let piece: Uint8Array = new Uint8Array();
  const isMore = async () => {
    while (piece.byteLength === 0) {
      const { done, value } = await source.next();
      if (done) return false;
      piece = bytesOf(value);
    }
    return true;
  };
  /** The next bytes, so many of them, as they come. */
  async function* take(left: number, digest?: Digest): AsyncGenerator<Uint8Array, void> {
    while (left > 0) {
      if (!(await isMore())) throw new SnapshotError("the file is cut off");
      const next = piece.subarray(0, left);
      piece = piece.subarray(next.byteLength);
      left -= next.byteLength;
      digest?.update(next);
      yield next;
    }
  }
  try {
    const start = new Uint8Array(8);
    await fill(start, take(8));
    const header = new Uint8Array(headerLength(start, Number.POSITIVE_INFINITY));
    await fill(header, take(header.byteLength));
    const { metadata, sizes } = openHeader(kind, header);
    const digest = newDigest();
    const read = open(metadata, sizes);
    for (const [name, size] of sizes) await read(name, take(size, digest));
    if (await isMore()) throw new SnapshotError("the file is longer than its tensors");
    requireDigest(header, digest, metadata);
  } finally {
    // Ends the stream where it was left.
    await source.return();
  }
}

/** Writes bytes to a memory of their size. */
export async function fill(memory: Uint8Array, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let at = 0;
  for await (const piece of bytes) {
    memory.set(piece, at);
    at += piece.byteLength;
  }
}

/** The chunks, also of a Web stream that is not iterable, as in Safari. */
async function* each(chunks: FileChunks): AsyncGenerator<Uint8Array, void> {
  if (!("getReader" in chunks)) {
    yield* chunks;
    return;
  }
  const reader = chunks.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value!;
  } finally {
    await reader.cancel();
  }
}
