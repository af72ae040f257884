import { show } from "../../check/index.js";
import { bytesOf, type FileBytes } from "./bytes.js";
import { SnapshotError } from "./error.js";
import { Sha256, sha256 } from "./sha256.js";

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

/** The bytes of a tensor, whole or in consecutive parts. */
export type TensorBytes = Uint8Array | readonly Uint8Array[];

/** The digest of a file: of its header with zeros for the digest, followed by the digest of its data. */
function digestOf(header: Uint8Array, dataDigest: string): string {
  const text = new Uint8Array(header.byteLength + DIGEST_LENGTH);
  text.set(header);
  text.fill(0x30, PREFIX.length, PREFIX.length + DIGEST_LENGTH);
  text.set(new TextEncoder().encode(dataDigest), header.byteLength);
  return sha256(text);
}

function partsOf(bytes: TensorBytes): readonly Uint8Array[] {
  return bytes instanceof Uint8Array ? [bytes] : bytes;
}

/** All bytes before the data, and the length of the data. */
function headerOf(
  kind: string,
  metadata: Record<string, string>,
  tensors: ReadonlyMap<string, TensorBytes>,
): { head: Uint8Array; dataBytes: number } {
  let end = 0;
  const digest = new Sha256();
  const entries: Record<string, object> = {};
  for (const [name, bytes] of tensors) {
    const size = partsOf(bytes).reduce((sum, part) => sum + part.byteLength, 0);
    for (const part of partsOf(bytes)) digest.update(part);
    entries[name] = { dtype: "U8", shape: [size], data_offsets: [end, end + size] };
    end += size;
  }
  const sha256 = "0".repeat(DIGEST_LENGTH);
  const own = { sha256, format: "liveq", kind, min_reader: String(READER) };
  const text = new TextEncoder().encode(JSON.stringify({ __metadata__: { ...own, ...metadata }, ...entries }));
  const start = Math.ceil((8 + text.byteLength) / ALIGNMENT) * ALIGNMENT;
  if (start - 8 > HEADER_MAX) throw new SnapshotError(`the header would have ${start - 8} bytes, above ${HEADER_MAX}`);
  const head = new Uint8Array(start).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(start - 8), true);
  head.set(text, 8);
  head.set(new TextEncoder().encode(digestOf(head.subarray(8), digest.digest())), 8 + PREFIX.length);
  return { head, dataBytes: end };
}

/** The file of `kind`, whose tensors are stored in the order of the map. */
export function packSnapshot(
  kind: string,
  metadata: Record<string, string>,
  tensors: ReadonlyMap<string, TensorBytes>,
): Uint8Array {
  const { head, dataBytes } = headerOf(kind, metadata, tensors);
  const file = new Uint8Array(head.byteLength + dataBytes);
  let at = 0;
  for (const part of [head, ...[...tensors.values()].flatMap(partsOf)]) {
    file.set(part, at);
    at += part.byteLength;
  }
  return file;
}

const CHUNK = 1 << 20;

/**
 * The same file in chunks of at most a mebibyte, each copied only when requested.
 *
 * @param check - Called before each chunk; throws if the tensors have changed since the digest was made.
 */
export function* snapshotChunks(
  kind: string,
  metadata: Record<string, string>,
  tensors: ReadonlyMap<string, TensorBytes>,
  check: () => void,
): Generator<Uint8Array, void> {
  yield headerOf(kind, metadata, tensors).head.slice();
  for (const part of [...tensors.values()].flatMap(partsOf)) {
    for (let at = 0; at < part.byteLength; at += CHUNK) {
      check();
      yield part.slice(at, at + CHUNK);
    }
  }
}

/**
 * Reads a file of `kind` in chunks: the header first, then each tensor into memory of the caller.
 *
 * @param open - Gets the metadata and the tensors' sizes; returns memory of exactly that size for each.
 * @throws SnapshotError that names the fault; the contents of the memory are invalid then.
 */
export async function readSnapshotStream(
  kind: string,
  chunks: AsyncIterable<Uint8Array>,
  open: (metadata: Record<string, string>, sizes: ReadonlyMap<string, number>) => ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const source = new Pieces(chunks);
  const length = headerLength(await source.take(8), Number.POSITIVE_INFINITY);
  const header = await source.take(length);
  const { metadata, sizes } = openHeader(kind, header);
  const digest = new Sha256();
  for (const [name, memory] of open(metadata, sizes)) {
    if (memory.byteLength !== sizes.get(name)) {
      throw new SnapshotError(`tensor ${show(name)} has ${sizes.get(name)} bytes, expected ${memory.byteLength}`);
    }
    await source.fill(memory);
    digest.update(memory);
  }
  if (await source.isMore()) throw new SnapshotError("the file is longer than its tensors");
  if (digestOf(header, digest.digest()) !== metadata["sha256"])
    throw new SnapshotError("the file is damaged: its SHA-256 does not match");
}

/** Reads bytes from chunks of any size. */
class Pieces {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async isMore(): Promise<boolean> {
    while (this.#piece.byteLength === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#piece = bytesOf(value);
    }
    return true;
  }

  async fill(memory: Uint8Array): Promise<void> {
    for (let at = 0; at < memory.byteLength; ) {
      if (!(await this.isMore())) throw new SnapshotError("the file is cut off");
      const part = this.#piece.subarray(0, memory.byteLength - at);
      memory.set(part, at);
      at += part.byteLength;
      this.#piece = this.#piece.subarray(part.byteLength);
    }
  }

  async take(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.fill(bytes);
    return bytes;
  }
}

/** The header's length, from the first eight bytes of a file. */
function headerLength(bytes: Uint8Array, available: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(HEADER_MAX) || Number(length) > available) {
    throw new SnapshotError(`not a snapshot, or cut off: its header would have ${length} bytes`);
  }
  return Number(length);
}

/** Metadata, and the size of each tensor, after all checks that need no data. */
function openHeader(
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
  if (digestOf(header, sha256(data)) !== metadata["sha256"])
    throw new SnapshotError("the file is damaged: its SHA-256 does not match");
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
