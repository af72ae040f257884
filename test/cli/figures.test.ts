import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { bySlice, cell, rowsOf, unitOf } from "../../src/cli/writing/figures.js";
import { stamped } from "../../src/cli/writing/results.js";
import type { Figure } from "../../src/statistics/tally.js";

const figure = (metric: string, slice: string, value: number, half: number): Figure => {
  return { metric, slice, value, lo: value - half, hi: value + half, n: 7 };
};

test.each([
  [{ value: 0.12345, lo: 0.1, hi: 0.2 }, "0.123 [0.100, 0.200]"],
  [{ value: 12.345, lo: 9, hi: 15.55 }, "12.3 [9.0, 15.6]"],
  [{ value: 1234.5, lo: -1, hi: 2e4 }, "1235 [-1, 20000]"],
  [{ value: -0.012, lo: -0.02, hi: 0 }, "-0.0120 [-0.0200, 0.0000]"],
  [{ value: 2.5, lo: -Infinity, hi: Infinity }, "2.50"],
])("%o is shown as %s", (interval, text) => {
  expect(cell(interval)).toBe(text);
});

test("a table has a line for each metric and a column for each slice, aligned", () => {
  const figures = [figure("mrr", "all", 0.5, 0.1), figure("mrr", "novel", 0.25, 0.1), figure("hr_at_10", "all", 1, 0)];
  expect(bySlice(figures, ["all", "novel"]).split("\n")).toEqual([
    `${" ".repeat(27)}all${" ".repeat(17)}novel`,
    "--------  --------------------  --------------------",
    "mrr       0.500 [0.400, 0.600]  0.250 [0.150, 0.350]",
    "hr_at_10     1.00 [1.00, 1.00]",
  ]);
});

test("rows have slice and unit, and leave out infinite bounds", () => {
  const open = { ...figure("watch_min_per_user_day", "repeat", 3, 0), lo: -Infinity, hi: Infinity };
  expect(rowsOf([figure("mrr", "all", 0.5, 0.1), open], "recommender", "log/x", [4])).toEqual([
    { suite: "recommender", case: "log/x", metric: "mrr", value: 0.5, unit: "1", lo: 0.4, hi: 0.6, n: 7, seeds: [4] },
    { suite: "recommender", case: "log/x/repeat", metric: open.metric, value: 3, unit: "min", n: 7, seeds: [4] },
  ]);
  const units = ["hours_to_next_visit", "novelty_bits_at_10", "sessions_per_user_day", "click_rate"].map(unitOf);
  expect(units).toEqual(["h", "bit", "1/d", "1"]);
});

test.skipIf(!existsSync(".git"))("a row from a checkout names its commit", () => {
  const head = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" });
  const row = { suite: "engine", case: "train/S", metric: "time", value: 1, unit: "us" };
  expect(stamped([row])[0]!.commit).toBe(head.slice(0, 12));
});
