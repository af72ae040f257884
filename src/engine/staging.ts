import { INPUT_MAX } from "../../assembly/abi.js";
import { bounded, mustBe, show } from "../check/index.js";
import type { Bounds, SparseOptions } from "./options.js";

/** Dense numbers with index inputs beside them; for agents with the option `sparse`. */
export interface SparseInput {
  /** Dense numbers in [-1e6, 1e6], or the range of `storage`, row by row. May be absent if there are none. */
  dense?: ArrayLike<number>;
  /**
   * Indices in [0, size - 1], at most `slots` of them; for n rows (n, slots), -1 where a slot is not used. Their order
   * does not matter, and the weights of an index that comes twice are added.
   */
  indices: ArrayLike<number>;
  /** A number in [-1e6, 1e6] for each index. Default: all 1. */
  weights?: ArrayLike<number>;
}

/** An observation, or rows of candidates one after the other: numbers in [-1e6, 1e6], or the range of `storage`. */
export type AgentInput = ArrayLike<number> | SparseInput;

/** The staged rows of one input in Wasm memory: dense numbers, then indices, then their weights. */
export class Staged {
  readonly floats: Float32Array;
  /** Words of 4 bytes in a row. */
  readonly words: number;
  readonly #name: string;
  readonly #dense: number;
  readonly #sparse: SparseOptions | undefined;
  readonly #bounds: Bounds;
  readonly #integers: Int32Array;

  /**
   * @param name - For messages.
   * @param bounds - Of dense numbers.
   */
  constructor(name: string, floats: Float32Array, dense: number, sparse: SparseOptions | undefined, bounds: Bounds) {
    this.#name = name;
    this.floats = floats;
    this.#integers = new Int32Array(floats.buffer, floats.byteOffset, floats.length);
    this.#dense = dense;
    this.#sparse = sparse;
    this.#bounds = bounds;
    this.words = dense + 2 * (sparse?.slots ?? 0);
  }

  /** Writes exactly one row. */
  writeOne(input: AgentInput): void {
    if (this.#sparse) this.#writeOneSparse(input, this.#sparse);
    else {
      const { length } = requireNumbers(this.#name, input);
      if (length !== this.#dense)
        throw new RangeError(`"${this.#name}" must hold ${this.#dense} numbers, got ${length}`);
      if (!isView(input as ArrayLike<number>, this.floats)) this.floats.set(input as ArrayLike<number>);
    }
  }

  /** Writes up to `most` rows and returns how many. */
  writeRows(input: AgentInput, most: number): number {
    if (this.#sparse) return this.#writeSparse(input, this.#sparse, most);
    const source = requireNumbers(this.#name, input);
    const rows = source.length / this.#dense;
    if (!Number.isInteger(rows) || rows > most) {
      const must = `at most ${most} rows of ${this.#dense} numbers`;
      throw new RangeError(`"${this.#name}" must hold ${must}, got ${source.length} numbers`);
    }
    if (!isView(source, this.floats)) this.floats.set(source);
    return rows;
  }

  /** Copies row i of other staged rows. */
  copyRow(from: Staged, i: number): void {
    const at = i * this.words;
    // As integers: NaN payloads keep their bits.
    for (let j = 0; j < this.words; j++) this.#integers[j] = from.#integers[at + j]!;
  }

  /** Throws for the first number out of bounds, with the caller's value. */
  refuse(input: AgentInput): never {
    const { low, high, must } = this.#bounds;
    const i = this.floats.findIndex((x, word) => word % this.words < this.#dense && !(x >= low && x <= high));
    const isSparse = this.#sparse !== undefined;
    if (i < 0) throw new RangeError(`"${this.#name}.weights" of one index must add up to a number ${BOUNDS}`);
    const dense = isSparse ? (input as SparseInput).dense : (input as ArrayLike<number>);
    const at = isSparse ? Math.floor(i / this.words) * this.#dense + (i % this.words) : i;
    const name = `${this.#name}${isSparse ? ".dense" : ""}[${at}]`;
    throw mustBe(name, must, dense?.[at]);
  }

  /** One row may give fewer indices than there are slots. */
  #writeOneSparse(input: AgentInput, sparse: SparseOptions): void {
    const { dense = EMPTY, indices, weights } = requireSparse(this.#name, input);
    this.#checkLengths(dense.length, this.#dense, indices.length, sparse.slots, weights);
    this.#writeRow(0, sparse, dense, 0, indices, 0, indices.length, weights);
  }

  #checkLengths(
    dense: number,
    denseMust: number,
    indices: number,
    slots: number,
    weights: ArrayLike<number> | undefined,
  ): void {
    const name = this.#name;
    if (dense !== denseMust) throw new RangeError(`"${name}.dense" must hold ${denseMust} numbers, got ${dense}`);
    if (indices > slots) throw new RangeError(`"${name}.indices" must hold at most ${slots} indices, got ${indices}`);
    if (weights && weights.length !== indices) {
      throw new RangeError(`"${name}.weights" must hold ${indices} numbers, one for each index, got ${weights.length}`);
    }
  }

  #writeSparse(input: AgentInput, sparse: SparseOptions, most: number): number {
    // No candidates at all may be written as [].
    const given = (input as ArrayLike<number>)?.length === 0 ? NO_ROWS : input;
    const { dense = EMPTY, indices, weights } = requireSparse(this.#name, given);
    const { slots } = sparse;
    const rows = indices.length / slots;
    if (!Number.isInteger(rows) || rows > most) {
      const must = `at most ${most} rows of ${slots} indices`;
      throw new RangeError(`"${this.#name}.indices" must hold ${must}, got ${indices.length}`);
    }
    this.#checkLengths(dense.length, rows * this.#dense, indices.length, indices.length, weights);
    for (let i = 0; i < rows; i++) {
      this.#writeRow(i, sparse, dense, i * this.#dense, indices, i * slots, slots, weights);
    }
    return rows;
  }

  /** Row i of words: dense numbers, then `count` indices in rising order without repetition, then their weights. */
  #writeRow(
    i: number,
    { slots, size }: SparseOptions,
    dense: ArrayLike<number>,
    denseAt: number,
    indices: ArrayLike<number>,
    at: number,
    count: number,
    weights: ArrayLike<number> | undefined,
  ): void {
    const row = i * this.words;
    const { floats } = this;
    const integers = this.#integers;
    for (let j = 0; j < this.#dense; j++) floats[row + j] = dense[denseAt + j]!;
    const first = row + this.#dense;
    let used = 0;
    let last = -1;
    for (let j = at; j < at + count; j++) {
      const index = indices[j]!;
      const weight = this.#weight(weights, j);
      if (index === -1) continue;
      if (index >>> 0 !== index || index >= size) {
        const must = `an integer in [0, ${size - 1}], or -1 for none`;
        throw mustBe(`${this.#name}.indices[${j}]`, must, index);
      }
      // Most come in rising order.
      if (index > last) {
        last = index;
        integers[first + used] = index;
        floats[first + used++ + slots] = weight;
      } else used = this.#insert(first, used, slots, index, weight);
    }
    for (let k = first + used; k < first + slots; k++) integers[k] = integers[k + slots] = 0;
  }

  #weight(weights: ArrayLike<number> | undefined, j: number): number {
    const weight = weights ? weights[j]! : 1;
    if (typeof weight === "number" && Math.abs(weight) <= INPUT_MAX) return weight;
    throw mustBe(`${this.#name}.weights[${j}]`, BOUNDS, weight);
  }

  /** Inserts an index into `used` sorted ones, or adds to its weight if it is there; returns the new count. Requires last >= index. */
  #insert(first: number, used: number, slots: number, index: number, weight: number): number {
    const { floats } = this;
    const integers = this.#integers;
    let at = first + used;
    while (at > first && integers[at - 1]! >= index) at--;
    if (integers[at] === index) {
      floats[at + slots]! += weight;
      return used;
    }
    for (let k = first + used; k > at; k--) {
      integers[k] = integers[k - 1]!;
      floats[k + slots] = floats[k + slots - 1]!;
    }
    integers[at] = index;
    floats[at + slots] = weight;
    return used + 1;
  }
}

const EMPTY: readonly number[] = [];
const NO_ROWS: SparseInput = { indices: EMPTY };

const BOUNDS = bounded(INPUT_MAX);

function requireNumbers(name: string, input: AgentInput): ArrayLike<number> {
  if (typeof (input as ArrayLike<number>)?.length === "number") {
    if (Array.isArray(input)) requireElements(name, input);
    return input as ArrayLike<number>;
  }
  throw new TypeError(`"${name}" must be an array of numbers, got ${show(input)}`);
}

/** JSON writes NaN as null, which would be read as 0. */
function requireElements(name: string, input: readonly unknown[]): void {
  for (let i = 0; i < input.length; i++) {
    if (typeof input[i] !== "number") throw new TypeError(`"${name}[${i}]" must be a number, got ${show(input[i])}`);
  }
}

function requireSparse(name: string, input: AgentInput): SparseInput {
  if (typeof (input as SparseInput)?.indices === "object") {
    const { dense } = input as SparseInput;
    if (Array.isArray(dense)) requireElements(`${name}.dense`, dense);
    return input as SparseInput;
  }
  const got = typeof (input as ArrayLike<number>)?.length === "number" ? "an array" : show(input);
  throw new TypeError(`"${name}" must be { dense, indices, weights }, for the option "sparse", got ${got}`);
}

/** Whether a source is the target itself, so that nothing needs copying. */
function isView(source: ArrayLike<number>, target: Float32Array): boolean {
  return (
    source === target ||
    (source instanceof Float32Array && source.buffer === target.buffer && source.byteOffset === target.byteOffset)
  );
}

/** Writes flags, 0 or 1; all 1 without a source. */
export function writeMask(name: string, source: ArrayLike<number> | undefined, target: Uint8Array): void {
  if (source === undefined) {
    target.fill(1);
    return;
  }
  if (source.length !== target.length) {
    throw new RangeError(`"${name}" must hold ${target.length} flags, got ${source.length}`);
  }
  for (let i = 0; i < target.length; i++) target[i] = source[i] ? 1 : 0;
}
