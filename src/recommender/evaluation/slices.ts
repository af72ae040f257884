import type { FeedbackEvent, Id, UserEvent } from "../events.js";

/**
 * The slices of which every figure is told, and in this order the bits of a case.
 *
 * - `repeat`, `novel`: the user had, or had not, been with this streamer before. Half of all visits are repeats, and far
 *   easier to foresee (Rappaz et al. 2021, "Recommendation on Live-Streaming Platforms"): a mean of both hides either.
 * - `new_user`, `known_user`: by what the user had done so far.
 * - `new_streamer`, `known_streamer`: by how often the streamer had been shown so far.
 */
export const SLICES = ["all", "repeat", "novel", "new_user", "known_user", "new_streamer", "known_streamer"] as const;

/** The bit of all cases. */
export const ALL = 1;
const REPEAT = 2;
const NOVEL = 4;
const NEW_USER = 8;
const KNOWN_USER = 16;
const NEW_STREAMER = 32;
const KNOWN_STREAMER = 64;

/** Is a case one of a repeat? */
export function isRepeat(slices: number): boolean {
  return (slices & REPEAT) !== 0;
}

export interface SliceOptions {
  /** A user with fewer events than this, impressions aside, is new. Default 3. */
  newUserEvents: number;
  /** A streamer shown less often than this is new. Default 10. */
  newStreamerImpressions: number;
}

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

  /** A user did something, impressions aside. `isVisit`: went in to a streamer, told once a visit. */
  acted(event: Exclude<FeedbackEvent, { kind: "impression" }> | UserEvent, streamer: Id, isVisit: boolean): void {
    let user = this.#users.get(event.user);
    if (user === undefined) {
      user = { events: 0, visited: new Set() };
      this.#users.set(event.user, user);
    }
    user.events++;
    if (!isVisit) return;
    user.visited.add(streamer);
    this.#exposure(streamer).visits++;
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
