import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CartPole, DQN, resume, train } from "../../src/index.js";
import { Checkpoints, diskFolder } from "../../src/storage/index.js";
import { digestOf } from "../support/live.js";

const fresh = () =>
  new DQN({
    ...{ hidden: [8], learningStarts: 40, batchSize: 8, capacity: 300, nStep: 3, seed: 4 },
    ...{ observation: 4, actions: 2, environments: 4, trainEvery: 8 },
  });
const make = () => [1, 2, 3, 4].map(() => new CartPole());

test("checkpoints come every so many steps, the newest few stay, and each is resumed to the same bits", async () => {
  const whole = fresh();
  const evaluation = () => ({ environment: new CartPole(), every: 250, episodes: 2 });
  const expected = await train(whole, make(), { steps: 1000, evaluation: evaluation() });
  const folder = mkdtempSync(join(tmpdir(), "checkpoints-"));
  try {
    const checkpoints = new Checkpoints(diskFolder(folder), 3);
    const steps: number[] = [];
    const write = (file: Uint8Array, step: number) => {
      steps.push(step);
      return checkpoints.write(step, [file]);
    };
    // Beside the steps of reports, evaluations and updates.
    const first = train(fresh(), make(), { steps: 1000, evaluation: evaluation(), checkpoint: { every: 130, write } });
    await first;
    expect(steps).toEqual([130, 260, 390, 520, 650, 780, 910]);
    expect(readdirSync(folder)).toHaveLength(3);
    for (const checkpoint of checkpoints.list()) {
      const file = Buffer.concat([...checkpoints.read(checkpoint)]);
      const { agent, training } = resume(file, make(), { evaluationEnvironment: new CartPole() });
      expect(await training).toEqual(expected);
      expect(digestOf(agent)).toBe(digestOf(whole));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a checkpoint that cannot be written fails the training, and wrong options are refused", async () => {
  const write = () => Promise.reject(new Error("full"));
  await expect(train(fresh(), make(), { steps: 100, checkpoint: { every: 50, write } })).rejects.toThrow("full");
  const wrong = (checkpoint: object) => () => train(fresh(), make(), { steps: 1, checkpoint: checkpoint as never });
  expect(wrong({ every: 0, write })).toThrow('"checkpoint.every" must be an integer >= 1, got 0');
  expect(wrong({ every: 5 })).toThrow('"checkpoint.write"');
  expect(wrong({ every: 5, write, keep: 3 })).toThrow('"checkpoint.keep" is not an option');
});
