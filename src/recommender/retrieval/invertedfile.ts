/**
 * Vectors are summed as whole numbers of 2^-20, within 2^15: then a sum is exact, whatever the order of additions and
 * removals.
 */
const FRACTION = 1_048_576;
const LARGEST = 32_768;

import type { NumberRows } from "../state/index.js";

type Matrix = Pick<NumberRows<Float32Array>, "of" | "at">;

/** Rows of one name, and the sum of their vectors. */
interface Cell {
  readonly name: string;
  readonly rows: number[];
  readonly sum: Float64Array;
}

/**
 * Rows of a matrix in cells by name, such as a category; a search starts with the cells whose mean is nearest to a
 * vector: an inverted file (Jegou, Douze & Schmid 2011, "Product quantization for nearest neighbor search") whose lists
 * need no training.
 */
export class InvertedFile {
  readonly #size: number;
  readonly #cells = new Map<string, Cell>();
  /** By row: its cell, and its place there. */
  readonly #of: (Cell | undefined)[] = [];
  readonly #places: number[] = [];
  #rows = 0;

  /** @param size - Numbers in a row. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Adds a row in no cell to the cell of a name. */
  add(row: number, name: string, matrix: Matrix): void {
    let cell = this.#cells.get(name);
    if (cell === undefined) {
      cell = { name, rows: [], sum: new Float64Array(this.#size) };
      this.#cells.set(name, cell);
    }
    this.#of[row] = cell;
    this.#places[row] = cell.rows.length;
    cell.rows.push(row);
    this.#sum(cell, row, matrix, 1);
    this.#rows++;
  }

  /** Removes a row whose numbers have not changed since it was added; ignores a row in no cell. */
  delete(row: number, matrix: Matrix): void {
    const cell = this.#of[row];
    if (cell === undefined) return;
    this.#sum(cell, row, matrix, -1);
    const last = cell.rows.pop()!;
    if (last !== row) {
      cell.rows[this.#places[row]!] = last;
      this.#places[last] = this.#places[row]!;
    }
    if (cell.rows.length === 0) this.#cells.delete(cell.name);
    this.#of[row] = undefined;
    this.#rows--;
  }

  /** Moves the row `from` to the row `to`, which is in no cell. */
  move(from: number, to: number): void {
    const cell = this.#of[from];
    if (cell === undefined) return;
    cell.rows[this.#places[from]!] = to;
    this.#of[to] = cell;
    this.#places[to] = this.#places[from]!;
    this.#of[from] = undefined;
  }

  /** Lists of rows by cell, the mean nearest to the vector first, ties by the lower name. */
  nearest(vector: Float64Array): (readonly number[])[] {
    const scored = Array.from(this.#cells.values(), (cell) => {
      let product = 0;
      for (let i = 0; i < this.#size; i++) product += cell.sum[i]! * vector[i]!;
      return { cell, product: product / cell.rows.length };
    });
    scored.sort((a, b) => b.product - a.product || (a.cell.name < b.cell.name ? -1 : 1));
    return scored.map(({ cell }) => cell.rows);
  }

  /** Rows in all cells. */
  get size(): number {
    return this.#rows;
  }

  #sum({ sum }: Cell, row: number, matrix: Matrix, sign: 1 | -1): void {
    const [numbers, start] = [matrix.of(row), matrix.at(row)];
    for (let i = 0; i < this.#size; i++) {
      const bounded = Math.min(Math.max(numbers[start + i]!, -LARGEST), LARGEST);
      sum[i]! += sign * Math.round(bounded * FRACTION);
    }
  }
}
