import { checked, fields, nonNegativeInteger, requireShape, type Shape, tuple } from "../../check/index.js";
import { Latest } from "../../collections/index.js";
import { fade, log1p } from "../../numeric/index.js";
import { HOUR, type Id, MAX_AHEAD_MS, MINUTE, WRONG_CLOCK_MS } from "../../protocol/index.js";
import type { StreamTraits } from "./catalogue.js";
import { type Contribution, contributionOf, countsImpression, countsReturn, countsWatch, renew } from "./influence.js";
import { short } from "./packed/index.js";
import { PROFILE_DEFAULTS, PROFILE_RULES, type ProfileOptions } from "./profiles/options.js";
import {
  type ExportedProfile,
  emptyPair,
  emptyProfile,
  emptySession,
  exported,
  HALF_LIVES_MS,
  type Interest,
  type Pair,
  RECENT,
  SPEEDS,
  type UserProfile,
  type UserSums,
  type UserTraits,
  zeros,
} from "./profiles/profile.js";
import { ProfileStore } from "./profiles/store.js";
import { Returns, returnsShape, type SavedReturns, visited } from "./rhythm.js";
import { type StreamerSums, Streamers, shrink } from "./streamers.js";
import type { WatchTime } from "./watches.js";

/** Sums fade in steps of at least this: a hundredth of the shortest half-life. */
const FADE_EVERY = MINUTE / 2;
/** Longest watch that counts, in minutes: a clock that jumped must not own a profile. */
const WATCH_MAX = 24 * 60;
/** A click without a `watch` event counts as watching for this long. [set by hand] */
const WATCHING_MAX = 4 * HOUR;
/** Share of the visit before in the credit for a return. [set by hand] */
const CREDIT = 0.7;
/** A user's own share of engaged visits before any, and its weight in watches. */
const ENGAGED = 0.3;
const ENGAGED_WATCHES = 3;

/** The plain values of `Users.save`. */
export interface SavedUsers {
  returns: SavedReturns;
  /** Users and streamers dropped to make room. */
  dropped: [number, number];
}

const SAVED: Shape = fields<SavedUsers>({
  returns: returnsShape,
  dropped: tuple(nonNegativeInteger, nonNegativeInteger),
});

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
  interest.watches = short(interest.watches + 1);
  for (let speed = 0; speed < SPEEDS; speed++) interest.weight[speed] = short(interest.weight[speed]! + weight);
}

/** One impression or click more. */
function count(interest: Interest, kind: "impressions" | "clicks"): void {
  interest[kind] = short(interest[kind] + 1);
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

/** Profiles of users, and the statistics of streamers and categories that their actions feed. */
export class Users {
  readonly options: Readonly<ProfileOptions>;
  readonly streamers: Streamers;
  /** The gaps between sessions. */
  readonly returns = new Returns();
  /** The profiles. Public for saves and tests. */
  readonly profiles: ProfileStore;
  readonly #factors = new Float64Array(SPEEDS);

  /** @throws {RangeError} when an option is unknown or out of its range. */
  constructor(options: Partial<ProfileOptions> = {}) {
    this.options = checked(options, PROFILE_RULES, PROFILE_DEFAULTS, "profile.");
    this.streamers = new Streamers(this.options.streamers);
    this.profiles = new ProfileStore(this.options);
  }

  /** Users remembered. */
  get size(): number {
    return this.profiles.size;
  }

  /** The profile itself, not a copy; undefined for an unknown user. */
  get(user: Id): UserProfile | undefined {
    return this.profiles.get(user);
  }

  /** A copy of a user's profile, as plain values; undefined for an unknown user. */
  export(user: Id): ExportedProfile | undefined {
    const profile = this.profiles.get(user);
    return profile && structuredClone(exported(profile));
  }

  /**
   * Forgets a user, also as a friend of others. Sums over all users stay: they name nobody. Returns whether there was a
   * profile.
   */
  delete(user: Id): boolean {
    return this.profiles.delete(user);
  }

  /** Forgets a streamer, also in the profiles of users. Returns whether the streamer was known. */
  deleteStreamer(streamer: Id): boolean {
    this.profiles.deleteStreamer(streamer);
    return this.streamers.delete(streamer);
  }

  /** The streamer whose stream a user is in, by events so far; undefined outside all streams. */
  watching(user: Id, now: number): Id | undefined {
    const watching = this.profiles.watching(user);
    return watching && now - watching.since <= WATCHING_MAX ? watching.streamer : undefined;
  }

  /** The streamers whom a user follows; undefined for none. */
  follows(user: Id): ReadonlyMap<Id, true> | undefined {
    return this.profiles.follows(user);
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
    const profile = this.profiles.copy(user);
    if (profile === undefined) return emptyProfile(now, this.options);
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
    count(interestIn(profile.categories, stream.category), "clicks");
    for (const tag of stream.tags) count(interestIn(profile.tags, tag), "clicks");
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
    const pair = this.options.influenceWindowMs > 0 ? this.profiles.get(user)?.pairs.get(streamer) : undefined;
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
    pair.minutes = Math.fround(pair.minutes + minutes);
    pair.weight = short(pair.weight + weight);
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
    const influence = this.profiles.get(user)?.influence;
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
      else this.profiles.get(one)?.friends?.delete(other);
    }
  }

  /** Whether any user has a trait. */
  hasTrait(trait: keyof UserTraits, value: string): boolean {
    return this.profiles.hasTrait(trait, value);
  }

  /** Plain values for `JSON.stringify`, without users and streamers; `load` restores them. */
  save(): SavedUsers {
    return { returns: this.returns.save(), dropped: [this.profiles.dropped, this.streamers.dropped] };
  }

  /** Restores the values of `save`. */
  load(saved: SavedUsers): void {
    requireShape(SAVED, saved, "users");
    this.returns.load(saved.returns);
    [this.profiles.dropped, this.streamers.dropped] = saved.dropped;
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
    const profile = this.profiles.get(user) ?? emptyProfile(now, this.options);
    if (profile.lastSeen - now > WRONG_CLOCK_MS) mend(profile, now);
    this.profiles.touch(user, profile, now);
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
    count(interestIn(profile.categories, stream.category), "impressions");
    for (const tag of stream.tags) count(interestIn(profile.tags, tag), "impressions");
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
    for (const pair of profile.pairs.values()) pair.weight = short(pair.weight * factors[SPEEDS - 1]!);
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
    interest.impressions = short(interest.impressions * slow);
    interest.clicks = short(interest.clicks * slow);
    interest.watches = short(interest.watches * slow);
    for (let speed = 0; speed < SPEEDS; speed++) {
      interest.weight[speed] = short(interest.weight[speed]! * factors[speed]!);
    }
  }
}
