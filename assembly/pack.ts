/** Between plain row-major and gemm's panels. Strides in bytes. */
import { padded, rowOf } from "./gemm";

/** The 4x4 block of four rows, transposed, to dst. */
// @ts-ignore: decorator
@inline
function transpose4(s0: usize, s1: usize, s2: usize, s3: usize, dst: usize, ldd: usize): void {
  const r0 = v128.load(s0);
  const r1 = v128.load(s1);
  const r2 = v128.load(s2);
  const r3 = v128.load(s3);
  const t0 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
  const t1 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
  const t2 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
  const t3 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  v128.store(dst, i64x2.shuffle(t0, t2, 0, 2));
  v128.store(dst + ldd, i64x2.shuffle(t0, t2, 1, 3));
  v128.store(dst + ldd * 2, i64x2.shuffle(t1, t3, 0, 2));
  v128.store(dst + ldd * 3, i64x2.shuffle(t1, t3, 1, 3));
}

/**
 * dst(n,m) = src(m,n)^T   row-major f32; lds: see rowOf
 * dst must have storage for m and n rounded up to 4, src for n: the padding of m repeats the last row.
 */
export function transpose(m: i32, n: i32, src: usize, lds: usize, dst: usize, ldd: usize): void {
  const last = m - 1;
  for (let i = 0; i < m; i += 4) {
    const s0 = rowOf(src, lds, i);
    const s1 = rowOf(src, lds, min(i + 1, last));
    const s2 = rowOf(src, lds, min(i + 2, last));
    const s3 = rowOf(src, lds, min(i + 3, last));
    let d = dst + (usize(i) << 2);
    for (let j: usize = 0; j < usize(n) << 2; j += 16) {
      transpose4(s0 + j, s1 + j, s2 + j, s3 + j, d, ldd);
      d += ldd << 2;
    }
  }
}

/** dst = panels of src(m,n): [n/16][m][16]. Requires n = padded(n). */
export function packPanels(m: i32, n: i32, src: usize, lds: usize, dst: usize): void {
  for (let j = 0; j < n; j += 16) {
    const width = min(16, n - j) << 2;
    let s = src + (usize(j) << 2);
    for (let i = 0; i < m; i++) {
      for (let x = 0; x < width; x += 16) v128.store(dst + x, v128.load(s + x));
      s += lds;
      dst += width;
    }
  }
}

/**
 * Rows row.. row+n-1 of panels of src(m,n)^T, which have `rows` rows each.
 * src must have storage for padded(m) rows; n % 4 == 0.
 */
export function packTransposed(m: i32, n: i32, src: usize, lds: usize, dst: usize, rows: i32, row: i32): void {
  const columns = padded(m);
  for (let i = 0; i < columns; i += 4) {
    const panel = i & ~15;
    const width = usize(min(16, columns - panel)) << 2;
    const d = dst + (usize(panel) << 2) * rows + width * row + (usize(i - panel) << 2);
    transpose(4, n, src + usize(i) * lds, lds, d, width);
  }
}

/** Where element (i, j) of a matrix in panels of `rows` rows and padded n columns lies, in bytes from its start. */
export function panelOffset(rows: i32, n: i32, i: i32, j: i32): usize {
  const panel = j & ~15;
  const width = min(16, padded(n) - panel);
  return (usize(panel) * rows + usize(i) * width + usize(j - panel)) << 2;
}
