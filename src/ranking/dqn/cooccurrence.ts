import { type Interactions, userHistories } from "../../logs/index.js";

/** What of a pair of a user's items counts, see {@link CoOccurrence}. */
export type PairKind = "overlap" | "nearness" | "order" | "moment";

/** Which interactions of one user are near each other. */
export interface Nearness {
  /** Interactions that are more steps apart are not near each other. */
  window: number;
  /** Factor on the nearness at each further step. */
  decay: number;
}

/** Two interactions of one user that are further apart, in milliseconds, are not of one moment. */
export const MOMENT_MS = 1000;
/** Each f32 matrix of this size takes 1 GB. */
const ITEMS_MAX = 16384;

/**
 * Sums over users for pairs of items, as dense matrices (items, items), from which one user's share can be subtracted.
 * Row j holds for each item i:
 *
 * - `overlap`: the number of users with both.
 * - `nearness`: how near both are in the users' histories: 1 at one step, fading with each further one.
 * - `order`: the same, where i comes after j.
 * - `moment`: the number of users who had both at the same moment.
 */
export class CoOccurrence {
  readonly items: number;
  /** (items) Number of users with the item. */
  readonly count: Float64Array;
  /** Nearness of two interactions of one user by the number of steps between them: 1 at one step, 0 at none. */
  readonly nearness: Float64Array;
  private readonly matrices: ReadonlyMap<PairKind, Float32Array>;

  /**
   * @param train - Each user has each item at most once.
   * @param kinds - Others take no memory.
   * @throws RangeError for more than 16384 items.
   */
  constructor(train: Interactions, kinds: Iterable<PairKind>, { window, decay }: Nearness) {
    const { items } = train;
    if (items > ITEMS_MAX) throw new RangeError(`"items" must be at most ${ITEMS_MAX}, got ${items}`);
    this.items = items;
    this.count = new Float64Array(items);
    this.nearness = new Float64Array(window + 1);
    for (let steps = 1, value = 1; steps <= window; steps++, value *= decay) this.nearness[steps] = value;
    this.matrices = new Map(Array.from(kinds, (kind) => [kind, new Float32Array(items * items)]));
    const { start, event } = userHistories(train);
    for (let user = 0; user < train.users; user++) this.add(train, event.subarray(start[user]!, start[user + 1]!));
  }

  /** The sums of one kind. @throws Error for a kind that was left out. */
  matrix(kind: PairKind): Float32Array {
    const matrix = this.matrices.get(kind);
    if (!matrix) throw new Error(`the sums of "${kind}" were left out`);
    return matrix;
  }

  /** What one user adds to a pair of which the second item came `steps` later and `ms` after the first. */
  share(kind: PairKind, steps: number, ms: number): number {
    if (kind === "overlap") return 1;
    if (kind === "moment") return ms < MOMENT_MS ? 1 : 0;
    return this.nearness[steps] ?? 0;
  }

  private add({ item, time }: Interactions, history: Int32Array): void {
    const { items, count } = this;
    for (const e of history) count[item[e]!]!++;
    for (const [kind, matrix] of this.matrices) {
      for (let later = 1; later < history.length; later++) {
        const i = item[history[later]!]!;
        for (let steps = 1; steps <= later; steps++) {
          const earlier = history[later - steps]!;
          const share = this.share(kind, steps, time[history[later]!]! - time[earlier]!);
          // Shares of all kinds but one end with the distance.
          if (share === 0) break;
          const j = item[earlier]!;
          matrix[j * items + i]! += share;
          if (kind !== "order") matrix[i * items + j]! += share;
        }
      }
    }
  }
}
