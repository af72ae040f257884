import { describe, expect, test } from "vitest";
import {
  CartPole,
  DQN,
  type Environment,
  evaluate,
  MaskedGrid,
  type StepResult,
  type Transition,
  train,
} from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";

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

/** One candidate more at each step, from 1 to 6, but at most 4 after a step: what a transition keeps. */
class Few implements Environment {
  readonly observationSize = 1;
  #step = 0;
  #isFresh = true;

  reset(): number[] {
    this.#isFresh = true;
    return [this.#step];
  }

  step(): StepResult {
    this.#isFresh = false;
    return { observation: [++this.#step], reward: 0, terminated: true, truncated: false };
  }

  candidates(): Float32Array {
    return this.#isFresh ? new Float32Array(2 * (1 + (this.#step % 6))) : new Float32Array();
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
      const agent = new DQN({ observation: 1, actions: 1, gamma: 0.5, ...SMALL, targetEvery: 20, tau: 1, nStep });
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
    expect(a.result).toMatchObject({ steps: 1500, ended: "steps" });
    expect(a.result.returns.length).toBeGreaterThan(10);
    expect((await run(-1)).file).toEqual(a.file);
    expect((await run(800)).result).toMatchObject({ steps: 800, ended: "signal" });
  });

  test("refuses wrong options before anything is done", () => {
    const agent = new DQN({ observation: 4, actions: 2 });
    const environment = new CartPole();
    const refused = (options: object) => () => train(agent, environment, options as never);
    expect(refused({ steps: 0 })).toThrow('"steps" must be an integer >= 1, got 0');
    expect(refused({ steps: 9, step: 1 })).toThrow('"step" is not an option');
    expect(refused({ steps: 9, seed: 0.5 })).toThrow('"seed" must be a safe integer, got 0.5');
    const evaluation = { environment: new CartPole(), every: 5 };
    expect(refused({ steps: 9, evaluation: { ...evaluation, every: 0 } })).toThrow('"evaluation.every"');
    expect(refused({ steps: 9, evaluation: { ...evaluation, patience: 0 } })).toThrow('"evaluation.patience"');
    expect(refused({ steps: 9, evaluation: { ...evaluation, stopAt: Number.NaN } })).toThrow('"evaluation.stopAt"');
    expect(refused({ steps: 9, evaluation: { ...evaluation, environment } })).toThrow("an object of its own");
    expect(() => train(agent, [], { steps: 9 })).toThrow("at least one environment");
    expect(() => evaluate(agent, environment, { episodes: 0 })).toThrow('"episodes" must be an integer >= 1, got 0');
  });

  test("does nothing once its signal is given", async () => {
    const agent = new DQN({ observation: 4, actions: 2 });
    const result = await train(agent, new CartPole(), { steps: 9, signal: AbortSignal.abort() });
    expect(result).toEqual({ steps: 0, returns: [], ended: "signal" });
    expect(agent.steps).toBe(0);
  });

  test("passes on the available choices before and after each step", async () => {
    const seen: Transition[] = [];
    class Recorder extends DQN {
      override observe(transition: Transition): void {
        seen.push(structuredClone(transition));
        super.observe(transition);
      }
    }
    const grid = new MaskedGrid();
    const masked = { observation: grid.observationSize, actions: 4, masked: true, ...SMALL };
    await train(new Recorder(masked), grid, { steps: 200 });
    const pairs = seen.slice(1).map((transition, i) => [seen[i]!, transition] as const);
    for (const [before, after] of pairs) {
      expect(after.mask![after.action!]).toBe(1);
      if (!before.terminated && !before.truncated) expect(after.mask).toEqual(Uint8Array.from(before.nextMask!));
      else if (before.terminated) expect(before.nextMask).toBeUndefined();
    }

    seen.length = 0;
    const candidates = { max: 6, features: 2, next: 4 };
    await train(new Recorder({ observation: 1, candidates, ...SMALL }), new Few(), { steps: 40 });
    for (const transition of seen) {
      const offered = 2 * (1 + ((transition.observation as number[])[0]! % 6));
      if (offered > 8) {
        expect(transition.candidates).toBeUndefined();
        expect(transition.candidate).toHaveLength(2);
      } else {
        expect(transition.candidate).toBeUndefined();
        expect(transition.candidates).toHaveLength(offered);
        expect(transition.action).toBeLessThan(offered / 2);
      }
    }
  });
});
