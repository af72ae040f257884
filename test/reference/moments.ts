export function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Mean and variance, in two passes. */
export function moments(values: readonly number[]): { mean: number; variance: number } {
  const centre = mean(values);
  return { mean: centre, variance: mean(values.map((x) => (x - centre) ** 2)) };
}

/** Pearson's statistic of counts: by default of equal shares. */
export function chiSquare(counts: ArrayLike<number>, expected?: (bin: number) => number): number {
  const all = Array.from(counts);
  const share = mean(all);
  return all.reduce(
    (sum, count, bin) => sum + (count - (expected?.(bin) ?? share)) ** 2 / (expected?.(bin) ?? share),
    0,
  );
}
