export type { StreamerEstimate, StreamProfile } from "./audience.js";
export { Catalog, type CatalogStream, type Follower, type SavedCatalog, type StreamEmbeddings } from "./catalog.js";
export * from "./clean/index.js";
export * from "./connectors/index.js";
export { type Column, type Encoding, FeatureSet } from "./encoders/index.js";
export * from "./evaluation/abtest/index.js";
export { areaUnderCurve, type Judgement, judge, logLoss } from "./evaluation/classification.js";
export {
  cosineSimilarity,
  gini,
  intraListSimilarity,
  personalisation,
  type Similarity,
  selfInformation,
  traitSimilarity,
} from "./evaluation/diversity.js";
export {
  type BootstrapOptions,
  bootstrapInterval,
  type Interval,
  interquartileMean,
  mean,
  meanInterval,
  quantile,
  wilsonInterval,
} from "./evaluation/intervals.js";
export { type ListScores, scoreList } from "./evaluation/lists.js";
export { LiveMetrics, type LiveOptions } from "./evaluation/live.js";
export { cutLogAt, holdOutLogUsers, kFoldLog, type LogSplit } from "./evaluation/logs.js";
export * from "./evaluation/offpolicy/index.js";
export {
  evaluateRanking,
  hitRate,
  ndcg,
  type Placements,
  place,
  type Ranker,
  type RankingProtocol,
  type RankingScores,
  rankingFigures,
  reciprocalRank,
  topK,
} from "./evaluation/ranking.js";
export { evaluateLog, type RankingPolicy, Replay, type ReplayOptions, type ReplayResult } from "./evaluation/replay.js";
export {
  compareReturns,
  type Realised,
  ReturnLog,
  type ReturnOptions,
  realisedReturns,
  type Step,
} from "./evaluation/returns.js";
export { SLICES, type SliceOptions } from "./evaluation/slices.js";
export {
  byTime,
  cutAt,
  type Histories,
  histories,
  holdOutUsers,
  type Interactions,
  instantsOf,
  kFold,
  lastOfEachPair,
  leaveLastOut,
  leaveLastTwoOut,
  type Split,
  select,
  type ThreeWaySplit,
} from "./evaluation/splits.js";
export { type Figure, groupOf, type ResampleOptions, Tally } from "./evaluation/tally.js";
export { ExaminedAgent, type Judge, tdError, tdErrors } from "./evaluation/tderrors.js";
export { evaluateLists, type ListOptions, type ListResult } from "./evaluation/topn.js";
export type {
  Click,
  Embeddings,
  FeedbackEvent,
  FriendEdge,
  Gift,
  Id,
  Impression,
  Interaction,
  LiveEvent,
  OffAir,
  OnAir,
  PageView,
  Rating,
  StreamEvent,
  StreamUpdate,
  UserEvent,
  UserUpdate,
  Watch,
} from "./events.js";
export type { ExploreOptions } from "./explore.js";
export { candidateSize, type FeatureOptions, featureVersion, observationSize } from "./features.js";
export type { Filter } from "./filter.js";
export type { InputName } from "./inputs.js";
export type { PendingOptions } from "./pending.js";
export { Baseline, type Choice, Scorer } from "./policies/baseline.js";
export { Bpr, type BprOptions } from "./policies/bpr.js";
export { type ContextOptions, ContextPolicy, type Segment } from "./policies/context.js";
export { ItemKnnPolicy, type ItemKnnPolicyOptions } from "./policies/covisits.js";
export { Ease, type EaseOptions, EasePolicy, type EasePolicyOptions } from "./policies/ease.js";
export { type Affinities, FactorsPolicy, type FactorsPolicyOptions } from "./policies/factors.js";
export { ItemKnn, type ItemKnnOptions } from "./policies/itemknn.js";
export { ItemPop } from "./policies/itempop.js";
export { LinUcb, type LinUcbOptions } from "./policies/linucb.js";
export { PopularPolicy } from "./policies/popular.js";
export { RandomPolicy, RandomRanker } from "./policies/random.js";
export { type DisposablePolicy, POLICIES, type PolicyEntry, type PolicyName } from "./policies/registry.js";
export type { Decision, Policy, Request, TargetPolicy } from "./policy.js";
export type {
  ExportedProfile,
  Interest,
  Pair,
  ProfileOptions,
  Session,
  UserSums,
  UserTraits,
  Visit,
} from "./profile.js";
export {
  DqnRanker,
  type ItemTraits,
  type RankerCallbacks,
  type RankerData,
  type RankerOptions,
  type RankerProgress,
  trainRanker,
} from "./ranker.js";
export * from "./readers/index.js";
export {
  type LearnerOptions,
  type QFunction,
  Recommender,
  type RecommenderOptions,
  type RecommenderStats,
} from "./recommender.js";
export {
  favouritesOf,
  type Query,
  type RetrievalOptions,
  type Retrieved,
  Retriever,
  type Source,
  type SourceShares,
} from "./retrieval.js";
export type { RewardOptions } from "./reward.js";
export type { SavedSay, Share } from "./say.js";
export { EventError, type LoggedDecision, parseDecision, parseEvent, parseRequest } from "./schema.js";
export { UserShares } from "./shares.js";
export {
  affinitySlates,
  clickOracle,
  farsightedOracle,
  InterestEvolution,
  type InterestOptions,
  interestReturns,
  type Latents,
  LiveEnvironment,
  type LiveEnvironmentOptions,
  lifetimeSlates,
  Platform,
  type PlatformHooks,
  type PlatformMetrics,
  type PlatformOptions,
  type PolicyOrOracle,
  qualitySlates,
  randomSlates,
  type Scheduled,
  type SimulationHooks,
  type SimulationResult,
  type SlatePolicy,
  type SlateResult,
  simulate,
  simulatedEvents,
  watchOracle,
} from "./simulator/index.js";
export type { SlateOptions } from "./slate.js";
export { BagOfWords, cosine, tokens } from "./text.js";
export { type SavedTowers, Towers, type Vectors } from "./towers.js";
export { CollaborativeVectors, type SavedVectors, type VectorOptions } from "./vectors.js";
export { WordTrainer, type WordTrainerOptions } from "./words/trainer.js";
export { type SavedWordVectors, WordVectors } from "./words.js";
