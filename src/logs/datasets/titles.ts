import { show } from "../../check/index.js";
import type { Id } from "../../protocol/index.js";
import { readRows } from "../readers/csv.js";
import { type ByteSource, readBytes } from "../readers/text.js";
import { DenseIds } from "./ratings.js";

/** Vectors of titles, all of one length. */
export class TitleVectors {
  /** Numbers in each vector. */
  readonly dimension: number;
  readonly #ids: DenseIds;
  readonly #values: Float32Array;

  /**
   * @param ids - Ids of the titles, all different.
   * @param values - Their vectors, one after the other, all of one length.
   */
  constructor(ids: readonly Id[], values: Float32Array) {
    this.#ids = new DenseIds(ids);
    this.#values = values;
    this.dimension = ids.length === 0 ? 0 : values.length / ids.length;
  }

  get size(): number {
    return this.#ids.ids.length;
  }

  /** The vector of a title, a view; undefined for an unknown title. */
  of(title: Id): Float32Array | undefined {
    const row = this.#ids.get(title);
    return row === undefined ? undefined : this.#values.subarray(row * this.dimension, (row + 1) * this.dimension);
  }
}

const MAGIC = "\x93NUMPY";
/** Supported number types, and bytes of each. */
const TYPES: Readonly<Record<string, number>> = { "<f4": 4, "<f8": 8 };

/** The rows of a `.npy` file: a matrix of float32 or float64, little endian, one row after the other. */
async function readNpy(source: ByteSource, name: string): Promise<{ rows: number; values: Float32Array }> {
  const bytes = await readBytes(source);
  const refuse = (must: string, got: unknown) => new Error(`${name}: must ${must}, got ${show(got)}`);
  const latin = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || latin(0, 6) !== MAGIC) throw refuse("be a .npy file", latin(0, 6));
  // The length of the header takes two bytes in version 1, four after that.
  const start = bytes[6] === 1 ? 10 : 12;
  const end = start + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = end <= Math.min(bytes.length, 4096) ? latin(start, end) : "";
  const type = /'descr': *'([^']*)'/.exec(header)?.[1] ?? "";
  const shape = /'shape': *\((\d+), *(\d+)\)/.exec(header);
  if (!Object.hasOwn(TYPES, type)) throw refuse("hold float32 or float64, little endian", type);
  if (shape === null || !/'fortran_order': *False/.test(header)) throw refuse("be a matrix, row by row", header);
  const [rows, size] = [Number(shape[1]), TYPES[type]!];
  const count = rows * Number(shape[2]);
  if (bytes.length !== end + count * size) throw refuse(`have ${end + count * size} bytes`, bytes.length);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = size === 4 ? view.getFloat32(end + 4 * i, true) : view.getFloat64(end + 8 * i, true);
  }
  return { rows, values };
}

/** The `live_name_id` of a room without a title. */
const NONE = "-1";

/**
 * Reads the title vectors of KuaiLive, `title_embeddings.npy`, 128 numbers each: row i belongs to the i-th smallest
 * `live_name_id` of `room.csv`, where -1 means no title. Holds all of them in memory, 512 bytes a title.
 *
 * @returns Vectors by `live_name_id`, for the option `titles` of `readKuaiLive`.
 * @throws Error for a file in another form or without exactly one row for each title; LineError for an invalid room.
 */
export async function readKuaiLiveTitles(embeddings: ByteSource, room: ByteSource): Promise<TitleVectors> {
  const ids = new Set<number>();
  for await (const row of readRows(room, { name: "room.csv", wanted: ["live_name_id"] })) {
    if (row.text(0) !== NONE && row.text(0) !== "") ids.add(row.integer(0, 0, Number.MAX_SAFE_INTEGER));
  }
  const { rows, values } = await readNpy(embeddings, "title_embeddings.npy");
  if (rows !== ids.size) {
    throw new Error(
      `title_embeddings.npy: must have a row for each of the ${ids.size} titles of room.csv, got ${rows}`,
    );
  }
  return new TitleVectors([...ids].sort((a, b) => a - b).map(String), values);
}
