import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTANTS } from "./list.js";

test("the text that each fault changes stands in its file once", () => {
  const files = new Map<string, string>();
  for (const { file, find, replace, what } of MUTANTS) {
    const code = files.get(file) ?? readFileSync(file, "utf8");
    files.set(file, code);
    expect(code.split(find).length - 1, `${file}: ${what}: ${find}`).toBe(1);
    expect(replace, what).not.toBe(find);
  }
});

test("no fault is listed twice", () => {
  const faults = MUTANTS.map(({ file, find, replace }) => JSON.stringify([file, find, replace]));
  expect(faults.filter((fault, i) => faults.indexOf(fault) !== i)).toEqual([]);
});
