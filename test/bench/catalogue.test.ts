import { expect, test } from "vitest";
import { measureCatalogue } from "../../bench/recommender/speed/catalogue.js";

test("the catalogue's figures are of every size, above 0, and an exact search finds everything", () => {
  const rows = measureCatalogue([300, 600], 1);
  expect([...new Set(rows.map((row) => row.case))]).toEqual(["catalogue/300", "catalogue/600"]);
  for (const { case: name, metric, value } of rows) {
    if (metric === "bytes_per_stream") continue;
    expect(value, `${name} ${metric}`).toBeGreaterThan(0);
  }
  const exact = rows.filter(({ metric }) => metric === "towers_recall_at_200");
  expect(exact.map(({ value }) => value)).toEqual([1, 1]);
});
