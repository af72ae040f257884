import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ColumnCleaning,
  cleanTable,
  emptyQualityReport,
  fitTable,
  type TableCell,
  type TableRow,
  type TableStatistics,
} from "../../../src/logs/index.js";
import { all } from "../../support/pieces.js";

async function clean(rows: TableRow[], policy: ColumnCleaning, statistics: TableStatistics = {}) {
  const cleaning = cleanTable(rows, { x: policy }, statistics);
  return { rows: await all(cleaning), report: cleaning.report };
}

/** What a column of numbers holds, by its definition: NaN for what is missing. */
function numberIn(cell: TableCell): number {
  if (cell === null || cell === undefined || cell === "") return Number.NaN;
  return Number(cell);
}

/** Naive statistics: all values at once. */
function naive(values: number[]) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const n = sorted.length;
  const at = (p: number) => sorted[Math.max(1, Math.ceil(p * n)) - 1]!;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const sd = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / n);
  const present = values.filter((value) => !Number.isNaN(value));
  const count = (value: number) => present.filter((other) => other === value).length;
  const mode = present.reduce((best, value) => (count(value) > count(best) ? value : best), present[0]!);
  return { n, mean, sd, q1: at(0.25), median: at(0.5), q3: at(0.75), mode };
}

const number = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constantFrom(1000, -1000, 7, 7, 7));
const cell: fc.Arbitrary<TableCell> = fc.oneof(
  { weight: 5, arbitrary: number },
  { weight: 2, arbitrary: number.map(String) },
  fc.constantFrom<TableCell>(null, undefined, "", Number.NaN),
);
const column = fc.array(cell, { minLength: 1, maxLength: 40 });

describe("statistics of columns", () => {
  test("are those of their definitions, on tables that a sketch holds whole", async () => {
    await fc.assert(
      fc.asyncProperty(column, async (cells) => {
        const { x } = await fitTable(
          cells.map((x) => ({ x })),
          { x: { type: "number" } },
        );
        const { n, mean, sd, ...exact } = naive(cells.map(numberIn));
        expect([x!.n, x!.missing]).toEqual([n, cells.length - n]);
        if (n === 0) return;
        expect(x).toMatchObject(exact);
        expect(x!.mean).toBeCloseTo(mean, 8);
        expect(x!.sd).toBeCloseTo(sd, 8);
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  test("of text have a mode, the first of those that come as often", async () => {
    const { x } = await fitTable([{ x: "b" }, { x: "a" }, { x: "a" }, { x: "b" }, {}], { x: {} });
    expect(x).toEqual({ n: 4, missing: 1, mode: "b" });
  });
});

describe("cleaning tables", () => {
  test("every policy agrees with a naive twin; a second cleaning changes nothing", async () => {
    const policy = fc.record({
      missing: fc.constantFrom("keep", "drop", "mean", "median", "mode", "constant", "indicator"),
      constant: fc.constantFrom(0, 3, -1, -99),
      outliers: fc.constantFrom("keep", "iqr", "z"),
      factor: fc.constantFrom(0.5, 1.5),
      min: fc.constantFrom(-Infinity, -10),
      max: fc.constantFrom(Infinity, 20),
      beyond: fc.constantFrom("clip", "drop"),
    });
    const used = new Set<string>();
    await fc.assert(
      fc.asyncProperty(column, column, policy, async (train, cells, policy) => {
        const known = train.map(numberIn).filter((value) => !Number.isNaN(value));
        if (known.length === 0) return;
        const full = { type: "number", ...policy } as ColumnCleaning;
        const statistics = await fitTable(
          train.map((x) => ({ x })),
          { x: full },
        );
        const { rows, report } = await clean(
          cells.map((x, i) => ({ x, i })),
          full,
          JSON.parse(JSON.stringify(statistics)),
        );
        const { mean, sd, q1, q3 } = statistics["x"]!;
        const reach = policy.outliers === "z" ? policy.factor * sd! : policy.factor * (q3! - q1!);
        const [low, high] = policy.outliers === "z" ? [mean! - reach, mean! + reach] : [q1! - reach, q3! + reach];
        const expected: TableRow[] = [];
        cells.forEach((cell, i) => {
          let x = numberIn(cell);
          const isMissing = Number.isNaN(x);
          if (isMissing && policy.missing === "drop") return;
          const mark = policy.missing === "indicator" ? { x_missing: isMissing ? 1 : 0 } : {};
          if (isMissing && policy.missing !== "keep") {
            const { constant } = policy;
            const fills = { ...statistics["x"], constant, indicator: constant } as Record<string, number>;
            x = fills[policy.missing]!;
          }
          let y = policy.outliers === "keep" ? x : Math.min(Math.max(x, low), high);
          y = Math.min(Math.max(y, policy.min), policy.max);
          // A declared value stands for what is missing, and is no outlier.
          if (["constant", "indicator"].includes(policy.missing) && x === policy.constant) y = x;
          if (policy.beyond === "drop" && y !== x && !Number.isNaN(x)) return;
          expected.push({ x: Number.isNaN(y) ? null : y, i, ...mark });
        });
        expect(rows.map(({ x, ...rest }) => ({ x: x ?? null, ...rest }))).toEqual(expected);
        expect(report.kept + report.dropped).toBe(report.read);
        expect([report.read, report.kept]).toEqual([cells.length, expected.length]);
        for (const reason of Object.keys({ ...report.droppedBy, ...report.changedBy })) used.add(reason);
        const again = await clean(rows, full, statistics);
        expect(again.rows).toEqual(rows);
        expect(again.report).toMatchObject({ dropped: 0, changedBy: {} });
      }),
      { numRuns: 500, seed: 3 },
    );
    expect([...used].sort()).toEqual([
      "impossible",
      "impossible x",
      "missing x",
      "missing: constant",
      "missing: indicator",
      "missing: mean",
      "missing: median",
      "missing: mode",
      "outlier",
      "outlier x",
    ]);
  });

  test("text that is no number is missing in a column of numbers, and text elsewhere stays", async () => {
    const { rows, report } = await clean([{ x: "n/a", y: "n/a" }], {
      type: "number",
      missing: "constant",
      constant: 1,
    });
    expect(rows).toEqual([{ x: 1, y: "n/a" }]);
    expect(report.changedBy).toEqual({ "missing: constant": { x: 1 } });
  });

  test("rows with the key of an earlier one are dropped, within the window", async () => {
    const rows = [1, 2, 1, 3, 4, 5, 1].map((a, i) => ({ a, b: "x", i }));
    const options = { key: ["a", "b"], window: 2, report: emptyQualityReport() };
    const cleaned = await all(cleanTable(rows, {}, {}, options));
    expect(cleaned.map(({ i }) => i)).toEqual([0, 1, 3, 4, 5, 6]);
    expect(options.report).toMatchObject({ read: 7, kept: 6, droppedBy: { duplicate: 1 } });
  });

  test.each<[ColumnCleaning, string]>([
    [{ missing: "mean" }, '"x.type" must be "number" for this policy, got "text"'],
    [{ missing: "constant" }, '"x.constant" must be text or a finite number, got undefined'],
    [{ type: "number", outliers: "z" }, '"x.sd" must be in the statistics, got undefined'],
    [{ type: "number", min: 2, max: 1 }, '"x.min" must be at most "x.max" (1), got 2'],
    [{ fill: 1 } as ColumnCleaning, '"x.fill" is not an option'],
  ])("refuses %o and says why", (policy, message) => {
    expect(() => cleanTable([], { x: policy })).toThrow(message);
  });
});
