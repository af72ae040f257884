import type { ResolvedContinuousOptions, ResolvedOptions } from "../../engine/index.js";
import type { Experience } from "../driver.js";

/** What an actor needs to begin. */
export interface Beginning {
  index: number;
  /** How many actors there are. */
  actors: number;
  /** Of episodes, as the option of `train`. */
  seed: number;
  /** Steps in a chunk. */
  chunk: number;
  /** The learner's, without what is undefined. */
  options: ResolvedOptions | ResolvedContinuousOptions;
}

/** The weights for the next chunk, and the learner's steps when it gave them. */
export interface Turn {
  weights: Float32Array;
  steps: number;
}

/** An episode that ended in a chunk. */
export interface Ended {
  /** Which step of the chunk was its last. */
  at: number;
  return: number;
  length: number;
}

/** Steps of an actor, in order. */
export interface Chunk {
  experiences: Experience[];
  ended: Ended[];
}

/** To an actor. */
export type ToActor = { begin: Beginning; turn: Turn } | { turn: Turn };

/** From an actor: it listens, took its steps, or failed. */
export type FromActor = "ready" | { chunk: Chunk } | { error: string };
