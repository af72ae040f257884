import { cos, log1p, sin } from "../math.js";
import { type Audiences, emptyStreamerEstimate, shrink } from "./audience.js";
import { DAY, HOUR, MINUTE, WEEK } from "./decay.js";
import { type Interest, type Session, SPEEDS, type StreamTraits, type UserProfile } from "./profile.js";

/** What features need to know of a stream on air. */
export interface StreamOnAir extends StreamTraits {
  /** Viewers at the moment, as last told. */
  readonly viewers: number;
  /** When it went on air. */
  readonly startedAt: number;
}

/** What is the same for all streams of one request. */
export interface Moment {
  now: number;
  /** Number of streams on air. */
  onAir: number;
  /** Largest number of viewers among the candidates. */
  viewersMax: number;
}

/** Changes with the meaning of any feature: an agent that learned from other features is of no use with these. */
export const featureVersion = 1;
/** Floats in a row of the state. */
export const observationSize = 32;
/** Floats in a row of a candidate. */
export const candidateSize = 32;

const TWO_PI = 6.283185307179586;
const [SITTING, TODAY, TASTE] = [0, 1, 2] as const;
/** How many watches, and impressions, the user's own means weigh against those of one category or tag. */
const PRIOR_WATCHES = 3;
const PRIOR_IMPRESSIONS = 20;
/** A user of whom nothing is known: clicks per impression, engaged visits and bounces per watch, repeats per watch. */
const PRIOR = { clickRate: 0.1, engaged: 0.3, bounced: 0.5, repeated: 0.3, weight: 1 } as const;
/** Features of a streamer whom the user has visited. */
const PAIR = 10;
/** log(1 + hours) of a month: what a visit that never was counts as. */
const LONG_AGO = log1p((WEEK / HOUR) * 4);

function logHours(elapsedMs: number): number {
  return Math.min(log1p(Math.max(elapsedMs, 0) / HOUR), LONG_AGO) / LONG_AGO;
}

/** log(1 + x) / scale, at most 3. */
function logScaled(x: number, scale: number): number {
  return Math.min(log1p(x) / scale, 3);
}

/**
 * Writes the state of a user at a moment: `observationSize` floats from `offset`, all finite and in [-1, 3].
 *
 * Everything comes from events before `moment.now`; `profile` has been opened at that time.
 */
export function writeObservation(row: Float32Array, offset: number, profile: UserProfile, moment: Moment): void {
  const { sums, session } = profile;
  let i = offset;
  const hour = ((moment.now % DAY) / DAY) * TWO_PI;
  const weekday = ((moment.now % WEEK) / WEEK) * TWO_PI;
  row[i++] = sin(hour);
  row[i++] = cos(hour);
  row[i++] = sin(2 * hour);
  row[i++] = cos(2 * hour);
  row[i++] = sin(weekday);
  row[i++] = cos(weekday);
  row[i++] = logScaled(moment.onAir, 5);
  // The user, over hours to weeks.
  row[i++] = logScaled(profile.requests, 4);
  row[i++] = logScaled(sums.clicks[TODAY]!, 3);
  row[i++] = logScaled(sums.clicks[TASTE]!, 4);
  row[i++] = logScaled(sums.minutes[SITTING]!, 4);
  row[i++] = logScaled(sums.minutes[TODAY]!, 5);
  row[i++] = logScaled(sums.minutes[TASTE]!, 6);
  row[i++] = meanClickRate(profile) * 3;
  row[i++] = shrink(sums.clicks[SITTING]!, sums.impressions[SITTING]!, PRIOR.clickRate, PRIOR_IMPRESSIONS) * 3;
  row[i++] = shrink(sums.engaged[TASTE]!, sums.watches[TASTE]!, PRIOR.engaged, PRIOR_WATCHES);
  row[i++] = shrink(sums.engaged[SITTING]!, sums.watches[SITTING]!, PRIOR.engaged, PRIOR_WATCHES);
  row[i++] = shrink(sums.bounces[TODAY]!, sums.watches[TODAY]!, PRIOR.bounced, PRIOR_WATCHES);
  row[i++] = meanWeight(profile) / 2;
  row[i++] = shrink(sums.repeats[TASTE]!, sums.watches[TASTE]!, PRIOR.repeated, PRIOR_WATCHES);
  row[i++] = logScaled(profile.pairs.size, 4);
  i = writeSession(row, i, session, moment.now);
  row.fill(0, i, offset + observationSize);
}

/** Writes the session so far and returns the index after it. */
function writeSession(row: Float32Array, offset: number, session: Session, now: number): number {
  let i = offset;
  row[i++] = session.requests === 0 ? 1 : 0;
  row[i++] = logHours(session.gapMs);
  row[i++] = logScaled(session.requests, 2);
  row[i++] = logScaled(session.clicks, 2);
  row[i++] = logScaled(session.engaged, 2);
  row[i++] = logScaled(session.bounces, 2);
  row[i++] = logScaled(session.ignored, 2);
  row[i++] = logScaled(session.minutes, 4);
  row[i++] = logScaled(session.lastWatchMs / MINUTE, 4);
  row[i++] = logScaled((now - session.start) / MINUTE, 4);
  return i;
}

/** The user's clicks per impression, over weeks. */
function meanClickRate(profile: UserProfile): number {
  return shrink(profile.sums.clicks[TASTE]!, profile.sums.impressions[TASTE]!, PRIOR.clickRate, PRIOR_IMPRESSIONS);
}

/** The user's mean of log(1 + minutes) per watch, over weeks. */
function meanWeight(profile: UserProfile): number {
  return shrink(profile.sums.weight[TASTE]!, profile.sums.watches[TASTE]!, PRIOR.weight, PRIOR_WATCHES);
}

/** x / (x + half): 0 at 0, 1/2 at `half`, below 1. Costs a division where a logarithm costs ten. */
function saturated(x: number, half: number): number {
  return x / (x + half);
}

const NO_INTEREST: Interest = { impressions: 0, clicks: 0, watches: 0, weight: [0, 0, 0] };

/** Writes the candidates of one request, one row each, without allocating. */
export class CandidateWriter {
  readonly #audiences: Audiences;
  readonly #estimate = emptyStreamerEstimate();
  /** What is the same for all candidates of the user: set by `begin`. */
  #profile!: UserProfile;
  #moment!: Moment;
  #value = 0;
  #clickRate = 0;
  /** 1 / the user's watching at each speed; 0 when there was none. */
  readonly #shares = new Float64Array(SPEEDS);

  constructor(audiences: Audiences) {
    this.#audiences = audiences;
  }

  /** The next rows are for this user at this moment; `profile` has been opened then. */
  begin(profile: UserProfile, moment: Moment): void {
    this.#profile = profile;
    this.#moment = moment;
    this.#value = meanWeight(profile);
    this.#clickRate = meanClickRate(profile);
    for (let speed = 0; speed < SPEEDS; speed++) {
      const total = profile.sums.weight[speed]!;
      this.#shares[speed] = total < 1e-6 ? 0 : 1 / total;
    }
  }

  /** Writes one stream: `candidateSize` floats from `offset`, all finite and in [-1, 3]. */
  write(row: Float32Array, offset: number, stream: StreamOnAir): void {
    let i = this.#writeStream(row, offset, stream, this.#moment);
    i = this.#writeMatch(row, i, this.#profile, stream);
    i = this.#writePair(row, i, this.#profile, stream);
    row.fill(0, i, offset + candidateSize);
  }

  /** What is known of the stream and its streamer, for everybody. */
  #writeStream(row: Float32Array, offset: number, stream: StreamOnAir, moment: Moment): number {
    const estimate = this.#estimate;
    this.#audiences.read(stream.streamer, stream.category, moment.now, estimate);
    const { long, now } = estimate;
    let i = offset;
    row[i++] = logScaled(stream.viewers, 5);
    row[i++] = moment.viewersMax > 0 ? Math.min(stream.viewers / moment.viewersMax, 1) : 0;
    row[i++] = saturated(Math.max(moment.now - stream.startedAt, 0), HOUR);
    row[i++] = Math.min(long.clickRate * 5, 3);
    row[i++] = Math.min(now.clickRate * 5, 3);
    row[i++] = long.engagedShare;
    row[i++] = Math.min(long.weight / 2, 3);
    row[i++] = Math.min(now.weight / 2, 3);
    row[i++] = Math.min(long.clickRate * long.weight * 4, 3);
    row[i++] = Math.min(long.repeatShare, 1);
    row[i++] = Math.min(long.approvalRate * 3, 3);
    row[i++] = saturated(estimate.watches, 10);
    row[i++] = estimate.impressions < 10 ? 1 : 0;
    return i;
  }

  /** How the stream's category and tags fit the user. */
  #writeMatch(row: Float32Array, offset: number, profile: UserProfile, stream: StreamTraits): number {
    const shares = this.#shares;
    const value = this.#value;
    const clickRate = this.#clickRate;
    let i = offset;
    const category = profile.categories.get(stream.category) ?? NO_INTEREST;
    row[i++] = Math.min(category.weight[SITTING]! * shares[SITTING]!, 1);
    row[i++] = Math.min(category.weight[TODAY]! * shares[TODAY]!, 1);
    row[i++] = Math.min(category.weight[TASTE]! * shares[TASTE]!, 1);
    row[i++] = Math.min(shrink(category.weight[TASTE]!, category.watches, value, PRIOR_WATCHES) / 2, 3);
    row[i++] = Math.min(shrink(category.clicks, category.impressions, clickRate, PRIOR_IMPRESSIONS) * 5, 3);
    let tagWeight = 0;
    let tagValue = 0;
    let tagClickRate = 0;
    for (const tag of stream.tags) {
      const interest = profile.tags.get(tag) ?? NO_INTEREST;
      tagWeight += interest.weight[TASTE]!;
      tagValue += shrink(interest.weight[TASTE]!, interest.watches, value, PRIOR_WATCHES);
      tagClickRate += shrink(interest.clicks, interest.impressions, clickRate, PRIOR_IMPRESSIONS);
    }
    const tags = stream.tags.length;
    row[i++] = tags > 0 ? Math.min((tagWeight / tags) * shares[TASTE]!, 1) : 0;
    row[i++] = Math.min((tags > 0 ? tagValue / tags : value) / 2, 3);
    row[i++] = Math.min((tags > 0 ? tagClickRate / tags : clickRate) * 5, 3);
    return i;
  }

  /** What the user did with this streamer. */
  #writePair(row: Float32Array, offset: number, profile: UserProfile, stream: StreamTraits): number {
    let i = offset;
    row[i++] = saturated(profile.session.shown.get(stream.streamer) ?? 0, 2);
    const pair = profile.pairs.get(stream.streamer);
    if (pair === undefined) {
      row.fill(0, i, i + PAIR);
      row[i] = 1;
      row[i + 1] = 1;
      return i + PAIR;
    }
    const away = Math.max(this.#moment.now - pair.lastVisit, 0);
    row[i++] = saturated(away, 6 * HOUR);
    row[i++] = saturated(away, 3 * DAY);
    row[i++] = 1;
    row[i++] = pair.lastVisit >= profile.session.start ? 1 : 0;
    row[i++] = saturated(pair.visits, 3);
    row[i++] = saturated(pair.minutes, 30);
    row[i++] = shrink(pair.engaged, pair.watches, PRIOR.engaged, 2);
    row[i++] = saturated(pair.lastWatchMs, 10 * MINUTE);
    row[i++] = Math.min(pair.weight * this.#shares[TASTE]!, 1);
    row[i++] = saturated(pair.approvals, 2) - saturated(pair.dislikes, 0.5);
    return i;
  }
}
