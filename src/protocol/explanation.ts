import type { Id } from "./events.js";
import type { Source } from "./sources.js";

/**
 * What one group of features does for a stream: a figure as it is, less the figure with the group unknown. Unknown are
 * its numbers of the stream and of the user: they are those of a new stream, and of a new user.
 */
export interface GroupEffect {
  /** The name of the group. */
  group: string;
  /** Effect on the value; in units of the reward. */
  value: number;
  /** Effect on the weight of the choice; 0 where the agent knows no weights. */
  choice: number;
  /**
   * Effect on the score, in units of the reward, where the group is unknown for this stream alone and all else is as it
   * is; the effects are sorted by its size, the largest first.
   */
  score: number;
  /** The place by score, from 0, among all shown streams and the runners-up, where the group is unknown for all. */
  rank: number;
}

/** A value, and its parts, whose sum it is but for rounding, where the agent has them. */
export interface ExplainedValue {
  /** In units of the reward, as in `Decision.scores`. */
  total: number;
  /** The part that the visit itself earns. */
  immediate?: number;
  /** The part that comes from the user's return, early or late. */
  return?: number;
}

/** What would change the place of a stream, in units of its score; limits and diversity are left out. */
export interface Margins {
  /**
   * The score that it lacks to that of the stream above; absent for the first one. Negative where exploration, limits or
   * diversity put a lower score above.
   */
  up?: number;
  /** The score that it has more than the stream below; absent for the last one. */
  down?: number;
  /** The score that it has more than `next`; absent without one. */
  out?: number;
  /** The best stream left out that may take its place. */
  next?: Id;
}

/** Plain facts about a stream and a user, for sentences. */
export interface ExplainedFacts {
  streamer: Id;
  category: string;
  /** Milliseconds on air. */
  onAirMs: number;
  viewers: number;
  /** The user's visits to the streamer, and the minutes watched there. */
  visits: number;
  minutes: number;
  /** Whether the user follows the streamer. */
  follows: boolean;
  /** Friends of the user who watch the streamer now. */
  friends: number;
}

/** Why a stream is shown. Plain values: it survives JSON. */
export interface Explanation {
  stream: Id;
  /** Position in the slate, from 0. */
  position: number;
  /** The probability that it got this position, given the ones above; (0, 1]. */
  propensity: number;
  /** Whether exploration put it here: by scores alone another stream would have this position. */
  explored: boolean;
  /** Every source that proposed it, the one that it counts for first. */
  sources: Source[];
  /** What values come from: `learned`: the agent; `viewers`: log(1 + viewers), while the agent has learned too little. */
  basis: "learned" | "viewers";
  /** The value, given that the user enters it. */
  value: ExplainedValue;
  /**
   * The weight of the stream in the user's choice, > 0, where entering nothing weighs 1; and the probability that the
   * user enters it from this slate, [0, 1]. Absent where the agent knows no weights.
   */
  choice?: { weight: number; chance: number };
  /** The value of the request: that of its best slate, limits aside. Absent where the agent knows no weights. */
  slateValue?: number;
  /** value.total - slateValue: how much better off the user's future is with this entry. Absent with `slateValue`. */
  advantage?: number;
  /**
   * What an entry adds to the value of the request, in expectation: choice.chance * advantage, in units of the reward;
   * slates are chosen by it. Without weights the value. Bonuses of exploration are left out.
   */
  score: number;
  /** The effect of each group of features, by exact occlusion, the strongest first; empty unless `learned`. */
  groups: GroupEffect[];
  /** The group without which its place by score would change most; absent where none changes it. */
  decisive?: string;
  margins: Margins;
  facts: ExplainedFacts;
}

/**
 * Why a stream is left out: by its `score`, or in spite of it by an option of the slate; by `diversity`, also where
 * exploration had a part in it; by `explore` alone.
 */
export type LeftOutBy = "score" | "perStreamer" | "perCategory" | "seenMax" | "diversity" | "explore";

/** One of the best streams that are not shown. */
export interface RunnerUp {
  stream: Id;
  /** As in `Explanation`. */
  score: number;
  /** The lowest score of a shown stream, less its own; negative where the score alone would show it. */
  deficit: number;
  reason: LeftOutBy;
}
