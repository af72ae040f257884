/** y = a · b over n f32, in four lanes of two accumulators, folded pairwise. Requires n % 4 == 0. */
export function dot(n: i32, a: usize, b: usize): f32 {
  let s = f32x4.splat(0);
  let t = s;
  while (n >= 8) {
    s = f32x4.add(s, f32x4.mul(v128.load(a), v128.load(b)));
    t = f32x4.add(t, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
    a += 32;
    b += 32;
    n -= 8;
  }
  if (n) s = f32x4.add(s, f32x4.mul(v128.load(a), v128.load(b)));
  return fold(f32x4.add(s, t));
}

/**
 * y(i) = a · b(i) for four rows b(i) one after the other, ldb bytes apart, each in four lanes of two accumulators, folded pairwise.
 * Requires n % 4 == 0.
 */
export function dot4(n: i32, a: usize, b: usize, ldb: usize, y: usize): void {
  let b1 = b + ldb;
  let b2 = b1 + ldb;
  let b3 = b2 + ldb;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let t0 = s0;
  let t1 = s0;
  let t2 = s0;
  let t3 = s0;
  while (n >= 8) {
    const u = v128.load(a);
    s0 = f32x4.add(s0, f32x4.mul(u, v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(u, v128.load(b1)));
    s2 = f32x4.add(s2, f32x4.mul(u, v128.load(b2)));
    s3 = f32x4.add(s3, f32x4.mul(u, v128.load(b3)));
    const v = v128.load(a, 16);
    t0 = f32x4.add(t0, f32x4.mul(v, v128.load(b, 16)));
    t1 = f32x4.add(t1, f32x4.mul(v, v128.load(b1, 16)));
    t2 = f32x4.add(t2, f32x4.mul(v, v128.load(b2, 16)));
    t3 = f32x4.add(t3, f32x4.mul(v, v128.load(b3, 16)));
    a += 32;
    b += 32;
    b1 += 32;
    b2 += 32;
    b3 += 32;
    n -= 8;
  }
  if (n) {
    const u = v128.load(a);
    s0 = f32x4.add(s0, f32x4.mul(u, v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(u, v128.load(b1)));
    s2 = f32x4.add(s2, f32x4.mul(u, v128.load(b2)));
    s3 = f32x4.add(s3, f32x4.mul(u, v128.load(b3)));
  }
  s0 = f32x4.add(s0, t0);
  s1 = f32x4.add(s1, t1);
  s2 = f32x4.add(s2, t2);
  s3 = f32x4.add(s3, t3);
  s0 = f32x4.add(i32x4.shuffle(s0, s1, 0, 2, 4, 6), i32x4.shuffle(s0, s1, 1, 3, 5, 7));
  s2 = f32x4.add(i32x4.shuffle(s2, s3, 0, 2, 4, 6), i32x4.shuffle(s2, s3, 1, 3, 5, 7));
  v128.store(y, f32x4.add(i32x4.shuffle(s0, s2, 0, 2, 4, 6), i32x4.shuffle(s0, s2, 1, 3, 5, 7)));
}

/** The sum of four lanes: (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline
function fold(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** y += alpha * x over n f32. Requires n % 4 == 0; y must not alias x. */
export function axpy(n: i32, alpha: f32, x: usize, y: usize): void {
  const va = f32x4.splat(alpha);
  while (n > 0) {
    v128.store(y, f32x4.add(v128.load(y), f32x4.mul(va, v128.load(x))));
    x += 16;
    y += 16;
    n -= 4;
  }
}

/** y = relu'(h) * alpha * x over n f32: the gradient of a rank-1 row. Requires n % 4 == 0. y may alias x. */
export function scaleMasked(n: i32, alpha: f32, x: usize, h: usize, y: usize): void {
  const va = f32x4.splat(alpha);
  const zero = f32x4.splat(0);
  while (n > 0) {
    v128.store(y, v128.and(f32x4.mul(va, v128.load(x)), f32x4.gt(v128.load(h), zero)));
    x += 16;
    h += 16;
    y += 16;
    n -= 4;
  }
}

/** y = slope * alpha * x over n f32: the same where the slope is not that of ReLU. Requires n % 4 == 0. y may alias x. */
export function scaleSloped(n: i32, alpha: f32, x: usize, slope: usize, y: usize): void {
  const va = f32x4.splat(alpha);
  while (n > 0) {
    v128.store(y, f32x4.mul(f32x4.mul(va, v128.load(x)), v128.load(slope)));
    x += 16;
    slope += 16;
    y += 16;
    n -= 4;
  }
}

/** Above this many bytes the host's copy is faster. */
const COPY_MAX: usize = 1024;

/** y(bytes) = x. Requires bytes % 4 == 0; y must not overlap x. */
export function copy(y: usize, x: usize, bytes: usize): void {
  if (bytes > COPY_MAX) {
    memory.copy(y, x, bytes);
    return;
  }
  const end = x + (bytes & ~15);
  while (x < end) {
    v128.store(y, v128.load(x));
    x += 16;
    y += 16;
  }
  for (const last = x + (bytes & 15); x < last; x += 4) {
    store<u32>(y, load<u32>(x));
    y += 4;
  }
}

/** y = max(y, 0) over n f32, NaN kept. Requires n % 4 == 0. */
export function rectify(n: i32, y: usize): void {
  while (n > 0) {
    v128.store(y, f32x4.pmax(v128.load(y), f32x4.splat(0)));
    y += 16;
    n -= 4;
  }
}

/** y *= alpha over n f32. Requires n % 4 == 0. */
export function scale(n: i32, alpha: f32, y: usize): void {
  const va = f32x4.splat(alpha);
  while (n > 0) {
    v128.store(y, f32x4.mul(va, v128.load(y)));
    y += 16;
    n -= 4;
  }
}

/** The sum of squares of n f32, in four lanes of four accumulators. Requires n % 4 == 0. An overflow gives infinity, which callers test for. */
export function sumSquares(n: i32, x: usize): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; n >= 16; n -= 16) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    s0 = f32x4.add(s0, f32x4.mul(x0, x0));
    s1 = f32x4.add(s1, f32x4.mul(x1, x1));
    s2 = f32x4.add(s2, f32x4.mul(x2, x2));
    s3 = f32x4.add(s3, f32x4.mul(x3, x3));
    x += 64;
  }
  for (; n > 0; n -= 4) {
    const x0 = v128.load(x);
    s0 = f32x4.add(s0, f32x4.mul(x0, x0));
    x += 16;
  }
  return fold(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
}

/** y += tau * (x - y) over n f32; tau = 1 copies. Requires n % 4 == 0. */
export function lerp(n: i32, tau: f32, x: usize, y: usize): void {
  if (tau == 1) {
    memory.copy(y, x, usize(n) << 2);
    return;
  }
  const vt = f32x4.splat(tau);
  while (n > 0) {
    const vy = v128.load(y);
    v128.store(y, f32x4.add(vy, f32x4.mul(vt, f32x4.sub(v128.load(x), vy))));
    x += 16;
    y += 16;
    n -= 4;
  }
}

/** Whether all of n f32 lie in [low, high], where NaN does not. n need not be a multiple of 4. */
export function allWithin(n: i32, low: f32, high: f32, x: usize): bool {
  const vLow = f32x4.splat(low);
  const vHigh = f32x4.splat(high);
  let good = i32x4.splat(-1);
  while (n >= 4) {
    const v = v128.load(x);
    good = v128.and(good, v128.and(f32x4.ge(v, vLow), f32x4.le(v, vHigh)));
    x += 16;
    n -= 4;
  }
  let tail: bool = true;
  while (n > 0) {
    const value = load<f32>(x);
    tail = tail && value >= low && value <= high;
    x += 4;
    n--;
  }
  return tail && i32x4.all_true(good);
}

/** The index of the largest of n f32; the lowest index wins a tie. Requires n > 0. With a NaN: some index. */
export function argmax(n: i32, x: usize): i32 {
  // All in vectors: engines make a branch, and a wrong guess, of every choice between two numbers.
  let best = v128.load32_splat(x);
  let i = 0;
  for (; i + 4 <= n; i += 4) best = f32x4.pmax(best, v128.load(x + (usize(i) << 2)));
  for (; i < n; i++) best = f32x4.pmax(best, v128.load32_splat(x + (usize(i) << 2)));
  best = f32x4.pmax(best, i32x4.shuffle(best, best, 2, 3, 0, 1));
  best = f32x4.pmax(best, i32x4.shuffle(best, best, 1, 0, 3, 2));
  for (i = 0; i + 4 <= n; i += 4) {
    const found = i32x4.bitmask(f32x4.eq(v128.load(x + (usize(i) << 2)), best));
    if (found) return i + ctz(found);
  }
  while (i < n && load<f32>(x + (usize(i) << 2)) != f32x4.extract_lane(best, 0)) i++;
  return min(i, n - 1);
}
