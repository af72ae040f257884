import { MAX_HIDDEN } from "../assembly/abi.js";
import type { Schedule } from "./schedule.js";

/** What an option must be, in words, and whether a value is that. */
export type Rule = readonly [holds: (value: unknown) => boolean, must: string];

/** Rules by option name. */
export type Rules<T> = { readonly [K in keyof Required<T>]: Rule };

/** A value as a message shows it: short, on one line. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) return value.length > 8 ? `an array of ${value.length}` : `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  return String(value);
}

/**
 * Checks given options against a table and fills in defaults; the same object may be passed again.
 *
 * @param path - Put before the names in messages, such as `"candidates."`.
 * @throws TypeError for an unknown option, RangeError for a wrong value:
 *   `"gamma" must be in [0, 1], got 1.5`.
 */
export function checked<T extends object>(given: unknown, table: Rules<T>, defaults: Partial<T>, path = ""): T {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(`${path === "" ? "options" : show(path.slice(0, -1))} must be an object, got ${show(given)}`);
  }
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(table, key)) {
      throw new TypeError(`"${path}${key}" is not an option; there are ${Object.keys(table).join(", ")}`);
    }
  }
  const result = { ...defaults } as Record<string, unknown>;
  for (const [key, [holds, must]] of Object.entries<Rule>(table)) {
    const value = (given as Record<string, unknown>)[key];
    if (value !== undefined) result[key] = value;
    if (!holds(result[key])) throw new RangeError(`"${path}${key}" must be ${must}, got ${show(result[key])}`);
  }
  return result as T;
}

/** An integer in [low, high]. */
export function integer(low: number, high: number): Rule {
  const must = `an integer in [${low}, ${high}]`;
  return [(value) => Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high, must];
}

/** A number in [low, high]. */
export function between(low: number, high: number): Rule {
  return [(value) => typeof value === "number" && value >= low && value <= high, `in [${low}, ${high}]`];
}

/** A number in (low, high]. */
export function above(low: number, high: number): Rule {
  return [(value) => typeof value === "number" && value > low && value <= high, `in (${low}, ${high}]`];
}

/** One of some strings. */
export function oneOf(...values: string[]): Rule {
  return [(value) => values.includes(value as string), values.map((value) => `"${value}"`).join(" or ")];
}

export const boolean: Rule = [(value) => typeof value === "boolean", "true or false"];

/** Rules that many options share. */
export const rules = {
  unit: between(0, 1),
  nonNegative: [(value) => Number.isFinite(value) && (value as number) >= 0, "a finite number >= 0"],
  positive: [(value) => Number.isFinite(value) && (value as number) > 0, "a finite number > 0"],
  count: [(value) => Number.isSafeInteger(value) && (value as number) >= 0, "an integer >= 0"],
  atLeastOne: [(value) => Number.isSafeInteger(value) && (value as number) >= 1, "an integer >= 1"],
} as const satisfies Record<string, Rule>;

/** The fields of each type of schedule whose values go from one to another, and the one that says how fast. */
const PACE: Readonly<Record<string, string>> = { linear: "steps", cosine: "steps", exponential: "halfLife" };

function isRamp(value: Record<string, unknown>, holds: Rule[0]): boolean {
  const { type, from, to, ...rest } = value;
  const others = Object.keys(rest);
  const pace = Object.hasOwn(PACE, String(type)) ? PACE[String(type)]! : "";
  return holds(from) && holds(to) && others.length === 1 && others[0] === pace && rules.positive[0](rest[pace]);
}

function isPiecewise(value: Record<string, unknown>, holds: Rule[0]): boolean {
  const { type, points, ...rest } = value;
  if (type !== "piecewise" || Object.keys(rest).length > 0 || !Array.isArray(points) || points.length < 1) return false;
  return points.every((point, i) => {
    if (!Array.isArray(point) || point.length !== 2 || !rules.nonNegative[0](point[0]) || !holds(point[1]))
      return false;
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

/** Candidate mode: the actions of a state are rows of features, and may differ in every state. */
export interface CandidateOptions {
  /** The most candidates that `act` and `evaluate` take at once, [1, 65536]. */
  max: number;
  /** Features of a candidate, [1, 65536]. */
  features: number;
  /** The most candidates of the next state that a transition keeps, [1, 65536]. Default: `max`. */
  next?: number;
}

/** Options of an agent. Either `actions` or `candidates` is given. */
export interface DQNOptions {
  /** Numbers in an observation, [1, 1048576]. */
  observation: number;
  /** Number of actions, [1, 65536], for a fixed set of them. */
  actions?: number;
  /** For a set of actions that changes. */
  candidates?: CandidateOptions;
  /** Whether actions carry an availability mask; only with `actions`. Default false. */
  masked?: boolean;
  /** Widths of the hidden layers (ReLU), 1 to 8 of [1, 16384]. Default [120, 84], as CleanRL's dqn.py. */
  hidden?: readonly number[];
  /** Discount for each step, [0, 1]. Default 0.99, as Mnih et al. 2015. */
  gamma?: number;
  /** Adam's, (0, 1]; a schedule counts observed steps. Default 2.5e-4, as CleanRL's dqn.py. */
  learningRate?: Schedule;
  /** Adam's decay of the first moment, [0, 1). Default 0.9. */
  beta1?: number;
  /** Adam's decay of the second moment, [0, 1). Default 0.999. */
  beta2?: number;
  /** Adam's, outside the root, (0, 1]. Default 1e-8, as PyTorch. */
  adamEpsilon?: number;
  /** Transitions in an update, [1, 65536]. Default 32, as Mnih et al. 2015. */
  batchSize?: number;
  /** Transitions that the replay holds, [1, 2^31 - 1]. Default 10000, as CleanRL's dqn.py. */
  capacity?: number;
  /** Transitions that must be observed before `learn` does anything, [1, 2^31 - 1]. Default 1000. */
  learningStarts?: number;
  /** `train` learns after every this many steps, [1, 1e6]. Default 4, as Mnih et al. 2015. */
  trainEvery?: number;
  /** Updates that `train` then does, [1, 1e6]. Default 1. */
  gradientSteps?: number;
  /** Updates (not steps) between two moves of the target network, [1, 1e9]. Default 250. */
  targetEvery?: number;
  /** How far the target then moves, (0, 1]: 1 copies, less is Polyak averaging. Default 1. */
  tau?: number;
  /** Probability of a random action, [0, 1]; a schedule counts observed steps. Default linear 1 to 0.05 in 10000. */
  epsilon?: Schedule;
  /** Double DQN (van Hasselt et al. 2016). Default true. */
  double?: boolean;
  /** `huber` has its kink at 1; `squared` is d^2, as PyTorch's mse_loss. Default `huber`. */
  loss?: "huber" | "squared";
  /** Global L2 norm to which the gradient is clipped, [0, 1e6]; 0 does not clip. Default 10, as Stable-Baselines3. */
  maxGradNorm?: number;
  /**
   * Rewards that a target sums before it bootstraps, [1, 64]. Above 1, transitions must come in the order of one
   * episode after the other, and tell where an episode is cut. Default 1.
   */
  nStep?: number;
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
export type ResolvedOptions = Required<Omit<DQNOptions, "actions" | "candidates">> & {
  actions: number;
  candidates: Required<CandidateOptions> | undefined;
};

const COUNT_MAX = 2 ** 31 - 1;
const WIDTH_MAX = 65536;

const isWidth = integer(1, 16384)[0];

const RULES: Rules<DQNOptions> = {
  observation: integer(1, 1048576),
  actions: [(value) => value === undefined || integer(1, WIDTH_MAX)[0](value), `an integer in [1, ${WIDTH_MAX}]`],
  candidates: [(value) => value === undefined || typeof value === "object", "{ max, features, next }"],
  masked: boolean,
  hidden: [
    (value) => Array.isArray(value) && value.length >= 1 && value.length <= MAX_HIDDEN && value.every(isWidth),
    `1 to ${MAX_HIDDEN} integers in [1, 16384]`,
  ],
  gamma: between(0, 1),
  learningRate: schedule(above(0, 1), between(0, 1)),
  beta1: [(value) => typeof value === "number" && value >= 0 && value < 1, "in [0, 1)"],
  beta2: [(value) => typeof value === "number" && value >= 0 && value < 1, "in [0, 1)"],
  adamEpsilon: above(0, 1),
  batchSize: integer(1, WIDTH_MAX),
  capacity: integer(1, COUNT_MAX),
  learningStarts: integer(1, COUNT_MAX),
  trainEvery: integer(1, 1e6),
  gradientSteps: integer(1, 1e6),
  targetEvery: integer(1, 1e9),
  tau: above(0, 1),
  epsilon: schedule(between(0, 1)),
  double: boolean,
  loss: oneOf("huber", "squared"),
  maxGradNorm: between(0, 1e6),
  nStep: integer(1, 64),
  priorityExponent: between(0, 1),
  importanceExponent: schedule(between(0, 1)),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

const DEFAULTS: Partial<DQNOptions> = {
  masked: false,
  hidden: [120, 84],
  gamma: 0.99,
  learningRate: 2.5e-4,
  beta1: 0.9,
  beta2: 0.999,
  adamEpsilon: 1e-8,
  batchSize: 32,
  capacity: 10000,
  learningStarts: 1000,
  trainEvery: 4,
  gradientSteps: 1,
  targetEvery: 250,
  tau: 1,
  epsilon: { type: "linear", from: 1, to: 0.05, steps: 10000 },
  double: true,
  loss: "huber",
  maxGradNorm: 10,
  nStep: 1,
  priorityExponent: 0,
  importanceExponent: { type: "linear", from: 0.4, to: 1, steps: 100_000 },
  seed: 0,
};

const CANDIDATE_RULES: Rules<CandidateOptions> = {
  max: integer(1, WIDTH_MAX),
  features: integer(1, WIDTH_MAX),
  next: integer(1, WIDTH_MAX),
};

/**
 * Checks the options of an agent and fills in the defaults.
 * @throws TypeError for an unknown option or a wrong combination, RangeError for a wrong value.
 */
export function resolveOptions(given: DQNOptions): ResolvedOptions {
  const options = checked<DQNOptions>(given, RULES, DEFAULTS);
  const { actions = 0, candidates } = options;
  if (actions > 0 === (candidates !== undefined)) {
    const got = candidates ? "both" : "neither";
    throw new TypeError(`either "actions" (a fixed set) or "candidates" (a changing one) must be given, got ${got}`);
  }
  if (candidates && options.masked) {
    throw new TypeError('"masked" goes with "actions"; with "candidates", offer only those that are available');
  }
  if (options.learningStarts! > options.capacity!) {
    const { learningStarts, capacity } = options;
    throw new RangeError(`"learningStarts" must be at most "capacity" (${capacity}), got ${learningStarts}`);
  }
  const resolved = candidates
    ? checked<CandidateOptions>(candidates, CANDIDATE_RULES, { next: candidates.max }, "candidates.")
    : undefined;
  return { ...options, actions, candidates: resolved } as ResolvedOptions;
}
