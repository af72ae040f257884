/**
 * The recipes of `npm run bench:learning`: one an environment, found on other seeds than those that are reported.
 */
import type { ContinuousOptions } from "../../src/engine/continuous/index.js";
import type { EnsembleOptions } from "../../src/engine/ensemble/index.js";
import {
  Acrobot,
  CartPole,
  type ContinuousEnvironment,
  type DQNOptions,
  type Environment,
  MountainCar,
  MountainCarContinuous,
  Pendulum,
} from "../../src/index.js";
import type { AgentOptions } from "./suite.js";

/** How an agent is trained and chosen in one environment. */
export interface Recipe {
  /** Environment steps at most. */
  steps: number;
  /** (observation), factors of the observations, before `shift` is added. Default: 1. */
  scale?: readonly number[];
  /** (observation), default 0. */
  shift?: readonly number[];
  options: AgentOptions;
  /** Greedy episodes by which training stops and the weights are chosen. */
  evaluation: { every: number; episodes: number; stopAt?: number; patience?: number };
}

/** An environment, its recipe and what counts as solving it. */
export interface Control {
  make: () => Environment;
  /** Gymnasium's threshold of the mean return. */
  solved: number;
  recipe: Recipe;
}

function linear(from: number, to: number, steps: number): { type: "linear"; from: number; to: number; steps: number } {
  return { type: "linear", from, to, steps };
}

/** Where recipes differ from the defaults, unless they name another value. */
const PLAIN = { normalization: "none", adamEpsilon: 1e-8 } satisfies AgentOptions;

export const CONTROL: Readonly<Record<string, Control>> = {
  "MountainCar-v0": {
    make: () => new MountainCar(),
    solved: -110,
    // Without layer normalisation one seed in 20 stayed at -200, whatever else was tried.
    recipe: {
      steps: 120_000,
      scale: [1 / 0.9, 1 / 0.07],
      shift: [1 / 3, 0],
      options: {
        hidden: [256, 32],
        normalization: "layer",
        adamEpsilon: 1e-8,
        gamma: 0.99,
        loss: "squared",
        learningRate: linear(1e-3, 1e-4, 120_000),
        batchSize: 64,
        capacity: 120_000,
        learningStarts: 500,
        trainEvery: 2,
        targetEvery: 200,
        tau: 1,
        nStep: 5,
        priorityExponent: 0.6,
        epsilon: linear(0.3, 0.02, 10_000),
      },
      evaluation: { every: 2500, episodes: 150, stopAt: -100 },
    },
  },
  "Acrobot-v1": {
    make: () => new Acrobot(),
    solved: -100,
    // Without layer normalisation the seeds of the search came to about -76, with Adam's usual epsilon to -76.5.
    recipe: {
      steps: 100_000,
      options: {
        hidden: [64, 64],
        normalization: "layer",
        gamma: 0.995,
        loss: "squared",
        learningRate: linear(2e-3, 3e-4, 100_000),
        adamEpsilon: 1.5e-4,
        batchSize: 64,
        capacity: 100_000,
        learningStarts: 1000,
        trainEvery: 1,
        targetEvery: 1,
        tau: 0.005,
        priorityExponent: 0.6,
        epsilon: linear(1, 0.1, 10_000),
      },
      evaluation: { every: 1000, episodes: 200 },
    },
  },
  "CartPole-v1": {
    make: () => new CartPole(),
    solved: 475,
    recipe: {
      steps: 50_000,
      options: {
        ...PLAIN,
        hidden: [64, 64],
        loss: "squared",
        learningRate: linear(2e-3, 1e-4, 50_000),
        batchSize: 64,
        capacity: 50_000,
        learningStarts: 1000,
        trainEvery: 1,
        targetEvery: 1,
        tau: 0.01,
        epsilon: linear(1, 0.04, 8000),
      },
      // A perfect agent must be perfect on other episodes too: many are played before it is believed.
      evaluation: { every: 1000, episodes: 200, stopAt: 500 },
    },
  },
};

/** An environment with continuous actions, and how an agent is trained and chosen in it. */
export interface ContinuousControl {
  make: () => ContinuousEnvironment;
  recipe: {
    /** Environment steps at most: the budget of RL Baselines3 Zoo's TD3. */
    steps: number;
    options: Partial<Omit<ContinuousOptions, "observation" | "continuous" | "seed">>;
    evaluation: Recipe["evaluation"];
  };
}

export const CONTINUOUS_CONTROL: Readonly<Record<string, ContinuousControl>> = {
  "MountainCarContinuous-v0": {
    make: () => new MountainCarContinuous(),
    recipe: {
      steps: 300_000,
      // Noise that holds its direction swings the car up; white noise has never reached the goal.
      options: {
        learningRate: linear(1e-3, 1e-4, 60_000),
        noise: 0.6,
        noiseCorrelation: 0.98,
        randomSteps: 0,
        capacity: 300_000,
      },
      evaluation: { every: 2500, episodes: 50, stopAt: 94, patience: 40 },
    },
  },
  "Pendulum-v1": {
    make: () => new Pendulum(),
    // Without layer normalisation one seed in five came to -153 or less; 50 episodes choose weights by their luck.
    recipe: {
      steps: 20_000,
      options: { gamma: 0.98, normalization: "layer" },
      evaluation: { every: 1000, episodes: 200 },
    },
  },
};

const CANDIDATE = {
  ...PLAIN,
  hidden: [64, 64],
  learningRate: 1e-3,
  batchSize: 64,
  capacity: 50_000,
  learningStarts: 1000,
  trainEvery: 1,
  targetEvery: 1,
  tau: 0.005,
  loss: "squared",
  epsilon: linear(1, 0.05, 10_000),
} satisfies AgentOptions;

const NORMALISED = { ...CANDIDATE, tau: 0.01, normalization: "layer", adamEpsilon: 1.5e-4 } satisfies AgentOptions;

/** Options that might be the defaults; test/engine/options.test.ts holds the defaults to the one that won, `layer-norm-small`. */
export const VARIANTS: Readonly<Record<string, AgentOptions>> = {
  cleanrl: {
    ...PLAIN,
    hidden: [120, 84],
    learningRate: 2.5e-4,
    batchSize: 32,
    capacity: 10_000,
    learningStarts: 1000,
    trainEvery: 4,
    targetEvery: 250,
    tau: 1,
    loss: "huber",
    epsilon: linear(1, 0.05, 10_000),
  },
  plain: CANDIDATE,
  "plain-faster": { ...CANDIDATE, tau: 0.01 },
  "layer-norm": NORMALISED,
  "layer-norm-small": { ...NORMALISED, capacity: 10_000 },
};

/** Probes: five tiny environments whose values are known. */
export const PROBE_RECIPE = {
  steps: 2500,
  options: {
    ...PLAIN,
    hidden: [16],
    learningRate: linear(1e-2, 1e-4, 2500),
    batchSize: 32,
    capacity: 2500,
    learningStarts: 64,
    trainEvery: 1,
    targetEvery: 25,
    tau: 1,
    loss: "huber",
    epsilon: 1,
    double: false,
  } satisfies AgentOptions,
};

/** The constants of Munchausen's targets: those of Vieillard et al. 2020. */
export const MUNCHAUSEN = { alpha: 0.9, temperature: 0.03, clip: -1 } as const;

const PRIORITIES = { priorityExponent: 0.6, importanceExponent: 1 } satisfies AgentOptions;

/** The options that each probe case adds to the recipe. */
export const PROBE_OPTIONS: Readonly<Record<string, object>> = {
  plain: {},
  double: { double: true },
  priorities: PRIORITIES,
  "n-step": { nStep: 3 },
  dueling: { dueling: true },
  quantiles: { quantiles: 25 },
  munchausen: { munchausen: MUNCHAUSEN },
  noisy: { noisySigma: 0.5 },
  all: { double: true, ...PRIORITIES, nStep: 3, dueling: true, quantiles: 25, noisySigma: 0.5 },
};

/** Offers: candidates that change at every step. */
export const OFFERS_RECIPE = {
  steps: 8000,
  options: {
    ...PLAIN,
    hidden: [32, 32],
    learningRate: linear(2e-3, 1e-4, 8000),
    batchSize: 64,
    capacity: 8000,
    learningStarts: 200,
    trainEvery: 2,
    targetEvery: 50,
    tau: 1,
    loss: "huber",
    epsilon: linear(1, 0.2, 4000),
  } satisfies AgentOptions,
};

/** Learning from logs alone: CartPole, kept up by a poor policy that pushes to the side to which the pole turns. */
export interface OfflineRecipe {
  /** Steps in the logs. */
  logged: number;
  /** How often the logging policy draws its action instead. */
  randomness: number;
  updates: number;
  cqlAlpha: number;
  options: AgentOptions;
}

const OFFLINE: Omit<OfflineRecipe, "randomness"> = {
  logged: 20_000,
  updates: 10_000,
  cqlAlpha: 1,
  options: {
    ...PLAIN,
    hidden: [64, 64],
    loss: "squared",
    learningRate: 5e-4,
    batchSize: 64,
    capacity: 20_000,
    learningStarts: 1000,
    targetEvery: 200,
    tau: 1,
  },
};

/** Logs that try everything, and logs that hardly try anything but the policy's own actions. */
export const OFFLINE_RECIPES: Readonly<Record<string, OfflineRecipe>> = {
  cql: { ...OFFLINE, randomness: 0.5 },
  "cql-narrow": { ...OFFLINE, randomness: 0.1 },
};

/** Fitted Q iteration on the same logs: trees for each action, samples of a leaf at most, and iterations. */
export const TREES_RECIPE = { trees: 20, leaf: 5, iterations: 50, gamma: 0.99 };

/** Options put together; an engine that is older than this file refuses those that it does not know, by name. */
export function merged(...parts: object[]): DQNOptions {
  return Object.assign({}, ...parts) as DQNOptions;
}

/** How an agent explores the chain: options of its own, and those of an ensemble, if it is one. */
interface ChainArm extends AgentOptions {
  ensemble?: Partial<EnsembleOptions>;
}

/** The chain of deep exploration: Thompson sampling beside epsilon-greedy, all else the same. */
export const CHAIN_RECIPE = {
  states: 20,
  episodes: 1000,
  /** After each step. */
  updates: 1,
  options: {
    ...PLAIN,
    hidden: [64],
    gamma: 0.99,
    learningRate: 3e-3,
    batchSize: 32,
    capacity: 20_000,
    learningStarts: 100,
    tau: 0.05,
  } satisfies AgentOptions,
  arms: {
    epsilon: { epsilon: linear(1, 0.05, 5000) },
    thompson: { ensemble: { members: 5, priorScale: 30 } },
  } satisfies Record<string, ChainArm> as Record<"epsilon" | "thompson", ChainArm>,
};
