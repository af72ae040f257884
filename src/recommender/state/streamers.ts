import type { Part, PartReader } from "../../engine/index.js";
import { fade } from "../../numeric/index.js";
import { HOUR, type Id, WEEK, WRONG_CLOCK_MS } from "../../protocol/index.js";
import {
  type ByteReader,
  ByteWriter,
  Directory,
  doubleRows,
  framedPart,
  framedReader,
  type NumberRows,
  newId,
} from "./packed/index.js";

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

/** Sums in the order in which rows hold them. */
const SUMS = [
  "impressions",
  "clicks",
  "watches",
  "engaged",
  "weight",
  "repeats",
  "approvals",
  "surplus",
  "returns",
  "lateness",
] as const satisfies readonly (keyof StreamerSums)[];
const COUNT = SUMS.length;
const [IMPRESSIONS, CLICKS, WATCHES, ENGAGED, WEIGHT, REPEATS, APPROVALS, SURPLUS, RETURNS, LATENESS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const;

/** A row: sums at a half-life of a week, when they were last updated, then of a streamer sums at one of an hour, and counts. */
const [LONG, TIME, NOW, HISTORY] = [0, COUNT, COUNT + 1, 2 * COUNT + 1] as const;
const COUNTS = [
  "firstSeen",
  "lastOnAir",
  "streams",
  "clicks",
  "repeats",
  "watches",
  "minutes",
  "approvals",
  "followers",
] as const satisfies readonly (keyof StreamerHistory)[];
const [FIRST_SEEN, LAST_ON_AIR, STREAMS, MINUTES, FOLLOWERS] = [
  HISTORY,
  HISTORY + 1,
  HISTORY + 2,
  HISTORY + 6,
  HISTORY + 8,
] as const;
/** Places of the counts that grow with a sum. */
const COUNTED: { readonly [Sum in keyof StreamerSums]?: number } = {
  clicks: HISTORY + 3,
  repeats: HISTORY + 4,
  watches: HISTORY + 5,
  approvals: HISTORY + 7,
};
const STREAMER_ROW = HISTORY + COUNTS.length;
const CATEGORY_ROW = COUNT + 1;
/** No number of a row is beyond. */
const NUMBER_MAX = 1e16;

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

/** Rows that sums are added to. */
type Sums = NumberRows<Float64Array>;

function addTo(rows: Sums, slot: number, sum: number, amount: number, now: number): void {
  const row = rows.write(slot);
  const at = rows.at(slot);
  const hasMoment = rows.size > CATEGORY_ROW;
  if (now > row[at + TIME]!) {
    const slow = fade(now - row[at + TIME]!, WEEK);
    for (let i = 0; i < COUNT; i++) row[at + i]! *= slow;
    if (hasMoment) {
      const fast = fade(now - row[at + TIME]!, HOUR);
      for (let i = 0; i < COUNT; i++) row[at + NOW + i]! *= fast;
    }
    row[at + TIME] = now;
  } else if (row[at + TIME]! - now > WRONG_CLOCK_MS) row[at + TIME] = now;
  row[at + LONG + sum]! += amount;
  if (hasMoment) row[at + NOW + sum]! += amount;
}

/** The mean of n observations with this sum and of `strength` imagined ones at the prior. */
export function shrink(sum: number, n: number, prior: number, strength: number): number {
  return (sum + strength * prior) / (n + strength);
}

/** Estimates from the sums at `at`, faded by `factor`. */
function estimate(row: Float64Array, at: number, factor: number, prior: Estimate, out: Estimate): void {
  const watches = row[at + WATCHES]! * factor;
  const clicks = row[at + CLICKS]! * factor;
  out.clickRate = shrink(clicks, row[at + IMPRESSIONS]! * factor, prior.clickRate, PRIOR_IMPRESSIONS);
  out.engagedShare = shrink(row[at + ENGAGED]! * factor, watches, prior.engagedShare, PRIOR_WATCHES);
  out.weight = shrink(row[at + WEIGHT]! * factor, watches, prior.weight, PRIOR_WATCHES);
  out.repeatShare = shrink(row[at + REPEATS]! * factor, clicks, prior.repeatShare, PRIOR_WATCHES);
  out.approvalRate = shrink(row[at + APPROVALS]! * factor, clicks, prior.approvalRate, PRIOR_WATCHES);
  out.surplus = shrink(row[at + SURPLUS]! * factor, watches, prior.surplus, PRIOR_WATCHES);
  out.lateness = shrink(row[at + LATENESS]! * factor, row[at + RETURNS]! * factor, prior.lateness, PRIOR_RETURNS);
}

/**
 * Statistics of streamers and categories, from everybody's visits.
 *
 * Each layer is shrunk towards the one above it (moment, streamer, category, platform), so that an unknown
 * streamer is worth as much as its category.
 */
export class Streamers {
  /** Streamers dropped to make room. */
  dropped = 0;
  readonly #platform = doubleRows(CATEGORY_ROW);
  readonly #categories = new Directory(CATEGORIES);
  readonly #ofCategories = doubleRows(CATEGORY_ROW);
  readonly #streamers: Directory;
  readonly #rows = doubleRows(STREAMER_ROW);
  /** By slot, the categories of a streamer's streams. A change makes a new list. */
  #usual: (readonly (readonly [string, number])[])[] = [];
  readonly #ofPlatform: Estimate = { ...UNKNOWN };
  readonly #ofCategory: Estimate = { ...UNKNOWN };
  #platformChanged = true;
  /** The latest result of `estimate`; the time is NaN where no later call may have it. */
  readonly #latest = { streamer: "", category: "", now: Number.NaN, estimate: emptyStreamerEstimate() };

  /** The host's time: what comes with a later one counts as if it came now. */
  now = Infinity;

  /** @param maxStreamers - Streamers remembered; the ones not visited for longest are dropped first. */
  constructor(maxStreamers: number) {
    this.#streamers = new Directory(maxStreamers);
    this.#platform.write(0);
  }

  /** Streamers remembered. */
  get size(): number {
    return this.#streamers.size;
  }

  /** Adds `amount` to one sum of the streamer, of the category and of the platform. */
  add(streamer: Id, category: string, sum: keyof StreamerSums, amount: number, time: number): void {
    const now = Math.min(time, this.now);
    let slot = this.#streamers.get(streamer);
    if (slot < 0 || sum !== "impressions") slot = this.#open(streamer, now);
    const counted = COUNTED[sum];
    if (counted !== undefined) this.#rows.write(slot)[this.#rows.at(slot) + counted]! += amount;
    const isNew = this.#categories.get(category) < 0;
    const ofCategory = isNew ? this.#categories.touch(category) : this.#categories.get(category);
    if (isNew) {
      this.#ofCategories.write(ofCategory)[this.#ofCategories.at(ofCategory) + TIME] = now;
      if (this.#categories.size > CATEGORIES) this.#dropCategory();
    }
    const index = SUMS.indexOf(sum);
    addTo(this.#rows, slot, index, amount, now);
    addTo(this.#ofCategories, ofCategory, index, amount, now);
    addTo(this.#platform, 0, index, amount, now);
    this.#changed();
  }

  /** Whether the platform has reported a watch of late. */
  get hasWatches(): boolean {
    return this.#platform.of(0)[WATCHES]! > 0;
  }

  /** A stream begins. */
  onAir(streamer: Id, category: string, time: number): void {
    const now = Math.min(time, this.now);
    const slot = this.#open(streamer, now);
    const row = this.#rows.write(slot);
    const at = this.#rows.at(slot);
    row[at + STREAMS]!++;
    row[at + LAST_ON_AIR] = time;
    const before = this.#usual[slot]!;
    const times = before.find(([name]) => name === category)?.[1] ?? 0;
    const others = before.filter(([name]) => name !== category);
    this.#usual[slot] = [...others, [category, times + 1] as const].slice(-USUAL_CATEGORIES);
    this.#changed();
  }

  /** The streamer gains a follower. */
  followed(streamer: Id, now: number): void {
    const slot = this.#open(streamer, Math.min(now, this.now));
    this.#rows.write(slot)[this.#rows.at(slot) + FOLLOWERS]!++;
    this.#changed();
  }

  /** Adds the minutes of a watch that `add` has counted. */
  watched(streamer: Id, minutes: number): void {
    const slot = this.#streamers.get(streamer);
    if (slot >= 0) this.#rows.write(slot)[this.#rows.at(slot) + MINUTES]! += minutes;
  }

  /** The streamer touched longest ago, if before a time; undefined without one. */
  oldest(before: number): Id | undefined {
    const slot = this.#streamers.first;
    if (slot < 0) return undefined;
    const row = this.#rows.of(slot);
    const at = this.#rows.at(slot);
    const last = Math.max(row[at + TIME]!, row[at + FIRST_SEEN]!, row[at + LAST_ON_AIR]!);
    return last < before ? this.#streamers.id(slot) : undefined;
  }

  /** A copy of a streamer's profile; undefined for an unknown streamer. */
  profile(streamer: Id, now: number): StreamerProfile | undefined {
    const slot = this.#streamers.get(streamer);
    if (slot < 0) return undefined;
    const history = this.#history(slot);
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
    const slot = this.#streamers.get(streamer);
    if (slot < 0) return 0;
    const row = this.#rows.of(slot);
    const at = this.#rows.at(slot);
    return row[at + IMPRESSIONS]! * fade(now - row[at + TIME]!, WEEK);
  }

  /** Forgets a streamer; the sums of the category and the platform stay. Returns whether the streamer was known. */
  delete(streamer: Id): boolean {
    this.#changed();
    const slot = this.#streamers.delete(streamer);
    if (slot < 0) return false;
    this.#rows.clear(slot);
    this.#usual[slot] = [];
    return true;
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

  /** Makes a known streamer, who is on air, the latest. */
  keep(streamer: Id): void {
    this.#streamers.touch(streamer);
  }

  /** Writes the estimates of a streamer at `now` into `out`. */
  read(streamer: Id, category: string, now: number, out: StreamerEstimate): void {
    if (this.#platformChanged) {
      estimate(this.#platform.of(0), LONG, 1, UNKNOWN, this.#ofPlatform);
      this.#platformChanged = false;
    }
    const ofCategory = this.#categories.get(category);
    let prior = this.#ofPlatform;
    if (ofCategory >= 0) {
      const rows = this.#ofCategories;
      estimate(rows.of(ofCategory), rows.at(ofCategory), 1, prior, this.#ofCategory);
      prior = this.#ofCategory;
    }
    const slot = this.#streamers.get(streamer);
    if (slot < 0) {
      Object.assign(out.long, prior);
      out.now.clickRate = prior.clickRate;
      out.now.weight = prior.weight;
      out.impressions = 0;
      out.watches = 0;
      out.returns = 0;
      return;
    }
    const row = this.#rows.of(slot);
    const at = this.#rows.at(slot);
    const slow = fade(now - row[at + TIME]!, WEEK);
    estimate(row, at + LONG, slow, prior, out.long);
    const moment = at + NOW;
    const fast = fade(now - row[at + TIME]!, HOUR);
    const clicks = row[moment + CLICKS]! * fast;
    const weight = row[moment + WEIGHT]! * fast;
    out.now.clickRate = shrink(clicks, row[moment + IMPRESSIONS]! * fast, out.long.clickRate, PRIOR_IMPRESSIONS);
    out.now.weight = shrink(weight, row[moment + WATCHES]! * fast, out.long.weight, PRIOR_WATCHES);
    out.impressions = row[at + IMPRESSIONS]! * slow;
    out.watches = row[at + WATCHES]! * slow;
    out.returns = row[at + RETURNS]! * slow;
  }

  /** The part of a save: the platform, then categories, then streamers: a picture of this moment. */
  part(name: string): Part {
    const tables = [
      { rows: this.#platform.share(), listing: undefined },
      { rows: this.#ofCategories.share(), listing: this.#categories.listing() },
      { rows: this.#rows.share(), listing: this.#streamers.listing() },
    ];
    const usual = this.#usual.slice();
    function* frames() {
      const out = new ByteWriter();
      for (const [table, { rows, listing }] of tables.entries()) {
        for (const slot of listing?.slots() ?? [0]) {
          out.clear().u8(table);
          out.text(listing?.id(slot) ?? "");
          const at = rows.at(slot);
          for (let i = 0; i < rows.size; i++) out.f64(rows.of(slot)[at + i]!);
          const categories = table === 2 ? usual[slot]! : [];
          out.u8(categories.length);
          for (const [category, times] of categories) {
            out.text(category);
            out.varint(times);
          }
          yield out.bytes.subarray(0, out.length);
        }
      }
    }
    return framedPart(name, frames);
  }

  /** Reads such a part into an empty table. */
  reader(name: string): PartReader {
    const tables = [
      { rows: this.#platform, directory: undefined },
      { rows: this.#ofCategories, directory: this.#categories },
      { rows: this.#rows, directory: this.#streamers },
    ];
    return framedReader(name, (frame) => {
      const table = frame.count(2, "table");
      const { rows, directory } = tables[table]!;
      frame.what = `${name}.${table}.${directory?.size ?? 0}`;
      const slot = directory === undefined ? frame.text(0).length : directory.touch(newId(frame, directory));
      const row = rows.write(slot);
      const at = rows.at(slot);
      for (let i = 0; i < rows.size; i++) {
        const isSigned = i === SURPLUS || i === LATENESS || i === NOW + SURPLUS || i === NOW + LATENESS;
        const isTime = i === TIME || i === FIRST_SEEN;
        if (i === LAST_ON_AIR) row[at + i] = lastOnAir(frame);
        else
          row[at + i] = frame.number(
            isTime ? -Number.MAX_VALUE : isSigned ? -NUMBER_MAX : 0,
            isTime ? Number.MAX_VALUE : NUMBER_MAX,
            String(i),
          );
      }
      const categories: (readonly [string, number])[] = [];
      for (let n = frame.count(table === 2 ? USUAL_CATEGORIES : 0, "categories"); n > 0; n--) {
        categories.push([frame.text(), frame.varint()]);
      }
      if (table === 2) this.#usual[slot] = categories;
      this.#changed();
    });
  }

  #changed(): void {
    this.#platformChanged = true;
    this.#latest.now = Number.NaN;
  }

  /** The slot of a streamer, now the latest; a new one is empty. */
  #open(streamer: Id, now: number): number {
    const isNew = this.#streamers.get(streamer) < 0;
    const slot = this.#streamers.touch(streamer);
    if (!isNew) return slot;
    const row = this.#rows.write(slot);
    const at = this.#rows.at(slot);
    row[at + TIME] = row[at + FIRST_SEEN] = now;
    row[at + LAST_ON_AIR] = Number.NEGATIVE_INFINITY;
    this.#usual[slot] = [];
    if (this.#streamers.size <= this.#streamers.max) return slot;
    this.dropped++;
    this.delete(this.#streamers.id(this.#streamers.first));
    return slot;
  }

  #dropCategory(): void {
    const slot = this.#categories.first;
    this.#categories.delete(this.#categories.id(slot));
    this.#ofCategories.clear(slot);
  }

  #history(slot: number): StreamerHistory {
    const [row, at] = [this.#rows.of(slot), this.#rows.at(slot) + HISTORY];
    const counts = Object.fromEntries(COUNTS.map((name, i) => [name, row[at + i]!])) as Record<
      (typeof COUNTS)[number],
      number
    >;
    const { firstSeen, lastOnAir, streams, ...rest } = counts;
    return {
      firstSeen,
      lastOnAir: lastOnAir === Number.NEGATIVE_INFINITY ? null : lastOnAir,
      streams,
      categories: this.#usual[slot]!.map(([category, times]) => [category, times]),
      ...rest,
    };
  }
}

/** The start of a streamer's last stream; -Infinity before the first. */
function lastOnAir(frame: ByteReader): number {
  const value = frame.f64();
  if (value !== Number.NEGATIVE_INFINITY && !(Math.abs(value) <= Number.MAX_VALUE)) frame.fail("a time, or none");
  return value;
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
