import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Ledger } from "../../bench/learning/ledger.js";
import { type Case, hashOf } from "../../bench/learning/suite.js";
import { CASES, SUITES } from "../../bench/learning/suites.js";

const FIGURES = [{ metric: "return_mean", value: 7, unit: "1", n: 100 }];

function make(name: string, recipe: object): Case {
  return { name, seeds: 2, recipe, run: async () => FIGURES };
}

let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "liveq-"));
  file = join(folder, "rows.json");
});

afterEach(() => rmSync(folder, { recursive: true }));

function rows(): { case: string; metric: string; seeds?: number[]; commit: string }[] {
  return JSON.parse(readFileSync(file, "utf8"));
}

describe("the ledger of bench:learning", () => {
  test("keeps each seed at once, and knows it again in a second run", () => {
    const each = make("a", { steps: 5 });
    const first = new Ledger(file, [each]);
    expect(first.has({ case: "a", seed: 1 })).toBe(false);
    first.add(each, 1, FIGURES);
    expect(rows()).toMatchObject([
      { suite: "learning", case: "a", value: 7, n: 100, seeds: [1], recipe: hashOf(each) },
    ]);
    const second = new Ledger(file, [each]);
    expect(second.has({ case: "a", seed: 1 })).toBe(true);
    expect(second.has({ case: "a", seed: 2 })).toBe(false);
    const jobs = [2, 1].map((seed) => ({ case: "a", seed }));
    second.add(each, 2, [{ metric: "return_mean", value: 9, unit: "1" }]);
    expect(second.outcomes(jobs).get("a")).toEqual([
      { seed: 1, figures: { return_mean: 7 } },
      { seed: 2, figures: { return_mean: 9 } },
    ]);
    expect(second.outcomes(jobs.slice(1)).get("a")).toHaveLength(1);
  });

  test("does not know a seed of another recipe, whatever the order of its keys", () => {
    const each = make("a", { steps: 5, options: { gamma: 0.9, tau: 1 } });
    new Ledger(file, [each]).add(each, 1, FIGURES);
    const same = make("a", { options: { tau: 1, gamma: 0.9 }, steps: 5 });
    expect(new Ledger(file, [same]).has({ case: "a", seed: 1 })).toBe(true);
    const other = make("a", { options: { tau: 1, gamma: 0.8 }, steps: 5 });
    expect(new Ledger(file, [other]).has({ case: "a", seed: 1 })).toBe(false);
  });

  test("leaves rows of other cases and their commits alone, and replaces computed ones", () => {
    const [a, b] = [make("a", {}), make("b", {})];
    new Ledger(file, [a]).add(a, 1, FIGURES);
    const old = rows().map((row) => ({ ...row, commit: "old" }));
    writeFileSync(file, JSON.stringify(old));
    const ledger = new Ledger(file, [b]);
    ledger.add(b, 1, FIGURES);
    const computed = { case: "b", metric: "return_iqm", value: 7, unit: "1" };
    ledger.write([computed]);
    ledger.write([computed]);
    expect(rows().map(({ case: name, metric }) => [name, metric])).toEqual([
      ["a", "return_mean"],
      ["b", "return_mean"],
      ["b", "return_iqm"],
    ]);
    expect(rows()[0]!.commit).toBe("old");
    expect(rows()[1]!.commit).not.toBe("old");
    expect(new Ledger(file, [a, b]).commits).toHaveLength(2);
  });

  test("refuses a file that holds something else, and writes none unless asked", () => {
    writeFileSync(file, "{}");
    expect(() => new Ledger(file, [])).toThrow("does not hold JSON rows");
    writeFileSync(file, "no");
    expect(() => new Ledger(file, [])).toThrow("does not hold JSON rows");
    const ledger = new Ledger(undefined, [make("a", {})]);
    ledger.add(make("a", {}), 1, FIGURES);
    expect(ledger.has({ case: "a", seed: 1 })).toBe(true);
  });
});

describe("the suites of bench:learning", () => {
  test("have cases of different names, and a goal for each that has outcomes", () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
    for (const suite of SUITES) expect(suite.report(new Map())).toMatchObject({ rows: [], goals: [] });
    const figures = { return_mean: 500, steps: 5, train_seconds: 1, seconds: 2, steps_per_s: 5 };
    const outcomes = new Map([["CartPole-v1", [1, 2, 3].map((seed) => ({ seed, figures }))]]);
    const reports = SUITES.map((suite) => suite.report(outcomes));
    const [goal, ...others] = reports.flatMap(({ goals }) => goals);
    expect(goal).toEqual({ text: "CartPole-v1: 500.0 on every seed (3 of 20 seeds)", isMet: true });
    expect(others).toEqual([]);
    outcomes.set("CartPole-v1", [{ seed: 1, figures: { ...figures, return_mean: 499.9 } }]);
    expect(SUITES[0]!.report(outcomes).goals[0]!.isMet).toBe(false);
    const iqm = reports[0]!.rows.find(({ metric }) => metric === "return_iqm");
    expect(iqm).toMatchObject({ case: "CartPole-v1", value: 500, lo: 500, hi: 500, n: 3, seeds: [1, 2, 3] });
  });
});
