import type { Ranker } from "../evaluation/index.js";
import type { Interactions } from "../logs/index.js";

/** Ranks by the number of training interactions, the same for every user. */
export class ItemPop implements Ranker {
  readonly name = "itempop";
  /** Number of interactions of each item. */
  readonly counts: Int32Array;

  constructor(train: Interactions) {
    this.counts = new Int32Array(train.items);
    for (const item of train.item) this.counts[item]!++;
  }

  score(_user: number, _now: number, items: Int32Array, out: Float64Array): void {
    for (let j = 0; j < items.length; j++) out[j] = this.counts[items[j]!]!;
  }
}
