import { describe, expect, test } from "vitest";
import { evaluateRanking } from "../../src/evaluation/ranking.js";
import {
  type Interactions,
  leaveLastOut,
  parseMovieLens,
  selectInteractions,
  userHistories,
} from "../../src/logs/index.js";
import { Bpr } from "../../src/ranking/bpr.js";
import { FEATURES, featureNames, writeFeatures } from "../../src/ranking/dqn/features.js";
import { stateNames, UserHistory } from "../../src/ranking/dqn/history.js";
import { ItemTable } from "../../src/ranking/dqn/items.js";
import { DqnRanker, type DqnRankerProgress, trainDqnRanker } from "../../src/ranking/dqn/ranker.js";
import { Scaler } from "../../src/ranking/dqn/scaler.js";
import { ItemPop } from "../../src/ranking/itempop.js";
import { lookAlike } from "../support/movielens.js";

const { ratings, items } = parseMovieLens(lookAlike(1).files);
const { train, test: held } = leaveLastOut(ratings);
const QUICK = { learner: { learningStarts: 100, capacity: 20_000 } };

/** The features of an item after the first `length` interactions of a user of the log. */
function features(
  log: Interactions,
  factors: Bpr,
  user: number,
  length: number,
  item: number,
  rating: number,
): number[] {
  const { start, event } = userHistories(log);
  const history = new UserHistory(new ItemTable(log, items));
  history.begin(user);
  for (const e of event.subarray(start[user]!, start[user]! + length)) history.push(log.item[e]!, log.value[e]!);
  const row = new Float32Array(FEATURES);
  writeFeatures(new ItemTable(log, items), history, factors, item, rating, row, 0);
  return Array.from(row);
}

describe("features of a candidate", () => {
  const factors = new Bpr(train, { factors: 4, epochs: 1 });
  const { start, event } = userHistories(train);

  test("of a held item equal those of a log without it", () => {
    for (const user of [0, 7, 23, 59]) {
      for (const length of [1, 4, start[user + 1]! - start[user]! - 1]) {
        const next = event[start[user]! + length]!;
        const without = selectInteractions(
          train,
          Int32Array.from(train.user.keys()).filter((e) => e !== next),
        );
        const item = train.item[next]!;
        const left = features(train, factors, user, length, item, train.value[next]!);
        const never = features(without, factors, user, length, item, Number.NaN);
        for (const [f, name] of featureNames.entries()) {
          // The mean of all ratings moves by the one that is left out.
          expect(left[f], name).toBeCloseTo(never[f]!, name === "mean_rating" ? 2 : 5);
        }
      }
    }
  });

  test("depend on earlier interactions alone", () => {
    const user = 5;
    const item = held.item[5]!;
    const early = features(train, factors, user, 5, item, Number.NaN);
    expect(features(train, factors, user, 6, item, Number.NaN)).not.toEqual(early);
    const history = new UserHistory(new ItemTable(train, items));
    history.begin(4);
    history.push(3, 5);
    history.begin(user);
    for (const e of event.subarray(start[user]!, start[user]! + 5)) history.push(train.item[e]!, train.value[e]!);
    const row = new Float32Array(FEATURES);
    writeFeatures(new ItemTable(train, items), history, factors, item, Number.NaN, row, 0);
    expect(Array.from(row)).toEqual(early);
  });

  test("and of a state are finite, for an empty history too", () => {
    const history = new UserHistory(new ItemTable(train, items));
    history.begin(0);
    const state = new Float32Array(stateNames.length).fill(Number.NaN);
    history.write(state);
    expect(state.every(Number.isFinite)).toBe(true);
    expect(features(train, factors, 0, 0, 7, Number.NaN).every(Number.isFinite)).toBe(true);
  });
});

describe("Scaler", () => {
  test("gives mean 0 and deviation 1, and 0 for a constant column", () => {
    const rows = Float32Array.from([1, 5, 3, 5, 5, 5]);
    Scaler.fit(rows, 2).apply(rows);
    const root = Math.sqrt(1.5);
    expect(Array.from(rows)).toEqual([-root, 0, 0, 0, root, 0].map(Math.fround));
  });
});

describe("trainDqnRanker", () => {
  test("learns to rank better than popularity, and reports its progress", async () => {
    const reports: DqnRankerProgress[] = [];
    const ranker = await trainDqnRanker(
      { train, items },
      { ...QUICK, epochs: 2, trainEvery: 20 },
      {
        onProgress: (report) => reports.push(report),
      },
    );
    const full = { kind: "full" } as const;
    const popularity = evaluateRanking(new ItemPop(train), train, held, full);
    expect(evaluateRanking(ranker, train, held, full).hitRate).toBeGreaterThan(2 * popularity.hitRate);
    const last = reports.at(-1)!;
    expect([last.epoch, last.epochs, last.users]).toEqual([2, 2, 60]);
    expect(last.updates).toBe(ranker.agent.updates);
    expect(last.loss).toBeGreaterThan(0);
    ranker.dispose();
  });

  test("gives the same values for the same seed", async () => {
    const values = async (seed: number) => {
      const ranker = await trainDqnRanker({ train, items }, { ...QUICK, seed });
      const out = new Float64Array(items.length);
      ranker.score(3, 0, Int32Array.from(items.keys()), out);
      return out;
    };
    const first = await values(1);
    expect(await values(1)).toEqual(first);
    expect(await values(2)).not.toEqual(first);
  });

  test("stops when aborted: with the ranker so far, or with the reason before the first update", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const onProgress = ({ updates }: DqnRankerProgress) => {
      if (updates > 0) controller.abort(reason);
    };
    const ranker = await trainDqnRanker({ train, items }, QUICK, { onProgress, signal: controller.signal });
    expect(ranker.agent.updates).toBeGreaterThan(0);
    await expect(trainDqnRanker({ train, items }, QUICK, { signal: controller.signal })).rejects.toBe(reason);
  });

  test("ranks the same after save and load; a damaged file is refused", async () => {
    const ranker = await trainDqnRanker({ train, items }, QUICK);
    const file = ranker.save();
    const again = DqnRanker.load(file);
    for (const user of [0, 31]) {
      const [a, b] = [ranker, again].map((r) => {
        const out = new Float64Array(items.length);
        r.score(user, 0, Int32Array.from(items.keys()), out);
        return out;
      });
      expect(b).toEqual(a);
    }
    const bad = file.slice();
    bad[bad.length - 9]! ^= 1;
    expect(() => DqnRanker.load(bad)).toThrow("its SHA-256 does not match");
  });

  test("refuses data that does not fit together", async () => {
    await expect(trainDqnRanker({ train, items: items.slice(1) })).rejects.toThrow(
      '"items" must have 120 entries, got 119',
    );
    await expect(trainDqnRanker({ train, items }, { shown: 20 })).rejects.toThrow(
      '"shown" must be at most "negatives" (16)',
    );
    await expect(trainDqnRanker({ train, items }, { hard: 9 })).rejects.toThrow(
      '"hard" must be at most "shown" (8), got 9',
    );
    await expect(trainDqnRanker({ train, items }, { folds: 1 })).rejects.toThrow(
      '"folds" must be an integer in [2, 100]',
    );
  });
});
