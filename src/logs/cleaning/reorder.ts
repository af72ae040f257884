import { PriorityQueue, type Timed } from "../../collections/index.js";

/**
 * Puts items in order of time that come at most `latenessMs` after later ones; simultaneous items keep their order.
 *
 * Items that come in order, nearly all, wait in a queue at O(1) each; only late items go through a heap.
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
  /** Time of the last emitted item; nothing earlier can follow. */
  watermark = -Infinity;

  /**
   * @param latenessMs An item waits until another comes that is later by more than this.
   * @param max The most items that wait; beyond them the earliest are emitted.
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

  /** Emits all waiting items. */
  end(): void {
    this.#release(Infinity, 0);
  }

  /** Emits the items before `time`, and the earliest of those beyond `max`. */
  #release(time: number, max: number): void {
    for (;;) {
      const waiting = this.#queue.length - this.#head;
      const queued = this.#queue[this.#head];
      const late = this.#late.first;
      if (queued === undefined && late === undefined) break;
      // On equal times the queued item came first: only after it could the other be late.
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
