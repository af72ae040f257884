import { type Rule, show } from "../../check/index.js";
import { type DQNOptions, OPTION_DEFAULTS, OPTION_RULES, type ResolvedOptions } from "../../engine/index.js";

/** What is set of a training, as texts: what the address, the fields and a saved training hold. */
export type Settings = Readonly<Record<string, string>>;

/** How a text becomes an option, and what it must be. */
interface Setting {
  readonly name: string;
  readonly label: string;
  readonly must: string;
  /** The value without a recipe. */
  readonly initial: string;
  readonly choices?: readonly string[];
  /** @throws RangeError. */
  readonly parse: (text: string) => unknown;
}

/** A parser: a text becomes a value, which must keep the option's rule. */
function parser<T>(name: string, [holds, must]: Rule, read: (text: string) => T): (text: string) => T {
  return (text) => {
    const value = read(text);
    if (!holds(value)) throw new RangeError(`"${name}" must be ${must}, got ${show(text)}`);
    return value;
  };
}

type Option = keyof DQNOptions & keyof ResolvedOptions;

function number(name: Option, label: string, initial?: number): Setting {
  const rule = OPTION_RULES[name]!;
  const parse = parser(name, rule, (text) => (text.trim() === "" ? Number.NaN : Number(text)));
  return {
    name,
    label,
    must: rule[1].split(", or with values")[0]!,
    initial: String(initial ?? OPTION_DEFAULTS[name]),
    parse,
  };
}

function choice(name: Option, label: string, choices: readonly string[], parse: (text: string) => unknown): Setting {
  const isOne: Rule = [(text) => choices.includes(text as string), `one of ${choices.join(", ")}`];
  const known = parser(name, isOne, (text) => text);
  return {
    name,
    label,
    must: choices.join(" or "),
    initial: String(OPTION_DEFAULTS[name] ?? choices[0]),
    choices,
    parse: (text) => parse(known(text)),
  };
}

const hidden: Setting = {
  name: "hidden",
  label: "Hidden layers",
  must: `widths, ${OPTION_RULES.hidden![1]}`,
  initial: "64 64",
  parse: parser("hidden", OPTION_RULES.hidden!, (text) => text.trim().split(/[ ,]+/).map(Number)),
};

const YES = ["false", "true"] as const;
const isYes = (text: string) => text === "true";

/** The options that a reader sets; the rest are the recipe's, or the engine's defaults. */
export const SETTINGS: readonly Setting[] = [
  number("seed", "Seed"),
  hidden,
  number("gamma", "Discount"),
  number("learningRate", "Learning rate"),
  number("batchSize", "Batch"),
  number("capacity", "Replay capacity"),
  number("tau", "Target rate"),
  number("targetEvery", "Updates a target"),
  number("trainEvery", "Steps an update"),
  number("nStep", "n-step returns"),
  number("priorityExponent", "Priority exponent"),
  number("quantiles", "Quantiles"),
  number("noisySigma", "Noise of weights"),
  choice("double", "Double DQN", YES, isYes),
  choice("dueling", "Dueling", YES, isYes),
  choice("normalization", "Normalisation", ["none", "layer", "batch"], (text) => text),
  choice("loss", "Loss", ["huber", "squared"], (text) => text),
];

export const ENVIRONMENTS = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"] as const;
export type EnvironmentName = (typeof ENVIRONMENTS)[number];

/** What an environment is trained with at first, and when it counts as solved. */
export interface Recipe {
  readonly steps: number;
  readonly solved: number;
  readonly settings: Settings;
  /** (observation): factors and what is then added. */
  readonly scale?: readonly number[];
  readonly shift?: readonly number[];
  /** Steps until the rate has fallen to a twentieth, and until exploration has; and its last value. */
  readonly explored: number;
  readonly epsilon: readonly [from: number, to: number];
  readonly evaluation: { readonly every: number; readonly episodes: number };
}

/** What takes long to be found out. */
const LONG = { explored: 10_000, evaluation: { every: 2500, episodes: 50 } };

/** Those of `npm run bench:learning`, which says what they reach; a page evaluates less. */
export const RECIPES: Readonly<Record<EnvironmentName, Recipe>> = {
  "CartPole-v1": {
    steps: 50_000,
    solved: 475,
    settings: { loss: "squared", learningRate: "0.002", capacity: "50000", normalization: "none" },
    explored: 8000,
    epsilon: [1, 0.04],
    evaluation: { every: 1000, episodes: 100 },
  },
  "Acrobot-v1": {
    steps: 100_000,
    solved: -100,
    settings: {
      gamma: "0.995",
      loss: "squared",
      learningRate: "0.002",
      capacity: "100000",
      tau: "0.005",
      priorityExponent: "0.6",
    },
    epsilon: [1, 0.1],
    ...LONG,
  },
  "MountainCar-v0": {
    steps: 120_000,
    solved: -110,
    settings: {
      hidden: "256 32",
      loss: "squared",
      capacity: "100000",
      trainEvery: "2",
      targetEvery: "200",
      tau: "1",
      nStep: "5",
      priorityExponent: "0.6",
    },
    scale: [1 / 0.9, 1 / 0.07],
    shift: [1 / 3, 0],
    epsilon: [0.3, 0.02],
    ...LONG,
  },
};

/** All settings of an environment: those given, then its recipe's, then the engine's defaults. */
export function settingsOf(environment: EnvironmentName, given: Settings): Settings {
  const { settings } = RECIPES[environment];
  return Object.fromEntries(SETTINGS.map(({ name, initial }) => [name, given[name] ?? settings[name] ?? initial]));
}

/** What is wrong with a text; undefined if nothing is. */
export function faultOf({ parse }: Setting, text: string): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The options of the agent. @throws RangeError for a setting that is not what it must be. */
export function optionsOf(
  environment: EnvironmentName,
  settings: Settings,
  sizes: { observation: number; actions: number },
) {
  const { steps, explored, epsilon } = RECIPES[environment];
  const given = Object.fromEntries(SETTINGS.map(({ name, parse }) => [name, parse(settings[name]!)]));
  const rate = given["learningRate"] as number;
  const [from, to] = epsilon;
  return {
    ...sizes,
    ...given,
    learningRate: { type: "linear", from: rate, to: rate / 20, steps },
    epsilon: { type: "linear", from, to, steps: explored },
  } as DQNOptions & { observation: number; actions: number };
}
