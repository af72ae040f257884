import type { DQN } from "../engine/index.js";
import type { SlateTransition } from "./learning/index.js";

/** The interface of an agent that a recommender uses: `DQN`, or a stand-in. */
export interface QFunction
  extends Pick<DQN, "learn" | "save" | "dispose" | "steps" | "updates">,
    Partial<Pick<DQN, "stats" | "choices" | "nothing" | "evaluateParts" | "part" | "copyWeights" | "restoreWeights">> {
  /** The agents of an ensemble, by which `explore.members` explores. */
  readonly members?: readonly Pick<QFunction, "evaluate" | "choices" | "nothing">[];
  observe(transition: SlateTransition): void;
  /**
   * The values of candidates, given that the user enters them; `choices` and `nothing` then hold what belongs to them.
   * `noise`: by weights with new noise. Default false.
   */
  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>, noise?: boolean): Float32Array;
  /**
   * (n, 2), for explanations: of each value what the visit itself, and what the return adds; of another length: not
   * known. Default: not known.
   */
  evaluateParts?(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array;
}
