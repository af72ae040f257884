import { describe, expect, test } from "vitest";
import { CartPole, DQN, type Environment, evaluate, MaskedGrid, type StepResult, train } from "../../src/index.js";

const SMALL = { hidden: [4], learningStarts: 1000 };

/** Eleven actions, six numbers, one step. */
class Eleven implements Environment {
  readonly observationSize: number = 6;
  readonly actions: number = 11;
  reset(): number[] {
    return [0, 0, 0, 0, 0, 0];
  }
  step(_: number): StepResult {
    return { observation: this.reset(), reward: 1, terminated: true, truncated: false };
  }
}

describe("an environment", () => {
  test.each([1, 2, 5, 10, 12, 22, 100])("of 11 actions is refused by an agent of %i", (actions) => {
    const agent = new DQN({ ...SMALL, observation: 6, actions });
    const message = `"actions" of the environment is 11, but the agent's option is "actions": ${actions}`;
    expect(() => train(agent, new Eleven(), { steps: 10 })).toThrow(message);
    expect(() => evaluate(agent, new Eleven())).toThrow(message);
    const evaluation = { environment: new Eleven(), every: 10 };
    const six = Object.assign(new Eleven(), { actions });
    expect(() => train(agent, six, { steps: 10, evaluation })).toThrow(message);
    expect(agent.steps).toBe(0);
  });

  test("of other observations, or with candidates for an agent without, is refused", () => {
    const message = '"observationSize" of the environment is 4, but the agent\'s option is "observation": 5';
    expect(() => train(new DQN({ ...SMALL, observation: 5, actions: 2 }), new CartPole(), { steps: 1 })).toThrow(
      message,
    );
    const offering = Object.assign(new Eleven(), { actions: undefined, candidates: () => [0] });
    const agent = new DQN({ ...SMALL, observation: 6, actions: 11 });
    expect(() => train(agent, offering as never, { steps: 1 })).toThrow("the environment has candidates");
    const chooser = new DQN({ ...SMALL, observation: 6, candidates: { max: 2, features: 1 } });
    expect(() => train(chooser, new Eleven(), { steps: 1 })).toThrow('the environment has no method "candidates"');
  });

  test("that fits is taken: with a mask, and with numbers that nobody gives", async () => {
    const grid = new MaskedGrid();
    const agent = new DQN({ ...SMALL, observation: grid.observationSize, actions: grid.actions!, masked: true });
    expect(await train(agent, grid, { steps: 20 })).toMatchObject({ steps: 20 });
    const silent = Object.assign(new Eleven(), { actions: undefined, observationSize: undefined });
    const other = new DQN({ ...SMALL, observation: 6, actions: 11 });
    expect(await train(other, silent as never, { steps: 20 })).toMatchObject({ steps: 20 });
  });

  test.each(["step", "reset"] as const)(
    "whose %s returns a promise is not for evaluate, and its failure is nobody else's",
    async (method) => {
      const late = Object.assign(new Eleven(), { [method]: () => Promise.reject(new Error("late")) });
      const agent = new DQN({ ...SMALL, observation: 6, actions: 11 });
      const message = `"${method}" of the environment must return its result at once, got a promise: call evaluateAsync`;
      expect(() => evaluate(agent, late)).toThrow(message);
      await expect(train(agent, late, { steps: 10 })).rejects.toThrow("late");
      expect(agent.steps).toBe(0);
    },
  );
});

test("a report has an evaluation where one was made since the report before", async () => {
  const evaluation = { environment: new Eleven(), every: 25, episodes: 1 };
  const agent = new DQN({ ...SMALL, observation: 6, actions: 11 });
  const seen: [number, number | undefined][] = [];
  for await (const { step, evaluation: made } of train(agent, new Eleven(), {
    steps: 60,
    progressEvery: 10,
    evaluation,
  })) {
    seen.push([step, made?.step]);
  }
  expect(seen).toEqual([
    [10, undefined],
    [20, undefined],
    [30, 25],
    [40, undefined],
    [50, 50],
    [60, 60],
  ]);
});
