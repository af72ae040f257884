/** By so much a watch may be told longer than it can have been: the clocks of pages and servers differ. [set by hand] */
const CLOCKS_MS = 10_000;

/** What of a watch that ends now can have been, when it can have begun `sinceMs` ago at the earliest; milliseconds. */
export function possibleWatchMs(toldMs: number, sinceMs: number): number {
  return toldMs > sinceMs + CLOCKS_MS ? sinceMs : toldMs;
}
