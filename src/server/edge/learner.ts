import { checked, nonNegative, positive, positiveInteger, type Rules } from "../../check/index.js";
import type { Id } from "../../protocol/index.js";
import type { Recommender } from "../../recommender/index.js";
import type { Figure } from "../../statistics/index.js";
import { RankGate, type RankModel } from "../rank/index.js";
import type { Model } from "./agent.js";
import { decodeRecord } from "./log/records.js";
import { Pulse } from "./pulse.js";
import { applyRecord, type Replica } from "./replica.js";

/** When a model goes live, and what it must pass. */
export interface ModelOptions {
  /** Updates between two models, at least. Default 200. */
  modelUpdates: number;
  /** Requests, the latest ones, whose answers a model is tried on. Default 32. */
  goldenQueries: number;
  /** Largest absolute value of a stream that a model may give. Default 1e5. */
  valueMax: number;
  /** A model whose loss is so many times that of the model before it is held back; 0: none is. Default 10. */
  lossFactor: number;
}

const DEFAULTS: ModelOptions = { modelUpdates: 200, goldenQueries: 32, valueMax: 1e5, lossFactor: 10 };
const RULES: Rules<ModelOptions> = {
  modelUpdates: positiveInteger,
  goldenQueries: positiveInteger,
  valueMax: positive,
  lossFactor: nonNegative,
};

/** @throws TypeError for an unknown option, RangeError for a wrong value. */
export function checkedModels(options: Partial<ModelOptions>): ModelOptions {
  return checked(options, RULES, DEFAULTS);
}

/** Of a stand-in for an agent. */
const UNKNOWN = {
  ...{ lossMean: Number.NaN, qMean: Number.NaN, tdErrorP50: Number.NaN, tdErrorP90: Number.NaN },
  gradientNorm: Number.NaN,
};
/** Most streams of a golden query. */
const GOLDEN_K = 20;

/** A model that does not go live, and why. */
export interface HeldBack {
  readonly updates: number;
  readonly reason: string;
}

/**
 * A replica of a server's recommender that learns: it is told what the log holds, in its order, and nothing else, so that the
 * same log gives the same bits, whenever it is told.
 */
export class Learner {
  readonly replica: Replica;
  readonly recommender: Recommender;
  /** The sequence number of the next record. */
  next: number;
  readonly #options: ModelOptions;
  /** Users of the latest requests. */
  readonly #golden: Id[] = [];
  #published: number;
  readonly #rank: RankGate;
  #tried = 0;
  readonly #pulse = new Pulse();
  #loss = Number.NaN;
  #held: HeldBack | undefined;

  /**
   * @param next Sequence number of the first record that the replica does not know.
   * @param published Versions of the last model that there was, and of the last one of ranking. Default 0.
   */
  constructor(
    replica: Replica,
    next: number,
    options: Partial<ModelOptions> = {},
    [published, ranked]: readonly [number, number] = [0, 0],
  ) {
    this.replica = replica;
    this.recommender = replica.recommender;
    this.next = next;
    this.#published = published;
    this.#options = checkedModels(options);
    this.#tried = this.recommender.stats().updates;
    this.#rank = new RankGate(replica.ranker, this.#options, ranked);
  }

  /** What the policy has brought since this learner began. */
  figures(): Figure[] {
    return this.#pulse.figures();
  }

  /** The last model that was held back. */
  get heldBack(): HeldBack | undefined {
    return this.#held;
  }

  /** Takes the next record of the log. */
  take(bytes: Uint8Array): void {
    const record = decodeRecord(bytes);
    this.next++;
    const receipt = applyRecord(this.replica, record);
    if (record.type === "event" && receipt === "taken") this.#pulse.feedback(record.event);
    else if (record.type === "rank") this.#rank.take(record.record);
    if (record.type === "decision") {
      this.#pulse.decision(record.decision);
      this.#golden.push(record.decision.user);
      if (this.#golden.length > this.#options.goldenQueries) this.#golden.shift();
    } else if (record.type === "forget") this.#forget(record.user);
  }

  /** The model of now, if enough was learned since the last one and it passes the gates. `weights`: those of its agent. */
  model(weights: () => Float32Array): Model | undefined {
    const { updates, transitions } = this.recommender.stats();
    if (updates - this.#tried < this.#options.modelUpdates) return undefined;
    this.#tried = updates;
    const { lossMean: loss, qMean, tdErrorP50, tdErrorP90, gradientNorm } = this.recommender.agentStats() ?? UNKNOWN;
    const reason = this.#fault(loss);
    if (reason !== undefined) {
      this.#held = { updates, reason };
      return undefined;
    }
    this.#loss = loss;
    const version = ++this.#published;
    const learned = { transitions, updates, loss, qMean, tdErrorP50, tdErrorP90, gradientNorm };
    return { version, sequence: this.next, ...learned, weights: weights() };
  }

  /** The model of ranking of now, if enough was learned since the last one and it passes the gates. */
  rankModel(): RankModel | undefined {
    return this.#rank.model();
  }

  /** The last model of ranking, where it was held back. */
  get rankHeldBack(): HeldBack | undefined {
    return this.#rank.heldBack;
  }

  /** Why the model of now must not go live. */
  #fault(loss: number): string | undefined {
    const { lossFactor, valueMax } = this.#options;
    if (!Number.isFinite(loss)) return `its loss is ${loss}`;
    if (lossFactor > 0 && loss > lossFactor * this.#loss)
      return `its loss of ${loss} is above ${lossFactor} times ${this.#loss}`;
    for (const user of new Set(this.#golden)) {
      const { scores } = this.recommender.rank({ user, now: this.recommender.time, k: GOLDEN_K });
      const wrong = scores.find((score) => !(Math.abs(score) <= valueMax));
      if (wrong !== undefined) return `it gives a stream the value ${wrong}`;
    }
    return undefined;
  }

  #forget(user: Id): void {
    for (let i = this.#golden.length - 1; i >= 0; i--) if (this.#golden[i] === user) this.#golden.splice(i, 1);
  }
}
