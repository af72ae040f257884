/**
 * One matrix product for forward, dX and dW: A row-major, B in panels.
 *
 * A panel holds 16 columns of B, all its rows one after the other: [rows][16], so that every k step reads one cache
 * line. N is padded (see padded()); what is left after the full panels is one panel of 8 or of 4 columns. Within a row
 * of C every element is one sequential sum over k, starting from its initial value: the tile that computes it
 * does not show in its bits. Accumulators are named by position, vc<row><column vector>.
 *
 * Compile with asc -O1: from -O3 (or --converge) on, Binaryen regroups the steps and spills.
 * Tile shapes: Goto & van de Geijn 2008; 2x16 leaves 15 usable xmm registers room on x86.
 */

/** What happens to an element of C before it is stored. */
export const NONE: i32 = 0;
/** c = max(c, 0), NaN kept. */
export const RELU: i32 = 1;
/** c = mask > 0 ? c : 0: the backward of ReLU, mask being its output. */
export const MASK: i32 = 2;

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
  const bstep = usize(brows) << 6;
  const cstep: usize = ldc ? 64 : usize(crows) << 6;
  const istep: usize = init ? 64 : 0;
  const mstep: usize = mask ? 64 : 0;
  const b16 = b + (usize(brow) << 6);
  const c16 = c + (usize(crow) << 6);
  let j = n >> 4;
  let p: usize = 0;
  if (m == 1 && ldc) {
    for (; j >= 2; j -= 2, p += 2) {
      const b0 = b16 + p * bstep;
      row32(k, a, b0, b0 + bstep, c16 + p * cstep, init + p * istep, epilogue, mask + p * mstep);
    }
  }
  for (; j > 0; j--, p++) {
    const cp = c16 + p * cstep;
    panel16(m, k, a, lda, b16 + p * bstep, cp, ldc ? ldc : 64, init + p * istep, ldi, epilogue, mask + p * mstep);
  }
  b += p * bstep;
  c += p * cstep;
  init += p * istep;
  mask += p * mstep;
  const rest = n & 15;
  if (rest == 8) {
    const cp = c + (usize(crow) << 5);
    panel8(m, k, a, lda, b + (usize(brow) << 5), cp, ldc ? ldc : 32, init, ldi, epilogue, mask);
  } else if (rest == 4) {
    const cp = c + (usize(crow) << 4);
    panel4(m, k, a, lda, b + (usize(brow) << 4), cp, ldc ? ldc : 16, init, ldi, epilogue, mask);
  }
}

/** The epilogue of one vector of C. */
// @ts-ignore: decorator
@inline
function finish(c: v128, epilogue: i32, mask: usize, offset: usize): v128 {
  if (epilogue == RELU) return f32x4.pmax(c, f32x4.splat(0));
  if (epilogue == MASK) return v128.and(c, f32x4.gt(v128.load(mask + offset), f32x4.splat(0)));
  return c;
}

/** The initial value of one vector of C. */
// @ts-ignore: decorator
@inline
function start(init: usize, offset: usize): v128 {
  return init ? v128.load(init + offset) : f32x4.splat(0);
}

/** C(m,16) = epilogue(init + A(m,k) * B(k,16))   tiles of 2x16, last rows of 1x16 */
function panel16(
  m: i32,
  k: i32,
  a: usize,
  lda: usize,
  b: usize,
  c: usize,
  ldc: usize,
  init: usize,
  ldi: usize,
  epilogue: i32,
  mask: usize,
): void {
  while (m >= 2) {
    let pb = b;
    let pa0 = a;
    let pa1 = pa0 + lda;
    let vc00 = start(init, 0);
    let vc01 = start(init, 16);
    let vc02 = start(init, 32);
    let vc03 = start(init, 48);
    let vc10 = start(init + ldi * 1, 0);
    let vc11 = start(init + ldi * 1, 16);
    let vc12 = start(init + ldi * 1, 32);
    let vc13 = start(init + ldi * 1, 48);
    let n = k;
    do {
      const vb0 = v128.load(pb);
      const vb1 = v128.load(pb, 16);
      const vb2 = v128.load(pb, 32);
      const vb3 = v128.load(pb, 48);
      const va0 = v128.load32_splat(pa0);
      vc00 = f32x4.add(vc00, f32x4.mul(va0, vb0));
      vc01 = f32x4.add(vc01, f32x4.mul(va0, vb1));
      vc02 = f32x4.add(vc02, f32x4.mul(va0, vb2));
      vc03 = f32x4.add(vc03, f32x4.mul(va0, vb3));
      const va1 = v128.load32_splat(pa1);
      vc10 = f32x4.add(vc10, f32x4.mul(va1, vb0));
      vc11 = f32x4.add(vc11, f32x4.mul(va1, vb1));
      vc12 = f32x4.add(vc12, f32x4.mul(va1, vb2));
      vc13 = f32x4.add(vc13, f32x4.mul(va1, vb3));
      pb += 64;
      pa0 += 4;
      pa1 += 4;
    } while (--n);
    v128.store(c, finish(vc00, epilogue, mask, 0));
    v128.store(c, finish(vc01, epilogue, mask, 16), 16);
    v128.store(c, finish(vc02, epilogue, mask, 32), 32);
    v128.store(c, finish(vc03, epilogue, mask, 48), 48);
    v128.store(c + ldc * 1, finish(vc10, epilogue, mask + ldc * 1, 0));
    v128.store(c + ldc * 1, finish(vc11, epilogue, mask + ldc * 1, 16), 16);
    v128.store(c + ldc * 1, finish(vc12, epilogue, mask + ldc * 1, 32), 32);
    v128.store(c + ldc * 1, finish(vc13, epilogue, mask + ldc * 1, 48), 48);
    a += lda << 1;
    c += ldc << 1;
    init += ldi << 1;
    mask += ldc << 1;
    m -= 2;
  }
  while (m > 0) {
    let pb = b;
    let pa = a;
    let vc0 = start(init, 0);
    let vc1 = start(init, 16);
    let vc2 = start(init, 32);
    let vc3 = start(init, 48);
    let n = k;
    do {
      const va = v128.load32_splat(pa);
      vc0 = f32x4.add(vc0, f32x4.mul(va, v128.load(pb)));
      vc1 = f32x4.add(vc1, f32x4.mul(va, v128.load(pb, 16)));
      vc2 = f32x4.add(vc2, f32x4.mul(va, v128.load(pb, 32)));
      vc3 = f32x4.add(vc3, f32x4.mul(va, v128.load(pb, 48)));
      pb += 64;
      pa += 4;
    } while (--n);
    v128.store(c, finish(vc0, epilogue, mask, 0));
    v128.store(c, finish(vc1, epilogue, mask, 16), 16);
    v128.store(c, finish(vc2, epilogue, mask, 32), 32);
    v128.store(c, finish(vc3, epilogue, mask, 48), 48);
    a += lda;
    c += ldc;
    init += ldi;
    mask += ldc;
    m--;
  }
}

/** C(m,8) = epilogue(init + A(m,k) * B(k,8))   tiles of 4x8, last rows of 1x8 */
function panel8(
  m: i32,
  k: i32,
  a: usize,
  lda: usize,
  b: usize,
  c: usize,
  ldc: usize,
  init: usize,
  ldi: usize,
  epilogue: i32,
  mask: usize,
): void {
  while (m >= 4) {
    let pb = b;
    let pa0 = a;
    let pa1 = pa0 + lda;
    let pa2 = pa1 + lda;
    let pa3 = pa2 + lda;
    let vc00 = start(init, 0);
    let vc01 = start(init, 16);
    let vc10 = start(init + ldi * 1, 0);
    let vc11 = start(init + ldi * 1, 16);
    let vc20 = start(init + ldi * 2, 0);
    let vc21 = start(init + ldi * 2, 16);
    let vc30 = start(init + ldi * 3, 0);
    let vc31 = start(init + ldi * 3, 16);
    let n = k;
    do {
      const vb0 = v128.load(pb);
      const vb1 = v128.load(pb, 16);
      const va0 = v128.load32_splat(pa0);
      vc00 = f32x4.add(vc00, f32x4.mul(va0, vb0));
      vc01 = f32x4.add(vc01, f32x4.mul(va0, vb1));
      const va1 = v128.load32_splat(pa1);
      vc10 = f32x4.add(vc10, f32x4.mul(va1, vb0));
      vc11 = f32x4.add(vc11, f32x4.mul(va1, vb1));
      const va2 = v128.load32_splat(pa2);
      vc20 = f32x4.add(vc20, f32x4.mul(va2, vb0));
      vc21 = f32x4.add(vc21, f32x4.mul(va2, vb1));
      const va3 = v128.load32_splat(pa3);
      vc30 = f32x4.add(vc30, f32x4.mul(va3, vb0));
      vc31 = f32x4.add(vc31, f32x4.mul(va3, vb1));
      pb += 32;
      pa0 += 4;
      pa1 += 4;
      pa2 += 4;
      pa3 += 4;
    } while (--n);
    v128.store(c, finish(vc00, epilogue, mask, 0));
    v128.store(c, finish(vc01, epilogue, mask, 16), 16);
    v128.store(c + ldc * 1, finish(vc10, epilogue, mask + ldc * 1, 0));
    v128.store(c + ldc * 1, finish(vc11, epilogue, mask + ldc * 1, 16), 16);
    v128.store(c + ldc * 2, finish(vc20, epilogue, mask + ldc * 2, 0));
    v128.store(c + ldc * 2, finish(vc21, epilogue, mask + ldc * 2, 16), 16);
    v128.store(c + ldc * 3, finish(vc30, epilogue, mask + ldc * 3, 0));
    v128.store(c + ldc * 3, finish(vc31, epilogue, mask + ldc * 3, 16), 16);
    a += lda << 2;
    c += ldc << 2;
    init += ldi << 2;
    mask += ldc << 2;
    m -= 4;
  }
  while (m > 0) {
    let pb = b;
    let pa = a;
    let vc0 = start(init, 0);
    let vc1 = start(init, 16);
    let n = k;
    do {
      const va = v128.load32_splat(pa);
      vc0 = f32x4.add(vc0, f32x4.mul(va, v128.load(pb)));
      vc1 = f32x4.add(vc1, f32x4.mul(va, v128.load(pb, 16)));
      pb += 32;
      pa += 4;
    } while (--n);
    v128.store(c, finish(vc0, epilogue, mask, 0));
    v128.store(c, finish(vc1, epilogue, mask, 16), 16);
    a += lda;
    c += ldc;
    init += ldi;
    mask += ldc;
    m--;
  }
}

/** C(m,4) = epilogue(init + A(m,k) * B(k,4))   tiles of 4x4, last rows of 1x4 */
function panel4(
  m: i32,
  k: i32,
  a: usize,
  lda: usize,
  b: usize,
  c: usize,
  ldc: usize,
  init: usize,
  ldi: usize,
  epilogue: i32,
  mask: usize,
): void {
  while (m >= 4) {
    let pb = b;
    let pa0 = a;
    let pa1 = pa0 + lda;
    let pa2 = pa1 + lda;
    let pa3 = pa2 + lda;
    let vc00 = start(init, 0);
    let vc10 = start(init + ldi * 1, 0);
    let vc20 = start(init + ldi * 2, 0);
    let vc30 = start(init + ldi * 3, 0);
    let n = k;
    do {
      const vb0 = v128.load(pb);
      const va0 = v128.load32_splat(pa0);
      vc00 = f32x4.add(vc00, f32x4.mul(va0, vb0));
      const va1 = v128.load32_splat(pa1);
      vc10 = f32x4.add(vc10, f32x4.mul(va1, vb0));
      const va2 = v128.load32_splat(pa2);
      vc20 = f32x4.add(vc20, f32x4.mul(va2, vb0));
      const va3 = v128.load32_splat(pa3);
      vc30 = f32x4.add(vc30, f32x4.mul(va3, vb0));
      pb += 16;
      pa0 += 4;
      pa1 += 4;
      pa2 += 4;
      pa3 += 4;
    } while (--n);
    v128.store(c, finish(vc00, epilogue, mask, 0));
    v128.store(c + ldc * 1, finish(vc10, epilogue, mask + ldc * 1, 0));
    v128.store(c + ldc * 2, finish(vc20, epilogue, mask + ldc * 2, 0));
    v128.store(c + ldc * 3, finish(vc30, epilogue, mask + ldc * 3, 0));
    a += lda << 2;
    c += ldc << 2;
    init += ldi << 2;
    mask += ldc << 2;
    m -= 4;
  }
  while (m > 0) {
    let pb = b;
    let pa = a;
    let vc0 = start(init, 0);
    let n = k;
    do {
      const va = v128.load32_splat(pa);
      vc0 = f32x4.add(vc0, f32x4.mul(va, v128.load(pb)));
      pb += 16;
      pa += 4;
    } while (--n);
    v128.store(c, finish(vc0, epilogue, mask, 0));
    a += lda;
    c += ldc;
    init += ldi;
    mask += ldc;
    m--;
  }
}

/** C(1,32) = epilogue(init + A(1,k) * B(k,32))   two panels of one row at once: eight chains hide the latency of add */
function row32(k: i32, a: usize, b0: usize, b1: usize, c: usize, init: usize, epilogue: i32, mask: usize): void {
  let vc0 = start(init, 0);
  let vc1 = start(init, 16);
  let vc2 = start(init, 32);
  let vc3 = start(init, 48);
  let vc4 = start(init, 64);
  let vc5 = start(init, 80);
  let vc6 = start(init, 96);
  let vc7 = start(init, 112);
  do {
    const va = v128.load32_splat(a);
    vc0 = f32x4.add(vc0, f32x4.mul(va, v128.load(b0)));
    vc1 = f32x4.add(vc1, f32x4.mul(va, v128.load(b0, 16)));
    vc2 = f32x4.add(vc2, f32x4.mul(va, v128.load(b0, 32)));
    vc3 = f32x4.add(vc3, f32x4.mul(va, v128.load(b0, 48)));
    vc4 = f32x4.add(vc4, f32x4.mul(va, v128.load(b1)));
    vc5 = f32x4.add(vc5, f32x4.mul(va, v128.load(b1, 16)));
    vc6 = f32x4.add(vc6, f32x4.mul(va, v128.load(b1, 32)));
    vc7 = f32x4.add(vc7, f32x4.mul(va, v128.load(b1, 48)));
    a += 4;
    b0 += 64;
    b1 += 64;
  } while (--k);
  v128.store(c, finish(vc0, epilogue, mask, 0));
  v128.store(c, finish(vc1, epilogue, mask, 16), 16);
  v128.store(c, finish(vc2, epilogue, mask, 32), 32);
  v128.store(c, finish(vc3, epilogue, mask, 48), 48);
  v128.store(c, finish(vc4, epilogue, mask, 64), 64);
  v128.store(c, finish(vc5, epilogue, mask, 80), 80);
  v128.store(c, finish(vc6, epilogue, mask, 96), 96);
  v128.store(c, finish(vc7, epilogue, mask, 112), 112);
}
