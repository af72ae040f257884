import { describe, expect, test } from "vitest";
import { goalLines, judged } from "../../bench/harness/goals.js";
import { hashOf } from "../../bench/harness/suite.js";
import { CASES } from "../../bench/learning/cases.js";
import { GOALS, report } from "../../bench/learning/report.js";
import { readRows, type StoredRow, stamped } from "../../src/cli/writing/results.js";

/** Rows of one seed, as the ledger keeps them. */
function rowsOf(seed: number, figures: Readonly<Record<string, number>>): StoredRow[] {
  const common = { suite: "learning", case: "CartPole-v1", unit: "1", seeds: [seed], recipe: "x" };
  return stamped(Object.entries(figures).map(([metric, value]) => ({ ...common, metric, value })));
}

describe("bench:learning", () => {
  test("has cases of different names, and computes and judges figures over all seeds", () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
    expect(report([])).toEqual({ text: "", rows: [] });
    const figures = { return_mean: 500, steps: 5, train_seconds: 1, seconds: 2, steps_per_s: 5 };
    const goalsOf = (rows: StoredRow[]) => goalLines(judged(report(rows).rows!, GOALS), GOALS);
    const rows = [1, 2, 3].flatMap((seed) => rowsOf(seed, figures));
    expect(goalsOf(rows)).toEqual(["met      CartPole-v1 return_min 500, goal at least 500"]);
    expect(goalsOf(rowsOf(1, { ...figures, return_mean: 499.9 }))[0]).toMatch(
      /^NOT met {2}CartPole-v1 return_min 499.9,/,
    );
    const iqm = report(rows).rows!.find(({ metric }) => metric === "return_iqm");
    expect(iqm).toMatchObject({ case: "CartPole-v1", value: 500, lo: 500, hi: 500, n: 3, seeds: [1, 2, 3] });
  });

  test("recognises the committed runs, and computes the committed figures from them", () => {
    const committed = readRows("bench/results/learning.json");
    const runs = committed.filter(({ recipe }) => recipe !== undefined);
    const hashes = new Map(CASES.map(({ name, recipe }) => [name, hashOf(recipe)]));
    expect(runs.filter((row) => row.recipe !== hashes.get(row.case))).toEqual([]);
    const computed = committed.filter(({ recipe }) => recipe === undefined);
    const again = report(runs).rows!;
    expect(again).toHaveLength(computed.length);
    for (const { case: name, metric, value, lo, hi } of computed) {
      const found = again.find((row) => row.case === name && row.metric === metric)!;
      expect(found.value, `${name} ${metric}`).toBeCloseTo(value, 9);
      expect([found.lo, found.hi].map((x) => x?.toFixed(9))).toEqual([lo, hi].map((x) => x?.toFixed(9)));
    }
  });
});
