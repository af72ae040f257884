import { checked, mustBe, nonNegative, oneOf, positiveInteger, type Rules, show } from "../../check/index.js";
import { Latest } from "../../collections/index.js";
import { EventError, type Id, type LiveEvent, MINUTE } from "../../protocol/index.js";
import { drop, emptyQualityReport, type QualityReport, skipLine } from "../basics/index.js";
import { PlatformFields } from "./fields.js";
import { type PlatformRoom, Rooms } from "./rooms.js";

/** A request to a platform's API. */
export interface PlatformRequest {
  method: "GET" | "POST";
  url: string;
  /** The body of a POST, to be sent as JSON. */
  body?: object;
}

/** Sends a request and returns the answer as parsed JSON. It also handles signing, keys, retries and pace. */
export type PlatformFetch = (request: PlatformRequest) => Promise<unknown>;

/** An action of a viewer, with the platform's ids. */
export interface ViewerAction {
  kind: "click" | "like" | "comment" | "share" | "follow" | "gift" | "signal";
  user: Id;
  room: Id;
  /** Price of a gift, in the platform's currency. */
  amount?: number;
  /** What a signal measures, and its value. */
  name?: string;
  value?: number;
}

/** A message of a push channel: a room goes on or off air or changes, or a viewer acts. */
export interface PlatformMessage {
  /** The platform's id of the message. */
  id?: string | undefined;
  /** Milliseconds, by the platform's clock. */
  time?: number | undefined;
  room?: PlatformRoom;
  actions?: ViewerAction[];
}

/** One answer about rooms. */
export interface PlatformPage {
  /** Unchecked, each with its path. */
  rooms: [path: string, room: unknown][];
  /** Whether non-empty pages follow. */
  more: boolean;
  /** What the request for the next page must hold. */
  cursor?: string | undefined;
}

/** The part specific to one platform: pure functions without state, which throw `EventError` for invalid input. */
export interface PlatformAdapter {
  /** Prefix of all ids: `bilibili:123`. */
  readonly platform: string;
  /** The request for a page of the list of live rooms, counted from 0; with the cursor of the page before, if it had one. */
  list(page: number, cursor?: string): PlatformRequest;
  /** The request for these rooms, live or not. */
  status(rooms: readonly Id[]): PlatformRequest;
  /** The raw rooms of a page of the list, or of an answer about single rooms, which counts as page 0. */
  rooms(answer: PlatformFields, page: number): PlatformPage;
  /** Reads one raw room of a page. */
  room(fields: PlatformFields, page: number): PlatformRoom;
  /** Reads a message; returns the reason if there is nothing to take from it. */
  message(message: unknown): PlatformMessage | string;
}

/** How to follow the rooms of a platform. */
export interface ConnectorOptions {
  /**
   * Milliseconds for which a room may be missing from polls before it goes off air, and for which polls may still list a
   * room after a message has taken it off air. Default 2 minutes, set by hand.
   */
  graceMs?: number;
  /**
   * Milliseconds after which a listed room goes off air that no poll has shown since, whatever the reason: the platform
   * cannot be reached, or its answers cannot be read. Default 10 minutes, set by hand.
   */
  lostMs?: number;
  /**
   * Streams that are on air from before, such as those of a server's last run; others than this platform's are left out.
   * The next whole list takes off air those that it lacks. Default none.
   */
  onAir?: Iterable<Id>;
  /** Messages with a time further than this from `now` are dropped, milliseconds. Default 5 minutes, set by hand. */
  skewMs?: number;
  /**
   * The earliest time of an event, milliseconds: streams already on air at the first poll begin at the platform's start
   * time, but not before this. Default the time of the first call.
   */
  since?: number;
  /** Most pages of one list. Default 200. */
  pages?: number;
  /** Most rooms on air at a time; others are dropped. Default 100 000. */
  rooms?: number;
  /** The most message ids remembered to drop repeated messages; at least 15/16 of them are. Default 65 536. */
  window?: number;
  /**
   * An invalid answer, room or message ends the call with an error and changes nothing, or is dropped and counted.
   * Default throw.
   */
  onError?: "throw" | "skip";
  /** The report to count into. Default a new one. */
  report?: QualityReport;
}

const TABLE: Rules<ConnectorOptions> = {
  graceMs: nonNegative,
  lostMs: nonNegative,
  onAir: [(value) => typeof (value as Iterable<Id>)?.[Symbol.iterator] === "function", "an iterable of ids"],
  skewMs: nonNegative,
  since: [(value) => value === undefined || nonNegative[0](value), nonNegative[1]],
  pages: positiveInteger,
  rooms: positiveInteger,
  window: positiveInteger,
  onError: oneOf("throw", "skip"),
  report: [() => true, ""],
};

type Resolved = ConnectorOptions & Required<Omit<ConnectorOptions, "since" | "report">>;

const DEFAULTS: ConnectorOptions = {
  graceMs: 2 * MINUTE,
  lostMs: 10 * MINUTE,
  onAir: [],
  skewMs: 5 * MINUTE,
  pages: 200,
  rooms: 100_000,
  window: 65_536,
  onError: "throw",
};

function requireTime(now: number): void {
  const [isTime, must] = nonNegative;
  if (!isTime(now)) throw mustBe("now", must, now);
}

/**
 * Converts the answers and messages of a platform's API to events: a room is a stream and its streamer, `bilibili:123`,
 * users are `bilibili:USER`, gifts are in the platform's currency. On and off air come from messages and from differences between polls.
 *
 * Events come in order of time, none later than the `now` of its call nor earlier than the event before; late messages
 * get the time of the last event. `cleanEvents` puts the events of several connectors in order. No platform here sends a
 * message when a viewer leaves, so there are no watch events.
 *
 * ```ts
 * const rooms = new PlatformConnector(bilibiliAdapter(), ask, { onError: "skip" });
 * for (const event of await rooms.refresh(Date.now())) recommender.feedback(event, Date.now()); // every minute
 * for (const message of await parseBilibiliFrame(frame)) {
 *   for (const event of rooms.message(message, Date.now())) recommender.feedback(event, Date.now());
 * }
 * ```
 */
export class PlatformConnector {
  /** Counts of rooms and messages, and the reasons for drops. */
  readonly report: QualityReport;
  readonly #adapter: PlatformAdapter;
  readonly #fetch: PlatformFetch;
  readonly #options: Resolved;
  readonly #rooms: Rooms;
  readonly #seen: Latest<string, true>;

  /** @throws TypeError for an unknown option, RangeError for a wrong value. */
  constructor(adapter: PlatformAdapter, fetch: PlatformFetch, options: ConnectorOptions = {}) {
    const resolved = checked<ConnectorOptions>(options, TABLE, DEFAULTS) as Resolved;
    this.#options = resolved;
    this.#adapter = adapter;
    this.#fetch = fetch;
    this.#seen = new Latest(resolved.window);
    this.report = resolved.report ?? emptyQualityReport();
    this.#rooms = new Rooms(adapter.platform, resolved, this.report);
  }

  /** The streams that it holds on air. */
  onAir(): Id[] {
    return this.#rooms.onAir();
  }

  get platform(): string {
    return this.#adapter.platform;
  }

  /**
   * Polls the whole list of live rooms, page by page. If a page fails or is invalid, or the list is longer than `pages`,
   * no stream goes off air: a room that was not seen may be there.
   *
   * @param now Milliseconds.
   * @returns The differences from the last poll: streams on air, updates, streams off air.
   * @throws Error of the fetch, EventError that names the path, unless `onError` is `skip`; RangeError for an invalid `now`.
   */
  async refresh(now: number): Promise<LiveEvent[]> {
    requireTime(now);
    const found: PlatformRoom[] = [];
    const cursors = new Set<string>();
    let isWhole = true;
    let cursor: string | undefined;
    for (let page = 0; page < this.#options.pages; page++) {
      const read = await this.#ask(this.#adapter.list(page, cursor), page);
      found.push(...read.rooms);
      isWhole &&= read.isWhole;
      if (!read.more) return this.#rooms.listed(found, now, { isWhole });
      cursor = read.cursor;
      if (cursor === undefined) continue;
      if (cursors.has(cursor)) {
        this.#skip(new EventError("cursor", `"cursor" must be new on each page, got ${show(cursor)} again`));
        break;
      }
      cursors.add(cursor);
    }
    return this.#rooms.listed(found, now, { isWhole: false });
  }

  /**
   * Polls these rooms in one request; the caller keeps to the platform's limit of rooms a request.
   *
   * @param rooms The platform's ids.
   * @returns As `refresh`, for these rooms only.
   * @throws As `refresh`.
   */
  async check(rooms: readonly Id[], now: number): Promise<LiveEvent[]> {
    requireTime(now);
    const read = await this.#ask(this.#adapter.status(rooms), 0);
    const asked = new Set(rooms);
    return this.#rooms.checked(read.rooms, now, (room) => read.isWhole && asked.has(room));
  }

  /**
   * The events of one message of a push channel.
   * @throws EventError that names the path of an invalid field, unless `onError` is `skip`.
   */
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
    const { id, time, room, actions = [] } = read as PlatformMessage;
    this.report.kept++;
    const at = this.#rooms.clock(now, time);
    if (room !== undefined) return this.#rooms.changed(room, at);
    return actions.map(({ kind, user, room, amount, name, value }, i): LiveEvent => {
      const base = { time: at, user: this.#name(user), stream: this.#name(room) };
      // One message may hold two actions, and each event needs its own id.
      const named = id === undefined ? base : { ...base, id: this.#name(i === 0 ? id : `${id}/${i}`) };
      if (kind === "gift") return { kind, ...named, amount: amount! };
      return kind === "signal" ? { kind, ...named, name: name!, value: value! } : { kind, ...named };
    });
  }

  #name(id: Id): Id {
    return `${this.platform}:${id}`;
  }

  /** The reason to drop a message. */
  #fault(now: number, { id, time = now }: PlatformMessage): string | undefined {
    if (Math.abs(now - time) > this.#options.skewMs) return "time out of range";
    if (id === undefined) return undefined;
    if (this.#seen.has(id)) return "id seen before";
    this.#seen.set(id, true);
    return undefined;
  }

  /** The rooms of an answer; `isWhole` if the request succeeded and every room is valid. */
  async #ask(
    request: PlatformRequest,
    page: number,
  ): Promise<Omit<PlatformPage, "rooms"> & { rooms: PlatformRoom[]; isWhole: boolean }> {
    let answer: unknown;
    try {
      answer = await this.#fetch(request);
    } catch (error) {
      this.#skip(error);
      return { rooms: [], more: false, isWhole: false };
    }
    const read = this.#try(() => this.#adapter.rooms(new PlatformFields(answer), page));
    if (read === undefined) return { rooms: [], more: false, isWhole: false };
    const rooms = read.rooms.flatMap(([path, room]) => {
      return this.#try(() => this.#adapter.room(new PlatformFields(room, path), page)) ?? [];
    });
    return { ...read, rooms, isWhole: rooms.length === read.rooms.length };
  }

  /** The result, or undefined for a skipped error. */
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
