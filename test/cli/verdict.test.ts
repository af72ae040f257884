import { describe, expect, test } from "vitest";
import { adviceOf, dataOf, gainOf, type Paired, unsupported, verdict } from "../../src/cli/verdicts/index.js";
import { growthToTell, meanInterval, observationsToTell } from "../../src/statistics/intervals.js";

const PAIRED: Paired = {
  ...{ name: "live", reference: "popular", metric: "NDCG@10", base: 0.5, unit: "users" },
  ...{ value: 0.06, lo: 0.04, hi: 0.08, n: 100 },
};

describe("a verdict", () => {
  test.each<[Partial<Paired>, string]>([
    [{}, "live is better than most popular by 12 % [8.0, 16] in NDCG@10: the interval leaves out 0."],
    [
      { value: -0.06, lo: -0.08, hi: -0.04 },
      "live is worse than most popular by 12 % [8.0, 16] in NDCG@10: the interval leaves out 0.",
    ],
    [
      { value: 0.02, lo: -0.04, hi: 0.08 },
      "No difference between live and most popular can be seen: +4.0 % [-8.0, 16] in NDCG@10; " +
        "if that is the difference, about 9 times as many users are needed to see it.",
    ],
    [
      { value: 0.02, lo: -0.04, hi: 0.08, unit: "worlds", n: 8, name: "dqn" },
      "No difference between the DQN and most popular can be seen: +4.0 % [-8.0, 16] in NDCG@10; " +
        "if that is the difference, about 6.5 times as many worlds (52) are needed to see it.",
    ],
    [
      { value: 0.0001, lo: -0.04, hi: 0.0402 },
      "No difference between live and most popular can be seen: +0.0 % [-8.0, 8.0] in NDCG@10; " +
        "they are alike, and more users will hardly tell them apart.",
    ],
    [{ value: 0, lo: 0, hi: 0 }, "live and most popular are equal in NDCG@10."],
    [
      { lo: -Infinity, hi: Infinity, unit: "worlds" },
      "live: +12 % in NDCG@10 beside most popular, but too few worlds for an interval: nothing can be said.",
    ],
    [{ value: Number.NaN }, "live and most popular cannot be compared: there is no NDCG@10."],
    [
      { base: 0, name: "dqn" },
      "The DQN is better than most popular by 0.060 [0.040, 0.080] in NDCG@10: the interval leaves out 0.",
    ],
  ])("of %j is one plain sentence", (change, sentence) => {
    expect(verdict({ ...PAIRED, ...change })).toBe(sentence);
  });

  test("names groups of features without data, and what to send for them", () => {
    const shares = new Map([
      ["pair", 0.34],
      ["content", 0],
      ["session", 1],
      ["mine", 0],
    ]);
    expect(dataOf(shares)).toBe(
      "Groups of features with data, by share of requests: session 100 %, pair 34 %. " +
        "Without data: content (titles, tags or embeddings in on_air events), mine.",
    );
    expect(dataOf(new Map([["pair", 1]]))).toBe("Groups of features with data, by share of requests: pair 100 %.");
  });

  test("says what a model has learned from, where it may help", () => {
    const learned = { updates: 40, warmupUpdates: 20, users: 9 };
    expect(adviceOf("live", learned)).toContain("live has learned from 9 users in 40 updates.");
    expect(adviceOf("live", { ...learned, warmupUpdates: 1000 })).toBe(
      "live still shows the most watched streams: of 1000 updates it has had 40. " +
        "It needs a longer log, such as one 25 times as long, or --epochs.",
    );
    expect(adviceOf("live", { ...learned, updates: 0 })).toContain("it has had 0. It needs a longer log.");
  });

  test("of an estimate without support says how many decisions it needs", () => {
    expect(unsupported("popular", 5, 800, 50)).toBe(
      "What most popular would earn cannot be told: its weights leave 5.0 of 800 decisions. " +
        "It needs about 10 times as many decisions, or the log of a policy that explores more.",
    );
    expect(unsupported("live", 0, 800, 50)).toContain("It needs decisions that it could have made, or the log");
  });

  test("is a plain number without a base", () => {
    expect(gainOf({ value: 0.5, lo: 0.25, hi: 0.75, base: 0 })).toBe("+0.50 [0.25, 0.75]");
  });
});

test("the number of observations to tell is that at which Student's interval leaves 0 out", () => {
  const values = [2, -1, 0.5, 1];
  const needed = observationsToTell(meanInterval(values));
  // As many observations of the same mean and the same spread.
  const { value, lo, hi, n } = meanInterval(values);
  const like = (count: number) => {
    const spread = ((hi - lo) / 2 / 3.182446305283708) * Math.sqrt(n) * Math.sqrt((count - 1) / count);
    return meanInterval(Array.from({ length: count }, (_, i) => value + (i % 2 === 0 ? spread : -spread)));
  };
  expect(like(needed - 2 - (needed % 2)).lo).toBeLessThan(0);
  expect(like(needed + (needed % 2)).lo).toBeGreaterThan(0);
  expect(observationsToTell({ value: 1, lo: 0.5, hi: 1.5, n: 9 })).toBe(9);
  expect(observationsToTell({ value: 0, lo: -1, hi: 1, n: 9 })).toBe(Infinity);
  expect(observationsToTell({ value: 1, lo: -Infinity, hi: Infinity, n: 1 })).toBe(Infinity);
});

test("widths fall with the square root of the number of observations", () => {
  expect(growthToTell({ value: 1, lo: -1, hi: 3 })).toBe(4);
  expect(growthToTell({ value: -1, lo: -3, hi: 1 })).toBe(4);
  expect(growthToTell({ value: 1, lo: 0.5, hi: 1.5 })).toBe(1);
  expect(growthToTell({ value: 0, lo: -1, hi: 1 })).toBe(Infinity);
  expect(growthToTell({ value: 1, lo: -Infinity, hi: Infinity })).toBe(Infinity);
});
