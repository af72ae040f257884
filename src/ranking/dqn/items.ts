import type { Interactions } from "../../logs/index.js";
import { log1p } from "../../numeric/index.js";
import { CoOccurrence, type Nearness, type PairKind } from "./cooccurrence.js";
import type { RankerFeatureGroup } from "./groups.js";
import { CrossFittedWeights } from "./linear.js";
import { ItemTimes } from "./trend.js";

/** Traits of an item. */
export interface ItemTraits {
  /** Year of release; NaN where unknown. */
  year: number;
  /** Bit g (0 to 18) is set when the item has genre g. */
  genres: number;
}

/** What of a log an item table keeps. */
export interface ItemTableOptions extends Nearness {
  features: readonly RankerFeatureGroup[];
  /** Number of folds of the users for EASE's weights. */
  folds: number;
  seed: number;
}

type MemoryKind = PairKind | "ease";

/** A sum over a user's history for each item, see {@link ItemTable.remember}. */
interface Memory {
  kind: MemoryKind;
  /** Factor on the weight of earlier interactions, at each later one. */
  rate: number;
}

/** Rates of the memories of each group; those of EASE are its plain score and its score of recent items. */
const RATES: Record<MemoryKind, readonly [number, number, number]> = {
  overlap: [1, 0.95, 0.8],
  nearness: [0.95, 0.8, 0.5],
  order: [0.95, 0.8, 0.5],
  moment: [0.95, 0.8, 0.5],
  ease: [1, 0.95, 0.8],
};
const RATE_COUNT = 3;
const PAIRS = ["overlap", "nearness", "order", "moment"] as const;
/** Weight of the mean of all ratings in the mean rating of an item, in interactions. */
const PRIOR = 5;

/** The kinds of memories of some groups. */
function kindsOf(features: readonly RankerFeatureGroup[]): MemoryKind[] {
  return ([...PAIRS, "ease"] as const).filter((kind) => features.includes(kind));
}

/** The memories of some groups, and the names of their features. */
export function memoriesOf(features: readonly RankerFeatureGroup[]): Memory[] {
  return kindsOf(features).flatMap((kind) => RATES[kind].map((rate): Memory => ({ kind, rate })));
}

/** Data of all items for features: counts of a log, and traits. */
export class ItemTable {
  readonly items: number;
  readonly features: readonly RankerFeatureGroup[];
  /** What each row of a user's memories holds. */
  readonly memories: readonly Memory[];
  /** ln(1 + number of users with the item). */
  readonly logCount: Float64Array;
  /** Decades from the mean year of all items; 0 where unknown. */
  readonly year: Float64Array;
  readonly genres: Int32Array;
  readonly times: ItemTimes | undefined;
  private readonly kinds: readonly MemoryKind[];
  private readonly pairs: CoOccurrence;
  private readonly ease: CrossFittedWeights | undefined;
  private readonly inverseRoot: Float64Array;
  private readonly ratingSum: Float64Array;
  private readonly ratingMean: number;

  /** @param train - Each user has each item at most once. */
  constructor(train: Interactions, traits: readonly ItemTraits[], options: ItemTableOptions) {
    const { features, folds, seed } = options;
    this.items = train.items;
    this.features = features;
    this.memories = memoriesOf(features);
    this.kinds = kindsOf(features);
    const pairs = PAIRS.filter((kind) => features.includes(kind));
    this.pairs = new CoOccurrence(train, pairs, options);
    if (features.includes("ease")) this.ease = new CrossFittedWeights(train, folds, seed);
    if (features.includes("trend")) this.times = new ItemTimes(train);
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
   * EASE's weight from j to i or of pairs(i, j) / sqrt(users(j)), that fades with each later interaction: the numerators
   * of cosines, without another pass over the history.
   *
   * @param rows - A row of (items) for each of `memories`.
   */
  remember(user: number, item: number, rows: readonly Float64Array[]): void {
    const { items, kinds } = this;
    for (let k = 0; k < kinds.length; k++) {
      const kind = kinds[k]!;
      const matrix = kind === "ease" ? this.ease!.of(user) : this.pairs.matrix(kind);
      const [slow, middle, fast] = RATES[kind];
      const [a, b, c] = [rows[RATE_COUNT * k]!, rows[RATE_COUNT * k + 1]!, rows[RATE_COUNT * k + 2]!];
      const scale = kind === "ease" ? 1 : this.inverseRoot[item]!;
      // All rates in one pass over the matrix.
      for (let i = 0, pair = item * items; i < items; i++, pair++) {
        const value = matrix[pair]! * scale;
        a[i] = slow * a[i]! + value;
        b[i] = middle * b[i]! + value;
        c[i] = fast * c[i]! + value;
      }
    }
  }

  /**
   * Subtracts the user's own share from the memories of the user's next item, which the sums over users include.
   *
   * @param history - The items before it, in order.
   * @param times - Their times.
   * @param now - The time of the next item.
   * @param row - The item's memories are `row[at .. at + memories.length)`.
   */
  forget(history: Int32Array, times: Float64Array, now: number, row: Float32Array, at: number): void {
    const { memories, pairs } = this;
    for (let m = 0; m < memories.length; m++) {
      const { kind, rate } = memories[m]!;
      if (kind === "ease") continue;
      let own = 0;
      for (let j = history.length - 1, steps = 1, weight = 1; j >= 0; j--, steps++, weight *= rate) {
        const share = pairs.share(kind, steps, now - times[j]!);
        if (share === 0) break;
        own += share * weight * this.inverseRoot[history[j]!]!;
      }
      row[at + m]! -= own;
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
