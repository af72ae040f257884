/** Rows and columns of a tile. The registers hold 2 x 4 of its sums at a time. */
const TILE = 4;

/**
 * The inverse of a symmetric positive definite matrix, by Cholesky's decomposition in f64: A = L L^T, U = L^-T,
 * A^-1 = U U^T. Each of the three is made of inner products of rows, 4 x 4 at a time; n^3 multiplications in all.
 *
 * @param matrix - (n, n), row-major; only the lower triangle is read.
 * @returns (n, n), symmetric to the bit.
 * @throws RangeError where the matrix is not positive definite.
 */
export function inverse(matrix: Float64Array, n: number): Float64Array {
  // A border of the identity completes the last tiles and changes nothing.
  const size = Math.ceil(n / TILE) * TILE;
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    if (i < n) lower.set(matrix.subarray(i * n, i * n + i + 1), i * size);
    else lower[i * size + i] = 1;
  }
  decompose(lower, size);
  const upper = transposedInverse(lower, size);
  const result = new Float64Array(n * n);
  const sums = new Float64Array(TILE * TILE);
  for (let i = 0; i < size; i += TILE) {
    for (let j = 0; j <= i; j += TILE) {
      products(upper, i, upper, j, i, size, size, sums);
      for (let r = i; r < Math.min(i + TILE, n); r++) {
        for (let c = j; c < Math.min(j + TILE, r + 1); c++) {
          const sum = sums[(r - i) * TILE + c - j]!;
          result[r * n + c] = sum;
          result[c * n + r] = sum;
        }
      }
    }
  }
  return result;
}

/** Replaces the lower triangle of a matrix by L. */
function decompose(a: Float64Array, n: number): void {
  const sums = new Float64Array(TILE * TILE);
  for (let j = 0; j < n; j += TILE) {
    for (let i = j; i < n; i += TILE) {
      products(a, i, a, j, 0, j, n, sums);
      for (let c = j; c < j + TILE; c++) {
        for (let r = Math.max(i, c); r < i + TILE; r++) {
          let value = a[r * n + c]! - sums[(r - i) * TILE + c - j]!;
          for (let k = j; k < c; k++) value -= a[r * n + k]! * a[c * n + k]!;
          if (r > c) a[r * n + c] = value / a[c * n + c]!;
          else if (value > 0) a[r * n + c] = Math.sqrt(value);
          else throw new RangeError("the matrix must be positive definite");
        }
      }
    }
  }
}

/** U = L^-T: row j solves L x = e_j. */
function transposedInverse(lower: Float64Array, n: number): Float64Array {
  const upper = new Float64Array(n * n);
  const sums = new Float64Array(TILE * TILE);
  for (let j = 0; j < n; j += TILE) {
    for (let i = j; i < n; i += TILE) {
      products(lower, i, upper, j, j, i, n, sums);
      for (let r = j; r < j + TILE; r++) {
        for (let c = Math.max(i, r); c < i + TILE; c++) {
          let value = (r === c ? 1 : 0) - sums[(c - i) * TILE + r - j]!;
          for (let k = i; k < c; k++) value -= lower[c * n + k]! * upper[r * n + k]!;
          upper[r * n + c] = value / lower[c * n + c]!;
        }
      }
    }
  }
  return upper;
}

/** The inner products of rows i .. i + 3 of `a` with rows j .. j + 3 of `b` over the columns [from, to), (4, 4). */
function products(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  from: number,
  to: number,
  n: number,
  sums: Float64Array,
): void {
  for (let r = 0; r < TILE; r += 2) {
    let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
    let x = (i + r) * n + from;
    let y = j * n + from;
    for (const end = y + to - from; y < end; x++, y++) {
      const a0 = a[x]!;
      const a1 = a[x + n]!;
      const b0 = b[y]!;
      const b1 = b[y + n]!;
      const b2 = b[y + 2 * n]!;
      const b3 = b[y + 3 * n]!;
      s00 += a0 * b0;
      s01 += a0 * b1;
      s02 += a0 * b2;
      s03 += a0 * b3;
      s10 += a1 * b0;
      s11 += a1 * b1;
      s12 += a1 * b2;
      s13 += a1 * b3;
    }
    sums.set([s00, s01, s02, s03, s10, s11, s12, s13], r * TILE);
  }
}
