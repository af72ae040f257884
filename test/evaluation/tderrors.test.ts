import { describe, expect, test } from "vitest";
import { RandomPolicy } from "../../src/baselines/index.js";
import { DQN, type Transition } from "../../src/engine/dqn.js";
import { ExaminedAgent, tdError, tdErrors } from "../../src/evaluation/index.js";
import { Random } from "../../src/numeric/random.js";
import { type Decision, type LiveEvent, Recommender } from "../../src/recommender/index.js";
import type { SlateTransition } from "../../src/recommender/learning/index.js";
import { simulate } from "../../src/simulator/index.js";
import { greedySlate, mixture } from "../reference/dqn.js";

/** A network in plain numbers, layer by layer. */
function forward(agent: DQN, input: number[]): number[] {
  return agent.weights().reduce((x, { weight, bias, inputs, outputs }, layer) => {
    return Array.from({ length: outputs }, (_, o) => {
      const sum = bias[o]! + x.reduce((total, value, i) => total + weight[o * inputs + i]! * value, 0);
      return layer === 0 ? Math.max(0, sum) : sum;
    });
  }, input);
}

const HIDDEN = { hidden: [5], normalization: "none" } as const;
const FIXED = { ...HIDDEN, observation: 2, actions: 3, masked: true, gamma: 0.8, seed: 1 };
const CHANGING = { ...HIDDEN, observation: 2, candidates: { max: 4, features: 2 }, gamma: 0.8, seed: 1 };

/** An agent whose weights are drawn anew: a fresh one's head is too near to 0 for a test. */
function drawn(options: ConstructorParameters<typeof DQN>[0], seed: number): DQN {
  const agent = new DQN(options);
  const random = Random.named(seed, "weights");
  const layers = agent.weights();
  for (const { weight, bias } of layers) {
    for (const part of [weight, bias]) for (let i = 0; i < part.length; i++) part[i] = random.normal();
  }
  agent.setWeights(layers);
  return agent;
}

const numbers = (random: Random, n: number) => Array.from({ length: n }, () => Math.fround(random.normal()));

describe("TD errors of held-out transitions", () => {
  test.each([true, false])("over a fixed set with masks are those of a twin by hand; double %s", (double) => {
    const agent = drawn({ ...FIXED, double, rewardScale: 0.5, rewardClip: 0.7 }, 1);
    const judge = drawn({ ...FIXED, double }, 2);
    const random = Random.named(1, "transitions");
    const transitions = Array.from(
      { length: 60 },
      (_, i): Transition => ({
        observation: numbers(random, 2),
        action: random.below(3),
        reward: 3 * random.normal(),
        terminated: i % 5 === 0,
        nextObservation: numbers(random, 2),
        ...(i % 2 === 0 && { nextMask: i % 12 === 0 ? [0, 0, 0] : [1, 0, 1] }),
        // What n steps are summed in.
        ...(i % 3 === 0 && { discount: 0.8 ** 3 }),
      }),
    );
    const twin = transitions.map(({ observation, action, reward, terminated, nextObservation, nextMask, discount }) => {
      const best = forward(double ? agent : judge, nextObservation as number[]);
      const worth = forward(judge, nextObservation as number[]);
      const open = [0, 1, 2].filter((a) => nextMask === undefined || nextMask[a] !== 0);
      const top = open.reduce<number | undefined>(
        (b, a) => (b === undefined || best[a]! > best[b]! ? a : b),
        undefined,
      );
      const next = terminated || top === undefined ? 0 : (discount ?? 0.8) * worth[top]!;
      return Math.max(-0.7, Math.min(0.7, 0.5 * reward)) + next - forward(agent, observation as number[])[action!]!;
    });
    const errors = tdErrors(agent, transitions, judge);
    for (const [i, error] of twin.entries()) expect(errors[i], `transition ${i}`).toBeCloseTo(error, 4);
  });

  test.each([
    ["masks", FIXED],
    ["candidates", CHANGING],
  ])("many at once have the bits that each has alone: %s", (_, options) => {
    const agent = drawn(options, 1);
    const judge = drawn(options, 2);
    const random = Random.named(3, "transitions");
    const transitions = Array.from({ length: 1500 }, (__, i): Transition => {
      const state = { observation: numbers(random, 2), nextObservation: numbers(random, 2) };
      const step = { ...state, reward: random.normal(), terminated: i % 5 === 0 };
      if (options === FIXED)
        return { ...step, action: i % 3, ...(i % 2 === 0 && { nextMask: [1, 0, Number(i % 4 > 0)] }) };
      const next = { ...step, nextCandidates: numbers(random, 2 * (i % 4)) };
      const rows = numbers(random, 4);
      return i % 3 === 0 ? { ...next, candidate: rows.slice(2) } : { ...next, candidates: rows, action: 1 };
    });
    for (const target of [agent, judge]) {
      const singly = transitions.map((transition) => tdError(agent, transition, target));
      expect(Array.from(tdErrors(agent, transitions, target))).toEqual(singly);
    }
    const wrong = { ...transitions[1]!, observation: [Number.NaN, 0] };
    expect(() => tdErrors(agent, [transitions[0]!, wrong])).toThrow(/^"observation\[0\]" must be in/);
  });

  test("over candidates are those of a twin by hand, given as one or among others, with none next", () => {
    const agent = drawn(CHANGING, 3);
    const random = Random.named(2, "transitions");
    const value = (observation: number[], row: number[]) => forward(agent, [...observation, ...row])[0]!;
    for (let i = 0; i < 40; i++) {
      const [observation, nextObservation] = [numbers(random, 2), numbers(random, 2)];
      const rows = [numbers(random, 2), numbers(random, 2)];
      const next = Array.from({ length: i % 4 }, () => numbers(random, 2));
      const given = i % 2 === 0 ? { candidate: rows[1]! } : { candidates: rows.flat(), action: 1 };
      const transition = {
        observation,
        nextObservation,
        ...given,
        reward: i,
        terminated: false,
        nextCandidates: next.flat(),
      };
      const best = next.length === 0 ? 0 : Math.max(...next.map((row) => value(nextObservation, row)));
      expect(tdError(agent, transition)).toBeCloseTo(i + 0.8 * best - value(observation, rows[1]!), 4);
    }
  });

  test.each([true, false])(
    "of slates are those of a twin by hand, with nothing entered or next; double %s",
    (double) => {
      const options = { ...CHANGING, slate: { size: 3 }, double };
      const [agent, judge] = [drawn(options, 4), drawn(options, 5)];
      const random = Random.named(3, "transitions");
      const offer = (network: DQN, observation: number[], rows: number[][]) => {
        const outputs = [[0, 0], ...rows].map((row) => forward(network, [...observation, ...row]));
        return { q: outputs.map(([q]) => q!), v: outputs.map(([, u], i) => (i === 0 ? 1 : Math.exp(u!))) };
      };
      for (let i = 0; i < 80; i++) {
        const [observation, nextObservation] = [numbers(random, 2), numbers(random, 2)];
        const rows = Array.from({ length: i % 5 }, () => numbers(random, 2));
        const next = Array.from({ length: random.below(5) }, () => numbers(random, 2));
        const action = random.below(rows.length + 1) - 1;
        const nextSlate = i % 3 === 0 ? undefined : random.below(4);
        const transition: Transition = {
          ...{ observation, candidates: rows.flat(), action, reward: i, terminated: i % 7 === 6, nextObservation },
          ...{ nextCandidates: next.flat(), ...(nextSlate !== undefined && { nextSlate }) },
        };
        const [by, of] = [double ? agent : judge, judge].map((network) => offer(network, nextObservation, next));
        const slate = greedySlate(by!.q, by!.v, nextSlate ?? 3);
        const [value] = mixture(
          of!.q.map((q) => [q]),
          of!.v,
          slate,
        );
        const chosen = offer(agent, observation, rows).q[action + 1]!;
        const expected = i + (transition.terminated ? 0 : 0.8 * value!) - chosen;
        expect(tdError(agent, transition, judge), `transition ${i}`).toBeCloseTo(expected, 4);
      }
    },
  );

  test("fall while the agent learns the tested transitions, and stay while it learns others", () => {
    const chain = (n: number, seed: number): Transition[] => {
      const random = Random.named(seed, "chain");
      return Array.from({ length: n }, () => {
        const at = random.uniform();
        const action = random.below(2);
        const observation = [at, 1];
        return {
          observation,
          action,
          reward: action === 0 ? at : 1 - at,
          terminated: true,
          nextObservation: observation,
        };
      });
    };
    const agent = new DQN({ ...HIDDEN, observation: 2, actions: 2, learningStarts: 100, seed: 1, learningRate: 1e-2 });
    const held = chain(200, 2);
    const meanSquare = (errors: Float64Array) => errors.reduce((sum, x) => sum + x * x, 0) / errors.length;
    const before = meanSquare(tdErrors(agent, held));
    for (const transition of chain(500, 1)) agent.observe(transition);
    agent.learn(1500);
    const weights = agent.weights();
    expect(meanSquare(tdErrors(agent, held))).toBeLessThan(0.02 * before);
    expect(agent.weights()).toEqual(weights);
  });

  test("with the agent on both sides are small for an untrained agent: only returns show it", () => {
    const silent = new DQN(FIXED);
    silent.setWeights(
      silent.weights().map((layer) => ({ ...layer, weight: layer.weight.fill(0), bias: layer.bias.fill(0) })),
    );
    const transition = { observation: [1, 1], action: 0, reward: 0, terminated: false, nextObservation: [1, 1] };
    expect(tdError(silent, transition)).toBe(0);
    expect(Math.abs(tdError(silent, transition, drawn(FIXED, 1)))).toBeGreaterThan(0.01);
  });

  test("refuse an invalid transition", () => {
    const agent = new DQN(FIXED);
    const good = { observation: [1, 1], action: 0, reward: 0, terminated: false, nextObservation: [1, 1] };
    expect(() => tdError(agent, { ...good, action: 3 })).toThrow('"action" must be an integer in [0, 2], got 3');
    expect(() => tdError(agent, { ...good, reward: Number.NaN })).toThrow('"reward" must be a finite number, got NaN');
    expect(() => tdError(agent, { ...good, discount: 2 })).toThrow('"discount" must be in [0, 1], got 2');
    expect(() => tdError(agent, { ...good, observation: [1] })).toThrow('"observation"');
    const slates = new DQN({ ...CHANGING, slate: { size: 2 } });
    const shown = { ...good, candidates: [1, 0, 0, 1], action: -1 };
    expect(() => tdError(slates, { ...shown, action: 2 })).toThrow('"action" must be an integer in [-1, 1], got 2');
    expect(() => tdError(slates, { ...shown, action: 1, shown: 1 })).toThrow('"action" must be an integer in [-1, 0]');
    expect(() => tdError(slates, { ...shown, nextSlate: 3 })).toThrow(
      '"nextSlate" must be an integer in [0, 2], got 3',
    );
    const valuesOnly = { evaluate: slates.evaluate.bind(slates) };
    expect(() => tdError(slates, shown, valuesOnly)).toThrow('"targetNetwork" must have "choices" and "nothing"');
  });
});

test("a recommender with an examined agent measures a held-out log, and learns nothing", () => {
  const log: (LiveEvent | Decision)[] = [];
  const hooks = { onDecision: (one: Decision) => log.push(one), onEvent: (one: LiveEvent) => log.push(one) };
  simulate(new RandomPolicy(1), { viewers: 80, streamers: 60, days: 2, seed: 1 }, hooks);
  const half = log[log.length >> 1]!.time;
  const teach = (recommender: Recommender, entries: typeof log) => {
    for (const entry of entries) {
      if ("kind" in entry) recommender.feedback(entry);
      else recommender.recordDecision(entry);
    }
  };
  const learner = { learningStarts: 50, capacity: 2000, batchSize: 16 };
  const recommender = new Recommender({ seed: 1, warmupUpdates: 10, learner });
  teach(
    recommender,
    log.filter(({ time }) => time < half),
  );
  const file = recommender.save();
  const seen: SlateTransition[] = [];
  let agent: Uint8Array | undefined;
  let examined: ExaminedAgent | undefined;
  const loadAgent = (bytes: Uint8Array) => {
    agent = bytes;
    examined = new ExaminedAgent(DQN.load(bytes));
    const { observe } = examined;
    examined.observe = (transition) => {
      seen.push(structuredClone(transition));
      observe.call(examined, transition);
    };
    return examined;
  };
  const follower = Recommender.load(file, { loadAgent });
  teach(
    follower,
    log.filter(({ time }) => time >= half),
  );
  expect(follower.stats().updates).toBe(recommender.stats().updates);
  const figures = Object.fromEntries(examined!.figures({ resamples: 100 }).map((figure) => [figure.metric, figure]));
  expect(seen.length).toBeGreaterThan(100);
  const valuer = DQN.load(agent!);
  const errors = tdErrors(valuer, seen);
  const mean = (values: Iterable<number>) => [...values].reduce((sum, x) => sum + x, 0) / seen.length;
  expect(figures["td_error_squared"]!.value).toBeCloseTo(mean(errors.map((x) => x * x)), 8);
  expect(figures["td_error_mean"]!.value).toBeCloseTo(mean(errors), 8);
  expect(figures["reward_mean"]!.value).toBeCloseTo(mean(seen.map(({ reward }) => reward)), 8);
  const values = seen.map(({ observation, candidates, action }) => {
    const all = valuer.evaluate(observation, candidates);
    return action < 0 ? valuer.nothing : all[action]!;
  });
  expect(new Set(seen.map(({ action }) => action < 0))).toEqual(new Set([true, false]));
  expect(figures["q_mean"]!.value).toBeCloseTo(mean(values), 6);
  expect(figures["td_error_squared"]!.n).toBe(seen.length);
  // By user: transitions of one are not independent.
  expect(new Set(seen.map(({ user }) => user)).size).toBeGreaterThan(20);
  expect(figures["td_error_squared"]!.lo).toBeLessThan(figures["td_error_squared"]!.value);
});
