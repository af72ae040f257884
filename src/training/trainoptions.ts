import {
  abortSignal,
  boolean,
  callback,
  checked,
  group,
  optional,
  positiveInteger,
  type Rules,
} from "../check/index.js";
import type { AgentInput } from "../engine/index.js";
import type { AsyncContinuousEnvironment, AsyncEnvironment } from "./environment.js";
import { EVALUATE_DEFAULTS, type EvaluateOptions, seedRule } from "./evaluate.js";
import type { TrainEpisode, TrainProgress } from "./training.js";

/** Greedy evaluations during training, for early stopping and for choosing the best weights. */
export interface TrainEvaluationOptions extends EvaluateOptions {
  /** The environment to evaluate in: another object than the ones to train in. */
  environment: AsyncEnvironment<AgentInput> | AsyncContinuousEnvironment;
  /** Steps between two evaluations, at least 1. The last step has one too. */
  every: number;
  /** Mean return at which training stops. Default: never. */
  stopAt?: number;
  /** Evaluations in a row without a better one after which training stops, at least 1. Default: never. */
  patience?: number;
  /**
   * Whether the agent gets the weights of the best evaluation when training ends, for whatever reason. Of equal ones the
   * last wins: it has learned from more. The optimiser's moments and the replay stay at the last step. Default true.
   */
  restoreBest?: boolean;
}

/** Files of a training as it goes on. */
export interface CheckpointOptions {
  /** Steps between two, at least 1. A signal that ends the training has one too. */
  every: number;
  /**
   * Keeps a file for `resume`, made after that many steps; a promise is awaited. `liveq/storage` has folders that keep the
   * newest few: `(file, step) => checkpoints.write(step, [file])`.
   */
  write: (file: Uint8Array, step: number) => unknown;
}

export interface TrainOptions {
  /** Steps to do, over all environments, at least 1. */
  steps: number;
  /** Seed of the first episode, a safe integer; each later episode, in any environment, takes the next. Default 0. */
  seed?: number;
  /** Steps between two reports, at least 1; the event loop runs between them. Default 1000. */
  progressEvery?: number;
  /** Greedy episodes during training. Default: none. */
  evaluation?: TrainEvaluationOptions;
  /** Files for `resume` as it goes on. Default: none. */
  checkpoint?: CheckpointOptions;
  /** Called at each report. */
  onProgress?: (progress: TrainProgress) => void;
  /** Called at the end of each episode. */
  onEpisode?: (episode: TrainEpisode) => void;
  /** Stops training at the next report; the agent keeps what it learned. */
  signal?: AbortSignal;
}

/** Options with all defaults in place. */
export type ResolvedTrainOptions = Required<Pick<TrainOptions, "steps" | "seed" | "progressEvery">> &
  Pick<TrainOptions, "checkpoint" | "onProgress" | "onEpisode" | "signal"> & {
    evaluation?: Required<Omit<TrainEvaluationOptions, "stopAt" | "patience">> &
      Pick<TrainEvaluationOptions, "stopAt" | "patience">;
  };

const RULES: Rules<TrainOptions> = {
  steps: positiveInteger,
  seed: seedRule,
  progressEvery: positiveInteger,
  evaluation: [(value) => value === undefined || typeof value === "object", "{ environment, every, ... }"],
  checkpoint: [(value) => value === undefined || typeof value === "object", "{ every, write }"],
  onProgress: optional(callback),
  onEpisode: optional(callback),
  signal: optional(abortSignal),
};

const EVALUATION_RULES: Rules<TrainEvaluationOptions> = {
  environment: [group[0], "an environment"],
  every: positiveInteger,
  episodes: positiveInteger,
  seed: seedRule,
  stopAt: optional([(value) => typeof value === "number" && !Number.isNaN(value), "a number"]),
  patience: optional(positiveInteger),
  restoreBest: boolean,
};

const CHECKPOINT_RULES: Rules<CheckpointOptions> = { every: positiveInteger, write: callback };

/** Checks the options of a training and fills in the defaults. */
export function resolveTrain(given: TrainOptions): ResolvedTrainOptions {
  const options = checked<TrainOptions>(given, RULES, { seed: 0, progressEvery: 1000 });
  if (options.checkpoint) {
    options.checkpoint = checked<CheckpointOptions>(options.checkpoint, CHECKPOINT_RULES, {}, "checkpoint.");
  }
  if (options.evaluation) {
    const defaults = { ...EVALUATE_DEFAULTS, restoreBest: true };
    options.evaluation = checked<TrainEvaluationOptions>(options.evaluation, EVALUATION_RULES, defaults, "evaluation.");
  }
  return options as ResolvedTrainOptions;
}
