import type { RankChoice } from "./ledger.js";
import type { Ranker, RankRecord } from "./ranker.js";
import type { RankModel } from "./rankmodels.js";

/** What a model of ranking must pass. */
export interface RankGateOptions {
  /** Choices, the latest ones, that a model is tried on. */
  goldenQueries: number;
  /** Largest absolute value of an action that it may give. */
  valueMax: number;
  /** Its loss may be so many times that of the model before it, or of one that says 0 of each action; 0: any. */
  lossFactor: number;
}

/** Tells which models of a ranker that learns may rank. */
export class RankGate {
  readonly #ranker: Ranker;
  readonly #options: RankGateOptions;
  readonly #golden: Pick<RankChoice, "context" | "action">[] = [];
  #published: number;
  #tried = 0;
  /** Of the last model that passed; 0 before the first. */
  #loss = 0;
  /** Of the rewards that came. */
  #rewards = 0;
  #squares = 0;
  #held: { readonly updates: number; readonly reason: string } | undefined;

  /** @param published Version of the last model that there was. */
  constructor(ranker: Ranker, options: RankGateOptions, published: number) {
    this.#ranker = ranker;
    this.#options = options;
    this.#published = published;
  }

  /** The last model that was held back; undefined once a later one passed. */
  get heldBack(): { readonly updates: number; readonly reason: string } | undefined {
    return this.#held;
  }

  /** A record that the ranker was told. */
  take(record: RankRecord): void {
    if (record.kind === "reward") {
      this.#rewards++;
      this.#squares += record.value * record.value;
    } else if (record.kind === "rank") {
      const { context, action } = record.choice;
      this.#golden.push({ context, action });
      if (this.#golden.length > this.#options.goldenQueries) this.#golden.shift();
    }
  }

  /** The model of now, if enough was learned since the last one and it passes the gates. */
  model(): RankModel | undefined {
    const { updates, options, loss } = this.#ranker;
    if (updates - this.#tried < options.modelUpdates) return undefined;
    this.#tried = updates;
    const reason = this.#fault(loss);
    this.#held = reason === undefined ? undefined : { updates, reason: `of ranking: ${reason}` };
    if (reason !== undefined) return undefined;
    this.#loss = loss;
    return { version: ++this.#published, loss, ...this.#ranker.model()! };
  }

  /**
   * About the loss of a model that says 0 of each action. Where most rewards are 0, losses are near 0, and the first other
   * reward is many times that and no fault.
   */
  #simple(): number {
    const { defaultReward, apprentice, margin } = this.#ranker.options;
    const rewards = this.#rewards === 0 ? 0 : this.#squares / this.#rewards;
    const all = rewards + defaultReward * defaultReward + (apprentice ? margin * margin : 0);
    return all === 0 ? Number.POSITIVE_INFINITY : all;
  }

  /** Why the model of now must not rank. */
  #fault(loss: number): string | undefined {
    const { lossFactor, valueMax } = this.#options;
    if (!Number.isFinite(loss)) return `its loss is ${loss}`;
    const most = lossFactor * Math.max(this.#loss, this.#simple());
    if (lossFactor > 0 && loss > most) return `its loss of ${loss} is above ${most}`;
    for (const { context, action } of this.#golden) {
      const [value] = this.#ranker.evaluate(context, [action])!;
      if (!(Math.abs(value!) <= valueMax)) return `it gives an action the value ${value}`;
    }
    return undefined;
  }
}
