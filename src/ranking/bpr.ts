import { above, between, boolean, checked, integer, type Rules } from "../check/index.js";
import type { Ranker } from "../evaluation/index.js";
import { type Interactions, lastOfEachPair } from "../logs/index.js";
import { Random, sigmoid } from "../numeric/index.js";

export interface BprOptions {
  /** Length of a user's or an item's vector, [1, 4096]. Default 64. */
  factors?: number;
  /** Passes over the training interactions, [1, 1e6]. Default 60. */
  epochs?: number;
  /** Step size, (0, 1]. Default 0.05. */
  learningRate?: number;
  /** Weight of the squared length of the vectors in a step, [0, 1]. Default 0.01. */
  regularization?: number;
  /** Whether each item also has a bias, the same for all users. Default false. */
  biases?: boolean;
  /** Seed of the initial vectors, the order and the negatives, [0, 2^53 - 1]. Default 1. */
  seed?: number;
}

const RULES: Rules<BprOptions> = {
  factors: integer(1, 4096),
  epochs: integer(1, 1e6),
  learningRate: above(0, 1),
  regularization: between(0, 1),
  biases: boolean,
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

const DEFAULTS: Required<BprOptions> = {
  factors: 64,
  epochs: 60,
  learningRate: 0.05,
  regularization: 0.01,
  biases: false,
  seed: 1,
};

/** Scores by the inner product of a user's vector and an item's. */
export class FactorRanker implements Ranker {
  readonly name: string = "factors";
  /** Length of a vector. */
  readonly factors: number;
  /** Row u: the vector of user u. (users, factors) */
  readonly userVectors: Float32Array;
  /** Row i: the vector of item i. (items, factors) */
  readonly itemVectors: Float32Array;

  constructor(factors: number, userVectors: Float32Array, itemVectors: Float32Array) {
    this.factors = factors;
    this.userVectors = userVectors;
    this.itemVectors = itemVectors;
  }

  /** The inner product of the vectors of a user and an item. */
  dot(user: number, item: number): number {
    const { factors, userVectors, itemVectors } = this;
    let sum = 0;
    for (let f = 0, u = user * factors, i = item * factors; f < factors; f++)
      sum += userVectors[u++]! * itemVectors[i++]!;
    return sum;
  }

  score(user: number, _now: number, items: Int32Array, out: Float64Array): void {
    for (let j = 0; j < items.length; j++) out[j] = this.dot(user, items[j]!);
  }
}

/**
 * Matrix factorisation on implicit feedback, trained to score the items of a user above other items: BPR-MF by plain
 * stochastic gradient descent, with one uniform negative for each interaction. `BprPolicy` of `liveq/baselines` learns
 * online.
 *
 * Rendle et al. 2009, "BPR: Bayesian Personalized Ranking from Implicit Feedback".
 */
export class Bpr extends FactorRanker {
  override readonly name = "bpr";
  /** (items), all 0 without `biases`. */
  readonly itemBiases: Float32Array;

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(train: Interactions, options: BprOptions = {}) {
    const resolved = checked<BprOptions>(options, RULES, DEFAULTS) as Required<BprOptions>;
    const random = Random.named(resolved.seed, "bpr");
    const { factors } = resolved;
    super(factors, normal(train.users * factors, random), normal(train.items * factors, random));
    this.itemBiases = new Float32Array(train.items);
    this.fit(lastOfEachPair(train), resolved, random);
  }

  override score(user: number, now: number, items: Int32Array, out: Float64Array): void {
    super.score(user, now, items, out);
    for (let j = 0; j < items.length; j++) out[j]! += this.itemBiases[items[j]!]!;
  }

  private fit(train: Interactions, options: Required<BprOptions>, random: Random): void {
    const had = new Set<number>();
    const count = new Int32Array(train.users);
    for (let e = 0; e < train.user.length; e++) {
      had.add(train.user[e]! * train.items + train.item[e]!);
      count[train.user[e]!]!++;
    }
    // A user with every item has no negative.
    const order = Array.from(train.user.keys()).filter((e) => count[train.user[e]!]! < train.items);
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      random.shuffle(order);
      for (const e of order) {
        const user = train.user[e]!;
        let negative = random.below(train.items);
        while (had.has(user * train.items + negative)) negative = random.below(train.items);
        this.step(user, train.item[e]!, negative, options);
      }
    }
  }

  /** One step of ascent on ln sigmoid(u · (i - j)) - regularization / 2 · (|u|² + |i|² + |j|²). */
  private step(user: number, positive: number, negative: number, options: Required<BprOptions>): void {
    const { factors, userVectors, itemVectors, itemBiases } = this;
    const { learningRate, regularization, biases } = options;
    const lead = itemBiases[positive]! - itemBiases[negative]!;
    const gain = learningRate * sigmoid(this.dot(user, negative) - this.dot(user, positive) - lead);
    const keep = 1 - learningRate * regularization;
    if (biases) {
      itemBiases[positive] = keep * itemBiases[positive]! + gain;
      itemBiases[negative] = keep * itemBiases[negative]! - gain;
    }
    let u = user * factors;
    let i = positive * factors;
    let j = negative * factors;
    for (const end = u + factors; u < end; u++, i++, j++) {
      const vu = userVectors[u]!;
      const vi = itemVectors[i]!;
      const vj = itemVectors[j]!;
      userVectors[u] = keep * vu + gain * (vi - vj);
      itemVectors[i] = keep * vi + gain * vu;
      itemVectors[j] = keep * vj - gain * vu;
    }
  }
}

function normal(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => 0.1 * random.normal());
}
