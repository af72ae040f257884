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
import { panel16, panel16Unrolled, panel4, panel8, row20, row24, row32 } from "../.build/tiles";
import { announce, ARGUMENTS, begins, done, finish, Job, WORTH } from "./crew";

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

/**
 * Where row i of a matrix begins. ld: bytes between rows, a multiple of 4; or 1 more than the address of a list of usize,
 * each of which is added to the base: rows that lie anywhere.
 */
export function rowOf(base: usize, ld: usize, i: i32): usize {
  return base + (ld & 1 ? load<usize>(ld + (usize(i) << 2) - 1) : ld * i);
}

/** n rounded up to what panels can hold: a multiple of 4 whose rest beyond full panels is 0, 4 or 8. */
export function padded(n: i32): i32 {
  const up = (n + 3) & ~3;
  return (up & 15) == 12 ? up + 4 : up;
}

/**
 * C(m,n) = epilogue(init(m,n) + A(m,k) * B(k,n))   row-major f32 with row strides in bytes; B in panels
 * lda: see rowOf.
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
  if (m == 1 && ldc && epilogue != MASK) {
    // Never worth a second thread, so no job.
    gemmRow(n, k, rowOf(a, lda, 0), b, brows, brow, c, init, epilogue);
    return;
  }
  const job = product();
  job.m = m;
  job.n = n;
  job.k = k;
  job.a = a;
  job.lda = lda;
  job.b = b;
  job.brows = brows;
  job.brow = brow;
  job.c = c;
  job.ldc = ldc;
  job.crows = crows;
  job.crow = crow;
  job.init = init;
  job.ldi = ldi;
  job.epilogue = epilogue;
  job.mask = mask;
  announce(Job.Gemm, m >= 8 && i64(m) * n * k >= WORTH);
  gemmShare(0);
  for (let part = finish(); part > 0; part = finish()) {
    gemmShare(part);
    done();
  }
}

/** The same of one row of A: panels in pairs, the last one with what is left. */
function gemmRow(
  n: i32,
  k: i32,
  a: usize,
  b: usize,
  brows: i32,
  brow: i32,
  c: usize,
  init: usize,
  epilogue: i32,
): void {
  const bstep = usize(brows) << 6;
  const istep: usize = init ? 64 : 0;
  if (!init) init = ZEROS;
  const rest = n & 15;
  const full = n >> 4;
  const isPaired = full > 0 && rest > 0;
  let pb = b + (usize(brow) << 6);
  let j = full - i32(isPaired);
  for (; j >= 2; j -= 2) {
    row32(k, a, pb, pb + bstep, c, init, epilogue);
    pb += bstep << 1;
    c += 128;
    init += istep << 1;
  }
  if (j > 0) {
    panel16(1, k, a, 0, ZEROS, 0, pb, c, 64, init, 0, epilogue, 0);
    pb += bstep;
    c += 64;
    init += istep;
  }
  if (!rest) return;
  // The last panel is narrower, and so are the rows before the first that is used.
  const last = b + bstep * full + (usize(rest) << 2) * brow;
  if (isPaired) {
    if (rest == 8) row24(k, a, pb, last, c, init, epilogue);
    else row20(k, a, pb, last, c, init, epilogue);
  } else if (rest == 8) panel8(1, k, a, 0, ZEROS, 0, last, c, 32, init, 0, epilogue, 0);
  else panel4(1, k, a, 0, ZEROS, 0, last, c, 16, init, 0, epilogue, 0);
}

/** The arguments of a product. */
@unmanaged
class Product {
  m: i32;
  n: i32;
  k: i32;
  a: usize;
  lda: usize;
  b: usize;
  brows: i32;
  brow: i32;
  c: usize;
  ldc: usize;
  crows: i32;
  crow: i32;
  init: usize;
  ldi: usize;
  epilogue: i32;
  mask: usize;
}

// @ts-ignore: decorator
@inline
function product(): Product {
  return changetype<Product>(ARGUMENTS);
}

/** A share of the rows of the product that was announced. */
export function gemmShare(part: i32): void {
  const job = product();
  const row = begins(job.m, part, 4);
  const m = begins(job.m, part + 1, 4) - row;
  if (m == 0) return;
  const n = job.n;
  const k = job.k;
  const isListed = (job.lda & 1) != 0;
  const lda: usize = isListed ? 0 : job.lda;
  const list = isListed ? job.lda + (usize(row) << 2) - 1 : ZEROS;
  const ldl: usize = isListed ? 4 : 0;
  const ldc = job.ldc;
  const ldi = job.ldi;
  const brow = usize(job.brow);
  const crow = usize(job.crow) + (ldc ? 0 : usize(row));
  const epilogue = job.epilogue;
  const a = job.a + lda * row;
  const b = job.b;
  const c = job.c + ldc * row;
  let init = job.init ? job.init + ldi * row : ZEROS;
  let mask = job.mask + ldc * row;
  const bstep = usize(job.brows) << 6;
  const cstep: usize = ldc ? 64 : usize(job.crows) << 6;
  const istep: usize = job.init ? 64 : 0;
  const mstep: usize = 64;
  let pb = b + (brow << 6);
  let pc = c + (crow << 6);
  let j = n >> 4;
  for (; j > 0; j--) {
    if (isUnrolled) panel16Unrolled(m, k, a, lda, list, ldl, pb, pc, ldc ? ldc : 64, init, ldi, epilogue, mask);
    else panel16(m, k, a, lda, list, ldl, pb, pc, ldc ? ldc : 64, init, ldi, epilogue, mask);
    pb += bstep;
    pc += cstep;
    init += istep;
    mask += mstep;
  }
  // The last panel is narrower, and so are the rows before the first that is used.
  const rest = n & 15;
  pb -= brow << 6;
  pc -= crow << 6;
  if (rest == 8) {
    pc += crow << 5;
    panel8(m, k, a, lda, list, ldl, pb + (brow << 5), pc, ldc ? ldc : 32, init, ldi, epilogue, mask);
  } else if (rest == 4) {
    pc += crow << 4;
    panel4(m, k, a, lda, list, ldl, pb + (brow << 4), pc, ldc ? ldc : 16, init, ldi, epilogue, mask);
  }
}
