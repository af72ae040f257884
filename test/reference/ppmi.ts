/** By their definition, over all pairs of words and all texts: [row][column], words in the order given. */
export function naivePpmi(
  texts: readonly string[][],
  words: readonly string[],
  window: number,
  smoothing: number,
): number[][] {
  const near = (a: string, b: string) =>
    texts.filter((text) => {
      const own = text.filter((word, i) => text.indexOf(word) === i);
      const [i, j] = [own.indexOf(a), own.indexOf(b)];
      return a !== b && i >= 0 && j >= 0 && Math.abs(i - j) <= window;
    }).length;
  const counts = words.map((a) => words.map((b) => near(a, b)));
  const total = counts.flat().reduce((sum, n) => sum + n, 0);
  const sums = counts.map((row) => row.reduce((sum, n) => sum + n, 0));
  const smooth = sums.map((n) => n ** smoothing);
  const all = smooth.reduce((sum, n) => sum + n, 0);
  return counts.map((row, a) =>
    row.map((n, b) => {
      const information = Math.log(n / total / ((sums[a]! / total) * (smooth[b]! / all)));
      return n > 0 ? Math.max(information, 0) : 0;
    }),
  );
}
