import type { SparseRow } from "./hashing.js";

/** A choice among actions, as the log holds it. */
export interface RankChoice {
  readonly id: string;
  /** Of the request, to know it when it comes again. */
  readonly digest: string;
  /** The ids and probabilities that were answered, in their order; the first one was chosen. */
  readonly ranking: readonly (readonly [id: string, probability: number])[];
  readonly isDeferred: boolean;
  readonly context: SparseRow;
  readonly action: SparseRow;
  /** Another action, drawn at random, that an apprentice learns to leave. */
  readonly other?: SparseRow | undefined;
  /** In an apprenticeship: whether it would have chosen the same. */
  readonly agrees?: boolean | undefined;
}

/** What becomes of an event: it waits to be activated, or for its reward, has it, or got the default. */
export type EventState = "deferred" | "active" | "rewarded" | "expired";

/** An event that is remembered. */
export interface RankEvent extends Pick<RankChoice, "id" | "digest" | "ranking"> {
  readonly time: number;
  state: EventState;
  /** Undefined before it is known. */
  reward: number | undefined;
  /** What is learned from; undefined afterwards. */
  rows: Pick<RankChoice, "context" | "action" | "other"> | undefined;
}

/** An event whose reward is known. */
export interface Outcome {
  readonly rows: NonNullable<RankEvent["rows"]>;
  readonly reward: number;
}

/** Milliseconds that an event is remembered, so that the same call again is known. */
const KEPT_MS = 24 * 3_600_000;

/** Events that wait for their reward, and those of the last day. */
export class Ledger {
  readonly #events = new Map<string, RankEvent>();
  /** Ids of those that may wait, in order of time; those before the cursor do not. */
  #waiting: string[] = [];
  #cursor = 0;
  readonly #waitMs: number;
  readonly #defaultReward: number;
  readonly #max: number;

  constructor({ waitMs, defaultReward, events }: { waitMs: number; defaultReward: number; events: number }) {
    this.#waitMs = waitMs;
    this.#defaultReward = defaultReward;
    this.#max = events;
  }

  get size(): number {
    return this.#events.size;
  }

  /** Events that are remembered, the oldest first. */
  events(): Iterable<RankEvent> {
    return this.#events.values();
  }

  get(id: string): RankEvent | undefined {
    return this.#events.get(id);
  }

  /** Whether an event of this time still waits now. */
  waits({ time }: Pick<RankEvent, "time">, now: number): boolean {
    return now < time + this.#waitMs;
  }

  /** Adds an event; one of its id that is there stays. Returns what its coming ends. */
  add({ id, digest, ranking, isDeferred, context, action, other }: RankChoice, time: number): Outcome[] {
    if (this.#events.has(id)) return [];
    const state = isDeferred ? "deferred" : "active";
    this.restore({ id, digest, ranking, time, state, reward: undefined, rows: { context, action, other } });
    const ended: Outcome[] = [];
    for (const oldest of this.#events.values()) {
      if (this.#events.size <= this.#max) break;
      ended.push(...this.#expire(oldest));
      this.#events.delete(oldest.id);
    }
    return ended;
  }

  /** Puts back an event of a saved ledger. */
  restore(event: RankEvent): void {
    this.#events.set(event.id, event);
    this.#waiting.push(event.id);
  }

  /** Ends what waited too long, and forgets what is old. */
  follow(now: number): Outcome[] {
    const ended: Outcome[] = [];
    for (; this.#cursor < this.#waiting.length; this.#cursor++) {
      const event = this.#events.get(this.#waiting[this.#cursor]!);
      if (event === undefined) continue;
      if (this.waits(event, now)) break;
      ended.push(...this.#expire(event));
    }
    if (this.#cursor > 1024 && this.#cursor > this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#cursor);
      this.#cursor = 0;
    }
    for (const oldest of this.#events.values()) {
      if (now - oldest.time < Math.max(KEPT_MS, this.#waitMs)) break;
      this.#events.delete(oldest.id);
    }
    return ended;
  }

  activate(id: string): void {
    const event = this.#events.get(id);
    if (event?.state === "deferred") event.state = "active";
  }

  /** Gives an event its reward. Undefined: it does not wait for one. */
  reward(id: string, value: number): Outcome | undefined {
    const event = this.#events.get(id);
    if (event?.state !== "active") return undefined;
    const { rows } = event;
    Object.assign(event, { state: "rewarded", reward: value, rows: undefined });
    return { rows: rows!, reward: value };
  }

  #expire(event: RankEvent): Outcome[] {
    const { state, rows } = event;
    if (state !== "active" && state !== "deferred") return [];
    // What was never activated was never shown, and teaches nothing.
    const isKnown = state === "active";
    Object.assign(event, { state: "expired", rows: undefined, ...(isKnown && { reward: this.#defaultReward }) });
    return isKnown ? [{ rows: rows!, reward: this.#defaultReward }] : [];
  }
}
