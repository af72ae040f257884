import { checked, type Rules } from "../../check/index.js";
import { type Column, columns } from "../../encoders/index.js";
import { cos, log1p, sin } from "../../numeric/index.js";
import { DAY, HOUR, type Id, MINUTE, WEEK } from "../../protocol/index.js";
import {
  emptyStreamerEstimate,
  type Interest,
  type Session,
  SPEEDS,
  type Streamers,
  type StreamTraits,
  shrink,
  type UserProfile,
} from "../state/index.js";
import {
  ColumnInput,
  INPUTS,
  type Input,
  type InputName,
  logScaled,
  type Moment,
  makeInput,
  type Sources,
  type StreamOnAir,
  saturated,
} from "./inputs.js";

/** Changes with the meaning of any feature: an agent that learned from other features is of no use with these. */
export const featureVersion = 3;
/** Floats that are always there: in a row of the state, and in one of a candidate. */
const OBSERVATION = 32;
const CANDIDATE = 32;

/** What the rows hold beside the 32 floats of the state and the 32 of a candidate that are always there. */
export interface FeatureOptions {
  /**
   * Groups of inputs: `traits` of the user, `pages` and ratings, `social`: friends and follows, `taste`: the inner
   * product of the collaborative vectors, `vectors`: these vectors themselves, `moments`: what happens in the stream just
   * now, `content`: likeness to what the user watched, language and maturity, `neighbours`: how near a streamer is to those
   * whom the user liked, by who liked them. Where a platform does not tell what a
   * group needs, it is masked. Default: none, as none made people watch longer in the simulator when it told neither
   * traits nor friends; now that it does they have not been measured again. It tells no embeddings.
   */
  inputs: readonly InputName[];
  /** Columns of what the user has told: age, gender, region, language, device. Default: none. */
  user: readonly Column[];
  /**
   * Columns of a stream: id, streamer, category, tags, title, viewers, ageMs, language, mature, joinRate, commentRate,
   * giftRate, likeRate and viewerTrend. Columns that have to be fitted must be those that `FeatureSet.save` gave after
   * its `fit`; running ones go on with every slate. Default: none.
   */
  stream: readonly Column[];
}

const DEFAULTS: FeatureOptions = { inputs: [], user: [], stream: [] };

const TABLE: Rules<FeatureOptions> = {
  inputs: [
    (value) =>
      Array.isArray(value) && value.every((name) => INPUTS.includes(name)) && new Set(value).size === value.length,
    `an array of different ones of ${INPUTS.join(", ")}`,
  ],
  user: columns,
  stream: columns,
};

/** Floats in a row of the state, and in one of a candidate, by the default options. */
export const observationSize: number = OBSERVATION;
export const candidateSize: number = CANDIDATE;

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

/**
 * Writes the state of a user at a moment: 32 floats from `offset`, all finite and in [-1, 3].
 *
 * Everything comes from events before `moment.now`; `profile` has been opened at that time.
 */
function writeObservation(row: Float32Array, offset: number, profile: UserProfile, moment: Moment): void {
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
  row.fill(0, i, offset + OBSERVATION);
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

const NO_INTEREST: Interest = { impressions: 0, clicks: 0, watches: 0, weight: [0, 0, 0] };

/** Writes what is always there of the candidates of one request, without allocating. */
class CandidateWriter {
  readonly #audiences: Streamers;
  readonly #estimate = emptyStreamerEstimate();
  /** What is the same for all candidates of the user: set by `begin`. */
  #profile!: UserProfile;
  #moment!: Moment;
  #value = 0;
  #clickRate = 0;
  /** 1 / the user's watching at each speed; 0 when there was none. */
  readonly #shares = new Float64Array(SPEEDS);

  constructor(audiences: Streamers) {
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

  /** Writes one stream: 32 floats from `offset`, all finite and in [-1, 3]. */
  write(row: Float32Array, offset: number, stream: StreamOnAir): void {
    let i = this.#writeStream(row, offset, stream, this.#moment);
    i = this.#writeMatch(row, i, this.#profile, stream);
    i = this.#writePair(row, i, this.#profile, stream);
    row.fill(0, i, offset + CANDIDATE);
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

/** What `Features.save` gives: columns with all that was measured. */
export interface SavedFeatures {
  user: Column[];
  stream: Column[];
}

/** Writes the rows of requests: the state, then each candidate, all floats finite and in [-8, 8]. */
export class Features {
  readonly options: Readonly<FeatureOptions>;
  /** Floats in a row of the state, and in one of a candidate. */
  readonly observationSize: number;
  readonly candidateSize: number;
  readonly #candidates: CandidateWriter;
  readonly #inputs: readonly Input[];
  readonly #user: ColumnInput;
  readonly #stream: ColumnInput;
  #profile!: UserProfile;
  #moment!: Moment;

  /** @throws TypeError or RangeError for an option that is unknown or out of its range. */
  constructor(sources: Sources, options: Partial<FeatureOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "features.");
    const { inputs, user, stream } = this.options;
    this.#candidates = new CandidateWriter(sources.profiles.streamers);
    this.#user = new ColumnInput(user, "user");
    this.#stream = new ColumnInput(stream, "stream", sources);
    const columnInputs = [this.#user, this.#stream].filter(({ observation, candidate }) => observation + candidate > 0);
    this.#inputs = [...inputs.map((name) => makeInput(name, sources)), ...columnInputs];
    this.observationSize = this.#inputs.reduce((sum, { observation }) => sum + observation, OBSERVATION);
    this.candidateSize = this.#inputs.reduce((sum, { candidate }) => sum + candidate, CANDIDATE);
  }

  /** The next rows are for this user at this moment; `profile` has been opened then. */
  begin(user: Id, profile: UserProfile, moment: Moment): void {
    this.#profile = profile;
    this.#moment = moment;
    this.#candidates.begin(profile, moment);
    for (const input of this.#inputs) input.begin(user, profile, moment);
  }

  /** Whether anything reads what is in streams. */
  get readsContents(): boolean {
    return this.options.inputs.includes("content") || this.options.stream.length > 0;
  }

  /** Whether anything reads whom the same users liked. */
  get readsNeighbours(): boolean {
    return this.options.inputs.includes("neighbours");
  }

  /** Writes the state: `observationSize` floats from `offset`. */
  writeObservation(row: Float32Array, offset: number): void {
    writeObservation(row, offset, this.#profile, this.#moment);
    let at = offset + OBSERVATION;
    for (let i = 0; i < this.#inputs.length; i++) {
      const input = this.#inputs[i]!;
      if (input.observation > 0) input.writeObservation(row, at);
      at += input.observation;
    }
  }

  /** Writes one stream: `candidateSize` floats from `offset`. */
  write(row: Float32Array, offset: number, stream: StreamOnAir): void {
    this.#candidates.write(row, offset, stream);
    let at = offset + CANDIDATE;
    for (let i = 0; i < this.#inputs.length; i++) {
      const input = this.#inputs[i]!;
      if (input.candidate > 0) input.write(row, at, stream);
      at += input.candidate;
    }
  }

  /** A slate was shown: running columns go on. Call after its rows are written. */
  shown(slate: readonly StreamOnAir[]): void {
    this.#user.shown(slate);
    this.#stream.shown(slate);
  }

  save(): SavedFeatures {
    return { user: this.#user.save(), stream: this.#stream.save() };
  }

  /** Takes what `save` of the same options gave. */
  load({ user, stream }: SavedFeatures): void {
    this.#user.load(user);
    this.#stream.load(stream);
  }
}
