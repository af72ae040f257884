import { expect, test } from "vitest";
import { numberAfter, printed, promised } from "../support/example.js";

test.each(["domains", "purchases", "streamers", "titles"])("%s prints what its page says", (name) => {
  expect(printed(`uses/${name}`)).toEqual(promised(`uses/${name}`));
});

test.each([
  ["titles that fit the user open more items", "titles", 1.5],
  ["streamers are recommended to those who follow them", "streamers", 1.5],
  ["takings as the reward earn more than the best seller", "purchases", 2],
] as const)("%s", (_, name, margin) => {
  const lines = printed(`uses/${name}`);
  const best = Math.max(numberAfter(lines, "at random "), numberAfter(lines, "most popular "));
  expect(numberAfter(lines, "learned ")).toBeGreaterThan(margin * best);
});

test("what users show on one platform helps on the other", () => {
  const lines = printed("uses/domains");
  const apart = numberAfter(lines, "one for each platform ");
  expect(numberAfter(lines, "one for both ")).toBeGreaterThan(1.2 * apart);
  expect(numberAfter(lines, "one for both ")).toBeGreaterThan(1.5 * numberAfter(lines, "at random "));
});
