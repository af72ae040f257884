import { expect, test } from "vitest";
import { HASHES, hashes } from "../../src/playground/bits/fixed.js";

test("the committed hashes of the page are those of agents that are trained here", async () => {
  const found: Record<string, string> = {};
  for await (const { name, hash } of hashes()) found[name] = hash;
  expect(found).toEqual(HASHES);
});
