/** Turns one value of a record into a few numbers, each finite and in [-LIMIT, LIMIT], or into indices. */
export interface Encoder {
  /** Numbers that it writes. */
  readonly width: number;
  /** What each of them is, within its column; the empty string for the only one. */
  readonly names: readonly string[];
  /** Indices that it writes, and how many there are: each is in [0, size - 1], or -1 where a slot is not used. */
  readonly slots: number;
  readonly size: number;
  /** Whether it can be used: what it measures on training data is known. */
  readonly fitted: boolean;
  /** What a value must be, in words. */
  readonly must: string;
  accepts(value: unknown): boolean;
  /** Measures training values, all of which are accepted; what was measured before is forgotten. */
  fit(values: readonly unknown[]): void;
  /** Goes on measuring while it serves; only encoders that say so do anything. */
  learn(value: unknown): void;
  /** Writes an accepted value: `width` numbers from `offset`. */
  write(value: unknown, row: Float32Array, offset: number): void;
  /** Writes an accepted value's indices: `slots` of them from `offset`. */
  writeIndices(value: unknown, indices: Int32Array, offset: number): void;
  /** The declaration with all that was measured, as plain values: an encoder made from it is the same. */
  save(): object;
}

/** No encoder writes a number beyond this: a value far outside of what was seen must not drown all others. [set by hand] */
export const LIMIT = 8;

/** `value` within [-LIMIT, LIMIT]. */
export function within(value: number): number {
  return Math.min(Math.max(value, -LIMIT), LIMIT);
}

/** What most encoders are: numbers only, nothing to measure. */
export abstract class Dense implements Encoder {
  abstract readonly names: readonly string[];
  abstract readonly must: string;
  readonly slots: number = 0;
  readonly size: number = 0;

  get width(): number {
    return this.names.length;
  }

  get fitted(): boolean {
    return true;
  }

  abstract accepts(value: unknown): boolean;
  fit(_values: readonly unknown[]): void {}
  learn(_value: unknown): void {}
  abstract write(value: unknown, row: Float32Array, offset: number): void;
  writeIndices(_value: unknown, _indices: Int32Array, _offset: number): void {}
  abstract save(): object;
}

/** Writes 1 at `at` and 0 at the other places of a row of `width`; nowhere 1 for -1. */
export function writeOne(row: Float32Array, offset: number, width: number, at: number): void {
  row.fill(0, offset, offset + width);
  if (at >= 0) row[offset + at] = 1;
}
