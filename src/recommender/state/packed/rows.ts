/** Rows of a chunk, a power of two: of rows of numbers, and of single cells. */
const ROWS_BITS = 6;
const CELLS_BITS = 9;

/** What chunks are made of. */
interface Chunk {
  slice(): Chunk;
}

/** A picture of rows. */
export type RowsPicture<A extends Chunk> = Pick<Rows<A>, "of" | "at" | "size">;

/**
 * Rows of items at dense slots, in chunks, so that growing copies nothing. A picture shares the chunks; what changes
 * afterwards is copied first, a chunk at a time.
 */
export class Rows<A extends Chunk> {
  readonly size: number;
  readonly #make: (length: number) => A;
  readonly #bits: number;
  readonly #chunks: A[] = [];
  readonly #isShared: boolean[] = [];

  /** @param size - Items in a row. */
  constructor(size: number, make: (length: number) => A, bits = ROWS_BITS) {
    this.size = size;
    this.#make = make;
    this.#bits = bits;
  }

  /** The items among which the row of a slot stands, from `at(slot)`: to read only. */
  of(slot: number): A {
    return this.#chunks[slot >>> this.#bits]!;
  }

  at(slot: number): number {
    return (slot & ((1 << this.#bits) - 1)) * this.size;
  }

  /** The same, to be written; makes missing rows, of zeros. */
  write(slot: number): A {
    const index = slot >>> this.#bits;
    while (this.#chunks.length <= index) {
      this.#chunks.push(this.#make(this.size << this.#bits));
      this.#isShared.push(false);
    }
    if (this.#isShared[index]) {
      this.#chunks[index] = this.#chunks[index]!.slice() as A;
      this.#isShared[index] = false;
    }
    return this.#chunks[index]!;
  }

  /** A picture of all rows. */
  share(): RowsPicture<A> {
    this.#isShared.fill(true);
    const chunks = this.#chunks.slice();
    return { size: this.size, of: (slot) => chunks[slot >>> this.#bits]!, at: (slot) => this.at(slot) };
  }
}

/** Rows of numbers, for which single ones can be wiped and moved. */
class NumberRows<A extends Float32Array | Float64Array> extends Rows<A> {
  /** Wipes a row. */
  clear(slot: number): void {
    const at = this.at(slot);
    this.write(slot).fill(0, at, at + this.size);
  }

  /** Copies the row of a slot to another one. */
  move(from: number, to: number): void {
    const at = this.at(from);
    this.write(to).set(this.of(from).subarray(at, at + this.size), this.at(to));
  }
}

export type { NumberRows };

/** Rows of 32-bit numbers. */
export function floatRows(size: number): NumberRows<Float32Array> {
  return new NumberRows(size, (length) => new Float32Array(length));
}

/** Rows of 64-bit numbers. */
export function doubleRows(size: number): NumberRows<Float64Array> {
  return new NumberRows(size, (length) => new Float64Array(length));
}

/** Single items by slot. */
export class Cells<T, A extends Chunk & Record<number, T>> {
  readonly #rows: Rows<A>;

  constructor(make: (length: number) => A) {
    this.#rows = new Rows(1, make, CELLS_BITS);
  }

  get(slot: number): T {
    return this.#rows.of(slot)[this.#rows.at(slot)]!;
  }

  /** The item of a slot, that of an empty one where it was never set. */
  made(slot: number): T {
    return this.#rows.write(slot)[this.#rows.at(slot)]!;
  }

  set(slot: number, item: T): void {
    this.#rows.write(slot)[this.#rows.at(slot)] = item as A[number];
  }

  /** The items of now. */
  picture(): (slot: number) => T {
    const rows = this.#rows.share();
    return (slot) => rows.of(slot)[rows.at(slot)]!;
  }
}

/** Cells of integers below 2^32, of times, and of texts. */
export function words(): Cells<number, Uint32Array> {
  return new Cells((length) => new Uint32Array(length));
}

export function doubles(): Cells<number, Float64Array> {
  return new Cells((length) => new Float64Array(length));
}

export function texts(): Cells<string, string[]> {
  return new Cells((length) => new Array<string>(length).fill(""));
}
