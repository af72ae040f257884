import { StorageError, type StoredBlock } from "./store.js";

/** Bytes of a block before its records: its checksum, and that of the block before it. */
const HEAD = 8;
/** Bytes of a record's length. */
const LENGTH = 4;

/** Checksums of all bytes, for the polynomial 0xEDB88320: CRC-32 of ISO 3309. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of ISO 3309, as in gzip; `crc` is that of the bytes before. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let value = ~crc;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ TABLE[(value ^ bytes[i]!) & 0xff]!;
  return ~value >>> 0;
}

/** Records one after the other, each behind its length: how they travel to the log's thread, and lie in a block. */
export function joined(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const { byteLength } of records) size += LENGTH + byteLength;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const record of records) {
    view.setUint32(at, record.byteLength, true);
    bytes.set(record, at + LENGTH);
    at += LENGTH + record.byteLength;
  }
  return bytes;
}

/** The records of joined ones, as views. @throws StorageError `damaged` if the last one is cut off. */
export function parted(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const size = at + LENGTH <= bytes.byteLength ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + LENGTH + size > bytes.byteLength) throw new StorageError("damaged", "the last record is cut off");
    records.push(bytes.subarray(at + LENGTH, at + LENGTH + size));
    at += LENGTH + size;
  }
  return records;
}

/** A block of joined records. `previous` is the checksum of the block before it; 0 for the first one. */
export function sealed(first: number, count: number, parts: readonly Uint8Array[], previous: number): StoredBlock {
  const body = new Uint8Array(HEAD + parts.reduce((size, { byteLength }) => size + byteLength, 0));
  let at = HEAD;
  for (const part of parts) {
    body.set(part, at);
    at += part.byteLength;
  }
  const view = new DataView(body.buffer);
  view.setUint32(4, previous, true);
  view.setUint32(0, checksumOf(first, count, body), true);
  return { first, count, body };
}

/** The checksum that a block carries. */
export function checksum({ body }: StoredBlock): number {
  return new DataView(body.buffer, body.byteOffset).getUint32(0, true);
}

/** Of all that a block says, but the checksum itself. */
function checksumOf(first: number, count: number, body: Uint8Array): number {
  const numbers = new DataView(new ArrayBuffer(12));
  numbers.setFloat64(0, first, true);
  numbers.setUint32(8, count, true);
  return crc32(body.subarray(LENGTH), crc32(new Uint8Array(numbers.buffer)));
}

/**
 * The records of a block, as views of it.
 *
 * @param previous Checksum of the block before it; undefined if that one is not known.
 * @throws StorageError `damaged` that names the block, if it is not as it was written, or does not follow that one.
 */
export function opened({ first, count, body }: StoredBlock, previous?: number): Uint8Array[] {
  const fail = (what: string) => new StorageError("damaged", `the block of record ${first}: ${what}`);
  if (body.byteLength < HEAD) throw fail(`must have at least ${HEAD} bytes, got ${body.byteLength}`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (view.getUint32(0, true) !== checksumOf(first, count, body)) throw fail("its checksum differs");
  if (previous !== undefined && view.getUint32(4, true) !== previous) throw fail("does not follow the block before it");
  const records: Uint8Array[] = [];
  for (let at = HEAD; at < body.byteLength; ) {
    const size = at + LENGTH <= body.byteLength ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + LENGTH + size > body.byteLength) throw fail("its last record is cut off");
    records.push(body.subarray(at + LENGTH, at + LENGTH + size));
    at += LENGTH + size;
  }
  if (records.length !== count) throw fail(`must have ${count} records, got ${records.length}`);
  return records;
}
