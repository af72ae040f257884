import { describe, expect, test } from "vitest";
import {
  Acrobot,
  CartPole,
  ChangingCandidates,
  checkEnvironment,
  MaskedGrid,
  MountainCar,
  MountainCarContinuous,
  Pendulum,
} from "../../src/index.js";

const SOUND = [
  ...[new CartPole(), new Acrobot(), new MountainCar(), new MaskedGrid(), new ChangingCandidates()],
  ...[new Pendulum(), new MountainCarContinuous()],
];

test.each(SOUND)("%o of the package has no breach", (environment) => {
  expect(checkEnvironment(environment)).toEqual([]);
});

test("an environment with index inputs has none", () => {
  const observe = (i: number) => ({ dense: [0.5], indices: [i, -1], weights: [1, 2] });
  let t = 0;
  const environment = {
    observationSize: 1,
    actions: 2,
    reset: () => observe((t = 0)),
    step: () => ({ observation: observe(++t), reward: 1, terminated: t > 4, truncated: false }),
  };
  expect(checkEnvironment(environment)).toEqual([]);
});

/** A corridor that is sound; tests break it. */
class Corridor {
  observationSize: unknown = 2;
  actions: unknown = 2;
  t = 0;
  reset(_seed?: number): unknown {
    this.t = 0;
    return [0, 1];
  }
  step(_action: number): unknown {
    return { observation: [++this.t, 1], reward: 1, terminated: this.t === 9, truncated: false };
  }
}

const result = (extra: object) => () => ({
  observation: [1, 1],
  reward: 1,
  terminated: false,
  truncated: false,
  ...extra,
});
let calls = 0;

const BROKEN: [string, object, string][] = [
  ["no step", { step: 3 }, '"step" must be a method, got 3'],
  ["no reset", { reset: undefined }, '"reset" must be a method, got undefined'],
  ["a mask that is no method", { mask: [1, 1] }, '"mask" must be a method or left out, got [1, 1]'],
  ["a state that cannot be restored", { state: () => 1 }, '"restore" must be there, as "state" is'],
  ["no size", { observationSize: "2" }, '"observationSize" must be an integer >= 0, got "2"'],
  ["no actions", { actions: undefined }, '"actions" must be an integer >= 1, got undefined'],
  ["another size", { observationSize: 3 }, '"observation" must hold 3 numbers, got 2 (reset)'],
  ["NaN", { reset: () => [0, Number.NaN] }, '"observation[1]" must be in [-1e6, 1e6], got NaN (reset)'],
  ["null", { step: result({ observation: [null, 1] }) }, '"observation[0]" must be in [-1e6, 1e6], got null (step 1)'],
  ["no observation", { step: result({ observation: undefined }) }, '"observation" must be an array of numbers'],
  ["no reward", { step: result({ reward: undefined }) }, '"reward" must be a finite number, got undefined (step 1)'],
  ["a flag that is none", { step: result({ truncated: 0 }) }, '"truncated" must be true or false, got 0 (step 1)'],
  ["Gymnasium's old list", { step: () => [[1, 1], 1, false, {}] }, '"observation" must be an array of numbers'],
  ["no result", { step: () => undefined }, '"step" must return { observation, reward, terminated, truncated }'],
  ["an async step", { step: async () => ({}) }, '"step" must return its result at once, got a promise'],
  ["an async reset", { reset: async () => [0, 1] }, '"reset" must return its result at once, got a promise'],
  [
    "an action that is changed",
    {
      continuous: { low: [-1], high: [1] },
      step: (action: Float64Array) => ({ ...result({})(), reward: action.fill(0).length }),
    },
    '"step" must not change the action that it is given, which is learned from (step 1)',
  ],
  ["bounds out of theirs", { continuous: { low: [-2e6], high: [1] } }, "both in [-1e6, 1e6], got -2000000 and 1"],
  ["a late mask", { mask: async () => [1, 1] }, '"mask" must return its result at once, got a promise'],
  [
    "chance after the first episode",
    // The corridor itself starts with the first episode.
    { reset: (seed?: number) => [0, seed ?? ++calls], step: result({ terminated: true }) },
    '"reset()" after "reset(0)" must start the same next episode',
  ],
  [
    "a state of anything",
    { state: () => 1, restore: () => {}, step: result({}) },
    '"restore" must throw a TypeError for what "state" did not return, got none',
  ],
  [
    "a step that throws",
    {
      step: () => {
        throw new Error("cold");
      },
    },
    '"step" must not throw here: Error: cold',
  ],
  ["a short mask", { mask: () => [1] }, '"mask" must hold 2 flags, got 1'],
  ["a mask without an action", { mask: () => [0, 0] }, '"mask" must offer an action as long as the episode goes on'],
  ["no candidate", { candidates: () => [], actions: undefined }, '"candidates" must offer a row'],
  ["rows cut off", { candidates: () => [1, 2, 3], features: 2 }, '"candidates" must be rows of 2 numbers, got 3'],
  [
    "bounds that cross",
    { continuous: { low: [1], high: [0] } },
    '"continuous.low[0]" must be below "continuous.high[0]"',
  ],
  ["bounds cut off", { continuous: { low: [1], high: [] } }, '"continuous" must be { low, high }'],
  [
    "chance without a seed",
    { reset: () => [0, ++calls] },
    '"reset(0)" and the same actions must give the same episode',
  ],
  [
    "a state that forgets",
    { state: () => ({}), restore: () => {} },
    '"restore" must continue from what "state" returned, after JSON: they differ from call 1 on',
  ],
  ["a state that is no data", { state: () => undefined, restore: () => {} }, '"state" must return plain data for JSON'],
];

describe("a breach is named", () => {
  test.each(BROKEN)("%s", (_, extra, message) => {
    const environment = Object.assign(new Corridor(), extra);
    const breaches = checkEnvironment(environment as never, { steps: 60 });
    expect(breaches[0]).toContain(message);
    expect(new Set(breaches).size).toBe(breaches.length);
  });

  test("the corridor itself has none", () => {
    expect(checkEnvironment(new Corridor() as never)).toEqual([]);
  });

  test("several are named at once", () => {
    const breaches = checkEnvironment({ observationSize: -1, actions: 0 } as never);
    expect(breaches).toHaveLength(4);
    expect(checkEnvironment(undefined as never)).toEqual(["the environment must be an object, got undefined"]);
  });
});

test("wrong options are refused", () => {
  expect(() => checkEnvironment(new CartPole(), { steps: 0 })).toThrow('"steps" must be an integer >= 1, got 0');
  expect(() => checkEnvironment(new CartPole(), { seeds: 1 } as never)).toThrow('"seeds" is not an option');
});
