/**
 * The constants that both sides of the boundary of the int8 module share. Portable TypeScript: compiled by asc and imported
 * by src/. Status and Normalization are those of ../abi.ts. Any change here is a change of the ABI.
 */
export const ABI_VERSION = 1;

/** The most dense inputs of a layer: sums of so many products of weights and 8-bit numbers are exact in 32 bits. */
export const INPUTS_MAX = 131072;

/** The most of which the same holds with numbers of 16 bits: padded to 8, with weights down to -128. */
export const WIDE = 512;

/**
 * First layers with at most so many dense inputs have weights of two digits, for their errors have no others to cancel with: each
 * input stands there twice, the second time divided by FINE, and so do the digits.
 */
export const FEW = 32;
export const FINE = 254;

/** Bound of the absolute value of a parameter in f32. */
export const PARAMETER_MAX = 1e9;

/** Arguments of `region(id)` and `regionBytes(id)`. Tensors are f32, row-major, unless noted. */
export enum Region {
  /** All that a file holds: the parameters of each layer, one after the other. */
  Parameters = 0,
  /** (observation) words: input of evaluate. Words: numbers, then indices i32, then their weights. */
  Observation = 1,
  /** (ROWS, observation) words: input of evaluateRows. */
  Observations = 2,
  /** (max, features) words: input of evaluate. */
  Candidates = 3,
  /** u8 (actions): 1 = available, input of best. */
  Mask = 4,
  /** (max) or (ROWS, actions): output of evaluate and evaluateRows. */
  Values = 5,
  /** With slates, output of evaluate: (max) weights of the choice, and Q of nothing (1). */
  Choices = 6,
  Nothing = 7,
  Count = 8,
}

/** Rows that evaluateRows takes at once, and that go through the network together. */
export const ROWS = 64;

/** Indices into the i32 at `sizes()`, written before `create`. */
export enum Size {
  /** Dense numbers of an observation, index slots, and the rows that they index. */
  Observation = 0,
  Slots = 1,
  Indexed = 2,
  /** The number of actions; 0 in candidate mode. */
  Actions = 3,
  /** The same of a candidate. */
  Features = 4,
  FeatureSlots = 5,
  FeatureIndexed = 6,
  /** The most candidates of one call. */
  MaxCandidates = 7,
  /** Values for each action, over all parts of a reward, and these parts. */
  Quantiles = 8,
  Parts = 9,
  /** 1: candidates carry a weight in the choice of a slate. */
  Slate = 10,
  /** 1: hidden layers are normalised over their outputs. */
  Normalized = 11,
  /** 1: the value of the state has a stream of its own. */
  Dueling = 12,
  /** How many hidden layers; their MAX_HIDDEN widths follow. */
  Hidden = 13,
  Widths = 14,
}

/** A layer's parameters, in the order in which they lie: arguments of `place`. n: outputs padded to 4, k: inputs to 8. */
export enum Vector {
  /** 1 / step: (k) of the observation and of a candidate, or, of a layer behind another, one number four times. */
  Inverse = 0,
  CandidateInverse = 1,
  /** (n): value of one unit of a sum of products; of an index row's weight, of the observation's and of a candidate's. */
  Scale = 2,
  IndexScale = 3,
  CandidateIndexScale = 4,
  Bias = 5,
  /** (n), with Normalized, of hidden layers. */
  Gain = 6,
  Shift = 7,
  /** i8: panels of weights, see dots.ts, of the observation and of a candidate. */
  Weights = 8,
  CandidateWeights = 9,
  /** i8 (size, n): rows of the indices. */
  IndexRows = 10,
  CandidateIndexRows = 11,
  Count = 12,
}
