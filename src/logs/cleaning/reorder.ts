import { PriorityQueue, type Timed } from "../../collections/index.js";
import { DAY } from "../../protocol/index.js";

/** An item this far from the others has a wrong time, unless two more say so. */
const LEAP = DAY;
const CONFIRMED = 3;

/**
 * Puts items in order of time that come at most `latenessMs` after later ones; simultaneous items keep their order.
 *
 * Items that come in order, nearly all, wait in a queue at O(1) each; only late items go through a heap. One more than a
 * day ahead of all others waits there too, and makes none of them late: unless two more follow it, its time is wrong.
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
  /** Time of the last item in the queue. */
  #tail = -Infinity;
  /** Of the items in a row that leap in one direction: how many there are, and the least leap. */
  #leaps = 0;
  #leap = 0;
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
    const isLeap = this.#isLeap(item.time);
    if (!isLeap && item.time >= this.#newest && item.time >= this.#tail) {
      this.#queue.push(item);
      this.#tail = item.time;
    } else this.#late.push(item);
    if (!isLeap) this.#newest = Math.max(this.#newest, item.time);
    // Which of them is wrong the next will tell.
    this.#release(this.#leaps > 0 ? -Infinity : this.#newest - this.#latenessMs, this.#max);
  }

  /** Emits all waiting items. */
  end(): void {
    this.#release(Infinity, 0);
  }

  /** Whether the time of an item lies far from the others', ahead or behind; the third in a row says that they are wrong. */
  #isLeap(time: number): boolean {
    const from = this.#newest;
    if (from === -Infinity || Math.abs(time - from) <= LEAP) {
      this.#leaps = 0;
      return false;
    }
    const isAhead = time > from;
    const goesOn = this.#leaps > 0 && this.#leap > from === isAhead;
    this.#leap = goesOn ? (isAhead ? Math.min : Math.max)(this.#leap, time) : time;
    this.#leaps = goesOn ? this.#leaps + 1 : 1;
    if (this.#leaps < CONFIRMED) return true;
    this.#leaps = 0;
    this.#newest = this.#leap;
    return false;
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
