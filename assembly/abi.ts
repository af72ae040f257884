/**
 * The constants that both sides of the boundary share. Portable TypeScript: compiled by asc and imported by src/.
 * Any change here is a change of the ABI: raise ABI_VERSION.
 */
export const ABI_VERSION = 14;

/**
 * Bounds of |x|, refused beyond. Squares of f32 leave its range at 1.8e19, and an infinite second moment freezes its
 * weight without any NaN: inputs and rewards are held where gradients of ordinary weights stay far below that.
 */
/** Of a dense number of an observation or a candidate, and of an index's weight. */
export const INPUT_MAX = 1e6;
/** Of a dense number that is stored as a half: the largest there is. */
export const HALF_MAX = 65504;
/** Of a reward, scaled and clipped; and of an n-step return: 64 of the former, rounded up. */
export const REWARD_MAX = 1e6;
export const RETURN_MAX = 1e8;
/** Of a trained weight: Adam's steps end here too. */
export const WEIGHT_MAX = 1e9;
/** Bound of a running mean or variance: the square of sums with weights and inputs at their bounds, still finite. */
export const STATISTIC_MAX = 1e31;
/** Of the gradient's norm behind clipping: an update beyond is skipped. So moments stay below the next two bounds. */
export const GRADIENT_MAX = 1e18;
export const MOMENT_MAX = 1e19;
export const SQUARE_MAX = 1e37;

/** Results of `create`, `observe` and `restore`. */
export enum Status {
  Ok = 0,
  /** `create`: the arena would end beyond the 4 GiB of a 32-bit memory; nothing was taken. */
  TooLarge = 1,
  /** `create`: the host refused to grow the memory. */
  OutOfMemory = 2,
  /** `restore`: a counter is out of its bounds. */
  BadCounter = 4,
  /** `restore`, `checkWeights`: a weight, a moment or a stored transition is not finite, or beyond its bound. */
  NotFinite = 5,
  /** `observe`, `act`, `evaluate`: the named region holds NaN or a number out of its bounds; nothing has changed. */
  BadObservation = 6,
  BadNextObservation = 7,
  BadCandidate = 8,
  BadNextCandidates = 9,
  /** `observe`: the reward or a sum of rewards is NaN or beyond its bound. */
  BadReturn = 10,
  /** `observe`: a candidate that was chosen from. */
  BadSet = 11,
}

/** What `inspect` looks through: each also what stands before it. */
export enum Check {
  Counters = 0,
  /** Parameters and moments. */
  Weights = 1,
  /** The replay, waiting steps and priorities. */
  All = 2,
}

/** Arguments of `region(id)` and `regionBytes(id)`: 0 bytes where a kind of agent has none. Tensors are f32, row-major, unless noted. */
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
  /** (max, features) words: input of act and evaluate; of observe, the ones offered, with Flag.Sets. */
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
  /** f64 figures of the last update and running sums, see Stat. */
  Stats = 20,
  /** (batch, quantiles): predictions of the last update. */
  Predictions = 21,
  /** f64 that calls read, see Scalar. */
  Scalars = 22,
  /** With slates, output of evaluate: (max) weights of the choice, and Q of nothing (1). */
  Choices = 23,
  Nothing = 24,
  /** i32 (slate): output of actSlate. */
  Slate = 25,
  /** With slates, of the candidates that evaluate or a greedy actSlate saw last: (max, parts, quantiles) values. */
  Parts = 26,
  /** (batch, observation) words: input of actBatch and evaluateBatch; an update overwrites it. */
  States = 27,
  /** Candidates of all these states, one after the other; and i32 (batch) how many each has. */
  Sets = 28,
  Counts = 29,
  /** u8 (batch, actions): 1 = available; f64 (batch) probabilities of a random action: inputs of actBatch. */
  Masks = 30,
  Epsilons = 31,
  /** (all candidates) or (batch, actions): output of evaluateBatch. */
  BatchValues = 32,
  /** i32 (batch): output of actBatch. */
  Actions = 33,
  /** Of a continuous agent: (environments, actions) of the next exploration noise of each, in standard deviations. */
  Noise = 34,
  /** (actions) in [-1, 1]: output of its act; input of evaluate and observe. Its values are (critics). */
  Action = 35,
  /** (batch): its targets in the last update. */
  Targets = 36,
  /** f64 (max) or (actions), with Flag.Boltzmann: the probabilities by which act drew last. */
  Propensities = 37,
  Count = 38,
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
  /** Transitions keep what was offered: needed by Munchausen, Conservative, and slates; set with Dueling too, as in older files. */
  Sets = 256,
  /** Actions are drawn by a softmax of their values. */
  Boltzmann = 512,
  /** What is predicted from is moved against the loss, see Scalar.Adversarial. */
  Adversarial = 1024,
  /** Observations and rewards are normalised by what was observed. */
  RunningObservations = 2048,
  RunningRewards = 4096,
}

/** What hidden layers end with. */
export enum Activation {
  Relu = 0,
  Tanh = 1,
  Gelu = 2,
  Linear = 3,
}

/** How hidden layers are normalised before that. */
export enum Normalization {
  None = 0,
  Layer = 1,
  Batch = 2,
}

/** How the replay keeps dense numbers: in 4 >> storage bytes. */
export enum Storage {
  F32 = 0,
  F16 = 1,
  /** 255 steps between the bounds. */
  U8 = 2,
}

/** Indices into the i32 at `sizes()`, written before `create`. */
export enum Size {
  Flags = 0,
  /** Dense numbers of an observation, index slots, and the rows that they index. */
  Observation = 1,
  Slots = 2,
  Indexed = 3,
  /** The number of actions; 0 in candidate mode. Of a continuous agent, the numbers of an action. */
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
  /** How the replay keeps dense numbers, see Storage. */
  Storage = 16,
  /** Candidates of a slate; 0 where one is chosen alone. */
  Slate = 17,
  /** Parts of a reward, each with values of its own; 1 but with slates. */
  Parts = 18,
  /** Of a continuous agent, 1 or 2. */
  Critics = 19,
  /** Of hidden layers, see Activation. */
  Activation = 20,
  /** How many hidden layers; their MAX_HIDDEN widths follow. */
  Hidden = 21,
  Widths = 22,
}

/** Indices into Region.State of a DQN, f64 each; all are integers below 2^53 but the two powers. */
export enum State {
  /** Transitions observed since creation. */
  Steps = 0,
  /** Updates committed. */
  Updates = 1,
  /** Updates dropped because the loss, the gradient or a statistic was not finite or beyond its bound. */
  Skipped = 2,
  /** Transitions in the replay. */
  Size = 3,
  /** Where the next transition goes. */
  Head = 4,
  /** beta1^t and beta2^t of Adam. */
  Beta1Power = 5,
  Beta2Power = 6,
  /** Largest priority so far, which new transitions get. */
  MaxPriority = 7,
  /** Six u64 words follow: state and increment of the generators of samples, of exploration, and of noise and dropout. */
  Rng = 8,
  /** Steps at the last update that was dropped; 0 if none was. Lies where the span was padded before. */
  SkippedStep = 14,
  Count = 15,
}

/**
 * Indices into Region.Scalars, f64 each: the numbers that calls take, written before. As arguments they would be boxed by
 * JavaScript engines, an object each.
 */
export enum Scalar {
  /** `act`: probability of a random action; of a continuous agent, the standard deviation of the noise on it. */
  Exploration = 0,
  /** `observe`: the most candidates of the next state's slate. */
  NextSlate = 1,
  /** `observe`. */
  Discount = 2,
  /** `learn`, from here on. */
  LearningRate = 3,
  Beta1 = 4,
  Beta2 = 5,
  AdamEpsilon = 6,
  WeightDecay = 7,
  MaxGradNorm = 8,
  /** Updates between two moves of the target; of a continuous agent, also between two of the actor. */
  TargetEvery = 9,
  Tau = 10,
  PriorityExponent = 11,
  ImportanceExponent = 12,
  Dropout = 13,
  /** Weight of the conservative term. */
  Conservative = 14,
  /** Munchausen's factor, temperature and clip. */
  Munchausen = 15,
  Temperature = 16,
  Clip = 17,
  /** Weight of the loss of the choice model. */
  ChoiceWeight = 18,
  /** `observe`: the parts of the reward, up to MAX_PARTS. */
  Reward = 19,
  /** `learn`: how many units of each hidden layer, the last ones, stay as they are. */
  FrozenUnits = 27,
  /** `learn`: how far each number that is predicted from is moved where the loss rises. */
  Adversarial = 28,
  /** Of a continuous agent. `act`: correlation of two steps of its noise. */
  Correlation = 29,
  /** `learn`: standard deviation and bound of the noise on the targets' actions. */
  TargetNoise = 30,
  TargetNoiseClip = 31,
  ActorLearningRate = 32,
  /** `act`, exploring, with Flag.Boltzmann: temperature of the softmax; 0 for the best action. */
  Boltzmann = 33,
  /** `observe`, with Flag.RunningRewards: discount of the returns whose deviation is measured. */
  Gamma = 34,
  Count = 35,
}

/** Indices into Region.Stats, f64 each: since creation or restore, not saved. */
export enum Stat {
  /** Updates tried. */
  Tried = 0,
  /** Loss and norm of the gradient before clipping, of the last update, dropped or not. */
  Loss = 1,
  GradientNorm = 2,
  /** Whether its batch was drawn by priorities. */
  IsWeighted = 3,
  /** Sums over committed updates, each of which scales the sum before it by STAT_DECAY: loss, 1 where clipped, and 1. */
  LossSum = 4,
  ClippedSum = 5,
  WeightSum = 6,
  /** Of the last update of a continuous agent's actor: mean value of its actions, and norm of its gradient. */
  ActorValue = 7,
  ActorGradientNorm = 8,
  Count = 9,
}

export const STAT_DECAY = 0.99;

/** The most hidden layers that a network may have. */
export const MAX_HIDDEN = 8;

/** The most parts of a reward. */
export const MAX_PARTS = 8;
