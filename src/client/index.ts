export type {
  BatchAnswer,
  EventFault,
  EventsAnswer,
  ExperimentAnswer,
  ExperimentOptions,
  ExperimentPolicy,
  ForgetAnswer,
  ModelsAnswer,
  ProfileAnswer,
  RankingAnswer,
  RankingExploration,
  RankingFeatures,
  RankingRequest,
  RankModelsAnswer,
  RankReportAnswer,
  RequestFault,
  RewardAnswer,
  ServerCounts,
  ServerModel,
  ShadowAnswer,
  ShadowCandidate,
  SlateRequest,
  StatsAnswer,
  StreamAnswer,
  StreamChange,
  StreamStart,
} from "./answers.js";
export { type CallOptions, type ClientOptions, LiveQClient } from "./client.js";
export { ClientError, type ClientFault } from "./error.js";
export type { QueueStats, UntimedEvent } from "./outbox.js";
export type { Player } from "./page/player.js";
export { PageTracker, type TrackerOptions } from "./page/tracker.js";
export { type ClientStorage, indexedDbStorage } from "./storage.js";
