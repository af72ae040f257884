/**
 * One matrix product for forward, dX and dW: A row-major, B in panels.
 *
 * A panel holds 16 columns of B, all its rows one after the other: [rows][16], so that every k step reads one cache
 * line. N is padded (see padded()); what is left after the full panels is one panel of 8 or of 4 columns. Within a row
 * of C every element is one sequential sum over k, starting from its initial value: neither the tile that computes it
 * nor how its loop is unrolled shows in its bits. Inner loops: .build/tiles.ts, written by tiles.mjs.
 *
 * Compile with asc -O1: from -O3 (or --converge) on, Binaryen regroups the steps and spills.
 * Tile shapes: Goto & van de Geijn 2008; 2x16 leaves 15 usable xmm registers room on x86.
 */
import { panel16, panel16Unrolled, panel4, panel8, row32 } from "../.build/tiles";
import { announce, argument, begins, finish, hands, Job, WORTH } from "./crew";

/** What happens to an element of C before it is stored. */
export const NONE: i32 = 0;
/** c = max(c, 0), NaN kept. */
export const RELU: i32 = 1;
/** c = mask > 0 ? c : 0: the backward of ReLU, mask being its output. */
export const MASK: i32 = 2;

/** Whether full panels use the unrolled loop: for speed alone, both give the same bits. */
let isUnrolled: bool = false;

/** Chooses the loops of this instance. */
export function useUnrolled(yes: bool): void {
  isUnrolled = yes;
}

/** 128 zero bytes: the initial values of products that start from nothing. */
const ZEROS: usize = memory.data(128, 16);

/** n rounded up to what panels can hold: a multiple of 4 whose rest beyond full panels is 0, 4 or 8. */
export function padded(n: i32): i32 {
  const up = (n + 3) & ~3;
  return (up & 15) == 12 ? up + 4 : up;
}

/**
 * C(m,n) = epilogue(init(m,n) + A(m,k) * B(k,n))   row-major f32 with row strides in bytes; B in panels
 * B starts at row brow of panels of brows rows. init: 0 for zeros, ldi = 0 for one row (a bias) for all.
 * ldc = 0 stores C from row crow of panels of crows rows. MASK needs a mask of C's shape and stride.
 * Requires m, k > 0 and n = padded(n); ldi = 0 where init = 0; C must not alias A or B; C may alias init.
 */
export function gemm(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  lda: usize,
  b: usize,
  brows: i32,
  brow: i32,
  c: usize,
  ldc: usize,
  crows: i32,
  crow: i32,
  init: usize,
  ldi: usize,
  epilogue: i32,
  mask: usize,
): void {
  if (m < 8 || hands() == 0 || i64(m) * n * k < WORTH) {
    product(m, n, k, a, lda, b, brows, brow, c, ldc, crows, crow, init, ldi, epilogue, mask);
    return;
  }
  store<i32>(argument(0), m);
  store<i32>(argument(1), n);
  store<i32>(argument(2), k);
  store<usize>(argument(3), a);
  store<usize>(argument(4), lda);
  store<usize>(argument(5), b);
  store<i32>(argument(6), brows);
  store<i32>(argument(7), brow);
  store<usize>(argument(8), c);
  store<usize>(argument(9), ldc);
  store<i32>(argument(10), crows);
  store<i32>(argument(11), crow);
  store<usize>(argument(12), init);
  store<usize>(argument(13), ldi);
  store<i32>(argument(14), epilogue);
  store<usize>(argument(15), mask);
  announce(Job.Gemm);
  gemmShare(0);
  finish();
}

/** A share of the rows of the product that was announced. */
export function gemmShare(part: i32): void {
  const m = load<i32>(argument(0));
  const from = begins(m, part, 4);
  const count = begins(m, part + 1, 4) - from;
  if (count == 0) return;
  const row = usize(from);
  const lda = load<usize>(argument(4));
  const ldc = load<usize>(argument(9));
  const ldi = load<usize>(argument(13));
  const init = load<usize>(argument(12));
  product(
    count,
    load<i32>(argument(1)),
    load<i32>(argument(2)),
    load<usize>(argument(3)) + lda * row,
    lda,
    load<usize>(argument(5)),
    load<i32>(argument(6)),
    load<i32>(argument(7)),
    load<usize>(argument(8)) + ldc * row,
    ldc,
    load<i32>(argument(10)),
    load<i32>(argument(11)) + (ldc ? 0 : from),
    init ? init + ldi * row : 0,
    ldi,
    load<i32>(argument(14)),
    load<usize>(argument(15)) + ldc * row,
  );
}

/** The product on this thread. */
function product(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  lda: usize,
  b: usize,
  brows: i32,
  brow: i32,
  c: usize,
  ldc: usize,
  crows: i32,
  crow: i32,
  init: usize,
  ldi: usize,
  epilogue: i32,
  mask: usize,
): void {
  const bstep = usize(brows) << 6;
  const cstep: usize = ldc ? 64 : usize(crows) << 6;
  const istep: usize = init ? 64 : 0;
  const mstep: usize = mask ? 64 : 0;
  if (!init) init = ZEROS;
  let pb = b + (usize(brow) << 6);
  let pc = c + (usize(crow) << 6);
  let j = n >> 4;
  if (m == 1 && ldc) {
    for (; j >= 2; j -= 2) {
      row32(k, a, pb, pb + bstep, pc, init, epilogue, mask);
      pb += bstep << 1;
      pc += cstep << 1;
      init += istep << 1;
      mask += mstep << 1;
    }
  }
  for (; j > 0; j--) {
    if (isUnrolled) panel16Unrolled(m, k, a, lda, pb, pc, ldc ? ldc : 64, init, ldi, epilogue, mask);
    else panel16(m, k, a, lda, pb, pc, ldc ? ldc : 64, init, ldi, epilogue, mask);
    pb += bstep;
    pc += cstep;
    init += istep;
    mask += mstep;
  }
  // The last panel is narrower, and so are the rows before the first that is used.
  const rest = n & 15;
  pb -= usize(brow) << 6;
  pc -= usize(crow) << 6;
  if (rest == 8) {
    pc += usize(crow) << 5;
    panel8(m, k, a, lda, pb + (usize(brow) << 5), pc, ldc ? ldc : 32, init, ldi, epilogue, mask);
  } else if (rest == 4) {
    pc += usize(crow) << 4;
    panel4(m, k, a, lda, pb + (usize(brow) << 4), pc, ldc ? ldc : 16, init, ldi, epilogue, mask);
  }
}
