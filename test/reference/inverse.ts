/** The inverse of a matrix by Gauss and Jordan, with the largest pivot of each column. */
export function naiveInverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c; r < n; r++) if (Math.abs(rows[r]![c]!) > Math.abs(rows[pivot]![c]!)) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot]!, rows[c]!];
    const scale = rows[c]![c]!;
    rows[c] = rows[c]!.map((x) => x / scale);
    for (let r = 0; r < n; r++) {
      const factor = rows[r]![c]!;
      if (r !== c) rows[r] = rows[r]!.map((x, j) => x - factor * rows[c]![j]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

/** EASE's weights by its formula: row i holds what each item adds to the score of item i. */
export function naiveEase(histories: readonly (readonly number[])[], items: number, lambda: number): number[][] {
  const all = [...Array(items).keys()];
  const both = (i: number, j: number) => histories.filter((own) => own.includes(i) && own.includes(j)).length;
  const p = naiveInverse(all.map((i) => all.map((j) => both(i, j) + (i === j ? lambda : 0))));
  return all.map((i) => all.map((j) => (i === j ? 0 : -p[j]![i]! / p[i]![i]!)));
}
