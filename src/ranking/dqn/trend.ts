import type { Interactions } from "../../logs/index.js";

const DAY_MS = 86_400_000;
/** Lengths of the spans before a request, in milliseconds. */
export const TREND_SPANS: readonly number[] = [7 * DAY_MS, 30 * DAY_MS];

/** The times at which each item was had, to count those in a span. */
export class ItemTimes {
  private readonly start: Int32Array;
  private readonly time: Float64Array;

  /** @param train - In order of time. */
  constructor(train: Interactions) {
    this.start = new Int32Array(train.items + 1);
    for (const item of train.item) this.start[item + 1]!++;
    for (let item = 0; item < train.items; item++) this.start[item + 1]! += this.start[item]!;
    const next = this.start.slice();
    this.time = new Float64Array(train.item.length);
    for (let e = 0; e < train.item.length; e++) this.time[next[train.item[e]!]!++] = train.time[e]!;
  }

  /** Number of interactions with the item in [from, to). */
  between(item: number, from: number, to: number): number {
    return this.below(item, to) - this.below(item, from);
  }

  private below(item: number, time: number): number {
    let low = this.start[item]!;
    let high = this.start[item + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low - this.start[item]!;
  }
}
