export type {
  Decision,
  FeedbackEvent,
  Filter,
  Id,
  LiveEvent,
  Policy,
  Request,
  TargetPolicy,
} from "../protocol/index.js";
export { EventError, type LoggedDecision, parseDecision, parseEvent, parseRequest } from "../protocol/index.js";
export { type QFunction, Recommender, type RecommenderOptions, type RecommenderStats } from "./recommender.js";
export { candidateCount, KNOWLEDGE, Knowledge, type KnowledgeOptions } from "./scene.js";
