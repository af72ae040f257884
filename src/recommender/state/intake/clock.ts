import { DAY, type EventError, isMistaken, timeFault } from "../../../protocol/index.js";

/** How far the time of an event may be from the host's. */
export interface ClockOptions {
  /** Events dated further ahead of the host's time are refused, milliseconds, [0, 86400000]. Default 5 minutes. */
  maxAheadMs: number;
  /** Events further behind the host's time are dropped as late, milliseconds, [0, 86400000]. Default 24 hours. */
  maxLateMs: number;
}

/** The plain values of `Clock.save`; null for a time that is not known yet. */
export interface SavedClock {
  host: number | null;
  time: number | null;
  settled: number | null;
  leap: number;
  leaps: number;
}

/** Most that expires at one time of the host. */
const STEP = DAY;

/**
 * The time of a policy. The host's time is what requests say, and what is given with an event: it counts as right, also
 * when it goes back. The time of an event says when it happened, and moves the clock only where the host's time is not
 * given: by `maxAheadMs` at most, and a leap only from the second event in a row on. So no single event, and no batch of
 * a phone with a wrong date, moves the time of others.
 */
export class Clock {
  readonly #options: ClockOptions;
  /** The host's latest time; undefined before the first. */
  #host: number | undefined;
  #time: number | undefined;
  #settled: number | undefined;
  /** Of the events in a row that leap away from the time: the least leap, and how many there are. */
  #leap = 0;
  #leaps = 0;

  constructor(options: ClockOptions) {
    this.#options = options;
  }

  /** The present as far as is known, milliseconds: no data that users share counts a later time. 0 at first. */
  get time(): number {
    return this.#time ?? 0;
  }

  /**
   * The time up to which decisions and watches expire: the host's, which it follows by a day at each call at most, so
   * that one wrong time of the host expires little. -Infinity before the host's first.
   */
  get settled(): number {
    return this.#settled ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes the host's time. */
  follow(now: number): void {
    const settled = this.#settled ?? now;
    this.#host = now;
    this.#time = now;
    this.#leaps = 0;
    this.#settled = Math.min(now, settled + STEP);
  }

  /**
   * Whether an event may be taken: "late", or the error of a time that can never be right; undefined if it may.
   *
   * @param now - The host's time. Default: its latest, as far as one is known; no event is refused for being ahead of it
   *   then, as nobody may have asked for hours.
   */
  judge(time: number, now?: number): EventError | "late" | undefined {
    const host = now ?? this.#host;
    if (host === undefined) return undefined;
    if (now !== undefined || isMistaken(time, host)) {
      const fault = timeFault(time, host, this.#options.maxAheadMs);
      if (fault !== undefined) return fault;
    }
    return host - time > this.#options.maxLateMs ? "late" : undefined;
  }

  /** Moves on with an event that is taken. */
  take(time: number, now?: number): void {
    if (now !== undefined) {
      this.follow(now);
      return;
    }
    const { maxAheadMs, maxLateMs } = this.#options;
    const from = this.#time ?? time;
    const isAhead = time > from + maxAheadMs;
    // Without a host, the clock itself may be what is wrong.
    if (isAhead || (this.#host === undefined && from - time > maxLateMs)) this.#leapTo(time, from);
    else {
      this.#leaps = 0;
      this.#time = Math.max(from, time);
    }
  }

  save(): SavedClock {
    const [host, time, settled] = [this.#host, this.#time, this.#settled].map((at) => at ?? null);
    return { host: host!, time: time!, settled: settled!, leap: this.#leap, leaps: this.#leaps };
  }

  load({ host, time, settled, leap, leaps }: SavedClock): void {
    this.#host = host ?? undefined;
    this.#time = time ?? undefined;
    this.#settled = settled ?? undefined;
    this.#leap = leap;
    this.#leaps = leaps;
  }

  #leapTo(time: number, from: number): void {
    const goesOn = this.#leaps > 0 && this.#leap > from === time > from;
    const least = time > from ? Math.min : Math.max;
    this.#leap = goesOn ? least(this.#leap, time) : time;
    this.#leaps = goesOn ? this.#leaps + 1 : 1;
    if (!goesOn) return;
    this.#time = this.#host === undefined ? this.#leap : Math.min(this.#leap, from + this.#options.maxAheadMs);
  }
}
