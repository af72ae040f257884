import { type Interactions, userHistories } from "../../logs/index.js";
import { Random } from "../../numeric/index.js";
import { easeWeights } from "../ease.js";

/** Weight of the squared length of the weights: the default of `Ease`. */
const LAMBDA = 300;

/**
 * EASE's item-to-item weights for each fold of users, learned from the users of the other folds: no user's own items are in
 * the weights that score them, in training or when serving.
 */
export class CrossFittedWeights {
  private readonly fold: Int32Array;
  private readonly weights: Float32Array[] = [];

  /** @param folds - At least 2. */
  constructor(train: Interactions, folds: number, seed: number) {
    const random = Random.named(seed, "ease");
    this.fold = Int32Array.from({ length: train.users }, () => random.below(folds));
    const grams = Array.from({ length: folds }, () => new Float64Array(train.items * train.items));
    const whole = new Float64Array(train.items * train.items);
    const { start, event } = userHistories(train);
    for (let user = 0; user < train.users; user++) {
      const own = event.subarray(start[user]!, start[user + 1]!).map((e) => train.item[e]!);
      const gram = grams[this.fold[user]!]!;
      for (const i of own) {
        for (const j of own) {
          gram[i * train.items + j]!++;
          whole[i * train.items + j]!++;
        }
      }
    }
    for (const gram of grams) {
      for (let pair = 0; pair < gram.length; pair++) gram[pair] = whole[pair]! - gram[pair]!;
      this.weights.push(Float32Array.from(easeWeights(gram, train.items, LAMBDA)));
    }
  }

  /** (items, items): row j is added to the scores of all items after item j. */
  of(user: number): Float32Array {
    return this.weights[this.fold[user]!]!;
  }
}
