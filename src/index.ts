export { DQN, type SaveOptions, type Transition } from "./agent.js";
export type { EngineOptions } from "./engine.js";
export {
  type Environment,
  type Evaluated,
  type EvaluateOptions,
  type EvaluationOptions,
  evaluate,
  jsonLines,
  type ResumeOptions,
  resume,
  type StepResult,
  type TrainEpisode,
  type Training,
  type TrainOptions,
  type TrainProgress,
  type TrainResult,
  train,
} from "./environment/index.js";
export { Acrobot } from "./environments/acrobot.js";
export { CartPole } from "./environments/cartpole.js";
export { MaskedGrid } from "./environments/maskedgrid.js";
export { MountainCar } from "./environments/mountaincar.js";
export { Offers, type OffersModel } from "./environments/offers.js";
export type { Input, SparseInput } from "./inputs.js";
export type {
  ByteStorage,
  CandidateOptions,
  DQNOptions,
  MunchausenOptions,
  ResolvedOptions,
  SparseOptions,
} from "./options.js";
export type { Schedule } from "./schedule.js";
export { SnapshotError } from "./snapshot.js";
export type { AgentStats } from "./stats.js";
export type { LayerWeights } from "./weights.js";
