import type { Decision, Id, LiveEvent } from "../../protocol/index.js";

/** Something that happened: a slate was chosen, or an event was taken. */
export interface TailItem {
  /** Counts from 0 since the server began. */
  readonly n: number;
  /** Host's time, milliseconds. */
  readonly at: number;
  /** `decision`, or the kind of the event. */
  readonly kind: string;
  readonly user?: Id;
  readonly streams: readonly Id[];
}

/** Items that are kept. */
const KEPT = 200;

/** The latest decisions and events, for whoever watches. */
export class Tail {
  readonly #items: TailItem[] = [];
  #next = 0;

  decision({ user, slate }: Decision, at: number): void {
    this.#add({ n: this.#next++, at, kind: "decision", user, streams: slate });
  }

  event(event: LiveEvent, at: number): void {
    const user = "user" in event ? { user: event.user } : {};
    this.#add({ n: this.#next++, at, kind: event.kind, ...user, streams: "stream" in event ? [event.stream] : [] });
  }

  /** Those that are kept, from an item on. */
  since(n: number): TailItem[] {
    return this.#items.filter((item) => item.n >= n);
  }

  forget(user: Id): void {
    for (let i = this.#items.length - 1; i >= 0; i--) if (this.#items[i]!.user === user) this.#items.splice(i, 1);
  }

  #add(item: TailItem): void {
    this.#items.push(item);
    if (this.#items.length > KEPT) this.#items.shift();
  }
}
