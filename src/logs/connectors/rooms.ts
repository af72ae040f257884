import type { Id, LiveEvent, OnAir, StreamUpdate } from "../../protocol/index.js";
import { drop, type QualityReport } from "../basics/index.js";

/** A room as a platform describes it. */
export interface PlatformRoom {
  /** The platform's id. */
  room: Id;
  /** Absent: the platform does not say; a room off air stays so. */
  isLive?: boolean | undefined;
  /** The platform's id of who streams. Default the room. */
  streamer?: Id | undefined;
  title?: string | undefined;
  category?: string | undefined;
  tags?: string[] | undefined;
  description?: string | undefined;
  /** The spoken language, such as `en`. */
  language?: string | undefined;
  /** For adults only. */
  mature?: boolean | undefined;
  /** Likes since it went on air. */
  likes?: number | undefined;
  /** The platform's own measure of viewers, not always a head count. */
  viewers?: number | undefined;
  /** Start of the broadcast, milliseconds. */
  start?: number | undefined;
}

/** A room on air. */
interface Live extends PlatformRoom {
  /** Whether a list has held the room: only then does its absence from lists count. */
  isListed: boolean;
  /** Time of its last appearance. */
  seen: number;
}

/** See `ConnectorOptions`. */
interface RoomsOptions {
  graceMs: number;
  lostMs: number;
  rooms: number;
  since?: number;
  onAir: Iterable<Id>;
}

/** A poll at time `at`; `isListed` if it was of the whole list. No stream of it begins before `since`. */
interface Poll {
  since: number;
  at: number;
  isListed: boolean;
}

/** How a room goes on air: the start of its broadcast, the time of the event, and whether a list held it. */
interface Opening extends Omit<Poll, "since"> {
  start: number;
}

function isSame(a: unknown, b: unknown): boolean {
  return (
    a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((tag, i) => tag === b[i]))
  );
}

/**
 * Each room once: lists change while they are read, so that a room may be on two pages, and some platforms tell of a room
 * in two answers. What the later one says counts.
 */
function merged(found: readonly PlatformRoom[]): PlatformRoom[] {
  const rooms = new Map<Id, PlatformRoom>();
  for (const room of found) {
    const said = Object.entries(room).filter(([, value]) => value !== undefined);
    rooms.set(room.room, Object.assign(rooms.get(room.room) ?? {}, Object.fromEntries(said)) as PlatformRoom);
  }
  return [...rooms.values()];
}

/** The rooms of a platform that are on air; turns changes into events, in order of time. */
export class Rooms {
  readonly #platform: string;
  readonly #options: RoomsOptions;
  readonly #report: QualityReport;
  readonly #live = new Map<Id, Live>();
  /** Rooms that a message has taken off air, and when: polls may list them for a while. */
  readonly #ended = new Map<Id, number>();
  /** Time of the last event; no event may be earlier. */
  #time: number | undefined;

  constructor(platform: string, options: RoomsOptions, report: QualityReport) {
    this.#platform = platform;
    this.#options = options;
    this.#report = report;
    this.#time = options.since;
    for (const stream of options.onAir) {
      if (!stream.startsWith(`${platform}:`)) continue;
      const room = stream.slice(platform.length + 1);
      this.#live.set(room, { room, isListed: true, seen: Number.NaN });
    }
  }

  onAir(): Id[] {
    return [...this.#live.keys()].map((room) => this.#name(room));
  }

  /**
   * The time for an event that happened at `time`: not later than `now`, nor earlier than the last event, unless the host's
   * clock went back.
   */
  clock(now: number, time = now): number {
    this.#time = Math.min(now, Math.max(this.#time ?? now, time));
    return this.#time;
  }

  /** Takes the rooms of a list of live rooms; if the list is whole, rooms missing from it go off air after the grace. */
  listed(found: readonly PlatformRoom[], now: number, { isWhole }: { isWhole: boolean }): LiveEvent[] {
    const since = this.#time ?? now;
    const at = this.clock(now);
    return [
      ...this.#compare(found, { since, at, isListed: true }),
      ...this.#missed(at, (room) => room.isListed && (isWhole || at - room.seen > this.#options.lostMs)),
    ];
  }

  /** Takes the answer to a request for single rooms. */
  checked(found: readonly PlatformRoom[], now: number, isAsked: (room: Id) => boolean): LiveEvent[] {
    const since = this.#time ?? now;
    const at = this.clock(now);
    return [...this.#compare(found, { since, at, isListed: false }), ...this.#missed(at, ({ room }) => isAsked(room))];
  }

  /** Takes a message that a room went on or off air. */
  changed(room: PlatformRoom, at: number): LiveEvent[] {
    const known = this.#live.get(room.room);
    if (room.isLive === undefined) return known === undefined ? [] : this.#update(known, room, at);
    if (room.isLive) {
      this.#ended.delete(room.room);
      return known === undefined ? this.#open(room, { start: at, at, isListed: false }) : this.#update(known, room, at);
    }
    this.#ended.set(room.room, at);
    return known === undefined ? [] : this.#close(known, at);
  }

  /** Events for the differences; new streams come first, in order of their start. */
  #compare(found: readonly PlatformRoom[], { since, at, isListed }: Poll): LiveEvent[] {
    for (const [room, time] of this.#ended) if (at - time > this.#options.graceMs) this.#ended.delete(room);
    const start = (room: PlatformRoom) => Math.min(Math.max(room.start ?? at, since), at);
    const rooms = merged(found);
    const fresh = rooms.filter(({ room, isLive }) => isLive && !this.#live.has(room) && !this.#ended.has(room));
    const order = fresh.map((room, i) => ({ room, i })).sort((a, b) => start(a.room) - start(b.room) || a.i - b.i);
    const known = rooms.flatMap((room) => ({ room, live: this.#live.get(room.room) ?? [] }));
    const events = order.flatMap(({ room }) => this.#open(room, { start: start(room), at, isListed }));
    for (const { room, live } of known) {
      this.#report.read++;
      this.#report.kept++;
      if (Array.isArray(live)) continue;
      live.isListed ||= isListed;
      events.push(...(room.isLive === false ? this.#close(live, at) : this.#update(live, room, at)));
    }
    return events;
  }

  /** Takes rooms off air that polls have missed for longer than the grace. */
  #missed(at: number, isMissing: (room: Live) => boolean): LiveEvent[] {
    // Those from before are as if they were seen at the first poll.
    for (const room of this.#live.values()) if (Number.isNaN(room.seen)) room.seen = at;
    const over = [...this.#live.values()].filter((room) => at - room.seen > this.#options.graceMs && isMissing(room));
    return over.flatMap((room) => this.#close(room, at));
  }

  #open(room: PlatformRoom, { start, at, isListed }: Opening): LiveEvent[] {
    if (this.#live.size >= this.#options.rooms) {
      this.#report.kept--;
      drop(this.#report, "too many rooms");
      return [];
    }
    const { tags, viewers, likes } = room;
    const stream = this.#name(room.room);
    const onAir: OnAir = { kind: "on_air", time: start, stream, streamer: this.#name(room.streamer ?? room.room) };
    for (const field of ["category", "title", "description", "language", "mature"] as const) {
      if (room[field] !== undefined) Object.assign(onAir, { [field]: room[field] });
    }
    if (tags !== undefined && tags.length > 0) onAir.tags = [...tags];
    this.#live.set(room.room, { ...room, isListed, seen: at });
    if (viewers === undefined && likes === undefined) return [onAir];
    const counts = { ...(viewers !== undefined && { viewers }), ...(likes !== undefined && { likes }) };
    return [onAir, { kind: "update", time: at, stream, ...counts }];
  }

  #update(known: Live, room: PlatformRoom, at: number): LiveEvent[] {
    known.seen = at;
    const change: Partial<StreamUpdate> = {};
    for (const field of ["viewers", "likes", "title", "category", "tags"] as const) {
      if (room[field] === undefined || isSame(room[field], known[field])) continue;
      Object.assign(change, { [field]: room[field] });
    }
    if (Object.keys(change).length === 0) return [];
    Object.assign(known, change);
    return [{ kind: "update", time: at, stream: this.#name(room.room), ...change }];
  }

  #close(known: Live, at: number): LiveEvent[] {
    this.#live.delete(known.room);
    return [{ kind: "off_air", time: at, stream: this.#name(known.room) }];
  }

  #name(room: Id): Id {
    return `${this.#platform}:${room}`;
  }
}
