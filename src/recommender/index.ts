export {
  Catalog,
  type CatalogStream,
  type Follower,
  type SavedCatalog,
  type StreamEmbeddings,
} from "./catalog.js";
export { type Column, type Encoding, FeatureSet } from "./encoders/index.js";
export {
  type BootstrapOptions,
  bootstrapInterval,
  type Interval,
  interquartileMean,
  mean,
  meanInterval,
  quantile,
} from "./evaluation/intervals.js";
export {
  evaluateRanking,
  hitRate,
  ndcg,
  type Placements,
  place,
  type Ranker,
  type RankingProtocol,
  type RankingScores,
  reciprocalRank,
  topK,
} from "./evaluation/ranking.js";
export {
  byTime,
  type Histories,
  histories,
  type Interactions,
  lastOfEachPair,
  leaveLastOut,
  type Split,
  select,
} from "./evaluation/splits.js";
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
export { candidateSize, featureVersion, observationSize } from "./features.js";
export type { Filter } from "./filter.js";
export type { PendingOptions } from "./pending.js";
export { Bpr, type BprOptions } from "./policies/bpr.js";
export { ItemKnn, type ItemKnnOptions } from "./policies/itemknn.js";
export { ItemPop } from "./policies/itempop.js";
export { PopularPolicy } from "./policies/popular.js";
export { RandomPolicy } from "./policies/random.js";
export type { Decision, Policy, Request } from "./policy.js";
export type { ExportedProfile, Interest, Pair, ProfileOptions, Session, UserSums, Visit } from "./profile.js";
export {
  DqnRanker,
  type ItemTraits,
  type RankerCallbacks,
  type RankerData,
  type RankerOptions,
  type RankerProgress,
  trainRanker,
} from "./ranker.js";
export {
  GENRES,
  type MovieLens,
  type MovieLensFiles,
  type MovieLensItem,
  type MovieLensUser,
  OCCUPATIONS,
  parseMovieLens,
} from "./readers/movielens.js";
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
export { EventError, parseEvent, parseRequest } from "./schema.js";
export {
  clickOracle,
  farsightedOracle,
  type Latents,
  Platform,
  type PlatformMetrics,
  type PlatformOptions,
  type PolicyOrOracle,
  type SimulationHooks,
  type SimulationResult,
  simulate,
  watchOracle,
} from "./simulator/index.js";
export type { SlateOptions } from "./slate.js";
export { cosine, tokens, WordVectors } from "./text.js";
export { type SavedTowers, Towers, type Vectors } from "./towers.js";
export { CollaborativeVectors, type SavedVectors, type VectorOptions } from "./vectors.js";
