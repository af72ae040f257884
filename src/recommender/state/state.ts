import {
  any,
  fields,
  finite,
  list,
  nonNegativeInteger,
  or,
  requireFloats,
  requireShape,
  text,
  tuple,
  where,
} from "../../check/index.js";
import type { Part, PartReader } from "../../engine/index.js";
import {
  type FeedbackEvent,
  HOUR,
  type Id,
  type LiveEvent,
  type StreamEvent,
  type UserEvent,
} from "../../protocol/index.js";
import {
  type CatalogStream,
  Catalogue,
  type KnownStream,
  type SavedCatalogue,
  type StreamTraits,
} from "./catalogue.js";
import { Signs } from "./intake/signs.js";
import { Forgotten } from "./profiles/forgotten.js";
import type { ProfileOptions } from "./profiles/options.js";
import type { ExportedProfile, UserTraits } from "./profiles/profile.js";
import { type SavedUsers, Users } from "./users.js";
import type { WatchTime } from "./watches.js";

/** One event with its effect on the state. */
export interface Fact {
  readonly event: LiveEvent;
  /** The host's time: what all users share counts no later one, whatever the event says. */
  readonly now: number;
  /** The event's stream, on air or gone; undefined for an event without a stream. */
  readonly stream: KnownStream | undefined;
  /** The event puts a new stream on air. */
  readonly isNew: boolean;
  /** The length of a watch; undefined for other events. */
  readonly watch: WatchTime | undefined;
  /** Milliseconds of the watch that count in shared statistics; 0 when the watch does not count. */
  readonly sharedMs: number;
}

/**
 * Data that a group of features needs beside users, streamers and the catalogue. A keeper receives every event, in
 * order of time.
 */
export interface Keeper {
  /** Takes an event without a stream, or with a known one. */
  feedback(fact: Fact): void;
  /** Forgets a user. */
  forget?(user: Id): void;
  /** Forgets a streamer; streams on air stay. */
  forgetStreamer?(streamer: Id): void;
  /** A slate was shown to a user; its rows are written. */
  shown?(user: Id, slate: readonly CatalogStream[]): void;
  /** The keeper's data of a user, as plain values, for the exported profile. */
  profile?(user: Id): object | undefined;
  /** Forgets a trait of users, such as `region:eu`, that no user has any more. */
  forgetTrait?(trait: string): void;
  /** The large data of a save, in parts of this name, and of names that begin with it: pictures of this moment. Default: none. */
  parts?(name: string): Part[];
  /** Readers of such parts, in their order, into an empty keeper. */
  readers?(name: string): NamedReader[];
  /** Plain values, taken at once; arrays of numbers are pushed to `numbers`. */
  save(numbers: Float32Array[]): unknown;
  /** Restores a save of the same options into an empty keeper; `numbers`: all that `save` pushed, joined. */
  load(saved: unknown, numbers: Float32Array): void;
}

/** What reads a part, and its name. */
export type NamedReader = [name: string, reader: PartReader];

/** The plain values of `State.save`, beside its numbers and parts. */
export interface SavedState {
  users: SavedUsers;
  catalogue: SavedCatalogue;
  /** The present as far as anything is dropped; null, for Infinity, before the first event. */
  present: number | null;
  counts: RetentionCounts;
  /** By keeper: its plain values, and how many numbers it pushed. */
  keepers: [name: string, saved: unknown, numbers: number][];
}

/** What was dropped so far. */
export interface RetentionCounts {
  /** Users and streamers dropped for their age. */
  oldUsers: number;
  oldStreamers: number;
  /** Streams taken off air without an end. */
  timedOut: number;
}

/** The shape of a save, but for its keepers. */
const SAVED = {
  users: any,
  catalogue: any,
  present: or(null, finite),
  counts: fields<RetentionCounts>({
    oldUsers: nonNegativeInteger,
    oldStreamers: nonNegativeInteger,
    timedOut: nonNegativeInteger,
  }),
};

/** Milliseconds that one event moves the present on at most, as far as it drops anything. */
const PACE = 12 * HOUR;

/** Most users or streamers that one event drops for their age. */
const DROPPED = 8;

/**
 * The state after all events so far: streams on air, users, streamers, and the keepers of groups of features. Decisions
 * and learning are no part of it.
 */
export class State {
  readonly users: Users;
  readonly catalogue = new Catalogue();
  readonly #keepers = new Map<string, Keeper>();
  readonly #forgotten = new Forgotten();
  readonly #signs = new Signs();
  #settled = Infinity;
  #present = Infinity;
  readonly #counts: RetentionCounts = { oldUsers: 0, oldStreamers: 0, timedOut: 0 };
  #now = Infinity;

  /** @throws TypeError or RangeError for an option that is unknown or out of its range. */
  constructor(options: Partial<ProfileOptions> = {}) {
    this.users = new Users(options);
  }

  /**
   * Takes the present: what all users share counts no later time, whatever an event says. Without it the time of each
   * event counts.
   *
   * @param isHost - Whether the host said so, and events did not.
   * @param settled - The host's time as far as it drops anything; -Infinity before the first.
   */
  follow(now: number, isHost: boolean, settled: number): void {
    this.#now = now;
    this.#settled = settled;
    this.users.streamers.now = now;
    if (isHost) this.catalogue.present(now);
  }

  /** The keeper of a name, made at the first call: groups that read the same data share one keeper. */
  keep<K extends Keeper>(name: string, make: () => K): K {
    let keeper = this.#keepers.get(name) as K | undefined;
    if (keeper === undefined) {
      keeper = make();
      this.#keepers.set(name, keeper);
    }
    return keeper;
  }

  /** A keeper by its name; undefined when no group asked for it. */
  keeper(name: string): Keeper | undefined {
    return this.#keepers.get(name);
  }

  /**
   * Takes an event.
   *
   * @param stream - The event's stream, by `catalogue.find`; undefined when unknown.
   * @param watch - The length of a watch, by `watchTimeOf`.
   * @returns False for feedback on an unknown stream, and for an `update` or `off_air` of one not on air.
   */
  feedback(event: LiveEvent, stream: KnownStream | undefined, watch?: WatchTime): boolean {
    const isTaken = this.#take(event, stream, watch);
    const { userMaxAgeMs, streamerMaxAgeMs, streamTimeoutMs } = this.users.options;
    if (userMaxAgeMs + streamerMaxAgeMs + streamTimeoutMs === 0) return isTaken;
    const now = this.#paced(this.#now === Infinity ? event.time : this.#settled);
    if (streamTimeoutMs > 0 && "stream" in event && this.catalogue.has(event.stream)) {
      this.#signs.add(event.stream, Math.min(event.time, now > 0 ? now : this.#now));
    }
    // Last: the event's own stream has had its sign.
    this.#dropOld(now);
    return isTaken;
  }

  /** A slate was shown. Call it after writing the slate's rows: they use only the past. */
  shown(user: Id, slate: readonly CatalogStream[], now: number): void {
    for (const keeper of this.#keepers.values()) keeper.shown?.(user, slate);
    this.users.shown(user, slate, now);
  }

  /** A copy of a user's profile with the data of keepers, as plain values; undefined for an unknown user. */
  profile(user: Id): (ExportedProfile & Record<string, unknown>) | undefined {
    const profile = this.users.export(user);
    if (profile === undefined) return undefined;
    const kept = Array.from(this.#keepers.values(), (keeper) => structuredClone(keeper.profile?.(user)));
    return Object.assign(profile, ...kept);
  }

  /**
   * Forgets a user, and remembers when, by a hash: see `isForgotten`.
   * @param now - The latest time. Default: it does not remember when.
   * @returns Whether there was a profile.
   */
  forget(user: Id, now?: number): boolean {
    if (now !== undefined) this.#forgotten.add(user, now);
    return this.#forget(user);
  }

  /** Whether an event is of a user who was forgotten after its time: it must not bring the user back. */
  isForgotten(event: LiveEvent): boolean {
    if (!("user" in event)) return false;
    const { user, time } = event;
    return this.#forgotten.isBefore(user, time) || ("friend" in event && this.#forgotten.isBefore(event.friend, time));
  }

  /** What was dropped so far, for room and for age. */
  stats(): { droppedUsers: number; droppedStreamers: number; timedOut: number } {
    const { oldUsers, oldStreamers, timedOut } = this.#counts;
    const { profiles, streamers } = this.users;
    const [droppedUsers, droppedStreamers] = [oldUsers + profiles.dropped, oldStreamers + streamers.dropped];
    return { droppedUsers, droppedStreamers, timedOut };
  }

  /** Forgets a streamer; streams on air stay. Returns whether there was a profile. */
  forgetStreamer(streamer: Id): boolean {
    for (const keeper of this.#keepers.values()) keeper.forgetStreamer?.(streamer);
    this.catalogue.forgetStreamer(streamer);
    return this.users.deleteStreamer(streamer);
  }

  /** Plain values; large arrays of numbers are pushed to `numbers`. */
  save(numbers: Float32Array[]): SavedState {
    const keepers = Array.from(this.#keepers, ([name, keeper]): SavedState["keepers"][number] => {
      const own: Float32Array[] = [];
      const saved = keeper.save(own);
      numbers.push(...own);
      return [name, saved, own.reduce((sum, { length }) => sum + length, 0)];
    });
    return {
      users: this.users.save(),
      catalogue: this.catalogue.save(),
      present: this.#present,
      counts: this.#counts,
      keepers,
    };
  }

  /** Restores a save of the same options into an empty state; `numbers`: all that `save` pushed, joined. */
  load(saved: SavedState, numbers: Float32Array): void {
    const names = String([...this.#keepers.keys()]);
    const kept = where<SavedState["keepers"]>(
      list(tuple(text, any, nonNegativeInteger)),
      (own) => String(own.map(([name]) => name)) === names,
      `those of the features: ${names}`,
    );
    requireShape(fields<SavedState>({ ...SAVED, keepers: kept }), saved, "state");
    const { users, catalogue, present, counts, keepers } = saved;
    requireFloats(
      numbers,
      keepers.reduce((sum, [, , length]) => sum + length, 0),
      "state.numbers",
    );
    this.users.load(users);
    this.catalogue.load(catalogue);
    this.#present = present ?? Infinity;
    Object.assign(this.#counts, counts);
    let at = 0;
    for (const [name, saved, length] of keepers) {
      this.#keepers.get(name)?.load(saved, numbers.subarray(at, at + length));
      at += length;
    }
  }

  /** The large data of a save, in parts: pictures of this moment. Release each. */
  parts(): Part[] {
    const parts = [
      this.catalogue.part("catalogue"),
      this.#signs.part("signs"),
      this.#forgotten.part("forgotten"),
      this.users.profiles.part("users"),
      this.users.streamers.part("streamers"),
    ];
    for (const [name, keeper] of this.#keepers) parts.push(...(keeper.parts?.(`kept.${name}`) ?? []));
    return parts;
  }

  /**
   * Readers of such parts, in their order, into an empty state of the same options.
   * @param isOld - Whether they are of version 8 of files. Default false.
   */
  readers(isOld = false): NamedReader[] {
    const readers: NamedReader[] = [
      ["catalogue", this.catalogue.reader("catalogue")],
      ["signs", this.#signs.reader("signs")],
      ["forgotten", this.#forgotten.reader("forgotten")],
      ["users", this.users.profiles.reader("users", isOld)],
      ["streamers", this.users.streamers.reader("streamers")],
    ];
    for (const [name, keeper] of this.#keepers) readers.push(...(keeper.readers?.(`kept.${name}`) ?? []));
    return readers;
  }

  #keep(known: Pick<Fact, "event" | "stream"> & Partial<Fact>): void {
    const now = this.#now === Infinity ? known.event.time : this.#now;
    const fact: Fact = { now, isNew: false, watch: undefined, sharedMs: 0, ...known };
    for (const keeper of this.#keepers.values()) keeper.feedback(fact);
  }

  #streamEvent(event: StreamEvent, stream: KnownStream | undefined): boolean {
    const isOnAir = stream?.isOnAir === true;
    if (this.catalogue.isOutdated(event, stream, this.#now)) {
      this.catalogue.feedback(event, stream, this.#now);
      return true;
    }
    if (event.kind !== "on_air") {
      // Keepers write about an ending stream while it is still on air.
      if (isOnAir) this.#keep({ event, stream });
      this.catalogue.feedback(event, stream, this.#now);
      if (!this.catalogue.has(event.stream)) this.#signs.delete(event.stream);
      return isOnAir;
    }
    const early = this.catalogue.feedback(event, stream, this.#now);
    if (!isOnAir) this.users.streamers.onAir(event.streamer, event.category ?? "", event.time);
    const known = this.catalogue.get(event.stream);
    this.#keep({ event, stream: known, isNew: !isOnAir });
    for (const update of early) this.#streamEvent(update, known);
    return true;
  }

  #take(event: LiveEvent, stream: KnownStream | undefined, watch?: WatchTime): boolean {
    if (!("stream" in event)) {
      this.#userEvent(event);
      this.#keep({ event, stream: undefined });
      return true;
    }
    if (!("user" in event)) return this.#streamEvent(event, stream);
    if (stream === undefined) return false;
    const sharedMs = this.#feedbackEvent(event, stream, watch);
    this.#keep({ event, stream, watch, sharedMs });
    return true;
  }

  /** The present for what is dropped: one wrong time moves it on by little, and the next right one moves it back. */
  #paced(now: number): number {
    if (now === Number.NEGATIVE_INFINITY) {
      this.#present = this.#now;
      return now;
    }
    this.#present = Math.min(now, this.#present + PACE);
    return this.#present;
  }

  /** Takes off streams without a sign, and forgets users and streamers without one: a few at a time. */
  #dropOld(now: number): void {
    const { userMaxAgeMs, streamerMaxAgeMs, streamTimeoutMs } = this.users.options;
    for (const id of streamTimeoutMs > 0 ? this.#signs.overdue(now - streamTimeoutMs) : []) {
      const stream = this.catalogue.get(id);
      if (stream === undefined) continue;
      this.#counts.timedOut++;
      this.#streamEvent({ kind: "off_air", time: now, stream: stream.id }, stream);
    }
    for (let n = 0; n < DROPPED && userMaxAgeMs > 0; n++) {
      const user = this.users.profiles.oldest(now - userMaxAgeMs);
      if (user === undefined) break;
      this.#counts.oldUsers++;
      this.#forget(user);
    }
    for (let n = 0; n < DROPPED && streamerMaxAgeMs > 0; n++) {
      const streamer = this.users.streamers.oldest(now - streamerMaxAgeMs);
      if (streamer === undefined) break;
      if (this.catalogue.of(streamer).size > 0) {
        this.users.streamers.keep(streamer);
        continue;
      }
      this.#counts.oldStreamers++;
      this.forgetStreamer(streamer);
    }
  }

  #forget(user: Id): boolean {
    const traits = Object.entries(this.users.get(user)?.traits ?? {}) as [keyof UserTraits, string][];
    for (const keeper of this.#keepers.values()) keeper.forget?.(user);
    const isKnown = this.users.delete(user);
    for (const [trait, value] of traits) {
      if (trait === "age" || this.users.hasTrait(trait, value)) continue;
      for (const keeper of this.#keepers.values()) keeper.forgetTrait?.(`${trait}:${value}`);
    }
    return isKnown;
  }

  #userEvent(event: UserEvent): void {
    if (event.kind === "page_view") this.users.page(event.user, event.dwellMs, event.time);
    else if (event.kind === "user") {
      const { kind: _kind, id: _id, user, time, ...traits } = event;
      this.users.update(user, traits, time);
    } else this.users.befriend(event.user, event.friend, event.kind === "friend", event.time);
  }

  /** Returns the milliseconds of a watch that count in shared statistics. */
  #feedbackEvent(event: FeedbackEvent, stream: StreamTraits, watch: WatchTime | undefined): number {
    const { user, time } = event;
    const { users } = this;
    switch (event.kind) {
      case "impression":
        users.impression(user, stream, time);
        return 0;
      case "click":
        users.click(user, stream, time);
        return 0;
      case "heartbeat":
        users.beat(user, stream, event.watchMs, time);
        return 0;
      case "watch":
        return users.watch(user, stream, watch!, time);
      case "follow":
        users.follow(user, stream, time);
        users.approve(user, stream, time);
        return 0;
      case "rating":
        users.rate(user, stream, event.rating, time);
        if (event.rating < 0.5) users.dislike(user, stream, time);
        else users.approve(user, stream, time);
        return 0;
      case "dislike":
        users.dislike(user, stream, time);
        return 0;
      case "signal":
        // Whether it is good or bad is known to the reward alone.
        users.open(user, time);
        return 0;
      default:
        users.approve(user, stream, time);
        return 0;
    }
  }
}
