import { Latest } from "../../../collections/index.js";
import { DAY, HOUR, type Id, type UserUpdate, WEEK } from "../../../protocol/index.js";
import { emptyInfluence, type Influence, type SavedInfluence, savedInfluence } from "../influence.js";
import { emptyRhythm, type Rhythm } from "../rhythm.js";
import type { ProfileOptions } from "./options.js";

/** Sums of users fade at three speeds: the sitting, the day, the taste. Windows as in DRN (Zheng et al. 2018). */
export const HALF_LIVES_MS = [HOUR, DAY, WEEK] as const;
export const SPEEDS = HALF_LIVES_MS.length;

/** Streamers of one session that are remembered as shown. */
export const SHOWN = 128;
/** Latest watches listed for a user. */
export const RECENT = 20;

/** Traits of a user by `user` events; a trait that no event gave is absent. */
export type UserTraits = Omit<UserUpdate, "kind" | "time" | "id" | "user">;

/** Fading sums of a user's actions, each at the speeds of `HALF_LIVES_MS`. */
export interface UserSums {
  impressions: number[];
  clicks: number[];
  /** Ended watches; among them engaged ones, bounces, and watches of a streamer visited before. */
  watches: number[];
  engaged: number[];
  bounces: number[];
  repeats: number[];
  minutes: number[];
  /** Sum of log(1 + minutes): the whole of which interests are shares. */
  weight: number[];
  /** Pages looked at, pages left within `bounceMs`, and the sum of log(1 + seconds); absent before the first page. */
  pages?: number[];
  pageBounces?: number[];
  dwell?: number[];
  /** Ratings, and the sum of 2 * rating - 1; absent before the first rating. */
  ratings?: number[];
  ratingSum?: number[];
}

/** Fading interest in a category or a tag; all sums except `weight` fade at the slowest speed. */
export interface Interest {
  impressions: number;
  clicks: number;
  watches: number;
  /** Sum of log(1 + minutes), at each speed. */
  weight: number[];
}

/** The history of one user with one streamer. */
export interface Pair {
  visits: number;
  watches: number;
  engaged: number;
  minutes: number;
  /** Fading sum of log(1 + minutes), at the slowest speed. */
  weight: number;
  lastVisit: number;
  lastWatchMs: number;
  /** Likes, comments, shares, follows, gifts and purchases. */
  approvals: number;
  dislikes: number;
  /** Ratings, and the sum of 2 * rating - 1. */
  ratings: number;
  ratingSum: number;
}

/** The current session of a user. */
export interface Session {
  start: number;
  /** Milliseconds away before the session; 0 in the first session. */
  gapMs: number;
  requests: number;
  clicks: number;
  engaged: number;
  bounces: number;
  minutes: number;
  /** Slates shown since the last click. */
  ignored: number;
  lastWatchMs: number;
  /** Pages looked at. */
  pages: number;
  /** How often each streamer was shown in this session. */
  shown: Latest<Id, number>;
}

/** One ended watch. */
export interface Visit {
  time: number;
  streamer: Id;
  category: string;
  watchMs: number;
}

/** The profile of a user. */
export interface UserProfile {
  firstSeen: number;
  lastSeen: number;
  requests: number;
  sums: UserSums;
  categories: Latest<string, Interest>;
  tags: Latest<string, Interest>;
  /** By streamer, the latest visited last. */
  pairs: Latest<Id, Pair>;
  /** The latest watches, oldest first. */
  recent: Visit[];
  traits: UserTraits;
  /** Null before the first friend: most users have none, and empty maps take memory. */
  friends: Latest<Id, true> | null;
  /** Followed streamers; null before the first. */
  follows: Latest<Id, true> | null;
  /** The streamer whose stream the user entered and has not left, known since `since`, the latest sign; else null. */
  watching: { streamer: Id; since: number } | null;
  session: Session;
  /** How often the user comes back. */
  rhythm: Rhythm;
  /** The user's contribution to shared statistics in the current window. */
  influence: Influence;
  /** When the fading sums were last updated. */
  fadedAt: number;
}

/** A user's profile as plain values: maps are lists of entries. */
export interface ExportedProfile
  extends Omit<UserProfile, "categories" | "tags" | "pairs" | "friends" | "follows" | "session" | "influence"> {
  categories: [string, Interest][];
  tags: [string, Interest][];
  pairs: [Id, Pair][];
  friends: Id[];
  follows: Id[];
  session: Omit<Session, "shown"> & { shown: [Id, number][] };
  influence: SavedInfluence;
}

export function zeros(): number[] {
  return new Array<number>(SPEEDS).fill(0);
}

export function emptySession(start: number, gapMs: number): Session {
  return {
    start,
    gapMs,
    requests: 0,
    clicks: 0,
    engaged: 0,
    bounces: 0,
    minutes: 0,
    ignored: 0,
    lastWatchMs: 0,
    pages: 0,
    shown: new Latest(SHOWN),
  };
}

export function emptyProfile(now: number, { pairs, interests }: ProfileOptions): UserProfile {
  return {
    firstSeen: now,
    lastSeen: now,
    requests: 0,
    sums: {
      impressions: zeros(),
      clicks: zeros(),
      watches: zeros(),
      engaged: zeros(),
      bounces: zeros(),
      repeats: zeros(),
      minutes: zeros(),
      weight: zeros(),
    },
    categories: new Latest(interests),
    tags: new Latest(interests),
    pairs: new Latest(pairs),
    recent: [],
    traits: {},
    friends: null,
    follows: null,
    watching: null,
    session: emptySession(now, 0),
    rhythm: emptyRhythm(now),
    influence: emptyInfluence(now),
    fadedAt: now,
  };
}

export function emptyPair(now: number): Pair {
  return {
    visits: 0,
    watches: 0,
    engaged: 0,
    minutes: 0,
    weight: 0,
    lastVisit: now,
    lastWatchMs: 0,
    approvals: 0,
    dislikes: 0,
    ratings: 0,
    ratingSum: 0,
  };
}

export function exported(profile: UserProfile): ExportedProfile {
  return {
    ...profile,
    categories: [...profile.categories],
    tags: [...profile.tags],
    pairs: [...profile.pairs],
    friends: [...(profile.friends?.keys() ?? [])],
    follows: [...(profile.follows?.keys() ?? [])],
    session: { ...profile.session, shown: [...profile.session.shown] },
    influence: savedInfluence(profile.influence),
  };
}
