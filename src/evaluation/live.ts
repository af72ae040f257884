import { checked, group, nonNegative, positive, type Rules } from "../check/index.js";
import { Latest, pairKey } from "../collections/index.js";
import {
  type Click,
  type Decision,
  ENGAGED_MS,
  type FeedbackEvent,
  HOUR,
  type Id,
  type LiveEvent,
  MINUTE,
  SESSION_GAP_MS,
  type StreamEvent,
  type Watch,
  WEEK,
} from "../protocol/index.js";
import {
  emptyOutcome,
  isBounce,
  type Outcome,
  Reward,
  type RewardOptions,
  record,
} from "../recommender/learning/index.js";
import { type StreamTraits, Watches } from "../recommender/state/index.js";
import { type Figure, GroupCache, type ResampleOptions, Tally } from "../statistics/index.js";
import { Broadcasts } from "./broadcasts.js";
import {
  exposureGini,
  intraListSimilarity,
  type SimilarityFunction,
  selfInformation,
  similarityRule,
  traitSimilarity,
} from "./diversity.js";
import { Returning } from "./returning.js";
import {
  ALL,
  CASE_SLICES,
  isRepeat,
  isUserAction,
  OF_USER,
  SLICE_DEFAULTS,
  SLICE_TABLE,
  type SliceOptions,
  Slicer,
  UNMET,
  type UserAction,
} from "./slices.js";

export interface LiveMetricsOptions extends SliceOptions {
  /** Milliseconds; earlier events make users and streamers known, and are not counted. Default 0. */
  from: number;
  /** Milliseconds without activity after which a new session begins, > 0. Default 30 minutes. */
  sessionGapMs: number;
  /** Milliseconds of watching from which a visit counts as engaged, > 0. Default 60 000. */
  engagedMs: number;
  /**
   * Milliseconds, > 0: users whose first sessions fall into the same such period since `from` are a cohort. Default a
   * week.
   */
  cohortMs: number;
  /** Similarity of two streams, for the diversity of slates. Default {@link traitSimilarity}. */
  similarity: SimilarityFunction<StreamTraits>;
  /** Options of the reward, `bounceMs` included. Default those of the recommender. */
  reward: Partial<RewardOptions>;
}

const DEFAULTS: LiveMetricsOptions = {
  from: 0,
  sessionGapMs: SESSION_GAP_MS,
  engagedMs: ENGAGED_MS,
  cohortMs: WEEK,
  similarity: traitSimilarity,
  reward: {},
  ...SLICE_DEFAULTS,
};

const TABLE: Rules<LiveMetricsOptions> = {
  from: nonNegative,
  sessionGapMs: positive,
  engagedMs: positive,
  cohortMs: positive,
  similarity: similarityRule,
  reward: group,
  ...SLICE_TABLE,
};

/** Metrics by slice. Rates are per impression, conversions and shares per visit. */
const METRICS = [
  "click_rate",
  "conversion_engaged",
  "conversion_follow",
  "conversion_gift",
  "bounce_share",
  "repeat_share",
  "watch_min_per_visit",
  "watch_min_per_user_day",
  "watch_min_per_active_day",
  "sessions_per_user_day",
  "reward_per_impression",
  "slate_diversity",
  "slate_novelty_bits",
  "hours_to_next_visit",
] as const;

type Metric = (typeof METRICS)[number];

const AT = Object.fromEntries(METRICS.map((metric, at) => [metric, at])) as Record<Metric, number>;

/** The newest impressions, visits and decisions that wait for feedback; older ones are forgotten. Set by hand. */
const WAITING = 65_536;

/** All slices: denominators such as user-days belong to each of them, so that the slices of a sum add up. */
const EVERY = (1 << CASE_SLICES.length) - 1;

interface Visit {
  slices: number;
  /** Whether it followed an impression that counts. */
  isShown: boolean;
  /** Whether it began at or after `from`. */
  counts: boolean;
  outcome: Outcome;
}

interface Streamer {
  /** Whether it was on air or shown since `from`. */
  counts: boolean;
  /** Since `from`. */
  impressions: number;
  /** Since the first event. */
  visits: number;
}

/**
 * Measures a policy while it serves: from a log, behind a simulator, or in a server.
 *
 * Give it events and decisions in order of time, a decision before its events. Each call takes O(1), besides the pairs
 * of a slate. Memory grows with users and streamers, not with events.
 *
 * ```ts
 * const live = new LiveMetrics();
 * simulate(policy, { days: 14 }, { onEvent: (event) => live.feedback(event), onDecision: (one) => live.decision(one) });
 * console.table(live.result());
 * ```
 */
export class LiveMetrics {
  readonly options: Readonly<LiveMetricsOptions>;
  readonly #tally = new Tally(METRICS, CASE_SLICES);
  /** The share of streams on air that were shown, resampled by streamer. */
  readonly #streams = new Tally(["stream_coverage"]);
  readonly #broadcasts = new Broadcasts();
  readonly #watches = new Watches();
  readonly #slicer: Slicer;
  readonly #reward: Reward;
  readonly #returning: Returning;
  readonly #groups = new GroupCache();
  readonly #streamers = new Map<Id, Streamer>();
  /** Whether each stream on air since `from` was shown. */
  readonly #shown = new Map<Id, boolean>();
  /** Slices of impressions without a click so far; -1 for impressions before `from`. */
  readonly #impressions = new Latest<string, { slices: number; decision: Id | undefined }>(WAITING);
  readonly #visits = new Latest<string, Visit>(WAITING);
  readonly #decisions = new Latest<Id, true>(WAITING);
  #now = 0;
  #visited = 0;

  /** @throws TypeError or RangeError for unknown or wrong options. */
  constructor(options: Partial<LiveMetricsOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    this.#slicer = new Slicer(this.options);
    this.#reward = new Reward(this.options.reward);
    this.#returning = new Returning(this.options);
  }

  /**
   * Takes a decision: its streams count as shown, and impressions that name it are not counted again.
   * @throws RangeError for a time that is not finite; nothing changes then.
   */
  decision({ id, user, time, slate }: Decision): void {
    requireFinite("time", time);
    for (const watch of this.#watches.settleRequest(user, time)) this.#take(watch);
    this.#advance(time);
    this.#decisions.set(id, true);
    this.#present(user, time, time);
    const slices = this.#slicer.ofUser(user);
    const traits: StreamTraits[] = [];
    for (const stream of slate) {
      const of = this.#broadcasts.traits(stream);
      if (of !== undefined) traits.push(of);
      this.#show(user, stream, id);
    }
    if (!this.#counts || traits.length < 2) return;
    const similarity = intraListSimilarity(traits, this.options.similarity);
    this.#tally.add(this.#groups.of(user), AT.slate_diversity, slices, 1 - similarity, 1);
  }

  /**
   * Takes an event.
   * @throws RangeError for a number that is not finite; nothing changes then.
   */
  feedback(event: LiveEvent): void {
    if (event.kind === "watch" || event.kind === "heartbeat") requireFinite("watchMs", event.watchMs);
    if (event.kind === "gift") requireFinite("amount", event.amount);
    if (event.kind === "purchase") requireFinite("amount", event.amount);
    if (event.kind === "signal" && !Number.isFinite(event.value))
      throw new RangeError(`"value" must be a finite number, got ${event.value}`);
    if (event.kind === "rating") requireFinite("rating", event.rating);
    if (event.kind === "page_view") requireFinite("dwellMs", event.dwellMs);
    requireFinite("time", event.time);
    for (const each of this.#watches.settle(event)) this.#take(each);
  }

  #take(event: LiveEvent): void {
    this.#advance(event.time);
    if (!("user" in event)) this.#takeStream(event);
    else if (event.kind === "heartbeat") {
      this.#present(event.user, Math.max(0, event.time - event.watchMs), event.time);
    } else if (event.kind === "impression") {
      this.#present(event.user, event.time, this.#now);
      if (event.decision === undefined || !this.#decisions.has(event.decision))
        this.#show(event.user, event.stream, event.decision);
    } else if (isUserAction(event)) this.#takeAction(event);
  }

  /**
   * All figures so far, each with its 95 % interval; figures with a denominator of 0 are left out. Users are resampled;
   * for coverage and the Gini coefficient of exposure, streamers. Takes time in proportion to users and streamers.
   */
  result(options: Partial<ResampleOptions> = {}): Figure[] {
    const figures = this.tally().figures(options);
    figures.push(...this.#returning.figures(this.#now, options), ...this.#streams.figures(options));
    const exposures: number[] = [];
    for (const { counts, impressions } of this.#streamers.values()) if (counts) exposures.push(impressions);
    if (exposures.some((n) => n > 0)) figures.push(exposureGini("exposure_gini", exposures, options));
    return figures;
  }

  /** The sums behind the figures by user, for a comparison with another policy: {@link Tally.minus}. */
  tally(): Tally {
    const tally = this.#tally.clone();
    for (const { group, days, activeDays, awayMs, returns } of this.#returning.users(this.#now)) {
      tally.add(group, AT.watch_min_per_user_day, EVERY, 0, days);
      tally.add(group, AT.sessions_per_user_day, OF_USER, 0, days);
      tally.add(group, AT.watch_min_per_active_day, EVERY, 0, activeDays);
      // All time away over all returns: users who are not back yet count with their time away so far.
      tally.add(group, AT.hours_to_next_visit, ALL, awayMs / HOUR, returns);
    }
    return tally;
  }

  get #counts(): boolean {
    return this.#now >= this.options.from;
  }

  #advance(time: number): void {
    requireFinite("time", time);
    const before = this.#now;
    this.#now = Math.max(before, time);
    if (before >= this.options.from || !this.#counts) return;
    for (const stream of this.#broadcasts.catalog) this.#airs(stream.id, stream.streamer);
  }

  #streamer(id: Id): Streamer {
    let streamer = this.#streamers.get(id);
    if (streamer === undefined) {
      streamer = { counts: false, impressions: 0, visits: 0 };
      this.#streamers.set(id, streamer);
    }
    return streamer;
  }

  #takeStream(event: StreamEvent): void {
    this.#broadcasts.feedback(event);
    if (event.kind === "on_air" && this.#counts) this.#airs(event.stream, event.streamer);
    else if (event.kind === "off_air") this.#shown.delete(event.stream);
  }

  /** Counts a stream that is on air at or after `from`. */
  #airs(stream: Id, streamer: Id): void {
    if (this.#shown.has(stream)) return;
    this.#shown.set(stream, false);
    this.#streamer(streamer).counts = true;
    this.#streams.add(this.#groups.of(streamer), 0, ALL, 0, 1);
  }

  #present(user: Id, start: number, end: number): void {
    const isNew = this.#returning.sign(user, this.#groups.of(user), start, end, this.#slicer.ofUser(user));
    if (!isNew || !this.#counts) return;
    this.#tally.add(this.#groups.of(user), AT.sessions_per_user_day, this.#slicer.ofUser(user), 1, 0);
  }

  #show(user: Id, stream: Id, decision: Id | undefined): void {
    const name = this.#broadcasts.streamerOf(stream);
    const slices = this.#slicer.of(user, name);
    this.#slicer.shown(name);
    this.#impressions.set(pairKey(user, stream), { slices: this.#counts ? slices : -1, decision });
    if (!this.#counts) return;
    const streamer = this.#streamer(name);
    streamer.counts = true;
    streamer.impressions++;
    const bits = selfInformation(streamer.visits, this.#visited, this.#streamers.size);
    const group = this.#groups.of(user);
    this.#tally.add(group, AT.click_rate, slices, 0, 1);
    this.#tally.add(group, AT.reward_per_impression, slices, 0, 1);
    this.#tally.add(group, AT.slate_novelty_bits, slices, bits, 1);
    if (this.#shown.get(stream) !== false) return;
    this.#shown.set(stream, true);
    this.#streams.add(this.#groups.of(name), 0, ALL, 1, 0);
  }

  #takeAction(event: UserAction): void {
    const length = event.kind === "watch" ? event.watchMs : event.kind === "page_view" ? event.dwellMs : 0;
    this.#present(event.user, Math.max(0, event.time - length), event.time);
    if (event.kind === "page_view") this.#slicer.acted(event.user);
    else this.#takeFeedback(event);
  }

  #takeFeedback(event: FeedbackEvent): void {
    const streamer = this.#broadcasts.streamerOf(event.stream);
    const key = pairKey(event.user, event.stream);
    let visit = this.#visits.get(key);
    const isVisit = event.kind === "click" || (event.kind === "watch" && visit === undefined);
    if (isVisit) visit = this.#enter(event, streamer, key);
    this.#slicer.acted(event.user);
    if (visit === undefined) return;
    const isCut = this.#broadcasts.isGone(event.stream);
    if (this.#reward.counts(event))
      record(visit.outcome, event, event.kind === "watch" ? { watchMs: event.watchMs, isCut } : undefined);
    if (visit.counts) this.#convert(event, visit);
    if (event.kind !== "watch") return;
    this.#visits.delete(key);
    this.#leave(event.user, visit, event.watchMs, event.time);
  }

  /** Begins a visit. */
  #enter({ user, decision }: Click | Watch, streamer: Id, key: string): Visit {
    const shown = this.#impressions.get(key);
    // Where impressions name their decision, a click without one does not come from the slate.
    const isAnswer = shown !== undefined && (shown.decision === undefined || decision !== undefined);
    if (isAnswer) this.#impressions.delete(key);
    const isShown = isAnswer && shown.slices >= 0;
    const slices = isShown ? shown.slices : this.#slicer.of(user, streamer);
    const visit = { slices, isShown, counts: this.#counts, outcome: emptyOutcome() };
    this.#visits.set(key, visit);
    this.#slicer.visited(user, streamer);
    this.#streamer(streamer).visits++;
    this.#visited++;
    if (!visit.counts) return visit;
    const group = this.#groups.of(user);
    if (isShown) this.#tally.add(group, AT.click_rate, slices, 1, 0);
    this.#tally.add(group, AT.repeat_share, slices & UNMET, isRepeat(slices) ? 1 : 0, 1);
    this.#tally.add(group, AT.conversion_follow, slices, 0, 1);
    this.#tally.add(group, AT.conversion_gift, slices, 0, 1);
    return visit;
  }

  /** Counts the first follow and the first gift of a visit. */
  #convert(event: FeedbackEvent, { slices, outcome }: Visit): void {
    const group = this.#groups.of(event.user);
    if (event.kind === "follow" && outcome.follows === 1) this.#tally.add(group, AT.conversion_follow, slices, 1, 0);
    else if (event.kind === "gift" && outcome.gifts === event.amount) {
      this.#tally.add(group, AT.conversion_gift, slices, 1, 0);
    }
  }

  /** Counts a visit at the end of its watch. */
  #leave(user: Id, { slices, isShown, counts, outcome }: Visit, watchMs: number, end: number): void {
    if (!this.#counts) return;
    const group = this.#groups.of(user);
    // Only the part of a watch at or after `from`.
    const minutes = Math.max(0, Math.min(watchMs, end - this.options.from)) / MINUTE;
    this.#tally.add(group, AT.watch_min_per_user_day, slices, minutes, 0);
    this.#tally.add(group, AT.watch_min_per_active_day, slices, minutes, 0);
    if (!counts) return;
    this.#tally.add(group, AT.watch_min_per_visit, slices, watchMs / MINUTE, 1);
    this.#tally.add(group, AT.conversion_engaged, slices, watchMs >= this.options.engagedMs ? 1 : 0, 1);
    const { bounceMs } = this.#reward.options;
    this.#tally.add(group, AT.bounce_share, slices, isBounce(outcome, bounceMs) ? 1 : 0, 1);
    if (isShown) this.#tally.add(group, AT.reward_per_impression, slices, this.#reward.of(outcome), 0);
  }
}

function requireFinite(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new RangeError(`"${name}" must be a finite number >= 0, got ${value}`);
}
