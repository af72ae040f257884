import { above, checked, integer, type Rules } from "../check/index.js";
import type { Ranker } from "../evaluation/index.js";
import { type Interactions, lastOfEachPair, type UserHistories, userHistories } from "../logs/index.js";
import { topK } from "../statistics/index.js";

export interface ItemKnnOptions {
  /** Number of neighbours of each item, [1, 65536]. Default 50. */
  k?: number;
  /**
   * Weight of an interaction relative to the user's next one, (0, 1]. Default 1: all interactions count the same.
   */
  decay?: number;
}

const RULES: Rules<ItemKnnOptions> = { k: integer(1, 65536), decay: above(0, 1) };

/**
 * Item-based nearest neighbours on the implicit feedback of a whole log. `ItemKnnPolicy` of `liveq/baselines` learns
 * similarities online, which fade.
 *
 * The similarity of two items is the cosine of their binary user vectors, users(i, j) / sqrt(users(i) · users(j)). Each
 * item keeps its k most similar items (of equal ones the lowest), and its score for a user is the sum of the
 * similarities of its neighbours among the user's items. The neighbourhood is that of the item to be scored: votes of
 * the user's items for *their* neighbours make another, worse ranker (full-rank HR@10 .104 on MovieLens-100K instead of
 * .119).
 *
 * Sarwar et al. 2001, "Item-Based Collaborative Filtering Recommendation Algorithms"; Deshpande & Karypis 2004.
 */
export class ItemKnn implements Ranker {
  readonly name = "itemknn";
  /** (items, k): the neighbours of each item, most similar first; -1 where it has fewer than k. */
  readonly neighbours: Int32Array;
  /** (items, k): their similarities; 0 where there is no neighbour. */
  readonly similarities: Float64Array;
  private readonly k: number;
  private readonly decay: number;
  private readonly train: Interactions;
  private readonly byUser: UserHistories;
  private readonly weights: Float64Array;

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(train: Interactions, options: ItemKnnOptions = {}) {
    const { k, decay } = checked(options, RULES, { k: 50, decay: 1 }) as Required<ItemKnnOptions>;
    this.k = k;
    this.decay = decay;
    this.train = lastOfEachPair(train);
    this.byUser = userHistories(this.train);
    this.weights = new Float64Array(train.items);
    this.neighbours = new Int32Array(train.items * k).fill(-1);
    this.similarities = new Float64Array(train.items * k);
    this.findNeighbours();
  }

  score(user: number, _now: number, items: Int32Array, out: Float64Array): void {
    const { weights, k, neighbours, similarities } = this;
    const own = this.byUser.event.subarray(this.byUser.start[user]!, this.byUser.start[user + 1]!);
    let weight = 1;
    for (let e = own.length - 1; e >= 0; e--) {
      weights[this.train.item[own[e]!]!]! += weight;
      weight *= this.decay;
    }
    for (let j = 0; j < items.length; j++) {
      let sum = 0;
      for (let n = items[j]! * k, end = n + k; n < end && neighbours[n]! >= 0; n++) {
        sum += similarities[n]! * weights[neighbours[n]!]!;
      }
      out[j] = sum;
    }
    for (const e of own) weights[this.train.item[e]!] = 0;
  }

  private findNeighbours(): void {
    const { train, byUser, k } = this;
    const byItem = userHistories({
      ...train,
      users: train.items,
      items: train.users,
      user: train.item,
      item: train.user,
    });
    const size = (item: number) => byItem.start[item + 1]! - byItem.start[item]!;
    const row = new Float64Array(train.items);
    for (let item = 0; item < train.items; item++) {
      row.fill(0);
      for (let e = byItem.start[item]!; e < byItem.start[item + 1]!; e++) {
        const user = train.user[byItem.event[e]!]!;
        for (let f = byUser.start[user]!; f < byUser.start[user + 1]!; f++) row[train.item[byUser.event[f]!]!]!++;
      }
      row[item] = 0;
      for (let other = 0; other < train.items; other++) {
        if (row[other]! > 0) row[other]! /= Math.sqrt(size(item) * size(other));
      }
      const top = topK(row, k);
      for (let n = 0; n < top.length && row[top[n]!]! > 0; n++) {
        this.neighbours[item * k + n] = top[n]!;
        this.similarities[item * k + n] = row[top[n]!]!;
      }
    }
  }
}
