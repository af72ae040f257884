/**
 * What both sides of the boundary must agree on. Portable TypeScript: compiled by asc and imported by src/.
 * Any change here is a change of the ABI: raise ABI_VERSION.
 */
export const ABI_VERSION = 2;

/** What `create`, `observe` and `restore` answer. */
export enum Status {
  Ok = 0,
  /** `create`: the arena would end beyond the 4 GiB of a 32-bit memory; nothing was taken. */
  TooLarge = 1,
  /** `create`: the host refused to grow the memory. */
  OutOfMemory = 2,
  /** `create`: more layers than the struct block holds, or a size below 1. */
  BadShape = 3,
  /** `restore`: a counter is out of its bounds. */
  BadCounter = 4,
  /** `restore`: a weight, a moment or a stored transition is not finite. */
  NotFinite = 5,
  /** `observe`, `act`, `evaluate`: the tensor in the named region holds NaN or an infinity; nothing was stored. */
  BadObservation = 6,
  BadNextObservation = 7,
  BadCandidate = 8,
  BadNextCandidates = 9,
  /** `observe`: a sum of rewards leaves the range of f32. */
  BadReturn = 10,
}

/** What `region(id)` and `regionBytes(id)` can be asked for. Tensors are f32, row-major, unless said. */
export enum Region {
  /** All that a snapshot holds: state, online, target, moments, waiting steps, priorities, replay, in order. */
  Persistent = 0,
  /** f64 counters, see State. */
  State = 1,
  /** Online parameters, in the layout of network.ts. */
  Online = 2,
  /** Target parameters, same layout. */
  Target = 3,
  /** First and second moments of Adam, same layout, one after the other. */
  Moments = 4,
  /** capacity rows of one transition each. */
  Replay = 5,
  /** (observation): input of act, evaluate and observe. */
  Observation = 6,
  /** (observation): input of observe. */
  NextObservation = 7,
  /** (max, features): input of act and evaluate. */
  Candidates = 8,
  /** (features): the chosen candidate, input of observe. */
  Candidate = 9,
  /** (next, features): input of observe. */
  NextCandidates = 10,
  /** u8 (actions): 1 = available, input of act. */
  Mask = 11,
  /** u8 (actions): input of observe. */
  NextMask = 12,
  /** (max) or (actions): output of evaluate. */
  Values = 13,
  /** (batch): TD errors of the last update, prediction minus target. */
  TdErrors = 14,
  /** Gradient of the last update, same layout as Online. */
  Gradient = 15,
  /** The sum tree of priorities, with Flag.Prioritized. */
  Priorities = 16,
  /** i32 (batch): rows of the replay that the last update drew. */
  Sampled = 17,
  /** (batch): importance weights of the last update, with Flag.Prioritized. */
  Weights = 18,
}

/** Bits of `create`'s flags. */
export enum Flag {
  Double = 1,
  /** Squared loss instead of Huber's. */
  Squared = 2,
  /** Actions carry an availability mask. */
  Masked = 4,
  /** Rows are drawn in proportion to their priorities. */
  Prioritized = 8,
}

/** Indices into Region.State, f64 each; all are integers below 2^53 but the two powers. */
export enum State {
  /** Transitions observed since creation. */
  Steps = 0,
  /** Updates committed. */
  Updates = 1,
  /** Updates dropped because the gradient was not finite. */
  Skipped = 2,
  /** Transitions in the replay. */
  Size = 3,
  /** Where the next transition goes. */
  Head = 4,
  /** beta1^t and beta2^t of Adam. */
  Beta1Power = 5,
  Beta2Power = 6,
  /** Largest priority so far: that of new transitions. */
  MaxPriority = 7,
  /** Four u64 words follow: state and increment of the sampling and of the exploration generator. */
  Rng = 8,
  /** Steps that wait for their n-step return. */
  Waiting = 12,
  Count = 13,
}

/** The most hidden layers that a network may have. */
export const MAX_HIDDEN = 8;
