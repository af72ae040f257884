import { sigmoid } from "../../math.js";
import { Random } from "../../random.js";
import type { Ranker } from "../evaluation/ranking.js";
import type { Interactions } from "../evaluation/splits.js";

export interface BprOptions {
  /** Length of a user's or an item's vector, at least 1. Default 64. */
  factors?: number;
  /** Passes over the training interactions, at least 1. Default 60. */
  epochs?: number;
  /** Step size, > 0. Default 0.05. */
  learningRate?: number;
  /** Weight of the squared length of the vectors that a step touches, at least 0. Default 0.01. */
  regularization?: number;
  /** A safe integer. Default 1. */
  seed?: number;
}

const DEFAULTS: Required<BprOptions> = { factors: 64, epochs: 60, learningRate: 0.05, regularization: 0.01, seed: 1 };

/**
 * Matrix factorisation on implicit feedback, trained to score an item that the user has had above one that the user
 * has not: BPR-MF by plain stochastic gradient descent, one uniform negative for each interaction.
 *
 * The score of item i for user u is the inner product of their vectors.
 *
 * Rendle et al. 2009, "BPR: Bayesian Personalized Ranking from Implicit Feedback".
 */
export class Bpr implements Ranker {
  readonly name = "bpr";
  readonly factors: number;
  /** Row u: the vector of user u. (users, factors) */
  readonly userVectors: Float32Array;
  /** Row i: the vector of item i. (items, factors) */
  readonly itemVectors: Float32Array;

  /** @throws RangeError for an option out of range. */
  constructor(train: Interactions, options: BprOptions = {}) {
    const { factors, epochs, learningRate, regularization, seed } = { ...DEFAULTS, ...options };
    requireInteger("factors", factors);
    requireInteger("epochs", epochs);
    if (!(learningRate > 0)) throw new RangeError(`"learningRate" must be above 0, got ${learningRate}`);
    if (!(regularization >= 0)) throw new RangeError(`"regularization" must be at least 0, got ${regularization}`);
    this.factors = factors;
    const random = Random.named(seed, "bpr");
    this.userVectors = normal(train.users * factors, random);
    this.itemVectors = normal(train.items * factors, random);
    this.fit(train, epochs, learningRate, regularization, random);
  }

  /** The inner product of the vectors of a user and an item. */
  dot(user: number, item: number): number {
    const { factors, userVectors, itemVectors } = this;
    let sum = 0;
    for (let f = 0, u = user * factors, i = item * factors; f < factors; f++) sum += userVectors[u++]! * itemVectors[i++]!;
    return sum;
  }

  score(user: number, _now: number, items: Int32Array, out: Float64Array): void {
    for (let j = 0; j < items.length; j++) out[j] = this.dot(user, items[j]!);
  }

  private fit(train: Interactions, epochs: number, rate: number, regularization: number, random: Random): void {
    const had = new Set<number>();
    const different = new Int32Array(train.users);
    for (let e = 0; e < train.user.length; e++) {
      const pair = train.user[e]! * train.items + train.item[e]!;
      if (!had.has(pair)) different[train.user[e]!]!++;
      had.add(pair);
    }
    // A user who has had every item has no negative to learn from.
    const order = Array.from(train.user.keys()).filter((e) => different[train.user[e]!]! < train.items);
    for (let epoch = 0; epoch < epochs; epoch++) {
      random.shuffle(order);
      for (const e of order) {
        const user = train.user[e]!;
        let negative = random.below(train.items);
        while (had.has(user * train.items + negative)) negative = random.below(train.items);
        this.step(user, train.item[e]!, negative, rate, regularization);
      }
    }
  }

  /** One ascent of ln sigmoid(u · (i - j)) - regularization / 2 · (|u|² + |i|² + |j|²). */
  private step(user: number, positive: number, negative: number, rate: number, regularization: number): void {
    const { factors, userVectors, itemVectors } = this;
    const gain = rate * sigmoid(this.dot(user, negative) - this.dot(user, positive));
    const keep = 1 - rate * regularization;
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

function requireInteger(name: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1)) {
    throw new RangeError(`"${name}" must be an integer of at least 1, got ${value}`);
  }
}
