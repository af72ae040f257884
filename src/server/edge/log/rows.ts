import type { DecisionRows } from "../../../recommender/index.js";

/** The arrays of `DecisionRows`, as their record says them in JSON: lengths, and the place of each row of the slate. */
export interface RowsHead {
  readonly observation: number;
  readonly offered: number;
  /** For each row of the slate and of others the row of `next` that it equals; -1: it stands by itself. */
  readonly same: readonly number[];
  /** Floats of a row. */
  readonly size: number;
  readonly next: { readonly length: number; readonly slate?: number; readonly lateness?: number } | undefined;
}

const WORD = 32;

/**
 * The rows of a decision as bytes: half of the numbers are 0, and most streams of a slate are among the best that follow, so
 * bits say which words are not 0, and a row that is there already is named.
 */
export function packRows(
  { observation, candidates, offered, next }: DecisionRows,
  count: number,
): { head: RowsHead; bytes: Uint8Array } {
  const rows = count + offered;
  const size = rows === 0 ? 0 : candidates.length / rows;
  const words = wordsOf(candidates);
  const known = next === undefined ? new Uint32Array(0) : wordsOf(next.candidates);
  const same: number[] = [];
  const own: Uint32Array[] = [];
  for (let row = 0; row < rows; row++) {
    const at = words.subarray(row * size, (row + 1) * size);
    const found = indexOfRow(known, at);
    same.push(found);
    if (found < 0) own.push(at);
  }
  const ahead = next && {
    length: known.length,
    ...(next.slate !== undefined && { slate: next.slate }),
    ...(next.lateness !== undefined && { lateness: next.lateness }),
  };
  const head: RowsHead = { observation: observation.length, offered, same, size, next: ahead };
  return { head, bytes: packWords([wordsOf(observation), known, ...own]) };
}

/** The rows of such bytes, to the bit. */
export function unpackRows({ observation, offered, same, size, next }: RowsHead, bytes: Uint8Array): DecisionRows {
  const own = same.filter((row) => row < 0).length;
  const length = observation + (next?.length ?? 0) + own * size;
  const words = unpackWords(bytes, length);
  const known = words.subarray(observation, observation + (next?.length ?? 0));
  const candidates = new Uint32Array(same.length * size);
  let at = observation + known.length;
  for (const [row, found] of same.entries()) {
    const from = found < 0 ? words.subarray(at, at + size) : known.subarray(found * size, (found + 1) * size);
    if (found < 0) at += size;
    candidates.set(from, row * size);
  }
  return {
    observation: floatsOf(words.slice(0, observation)),
    candidates: floatsOf(candidates),
    offered,
    next: next && { candidates: floatsOf(known.slice()), ...lessLength(next) },
  };
}

function lessLength({
  length: _,
  ...rest
}: NonNullable<RowsHead["next"]>): Omit<NonNullable<RowsHead["next"]>, "length"> {
  return rest;
}

function wordsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

function floatsOf({ buffer, byteOffset, length }: Uint32Array): Float32Array {
  return new Float32Array(buffer, byteOffset, length);
}

/** Which row of some rows equals another one; -1: none. */
function indexOfRow(rows: Uint32Array, row: Uint32Array): number {
  const size = row.length;
  for (let start = 0, index = 0; start + size <= rows.length && size > 0; start += size, index++) {
    let i = 0;
    while (i < size && rows[start + i] === row[i]) i++;
    if (i === size) return index;
  }
  return -1;
}

/** Bits of the words that are not 0, then those words. */
function packWords(arrays: readonly Uint32Array[]): Uint8Array {
  const length = arrays.reduce((sum, array) => sum + array.length, 0);
  const masks = Math.ceil(length / WORD);
  const packed = new Uint32Array(masks + length);
  let at = 0;
  let used = masks;
  for (const array of arrays) {
    for (let i = 0; i < array.length; i++, at++) {
      if (array[i] === 0) continue;
      packed[at >>> 5]! |= 1 << (at & 31);
      packed[used++] = array[i]!;
    }
  }
  return new Uint8Array(packed.buffer, 0, used * 4);
}

function unpackWords(bytes: Uint8Array, length: number): Uint32Array {
  // A copy: records lie at any address.
  const packed = new Uint32Array(bytes.slice().buffer);
  const words = new Uint32Array(length);
  let used = Math.ceil(length / WORD);
  for (let at = 0; at < length; at++) if ((packed[at >>> 5]! >>> (at & 31)) & 1) words[at] = packed[used++]!;
  return words;
}
