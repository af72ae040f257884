import type { Id } from "../../protocol/index.js";

/** How much one account has contributed to the shared statistics of one streamer in the current window. */
export interface Contribution {
  /** Impressions before the click. */
  impressions: number;
  clicked: boolean;
  watches: number;
  approved: boolean;
  followed: boolean;
  /** A return of the user was credited to the streamer. */
  returned: boolean;
}

/** How much one account has contributed to shared statistics and learning in the current window. */
export interface Influence {
  /** When the window began. */
  since: number;
  /** Decisions of the user that were learned from. */
  decisions: number;
  /** Returns of the user that counted in everybody's. */
  returns: number;
  /** By streamer, in the order of the first contribution. */
  streamers: Map<Id, Contribution>;
}

/** An influence as plain values. */
export type SavedInfluence = Omit<Influence, "streamers"> & { streamers: [Id, Contribution][] };

/** Streamers to which an account contributes in one window; it contributes to no others. [set by hand] */
export const CONTRIBUTIONS = 128;
/** Counted impressions without a click; more would describe the user, not the streamer. [set by hand] */
const IMPRESSIONS = 8;
/**
 * Counted watches: long ones are bounded by the time they take, and the lengths of repeated visits separate a streamer
 * that holds viewers from one that lures them. Against counting all, simulated viewers watched as long with 4, 1 % less
 * with the first alone and 3 % less with the sum as one watch. [set by hand]
 */
const WATCHES = 4;
/** Returns that count in everybody's. */
const RETURNS = 2;

export function emptyInfluence(now: number): Influence {
  return { since: now, decisions: 0, returns: 0, streamers: new Map() };
}

/** Begins a new window after `windowMs`. */
export function renew(influence: Influence, now: number, windowMs: number): void {
  if (now - influence.since < windowMs) return;
  influence.since = now;
  influence.decisions = 0;
  influence.returns = 0;
  influence.streamers.clear();
}

/**
 * The account's contribution to a streamer; undefined when its streamers of this window are used up. Nothing is dropped
 * to make room: otherwise an account that visits streamers in turn would count at each again and again.
 */
export function contributionOf({ streamers }: Influence, streamer: Id): Contribution | undefined {
  const known = streamers.get(streamer);
  if (known !== undefined || streamers.size >= CONTRIBUTIONS) return known;
  const contribution: Contribution = {
    impressions: 0,
    clicked: false,
    watches: 0,
    approved: false,
    followed: false,
    returned: false,
  };
  streamers.set(streamer, contribution);
  return contribution;
}

/** Whether one more impression counts; impressions count until the click, which keeps clicks per impression right. */
export function countsImpression(contribution: Contribution): boolean {
  return !contribution.clicked && contribution.impressions++ < IMPRESSIONS;
}

/** Whether one more watch counts. */
export function countsWatch(contribution: Contribution): boolean {
  return contribution.watches++ < WATCHES;
}

/** Whether one more return of the account counts in everybody's. */
export function countsReturn(influence: Influence): boolean {
  return influence.returns++ < RETURNS;
}

export function savedInfluence(influence: Influence): SavedInfluence {
  return { ...influence, streamers: [...influence.streamers] };
}
