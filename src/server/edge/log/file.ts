import { SnapshotError } from "../../../engine/index.js";

/** What a server's file holds: a file of its recommender, and what stands beside it. */
export interface EdgeFile {
  readonly recommender: Uint8Array;
  /** Of `Ranker.save`; undefined in a file of a recommender alone. */
  readonly rank?: Uint8Array | undefined;
  /** Of `Trials.save`; undefined in a file of a recommender alone. */
  readonly trials?: Uint8Array | undefined;
}

/** The first bytes of a server's file. No recommender's file begins so: the length of its head would be beyond all bounds. */
const MAGIC = new TextEncoder().encode("LIVEQSRV");
const HEAD = MAGIC.length + 8;

/** A server's file in chunks: the small parts with their lengths, and the recommender to the end. */
export function* edgeChunks(
  rank: Uint8Array,
  trials: Uint8Array,
  recommender: Iterable<Uint8Array>,
): Generator<Uint8Array, void> {
  const head = new Uint8Array(HEAD);
  head.set(MAGIC);
  const view = new DataView(head.buffer);
  view.setUint32(MAGIC.length, rank.byteLength, true);
  view.setUint32(MAGIC.length + 4, trials.byteLength, true);
  yield head;
  yield rank;
  yield trials;
  yield* recommender;
}

/** The parts of a server's file, as views; also of a recommender's file alone. @throws SnapshotError if it is cut off. */
export function openEdgeFile(file: Uint8Array): EdgeFile {
  if (!MAGIC.every((byte, i) => file[i] === byte)) return { recommender: file };
  if (file.byteLength < HEAD) throw new SnapshotError("the file is cut off");
  const view = new DataView(file.buffer, file.byteOffset);
  const first = HEAD + view.getUint32(MAGIC.length, true);
  const second = first + view.getUint32(MAGIC.length + 4, true);
  if (second > file.byteLength) throw new SnapshotError("the file is cut off");
  return { rank: file.subarray(HEAD, first), trials: file.subarray(first, second), recommender: file.slice(second) };
}

/** Pieces as one. */
export function whole(pieces: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const all = [...pieces];
  const bytes = new Uint8Array(all.reduce((size, { byteLength }) => size + byteLength, 0));
  let at = 0;
  for (const piece of all) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}
