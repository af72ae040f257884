import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/time.js";
import { emptyRhythm, freshMinutes, Returns, type Rhythm, visited } from "../../../src/recommender/state/rhythm.js";
import { emptyStreamerEstimate } from "../../../src/recommender/state/streamers.js";
import { Users } from "../../../src/recommender/state/users.js";
import { naiveInverse } from "../../reference/inverse.js";

const hours = (logHabit: number) => Math.exp(logHabit);

/** Lets a user come back n times after the same gap. */
function comeBack(returns: Returns, rhythm: Rhythm, gapMs: number, n: number, isCounted = true): void {
  for (let i = 0; i < n; i++) returns.returned(rhythm, gapMs, 3, i * gapMs, isCounted);
}

describe("the habit of a user", () => {
  test("is a day before anything is known, then everybody's", () => {
    const returns = new Returns();
    expect(hours(returns.logHabit(emptyRhythm(0)))).toBeCloseTo(24, 9);
    for (let user = 0; user < 500; user++) comeBack(returns, emptyRhythm(0), 6 * HOUR, 1);
    expect(hours(returns.logHabit(emptyRhythm(0)))).toBeGreaterThan(6);
    expect(hours(returns.logHabit(emptyRhythm(0)))).toBeLessThan(6.2);
  });

  test("goes from everybody's towards the own gaps with each return, and follows a change within five", () => {
    const returns = new Returns();
    const rhythm = emptyRhythm(0);
    let last = 24;
    for (let n = 1; n <= 12; n++) {
      comeBack(returns, rhythm, 2 * HOUR, 1, false);
      const own = (1 - 0.8 ** n) / 0.2;
      const habit = hours(returns.logHabit(rhythm));
      expect(habit).toBeCloseTo(Math.exp((own * Math.log(2) + 2 * Math.log(24)) / (own + 2)), 9);
      expect(habit).toBeLessThan(last);
      last = habit;
    }
    expect(last).toBeLessThan(5);
    comeBack(returns, rhythm, 72 * HOUR, 5, false);
    expect(hours(returns.logHabit(rhythm))).toBeGreaterThan(15);
  });
});

describe("lateness", () => {
  test("is the log of the gap over the usual one, within its bounds", () => {
    const returns = new Returns();
    const rhythm = emptyRhythm(0);
    for (const [gap, expected] of [
      [DAY, 0],
      [2 * DAY, Math.log(2)],
      [12 * HOUR, -Math.log(2)],
      [100 * DAY, 1.5],
      [0, -2.5],
      [MINUTE, -2.5],
    ] as const) {
      expect(returns.lateness(rhythm, gap)).toBeCloseTo(expected, 9);
    }
  });

  test("of a return is kept, by the habit before it", () => {
    const returns = new Returns();
    const rhythm = emptyRhythm(0);
    returns.returned(rhythm, 2 * DAY, 1, 2 * DAY, true);
    expect(rhythm.lateness).toBeCloseTo(Math.log(2), 9);
    expect(returns.lateness(rhythm, 2 * DAY)).toBeLessThan(Math.log(2));
  });
});

describe("what a user's own watching explains of lateness", () => {
  /** Returns of several users with the inputs and the lateness of each, as read from the profile. */
  function run(returns: Returns, rhythms: readonly Rhythm[], random: Random, n: number, from = 0) {
    const rows: { x: number[]; y: number; error: number }[] = [];
    for (let i = from; i < from + n; i++) {
      const rhythm = random.pick(rhythms);
      const left = rhythm.freshAt + random.below(HOUR);
      visited(rhythm, random.uniform() * 400, random.below(3) - 1, left);
      const gapMs = HOUR * 24 ** random.uniform();
      const requests = random.below(30);
      const fresh = Math.min(freshMinutes(rhythm, left) / 60, 8);
      const x = [1, fresh, rhythm.mood, Math.min(requests, 20) / 5];
      const error = returns.returned(rhythm, gapMs, requests, left + gapMs, true);
      rows.push({ x, y: rhythm.lateness, error });
      rhythm.freshAt = Math.max(rhythm.freshAt, left);
    }
    return rows;
  }

  test("is a ridge regression over all returns before: its f64 twin inverts a matrix", () => {
    const random = Random.named(1, "returns");
    const returns = new Returns();
    const rhythms = Array.from({ length: 5 }, () => emptyRhythm(0));
    const rows = run(returns, rhythms, random, 300);
    const a = Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, j) => (i === j ? 10 : 0)));
    const b = [0, 0, 0, 0];
    const weights = () => naiveInverse(a).map((row) => row.reduce((sum, v, i) => sum + v * b[i]!, 0));
    for (const { x, y, error } of rows) {
      const predicted = weights().reduce((sum, w, i) => sum + w * x[i]!, 0);
      expect(error).toBeCloseTo(y - predicted, 9);
      for (let i = 0; i < 4; i++) {
        b[i]! += x[i]! * y;
        for (let j = 0; j < 4; j++) a[i]![j]! += x[i]! * x[j]!;
      }
    }
    for (const [i, w] of weights().entries()) expect(returns.save().weights[i]).toBeCloseTo(w, 9);
    expect(Math.abs(returns.save().weights[1]!)).toBeGreaterThan(1e-3);
  });

  test("saved and loaded, it continues the same", () => {
    const random = Random.named(2, "returns");
    const rhythms = Array.from({ length: 3 }, () => emptyRhythm(0));
    const returns = new Returns();
    run(returns, rhythms, random, 50);
    const copy = new Returns();
    copy.load(JSON.parse(JSON.stringify(returns.save())));
    const again = random.state();
    const own = structuredClone(rhythms);
    const expected = run(returns, rhythms, random, 50, 50);
    random.restore(again);
    expect(run(copy, own, random, 50, 50)).toEqual(expected);
    expect(JSON.stringify(copy.save())).toBe(JSON.stringify(returns.save()));
  });

  test("and everybody's habit stay as they are after a return that does not count", () => {
    const returns = new Returns();
    comeBack(returns, emptyRhythm(0), 3 * HOUR, 4);
    const before = JSON.stringify(returns.save());
    comeBack(returns, emptyRhythm(0), MINUTE, 1000, false);
    expect(JSON.stringify(returns.save())).toBe(before);
  });
});

describe("the mood and fresh minutes of a user", () => {
  test("move with each visit, and fade by half in eight hours", () => {
    const rhythm = emptyRhythm(0);
    for (const worth of [1, 1, 0, -1]) visited(rhythm, 30, worth, 0);
    expect(rhythm.mood).toBeCloseTo(0.3 * (0.7 ** 3 + 0.7 ** 2 - 1), 12);
    expect(freshMinutes(rhythm, 0)).toBe(120);
    expect(freshMinutes(rhythm, 8 * HOUR)).toBeCloseTo(60, 9);
    for (let i = 0; i < 100; i++) visited(rhythm, 1, 1, 0);
    expect(rhythm.mood).toBeLessThanOrEqual(1);
  });
});

describe("one account", () => {
  const ANN = { streamer: "ann", category: "chess", tags: [] };

  /** An account that visits a streamer and comes back, every 31 minutes for most of a window. */
  function hammered(influenceWindowMs: number) {
    const users = new Users({ influenceWindowMs });
    for (let i = 0; i < 11; i++) {
      const now = i * 31 * MINUTE;
      users.shown("bot", [ANN], now);
      users.watch("bot", ANN, { watchMs: 1, isCut: false }, now);
    }
    const estimate = emptyStreamerEstimate();
    users.streamers.read("ann", "chess", 6 * HOUR, estimate);
    return { returns: users.returns.save().returns, credit: estimate.returns };
  }

  test("counts twice at most in everybody's returns, and once in a streamer's, in a window", () => {
    const { returns, credit } = hammered(6 * HOUR);
    expect(returns).toBeCloseTo(1.9995, 9);
    expect(credit).toBeLessThanOrEqual(1);
    expect(credit).toBeGreaterThan(0.9);
  });

  test("counts each time where there is no bound", () => {
    const { returns, credit } = hammered(0);
    expect(returns).toBeGreaterThan(9.9);
    expect(credit).toBeGreaterThan(9);
  });

  test("comes back early again and again, and everybody's habit moves as by two such returns", () => {
    const habit = (users: Users) => hours(users.returns.logHabit(emptyRhythm(0)));
    const crowd = () => {
      const users = new Users();
      for (let u = 0; u < 40; u++) for (const now of [0, DAY]) users.open(`u${u}`, now);
      return users;
    };
    const [attacked, twice] = [crowd(), crowd()];
    for (let i = 0; i < 11; i++) attacked.open("bot", DAY + i * 31 * MINUTE);
    for (let i = 0; i < 3; i++) twice.open("bot", DAY + i * 31 * MINUTE);
    expect(habit(attacked)).toBe(habit(twice));
    expect(habit(attacked)).toBeGreaterThan(0.8 * 24);
  });
});
