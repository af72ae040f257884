/**
 * Agents that together use every option of DQN, in ways that change what they compute; a test holds them to that. They
 * are small, and their widths are no multiples of what the kernels take at once.
 */

import { RandomPolicy } from "../../src/baselines/random.js";
import { quantise } from "../../src/engine/compression/index.js";
import { sha256 } from "../../src/engine/snapshot/sha256.js";
import { DQN, type DQNOptions, type EngineOptions, type Environment } from "../../src/index.js";
import type { Policy } from "../../src/protocol/policy.js";
import { DAY } from "../../src/protocol/time.js";
import { coreFeatures, featureSizes } from "../../src/recommender/features/index.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { LiveEnvironment } from "../../src/simulator/environment.js";
import { simulatedEvents } from "../../src/simulator/platform.js";
import { Acrobot } from "../../src/training/environments/acrobot.js";
import { CartPole } from "../../src/training/environments/cartpole.js";
import { ChangingCandidates } from "../../src/training/environments/changingcandidates.js";
import { MaskedGrid } from "../../src/training/environments/maskedgrid.js";
import { MountainCar } from "../../src/training/environments/mountaincar.js";
import { everyGroup } from "../support/groups.js";
import { live, rowsOf } from "../support/live.js";

const CORE = featureSizes(coreFeatures());

/** An agent, and what it learns from: environments by `train`, or a made-up stream of everything it takes. */
export interface Case {
  name: string;
  options: DQNOptions;
  environments?: () => Environment[];
}

/** Ways to run that must not change a bit: each case is trained with each of them. */
export interface Variant {
  name: string;
  run: EngineOptions;
}

export const VARIANTS: Variant[] = [
  { name: "rolled", run: { kernels: "rolled" } },
  { name: "unrolled", run: { kernels: "unrolled" } },
  { name: "2 threads", run: { threads: 2 } },
];

const COMMON = { batchSize: 9, capacity: 150, learningStarts: 20 } satisfies Partial<DQNOptions>;

const STREAMS: Case[] = [
  { name: "defaults", options: { observation: 5, actions: 3, learningStarts: 64 } },
  {
    name: "everything, fixed actions",
    options: {
      ...COMMON,
      observation: 5,
      sparse: { slots: 2, size: 9 },
      actions: 6,
      masked: true,
      hidden: [20, 13],
      dueling: true,
      quantiles: 3,
      noisySigma: 0.5,
      dropout: 0.2,
      weightDecay: 0.01,
      cqlAlpha: 0.1,
      nStep: 3,
      environments: 2,
      priorityExponent: 0.6,
      importanceExponent: { type: "linear", from: 0.4, to: 1, steps: 250 },
      learningRate: { type: "cosine", from: 3e-3, to: 1e-4, steps: 280 },
      epsilon: { type: "exponential", from: 1, to: 0.05, halfLife: 60 },
      seed: 3,
    },
  },
  {
    name: "everything, candidates",
    options: {
      ...COMMON,
      observation: 5,
      sparse: { slots: 3, size: 11 },
      candidates: { max: 12, features: 4, next: 7, sparse: { slots: 1, size: 8 } },
      hidden: [20, 13],
      dueling: true,
      quantiles: 5,
      munchausen: { alpha: 0.7, temperature: 0.1, clip: -2 },
      noisySigma: 0.3,
      dropout: 0.1,
      weightDecay: 1e-3,
      cqlAlpha: 0.5,
      nStep: 4,
      environments: 3,
      priorityExponent: 0.5,
      seed: 2 ** 40 + 5,
    },
  },
  {
    name: "slates",
    options: {
      ...COMMON,
      observation: 5,
      candidates: { max: 12, features: 4, next: 7, sparse: { slots: 1, size: 8 } },
      slate: { size: 3, choiceWeight: 0.6 },
      hidden: [20, 13],
      quantiles: 3,
      noisySigma: 0.2,
      cqlAlpha: 0.3,
      nStep: 2,
      priorityExponent: 0.5,
      seed: 17,
    },
  },
  {
    name: "clone",
    options: { ...COMMON, observation: 5, actions: 3, clone: { updates: 25, alpha: 2 }, cqlAlpha: 0.1, seed: 19 },
  },
  {
    name: "moved inputs, units that stay",
    options: {
      ...COMMON,
      observation: 4,
      candidates: { max: 9, features: 3, next: 5 },
      hidden: [13, 11],
      normalization: "none",
      frozenUnits: 5,
      adversarialEpsilon: 0.03,
      seed: 29,
    },
  },
  {
    name: "tanh, softmax, running normalisation",
    options: {
      ...COMMON,
      observation: 5,
      actions: 4,
      masked: true,
      hidden: [20, 13],
      activation: "tanh",
      temperature: { type: "linear", from: 2, to: 0.1, steps: 200 },
      normalizeObservations: true,
      normalizeRewards: true,
      seed: 31,
    },
  },
  {
    name: "GELU, candidates",
    options: {
      ...COMMON,
      observation: 5,
      candidates: { max: 12, features: 4, next: 7 },
      hidden: [20, 13],
      activation: "gelu",
      temperature: 0.3,
      dueling: true,
      seed: 32,
    },
  },
  {
    name: "linear",
    options: {
      ...COMMON,
      observation: 5,
      actions: 3,
      hidden: [9],
      activation: "linear",
      normalization: "batch",
      seed: 33,
    },
  },
  {
    name: "parts",
    options: {
      ...COMMON,
      observation: 5,
      candidates: { max: 12, features: 4, next: 7 },
      slate: { size: 3, parts: 2 },
      hidden: [20, 13],
      quantiles: 2,
      cqlAlpha: 0.2,
      nStep: 2,
      priorityExponent: 0.5,
      seed: 18,
    },
  },
  {
    name: "DQN of 2015",
    options: {
      ...COMMON,
      observation: 7,
      actions: 4,
      hidden: [31],
      gamma: 0.9,
      learningRate: 2.5e-4,
      beta1: 0.8,
      beta2: 0.99,
      adamEpsilon: 1e-8,
      targetEvery: 25,
      tau: 1,
      epsilon: { type: "piecewise", points: [[20, 0.9], [120, 0.2], [250, 0]] }, // biome-ignore format: one line
      double: false,
      normalization: "none",
      loss: "huber",
      maxGradNorm: 0.1,
      rewardScale: 3.7,
      rewardClip: 2.5,
    },
  },
  {
    name: "batch norm, Munchausen, masks",
    options: {
      ...COMMON,
      observation: 3,
      actions: 5,
      masked: true,
      hidden: [17, 9, 5],
      munchausen: {},
      normalization: "batch",
      priorityExponent: 0.7,
      importanceExponent: 0.6,
      seed: 5,
    },
  },
  {
    name: "halves",
    options: {
      ...COMMON,
      observation: 21,
      actions: 5,
      masked: true,
      storage: "f16",
      nStep: 2,
      dueling: true,
      seed: 13,
    },
  },
  {
    name: "bytes, candidates",
    options: {
      ...COMMON,
      observation: 9,
      candidates: { max: 12, features: 7, next: 6 },
      storage: { type: "u8", low: -2, high: 2 },
      seed: 14,
    },
  },
  {
    name: "wide, fixed actions",
    options: {
      ...COMMON,
      observation: 131,
      actions: 67,
      hidden: [259, 65],
      batchSize: 37,
      learningRate: { type: "linear", from: 1e-2, to: 1e-3, steps: 200 },
      maxGradNorm: 0,
      seed: 6,
    },
  },
  {
    name: "wide, candidates without dense numbers",
    options: {
      ...COMMON,
      observation: 0,
      sparse: { slots: 6, size: 300 },
      candidates: { max: 40, features: 0, next: 12, sparse: { slots: 5, size: 200 } },
      hidden: [130],
      dueling: true,
      batchSize: 33,
      learningRate: { type: "exponential", from: 1e-2, to: 1e-4, halfLife: 50 },
      epsilon: { type: "cosine", from: 1, to: 0, steps: 200 },
      tau: 0.005,
      seed: 7,
    },
  },
];

const TRAININGS: Case[] = [
  {
    name: "CartPole, trained",
    options: {
      ...COMMON,
      observation: 4,
      actions: 2,
      trainEvery: 4,
      gradientSteps: 3,
      nStep: 3,
      environments: 2,
      priorityExponent: 0.6,
      epsilon: { type: "linear", from: 1, to: 0.1, steps: 200 },
      seed: 8,
    },
    environments: () => [new CartPole(), new CartPole()],
  },
  {
    name: "Acrobot, trained",
    options: { ...COMMON, observation: 6, actions: 3, quantiles: 8, hidden: [24], epsilon: 0.3, seed: 9 },
    environments: () => [new Acrobot()],
  },
  {
    name: "MountainCar, trained",
    options: { ...COMMON, observation: 2, actions: 3, noisySigma: 0.5, epsilon: 0, hidden: [24], seed: 10 },
    environments: () => [new MountainCar()],
  },
  {
    name: "MaskedGrid, trained",
    options: {
      ...COMMON,
      observation: new MaskedGrid().observationSize,
      actions: new MaskedGrid().actions,
      masked: true,
      munchausen: { temperature: 0.05 },
      normalization: "batch",
      seed: 11,
    },
    environments: () => [new MaskedGrid()],
  },
  {
    name: "Offers, trained",
    options: {
      ...COMMON,
      observation: new ChangingCandidates().observationSize,
      candidates: { max: 6, features: new ChangingCandidates().features },
      gamma: 0.8,
      cqlAlpha: 0.2,
      dueling: true,
      seed: 12,
    },
    environments: () => [new ChangingCandidates()],
  },
  {
    // The simulated platform, the features of its log and what is learned of them: a bit of any of these shows.
    name: "LiveEnvironment, trained",
    options: {
      ...COMMON,
      observation: CORE.observation,
      candidates: { max: 16, features: CORE.candidate },
      gamma: 0.8,
      epsilon: 0.3,
      seed: 15,
    },
    environments: () => [new LiveEnvironment({ streamers: 40, days: 7, maxCandidates: 16, features: coreFeatures() })],
  },
];

const RECOMMENDER = { instance: "", seed: 1, warmupUpdates: 20, learner: { learningStarts: 20 } };

/** Days of the logs: one hash after each. */
const DAYS = 3;

/** The log of a platform that a policy serves, event by event, as a file of JSON lines would have it. */
function logged(policy: Policy): string[] {
  const encoder = new TextEncoder();
  const hashes: string[] = [];
  let text = "";
  const day = () => hashes.push(sha256(encoder.encode(text)));
  for (const event of simulatedEvents(policy, { viewers: 12, streamers: 30, days: DAYS, slate: 4, seed: 16 })) {
    while (event.time >= (hashes.length + 1) * DAY) day();
    text += `${JSON.stringify(event)}\n`;
  }
  while (hashes.length < DAYS) day();
  return hashes;
}

/** Digests of an int8 agent's file and of its values in made-up states, for agents that together use all of its kernels. */
function rounded(): string[] {
  const shapes: DQNOptions[] = [
    { observation: 5, sparse: { slots: 2, size: 9 }, actions: 6, hidden: [20, 13], dueling: true, quantiles: 3 },
    { observation: 5, candidates: { max: 12, features: 4, next: 7, sparse: { slots: 1, size: 8 } }, hidden: [40, 13] },
    { observation: 5, candidates: { max: 12, features: 4, next: 7 }, slate: { size: 3 }, normalization: "none" },
    { observation: 600, actions: 21, hidden: [35] },
  ];
  return shapes.flatMap((shape) => {
    const agent = new DQN({ ...COMMON, ...shape, seed: 21 });
    live(agent, 60);
    const { observation, sparse, candidates } = agent.options;
    const states = Array.from({ length: 30 }, (_, i) => ({
      observation: rowsOf(observation, sparse, 1, i),
      ...(candidates && { available: rowsOf(candidates.features, candidates.sparse, 1 + (i % 12), i) }),
    }));
    const small = quantise(agent, states);
    const values = states.flatMap((state) => [...small.evaluate(state.observation, state.available)]);
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    return [sha256(small.save()), sha256(bytes)];
  });
}

/** Runs of int8, the recommender and the platform, which no choice of kernels or threads concerns. */
export const LOGS: { name: string; hashes: () => string[] }[] = [
  { name: "int8", hashes: rounded },
  { name: "log of a platform, random", hashes: () => logged(new RandomPolicy(1, "")) },
  {
    name: "log of a platform, Recommender",
    hashes: () => logged(new Recommender({ ...RECOMMENDER, features: coreFeatures() })),
  },
  {
    name: "log of a platform, Recommender with all groups of features",
    hashes: () => logged(new Recommender({ ...RECOMMENDER, features: everyGroup() })),
  },
];

export const CASES: Case[] = [...STREAMS, ...TRAININGS];
