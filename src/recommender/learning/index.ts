export {
  type ClosedDecision,
  type DenseTransition,
  type NextState,
  Pending,
  type PendingOptions,
  type SavedPending,
  type ShownStream,
} from "./pending.js";
export {
  emptyOutcome,
  isBounce,
  type Outcome,
  Reward,
  type RewardOptions,
  record,
  type SignalOptions,
} from "./reward.js";
export { UserShares } from "./shares.js";
