/**
 * What both sides of the boundary must agree on. Portable TypeScript: compiled by asc and imported by src/.
 * Any change here is a change of the ABI: raise ABI_VERSION.
 */
export const ABI_VERSION = 3;

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
  /** `observe`: a candidate that was chosen from. */
  BadSet = 11,
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
  /** First and second moments of Adam, laid out as Gradient, one after the other. */
  Moments = 4,
  /** capacity rows of one transition each. */
  Replay = 5,
  /** (observation) words: input of act, evaluate and observe. Words: numbers, then indices i32, then their weights. */
  Observation = 6,
  /** (observation): input of observe. */
  NextObservation = 7,
  /** (max, features) words: input of act and evaluate; of observe, those that were chosen from, with Flag.Sets. */
  Candidates = 8,
  /** (features): the chosen candidate, input of observe. */
  Candidate = 9,
  /** (next, features): input of observe. */
  NextCandidates = 10,
  /** u8 (actions): 1 = available, input of act and evaluate; of observe with Flag.Sets. */
  Mask = 11,
  /** u8 (actions): input of observe. */
  NextMask = 12,
  /** (max) or (actions): output of evaluate. */
  Values = 13,
  /** (batch): TD errors of the last update, prediction minus target. */
  TdErrors = 14,
  /** Gradient of the last update, same layout as Online without its running statistics. */
  Gradient = 15,
  /** The sum tree of priorities, with Flag.Prioritized. */
  Priorities = 16,
  /** i32 (batch): rows of the replay that the last update drew. */
  Sampled = 17,
  /** (batch): importance weights of the last update, with Flag.Prioritized. */
  Weights = 18,
  /** Weights as the last update or act read them: with their noise, or with batch normalisation folded in. */
  Block = 19,
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
  /** The value of the state has a stream of its own. */
  Dueling = 16,
  /** Munchausen's targets. */
  Munchausen = 32,
  /** A conservative term. */
  Conservative = 64,
  /** Weights carry noise. */
  Noisy = 128,
  /** Transitions keep what their action was chosen from: needed by Dueling, Munchausen and Conservative. */
  Sets = 256,
}

/** How hidden layers are normalised before their ReLU. */
export enum Normalization {
  None = 0,
  Layer = 1,
  Batch = 2,
}

/** Indices into the i32 at `sizes()`, written before `create`. */
export enum Size {
  Flags = 0,
  /** Dense numbers of an observation, index slots, and the rows that they index. */
  Observation = 1,
  Slots = 2,
  Indexed = 3,
  /** The number of actions; 0 in candidate mode. */
  Actions = 4,
  /** The same of a candidate. */
  Features = 5,
  FeatureSlots = 6,
  FeatureIndexed = 7,
  /** The most candidates of one act, and in a set that a transition keeps. */
  MaxCandidates = 8,
  NextCandidates = 9,
  /** Values for each action. */
  Quantiles = 10,
  Normalization = 11,
  Batch = 12,
  Capacity = 13,
  NStep = 14,
  /** Sequences of experience that are fed at once. */
  Environments = 15,
  /** How many hidden layers; their MAX_HIDDEN widths follow. */
  Hidden = 16,
  Widths = 17,
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
  /** Six u64 words follow: state and increment of the generators of samples, of exploration, and of noise and dropout. */
  Rng = 8,
  Count = 14,
}

/** The most hidden layers that a network may have. */
export const MAX_HIDDEN = 8;
