import { expect, test } from "vitest";
import { type Measured, repeatedRows } from "../../bench/recommender/speed/repeats.js";
import { meanInterval, medianInterval } from "../../src/statistics/intervals.js";

test("repetitions come to a median of what is timed and a mean of what is not, with their intervals", () => {
  const values = [3, 1, 2, 100, 5, 4];
  const repeats = values.map((value): Measured[] => [
    ["call_us", value, "us"],
    ["events_per_second", value, "events/s"],
    ["memory", value, "MB"],
  ]);
  const rows = repeatedRows("a/case", repeats);
  expect(rows.map(({ case: name, metric, unit }) => [name, metric, unit])).toEqual([
    ["a/case", "call_us", "us"],
    ["a/case", "events_per_second", "events/s"],
    ["a/case", "memory", "MB"],
  ]);
  const [call, rate, memory] = rows;
  expect(call).toMatchObject({ ...medianInterval(values), value: 3.5, lo: 1, hi: 100, n: 6 });
  expect(rate).toMatchObject(medianInterval(values));
  expect(memory).toMatchObject(meanInterval(values));
});
