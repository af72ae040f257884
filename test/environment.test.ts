import { describe, expect, test } from "vitest";
import { CartPole, DQN, type Environment, evaluate, type StepResult, train } from "../src/index.js";
import { Random } from "../src/random.js";

/** Reward 1 for naming the observed symbol; episodes of 10 steps are cut, not ended. */
class Identity implements Environment {
  readonly observationSize = 3;
  readonly actions = 3;
  readonly #random = new Random(1);
  #symbol = 0;
  #step = 0;

  reset(): number[] {
    this.#step = 0;
    return this.#draw();
  }

  step(action: number): StepResult {
    const reward = action === this.#symbol ? 1 : 0;
    return { observation: this.#draw(), reward, terminated: false, truncated: ++this.#step === 10 };
  }

  #draw(): number[] {
    this.#symbol = this.#random.below(3);
    return [0, 1, 2].map((i) => (i === this.#symbol ? 1 : 0));
  }
}

/** One state that goes on for ever with reward 1, cut (or ended) after each step. */
class Constant implements Environment {
  readonly observationSize = 1;
  readonly actions = 1;
  readonly #isTerminal: boolean;

  constructor(isTerminal: boolean) {
    this.#isTerminal = isTerminal;
  }

  reset(): number[] {
    return [1];
  }

  step(): StepResult {
    return { observation: [1], reward: 1, terminated: this.#isTerminal, truncated: !this.#isTerminal };
  }
}

/** Candidates that differ at each step; the reward is the first feature of the one taken. */
class Market implements Environment {
  readonly observationSize = 1;
  readonly #random = new Random(2);
  #offer = new Float32Array();
  #step = 0;

  reset(): number[] {
    this.#step = 0;
    this.#draw();
    return [0];
  }

  step(action: number): StepResult {
    const reward = this.#offer[action * 2]!;
    this.#draw();
    return { observation: [0], reward, terminated: ++this.#step === 5, truncated: false };
  }

  candidates(): Float32Array {
    return this.#offer;
  }

  #draw(): void {
    this.#offer = Float32Array.from({ length: 2 * (1 + this.#random.below(6)) }, () => this.#random.uniform());
  }
}

const SMALL = { hidden: [16], learningStarts: 50, batchSize: 16, trainEvery: 1, learningRate: 3e-3, seed: 1 };

describe("train", () => {
  test("learns the identity", async () => {
    const agent = new DQN({ observation: 3, actions: 3, gamma: 0.5, ...SMALL, epsilon: 0.2 });
    await train(agent, new Identity(), { steps: 1500 });
    expect(evaluate(agent, new Identity(), { episodes: 5 })).toEqual([10, 10, 10, 10, 10]);
  });

  test("learns the identity from prioritised replay, whatever the loss", async () => {
    for (const loss of ["huber", "squared"] as const) {
      const priorities = { priorityExponent: 0.6, importanceExponent: 0.5, loss };
      const agent = new DQN({ observation: 3, actions: 3, gamma: 0.5, ...SMALL, ...priorities, epsilon: 0.2 });
      await train(agent, new Identity(), { steps: 1500 });
      expect(evaluate(agent, new Identity(), { episodes: 5 })).toEqual([10, 10, 10, 10, 10]);
    }
  });

  test("bootstraps through truncation but not termination", async () => {
    const valueAfter = async (isTerminal: boolean, nStep = 1) => {
      const agent = new DQN({ observation: 1, actions: 1, gamma: 0.5, ...SMALL, targetEvery: 20, nStep });
      await train(agent, new Constant(isTerminal), { steps: 1500 });
      return agent.evaluate([1])[0]!;
    };
    expect(await valueAfter(true)).toBeCloseTo(1, 1);
    expect(await valueAfter(false)).toBeCloseTo(2, 1);
    expect(await valueAfter(true, 3)).toBeCloseTo(1, 1);
    expect(await valueAfter(false, 3)).toBeCloseTo(2, 1);
  });

  test("learns which candidate is best although no set comes twice", async () => {
    const candidates = { max: 6, features: 2 };
    const agent = new DQN({ observation: 1, candidates, gamma: 0, ...SMALL, epsilon: 0.3 });
    await train(agent, new Market(), { steps: 3000 });
    let right = 0;
    const random = new Random(9);
    for (let i = 0; i < 300; i++) {
      const offer = Float32Array.from({ length: 8 }, () => random.uniform());
      const best = [0, 2, 4, 6].reduce((b, j) => (offer[j]! > offer[b]! ? j : b), 0) / 2;
      if (agent.act([0], offer, 0) === best) right++;
    }
    expect(right).toBeGreaterThan(280);
  });

  test("reports progress, stops at a signal, and is the same in two runs", async () => {
    const run = async (abortAt: number) => {
      const agent = new DQN({ observation: 4, actions: 2, ...SMALL, trainEvery: 8 });
      const controller = new AbortController();
      const steps: number[] = [];
      const result = await train(agent, new CartPole(), {
        steps: 1500,
        progressEvery: 400,
        signal: controller.signal,
        onProgress: ({ step }) => {
          steps.push(step);
          if (step === abortAt) controller.abort();
        },
      });
      return { steps, result, file: agent.save() };
    };
    const a = await run(-1);
    expect(a.steps).toEqual([400, 800, 1200, 1500]);
    expect(a.result).toMatchObject({ steps: 1500, aborted: false });
    expect(a.result.returns.length).toBeGreaterThan(10);
    expect((await run(-1)).file).toEqual(a.file);
    expect((await run(800)).result).toMatchObject({ steps: 800, aborted: true });
    await expect(train(new DQN({ observation: 4, actions: 2 }), new CartPole(), { steps: 0 })).rejects.toThrow(
      '"steps"',
    );
  });
});
