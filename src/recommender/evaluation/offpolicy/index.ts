export { type BanditOptions, evaluateBandit, itemShares } from "./bandit.js";
export { type EstimateOptions, Estimates, type LoggedChoice } from "./estimates.js";
export { OffPolicyLog, type OffPolicyOptions } from "./log.js";
export { RewardModel, type RewardModelOptions } from "./rewards.js";
