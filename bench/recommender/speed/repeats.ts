import { meanInterval, medianInterval } from "../../../src/statistics/intervals.js";
import type { Result } from "../../harness/suite.js";

/** The fewest repetitions whose median has an interval. */
export const REPEATS = 6;

/** A figure of one repetition. */
export type Measured = readonly [metric: string, value: number, unit: string];

/** Times and speeds have long tails, since the machine does other things too. */
function isTimed(unit: string): boolean {
  return unit === "us" || unit.endsWith("/s");
}

/**
 * The figures of several repetitions with their 95 % intervals: medians of times and speeds, means of all others.
 *
 * @param repeats - The same metrics in the same order in each; at least 2, at least 6 where something is timed.
 */
export function repeatedRows(name: string, repeats: readonly (readonly Measured[])[]): Result[] {
  return repeats[0]!.map(([metric, , unit], i) => {
    const values = repeats.map((measured) => measured[i]![1]);
    const interval = isTimed(unit) ? medianInterval(values) : meanInterval(values);
    return { case: name, metric, unit, ...interval };
  });
}
