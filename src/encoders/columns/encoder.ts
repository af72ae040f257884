import type { Rule } from "../../check/index.js";

/** Converts one value of a record to a few numbers, each finite and in [-LIMIT, LIMIT], or to indices. */
export interface Encoder {
  /** Number of numbers written. */
  readonly width: number;
  /** Name of each of them within its column; the empty string for a single one. */
  readonly names: readonly string[];
  /** Number of indices written; each is in [0, size - 1], or -1 for an unused slot. */
  readonly slots: number;
  readonly size: number;
  /** Whether the encoder is ready: everything it measures on training data is known. */
  readonly fitted: boolean;
  /** The requirement for values, in words. */
  readonly must: string;
  accepts(value: unknown): boolean;
  /** Measures training values, all of them accepted; forgets earlier measurements. */
  fit(values: readonly unknown[]): void;
  /** Measures one more value while serving; most encoders ignore it. */
  learn(value: unknown): void;
  /** Writes an accepted value: `width` numbers from `offset`. */
  write(value: unknown, row: Float32Array, offset: number): void;
  /** Writes the indices of an accepted value: `slots` of them from `offset`. */
  writeIndices(value: unknown, indices: Int32Array, offset: number): void;
  /** The declaration with all measurements, as plain values: an encoder made from it is the same. */
  save(): object;
}

/** No encoder writes a number beyond this: a value far outside the training values must not drown all others. [set by hand] */
export const LIMIT = 8;

/** `value` within [-LIMIT, LIMIT]. */
export function within(value: number): number {
  return Math.min(Math.max(value, -LIMIT), LIMIT);
}

/** Declarations name their kind; `FeatureSet` checks it. */
export const kind: Rule = [() => true, "a kind"];

/** The base of most encoders: numbers only, nothing to measure. */
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

/** Writes 1 at `at` and 0 at the other places of a row of `width`; all 0 if `at` is -1. */
export function writeOne(row: Float32Array, offset: number, width: number, at: number): void {
  row.fill(0, offset, offset + width);
  if (at >= 0) row[offset + at] = 1;
}
