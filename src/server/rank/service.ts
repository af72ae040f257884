import { show } from "../../check/index.js";
import { hashText64, Random } from "../../numeric/index.js";
import { EventError } from "../../protocol/index.js";
import { wilsonInterval } from "../../statistics/index.js";
import { RankError } from "./error.js";
import { chancesOf } from "./exploration.js";
import { actionRow, contextRow } from "./hashing.js";
import type { RankChoice } from "./ledger.js";
import type { Ranker, RankRecord } from "./ranker.js";
import type { RankModelAbout, RankModels } from "./rankmodels.js";
import { REWARD_MAX } from "./rankoptions.js";
import { idOf, parseRank, type RankRequest } from "./request.js";

/** What ranking answers. */
export interface RankAnswer {
  eventId: string;
  /** All actions, the chosen one first, then by value; those that were excluded last, with probability 0. */
  ranking: { id: string; probability: number }[];
  /** The chosen action, whose reward is due. */
  rewardActionId: string;
}

/** What an apprentice and its choices are like. */
export interface RankReport {
  isApprentice: boolean;
  /** Updates of the weights that it ranks by. */
  updates: number;
  /** The model that ranks, 0 before anything was learned, and whether newer ones wait since somebody went back to it. */
  model: number;
  isPinned: boolean;
  /** The last model, where it did not pass the gates. */
  heldBack: { readonly updates: number; readonly reason: string } | undefined;
  choices: number;
  rewards: number;
  /** Events that got the default reward. */
  expired: number;
  /** Of the rewards that came; null before the first. */
  meanReward: number | null;
  /** Choices as an apprentice, the share of them that it would have made itself, and its 95 % interval. */
  agreement: { compared: number; share: number | null; lo: number; hi: number };
}

/** How records reach the log. */
export interface RankLog {
  /** Resolves when it is on disk. */
  append(record: RankRecord): Promise<void>;
  /** Behind the answer. */
  tell(record: RankRecord): void;
  /** Resolves when the models that one can go back to last over a restart. */
  keep(): Promise<void>;
  now(): number;
}

/** Answers requests to rank, and calls about them. */
export class RankService {
  readonly #ranker: Ranker;
  readonly #models: RankModels;
  readonly #log: RankLog;
  readonly #random = new Random(globalThis.crypto.getRandomValues(new Uint32Array(1))[0]!);

  /** The last model, where it did not pass the gates. */
  heldBack: RankReport["heldBack"];

  constructor(ranker: Ranker, models: RankModels, log: RankLog) {
    this.#ranker = ranker;
    this.#models = models;
    this.#log = log;
  }

  /**
   * Chooses one of a caller's actions. The same request again, with its `eventId`, gets the same answer.
   *
   * @throws EventError for a wrong field, RankError 409 for another request under a known `eventId`.
   */
  rank(body: Record<string, unknown>): RankAnswer {
    const request = parseRank(body);
    const now = this.#log.now();
    this.#ranker.follow(now);
    const digest = hashText64(JSON.stringify(body)).join(" ");
    const id = request.eventId ?? globalThis.crypto.randomUUID();
    const known = this.#ranker.ledger.get(id);
    if (known !== undefined) {
      if (known.digest !== digest) throw new RankError(409, "another request came under this eventId", "eventId");
      return answerOf(known);
    }
    const choice = this.#choose(request, { id, digest });
    const record: RankRecord = { kind: "rank", now, choice };
    this.#ranker.take(record);
    this.#log.tell(record);
    return answerOf(choice);
  }

  /**
   * Gives an event its reward, once.
   *
   * @returns What became of it: the same reward again is a duplicate.
   * @throws EventError for a wrong field; RankError 404 for an unknown event, 409 for one that has another reward, got the
   *   default as its time was over, or was not activated; StorageError.
   */
  async reward(id: string, { value, ...rest }: Record<string, unknown>): Promise<"taken" | "duplicate"> {
    const [other] = Object.keys(rest);
    if (other !== undefined) throw new EventError(other, `${show(other)} is not a field of a reward`);
    if (!(typeof value === "number" && Math.abs(value) <= REWARD_MAX)) {
      throw new EventError("value", `"value" must be a number in [-${REWARD_MAX}, ${REWARD_MAX}], got ${show(value)}`);
    }
    if (this.#rewarded(id, value)) return "duplicate";
    const record: RankRecord = { kind: "reward", now: this.#log.now(), id, value };
    await this.#log.append(record);
    if (this.#ranker.take(record)) return "taken";
    // Another call was faster.
    return this.#rewarded(id, value) ? "duplicate" : "taken";
  }

  /** Says that the choice of an event is shown. @throws RankError 404 for an unknown event, 409 for a late call; StorageError. */
  async activate(id: string): Promise<"taken" | "duplicate"> {
    const now = this.#log.now();
    const event = this.#known(id, now);
    if (event.state === "expired") throw new RankError(409, "the event's time is over");
    if (event.state !== "deferred") return "duplicate";
    const record: RankRecord = { kind: "activate", now, id };
    await this.#log.append(record);
    this.#ranker.take(record);
    return "taken";
  }

  /** Ends the apprenticeship. @throws StorageError. */
  async graduate(): Promise<void> {
    if (!this.#ranker.isApprentice) return;
    const record: RankRecord = { kind: "graduate", now: this.#log.now() };
    await this.#log.append(record);
    this.#ranker.take(record);
  }

  /** The models that one can go back to, the oldest first, and the newest. */
  models(): RankModelAbout[] {
    return this.#models.list();
  }

  /**
   * Goes back to an earlier model at once, and stays there until `release`, also over restarts where models are kept.
   *
   * @param version Default: the newest that is kept and older than the one that ranks.
   * @throws EventError for one that is not there.
   */
  async rollback(version?: number): Promise<void> {
    this.#models.rollback(version);
    await this.#log.keep();
  }

  /** Lets the newest model rank again, and those to come. */
  async release(): Promise<void> {
    this.#models.release();
    await this.#log.keep();
  }

  report(): RankReport {
    const { choices, rewards, expired, rewardSum, compared, agreed } = this.#ranker.counts;
    const { isApprentice, updates } = this.#ranker;
    const { lo, hi } = compared === 0 ? { lo: 0, hi: 1 } : wilsonInterval(agreed, compared);
    const agreement = { compared, share: compared === 0 ? null : agreed / compared, lo, hi };
    const meanReward = rewards === 0 ? null : rewardSum / rewards;
    const { version: model, isPinned } = this.#models.live;
    const state = { isApprentice, updates, model, isPinned, heldBack: this.heldBack };
    return { ...state, choices, rewards, expired, meanReward, agreement };
  }

  /** Whether an event has this reward. @throws RankError where it can have none. */
  #rewarded(id: string, value: number): boolean {
    const { state, reward } = this.#known(id, this.#log.now());
    if (state === "deferred") throw new RankError(409, "the event was not activated");
    if (state === "expired") throw new RankError(409, "the event's time is over: it has the default reward");
    if (state === "rewarded" && reward !== value)
      throw new RankError(409, `the event has the reward ${reward}`, "value");
    return state === "rewarded";
  }

  #known(id: string, now: number) {
    this.#ranker.follow(now);
    return this.#ranker.ledger.get(idOf(id, "eventId")) ?? missing();
  }

  #choose(
    { context, actions, excluded, isDeferred, exploration }: RankRequest,
    { id, digest }: Pick<RankChoice, "id" | "digest">,
  ): RankChoice {
    const open = actions.filter((action) => !excluded.has(action.id));
    const row = contextRow(context);
    const rows = open.map((action) => actionRow(action.id, action.features, context));
    // Before it has learned anything the caller's order counts.
    const values = this.#ranker.evaluate(row, rows) ?? open.map((_, i) => -i);
    const order = [...open.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
    const { isApprentice } = this.#ranker;
    const first = isApprentice ? 0 : order[0]!;
    const sorted = isApprentice ? [first, ...order.filter((i) => i !== first)] : order;
    const chances = isApprentice
      ? sorted.map((_, place) => Number(place === 0))
      : chancesOf(
          exploration ?? this.#ranker.options.exploration,
          order.map((i) => values[i]!),
        );
    const place = this.#draw(chances);
    const places = [place, ...sorted.keys()].filter((p, i) => i === 0 || p !== place);
    const ranking = places.map((p): [string, number] => [open[sorted[p]!]!.id, chances[p]!]);
    const others = actions.filter((action) => excluded.has(action.id)).map(({ id }): [string, number] => [id, 0]);
    const chosen = sorted[place]!;
    const other = isApprentice && open.length > 1 ? 1 + this.#random.below(open.length - 1) : undefined;
    return {
      ...{ id, digest, ranking: [...ranking, ...others], isDeferred, context: row, action: rows[chosen]! },
      ...(other !== undefined && { other: rows[other]! }),
      ...(isApprentice && { agrees: order[0] === 0 }),
    };
  }

  #draw(chances: readonly number[]): number {
    let left = this.#random.uniform();
    for (const [place, chance] of chances.entries()) {
      left -= chance;
      if (left < 0) return place;
    }
    // Rounding: the last one that may be chosen.
    let last = chances.length - 1;
    while (last > 0 && chances[last] === 0) last--;
    return last;
  }
}

function answerOf({ id, ranking }: Pick<RankChoice, "id" | "ranking">): RankAnswer {
  return {
    eventId: id,
    ranking: ranking.map(([action, probability]) => ({ id: action, probability })),
    rewardActionId: ranking[0]![0],
  };
}

function missing(): never {
  throw new RankError(404, "the event is not known");
}
