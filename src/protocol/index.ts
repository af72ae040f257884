export {
  type Click,
  type Embeddings,
  type FeedbackEvent,
  type Gift,
  type Heartbeat,
  type Id,
  type Impression,
  isLiking,
  type LiveEvent,
  type OffAir,
  type OnAir,
  type PageView,
  type Purchase,
  type Signal,
  type StreamEvent,
  type StreamUpdate,
  type UserEvent,
  type UserUpdate,
  type Watch,
} from "./events.js";
export type {
  ExplainedFacts,
  ExplainedValue,
  Explanation,
  GroupEffect,
  LeftOutBy,
  Margins,
  RunnerUp,
} from "./explanation.js";
export { type Identity, identityOf } from "./identity.js";
export { type JsonSchema, jsonSchemas } from "./jsonschema.js";
export type {
  Decision,
  Filter,
  Policy,
  Request,
  TargetPolicy,
} from "./policy.js";
export { type Receipt, type Taker, takeEach } from "./receipts.js";
export {
  asEvent,
  descriptionRule,
  EventError,
  fieldsOf,
  idRule,
  isEvent,
  KINDS,
  type LoggedDecision,
  nameRule,
  parseDecision,
  parseEvent,
  parseRequest,
  tagsRule,
  titleRule,
} from "./schema.js";
export { SOURCES, type Source } from "./sources.js";
export {
  BEAT_TIMEOUT_MS,
  BOUNCE_MS,
  DAY,
  ENGAGED_MS,
  HOUR,
  isMistaken,
  MAX_AHEAD_MS,
  MAX_LATE_MS,
  MINUTE,
  SESSION_GAP_MS,
  STREAM_TIMEOUT_MS,
  timeFault,
  WEEK,
  WRONG_CLOCK_MS,
} from "./time.js";
