import type { Id, LiveEvent } from "./events.js";
import type { Explanation, RunnerUp } from "./explanation.js";
import type { Receipt } from "./receipts.js";
import type { Source } from "./sources.js";

/** A user opens the page, or comes back to it after a watch: which streams to show? */
export interface Request {
  /** The user. */
  user: Id;
  /** Milliseconds, on the same clock as the events. */
  now: number;
  /** How many streams to show, at least 1. */
  k: number;
  /** Restricts the choice to these streams; streams not on air are dropped. Default: all on air. */
  candidates?: readonly Id[];
  /** A filter beside the recommender's own. Default: none, but a user's own streams are never shown; see `own`. */
  filter?: Filter;
  /**
   * Whether to explain the decision: all its streams, or only so many of the first. A recommender explains; other
   * policies ignore it. Default false.
   */
  explain?: boolean | number;
}

/** A slate with the probability of each choice: all that off-policy evaluation needs later. */
export interface Decision {
  /** The name of the decision, for its feedback. */
  id: Id;
  /** The user of the request. */
  user: Id;
  /** Time of the request, milliseconds. */
  time: number;
  /** At most k streams, best first; empty when nothing is on air. */
  slate: Id[];
  /** For each position, the probability that the policy put this stream there given the positions before it; (0, 1]. */
  propensities: number[];
  /** The policy's score of each stream of the slate, in its own unit. */
  scores: number[];
  /** For each stream the source that brought it; absent when all possible streams were candidates. */
  sources?: Source[];
  /** Why each stream is shown, in order of the slate; only of a recommender, and only if the request says `explain`. */
  explanations?: Explanation[];
  /** The best streams that are not shown, at most 3, the best first; present with `explanations`. */
  runnersUp?: RunnerUp[];
}

/** The interface of the recommender, the baselines, the evaluator, the simulator and the server. */
export interface Policy {
  readonly name: string;
  /** Chooses a slate. The time of a request is the host's, and counts as right. */
  recommend(request: Request): Decision;
  /**
   * Takes an event, and says what became of it; nothing said: taken. What can never be taken comes back as an EventError.
   *
   * @param now - The host's time, milliseconds: the present for a live platform, the event's own time for a log that is
   *   replayed. Default: the host's latest, by requests and earlier events.
   * @throws EventError for what is no event.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a policy may return nothing.
  feedback(event: LiveEvent, now?: number): Receipt | void;
}

/**
 * A policy with known probabilities of all its choices, for evaluation on the decisions of another policy: `random`,
 * the policies that rank, and a recommender.
 */
export interface TargetPolicy extends Pick<Policy, "name" | "feedback"> {
  /**
   * For each position of another policy's slate, the probability of each stream under this policy, given the slate's
   * earlier streams; absent streams have probability 0. Draws and remembers nothing.
   *
   * @param slate - At most `request.k` streams.
   */
  distributions(request: Request, slate: readonly Id[]): ReadonlyMap<Id, number>[];
}

/** Which streams may be shown at all. An absent field filters nothing. */
export interface Filter {
  /** Only streams in these; a stream of unknown language passes. */
  languages?: string[];
  /** Whether streams for adults only may be shown. Default true. */
  mature?: boolean;
  /** Only streams of some categories, or all except some. */
  categories?: {
    /** Only these. */
    include?: string[];
    /** All except these. */
    exclude?: string[];
  };
  /** Streamers whose streams are never shown. */
  blocked?: Id[];
  /** Streams by their ids. */
  streams?: {
    /** These are never shown. */
    exclude?: Id[];
  };
  /**
   * Whether the user's own streams may be shown: those whose streamer has the id of the user. Default false; true fits
   * a platform on which the ids of users and of streamers have nothing to do with each other.
   */
  own?: boolean;
  /**
   * Streams that the user entered or left in so many milliseconds are not shown, >= 0; a streamer's stream that began
   * after the user's latest visit is. Policies remember the latest 64 streamers of a user, a recommender as many as
   * `profile.pairs` says. Default 0: none of them is left out.
   */
  seenWithinMs?: number;
  /** Least time on air, milliseconds. */
  minAgeMs?: number;
  /** Longest time on air, milliseconds. */
  maxAgeMs?: number;
  /** Least number of viewers. */
  minViewers?: number;
}
