import { EventError } from "./error.js";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

/**
 * From `ENGAGED_MS` a visit counts as engaged, below `BOUNCE_MS` as a bounce: the defaults of every policy and metric.
 */
export const ENGAGED_MS: number = MINUTE;
export const BOUNCE_MS = 5000;
/** A running watch without a heartbeat for longer has ended: the default of every policy and metric. */
export const BEAT_TIMEOUT_MS: number = 5 * MINUTE;
/** A user without events for longer has left: the next event begins a session. */
export const SESSION_GAP_MS: number = 30 * MINUTE;
/** A stream without any event for longer has ended: the default of every policy. */
export const STREAM_TIMEOUT_MS: number = DAY;
/** An event dated further ahead of the host's time is refused: the default of every policy and of `ingest`. */
export const MAX_AHEAD_MS: number = 5 * MINUTE;
/** An event further behind the host's time is dropped: the default of every policy. */
export const MAX_LATE_MS: number = DAY;
/**
 * A kept time this far ahead of an event comes from a clock that was wrong: more than the bounds of both options, a day
 * each, add up to.
 */
export const WRONG_CLOCK_MS: number = 2 * DAY + MINUTE;

/** Before this time of the host, in 1973, times need not be of this age: simulated ones begin with 0. */
const AGE_BEGINS = 1e11;
/** Units that are taken for milliseconds by mistake, and how many of them a millisecond is. */
const UNITS: readonly (readonly [unit: string, perMs: number])[] = [
  ["seconds", 1e-3],
  ["microseconds", 1e3],
  ["nanoseconds", 1e6],
];

/** The unit in which a time is near the host's, where that is not milliseconds; undefined for none. */
function unitOf(time: number, host: number): string | undefined {
  return UNITS.find(([, perMs]) => time > 0.5 * perMs * host && time < 2 * perMs * host)?.[0];
}

/** Whether a time is in another unit than the host's, which is of this age. */
export function isMistaken(time: number, host: number): boolean {
  return host >= AGE_BEGINS && unitOf(time, host) !== undefined;
}

/**
 * Why the time of an event can never be right: it lies further ahead of the host's time than `maxAheadMs`, or is in
 * another unit. undefined for a time that can be right.
 */
export function timeFault(time: number, host: number, maxAheadMs: number): EventError | undefined {
  const latest = host + maxAheadMs;
  if (time <= latest && !isMistaken(time, host)) return undefined;
  const unit = unitOf(time, host);
  const must = time > latest ? `at most ${latest}, the host's time and a little more` : "in milliseconds";
  return new EventError("time", `"time" must be ${must}, got ${time}${unit === undefined ? "" : ` (${unit}?)`}`);
}
