import { checked, integer, positive, type Rules } from "../../check/index.js";
import { inverse } from "../../numeric/index.js";

export interface RewardModelOptions {
  /** Number of folds of users; predictions for one fold are fitted on the others, [2, 100]. Default 5. */
  folds: number;
  /** Weight of the squared length of the coefficients, > 0. Default 1, as in LinUCB. */
  ridge: number;
}

const DEFAULTS: RewardModelOptions = { folds: 5, ridge: 1 };
const TABLE: Rules<RewardModelOptions> = { folds: integer(2, 100), ridge: positive };

/**
 * Cross-fitted linear regression of rewards: predictions for a user come from other users alone, so that a doubly
 * robust estimate stays unbiased (Chernozhukov et al. 2018). The mean prediction over a set of actions is the
 * prediction for the mean of their rows. With one-hot actions it is the mean reward by action, shrunk towards 0 by
 * `ridge`.
 */
export class RewardModel {
  readonly options: Readonly<RewardModelOptions>;
  /** Number of features in a row. */
  readonly size: number;
  /** By fold: the lower triangle of the sum of x x', (size, size), and the sum of reward * x. */
  readonly #squares: Float64Array[];
  readonly #sums: Float64Array[];
  /** By fold: coefficients fitted on the other folds; empty while rewards are added. */
  #theta: Float64Array[] = [];

  /**
   * @param size - Number of features in a row, [1, 1024].
   * @throws TypeError or RangeError for unknown or wrong options.
   */
  constructor(size: number, options: Partial<RewardModelOptions> = {}) {
    checked({ size }, { size: integer(1, 1024) }, {});
    this.options = checked(options, TABLE, DEFAULTS);
    this.size = size;
    const { folds } = this.options;
    this.#squares = Array.from({ length: folds }, () => new Float64Array(size * size));
    this.#sums = Array.from({ length: folds }, () => new Float64Array(size));
  }

  /**
   * Takes a reward.
   *
   * @param group - The user's: `groupOf`.
   * @param row - (size), finite; a constant 1 makes an intercept.
   * @throws RangeError for a number that is not finite, or another length.
   */
  add(group: number, row: ArrayLike<number>, reward: number): void {
    const { size } = this;
    this.#check(row);
    if (!Number.isFinite(reward)) throw new RangeError(`"reward" must be a finite number, got ${reward}`);
    const fold = group % this.options.folds;
    const [squares, sums] = [this.#squares[fold]!, this.#sums[fold]!];
    for (let i = 0; i < size; i++) {
      if (row[i] === 0) continue;
      for (let j = 0; j <= i; j++) squares[i * size + j]! += row[i]! * row[j]!;
      sums[i]! += reward * row[i]!;
    }
    this.#theta = [];
  }

  /** Predicts the reward of a row from the other folds' rewards so far. @throws RangeError as `add`. */
  predict(group: number, row: ArrayLike<number>): number {
    this.#check(row);
    const fold = group % this.options.folds;
    const theta = (this.#theta[fold] ??= this.#fit(fold));
    let sum = 0;
    for (let i = 0; i < this.size; i++) sum += theta[i]! * row[i]!;
    return sum;
  }

  #fit(fold: number): Float64Array {
    const { size } = this;
    const matrix = new Float64Array(size * size);
    const sums = new Float64Array(size);
    for (let i = 0; i < size; i++) matrix[i * size + i] = this.options.ridge;
    for (const [other, squares] of this.#squares.entries()) {
      if (other === fold) continue;
      for (let i = 0; i < matrix.length; i++) matrix[i]! += squares[i]!;
      for (let i = 0; i < size; i++) sums[i]! += this.#sums[other]![i]!;
    }
    const inverted = inverse(matrix, size);
    return Float64Array.from({ length: size }, (_, i) => {
      let theta = 0;
      for (let j = 0; j < size; j++) theta += inverted[i * size + j]! * sums[j]!;
      return theta;
    });
  }

  #check(row: ArrayLike<number>): void {
    if (row.length !== this.size) throw new RangeError(`"row" must have ${this.size} numbers, got ${row.length}`);
    for (let i = 0; i < row.length; i++) {
      if (!Number.isFinite(row[i])) throw new RangeError(`"row.${i}" must be a finite number, got ${row[i]}`);
    }
  }
}
