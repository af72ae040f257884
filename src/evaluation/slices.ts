import { nonNegativeInteger, type Rules } from "../check/index.js";
import type { FeedbackEvent, Heartbeat, Id, Impression, LiveEvent, PageView } from "../protocol/index.js";

/**
 * An event that a user causes. Impressions are shown to a user, heartbeats become the watch that they report; `user` and friendship events may come from an import.
 */
export type UserAction = Exclude<FeedbackEvent, Impression | Heartbeat> | PageView;

export function isUserAction(event: LiveEvent): event is UserAction {
  if (event.kind === "impression" || event.kind === "heartbeat") return false;
  return event.kind === "page_view" || ("user" in event && "stream" in event);
}

/**
 * The slices of every figure, in the order of the bits of a case.
 *
 * - `repeat`, `novel`: whether the user had visited this streamer before. Half of all visits are repeats, and far
 *   easier to predict (Rappaz et al. 2021, "Recommendation on Live-Streaming Platforms"): a mean of both hides either.
 * - `new_user`, `known_user`: by the number of the user's events so far.
 * - `new_streamer`, `known_streamer`: by the number of the streamer's impressions so far.
 */
export const CASE_SLICES = [
  "all",
  "repeat",
  "novel",
  "new_user",
  "known_user",
  "new_streamer",
  "known_streamer",
] as const;

/** The bit that every case has. */
export const ALL = 1;
const REPEAT = 2;
const NOVEL = 4;
const NEW_USER = 8;
const KNOWN_USER = 16;
const NEW_STREAMER = 32;
const KNOWN_STREAMER = 64;

/** The bits that depend on the user alone. */
export const OF_USER = ALL | NEW_USER | KNOWN_USER;
/** The bits that depend on user and streamer, without `repeat` and `novel`. */
export const UNMET = OF_USER | NEW_STREAMER | KNOWN_STREAMER;

/** Whether a case is a repeat. */
export function isRepeat(slices: number): boolean {
  return (slices & REPEAT) !== 0;
}

export interface SliceOptions {
  /** Users with fewer events than this are new; impressions do not count, page views do. Default 3. */
  newUserEvents: number;
  /** Streamers with fewer impressions than this are new. Default 10. */
  newStreamerImpressions: number;
}

/** Defaults of the options that {@link SliceOptions} adds to others. */
export const SLICE_DEFAULTS: SliceOptions = { newUserEvents: 3, newStreamerImpressions: 10 };

export const SLICE_TABLE: Rules<SliceOptions> = {
  newUserEvents: nonNegativeInteger,
  newStreamerImpressions: nonNegativeInteger,
};

interface Acquaintance {
  events: number;
  /** Streamers visited. */
  visited: Set<Id>;
}

interface Exposure {
  impressions: number;
  visits: number;
}

/** Finds the slices of a user and a streamer from the events so far; takes memory by user and by streamer. */
export class Slicer {
  readonly #options: SliceOptions;
  readonly #users = new Map<Id, Acquaintance>();
  readonly #streamers = new Map<Id, Exposure>();

  constructor(options: SliceOptions) {
    this.#options = options;
  }

  /** The slices of a case between a user and a streamer. Call before the case's event is counted. */
  of(user: Id, streamer: Id): number {
    const isRepeat = this.#users.get(user)?.visited.has(streamer) === true;
    const exposure = this.#streamers.get(streamer);
    // In a log without impressions, each visit counts as one.
    const seen = exposure === undefined ? 0 : Math.max(exposure.impressions, exposure.visits);
    const isNew = seen < this.#options.newStreamerImpressions;
    return this.ofUser(user) | (isRepeat ? REPEAT : NOVEL) | (isNew ? NEW_STREAMER : KNOWN_STREAMER);
  }

  /** The slices of a case that concerns a user alone. */
  ofUser(user: Id): number {
    const events = this.#users.get(user)?.events ?? 0;
    return ALL | (events < this.#options.newUserEvents ? NEW_USER : KNOWN_USER);
  }

  /** Counts an impression of a streamer. */
  shown(streamer: Id): void {
    this.#exposure(streamer).impressions++;
  }

  /** Counts an event of a user. */
  acted(user: Id): void {
    this.#user(user).events++;
  }

  /** Counts a visit. */
  visited(user: Id, streamer: Id): void {
    this.#user(user).visited.add(streamer);
    this.#exposure(streamer).visits++;
  }

  #user(id: Id): Acquaintance {
    let user = this.#users.get(id);
    if (user === undefined) {
      user = { events: 0, visited: new Set() };
      this.#users.set(id, user);
    }
    return user;
  }

  #exposure(streamer: Id): Exposure {
    let exposure = this.#streamers.get(streamer);
    if (exposure === undefined) {
      exposure = { impressions: 0, visits: 0 };
      this.#streamers.set(streamer, exposure);
    }
    return exposure;
  }
}
