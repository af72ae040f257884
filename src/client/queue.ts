import type { LiveEvent } from "../protocol/index.js";

/** An event that waits to be sent. */
export interface Item {
  readonly event: LiveEvent;
  /** Whether its time is the host's, as the server's was not known. */
  readonly isByHost: boolean;
  /** Of its JSON in UTF-8. */
  readonly bytes: number;
}

/** Events that are sent together, under one key. */
export interface Parcel {
  readonly key: string;
  readonly items: readonly Item[];
  readonly body: string;
}

export interface QueueLimits {
  queueEvents: number;
  queueBytes: number;
}

const encoder = new TextEncoder();

export function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

export function itemOf(event: LiveEvent, isByHost: boolean): Item {
  return { event, isByHost, bytes: bytesOf(JSON.stringify(event)) };
}

/** The item that a later one makes needless: an earlier heartbeat of the same watch. */
function isReplaced({ event: old }: Item, { event }: Item): boolean {
  if (old.kind !== "heartbeat" || (event.kind !== "heartbeat" && event.kind !== "watch")) return false;
  return (
    old.user === event.user &&
    old.stream === event.stream &&
    old.decision === event.decision &&
    old.watchMs <= event.watchMs &&
    // A watch that began later is another one.
    event.time - event.watchMs < old.time
  );
}

/** What waits to be sent, in order, within bounds: beyond them the oldest are dropped. */
export class Queue {
  dropped = 0;
  readonly #limits: QueueLimits;
  #items: Item[] = [];
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  /** @param held - How many items beside these count for the bounds, and their bytes. */
  add(item: Item, held: readonly Item[] = []): void {
    let at = this.#items.length - 1;
    while (at >= 0 && !isReplaced(this.#items[at]!, item)) at--;
    if (at >= 0) this.#bytes -= this.#items.splice(at, 1)[0]!.bytes;
    this.#items.push(item);
    this.#bytes += item.bytes;
    this.#bound(held);
  }

  /** Puts items back before all others. */
  putBack(items: readonly Item[]): void {
    this.#items = [...items, ...this.#items];
    for (const { bytes } of items) this.#bytes += bytes;
    this.#bound([]);
  }

  /** Takes the first items, as many as a parcel holds, but one at least. */
  take(mostEvents: number, mostBytes: number): Item[] {
    let bytes = 2;
    let count = 0;
    while (count < this.#items.length && count < mostEvents) {
      bytes += this.#items[count]!.bytes + 1;
      if (count > 0 && bytes > mostBytes) break;
      count++;
    }
    const taken = this.#items.splice(0, count);
    for (const each of taken) this.#bytes -= each.bytes;
    return taken;
  }

  clear(): void {
    this.#items = [];
    this.#bytes = 0;
  }

  #bound(held: readonly Item[]): void {
    const { queueEvents, queueBytes } = this.#limits;
    const heldBytes = held.reduce((sum, { bytes }) => sum + bytes, 0);
    let count = 0;
    let bytes = this.#bytes + heldBytes;
    while (
      count < this.#items.length &&
      (this.#items.length - count + held.length > queueEvents || bytes > queueBytes)
    ) {
      bytes -= this.#items[count++]!.bytes;
    }
    this.#items.splice(0, count);
    this.#bytes = bytes - heldBytes;
    this.dropped += count;
  }
}
