/** A clock that differs by more from the time that has passed was set, or the machine slept. */
const STEP_MS = 1000;
/** How fast the clocks of two machines drift apart, milliseconds a millisecond. */
const DRIFT = 1e-4;

/** The two clocks of the host at one moment: what it takes for the time, and one that is never set. */
export interface Moment {
  readonly date: number;
  readonly steady: number;
}

export function momentNow(): Moment {
  return { date: Date.now(), steady: performance.now() };
}

/**
 * The server's time, from what its answers say: events of a page whose own clock is wrong would look late, or their
 * watches impossible.
 */
export class ServerClock {
  /** The server's time minus the host's. */
  #offset = 0;
  /** How wrong it may be. */
  #error = Infinity;
  #learnedAt = 0;
  #isKnown = false;
  #last: Moment | undefined;

  /** Whether the time can be told; not before the first answer, nor after a sleep or a step until the next one. */
  get isKnown(): boolean {
    this.#look(momentNow());
    return this.#isKnown;
  }

  /** The server's time as far as known, whole milliseconds. */
  now(): number {
    const moment = momentNow();
    this.#look(moment);
    return this.fromHost(moment.date);
  }

  /** The server's time at a time of the host's. */
  fromHost(date: number): number {
    return Math.max(0, Math.round(date + (this.#isKnown ? this.#offset : 0)));
  }

  /**
   * Takes what an answer says.
   *
   * @param server - The server's time as it answered; NaN: it says none, so the host's clock must do.
   * @param granularityMs - How coarse that is.
   */
  learn(server: number, granularityMs: number, sent: Moment, received: Moment): void {
    this.#look(received);
    if (!Number.isFinite(server)) {
      this.#isKnown = true;
      return;
    }
    // By the clock that is never set.
    const roundTripMs = Math.max(0, received.steady - sent.steady);
    const offset = server + granularityMs / 2 - (received.date - roundTripMs / 2);
    const error = (roundTripMs + granularityMs) / 2 + 1;
    const known = this.#error + DRIFT * (received.steady - this.#learnedAt);
    // A better answer, or one that shows that a clock was set.
    if (this.#isKnown && error > known && Math.abs(offset - this.#offset) <= error + known) return;
    this.#offset = offset;
    this.#error = error;
    this.#learnedAt = received.steady;
    this.#isKnown = true;
  }

  /** Notes whether the host's clock was set, or stood still. */
  #look(moment: Moment): void {
    const last = this.#last ?? moment;
    this.#last = moment;
    const step = moment.date - last.date - (moment.steady - last.steady);
    // Set back: no sleep looks so.
    if (step < -STEP_MS) this.#offset -= step;
    // Set ahead, or asleep: the next answer says which.
    else if (step > STEP_MS) this.#isKnown = false;
  }
}
