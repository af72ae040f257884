import { nonNegative, positive, positiveInteger, type Rules } from "../../../check/index.js";
import { BOUNCE_MS, ENGAGED_MS, HOUR, SESSION_GAP_MS, STREAM_TIMEOUT_MS } from "../../../protocol/index.js";

export interface ProfileOptions {
  /** Users remembered; the ones not seen for longest are forgotten first. Default 50 000. */
  users: number;
  /** Streamers remembered; the ones not visited for longest are forgotten first. Default 200 000. */
  streamers: number;
  /** Streamers remembered of one user; the ones not visited for longest are forgotten first. Default 64. */
  pairs: number;
  /**
   * Categories, and as many tags, remembered of one user; the ones not clicked for longest are forgotten first. Default
   * 48.
   */
  interests: number;
  /** Friends remembered of one user; those made first are forgotten first. Default 128. */
  friends: number;
  /** Followed streamers remembered of one user; those followed first are forgotten first. Default 128. */
  follows: number;
  /** Milliseconds without a sign of the user after which a new session begins. Default 30 minutes. */
  sessionGapMs: number;
  /** Milliseconds of watching from which a visit counts as engaged. Default 60 000. */
  engagedMs: number;
  /** Milliseconds below which a visit counts as a bounce. Default 5000. */
  bounceMs: number;
  /**
   * Milliseconds of the window in which a user contributes to the shared statistics of a streamer at most one click, 8
   * impressions before it, one follow, one like or other approval, and 4 watches; and to 128 streamers at most. 0: no
   * bound, and no bound on the length of watches, for platforms on which many people share one name. Default 6 hours.
   * [set by hand]
   */
  influenceWindowMs: number;
  /** Decisions of a user in one window that are learned from, at most. Default 64. [set by hand] */
  decisionsPerWindow: number;
  /** Milliseconds without a sign of a user after which the user is forgotten; 0: never. Default 0. */
  userMaxAgeMs: number;
  /** Milliseconds without a visit or a stream of a streamer after which the streamer is forgotten; 0: never. Default 0. */
  streamerMaxAgeMs: number;
  /**
   * Milliseconds without a sign of life of a stream, any event that names it, after which it is taken off air, as its end was
   * lost; that it was shown is no sign. 0: never, for catalogues, whose items have no end. Default 24 hours: half of all
   * broadcasts end within 3, 99 of 100 within 13.
   */
  streamTimeoutMs: number;
  /** Users whose profiles are kept ready; all others are packed. It changes memory and speed only. Default 8. */
  active: number;
}

export const PROFILE_DEFAULTS: ProfileOptions = {
  users: 50_000,
  streamers: 200_000,
  pairs: 64,
  interests: 48,
  friends: 128,
  follows: 128,
  sessionGapMs: SESSION_GAP_MS,
  engagedMs: ENGAGED_MS,
  bounceMs: BOUNCE_MS,
  influenceWindowMs: 6 * HOUR,
  decisionsPerWindow: 64,
  userMaxAgeMs: 0,
  streamerMaxAgeMs: 0,
  streamTimeoutMs: STREAM_TIMEOUT_MS,
  active: 8,
};

export const PROFILE_RULES: Rules<ProfileOptions> = {
  users: positiveInteger,
  streamers: positiveInteger,
  pairs: positiveInteger,
  interests: positiveInteger,
  friends: positiveInteger,
  follows: positiveInteger,
  sessionGapMs: positive,
  engagedMs: positive,
  bounceMs: nonNegative,
  influenceWindowMs: nonNegative,
  decisionsPerWindow: positiveInteger,
  userMaxAgeMs: nonNegative,
  streamerMaxAgeMs: nonNegative,
  streamTimeoutMs: nonNegative,
  active: positiveInteger,
};
