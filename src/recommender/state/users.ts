import { checked, nonNegative, positive, positiveInteger, type Rules } from "../../check/index.js";
import { Latest } from "../../collections/index.js";
import { fade, log1p } from "../../numeric/index.js";
import {
  BOUNCE_MS,
  DAY,
  ENGAGED_MS,
  HOUR,
  type Id,
  MAX_AHEAD_MS,
  MINUTE,
  SESSION_GAP_MS,
  type UserUpdate,
  WEEK,
  WRONG_CLOCK_MS,
} from "../../protocol/index.js";
import type { StreamTraits } from "./catalogue.js";
import {
  type Contribution,
  contributionOf,
  countsImpression,
  countsReturn,
  countsWatch,
  emptyInfluence,
  type Influence,
  loadedInfluence,
  renew,
  type SavedInfluence,
  savedInfluence,
} from "./influence.js";
import { emptyRhythm, Returns, type Rhythm, type SavedReturns, visited } from "./rhythm.js";
import { type SavedStreamers, type StreamerSums, Streamers, shrink } from "./streamers.js";
import type { WatchTime } from "./watches.js";

/** Sums of users fade at three speeds: the sitting, the day, the taste. Windows as in DRN (Zheng et al. 2018). */
export const HALF_LIVES_MS = [HOUR, DAY, WEEK] as const;
export const SPEEDS = HALF_LIVES_MS.length;

/** Sums fade in steps of at least this: a hundredth of the shortest half-life. */
const FADE_EVERY = MINUTE / 2;
/** Longest watch that counts, in minutes: a clock that jumped must not own a profile. */
const WATCH_MAX = 24 * 60;
/** Latest watches listed for a user. */
const RECENT = 20;
/** Streamers of one session that are remembered as shown. */
const SHOWN = 256;
/** A click without a `watch` event counts as watching for this long. [set by hand] */
const WATCHING_MAX = 4 * HOUR;
/** Share of the visit before in the credit for a return. [set by hand] */
const CREDIT = 0.7;
/** A user's own share of engaged visits before any, and its weight in watches. */
const ENGAGED = 0.3;
const ENGAGED_WATCHES = 3;

export interface ProfileOptions {
  /** Users remembered; the ones not seen for longest are forgotten first. Default 50 000. */
  users: number;
  /** Streamers remembered; the ones not visited for longest are forgotten first. Default 200 000. */
  streamers: number;
  /** Streamers remembered of one user; the ones not visited for longest are forgotten first. Default 64. */
  pairs: number;
  /**
   * Categories, and as many tags, remembered of one user; the ones not clicked for longest are forgotten first. Default
   * 64.
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
}

const DEFAULTS: ProfileOptions = {
  users: 50_000,
  streamers: 200_000,
  pairs: 64,
  interests: 64,
  friends: 128,
  follows: 128,
  sessionGapMs: SESSION_GAP_MS,
  engagedMs: ENGAGED_MS,
  bounceMs: BOUNCE_MS,
  influenceWindowMs: 6 * HOUR,
  decisionsPerWindow: 64,
};

const TABLE: Rules<ProfileOptions> = {
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
};

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

/** The plain values of `Users.save`. */
export interface SavedUsers {
  users: [Id, ExportedProfile][];
  streamers: SavedStreamers;
  returns: SavedReturns;
}

function zeros(): number[] {
  return new Array<number>(SPEEDS).fill(0);
}

function emptySession(start: number, gapMs: number): Session {
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

function emptyProfile(now: number, { pairs, interests }: ProfileOptions): UserProfile {
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

function emptyPair(now: number): Pair {
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

function addAll(sums: number[], amount: number): void {
  for (let speed = 0; speed < SPEEDS; speed++) sums[speed]! += amount;
}

/** The user's interest in a name; creates a missing one. */
function interestIn(interests: Latest<string, Interest>, name: string): Interest {
  let interest = interests.get(name);
  if (interest === undefined) {
    interest = { impressions: 0, clicks: 0, watches: 0, weight: zeros() };
    interests.set(name, interest);
  }
  return interest;
}

function enrich(interest: Interest, weight: number): void {
  interest.watches++;
  addAll(interest.weight, weight);
}

/** The user's own share of engaged visits, over weeks. */
function engagedShare({ engaged, watches }: UserSums): number {
  return shrink(engaged[SPEEDS - 1]!, watches[SPEEDS - 1]!, ENGAGED, ENGAGED_WATCHES);
}

/** Marks the interests that a stream touches as the latest, so that they are forgotten last. */
function touchInterests(profile: UserProfile, stream: StreamTraits): void {
  profile.categories.set(stream.category, interestIn(profile.categories, stream.category));
  for (const tag of stream.tags) profile.tags.set(tag, interestIn(profile.tags, tag));
}

function exported(profile: UserProfile): ExportedProfile {
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

function imported(profile: ExportedProfile, options: ProfileOptions): UserProfile {
  const { pairs, interests, friends, follows } = options;
  const named = (max: number, ids: readonly Id[]) =>
    ids.length > 0
      ? new Latest<Id, true>(
          max,
          ids.map((id) => [id, true]),
        )
      : null;
  return {
    ...profile,
    categories: new Latest(interests, profile.categories),
    tags: new Latest(interests, profile.tags),
    pairs: new Latest(pairs, profile.pairs),
    friends: named(friends, profile.friends),
    follows: named(follows, profile.follows),
    session: { ...profile.session, shown: new Latest(SHOWN, profile.session.shown) },
    influence: loadedInfluence(profile.influence),
  };
}

/** Profiles of users, and the statistics of streamers and categories that their actions feed. */
export class Users {
  readonly options: Readonly<ProfileOptions>;
  readonly streamers: Streamers;
  /** The gaps between sessions. */
  readonly returns = new Returns();
  readonly #users: Latest<Id, UserProfile>;
  readonly #factors = new Float64Array(SPEEDS);

  /** @throws {RangeError} when an option is unknown or out of its range. */
  constructor(options: Partial<ProfileOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "profile.");
    this.streamers = new Streamers(this.options.streamers);
    this.#users = new Latest(this.options.users);
  }

  /** Users remembered. */
  get size(): number {
    return this.#users.size;
  }

  /** The profile itself, not a copy; undefined for an unknown user. */
  get(user: Id): UserProfile | undefined {
    return this.#users.get(user);
  }

  /** A copy of a user's profile, as plain values; undefined for an unknown user. */
  export(user: Id): ExportedProfile | undefined {
    const profile = this.#users.get(user);
    return profile && structuredClone(exported(profile));
  }

  /**
   * Forgets a user, also as a friend of others. Sums over all users stay: they name nobody. Returns whether there was a
   * profile.
   */
  delete(user: Id): boolean {
    // Search all users: a full list of friends may have dropped one side of a friendship.
    for (const { friends } of this.#users.values()) friends?.delete(user);
    return this.#users.delete(user);
  }

  /** Forgets a streamer, also in the profiles of users. Returns whether the streamer was known. */
  deleteStreamer(streamer: Id): boolean {
    for (const profile of this.#users.values()) {
      profile.pairs.delete(streamer);
      profile.follows?.delete(streamer);
      profile.session.shown.delete(streamer);
      profile.influence.streamers.delete(streamer);
      profile.recent = profile.recent.filter((visit) => visit.streamer !== streamer);
      if (profile.watching?.streamer === streamer) profile.watching = null;
    }
    return this.streamers.delete(streamer);
  }

  /** The streamer whose stream a user is in, by events so far; undefined outside all streams. */
  watching(user: Id, now: number): Id | undefined {
    const watching = this.#users.get(user)?.watching;
    return watching && now - watching.since <= WATCHING_MAX ? watching.streamer : undefined;
  }

  /** When a user was last present as far as events tell, or may still be in a stream, milliseconds. */
  presentUntil({ lastSeen, watching }: UserProfile): number {
    return watching === null || !this.streamers.hasWatches
      ? lastSeen
      : Math.max(lastSeen, watching.since + WATCHING_MAX);
  }

  /** The streamers that friends of a user watch, the latest friend first; a streamer may appear twice. */
  company({ friends }: UserProfile, now: number): Id[] {
    const streamers: Id[] = [];
    for (const friend of friends?.keys() ?? []) {
      const streamer = this.watching(friend, now);
      if (streamer !== undefined) streamers.push(streamer);
    }
    return streamers.reverse();
  }

  /**
   * The user's profile, faded to `now` within half a minute; creates a missing profile, begins a session after a gap.
   *
   * @param since - When the user came, milliseconds: a watch reported at its end shows presence since its start.
   *   Default: now, or the click on a stream that the user has not left yet.
   */
  open(user: Id, now: number, since: number = now): UserProfile {
    const profile = this.#come(user, now, since);
    if (now - profile.fadedAt >= FADE_EVERY) this.#fade(profile, now);
    return profile;
  }

  /**
   * The profile as it stands at `now`, to read: a copy, which changes nothing that is kept. An unknown user has an empty
   * one.
   */
  peek(user: Id, now: number): UserProfile {
    const known = this.#users.get(user);
    if (known === undefined) return emptyProfile(now, this.options);
    const profile = imported(structuredClone(exported(known)), this.options);
    const away = now - profile.lastSeen;
    if (away > this.options.sessionGapMs && !this.#isWatching(profile, now)) {
      this.returns.returned(profile.rhythm, away, profile.session.requests, now, false);
      profile.session = emptySession(now, away);
    }
    if (now - profile.fadedAt >= FADE_EVERY) this.#fade(profile, now);
    return profile;
  }

  /**
   * A user is still in a stream, where `watchMs` have passed. Nothing fades, and the watch counts at its end: sums are
   * to the bit as without heartbeats.
   */
  beat(user: Id, { streamer }: StreamTraits, watchMs: number, now: number): void {
    const profile = this.#come(user, now, now - watchMs);
    if (!isLater(profile.watching, now)) profile.watching = { streamer, since: now };
  }

  /** A slate was shown. Call it after writing the slate's features: they use only the past. */
  shown(user: Id, slate: readonly StreamTraits[], now: number): void {
    const profile = this.open(user, now);
    profile.requests++;
    profile.session.requests++;
    if (slate.length > 0) profile.session.ignored++;
    for (const stream of slate) this.#impression(profile, stream, now);
  }

  /** A stream of another policy's choice was shown. */
  impression(user: Id, stream: StreamTraits, now: number): void {
    this.#impression(this.open(user, now), stream, now);
  }

  click(user: Id, stream: StreamTraits, now: number): void {
    const profile = this.open(user, now);
    addAll(profile.sums.clicks, 1);
    profile.session.clicks++;
    profile.session.ignored = 0;
    touchInterests(profile, stream);
    interestIn(profile.categories, stream.category).clicks++;
    for (const tag of stream.tags) interestIn(profile.tags, tag).clicks++;
    const pair = this.#pair(profile, stream, now);
    if (!isLater(profile.watching, now)) profile.watching = { streamer: stream.streamer, since: now };
    const isRepeated = pair.visits > 0;
    pair.visits++;
    pair.lastVisit = Math.max(pair.lastVisit, now);
    const contribution = this.#contribution(profile, stream, now);
    if (contribution === undefined || contribution.clicked) return;
    contribution.clicked = true;
    if (isRepeated) this.#judge(stream, "repeats", 1, now);
    this.#judge(stream, "clicks", 1, now);
  }

  /**
   * When a user last entered or left a stream of a streamer, milliseconds; -Infinity when unknown, or names are shared.
   */
  lastVisit(user: Id, streamer: Id): number {
    const pair = this.options.influenceWindowMs > 0 ? this.#users.get(user)?.pairs.get(streamer) : undefined;
    return pair === undefined || pair.visits + pair.watches === 0 ? Number.NEGATIVE_INFINITY : pair.lastVisit;
  }

  /**
   * A watch ended.
   * @param now - Its end, which may lie before the latest event: one that ends at its last heartbeat is known later.
   * @returns The milliseconds that count in the shared statistics of the streamer; 0 when the watch does not count.
   */
  watch(user: Id, stream: StreamTraits, { watchMs, isCut }: WatchTime, now: number): number {
    const profile = this.open(user, now, now - watchMs);
    const { watching } = profile;
    if (watching?.streamer === stream.streamer && watching.since <= now) profile.watching = null;
    const minutes = Math.min(watchMs / MINUTE, WATCH_MAX);
    const weight = log1p(minutes);
    const engaged = watchMs >= this.options.engagedMs;
    const bounce = watchMs < this.options.bounceMs && !isCut;
    const { sums, session } = profile;
    const surplus = (engaged ? 1 : 0) - engagedShare(sums);
    visited(profile.rhythm, minutes, engaged ? 1 : bounce ? -1 : 0, now);
    session.minutes += minutes;
    session.lastWatchMs = watchMs;
    addAll(sums.minutes, minutes);
    addAll(sums.weight, weight);
    const pair = this.#pair(profile, stream, now);
    if (pair.watches > 0) addAll(sums.repeats, 1);
    pair.watches++;
    pair.minutes += minutes;
    pair.weight += weight;
    pair.lastVisit = Math.max(pair.lastVisit, now);
    pair.lastWatchMs = watchMs;
    profile.recent.push({ time: now, streamer: stream.streamer, category: stream.category, watchMs });
    if (profile.recent.length > RECENT) profile.recent.shift();
    enrich(interestIn(profile.categories, stream.category), weight);
    for (const tag of stream.tags) enrich(interestIn(profile.tags, tag), weight);
    // A short watch that was cut is unknown, not bad: no statistic counts it.
    if (isCut && !engaged) return 0;
    addAll(sums.watches, 1);
    if (engaged) {
      addAll(sums.engaged, 1);
      session.engaged++;
      pair.engaged++;
    }
    if (bounce) {
      addAll(sums.bounces, 1);
      session.bounces++;
    }
    const contribution = this.#contribution(profile, stream, now);
    if (contribution === undefined || !countsWatch(contribution)) return 0;
    this.#judge(stream, "watches", 1, now);
    this.streamers.watched(stream.streamer, minutes);
    this.#judge(stream, "weight", weight, now);
    this.#judge(stream, "surplus", surplus, now);
    if (engaged) this.#judge(stream, "engaged", 1, now);
    return watchMs;
  }

  /** A like, comment, share, follow, gift, purchase or good rating. */
  approve(user: Id, stream: StreamTraits, now: number): void {
    const profile = this.open(user, now);
    this.#pair(profile, stream, now).approvals++;
    const contribution = this.#contribution(profile, stream, now);
    if (contribution === undefined || contribution.approved) return;
    contribution.approved = true;
    this.#judge(stream, "approvals", 1, now);
  }

  /** A dislike, or a bad rating. */
  dislike(user: Id, stream: StreamTraits, now: number): void {
    this.#pair(this.open(user, now), stream, now).dislikes++;
  }

  /** A user follows a streamer from now on; a repeated follow changes nothing. */
  follow(user: Id, stream: StreamTraits, now: number): void {
    const profile = this.open(user, now);
    const follows = (profile.follows ??= new Latest(this.options.follows));
    const isNew = !follows.has(stream.streamer);
    follows.set(stream.streamer, true);
    const contribution = this.#contribution(profile, stream, now);
    if (!isNew || contribution === undefined || contribution.followed) return;
    contribution.followed = true;
    this.streamers.followed(stream.streamer, now);
  }

  /** Whether one more decision of a user may be learned from: no single user may own the model. */
  admits(user: Id, now: number): boolean {
    const influence = this.#users.get(user)?.influence;
    if (influence === undefined) return true;
    renew(influence, now, this.options.influenceWindowMs);
    return influence.decisions++ < this.options.decisionsPerWindow;
  }

  /** @param rating - From 0, the worst, to 1, the best. */
  rate(user: Id, stream: StreamTraits, rating: number, now: number): void {
    const profile = this.open(user, now);
    const pair = this.#pair(profile, stream, now);
    pair.ratings++;
    pair.ratingSum += 2 * rating - 1;
    addAll((profile.sums.ratings ??= zeros()), 1);
    addAll((profile.sums.ratingSum ??= zeros()), 2 * rating - 1);
  }

  /** A user left a page after `dwellMs`. */
  page(user: Id, dwellMs: number, now: number): void {
    const { sums, session } = this.open(user, now);
    session.pages++;
    addAll((sums.pages ??= zeros()), 1);
    addAll((sums.dwell ??= zeros()), log1p(Math.min(dwellMs / 1000, WATCH_MAX * 60)));
    addAll((sums.pageBounces ??= zeros()), dwellMs < this.options.bounceMs ? 1 : 0);
  }

  /** Updates traits of a user. It is no sign of presence, as the platform may send it on its own. */
  update(user: Id, traits: UserTraits, now: number): void {
    const given = Object.entries(traits).filter(([, value]) => value !== undefined);
    Object.assign(this.#known(user, now).traits, Object.fromEntries(given));
  }

  /** Two users become friends, or cease to be. Nobody is a friend of oneself. */
  befriend(user: Id, friend: Id, are: boolean, now: number): void {
    if (user === friend) return;
    for (const [one, other] of [
      [user, friend],
      [friend, user],
    ] as const) {
      if (are) (this.#known(one, now).friends ??= new Latest(this.options.friends)).set(other, true);
      else this.#users.get(one)?.friends?.delete(other);
    }
  }

  /** Plain values for `JSON.stringify`; `load` restores them. */
  save(): SavedUsers {
    const users: [Id, ExportedProfile][] = [];
    for (const [user, profile] of this.#users) users.push([user, exported(profile)]);
    return { users, streamers: this.streamers.save(), returns: this.returns.save() };
  }

  /** Restores the values of `save`. */
  load(saved: SavedUsers): void {
    for (const [user, profile] of saved.users) this.#users.set(user, imported(profile, this.options));
    this.streamers.load(saved.streamers);
    this.returns.load(saved.returns);
  }

  /**
   * Whether the user is in a stream at a time, by a click without a watch yet; false on platforms that report no
   * watches, where a click tells nothing on how long the user stayed.
   */
  #isWatching({ watching }: UserProfile, time: number): boolean {
    return watching !== null && time - watching.since <= WATCHING_MAX && this.streamers.hasWatches;
  }

  /** The user came back after a gap: a session begins, and the visits of the last one are credited with the return. */
  #return(profile: UserProfile, away: number, now: number): void {
    const { session, rhythm, influence, recent } = profile;
    renew(influence, now, this.options.influenceWindowMs);
    // What is ahead of the host's time is no gap.
    const isCounted = now <= this.streamers.now + MAX_AHEAD_MS && countsReturn(influence);
    const unexplained = this.returns.returned(rhythm, away, session.requests, now, isCounted);
    let weight = isCounted ? 1 : 0;
    for (let i = recent.length - 1; i >= 0 && weight > 0 && recent[i]!.time >= session.start; i--) {
      const visit = recent[i]!;
      const contribution = contributionOf(influence, visit.streamer);
      if (contribution !== undefined && !contribution.returned) {
        contribution.returned = true;
        this.#judge(visit, "returns", weight, now);
        this.#judge(visit, "lateness", weight * unexplained, now);
      }
      weight *= CREDIT;
    }
    profile.session = emptySession(now, away);
  }

  /** The profile of a user who is present from `since` until `now`; begins a session after a gap. */
  #come(user: Id, now: number, since: number): UserProfile {
    const profile = this.#known(user, now);
    const away = since - profile.lastSeen;
    if (away > this.options.sessionGapMs && !this.#isWatching(profile, since)) this.#return(profile, away, since);
    profile.lastSeen = Math.max(profile.lastSeen, now);
    return profile;
  }

  /** The user's profile, now the latest; creates a missing one. */
  #known(user: Id, now: number): UserProfile {
    const profile = this.#users.get(user) ?? emptyProfile(now, this.options);
    if (profile.lastSeen - now > WRONG_CLOCK_MS) mend(profile, now);
    this.#users.set(user, profile);
    return profile;
  }

  /** The user's history with the streamer, now the latest; creates a missing one. */
  #pair({ pairs }: UserProfile, { streamer }: StreamTraits, now: number): Pair {
    const pair = pairs.get(streamer) ?? emptyPair(now);
    pairs.set(streamer, pair);
    return pair;
  }

  /**
   * The user's contribution to the streamer; undefined when the user may contribute to no more streamers in this
   * window.
   */
  #contribution({ influence }: UserProfile, { streamer }: StreamTraits, now: number): Contribution | undefined {
    renew(influence, now, this.options.influenceWindowMs);
    return contributionOf(influence, streamer);
  }

  #judge(
    { streamer, category }: Pick<StreamTraits, "streamer" | "category">,
    sum: keyof StreamerSums,
    amount: number,
    now: number,
  ): void {
    this.streamers.add(streamer, category, sum, amount, now);
  }

  #impression(profile: UserProfile, stream: StreamTraits, now: number): void {
    addAll(profile.sums.impressions, 1);
    interestIn(profile.categories, stream.category).impressions++;
    for (const tag of stream.tags) interestIn(profile.tags, tag).impressions++;
    const { shown } = profile.session;
    shown.set(stream.streamer, (shown.get(stream.streamer) ?? 0) + 1);
    const contribution = this.#contribution(profile, stream, now);
    if (contribution !== undefined && countsImpression(contribution)) this.#judge(stream, "impressions", 1, now);
  }

  #fade(profile: UserProfile, now: number): void {
    const factors = this.#factors;
    for (let speed = 0; speed < SPEEDS; speed++) factors[speed] = fade(now - profile.fadedAt, HALF_LIVES_MS[speed]!);
    for (const sum of Object.values(profile.sums) as number[][]) {
      for (let speed = 0; speed < SPEEDS; speed++) sum[speed]! *= factors[speed]!;
    }
    fadeInterests(profile.categories, factors);
    fadeInterests(profile.tags, factors);
    for (const pair of profile.pairs.values()) pair.weight *= factors[SPEEDS - 1]!;
    profile.fadedAt = now;
  }
}

/** Whether a user entered a stream after a time. */
function isLater(watching: UserProfile["watching"], time: number): boolean {
  return watching !== null && watching.since > time;
}

/** Moves the times of a profile that was written while a clock was wrong back to the present. */
function mend(profile: UserProfile, now: number): void {
  const { session, rhythm, influence, watching, pairs } = profile;
  profile.lastSeen = now;
  profile.firstSeen = Math.min(profile.firstSeen, now);
  profile.fadedAt = Math.min(profile.fadedAt, now);
  session.start = Math.min(session.start, now);
  rhythm.freshAt = Math.min(rhythm.freshAt, now);
  influence.since = Math.min(influence.since, now);
  if (watching !== null) watching.since = Math.min(watching.since, now);
  for (const pair of pairs.values()) pair.lastVisit = Math.min(pair.lastVisit, now);
}

function fadeInterests(interests: Latest<string, Interest>, factors: Float64Array): void {
  const slow = factors[SPEEDS - 1]!;
  for (const interest of interests.values()) {
    interest.impressions *= slow;
    interest.clicks *= slow;
    interest.watches *= slow;
    for (let speed = 0; speed < SPEEDS; speed++) interest.weight[speed]! *= factors[speed]!;
  }
}
