import { PriorityQueue } from "../../collections/index.js";
import { fade, type Random } from "../../numeric/index.js";
import { HOUR, type Id, type LiveEvent, MINUTE, type OnAir, type StreamUpdate } from "../../protocol/index.js";

/** What is known of a stream beside its events. */
export type StreamFacts = Partial<
  Pick<OnAir, "streamer" | "category" | "tags" | "title" | "description" | "language" | "mature" | "embeddings">
>;

/** A stream on air. */
interface Airing {
  readonly id: Id;
  /** Its place in the list of all. */
  index: number;
  readonly since: number;
  /** Time of its last sign. */
  lastSign: number;
  /** Visits, fading, and the time of the last of them. */
  visits: number;
  visitedAt: number;
  /** What the last `update` said. */
  viewers: number;
  alarm: number;
}

interface Alarm {
  time: number;
  stream: Airing;
}

/** Half-life of the visits that count as viewers where nobody counts viewers. Set by hand. */
const AUDIENCE_MS = 30 * MINUTE;
/** Between two looks at a stream: has it faded, is it gone? */
const LOOK_MS = 10 * MINUTE;
/** Category of streams of which nothing is known. */
const UNKNOWN = "unknown";

/** The streams on air by their `on_air` and `off_air`, or, where a log has none, by the signs of their users. */
export class Airings {
  readonly #known = new Map<Id, Airing>();
  readonly #list: Airing[] = [];

  get size(): number {
    return this.#list.length;
  }

  get(stream: Id): Airing | undefined {
    return this.#known.get(stream);
  }

  open(id: Id, since: number): Airing {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const index = this.#list.length;
    const opened = { id, index, since, lastSign: since, visits: 0, visitedAt: since, viewers: 0, alarm: Infinity };
    this.#known.set(id, opened);
    this.#list.push(opened);
    return opened;
  }

  close(id: Id): void {
    const stream = this.#known.get(id);
    if (stream === undefined) return;
    this.#known.delete(id);
    const last = this.#list.pop()!;
    if (last === stream) return;
    this.#list[stream.index] = last;
    last.index = stream.index;
  }

  /** `count` other streams on air, or all where there are fewer, each set equally likely. */
  draw(random: Random, stream: Id, count: number): Id[] {
    const own = this.#known.get(stream);
    const others = this.#list.length - (own === undefined ? 0 : 1);
    const other = (i: number) => this.#list[own === undefined || i < own.index ? i : i + 1]!.id;
    if (others <= count) return Array.from({ length: others }, (_, i) => other(i));
    const drawn = new Set<Id>();
    // Floyd's algorithm: as many draws as members.
    for (let last = others - count; last < others; last++) {
      const id = other(random.below(last + 1));
      drawn.add(drawn.has(id) ? other(last) : id);
    }
    return [...drawn];
  }
}

/**
 * Puts streams on and off air by the signs of their users: on with the first one, off after a gap without any. As many
 * viewers as visits that fade with a half-life of half an hour; of a catalogue, all visits so far.
 */
export class InferredAirings {
  readonly airings: Airings;
  readonly #emit: (event: LiveEvent) => void;
  readonly #gapMs: number;
  readonly #facts: (stream: Id) => StreamFacts | undefined;
  /** From updates of streams that were not on air. */
  readonly #updates = new Map<Id, StreamFacts>();
  readonly #alarms = new PriorityQueue<Alarm>();
  /** Streams put on air. */
  inferred = 0;

  /**
   * @param gapMs - Milliseconds without a sign after which a stream is off air; Infinity: never.
   * @param facts - What is known of a stream.
   */
  constructor(
    airings: Airings,
    emit: (event: LiveEvent) => void,
    gapMs: number,
    facts: (stream: Id) => StreamFacts | undefined,
  ) {
    this.airings = airings;
    this.#emit = emit;
    this.#gapMs = gapMs;
    this.#facts = facts;
  }

  /** Takes off air what is due, and counts viewers anew. */
  advance(now: number): void {
    for (let first = this.#alarms.first; first !== undefined && first.time <= now; first = this.#alarms.first) {
      const { time, stream } = this.#alarms.pop();
      if (stream.alarm !== time || this.airings.get(stream.id) !== stream) continue;
      if (stream.lastSign + this.#gapMs <= time) {
        this.airings.close(stream.id);
        this.#emit({ kind: "off_air", time, stream: stream.id });
        continue;
      }
      this.#tell(stream, time);
      this.#watch(stream, time);
    }
  }

  /**
   * A sign of a stream. Returns the stream if it was on air before.
   *
   * @param until - The last time of the same stay. Default: now.
   */
  sign(id: Id, now: number, until: number = now): Airing | undefined {
    const known = this.airings.get(id);
    const stream = known ?? this.#open(id, now);
    stream.lastSign = Math.max(stream.lastSign, until);
    return known !== undefined && known.since < now ? known : undefined;
  }

  /** A visit of a stream on air. */
  visit(id: Id, now: number): void {
    const stream = this.airings.get(id);
    if (stream === undefined) return;
    stream.visits = this.#visitsOf(stream, now) + 1;
    stream.visitedAt = now;
    this.#tell(stream, now);
  }

  /** Takes an update: of a stream not on air it is remembered. Returns whether it is on air. */
  update({ stream, category, tags, title }: StreamUpdate): boolean {
    const isOnAir = this.airings.get(stream) !== undefined;
    const facts = { ...(category && { category }), ...(tags && { tags }), ...(title && { title }) };
    if (Object.keys(facts).length > 0) this.#updates.set(stream, { ...this.#updates.get(stream), ...facts });
    return isOnAir;
  }

  #open(id: Id, now: number): Airing {
    const stream = this.airings.open(id, now);
    this.inferred++;
    const facts = { streamer: id, category: UNKNOWN, ...this.#facts(id), ...this.#updates.get(id) };
    this.#emit({ kind: "on_air", time: now, stream: id, ...facts });
    this.#watch(stream, now);
    return stream;
  }

  /** Sets the next alarm. A catalogue needs none. */
  #watch(stream: Airing, now: number): void {
    if (this.#gapMs === Infinity) return;
    stream.alarm = Math.min(stream.lastSign + this.#gapMs, now + LOOK_MS);
    if (stream.alarm <= now) stream.alarm = now + LOOK_MS;
    this.#alarms.push({ time: stream.alarm, stream });
  }

  #visitsOf({ visits, visitedAt }: Airing, now: number): number {
    return this.#gapMs === Infinity ? visits : visits * fade(now - visitedAt, AUDIENCE_MS);
  }

  #tell(stream: Airing, now: number): void {
    const viewers = Math.round(this.#visitsOf(stream, now));
    if (viewers === stream.viewers) return;
    stream.viewers = viewers;
    this.#emit({ kind: "update", time: now, stream: stream.id, viewers });
  }
}

/** Bounds of a gap by data, milliseconds. Set by hand. */
const GAP_LEAST = 30 * MINUTE;
const GAP_MOST = 24 * HOUR;

/**
 * A gap without signs after which a stream is over, from the first signs of a log: three times the gap that 95 of 100
 * signs stay within, from 30 minutes to a day.
 */
export function gapOf(signs: Iterable<{ stream: Id; time: number }>): number {
  const last = new Map<Id, number>();
  const gaps: number[] = [];
  for (const { stream, time } of signs) {
    const before = last.get(stream);
    if (before !== undefined) gaps.push(Math.max(time - before, 0));
    last.set(stream, time);
  }
  if (gaps.length === 0) return GAP_MOST;
  gaps.sort((a, b) => a - b);
  return Math.min(Math.max(3 * gaps[Math.floor(0.95 * (gaps.length - 1))]!, GAP_LEAST), GAP_MOST);
}
