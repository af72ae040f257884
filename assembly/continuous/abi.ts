/**
 * The constants that both sides of the boundary of the continuous agent share beside those of ../abi.ts. Portable TypeScript:
 * compiled by asc and imported by src/. Any change here is a change of the ABI.
 */

/** Never that of a DQN's module. */
export const ABI_VERSION = 1004;

/** Bound of a step of correlated noise, in standard deviations: none is ever that far. */
export const NOISE_MAX = 100;

/** Indices into Region.State of a continuous agent, f64 each; all are integers below 2^53 but the powers. */
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
