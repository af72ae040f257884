/** Halves and bytes by definition, in f64. */

/** The format a number is kept in; a range is cut into 255 steps. */
export type Kind = "f32" | "f16" | { readonly low: number; readonly high: number };

/** The value of a half: IEEE 754 binary16. */
export function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

/** The halves from 0 to the largest, and what would follow it: infinity stands for 65536. */
const MAGNITUDES = Float64Array.from({ length: 0x7c01 }, (_, half) => (half < 0x7c00 ? halfValue(half) : 65536));

/** The half nearest to x, of two the even one. Requires |x| <= 65536. */
export function nearestHalf(x: number): number {
  const magnitude = Math.abs(x);
  let [below, above] = [0, MAGNITUDES.length - 1];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (MAGNITUDES[middle]! <= magnitude) below = middle;
    else above = middle;
  }
  const [down, up] = [magnitude - MAGNITUDES[below]!, MAGNITUDES[above]! - magnitude];
  const half = down < up || (down === up && below % 2 === 0) ? below : above;
  return (x < 0 || Object.is(x, -0) ? 0x8000 : 0) | half;
}

/** The byte nearest to x in [low, high]. */
export function nearestByte(x: number, low: number, high: number): number {
  return Math.round(((x - low) / (high - low)) * 255);
}

/** The number that is kept for x. */
export function keptOf(x: number, kind: Kind): number {
  if (kind === "f32") return x;
  if (kind === "f16") return halfValue(nearestHalf(x));
  return kind.low + (nearestByte(x, kind.low, kind.high) * (kind.high - kind.low)) / 255;
}
