export { ABLog, type ABLogOptions, type SavedABLog } from "./abtest/ablog.js";
export { type Arm, Arms, type ArmsOptions } from "./abtest/arms.js";
export { chiSquareTail, type Mismatch, MismatchTest } from "./abtest/mismatch.js";
export { type ABResult, type ABStatus, ABTest, type ABTestOptions, type SavedABTest } from "./abtest/sequential.js";
export { SplitPolicy } from "./abtest/split.js";
export { areaUnderCurve, type Judgement, judge, logLoss } from "./classification.js";
export {
  cosineSimilarity,
  intraListSimilarity,
  personalisation,
  type Similarity,
  selfInformation,
  traitSimilarity,
} from "./diversity.js";
export { LiveMetrics, type LiveOptions } from "./live.js";
export { type BanditOptions, evaluateBandit, itemShares } from "./offpolicy/bandit.js";
export { type EstimateOptions, Estimates, type LoggedChoice } from "./offpolicy/estimates.js";
export { OffPolicyLog, type OffPolicyOptions } from "./offpolicy/offpolicylog.js";
export { RewardModel, type RewardModelOptions } from "./offpolicy/rewards.js";
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
} from "./ranking.js";
export { evaluateLog, type RankingPolicy, Replay, type ReplayOptions, type ReplayResult } from "./replay.js";
export { compareReturns, type Realised, ReturnLog, type ReturnOptions, realisedReturns, type Step } from "./returns.js";
export { SLICES, type SliceOptions } from "./slices.js";
export { ExaminedAgent, type Judge, tdError, tdErrors } from "./tderrors.js";
export { evaluateLists, type ListOptions, type ListResult } from "./topn.js";
