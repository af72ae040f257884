export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

/** From this long a visit counts as engaged, below that long as a bounce: the defaults of every policy and metric. */
export const ENGAGED_MS: number = MINUTE;
export const BOUNCE_MS = 5000;
/** A user who gives no sign for longer has left: the next sign begins a session. */
export const SESSION_GAP_MS: number = 30 * MINUTE;
