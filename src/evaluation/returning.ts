import { DAY, type Id } from "../protocol/index.js";
import { type Figure, type ResampleOptions, Tally } from "../statistics/index.js";
import { ALL, CASE_SLICES } from "./slices.js";

/** Days within which a user returns, and days after which a user is retained. */
const DAYS = [1, 3, 7];
/** Days since the first session that are remembered one by one: bits of an int32. */
const DAYS_MAX = 31;
const RETURNS = DAYS.map((days) => `return_within_${days}d`);
const RETAINED = DAYS.map((days) => `retention_day_${days}`);
/** Number of cohorts with slices of their own; users of later ones only count in the other slices. */
const COHORTS_MAX = 31 - CASE_SLICES.length;

export interface ReturningOptions {
  from: number;
  sessionGapMs: number;
  cohortMs: number;
}

/** The state of one user: the first session that counts, and sums since then. */
interface Visitor {
  group: number;
  /** Time of the user's first activity, milliseconds. */
  first: number;
  /** Time of the user's last activity. */
  end: number;
  /** Start of the first session that counts; NaN before it. */
  start: number;
  slices: number;
  /** End of the first session, and the time away after it; NaN until the second session. */
  leftAt: number;
  away: number;
  /** Bit d: active in the d-th 24 hours since `start`. */
  seen: number;
  /** Number of calendar days with activity, and the last of them. */
  activeDays: number;
  lastDay: number;
  /** All time between sessions, and the number of returns. */
  awayMs: number;
  returns: number;
}

/** One user's part in denominators of days and returns. */
export interface UserSpan {
  group: number;
  /** Days since the user's first activity or `from`, whichever is later. */
  days: number;
  activeDays: number;
  /** Time between sessions, and since the last one. */
  awayMs: number;
  returns: number;
}

/** Tracks sessions, and when users come back. */
export class Returning {
  readonly #options: ReturningOptions;
  readonly #visitors = new Map<Id, Visitor>();

  constructor(options: ReturningOptions) {
    this.#options = options;
  }

  /**
   * Takes activity of a user from `start` until `now`.
   * @returns Whether it begins a session.
   */
  sign(user: Id, group: number, start: number, now: number, slices: number): boolean {
    const { from, sessionGapMs } = this.#options;
    let visitor = this.#visitors.get(user);
    const isNew = visitor === undefined || start - visitor.end > sessionGapMs;
    if (visitor === undefined) {
      visitor = newVisitor(group, start);
      this.#visitors.set(user, visitor);
    }
    if (now >= from) {
      if (isNew) this.#begin(visitor, start, slices);
      this.#mark(visitor, now);
    }
    visitor.end = Math.max(visitor.end, now);
    return isNew;
  }

  #begin(visitor: Visitor, start: number, slices: number): void {
    if (Number.isNaN(visitor.start)) {
      visitor.start = start;
      visitor.slices = slices;
      return;
    }
    const away = start - visitor.end;
    if (Number.isNaN(visitor.away)) {
      visitor.leftAt = visitor.end;
      visitor.away = away;
    }
    visitor.awayMs += away;
    visitor.returns++;
  }

  #mark(visitor: Visitor, now: number): void {
    // NaN, and so not marked, in a session that began before `from`.
    const since = Math.floor((now - visitor.start) / DAY);
    if (since < DAYS_MAX) visitor.seen |= 1 << since;
    const day = Math.floor(now / DAY);
    if (day > visitor.lastDay) visitor.activeDays++;
    visitor.lastDay = day;
  }

  *users(now: number): Generator<UserSpan, void, undefined> {
    const { from } = this.#options;
    for (const { group, first, start, end, activeDays, awayMs, returns } of this.#visitors.values()) {
      if (now < from) continue;
      const open = Number.isNaN(start) ? 0 : now - end;
      yield { group, days: (now - Math.max(first, from)) / DAY, activeDays, awayMs: awayMs + open, returns };
    }
  }

  /**
   * By slice and cohort, the shares of users who were back within 1, 3 and 7 days of the end of their first session,
   * and who were active in the 24 hours after 1, 3 and 7 days of its start; of users whose first session lies far
   * enough back.
   */
  figures(now: number, options: Partial<ResampleOptions>): Figure[] {
    const { from, cohortMs } = this.#options;
    const cohortOf = (visitor: Visitor) => Math.max(0, Math.floor((visitor.start - from) / cohortMs));
    let cohorts = 0;
    for (const visitor of this.#visitors.values()) {
      if (!Number.isNaN(visitor.start)) cohorts = Math.max(cohorts, 1 + cohortOf(visitor));
    }
    const names = Array.from({ length: Math.min(cohorts, COHORTS_MAX) }, (_, cohort) => `cohort_${cohort}`);
    const tally = new Tally([...RETURNS, ...RETAINED], [...CASE_SLICES, ...names]);
    for (const visitor of this.#visitors.values()) {
      if (Number.isNaN(visitor.start)) continue;
      const cohort = cohortOf(visitor);
      const slices = visitor.slices | ALL | (cohort < COHORTS_MAX ? 1 << (CASE_SLICES.length + cohort) : 0);
      const leftAt = Number.isNaN(visitor.away) ? visitor.end : visitor.leftAt;
      for (const [at, days] of DAYS.entries()) {
        if (leftAt + days * DAY <= now) tally.add(visitor.group, at, slices, visitor.away <= days * DAY ? 1 : 0, 1);
        if (visitor.start + (days + 1) * DAY > now) continue;
        tally.add(visitor.group, DAYS.length + at, slices, (visitor.seen >> days) & 1, 1);
      }
    }
    return tally.figures(options);
  }
}

function newVisitor(group: number, first: number): Visitor {
  return {
    group,
    first,
    end: first,
    start: Number.NaN,
    slices: ALL,
    leftAt: Number.NaN,
    away: Number.NaN,
    seen: 0,
    activeDays: 0,
    lastDay: -1,
    awayMs: 0,
    returns: 0,
  };
}
