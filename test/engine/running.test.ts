import { describe, expect, test } from "vitest";
import { ContinuousAgent } from "../../src/engine/continuous/index.js";
import { packSnapshot, unpackSnapshot } from "../../src/engine/index.js";
import { DQN, type DQNOptions, type Transition } from "../../src/index.js";
import { moments } from "../reference/moments.js";
import { difference } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const PLAIN: DQNOptions = {
  ...{ observation: 3, actions: 2, hidden: [8], seed: 5, gamma: 0.9, maxGradNorm: 0 },
  ...{ learningStarts: 4, batchSize: 16, capacity: 128 },
};
const BOTH = { normalizeObservations: true, normalizeRewards: true };
const STEPS = 100;

/** An observation of numbers of very different sizes. */
const observationOf = (i: number) => Array.from(numbers(3, i), (x, j) => Math.fround(x * [1e-3, 1, 1e3][j]! + 5 * j));

function transitionOf(i: number): Transition {
  const state = { observation: observationOf(i), nextObservation: observationOf(i + 1) };
  return { ...state, action: i % 2, reward: 50 * Math.sin(i), terminated: i % 9 === 8, environment: 0 };
}

/** What VecNormalize makes of observations and rewards, from their definitions. */
function twin(transitions: readonly Transition[], gamma: number) {
  const columns = [0, 1, 2].map((j) => moments(transitions.map(({ observation }) => (observation as number[])[j]!)));
  let sum = 0;
  const returns = transitions.map(({ reward, terminated }) => {
    sum = sum * gamma + reward;
    const now = sum;
    if (terminated) sum = 0;
    return now;
  });
  const clip = (x: number) => Math.max(-10, Math.min(10, x));
  const deviation = Math.sqrt(moments(returns).variance + 1e-8);
  return {
    seen: (x: ArrayLike<number>) =>
      Array.from(x, (value, j) => clip((value - columns[j]!.mean) / Math.sqrt(columns[j]!.variance + 1e-8))),
    learned: (reward: number) => clip(reward / deviation),
  };
}

function fed<A extends { observe(transition: Transition): void }>(
  agent: A,
  steps = STEPS,
  change = (x: Transition) => x,
) {
  for (let i = 0; i < steps; i++) agent.observe(change(transitionOf(i)));
  return agent;
}

describe("running normalisation", () => {
  const all = Array.from({ length: STEPS }, (_, i) => transitionOf(i));
  const { seen, learned } = twin(all, 0.9);

  test("values are those of a plain agent for observations that the twin has normalised", () => {
    const agent = fed(new DQN({ ...PLAIN, ...BOTH }));
    const plain = new DQN(PLAIN);
    for (let i = 0; i < 30; i++) {
      const x = observationOf(1000 + i);
      expect(difference(agent.evaluate(x), plain.evaluate(seen(x)))).toBeLessThan(1e-5);
    }
    // Far out they are clipped.
    expect([...agent.evaluate([1e6, 1e6, 1e6])]).toEqual([...plain.evaluate([10, 10, 10])]);
  });

  test.each([
    ["one step", {}],
    ["layers without norm, squared, Double", { normalization: "none", loss: "squared" }],
    ["quantiles, dueling", { quantiles: 3, dueling: true }],
    ["Munchausen", { munchausen: {} }],
  ] as const)("an update is that of a plain agent on normalised transitions: %s", (_, options) => {
    const agent = fed(new DQN({ ...PLAIN, ...options, ...BOTH }));
    const plain = fed(new DQN({ ...PLAIN, ...options }), STEPS, (step) => ({
      ...step,
      observation: seen(step.observation as number[]),
      nextObservation: seen(step.nextObservation as number[]),
      reward: learned(step.reward),
    }));
    const losses = [agent.learn(), plain.learn()];
    expect(Math.abs(losses[0]! - losses[1]!)).toBeLessThan(1e-4 * (1 + losses[1]!));
    agent.learn(5);
    plain.learn(5);
    expect(difference(agent.copyWeights(), plain.copyWeights())).toBeLessThan(1e-3);
  });

  test("only observing changes it: acting, evaluating and refusals leave the file as it was", () => {
    const agent = fed(new DQN({ ...PLAIN, ...BOTH }));
    const before = agent.save();
    for (let i = 0; i < 10; i++) {
      agent.act(observationOf(i), undefined, 0);
      agent.evaluate(observationOf(i));
    }
    agent.evaluateBatch(observationOf(1).concat(observationOf(2)));
    expect(() => agent.observe({ ...transitionOf(1), reward: Number.NaN })).toThrow('"reward"');
    expect(() => agent.observe({ ...transitionOf(1), nextObservation: [0, Number.NaN, 0] })).toThrow("nextObservation");
    expect(agent.save()).toEqual(before);
  });

  test.each<[string, DQNOptions]>([
    ["fixed actions", { ...PLAIN, ...BOTH }],
    ["n steps, environments, halves", { ...PLAIN, ...BOTH, nStep: 3, environments: 2, storage: "f16" }],
    ["index inputs, observations alone", { ...PLAIN, normalizeObservations: true, sparse: { slots: 2, size: 5 } }],
    ["rewards alone, priorities", { ...PLAIN, normalizeRewards: true, priorityExponent: 0.6 }],
  ])("a loaded agent goes on to the same bytes, and many states have the values of each: %s", (_, options) => {
    const inputOf = (x: ArrayLike<number>) => (options.sparse ? { dense: x, indices: [1, 3] } : x);
    const step = (agent: DQN, i: number) => {
      const { observation, nextObservation, ...rest } = transitionOf(i);
      const states = [observation, nextObservation].map((x) => inputOf(x as number[]));
      const environment = options.environments ? i % 2 : 0;
      agent.observe({ ...rest, observation: states[0]!, nextObservation: states[1]!, environment });
    };
    const agent = new DQN(options);
    for (let i = 0; i < 60; i++) step(agent, i);
    agent.learn(3);
    const loaded = DQN.load(agent.save());
    for (const one of [agent, loaded]) {
      for (let i = 60; i < 90; i++) step(one, i);
      one.learn(3);
      one.abandonEpisode();
      for (let i = 90; i < 99; i++) step(one, i);
    }
    expect(loaded.save()).toEqual(agent.save());
    const states = Array.from({ length: 20 }, (__, i) => observationOf(i));
    const alone = states.flatMap((x) => [...agent.evaluate(inputOf(x))]);
    const many = options.sparse ? { dense: states.flat(), indices: states.flatMap(() => [1, 3]) } : states.flat();
    expect([...agent.evaluateBatch(many)]).toEqual(alone);
  });

  test("candidates keep their features, and slates learn too", () => {
    const offered = { observation: 3, candidates: { max: 4, features: 2 }, hidden: [8], seed: 5, gamma: 0.9 };
    for (const slate of [undefined, { size: 2 }]) {
      const options = { ...offered, ...(slate && { slate }), learningStarts: 4, batchSize: 8 } as DQNOptions;
      const [agent, plain] = [new DQN({ ...options, ...BOTH }), new DQN(options)];
      const rows = Array.from(numbers(8, 77));
      const change = (step: Transition) => ({ ...step, candidates: rows.slice(0, 4), nextCandidates: rows });
      fed(agent, STEPS, change);
      const x = observationOf(500);
      expect(difference(agent.evaluate(x, rows), plain.evaluate(seen(x), rows))).toBeLessThan(1e-5);
      expect(Number.isFinite(agent.learn(3))).toBe(true);
    }
  });

  test("a continuous agent: an update is that of a plain one on normalised transitions, and it is kept", () => {
    const options = { observation: 3, continuous: { low: [-1], high: [1] }, hidden: [8], gamma: 0.9, seed: 2 };
    const small = { ...options, learningStarts: 4, batchSize: 16, capacity: 128, twin: false, policyDelay: 1 };
    const [agent, plain] = [new ContinuousAgent({ ...small, ...BOTH }), new ContinuousAgent(small)];
    for (let i = 0; i < STEPS; i++) {
      const { observation, nextObservation, reward, terminated } = transitionOf(i) as Transition & {
        observation: number[];
        nextObservation: number[];
      };
      const action = [Math.sin(3 * i)];
      agent.observe({ observation, nextObservation, reward, terminated, action });
      const states = { observation: seen(observation), nextObservation: seen(nextObservation) };
      plain.observe({ ...states, reward: learned(reward), terminated, action });
    }
    const [a, b] = [agent.learn(3), plain.learn(3)];
    expect(Math.abs(a - b)).toBeLessThan(1e-3 * (1 + b));
    const x = observationOf(7);
    expect(difference(agent.act(x, 0), plain.act(seen(x), 0))).toBeLessThan(1e-3);
    const loaded = ContinuousAgent.load(agent.save());
    agent.learn(2);
    loaded.learn(2);
    expect(loaded.save()).toEqual(agent.save());
  });

  test("it is off by default, takes no byte of the file then, and moments that cannot be are refused", () => {
    const named = (file: Uint8Array) => JSON.parse(unpackSnapshot("dqn", file).metadata["options"]!);
    expect(named(new DQN(PLAIN).save())).not.toHaveProperty("normalizeObservations");
    const [off, on] = [PLAIN, { ...PLAIN, ...BOTH }].map((options) => {
      return unpackSnapshot("dqn", new DQN(options).save()).tensors.get("agent")!.byteLength;
    });
    // Counts, means, sums of squares and a return, each part at a multiple of 64 bytes.
    expect(on! - off!).toBe(64 + 64);
    const { metadata, tensors } = unpackSnapshot("dqn", fed(new DQN({ ...PLAIN, ...BOTH })).save());
    // They stand behind 15 counters, from the next multiple of 64 bytes on: a count, 3 means, 3 sums; a count, a mean, a sum, a return.
    for (const [at, wrong] of [
      [16, -1],
      [16, 0.5],
      [17, Number.NaN],
      [20, -1e-9],
      [24, Number.POSITIVE_INFINITY],
      [26, -1],
      [27, 1e13],
    ] as const) {
      const bytes = tensors.get("agent")!.slice();
      new Float64Array(bytes.buffer)[at] = wrong;
      const { sha256: _, format: __, kind: ___, min_reader: ____, ...own } = metadata;
      expect(() => DQN.load(packSnapshot("dqn", own, new Map([["agent", bytes]]))), `${at}: ${wrong}`).toThrow(
        "a number that is not finite or is beyond its bound",
      );
    }
  });
});
