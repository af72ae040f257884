export {
  arithmeticMean,
  type BootstrapOptions,
  bootstrapInterval,
  type Figure,
  gini,
  groupOf,
  type Interval,
  interquartileMean,
  type ListScores,
  meanInterval,
  medianInterval,
  type ResampleOptions,
  scoreList,
  Tally,
  wilsonInterval,
} from "../statistics/index.js";
export { ABLog, type ABLogOptions, type SavedABLog } from "./abtest/ablog.js";
export { ArmAssignment, type ArmAssignmentOptions, type TestArm } from "./abtest/arms.js";
export type { SampleRatioMismatch } from "./abtest/mismatch.js";
export { type ABResult, type ABStatus, ABTest, type ABTestOptions, type SavedABTest } from "./abtest/sequential.js";
export { SplitPolicy } from "./abtest/split.js";
export { areaUnderCurve, type ClassificationScores, classificationScores, logLoss } from "./classification.js";
export {
  type CompleteLogOptions,
  type CompletionCounts,
  completeLog,
  LogCompleter,
  type LogContents,
} from "./decisions/complete.js";
export { isEvent, type LogEntry, type TimedEntry, Timekeeper, timed } from "./decisions/entries.js";
export { mergeDecisions } from "./decisions/merged.js";
export type { StreamFacts } from "./decisions/onair.js";
export {
  cosineSimilarity,
  intraListSimilarity,
  personalisation,
  type SimilarityFunction,
  traitSimilarity,
} from "./diversity.js";
export { whyUntrained } from "./fromlog/causes.js";
export { groupsWithData } from "./fromlog/groups.js";
export { type LearnEpoch, type LearnedFromLog, learnFromLog } from "./fromlog/learn.js";
export type { LearnFromLogOptions, LearnProgress } from "./fromlog/options.js";
export { logSettings } from "./fromlog/settings.js";
export { type LogSource, OpenedLog } from "./fromlog/source.js";
export { LogTeacher } from "./fromlog/teacher.js";
export { LogTrial } from "./fromlog/trial.js";
export type { Validation } from "./fromlog/validation.js";
export { LiveMetrics, type LiveMetricsOptions } from "./live.js";
export { type BanditOptions, evaluateBandit, itemShares } from "./offpolicy/bandit.js";
export { type LoggedChoice, type OffPolicyEstimateOptions, OffPolicyEstimates } from "./offpolicy/estimates.js";
export { OffPolicyLog, type OffPolicyOptions } from "./offpolicy/offpolicylog.js";
export { RewardModel, type RewardModelOptions } from "./offpolicy/rewards.js";
export {
  evaluateRanking,
  type HeldOutPlacements,
  hitRate,
  ndcg,
  placeHeldOut,
  type Ranker,
  type RankingProtocol,
  type RankingScores,
  rankingFigures,
  reciprocalRank,
} from "./ranking.js";
export { evaluateLog, LogReplay, type LogReplayOptions, type LogReplayResult, type RankingPolicy } from "./replay.js";
export { type DecisionStep, ReturnLog, type ReturnOptions } from "./returns.js";
export {
  type AttackOptions,
  type AttackResult,
  attackRanking,
  type RankingState,
  type ScoreFunction,
} from "./robustness/attack.js";
export { CASE_SLICES, type SliceOptions } from "./slices.js";
export { ExaminedAgent, type TargetNetwork, tdError, tdErrors } from "./tderrors.js";
export { evaluateLists, type ListEvaluation, type ListEvaluationOptions } from "./topn.js";
