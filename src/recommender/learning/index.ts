export { type Agreement, AgreementMeter, type Compared, kendall, type SavedAgreement } from "./agreement.js";
export { examined, Objective, type ReturnOptions, type SlateTransition } from "./objective.js";
export { drawSome } from "./offered.js";
export { Pace, type PaceOptions, type SavedPace } from "./pace.js";
export {
  type ClosedDecision,
  type DecisionRows,
  type KnownDecision,
  type NextState,
  Pending,
  type PendingDecision,
  type PendingOptions,
  PendingReader,
  type RowSizes,
  type SavedPending,
  type ShownStream,
  TIMES,
} from "./pending.js";
export {
  emptyOutcome,
  hasActed,
  isBounce,
  type Outcome,
  Reward,
  type RewardOptions,
  record,
  type SignalOptions,
} from "./reward.js";
export { UserShares } from "./shares.js";
