import { describe, expect, test } from "vitest";
import { DAY, MINUTE } from "../../../src/protocol/time.js";
import { examined, Objective, type ReturnOptions } from "../../../src/recommender/learning/objective.js";
import type { KnownDecision, NextState } from "../../../src/recommender/learning/pending.js";
import { emptyOutcome, type Outcome, Reward } from "../../../src/recommender/learning/reward.js";

const REWARD = new Reward({ click: 1, watch: 1, transform: "linear", bounce: 1, dislike: 1 });
const GAMMA = 0.9;

function objective(options: Partial<ReturnOptions> = {}, gamma = GAMMA, rows = 16): Objective {
  return new Objective(REWARD, gamma, rows, options);
}

const next = (time: number, more: Partial<NextState> = {}): NextState => ({
  ...{ time, observation: Float32Array.of(time), candidates: Float32Array.of(5, 5) },
  ...more,
});

/** A decision at 0 with a row [i, 7] for each stream, followed at once by a request. */
function decided(outcomes: readonly Partial<Outcome>[], more: Partial<KnownDecision> = {}): KnownDecision {
  return {
    ...{ id: "d", user: "u", time: 0, slate: outcomes.map((_, i) => `s${i}`), observation: Float32Array.of(1) },
    candidates: Float32Array.from(outcomes.flatMap((_, i) => [i, 7])),
    outcomes: outcomes.map((outcome) => ({ ...emptyOutcome(), ...outcome })),
    ...{ seen: undefined, next: next(0), ...more },
  };
}

/** An entered stream: its reward is 1 + minutes / 10. */
const entered = (minutes: number, more: Partial<Outcome> = {}): Partial<Outcome> => ({
  ...{ clicked: true, watchMs: minutes * MINUTE },
  ...more,
});

const taught = (on: Objective, decision: KnownDecision, followers: readonly KnownDecision[] = []) =>
  on.transitions({ decision, followers });

/** Of each transition: the numbers of its rows, the action, the reward. */
function summary(on: Objective, decision: KnownDecision): [number[], number, number][] {
  return taught(on, decision).map(({ candidates, shown, action, reward }) => {
    expect(shown).toBe(candidates.length / 2);
    return [[...candidates].filter((_, i) => i % 2 === 0), action, reward];
  });
}

describe("the transitions of a decision", () => {
  test("are one for each entered stream, among the rows down to the last of them", () => {
    const slate = [{}, entered(20), {}, entered(10), {}];
    expect(summary(objective(), decided(slate))).toEqual([
      [[0, 1, 2, 3], 1, 3],
      [[0, 1, 2, 3], 3, 2],
    ]);
    expect(examined(decided(slate).outcomes)).toBe(4);
  });

  test("are one for a slate of which none was entered: all of it was examined", () => {
    expect(summary(objective(), decided([{}, {}, {}]))).toEqual([[[0, 1, 2], -1, 0]]);
  });

  test("count what a user did in streams without entering them, whatever was entered", () => {
    expect(summary(objective(), decided([{ dislikes: 2 }, {}]))).toEqual([[[0, 1], -1, -2]]);
    expect(summary(objective(), decided([entered(10), { dislikes: 1 }]))).toEqual([[[0], 0, 1]]);
  });

  test("hold no stream that the platform did not show; what was entered was shown", () => {
    const seen = [false, true, false, false];
    expect(summary(objective(), decided([{}, {}, {}, {}], { seen }))).toEqual([[[1], -1, 0]]);
    expect(summary(objective(), decided([{}, {}, {}, entered(10)], { seen }))).toEqual([[[1, 3], 1, 2]]);
    expect(summary(objective(), decided([{}, {}], { seen: [false, false] }))).toEqual([[[], -1, 0]]);
  });

  test("of a slate longer than their rows hold the first ones, and the entered one", () => {
    const on = objective({}, GAMMA, 3);
    const slate = [{}, entered(0.5), {}, {}, entered(10), {}];
    expect(summary(on, decided(slate))).toEqual([
      [[0, 1, 2], 1, expect.closeTo(1.05, 12)],
      [[0, 1, 4], 2, 2],
    ]);
    expect(summary(on, decided([{}, {}, {}, {}]))).toEqual([[[0, 1, 2], -1, 0]]);
  });

  test("leave out watches that never ended and streams that ended within a minute, and count them", () => {
    const on = objective();
    const slate = [{ clicked: true, waits: true }, entered(0.5, { cut: true }), entered(1, { cut: true }), {}];
    expect(summary(on, decided(slate))).toEqual([[[0, 1, 2], 2, 1.1]]);
    expect(on).toMatchObject({ unfinished: 1, censored: 1 });
    // Somebody did enter: it is no decision to enter none.
    expect(summary(on, decided([{ clicked: true, waits: true }, {}]))).toEqual([]);
    expect(on).toMatchObject({ unfinished: 2, censored: 1 });
  });

  test("tell the size of the next slate where it is known", () => {
    const sizes = [next(0, { slate: 3 }), next(0, { slate: 0 }), next(0)].map((state) => {
      const [transition] = taught(objective(), decided([{}], { next: state }));
      return "nextSlate" in transition! ? transition.nextSlate : "none";
    });
    expect(sizes).toEqual([3, 0, "none"]);
  });
});

describe("the return", () => {
  const rewardOf = (lateness: number, gamma: number, cost = 2) =>
    taught(objective({ cost }, gamma), decided([{}], { next: next(0, { lateness }) }))[0]!.reward;

  test("costs its lateness, discounted, and pays where it is early; nothing without gamma or cost", () => {
    expect(rewardOf(1.2, 0.9)).toBeCloseTo(-0.9 * 2 * 1.2, 12);
    expect(rewardOf(-2, 0.9)).toBeCloseTo(0.9 * 2 * 2, 12);
    expect(rewardOf(1.2, 0.9, 5)).toBeCloseTo(-0.9 * 5 * 1.2, 12);
    expect([rewardOf(1.2, 0), rewardOf(1.2, 0.9, 0)]).toEqual([0, 0]);
  });

  test("is in the value of each stream that was entered before", () => {
    const state = next(0, { lateness: 1 });
    const rewards = taught(objective(), decided([entered(10), entered(20)], { next: state })).map((t) => t.reward);
    for (const [i, reward] of rewards.entries()) expect(reward).toBeCloseTo(2 + i - 0.9 * 2, 12);
  });

  test("that never comes costs as the latest one, and nothing follows", () => {
    const gone = decided([entered(10)], { next: undefined });
    const [transition] = taught(objective(), gone);
    expect(transition!.reward).toBeCloseTo(2 - 0.9 * 2 * 1.5, 12);
    expect(transition).toMatchObject({ terminated: true, discount: 0, nextObservation: gone.observation });
    expect(transition!.nextCandidates.length).toBe(0);
    expect(taught(objective({}, 0), gone)[0]!.reward).toBe(2);
  });
});

describe("the discount", () => {
  test.each([
    ["of a request at once is gamma", 0, 0, 0.9],
    ["counts the time away", DAY, 0, 0.81],
    ["does not count the watch", DAY, DAY, 0.9],
    ["of a watch longer than the gap is gamma", MINUTE, DAY, 0.9],
  ])("%s", (_, gap, watchMs, expected) => {
    const outcome = watchMs > 0 ? { clicked: true, watchMs } : {};
    const [transition] = taught(objective({ gapScaleMs: DAY }), decided([outcome], { next: next(gap) }));
    expect(transition!.discount).toBeCloseTo(expected, 12);
  });

  test("without gamma is 0, and the end of a session is no termination", () => {
    const [transition] = taught(objective({}, 0), decided([{}], { next: next(5 * DAY) }));
    expect(transition).toMatchObject({ discount: 0, terminated: false });
  });
});

describe("several steps", () => {
  const first = decided([{}, entered(10)], { next: next(DAY, { lateness: 0.5 }) });
  const second = decided([entered(20), { dislikes: 1 }], { time: DAY, next: next(DAY + 20 * MINUTE) });
  const third = decided([{}], { time: DAY + 20 * MINUTE, next: next(3 * DAY, { lateness: -1, slate: 2 }) });

  test("sum the rewards of the followers and the costs of the returns between, each with its discount", () => {
    const [transition] = taught(objective(), first, [second, third]);
    const [d0, d1] = [0.9 ** (2 - 10 / 1440), 0.9];
    const d2 = 0.9 ** (1 + 2 - 20 / 1440);
    const expected = 2 - 0.9 * 2 * 0.5 + d0 * (3 - 1) + d0 * d1 * (0.9 * 2 * 1);
    expect(transition!.reward).toBeCloseTo(expected, 10);
    expect(transition!.discount).toBeCloseTo(d0 * d1 * d2, 10);
    expect(transition).toMatchObject({ terminated: false, nextObservation: third.next!.observation, nextSlate: 2 });
    expect(transition).toMatchObject({ shown: 2, action: 1, observation: first.observation });
  });

  test("end with a user who has left", () => {
    const [transition] = taught(objective(), first, [{ ...second, next: undefined }]);
    const d0 = 0.9 ** (2 - 10 / 1440);
    expect(transition!.reward).toBeCloseTo(2 - 0.9 * 2 * 0.5 + d0 * (3 - 1 - 0.9 * 2 * 1.5), 10);
    expect(transition).toMatchObject({ terminated: true, discount: 0 });
  });
});

test("refuses options out of their range", () => {
  expect(() => objective({ cost: -1 })).toThrow('"returns.cost" must be in [0, 1000], got -1');
  expect(() => objective({ gapScaleMs: 0 })).toThrow('"returns.gapScaleMs" must be a finite number > 0, got 0');
  expect(() => objective({ price: 1 } as object)).toThrow('"returns.price" is not an option');
});

describe("with two heads", () => {
  test("a reward is what users do at requests and, beside it, the cost of their returns", () => {
    const two = objective({ cost: 2, heads: 2 });
    const [first] = taught(two, decided([entered(20)], { next: next(0, { lateness: 0.5 }) }));
    expect(first!.reward).toBeCloseTo(3 - 0.9, 12);
    expect(first!.rewards![0]).toBeCloseTo(3, 12);
    expect(first!.rewards![1]).toBeCloseTo(-0.9, 12);
  });

  test("followers add to both, discounted as in the sum, and the sum is that of one head", () => {
    const late = decided([entered(10)], { next: next(0, { lateness: 1 }) });
    const gone = decided([entered(30)], { next: undefined });
    const [one] = taught(objective({ cost: 2 }), late, [gone]);
    const [two] = taught(objective({ cost: 2, heads: 2 }), late, [gone]);
    expect(two!.reward).toBe(one!.reward);
    expect(one!.rewards).toBeUndefined();
    const [now, back] = Array.from(two!.rewards!);
    expect(now! + back!).toBeCloseTo(one!.reward, 12);
    expect(back).toBeCloseTo(-GAMMA * 2 - GAMMA * GAMMA * 2 * 1.5, 12);
    expect(() => objective({ heads: 3 })).toThrow('"returns.heads" must be an integer in [1, 2], got 3');
  });
});
