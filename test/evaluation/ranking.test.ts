import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  evaluateRanking,
  hitRate,
  ndcg,
  placeHeldOut,
  type Ranker,
  rankingFigures,
  reciprocalRank,
} from "../../src/evaluation/ranking.js";
import { wilsonInterval } from "../../src/statistics/intervals.js";
import { log } from "../support/interactions.js";

/** Ranks by a table of scores, (users, items). */
function table(scores: number[][]): Ranker {
  return {
    name: "table",
    score: (user, _now, items, out) => {
      for (let j = 0; j < items.length; j++) out[j] = scores[user]![items[j]!]!;
    },
  };
}

const FULL = { kind: "full" } as const;

/** The mean of a metric over every order of the tied items, the slow way. */
function naive(scores: number[], candidates: number[], held: number, gain: (rank: number) => number): number {
  const better = candidates.filter((item) => scores[item]! > scores[held]!).length;
  const tied = candidates.filter((item) => scores[item] === scores[held]).length;
  let sum = 0;
  for (let position = 0; position < tied; position++) sum += gain(better + position + 1);
  return sum / tied;
}

describe("ranking metrics", () => {
  test("are those of a hand-computed example", () => {
    const train = log(
      [
        [0, 0],
        [1, 0],
        [2, 0],
      ],
      3,
      5,
    );
    const test = log(
      [
        [0, 3],
        [1, 1],
        [2, 4],
      ],
      3,
      5,
    );
    // Ranks of the held-out items among 1 to 4: 1, 3 and 4. Item 0 would be first, but has been had.
    const ranker = table([
      [9, 1, 2, 4, 3],
      [9, 2, 3, 4, 1],
      [9, 4, 3, 2, 1],
    ]);
    const placements = placeHeldOut(ranker, train, test, FULL);
    expect(Array.from(placements.better)).toEqual([0, 2, 3]);
    expect(Array.from(hitRate(placements, 3))).toEqual([1, 1, 0]);
    expect(Array.from(reciprocalRank(placements))).toEqual([1, 1 / 3, 1 / 4]);
    const [first, third, fourth] = ndcg(placements, 3);
    expect([first, fourth]).toEqual([1, 0]);
    expect(third).toBeCloseTo(1 / 2, 12);
    const scores = evaluateRanking(ranker, train, test, FULL, 2);
    expect(scores.n).toBe(3);
    expect(scores.hitRate).toBeCloseTo(1 / 3, 12);
    expect(scores.mrr).toBeCloseTo((1 + 1 / 3 + 1 / 4) / 3, 12);
    const figures = rankingFigures(placements, test, 2);
    expect(figures.map(({ metric, value, n }) => [metric, value, n])).toEqual([
      ["hr_at_2", scores.hitRate, 3],
      ["ndcg_at_2", scores.ndcg, 3],
      ["mrr", scores.mrr, 3],
    ]);
    // Of three users a resample may be the best one, or the worst, three times.
    expect([figures[2]!.lo, figures[2]!.hi]).toEqual([1 / 4, 1]);
    // The lists are 3 4, 3 2 and 1 2.
    expect(scores.coverage).toEqual(wilsonInterval(4, 5));
  });

  test("count a tie as its expectation over all orders", () => {
    const scores = fc.array(fc.array(fc.nat(4), { minLength: 12, maxLength: 12 }), { minLength: 4, maxLength: 4 });
    const held = fc.array(fc.nat(11), { minLength: 4, maxLength: 4 });
    const had = fc.array(fc.tuple(fc.nat(3), fc.nat(11)), { maxLength: 20 });
    fc.assert(
      fc.property(scores, held, had, fc.integer({ min: 1, max: 13 }), (scores, held, had, k) => {
        const train = log(had, 4, 12);
        const placements = placeHeldOut(table(scores), train, log([...held.entries()], 4, 12), FULL);
        for (let user = 0; user < 4; user++) {
          const seen = new Set(had.filter(([u]) => u === user).map(([, item]) => item));
          const candidates = [...Array(12).keys()].filter((item) => item === held[user] || !seen.has(item));
          const expected = (gain: (rank: number) => number) => naive(scores[user]!, candidates, held[user]!, gain);
          expect(hitRate(placements, k)[user]).toBeCloseTo(
            expected((rank) => (rank <= k ? 1 : 0)),
            12,
          );
          expect(ndcg(placements, k)[user]).toBeCloseTo(
            expected((rank) => (rank <= k ? 1 / Math.log2(rank + 1) : 0)),
            12,
          );
          expect(reciprocalRank(placements)[user]).toBeCloseTo(
            expected((rank) => 1 / rank),
            12,
          );
        }
      }),
    );
  });

  test("give a constant ranker exactly what chance gives", () => {
    const train = log(
      [
        [0, 0],
        [1, 5],
      ],
      2,
      21,
    );
    const test = log(
      [
        [0, 20],
        [1, 0],
      ],
      2,
      21,
    );
    const constant = table([Array(21).fill(7), Array(21).fill(7)]);
    expect(evaluateRanking(constant, train, test, FULL, 5).hitRate).toBeCloseTo(5 / 20, 12);
    const sampled = { kind: "sampled", negatives: 9, seed: 1 } as const;
    expect(evaluateRanking(constant, train, test, sampled, 5).hitRate).toBeCloseTo(5 / 10, 12);
  });

  test("do not depend on the index of an item", () => {
    const permutation = fc.shuffledSubarray([...Array(12).keys()], { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }),
        fc.nat(11),
        permutation,
        (scores, held, moved) => {
          const renamed: number[] = [];
          for (let item = 0; item < 12; item++) renamed[moved[item]!] = scores[item]!;
          const before = placeHeldOut(table([scores]), log([], 1, 12), log([[0, held]], 1, 12), FULL);
          const after = placeHeldOut(table([renamed]), log([], 1, 12), log([[0, moved[held]!]], 1, 12), FULL);
          expect(after).toEqual(before);
        },
      ),
    );
  });

  test("refuse a score that is not a number, and name it", () => {
    const ranker = table([[1, Number.NaN, 2]]);
    expect(() => placeHeldOut(ranker, log([], 1, 3), log([[0, 2]], 1, 3), FULL)).toThrow(
      "table: the score of item 1 for user 0 is NaN",
    );
  });

  test("refuse an empty test set", () => {
    expect(() => evaluateRanking(table([]), log([], 1, 3), log([], 1, 3), FULL)).toThrow(RangeError);
  });
});

describe("the sampled protocol", () => {
  const train = log(
    [
      [0, 1],
      [0, 2],
      [1, 3],
    ],
    2,
    40,
  );
  const held = log(
    [
      [0, 7],
      [1, 8],
    ],
    2,
    40,
  );

  /** What a ranker is asked to score under the sampled protocol. */
  function asked(negatives: number, seed: number): number[][] {
    const lists: number[][] = [];
    const spy: Ranker = {
      name: "spy",
      score: (_user, _now, items, out) => {
        lists.push(Array.from(items));
        out.fill(0);
      },
    };
    placeHeldOut(spy, train, held, { kind: "sampled", negatives, seed });
    return lists;
  }

  test("ranks the held-out item among distinct items that are new to the user", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), (negatives, seed) => {
        const [first, second] = asked(negatives, seed);
        expect(first).toHaveLength(1 + negatives);
        expect(new Set(first).size).toBe(first!.length);
        expect(first).toContain(7);
        expect(first!.some((item) => item === 1 || item === 2)).toBe(false);
        expect(second).toContain(8);
        expect(second).not.toContain(3);
      }),
    );
  });

  test("draws every unseen item equally often", () => {
    const times = new Float64Array(40);
    for (let seed = 0; seed < 3700; seed++) for (const item of asked(10, seed)[0]!) times[item]!++;
    expect([times[1], times[2], times[7]]).toEqual([0, 0, 3700]);
    // 37 others, 10 drawn: 1000 times each, with a standard deviation of 27.
    for (let item = 0; item < 40; item++) {
      if (item !== 1 && item !== 2 && item !== 7) expect(Math.abs(times[item]! - 1000)).toBeLessThan(27 * 4.5);
    }
  });

  test("refuses 0 negatives", () => {
    expect(() => asked(0, 1)).toThrow('"negatives" must be an integer of at least 1, got 0');
  });

  test("draws the same for the same seed, and takes all items where there are too few", () => {
    expect(asked(9, 5)).toEqual(asked(9, 5));
    expect(asked(9, 5)).not.toEqual(asked(9, 6));
    expect(asked(99, 1)[0]).toHaveLength(38);
  });
});

describe("given negatives", () => {
  const train = log([[0, 1]], 2, 6);
  const held = log(
    [
      [1, 5],
      [0, 2],
    ],
    2,
    6,
  );
  const ranker = table([
    [9, 9, 3, 2, 4, 1],
    [1, 2, 3, 4, 5, 4],
  ]);
  const given = (...lists: number[][]) =>
    ({ kind: "given", negatives: lists.map((list) => Int32Array.from(list)) }) as const;

  test("are the candidates beside the held-out item, new to the user or not", () => {
    const { better, tied } = placeHeldOut(ranker, train, held, given([4, 3, 0], [1, 5]));
    expect([Array.from(better), Array.from(tied)]).toEqual([
      [1, 1],
      [1, 0],
    ]);
    expect(evaluateRanking(ranker, train, held, given([0], [0]), 1).coverage).toBeUndefined();
  });

  test("must be distinct other items, one list for each test interaction", () => {
    const placed =
      (...lists: number[][]) =>
      () =>
        placeHeldOut(ranker, train, held, given(...lists));
    expect(placed([0])).toThrow('"negatives" must have 2 lists, one a test interaction, got 1');
    const wrong = '"negatives[1]" must be other items below 6 than 2, each once';
    for (const list of [[2], [0, 0], [6], [-1]]) expect(placed([0], list), `${list}`).toThrow(wrong);
  });
});
