import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { publishedNegatives } from "../../bench/recommender/movielens.js";
import { RANKER_TRIALS, rankerTrialRows } from "../../bench/recommender/ranker.js";
import { defaultRankerFeatures } from "../../src/ranking/index.js";
import { temporaryFolder } from "../support/folder.js";
import { log } from "../support/interactions.js";
import { lookAlike } from "../support/movielens.js";

const { at } = temporaryFolder();

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

test("a setting is tried on earlier ratings alone: other last ratings change nothing", async () => {
  const { files, ratings, items } = lookAlike(3, 30, 60);
  const last = new Map<number, number>();
  for (const [line, [user, , , seconds]] of ratings.entries()) {
    const before = last.get(user);
    if (before === undefined || seconds >= ratings[before]![3]) last.set(user, line);
  }
  const had = new Set(ratings.map(([user, item]) => `${user} ${item}`));
  const moved = ratings.map(([user, item, rating, seconds], line) => {
    if (last.get(user) !== line) return [user, item, rating, seconds];
    const other = Array.from({ length: items }, (_, i) => i + 1).find((id) => !had.has(`${user} ${id}`))!;
    return [user, other, 6 - rating, seconds + 1000];
  });
  const trial = {
    name: "few",
    options: { features: ["popularity", "order", "trend", "pace"] as const, learner: { learningStarts: 100 } },
  };
  const rows = async (name: string, data: string | Uint8Array) => {
    const dir = at(name);
    mkdirSync(dir);
    for (const [file, bytes] of Object.entries({ ...files, data })) writeFileSync(join(dir, `u.${file}`), bytes);
    return rankerTrialRows(dir, trial);
  };
  const text = moved.map((line) => `${line.join("\t")}\n`).join("");
  const as = await rows("as", files.data);
  expect(as.map(({ metric }) => metric)).toEqual(["hr_at_10", "ndcg_at_10", "mrr"]);
  expect(await rows("moved", text)).toEqual(as);
});

test("the default groups of features were tried", () => {
  const tried = RANKER_TRIALS.map(({ options }) => [...options.features!].sort().join());
  expect(tried).toContain([...defaultRankerFeatures].sort().join());
});
