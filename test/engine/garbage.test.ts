import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

interface Report {
  /** Of each call, by agent and method. */
  bytes: Record<string, Record<"observe" | "act" | "evaluate" | "learn", number>>;
  isSameMemory: boolean;
}

/** Beside what is measured, asking for the size of the heap takes some itself, over all calls of a run. */
const NOTHING = 0.5;
/** The mean loss that `learn` returns, and the sum it comes from, where the compiler does not join them with the caller. */
const TWO_NUMBERS = 32;

test("over a million calls act, observe, evaluate and learn leave no garbage, and Wasm memory stays as it is", () => {
  const flags = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"];
  const out = execFileSync(process.execPath, [...flags, "test/support/garbage.mjs"], { encoding: "utf8" });
  const { bytes, isSameMemory } = JSON.parse(out) as Report;
  expect(Object.keys(bytes)).toHaveLength(6);
  for (const [name, { observe, act, evaluate, learn }] of Object.entries(bytes)) {
    for (const each of [observe, act, evaluate]) expect(each, name).toBeLessThan(NOTHING);
    expect(learn, name).toBeLessThan(TWO_NUMBERS + NOTHING);
  }
  expect(isSameMemory).toBe(true);
});
