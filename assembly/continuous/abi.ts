/**
 * The constants that both sides of the boundary of the continuous agent share. Portable TypeScript: compiled by asc and
 * imported by src/. Status, Check and all bounds are those of ../abi.ts. Any change here is a change of the ABI.
 */
export const ABI_VERSION = 1;

/** Bound of a step of correlated noise, in standard deviations: none is ever that far. */
export const NOISE_MAX = 100;

/** Arguments of `region(id)` and `regionBytes(id)`. Tensors are f32, row-major, unless noted. Actions lie in [-1, 1]. */
export enum Region {
  /** All that a snapshot holds: state, noise, online, target, moments, waiting steps, replay, in order. */
  Persistent = 0,
  /** f64 counters, see State. */
  State = 1,
  /** (environments, actions): the next exploration noise of each, in standard deviations, of correlated noise. */
  Noise = 2,
  /** Parameters: the actor, then the critics. */
  Online = 3,
  Target = 4,
  /** First moments of Adam, laid out as Online, then second ones. */
  Moments = 5,
  /** capacity rows of one transition each. */
  Replay = 6,
  /** (observation): input of act, evaluate and observe. */
  Observation = 7,
  /** (observation): input of observe. */
  NextObservation = 8,
  /** (actions): output of act; input of evaluate and observe. */
  Action = 9,
  /** (critics): output of evaluate. */
  Values = 10,
  /** (batch): TD errors of the first critic in the last update, prediction minus target. */
  TdErrors = 11,
  /** Gradient of the last update, laid out as Online. */
  Gradient = 12,
  /** i32 (batch): rows of the replay that the last update drew. */
  Sampled = 13,
  /** (batch): targets of the last update. */
  Targets = 14,
  /** f64 figures, see Stat. */
  Stats = 15,
  /** f64 that calls read, see Scalar. */
  Scalars = 16,
  Count = 17,
}

/** Indices into the i32 at `sizes()`, written before `create`. */
export enum Size {
  Observation = 0,
  /** Numbers of an action. */
  Actions = 1,
  /** 1 or 2. */
  Critics = 2,
  /** None or Layer, see Normalization of ../abi.ts. */
  Normalization = 3,
  Batch = 4,
  Capacity = 5,
  NStep = 6,
  Environments = 7,
  /** How the replay keeps observations, see Storage of ../abi.ts. */
  Storage = 8,
  /** 1: squared loss instead of Huber's. */
  Squared = 9,
  /** How many hidden layers; their MAX_HIDDEN widths follow. */
  Hidden = 10,
  Widths = 11,
}

/** Indices into Region.State, f64 each; all are integers below 2^53 but the powers. */
export enum State {
  /** Transitions observed since creation. */
  Steps = 0,
  /** Updates of the critics that were committed, and of the actor. */
  Updates = 1,
  ActorUpdates = 2,
  /** Updates of either that were dropped because the loss or the gradient was not finite or beyond its bound. */
  Skipped = 3,
  /** Steps at the last one that was dropped; 0 if none was. */
  SkippedStep = 4,
  /** Transitions in the replay. */
  Size = 5,
  /** Where the next transition goes. */
  Head = 6,
  /** beta1^t and beta2^t of Adam, of the critics and of the actor. */
  Beta1Power = 7,
  Beta2Power = 8,
  ActorBeta1Power = 9,
  ActorBeta2Power = 10,
  /** Six u64 words follow: state and increment of the generators of samples, of exploration, and of targets. */
  Rng = 11,
  Count = 17,
}

/** How `act` explores. */
export enum Explore {
  /** Not at all. */
  Greedy = 0,
  /** By noise on the actor's action. */
  Noise = 1,
  /** By an action that is drawn uniformly. */
  Uniform = 2,
}

/** Indices into Region.Scalars, f64 each: the numbers that calls take, written before. */
export enum Scalar {
  /** `act`: standard deviation of its noise, and the correlation of two steps of it. */
  Noise = 0,
  Correlation = 1,
  /** `observe`. */
  Discount = 2,
  Reward = 3,
  /** `learn`, from here on. */
  LearningRate = 4,
  ActorLearningRate = 5,
  Beta1 = 6,
  Beta2 = 7,
  AdamEpsilon = 8,
  WeightDecay = 9,
  MaxGradNorm = 10,
  /** Updates of the critics for one of the actor and one move of the targets. */
  PolicyDelay = 11,
  Tau = 12,
  /** Standard deviation and bound of the noise on the target's actions. */
  TargetNoise = 13,
  TargetNoiseClip = 14,
  Count = 15,
}

/** Indices into Region.Stats, f64 each: since creation or restore, not saved. */
export enum Stat {
  /** Updates tried. */
  Tried = 0,
  /** Of the last update, dropped or not: loss and norm of the critics' gradient before clipping. */
  Loss = 1,
  GradientNorm = 2,
  /** Of the last update of the actor: mean value of its actions, and norm of its gradient. */
  ActorValue = 3,
  ActorGradientNorm = 4,
  /** Sums over committed updates, each of which scales the sum before it by STAT_DECAY: loss, and 1. */
  LossSum = 5,
  WeightSum = 6,
  Count = 7,
}
