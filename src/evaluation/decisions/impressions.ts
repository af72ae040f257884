import { Latest, pairKey } from "../../collections/index.js";
import type { Id, Impression, LiveEvent, LoggedDecision } from "../../protocol/index.js";
import { isEvent, type LogEntry, type TimedEntry } from "./entries.js";

/** Impressions within this of the first one of their decision belong to its slate, milliseconds. Set by hand. */
const SLATE_MS = 60_000;
/** Number of remembered decisions, so that a late impression makes no second one. Set by hand. */
const REMEMBERED = 65_536;

/** A held entry, and the decision that begins with it. */
interface Held {
  entry: LogEntry;
  /** The time at its place. */
  now: number;
  opens: Slate | undefined;
}

interface Slate {
  decision: LoggedDecision;
  /** Position on the page, of each stream of the slate. */
  positions: number[];
}

/**
 * Reconstructs decisions from impressions: a user's impressions with the same decision form its slate, in the order of
 * their positions. Impressions without a decision form one until the user acts, a stream comes again, or a minute is over;
 * they, and what the user then does in their streams, get its name. Holds events for a minute after the first impression.
 */
export class Slates {
  readonly #emit: (entry: LogEntry) => void;
  readonly #slates = new Latest<string, Slate>(REMEMBERED);
  /** The slate of each user's latest impressions without a decision, and whether the user has acted since. */
  readonly #unnamed = new Latest<Id, { slate: Slate; hasActed: boolean }>(REMEMBERED);
  #held: Held[] = [];
  #first = 0;
  #named = 0;
  #isHolding = false;
  /** Decisions so far. */
  decisions = 0;

  constructor(emit: (entry: LogEntry) => void) {
    this.#emit = emit;
  }

  push({ entry: given, now }: TimedEntry): void {
    const entry = isEvent(given) ? this.#name(given) : given;
    const impression = isEvent(entry) && entry.kind === "impression" ? entry : undefined;
    this.#isHolding ||= impression !== undefined;
    if (!this.#isHolding) {
      this.#emit(entry);
      return;
    }
    while (this.#first < this.#held.length && this.#held[this.#first]!.now + SLATE_MS < now) this.#release();
    if (this.#first > 1024 && this.#first * 2 > this.#held.length) {
      this.#held = this.#held.slice(this.#first);
      this.#first = 0;
    }
    this.#held.push({ entry, now, opens: impression && this.#add(impression) });
  }

  end(): void {
    while (this.#first < this.#held.length) this.#release();
  }

  /** The event, with the decision that it belongs to where the log does not say. */
  #name(event: LiveEvent): LiveEvent {
    if (!("user" in event) || !("stream" in event) || ("decision" in event && event.decision !== undefined))
      return event;
    if (event.kind !== "impression") return this.#answer(event);
    const { user, stream, time } = event;
    let open = this.#unnamed.get(user);
    const isOver =
      open === undefined ||
      open.hasActed ||
      time > open.slate.decision.time + SLATE_MS ||
      open.slate.decision.slate.includes(stream);
    if (isOver) {
      const id = `log-${this.#named++}`;
      open = { slate: { decision: { id, user, time, slate: [] }, positions: [] }, hasActed: false };
      this.#unnamed.set(user, open);
      this.#slates.set(pairKey(user, id), open.slate);
    }
    return { ...event, decision: open!.slate.decision.id };
  }

  #answer<E extends LiveEvent & { user: Id; stream: Id }>(event: E): E {
    const open = this.#unnamed.get(event.user);
    if (open === undefined) return event;
    if (event.kind !== "heartbeat" && event.kind !== "watch") open.hasActed = true;
    const { id, slate } = open.slate.decision;
    const isNamed = ["click", "watch", "heartbeat", "purchase", "signal"].includes(event.kind);
    return isNamed && slate.includes(event.stream) ? { ...event, decision: id } : event;
  }

  /** Adds an impression to the slate of its decision; returns the slate that it begins. */
  #add({ user, stream, time, decision, position }: Impression): Slate | undefined {
    if (decision === undefined) return undefined;
    const key = pairKey(user, decision);
    const known = this.#slates.get(key);
    const slate = known ?? { decision: { id: decision, user, time, slate: [] }, positions: [] };
    if (known === undefined) this.#slates.set(key, slate);
    if (time > slate.decision.time + SLATE_MS || slate.decision.slate.includes(stream)) return undefined;
    slate.decision.slate.push(stream);
    slate.positions.push(position ?? slate.positions.length);
    return slate.positions.length === 1 ? slate : undefined;
  }

  #release(): void {
    const { entry, opens } = this.#held[this.#first++]!;
    if (opens !== undefined) {
      this.decisions++;
      this.#emit({ ...opens.decision, slate: inOrder(opens) });
    }
    this.#emit(entry);
  }
}

/** The slate by position; streams at the same position keep their order. */
function inOrder({ decision: { slate }, positions }: Slate): Id[] {
  const order = [...slate.keys()].sort((a, b) => positions[a]! - positions[b]! || a - b);
  return order.map((i) => slate[i]!);
}
