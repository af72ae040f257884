export {
  type Decision,
  EventError,
  type Explanation,
  type Filter,
  type LiveEvent,
  type LoggedDecision,
  type Policy,
  parseEvent,
  type Request,
  type RunnerUp,
  type TargetPolicy,
} from "../protocol/index.js";
export type { QFunction } from "./agent.js";
export {
  audience,
  clock,
  columns,
  content,
  coreFeatures,
  defaultFeatures,
  type FeatureGroup,
  type FeatureWriter,
  featureGroup,
  habits,
  moments,
  neighbours,
  pages,
  pair,
  returns,
  session,
  social,
  taste,
  traits,
  vectors,
} from "./features/index.js";
export type { Agreement, DecisionRows, Outcome, RewardOptions, SignalOptions } from "./learning/index.js";
export {
  type LoadOptions,
  Recommender,
  type RecommenderOptions,
  type RecommenderStats,
} from "./recommender.js";
export type { RequestExploration } from "./serving/index.js";
export { explanationLines } from "./serving/index.js";
