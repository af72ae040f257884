import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  byTime,
  histories,
  type Interactions,
  lastOfEachPair,
  leaveLastOut,
} from "../../src/recommender/evaluation/splits.js";

/** A log of [user, item, time] with the position as value. */
function log(rows: [user: number, item: number, time: number][], users = 5, items = 20): Interactions {
  return {
    users,
    items,
    user: Int32Array.from(rows, ([user]) => user),
    item: Int32Array.from(rows, ([, item]) => item),
    value: Float32Array.from(rows.keys()),
    time: Float64Array.from(rows, ([, , time]) => time),
  };
}

const anyRows = fc.array(fc.tuple(fc.nat(4), fc.nat(19), fc.nat(10)), { maxLength: 60 });

describe("splits", () => {
  test("orders by time and keeps the order of the log where the time is the same", () => {
    const ordered = byTime(
      log([
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
      log([
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
    const { train, test } = leaveLastOut(log([[3, 1, 1]]));
    expect([train.user.length, test.user.length]).toEqual([1, 0]);
  });

  test("holds out the last but one when applied again", () => {
    const { train } = leaveLastOut(
      log([
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
        log([
          [0, 1, 2],
          [0, 2, 1],
        ]),
      ),
    ).toThrow(new RangeError('"time" must never fall, got 1 after 2 at interaction 1'));
  });

  test("loses nothing, doubles nothing, and never tests on what precedes training", () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const whole = byTime(log(rows));
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
      fc.property(anyRows, (rows) => {
        const whole = log(rows);
        const { start, event } = histories(whole);
        for (let user = 0; user < whole.users; user++) {
          const own = [...whole.user.keys()].filter((e) => whole.user[e] === user);
          expect(Array.from(event.subarray(start[user], start[user + 1]))).toEqual(own);
        }
      }),
    );
  });

  test("keeps the last interaction of each user with each item", () => {
    const kept = lastOfEachPair(
      log([
        [0, 1, 1],
        [0, 2, 1],
        [1, 1, 2],
        [0, 1, 3],
      ]),
    );
    expect(Array.from(kept.value)).toEqual([1, 2, 3]);
  });
});
