import { Random } from "../numeric/index.js";
import type { Id, Request } from "../protocol/index.js";
import type { CatalogStream } from "../recommender/state/index.js";
import { Baseline, type SlateChoice } from "./baseline.js";

/** Shows streams on air at random, each equally likely: the floor for any other policy. */
export class RandomPolicy extends Baseline {
  readonly name = "random";
  readonly #random: Random;
  /** The numbers 0, 1, 2, ... in order between requests. */
  readonly #order: number[] = [];

  /**
   * @param seed - A safe integer. Default 0.
   * @param instance - Part of the names of its decisions. Default: 64 random bits.
   */
  constructor(seed = 0, instance?: string) {
    super(instance);
    this.#random = Random.named(seed, "policy", "random");
  }

  protected override choose({ k }: Request, streams: readonly CatalogStream[]): SlateChoice {
    const chosen = this.#draw(streams.length, Math.min(k, streams.length));
    const propensities = chosen.map((_, position) => 1 / (streams.length - position));
    return { chosen, propensities, scores: propensities };
  }

  protected override chances(_request: Request, streams: readonly CatalogStream[], slate: readonly Id[]) {
    const left = new Set(streams.map(({ id }) => id));
    return slate.map((id) => {
      const chances = new Map(Array.from(left, (one): [Id, number] => [one, 1 / left.size]));
      left.delete(id);
      return chances;
    });
  }

  /** The first `size` of a random order of 0 .. n - 1. Shuffles only those, then undoes it: O(size) for any n. */
  #draw(n: number, size: number): number[] {
    const order = this.#order;
    while (order.length < n) order.push(order.length);
    const other: number[] = [];
    for (let i = 0; i < size; i++) {
      const j = i + this.#random.below(n - i);
      other.push(j);
      const item = order[i]!;
      order[i] = order[j]!;
      order[j] = item;
    }
    const drawn = order.slice(0, size);
    for (let i = size - 1; i >= 0; i--) {
      const j = other[i]!;
      const item = order[i]!;
      order[i] = order[j]!;
      order[j] = item;
    }
    return drawn;
  }
}
