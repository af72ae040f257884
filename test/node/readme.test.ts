import { expect, test } from "vitest";
import { programsIn, runProgram } from "../support/readme.js";

test("the README's program saves an agent and follows a file", async () => {
  expect(await runProgram(programsIn("src/node/README.md")[0]!)).toBe("0\nclick\n");
});

test("the README's loop over a growing log learns", async () => {
  expect(await runProgram(programsIn("src/node/README.md")[1]!)).toBe("true\n");
});
