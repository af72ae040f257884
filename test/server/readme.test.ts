import { expect, test } from "vitest";
import { programsIn, runProgram } from "../support/readme.js";

test("the README's handler takes an event", async () => {
  const [program] = programsIn("src/server/README.md");
  expect(await runProgram(program!)).toBe("{ accepted: 1, duplicates: 0, late: 0, rejected: 0, faults: [] }\n");
});
