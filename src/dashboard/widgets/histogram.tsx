import { format } from "./format.js";
import { Table } from "./table.js";

/** How many of something fell between two bounds. */
export interface Bucket {
  readonly title: string;
  readonly count: number;
}

/** The buckets from the first to the last that holds something. */
export function filled(buckets: readonly Bucket[]): readonly Bucket[] {
  const holds = ({ count }: Bucket) => count > 0;
  return buckets.slice(Math.max(0, buckets.findIndex(holds)), 1 + buckets.map(holds).lastIndexOf(true));
}

/** Counts by bucket as bars in a table, which says the same to those who do not see them. */
export function Histogram({ head, buckets }: { head: readonly [string, string]; buckets: readonly Bucket[] }) {
  const shown = filled(buckets);
  const most = Math.max(1, ...shown.map(({ count }) => count));
  const rows = shown.map(({ title, count }) => {
    const bar = (
      <svg class="meter" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect width={(100 * count) / most} height="10" />
      </svg>
    );
    return [title, [title, format(count), bar]] as const;
  });
  return <Table head={[...head, "Share"]} numbers={[0, 1]} rows={rows} />;
}
