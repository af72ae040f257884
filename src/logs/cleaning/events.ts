import { checked, integer, oneOf, type Rule, type Rules, rules } from "../../check/index.js";
import { PriorityQueue, pairKey, Recent } from "../../collections/index.js";
import {
  type Click,
  DAY,
  type FeedbackEvent,
  type Gift,
  type Id,
  type LiveEvent,
  MINUTE,
  type OnAir,
  type PageView,
  type Watch,
} from "../../protocol/index.js";
import { count } from "../counts.js";
import { change, drop, emptyReport, type QualityReport } from "../report.js";
import { DiversityMeter } from "./diversity.js";
import { Reorder } from "./reorder.js";
import { type Cleaning, ColumnMeter, quartileFences } from "./table.js";

/** Most that a number of an event may be: plain data, as `fitBounds` takes it from training data. */
export interface EventBounds {
  watchMs?: number;
  dwellMs?: number;
  amount?: number;
}

export interface CleanOptions {
  /** Events before this time, milliseconds, are dropped. Default 0. */
  from?: number;
  /** Events at or after this time are dropped: a clock that is a century ahead makes all others late. Default Infinity. */
  to?: number;
  /** How much later than others an event may come and still be put in its place, milliseconds. Default 60 000. */
  latenessMs?: number;
  /** What comes later still is dropped, or kept with the time of the last event before it. Default `drop`. */
  late?: "drop" | "keep";
  /** The most events that wait to be put in order, and the most keys of each sort that are remembered. Default 262 144. */
  window?: number;
  /**
   * Feedback on a stream that is not on air (and has not been within `graceMs`): `drop` or `keep`. A log without `on_air`
   * events needs `keep`. Default `drop`.
   */
  offAir?: "drop" | "keep";
  /** Milliseconds after the end of a stream in which feedback on it still counts. Default 5 minutes, set by hand. */
  graceMs?: number;
  /** Milliseconds without an event of a stream after which it is taken off air. Default 24 hours, set by hand. */
  timeoutMs?: number;
  /** Watches of no time: `drop` or `keep`. Default `drop`. */
  emptyWatch?: "drop" | "keep";
  /** Longest watch and longest dwell. Default 24 hours. */
  watchMaxMs?: number;
  /** Watches and dwells longer than that, or than their stream was on air: cut to it, or dropped. Default `clip`. */
  long?: "clip" | "drop";
  /** Gifts sooner than this after the click are dropped; 0 keeps them. Default 10 000. */
  giftAfterMs?: number;
  /** Gifts of a user to a stream sooner than this after the last are dropped; 0 keeps them. Default 1000. */
  giftGapMs?: number;
  /** The most feedback events but impressions of one user in `limitMs`; the rest is dropped; 0 for no limit. Default 0. */
  userLimit?: number;
  /**
   * The same of one user on one stream. Default 0. It keeps floods out of logs, and load off a recommender. What an account
   * is worth there does not rest on it: `profile.sayMs` bounds that, however slowly it acts and however much is kept.
   */
  pairLimit?: number;
  /** Windows of the limits follow each other; each begins at a multiple of this. Default 60 000. */
  limitMs?: number;
  /** Larger numbers are outliers, and cut to these. Default none. */
  bounds?: EventBounds;
  /** Ids of each sort that the figures of diversity hold; beyond them they are estimates. Default 1 000 000. */
  ids?: number;
  /** Counted into; may be the one that a reader counts into. Default one of its own. */
  report?: QualityReport;
}

const finiteOrInfinity: Rule = [(value) => typeof value === "number" && value >= 0, "a number >= 0"];
const BOUNDS: Rules<EventBounds> = (() => {
  const above: Rule = [(value) => value === undefined || rules.positive[0](value), rules.positive[1]];
  return { watchMs: above, dwellMs: above, amount: above };
})();

const TABLE: Rules<CleanOptions> = {
  from: rules.nonNegative,
  to: finiteOrInfinity,
  latenessMs: rules.nonNegative,
  late: oneOf("drop", "keep"),
  window: integer(1, 2 ** 23),
  offAir: oneOf("drop", "keep"),
  graceMs: rules.nonNegative,
  timeoutMs: rules.positive,
  emptyWatch: oneOf("drop", "keep"),
  watchMaxMs: rules.positive,
  long: oneOf("clip", "drop"),
  giftAfterMs: rules.nonNegative,
  giftGapMs: rules.nonNegative,
  userLimit: rules.count,
  pairLimit: rules.count,
  limitMs: rules.positive,
  bounds: [(value) => typeof value === "object" && value !== null, "{ watchMs, dwellMs, amount }"],
  ids: rules.atLeastOne,
  report: [() => true, ""],
};

const DEFAULTS: CleanOptions = {
  from: 0,
  to: Infinity,
  latenessMs: MINUTE,
  late: "drop",
  window: 1 << 18,
  offAir: "drop",
  graceMs: 5 * MINUTE,
  timeoutMs: DAY,
  emptyWatch: "drop",
  watchMaxMs: DAY,
  long: "clip",
  giftAfterMs: 10_000,
  giftGapMs: 1000,
  userLimit: 0,
  pairLimit: 0,
  limitMs: MINUTE,
  bounds: {},
  ids: 1_000_000,
};

/** A stream that is on air, or was until `end`. */
interface Known {
  id: Id;
  streamer: Id;
  start: number;
  end: number;
  /** Time of its last event. */
  sign: number;
}

/** When a stream is to be looked at again: for a timeout while it is on air, to be forgotten when it is not. */
interface Alarm {
  time: number;
  stream: Known;
}

/** The last click and the last gift of a user in a stream. */
interface Visit {
  click: number;
  gift: number;
}

const NO_VISIT: Visit = { click: -Infinity, gift: -Infinity };

/** What makes two events the same, but for the time. */
function keyOf(event: LiveEvent): string {
  const user = "user" in event ? event.user : "";
  if ("stream" in event) return event.kind + pairKey(user, event.stream);
  return event.kind + pairKey(user, "friend" in event ? event.friend : "");
}

/**
 * The cleaning of events, one call for each: give them to `push`, then call `end`. `cleanEvents` is this as an iteration.
 */
export class Cleaner {
  readonly report: QualityReport;
  readonly #options: Required<CleanOptions>;
  readonly #emit: (event: LiveEvent) => void;
  readonly #reorder: Reorder<LiveEvent>;
  readonly #diversity: DiversityMeter;
  /** Ids, and keys with times where late events may be kept. */
  readonly #seen: Recent<true>;
  /** Late ones that have been given another time. */
  readonly #moved = new WeakSet<LiveEvent>();
  /** What has been kept of time `#now`, as it came; and the keys of the first of it, taken when a second one comes. */
  #simultaneous: LiveEvent[] = [];
  readonly #keys = new Set<string>();
  #now = -Infinity;
  /** Streams on air and those that were until lately. */
  readonly #streams = new Map<Id, Known>();
  readonly #alarms = new PriorityQueue<Alarm>();
  readonly #visits: Recent<Visit>;
  /** Events in the present window of the limits, by user and by pair. */
  readonly #rates = new Map<string, number>();
  #rateWindow = -1;

  /**
   * @param options See `CleanOptions`.
   * @param emit Called with the clean events, in order of time.
   * @throws TypeError for an unknown option, RangeError for a wrong value.
   */
  constructor(options: CleanOptions, emit: (event: LiveEvent) => void) {
    const resolved = checked<CleanOptions>(options, TABLE, DEFAULTS) as Required<CleanOptions>;
    checked<EventBounds>(resolved.bounds, BOUNDS, {}, "bounds.");
    this.#options = resolved;
    this.#emit = emit;
    this.report = resolved.report ?? emptyReport();
    this.#reorder = new Reorder(resolved.latenessMs, resolved.window, (event) => this.#ordered(event));
    this.#diversity = new DiversityMeter(resolved.ids);
    this.#seen = new Recent(resolved.window);
    this.#visits = new Recent(resolved.window);
  }

  /** Takes an event that is valid, as `parseEvent` gives it, and keeps it without a copy. */
  push(event: LiveEvent): void {
    this.report.read++;
    const fault = this.#fault(event);
    if (fault !== undefined) {
      drop(this.report, fault);
    } else if (event.time >= this.#reorder.watermark) {
      this.#reorder.push(event);
    } else {
      const moved = { ...event, time: this.#reorder.watermark };
      this.#moved.add(moved);
      this.#reorder.push(moved);
    }
  }

  /** Why an event cannot even wait to be put in order. */
  #fault(event: LiveEvent): string | undefined {
    const { from, to, late } = this.#options;
    if (!(event.time >= from && event.time < to)) return "time out of range";
    if (event.id !== undefined && this.#isSeen(`id:${event.id}`)) return "id seen before";
    if (late === "keep") return this.#isSeen(`${event.time}${keyOf(event)}`) ? "duplicate" : undefined;
    return event.time < this.#reorder.watermark ? "late" : undefined;
  }

  /** Lets out what waited to be put in order, and completes the report. */
  end(): void {
    this.#reorder.end();
    this.report.open = 0;
    for (const { end } of this.#streams.values()) if (end === Infinity) this.report.open++;
    this.report.diversity = this.#diversity.report;
  }

  #isSeen(key: string): boolean {
    if (this.#seen.get(key)) return true;
    this.#seen.set(key, true);
    return false;
  }

  /** Takes the events in order. */
  #ordered(event: LiveEvent): void {
    this.#advance(event.time);
    const clean = this.#isRepeated(event) ? "duplicate" : this.#judge(event);
    if (typeof clean === "string") {
      drop(this.report, clean);
      return;
    }
    this.#simultaneous.push(event);
    this.#learn(clean);
    this.report.kept++;
    if (this.#options.late === "keep" && this.#moved.has(event)) change(this.report, "late", "time");
    this.#out(clean);
  }

  #isRepeated(event: LiveEvent): boolean {
    const kept = this.#simultaneous;
    if (kept.length === 0) return false;
    while (this.#keys.size < kept.length) this.#keys.add(keyOf(kept[this.#keys.size]!));
    return this.#keys.has(keyOf(event));
  }

  #out(event: LiveEvent): void {
    const stream = "stream" in event ? this.#streams.get(event.stream) : undefined;
    this.#diversity.feedback(event, stream?.streamer);
    this.#emit(event);
  }

  /** Ends and forgets the streams whose time has come before `now`. */
  #advance(now: number): void {
    if (now === this.#now) return;
    this.#now = now;
    if (this.#simultaneous.length > 0) this.#simultaneous = [];
    if (this.#keys.size > 0) this.#keys.clear();
    for (let first = this.#alarms.first; first !== undefined && first.time < now; first = this.#alarms.first) {
      const { time, stream } = this.#alarms.pop();
      if (stream.end < Infinity) {
        // The alarm of a timeout may come before that of the end.
        const isOver = time >= stream.end + this.#options.graceMs;
        if (isOver && this.#streams.get(stream.id) === stream) this.#streams.delete(stream.id);
        continue;
      }
      const due = stream.sign + this.#options.timeoutMs;
      if (due > time) {
        this.#alarms.push({ time: due, stream });
        continue;
      }
      this.#close(stream, due);
      this.report.added++;
      count(this.report.addedBy, "stream never ended");
      this.#out({ kind: "off_air", time: due, stream: stream.id });
    }
  }

  #close(stream: Known, time: number): void {
    stream.end = time;
    this.#alarms.push({ time: time + this.#options.graceMs, stream });
  }

  /** The event as it should be, or why it goes. */
  #judge(event: LiveEvent): LiveEvent | string {
    if (event.kind === "page_view") return this.#fitting(event, "dwellMs", event.dwellMs, Infinity);
    if (!("stream" in event) || event.kind === "on_air") return event;
    const stream = this.#streams.get(event.stream);
    if (event.kind === "off_air") return stream?.end === Infinity ? event : "off_air without on_air";
    if (event.kind === "update") return stream?.end === Infinity ? event : "update of a stream not on air";
    if (stream === undefined && this.#options.offAir === "drop") return "stream not on air";
    if (this.#isOverLimit(event)) return "rate limit";
    if (event.kind === "gift") return this.#judgeGift(event);
    if (event.kind !== "watch") return event;
    if (event.watchMs <= 0 && this.#options.emptyWatch === "drop") return "watch of no time";
    const most = stream === undefined ? Infinity : Math.min(event.time, stream.end) - stream.start;
    return this.#fitting(event, "watchMs", event.watchMs, most);
  }

  #judgeGift(event: Gift): LiveEvent | string {
    const { giftAfterMs, giftGapMs, bounds } = this.#options;
    const visit = this.#visits.get(pairKey(event.user, event.stream)) ?? NO_VISIT;
    if (event.time - visit.click < giftAfterMs) return "gift right after the click";
    if (event.time - visit.gift < giftGapMs) return "gifts too close";
    const amount = Math.min(event.amount, bounds.amount ?? Infinity);
    return amount === event.amount ? event : this.#changed(event, "outlier", "amount", amount);
  }

  /** The event with a duration that is possible: at most `most`, as its stream was on air no longer. */
  #fitting(event: Watch | PageView, field: "watchMs" | "dwellMs", value: number, most: number): LiveEvent | string {
    const { bounds, watchMaxMs, long, emptyWatch } = this.#options;
    const usual = Math.min(value, bounds[field] ?? Infinity);
    const possible = Math.min(usual, watchMaxMs, most);
    if (possible === value) return event;
    const reason = possible === usual ? "outlier" : possible === most ? "longer than its stream" : "too long";
    if (reason !== "outlier" && long === "drop") return reason;
    if (possible <= 0 && emptyWatch === "drop") return reason;
    return this.#changed(event, reason, field, possible);
  }

  #changed(event: LiveEvent, reason: string, field: string, value: number): LiveEvent {
    change(this.report, reason, field);
    return { ...event, [field]: value };
  }

  /** Whether as many events of this user, or of this user and stream, have been kept as may be. */
  #isOverLimit(event: FeedbackEvent): boolean {
    const { userLimit, pairLimit, limitMs } = this.#options;
    if ((userLimit === 0 && pairLimit === 0) || event.kind === "impression") return false;
    const window = Math.floor(event.time / limitMs);
    if (window !== this.#rateWindow) this.#rates.clear();
    this.#rateWindow = window;
    if (userLimit > 0 && (this.#rates.get(`u${event.user}`) ?? 0) >= userLimit) return true;
    return pairLimit > 0 && (this.#rates.get(pairKey(event.user, event.stream)) ?? 0) >= pairLimit;
  }

  /** Remembers of an event that is kept what later ones are judged by. */
  #learn(event: LiveEvent): void {
    if (!("stream" in event)) return;
    const stream = this.#streams.get(event.stream);
    if (stream !== undefined) stream.sign = event.time;
    if (event.kind === "on_air" && stream?.end !== Infinity) this.#open(event);
    if (event.kind === "off_air") this.#close(stream!, event.time);
    if (event.kind === "on_air" || event.kind === "update" || event.kind === "off_air") return;
    if (event.kind === "impression") return;
    const { userLimit, pairLimit } = this.#options;
    if (event.kind === "click" || event.kind === "gift") this.#visit(event);
    if (userLimit > 0) this.#rate(`u${event.user}`);
    if (pairLimit > 0) this.#rate(pairKey(event.user, event.stream));
  }

  #visit({ kind, user, stream, time }: Click | Gift): void {
    const { giftAfterMs, giftGapMs } = this.#options;
    if (giftAfterMs === 0 && giftGapMs === 0) return;
    const pair = pairKey(user, stream);
    const { click, gift } = this.#visits.get(pair) ?? NO_VISIT;
    this.#visits.set(pair, kind === "click" ? { click: time, gift } : { click, gift: time });
  }

  #rate(key: string): void {
    this.#rates.set(key, (this.#rates.get(key) ?? 0) + 1);
  }

  #open({ stream: id, streamer, time }: OnAir): void {
    const stream = { id, streamer, start: time, end: Infinity, sign: time };
    this.#streams.set(id, stream);
    this.#alarms.push({ time: time + this.#options.timeoutMs, stream });
  }
}

/** Events that leave together: one by one, each would cost a promise more. */
const BATCH = 256;

/**
 * Cleans events as they come, in one pass and in memory that `window` and the streams on air bound: puts them in order
 * of time, drops duplicates, what comes too late, what happens to streams that are not on air and what is too much,
 * cuts impossible durations, and ends streams that were never ended. Cleaning what is clean changes nothing, as long as what
 * must be remembered fits the window.
 *
 * @param events Valid ones, as the readers and `parseEvent` give them.
 * @returns The clean events, to be iterated once, and the report, complete when they have ended.
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function cleanEvents(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
  options: CleanOptions = {},
): Cleaning<LiveEvent> {
  let ready: LiveEvent[] = [];
  const cleaner = new Cleaner(options, (event) => ready.push(event));
  async function* clean(): AsyncGenerator<LiveEvent, void, undefined> {
    for await (const event of events) {
      cleaner.push(event);
      if (ready.length < BATCH) continue;
      const batch = ready;
      ready = [];
      for (const one of batch) yield one;
    }
    cleaner.end();
    for (const one of ready) yield one;
  }
  return { report: cleaner.report, [Symbol.asyncIterator]: clean };
}

export interface BoundsOptions {
  /** Above the third quartile by more than `factor` times the quartiles' distance, or the mean by as many deviations. Default `iqr`. */
  outliers?: "iqr" | "z";
  /** Default 1.5 for `iqr`, 3 for `z`. */
  factor?: number;
}

const BOUNDS_TABLE: Rules<BoundsOptions> = {
  outliers: oneOf("iqr", "z"),
  factor: rules.positive,
};

/**
 * Takes from training events the numbers above which watches, dwells and gifts are outliers, in one pass and in bounded
 * memory. There is no lower bound: a very short watch is a bounce, and says something.
 *
 * @returns What `cleanEvents` takes as `bounds`; without those of which there was no event.
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export async function fitBounds(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
  options: BoundsOptions = {},
): Promise<EventBounds> {
  const { outliers, factor } = checked<BoundsOptions>(options, BOUNDS_TABLE, {
    outliers: "iqr",
    factor: options.outliers === "z" ? 3 : 1.5,
  }) as Required<BoundsOptions>;
  const meters = { watchMs: new ColumnMeter(), dwellMs: new ColumnMeter(), amount: new ColumnMeter() };
  for await (const event of events) {
    if (event.kind === "watch") meters.watchMs.add(event.watchMs);
    else if (event.kind === "page_view") meters.dwellMs.add(event.dwellMs);
    else if (event.kind === "gift") meters.amount.add(event.amount);
  }
  const bounds: EventBounds = {};
  for (const field of ["watchMs", "dwellMs", "amount"] as const) {
    const statistics = meters[field].statistics;
    const { n, mean, sd } = statistics;
    if (n === 0) continue;
    const high = outliers === "z" ? mean! + factor * sd! : quartileFences({ [field]: statistics }, field, factor)[1];
    // Of numbers that are all 0 there is no telling what is large.
    if (high > 0) bounds[field] = high;
  }
  return bounds;
}
