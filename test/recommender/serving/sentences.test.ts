import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import type { Explanation } from "../../../src/protocol/index.js";
import { explanationLines } from "../../../src/recommender/serving/sentences.js";

const effect = (group: string, score: number, rank = 0) => ({ group, value: score, choice: 0, score, rank });

const SHOWN: Explanation = {
  stream: "s1",
  position: 0,
  propensity: 0.97,
  explored: false,
  sources: ["favourite", "popular"],
  basis: "learned",
  value: { total: 18.2, immediate: 21, return: -2.8 },
  choice: { weight: 0.5, chance: 0.23 },
  slateValue: 16.1,
  advantage: 2.1,
  score: 1.05,
  groups: [effect("pair", 3.1, 3), effect("audience", 0.4), effect("session", -0.2), effect("clock", 0.1)],
  decisive: "pair",
  margins: { down: 0.2, out: 0.5, next: "s7" },
  facts: {
    ...{ streamer: "ann", category: "chess", onAirMs: 12 * 60_000, viewers: 120 },
    ...{ visits: 4, minutes: 90, follows: true, friends: 0 },
  },
};

describe("sentences", () => {
  test("say why a stream is shown, what it is worth, and what would change its place", () => {
    expect(explanationLines(SHOWN)).toEqual([
      "shown first: you have watched this streamer 4 times (+3.10), it has been on air for 12 minutes and has 120 viewers " +
        "(+0.40), your session so far (-0.20)",
      "value 18.2 = 21.0 now - 2.80 for coming back later, 2.10 above that of the request, 16.1; entered from this slate with 23.0 %",
      'a score 0.50 lower lets s7 take its place; without "pair" it would be fourth by score',
    ]);
  });

  test("leave out what is not known: parts, weights, what would change", () => {
    const { choice, slateValue, advantage, decisive, ...rest } = SHOWN;
    const bare = { ...rest, value: { total: -0.001 }, groups: [effect("mine", 0)], margins: {} };
    expect(explanationLines(bare)).toEqual([
      "shown first: no group of features speaks for or against it",
      "value -0.001",
    ]);
    expect(explanationLines({ ...bare, groups: [effect("mine", 1)] })[0]).toBe(
      'shown first: the features "mine" (+1.00)',
    );
  });

  test("say that exploration put a stream there, and which stream is better by score", () => {
    const margins = { up: -0.3, out: -0.4, next: "s2" };
    const explored = { ...SHOWN, position: 11, propensity: 0.012, explored: true, margins };
    const [first, , last] = explanationLines(explored);
    expect(first).toMatch(/^shown at place 12 to explore, with 1.20 %: you have watched/);
    expect(last).toMatch(/^s2 has a score 0.40 higher and would take its place by score; without/);
  });

  test("say that little has been learned, where viewers alone decide", () => {
    const early: Explanation = { ...SHOWN, basis: "viewers", groups: [], facts: { ...SHOWN.facts, viewers: 1 } };
    expect(explanationLines(early)[0]).toBe("shown first: by its 1 viewer, as little has been learned yet");
  });

  test.each([
    ["social", { friends: 2 }, "2 friends of yours watch this streamer"],
    ["social", { friends: 1 }, "a friend of yours watches this streamer"],
    ["social", {}, "you follow this streamer"],
    ["social", { follows: false }, "what your friends watch and follow"],
    ["pair", { visits: 1 }, "you have watched this streamer 1 time"],
    ["pair", { visits: 0 }, "you have not watched this streamer yet"],
    ["habits", {}, "how much you watch chess"],
  ])("of %s with %o say: %s", (group, facts, phrase) => {
    const one = { ...SHOWN, groups: [effect(group, 2)], facts: { ...SHOWN.facts, ...facts } };
    expect(explanationLines(one)[0]).toBe(`shown first: ${phrase} (+2.00)`);
  });

  test("cost a page that only says them less than 2 KiB", async () => {
    const contents = 'export { explanationLines } from "./dist/recommender/index.js"';
    const stdin = { contents, resolveDir: "." };
    const options = { bundle: true, minify: true, write: false, logLevel: "error", format: "esm" } as const;
    const { outputFiles } = await build({ stdin, ...options, external: ["#module"] });
    expect(brotliCompressSync(outputFiles[0]!.contents).length).toBeLessThan(2048);
  });
});
