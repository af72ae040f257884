import { describe, expect, test } from "vitest";
import { programsIn, runProgram } from "../support/readme.js";

describe("the README's programs", () => {
  const [own, handler] = programsIn("src/server/README.md");

  test("a server in memory shows a stream that went on air", async () => {
    expect(await runProgram(own!)).toBe("[ 's1' ]\n");
  });

  test("the handler takes an event", async () => {
    expect(await runProgram(handler!)).toBe("{ accepted: 1, duplicates: 0, late: 0, rejected: 0, faults: [] }\n");
  });
});
