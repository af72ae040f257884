import type { FeedbackEvent, Id, LiveEvent, StreamEvent, UserEvent } from "../../protocol/index.js";
import {
  type CatalogStream,
  Catalogue,
  type KnownStream,
  type SavedCatalogue,
  type StreamTraits,
} from "./catalogue.js";
import { type ExportedProfile, type ProfileOptions, type SavedUsers, Users } from "./users.js";
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
  /** Plain values; large arrays of numbers are pushed to `numbers`. */
  save(numbers: Float32Array[]): unknown;
  /** Restores a save of the same options into an empty keeper; `numbers`: all that `save` pushed, joined. */
  load(saved: unknown, numbers: Float32Array): void;
}

/** The plain values of `State.save`, beside its numbers. */
export interface SavedState {
  users: SavedUsers;
  catalogue: SavedCatalogue;
  /** By keeper: its plain values, and how many numbers it pushed. */
  keepers: [name: string, saved: unknown, numbers: number][];
}

/**
 * The state after all events so far: streams on air, users, streamers, and the keepers of groups of features. Decisions
 * and learning are no part of it.
 */
export class State {
  readonly users: Users;
  readonly catalogue = new Catalogue();
  readonly #keepers = new Map<string, Keeper>();
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
   */
  follow(now: number, isHost: boolean): void {
    this.#now = now;
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

  /** Forgets a user. Returns whether there was a profile. */
  forget(user: Id): boolean {
    for (const keeper of this.#keepers.values()) keeper.forget?.(user);
    return this.users.delete(user);
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
    return { users: this.users.save(), catalogue: this.catalogue.save(), keepers };
  }

  /** Restores a save of the same options into an empty state; `numbers`: all that `save` pushed, joined. */
  load({ users, catalogue, keepers }: SavedState, numbers: Float32Array): void {
    this.users.load(users);
    this.catalogue.load(catalogue);
    let at = 0;
    for (const [name, saved, length] of keepers) {
      this.#keepers.get(name)?.load(saved, numbers.subarray(at, at + length));
      at += length;
    }
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
      return isOnAir;
    }
    const early = this.catalogue.feedback(event, stream, this.#now);
    if (!isOnAir) this.users.streamers.onAir(event.streamer, event.category, event.time);
    const known = this.catalogue.get(event.stream);
    this.#keep({ event, stream: known, isNew: !isOnAir });
    for (const update of early) this.#streamEvent(update, known);
    return true;
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
