import { describe, expect, test } from "vitest";
import { MaskedGrid, Random, type TabularModel, TabularQ, valueIteration, weightedIndex } from "../../src/index.js";

const GAMMA = 0.9;

/** A grid as a model: states are cells. */
function modelOf(grid: MaskedGrid): TabularModel {
  const kinds = grid.layout.join("");
  const rewards: Record<string, number> = { ".": -0.04, G: 1, P: -1 };
  return {
    states: kinds.length,
    actions: 4,
    outcomes(state, action) {
      const next = kinds[state] === "." ? grid.neighbour(state, action) : -1;
      if (next < 0) return [];
      const kind = kinds[next]!;
      return [{ probability: 1, reward: rewards[kind]!, state: next, terminated: kind !== "." }];
    },
  };
}

/** A process of made-up chances. */
function randomModel(seed: number, states = 6, actions = 3): TabularModel {
  const random = new Random(seed);
  const table = Array.from({ length: states * actions }, () => {
    const weights = Array.from({ length: states }, () => random.uniform() ** 3);
    const total = weights.reduce((sum, x) => sum + x, 0);
    return weights.map((weight, state) => ({ probability: weight / total, reward: random.normal(), state }));
  });
  return { states, actions, outcomes: (state, action) => table[state * actions + action]! };
}

test("value iteration gives a grid's optimal values, and a walk that earns them", () => {
  const grid = new MaskedGrid();
  const optimal = grid.optimalValues(GAMMA);
  const { values, policy, actionValues } = valueIteration(modelOf(grid), { gamma: GAMMA });
  for (const cell of grid.starts) {
    expect(Math.abs(values[cell]! - optimal[cell]!)).toBeLessThan(1e-12);
    expect(actionValues[cell * 4 + policy[cell]!]).toBe(values[cell]);
  }
  const walls = [...grid.layout.join("")].flatMap((kind, cell) => (kind === "#" ? [cell] : []));
  for (const cell of walls) expect([values[cell], policy[cell]]).toEqual([0, -1]);
});

test("its values solve Bellman's equation of any process, and no policy earns more", () => {
  for (let seed = 0; seed < 20; seed++) {
    const model = randomModel(seed);
    const { values } = valueIteration(model, { gamma: GAMMA });
    for (let s = 0; s < model.states; s++) {
      const all = Array.from({ length: model.actions }, (_, a) =>
        model.outcomes(s, a).reduce((sum, o) => sum + o.probability * (o.reward + GAMMA * values[o.state]!), 0),
      );
      expect(Math.abs(values[s]! - Math.max(...all))).toBeLessThan(1e-10);
    }
    // One available action a state: the values of that policy.
    const random = new Random(seed + 100);
    const choice = Array.from({ length: model.states }, () => random.below(model.actions));
    const only: TabularModel = { ...model, outcomes: (s, a) => (a === choice[s] ? model.outcomes(s, a) : []) };
    valueIteration(only, { gamma: GAMMA }).values.forEach((value, s) => {
      expect(value).toBeLessThanOrEqual(values[s]! + 1e-10);
    });
  }
});

describe("a model that is none is refused", () => {
  const chain = (outcome: object): TabularModel => ({
    states: 2,
    actions: 1,
    outcomes: () => [{ probability: 1, reward: 0, state: 1, ...outcome }],
  });
  test.each<[TabularModel, string]>([
    [{ ...chain({}), states: 0 }, '"states" must be an integer >= 1, got 0'],
    [chain({ probability: 2 }), '"outcomes(0, 0).probability" must be in [0, 1], got 2'],
    [chain({ probability: 0.5 }), '"outcomes(0, 0)" must be probabilities that sum to 1, got 0.5'],
    [chain({ reward: Number.NaN }), '"outcomes(0, 0).reward" must be a finite number, got NaN'],
    [chain({ state: 2 }), '"outcomes(0, 0).state" must be an integer in [0, 1], got 2'],
  ])("%o", (model, message) => {
    expect(() => valueIteration(model)).toThrow(message);
  });

  test("and so is a return without a bound", () => {
    expect(() => valueIteration(chain({ reward: 1 }), { gamma: 1, sweeps: 50 })).toThrow("after 50 sweeps");
  });
});

/** A learner that has seen `steps` random steps of a process. */
function learned(model: TabularModel, steps: number, learningRate: number, gamma = GAMMA): TabularQ {
  const learner = new TabularQ({
    states: model.states,
    actions: model.actions,
    gamma,
    learningRate,
    epsilon: 1,
  });
  const random = new Random(7);
  let state = 0;
  for (let i = 0; i < steps; i++) {
    const action = learner.act(state);
    const outcomes = model.outcomes(state, action);
    const outcome =
      outcomes[
        weightedIndex(
          random,
          outcomes.map(({ probability }) => probability),
        )
      ]!;
    const { reward, state: nextState, terminated = false } = outcome;
    learner.observe({ state, action, reward, terminated, nextState });
    state = terminated ? random.below(model.states) : nextState;
  }
  return learner;
}

test("Q-learning reaches the optimal values of a process with chance", () => {
  const model = randomModel(3);
  const { actionValues, policy } = valueIteration(model, { gamma: 0.5 });
  const learner = learned(model, 200_000, 0.002, 0.5);
  actionValues.forEach((value, i) => {
    expect(Math.abs(learner.values[i]! - value)).toBeLessThan(0.12);
  });
  for (let s = 0; s < model.states; s++) expect(learner.act(s, undefined, 0)).toBe(policy[s]);
});

test("it learns a grid under masks, exactly, as nothing there is left to chance", () => {
  const grid = new MaskedGrid();
  const learner = new TabularQ({
    states: grid.observationSize,
    actions: 4,
    gamma: GAMMA,
    learningRate: 1,
    epsilon: 0.5,
  });
  grid.reset(1);
  for (let i = 0; i < 20_000; i++) {
    const state = grid.cell;
    const action = learner.act(state, grid.mask());
    const { reward, terminated, truncated } = grid.step(action);
    learner.observe({ state, action, reward, terminated, nextState: grid.cell, nextMask: grid.mask() });
    if (terminated || truncated) grid.reset();
  }
  const { actionValues } = valueIteration(modelOf(grid), { gamma: GAMMA });
  for (const cell of grid.starts) {
    for (let a = 0; a < 4; a++) {
      const value = actionValues[cell * 4 + a]!;
      if (value > -Infinity) expect(Math.abs(learner.evaluate(cell)[a]! - value)).toBeLessThan(1e-9);
    }
  }
});

test("with a learning rate of 0 a value is the mean of its targets", () => {
  const learner = new TabularQ({ states: 1, actions: 2, learningRate: 0 });
  for (const reward of [1, 2, 6]) learner.observe({ state: 0, action: 1, reward, terminated: true, nextState: 0 });
  expect(Array.from(learner.values)).toEqual([0, 3]);
  expect(Array.from(learner.visits)).toEqual([0, 3]);
});

test("it continues from its state, through JSON, as if it had never stopped", () => {
  const model = randomModel(4);
  const [a, b] = [learned(model, 500, 0.1), new TabularQ({ states: 6, actions: 3, gamma: GAMMA, epsilon: 1 })];
  b.restore(JSON.parse(JSON.stringify(a.state())));
  for (let i = 0; i < 50; i++) expect(b.act(i % 6)).toBe(a.act(i % 6));
  expect(b.values).toEqual(a.values);
  expect(() => b.restore({ values: [1] })).toThrow('"state.values"');
});

test("wrong calls are refused by name, and change nothing", () => {
  const learner = new TabularQ({ states: 2, actions: 2 });
  const step = { state: 0, action: 0, reward: 0, terminated: false, nextState: 1 };
  expect(() => learner.act(2)).toThrow('"state" must be an integer in [0, 1], got 2');
  expect(() => learner.act(0, [1])).toThrow('"mask" must hold 2 flags, got 1');
  expect(() => learner.act(0, undefined, 2)).toThrow('"epsilon" must be in [0, 1], got 2');
  expect(() => learner.observe({ ...step, action: -1 })).toThrow('"action" must be an integer in [0, 1], got -1');
  expect(() => learner.observe({ ...step, reward: 1 / 0 })).toThrow('"reward" must be a finite number, got Infinity');
  expect(() => learner.observe({ ...step, nextState: 9 })).toThrow('"nextState" must be an integer in [0, 1], got 9');
  expect(() => learner.observe({ ...step, terminated: 0 as never })).toThrow('"terminated" must be true or false');
  expect(() => new TabularQ({ states: 2, actions: 0 })).toThrow('"actions" must be an integer in [1, 65536], got 0');
  expect(learner.act(0, [0, 0])).toBe(-1);
  expect(Array.from(learner.visits)).toEqual([0, 0, 0, 0]);
});
