import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { publishedNegatives } from "../../bench/recommender/movielens.js";
import { readMovieLens } from "../../src/cli/reading/movielens.js";
import { evaluateRanking, type Ranker, type RankingProtocol } from "../../src/evaluation/ranking.js";
import { type InteractionSplit, leaveLastOut, parseMovieLens } from "../../src/logs/index.js";
import { Bpr } from "../../src/ranking/bpr.js";
import { Ease } from "../../src/ranking/ease.js";
import { ItemKnn } from "../../src/ranking/itemknn.js";
import { ItemPop } from "../../src/ranking/itempop.js";
import { RandomRanker } from "../../src/ranking/random.js";
import { naiveEase } from "../reference/inverse.js";
import { log } from "../support/interactions.js";
import { lookAlike } from "../support/movielens.js";
import { realData } from "../support/realdata.js";

const FULL = { kind: "full" } as const;

function scores(ranker: Ranker, user: number, items: number): number[] {
  const out = new Float64Array(items);
  ranker.score(user, 0, Int32Array.from(out.keys()), out);
  return Array.from(out);
}

/** Item kNN by its formula, with dense matrices. */
function naiveKnn(history: number[][], items: number, k: number, decay: number): number[][] {
  const users = (i: number, j: number) => history.filter((own) => own.includes(i) && own.includes(j)).length;
  const cosine = (i: number, j: number) => users(i, j) / Math.sqrt(users(i, i) * users(j, j) || 1);
  const all = [...Array(items).keys()];
  const neighbours = all.map((i) =>
    all
      .filter((j) => j !== i)
      .sort((a, b) => cosine(i, b) - cosine(i, a) || a - b)
      .slice(0, k),
  );
  const weight = (own: number[], j: number) => (own.includes(j) ? decay ** (own.length - 1 - own.indexOf(j)) : 0);
  return history.map((own) =>
    all.map((i) => neighbours[i]!.reduce((sum, j) => sum + cosine(i, j) * weight(own, j), 0)),
  );
}

describe("ItemPop", () => {
  test("scores an item by its number of interactions", () => {
    const ranker = new ItemPop(
      log(
        [
          [0, 2],
          [1, 2],
          [1, 0],
        ],
        2,
        4,
      ),
    );
    expect(scores(ranker, 0, 4)).toEqual([1, 0, 2, 0]);
  });
});

describe("ItemKnn", () => {
  test("scores an item by the cosines of its neighbours among the user's items", () => {
    // Users of item 0: 0, 1, 2; of item 1: 0, 1; of item 2: 2.
    const ranker = new ItemKnn(
      log(
        [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
          [2, 0],
          [2, 2],
        ],
        3,
        3,
      ),
      { k: 1 },
    );
    // The only neighbour of item 0 is item 1, that of items 1 and 2 is item 0.
    expect(scores(ranker, 2, 3)).toEqual([0, 2 / Math.sqrt(6), 1 / Math.sqrt(3)]);
  });

  test("agrees with its formula on any log", () => {
    const userHistories = fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 8 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        userHistories,
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(1, 0.9, 0.5),
        (userHistories, k, decay) => {
          const rows = userHistories.flatMap((own, user) => own.map((item): [number, number] => [user, item]));
          const ranker = new ItemKnn(log(rows, userHistories.length, 10), { k, decay });
          const expected = naiveKnn(userHistories, 10, k, decay);
          for (const [user, row] of expected.entries()) {
            for (const [item, score] of scores(ranker, user, 10).entries()) expect(score).toBeCloseTo(row[item]!, 9);
          }
        },
      ),
    );
  });

  test("counts two interactions of a pair once", () => {
    const once = new ItemKnn(
      log(
        [
          [0, 1],
          [0, 0],
          [1, 1],
        ],
        2,
        3,
      ),
    );
    const twice = new ItemKnn(
      log(
        [
          [0, 0],
          [0, 1],
          [0, 0],
          [1, 1],
        ],
        2,
        3,
      ),
    );
    expect(twice.similarities).toEqual(once.similarities);
    expect(scores(twice, 0, 3)).toEqual(scores(once, 0, 3));
  });

  test("refuses options that are unknown or wrong", () => {
    const train = log([], 1, 1);
    expect(() => new ItemKnn(train, { k: 0 })).toThrow('"k" must be an integer in [1, 65536], got 0');
    expect(() => new ItemKnn(train, { decay: 2 })).toThrow('"decay" must be in (0, 1], got 2');
    expect(() => new ItemKnn(train, { neighbours: 3 } as object)).toThrow('"neighbours" is not an option');
  });
});

describe("Ease", () => {
  test("agrees with its closed form on any log", () => {
    const userHistories = fc.array(fc.uniqueArray(fc.nat(8), { maxLength: 7 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(userHistories, fc.constantFrom(0.5, 3, 100), (userHistories, lambda) => {
        const rows = userHistories.flatMap((own, user) => own.map((item): [number, number] => [user, item]));
        const ranker = new Ease(log([...rows, ...rows], userHistories.length, 9), { lambda });
        const weights = naiveEase(userHistories, 9, lambda);
        for (const [user, own] of userHistories.entries()) {
          const expected = weights.map((row) => own.reduce((sum, j) => sum + row[j]!, 0));
          for (const [item, score] of scores(ranker, user, 9).entries()) expect(score).toBeCloseTo(expected[item]!, 8);
        }
      }),
    );
  });

  test("refuses options that are unknown or wrong", () => {
    expect(() => new Ease(log([], 1, 1), { lambda: 0 })).toThrow('"lambda" must be in (0, 1000000000], got 0');
    expect(() => new Ease(log([], 1, 1), { l2: 1 } as object)).toThrow('"l2" is not an option');
  });
});

describe("RandomRanker", () => {
  test("gives every order of three items equally often, the same again for the same seed", () => {
    const ranker = new RandomRanker(4);
    const other = new RandomRanker(4);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const drawn = scores(ranker, i, 3);
      if (i < 10) expect(scores(other, i, 3)).toEqual(drawn);
      const order = [0, 1, 2].sort((a, b) => drawn[b]! - drawn[a]!).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4.5 * Math.sqrt(1000));
  });
});

describe("Bpr", () => {
  const { train, test: held } = leaveLastOut(parseMovieLens(lookAlike(1).files).ratings);

  test("gives the same vectors for the same seed, others for another", () => {
    const options = { factors: 8, epochs: 3 };
    const first = new Bpr(train, { ...options, seed: 1 });
    expect(new Bpr(train, { ...options, seed: 1 }).itemVectors).toEqual(first.itemVectors);
    expect(new Bpr(train, { ...options, seed: 2 }).itemVectors).not.toEqual(first.itemVectors);
  });

  test("scores by the inner product of its vectors", () => {
    const ranker = new Bpr(train, { factors: 2, epochs: 1 });
    const { userVectors: u, itemVectors: i } = ranker;
    expect(scores(ranker, 3, 5)[4]).toBe(u[6]! * i[8]! + u[7]! * i[9]!);
  });

  test("learns what users like: better than popularity on the look-alike", () => {
    const bpr = evaluateRanking(new Bpr(train, { factors: 16, epochs: 20 }), train, held, FULL);
    const popularity = evaluateRanking(new ItemPop(train), train, held, FULL);
    expect(bpr.hitRate).toBeGreaterThan(2 * popularity.hitRate);
  });

  test("learns biases of popular items, and adds them to the scores", () => {
    const without = new Bpr(train, { factors: 1, epochs: 5 });
    expect(without.itemBiases.every((bias) => bias === 0)).toBe(true);
    const ranker = new Bpr(train, { factors: 1, epochs: 5, biases: true });
    const { counts } = new ItemPop(train);
    const order = [...counts.keys()].sort((a, b) => counts[b]! - counts[a]!);
    const meanOf = (items: number[]) => items.reduce((sum, item) => sum + ranker.itemBiases[item]!, 0) / items.length;
    expect(meanOf(order.slice(0, 20))).toBeGreaterThan(meanOf(order.slice(-20)) + 1);
    expect(scores(ranker, 3, 5)[4]).toBe(ranker.dot(3, 4) + ranker.itemBiases[4]!);
  });

  test("ends for a user with every item", () => {
    const ranker = new Bpr(
      log(
        [
          [0, 0],
          [0, 1],
          [1, 0],
        ],
        2,
        2,
      ),
      { factors: 2, epochs: 2 },
    );
    expect(scores(ranker, 0, 2).every(Number.isFinite)).toBe(true);
  });

  test("refuses options out of range", () => {
    expect(() => new Bpr(train, { factors: 0 })).toThrow('"factors" must be an integer in [1, 4096], got 0');
    expect(() => new Bpr(train, { learningRate: 0 })).toThrow('"learningRate" must be in (0, 1], got 0');
  });
});

const movielens = realData("ml-100k");

describe.skipIf(!movielens)("on MovieLens-100K, leave-last-out, 943 users", () => {
  let split: InteractionSplit;
  let sampledOnce: RankingProtocol;
  beforeAll(async () => {
    split = leaveLastOut((await readMovieLens(movielens!)).ratings);
    sampledOnce = { kind: "given", negatives: publishedNegatives(split.train, split.test) };
  });

  /** Within .003 of the published figures, with the same 99 negatives. */
  function expectScores(ranker: Ranker, full: [hr: number, ndcg: number], sampled: [hr: number, ndcg: number]): void {
    const b = evaluateRanking(ranker, split.train, split.test, FULL);
    expect(b.n).toBe(943);
    expect(Math.abs(b.hitRate - full[0])).toBeLessThan(0.003);
    expect(Math.abs(b.ndcg - full[1])).toBeLessThan(0.003);
    const a = evaluateRanking(ranker, split.train, split.test, sampledOnce);
    expect(Math.abs(a.hitRate - sampled[0])).toBeLessThan(0.003);
    expect(Math.abs(a.ndcg - sampled[1])).toBeLessThan(0.003);
  }

  test("ItemPop reaches HR@10 .086 and NDCG@10 .044", () => {
    expectScores(new ItemPop(split.train), [0.086, 0.044], [0.408, 0.228]);
  });

  test("ItemKnn with 50 neighbours reaches HR@10 .119 and NDCG@10 .066", () => {
    expectScores(new ItemKnn(split.train), [0.119, 0.066], [0.601, 0.346]);
  });

  test("ItemKnn with 100 neighbours and decay .98 reaches HR@10 .124 and NDCG@10 .068", () => {
    expectScores(new ItemKnn(split.train, { k: 100, decay: 0.98 }), [0.124, 0.068], [0.643, 0.371]);
  });

  test("Ease with lambda 300 reaches HR@10 .139 and NDCG@10 .072", () => {
    expectScores(new Ease(split.train), [0.139, 0.072], [0.662, 0.393]);
  });

  test("Bpr with 32 factors beats ItemPop", () => {
    const ranker = new Bpr(split.train, { factors: 32, epochs: 20 });
    expect(evaluateRanking(ranker, split.train, split.test, FULL).hitRate).toBeGreaterThan(0.1);
  });
});
