import { expect, test } from "vitest";
import { programsIn, runProgram } from "../support/readme.js";

test("the README's training goes on from its file as if it had never stopped", async () => {
  const out = await runProgram(programsIn("src/training/README.md")[0]!);
  const last = out.trimEnd().split("\n").slice(4).join(" ");
  const [, ended, best, again] = /^(\w+) (\{.*?\}) (\{.*?\})$/.exec(last)!;
  expect([ended, again]).toEqual(["steps", best]);
});

test("the README's search tries nine options, then three, then one, and finds one that balances the pole", async () => {
  expect(await runProgram(programsIn("src/training/README.md")[1]!)).toBe("13 1 true\n");
});
