import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Ledger } from "../../bench/harness/ledger.js";
import { hashOf, type ProcessCase, processTasks, runtimeSlot, type Task } from "../../bench/harness/suite.js";
import type { StoredRow } from "../../src/cli/writing/results.js";

const FIGURES = [{ metric: "return_mean", value: 7, unit: "1", n: 100 }];
const SUITE = { name: "learning" };

function make(name: string, recipe: object): ProcessCase {
  return { name, seeds: 2, recipe, run: () => FIGURES };
}

/** A task without seeds. */
function whole(recipe: string): Task {
  return { case: recipe, recipe, isAlone: true };
}

let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "liveq-"));
  file = join(folder, "rows.json");
});

afterEach(() => rmSync(folder, { recursive: true }));

function rows(): StoredRow[] {
  return JSON.parse(readFileSync(file, "utf8"));
}

function ledgerOf(...cases: ProcessCase[]): { ledger: Ledger; tasks: Task[] } {
  const tasks = processTasks(cases);
  return { ledger: new Ledger(SUITE, file, tasks), tasks };
}

describe("the ledger", () => {
  test("keeps each seed at once, and finds it in a second run", () => {
    const each = make("a", { steps: 5 });
    const first = ledgerOf(each);
    expect(first.tasks.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(first.ledger.has(first.tasks[0]!)).toBe(false);
    first.ledger.add(first.tasks[0]!, FIGURES);
    const recipe = hashOf(each.recipe);
    expect(rows()).toMatchObject([{ suite: "learning", case: "a", value: 7, n: 100, seeds: [1], recipe }]);
    const second = ledgerOf(each);
    expect(second.tasks.map((task) => second.ledger.has(task))).toEqual([true, false]);
    second.ledger.add(second.tasks[1]!, [{ metric: "return_mean", value: 9, unit: "1" }]);
    expect(second.ledger.rows.map(({ seeds, value }) => [seeds, value])).toEqual([
      [[1], 7],
      [[2], 9],
    ]);
    // A run with fewer seeds leaves the others in the file.
    const third = new Ledger(SUITE, file, processTasks([each], 1));
    third.write([]);
    expect(third.rows).toHaveLength(1);
    expect(rows()).toHaveLength(2);
    expect(ledgerOf(each).ledger.rows).toHaveLength(2);
  });

  test("does not count a seed of another recipe, whatever the order of its keys", () => {
    const first = ledgerOf(make("a", { steps: 5, options: { gamma: 0.9, tau: 1 } }));
    first.ledger.add(first.tasks[0]!, FIGURES);
    const same = ledgerOf(make("a", { options: { tau: 1, gamma: 0.9 }, steps: 5 }));
    expect(same.ledger.has(same.tasks[0]!)).toBe(true);
    const other = ledgerOf(make("a", { options: { tau: 1, gamma: 0.8 }, steps: 5 }));
    expect(other.ledger.has(other.tasks[0]!)).toBe(false);
  });

  test("leaves rows of other cases and their commits alone, and replaces computed ones", () => {
    const [a, b] = [make("a", {}), make("b", {})];
    const first = ledgerOf(a);
    first.ledger.add(first.tasks[0]!, FIGURES);
    writeFileSync(file, JSON.stringify(rows().map((row) => ({ ...row, commit: "old" }))));
    const { ledger, tasks } = ledgerOf(b);
    ledger.add(tasks[0]!, FIGURES);
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
    expect(ledgerOf(a, b).ledger.commits).toHaveLength(2);
  });

  test("replaces rows of the same slot: another recipe, but not another runtime", () => {
    const suite = { name: "engine", slotOf: runtimeSlot };
    const take = (recipe: string, runtime: string, value: number) => {
      new Ledger(suite, file, [whole(recipe)]).add(whole(recipe), []);
      const task = whole(recipe);
      new Ledger(suite, file, [task]).add(task, [{ case: "train/S", metric: "time_us", value, unit: "us", runtime }]);
    };
    take("first", "node 20.1.0", 1);
    take("second", "node 24.1.0", 2);
    take("third", "node 24.2.0", 3);
    expect(rows().map(({ runtime, value }) => [runtime, value])).toEqual([
      ["node 20.1.0", 1],
      ["node 24.2.0", 3],
    ]);
  });

  test("does a task again that failed in part, or on demand", () => {
    const task = whole("x");
    const ledger = new Ledger(SUITE, file, [task]);
    ledger.add(task, FIGURES, { isWhole: false });
    expect(rows()).toHaveLength(1);
    const again = new Ledger(SUITE, file, [task]);
    expect(again.has(task)).toBe(false);
    again.add(task, FIGURES);
    const third = new Ledger(SUITE, file, [task]);
    expect(third.has(task)).toBe(true);
    third.forget([task]);
    expect(third.has(task)).toBe(false);
  });

  test("refuses a file that holds something else, and writes none unless asked", () => {
    writeFileSync(file, "{}");
    expect(() => ledgerOf()).toThrow("does not hold JSON rows");
    writeFileSync(file, "no");
    expect(() => ledgerOf()).toThrow("does not hold JSON rows");
    const task = whole("x");
    const ledger = new Ledger(SUITE, undefined, [task]);
    ledger.add(task, FIGURES);
    expect(ledger.has(task)).toBe(true);
  });
});
