import { Latest, pairKey } from "../../collections/index.js";
import type { FeedbackEvent, LiveEvent } from "../../protocol/index.js";
import type { TimedEntry } from "./entries.js";

/** Milliseconds without a sign of a user in a stream after which the next one begins another visit. Set by hand. */
const VISIT_MS = 1_800_000;

/** An event, or what was added to a log. */
export interface Step extends TimedEntry<LiveEvent> {
  /** Whether a visit begins with it: that the user enters the stream. */
  isVisit: boolean;
  /** Until when the same stay is known to last. */
  until: number;
}

/** Whether an event says that a user has entered a stream. */
export function isSign(event: LiveEvent): event is FeedbackEvent {
  return "user" in event && "stream" in event && event.kind !== "impression" && event.kind !== "dislike";
}

/**
 * Finds the begin of each visit: a click, or the first of a user's other events in a stream for half an hour; of those it
 * adds the click, where a watch or a heartbeat says that the user entered. To put it there it holds events.
 */
export class Visits {
  readonly #emit: (step: Step) => void;
  readonly #lookMs: number;
  /** The time of the last sign of each user in each stream. */
  readonly #open: Latest<string, number>;
  readonly #window: number;
  #held: Step[] = [];
  #first = 0;
  #released = 0;

  /**
   * @param lookMs - How long events are held, milliseconds; longer watches begin so long ago.
   * @param window - The most events held, and visits remembered.
   */
  constructor(emit: (step: Step) => void, lookMs: number, window: number) {
    this.#emit = emit;
    this.#lookMs = lookMs;
    this.#window = window;
    this.#open = new Latest(window);
  }

  push({ entry, now }: TimedEntry<LiveEvent>): void {
    this.#insert({ entry, now, isVisit: entry.kind === "click", until: now });
    if (isSign(entry)) this.#follow(entry, now);
    while (
      this.#first < this.#held.length &&
      (this.#held[this.#first]!.now + this.#lookMs <= now || this.#held.length - this.#first > this.#window)
    ) {
      this.#release();
    }
    if (this.#first < 1024 || this.#first * 2 < this.#held.length) return;
    this.#held = this.#held.slice(this.#first);
    this.#first = 0;
  }

  end(): void {
    while (this.#first < this.#held.length) this.#release();
  }

  #follow(event: FeedbackEvent, now: number): void {
    const key = pairKey(event.user, event.stream);
    const length = event.kind === "watch" || event.kind === "heartbeat" ? event.watchMs : 0;
    const start = Math.max(now - length, 0);
    const last = this.#open.get(key);
    this.#open.set(key, now);
    if (event.kind === "click" || (last !== undefined && last >= start - VISIT_MS)) return;
    const time = Math.max(start, this.#released);
    const { user, stream } = event;
    const click: LiveEvent = { kind: "click", time, user, stream };
    this.#insert({ entry: click, now: time, isVisit: true, until: now }, event);
  }

  /** @param before - An event that it must come before, though both are of one time. */
  #insert(step: Step, before?: LiveEvent): void {
    let place = this.#held.length;
    while (place > this.#first) {
      const { now, entry } = this.#held[place - 1]!;
      if (now < step.now || (now === step.now && entry !== before)) break;
      place--;
    }
    if (place === this.#held.length) this.#held.push(step);
    else this.#held.splice(place, 0, step);
  }

  #release(): void {
    const step = this.#held[this.#first++]!;
    this.#released = Math.max(this.#released, step.now);
    this.#emit(step);
  }
}
