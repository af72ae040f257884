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
