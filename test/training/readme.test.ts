import { expect, test } from "vitest";
import { programsIn, runProgram } from "../support/readme.js";

test("the README's training goes on from its file as if it had never stopped", async () => {
  const out = await runProgram(programsIn("src/training/README.md")[0]!);
  const last = out.trimEnd().split("\n").slice(4).join(" ");
  const [, ended, best, again] = /^(\w+) (\{.*?\}) (\{.*?\})$/.exec(last)!;
  expect([ended, again]).toEqual(["steps", best]);
});
