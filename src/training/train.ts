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
import type { AgentInput, ContinuousAgent, EngineOptions, FileBytes } from "../engine/index.js";
import { DQN, valueAt } from "../engine/index.js";
import { choose, chooseTogether, copyOf, isContinuous, type Learner } from "./driver.js";
import {
  type AnyEnvironment,
  type ContinuousEnvironment,
  type Environment,
  requireFitting,
  requireSync,
} from "./environment.js";
import { EVALUATE_DEFAULTS, type EvaluateOptions, evaluateAny, seedRule } from "./evaluate.js";
import { packTraining, type SavedSeat, type TrainingFile, toPlain, unpackTraining } from "./saved.js";
import {
  type EvaluationResult,
  type Run,
  type TrainEpisode,
  Training,
  type TrainProgress,
  type TrainResult,
} from "./training.js";

/** Greedy evaluations during training, for early stopping and for choosing the best weights. */
export interface TrainEvaluationOptions extends EvaluateOptions {
  /** The environment to evaluate in: another object than the ones to train in. */
  environment: Environment<AgentInput> | ContinuousEnvironment;
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

export interface TrainOptions {
  /** Steps to do, over all environments, at least 1. */
  steps: number;
  /** Seed of the first episode, a safe integer; each later episode, in any environment, takes the next. Default 0. */
  seed?: number;
  /** Steps between two reports, at least 1; the event loop runs between them. Default 1000. */
  progressEvery?: number;
  /** Greedy episodes during training. Default: none. */
  evaluation?: TrainEvaluationOptions;
  /** Called at each report. */
  onProgress?: (progress: TrainProgress) => void;
  /** Called at the end of each episode. */
  onEpisode?: (episode: TrainEpisode) => void;
  /** Stops training at the next report; the agent keeps what it learned. */
  signal?: AbortSignal;
}

type Resolved = Required<Pick<TrainOptions, "steps" | "seed" | "progressEvery">> &
  Pick<TrainOptions, "onProgress" | "onEpisode" | "signal"> & {
    evaluation?: Required<Omit<TrainEvaluationOptions, "stopAt" | "patience">> &
      Pick<TrainEvaluationOptions, "stopAt" | "patience">;
  };

/** Environments that choose together: fewer choose as fast alone. */
const FEWEST_AHEAD = 2;

/** Number of latest episodes in the reported mean return. */
const RECENT = 20;

const RULES: Rules<TrainOptions> = {
  steps: positiveInteger,
  seed: seedRule,
  progressEvery: positiveInteger,
  evaluation: [(value) => value === undefined || typeof value === "object", "{ environment, every, ... }"],
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

function resolve(given: TrainOptions): Resolved {
  const options = checked<TrainOptions>(given, RULES, { seed: 0, progressEvery: 1000 });
  if (options.evaluation) {
    const defaults = { ...EVALUATE_DEFAULTS, restoreBest: true };
    options.evaluation = checked<TrainEvaluationOptions>(options.evaluation, EVALUATION_RULES, defaults, "evaluation.");
  }
  return options as Resolved;
}

/** An environment and its current episode. */
interface Seat {
  environment: AnyEnvironment;
  /** The current observation: a copy, as the environment may reuse its array. */
  observation: AgentInput;
  return: number;
  length: number;
}

/** Runs an agent in its environments in turn, one step each. */
class TrainRun implements Run {
  readonly #agent: Learner;
  readonly #environments: readonly AnyEnvironment[];
  readonly #options: Resolved;
  #seats: Seat[] = [];
  /** Episodes started so far. */
  #started = 0;
  #steps = 0;
  readonly #returns: number[] = [];
  /** Actions that are chosen already, for the environments whose turns come next, the last one first. */
  #ahead: number[] = [];
  #losses = 0;
  #lossSum = 0;
  #evaluated: EvaluationResult | undefined;
  /** Whether no report had it yet. */
  #isNew = false;
  #best: EvaluationResult | undefined;
  #bestWeights: Float32Array | undefined;
  /** Evaluations in a row that were not better than the best. */
  #worse = 0;
  #ended: TrainResult["ended"] = "break";

  constructor(
    agent: Learner,
    environments: readonly AnyEnvironment[],
    options: TrainOptions,
    from?: TrainingFile["training"],
    best?: Float32Array,
  ) {
    this.#options = resolve(options);
    const count = environments.length;
    const most = agent.options.environments;
    if (count === 0) throw new RangeError("there must be at least one environment to train in, got none");
    if (count > most) {
      throw new RangeError(
        `the agent's option "environments" must be at least ${count}, as many are given, got ${most}`,
      );
    }
    const { evaluation } = this.#options;
    const all = evaluation ? [...environments, evaluation.environment] : environments;
    if (new Set(all).size < all.length) {
      throw new TypeError("each environment, also of the evaluation, must be an object of its own");
    }
    for (const environment of all) requireFitting(agent.options, environment);
    this.#agent = agent;
    this.#environments = environments;
    if (!from) return;
    if (from.seats.length !== count) {
      throw new RangeError(`the training in the file has ${from.seats.length} environments, got ${count}`);
    }
    this.#started = from.started;
    this.#steps = from.steps;
    this.#returns.push(...from.returns);
    this.#evaluated = from.evaluated ?? undefined;
    this.#best = from.best ?? undefined;
    this.#bestWeights = best;
    this.#worse = from.worse;
    this.#seats = environments.map((environment, i) => this.#seatFrom(environment, from.seats[i]!, i));
  }

  /** The saved episode, or a new one if the environment cannot restore it. */
  #seatFrom(environment: AnyEnvironment, saved: SavedSeat, index: number): Seat {
    if (saved.state === null || !environment.restore) {
      this.#agent.abandonEpisode(index);
      return this.#sit(environment);
    }
    environment.restore(saved.state);
    return { environment, observation: copyOf(saved.observation), return: saved.return, length: saved.length };
  }

  save(): Uint8Array {
    if (this.#seats.length === 0) throw new Error("the training has not started: save the agent instead");
    const { steps, seed, progressEvery, evaluation } = this.#options;
    const { environment: _, ...rest } = evaluation ?? { environment: null };
    const options = { steps, seed, progressEvery, evaluation: evaluation ? rest : null };
    const seats = this.#seats.map(({ environment, observation, ...seat }) => ({
      observation: toPlain(observation),
      return: seat.return,
      length: seat.length,
      state: environment.state?.() ?? null,
    }));
    const training = {
      options,
      seats,
      started: this.#started,
      steps: this.#steps,
      returns: this.#returns,
      evaluated: this.#evaluated ?? null,
      best: this.#best ?? null,
      worse: this.#worse,
    };
    return packTraining({ training, agent: this.#agent.save(), best: this.#bestWeights });
  }

  async *reports(): AsyncGenerator<TrainProgress, void> {
    const { progressEvery, onProgress, signal } = this.#options;
    if (signal?.aborted) {
      this.#ended = "signal";
      return;
    }
    if (this.#steps >= this.#options.steps) {
      this.#ended = "steps";
      return;
    }
    if (this.#seats.length === 0) {
      // Unfinished episodes of an earlier caller must not join the first ones.
      this.#agent.abandonEpisode();
      this.#seats = this.#environments.map((environment) => this.#sit(environment));
    }
    try {
      for (;;) {
        this.#step();
        const end = this.#check();
        if (!end && this.#steps % progressEvery !== 0) continue;
        const progress = this.#report();
        onProgress?.(progress);
        if (end) this.#ended = end;
        yield progress;
        if (end) return;
        await breathe();
        if (signal?.aborted) {
          this.#ended = "signal";
          return;
        }
      }
    } finally {
      this.#agent.abandonEpisode();
      if (this.#bestWeights) this.#agent.restoreWeights(this.#bestWeights);
    }
  }

  result(): TrainResult {
    const result: TrainResult = { steps: this.#steps, returns: this.#returns, ended: this.#ended };
    return this.#best ? { ...result, best: this.#best } : result;
  }

  /** Starts an episode. */
  #sit(environment: AnyEnvironment): Seat {
    const first: AgentInput = environment.reset(this.#options.seed + this.#started++);
    const observation = copyOf(requireSync("reset", first));
    return { environment, observation, return: 0, length: 0 };
  }

  /** Does and stores one step in the environment whose turn it is; learns every `trainEvery` steps. */
  #step(): void {
    const agent = this.#agent;
    const index = this.#steps++ % this.#seats.length;
    const seat = this.#seats[index]!;
    const { environment, observation } = seat;
    if (this.#ahead.length === 0) this.#lookAhead();
    const chosen = choose(agent, environment, observation, index, this.#ahead.pop());
    const result = requireSync("step", chosen.step());
    const { observation: nextObservation, reward, terminated, truncated } = result;
    chosen.observe(observation, result, index);
    seat.return += reward;
    seat.length++;
    if (terminated || truncated) {
      this.#returns.push(seat.return);
      const { length } = seat;
      this.#options.onEpisode?.({ environment: index, return: seat.return, length, step: this.#steps });
      this.#seats[index] = this.#sit(environment);
    } else seat.observation = copyOf(nextObservation);
    if (agent.steps % agent.options.trainEvery === 0) this.#learn();
  }

  /**
   * Chooses for as many environments in turn as act before anything is learned, reported or evaluated: by the same weights
   * and draws as one by one, since their states are known. Noisy weights are new for each step, so they choose alone.
   */
  #lookAhead(): void {
    const agent = this.#agent;
    if (isContinuous(agent)) return;
    const { epsilon, trainEvery, noisySigma, slate } = agent.options;
    const first = this.#steps - 1;
    const until = (every: number) => every - (first % every);
    const { progressEvery, evaluation, steps } = this.#options;
    const count = Math.min(
      ...[this.#seats.length, steps - first, until(progressEvery), until(evaluation?.every ?? progressEvery)],
      trainEvery - (agent.steps % trainEvery),
    );
    if (count < FEWEST_AHEAD || noisySigma > 0 || slate) return;
    const seats = Array.from({ length: count }, (_, i) => this.#seats[(first + i) % this.#seats.length]!);
    const epsilons = seats.map((_, i) => valueAt(epsilon, agent.steps + i));
    // From the last to the first.
    this.#ahead = chooseTogether(agent, seats, epsilons).reverse();
  }

  #learn(): void {
    const loss = this.#agent.learn(this.#agent.options.gradientSteps);
    if (Number.isNaN(loss)) return;
    this.#losses++;
    this.#lossSum += loss;
  }

  /** Evaluates if due. Returns why training ends here, if it does. */
  #check(): TrainResult["ended"] | undefined {
    const { steps, evaluation } = this.#options;
    const end = this.#steps === steps ? "steps" : undefined;
    if (!evaluation || !(end || this.#steps % evaluation.every === 0)) return end;
    const { environment, episodes, seed, stopAt, patience, restoreBest } = evaluation;
    const meanReturn = mean(evaluateAny(this.#agent, environment, { episodes, seed }));
    this.#evaluated = { step: this.#steps, meanReturn };
    this.#isNew = true;
    this.#worse = !this.#best || meanReturn > this.#best.meanReturn ? 0 : this.#worse + 1;
    if (!this.#best || meanReturn >= this.#best.meanReturn) {
      this.#best = this.#evaluated;
      if (restoreBest) this.#bestWeights = this.#agent.copyWeights();
    }
    if (stopAt !== undefined && meanReturn >= stopAt) return "stopAt";
    if (patience !== undefined && this.#worse >= patience) return "patience";
    return end;
  }

  #report(): TrainProgress {
    const progress: TrainProgress = {
      step: this.#steps,
      total: this.#options.steps,
      episodes: this.#returns.length,
      meanReturn: mean(this.#returns.slice(-RECENT)),
      loss: this.#lossSum / this.#losses,
      epsilon: this.#agent.epsilon,
    };
    this.#losses = 0;
    this.#lossSum = 0;
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew ? { ...progress, evaluation: this.#evaluated! } : progress;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Lets the event loop serve signals, timers and requests. In browsers a timer would wait for 4 ms, however short it is. */
function breathe(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => void setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/**
 * Trains an agent in an environment, or in several at once by turns: epsilon-greedy steps, each stored, with
 * `gradientSteps` updates after every `trainEvery` of them.
 *
 * @param environments - One, or at most as many as the agent's option `environments`; each an object of its own.
 * @returns A training to await for its result, or to loop over for its reports. It does nothing before.
 * @throws TypeError for an unknown option or an environment given twice, RangeError for a wrong value, too many
 *   environments, or one whose observations or actions are not the agent's. The training throws a TypeError for an
 *   environment whose `step` or `reset` returns a promise.
 */
export function train(
  agent: DQN,
  environments: Environment<AgentInput> | readonly Environment<AgentInput>[],
  options: TrainOptions,
): Training;
export function train(
  agent: ContinuousAgent,
  environments: ContinuousEnvironment | readonly ContinuousEnvironment[],
  options: TrainOptions,
): Training;
export function train(
  agent: Learner,
  environments: AnyEnvironment | readonly AnyEnvironment[],
  options: TrainOptions,
): Training {
  return new Training(new TrainRun(agent, listOf(environments), options));
}

/** Options of `resume`. */
export interface ResumeOptions extends Pick<TrainOptions, "onProgress" | "onEpisode" | "signal"> {
  /** The environment to evaluate in. Needed if the training has evaluations. */
  evaluationEnvironment?: Environment<AgentInput> | ContinuousEnvironment;
  /** Total steps, including the steps already done. Default: the saved training's. */
  steps?: number;
  /** How the agent runs, as for `DQN.load`. */
  run?: EngineOptions;
}

/** Options of `resume` for a training of a ContinuousAgent. */
export interface ContinuousResumeOptions extends Omit<ResumeOptions, "run"> {
  /** Reads the agent: `ContinuousAgent.load`. */
  load: (file: FileBytes) => ContinuousAgent;
}

/**
 * Continues a training that `Training.save` saved, bit for bit as if it had never stopped. An environment without `state`
 * and `restore` starts a new episode.
 *
 * @param environments - The same number of environments as before, of the same kinds in the same order.
 * @throws SnapshotError for a file that is damaged, foreign or newer; TypeError or RangeError for environments or options
 *   that do not fit the file.
 */
export function resume(
  file: FileBytes,
  environments: Environment<AgentInput> | readonly Environment<AgentInput>[],
  options?: ResumeOptions,
): { agent: DQN; training: Training };
export function resume(
  file: FileBytes,
  environments: ContinuousEnvironment | readonly ContinuousEnvironment[],
  options: ContinuousResumeOptions,
): { agent: ContinuousAgent; training: Training };
export function resume(
  file: FileBytes,
  environments: AnyEnvironment | readonly AnyEnvironment[],
  options: ResumeOptions & Partial<ContinuousResumeOptions> = {},
): { agent: Learner; training: Training } {
  const {
    evaluationEnvironment,
    run: how,
    load = (bytes) => DQN.load(bytes, how),
    ...callbacks
  } = options as {
    load?: (file: FileBytes) => Learner;
  } & ResumeOptions;
  const { training, agent: bytes, best } = unpackTraining(file);
  const { evaluation, ...saved } = training.options;
  const environment = evaluationEnvironment && { environment: evaluationEnvironment };
  if (evaluation && !environment) {
    throw new TypeError('"evaluationEnvironment" must be given: the training has evaluations');
  }
  const given = { ...saved, ...callbacks, ...(evaluation && { evaluation: { ...evaluation, ...environment } }) };
  const agent = load(bytes);
  try {
    const run = new TrainRun(agent, listOf(environments), given as TrainOptions, training, best);
    return { agent, training: new Training(run) };
  } catch (error) {
    agent.dispose();
    throw error;
  }
}

function listOf(environments: AnyEnvironment | readonly AnyEnvironment[]): readonly AnyEnvironment[] {
  return Array.isArray(environments) ? environments : [environments as AnyEnvironment];
}
