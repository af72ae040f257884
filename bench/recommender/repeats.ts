import type { Row } from "../../src/cli/writing/results.js";
import { meanInterval, medianInterval } from "../../src/statistics/intervals.js";
import { SUITE } from "./part.js";

/** The fewest of which a median has an interval. */
export const REPEATS = 6;

/** What one repetition measured. */
export type Measured = readonly [metric: string, value: number, unit: string];

/** Times and speeds: what else the machine does makes their tail long. */
function isTimed(unit: string): boolean {
  return unit === "us" || unit.endsWith("/s");
}

/**
 * What repetitions of one case come to, each with its 95 % interval: medians of times and speeds, means of all else.
 *
 * @param repeats - The same metrics in the same order in each; at least 2, at least 6 where something is timed.
 */
export function repeatedRows(name: string, repeats: readonly (readonly Measured[])[]): Row[] {
  return repeats[0]!.map(([metric, , unit], i) => {
    const values = repeats.map((measured) => measured[i]![1]);
    const interval = isTimed(unit) ? medianInterval(values) : meanInterval(values);
    return { suite: SUITE, case: name, metric, unit, ...interval };
  });
}
