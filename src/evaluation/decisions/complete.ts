import {
  callback,
  checked,
  nonNegative,
  nonNegativeInteger,
  oneOf,
  optional,
  positive,
  positiveInteger,
  type Rules,
} from "../../check/index.js";
import { Latest, PriorityQueue, pairKey } from "../../collections/index.js";
import { Random } from "../../numeric/index.js";
import { HOUR, type Id, type LiveEvent, type Watch } from "../../protocol/index.js";
import { type LogEntry, pushed, type TimedEntry, Timekeeper } from "./entries.js";
import { Slates } from "./impressions.js";
import { Airings, gapOf, InferredAirings, type StreamFacts } from "./onair.js";
import { isSign, type Step, Visits } from "./visits.js";

/** How to complete a log. */
export interface CompleteLogOptions {
  /**
   * What is on air. `events`: by `on_air` and `off_air`. `inferred`: from the first sign of its users until a gap without
   * any. `catalogue`: from its first sign on, for shops and films. `auto`: `events` where one of the first events is an
   * `on_air`; else `catalogue` where users buy or rate and nobody watches, chats or gives, else `inferred`. Default `auto`.
   */
  onAir: "auto" | "events" | "inferred" | "catalogue";
  /**
   * Milliseconds without a sign after which a stream is taken off air, with `inferred`; > 0. Default: three times the gap
   * that 95 of 100 of the first signs stay within, from 30 minutes to a day.
   */
  gapMs?: number | undefined;
  /**
   * Whence decisions come. `impressions`: each slate is what was shown together. `drawn`: one for each visit, of streams
   * on air drawn uniformly and the one that was entered. `none`. `auto`: `impressions` where one of the first events is
   * one, else `drawn`. Default `auto`.
   */
  slates: "auto" | "impressions" | "drawn" | "none";
  /** Streams drawn for each visit, an integer >= 1. Default 8. */
  negatives: number;
  /**
   * Drawn slates that a user is taken to have left before the one with the stream that was entered, an integer >= 0: it
   * says how choosy users are, which such a log does not. Default 0.
   */
  passed: number;
  /** Seed of all draws, an integer >= 0. Default 1. */
  seed: number;
  /** First events of users that tell what a log has, an integer >= 1. They are held until it is known. Default 4096. */
  head: number;
  /** Longest time that a watch is held to find its begin, in a log where clicks do not tell; milliseconds >= 0. Default 4 hours. */
  lookMs: number;
  /** Most events held, and visits remembered, an integer >= 1. Default 262 144. */
  window: number;
  /** What is known of a stream beside the log: its category, title, streamer. Default: nothing. */
  facts?: ((stream: Id) => StreamFacts | undefined) | undefined;
}

const DEFAULTS: CompleteLogOptions = {
  onAir: "auto",
  slates: "auto",
  negatives: 8,
  passed: 0,
  seed: 1,
  head: 4096,
  lookMs: 4 * HOUR,
  window: 1 << 18,
};

const TABLE: Rules<CompleteLogOptions> = {
  onAir: oneOf("auto", "events", "inferred", "catalogue"),
  gapMs: optional(positive),
  slates: oneOf("auto", "impressions", "drawn", "none"),
  negatives: positiveInteger,
  passed: nonNegativeInteger,
  seed: nonNegativeInteger,
  head: positiveInteger,
  lookMs: nonNegative,
  window: positiveInteger,
  facts: optional(callback),
};

/** What the first events of a log have. */
export interface LogContents {
  readonly onAir: "events" | "inferred" | "catalogue";
  readonly slates: "impressions" | "drawn" | "none";
  /** With `inferred`: milliseconds without a sign after which a stream is off air. */
  readonly gapMs: number | undefined;
  /** Whether watches are dated by their begin, as rows with a time and a length of play are, in place of their end. */
  readonly isWatchAtBegin: boolean;
  /** How often each kind comes among them. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** What became of a log. */
export interface CompletionCounts {
  events: number;
  /** Events of users in streams, but impressions. */
  signs: number;
  /** Decisions made of impressions, and drawn ones. */
  shown: number;
  drawn: number;
  /** Visits without a decision: the stream was not on air before, or no other one was. */
  unplaced: number;
  /** Streams put on air by their signs. */
  inferred: number;
}

/**
 * Completes a log that comes event by event with what learning needs and the log has not: what is on air, when a visit
 * begins, and what the user chose from. `push` each event in order of time, then `end`.
 *
 * A log that has them all goes through as it is, with a decision before the first of its impressions. In drawn slates the
 * stream that was entered is the last: by the cascade model a user has looked at all before it. They are drawn uniformly,
 * so that the correction of sampled softmax, the log of the probability to be drawn (Bengio & Senecal 2008), is the same
 * for all of a slate and cancels in the choice.
 */
export class LogCompleter {
  readonly options: Readonly<CompleteLogOptions>;
  readonly counts: CompletionCounts = { events: 0, signs: 0, shown: 0, drawn: 0, unplaced: 0, inferred: 0 };
  readonly #emit: (entry: LogEntry) => void;
  readonly #airings = new Airings();
  readonly #random: Random;
  readonly #timekeeper: Timekeeper<LiveEvent>;
  readonly #slates: Slates;
  /** The decision of each user's latest visit of each stream. */
  readonly #visited: Latest<string, Id>;
  #contents: LogContents | undefined;
  #head: TimedEntry<LiveEvent>[] = [];
  #signs = 0;
  #hasOnAir = false;
  #hasSlates = false;
  #isWatched = false;
  #visits: Visits | undefined;
  #inferred: InferredAirings | undefined;
  /** Watches that were dated by their begin, until their end. */
  #running: PriorityQueue<Watch> | undefined;

  /**
   * @param emit - Called with each entry, in order.
   * @throws TypeError or RangeError for an option that is unknown or out of its range.
   */
  constructor(emit: (entry: LogEntry) => void, options: Partial<CompleteLogOptions> = {}) {
    this.options = checked<CompleteLogOptions>(options, TABLE, DEFAULTS);
    this.#emit = emit;
    this.#random = Random.named(this.options.seed, "slates");
    this.#visited = new Latest(this.options.window);
    this.#slates = new Slates(emit);
    this.#timekeeper = new Timekeeper((timed) => this.#take(timed));
  }

  /** What the log has; undefined while its first events do not tell. */
  get contents(): LogContents | undefined {
    return this.#contents;
  }

  push(event: LiveEvent): void {
    this.#timekeeper.push(event);
  }

  /** Gives all entries that are still held. */
  end(): void {
    this.#timekeeper.end();
    if (this.#contents === undefined) this.#decide();
    this.#finish(Infinity);
    this.#visits?.end();
    this.#slates.end();
    this.counts.shown = this.#slates.decisions;
  }

  #take(timed: TimedEntry<LiveEvent>): void {
    const { entry } = timed;
    this.counts.events++;
    if (isSign(entry)) this.counts.signs++;
    if (this.#contents !== undefined) {
      this.#feed(timed);
      return;
    }
    this.#head.push(timed);
    if ("user" in entry) this.#signs++;
    const { onAir, slates, head, window } = this.options;
    this.#hasOnAir ||= entry.kind === "on_air";
    this.#hasSlates ||= entry.kind === "impression";
    this.#isWatched ||= entry.kind === "watch" || entry.kind === "heartbeat";
    const isClear = this.#isWatched && (onAir !== "auto" || this.#hasOnAir) && (slates !== "auto" || this.#hasSlates);
    if (isClear || this.#signs >= head || this.#head.length >= window) this.#decide();
  }

  /** Reads off the held events what the log has, and lets them go. */
  #decide(): void {
    const kinds: Record<string, number> = {};
    for (const { entry } of this.#head) kinds[entry.kind] = (kinds[entry.kind] ?? 0) + 1;
    const of = (...names: string[]) => names.reduce((sum, name) => sum + (kinds[name] ?? 0), 0);
    let { onAir, slates } = this.options;
    if (slates === "auto") slates = of("impression") > 0 ? "impressions" : "drawn";
    if (onAir === "auto") {
      const isLive = of("watch", "heartbeat", "comment", "gift") > 0;
      const isShop = of("purchase", "rating") > 0 && !isLive;
      onAir = of("on_air") > 0 ? "events" : isShop ? "catalogue" : "inferred";
    }
    const head = this.#head;
    this.#head = [];
    let gapMs: number | undefined;
    if (onAir === "inferred") gapMs = this.options.gapMs ?? gapOf(signsOf(head));
    const isWatchAtBegin = areAtBegin(head);
    if (isWatchAtBegin) this.#running = new PriorityQueue();
    this.#contents = { onAir, slates, gapMs, isWatchAtBegin, kinds };
    if (onAir !== "events") {
      const emit = (event: LiveEvent) => this.#toSlates(event, event.time);
      const facts = this.options.facts ?? (() => undefined);
      this.#inferred = new InferredAirings(this.#airings, emit, gapMs ?? Infinity, facts);
    }
    if (slates === "drawn") {
      // Where users click, a watch ends what began with a click.
      const look = of("click") > 0 || of("watch", "heartbeat") === 0 ? 0 : this.options.lookMs;
      this.#visits = new Visits((step) => this.#step(step), look, this.options.window);
    }
    for (const each of head) this.#feed(each);
  }

  #feed(timed: TimedEntry<LiveEvent>): void {
    const { entry, now } = timed;
    this.#finish(now);
    if (this.#running === undefined || entry.kind !== "watch") {
      this.#place(timed);
      return;
    }
    const watchMs = Math.min(entry.watchMs, this.options.lookMs);
    this.#running.push({ ...entry, time: now + watchMs, watchMs });
    if (this.#running.size > this.options.window) this.#place({ entry: { ...this.#running.pop()!, time: now }, now });
  }

  /** Lets go of the watches that are over. */
  #finish(now: number): void {
    const running = this.#running;
    while (running?.first !== undefined && running.first.time <= now) {
      const entry = running.pop()!;
      this.#place({ entry, now: entry.time });
    }
  }

  #place(timed: TimedEntry<LiveEvent>): void {
    if (this.#visits !== undefined) this.#visits.push(timed);
    else this.#step({ ...timed, isVisit: timed.entry.kind === "click", until: timed.now });
  }

  /** Takes an event at its place. */
  #step({ entry: event, now, isVisit, until }: Step): void {
    const wasOnAir = this.#follow(event, now, until);
    const isDrawn = this.#contents!.slates === "drawn" && "user" in event && "stream" in event;
    if (!isDrawn) {
      this.#toSlates(event, now);
      if (isVisit && "stream" in event) this.#inferred?.visit(event.stream, now);
      return;
    }
    const key = pairKey(event.user, event.stream);
    if (isVisit) {
      const decision = this.#draw(event, now, wasOnAir);
      if (decision === undefined) this.#visited.delete(key);
      else this.#visited.set(key, decision);
    }
    const decision = this.#visited.get(key);
    const takes = ["click", "watch", "heartbeat", "purchase", "signal"].includes(event.kind);
    this.#toSlates(takes && decision !== undefined ? ({ ...event, decision } as LiveEvent) : event, now);
    if (isVisit) this.#inferred?.visit(event.stream, now);
  }

  /** Updates what is on air. Returns whether the stream of an event was before. */
  #follow(event: LiveEvent, now: number, until: number): boolean {
    const inferred = this.#inferred;
    if (inferred === undefined) {
      const isKnown = "stream" in event && this.#airings.get(event.stream) !== undefined;
      if (event.kind === "on_air") this.#airings.open(event.stream, now);
      else if (event.kind === "off_air") this.#airings.close(event.stream);
      return isKnown;
    }
    inferred.advance(now);
    let wasOnAir = false;
    if (event.kind === "update") inferred.update(event);
    else if (event.kind === "on_air") wasOnAir = this.#airings.open(event.stream, now).since < now;
    else if (event.kind === "off_air") this.#airings.close(event.stream);
    else if ("stream" in event) wasOnAir = inferred.sign(event.stream, now, until) !== undefined;
    this.counts.inferred = inferred.inferred;
    return wasOnAir;
  }

  /** The decisions of a visit; returns the name of the last, which has the stream. */
  #draw(event: LiveEvent & { user: Id; stream: Id }, now: number, wasOnAir: boolean): Id | undefined {
    const { negatives, passed } = this.options;
    const { user, stream } = event;
    if (!wasOnAir || this.#airings.size < 2) {
      this.counts.unplaced++;
      return undefined;
    }
    const name = `drawn-${this.counts.drawn++}`;
    for (let i = 0; i < passed; i++) {
      const slate = this.#random.shuffle(this.#airings.draw(this.#random, stream, negatives));
      this.#toSlates({ id: `${name}-${i}`, user, time: now, slate }, now);
    }
    const slate = this.#random.shuffle(this.#airings.draw(this.#random, stream, negatives));
    this.#toSlates({ id: name, user, time: now, slate: [...slate, stream] }, now);
    return name;
  }

  #toSlates(entry: LogEntry, now: number): void {
    if (this.#contents!.slates === "none") this.#emit(entry);
    else this.#slates.push({ entry, now });
  }
}

/** Watches longer than the time since their click by more than this began with it. Set by hand. */
const CLOCKS_MS = 10_000;

/** Whether most of the watches that a click tells the begin of are dated by it, and not by their end. */
function areAtBegin(head: readonly TimedEntry<LiveEvent>[]): boolean {
  const clicked = new Map<string, number>();
  let [all, atBegin] = [0, 0];
  for (const { entry, now } of head) {
    if (entry.kind === "click") clicked.set(pairKey(entry.user, entry.stream), now);
    if (entry.kind !== "watch") continue;
    const since = clicked.get(pairKey(entry.user, entry.stream));
    if (since === undefined) continue;
    all++;
    if (entry.watchMs > now - since + CLOCKS_MS) atBegin++;
  }
  return atBegin > all / 2;
}

function* signsOf(head: readonly TimedEntry<LiveEvent>[]): Generator<{ stream: Id; time: number }> {
  for (const { entry, now } of head) if (isSign(entry)) yield { stream: entry.stream, time: now };
}

/**
 * Completes a log: see {@link LogCompleter}.
 *
 * @param events - In order of time.
 * @throws TypeError or RangeError for an option that is unknown or out of its range.
 */
export function completeLog(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
  options: Partial<CompleteLogOptions> = {},
): AsyncGenerator<LogEntry, void, undefined> {
  return pushed<LiveEvent, LogEntry>(events, (emit) => new LogCompleter(emit, options));
}
