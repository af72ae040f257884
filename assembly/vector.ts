/** y = a · b over n f32, in four lanes of four accumulators, folded pairwise. Requires n % 4 == 0. */
export function dot(n: i32, a: usize, b: usize): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  while (n >= 16) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(a), v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(a, 32), v128.load(b, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(a, 48), v128.load(b, 48)));
    a += 64;
    b += 64;
    n -= 16;
  }
  while (n > 0) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    n -= 4;
  }
  return fold(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
}

/** y(0) = a · b, y(1) = a · c, with the bits of dot(). Requires n % 4 == 0. */
export function dot2(n: i32, a: usize, b: usize, c: usize, y: usize): void {
  let b0 = f32x4.splat(0);
  let b1 = b0;
  let b2 = b0;
  let b3 = b0;
  let c0 = b0;
  let c1 = b0;
  let c2 = b0;
  let c3 = b0;
  while (n >= 16) {
    const a0 = v128.load(a);
    b0 = f32x4.add(b0, f32x4.mul(a0, v128.load(b)));
    c0 = f32x4.add(c0, f32x4.mul(a0, v128.load(c)));
    const a1 = v128.load(a, 16);
    b1 = f32x4.add(b1, f32x4.mul(a1, v128.load(b, 16)));
    c1 = f32x4.add(c1, f32x4.mul(a1, v128.load(c, 16)));
    const a2 = v128.load(a, 32);
    b2 = f32x4.add(b2, f32x4.mul(a2, v128.load(b, 32)));
    c2 = f32x4.add(c2, f32x4.mul(a2, v128.load(c, 32)));
    const a3 = v128.load(a, 48);
    b3 = f32x4.add(b3, f32x4.mul(a3, v128.load(b, 48)));
    c3 = f32x4.add(c3, f32x4.mul(a3, v128.load(c, 48)));
    a += 64;
    b += 64;
    c += 64;
    n -= 16;
  }
  while (n > 0) {
    const a0 = v128.load(a);
    b0 = f32x4.add(b0, f32x4.mul(a0, v128.load(b)));
    c0 = f32x4.add(c0, f32x4.mul(a0, v128.load(c)));
    a += 16;
    b += 16;
    c += 16;
    n -= 4;
  }
  b0 = f32x4.add(f32x4.add(b0, b1), f32x4.add(b2, b3));
  c0 = f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3));
  // [b0 + b1, b2 + b3, c0 + c1, c2 + c3], then the sums of its pairs.
  b0 = f32x4.add(i32x4.shuffle(b0, c0, 0, 2, 4, 6), i32x4.shuffle(b0, c0, 1, 3, 5, 7));
  b0 = f32x4.add(i32x4.shuffle(b0, b0, 0, 2, 0, 2), i32x4.shuffle(b0, b0, 1, 3, 1, 3));
  v128.store64_lane(y, b0, 0);
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

/** The sum of squares of n f32. Requires n % 4 == 0. An overflow gives infinity, which callers test for. */
export function sumSquares(n: i32, x: usize): f32 {
  return dot(n, x, x);
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
  let best = load<f32>(x);
  let i = 1;
  if (n >= 8) {
    best = largest(n >> 2, x);
    i = n & ~3;
  }
  for (; i < n; i++) best = max(best, load<f32>(x + (usize(i) << 2)));
  return first(n, best, x);
}

/** The largest of 4 n f32. Requires n > 1. */
function largest(n: i32, x: usize): f32 {
  let a = v128.load(x);
  let b = v128.load(x, 16);
  for (n -= 2; n >= 2; n -= 2) {
    x += 32;
    a = f32x4.max(a, v128.load(x));
    b = f32x4.max(b, v128.load(x, 16));
  }
  if (n) a = f32x4.max(a, v128.load(x, 32));
  a = f32x4.max(a, b);
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}

/** The index of the first of n f32 that equals `value`; n - 1 where none does, as none equals NaN. */
function first(n: i32, value: f32, x: usize): i32 {
  const v = f32x4.splat(value);
  let i = 0;
  while (i + 4 < n && !v128.any_true(f32x4.eq(v128.load(x + (usize(i) << 2)), v))) i += 4;
  while (i < n - 1 && load<f32>(x + (usize(i) << 2)) != value) i++;
  return i;
}
