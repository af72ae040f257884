import { describe, expect, test } from "vitest";
import { DQN, type DQNOptions } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import { digestOf } from "../support/live.js";

const FIXED: DQNOptions = { observation: 2, actions: 3, hidden: [8], batchSize: 8, learningStarts: 8, seed: 3 };
const SLATES: DQNOptions = {
  ...{ observation: 1, candidates: { max: 6, features: 3 }, slate: { size: 2 }, hidden: [16], batchSize: 16 },
  ...{ learningStarts: 20, learningRate: 1e-2, normalization: "none", seed: 3 },
};

function fed(options: DQNOptions, steps = 30): DQN {
  const agent = new DQN(options);
  const random = Random.named(1, "steps");
  for (let i = 0; i < steps; i++) {
    const observation = [random.uniform(), random.uniform()];
    const step = { observation, nextObservation: [random.uniform(), 0], reward: random.uniform(), terminated: false };
    agent.observe({ ...step, action: i % 3 });
  }
  return agent;
}

describe("a start by cloning", () => {
  test.each<[object, string]>([
    [{ clone: {} }, '"clone.updates" must be an integer in [1, 1000000000], got undefined'],
    [{ clone: { updates: 5, alpha: Number.NaN } }, '"clone.alpha" must be in [0, 1000], got NaN'],
    [{ clone: { updates: 5, weight: 1 } }, '"clone.weight" is not an option'],
    [{ clone: 5 }, '"clone" must be { updates, alpha }, got 5'],
  ])("%j is refused: %s", (options, message) => {
    expect(() => new DQN({ ...FIXED, ...options } as DQNOptions)).toThrow(message);
  });

  test("is the conservative term of its weight for its updates, then of cqlAlpha", () => {
    const cloned = fed({ ...FIXED, cqlAlpha: 0.5, clone: { updates: 3, alpha: 20 } });
    const heavy = fed({ ...FIXED, cqlAlpha: 20 });
    expect(cloned.learn(3)).toBe(heavy.learn(3));
    expect(cloned.copyWeights()).toEqual(heavy.copyWeights());
    cloned.learn();
    heavy.learn();
    expect(cloned.copyWeights()).not.toEqual(heavy.copyWeights());
    expect(fed({ ...FIXED, clone: { updates: 3 } }).options.clone).toEqual({ updates: 3, alpha: 100 });
  });

  test("ends at its update however updates are called for, also across a save; the loss is their mean", () => {
    const options = { ...FIXED, cqlAlpha: 0.5, clone: { updates: 3, alpha: 20 } };
    const [atOnce, singly, first] = [fed(options), fed(options), fed(options)];
    const loss = atOnce.learn(5);
    const losses = Array.from({ length: 5 }, () => singly.learn());
    expect(loss).toBeCloseTo(losses.reduce((sum, each) => sum + each, 0) / 5, 6);
    first.learn(2);
    const second = DQN.load(first.save());
    second.learn(3);
    expect(digestOf(singly)).toBe(digestOf(atOnce));
    expect(digestOf(second)).toBe(digestOf(atOnce));
  });

  test("puts what was shown above what was on offer, in order, whatever was entered; values alone do not", () => {
    const rows = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const values = (clone: boolean) => {
      const agent = new DQN({ ...SLATES, ...(clone && { clone: { updates: 1e6 } }) });
      for (let i = 0; i < 400; i++) {
        const step = { observation: [1], nextObservation: [1], terminated: true };
        // The second is entered, and worth 5; the third is never shown.
        agent.observe({ ...step, candidates: rows, shown: 2, action: i % 2 === 0 ? -1 : 1, reward: 5 * (i % 2) });
        agent.learn();
      }
      return Array.from(agent.evaluate([1], rows));
    };
    const [a, b, c] = values(true);
    expect(a! > b! && b! > c!).toBe(true);
    const [x, y] = values(false);
    expect(y!).toBeGreaterThan(x!);
  });
});
