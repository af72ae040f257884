import { bytesOf, type FileBytes, SnapshotError } from "../engine/index.js";
import { parseHeader, quoted, type TensorEntry, type TensorHeader } from "./header.js";

/** A tensor in a file; its numbers are little-endian, in C order. */
export interface Tensor {
  /** `F32`, `F16`, `F8_E4M3`, `U8`, ... */
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

/** The contents of a safetensors file. */
export interface SafetensorsFile {
  metadata: Map<string, string>;
  /** In the order of the data. */
  tensors: Map<string, Tensor>;
}

/** The format's own limit of a header, in bytes. */
const HEADER_MAX = 100_000_000;
const ALIGNMENT = 64;

/** By the bits of one number, the types that safetensors 0.7 has. */
const TYPES: Readonly<Record<number, readonly string[]>> = {
  4: ["F4"],
  6: ["F6_E2M3", "F6_E3M2"],
  8: ["BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"],
  16: ["U16", "I16", "F16", "BF16"],
  32: ["U32", "I32", "F32"],
  64: ["U64", "I64", "F64", "C64"],
};
const WIDTHS = new Map(Object.entries(TYPES).flatMap(([bits, names]) => names.map((name) => [name, Number(bits)])));

/**
 * Reads a safetensors file more strictly than the format asks: no name twice, no unknown field, no hole, no overlap, only
 * plain integers. The tensors are views of the given bytes.
 * @throws SnapshotError that names the fault.
 */
export function readSafetensors(given: FileBytes): SafetensorsFile {
  const file = bytesOf(given);
  if (file.byteLength < 8) throw new SnapshotError(`the file has ${file.byteLength} bytes: too short for safetensors`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(file.byteLength - 8)) {
    const why = oddityOf(file) ?? `its header would have ${length} bytes, the file has ${file.byteLength}`;
    throw new SnapshotError(`not a safetensors file, or cut off: ${why}`);
  }
  if (length > BigInt(HEADER_MAX)) {
    throw new SnapshotError(`the header has ${length} bytes; the format's limit is ${HEADER_MAX}`);
  }
  const start = 8 + Number(length);
  const { metadata, entries } = parseHeader(decode(file.subarray(8, start)));
  return { metadata, tensors: slices(entries, file.subarray(start)) };
}

/** What a file is instead, by its first bytes; undefined for anything else. */
function oddityOf([first, second]: Uint8Array): string | undefined {
  if (first === 0x1f && second === 0x8b) return "it is compressed with gzip";
  if (first === 0x28 && second === 0xb5) return "it is compressed with zstd";
  if (first === 0x50 && second === 0x4b) return "it is a zip archive, as torch.save writes it";
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return "it is text in UTF-16";
  return undefined;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SnapshotError("the header is not UTF-8");
  }
}

/** The tensors. @throws SnapshotError unless they fill the data without gaps. */
function slices(entries: TensorHeader["entries"], data: Uint8Array): Map<string, Tensor> {
  const sorted = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, Tensor>();
  let at = 0;
  for (const [name, entry] of sorted) {
    const { dtype, shape, begin, end } = entry;
    if (begin !== at) {
      throw new SnapshotError(`tensor ${quoted(name)} begins at byte ${begin}, but the one before it ends at ${at}`);
    }
    const size = sizeOf(name, entry);
    if (end - begin !== size) {
      const is = `${dtype} (${shape.join(", ")})`;
      throw new SnapshotError(
        `tensor ${quoted(name)} is ${is} of ${size} bytes, but its data_offsets span ${end - begin}`,
      );
    }
    if (end > data.byteLength) {
      throw new SnapshotError(`tensor ${quoted(name)} ends at byte ${end} of ${data.byteLength}: the file is cut off`);
    }
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
    at = end;
  }
  if (at !== data.byteLength) throw new SnapshotError(`the tensors end at byte ${at} of ${data.byteLength}`);
  return tensors;
}

function sizeOf(name: string, { dtype, shape }: TensorEntry): number {
  const width = WIDTHS.get(dtype);
  if (width === undefined) {
    const known = [...WIDTHS.keys()].join(", ");
    throw new SnapshotError(`tensor ${quoted(name)} has the unknown dtype ${quoted(dtype)}; known are ${known}`);
  }
  // Zeros first: (0, 2^53 - 1) has no bytes.
  const bits = shape.includes(0) ? 0 : shape.reduce((product, n) => (product > FAR ? product : product * n), width);
  if (bits > FAR) throw new SnapshotError(`tensor ${quoted(name)} would have more than ${FAR / 8} bytes`);
  if (bits % 8 > 0) throw new SnapshotError(`tensor ${quoted(name)} must end with a byte, but has ${bits} bits`);
  return bits / 8;
}

/** Bits beyond any file that fits in memory. */
const FAR = 2 ** 43;

/** The file with these tensors in this order, its data at a multiple of 64 bytes. */
export function writeTensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = Array.from(tensors, ([name, { dtype, shape, bytes }]) => {
    const begin = end;
    end += bytes.byteLength;
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([["__metadata__", metadata], ...entries])));
  const start = Math.ceil((8 + text.byteLength) / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(text, 8);
  let at = start;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, at);
    at += bytes.byteLength;
  }
  return file;
}

/**
 * The numbers of a floating-point tensor as f32.
 * @throws SnapshotError for other types, and for a number that is not finite as f32.
 */
export function floatsOf(name: string, { dtype, bytes }: Tensor): Float32Array<ArrayBuffer> {
  const { buffer } = bytes.slice();
  const read = READERS.get(dtype);
  if (!read) {
    throw new SnapshotError(
      `tensor ${quoted(name)} must be one of ${[...READERS.keys()].join(", ")}, got ${quoted(dtype)}`,
    );
  }
  const floats = read(buffer);
  const bad = floats.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) {
    throw new SnapshotError(
      `tensor ${quoted(name)} must hold finite numbers in the range of f32, got ${floats[bad]} at ${bad}`,
    );
  }
  return floats;
}

const READERS = new Map<string, (buffer: ArrayBuffer) => Float32Array<ArrayBuffer>>([
  ["F32", (buffer) => new Float32Array(buffer)],
  ["F64", (buffer) => Float32Array.from(new Float64Array(buffer))],
  ["F16", (buffer) => Float32Array.from(new Uint16Array(buffer), half)],
  ["BF16", (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer)],
]);

/** The value of an IEEE 754 half. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  // Exact: a whole number of up to 41 bits, and a power of two.
  return sign * (1024 + fraction) * 2 ** -25 * (1 << exponent);
}
