import { type Rules, rules } from "../check/index.js";
import type { FeedbackEvent, Id, Impression, LiveEvent, PageView } from "../protocol/index.js";

/** What a user does; impressions are done to a user, and what is told of one may come from a form or an import. */
export type UserAction = Exclude<FeedbackEvent, Impression> | PageView;

export function isUserAction(event: LiveEvent): event is UserAction {
  return event.kind === "page_view" || ("user" in event && "stream" in event && event.kind !== "impression");
}

/**
 * The slices of which every figure is told, and in this order the bits of a case.
 *
 * - `repeat`, `novel`: the user had, or had not, been with this streamer before. Half of all visits are repeats, and far
 *   easier to foresee (Rappaz et al. 2021, "Recommendation on Live-Streaming Platforms"): a mean of both hides either.
 * - `new_user`, `known_user`: by what the user had done so far.
 * - `new_streamer`, `known_streamer`: by how often the streamer had been shown so far.
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

/** The bit of all cases. */
export const ALL = 1;
const REPEAT = 2;
const NOVEL = 4;
const NEW_USER = 8;
const KNOWN_USER = 16;
const NEW_STREAMER = 32;
const KNOWN_STREAMER = 64;

/** The bits of a user alone. */
export const OF_USER = ALL | NEW_USER | KNOWN_USER;
/** The bits of user and streamer, but for whether they had met. */
export const UNMET = OF_USER | NEW_STREAMER | KNOWN_STREAMER;

/** Is a case one of a repeat? */
export function isRepeat(slices: number): boolean {
  return (slices & REPEAT) !== 0;
}

export interface SliceOptions {
  /** A user who has done fewer things than this is new: impressions do not count, page views do. Default 3. */
  newUserEvents: number;
  /** A streamer shown less often than this is new. Default 10. */
  newStreamerImpressions: number;
}

/** The part of others' options that slices are. */
export const SLICE_DEFAULTS: SliceOptions = { newUserEvents: 3, newStreamerImpressions: 10 };

export const SLICE_TABLE: Rules<SliceOptions> = { newUserEvents: rules.count, newStreamerImpressions: rules.count };

interface Acquaintance {
  events: number;
  /** Streamers visited. */
  visited: Set<Id>;
}

interface Exposure {
  impressions: number;
  visits: number;
}

/** Tells which slices a user and a streamer belong to by what was known before; takes memory by user and by streamer. */
export class Slicer {
  readonly #options: SliceOptions;
  readonly #users = new Map<Id, Acquaintance>();
  readonly #streamers = new Map<Id, Exposure>();

  constructor(options: SliceOptions) {
    this.#options = options;
  }

  /** The slices of something between a user and a streamer. Ask before the event is taken. */
  of(user: Id, streamer: Id): number {
    const isRepeat = this.#users.get(user)?.visited.has(streamer) === true;
    const exposure = this.#streamers.get(streamer);
    // Where a log has no impressions, those who went in have seen it.
    const seen = exposure === undefined ? 0 : Math.max(exposure.impressions, exposure.visits);
    const isNew = seen < this.#options.newStreamerImpressions;
    return this.ofUser(user) | (isRepeat ? REPEAT : NOVEL) | (isNew ? NEW_STREAMER : KNOWN_STREAMER);
  }

  /** The slices of something that concerns a user alone. */
  ofUser(user: Id): number {
    const events = this.#users.get(user)?.events ?? 0;
    return ALL | (events < this.#options.newUserEvents ? NEW_USER : KNOWN_USER);
  }

  /** A streamer was shown to a user. */
  shown(streamer: Id): void {
    this.#exposure(streamer).impressions++;
  }

  /** A user did something. */
  acted(user: Id): void {
    this.#user(user).events++;
  }

  /** A user went in to a streamer. */
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
