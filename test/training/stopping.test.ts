import { describe, expect, test } from "vitest";
import { DQN, type Environment, type StepResult, type TrainProgress, train } from "../../src/index.js";

/** Nothing to learn from: episodes of one step without reward. */
class Idle implements Environment {
  readonly observationSize = 1;
  readonly actions = 1;

  reset(): number[] {
    return [0];
  }

  step(): StepResult {
    return { observation: [0], reward: 0, terminated: true, truncated: false };
  }
}

/** An examination whose marks are written beforehand: one for each evaluation, whatever the agent does. */
class Examiner extends Idle {
  readonly seeds: (number | undefined)[] = [];
  readonly #marks: readonly number[];
  readonly #episodes: number;

  constructor(marks: readonly number[], episodes = 1) {
    super();
    this.#marks = marks;
    this.#episodes = episodes;
  }

  override reset(seed?: number): number[] {
    this.seeds.push(seed);
    return [0];
  }

  override step(): StepResult {
    const reward = this.#marks[Math.floor((this.seeds.length - 1) / this.#episodes)]!;
    return { observation: [0], reward, terminated: true, truncated: false };
  }
}

const SMALL = { observation: 1, actions: 1, hidden: [4], learningStarts: 4, batchSize: 4, trainEvery: 1, seed: 1 };

/** Trains with evaluations every 10 of 60 steps, and keeps the weights at each. */
async function run(marks: number[], extra: object = {}) {
  const agent = new DQN({ ...SMALL, learningRate: 0.01 });
  const weights = new Map<number, Float32Array>();
  const reports: TrainProgress[] = [];
  const result = await train(agent, new Idle(), {
    steps: 60,
    progressEvery: 10,
    evaluation: { environment: new Examiner(marks), every: 10, episodes: 1, ...extra },
    onProgress: (progress) => {
      reports.push(progress);
      weights.set(progress.step, agent.copyWeights());
    },
  });
  return { result, reports, weights, final: agent.copyWeights() };
}

describe("evaluation in training", () => {
  test("puts the best weights back, of equal ones the last", async () => {
    const { result, weights, final, reports } = await run([1, 5, 2, 5, 4, 0]);
    expect(result).toMatchObject({ steps: 60, ended: "steps", best: { step: 40, meanReturn: 5 } });
    expect(final).toEqual(weights.get(40));
    expect(final).not.toEqual(weights.get(20));
    expect(final).not.toEqual(weights.get(60));
    expect(reports.map(({ evaluation }) => evaluation)).toEqual(
      [1, 5, 2, 5, 4, 0].map((meanReturn, i) => ({ step: 10 * (i + 1), meanReturn })),
    );
  });

  test("leaves the last weights without restoreBest", async () => {
    const { result, weights, final } = await run([1, 5, 2, 3, 4, 0], { restoreBest: false });
    expect(result.best).toEqual({ step: 20, meanReturn: 5 });
    expect(final).toEqual(weights.get(60));
  });

  test("ends at the mean return that is asked for, not below it", async () => {
    const { result, weights, final } = await run([1, 4.9, 5, 9, 9, 9], { stopAt: 5 });
    expect(result).toMatchObject({ steps: 30, ended: "stopAt", best: { step: 30, meanReturn: 5 } });
    expect(final).toEqual(weights.get(30));
    expect((await run([1, 2, 3, 4, 4, 4], { stopAt: 5 })).result).toMatchObject({ steps: 60, ended: "steps" });
  });

  test("ends when patience is over: an equal return is no better one, a better one starts anew", async () => {
    const { result, weights, final } = await run([1, 3, 3, 2, 9, 9], { patience: 2 });
    expect(result).toMatchObject({ steps: 40, ended: "patience", best: { step: 30, meanReturn: 3 } });
    expect(final).toEqual(weights.get(30));
    expect((await run([1, 3, 2, 4, 4, 5], { patience: 2 })).result).toMatchObject({ steps: 60, ended: "steps" });
  });

  test("evaluates once more at the last step, and reports at an end between two reports", async () => {
    const examiner = new Examiner([1, 2, 7], 3);
    const agent = new DQN(SMALL);
    const steps: number[] = [];
    const result = await train(agent, new Idle(), {
      steps: 25,
      progressEvery: 20,
      evaluation: { environment: examiner, every: 10, episodes: 3, seed: 40 },
      onProgress: ({ step }) => steps.push(step),
    });
    expect(result.best).toEqual({ step: 25, meanReturn: 7 });
    expect(examiner.seeds).toEqual([40, 41, 42, 40, 41, 42, 40, 41, 42]);
    expect(steps).toEqual([20, 25]);
  });

  test("does not change learning", async () => {
    const file = async (evaluation: object) => {
      const agent = new DQN({ ...SMALL, epsilon: 0.5 });
      await train(agent, new Idle(), { steps: 60, ...evaluation });
      return agent.save();
    };
    const watched = { environment: new Examiner(Array(12).fill(1)), every: 5, episodes: 1, restoreBest: false };
    expect(await file({ evaluation: watched })).toEqual(await file({}));
  });

  test("keeps the best weights when a signal or an error ends training", async () => {
    for (const isError of [false, true]) {
      const agent = new DQN({ ...SMALL, learningRate: 0.01 });
      const controller = new AbortController();
      let best: Float32Array | undefined;
      const training = train(agent, new Idle(), {
        steps: 60,
        progressEvery: 10,
        signal: controller.signal,
        evaluation: { environment: new Examiner([5, 1, 2, 3, 4, 4]), every: 10, episodes: 1 },
        onProgress: ({ step }) => {
          if (step === 10) best = agent.copyWeights();
          if (step < 30) return;
          if (isError) throw new Error("no more");
          controller.abort();
        },
      });
      if (isError) await expect(training).rejects.toThrow("no more");
      else expect(await training).toMatchObject({ steps: 30, ended: "signal", best: { step: 10 } });
      expect(agent.copyWeights()).toEqual(best);
    }
  });
});
