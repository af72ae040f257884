import { PriorityQueue, type Timed } from "../../collections/index.js";

/**
 * Puts items in order of time that come at most `latenessMs` after later ones; simultaneous ones stay in their order.
 *
 * What comes in order, nearly all, waits in a queue at O(1) each; only what comes late goes through a heap.
 */
export class Reorder<T extends Timed> {
  readonly #latenessMs: number;
  readonly #max: number;
  readonly #emit: (item: T) => void;
  /** In order of time, from `#head` on. */
  #queue: T[] = [];
  #head = 0;
  readonly #late = new PriorityQueue<T>();
  #newest = -Infinity;
  /** Time of the last item that went out; nothing earlier can follow. */
  watermark = -Infinity;

  /**
   * @param latenessMs Items wait until one comes that is later by more than this.
   * @param max The most items that wait; beyond them the earliest go out.
   * @param emit Called with the items in order.
   */
  constructor(latenessMs: number, max: number, emit: (item: T) => void) {
    this.#latenessMs = latenessMs;
    this.#max = max;
    this.#emit = emit;
  }

  /** Takes an item. Requires that it is not before the watermark. */
  push(item: T): void {
    if (item.time >= this.#newest) {
      this.#queue.push(item);
      this.#newest = item.time;
    } else {
      this.#late.push(item);
    }
    this.#release(this.#newest - this.#latenessMs, this.#max);
  }

  /** Lets out all that waits. */
  end(): void {
    this.#release(Infinity, 0);
  }

  /** Lets out what is before `time`, and what is too many. */
  #release(time: number, max: number): void {
    for (;;) {
      const waiting = this.#queue.length - this.#head;
      const queued = this.#queue[this.#head];
      const late = this.#late.first;
      if (queued === undefined && late === undefined) break;
      // A late one that is as early as a queued one came after it: it was late because that one was there.
      const isQueued = late === undefined || (queued !== undefined && queued.time <= late.time);
      const next = isQueued ? queued! : late!;
      if (next.time >= time && waiting + this.#late.size <= max) break;
      if (isQueued) this.#head++;
      else this.#late.pop();
      this.watermark = next.time;
      this.#emit(next);
    }
    if (this.#head > 1024 && 2 * this.#head > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}
