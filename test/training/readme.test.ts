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

test("the README's checks find no breach in CartPole, and the one of a broken copy", async () => {
  const out = await runProgram(programsIn("src/training/README.md")[2]!);
  expect(out.trim()).toBe(`[] [ '"observation" must hold 4 numbers, got 3 (reset)' ]`);
});

test("the README's table of values reaches the optimum of the grid", async () => {
  const [learned, optimal] = (await runProgram(programsIn("src/training/README.md")[3]!)).trim().split(" ");
  expect(learned).toBe(optimal);
});
