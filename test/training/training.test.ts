import { describe, expect, test } from "vitest";
import { CartPole, DQN, train } from "../../src/index.js";
import { turn } from "../support/waiting.js";

const OPTIONS = { steps: 500, progressEvery: 100 };

function fresh(): DQN {
  return new DQN({ observation: 4, actions: 2, hidden: [8], learningStarts: 50, seed: 3 });
}

/** The agent after a plain, awaited training. */
async function awaited() {
  const agent = fresh();
  const result = await train(agent, new CartPole(), OPTIONS);
  return { result, file: agent.save() };
}

describe("a training", () => {
  test("is a loop over its reports, which gives the same agent and the same result as awaiting it", async () => {
    const agent = fresh();
    const training = train(agent, new CartPole(), OPTIONS);
    const steps: number[] = [];
    for await (const { step } of training) {
      steps.push(step);
      expect(agent.steps).toBe(step);
    }
    expect(steps).toEqual([100, 200, 300, 400, 500]);
    const { result, file } = await awaited();
    expect(await training).toEqual(result);
    expect(agent.save()).toEqual(file);
  });

  test("is done once, however often it is awaited and looped over", async () => {
    const agent = fresh();
    const training = train(agent, new CartPole(), OPTIONS);
    const loop = async () => {
      let last = 0;
      for await (const { step } of training) last = step;
      return last;
    };
    const [a, b, last] = await Promise.all([training, training, loop()]);
    expect(a).toEqual(b);
    expect(last).toBe(500);
    expect(agent.steps).toBe(500);
    expect(await loop()).toBe(0);
    expect(await training.finally(() => {})).toEqual(a);
    expect(agent.save()).toEqual((await awaited()).file);
  });

  test("does nothing before somebody waits for it, and nothing while its loop is busy", async () => {
    const agent = fresh();
    const training = train(agent, new CartPole(), OPTIONS);
    await turn();
    expect(agent.steps).toBe(0);
    for await (const { step } of training) {
      await turn();
      expect(agent.steps).toBe(step);
    }
  });

  test("ends when its loop is left, by break or by an error", async () => {
    const agent = fresh();
    const training = train(agent, new CartPole(), OPTIONS);
    for await (const { step } of training) if (step === 200) break;
    expect(agent.steps).toBe(200);
    expect(await training).toMatchObject({ steps: 200, ended: "break" });
    expect(agent.steps).toBe(200);

    const other = train(fresh(), new CartPole(), OPTIONS);
    const fail = async () => {
      for await (const _ of other) throw new Error("enough");
    };
    await expect(fail()).rejects.toThrow("enough");
    expect(await other).toMatchObject({ steps: 100, ended: "break" });
  });

  test("throws its error to every caller, at any time", async () => {
    const agent = fresh();
    const environment = new CartPole();
    environment.step = () => {
      throw new Error("broken");
    };
    const training = train(agent, environment, OPTIONS);
    await expect(training).rejects.toThrow("broken");
    await expect(training).rejects.toThrow("broken");
    await expect(training.catch((error) => (error as Error).message)).resolves.toBe("broken");
    const looped = train(fresh(), environment, OPTIONS);
    const loop = async () => {
      for await (const _ of looped);
    };
    await expect(loop()).rejects.toThrow("broken");
  });
});
