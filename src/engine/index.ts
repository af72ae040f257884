export type { SaveOptions } from "./agent.js";
export type {
  ContinuousActions,
  ContinuousOptions,
  ResolvedContinuousOptions,
} from "./continuous/continuousoptions.js";
export { ContinuousAgent, type ContinuousTransition } from "./continuous/td3.js";
export { DQN, type Transition } from "./dqn.js";
export type { EngineOptions } from "./instance/instance.js";
export type { ContinuousEngineOptions } from "./instance/instantiate.js";
export type { Int8EngineOptions } from "./instance/int8/int8.js";
/** @internal */
export { Int8Engine } from "./instance/int8/int8.js";
export {
  type ByteStorage,
  boundsOf,
  type CandidateOptions,
  type CloneOptions,
  DEFAULTS as OPTION_DEFAULTS,
  type DQNOptions,
  type LearnerOptions,
  type MunchausenOptions,
  type ResolvedOptions,
  RULES as OPTION_RULES,
  resolveOptions,
  type SlateOptions,
  type SparseOptions,
} from "./options.js";
export { type Schedule, valueAt } from "./schedule.js";
export { bytesOf, type FileBytes } from "./snapshot/bytes.js";
export { SnapshotError } from "./snapshot/error.js";
export type { Part, PartReader } from "./snapshot/part.js";
export {
  BytesReader,
  FloatsReader,
  floatsPart,
  gathered,
  jsonPart,
  LinesReader,
  linesPart,
} from "./snapshot/records.js";
export { sha256 } from "./snapshot/sha256.js";
export {
  chunksOf,
  type FilePart,
  filePart,
  joined,
  packSnapshot,
  unpackSnapshot,
  wholePart,
} from "./snapshot/snapshot.js";
export { type FileChunks, readSnapshotStream, type TensorReader, type WebStream } from "./snapshot/stream.js";
export { type AgentInput, type SparseInput, Staged, writeMask } from "./staging.js";
export type { AgentStats } from "./stats.js";
export type { LayerWeights } from "./weights.js";
