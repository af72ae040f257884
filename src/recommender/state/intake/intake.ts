import {
  between,
  fields,
  finite,
  integer,
  mustBe,
  nonNegative,
  nonNegativeInteger,
  or,
  type Rules,
  type Shape,
} from "../../../check/index.js";
import { Seen } from "../../../collections/index.js";
import {
  DAY,
  EventError,
  type Id,
  identityOf,
  type LiveEvent,
  MAX_AHEAD_MS,
  MAX_LATE_MS,
  type Receipt,
} from "../../../protocol/index.js";
import { Clock, type ClockOptions, type SavedClock } from "./clock.js";

/** Which events are taken. */
export interface IntakeOptions extends ClockOptions {
  /**
   * Events remembered, as hashes of 20 bytes, so that an event that comes again counts once, and another one under its
   * id is refused: the latest, [1, 10000000]. As many decisions. Default 65 536.
   */
  seenEvents: number;
}

export const INTAKE_DEFAULTS: Readonly<IntakeOptions> = {
  maxAheadMs: MAX_AHEAD_MS,
  maxLateMs: MAX_LATE_MS,
  seenEvents: 65_536,
};

export const INTAKE_RULES: Rules<IntakeOptions> = {
  maxAheadMs: between(0, DAY),
  maxLateMs: between(0, DAY),
  seenEvents: integer(1, 1e7),
};

/** What became of events. */
export interface IntakeCounts {
  /** Events taken with a time behind the latest one. */
  steppedBack: number;
  /** Events that came again, and decisions; ignored. */
  duplicates: number;
  /** Events refused, as another event came under their id. */
  conflicts: number;
  /** Events refused, as they are dated ahead of the host's time, or not in milliseconds. */
  ahead: number;
  /** Events dropped, as they are too far behind the host's time. */
  lateDropped: number;
}

/** The plain values of `Intake.save`, beside its window. */
export interface SavedIntake {
  clock: SavedClock;
  latest: number;
  counts: IntakeCounts;
}

/** The shape of a save. */
export const intakeShape: Shape = fields<SavedIntake>({
  clock: fields<SavedClock>({
    host: or(null, finite),
    time: or(null, finite),
    settled: or(null, finite),
    leap: finite,
    leaps: nonNegativeInteger,
  }),
  latest: finite,
  counts: fields<IntakeCounts>({
    steppedBack: nonNegativeInteger,
    duplicates: nonNegativeInteger,
    conflicts: nonNegativeInteger,
    ahead: nonNegativeInteger,
    lateDropped: nonNegativeInteger,
  }),
});

/** Decides for each event whether it is taken, and keeps the time. */
export class Intake {
  readonly clock: Clock;
  readonly counts: IntakeCounts = { steppedBack: 0, duplicates: 0, conflicts: 0, ahead: 0, lateDropped: 0 };
  readonly #seen: Seen;
  /** The latest time of an event, as far as it had come. */
  #latest = 0;

  constructor(options: IntakeOptions = INTAKE_DEFAULTS) {
    this.clock = new Clock(options);
    this.#seen = new Seen(options.seenEvents);
  }

  /**
   * Takes a valid event, or says why not; of one that is not taken only the count stays.
   *
   * @param now - The host's time, milliseconds. Default: its latest, by requests and earlier events.
   * @param changes - Whether an event of a stream would change that it is on air: at one instant it may go on air, off and
   *   on again. Default: it does not.
   * @throws RangeError for a `now` that is no time.
   */
  receive(event: LiveEvent, now?: number, changes: (event: LiveEvent) => boolean = () => false): Receipt {
    if (now !== undefined && !nonNegative[0](now)) throw mustBe("now", nonNegative[1], now);
    const judged = this.clock.judge(event.time, now);
    if (judged instanceof EventError) {
      this.counts.ahead++;
      return judged;
    }
    // A heartbeat that comes again changes nothing.
    const identity = event.kind === "heartbeat" && event.id === undefined ? undefined : identityOf(event);
    const known = identity && this.#seen.get(identity.key);
    const isKnown = known !== undefined;
    if (isKnown && (event.id !== undefined || !changes(event))) {
      return this.#repeated(event.id, known === identity!.content);
    }
    if (judged === "late") {
      this.counts.lateDropped++;
      return "late";
    }
    if (identity !== undefined && !isKnown) this.#seen.add(identity.key, identity.content);
    this.clock.take(event.time, now);
    if (event.time < Math.min(this.#latest, this.clock.time)) this.counts.steppedBack++;
    this.#latest = Math.min(Math.max(this.#latest, event.time), this.clock.time);
    return "taken";
  }

  /** Takes the time of a request. */
  follow(now: number): void {
    if (now < this.clock.time) this.counts.steppedBack++;
    this.clock.follow(now);
  }

  /** Plain values for `JSON.stringify`; `load` restores them, and `window` the events seen. */
  save(): SavedIntake {
    return { clock: this.clock.save(), latest: this.#latest, counts: { ...this.counts } };
  }

  /** The events seen, the oldest first, as they are now. */
  window(): ReturnType<Seen["picture"]> {
    return this.#seen.picture();
  }

  /** Restores the values of `save` and `window` into a new intake. */
  load({ clock, latest, counts }: SavedIntake, window: Uint32Array): void {
    this.clock.load(clock);
    this.#latest = latest;
    Object.assign(this.counts, counts);
    this.#seen.load(window);
  }

  #repeated(id: Id | undefined, isSame: boolean): Receipt {
    if (isSame) {
      this.counts.duplicates++;
      return "duplicate";
    }
    this.counts.conflicts++;
    const must = "must be unique to an event of a sender, and another event came as";
    return new EventError("id", `"id" ${must} ${JSON.stringify(id)}`);
  }
}
