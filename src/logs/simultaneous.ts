import type { LiveEvent } from "../protocol/index.js";

/** The kinds in the order in which one instant tells them: what is there before what is done with it. */
const RANKS: Readonly<Record<LiveEvent["kind"], number>> = {
  on_air: 0,
  update: 1,
  off_air: 2,
  user: 3,
  friend: 4,
  unfriend: 5,
  page_view: 6,
  impression: 7,
  click: 8,
  heartbeat: 9,
  like: 10,
  comment: 11,
  share: 12,
  follow: 13,
  dislike: 14,
  rating: 15,
  gift: 16,
  purchase: 17,
  signal: 18,
  watch: 19,
};

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The order of simultaneous events, which is theirs in whatever order they came: events of streams, stream by stream,
 * then of users, user by user, by kind, decision and position, then by content. Impressions of a decision without
 * positions are equal: only the order in which they came says where they stood.
 */
export function compareSimultaneous(a: LiveEvent, b: LiveEvent): number {
  const ofUser = "user" in a;
  if (ofUser !== "user" in b) return ofUser ? 1 : -1;
  const owner = ofUser
    ? compare(a.user, (b as typeof a).user)
    : compare((a as { stream: string }).stream, (b as { stream: string }).stream);
  if (owner !== 0) return owner;
  const kind = RANKS[a.kind] - RANKS[b.kind];
  if (kind !== 0) return kind;
  if (a.kind === "impression" && b.kind === "impression") {
    const decision = compare(a.decision ?? "", b.decision ?? "");
    if (decision !== 0) return decision;
    const [one, other] = [a.position ?? -1, b.position ?? -1];
    if (one !== other || one < 0) return one - other;
  }
  return compare(JSON.stringify(a), JSON.stringify(b));
}

/** Puts events in order of time, and those of one instant in their own order. */
export function compareEvents(a: LiveEvent, b: LiveEvent): number {
  return a.time - b.time || compareSimultaneous(a, b);
}

/** Puts simultaneous events in their order, in place. */
export function sortSimultaneous(events: LiveEvent[]): void {
  for (let i = 1; i < events.length; i++) {
    if (compareSimultaneous(events[i - 1]!, events[i]!) <= 0) continue;
    events.sort(compareSimultaneous);
    return;
  }
}
