import { expect, test } from "vitest";
import { measureYear } from "../../bench/recommender/year.js";

test("a year has the figures of each quarter, and the last beside the second", () => {
  const rows = measureYear(() => {}, { seeds: [1, 2], world: { viewers: 8, streamers: 20 }, quarterDays: 4 });
  const quarters = rows.filter(({ metric }) => metric === "watch_min_per_user_day");
  expect(quarters.map((row) => row.case)).toEqual([1, 2, 3, 4].map((quarter) => `year/quarter-${quarter}`));
  for (const { value, n } of quarters) {
    expect(value).toBeGreaterThan(0);
    expect(n).toBe(2);
  }
  const ratio = rows.find(({ metric }) => metric === "watch_min_per_user_day_ratio")!;
  expect(ratio.case).toBe("year/flat");
  expect(ratio.lo).toBeLessThanOrEqual(ratio.value);
});
