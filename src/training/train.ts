import type { AgentInput, ContinuousAgent, EngineOptions, FileBytes } from "../engine/index.js";
import { DQN } from "../engine/index.js";
import type { Learner } from "./driver.js";
import {
  type AnyEnvironment,
  type AsyncContinuousEnvironment,
  type AsyncEnvironment,
  requireFitting,
} from "./environment.js";
import { TrainRun } from "./run.js";
import { type SavedTraining, unpackTraining } from "./saved.js";
import { Seats } from "./seats.js";
import { Training } from "./training.js";
import { type ResolvedTrainOptions, resolveTrain, type TrainOptions } from "./trainoptions.js";

/**
 * Trains an agent in an environment, or in several at once by turns: epsilon-greedy steps, each stored, with
 * `gradientSteps` updates after every `trainEvery` of them.
 *
 * @param environments - One, or at most as many as the agent's option `environments`; each an object of its own.
 * @returns A training to await for its result, or to loop over for its reports. It does nothing before.
 * @throws TypeError for an unknown option or an environment given twice, RangeError for a wrong value, too many
 *   environments, or one whose observations or actions are not the agent's.
 */
export function train(
  agent: DQN,
  environments: AsyncEnvironment<AgentInput> | readonly AsyncEnvironment<AgentInput>[],
  options: TrainOptions,
): Training;
export function train(
  agent: ContinuousAgent,
  environments: AsyncContinuousEnvironment | readonly AsyncContinuousEnvironment[],
  options: TrainOptions,
): Training;
export function train(
  agent: Learner,
  environments: AnyEnvironment | readonly AnyEnvironment[],
  options: TrainOptions,
): Training {
  const resolved = resolveTrain(options);
  return new Training(new TrainRun(agent, resolved, seated(agent, listOf(environments), resolved)));
}

/** Options of `resume`. */
export interface ResumeOptions extends Pick<TrainOptions, "checkpoint" | "onProgress" | "onEpisode" | "signal"> {
  /** The environment to evaluate in. Needed if the training has evaluations. */
  evaluationEnvironment?: AsyncEnvironment<AgentInput> | AsyncContinuousEnvironment;
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
  environments: AsyncEnvironment<AgentInput> | readonly AsyncEnvironment<AgentInput>[],
  options?: ResumeOptions,
): { agent: DQN; training: Training };
export function resume(
  file: FileBytes,
  environments: AsyncContinuousEnvironment | readonly AsyncContinuousEnvironment[],
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
    const resolved = resolveTrain(given as TrainOptions);
    const seats = seated(agent, listOf(environments), resolved, training);
    return { agent, training: new Training(new TrainRun(agent, resolved, seats, training, best)) };
  } catch (error) {
    agent.dispose();
    throw error;
  }
}

function listOf(environments: AnyEnvironment | readonly AnyEnvironment[]): readonly AnyEnvironment[] {
  return Array.isArray(environments) ? environments : [environments as AnyEnvironment];
}

/** Seats for environments that fit the agent. @throws TypeError or RangeError for others. */
function seated(
  agent: Learner,
  environments: readonly AnyEnvironment[],
  { seed, evaluation }: ResolvedTrainOptions,
  from?: SavedTraining,
): Seats {
  const count = environments.length;
  const most = agent.options.environments;
  if (count === 0) throw new RangeError("there must be at least one environment to train in, got none");
  if (count > most) {
    throw new RangeError(`the agent's option "environments" must be at least ${count}, as many are given, got ${most}`);
  }
  const all = evaluation ? [...environments, evaluation.environment] : environments;
  if (new Set(all).size < all.length) {
    throw new TypeError("each environment, also of the evaluation, must be an object of its own");
  }
  for (const environment of all) requireFitting(agent.options, environment);
  if (from && from.seats.length !== count) {
    throw new RangeError(`the training in the file has ${from.seats.length} environments, got ${count}`);
  }
  return new Seats(agent, environments, seed, from);
}
