/**
 * The Gini coefficient of non-negative numbers: 0 for equal shares, (n - 1) / n where one number has all; NaN when all
 * are 0.
 */
export function gini(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  let sum = 0;
  let ranked = 0;
  for (let i = 0; i < n; i++) {
    sum += sorted[i]!;
    ranked += (i + 1) * sorted[i]!;
  }
  return (2 * ranked) / (n * sum) - (n + 1) / n;
}
