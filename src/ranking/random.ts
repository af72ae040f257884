import type { Ranker } from "../evaluation/index.js";
import { Random } from "../numeric/index.js";

/** Ranks items at random, anew at every call: the floor for any other ranker. */
export class RandomRanker implements Ranker {
  readonly name = "random";
  readonly #random: Random;

  /** @param seed - A safe integer. Default 0. */
  constructor(seed = 0) {
    this.#random = Random.named(seed, "ranker", "random");
  }

  score(_user: number, _now: number, items: Int32Array, out: Float64Array): void {
    for (let j = 0; j < items.length; j++) out[j] = this.#random.uniform();
  }
}
