import type { Interactions } from "../../logs/index.js";
import { log1p } from "../../numeric/index.js";
import { CoOccurrence, nearness, WINDOW } from "./cooccurrence.js";

/** Traits of an item. */
export interface ItemTraits {
  /** Year of release; NaN where unknown. */
  year: number;
  /** Bit g (0 to 18) is set when the item has genre g. */
  genres: number;
}

/** Number of sums over a history that {@link ItemTable.remember} keeps for each item. */
export const MEMORIES = 6;
type Six<T> = [T, T, T, T, T, T];
/** Factors on the weight of earlier interactions in a memory, at each later one. */
const [SLOW, MIDDLE, FAST] = [0.95, 0.8, 0.5];
/** Weight of the mean of all ratings in the mean rating of an item, in interactions. */
const PRIOR = 5;

/** Data of all items for features: counts of a log, and traits. */
export class ItemTable {
  readonly items: number;
  /** ln(1 + number of users with the item). */
  readonly logCount: Float64Array;
  /** Decades from the mean year of all items; 0 where unknown. */
  readonly year: Float64Array;
  readonly genres: Int32Array;
  private readonly pairs: CoOccurrence;
  private readonly inverseRoot: Float64Array;
  private readonly ratingSum: Float64Array;
  private readonly ratingMean: number;

  /** @param train - Each user has each item at most once. */
  constructor(train: Interactions, traits: readonly ItemTraits[]) {
    this.items = train.items;
    this.pairs = new CoOccurrence(train);
    this.logCount = this.pairs.count.map((count) => log1p(count));
    this.inverseRoot = this.pairs.count.map((count) => 1 / Math.sqrt(Math.max(count, 1)));
    this.ratingSum = new Float64Array(train.items);
    let sum = 0;
    for (let e = 0; e < train.item.length; e++) {
      this.ratingSum[train.item[e]!]! += train.value[e]!;
      sum += train.value[e]!;
    }
    this.ratingMean = sum / Math.max(train.item.length, 1);
    const known = traits.filter(({ year }) => !Number.isNaN(year));
    const mean = known.reduce((years, { year }) => years + year, 0) / Math.max(known.length, 1);
    this.year = Float64Array.from(traits, ({ year }) => (Number.isNaN(year) ? 0 : (year - mean) / 10));
    this.genres = Int32Array.from(traits, ({ genres }) => genres);
  }

  /**
   * Adds an item to a user's memories. Each memory holds for every item i a sum over the items j of the history, of
   * users(i, j) / sqrt(users(j)) or nearness(i, j) / sqrt(users(j)), that fades with each later interaction: the
   * numerators of cosines, without another pass over the history.
   *
   * @param memories - MEMORIES rows of (items).
   */
  remember(item: number, memories: readonly Float64Array[]): void {
    const { items } = this;
    const { both, near } = this.pairs;
    const [all, slow, middle, nearSlow, nearMiddle, nearFast] = memories as Six<Float64Array>;
    const scale = this.inverseRoot[item]!;
    for (let i = 0, pair = item * items; i < items; i++, pair++) {
      const shared = both[pair]! * scale;
      const close = near[pair]! * scale;
      all[i] = all[i]! + shared;
      slow[i] = SLOW * slow[i]! + shared;
      middle[i] = MIDDLE * middle[i]! + shared;
      nearSlow[i] = SLOW * nearSlow[i]! + close;
      nearMiddle[i] = MIDDLE * nearMiddle[i]! + close;
      nearFast[i] = FAST * nearFast[i]! + close;
    }
  }

  /**
   * Subtracts the user's own share from the memories of the user's next item: 1 from each users(i, j), and its nearness
   * to the latest items.
   *
   * @param history - The items before it, in order.
   * @param row - The item's memories are `row[at .. at + MEMORIES)`.
   */
  forget(history: Int32Array, row: Float32Array, at: number): void {
    for (let j = history.length - 1, slow = 1, middle = 1, fast = 1, steps = 1; j >= 0; j--, steps++) {
      const shared = this.inverseRoot[history[j]!]!;
      const close = steps <= WINDOW ? nearness[steps]! * shared : 0;
      row[at]! -= shared;
      row[at + 1]! -= slow * shared;
      row[at + 2]! -= middle * shared;
      row[at + 3]! -= slow * close;
      row[at + 4]! -= middle * close;
      row[at + 5]! -= fast * close;
      slow *= SLOW;
      middle *= MIDDLE;
      fast *= FAST;
    }
  }

  /** Number of users with the item. */
  count(item: number): number {
    return this.pairs.count[item]!;
  }

  /** Mean rating of an item, shrunk to the mean of all; without one rating of `without` unless that is NaN. */
  meanRating(item: number, without: number): number {
    const held = Number.isNaN(without) ? 0 : 1;
    const sum = this.ratingSum[item]! - (held ? without : 0) + PRIOR * this.ratingMean;
    return sum / (this.pairs.count[item]! - held + PRIOR);
  }
}
