import { log, pow, type Random } from "../../numeric/index.js";
import type { Counted } from "./counts.js";

/** A sparse square matrix: row i has `values` from `start[i]` to `start[i + 1]`, in `columns`. */
export interface Sparse {
  readonly rows: number;
  readonly start: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/**
 * Positive pointwise mutual information: how much more often than by chance two words are near each other,
 * max(0, ln(n(w, c) S / (n(w) n(c)^smoothing))), with S the sum of the powers. Row w, column c.
 *
 * Levy, Goldberg & Dagan 2015, "Improving Distributional Similarity with Lessons Learned from Word Embeddings": with
 * smoothing .75 rare neighbours do not get the largest values.
 */
export function mutualInformation({ words, pairs }: Pick<Counted, "words" | "pairs">, smoothing: number): Sparse {
  const n = words.length;
  const sums = new Float64Array(n);
  const start = new Int32Array(n + 1);
  for (const [a, b, count] of pairs) {
    for (const word of [a, b]) {
      sums[word]! += count;
      start[word + 1]!++;
    }
  }
  for (let i = 0; i < n; i++) start[i + 1]! += start[i]!;
  const powers = sums.map((sum) => (sum > 0 ? pow(sum, smoothing) : 0));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const columns = new Int32Array(start[n]!);
  const values = new Float64Array(start[n]!);
  const next = start.slice(0, n);
  const put = (row: number, column: number, count: number) => {
    const at = next[row]!++;
    columns[at] = column;
    values[at] = Math.max(log((count * total) / (sums[row]! * powers[column]!)), 0);
  };
  for (const [a, b, count] of pairs) {
    put(a, b, count);
    put(b, a, count);
  }
  return { rows: n, start, columns, values };
}

/** M x */
function times({ rows, start, columns, values }: Sparse, x: Float64Array): Float64Array {
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let at = start[i]!; at < start[i + 1]!; at++) sum += values[at]! * x[columns[at]!]!;
    y[i] = sum;
  }
  return y;
}

/** M^T x */
function transposedTimes({ rows, start, columns, values }: Sparse, x: Float64Array): Float64Array {
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let at = start[i]!; at < start[i + 1]!; at++) y[columns[at]!]! += values[at]! * x[i]!;
  }
  return y;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** A vector whose remaining share of its length is below this is mostly rounding error: half the digits. */
const DEPENDENT = 1e-8;

/** Makes vectors orthonormal in place (modified Gram-Schmidt); vectors that depend on earlier ones become 0. */
function orthonormal(vectors: Float64Array[]): Float64Array[] {
  for (const [i, vector] of vectors.entries()) {
    const before = Math.sqrt(dot(vector, vector));
    for (let j = 0; j < i; j++) {
      const other = vectors[j]!;
      const common = dot(vector, other);
      for (let k = 0; k < vector.length; k++) vector[k]! -= common * other[k]!;
    }
    const length = Math.sqrt(dot(vector, vector));
    const scale = length > DEPENDENT * before ? 1 / length : 0;
    for (let k = 0; k < vector.length; k++) vector[k]! *= scale;
  }
  return vectors;
}

/** Most sweeps: five to ten are enough. */
const SWEEPS = 50;

/** Rotates rows p and q of a symmetric matrix so that element (p, q) becomes 0, and the vectors with them. */
function rotate(matrix: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const [app, aqq, apq] = [matrix[p]![p]!, matrix[q]![q]!, matrix[p]![q]!];
  const theta = (aqq - app) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of matrix) {
    const [x, y] = [row[p]!, row[q]!];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  for (const rows of [matrix, vectors]) {
    const [one, other] = [rows[p]!, rows[q]!];
    for (let k = 0; k < one.length; k++) {
      const [x, y] = [one[k]!, other[k]!];
      one[k] = c * x - s * y;
      other[k] = s * x + c * y;
    }
  }
  matrix[p]![q] = matrix[q]![p] = 0;
}

/**
 * The eigenvalues of a small symmetric matrix, largest first, and their eigenvectors. Destroys the matrix.
 *
 * Cyclic Jacobi (1846): only + - * / and roots, so the same bits everywhere.
 */
export function eigen(matrix: Float64Array[]): { values: number[]; vectors: Float64Array[] } {
  const n = matrix.length;
  const vectors = matrix.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  let diagonal = 0;
  for (let i = 0; i < n; i++) diagonal += Math.abs(matrix[i]![i]!);
  for (let sweep = 0, moved = true; moved && sweep < SWEEPS; sweep++) {
    moved = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(matrix[p]![q]!) <= 1e-17 * diagonal) continue;
        rotate(matrix, vectors, p, q);
        moved = true;
      }
    }
  }
  const order = [...matrix.keys()].sort((a, b) => matrix[b]![b]! - matrix[a]![a]! || a - b);
  return { values: order.map((i) => matrix[i]![i]!), vectors: order.map((i) => vectors[i]!) };
}

/** Number of spare vectors beyond `rank`, and of passes through the matrix and back. [set by hand] */
const SPARE = 8;
const PASSES = 12;

/**
 * The largest singular values of a matrix, largest first, and their left singular vectors; at most `rank`, and at most
 * one for each row.
 *
 * Random vectors pass through the matrix and back, made orthonormal each time, until they span the leading subspace, in
 * which the problem is small. Halko, Martinsson & Tropp 2011, arXiv:0909.4061. Values below 1e-7 of the largest are lost
 * in rounding.
 */
export function singular(matrix: Sparse, rank: number, random: Random): { values: number[]; vectors: Float64Array[] } {
  const n = matrix.rows;
  const width = Math.min(n, rank + SPARE);
  const first = Array.from({ length: width }, () => Float64Array.from({ length: n }, () => random.normal()));
  let basis = orthonormal(first.map((x) => times(matrix, x)));
  let images = basis;
  for (let pass = 0; pass <= PASSES; pass++) {
    images = basis.map((x) => transposedTimes(matrix, x));
    if (pass < PASSES) basis = orthonormal(orthonormal(images).map((x) => times(matrix, x)));
  }
  const small = images.map((a) => Float64Array.from(images, (b) => dot(a, b)));
  const { values, vectors } = eigen(small);
  const count = Math.min(rank, width);
  return {
    values: values.slice(0, count).map((value) => Math.sqrt(Math.max(value, 0))),
    vectors: vectors.slice(0, count).map((weights) => {
      const vector = new Float64Array(n);
      for (const [j, x] of basis.entries()) for (let i = 0; i < n; i++) vector[i]! += weights[j]! * x[i]!;
      return vector;
    }),
  };
}
