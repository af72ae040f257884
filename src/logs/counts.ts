/** Counts by name. */
export type Counts = Record<string, number>;

export function count(counts: Counts, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}
