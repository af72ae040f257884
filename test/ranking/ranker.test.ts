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
import { CoOccurrence } from "../../src/ranking/dqn/cooccurrence.js";
import { featureNames, writeFeatures } from "../../src/ranking/dqn/features.js";
import { type RankerFeatureGroup, rankerFeatureGroups } from "../../src/ranking/dqn/groups.js";
import { stateNames, UserHistory } from "../../src/ranking/dqn/history.js";
import { ItemTable, type ItemTableOptions } from "../../src/ranking/dqn/items.js";
import { CrossFittedWeights } from "../../src/ranking/dqn/linear.js";
import { DqnRanker, type DqnRankerProgress, trainDqnRanker } from "../../src/ranking/dqn/ranker.js";
import { Scaler } from "../../src/ranking/dqn/scaler.js";
import { ItemTimes } from "../../src/ranking/dqn/trend.js";
import { ItemPop } from "../../src/ranking/itempop.js";
import { lookAlike } from "../support/movielens.js";

const { ratings, items } = parseMovieLens(lookAlike(1).files);
const { train, test: held } = leaveLastOut(ratings);
const QUICK = { learner: { learningStarts: 100, capacity: 20_000 } };

const EVERYTHING: ItemTableOptions = { features: rankerFeatureGroups, window: 20, decay: 0.9, folds: 3, seed: 1 };
const NAMES = featureNames(rankerFeatureGroups);

/** The history of the first `length` interactions of a user, asked about at the time of the next one. */
function historyOf(table: ItemTable, log: Interactions, user: number, length: number, now: number): UserHistory {
  const { start, event } = userHistories(log);
  const history = new UserHistory(table);
  history.begin(user);
  for (const e of event.subarray(start[user]!, start[user]! + length)) {
    history.push(log.item[e]!, log.value[e]!, log.time[e]!);
  }
  history.now = now;
  return history;
}

/** The features of an item after the first `length` interactions of a user of the log, at a time. */
function features(
  log: Interactions,
  factors: Bpr,
  user: number,
  length: number,
  [item, rating, now]: [item: number, rating: number, now: number],
): number[] {
  const table = new ItemTable(log, items, EVERYTHING);
  const row = new Float32Array(NAMES.length);
  writeFeatures(table, historyOf(table, log, user, length, now), factors, item, rating, row, 0);
  return Array.from(row);
}

/** The log without some interactions. */
function without(log: Interactions, isGone: (event: number) => boolean): Interactions {
  return selectInteractions(
    log,
    Int32Array.from(log.user.keys()).filter((e) => !isGone(e)),
  );
}

describe("features of a candidate", () => {
  const factors = new Bpr(train, { factors: 4, epochs: 1 });
  const { start, event } = userHistories(train);

  test("of a held item equal those of a log without it", () => {
    for (const user of [0, 7, 23, 59]) {
      for (const length of [1, 4, start[user + 1]! - start[user]! - 1]) {
        const next = event[start[user]! + length]!;
        const item = train.item[next]!;
        const now = train.time[next]!;
        const left = features(train, factors, user, length, [item, train.value[next]!, now]);
        const rest = without(train, (e) => e === next);
        const never = features(rest, factors, user, length, [item, Number.NaN, now]);
        for (const [f, name] of NAMES.entries()) {
          // The mean of all ratings moves by the one that is left out.
          expect(left[f], name).toBeCloseTo(never[f]!, name === "mean_rating" ? 2 : 5);
        }
      }
    }
  });

  test("of a training row are those of a log that ends before it, whatever the user does later", () => {
    const [user, length] = [11, 6];
    const next = event[start[user]! + length]!;
    const row: [number, number, number] = [train.item[next]!, train.value[next]!, train.time[next]!];
    const later = (e: number) => train.user[e] === user && e > next;
    const ended = features(without(train, later), factors, user, length, row);
    const whole = features(train, factors, user, length, row);
    for (const [f, name] of NAMES.entries()) {
      // Means and norms over the whole log move a little by fewer interactions of one user.
      expect(Math.abs(whole[f]! - ended[f]!), name).toBeLessThanOrEqual(0.08 * Math.max(Math.abs(ended[f]!), 0.5));
    }
    // Nothing of the item itself moves: its pairs with later items are in no history.
    for (const name of ["log_popularity", "trend_7_days", "trend_30_days", "factors", "genres"]) {
      expect(whole[NAMES.indexOf(name)]).toBeCloseTo(ended[NAMES.indexOf(name)]!, 6);
    }
  });

  test("depend on earlier interactions alone", () => {
    const user = 5;
    const asked: [number, number, number] = [held.item[5]!, Number.NaN, held.time[5]!];
    const early = features(train, factors, user, 5, asked);
    expect(features(train, factors, user, 6, asked)).not.toEqual(early);
    const table = new ItemTable(train, items, EVERYTHING);
    const history = historyOf(table, train, 4, 3, 0);
    history.begin(user);
    for (const e of event.subarray(start[user]!, start[user]! + 5)) {
      history.push(train.item[e]!, train.value[e]!, train.time[e]!);
    }
    history.now = asked[2];
    const row = new Float32Array(NAMES.length);
    writeFeatures(table, history, factors, asked[0], Number.NaN, row, 0);
    expect(Array.from(row)).toEqual(early);
  });

  test("and of a state are finite, for an empty history too", () => {
    const history = new UserHistory(new ItemTable(train, items, EVERYTHING));
    history.begin(0);
    const state = new Float32Array(stateNames(rankerFeatureGroups).length).fill(Number.NaN);
    history.write(state);
    expect(state.every(Number.isFinite)).toBe(true);
    expect(features(train, factors, 0, 0, [7, Number.NaN, 0]).every(Number.isFinite)).toBe(true);
  });

  test("of fewer groups are those columns of all groups", () => {
    const some: RankerFeatureGroup[] = ["popularity", "order", "year"];
    const table = new ItemTable(train, items, { ...EVERYTHING, features: some });
    const row = new Float32Array(featureNames(some).length);
    writeFeatures(table, historyOf(table, train, 9, 6, 0), undefined, 30, Number.NaN, row, 0);
    const whole = features(train, factors, 9, 6, [30, Number.NaN, 0]);
    expect(Array.from(row)).toEqual(featureNames(some).map((name) => whole[NAMES.indexOf(name)]));
  });
});

describe("what a log says of items", () => {
  const few = log(
    [
      [0, 0, 0],
      [0, 1, 5000],
      [0, 2, 5000],
      [1, 1, 6000],
      [1, 0, 6000],
    ].map(([user, item, time]) => [user!, item!, time!] as const),
  );

  test("of pairs: how many users, how near, in which order, and whether at one moment", () => {
    const kinds = ["overlap", "nearness", "order", "moment"] as const;
    const pairs = new CoOccurrence(few, kinds, { window: 20, decay: 0.5 });
    const rows = (kind: (typeof kinds)[number]) => Array.from(pairs.matrix(kind));
    expect(rows("overlap")).toEqual([0, 2, 1, 2, 0, 1, 1, 1, 0]);
    expect(rows("nearness")).toEqual([0, 2, 0.5, 2, 0, 1, 0.5, 1, 0]);
    // Row j holds what came after j.
    expect(rows("order")).toEqual([0, 1, 0.5, 1, 0, 1, 0, 0, 0]);
    expect(rows("moment")).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0]);
    expect(Array.from(pairs.count)).toEqual([2, 2, 1]);
    expect(() => new CoOccurrence(few, ["order"], { window: 1, decay: 1 }).matrix("moment")).toThrow("left out");
  });

  test("of spans: the interactions from their start up to before their end", () => {
    const times = new ItemTimes(few);
    expect(times.between(1, 0, 5000)).toBe(0);
    expect(times.between(1, 5000, 6000)).toBe(1);
    expect(times.between(1, 5000, 6001)).toBe(2);
  });

  test("of EASE: a user's own items do not move the weights that score the user", () => {
    const before = new CrossFittedWeights(train, 3, 1);
    const after = new CrossFittedWeights(
      without(train, (e) => train.user[e] === 17 && e > 400),
      3,
      1,
    );
    expect(after.of(17)).toEqual(before.of(17));
    const other = Array.from({ length: train.users }, (_, user) => user).find(
      (user) => before.of(user) !== before.of(17),
    )!;
    expect(after.of(other)).not.toEqual(before.of(other));
  });
});

/** Interactions of two users with three items, in order. */
function log(events: readonly (readonly [user: number, item: number, time: number])[]): Interactions {
  return {
    users: 2,
    items: 3,
    user: Int32Array.from(events, ([user]) => user),
    item: Int32Array.from(events, ([, item]) => item),
    value: new Float32Array(events.length).fill(1),
    time: Float64Array.from(events, ([, , time]) => time),
  };
}

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

  test.each([
    ["the default groups", {}],
    ["all groups", { features: rankerFeatureGroups, window: 7, decay: 0.5 }],
    ["two groups", { features: ["order", "pace"] as const }],
  ])("ranks the same after save and load with %s; a damaged file is refused", async (_, options) => {
    const ranker = await trainDqnRanker({ train, items }, { ...QUICK, ...options });
    const file = ranker.save();
    const again = DqnRanker.load(file);
    for (const user of [0, 31]) {
      const [a, b] = [ranker, again].map((r) => {
        const out = new Float64Array(items.length);
        r.score(user, held.time[user]!, Int32Array.from(items.keys()), out);
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
    for (const features of [["pace"], ["order", "order"], [], ["orders" as "order"]] as RankerFeatureGroup[][]) {
      await expect(trainDqnRanker({ train, items }, { features })).rejects.toThrow('"features" must be some of');
    }
    await expect(trainDqnRanker({ train, items }, { window: 0 })).rejects.toThrow(
      '"window" must be an integer in [1, 1000], got 0',
    );
    await expect(trainDqnRanker({ train, items }, { folds: 1 })).rejects.toThrow(
      '"folds" must be an integer in [2, 100]',
    );
  });
});
