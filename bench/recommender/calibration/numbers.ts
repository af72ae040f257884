import { quantile } from "../../../src/statistics/index.js";

/** The mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The quantiles of values in any order; NaN of nothing. */
export function sortedQuantile(values: readonly number[]): (p: number) => number {
  const sorted = Float64Array.from(values).sort();
  return (p) => (sorted.length === 0 ? Number.NaN : quantile(sorted, p));
}
