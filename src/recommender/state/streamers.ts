import { Latest } from "../../collections/index.js";
import { fade } from "../../numeric/index.js";
import { HOUR, type Id, WEEK, WRONG_CLOCK_MS } from "../../protocol/index.js";

/**
 * Fading sums over everybody's visits: to a streamer, in a category, on the platform.
 * `ProfileOptions.influenceWindowMs` bounds the contribution of one account: an attack is worth its accounts, not its
 * events.
 */
export interface StreamerSums {
  impressions: number;
  clicks: number;
  /** Ended watches, engaged ones among them, and the sum of log(1 + minutes). */
  watches: number;
  engaged: number;
  weight: number;
  /** Clicks by users who had visited before. */
  repeats: number;
  /** Likes, comments, shares, follows, gifts and purchases. */
  approvals: number;
  /** Engaged visits less those that the users' own shares of them made expect. */
  surplus: number;
  /** Weights of returns after sessions with a visit, and the sum of their weighted unexplained lateness. */
  returns: number;
  lateness: number;
}

/** The estimated worth of a visit. */
export interface Estimate {
  /** Clicks per impression. */
  clickRate: number;
  /** Engaged visits per ended watch. */
  engagedShare: number;
  /** Mean of log(1 + minutes) per ended watch. */
  weight: number;
  /** Clicks by users who had visited before, per click. */
  repeatShare: number;
  /** Likes, comments, shares, follows, gifts and purchases per click. */
  approvalRate: number;
  /** Engaged visits per ended watch, less the users' own shares of them. */
  surplus: number;
  /** How much later than usual users come back after a visit, beyond what their own watching explains, log(gap). */
  lateness: number;
}

/** An estimate of a streamer, with its number of observations. */
export interface StreamerEstimate {
  /** Over weeks. */
  readonly long: Estimate;
  /** Over the last hours. */
  readonly now: Pick<Estimate, "clickRate" | "weight">;
  /** Faded impressions, ended watches and weights of returns behind the long estimate. */
  impressions: number;
  watches: number;
  returns: number;
}

interface Record {
  /** At a half-life of a week. */
  long: StreamerSums;
  /** At a half-life of an hour; categories and the platform have none. */
  now: StreamerSums | undefined;
  /** When both were last updated. */
  time: number;
}

/**
 * Counts of a streamer over all streams since the first event; none fades. `ProfileOptions.influenceWindowMs` bounds
 * the contribution of one account.
 */
export interface StreamerHistory {
  firstSeen: number;
  /** When a stream last began; null before the first. */
  lastOnAir: number | null;
  streams: number;
  /** Streams that began in each category, at most 16 categories, the latest used last. */
  categories: [string, number][];
  clicks: number;
  /** Clicks by users who had visited before. */
  repeats: number;
  /** Ended watches, and their minutes. */
  watches: number;
  minutes: number;
  /** Likes, comments, shares, follows, gifts and purchases. */
  approvals: number;
  /** Follows by users who had not followed before, as far as remembered. */
  followers: number;
}

/** A streamer's profile: counts over all streams, and figures that follow from them. */
export interface StreamerProfile extends StreamerHistory {
  /** Minutes per ended watch; 0 before the first. */
  meanWatchMinutes: number;
  /** Clicks by users who had visited before, per click; 0 before the first. */
  repeatShare: number;
  /** Estimates of the worth of a visit, over weeks and over the last hours; they fade to the category's. */
  estimate: StreamerEstimate;
}

interface StreamerRecord extends Record {
  history: StreamerHistory;
}

/** The plain values of `Streamers.save`. */
export interface SavedStreamers {
  platform: Record;
  categories: [string, Record][];
  streamers: [Id, StreamerRecord][];
}

/** The end of shrinkage: a platform without events. */
const UNKNOWN: Estimate = {
  clickRate: 0.1,
  engagedShare: 0.3,
  weight: 1,
  repeatShare: 0.2,
  approvalRate: 0.05,
  surplus: 0,
  lateness: 0,
};

/** Weight of the layer above, in observations of the layer's own. */
const PRIOR_WATCHES = 8;
const PRIOR_IMPRESSIONS = 40;
const PRIOR_RETURNS = 10;

/** The newest categories remembered, and the most of one streamer. */
const CATEGORIES = 16_384;
const USUAL_CATEGORIES = 16;

function emptyAudience(): StreamerSums {
  return {
    impressions: 0,
    clicks: 0,
    watches: 0,
    engaged: 0,
    weight: 0,
    repeats: 0,
    approvals: 0,
    surplus: 0,
    returns: 0,
    lateness: 0,
  };
}

function emptyRecord(now: number): StreamerRecord {
  const history = {
    firstSeen: now,
    lastOnAir: null,
    streams: 0,
    categories: [],
    clicks: 0,
    repeats: 0,
    watches: 0,
    minutes: 0,
    approvals: 0,
    followers: 0,
  };
  return { long: emptyAudience(), now: emptyAudience(), time: now, history };
}

function multiply(audience: StreamerSums, factor: number): void {
  audience.impressions *= factor;
  audience.clicks *= factor;
  audience.watches *= factor;
  audience.engaged *= factor;
  audience.weight *= factor;
  audience.repeats *= factor;
  audience.approvals *= factor;
  audience.surplus *= factor;
  audience.returns *= factor;
  audience.lateness *= factor;
}

function addTo(record: Record, sum: keyof StreamerSums, amount: number, now: number): void {
  if (now > record.time) {
    multiply(record.long, fade(now - record.time, WEEK));
    if (record.now !== undefined) multiply(record.now, fade(now - record.time, HOUR));
    record.time = now;
  } else if (record.time - now > WRONG_CLOCK_MS) record.time = now;
  record.long[sum] += amount;
  if (record.now !== undefined) record.now[sum] += amount;
}

/** The mean of n observations with this sum and of `strength` imagined ones at the prior. */
export function shrink(sum: number, n: number, prior: number, strength: number): number {
  return (sum + strength * prior) / (n + strength);
}

function estimate(audience: StreamerSums, factor: number, prior: Estimate, out: Estimate): void {
  const watches = audience.watches * factor;
  const clicks = audience.clicks * factor;
  out.clickRate = shrink(clicks, audience.impressions * factor, prior.clickRate, PRIOR_IMPRESSIONS);
  out.engagedShare = shrink(audience.engaged * factor, watches, prior.engagedShare, PRIOR_WATCHES);
  out.weight = shrink(audience.weight * factor, watches, prior.weight, PRIOR_WATCHES);
  out.repeatShare = shrink(audience.repeats * factor, clicks, prior.repeatShare, PRIOR_WATCHES);
  out.approvalRate = shrink(audience.approvals * factor, clicks, prior.approvalRate, PRIOR_WATCHES);
  out.surplus = shrink(audience.surplus * factor, watches, prior.surplus, PRIOR_WATCHES);
  out.lateness = shrink(audience.lateness * factor, audience.returns * factor, prior.lateness, PRIOR_RETURNS);
}

/**
 * Statistics of streamers and categories, from everybody's visits.
 *
 * Each layer is shrunk towards the one above it (moment, streamer, category, platform), so that an unknown
 * streamer is worth as much as its category.
 */
export class Streamers {
  #platform: Record = { long: emptyAudience(), now: undefined, time: 0 };
  readonly #categories = new Latest<string, Record>(CATEGORIES);
  readonly #streamers: Latest<Id, StreamerRecord>;
  readonly #ofPlatform: Estimate = { ...UNKNOWN };
  readonly #ofCategory: Estimate = { ...UNKNOWN };
  #platformChanged = true;
  /** The latest result of `estimate`; the time is NaN where no later call may have it. */
  readonly #latest = { streamer: "", category: "", now: Number.NaN, estimate: emptyStreamerEstimate() };

  /** The host's time: what comes with a later one counts as if it came now. */
  now = Infinity;

  /** @param maxStreamers - Streamers remembered; the ones not visited for longest are dropped first. */
  constructor(maxStreamers: number) {
    this.#streamers = new Latest(maxStreamers);
  }

  /** Adds `amount` to one sum of the streamer, of the category and of the platform. */
  add(streamer: Id, category: string, sum: keyof StreamerSums, amount: number, time: number): void {
    const now = Math.min(time, this.now);
    let ofStreamer = this.#streamers.get(streamer);
    if (ofStreamer === undefined || sum !== "impressions") {
      ofStreamer ??= emptyRecord(now);
      this.#streamers.set(streamer, ofStreamer);
    }
    const { history } = ofStreamer;
    if (sum === "clicks" || sum === "repeats" || sum === "watches" || sum === "approvals") history[sum] += amount;
    let ofCategory = this.#categories.get(category);
    if (ofCategory === undefined) {
      ofCategory = { long: emptyAudience(), now: undefined, time: now };
      this.#categories.set(category, ofCategory);
    }
    addTo(ofStreamer, sum, amount, now);
    addTo(ofCategory, sum, amount, now);
    addTo(this.#platform, sum, amount, now);
    this.#changed();
  }

  /** Whether the platform has reported a watch of late. */
  get hasWatches(): boolean {
    return this.#platform.long.watches > 0;
  }

  /** A stream begins. */
  onAir(streamer: Id, category: string, time: number): void {
    const now = Math.min(time, this.now);
    const { history } = this.#known(streamer, now);
    history.streams++;
    history.lastOnAir = time;
    const known = history.categories.findIndex(([name]) => name === category);
    const [, times] = known < 0 ? [category, 0] : history.categories.splice(known, 1)[0]!;
    history.categories.push([category, times + 1]);
    if (history.categories.length > USUAL_CATEGORIES) history.categories.shift();
  }

  /** The streamer gains a follower. */
  followed(streamer: Id, now: number): void {
    this.#known(streamer, Math.min(now, this.now)).history.followers++;
  }

  /** Adds the minutes of a watch that `add` has counted. */
  watched(streamer: Id, minutes: number): void {
    const record = this.#streamers.get(streamer);
    if (record !== undefined) record.history.minutes += minutes;
  }

  /** A copy of a streamer's profile; undefined for an unknown streamer. */
  profile(streamer: Id, now: number): StreamerProfile | undefined {
    const record = this.#streamers.get(streamer);
    if (record === undefined) return undefined;
    const history = structuredClone(record.history);
    const estimate = emptyStreamerEstimate();
    this.read(streamer, history.categories.at(-1)?.[0] ?? "", now, estimate);
    return {
      ...history,
      meanWatchMinutes: history.watches > 0 ? history.minutes / history.watches : 0,
      repeatShare: history.clicks > 0 ? history.repeats / history.clicks : 0,
      estimate,
    };
  }

  /** Faded impressions behind the long estimate of a streamer; 0 for an unknown streamer. */
  impressions(streamer: Id, now: number): number {
    const record = this.#streamers.get(streamer);
    return record === undefined ? 0 : record.long.impressions * fade(now - record.time, WEEK);
  }

  /** Forgets a streamer; the sums of the category and the platform stay. Returns whether the streamer was known. */
  delete(streamer: Id): boolean {
    this.#changed();
    return this.#streamers.delete(streamer);
  }

  /**
   * The estimates of a streamer at `now`, until the next call: groups of features that ask for the same stream one after
   * the other share the work.
   */
  estimate(streamer: Id, category: string, now: number): Readonly<StreamerEstimate> {
    const latest = this.#latest;
    if (latest.now === now && latest.streamer === streamer && latest.category === category) return latest.estimate;
    this.read(streamer, category, now, latest.estimate);
    latest.streamer = streamer;
    latest.category = category;
    latest.now = now;
    return latest.estimate;
  }

  /** Writes the estimates of a streamer at `now` into `out`. */
  read(streamer: Id, category: string, now: number, out: StreamerEstimate): void {
    if (this.#platformChanged) {
      estimate(this.#platform.long, 1, UNKNOWN, this.#ofPlatform);
      this.#platformChanged = false;
    }
    const ofCategory = this.#categories.get(category);
    let prior = this.#ofPlatform;
    if (ofCategory !== undefined) {
      estimate(ofCategory.long, 1, prior, this.#ofCategory);
      prior = this.#ofCategory;
    }
    const record = this.#streamers.get(streamer);
    if (record === undefined) {
      Object.assign(out.long, prior);
      out.now.clickRate = prior.clickRate;
      out.now.weight = prior.weight;
      out.impressions = 0;
      out.watches = 0;
      out.returns = 0;
      return;
    }
    const slow = fade(now - record.time, WEEK);
    estimate(record.long, slow, prior, out.long);
    const moment = record.now!;
    const fast = fade(now - record.time, HOUR);
    out.now.clickRate = shrink(moment.clicks * fast, moment.impressions * fast, out.long.clickRate, PRIOR_IMPRESSIONS);
    out.now.weight = shrink(moment.weight * fast, moment.watches * fast, out.long.weight, PRIOR_WATCHES);
    out.impressions = record.long.impressions * slow;
    out.watches = record.long.watches * slow;
    out.returns = record.long.returns * slow;
  }

  /** Plain values for `JSON.stringify`; `load` restores them. */
  save(): SavedStreamers {
    return { platform: this.#platform, categories: [...this.#categories], streamers: [...this.#streamers] };
  }

  /** Restores the values of `save`. */
  load(saved: SavedStreamers): void {
    this.#platform = saved.platform;
    this.#changed();
    for (const [category, record] of saved.categories) this.#categories.set(category, record);
    for (const [streamer, record] of saved.streamers) this.#streamers.set(streamer, record);
  }

  #changed(): void {
    this.#platformChanged = true;
    this.#latest.now = Number.NaN;
  }

  #known(streamer: Id, now: number): StreamerRecord {
    const record = this.#streamers.get(streamer) ?? emptyRecord(now);
    this.#changed();
    this.#streamers.set(streamer, record);
    return record;
  }
}

export function emptyStreamerEstimate(): StreamerEstimate {
  return {
    long: { ...UNKNOWN },
    now: { clickRate: UNKNOWN.clickRate, weight: UNKNOWN.weight },
    impressions: 0,
    watches: 0,
    returns: 0,
  };
}
