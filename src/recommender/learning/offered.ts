import type { Random } from "../../numeric/index.js";

/**
 * Draws `count` of the items, or all where there are fewer, each set and order equally likely; the list becomes
 * them. Takes one random number for each.
 */
export function drawSome<T>(random: Random, items: T[], count: number): T[] {
  const n = Math.min(count, items.length);
  for (let i = 0; i < n; i++) {
    const j = i + random.below(items.length - i);
    const item = items[i]!;
    items[i] = items[j]!;
    items[j] = item;
  }
  items.length = n;
  return items;
}
