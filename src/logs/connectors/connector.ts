import { checked, mustBe, oneOf, type Rules, rules } from "../../check/index.js";
import { Recent } from "../../collections/index.js";
import { EventError, type Id, type LiveEvent, MINUTE } from "../../protocol/index.js";
import { drop, emptyReport, type QualityReport, skipLine } from "../report.js";
import { Fields } from "./fields.js";
import { type Room, Rooms } from "./rooms.js";

/** What is to be asked of a platform. */
export interface ApiRequest {
  method: "GET" | "POST";
  url: string;
  /** Of a POST: to be sent as JSON. */
  body?: object;
}

/** Asks a platform, and gives its answer as parsed JSON: signing, keys, retries and pace are its matter. */
export type Fetch = (request: ApiRequest) => Promise<unknown>;

/** What a viewer did, by the platform's ids. */
export interface Act {
  kind: "click" | "like" | "comment" | "share" | "follow" | "gift";
  user: Id;
  room: Id;
  /** Of a gift, in yuan. */
  amount?: number;
}

/** A message of a push channel: a room that goes on or off air, or what a viewer did. */
export interface Message {
  /** The platform's name of it. */
  id?: string | undefined;
  /** Milliseconds, by the platform's clock. */
  time?: number | undefined;
  room?: Room;
  acts?: Act[];
}

/** What must be known of a platform: pure functions, which hold nothing and refuse with an `EventError`. */
export interface Adapter {
  /** Put before all ids: `bilibili:123`. */
  readonly platform: string;
  /** The request for a page of the list of live rooms, counted from 0. */
  list(page: number): ApiRequest;
  /** The request for these rooms, live or not. */
  status(rooms: readonly Id[]): ApiRequest;
  /** The rooms of an answer to either, each with its path and unread, and whether pages follow that are not empty. */
  rooms(answer: Fields): { rooms: [path: string, room: unknown][]; more: boolean };
  room(fields: Fields): Room;
  /** A message, or why there is nothing in it to be told. */
  message(message: unknown): Message | string;
}

/** A source of live events. */
export interface Connector {
  readonly platform: string;
  /** Rooms and messages: how many were read, and why some were dropped. */
  readonly report: QualityReport;
  /**
   * Asks for the whole list of live rooms, page by page, and tells what differs from the last poll: streams on air, updates,
   * streams off air.
   */
  refresh(now: number): Promise<LiveEvent[]>;
  /** The same of these rooms only, by the platform's ids. */
  check(rooms: readonly Id[], now: number): Promise<LiveEvent[]>;
  /** Tells of a message of a push channel. */
  message(message: unknown, now: number): LiveEvent[];
}

export interface ConnectorOptions {
  /**
   * Milliseconds for which a room may be missing from polls before it is taken off air, and for which polls may still show
   * one that a message has taken off air. Default 2 minutes, set by hand.
   */
  graceMs?: number;
  /** Messages that are said to be older or newer than this are dropped, milliseconds. Default 5 minutes, set by hand. */
  skewMs?: number;
  /**
   * The earliest time of an event, milliseconds: streams that are on air already at the first poll begin when the platform
   * says, but not before this. Default the time of the first call.
   */
  since?: number;
  /** Most pages of one list. Default 200. */
  pages?: number;
  /** Most rooms that are watched at a time; others are dropped. Default 100 000. */
  rooms?: number;
  /** Ids of messages that are remembered, so that one that comes again is dropped. Default 65 536. */
  window?: number;
  /**
   * What an answer, a room or a message that is not of its shape does: end the call with an error and change nothing, or
   * be dropped and counted. Default throw.
   */
  onError?: "throw" | "skip";
  /** Counted into. Default one of its own. */
  report?: QualityReport;
}

const TABLE: Rules<ConnectorOptions> = {
  graceMs: rules.nonNegative,
  skewMs: rules.nonNegative,
  since: [(value) => value === undefined || rules.nonNegative[0](value), rules.nonNegative[1]],
  pages: rules.atLeastOne,
  rooms: rules.atLeastOne,
  window: rules.atLeastOne,
  onError: oneOf("throw", "skip"),
  report: [() => true, ""],
};

type Resolved = ConnectorOptions & Required<Omit<ConnectorOptions, "since" | "report">>;

const DEFAULTS: ConnectorOptions = {
  graceMs: 2 * MINUTE,
  skewMs: 5 * MINUTE,
  pages: 200,
  rooms: 100_000,
  window: 65_536,
  onError: "throw",
};

function requireTime(now: number): void {
  const [isTime, must] = rules.nonNegative;
  if (!isTime(now)) throw mustBe("now", must, now);
}

/**
 * Turns what a platform's API gives into events: a room is a stream and its streamer, `bilibili:123`, users are
 * `bilibili:USER`, gifts are in yuan. On and off air come from messages and from differences between polls.
 *
 * Events come in order of time, none later than the `now` of its call nor earlier than the one before; what a platform
 * tells late gets the time of the last event. Two connectors are put in order by `mergeByTime` or `cleanEvents`. When a
 * viewer leaves is told by no platform here, so no watch times come of it.
 *
 * ```ts
 * const rooms = new PlatformConnector(bilibili(), (request) => ask(request), { onError: "skip" });
 * for (const event of await rooms.refresh(Date.now())) recommender.feedback(event); // every minute
 * for (const said of await bilibiliMessages(frame)) rooms.message(said, Date.now()).forEach(tell);
 * ```
 */
export class PlatformConnector implements Connector {
  readonly report: QualityReport;
  readonly #adapter: Adapter;
  readonly #fetch: Fetch;
  readonly #options: Resolved;
  readonly #rooms: Rooms;
  readonly #told: Recent<true>;

  /** @throws TypeError for an unknown option, RangeError for a wrong value. */
  constructor(adapter: Adapter, fetch: Fetch, options: ConnectorOptions = {}) {
    const resolved = checked<ConnectorOptions>(options, TABLE, DEFAULTS) as Resolved;
    this.#options = resolved;
    this.#adapter = adapter;
    this.#fetch = fetch;
    this.#told = new Recent(resolved.window);
    this.report = resolved.report ?? emptyReport();
    this.#rooms = new Rooms(adapter.platform, resolved, this.report);
  }

  get platform(): string {
    return this.#adapter.platform;
  }

  /**
   * Asks for the whole list. Where a page cannot be had or read, or the list is longer than `pages`, no stream is taken off
   * air: what was not seen may be there.
   *
   * @throws Error of the fetch, EventError that names the path, unless `onError` is `skip`; RangeError for a `now` that is
   * no time.
   */
  async refresh(now: number): Promise<LiveEvent[]> {
    requireTime(now);
    const found: Room[] = [];
    let isWhole = true;
    for (let page = 0; page < this.#options.pages; page++) {
      const read = await this.#ask(this.#adapter.list(page));
      found.push(...read.rooms);
      isWhole &&= read.isWhole;
      if (!read.more) return this.#rooms.listed(found, now, isWhole);
    }
    return this.#rooms.listed(found, now, false);
  }

  /**
   * Asks for these rooms; one request, so a platform's limit of rooms a request is the caller's to keep.
   *
   * @throws As `refresh`.
   */
  async check(rooms: readonly Id[], now: number): Promise<LiveEvent[]> {
    requireTime(now);
    const read = await this.#ask(this.#adapter.status(rooms));
    const asked = new Set(rooms);
    return this.#rooms.checked(read.rooms, now, (room) => read.isWhole && asked.has(room));
  }

  /** @throws EventError that names the path of what is not of its shape, unless `onError` is `skip`. */
  message(message: unknown, now: number): LiveEvent[] {
    requireTime(now);
    const read = this.#try(() => this.#adapter.message(message));
    if (read === undefined) return [];
    this.report.read++;
    const fault = typeof read === "string" ? read : this.#fault(now, read);
    if (fault !== undefined) {
      drop(this.report, fault);
      return [];
    }
    const { id, time, room, acts = [] } = read as Message;
    this.report.kept++;
    const at = this.#rooms.clock(now, time);
    if (room !== undefined) return this.#rooms.told(room, at);
    return acts.map(({ kind, user, room, amount }, i): LiveEvent => {
      const said = { time: at, user: this.#name(user), stream: this.#name(room) };
      // One message may say two things, and an id names one event.
      const named = id === undefined ? said : { ...said, id: this.#name(i === 0 ? id : `${id}/${i}`) };
      return kind === "gift" ? { kind, ...named, amount: amount! } : { kind, ...named };
    });
  }

  #name(id: Id): Id {
    return `${this.platform}:${id}`;
  }

  /** Why a message is not to be told. */
  #fault(now: number, { id, time = now }: Message): string | undefined {
    if (Math.abs(now - time) > this.#options.skewMs) return "time out of range";
    if (id === undefined) return undefined;
    if (this.#told.get(id)) return "id seen before";
    this.#told.set(id, true);
    return undefined;
  }

  /** The rooms of an answer; whole where all of it could be had and read. */
  async #ask(request: ApiRequest): Promise<{ rooms: Room[]; more: boolean; isWhole: boolean }> {
    let answer: unknown;
    try {
      answer = await this.#fetch(request);
    } catch (error) {
      this.#skip(error);
      return { rooms: [], more: false, isWhole: false };
    }
    const read = this.#try(() => this.#adapter.rooms(new Fields(answer)));
    if (read === undefined) return { rooms: [], more: false, isWhole: false };
    const rooms = read.rooms.flatMap(([path, room]) => {
      return this.#try(() => this.#adapter.room(new Fields(room, path))) ?? [];
    });
    return { rooms, more: read.more, isWhole: rooms.length === read.rooms.length };
  }

  /** Nothing for what is refused, where that is to be skipped. */
  #try<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      this.#skip(error);
      return undefined;
    }
  }

  #skip(error: unknown): void {
    if (this.#options.onError === "throw") throw error;
    skipLine(this.report, error instanceof Error ? error.message : String(error));
  }
}
