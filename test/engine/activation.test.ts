import { describe, expect, test } from "vitest";
import { quantise } from "../../src/engine/compression/index.js";
import { ContinuousAgent } from "../../src/engine/continuous/index.js";
import { unpackSnapshot } from "../../src/engine/index.js";
import { DQN, type DQNOptions } from "../../src/index.js";
import { numbers } from "../support/numbers.js";

const OPTIONS: DQNOptions = {
  observation: 4,
  actions: 3,
  hidden: [9, 6],
  learningStarts: 8,
  batchSize: 8,
  capacity: 32,
};

function taught(options: DQNOptions): DQN {
  const agent = new DQN(options);
  for (let i = 0; i < 40; i++) {
    const [observation, nextObservation] = [numbers(4, i), numbers(4, i + 1)];
    agent.observe({ observation, action: i % 3, reward: Math.sin(i), terminated: i % 7 === 0, nextObservation });
  }
  agent.learn(20);
  return agent;
}

describe.each(["tanh", "gelu", "linear"] as const)("%s", (activation) => {
  test("is kept in the file: an agent that was loaded learns on to the same bytes", () => {
    const agent = taught({ ...OPTIONS, activation });
    const loaded = DQN.load(agent.save());
    expect(loaded.options.activation).toBe(activation);
    agent.learn(5);
    loaded.learn(5);
    expect(loaded.save()).toEqual(agent.save());
    expect(agent.save()).not.toEqual(taught(OPTIONS).save());
  });

  test("both forms of the kernels give the same bytes", () => {
    const [rolled, unrolled] = (["rolled", "unrolled"] as const).map((kernels) => {
      const agent = new DQN({ ...OPTIONS, activation }, { kernels });
      return Array.from({ length: 20 }, (_, i) => [...agent.evaluate(numbers(4, i))]);
    });
    expect(rolled).toEqual(unrolled);
  });

  test("plain layers make an agent of the same values", () => {
    const agent = taught({ ...OPTIONS, activation });
    const other = new DQN({ ...OPTIONS, activation, seed: 9 });
    other.setWeights(agent.weights());
    expect([...other.evaluate(numbers(4, 1))]).toEqual([...agent.evaluate(numbers(4, 1))]);
  });

  test("many states at once have the values that each has alone", () => {
    const agent = taught({ ...OPTIONS, activation });
    const states = numbers(4 * 11, 5);
    const alone = Array.from({ length: 11 }, (_, s) => [...agent.evaluate(states.slice(4 * s, 4 * s + 4))]).flat();
    expect([...agent.evaluateBatch(states)]).toEqual(alone);
  });
});

test("a linear network is a linear map: of a sum the sum, but for the constant", () => {
  const agent = taught({ ...OPTIONS, activation: "linear", normalization: "none" });
  const [x, y] = [numbers(4, 1), numbers(4, 2)];
  const q = (input: ArrayLike<number>) => Array.from(agent.evaluate(Float32Array.from(input)));
  const zero = q([0, 0, 0, 0]);
  const [a, b, both] = [q(x), q(y), q(x.map((value, i) => value + y[i]!))];
  both.forEach((value, i) => {
    expect(value - zero[i]!).toBeCloseTo(a[i]! - zero[i]! + (b[i]! - zero[i]!), 4);
  });
});

test("a file of an agent with ReLU names no activation, so that older versions read it", () => {
  const options = (file: Uint8Array, kind: string) => JSON.parse(unpackSnapshot(kind, file).metadata["options"]!);
  const agent = new DQN(OPTIONS);
  expect(options(agent.save(), "dqn")).not.toHaveProperty("activation");
  expect(options(agent.save(), "dqn")).not.toHaveProperty("temperature");
  const bounds = { low: [-1], high: [1] };
  const actor = new ContinuousAgent({ observation: 2, continuous: bounds, activation: "tanh" });
  expect(options(actor.save(), "continuous").activation).toBe("tanh");
  expect(ContinuousAgent.load(actor.save()).options.activation).toBe("tanh");
});

test("another one is refused by name", () => {
  const given = { ...OPTIONS, activation: "sigmoid" as "tanh" };
  expect(() => new DQN(given)).toThrow('"activation" must be "relu" or "tanh" or "gelu" or "linear", got "sigmoid"');
});

test("what has ReLU alone refuses it by name", () => {
  const agent = new DQN({ ...OPTIONS, activation: "tanh" });
  expect(() => quantise(agent, [{ observation: numbers(4, 1) }])).toThrow(
    '"activation" must be "relu" for an agent that is made smaller',
  );
});
