import { Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";

/** A compression that files may have. */
export type Compression = "gzip" | "zstd";

/** Bytes that tell a compression. */
const MARK = 4;

/** The compression that the first bytes of a file tell, whatever its name; undefined for none. */
export function compressionOf(start: Uint8Array): Compression | undefined {
  if (start[0] === 0x1f && start[1] === 0x8b && start[2] === 8) return "gzip";
  const isZstd = start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd;
  return isZstd ? "zstd" : undefined;
}

/**
 * The bytes of a file, decompressed as its first bytes say: gzip, also of several members, or zstd (Node from 22.15 and
 * 23.8 on). Others pass unchanged. Holds one piece at a time, however much it inflates to.
 *
 * ```ts
 * for await (const event of readJsonl(decompressed(createReadStream("log.jsonl.gz")))) console.log(event.kind);
 * ```
 *
 * @throws Error for damaged or cut bytes, and for zstd on a Node without it.
 */
export async function* decompressed(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let start: Uint8Array = new Uint8Array();
  let decoder: Transform | undefined;
  const source = (Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]()) as
    | AsyncIterator<Uint8Array>
    | Iterator<Uint8Array>;
  try {
    while (start.length < MARK) {
      const { done, value } = await source.next();
      if (done) break;
      start = start.length === 0 ? value : Buffer.concat([start, value]);
    }
    decoder = decoderOf(compressionOf(start));
    const rest = restOf(start, source);
    if (decoder === undefined) yield* rest;
    else yield* inflated(rest, decoder);
  } finally {
    decoder?.destroy();
    await source.return?.();
  }
}

async function* restOf(
  start: Uint8Array,
  source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (start.length > 0) yield start;
  for (let step = await source.next(); !step.done; step = await source.next()) yield step.value;
}

async function* inflated(
  pieces: AsyncIterable<Uint8Array>,
  decoder: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = Readable.from(pieces, { objectMode: false });
  source.on("error", (error) => decoder.destroy(error));
  try {
    yield* source.pipe(decoder) as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
  }
}

function decoderOf(compression: Compression | undefined): Transform | undefined {
  if (compression === "gzip") return zlib.createGunzip({ chunkSize: 1 << 16 });
  if (compression === undefined) return undefined;
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
  if (createZstdDecompress !== undefined) return createZstdDecompress();
  throw new Error(`zstd needs Node 22.15, 23.8 or later, got ${process.versions.node}; "zstd -d" unpacks it`);
}
