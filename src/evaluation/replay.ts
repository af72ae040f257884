import {
  boolean,
  callback,
  checked,
  group,
  nonNegative,
  nonNegativeInteger,
  oneOf,
  optional,
  positive,
  positiveInteger,
  type Rules,
} from "../check/index.js";
import { Latest, pairKey } from "../collections/index.js";
import { Random } from "../numeric/index.js";
import {
  type Decision,
  ENGAGED_MS,
  type Id,
  type LiveEvent,
  type LoggedDecision,
  MINUTE,
  type Policy,
  type Request,
  type Watch,
} from "../protocol/index.js";
import { type StreamTraits, Watches } from "../recommender/state/index.js";
import { type Figure, GroupCache, type ResampleOptions, scoreList, Tally } from "../statistics/index.js";
import { Broadcasts } from "./broadcasts.js";
import { type CompleteLogOptions, LogCompleter } from "./decisions/complete.js";
import { isEvent, type LogEntry } from "./decisions/entries.js";
import {
  exposureGini,
  intraListSimilarity,
  type SimilarityFunction,
  selfInformation,
  similarityRule,
  traitSimilarity,
} from "./diversity.js";
import {
  ALL,
  CASE_SLICES,
  isUserAction,
  SLICE_DEFAULTS,
  SLICE_TABLE,
  type SliceOptions,
  Slicer,
  type UserAction,
} from "./slices.js";

/** A policy that can also rank without showing. */
export interface RankingPolicy extends Policy {
  /**
   * As `recommend`, but changes nothing. A policy that learns from its own decisions needs it, or it takes the rankings
   * of an evaluation for slates that were shown.
   */
  rank?(request: Request): Pick<Decision, "slate">;
  /** Takes a decision of the log, to learn from it: a `Recommender` learns from nothing else. */
  recordDecision?(decision: LoggedDecision): void;
}

export interface LogReplayOptions extends SliceOptions {
  /** Milliseconds; earlier events train the policy, and are not cases. Default 0. */
  from: number;
  /** Milliseconds; events at or after it are not cases. Default without end. */
  until: number;
  /**
   * Which stream is the right answer: every one with a `click`, or with a click that led to an `engaged` watch. Default
   * `click`.
   */
  target: "click" | "engaged";
  /** Milliseconds of watching from which a visit counts as engaged, > 0. Default 60 000. */
  engagedMs: number;
  /** Length of the list, at least 1. Default 10. */
  k: number;
  /**
   * Number of other streams on air among which the target is ranked, drawn uniformly for each case; 0 takes all streams
   * on air, as Rappaz et al. 2021 do. Sampled figures are far higher, and may order policies otherwise (Krichene &
   * Rendle 2020). Default 0.
   */
  negatives: number;
  /** Seed of the drawn negatives, an integer >= 0. Default 0. */
  seed: number;
  /** Milliseconds between a decision's first impression and its last click, at most. Default 10 minutes. */
  lookMs: number;
  /** Similarity of two streams, for the diversity of lists. Default {@link traitSimilarity}. */
  similarity: SimilarityFunction<StreamTraits>;
  /**
   * Whether a policy with `recordDecision` gets the log's decisions, and so learns from the log as it goes; each after it
   * has ranked. false: it is judged as it is. Default true.
   */
  learns: boolean;
  /**
   * How the log is completed where it has no `on_air`, no impressions or no clicks: see `LogCompleter`. false: it is
   * complete, and its decisions come with it. Default: by what it has.
   */
  log: Partial<CompleteLogOptions> | false;
  /** Whose cases count. Default: all users'. */
  users?: ((user: Id) => boolean) | undefined;
}

const DEFAULTS: LogReplayOptions = {
  from: 0,
  until: Number.MAX_VALUE,
  target: "click",
  engagedMs: ENGAGED_MS,
  k: 10,
  negatives: 0,
  seed: 0,
  lookMs: 10 * MINUTE,
  similarity: traitSimilarity,
  learns: true,
  log: {},
  ...SLICE_DEFAULTS,
};

const TABLE: Rules<LogReplayOptions> = {
  from: nonNegative,
  until: nonNegative,
  target: oneOf("click", "engaged"),
  engagedMs: positive,
  k: positiveInteger,
  negatives: nonNegativeInteger,
  seed: nonNegativeInteger,
  lookMs: nonNegative,
  similarity: similarityRule,
  learns: boolean,
  log: [(value) => value === false || group[0](value), "an object, or false"],
  users: optional(callback),
  ...SLICE_TABLE,
};

/** The newest cases that wait for the end of their watch; older ones are forgotten. Set by hand. */
const WAITING = 65_536;

/** An entry of the log that waits for the clicks that follow it. */
interface Held {
  entry: LogEntry;
  /** Streams of the case that is evaluated before this entry: the clicks of its decision, or its own. */
  targets: Id[] | undefined;
}

/** The scores of a policy's ranking in one case. */
interface Case {
  group: number;
  slices: number;
  /** By metric; NaN where it has no value. */
  values: number[];
}

/** The result of an evaluation on a log. */
export interface LogReplayResult {
  /** With intervals, by slice: `accuracy` (HR@1), `hr_at_10`, `ndcg_at_10`, `mrr`, and more. */
  figures: Figure[];
  /** The sums behind the figures, for a comparison with another policy on the same log: {@link Tally.minus}. */
  tally: Tally;
  /** Number of cases. */
  cases: number;
  /** Number of targets left out, as they were not on air when the policy was to rank. */
  skipped: number;
}

/**
 * Evaluates a policy on a log, event by event: before each click the policy ranks the streams on air, the rank of the
 * clicked stream counts, and only then the policy gets the click. With `from`, the part before it trains.
 *
 * The policy ranks before the first impression of the click's decision, where the log has impressions, and otherwise
 * right before the click: the log's own slate would give the answer away. So events are held back for `lookMs` before
 * the policy gets them, in their order. A watch without a click is a case at its end, when the policy already has the
 * user's events during that watch: give such logs a click at the start of each watch.
 *
 * The policy is asked for all streams on air, which takes a policy that sorts them O(n log n) a case. Targets that it
 * leaves out of its ranking score 0.
 *
 * A policy with `recordDecision`, such as a `Recommender`, also gets the log's decisions, each after its case: rebuilt from
 * impressions, or drawn where the log has none. So it learns from the log as the replay goes; without decisions it would
 * learn nothing, and its figures would be those of an untrained one. `learns: false` judges it as it is.
 */
export class LogReplay {
  readonly options: Readonly<LogReplayOptions>;
  readonly #policy: RankingPolicy;
  readonly #tally: Tally;
  /** The share of streams on air in the window that were in a list, resampled by streamer. */
  readonly #streams: Tally;
  readonly #broadcasts = new Broadcasts();
  readonly #watches = new Watches();
  readonly #slicer: Slicer;
  readonly #random: Random;
  readonly #groups = new GroupCache();
  readonly #held: Held[] = [];
  readonly #completer: LogCompleter | undefined;
  #taken = 0;
  /** Each held decision, by user and name; or its first impression. */
  readonly #opened = new Map<string, Held>();
  readonly #waiting = new Latest<string, Case>(WAITING);
  readonly #visiting = new Latest<string, true>(WAITING);
  readonly #visits = new Map<Id, number>();
  #visited = 0;
  /** How often each streamer on air in the window was listed. */
  readonly #exposures = new Map<Id, number>();
  /** Whether each stream on air was listed. */
  readonly #listed = new Map<Id, boolean>();
  #now = 0;
  #hasBegun = false;
  #cases = 0;
  #skipped = 0;

  /** @throws TypeError or RangeError for unknown or wrong options. */
  constructor(policy: RankingPolicy, options: Partial<LogReplayOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    const { k, seed } = this.options;
    this.#policy = policy;
    this.#tally = new Tally(metricsAt(k), CASE_SLICES);
    this.#streams = new Tally([`stream_coverage_at_${k}`]);
    this.#slicer = new Slicer(this.options);
    this.#random = Random.named(seed, "replay");
    const { log } = this.options;
    if (log !== false) this.#completer = new LogCompleter((entry) => this.#feed(entry), { seed, ...log });
  }

  /**
   * Takes the next event of the log, in order of time; with `log` false also decisions, each before its impressions.
   * @throws RangeError when time falls. Error when the policy lists a stream that is not on air, or one twice.
   */
  feed(event: LogEntry): void {
    if (!(event.time >= this.#now && event.time < Infinity)) {
      throw new RangeError(`"time" must be finite and at least ${this.#now}, got ${event.time}`);
    }
    this.#now = event.time;
    if (this.#completer !== undefined && isEvent(event)) this.#completer.push(event);
    else this.#feed(event);
  }

  #feed(entry: LogEntry): void {
    this.#hold(entry);
    const { lookMs } = this.options;
    while (this.#taken < this.#held.length && this.#held[this.#taken]!.entry.time + lookMs <= entry.time) {
      this.#take(this.#held[this.#taken++]!);
    }
    if (this.#taken < 1024 || this.#taken * 2 < this.#held.length) return;
    this.#held.splice(0, this.#taken);
    this.#taken = 0;
  }

  /** Takes the events still held, and gives the result so far. More events may follow. */
  result(options: Partial<ResampleOptions> = {}): LogReplayResult {
    this.#completer?.end();
    for (; this.#taken < this.#held.length; this.#taken++) this.#take(this.#held[this.#taken]!);
    const figures = [...this.#tally.figures(options), ...this.#streams.figures(options)];
    const exposures = [...this.#exposures.values()];
    if (exposures.some((n) => n > 0)) {
      figures.push(exposureGini(`exposure_gini_at_${this.options.k}`, exposures, options));
    }
    return { figures, tally: this.#tally.clone(), cases: this.#cases, skipped: this.#skipped };
  }

  #hold(event: LogEntry): void {
    const held: Held = { entry: event, targets: undefined };
    this.#held.push(held);
    if (!isEvent(event)) this.#opened.set(pairKey(event.user, event.id), held);
    else if (event.kind === "impression" && event.decision !== undefined) {
      const key = pairKey(event.user, event.decision);
      if (!this.#opened.has(key)) this.#opened.set(key, held);
    } else if (event.kind === "click") {
      const opened = event.decision === undefined ? undefined : this.#opened.get(pairKey(event.user, event.decision));
      const from = opened ?? held;
      from.targets ??= [];
      if (!from.targets.includes(event.stream)) from.targets.push(event.stream);
    } else if (event.kind === "watch") {
      // A watch without a click is a case of its own; whether there was a click is known when its turn comes.
      held.targets = [event.stream];
    }
  }

  #take(held: Held): void {
    const { entry: event, targets } = held;
    this.#enterWindow(event.time);
    if (!isEvent(event)) {
      if (targets !== undefined) this.#ask(event.user, event.time, targets);
      const key = pairKey(event.user, event.id);
      if (this.#opened.get(key) === held) this.#opened.delete(key);
      if (this.options.learns) this.#policy.recordDecision?.(event);
      return;
    }
    const isAnnounced = event.kind === "watch" && this.#visiting.has(pairKey(event.user, event.stream));
    if ("user" in event && targets !== undefined && !isAnnounced) this.#ask(event.user, event.time, targets);
    if (event.kind === "impression" && event.decision !== undefined) {
      const key = pairKey(event.user, event.decision);
      if (this.#opened.get(key) === held) this.#opened.delete(key);
    }
    this.#broadcasts.feedback(event);
    if (event.kind === "on_air" && this.#counts(event.time)) this.#airs(event.stream, event.streamer);
    else if (event.kind === "off_air") this.#listed.delete(event.stream);
    else if (event.kind === "impression") this.#slicer.shown(this.#broadcasts.streamerOf(event.stream));
    for (const each of this.#watches.settle(event)) if (isUserAction(each)) this.#learn(each);
    this.#policy.feedback(event, event.time);
  }

  /** Updates slices and novelty, and counts the case of a watch that has ended. */
  #learn(event: UserAction): void {
    this.#slicer.acted(event.user);
    if (event.kind === "page_view") return;
    const key = pairKey(event.user, event.stream);
    if (event.kind === "click" || (event.kind === "watch" && !this.#visiting.has(key))) {
      const streamer = this.#broadcasts.streamerOf(event.stream);
      this.#slicer.visited(event.user, streamer);
      this.#visits.set(streamer, (this.#visits.get(streamer) ?? 0) + 1);
      this.#visited++;
    }
    if (event.kind === "click") this.#visiting.set(key, true);
    else if (event.kind === "watch") this.#leave(event, key);
  }

  #leave({ watchMs }: Watch, key: string): void {
    this.#visiting.delete(key);
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (waiting !== undefined && watchMs >= this.options.engagedMs) this.#count(waiting);
  }

  #counts(time: number): boolean {
    return time >= this.options.from && time < this.options.until;
  }

  /** Streams on air when the window begins count as on air in it. */
  #enterWindow(time: number): void {
    if (this.#hasBegun || !this.#counts(time)) return;
    this.#hasBegun = true;
    for (const stream of this.#broadcasts.catalog) this.#airs(stream.id, stream.streamer);
  }

  #airs(stream: Id, streamer: Id): void {
    if (this.#listed.has(stream)) return;
    this.#listed.set(stream, false);
    if (!this.#exposures.has(streamer)) this.#exposures.set(streamer, 0);
    this.#streams.add(this.#groups.of(streamer), 0, ALL, 0, 1);
  }

  /** Lets the policy rank: once for all targets, or once for each where they have negatives of their own. */
  #ask(user: Id, now: number, targets: readonly Id[]): void {
    if (!this.#counts(now) || this.options.users?.(user) === false) return;
    // What is on air by this very click alone would give the answer away.
    const isInferred = this.#completer?.contents?.onAir !== "events";
    let slate: readonly Id[] | undefined;
    for (const target of targets) {
      const stream = this.#broadcasts.catalog.get(target);
      if (stream === undefined || (isInferred && stream.startedAt >= now)) {
        this.#skipped++;
        continue;
      }
      const candidates = this.#candidates(target);
      if (slate === undefined || candidates !== undefined) slate = this.#rank(user, now, candidates);
      this.#show(slate);
      const slices = this.#slicer.of(user, stream.streamer);
      const asked = { group: this.#groups.of(user), slices, values: this.#score(slate, target) };
      if (this.options.target === "click") this.#count(asked);
      else this.#waiting.set(pairKey(user, target), asked);
    }
  }

  /** The target and the negatives drawn for it; undefined for all streams on air. */
  #candidates(target: Id): Id[] | undefined {
    const { negatives } = this.options;
    const { streams } = this.#broadcasts.catalog;
    if (negatives === 0 || negatives >= streams.length - 1) return undefined;
    const drawn = new Set<Id>([target]);
    // Floyd's algorithm: each set is equally likely, and takes as many draws as it has members.
    const at = this.#broadcasts.catalog.get(target)!.index;
    const other = (i: number) => streams[i < at ? i : i + 1]!.id;
    for (let last = streams.length - 1 - negatives; last < streams.length - 1; last++) {
      const id = other(this.#random.below(last + 1));
      drawn.add(drawn.has(id) ? other(last) : id);
    }
    return [...drawn];
  }

  /** The policy's ranking, with its first k streams checked. */
  #rank(user: Id, now: number, candidates: Id[] | undefined): readonly Id[] {
    // Logs number users and streamers each by themselves: equal ids are no sign of an own stream.
    const filter = { own: true };
    const request: Request = { user, now, k: candidates?.length ?? this.#broadcasts.catalog.size, filter };
    if (candidates !== undefined) request.candidates = candidates;
    const policy = this.#policy;
    const { slate } = policy.rank === undefined ? policy.recommend(request) : policy.rank(request);
    const who = `policy ${JSON.stringify(policy.name)}`;
    // Streams beyond the first k do not change any figure.
    const top = slate.slice(0, this.options.k);
    for (const [position, id] of top.entries()) {
      const isOffered = this.#broadcasts.catalog.has(id) && (candidates === undefined || candidates.includes(id));
      if (!isOffered) throw new Error(`${who} ranked ${JSON.stringify(id)}, not on offer at ${now} ms`);
      if (top.indexOf(id) < position) throw new Error(`${who} ranked ${JSON.stringify(id)} twice at ${now} ms`);
    }
    return slate;
  }

  /** Counts the first k streams of a ranking as shown. */
  #show(slate: readonly Id[]): void {
    const { catalog } = this.#broadcasts;
    for (const id of slate.slice(0, this.options.k)) {
      const { streamer } = catalog.get(id)!;
      this.#exposures.set(streamer, (this.#exposures.get(streamer) ?? 0) + 1);
      if (this.#listed.get(id) !== false) continue;
      this.#listed.set(id, true);
      this.#streams.add(this.#groups.of(streamer), 0, ALL, 1, 0);
    }
  }

  /** The scores of a ranking, in the order of the metrics. */
  #score(slate: readonly Id[], target: Id): number[] {
    const { k, similarity } = this.options;
    const scores = scoreList(slate, new Set([target]), k);
    const top = slate.slice(0, k).map((id) => this.#broadcasts.catalog.get(id)!);
    let bits = 0;
    for (const { streamer } of top) {
      bits += selfInformation(this.#visits.get(streamer) ?? 0, this.#visited, this.#exposures.size);
    }
    return [
      scores.accuracy,
      scores.hitRate,
      scores.ndcg,
      scores.reciprocalRank,
      scores.precision,
      scores.recall,
      scores.f1,
      scores.averagePrecision,
      1 - intraListSimilarity(top, similarity),
      bits / top.length,
    ];
  }

  #count({ group, slices, values }: Case): void {
    this.#cases++;
    for (const [metric, value] of values.entries()) {
      if (!Number.isNaN(value)) this.#tally.add(group, metric, slices, value, 1);
    }
  }
}

/** Names of the metrics of a case, in the order of its values. */
function metricsAt(k: number): string[] {
  const lists = ["precision", "recall", "f1", "map", "diversity", "novelty_bits"].map((metric) => `${metric}_at_${k}`);
  return ["accuracy", `hr_at_${k}`, `ndcg_at_${k}`, "mrr", ...lists];
}

/**
 * Evaluates a policy on a whole log: see {@link LogReplay}.
 *
 * @param events - In order of time.
 * @throws as {@link LogReplay.feed}.
 */
export function evaluateLog(
  policy: RankingPolicy,
  events: Iterable<LiveEvent>,
  options: Partial<LogReplayOptions> = {},
  resample: Partial<ResampleOptions> = {},
): LogReplayResult {
  const replay = new LogReplay(policy, options);
  for (const event of events) replay.feed(event);
  return replay.result(resample);
}
