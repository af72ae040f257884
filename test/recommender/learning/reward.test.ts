import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/protocol/time.js";
import { emptyOutcome, type Outcome, Reward } from "../../../src/recommender/learning/reward.js";

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

  test.each([
    [{ wacth: 1 }, /"reward.wacth" is not an option/],
    [{ watch: -1 }, '"reward.watch" must be in [0, 1000], got -1'],
    [{ transform: "sqrt" }, '"reward.transform" must be "log1p" or "linear", got "sqrt"'],
    [{ capMinutes: 0 }, '"reward.capMinutes" must be in (0, 1000000], got 0'],
  ])("refuses %o", (options, message) => {
    expect(() => new Reward(options as object)).toThrow(message);
  });
});
