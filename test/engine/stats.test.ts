import { describe, expect, test } from "vitest";
import { Stat } from "../../assembly/abi.js";
import { UpdateMeter } from "../../src/engine/stats.js";
import { DQN, type DQNOptions } from "../../src/index.js";
import { numbers } from "../support/numbers.js";

const OPTIONS = {
  ...{ observation: 3, actions: 2, hidden: [8], learningStarts: 8, batchSize: 8, capacity: 32, seed: 1 },
} satisfies DQNOptions;

function fed(options: Partial<DQNOptions> = {}): DQN {
  const agent = new DQN({ ...OPTIONS, ...options });
  for (let i = 0; i < 16; i++) {
    const [observation, nextObservation] = [numbers(3, i), numbers(3, i + 1)];
    agent.observe({ observation, action: i % 2, reward: i % 3, terminated: i % 5 === 4, nextObservation });
  }
  return agent;
}

describe("stats", () => {
  test("of a new agent are known or NaN", () => {
    const { NaN: none } = Number;
    const agent = new DQN(OPTIONS);
    expect(agent.stats()).toEqual({
      ...{ steps: 0, updates: 0, skippedUpdates: 0, skippedStep: 0, refused: {}, replaySize: 0, replayFill: 0 },
      ...{ loss: none, lossMean: none, qMean: none, qMax: none, gradientNorm: none, clippedShare: none },
      ...{ tdErrorP10: none, tdErrorP50: none, tdErrorP90: none, maxPriority: none, effectiveBatch: none },
      ...{
        epsilon: 1,
        learningRate: 1e-3,
        memoryBytes: agent.memoryBytes,
        build: expect.stringMatching(/^simd128 (un)?rolled$/),
        threads: 1,
        threadsReason: "",
        damaged: false,
      },
    });
  });

  test("losses equal the results of learn, and their mean weighs each 0.99 times the next", () => {
    const agent = fed();
    const losses = Array.from({ length: 30 }, () => agent.learn());
    let [sum, weight] = [0, 0];
    for (const loss of losses) [sum, weight] = [sum * 0.99 + loss, weight * 0.99 + 1];
    const stats = agent.stats();
    expect(stats.loss).toBe(losses.at(-1));
    expect(stats.lossMean).toBeCloseTo(sum / weight, 12);
    expect(stats).toMatchObject({ steps: 16, updates: 30, replaySize: 16, replayFill: 0.5, effectiveBatch: 8 });
  });

  test("asking changes nothing", () => {
    const [a, b] = [fed({ priorityExponent: 0.6 }), fed({ priorityExponent: 0.6 })];
    for (let i = 0; i < 20; i++) {
      a.learn();
      a.stats();
      b.learn();
    }
    expect(a.save()).toEqual(b.save());
    expect(a.stats()).toEqual(b.stats());
  });

  test("the clipped share is 1 where all are clipped, 0 where none is", () => {
    for (const [maxGradNorm, share] of [
      [1e-6, 1],
      [0, 0],
      [1e6, 0],
    ] as const) {
      const agent = fed({ maxGradNorm });
      agent.learn(5);
      expect(agent.stats().clippedShare).toBe(share);
      expect(agent.stats().gradientNorm).toBeGreaterThan(1e-6);
    }
  });

  test("priorities: the largest, and the effective size of the batch", () => {
    const agent = fed({ priorityExponent: 1, importanceExponent: 1 });
    agent.learn(20);
    const { maxPriority, effectiveBatch, qMax, qMean } = agent.stats();
    expect(maxPriority).toBeGreaterThanOrEqual(1);
    expect(effectiveBatch).toBeGreaterThanOrEqual(1);
    expect(effectiveBatch).toBeLessThan(8);
    expect(qMax).toBeGreaterThan(qMean);
  });

  test("an update that is dropped is counted with its step, and its loss shows", () => {
    const agent = fed({ normalization: "none" });
    agent.learn(2);
    const weights = agent.copyWeights();
    agent.restoreWeights(weights.map(() => 1e9));
    agent.observe({ observation: [1e6, 1e6, 1e6], action: 0, reward: 0, terminated: true, nextObservation: [0, 0, 0] });
    for (let i = 0; agent.skippedUpdates === 0 && i < 1000; i++) agent.learn();
    const { skippedUpdates, skippedStep, loss } = agent.stats();
    expect([skippedUpdates, skippedStep]).toEqual([1, 17]);
    expect(loss).not.toBeNaN();
    const again = DQN.load(agent.save()).stats();
    expect(again).toMatchObject({ skippedUpdates, skippedStep, loss: Number.NaN, refused: {} });
  });

  test("refusals are counted by the field that was wrong", () => {
    const agent = fed();
    const step = { observation: [0, 0, 0], action: 0, reward: 0, terminated: false, nextObservation: [0, 0, 0] };
    const calls = [
      () => agent.act([0, Number.NaN, 0]),
      () => agent.evaluate([0, 0]),
      () => agent.evaluate(null as unknown as number[]),
      () => agent.observe({ ...step, reward: Number.POSITIVE_INFINITY }),
      () => agent.observe({ ...step, nextObservation: [0, 0, 1e7] }),
      () => agent.observe({ ...step, action: 2 }),
      () => agent.observe({ ...step, discount: 2 }),
      () => agent.act([0, 0, 0], undefined, 2),
    ];
    for (const call of calls) expect(call).toThrow();
    const counts = { observation: 3, reward: 1, nextObservation: 1, action: 1, discount: 1, epsilon: 1 };
    expect(agent.stats().refused).toEqual(counts);
  });
});

test("quantiles of TD errors, predictions by quantiles and the effective batch match their definitions", () => {
  const stats = new Float64Array(Stat.Count);
  stats[Stat.Tried] = 1;
  stats[Stat.IsWeighted] = 1;
  const meter = new UpdateMeter({
    stats,
    predictions: Float32Array.of(1, 3, -5, -7, 0, 0.5, 4, 0),
    tdErrors: Float32Array.of(3, -1, 10, 2),
    weights: Float32Array.of(1, 0.5, 0.5, 0),
    parts: 1,
  });
  const { qMean, qMax, tdErrorP10, tdErrorP50, tdErrorP90, effectiveBatch } = meter.read();
  expect([qMean, qMax]).toEqual([(2 - 6 + 0.25 + 2) / 4, 2]);
  // numpy.quantile([3, -1, 10, 2], [0.1, 0.5, 0.9])
  expect(tdErrorP10).toBeCloseTo(-0.1, 12);
  expect(tdErrorP50).toBe(2.5);
  expect(tdErrorP90).toBeCloseTo(7.9, 12);
  expect(effectiveBatch).toBeCloseTo(4 / 1.5, 12);
});
