import { HALF_MAX, INPUT_MAX, MAX_HIDDEN, MAX_PARTS } from "../../assembly/abi.js";
import {
  above,
  between,
  boolean,
  bounded,
  checked,
  integer,
  nonNegative,
  oneOf,
  positive,
  type Rule,
  type Rules,
  zeroOr,
} from "../check/index.js";
import type { Schedule } from "./schedule.js";

/** By type of ramp, the field that sets its pace. */
const PACE: Readonly<Record<string, string>> = { linear: "steps", cosine: "steps", exponential: "halfLife" };

function isRamp(value: Record<string, unknown>, holds: Rule[0]): boolean {
  const { type, from, to, ...rest } = value;
  const others = Object.keys(rest);
  const pace = Object.hasOwn(PACE, String(type)) ? PACE[String(type)]! : "";
  return holds(from) && holds(to) && others.length === 1 && others[0] === pace && positive[0](rest[pace]);
}

function isPiecewise(value: Record<string, unknown>, holds: Rule[0]): boolean {
  const { type, points, ...rest } = value;
  if (type !== "piecewise" || Object.keys(rest).length > 0 || !Array.isArray(points) || points.length < 1) return false;
  return points.every((point, i) => {
    if (!Array.isArray(point) || point.length !== 2 || !nonNegative[0](point[0]) || !holds(point[1])) return false;
    return i === 0 || point[0] > points[i - 1][0];
  });
}

/** A constant that obeys a rule, or a schedule whose values obey `values`. */
export function schedule([holds, must]: Rule, [valueHolds, valueMust]: Rule = [holds, must]): Rule {
  return [
    (value) => {
      if (typeof value !== "object" || value === null) return holds(value);
      const given = value as Record<string, unknown>;
      return isRamp(given, valueHolds) || isPiecewise(given, valueHolds);
    },
    `${must}, or with values ${valueMust} { type: "linear" or "cosine", from, to, steps }, ` +
      '{ type: "exponential", from, to, halfLife } or { type: "piecewise", points: [[step, value], ...] }',
  ];
}

/**
 * Index inputs beside the dense numbers of an observation or of a candidate: ids, tags, hashed categories. They equal
 * `size` numbers with up to `slots` nonzero ones, bit for bit, at the cost of the nonzero ones alone.
 */
export interface SparseOptions {
  /** The most indices at once, [1, 65536]. */
  slots: number;
  /** Indices are in [0, size - 1]; [1, 2^24]. */
  size: number;
}

/** Candidate mode: the actions of a state are rows of features, and may differ in every state. */
export interface CandidateOptions {
  /** The most candidates that `act` and `evaluate` take at once, [1, 65536]. */
  max: number;
  /** Dense features of a candidate, [1, 65536]; 0 is possible with `sparse`. */
  features: number;
  /**
   * The most candidates of the next state that a transition keeps, [1, 65536]; also of its own state, with `dueling`,
   * `munchausen`, `cqlAlpha` or `slate`. Default: `max`.
   */
  next?: number;
  /** Index inputs of a candidate. Default: none. */
  sparse?: SparseOptions;
}

/**
 * Slates (SlateQ, Ie et al. 2019): a user sees several candidates and enters one of them, or nothing. Beside the values of
 * a candidate, given that it is entered, the network gives its weight v in the choice, in proportion to which the user
 * enters it; that of nothing is 1. Nothing is a candidate whose features are all 0. A target is the value of the next
 * state's best slate: the mean of its values by v.
 */
export interface SlateOptions {
  /** Candidates of a slate, in targets and of `actSlate`, [1, 64]. */
  size: number;
  /** Weight of the choice model's loss beside that of the values, [0, 1000]. Default 1. */
  choiceWeight?: number;
  /**
   * Parts of a reward, [1, 8], each with values of its own (van Seijen et al. 2017, arXiv:1706.04208): transitions give
   * `rewards`. A slate is chosen, in acting and in targets, by the sum of the parts, and all of them learn the value of that
   * slate, so their sum is the value of the summed rewards and shows what it consists of. The loss is the sum of theirs.
   * Default 1.
   */
  parts?: number;
}

/** Behaviour cloning before Q-learning. */
export interface CloneOptions {
  /** Updates at the start that clone, [1, 1e9]. */
  updates: number;
  /**
   * Weight of the conservative term in them, [0, 1000]. Values still learn beside it, at 1 / alpha of its weight, so that
   * they are of the right size when `cqlAlpha` takes its place. Default 100.
   */
  alpha?: number;
}

/** Dense numbers are kept in the replay as the nearest of 256 values from `low` to `high`, and must lie there. */
export interface ByteStorage {
  type: "u8";
  /** Least dense number, [-1e6, 1e6]. Default 0. */
  low?: number;
  /** Largest dense number, [-1e6, 1e6], at least 1e-6 above `low`. Default 1. */
  high?: number;
}

/** Munchausen DQN (Vieillard, Pietquin & Geist 2020): targets with the policy's entropy and log-probability. */
export interface MunchausenOptions {
  /** Factor of the log-probability that is added to the reward, [0, 1]. Default 0.9. */
  alpha?: number;
  /** Temperature of the softmax over the target network's values, [1e-6, 100]. Default 0.03. */
  temperature?: number;
  /** Least value of temperature times log-probability, [-1e6, 0]. Default -1. */
  clip?: number;
}

/**
 * Options of an agent. Either `actions` or `candidates` is given.
 *
 * The defaults are those that won in `npm run bench:learning` (rows `defaults/...` of bench/results/learning.json): without
 * knowledge of the environment, over the budgets of RL Baselines3 Zoo, on CartPole, Acrobot and MountainCar.
 */
export interface DQNOptions {
  /** Dense numbers in an observation, [1, 1048576]; 0 is possible with `sparse`. */
  observation: number;
  /** Index inputs of an observation. Default: none. */
  sparse?: SparseOptions;
  /** Number of actions, [1, 65536], for a fixed set of them. */
  actions?: number;
  /** For a set of actions that changes. */
  candidates?: CandidateOptions;
  /** For slates of candidates; only with `candidates`. Default: none, one candidate is chosen alone. */
  slate?: SlateOptions;
  /** Whether actions carry an availability mask; only with `actions`. Default false. */
  masked?: boolean;
  /** Widths of the hidden layers, 1 to 8 of [1, 16384]. Default [64, 64]. */
  hidden?: readonly number[];
  /**
   * Of the hidden layers: `relu`, `tanh`, `gelu` by its tanh (Hendrycks & Gimpel 2016, arXiv:1606.08415; PyTorch's
   * `approximate="tanh"`), or `linear`, none: the whole network is a linear map then. Default `relu`.
   */
  activation?: "relu" | "tanh" | "gelu" | "linear";
  /** Discount for each step, [0, 1]. Default 0.99, as Mnih et al. 2015. */
  gamma?: number;
  /** Adam's, (0, 1]; a schedule counts observed steps. Default 1e-3. */
  learningRate?: Schedule;
  /** Adam's decay of the first moment, [0, 1). Default 0.9. */
  beta1?: number;
  /** Adam's decay of the second moment, [0, 1). Default 0.999. */
  beta2?: number;
  /** Adam's, outside the root, [1e-12, 1]. Default 1.5e-4, as Rainbow (Hessel et al. 2018). */
  adamEpsilon?: number;
  /** AdamW's: weights shrink by `learningRate * weightDecay` of themselves at each update, [0, 1]. Default 0. */
  weightDecay?: number;
  /** Transitions in an update, [1, 65536]. Default 64. */
  batchSize?: number;
  /** Transitions that the replay holds, [1, 2^31 - 1]. Default 10000, as CleanRL's dqn.py. */
  capacity?: number;
  /**
   * How the replay keeps the dense numbers of observations and candidates. They are rounded when they are observed: acting
   * reads them as given, learning as kept. `act`, `evaluate` and `observe` refuse a number that the storage cannot keep,
   * and name its field.
   *
   * - `f32`: 4 bytes each, no error; in [-1e6, 1e6].
   * - `f16`: 2 bytes, an error of at most 2^-11 (0.05 %) of the number, below 2^-14 of 2^-25; in [-65504, 65504].
   * - `u8`: 1 byte, an error of at most (high - low) / 510 beside f32's own rounding; in [low, high], the same for all
   *   numbers. The string stands for 0 to 1 (error 0.002). A multiple of (high - low) / 255 above `low` keeps
   *   its value: 0 and 1 with `"u8"`, pixels with `{ type: "u8", low: 0, high: 255 }`.
   *
   * Index inputs stay indices, 8 bytes a slot. Default `f32`.
   */
  storage?: "f32" | "f16" | "u8" | ByteStorage;
  /** Transitions that must be observed before `learn` does anything, [1, 2^31 - 1]. Default 1000. */
  learningStarts?: number;
  /** `train` learns after every this many steps, [1, 1e6]. Default 1. */
  trainEvery?: number;
  /** Updates that `train` then does, [1, 1e6]. Default 1. */
  gradientSteps?: number;
  /** Updates (not steps) between two moves of the target network, [1, 1e9]. Default 1. */
  targetEvery?: number;
  /** How far the target then moves, (0, 1]: 1 copies, less is Polyak averaging. Default 0.01. */
  tau?: number;
  /** Probability of a random action, [0, 1]; a schedule counts observed steps. Default linear 1 to 0.05 in 10000. */
  epsilon?: Schedule;
  /**
   * Temperature of Boltzmann exploration, [0, 1e6]; a schedule counts observed steps: above 0, `act` draws actions by
   * softmax(Q / temperature), and with probability `epsilon`, whose default is 0 then, from all alike. Not with `slate`.
   * Default 0: the best action.
   */
  temperature?: Schedule;
  /** Double DQN (van Hasselt et al. 2016). Default true, but false with `munchausen`. */
  double?: boolean;
  /**
   * Dueling streams (Wang et al. 2016): Q = V + A - mean of A over all `actions`, masked ones too; with `candidates`
   * Q = V + A. So no value depends on what else is available. With `actions` the streams share all hidden layers but the
   * last; with `candidates` V has layers of its own over the observation, and V and A are known as a sum only. In files
   * of 0.1.0 the mean was over what was available: they load, and their values begin with a shift, the same for all
   * actions of a state, until they are learned again. Default false.
   */
  dueling?: boolean;
  /**
   * Quantiles of the return for each action, [1, 256]; above 1 it is QR-DQN (Dabney et al. 2018) with the quantile
   * Huber loss, and actions are chosen by the mean. Default 1: the expected return alone.
   */
  quantiles?: number;
  /** Munchausen's soft targets, in place of the maximum. Default: none. */
  munchausen?: MunchausenOptions;
  /**
   * Initial scale of NoisyNets' learned noise (Fortunato et al. 2018), factorised, on all layers, [0, 10]; 0.5 in the
   * paper. `act` draws new noise at each call that gives no epsilon of its own. Default 0: no noise.
   */
  noisySigma?: number;
  /**
   * Of each hidden layer before its activation: `layer` (Ba et al. 2016), or `batch` (Ioffe & Szegedy 2015), whose running
   * statistics are folded into the weights for acting, targets and `weights()`. Batch statistics of a replay mix
   * policies, and a target network lags behind them: prefer `layer`, unless the input's scale is unknown and
   * batches are large. Default `layer`.
   */
  normalization?: "none" | "layer" | "batch";
  /**
   * Units of each hidden layer, the last ones, that no update moves, nor the weights by which others read them, [0, 16383]: fewer
   * than `hidden` says of any. An `Ensemble` makes its members' priors of them. Default 0.
   */
  frozenUnits?: number;
  /**
   * How far an update moves each number of the observations and candidates that it predicts from, in the direction in which the
   * loss rises, [0, 1e6]: adversarial training by the fast gradient sign method (Goodfellow, Shlens & Szegedy 2015,
   * arXiv:1412.6572). Targets are from the numbers as stored; TD errors, and priorities by them, from the moved ones. It takes
   * two passes. Default 0: none.
   */
  adversarialEpsilon?: number;
  /** Share of the outputs of each hidden layer that an update drops, [0, 0.9] (Srivastava et al. 2014). Default 0. */
  dropout?: number;
  /**
   * Weight of the conservative term (Kumar et al. 2020), for learning from logs: log-sum-exp of the values of all
   * available actions, minus the value of the action taken; [0, 1000]. With `slate` its mean over the places of the
   * shown slate, each among the candidates that were left for it. Default 0.
   */
  cqlAlpha?: number;
  /**
   * A start by behaviour cloning, for learning from logs: at first another weight of the conservative term, which alone
   * is the cross-entropy of the logged choices. Default: none, `cqlAlpha` from the first update on.
   */
  clone?: CloneOptions;
  /** `huber` has its kink at 1; `squared` is d^2, as PyTorch's mse_loss. Default `squared`, with `quantiles` above 1 `huber`. */
  loss?: "huber" | "squared";
  /** Global L2 norm to which the gradient is clipped, [1e-6, 1e6]; 0 does not clip. Default 10, as Stable-Baselines3. */
  maxGradNorm?: number;
  /**
   * Factor of every reward, [1e-12, 1e12]: it is learned from as `reward * rewardScale`, clipped by `rewardClip`, then
   * summed for `nStep`. Values and TD errors are in these units; returns that `train` reports are in the environment's.
   * Default 1.
   */
  rewardScale?: number;
  /**
   * Scaled rewards are clipped to [-rewardClip, rewardClip], [1e-6, 1e6]; 0 does not clip. Mnih et al. 2015 use
   * 1. With clipping, any finite reward is accepted. Default 0.
   */
  rewardClip?: number;
  /**
   * Whether dense numbers of observations are normalised, by their mean and deviation over all that `observe` got so far, and
   * clipped to [-10, 10], as VecNormalize of Stable-Baselines3 has it (Engstrom et al. 2020, arXiv:2005.12729). The replay
   * keeps them as they came. `act` and `evaluate` change nothing of it, and the file holds it. Default false.
   */
  normalizeObservations?: boolean;
  /**
   * Whether rewards are divided by the deviation of their discounted returns so far, and clipped to [-10, 10] for each of
   * `nStep`: values are in these units then. Behind `rewardScale` and `rewardClip`. Default false.
   */
  normalizeRewards?: boolean;
  /**
   * Rewards that a target sums before it bootstraps, [1, 64]. Above 1, transitions must come in the order of one
   * episode after the other, and mark where an episode is cut. Munchausen's term is added for the first step alone.
   * Default 1.
   */
  nStep?: number;
  /** Sequences of episodes that are fed at once, each with n-step returns of its own, [1, 65536]. Default 1. */
  environments?: number;
  /**
   * Exponent of priorities, [0, 1]: a transition is drawn in proportion to its last TD error to this power, a new one
   * as the largest so far (Schaul et al. 2016). 0 draws uniformly. Default 0.
   */
  priorityExponent?: number;
  /**
   * Exponent of the importance weights that correct for that, [0, 1], normalised by the largest of a batch; a schedule
   * counts observed steps. Default linear 0.4 to 1 in 100000.
   */
  importanceExponent?: Schedule;
  /** Of everything that is random, [0, 2^53 - 1]. Default 0. */
  seed?: number;
}

/** Options with all defaults in place. */
export type ResolvedOptions = Required<
  Omit<DQNOptions, "actions" | "candidates" | "slate" | "sparse" | "munchausen" | "storage" | "clone">
> & {
  storage: "f32" | "f16" | Required<ByteStorage>;
  actions: number;
  sparse: SparseOptions | undefined;
  candidates: (Required<Omit<CandidateOptions, "sparse">> & Pick<CandidateOptions, "sparse">) | undefined;
  slate: Required<SlateOptions> | undefined;
  munchausen: Required<MunchausenOptions> | undefined;
  clone: Required<CloneOptions> | undefined;
};

const COUNT_MAX = 2 ** 31 - 1;
const WIDTH_MAX = 65536;

const isWidth = integer(1, 16384)[0];

/** A group of options that may be left out. */
function nested(fields: string): Rule {
  return [(value) => value === undefined || (typeof value === "object" && value !== null), `{ ${fields} }`];
}

/** An integer in [1, high], or 0 if all inputs are index inputs. */
function width(high: number): Rule {
  return [integer(0, high)[0], `an integer in [1, ${high}], or 0 with "sparse"`];
}

const STORAGES = oneOf("f32", "f16", "u8");

/** What each option must be. */
export const RULES: Rules<DQNOptions> = {
  observation: width(1048576),
  sparse: nested("slots, size"),
  actions: [(value) => value === undefined || integer(1, WIDTH_MAX)[0](value), `an integer in [1, ${WIDTH_MAX}]`],
  candidates: nested("max, features, next, sparse"),
  slate: nested("size, choiceWeight, parts"),
  masked: boolean,
  hidden: [
    (value) => Array.isArray(value) && value.length >= 1 && value.length <= MAX_HIDDEN && value.every(isWidth),
    `1 to ${MAX_HIDDEN} integers in [1, 16384]`,
  ],
  activation: oneOf("relu", "tanh", "gelu", "linear"),
  gamma: between(0, 1),
  learningRate: schedule(above(0, 1), between(0, 1)),
  beta1: [(value) => typeof value === "number" && value >= 0 && value < 1, "in [0, 1)"],
  beta2: [(value) => typeof value === "number" && value >= 0 && value < 1, "in [0, 1)"],
  // A smaller one would be 0 as f32 after the first updates: 0 / 0 where a gradient is 0.
  adamEpsilon: between(1e-12, 1),
  weightDecay: between(0, 1),
  batchSize: integer(1, WIDTH_MAX),
  capacity: integer(1, COUNT_MAX),
  storage: [
    (value) => STORAGES[0](value) || (typeof value === "object" && value !== null),
    `${STORAGES[1]} or { type: "u8", low, high }`,
  ],
  learningStarts: integer(1, COUNT_MAX),
  trainEvery: integer(1, 1e6),
  gradientSteps: integer(1, 1e6),
  targetEvery: integer(1, 1e9),
  tau: above(0, 1),
  epsilon: schedule(between(0, 1)),
  temperature: schedule(between(0, 1e6)),
  double: boolean,
  dueling: boolean,
  quantiles: integer(1, 256),
  munchausen: nested("alpha, temperature, clip"),
  noisySigma: between(0, 10),
  normalization: oneOf("none", "layer", "batch"),
  frozenUnits: integer(0, 16383),
  adversarialEpsilon: between(0, 1e6),
  dropout: between(0, 0.9),
  cqlAlpha: between(0, 1000),
  clone: nested("updates, alpha"),
  loss: oneOf("huber", "squared"),
  maxGradNorm: zeroOr(1e-6, 1e6),
  rewardScale: between(1e-12, 1e12),
  rewardClip: zeroOr(1e-6, 1e6),
  normalizeObservations: boolean,
  normalizeRewards: boolean,
  nStep: integer(1, 64),
  environments: integer(1, WIDTH_MAX),
  priorityExponent: between(0, 1),
  importanceExponent: schedule(between(0, 1)),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

/** Those that won in `npm run bench:learning -- --only defaults`. */
export const DEFAULTS: Partial<DQNOptions> = {
  masked: false,
  hidden: [64, 64],
  activation: "relu",
  gamma: 0.99,
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  adamEpsilon: 1.5e-4,
  weightDecay: 0,
  batchSize: 64,
  capacity: 10000,
  storage: "f32",
  learningStarts: 1000,
  trainEvery: 1,
  gradientSteps: 1,
  targetEvery: 1,
  tau: 0.01,
  epsilon: { type: "linear", from: 1, to: 0.05, steps: 10000 },
  temperature: 0,
  double: true,
  dueling: false,
  quantiles: 1,
  noisySigma: 0,
  normalization: "layer",
  frozenUnits: 0,
  adversarialEpsilon: 0,
  dropout: 0,
  cqlAlpha: 0,
  maxGradNorm: 10,
  rewardScale: 1,
  rewardClip: 0,
  normalizeObservations: false,
  normalizeRewards: false,
  nStep: 1,
  environments: 1,
  priorityExponent: 0,
  importanceExponent: { type: "linear", from: 0.4, to: 1, steps: 100_000 },
  seed: 0,
};

const CANDIDATE_RULES: Rules<CandidateOptions> = {
  max: integer(1, WIDTH_MAX),
  features: width(WIDTH_MAX),
  next: integer(1, WIDTH_MAX),
  sparse: nested("slots, size"),
};

const SLATE_RULES: Rules<SlateOptions> = {
  size: integer(1, 64),
  choiceWeight: between(0, 1000),
  parts: integer(1, MAX_PARTS),
};

const CLONE_RULES: Rules<CloneOptions> = {
  updates: integer(1, 1e9),
  alpha: between(0, 1000),
};

const SPARSE_RULES: Rules<SparseOptions> = {
  slots: integer(1, WIDTH_MAX),
  size: integer(1, 2 ** 24),
};

const bound: Rule = [between(-INPUT_MAX, INPUT_MAX)[0], bounded(INPUT_MAX)];

const STORAGE_RULES: Rules<ByteStorage> = {
  type: oneOf("u8"),
  low: bound,
  high: bound,
};

const MUNCHAUSEN_RULES: Rules<MunchausenOptions> = {
  alpha: between(0, 1),
  temperature: between(1e-6, 100),
  clip: between(-1e6, 0),
};

const MUNCHAUSEN_DEFAULTS = { alpha: 0.9, temperature: 0.03, clip: -1 };

/**
 * Checks the options of an agent and fills in the defaults.
 * @throws TypeError for an unknown option or options that exclude each other, RangeError for a wrong value.
 */
export function resolveOptions(given: DQNOptions): ResolvedOptions {
  const options = checked<DQNOptions>(given, RULES, {
    ...DEFAULTS,
    double: !given?.munchausen,
    epsilon: given?.temperature ? 0 : DEFAULTS.epsilon,
    loss: Number(given?.quantiles) > 1 ? "huber" : "squared",
  });
  const { actions = 0, sparse, candidates, slate, munchausen, clone } = options;
  if (actions > 0 === (candidates !== undefined)) {
    const got = candidates ? "both" : "neither";
    throw new TypeError(`either "actions" (a fixed set) or "candidates" (a changing one) must be given, got ${got}`);
  }
  const resolved = {
    ...options,
    actions,
    storage: checkedStorage(options.storage!),
    sparse: sparse && checkedSparse(sparse, "sparse."),
    candidates: candidates && checkedCandidates(candidates),
    slate: slate && checked<SlateOptions>(slate, SLATE_RULES, { choiceWeight: 1, parts: 1 }, "slate."),
    munchausen:
      munchausen && checked<MunchausenOptions>(munchausen, MUNCHAUSEN_RULES, MUNCHAUSEN_DEFAULTS, "munchausen."),
    clone: clone && checked<CloneOptions>(clone, CLONE_RULES, { alpha: 100 }, "clone."),
  } as ResolvedOptions;
  if (resolved.observation === 0 && !sparse) {
    throw new RangeError(`"observation" must be ${RULES.observation[1]}, got 0`);
  }
  if (resolved.learningStarts > resolved.capacity) {
    const { learningStarts, capacity } = resolved;
    throw new RangeError(`"learningStarts" must be at most "capacity" (${capacity}), got ${learningStarts}`);
  }
  refuseExclusions(resolved);
  return resolved;
}

function checkedSparse(given: SparseOptions, path: string): SparseOptions {
  return checked<SparseOptions>(given, SPARSE_RULES, {}, path);
}

function checkedCandidates(given: CandidateOptions): CandidateOptions {
  const result = checked<CandidateOptions>(given, CANDIDATE_RULES, { next: given.max }, "candidates.");
  if (result.sparse) return { ...result, sparse: checkedSparse(result.sparse, "candidates.sparse.") };
  if (result.features > 0) return result;
  throw new RangeError(`"candidates.features" must be ${CANDIDATE_RULES.features[1]}, got 0`);
}

/** A storage with its bounds in place. @throws RangeError for one that is no storage. */
export function checkedStorage(given: DQNOptions["storage"] & {}): ResolvedOptions["storage"] {
  if (given === "f32" || given === "f16") return given;
  const own = given === "u8" ? { type: given } : given;
  const storage = checked<ByteStorage>(own, STORAGE_RULES, { low: 0, high: 1 }, "storage.") as Required<ByteStorage>;
  const { low, high } = storage;
  if (Math.fround(high) - Math.fround(low) >= 1e-6) return storage;
  throw new RangeError(`"storage.high" must be at least 1e-6 above "storage.low" (${low}), as f32, got ${high}`);
}

/** The range of dense numbers, as f32 and in words. */
export interface Bounds {
  low: number;
  high: number;
  must: string;
}

/** The bounds of dense numbers that a replay keeps. */
export function boundsOf(storage: ResolvedOptions["storage"]): Bounds {
  if (storage === "f32") return { low: -INPUT_MAX, high: INPUT_MAX, must: bounded(INPUT_MAX) };
  const { low, high } = storage === "f16" ? { low: -HALF_MAX, high: HALF_MAX } : storage;
  const must = `in [${low}, ${high}], the range of the option "storage"`;
  return { low: Math.fround(low), high: Math.fround(high), must };
}

/** Refuses options that exclude each other, with the reason. */
function refuseExclusions(options: ResolvedOptions): void {
  const { masked, candidates, double, munchausen, quantiles, loss, noisySigma, normalization, batchSize } = options;
  const { actions, sparse, slate, hidden, dueling, frozenUnits, weightDecay, adversarialEpsilon } = options;
  const frozen = '"frozenUnits"';
  const exclusions: [boolean, string, string, string][] = [
    [masked && !!candidates, '"masked"', '"candidates"', "give only the available candidates"],
    [actions > 0 && !!slate, '"actions"', '"slate"', "a slate shows candidates"],
    [dueling && !!slate, '"dueling"', '"slate"', "the value of a state is that of its best slate"],
    [!!munchausen && !!slate, '"munchausen"', '"slate"', "which candidate is entered is the user's choice, no policy"],
    [options.temperature !== 0 && !!slate, '"temperature"', '"slate"', "a slate is no single action"],
    [double && !!munchausen, '"double"', '"munchausen"', "a soft target has no maximum to correct"],
    [
      quantiles > 1 && loss === "squared",
      '"quantiles" above 1',
      '"loss": "squared"',
      "quantiles have a loss of their own",
    ],
    [
      noisySigma > 0 && normalization === "batch",
      '"noisySigma"',
      BATCH,
      'its statistics would measure the noise; use "layer"',
    ],
    [frozenUnits >= Math.min(...hidden), frozen, '"hidden"', "some units of each layer must learn"],
    [
      frozenUnits > 0 && (normalization !== "none" || noisySigma > 0 || weightDecay > 0 || dueling),
      frozen,
      '"normalization", "noisySigma", "weightDecay" and "dueling"',
      "they move what is frozen",
    ],
    [
      adversarialEpsilon > 0 && (dueling || !!sparse || !!candidates?.sparse),
      '"adversarialEpsilon"',
      '"dueling" and "sparse"',
      "it moves dense numbers of one stream",
    ],
    [normalization === "batch" && batchSize === 1, BATCH, '"batchSize": 1', "one row has no variance"],
  ];
  for (const [excluded, one, other, why] of exclusions) {
    if (excluded) throw new TypeError(`${one} and ${other} exclude each other: ${why}`);
  }
}

const BATCH = '"normalization": "batch"';

/** The options of an agent that a recommender's user may choose. */
export type LearnerOptions = Pick<
  DQNOptions,
  | "hidden"
  | "learningRate"
  | "batchSize"
  | "capacity"
  | "learningStarts"
  | "targetEvery"
  | "tau"
  | "double"
  | "loss"
  | "normalization"
  | "activation"
  | "beta1"
  | "beta2"
  | "adamEpsilon"
  | "maxGradNorm"
  | "weightDecay"
  | "dropout"
  | "adversarialEpsilon"
  | "quantiles"
  | "priorityExponent"
  | "importanceExponent"
  | "storage"
  | "rewardScale"
  | "rewardClip"
  | "cqlAlpha"
  | "clone"
>;
