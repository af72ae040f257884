/**
 * All singular values of a matrix, the largest first, and the left singular vectors: one-sided Jacobi, which turns pairs
 * of rows until all are orthogonal (Hestenes 1958).
 */
export function jacobiSvd(matrix: readonly (readonly number[])[]): { values: number[]; vectors: number[][] } {
  const rows = matrix.map((row) => [...row]);
  const turns = rows.map((_, i) => rows.map((_, j) => (i === j ? 1 : 0)));
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let p = 0; p < rows.length; p++) {
      for (let q = p + 1; q < rows.length; q++) {
        const [pp, qq, pq] = [dot(rows[p]!, rows[p]!), dot(rows[q]!, rows[q]!), dot(rows[p]!, rows[q]!)];
        if (Math.abs(pq) <= 1e-15 * Math.sqrt(pp * qq)) continue;
        const angle = 0.5 * Math.atan2(2 * pq, pp - qq);
        for (const set of [rows, turns]) {
          const [a, b] = [set[p]!, set[q]!];
          set[p] = a.map((x, k) => Math.cos(angle) * x + Math.sin(angle) * b[k]!);
          set[q] = b.map((x, k) => Math.cos(angle) * x - Math.sin(angle) * a[k]!);
        }
      }
    }
  }
  // The turned rows are the values times the right vectors; the turns, row by row, are the left ones.
  const lengths = rows.map((row) => Math.sqrt(dot(row, row)));
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]!);
  return { values: order.map((i) => lengths[i]!), vectors: order.map((i) => turns[i]!) };
}
