import { expect, test } from "vitest";
import { numberAfter, numbersAfter, printed, promised } from "../support/example.js";

const NAMES = ["abtest", "agent", "behaviour", "content", "modalities", "shop", "stopping"];

test.each(NAMES)("%s prints what its page says", (name) => {
  expect(printed(`textbook/${name}`)).toEqual(promised(`textbook/${name}`));
});

test("the 1000-128-100 recommender wins its A/B test against the most popular items", () => {
  const lines = printed("textbook/abtest");
  expect(numberAfter(lines, "dqn: ")).toBeGreaterThan(1.3 * numberAfter(lines, "popular: "));
  expect(numbersAfter(lines, "difference ")[1]).toBeGreaterThan(0);
  expect(lines.at(-1)).toMatch(/^verdict: b_better after \d+ viewers$/);
});

test("the agent of the tutorials reaches 500, and so does its file", () => {
  expect(numberAfter(printed("textbook/agent"), "mean return of 100 other episodes: ")).toBe(500);
});

test("in the shop, looking ahead earns more than looking at the next sale", () => {
  const lines = printed("textbook/shop");
  const [ahead, next] = [numberAfter(lines, "gamma 0.9: "), numberAfter(lines, "gamma 0: ")];
  expect(ahead).toBeGreaterThan(1.3 * next);
  expect(ahead).toBeGreaterThan(1.3 * numberAfter(lines, "always the best seller, sweets: "));
});

test("training stops early, with weights that beat what pleases most now on test episodes", () => {
  const lines = printed("textbook/stopping");
  const [steps, best] = numbersAfter(lines, "ended by patience after ");
  expect(steps).toBeLessThan(100_000);
  expect(best).toBeLessThan(steps!);
  const learned = numberAfter(lines, "test, learned: ");
  expect(learned).toBeGreaterThan(1.05 * numberAfter(lines, "test, what pleases most now: "));
  expect(learned).toBeGreaterThan(numberAfter(lines, "test, always the favourite: "));
});

test("by behaviour, new users' taste is found within their first visits", () => {
  const lines = printed("textbook/behaviour");
  const [first, fourth, eighth] = numbersAfter(lines, "recommender, later users: ");
  expect(first).toBeLessThan(5);
  expect(fourth).toBeGreaterThan(7);
  expect(eighth).toBeGreaterThan(10);
  for (const other of ["what most people watch: ", "recommender, first users: "]) {
    expect(Math.max(...numbersAfter(lines, other)), other).toBeLessThan(5);
  }
});

test("by content, streams that nobody has watched are chosen better than by similarity alone", () => {
  const lines = printed("textbook/content");
  const similar = numberAfter(lines, "nearest to what was watched: ");
  expect(similar).toBeGreaterThan(2 * numberAfter(lines, "at random: "));
  expect(numberAfter(lines, "learned: ")).toBeGreaterThan(1.15 * similar);
});

test("by several modalities, fused features beat each modality alone", () => {
  const lines = printed("textbook/modalities");
  const alone = ["text: ", "image: ", "audio: "].map((name) => numberAfter(lines.slice(0, 3), name));
  expect(numberAfter(lines, "text + image + audio: ")).toBeGreaterThan(1.5 * Math.max(...alone));
});
