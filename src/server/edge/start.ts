import { Recommender, type RecommenderOptions } from "../../recommender/index.js";
import type { Checkpoints } from "../../storage/index.js";

/** What a server begins with. */
export interface Beginning {
  /** A file of its recommender. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** The sequence number of the first record that is not in it. */
  readonly sequence: number;
}

/** The newest checkpoint; without one a new recommender. @throws TypeError, RangeError for wrong options. */
export function beginning(checkpoints: Checkpoints | undefined, options: Partial<RecommenderOptions>): Beginning {
  const newest = checkpoints?.newest();
  if (newest !== undefined) {
    return { file: whole([...checkpoints!.read(newest)]), sequence: newest.sequence };
  }
  const recommender = new Recommender(options);
  const file = whole([recommender.save()]);
  recommender.dispose();
  return { file, sequence: 0 };
}

function whole(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((size, { byteLength }) => size + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}
