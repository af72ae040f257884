import { show } from "./options.js";
import { sha256 } from "./sha256.js";

/**
 * LiveQ's files: a safetensors container (https://github.com/huggingface/safetensors) of byte tensors, read more
 * strictly than the format asks: no holes, no overlap, no unknown field, a digest over every byte. Metadata: `sha256`,
 * `format` "liveq", `kind`, `min_reader`, and what the writer adds.
 */
export interface SnapshotFile {
  /** Strings by name. */
  metadata: Record<string, string>;
  /** Byte tensors by name, in the order of the file. */
  tensors: Map<string, Uint8Array>;
}

/** A file that is damaged, foreign, newer or of another shape. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}

/** The version of these rules; a reader refuses a file whose `min_reader` is above it. */
const READER = 1;
const HEADER_MAX = 1 << 20;
const ALIGNMENT = 64;
/** How every header starts, so that the digest always stands at the same place. */
const PREFIX = '{"__metadata__":{"sha256":"';
const DIGEST_LENGTH = 64;

/** The digest of a file: of its header with zeros for the digest, followed by the digest of its data. */
function digestOf(header: Uint8Array, data: Uint8Array): string {
  const text = new Uint8Array(header.byteLength + DIGEST_LENGTH);
  text.set(header);
  text.fill(0x30, PREFIX.length, PREFIX.length + DIGEST_LENGTH);
  text.set(new TextEncoder().encode(sha256(data)), header.byteLength);
  return sha256(text);
}

/** The file of `kind`, whose tensors are stored in the order of the map. */
export function packSnapshot(
  kind: string,
  metadata: Record<string, string>,
  tensors: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  let end = 0;
  const entries: Record<string, object> = {};
  for (const [name, bytes] of tensors) {
    entries[name] = { dtype: "U8", shape: [bytes.byteLength], data_offsets: [end, end + bytes.byteLength] };
    end += bytes.byteLength;
  }
  const data = new Uint8Array(end);
  let at = 0;
  for (const bytes of tensors.values()) {
    data.set(bytes, at);
    at += bytes.byteLength;
  }
  const sha256 = "0".repeat(DIGEST_LENGTH);
  const own = { sha256, format: "liveq", kind, min_reader: String(READER) };
  const text = new TextEncoder().encode(JSON.stringify({ __metadata__: { ...own, ...metadata }, ...entries }));
  const start = Math.ceil((8 + text.byteLength) / ALIGNMENT) * ALIGNMENT;
  if (start - 8 > HEADER_MAX) throw new SnapshotError(`the header would have ${start - 8} bytes, above ${HEADER_MAX}`);
  const file = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(text, 8);
  file.set(data, start);
  const digest = new TextEncoder().encode(digestOf(file.subarray(8, start), data));
  file.set(digest, 8 + PREFIX.length);
  return file;
}

/**
 * Reads a file of `kind`. The tensors are plain views of the given bytes.
 * @throws SnapshotError that says what is wrong.
 */
export function unpackSnapshot(kind: string, given: Uint8Array): SnapshotFile {
  // Of a Buffer, slice() would share memory instead of copying it.
  const file = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  if (file.byteLength < 8) throw new SnapshotError(`the file has ${file.byteLength} bytes: too short for a snapshot`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(HEADER_MAX) || length > BigInt(file.byteLength - 8)) {
    throw new SnapshotError(`not a snapshot, or cut off: its header would have ${length} bytes`);
  }
  const start = 8 + Number(length);
  const { metadata, entries } = readHeader(file.subarray(8, start));
  if (metadata["format"] !== "liveq")
    throw new SnapshotError(`not a LiveQ file: "format" is ${show(metadata["format"])}`);
  if (!(Number(metadata["min_reader"]) <= READER)) {
    throw new SnapshotError(`the file needs reader ${metadata["min_reader"]}; this one is ${READER}: update liveq`);
  }
  if (metadata["kind"] !== kind) throw new SnapshotError(`the file holds ${show(metadata["kind"])}, not "${kind}"`);
  const data = file.subarray(start);
  if (digestOf(file.subarray(8, start), data) !== metadata["sha256"])
    throw new SnapshotError("the file is damaged: its SHA-256 does not match");
  return { metadata, tensors: slices(entries, data) };
}

function readHeader(bytes: Uint8Array): { metadata: Record<string, string>; entries: [string, unknown][] } {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new SnapshotError("the header is not JSON in UTF-8");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw new SnapshotError("the header is not an object");
  const { __metadata__: metadata, ...rest } = header as Record<string, unknown>;
  if (typeof metadata !== "object" || metadata === null || Object.values(metadata).some((x) => typeof x !== "string")) {
    throw new SnapshotError('"__metadata__" is not an object of strings');
  }
  return { metadata: metadata as Record<string, string>, entries: Object.entries(rest) };
}

function slices(entries: [string, unknown][], data: Uint8Array): Map<string, Uint8Array> {
  const tensors = new Map<string, Uint8Array>();
  let end = 0;
  for (const [name, entry] of entries) {
    const { dtype, shape, data_offsets: offsets, ...unknown } = (entry ?? {}) as Record<string, unknown>;
    const size = Array.isArray(shape) && shape.length === 1 ? shape[0] : -1;
    const isSound = dtype === "U8" && Number.isSafeInteger(size) && size >= 0 && Object.keys(unknown).length === 0;
    const isNext = Array.isArray(offsets) && offsets.length === 2 && offsets[0] === end && offsets[1] === end + size;
    if (!isSound || !isNext)
      throw new SnapshotError(`tensor ${show(name)} is not a byte tensor that follows the one before`);
    tensors.set(name, data.subarray(end, end + size));
    end += size;
  }
  if (end !== data.byteLength) throw new SnapshotError(`the tensors end at ${end} of ${data.byteLength} bytes`);
  return tensors;
}
