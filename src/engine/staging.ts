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
  /** Which of several inputs comes next, for messages. */
  index: number | undefined;
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

  get #label(): string {
    return this.index === undefined ? this.#name : `${this.#name}[${this.index}]`;
  }

  /** Writes exactly one row. */
  writeOne(input: AgentInput): void {
    if (this.#sparse) this.#writeOneSparse(input, this.#sparse);
    else {
      const { length } = requireNumbers(this.#label, input);
      if (length !== this.#dense)
        throw new RangeError(`"${this.#label}" must hold ${this.#dense} numbers, got ${length}`);
      if (!isView(input as ArrayLike<number>, this.floats)) this.floats.set(input as ArrayLike<number>);
    }
  }

  /** Writes up to `most` rows and returns how many. */
  writeRows(input: AgentInput, most: number): number {
    const rows = this.count(input, most);
    this.writeSome(input, 0, rows, 0);
    return rows;
  }

  /** How many rows an input has, at most `most`; of index inputs, all but the indices and weights is checked. */
  count(input: AgentInput, most: number): number {
    if (this.#sparse) return this.#countSparse(input, this.#sparse, most);
    const source = requireNumbers(this.#label, input);
    const rows = source.length / this.#dense;
    if (!Number.isInteger(rows) || rows > most) {
      const must = `${limit(most)}rows of ${this.#dense} numbers`;
      throw new RangeError(`"${this.#label}" must hold ${must}, got ${source.length} numbers`);
    }
    return rows;
  }

  /** Writes rows from..from+rows-1 of an input that was counted, from row `at` on. */
  writeSome(input: AgentInput, from: number, rows: number, at: number): void {
    if (this.#sparse) this.#writeSparse(input as SparseInput, this.#sparse, from, rows, at);
    else {
      const source = input as ArrayLike<number>;
      const [start, end] = [from * this.#dense, (from + rows) * this.#dense];
      if (at === 0 && end === source.length && from === 0) {
        if (!isView(source, this.floats)) this.floats.set(source);
      } else if (ArrayBuffer.isView(source)) {
        this.floats.set((source as unknown as Float32Array).subarray(start, end), at * this.#dense);
      } else for (let i = start, to = at * this.#dense; i < end; ) this.floats[to++] = source[i++]!;
    }
  }

  /** Copies row i of other staged rows. */
  copyRow(from: Staged, i: number): void {
    const at = i * this.words;
    // As integers: NaN payloads keep their bits.
    for (let j = 0; j < this.words; j++) this.#integers[j] = from.#integers[at + j]!;
  }

  /** Throws for the first number out of bounds, with the caller's value: of rows that came from row `from` of the caller's. */
  refuse(input: AgentInput, from = 0): never {
    return this.#refuse(input, from, 0, this.floats.length);
  }

  /** The same of several inputs, of which number `first` begins at row 0, and each has as many rows as `counts` says. */
  refuseAmong(inputs: readonly (AgentInput | undefined)[], first: number, counts: ArrayLike<number>): never {
    let start = 0;
    for (let s = first; ; s++) {
      this.index = s;
      const end = start + counts[s]!;
      if (s === counts.length - 1 || this.#bad(start, end) >= 0) this.#refuse(inputs[s]!, 0, start, end);
      start = end;
    }
  }

  #refuse(input: AgentInput, from: number, start: number, end: number): never {
    const i = this.#bad(start, end);
    const [row, word] = [Math.floor(i / this.words) - start + from, i % this.words];
    if (i < 0 || word >= this.#dense) {
      throw new RangeError(`"${this.#label}.weights" of one index must add up to a number ${BOUNDS}`);
    }
    const isSparse = this.#sparse !== undefined;
    const dense = isSparse ? (input as SparseInput).dense : (input as ArrayLike<number>);
    const at = row * this.#dense + word;
    throw mustBe(`${this.#label}${isSparse ? ".dense" : ""}[${at}]`, this.#bounds.must, dense?.[at]);
  }

  /** The first word of rows start..end-1 that is out of its bounds; -1 if none is. */
  #bad(start: number, end: number): number {
    const { low, high } = this.#bounds;
    const weights = this.words - (this.#sparse?.slots ?? 0);
    const last = Math.min(end * this.words, this.floats.length);
    for (let i = start * this.words; i < last; i++) {
      const x = this.floats[i]!;
      const word = i % this.words;
      if (word < this.#dense ? !(x >= low && x <= high) : word >= weights && !(Math.abs(x) <= INPUT_MAX)) return i;
    }
    return -1;
  }

  /** One row may give fewer indices than there are slots. */
  #writeOneSparse(input: AgentInput, sparse: SparseOptions): void {
    const { dense = EMPTY, indices, weights } = requireSparse(this.#label, input);
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
    const name = this.#label;
    if (dense !== denseMust) throw new RangeError(`"${name}.dense" must hold ${denseMust} numbers, got ${dense}`);
    if (indices > slots) throw new RangeError(`"${name}.indices" must hold at most ${slots} indices, got ${indices}`);
    if (weights && weights.length !== indices) {
      throw new RangeError(`"${name}.weights" must hold ${indices} numbers, one for each index, got ${weights.length}`);
    }
  }

  #countSparse(given: AgentInput, { slots }: SparseOptions, most: number): number {
    const { dense = EMPTY, indices, weights } = requireSparse(this.#label, given, true);
    const rows = indices.length / slots;
    if (!Number.isInteger(rows) || rows > most) {
      const must = `${limit(most)}rows of ${slots} indices`;
      throw new RangeError(`"${this.#label}.indices" must hold ${must}, got ${indices.length}`);
    }
    this.#checkLengths(dense.length, rows * this.#dense, indices.length, indices.length, weights);
    return rows;
  }

  #writeSparse(input: SparseInput, sparse: SparseOptions, from: number, rows: number, at: number): void {
    const { dense = EMPTY, indices, weights } = input;
    const { slots } = sparse;
    for (let i = 0; i < rows; i++) {
      this.#writeRow(at + i, sparse, dense, (from + i) * this.#dense, indices, (from + i) * slots, slots, weights);
    }
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
        throw mustBe(`${this.#label}.indices[${j}]`, must, index);
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
    throw mustBe(`${this.#label}.weights[${j}]`, BOUNDS, weight);
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

function requireSparse(name: string, input: AgentInput, isMany = false): SparseInput {
  // No candidates at all may be written as [].
  if (isMany && (input as ArrayLike<number>)?.length === 0) return NO_ROWS;
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

function limit(most: number): string {
  return Number.isFinite(most) ? `at most ${most} ` : "";
}
