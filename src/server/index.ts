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
export { type Model, ServingAgent } from "./edge/agent.js";
export { Edge, type EdgeParts, type EdgeStats, type Learned, type LearnerPort } from "./edge/edge.js";
export type { HeldBack, ModelOptions } from "./edge/learner.js";
export { LocalLearner, type LocalLearnerOptions } from "./edge/local.js";
export { type MemoryEdgeOptions, memoryEdge } from "./edge/memory.js";
export { type Beginning, beginning } from "./edge/start.js";
export { type EdgeApp, edgeApp } from "./http/app.js";
export { SCOPES, type Scope, type Token } from "./http/auth.js";
export type { EdgeAppOptions } from "./http/options.js";
export { type IngestAnswer, type IngestFault, type IngestOptions, ingest, type Sunk } from "./ingest.js";
