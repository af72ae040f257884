import { between, checked, integer, oneOf, type Rule, type Rules, show } from "../../check/index.js";
import {
  checkedStorage,
  DEFAULTS as DQN_DEFAULTS,
  RULES as DQN_RULES,
  type DQNOptions,
  type ResolvedOptions,
  schedule,
} from "../options.js";
import type { Schedule } from "../schedule.js";

/** The bounds of an action's numbers, one of each for every number, [-1e6, 1e6]; low is below high. */
export interface ContinuousActions {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/**
 * Options of an agent with continuous actions. The defaults are TD3's (Fujimoto et al. 2018) where DQN has no such option,
 * and DQN's own else. DDPG (Lillicrap et al. 2016) is `{ twin: false, policyDelay: 1, targetNoise: 0 }`.
 */
export interface ContinuousOptions {
  /** Numbers in an observation, [1, 1048576]. */
  observation: number;
  /** Bounds of an action's numbers, 1 to 1024 of them. The agent sees each from -1 to 1, between its bounds. */
  continuous: ContinuousActions;
  /** Widths of the hidden layers of the actor and of each critic, 1 to 8 of [1, 16384]. Default [64, 64]. */
  hidden?: readonly number[];
  /** Of the hidden layers of all networks, as the option of DQN. Default `relu`. */
  activation?: DQNOptions["activation"] & {};
  /** Discount for each step, [0, 1]. Default 0.99. */
  gamma?: number;
  /** Adam's for the critics, (0, 1]; a schedule counts observed steps. Default 1e-3. */
  learningRate?: Schedule;
  /** Adam's for the actor, (0, 1]; a schedule counts observed steps. Default: `learningRate`. */
  actorLearningRate?: Schedule;
  /** Adam's decay of the first moment, [0, 1). Default 0.9. */
  beta1?: number;
  /** Adam's decay of the second moment, [0, 1). Default 0.999. */
  beta2?: number;
  /** Adam's, outside the root, [1e-12, 1]. Default 1e-8, as Kingma & Ba 2015. */
  adamEpsilon?: number;
  /** AdamW's, of actor and critics, [0, 1]. Default 0. */
  weightDecay?: number;
  /** Transitions in an update, [1, 65536]. Default 128. */
  batchSize?: number;
  /** Transitions that the replay holds, [1, 2^31 - 1]. Default 100000. */
  capacity?: number;
  /** How the replay keeps observations, as the option of DQN. Actions stay f32. Default `f32`. */
  storage?: DQNOptions["storage"] & {};
  /** Transitions that must be observed before `learn` does anything, [1, 2^31 - 1]. Default 1000. */
  learningStarts?: number;
  /** `train` learns after every this many steps, [1, 1e6]. Default 1. */
  trainEvery?: number;
  /** Updates that `train` then does, [1, 1e6]. Default 1. */
  gradientSteps?: number;
  /** Whether a second critic learns beside the first: targets take the smaller of the two. Default true. */
  twin?: boolean;
  /** Updates of the critics for one of the actor and one move of the target networks, [1, 1e6]. Default 2. */
  policyDelay?: number;
  /** How far the target networks then move, (0, 1]. Default 0.005. */
  tau?: number;
  /** Standard deviation of the noise on the actions of targets, of half an action's range, [0, 10]. Default 0.2. */
  targetNoise?: number;
  /** Bound of that noise, [0, 10]. Default 0.5. */
  targetNoiseClip?: number;
  /**
   * Standard deviation of the noise on actions, of half an action's range, [0, 10]; a schedule counts observed steps. Actions
   * with noise are held in their bounds. Default 0.1.
   */
  noise?: Schedule;
  /**
   * Correlation of the noise of two steps of an episode, [0, 0.99999]: above 0 it is an Ornstein-Uhlenbeck process, which
   * holds its direction for about 1 / (1 - noiseCorrelation) steps; its standard deviation stays `noise`. Default 0.
   */
  noiseCorrelation?: number;
  /** Steps at the start whose actions are drawn uniformly, [0, 2^31 - 1]. Default 1000. */
  randomSteps?: number;
  /** Of each hidden layer before its activation, of the actor and the critics. Default `none`. */
  normalization?: "none" | "layer";
  /** Of a TD error: `huber` has its kink at 1. Default `squared`. */
  loss?: "huber" | "squared";
  /** Global L2 norm to which the gradient of the critics, and that of the actor, is clipped, [1e-6, 1e6]; 0 does not clip. Default 0. */
  maxGradNorm?: number;
  /** Factor of every reward, [1e-12, 1e12]: it is learned from as `reward * rewardScale`, clipped by `rewardClip`. Default 1. */
  rewardScale?: number;
  /** Scaled rewards are clipped to [-rewardClip, rewardClip], [1e-6, 1e6]; 0 does not clip. Default 0. */
  rewardClip?: number;
  /** Whether observations are normalised by their running mean and deviation, as the option of DQN. Default false. */
  normalizeObservations?: boolean;
  /** Whether rewards are divided by the running deviation of their returns, as the option of DQN. Default false. */
  normalizeRewards?: boolean;
  /** Rewards that a target sums before it bootstraps, [1, 64]. Default 1. */
  nStep?: number;
  /** Sequences of episodes that are fed at once, each with n-step returns and noise of its own, [1, 65536]. Default 1. */
  environments?: number;
  /** Of everything that is random, [0, 2^53 - 1]. Default 0. */
  seed?: number;
}

/** Continuous options with all defaults in place. */
export type ResolvedContinuousOptions = Required<Omit<ContinuousOptions, "storage">> & Pick<ResolvedOptions, "storage">;

const ACTIONS_MAX = 1024;
const BOUND = between(-1e6, 1e6)[0];

/** @throws RangeError or TypeError for bounds that are none, by the name of what is wrong. */
export function checkedActions(given: unknown, name = "continuous"): ContinuousActions {
  const { low, high } = (given ?? {}) as Partial<ContinuousActions>;
  if (!Array.isArray(low) || !Array.isArray(high)) {
    throw new TypeError(`"${name}" must be { low, high }, two arrays of numbers, got ${show(given)}`);
  }
  const must = `1 to ${ACTIONS_MAX} numbers, as many as "${name}.high"`;
  if (low.length !== high.length || low.length < 1 || low.length > ACTIONS_MAX) {
    throw new RangeError(`"${name}.low" must hold ${must} (${high.length}), got ${low.length}`);
  }
  for (let i = 0; i < low.length; i++) {
    if (!BOUND(low[i])) throw new RangeError(`"${name}.low[${i}]" must be in [-1e6, 1e6], got ${show(low[i])}`);
    if (!BOUND(high[i]) || !(high[i] - low[i] >= 1e-6)) {
      const least = `at least 1e-6 above "${name}.low[${i}]" (${low[i]}), at most 1e6`;
      throw new RangeError(`"${name}.high[${i}]" must be ${least}, got ${show(high[i])}`);
    }
  }
  return { low: [...low], high: [...high] };
}

const actions: Rule = [(value) => typeof value === "object" && value !== null, "{ low, high }"];
const { observation, hidden, activation, gamma, learningRate, beta1, beta2, adamEpsilon, weightDecay, batchSize } =
  DQN_RULES;
const { capacity, storage, learningStarts, trainEvery, gradientSteps, tau, loss, maxGradNorm } = DQN_RULES;
const { rewardScale, rewardClip, nStep, environments, seed } = DQN_RULES;

export const RULES: Rules<ContinuousOptions> = {
  observation: [(value) => value !== 0 && observation[0](value), "an integer in [1, 1048576]"],
  continuous: actions,
  hidden,
  activation,
  gamma,
  learningRate,
  actorLearningRate: learningRate,
  beta1,
  beta2,
  adamEpsilon,
  weightDecay,
  batchSize,
  capacity,
  storage,
  learningStarts,
  trainEvery,
  gradientSteps,
  twin: DQN_RULES.dueling,
  policyDelay: integer(1, 1e6),
  tau,
  targetNoise: between(0, 10),
  targetNoiseClip: between(0, 10),
  noise: schedule(between(0, 10)),
  noiseCorrelation: between(0, 0.99999),
  randomSteps: integer(0, 2 ** 31 - 1),
  normalization: oneOf("none", "layer"),
  loss,
  maxGradNorm,
  rewardScale,
  rewardClip,
  normalizeObservations: DQN_RULES.normalizeObservations,
  normalizeRewards: DQN_RULES.normalizeRewards,
  nStep,
  environments,
  seed,
};

export const DEFAULTS: Partial<ContinuousOptions> = {
  hidden: DQN_DEFAULTS.hidden!,
  activation: "relu",
  gamma: 0.99,
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  adamEpsilon: 1e-8,
  weightDecay: 0,
  batchSize: 128,
  capacity: 100_000,
  storage: "f32",
  learningStarts: 1000,
  trainEvery: 1,
  gradientSteps: 1,
  twin: true,
  policyDelay: 2,
  tau: 0.005,
  targetNoise: 0.2,
  targetNoiseClip: 0.5,
  noise: 0.1,
  noiseCorrelation: 0,
  randomSteps: 1000,
  normalization: "none",
  loss: "squared",
  maxGradNorm: 0,
  rewardScale: 1,
  rewardClip: 0,
  normalizeObservations: false,
  normalizeRewards: false,
  nStep: 1,
  environments: 1,
  seed: 0,
};

/**
 * Checks the options of an agent and fills in the defaults.
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function resolveContinuous(given: ContinuousOptions): ResolvedContinuousOptions {
  const rate = given?.learningRate ?? DEFAULTS.learningRate!;
  const options = checked<ContinuousOptions>(given, RULES, { ...DEFAULTS, actorLearningRate: rate });
  const resolved = {
    ...options,
    continuous: checkedActions(options.continuous),
    storage: checkedStorage(options.storage!),
  } as ResolvedContinuousOptions;
  if (resolved.learningStarts > resolved.capacity) {
    const { learningStarts: starts, capacity: most } = resolved;
    throw new RangeError(`"learningStarts" must be at most "capacity" (${most}), got ${starts}`);
  }
  return resolved;
}
