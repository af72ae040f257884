import { expect, test } from "vitest";
import { BODIES } from "./bodies.js";
import { CLOCKS } from "./clocks.js";
import { DAMAGE } from "./damage.js";
import { MEMORY } from "./memory.js";

const tell = () => {};

test.each([BODIES, CLOCKS, DAMAGE])("$name: the state is what it must be, and nothing fails", async (own) => {
  for (const { metric, value, most = value, least = value } of await own.run(own.few, 7, tell)) {
    expect(value, metric).toBeLessThanOrEqual(most);
    expect(value, metric).toBeGreaterThanOrEqual(least);
  }
});

test("a server in memory does not keep what it has learned from", async () => {
  const figures = await MEMORY.run(MEMORY.few, 0, tell);
  // Of two hours, in which a new server still grows, only that it is not for ever.
  expect(figures.find(({ metric }) => metric === "bytes_last_third_over_first")!.value).toBeLessThan(1.5);
});
