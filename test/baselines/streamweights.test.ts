import { expect, test } from "vitest";
import { StreamWeights } from "../../src/baselines/streamweights.js";
import { Random } from "../../src/numeric/random.js";
import { Recommender } from "../../src/recommender/index.js";
import type { SlateTransition } from "../../src/recommender/learning/index.js";
import { simulate } from "../../src/simulator/index.js";

function transition(observation: Float32Array, reward: number): SlateTransition {
  const nothing = new Float32Array(0);
  return {
    ...{ user: "u", observation, candidates: nothing, shown: 0, action: -1, reward, terminated: true },
    ...{ nextObservation: observation, nextCandidates: nothing },
  };
}

const SMALL = { observation: 2, candidate: 3, learner: { hidden: [32], learningStarts: 100, learningRate: 3e-3 } };

test("scores are weights times features, the same for the same observation, within their bounds", () => {
  const policy = new StreamWeights({ ...SMALL, noise: 0.5 });
  const units = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const weights = policy.evaluate([0.5, 1], units).slice();
  expect(weights.every((w) => Math.abs(w) <= 1)).toBe(true);
  expect(policy.evaluate([0.5, 1], units)).toEqual(weights);
  expect(policy.evaluate([0.5, 1], [1, 2, -1])[0]).toBeCloseTo(weights[0]! + 2 * weights[1]! - weights[2]!, 5);
  expect(policy.evaluate([0.5, 0.9], units)).not.toEqual(weights);
  policy.dispose();
});

test("learns weights that bring rewards, from the state of the viewer", () => {
  const learner = { hidden: [64], learningStarts: 100, learningRate: 1e-3 };
  const policy = new StreamWeights({ ...SMALL, noise: 0.3, seed: 1, learner });
  const random = new Random(3);
  let earned = 0;
  for (let i = 0; i < 3000; i++) {
    // Some viewers like the first feature, the others the last.
    const isFirst = random.bernoulli(0.5);
    const observation = Float32Array.of(isFirst ? 1 : 0, random.uniform());
    const rows = Float32Array.from({ length: 12 }, () => random.uniform());
    const scores = policy.evaluate(observation, rows);
    const reward = rows[3 * scores.indexOf(Math.max(...scores)) + (isFirst ? 0 : 2)]!;
    policy.observe(transition(observation, reward));
    policy.learn();
    if (i >= 2700) earned += reward / 300;
  }
  // Any stream brings .5 in the mean, the best of four .8.
  expect(earned).toBeGreaterThan(0.68);
  const copy = new StreamWeights({ ...SMALL, noise: 0, learner });
  const other = new StreamWeights({ ...SMALL, noise: 0, learner });
  for (const each of [copy, other]) each.load(policy.save());
  expect(copy.evaluate([1, 0.5], [1, 2, 3])).toEqual(other.evaluate([1, 0.5], [1, 2, 3]));
  for (const each of [policy, copy, other]) each.dispose();
});

test("serves a platform as a recommender's agent, the same in two runs", () => {
  const runs = [0, 1].map(() => {
    const agent = new StreamWeights({ seed: 1 });
    const recommender = new Recommender({ seed: 1, warmupUpdates: 0, instance: "" }, agent);
    const world = { viewers: 20, streamers: 40, days: 2, seed: 1 };
    const { watchMinutesPerViewerDay } = simulate(() => recommender, world);
    const figures = [watchMinutesPerViewerDay, agent.steps, agent.updates];
    recommender.dispose();
    return figures;
  });
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[0]![1]).toBeGreaterThan(50);
});

test("wrong options are refused", () => {
  expect(() => new StreamWeights({ noise: -1 })).toThrow('"noise" must be in [0, 10], got -1');
  expect(() => new StreamWeights({ weights: 1 } as never)).toThrow('"weights" is not an option');
  expect(() => new StreamWeights({ learner: { gamma: 2 } })).toThrow('"gamma" must be in [0, 1], got 2');
});
