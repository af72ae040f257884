import { PriorityQueue, pairKey, Seen } from "../../collections/index.js";
import {
  type Click,
  type FeedbackEvent,
  type Gift,
  type Heartbeat,
  type Id,
  identityOf,
  type LiveEvent,
  type OnAir,
  type PageView,
  type Purchase,
  type Watch,
} from "../../protocol/index.js";
import {
  Batched,
  change,
  count,
  drop,
  emptyQualityReport,
  inBatches,
  type QualityReport,
  sortSimultaneous,
} from "../basics/index.js";
import { DiversityMeter } from "./diversity.js";
import { Moment } from "./moment.js";
import { type CheckedCleaning, type CleanEventsOptions, checkedCleaning } from "./options.js";
import { Recent } from "./recent.js";
import { Reorder } from "./reorder.js";
import type { CleanedRecords } from "./table.js";

/** A stream that is on air, or was until `end`. */
interface KnownStream {
  id: Id;
  streamer: Id;
  start: number;
  end: number;
  /** Time of its last event. */
  lastEvent: number;
}

/** When to check a stream again: for its timeout while it is on air, to forget it afterwards. */
interface Alarm {
  time: number;
  stream: KnownStream;
}

/** Whether the page sends an event by itself: how many there are says nothing of the user. */
function isAutomatic({ kind }: FeedbackEvent): boolean {
  return kind === "impression" || kind === "heartbeat";
}

/** First events of a log that tell whether it has any `on_air`. */
const HEAD = 4096;

/**
 * Cleans events that come one by one: `push` each, then call `end`. `cleanEvents` does the same for an iterable.
 */
export class EventCleaner {
  readonly report: QualityReport;
  readonly #options: CheckedCleaning;
  readonly #emit: (event: LiveEvent) => void;
  readonly #reorder: Reorder<LiveEvent>;
  readonly #diversity: DiversityMeter;
  /** Events with ids, and all where late events may be kept. */
  readonly #seen: Seen;
  /** Late events that were given another time. */
  readonly #moved = new WeakSet<LiveEvent>();
  /** Events without ids kept at time `#now`. */
  readonly #moment = new Moment();
  #now = -Infinity;
  /** The events of the latest instant, while more may come that are put in order with them. */
  readonly #instant: LiveEvent[] = [];
  /** Streams on air, and streams that ended less than `graceMs` ago. */
  readonly #streams = new Map<Id, KnownStream>();
  readonly #alarms = new PriorityQueue<Alarm>();
  /** Clicks and gifts of a user in a stream, as long as they can make a gift one too early. */
  readonly #clicks: Recent;
  readonly #gifts: Recent;
  /** First events, until it is clear whether the log says what is on air; undefined: it is. */
  #head: LiveEvent[] | undefined;
  #keepsOffAir: boolean;
  /** Events in the current window of the limits, by user and by pair. */
  readonly #rates = new Map<string, number>();
  #rateWindow = -1;

  /**
   * @param options See `CleanEventsOptions`.
   * @param emit Called with the clean events, in order of time.
   * @throws TypeError for an unknown option, RangeError for a wrong value.
   */
  constructor(options: CleanEventsOptions, emit: (event: LiveEvent) => void) {
    const resolved = checkedCleaning(options);
    this.#options = resolved;
    this.#emit = emit;
    this.report = resolved.report ?? emptyQualityReport();
    const isSorted = resolved.simultaneous === "sort";
    const take = isSorted ? (event: LiveEvent) => this.#gather(event) : (event: LiveEvent) => this.#ordered(event);
    this.#reorder = new Reorder(resolved.latenessMs, resolved.window, take);
    this.#diversity = new DiversityMeter(resolved.ids);
    this.#seen = new Seen(resolved.window);
    this.#clicks = new Recent(resolved.giftAfterMs, resolved.window);
    this.#gifts = new Recent(resolved.giftGapMs, resolved.window);
    this.#keepsOffAir = resolved.offAir === "keep";
    this.#head = resolved.offAir === "auto" ? [] : undefined;
  }

  /** Takes a valid event, as `parseEvent` returns it, and keeps it without a copy. */
  push(event: LiveEvent): void {
    this.report.read++;
    const fault = this.#fault(event);
    if (fault !== undefined) {
      drop(this.report, fault, event);
    } else if (event.time >= this.#reorder.watermark) {
      this.#reorder.push(event);
    } else {
      const moved = { ...event, time: this.#reorder.watermark };
      this.#moved.add(moved);
      this.#reorder.push(moved);
    }
  }

  /** The reason to drop an event before it is put in order. */
  #fault(event: LiveEvent): string | undefined {
    const { from, to, late } = this.#options;
    if (!(event.time >= from && event.time < to)) return "time out of range";
    const repeated = event.id !== undefined || late === "keep" ? this.#repeated(event) : undefined;
    if (repeated !== undefined) return repeated;
    return late === "drop" && event.time < this.#reorder.watermark ? "late" : undefined;
  }

  /** The reason to drop an event that came before, or whose id did; remembers it otherwise. */
  #repeated(event: LiveEvent): string | undefined {
    const { key, content } = identityOf(event);
    const known = this.#seen.get(key);
    if (known === undefined) {
      this.#seen.add(key, content);
      return undefined;
    }
    if (event.id === undefined) return "duplicate";
    return known === content ? "id seen before" : "id of another event";
  }

  /** Emits the events that wait to be put in order, and completes the report. */
  end(): void {
    this.#reorder.end();
    this.#settle();
    this.#decide(true);
    this.report.open = 0;
    for (const { end } of this.#streams.values()) if (end === Infinity) this.report.open++;
    this.report.diversity = this.#diversity.report;
  }

  /** Takes the events in order of time, and passes those of an instant on in theirs. */
  #gather(event: LiveEvent): void {
    if (this.#instant.length > 0 && this.#instant[0]!.time !== event.time) this.#settle();
    this.#instant.push(event);
  }

  #settle(): void {
    const events = this.#instant;
    if (events.length > 1) sortSimultaneous(events);
    for (const event of events) this.#ordered(event);
    events.length = 0;
  }

  /** Takes the events in order; the first ones when it is clear whether the log says what is on air. */
  #ordered(event: LiveEvent): void {
    if (this.#head === undefined) {
      this.#take(event);
      return;
    }
    this.#head.push(event);
    if (event.kind === "on_air") this.#decide(false);
    else if (this.#head.length >= Math.min(HEAD, this.#options.window)) this.#decide(true);
  }

  #decide(keeps: boolean): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#keepsOffAir = keeps;
    for (const event of head) this.#take(event);
  }

  #take(event: LiveEvent): void {
    this.#advance(event.time);
    const stream = "stream" in event ? this.#streams.get(event.stream) : undefined;
    const clean = this.#isRepeated(event) ? "duplicate" : this.#cleaned(event, stream);
    if (typeof clean === "string") {
      drop(this.report, clean, event);
      return;
    }
    // Two that cleaning has made the same are the same at the next cleaning.
    if (clean !== event && this.#isRepeated(clean)) {
      drop(this.report, "duplicate", event);
      return;
    }
    if (event.id === undefined) this.#moment.add(event);
    if (event.id === undefined && clean !== event) this.#moment.add(clean);
    const known = this.#remember(clean, stream);
    this.report.kept++;
    if (this.#options.late === "keep" && this.#moved.has(event)) change(this.report, "late", "time");
    this.#release(clean, known);
  }

  #isRepeated(event: LiveEvent): boolean {
    return event.id === undefined && this.#moment.has(event);
  }

  #release(event: LiveEvent, stream: KnownStream | undefined): void {
    this.#diversity.feedback(event, stream?.streamer);
    this.#emit(event);
  }

  /** Ends and forgets the streams that are due before `now`. */
  #advance(now: number): void {
    if (now === this.#now) return;
    this.#now = now;
    this.#moment.clear();
    for (let first = this.#alarms.first; first !== undefined && first.time < now; first = this.#alarms.first) {
      const { time, stream } = this.#alarms.pop();
      if (stream.end < Infinity) {
        // The alarm of a timeout may come before that of the end.
        const isOver = time >= stream.end + this.#options.graceMs;
        if (isOver && this.#streams.get(stream.id) === stream) this.#streams.delete(stream.id);
        continue;
      }
      const due = stream.lastEvent + this.#options.timeoutMs;
      if (due > time) {
        this.#alarms.push({ time: due, stream });
        continue;
      }
      this.#close(stream, due);
      this.report.added++;
      count(this.report.addedBy, "stream never ended");
      this.#release({ kind: "off_air", time: due, stream: stream.id }, stream);
    }
  }

  #close(stream: KnownStream, time: number): void {
    stream.end = time;
    this.#alarms.push({ time: time + this.#options.graceMs, stream });
  }

  /** The clean event, or the reason to drop it. */
  #cleaned(event: LiveEvent, stream: KnownStream | undefined): LiveEvent | string {
    if (event.kind === "page_view") return this.#fitting(event, "dwellMs", event.dwellMs, Infinity);
    if (!("stream" in event) || event.kind === "on_air") return event;
    if (event.kind === "off_air") return stream?.end === Infinity ? event : "off_air without on_air";
    if (event.kind === "update") return stream?.end === Infinity ? event : "update of a stream not on air";
    if (stream === undefined && !this.#keepsOffAir) return "stream not on air";
    if (this.#isOverLimit(event)) return "rate limit";
    if (event.kind === "gift") return this.#cleanedGift(event);
    if (event.kind === "purchase") return this.#usualAmount(event, this.#options.bounds.purchase);
    if (event.kind !== "watch" && event.kind !== "heartbeat") return event;
    if (event.kind === "watch" && event.watchMs <= 0 && this.#options.emptyWatch === "drop") return "watch of no time";
    const most = stream === undefined ? Infinity : Math.min(event.time, stream.end) - stream.start;
    return this.#fitting(event, "watchMs", event.watchMs, most);
  }

  #cleanedGift(event: Gift): LiveEvent | string {
    const { giftAfterMs, giftGapMs, bounds } = this.#options;
    const pair = pairKey(event.user, event.stream);
    if (event.time - this.#clicks.get(pair) < giftAfterMs) return "gift right after the click";
    if (event.time - this.#gifts.get(pair) < giftGapMs) return "gifts too close";
    return this.#usualAmount(event, bounds.amount);
  }

  #usualAmount(event: Gift | Purchase, bound = Infinity): LiveEvent {
    const amount = Math.min(event.amount, bound);
    return amount === event.amount ? event : this.#changed(event, "outlier", "amount", amount);
  }

  /** The event with a possible duration: `most` is how long its stream can have been on air. */
  #fitting(
    event: Watch | Heartbeat | PageView,
    field: "watchMs" | "dwellMs",
    value: number,
    most: number,
  ): LiveEvent | string {
    const { bounds, watchMaxMs, long, emptyWatch } = this.#options;
    const usual = Math.min(value, bounds[field] ?? Infinity);
    const possible = Math.min(usual, watchMaxMs, most);
    if (possible === value) return event;
    const reason = possible === usual ? "outlier" : possible === most ? "longer than its stream" : "too long";
    if (reason !== "outlier" && long === "drop") return reason;
    if (possible <= 0 && emptyWatch === "drop" && event.kind !== "heartbeat") return reason;
    return this.#changed(event, reason, field, possible);
  }

  #changed(event: LiveEvent, reason: string, field: string, value: number): LiveEvent {
    change(this.report, reason, field);
    return { ...event, [field]: value };
  }

  /** Whether the events kept of this user, or of this user and stream, have reached the limit. */
  #isOverLimit(event: FeedbackEvent): boolean {
    const { userLimit, pairLimit, limitMs } = this.#options;
    if ((userLimit === 0 && pairLimit === 0) || isAutomatic(event)) return false;
    const window = Math.floor(event.time / limitMs);
    if (window !== this.#rateWindow) this.#rates.clear();
    this.#rateWindow = window;
    if (userLimit > 0 && (this.#rates.get(`u${event.user}`) ?? 0) >= userLimit) return true;
    return pairLimit > 0 && (this.#rates.get(pairKey(event.user, event.stream)) ?? 0) >= pairLimit;
  }

  /** Remembers from a kept event the state for checks of later events; returns its stream. */
  #remember(event: LiveEvent, stream: KnownStream | undefined): KnownStream | undefined {
    if (!("stream" in event)) return undefined;
    if (stream !== undefined) stream.lastEvent = event.time;
    if (event.kind === "on_air" && stream?.end !== Infinity) return this.#open(event);
    if (event.kind === "off_air") this.#close(stream!, event.time);
    if (event.kind === "on_air" || event.kind === "update" || event.kind === "off_air") return stream;
    if (isAutomatic(event)) return stream;
    const { userLimit, pairLimit } = this.#options;
    if (event.kind === "click" || event.kind === "gift") this.#visit(event);
    if (userLimit > 0) this.#rate(`u${event.user}`);
    if (pairLimit > 0) this.#rate(pairKey(event.user, event.stream));
    return stream;
  }

  #visit({ kind, user, stream, time }: Click | Gift): void {
    const { giftAfterMs, giftGapMs } = this.#options;
    if (kind === "click" && giftAfterMs > 0) this.#clicks.set(pairKey(user, stream), time);
    else if (kind === "gift" && giftGapMs > 0) this.#gifts.set(pairKey(user, stream), time);
  }

  #rate(key: string): void {
    this.#rates.set(key, (this.#rates.get(key) ?? 0) + 1);
  }

  #open({ stream: id, streamer, time }: OnAir): KnownStream {
    const stream = { id, streamer, start: time, end: Infinity, lastEvent: time };
    this.#streams.set(id, stream);
    this.#alarms.push({ time: time + this.#options.timeoutMs, stream });
    return stream;
  }
}

/**
 * Cleans events in one pass, in memory bounded by `window` and the number of streams on air. It puts events in order of
 * time; drops duplicates, late events, feedback on streams that are not on air and events beyond the limits; cuts
 * impossible durations; and ends streams that were never ended. Cleaning clean events changes nothing, as long as the
 * window holds all ids and visits to be remembered.
 *
 * @param events Valid events, as the readers and `parseEvent` return them.
 * @returns The clean events, to be iterated once, and their report, complete after the last event.
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function cleanEvents(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
  options: CleanEventsOptions = {},
): CleanedRecords<LiveEvent> {
  let ready: LiveEvent[] = [];
  const cleaner = new EventCleaner(options, (event) => ready.push(event));
  async function* clean(): AsyncGenerator<LiveEvent[], void, undefined> {
    for await (const batch of inBatches(events)) {
      for (const event of batch) cleaner.push(event);
      if (ready.length === 0) continue;
      const clean = ready;
      ready = [];
      yield clean;
    }
    cleaner.end();
    yield ready;
  }
  return { report: cleaner.report, [Symbol.asyncIterator]: () => new Batched(clean()) };
}
