import { expect, test } from "vitest";
import type { SparseInput } from "../../src/engine/staging.js";
import { DQN, type Environment, evaluate, type StepResult, train } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";

/** Reward 1 for naming the symbol that is seen as an index; one array serves all observations. */
class Symbols implements Environment<SparseInput> {
  readonly observationSize = 0;
  readonly actions = 3;
  readonly #random = new Random(1);
  readonly #indices = new Int32Array(1);
  #step = 0;

  reset(): SparseInput {
    this.#step = 0;
    return this.#draw();
  }

  step(action: number): StepResult<SparseInput> {
    const reward = action === this.#indices[0] ? 1 : 0;
    return { observation: this.#draw(), reward, terminated: false, truncated: ++this.#step === 10 };
  }

  #draw(): SparseInput {
    this.#indices[0] = this.#random.below(3);
    return { indices: this.#indices };
  }
}

test("learns from index inputs", async () => {
  const sparse = { slots: 1, size: 3 };
  const small = { hidden: [16], learningStarts: 50, batchSize: 16, trainEvery: 1, learningRate: 3e-3, seed: 1 };
  const agent = new DQN({ observation: 0, sparse, actions: 3, gamma: 0.5, epsilon: 0.2, ...small });
  await train(agent, new Symbols(), { steps: 1500 });
  expect(evaluate(agent, new Symbols(), { episodes: 3 })).toEqual([10, 10, 10]);
});
