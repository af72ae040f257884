import { expect, test } from "vitest";
import { publishedNegatives } from "../../bench/recommender/movielens.js";
import { log } from "../support/interactions.js";

test("the published negatives are 99 items that a user has not had, drawn user by user whatever the order of the test", () => {
  const had: [user: number, item: number][] = [
    [0, 3],
    [0, 150],
    [1, 0],
    [2, 7],
  ];
  const train = log(had, 3, 151);
  const held: [user: number, item: number][] = [
    [2, 8],
    [0, 9],
    [1, 10],
  ];
  const [third, first, second] = publishedNegatives(train, log(held, 3, 151));
  for (const [list, ...gone] of [
    [first!, 3, 150, 9],
    [second!, 0, 10],
    [third!, 7, 8],
  ] as const) {
    expect(new Set(list).size).toBe(99);
    expect(list.every((item) => item >= 0 && item < 151 && !gone.some((other) => other === item))).toBe(true);
  }
  // default_rng(0).choice(setdiff1d(arange(151), [3, 150, 9]), 99, replace=False)[:6] of NumPy 2.4.6
  expect([...first!.subarray(0, 6)]).toEqual([57, 103, 86, 141, 43, 136]);
  // The sum of the third such draw, out of what the third user has not had.
  expect(third!.reduce((sum, item) => sum + item, 0)).toBe(7734);
});
