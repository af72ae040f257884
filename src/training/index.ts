export { type RunActorOptions, runActor } from "./actors/actor.js";
export type { ActorOrder } from "./actors/crew.js";
export type { ActorWorker } from "./actors/ports.js";
export { type ActorsOptions, type TrainWithActorsOptions, trainWithActors } from "./actors/trainwithactors.js";
export { type CheckEnvironmentOptions, checkEnvironment, checkEnvironmentAsync } from "./checkenvironment.js";
export {
  type AsyncContinuousEnvironment,
  type AsyncEnvironment,
  type ContinuousEnvironment,
  type Environment,
  type Later,
  requireFitting,
  type StepResult,
} from "./environment.js";
export { Acrobot } from "./environments/acrobot.js";
export { CartPole } from "./environments/cartpole.js";
export { ChangingCandidates, type ChangingCandidatesModel } from "./environments/changingcandidates.js";
export { MaskedGrid } from "./environments/maskedgrid.js";
export { MountainCar } from "./environments/mountaincar.js";
export { MountainCarContinuous } from "./environments/mountaincarcontinuous.js";
export { Pendulum } from "./environments/pendulum.js";
export { type EvaluateOptions, evaluate, evaluateAsync } from "./evaluate.js";
export { jsonLinesLogger } from "./jsonl.js";
export { type TabularOptions, TabularQ, type TabularTransition } from "./tabular/tabularq.js";
export {
  type TabularModel,
  type TabularOutcome,
  type TabularValues,
  type ValueIterationOptions,
  valueIteration,
} from "./tabular/valueiteration.js";
export { type ContinuousResumeOptions, type ResumeOptions, resume, train } from "./train.js";
export {
  type EvaluationResult,
  type TrainEpisode,
  Training,
  type TrainProgress,
  type TrainResult,
} from "./training.js";
export type { CheckpointOptions, TrainEvaluationOptions, TrainOptions } from "./trainoptions.js";
export { checkSpace, type SearchPoint, type SearchRange, type SearchSpace } from "./tune/space.js";
export { type TuneOptions, type TuneResult, type TuneTask, type TuneTrial, tune } from "./tune/tune.js";
