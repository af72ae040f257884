/** Products of rows with rows, for a head on many rows: each has the bits of vector.ts's dot, whatever it is computed beside. */
import { dots2x4 } from "../.build/tiles";
import { dot, dot4 } from "./vector";

/** Scratch of a tile. */
const SUMS: usize = memory.data(128, 16);
/** A tile of the last outputs, two of four rows, and what it starts from. */
const TILE: usize = memory.data(32, 16);
const INIT: usize = memory.data(32, 16);

/**
 * q(m,n) = h(m,k) * W(n,k)^T + b   row-major f32, rows of h and W ldh and ldw bytes apart, none between rows of q
 * Requires m > 0, k % 4 == 0; q must not alias h, W or b.
 */
export function dotRows(
  m: i32,
  n: i32,
  k: i32,
  h: usize,
  ldh: usize,
  w: usize,
  ldw: usize,
  b: usize,
  q: usize,
): void {
  const ldq = usize(n) << 2;
  let j = 0;
  // Four outputs stay in the cache for all rows.
  for (; j + 4 <= n; j += 4) {
    let ph = h;
    let pq = q;
    let i = m;
    for (; i >= 2; i -= 2) {
      dots2x4(k, ph, ldh, w, ldw, SUMS, pq, ldq, b, 0);
      ph += ldh << 1;
      pq += ldq << 1;
    }
    if (i) {
      dot4(k, ph, w, ldw, pq);
      v128.store(pq, f32x4.add(v128.load(pq), v128.load(b)));
    }
    w += ldw << 2;
    b += 16;
    q += 16;
  }
  for (; j < n; j += 2) {
    const count = min(2, n - j);
    lastOutputs(count, m, k, h, ldh, w, ldw, b, q, ldq);
    w += ldw << 1;
    b += 8;
    q += 8;
  }
}

/** One or two outputs of all rows, four rows at a time. */
function lastOutputs(
  n: i32,
  m: i32,
  k: i32,
  h: usize,
  ldh: usize,
  w: usize,
  ldw: usize,
  b: usize,
  q: usize,
  ldq: usize,
): void {
  v128.store(INIT, v128.load32_splat(b));
  if (n == 2) v128.store(INIT, v128.load32_splat(b, 4), 16);
  for (; m >= 4; m -= 4) {
    if (n == 2) dots2x4(k, w, ldw, h, ldh, SUMS, TILE, 16, INIT, 16);
    else {
      dot4(k, w, h, ldh, TILE);
      v128.store(TILE, f32x4.add(v128.load(TILE), v128.load(INIT)));
    }
    for (let i: usize = 0; i < 16; i += 4) {
      store<f32>(q, load<f32>(TILE + i));
      if (n == 2) store<f32>(q, load<f32>(TILE + i, 16), 4);
      q += ldq;
    }
    h += ldh << 2;
  }
  for (; m > 0; m--) {
    for (let j: usize = 0; j < usize(n); j++) {
      store<f32>(q + (j << 2), dot(k, h, w + ldw * j) + load<f32>(b + (j << 2)));
    }
    h += ldh;
    q += ldq;
  }
}
