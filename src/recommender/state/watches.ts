import {
  boolean,
  entries,
  fields,
  finite,
  list,
  nonNegative,
  nonNegativeInteger,
  or,
  requireShape,
  type Shape,
} from "../../check/index.js";
import { Album, pairKey } from "../../collections/index.js";
import { LinesReader, linesPart, type Part, type PartReader } from "../../engine/index.js";
import {
  BEAT_TIMEOUT_MS,
  type Click,
  type Heartbeat,
  type Id,
  idRule,
  type LiveEvent,
  type Watch,
  WRONG_CLOCK_MS,
} from "../../protocol/index.js";

/** A report may exceed the longest possible watch by this much: clocks of pages and servers differ. [set by hand] */
const CLOCK_TOLERANCE_MS = 10_000;

/** The counted length of a watch. */
export interface WatchTime {
  /** Milliseconds watched, at most the longest possible. */
  readonly watchMs: number;
  /** The full length is unknown: the stream had ended, or part of the reported watch was impossible. */
  readonly isCut: boolean;
}

/**
 * The counted length of a watch, and whether it was cut: the one rule for every count of watches.
 *
 * @param since - The earliest possible start, milliseconds: when the user last entered or left a stream of the
 *   streamer, or was shown the stream. -Infinity when unknown.
 * @param isOnAir - Whether the stream is still on air.
 */
export function watchTimeOf({ time, watchMs }: Watch, since: number, isOnAir: boolean): WatchTime {
  // Shown or entered by a clock that was wrong: the start is unknown.
  if (since - time > WRONG_CLOCK_MS) return { watchMs, isCut: !isOnAir };
  const isPossible = watchMs <= time - since + CLOCK_TOLERANCE_MS;
  return { watchMs: isPossible ? watchMs : Math.max(time - since, 0), isCut: !isOnAir || !isPossible };
}

/** Running watches of one user, in tabs, and of all; beyond them the one without a beat for longest ends. */
const RUNNING_OF_USER = 8;
const RUNNING = 65_536;
/** Ended watches remembered, so that what comes late is known as such; the ones that ended first are forgotten. */
const ENDED = 65_536;

/** A watch that heartbeats report, and no `watch` has ended. */
interface Running {
  readonly user: Id;
  readonly stream: Id;
  /** The latest heartbeat: its time, and what it reported. */
  readonly time: number;
  readonly watchMs: number;
  readonly decision: Id | undefined;
  /** When the heartbeat was taken, by the host's time: no heartbeat keeps a watch running, or ends another, by its own. */
  readonly at: number;
}

/** An ended watch. */
interface Ended {
  readonly user: Id;
  readonly time: number;
  /** The decision of a watch that ended at its last heartbeat, until the user enters the stream again. */
  readonly decision: Id | undefined;
}

/** What a clean event comes to. */
export interface Beaten {
  /** Watches that have ended before the event. */
  readonly ended: readonly Watch[];
  /** False for a heartbeat or a `watch` that changes nothing: late, repeated, or of less than is known. */
  readonly isTaken: boolean;
}

/** The plain values of `Watches.save`: the lists of `Watches.part`, and `Watches.counts`. */
export interface SavedWatches {
  running: Running[];
  ended: [key: string, Ended][];
  hasBeats: boolean;
  lostEnds: number;
  stale: number;
  late: number;
}

const decision = or(undefined, idRule);

const SAVED: Shape = fields<SavedWatches>({
  running: list(
    fields<Running>({ user: idRule, stream: idRule, time: finite, watchMs: nonNegative, decision, at: finite }),
    0,
    RUNNING,
  ),
  ended: entries(fields<Ended>({ user: idRule, time: finite, decision }), ENDED),
  hasBeats: boolean,
  lostEnds: nonNegativeInteger,
  stale: nonNegativeInteger,
  late: nonNegativeInteger,
});

const NONE: readonly Watch[] = [];
const TAKEN: Beaten = { ended: NONE, isTaken: true };
const IGNORED: Beaten = { ended: NONE, isTaken: false };

/**
 * Running watches: turns heartbeats into one `watch` event each, wherever watches are counted.
 *
 * A `watch` replaces the heartbeats before it. Without one, a watch ends at its last heartbeat: when no more come for
 * a while, at the user's next request, or when the user enters the stream anew. Its event has the time of that
 * heartbeat, so that it counts as if it had come then.
 */
export class Watches {
  /** Watches that ended at their last heartbeat. */
  lostEnds = 0;
  /** Heartbeats ignored: of less than is known, or of a watch that had ended. */
  stale = 0;
  /** `watch` events ignored: of a watch that had ended at its last heartbeat. */
  late = 0;
  readonly #timeoutMs: number;
  /** In order of the latest heartbeat. */
  readonly #running = new Album<string, Running>();
  /** The keys of a user's running watches, in the same order. */
  readonly #ofUser = new Map<Id, Set<string>>();
  readonly #ended = new Album<string, Ended>(ENDED);
  #hasBeats = false;

  /** @param timeoutMs - Milliseconds without a heartbeat after which a watch has ended. Default 5 minutes. */
  constructor(timeoutMs: number = BEAT_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /** Running watches. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Ends the watches without a heartbeat for longer than the time-out, and returns them.
   *
   * @param most - Most watches that end at once; the others end later. Default: no bound.
   */
  expire(now: number, most: number = Infinity): readonly Watch[] {
    let ended: Watch[] | undefined;
    for (let first = this.#running.first; first !== undefined; first = this.#running.first) {
      const { key, value } = first;
      // Taken while the host's clock was wrong: as if it came now.
      if (value.at - now > WRONG_CLOCK_MS) this.#running.set(key, { ...value, at: now });
      else if (now - value.at <= this.#timeoutMs || ended?.length === most) break;
      else (ended ??= []).push(this.#end(key, value));
    }
    return ended ?? NONE;
  }

  /** Ends the watches of a user who asks for streams, and returns them. */
  leave(user: Id): readonly Watch[] {
    const keys = this.#ofUser.get(user);
    return keys === undefined ? NONE : Array.from(keys, (key) => this.#end(key, this.#running.get(key)!));
  }

  /**
   * Takes an event; clicks, heartbeats and watches count.
   *
   * @param now - The host's time. Default: the event's.
   */
  take(event: LiveEvent, now: number = event.time): Beaten {
    if (event.kind === "heartbeat") return this.#beat(event, now);
    if (!this.#hasBeats || (event.kind !== "click" && event.kind !== "watch")) return TAKEN;
    return event.kind === "click" ? this.#click(event) : this.#watch(event);
  }

  /**
   * The events that take the place of one, in order: watches that have ended before it, then the event itself, unless
   * it changes nothing. For counts that need no more than that; call it with every event.
   *
   * @param now - The host's time. Default: the event's.
   * @param until - The time up to which watches time out. Default: now.
   */
  settle(event: LiveEvent, now: number = event.time, until: number = now): readonly LiveEvent[] {
    const expired = this.expire(until);
    const { ended, isTaken } = this.take(event, now);
    return isTaken ? [...expired, ...ended, event] : [...expired, ...ended];
  }

  /** The watches that end as a user asks for streams at a time: those of the user, and those that timed out. */
  settleRequest(user: Id, now: number): readonly Watch[] {
    return [...this.expire(now), ...this.leave(user)];
  }

  /** Forgets a user: the running watches end uncounted. */
  forget(user: Id): void {
    for (const key of this.#ofUser.get(user) ?? []) this.#running.delete(key);
    this.#ofUser.delete(user);
    for (const [key, ended] of this.#ended) if (ended.user === user) this.#ended.delete(key);
  }

  /** Plain values for `JSON.stringify`; `load` restores them. */
  save(): SavedWatches {
    return { running: [...this.#running.values()], ended: [...this.#ended], ...this.counts() };
  }

  /** The plain values without the lists. */
  counts(): Omit<SavedWatches, "running" | "ended"> {
    return { hasBeats: this.#hasBeats, lostEnds: this.lostEnds, stale: this.stale, late: this.late };
  }

  /** The lists, as a part of a file. Watches are replaced, not changed. */
  part(): Part {
    const [running, ended] = [this.#running.picture(), this.#ended.picture()];
    function* records() {
      for (const [, each] of running.entries()) yield each;
      yield* ended.entries();
    }
    return linesPart("watches", records, () => {
      running.close();
      ended.close();
    });
  }

  /** Reads such a part into lists. */
  static reader({ running, ended }: Pick<SavedWatches, "running" | "ended">): PartReader {
    return new LinesReader("watches", (record) => {
      if (Array.isArray(record)) ended.push(record as SavedWatches["ended"][number]);
      else running.push(record as Running);
    });
  }

  /** Restores the values of `save` into an empty table. @throws RangeError that names what is wrong. */
  load(saved: SavedWatches): void {
    requireShape(SAVED, saved, "watches");
    const { running, ended, hasBeats, lostEnds, stale, late } = saved;
    for (const { user, stream, time, watchMs, decision, at } of running) {
      this.#put(pairKey(user, stream), { user, stream, time, watchMs, decision, at });
    }
    // JSON omits undefined fields: put back in their places, they keep later saves the same bytes.
    for (const [key, { user, time, decision }] of ended) this.#ended.set(key, { user, time, decision });
    this.#hasBeats = hasBeats;
    Object.assign(this, { lostEnds, stale, late });
  }

  #beat({ user, stream, time, watchMs, decision }: Heartbeat, at: number): Beaten {
    const key = pairKey(user, stream);
    this.#hasBeats = true;
    const running = this.#running.get(key);
    const isNew = running === undefined || this.#isAnother(running, watchMs, decision, time);
    const isStale = isNew ? this.#isOver(key, watchMs, decision, time) : watchMs < running.watchMs;
    const isRepeated = !isNew && watchMs === running.watchMs && time === running.time;
    if (isStale || isRepeated) {
      this.stale++;
      return IGNORED;
    }
    const ended: Watch[] = [];
    if (isNew && running !== undefined) ended.push(this.#end(key, running));
    this.#put(key, { user, stream, time, watchMs, decision: decision ?? (isNew ? undefined : running.decision), at });
    const own = this.#ofUser.get(user)!;
    for (const first of own.size > RUNNING_OF_USER ? own : []) {
      ended.push(this.#end(first, this.#running.get(first)!));
      break;
    }
    const oldest = this.#running.first!;
    if (this.#running.size > RUNNING) ended.push(this.#end(oldest.key, oldest.value));
    return ended.length === 0 ? TAKEN : { ended, isTaken: true };
  }

  /** A click after the last heartbeat enters the stream anew; an earlier one came late. */
  #click({ user, stream, time }: Click): Beaten {
    const key = pairKey(user, stream);
    const running = this.#running.get(key);
    const ended = running !== undefined && time > running.time ? [this.#end(key, running)] : NONE;
    const over = this.#ended.get(key);
    if (over?.decision !== undefined && time >= over.time) this.#ended.set(key, { ...over, decision: undefined });
    return { ended, isTaken: true };
  }

  #watch({ user, stream, time, watchMs, decision }: Watch): Beaten {
    const key = pairKey(user, stream);
    const running = this.#running.get(key);
    const isAnother = running !== undefined && this.#isAnother(running, watchMs, decision, time);
    if (running === undefined && this.#isOver(key, watchMs, decision, time)) {
      this.late++;
      return IGNORED;
    }
    const ended = isAnother ? [this.#end(key, running)] : NONE;
    if (running !== undefined && !isAnother) this.#remove(key, user);
    this.#ended.set(key, { user, time, decision: undefined });
    return { ended, isTaken: true };
  }

  /** Whether a report is of a watch that began after the latest heartbeat of a running one. */
  #isAnother(running: Running, watchMs: number, decision: Id | undefined, time: number): boolean {
    const differs = decision !== undefined && running.decision !== undefined && decision !== running.decision;
    return (differs || watchMs < running.watchMs) && time - watchMs >= running.time;
  }

  /** Whether a report is of a watch that has ended: it began before that end, or has the same decision. */
  #isOver(key: string, watchMs: number, decision: Id | undefined, time: number): boolean {
    const ended = this.#ended.get(key);
    if (ended === undefined) return false;
    return time - watchMs < ended.time || (decision !== undefined && decision === ended.decision);
  }

  #put(key: string, running: Running): void {
    this.#running.set(key, running);
    const own = this.#ofUser.get(running.user) ?? new Set<string>();
    own.delete(key);
    own.add(key);
    this.#ofUser.set(running.user, own);
  }

  #remove(key: string, user: Id): void {
    this.#running.delete(key);
    const own = this.#ofUser.get(user)!;
    own.delete(key);
    if (own.size === 0) this.#ofUser.delete(user);
  }

  /** Ends a watch at its last heartbeat. */
  #end(key: string, { user, stream, time, watchMs, decision }: Running): Watch {
    this.#remove(key, user);
    this.lostEnds++;
    this.#ended.set(key, { user, time, decision });
    return { kind: "watch", time, user, stream, watchMs, ...(decision !== undefined && { decision }) };
  }
}
