import { log1p } from "../../numeric/index.js";

/** Indices of the speeds at which sums of users fade. */
export const [SITTING, TODAY, TASTE] = [0, 1, 2] as const;

/** Sums and squared lengths below this count as unknown: they have faded. [set by hand] */
export const FADED = 1e-6;

/** log(1 + x) / scale, in [0, 3]; 0 for a time that is still to come. */
export function logScaled(x: number, scale: number): number {
  return Math.min(log1p(Math.max(x, 0)) / scale, 3);
}

/** x / (x + half): 0 at 0, 1/2 at `half`, below 1. Costs a division where a logarithm costs ten. */
export function saturated(x: number, half: number): number {
  return x / (x + half);
}

/** x / (1 + |x|), in (-1, 1). */
export function squashed(x: number): number {
  return x / (1 + Math.abs(x));
}
