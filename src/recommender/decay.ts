import { exp } from "../math.js";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

/** The factor by which a count fades in `elapsedMs`: 1/2 for each half-life. */
export function fade(elapsedMs: number, halfLifeMs: number): number {
  return elapsedMs <= 0 ? 1 : exp((-Math.LN2 * elapsedMs) / halfLifeMs);
}
