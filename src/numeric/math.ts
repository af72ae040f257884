/**
 * Elementary functions that give the same bits in every JavaScript engine.
 *
 * ECMAScript leaves the digits of `Math.exp`, `Math.sin` and the like to the engine, so reproducible results may not
 * depend on them. These functions use only operations whose rounding IEEE 754 fixes: + - * /, comparisons, square
 * root and floor. Every function agrees with the true value to about 1 unit in the last place, and to 1e-15 at worst.
 */

const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);
FLOAT[0] = 1;
/** Which of the two words holds sign and exponent: depends on the byte order of the machine. */
const HIGH = WORDS[1] === 0x3ff00000 ? 1 : 0;
const LOW = 1 - HIGH;

/** ln 2 in two parts; the first has 40 bits, so its product with any exponent is exact. */
const LN2_HI = 762123384785 / 1099511627776;
const LN2_LO = 7.371002565167799e-13;

const EXP_OVERFLOW = 709.782712893384;
const EXP_UNDERFLOW = -745.1332191019412;

const TWO_OVER_PI = 0.6366197723675814;
/** pi / 2 in four parts; the first three have at most 33 bits, so their products with n < 2^20 are exact. */
const HALF_PI_1 = 6746518852 / 4294967296;
const HALF_PI_2 = 2242054355 / 8589934592 / 4294967296;
const HALF_PI_3 = 640881756 / 17179869184 / 4294967296 / 4294967296;
const HALF_PI_4 = 8.4784276603689e-32;
/** 2^20 quarter turns. */
const MAX_ANGLE = 1647099;

/** 2^n for a whole n in [-1022, 1023], by its bits. */
function powerOfTwo(n: number): number {
  WORDS[HIGH] = (n + 1023) << 20;
  WORDS[LOW] = 0;
  return FLOAT[0]!;
}

/** m * 2^n, rounded once even where the result is subnormal. */
function scale(m: number, n: number): number {
  if (n > 1023) return m * powerOfTwo(1023) * powerOfTwo(n - 1023);
  if (n < -1022) return m * powerOfTwo(n + 200) * powerOfTwo(-200);
  return m * powerOfTwo(n);
}

/** (e^r - 1 - r) / r^2 by its Taylor series; |r| <= 0.35 leaves 1e-17. */
function expTail(r: number): number {
  const r2 = r * r;
  const r4 = r2 * r2;
  const low = 1 / 2 + r * (1 / 6) + r2 * (1 / 24 + r * (1 / 120));
  const middle = 1 / 720 + r * (1 / 5040) + r2 * (1 / 40320 + r * (1 / 362880));
  const high = 1 / 3628800 + r * (1 / 39916800) + r2 * (1 / 479001600 + r * (1 / 6227020800));
  return low + r4 * (middle + r4 * high);
}

/** e^(hi + lo) where lo is below one unit in the last place of hi. */
function expOfSum(hi: number, lo: number): number {
  if (hi > EXP_OVERFLOW) return Infinity;
  if (hi < EXP_UNDERFLOW) return 0;
  const n = Math.floor(hi * Math.LOG2E + 0.5);
  const exact = hi - n * LN2_HI;
  const small = n * LN2_LO - lo;
  const r = exact - small;
  const lost = exact - r - small;
  return scale(1 + (r + (r * r * expTail(r) + lost)), n);
}

/** e^x. */
export function exp(x: number): number {
  return Number.isNaN(x) ? x : expOfSum(x, 0);
}

/** e^x - 1, without the cancellation near 0. */
export function expm1(x: number): number {
  if (x === 0) return x;
  return Math.abs(x) < 0.35 ? x + x * x * expTail(x) : exp(x) - 1;
}

/** The exponent e of x = m * 2^e with m in [sqrt(1/2), sqrt(2)); `FLOAT[0]` holds m afterwards. Requires x > 0, finite. */
function split(x: number): number {
  FLOAT[0] = x;
  let e = -1023;
  if (WORDS[HIGH]! < 0x00100000) {
    FLOAT[0] = x * 18014398509481984;
    e -= 54;
  }
  e += WORDS[HIGH]! >>> 20;
  WORDS[HIGH] = (WORDS[HIGH]! & 0x000fffff) | 0x3ff00000;
  if (FLOAT[0]! >= Math.SQRT2) {
    FLOAT[0] = FLOAT[0]! * 0.5;
    e++;
  }
  return e;
}

/** 2 (atanh(s) - s) / s by its Taylor series in z = s^2, from the term s^(2 first); |s| <= 0.172 leaves 1e-19. */
function atanhTail(z: number): number {
  const z2 = z * z;
  const z4 = z2 * z2;
  const low = 2 / 3 + z * (2 / 5) + z2 * (2 / 7 + z * (2 / 9));
  const middle = 2 / 11 + z * (2 / 13) + z2 * (2 / 15 + z * (2 / 17));
  const high = 2 / 19 + z * (2 / 21) + z2 * (2 / 23);
  return z * (low + z4 * (middle + z4 * high));
}

/** The natural logarithm of x; -Infinity at 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  const n = split(x);
  const f = FLOAT[0]! - 1;
  const s = f / (2 + f);
  // ln(1 + f) = 2s + s R and 2s = f - f^2/2 + s f^2/2; f is exact, so nearly all of the result is.
  const half = 0.5 * f * f;
  return n * LN2_HI - (half - (s * (half + atanhTail(s * s)) + n * LN2_LO) - f);
}

/** ln(1 + x), without the cancellation near 0. */
export function log1p(x: number): number {
  const u = 1 + x;
  if (u === 1 || u === Infinity || !(u > 0)) return u === 1 ? x : log(u);
  return log(u) + (x - (u - 1)) / u;
}

/** The hyperbolic tangent of x, in [-1, 1]. */
export function tanh(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 20) return x > 0 ? 1 : -1;
  const t = expm1(2 * magnitude);
  const value = t / (t + 2);
  return x < 0 || Object.is(x, -0) ? -value : value;
}

/** 1 / (1 + e^-x), in [0, 1]. */
export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

/** sin(hi + lo) for |hi| <= pi / 4. */
function sinKernel(hi: number, lo: number): number {
  const z = hi * hi;
  const z2 = z * z;
  const z4 = z2 * z2;
  const low = -1 / 6 + z * (1 / 120) + z2 * (-1 / 5040 + z * (1 / 362880));
  const high = -1 / 39916800 + z * (1 / 6227020800) + z2 * (-1 / 1307674368000 + z * (1 / 355687428096000));
  return hi + (hi * z * (low + z4 * high) + lo * (1 - 0.5 * z));
}

/** cos(hi + lo) for |hi| <= pi / 4. */
function cosKernel(hi: number, lo: number): number {
  const z = hi * hi;
  const z2 = z * z;
  const z4 = z2 * z2;
  const low = 1 / 24 + z * (-1 / 720) + z2 * (1 / 40320 + z * (-1 / 3628800));
  const high = 1 / 479001600 + z * (-1 / 87178291200) + z2 * (1 / 20922789888000);
  const half = 0.5 * z;
  const near = 1 - half;
  return near + (1 - near - half + (z2 * (low + z4 * high) - hi * lo));
}

/** sin(x + quarter * pi / 2), for the angles whose reduction is accurate. */
function circular(x: number, quarter: number): number {
  if (Number.isNaN(x) || Math.abs(x) === Infinity) return NaN;
  if (Math.abs(x) > MAX_ANGLE) throw new RangeError(`"x" must be in [-${MAX_ANGLE}, ${MAX_ANGLE}], got ${x}`);
  const n = Math.floor(x * TWO_OVER_PI + 0.5);
  const a = x - n * HALF_PI_1;
  const b = n * HALF_PI_2;
  const ab = a - b;
  const abLost = a - (ab + (a - ab)) + (a - ab - b);
  const c = n * HALF_PI_3;
  const abc = ab - c;
  const lost = ab - abc - c + abLost - n * HALF_PI_4;
  const hi = abc + lost;
  const lo = abc - hi + lost;
  switch ((n + quarter) & 3) {
    case 0:
      return sinKernel(hi, lo);
    case 1:
      return cosKernel(hi, lo);
    case 2:
      return -sinKernel(hi, lo);
    default:
      return -cosKernel(hi, lo);
  }
}

/**
 * The sine of x radians.
 *
 * @throws RangeError where |x| > 1647099 (2^20 quarter turns): beyond it the reduction would lose digits silently.
 */
export function sin(x: number): number {
  return x === 0 ? x : circular(x, 0);
}

/**
 * The cosine of x radians.
 *
 * @throws RangeError where |x| > 1647099 (2^20 quarter turns): beyond it the reduction would lose digits silently.
 */
export function cos(x: number): number {
  return circular(x, 1);
}

/** The part of x that fits 26 bits, so that products of two such parts are exact (Dekker 1971). */
function upper(x: number): number {
  const c = 134217729 * x;
  return c - (c - x);
}

/** a * b - p, exactly, where p is the rounded product. */
function productLost(a: number, b: number, p: number): number {
  const aHi = upper(a);
  const aLo = a - aHi;
  const bHi = upper(b);
  const bLo = b - bHi;
  return aHi * bHi - p + aHi * bLo + aLo * bHi + aLo * bLo;
}

/** x^y for finite x > 0 and finite y: exp(y ln x) with ln x carried to 20 digits. */
function powPositive(x: number, y: number): number {
  const n = split(x);
  const f = FLOAT[0]! - 1;
  const d = 2 + f;
  const dLost = f - (d - 2);
  const s = f / d;
  const p = s * d;
  const sLost = (f - p - productLost(s, d, p) - s * dLost) / d;
  // ln(1 + f) = 2s + (2/3) s^3 + rest. The first two terms in pairs of doubles; the rest is below 2e-4 of the whole.
  const z = s * s;
  const zLost = productLost(s, s, z) + 2 * s * sLost;
  const cube = s * z;
  const cubeLost = productLost(s, z, cube) + s * zLost + sLost * z;
  const third = (2 / 3) * cube;
  const thirdLost = productLost(2 / 3, cube, third) + (2 / 3) * cubeLost + 3.700743415417188e-17 * cube;
  const rest = s * (atanhTail(z) - (2 / 3) * z);
  // The sum, largest first: n ln 2 (exact in its high part), 2s, third, and all that was lost.
  const base = n * LN2_HI;
  const first = base + 2 * s;
  const firstLost = n === 0 ? 0 : base - first + 2 * s;
  const second = first + third;
  const secondLost = first - second + third;
  const lost = n * LN2_LO + (firstLost + secondLost + rest + thirdLost + 2 * sLost);
  const logHi = second + lost;
  const logLo = second - logHi + lost;
  const hi = y * logHi;
  if (Math.abs(hi) > 800) return hi > 0 ? Infinity : 0;
  return expOfSum(hi, productLost(y, logHi, hi) + y * logLo);
}

/** x to the power of y, with the special cases of `Math.pow`. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  const magnitude = Math.abs(x);
  if (Math.abs(y) === Infinity) {
    if (magnitude === 1) return NaN;
    return magnitude > 1 === y > 0 ? Infinity : 0;
  }
  const whole = Math.floor(y) === y;
  const odd = whole && Math.abs(y) < 9007199254740992 && Math.abs(y % 2) === 1;
  const negative = x < 0 || Object.is(x, -0);
  if (magnitude === 0 || magnitude === Infinity) {
    const value = (magnitude === 0) === y > 0 ? 0 : Infinity;
    return negative && odd ? -value : value;
  }
  if (negative && !whole) return NaN;
  const value = powPositive(magnitude, y);
  return negative && odd ? -value : value;
}
