import { type Interactions, selectInteractions } from "../../logs/index.js";
import { Random } from "../../numeric/index.js";
import { Bpr, type BprOptions } from "../bpr.js";

/**
 * Cross-fitted matrix factorisations of a log.
 *
 * A model scores its own training interactions too high. So each interaction belongs to a fold, and the model of that
 * fold is trained on the other folds: it scores the interaction as the model of the whole log will score a future one
 * (Wolpert 1992, "Stacked Generalization").
 */
export class CrossFittedFactors {
  /** Trained on the whole log: for interactions that are not in it. */
  readonly whole: Bpr;
  private readonly models: Bpr[];
  private readonly fold: Int32Array;

  private constructor(whole: Bpr, models: Bpr[], fold: Int32Array) {
    this.whole = whole;
    this.models = models;
    this.fold = fold;
  }

  /**
   * @param folds - At least 2.
   * @param pause - Awaited after each model.
   */
  static async train(
    train: Interactions,
    folds: number,
    options: BprOptions & { seed: number },
    pause: () => Promise<void>,
  ): Promise<CrossFittedFactors> {
    const random = Random.named(options.seed, "folds");
    const fold = train.user.map(() => random.below(folds));
    const models: Bpr[] = [];
    for (let f = 0; f < folds; f++) {
      const others = Int32Array.from(fold.keys()).filter((e) => fold[e] !== f);
      models.push(new Bpr(selectInteractions(train, others), options));
      await pause();
    }
    const whole = new Bpr(train, options);
    await pause();
    return new CrossFittedFactors(whole, models, fold);
  }

  /** A model that was trained without this interaction of the log. */
  without(event: number): Bpr {
    return this.models[this.fold[event]!]!;
  }
}
