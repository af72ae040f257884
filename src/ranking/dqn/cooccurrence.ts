import { type Interactions, userHistories } from "../../logs/index.js";

/** Interactions of one user that are more steps apart than this are not near each other. */
export const WINDOW = 20;
/** Factor on the nearness at each further step. */
const NEARNESS = 0.9;
/** The two f32 matrices of this size take 2 GB. */
const ITEMS_MAX = 16384;

/** Nearness of two interactions of one user by the number of steps between them: 1 at one step, 0 at none. */
export const nearness: Float64Array = new Float64Array(WINDOW + 1);
for (let steps = 1, value = 1; steps <= WINDOW; steps++, value *= NEARNESS) nearness[steps] = value;

/**
 * The number of users with both of two items, and their nearness in the users' histories: dense, symmetric sums over
 * users, so that one user's share can be subtracted.
 */
export class CoOccurrence {
  readonly items: number;
  /** (items) Number of users with the item. */
  readonly count: Float64Array;
  /** (items, items) Number of users with both items. */
  readonly both: Float32Array;
  /** (items, items) Nearness of both items, summed over users. */
  readonly near: Float32Array;

  /**
   * @param train - Each user has each item at most once.
   * @throws RangeError for more than 16384 items.
   */
  constructor(train: Interactions) {
    const { items } = train;
    if (items > ITEMS_MAX) throw new RangeError(`"items" must be at most ${ITEMS_MAX}, got ${items}`);
    this.items = items;
    this.count = new Float64Array(items);
    this.both = new Float32Array(items * items);
    this.near = new Float32Array(items * items);
    const { start, event } = userHistories(train);
    for (let user = 0; user < train.users; user++) {
      this.add(event.subarray(start[user]!, start[user + 1]!).map((e) => train.item[e]!));
    }
  }

  private add(history: Int32Array): void {
    const { items, count, both, near } = this;
    for (let a = 0; a < history.length; a++) {
      const row = history[a]! * items;
      count[history[a]!]!++;
      for (let b = 0; b < history.length; b++) if (b !== a) both[row + history[b]!]!++;
      const last = Math.min(a + WINDOW, history.length - 1);
      for (let b = Math.max(a - WINDOW, 0); b <= last; b++) near[row + history[b]!]! += nearness[Math.abs(a - b)]!;
    }
  }
}
