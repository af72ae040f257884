export { type Receipt, type Taker, takeEach } from "../protocol/index.js";
export { type EventLog, StorageError, type StorageReason } from "../storage/index.js";
export {
  connectPlatforms,
  type Follower,
  type PlatformConnection,
  type PlatformFigure,
  type PlatformParts,
  type PlatformState,
  type WebhookAnswer,
  type WebhookRequest,
} from "./connect/index.js";
export { type Acting, type Model, ServingAgent, type ShadowReport } from "./edge/agent.js";
export {
  Edge,
  type EdgeNews,
  type EdgeParts,
  type EdgeRequest,
  type EdgeStats,
  type Preview,
  type UserExport,
} from "./edge/edge.js";
export type { HeldBack, ModelOptions } from "./edge/learner.js";
export { LocalLearner, type LocalLearnerOptions } from "./edge/local.js";
export { type MemoryEdgeOptions, memoryEdge } from "./edge/memory.js";
export type { Candidate, KeptModels, Learned, LearnerPort } from "./edge/port.js";
export { type Beginning, beginning, type ModelShelves } from "./edge/start.js";
export type { TailItem } from "./edge/tail.js";
export type { ArmPolicy, TrialOptions, TrialReport } from "./edge/trials.js";
export { type EdgeApp, type EdgeClient, edgeApp } from "./http/app.js";
export { SCOPES, type Scope, type Token } from "./http/auth.js";
export type { RateOptions } from "./http/limits.js";
export type { Metric } from "./http/metrics.js";
export type { Answered, EdgeAppOptions } from "./http/options.js";
export type { WatchState } from "./http/routes/watch.js";
export { type IngestAnswer, type IngestFault, type IngestOptions, ingest, type Sunk } from "./ingest.js";
export {
  checkedRank,
  type Exploration,
  type KeptRankModels,
  type RankAnswer,
  RankError,
  type RankModel,
  type RankModelAbout,
  type RankOptions,
  type RankReport,
  RankService,
} from "./rank/index.js";
