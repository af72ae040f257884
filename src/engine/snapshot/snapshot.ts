import { show } from "../../check/index.js";
import { bytesOf, type FileBytes } from "./bytes.js";
import { SnapshotError } from "./error.js";
import type { Part } from "./part.js";
import { type Digest, newDigest } from "./sha256.js";

/**
 * LiveQ's files: a safetensors container (https://github.com/huggingface/safetensors) of byte tensors, read more
 * strictly than the format asks: no holes, no overlap, no unknown field, a digest over every byte. Metadata: `sha256`,
 * `format` "liveq", `kind`, `min_reader`, and the writer's own.
 */
export interface SnapshotFile {
  /** Strings by name. */
  metadata: Record<string, string>;
  /** Byte tensors by name, in the order of the file. */
  tensors: Map<string, Uint8Array>;
}

/** The version of these rules; a reader refuses a file whose `min_reader` is above it. */
const READER = 1;
const HEADER_MAX = 1 << 20;
const ALIGNMENT = 64;
/** How every header starts, so that the digest always stands at the same place. */
const PREFIX = '{"__metadata__":{"sha256":"';
const DIGEST_LENGTH = 64;

/** The digest of a file: of its header with zeros for the digest, followed by the digest of its data. */
function digestOf(header: Uint8Array, data: Digest): string {
  const text = header.slice().fill(0x30, PREFIX.length, PREFIX.length + DIGEST_LENGTH);
  const digest = newDigest();
  digest.update(text);
  digest.update(new TextEncoder().encode(data.digest("hex")));
  return digest.digest("hex");
}

/** Bytes of one chunk: what the digest takes in about a millisecond where it is not the host's. */
const CHUNK = 1 << 18;
const NOTHING = new Uint8Array();

/** Copies of bytes, piece by piece. `patch` gets each and where it begins. */
export function* slices(
  bytes: Uint8Array,
  patch?: (chunk: Uint8Array, at: number) => void,
): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK) {
    const chunk = bytes.slice(at, at + CHUNK);
    patch?.(chunk, at);
    yield chunk;
  }
}

/** Bytes that are changed no more, as a part. */
export function wholePart(name: string, bytes: Uint8Array): Part {
  return {
    name,
    chunks: () => slices(bytes),
    release() {
      bytes = NOTHING;
    },
  };
}

/** All bytes before the data, and the length of both. Yields nothing after each chunk, so that its steps are short. */
function* headOf(
  kind: string,
  metadata: Record<string, string>,
  parts: readonly Part[],
): Generator<Uint8Array, [head: Uint8Array, bytes: number]> {
  let end = 0;
  const digest = newDigest();
  const entries: Record<string, object> = {};
  for (const part of parts) {
    const start = end;
    for (const chunk of part.chunks()) {
      digest.update(chunk);
      end += chunk.byteLength;
      yield NOTHING;
    }
    entries[part.name] = { dtype: "U8", shape: [end - start], data_offsets: [start, end] };
  }
  const sha256 = "0".repeat(DIGEST_LENGTH);
  const own = { sha256, format: "liveq", kind, min_reader: String(READER) };
  const text = new TextEncoder().encode(JSON.stringify({ __metadata__: { ...own, ...metadata }, ...entries }));
  const start = Math.ceil((8 + text.byteLength) / ALIGNMENT) * ALIGNMENT;
  if (start - 8 > HEADER_MAX) throw new SnapshotError(`the header would have ${start - 8} bytes, above ${HEADER_MAX}`);
  const head = new Uint8Array(start).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(start - 8), true);
  head.set(text, 8);
  head.set(new TextEncoder().encode(digestOf(head.subarray(8), digest)), 8 + PREFIX.length);
  return [head, start + end];
}

/** A file as a part of another, or by itself. */
export interface FilePart extends Part {
  /** Its size; known with its first chunk that is not empty. */
  bytes: number;
}

/**
 * A file of `kind`.
 *
 * @param passes - Times that its chunks are taken; in the last, each part is released once it is out. Default 2, as a part.
 */
export function filePart(
  name: string,
  kind: string,
  metadata: Record<string, string>,
  parts: readonly Part[],
  passes = 2,
): FilePart {
  let head: Uint8Array | undefined;
  return {
    name,
    bytes: 0,
    *chunks() {
      passes--;
      if (!head) [head, this.bytes] = yield* headOf(kind, metadata, parts);
      yield head;
      for (const part of parts) {
        yield* part.chunks();
        if (passes) continue;
        for (const _ of part.drain?.() ?? []) yield NOTHING;
        part.release();
      }
    },
    release() {
      for (const part of parts) part.release();
    },
  };
}

/** The chunks of a file, which is released at their end, and where its reader stops before. */
export function chunksOf(file: Part): Generator<Uint8Array, void> {
  const chunks = released(file);
  // A generator that has not begun would end without `finally`.
  chunks.next();
  return chunks;
}

function* released(file: Part): Generator<Uint8Array, void> {
  try {
    yield NOTHING;
    yield* file.chunks();
  } finally {
    file.release();
  }
}

/** A file as a whole; it is released. */
export function joined(file: FilePart): Uint8Array {
  let whole = NOTHING;
  let at = 0;
  for (const chunk of chunksOf(file)) {
    if (file.bytes > whole.byteLength) whole = new Uint8Array(file.bytes);
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** The file of `kind`, whose tensors are stored in the order of the map. */
export function packSnapshot(
  kind: string,
  metadata: Record<string, string>,
  tensors: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const parts = Array.from(tensors, ([name, bytes]) => wholePart(name, bytes));
  return joined(filePart(kind, kind, metadata, parts, 1));
}

/** The header's length, from the first eight bytes of a file. */
export function headerLength(bytes: Uint8Array, available: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(HEADER_MAX) || Number(length) > available) {
    throw new SnapshotError(`not a snapshot, or cut off: its header would have ${length} bytes`);
  }
  return Number(length);
}

/** @throws SnapshotError for data of another digest than the header has. */
export function requireDigest(header: Uint8Array, data: Digest, metadata: Record<string, string>): void {
  if (digestOf(header, data) !== metadata["sha256"])
    throw new SnapshotError("the file is damaged: its SHA-256 does not match");
}

/** Metadata, and the size of each tensor, after all checks that need no data. */
export function openHeader(
  kind: string,
  header: Uint8Array,
): { metadata: Record<string, string>; sizes: Map<string, number> } {
  const { metadata, entries } = readHeader(header);
  if (metadata["format"] !== "liveq")
    throw new SnapshotError(`not a LiveQ file: "format" is ${show(metadata["format"])}`);
  if (!(Number(metadata["min_reader"]) <= READER)) {
    throw new SnapshotError(`the file needs reader ${metadata["min_reader"]}; this one is ${READER}: update liveq`);
  }
  if (metadata["kind"] !== kind) throw new SnapshotError(`the file holds ${show(metadata["kind"])}, not "${kind}"`);
  return { metadata, sizes: sizesOf(entries) };
}

/**
 * Reads a file of `kind`. The tensors are plain views of the given bytes.
 * @throws SnapshotError that names the fault.
 */
export function unpackSnapshot(kind: string, given: FileBytes): SnapshotFile {
  const file = bytesOf(given);
  if (file.byteLength < 8) throw new SnapshotError(`the file has ${file.byteLength} bytes: too short for a snapshot`);
  const start = 8 + headerLength(file, file.byteLength - 8);
  const header = file.subarray(8, start);
  const { metadata, sizes } = openHeader(kind, header);
  const data = file.subarray(start);
  const digest = newDigest();
  digest.update(data);
  requireDigest(header, digest, metadata);
  const tensors = new Map<string, Uint8Array>();
  let end = 0;
  for (const [name, size] of sizes) {
    tensors.set(name, data.subarray(end, end + size));
    end += size;
  }
  if (end !== data.byteLength) throw new SnapshotError(`the tensors end at ${end} of ${data.byteLength} bytes`);
  return { metadata, tensors };
}

/** A header as JSON.parse returns it: an object, unchecked. */
interface Header {
  __metadata__?: Record<string, string>;
  [name: string]: unknown;
}

/**
 * The header, if it is written letter for letter as LiveQ writes it: JSON.parse alone would take the last of two equal
 * names, round numbers beyond 2^53 and read 4e0 as 4.
 */
function readHeader(bytes: Uint8Array): { metadata: Record<string, string>; entries: [string, unknown][] } {
  let header: Header | undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(withoutPadding(bytes));
    if (text[0] === "{") header = JSON.parse(text);
    if (JSON.stringify(header) !== text) header = undefined;
  } catch {
    // Neither UTF-8 nor JSON is the same as no header.
  }
  const metadata = header?.__metadata__;
  if (!metadata || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw new SnapshotError("the header is not JSON as LiveQ writes it");
  }
  return { metadata, entries: Object.entries(header!).filter(([name]) => name !== "__metadata__") };
}

/** A header without the spaces at its end. A regular expression would take quadratic time for spaces before them. */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  let end = bytes.byteLength;
  while (end > 0 && bytes[end - 1] === 0x20) end--;
  return bytes.subarray(0, end);
}

/** The size of each tensor, in the order of the file. */
function sizesOf(entries: readonly [string, unknown][]): Map<string, number> {
  const sizes = new Map<string, number>();
  let at = 0;
  for (const [name, entry] of entries) {
    const size = (entry as { shape?: number[] } | null)?.shape?.[0];
    const end = at + Number(size);
    // Exactly the entry that headerOf() writes for this tensor here.
    const expected = { dtype: "U8", shape: [size], data_offsets: [at, end] };
    if (!Number.isSafeInteger(end) || end < at || JSON.stringify(entry) !== JSON.stringify(expected)) {
      throw new SnapshotError(`tensor ${show(name)} is not a byte tensor that follows the one before`);
    }
    sizes.set(name, size!);
    at = end;
  }
  return sizes;
}
