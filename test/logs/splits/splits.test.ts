import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cutInteractionsAt,
  holdOutUsers,
  type Interactions,
  kFold,
  lastOfEachPair,
  leaveLastOut,
  leaveLastTwoOut,
  sortInteractions,
  splitInstants,
  userHistories,
} from "../../../src/logs/index.js";

/** [user, item, time] as they come, with the position as value. */
function unordered(rows: [user: number, item: number, time: number][], users = 6, items = 20): Interactions {
  return {
    users,
    items,
    user: Int32Array.from(rows, ([user]) => user),
    item: Int32Array.from(rows, ([, item]) => item),
    value: Float32Array.from(rows.keys()),
    time: Float64Array.from(rows, ([, , time]) => time),
  };
}

/** The same in order of time. */
function log(rows: [user: number, item: number, time: number][]): Interactions {
  return sortInteractions(unordered(rows));
}

const anyRows = fc.array(fc.tuple(fc.nat(5), fc.nat(19), fc.nat(10)), { minLength: 8, maxLength: 60 });
const someRows = fc.array(fc.tuple(fc.nat(4), fc.nat(19), fc.nat(10)), { maxLength: 60 });
const seed = fc.nat(1000);

/** Which interactions the parts have, each by its place in the source. */
function ids(...parts: Interactions[]): number[] {
  return parts.flatMap((part) => [...part.value]).sort((a, b) => a - b);
}

describe("a split in two", () => {
  test("orders by time and keeps the order of the log where the time is the same", () => {
    const ordered = sortInteractions(
      unordered([
        [0, 1, 5],
        [1, 2, 3],
        [0, 3, 5],
        [2, 4, 3],
        [0, 5, 4],
      ]),
    );
    expect(Array.from(ordered.item)).toEqual([2, 4, 5, 1, 3]);
    expect(Array.from(ordered.value)).toEqual([1, 3, 4, 0, 2]);
  });

  test("holds out each user's last interaction; of simultaneous ones the last in the log", () => {
    const { train, test } = leaveLastOut(
      unordered([
        [0, 1, 1],
        [1, 2, 1],
        [0, 3, 2],
        [0, 4, 2],
        [1, 5, 3],
      ]),
    );
    expect(Array.from(train.item)).toEqual([1, 2, 3]);
    expect(Array.from(test.item)).toEqual([4, 5]);
    expect(Array.from(test.user)).toEqual([0, 1]);
  });

  test("leaves a user with one interaction in training", () => {
    const { train, test } = leaveLastOut(unordered([[3, 1, 1]]));
    expect([train.user.length, test.user.length]).toEqual([1, 0]);
  });

  test("holds out the last but one when applied again", () => {
    const { train } = leaveLastOut(
      unordered([
        [0, 1, 1],
        [0, 2, 2],
        [0, 3, 3],
      ]),
    );
    expect(Array.from(leaveLastOut(train).test.item)).toEqual([2]);
  });

  test("refuses a log that is not ordered by time", () => {
    expect(() =>
      leaveLastOut(
        unordered([
          [0, 1, 2],
          [0, 2, 1],
        ]),
      ),
    ).toThrow(new RangeError('"time" must never fall, got 1 after 2 at interaction 1'));
  });

  test("loses nothing, doubles nothing, and tests on the last interaction of a user", () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const whole = sortInteractions(unordered(rows));
        const { train, test } = leaveLastOut(whole);
        const all = [...train.value, ...test.value].sort((a, b) => a - b);
        expect(all).toEqual(rows.map((_, index) => index));
        const later = whole.user.map((user, e) => (whole.user.lastIndexOf(user) === e ? 1 : 0));
        for (const value of test.value) expect(later[whole.value.indexOf(value)]).toBe(1);
        expect(new Set(test.user).size).toBe(test.user.length);
      }),
    );
  });

  test("groups interactions by user in the order of the log", () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const whole = unordered(rows);
        const { start, event } = userHistories(whole);
        for (let user = 0; user < whole.users; user++) {
          const own = [...whole.user.keys()].filter((e) => whole.user[e] === user);
          expect(Array.from(event.subarray(start[user], start[user + 1]))).toEqual(own);
        }
      }),
    );
  });

  test("keeps the last interaction of each user with each item", () => {
    const kept = lastOfEachPair(
      unordered([
        [0, 1, 1],
        [0, 2, 1],
        [1, 1, 2],
        [0, 1, 3],
      ]),
    );
    expect(Array.from(kept.value)).toEqual([1, 2, 3]);
  });
});

describe("a split in three", () => {
  test("holds out the last, and the last but one of those who have three", () => {
    const whole = log([
      [0, 1, 1],
      [0, 2, 2],
      [0, 3, 3],
      [1, 4, 4],
      [1, 5, 5],
      [2, 6, 6],
    ]);
    const { train, validation, test } = leaveLastTwoOut(whole);
    expect([[...train.item], [...validation.item], [...test.item]]).toEqual([[1, 4, 6], [2], [3, 5]]);
  });

  test("loses and doubles nothing", () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const whole = log(rows);
        const { train, validation, test } = leaveLastTwoOut(whole);
        expect(ids(train, validation, test)).toEqual(ids(whole));
        for (const [i, user] of validation.user.entries()) {
          const last = test.user.indexOf(user);
          expect(last).toBeGreaterThanOrEqual(0);
          expect(validation.time[i]).toBeLessThanOrEqual(test.time[last]!);
        }
      }),
    );
  });
});

describe("a cut in time", () => {
  test("parts before from after, wherever it falls", () => {
    const instants = fc.array(fc.integer({ min: -1, max: 12 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyRows, instants, (rows, instants) => {
        instants.sort((a, b) => a - b);
        const whole = log(rows);
        const parts = cutInteractionsAt(whole, instants);
        expect(parts).toHaveLength(instants.length + 1);
        expect(parts.flatMap((part) => [...part.value])).toEqual([...whole.value]);
        for (const [p, part] of parts.entries()) {
          for (const time of part.time) {
            if (p > 0) expect(time).toBeGreaterThanOrEqual(instants[p - 1]!);
            if (p < instants.length) expect(time).toBeLessThan(instants[p]!);
          }
        }
      }),
    );
    expect(() => cutInteractionsAt(log([[0, 0, 0]]), [2, 1])).toThrow(
      '"instants" must be numbers that never fall, got 1 at 1',
    );
  });

  test("gives parts of the shares, where no two are of one moment", () => {
    const whole = log(Array.from({ length: 50 }, (_, i) => [i % 6, i % 20, 10 * i]));
    const parts = cutInteractionsAt(whole, splitInstants(whole.time, [0.8, 0.1, 0.1]));
    expect(parts.map(({ user }) => user.length)).toEqual([40, 5, 5]);
    expect(() => splitInstants(whole.time, [0.5, 0.6])).toThrow('"shares" must be two or more');
    expect(() => splitInstants([], [0.5, 0.5])).toThrow('"time" must not be empty');
  });
});

describe("K folds", () => {
  test.each(["users", "interactions"] as const)("by %s are disjoint, cover all, and differ by at most one", (by) => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 2, max: 6 }), seed, (rows, folds, seed) => {
        const whole = log(rows);
        const splits = kFold(whole, by, folds, seed);
        expect(ids(...splits.map(({ test }) => test))).toEqual(ids(whole));
        for (const { train, test } of splits) {
          expect(ids(train, test)).toEqual(ids(whole));
          if (by === "users") for (const user of test.user) expect(train.user).not.toContain(user);
        }
        const sizes = splits.map(({ test }) => test.user.length);
        if (by === "interactions") expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(kFold(whole, by, folds, seed)).toEqual(splits);
      }),
    );
  });

  test("deal every interaction into every fold equally often", () => {
    const whole = log([
      [0, 0, 0],
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
      [4, 4, 4],
    ]);
    const times = new Int32Array(5);
    for (let seed = 0; seed < 3000; seed++) times[kFold(whole, "interactions", 5, seed)[0]!.test.value[0]!]!++;
    // 600 each, with a standard deviation of 22.
    for (const n of times) expect(Math.abs(n - 600)).toBeLessThan(22 * 4.5);
  });

  test("refuse more folds than there are", () => {
    expect(() => kFold(log([[0, 0, 0]]), "interactions", 2, 0)).toThrow('"folds" must be an integer in [2, 1], got 2');
  });
});

describe("held-out users", () => {
  test("are a share of all, and have nothing to be learned from", () => {
    fc.assert(
      fc.property(anyRows, fc.constantFrom(0.1, 0.34, 0.5, 0.9), seed, (rows, share, seed) => {
        const whole = log(rows);
        const { train, test } = holdOutUsers(whole, share, seed);
        expect(ids(train, test)).toEqual(ids(whole));
        for (const user of test.user) expect(train.user).not.toContain(user);
        expect(new Set(test.user).size).toBeLessThanOrEqual(Math.max(1, Math.round(share * 6)));
      }),
    );
    const every = log([0, 1, 2, 3, 4, 5].map((user) => [user, 0, 0]));
    expect(holdOutUsers(every, 0.34, 1).test.user).toHaveLength(2);
    expect(() => holdOutUsers(every, 1, 1)).toThrow('"share" must be in (0, 1), got 1');
  });
});
