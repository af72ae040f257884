import type { Random } from "../../src/numeric/random.js";

/** Everyday words, which are in titles of any topic. */
const COMMON = ["live", "new", "the", "day", "with", "playing", "stream", "first"];

/** Titles of planted topics: some words of the topic, the frequent ones more often, among everyday words. */
export function titles(count: number, topics: number, random: Random): { title: string; topic: number }[] {
  const word = (topic: number) => `t${topic}x${Math.floor(30 * random.uniform() ** 2)}`;
  return Array.from({ length: count }, () => {
    const topic = random.below(topics);
    const words = [
      ...Array.from({ length: 3 }, () => word(topic)),
      ...Array.from({ length: 3 }, () => random.pick(COMMON)),
    ];
    return { title: random.shuffle(words).join(" "), topic };
  });
}

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
