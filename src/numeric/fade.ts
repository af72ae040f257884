import { exp } from "./math.js";
/** The factor by which a count fades in `elapsedMs`: 1/2 for each half-life. */
export function fade(elapsedMs: number, halfLifeMs: number): number {
  return elapsedMs <= 0 ? 1 : exp((-Math.LN2 * elapsedMs) / halfLifeMs);
}
