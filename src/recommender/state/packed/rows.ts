/** Rows of a chunk. */
const ROWS = 64;

type Numbers = Float32Array | Float64Array;

/**
 * Rows of numbers at dense slots, in chunks, so that growing copies nothing. A picture shares the chunks; what changes
 * afterwards is copied first, a chunk at a time.
 */
export class Rows<A extends Numbers> {
  readonly size: number;
  readonly #make: (length: number) => A;
  readonly #chunks: A[] = [];
  readonly #isShared: boolean[] = [];

  /** @param size - Numbers in a row. */
  constructor(size: number, make: (length: number) => A) {
    this.size = size;
    this.#make = make;
  }

  /** The numbers among which the row of a slot stands, from `at(slot)`: to read only. */
  of(slot: number): A {
    return this.#chunks[slot >>> 6]!;
  }

  at(slot: number): number {
    return (slot & (ROWS - 1)) * this.size;
  }

  /** The same, to be written; makes missing rows, of zeros. */
  write(slot: number): A {
    const index = slot >>> 6;
    while (this.#chunks.length <= index) {
      this.#chunks.push(this.#make(ROWS * this.size));
      this.#isShared.push(false);
    }
    if (this.#isShared[index]) {
      this.#chunks[index] = this.#chunks[index]!.slice() as A;
      this.#isShared[index] = false;
    }
    return this.#chunks[index]!;
  }

  /** Wipes a row. */
  clear(slot: number): void {
    const at = this.at(slot);
    this.write(slot).fill(0, at, at + this.size);
  }

  /** A picture of all rows. */
  share(): Pick<Rows<A>, "of" | "at" | "size"> {
    this.#isShared.fill(true);
    const chunks = this.#chunks.slice();
    return { size: this.size, of: (slot) => chunks[slot >>> 6]!, at: (slot) => this.at(slot) };
  }
}

/** Rows of 32-bit numbers. */
export function floatRows(size: number): Rows<Float32Array> {
  return new Rows(size, (length) => new Float32Array(length));
}

/** Rows of 64-bit numbers. */
export function doubleRows(size: number): Rows<Float64Array> {
  return new Rows(size, (length) => new Float64Array(length));
}
