import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/protocol/time.js";
import { emptyOutcome, isBounce, type Outcome, Reward, record } from "../../../src/recommender/learning/reward.js";

function outcome(changes: Partial<Outcome>): Outcome {
  return { ...emptyOutcome(), ...changes };
}

const WEIGHTS = {
  click: 0.1,
  watch: 1,
  like: 0.2,
  comment: 0.3,
  share: 0.4,
  follow: 0.5,
  gift: 0.6,
  bounce: 0.7,
  dislike: 0.8,
};

describe("Reward", () => {
  test("a stream without actions gives exactly 0", () => {
    expect(new Reward().of(emptyOutcome())).toBe(0);
  });

  test("is the declared sum", () => {
    const reward = new Reward(WEIGHTS).of(
      outcome({
        clicked: true,
        watchMs: 9 * MINUTE,
        likes: 1,
        comments: 2,
        shares: 1,
        follows: 1,
        gifts: 3,
        dislikes: 1,
      }),
    );
    const declared = 0.1 + Math.log(10) + 0.2 + 0.6 + 0.4 + 0.5 + 0.6 * Math.log(4) - 0.8;
    expect(reward).toBeCloseTo(declared, 12);
  });

  test("linear watch time counts tens of minutes, up to the cap", () => {
    const reward = new Reward({ transform: "linear", capMinutes: 60 });
    expect(reward.of(outcome({ clicked: true, watchMs: 30 * MINUTE }))).toBe(3);
    expect(reward.of(outcome({ clicked: true, watchMs: 61 * MINUTE }))).toBe(6);
  });

  test("leaving at once costs, unless the stream ended", () => {
    const reward = new Reward({ bounce: 1, bounceMs: 5000, watch: 0 });
    expect(reward.of(outcome({ clicked: true, watchMs: 4999 }))).toBe(-1);
    expect(reward.of(outcome({ clicked: true, watchMs: 5000 }))).toBe(0);
    expect(reward.of(outcome({ clicked: true, watchMs: 4999, cut: true }))).toBe(0);
  });

  test("grows with the watch and stays finite for any input", () => {
    for (const transform of ["log1p", "linear"] as const) {
      const reward = new Reward({ transform });
      let last = Number.NEGATIVE_INFINITY;
      for (let watchMs = 5000; watchMs < 1e7; watchMs *= 1.5) {
        const value = reward.of(outcome({ clicked: true, watchMs }));
        expect(value).toBeGreaterThan(last);
        last = value;
      }
      const flood = outcome({ clicked: true, watchMs: 1e300, gifts: Number.MAX_VALUE, likes: 1e9, comments: 1e9 });
      expect(reward.of(flood)).toBeLessThan(100);
      expect(reward.of(outcome({ dislikes: 1e9 }))).toBeGreaterThan(-100);
    }
  });

  test("purchases count by the logarithm of their summed amount, and are entries that do not bounce", () => {
    const bought = emptyOutcome();
    const purchase = { kind: "purchase", time: 1, user: "u", stream: "s" } as const;
    for (const amount of [20, 0, 79]) record(bought, { ...purchase, amount });
    expect([bought.clicked, bought.purchases]).toEqual([true, 99]);
    expect(new Reward().of(bought)).toBeCloseTo(Math.log(100), 12);
    expect(new Reward({ purchase: 0.5 }).of(bought)).toBeCloseTo(Math.log(100) / 2, 12);
    expect(isBounce({ ...bought, watchMs: 10 }, 5000)).toBe(false);
    record(bought, { ...purchase, amount: Number.MAX_VALUE });
    record(bought, { ...purchase, amount: Number.MAX_VALUE });
    expect(JSON.parse(JSON.stringify(bought))).toEqual(bought);
    expect(new Reward().of(bought)).toBeCloseTo(Math.log(1e9 + 1), 9);
  });

  test.each([
    ["linear", 2, 3, 6],
    ["linear", -2, 3, -6],
    ["linear", 2, -70, -20],
    ["log1p", 2, -3, -2 * Math.log(4)],
    ["log1p", 1, 70, Math.log(11)],
    ["tanh", 2, 0.5, 2 * Math.tanh(0.5)],
    ["tanh", 2, -70, -2],
  ] as const)(
    "a signal counts by its transform (%s), weight %d and sum %d, up to its cap",
    (transform, weight, sum, is) => {
      const reward = new Reward({ signals: { stars: { transform, weight, cap: 10 } } });
      expect(reward.of(outcome({ signals: { stars: sum } }))).toBeCloseTo(is, 7);
    },
  );

  test("signals are summed by name, and those that are not declared are no part of outcomes", () => {
    const reward = new Reward({ signals: { stars: {}, help: { weight: -1 }, ["__proto__"]: {} } });
    const signal = { kind: "signal", time: 1, user: "u", stream: "s" } as const;
    const seen = emptyOutcome();
    for (const [name, value] of [
      ["stars", 2],
      ["stars", 3],
      ["help", 4],
      ["__proto__", 7],
      ["other", 9],
    ] as const) {
      const event = { ...signal, name, value };
      expect(reward.counts(event)).toBe(name !== "other");
      if (reward.counts(event)) record(seen, event);
    }
    expect(Object.entries(seen.signals)).toEqual([
      ["stars", 5],
      ["help", 4],
      ["__proto__", 7],
    ]);
    expect(reward.of(seen)).toBe(5 - 4 + 7);
    expect(reward.of({ ...emptyOutcome(), ...JSON.parse(JSON.stringify(seen)) })).toBe(5 - 4 + 7);
    expect(emptyOutcome().signals).toEqual({});
    expect(reward.of(emptyOutcome())).toBe(0);
  });

  test("a function of one's own is added to the declared sum, and sees a copy", () => {
    const given = outcome({ clicked: true, likes: 3, signals: { stars: 4 } });
    const of = (seen: Readonly<Outcome>) => {
      const result = 10 * seen.likes + (seen.signals.stars ?? 0);
      Object.assign(seen, { likes: 9 });
      Object.assign(seen.signals, { stars: 9 });
      return result;
    };
    const reward = new Reward({ like: 0.5, signals: { stars: { weight: 0 } }, of });
    expect([reward.of(given), reward.of(given)]).toEqual([35.5, 35.5]);
  });

  test.each([Number.NaN, Infinity, 1.1e6, "1", undefined, 1n])(
    "a function of one's own may not return %o",
    (result) => {
      const reward = new Reward({ of: () => result as number });
      expect(() => reward.of(emptyOutcome())).toThrow(
        '"reward.of" must be a function to numbers in [-1000000, 1000000], got',
      );
    },
  );

  test.each([
    [{ wacth: 1 }, /"reward.wacth" is not an option/],
    [{ watch: -1 }, '"reward.watch" must be in [0, 1000], got -1'],
    [{ transform: "sqrt" }, '"reward.transform" must be "log1p" or "linear", got "sqrt"'],
    [{ purchase: -1 }, '"reward.purchase" must be in [0, 1000], got -1'],
    [{ of: 5 }, '"reward.of" must be a function, got 5'],
    [{ signals: 5 }, '"reward.signals" must be an object, got 5'],
    [{ signals: [] }, '"reward.signals" must be an object of at most 32 signals by name, got []'],
    [
      { signals: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`n${i}`, {}])) },
      '"reward.signals" must be an object of at most 32 signals by name, got 33',
    ],
    [{ signals: { "": {} } }, '"reward.signals" must be an object with names of 1 to 64 characters, got ""'],
    [{ signals: { a: 1 } }, '"reward.signals.a" must be an object, got 1'],
    [{ signals: { a: { wieght: 1 } } }, '"reward.signals.a.wieght" is not an option'],
    [{ signals: { a: { weight: -2000 } } }, '"reward.signals.a.weight" must be in [-1000, 1000], got -2000'],
    [{ signals: { a: { transform: "sqrt" } } }, '"reward.signals.a.transform" must be "linear" or "log1p" or "tanh"'],
    [{ signals: { a: { cap: Infinity } } }, '"reward.signals.a.cap" must be in (0, 1000000], got Infinity'],
    [{ capMinutes: 0 }, '"reward.capMinutes" must be in (0, 1000000], got 0'],
  ])("refuses %o", (options, message) => {
    expect(() => new Reward(options as object)).toThrow(message);
  });
});
