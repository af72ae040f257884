import { Random } from "../../random.js";
import { Catalog } from "../catalog.js";
import type { Id, LiveEvent } from "../events.js";
import type { Decision, Policy, Request } from "../policy.js";

/** Shows streams on air at random, each equally likely: the floor that any other policy has to beat. */
export class RandomPolicy implements Policy {
  readonly name = "random";
  readonly #random: Random;
  readonly #catalog = new Catalog();
  /** The numbers 0, 1, 2, ... in order between requests. */
  readonly #order: number[] = [];
  #decisions = 0;

  /** @param seed - A safe integer. Default 0. */
  constructor(seed = 0) {
    this.#random = Random.named(seed, "policy", "random");
  }

  recommend(request: Request): Decision {
    const streams = this.#catalog.among(request.candidates);
    const size = Math.min(request.k, streams.length);
    const chosen = this.#draw(streams.length, size);
    const slate: Id[] = [];
    const propensities: number[] = [];
    for (let position = 0; position < size; position++) {
      slate.push(streams[chosen[position]!]!.id);
      propensities.push(1 / (streams.length - position));
    }
    const id = `random-${this.#decisions++}`;
    return { id, user: request.user, time: request.now, slate, propensities, scores: propensities };
  }

  feedback(event: LiveEvent): void {
    this.#catalog.feedback(event);
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
