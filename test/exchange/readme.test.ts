import { expect, test } from "vitest";
import { programsIn, runProgram } from "../support/readme.js";

test.each(programsIn("src/exchange/README.md"))("program %# of the README runs as written", async (program) => {
  expect(await runProgram(program)).toBe("");
});
