import type { Id, LiveEvent } from "./events.js";

/** A user opens the page, or comes back to it after a watch: which streams to show? */
export interface Request {
  /** The user. */
  user: Id;
  /** Milliseconds, on the same clock as the events. */
  now: number;
  /** How many streams to show, at least 1. */
  k: number;
  /** Restricts the choice to these streams; those not on air are dropped. Default: all that are on air. */
  candidates?: readonly Id[];
  /** What may be shown, beside what the recommender's own filter leaves out. Default: nothing more is left out. */
  filter?: Filter;
}

/** What was chosen, and with which probability: all that off-policy evaluation needs later. */
export interface Decision {
  /** Names the decision in the feedback that belongs to it. */
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
  /** For each stream what brought it among the candidates; missing where all that could be shown were candidates. */
  sources?: Source[];
}

/** What the DQN, every baseline, the evaluator, the simulator and the server speak. Events arrive in order of time. */
export interface Policy {
  readonly name: string;
  recommend(request: Request): Decision;
  feedback(event: LiveEvent): void;
}

/**
 * A policy that says how likely it chooses what, whatever it would draw: so it can be evaluated on what another policy
 * decided. `random`, the policies that rank, and a recommender do.
 */
export interface TargetPolicy extends Pick<Policy, "name" | "feedback"> {
  /**
   * For each position of a slate that another policy chose, the probability with which this one would put each stream
   * there, given the slate's streams before it; streams that are not named have none. Draws and remembers nothing.
   *
   * @param slate - At most `request.k` streams.
   */
  distributions(request: Request, slate: readonly Id[]): ReadonlyMap<Id, number>[];
}

/** What brings candidates, in the order in which they choose: a stream that several would bring counts for the first. */
export const SOURCES = ["favourite", "friend", "newest", "similar", "popular"] as const;

/** Why a stream is among the candidates; `all`: because so few are possible that all of them are. */
export type Source = (typeof SOURCES)[number] | "all";

/** Which streams may be shown at all. What is left out asks nothing. */
export interface Filter {
  /** Only streams in these; a stream whose language was not told passes. */
  languages?: string[];
  /** Whether streams for adults only may be shown. Default true. */
  mature?: boolean;
  /** Only streams of some categories, or of none of some. */
  categories?: {
    /** Only these. */
    include?: string[];
    /** None of these. */
    exclude?: string[];
  };
  /** Streamers of whom nothing is shown. */
  blocked?: Id[];
  /** Least time on air, milliseconds. */
  minAgeMs?: number;
  /** Longest time on air, milliseconds. */
  maxAgeMs?: number;
  /** Least number of viewers. */
  minViewers?: number;
}
