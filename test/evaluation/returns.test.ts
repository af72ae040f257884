import { describe, expect, test } from "vitest";
import {
  compareReturns,
  type DecisionStep,
  type RealisedReturn,
  ReturnLog,
  realisedReturns,
} from "../../src/evaluation/returns.js";
import { Random } from "../../src/numeric/random.js";
import { DAY, HOUR } from "../../src/protocol/time.js";
import type { LiveEvent } from "../../src/recommender/index.js";
import { figureOf, findFigure } from "../support/figures.js";

function step(user: string, time: number, rewards: number[], watchMs = 0): DecisionStep {
  return { user, time, watchMs, chosen: rewards.map((reward) => ({ predicted: 0, reward })) };
}

describe("realised returns", () => {
  test("discount by requests and by time away, but not by time watched", () => {
    const steps = [
      step("u", 0, [1], 6 * HOUR),
      step("other", HOUR, [9]),
      step("u", 12 * HOUR, [2, 3]),
      step("u", 12 * HOUR, []),
      step("u", 36 * HOUR, [4]),
    ];
    const options = { gamma: 0.5, gapScaleMs: DAY, horizonMs: 10 * DAY };
    const realised = realisedReturns(steps, 20 * DAY, options);
    // Six hours away: 0.5 ** 1.25. Then at once: 0.5. Then a day away: 0.25.
    const third = 0.5 * 0.25 * 4;
    const first = 1 + 0.5 ** 1.25 * (2 + 3 + third);
    const own = realised.filter(({ user }) => user === "u").map((choice) => choice.realised);
    expect(own).toHaveLength(4);
    expect(own[0]).toBeCloseTo(first, 12);
    expect(own[1]).toBeCloseTo(2 + third, 12);
    expect(own[2]).toBeCloseTo(3 + third, 12);
    expect(own[3]).toBe(4);
    expect(realised.find(({ user }) => user === "other")!.realised).toBe(9);
  });

  test("end at the horizon, and leave out choices with a horizon beyond the log", () => {
    const steps = [step("u", 0, [1]), step("u", DAY, [1]), step("u", 3 * DAY, [1])];
    const options = { gamma: 0.5, gapScaleMs: DAY, horizonMs: 2 * DAY };
    const realised = realisedReturns(steps, 4 * DAY, options).map((choice) => choice.realised);
    // The first does not see the third; the third's horizon ends after the log does.
    expect(realised).toEqual([1 + 0.25, 1 + 0.125]);
    expect(realisedReturns(steps, 4 * DAY, { ...options, from: 1 })).toHaveLength(1);
    expect(() => realisedReturns(steps, 0, { gamma: 1 })).toThrow('"gamma" must be in [0, 1), got 1');
  });
});

/** Users in one of two moods, who are there every six hours; what their next visits are worth is known. */
function moods(users: number, seed: number): { steps: DecisionStep[]; values: [number, number] } {
  const random = Random.named(seed, "moods");
  const rewards: [number, number] = [0.5, 2];
  const stays: [number, number] = [0.8, 0.7];
  const discount = 0.6 ** 1.25;
  // V = r + d P V, for two states, by Cramer's rule.
  const [a, b] = [1 - discount * stays[0], -discount * (1 - stays[0])];
  const [c, d] = [-discount * (1 - stays[1]), 1 - discount * stays[1]];
  const determinant = a * d - b * c;
  const values: [number, number] = [
    (rewards[0] * d - b * rewards[1]) / determinant,
    (a * rewards[1] - c * rewards[0]) / determinant,
  ];
  const steps: DecisionStep[] = [];
  for (let u = 0; u < users; u++) {
    let mood = random.below(2);
    for (let i = 0; i < 60; i++) {
      // The reward is random, but right on average.
      const reward = rewards[mood]! * (random.bernoulli(0.5) ? 2 : 0);
      steps.push({ user: `u${u}`, time: i * 6 * HOUR, watchMs: 0, chosen: [{ predicted: values[mood]!, reward }] });
      if (!random.bernoulli(stays[mood]!)) mood = 1 - mood;
    }
  }
  return { steps, values };
}

describe("predictions against returns", () => {
  const options = { gamma: 0.6, gapScaleMs: DAY, horizonMs: 8 * DAY };

  test("are unbiased for true values, and biased by the error of false ones", () => {
    const { steps, values } = moods(300, 1);
    const realised = realisedReturns(steps, 15 * DAY, options);
    const figures = compareReturns(realised, { resamples: 200 });
    const bias = findFigure(figures, "bias");
    expect(Math.abs(bias.value)).toBeLessThan(0.05);
    expect(bias.lo).toBeLessThan(0);
    expect(bias.hi).toBeGreaterThan(0);
    expect(bias.n).toBe(realised.length);
    // The lowest tenth is of bad mood, the highest of good: each is right by itself.
    for (const [slice, value] of [
      ["decile_1", values[0]],
      ["decile_10", values[1]],
    ] as const) {
      expect(figureOf(figures, "predicted", slice)).toBeCloseTo(value, 9);
      const { lo, hi } = findFigure(figures, "realised", slice);
      expect(lo).toBeLessThan(value);
      expect(hi).toBeGreaterThan(value);
    }
    const proud = realised.map((choice): RealisedReturn => ({ ...choice, predicted: choice.predicted + 0.5 }));
    const raised = findFigure(compareReturns(proud, { resamples: 200 }), "bias");
    expect(raised.value).toBeCloseTo(bias.value + 0.5, 9);
    expect(raised.lo).toBeGreaterThan(0.3);
  });

  test("have the root mean squared error of their definition", () => {
    const choices = [1, 2, 4].map((predicted, i) => ({ user: `u${i}`, predicted, realised: 1 }));
    const figures = compareReturns(choices);
    expect(figureOf(figures, "rmse")).toBeCloseTo(Math.sqrt(10 / 3), 12);
    expect(figureOf(figures, "bias")).toBeCloseTo(4 / 3, 12);
  });
});

describe("the log of returns", () => {
  const decision = (id: string, time: number, slate: string[], scores: number[]) => ({
    ...{ id, user: "u", time, slate, scores },
    propensities: slate.map(() => 1),
  });
  const watch = (time: number, stream: string, minutes: number, decision?: string): LiveEvent => ({
    ...{ kind: "watch", time, user: "u", stream, watchMs: minutes * 60_000 },
    ...(decision === undefined ? {} : { decision }),
  });

  test("pairs the score of an entered stream with its reward", () => {
    const log = new ReturnLog({ watch: 1, like: 0.25 });
    log.decision(decision("d0", 0, ["a", "b"], [0.7, 0.6]));
    log.feedback({ kind: "click", time: 1000, user: "u", stream: "b", decision: "d0" });
    log.feedback({ kind: "like", time: 2000, user: "u", stream: "b" });
    log.feedback(watch(601_000, "b", 10, "d0"));
    log.decision(decision("d1", 700_000, ["a"], [0.3]));
    log.decision(decision("d2", 800_000, ["a"], [0.4]));
    // Of an earlier decision than the latest that showed the stream: nobody's.
    log.feedback({ kind: "click", time: 801_000, user: "u", stream: "a", decision: "d1" });
    log.feedback(watch(802_000, "a", 1, "d1"));
    log.feedback({ kind: "click", time: 900_000, user: "u", stream: "a", decision: "d2" });
    const steps = log.steps();
    expect(steps.map(({ time, watchMs }) => [time, watchMs])).toEqual([
      [0, 600_000],
      [700_000, 0],
      [800_000, 0],
    ]);
    expect(steps[0]!.chosen).toHaveLength(1);
    expect(steps[0]!.chosen[0]!.predicted).toBe(0.6);
    expect(steps[0]!.chosen[0]!.reward).toBeCloseTo(Math.log(11) + 0.25, 12);
    // The second watch has not ended yet.
    expect([steps[1]!.chosen, steps[2]!.chosen]).toEqual([[], []]);
    log.feedback(watch(1_200_000, "a", 5));
    expect(log.steps()[2]!.chosen[0]!.predicted).toBe(0.4);
    log.feedback({ kind: "page_view", time: 20 * DAY, user: "u", dwellMs: 1 });
    const figures = log.result({ gamma: 0 });
    expect(figureOf(figures, "realised")).toBeCloseTo((Math.log(11) + 0.25 + Math.log(6)) / 2, 12);
    expect(figureOf(figures, "predicted")).toBeCloseTo(0.5, 12);
  });

  test("refuses scores that are not finite", () => {
    const log = new ReturnLog();
    expect(() => log.decision(decision("d", 0, ["a"], [Number.NaN]))).toThrow(
      '"scores.0" must be a finite number, got NaN',
    );
  });
});

test("a log without a return says why", () => {
  const log = new ReturnLog();
  expect(() => log.result()).toThrow("there is no return: the log has no decision");
  const decision = { id: "d-1", user: "u", time: DAY, slate: ["s"], scores: [1], propensities: [1], model: "m" };
  log.decision(decision as never);
  expect(() => log.result()).toThrow("none of its 1 decisions has a stream that was clicked and watched");
  const seen = { user: "u", stream: "s", decision: "d-1" };
  log.feedback({ kind: "click", time: DAY + 1, ...seen });
  log.feedback({ kind: "watch", time: 3.5 * DAY, watchMs: 60_000, ...seen });
  expect(() => log.result()).toThrow(
    'its first choice is 2.5 days before the end of the log, but "horizonMs" is 14 days',
  );
  expect(() => log.result({ from: 2 * DAY })).toThrow('all 1 decisions with a choice are before "from"');
  expect(log.result({ horizonMs: 2 * DAY }).find(({ metric }) => metric === "predicted")).toMatchObject({ value: 1 });
});
