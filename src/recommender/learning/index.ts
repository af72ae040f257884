export { type DenseTransition, type NextState, Pending, type PendingOptions, type SavedPending } from "./pending.js";
export { emptyOutcome, isBounce, type Outcome, Reward, type RewardOptions, record } from "./reward.js";
export { UserShares } from "./shares.js";
