import { between, checked, integer, positive, type Rules } from "../../check/index.js";
import type { Transition } from "../../engine/index.js";
import { pow } from "../../numeric/index.js";
import { DAY, type Id } from "../../protocol/index.js";
import { LATENESS_MAX } from "../state/index.js";
import type { ClosedDecision, KnownDecision } from "./pending.js";
import { ENGAGED_UNKNOWN, hasActed, type Outcome, type Reward } from "./reward.js";

/** How the value of coming back enters the value of a slate. */
export interface ReturnOptions {
  /**
   * Subtracted for each unit of lateness when the user returns: log(gap / usual gap), in [-2.5, 1.5]; [0, 1000]. It
   * falls on the last decision before, discounted by `gamma`. Default 2, in units of log(1 + minutes). After RLUR (Cai
   * et al. 2023, arXiv:2302.01724), with each user's own habit.
   */
  cost: number;
  /** Milliseconds away that discount as much as one more request does, > 0. Default 24 hours. */
  gapScaleMs: number;
  /**
   * Parts of a value that the agent learns by themselves, [1, 2]: 1 learns their sum; 2 what users do at requests and the
   * cost of late returns, by two heads on shared hidden layers (van Seijen et al. 2017, arXiv:1706.04208), whose sum acts.
   * Default 1.
   */
  heads: number;
}

const DEFAULTS: ReturnOptions = { cost: 2, gapScaleMs: DAY, heads: 1 };
const TABLE: Rules<ReturnOptions> = { cost: between(0, 1000), gapScaleMs: positive, heads: integer(1, 2) };

/** A transition of the recommender: a slate and the stream of it that the user entered, all inputs dense. */
export type SlateTransition = Transition &
  Record<"observation" | "candidates" | "nextObservation" | "nextCandidates", Float32Array> & {
    readonly user: Id;
    /** Rows of `candidates` that the user examined; the others were on offer and not shown. */
    readonly shown: number;
    /** The row of the entered stream; -1: the user entered none. */
    readonly action: number;
  };

const NOTHING = new Float32Array(0);

/**
 * Number of positions from the top that count as examined: down to the last entered stream, or all when none was
 * entered. By the cascade model (Craswell et al. 2008) users read from the top and may not look below their last choice.
 */
export function examined(outcomes: readonly Outcome[]): number {
  for (let position = outcomes.length - 1; position >= 0; position--) {
    if (outcomes[position]!.clicked) return position + 1;
  }
  return outcomes.length;
}

/** The positions that a user entered, by what is known of the visits. */
export interface Entered {
  known: number[];
  /** Of watches that never ended. */
  unfinished: number;
  /** Of streams that ended before anything was known. */
  censored: number;
}

/** @param awaitWatch - Whether a click without a watch is unfinished where the user did nothing else. Default true. */
export function enteredOf(outcomes: readonly Outcome[], awaitWatch = true): Entered {
  const entered: Entered = { known: [], unfinished: 0, censored: 0 };
  for (const [position, outcome] of outcomes.entries()) {
    if (!outcome.clicked) continue;
    if (awaitWatch && outcome.waits && !hasActed(outcome)) entered.unfinished++;
    else if (outcome.cut && outcome.watchMs! < ENGAGED_UNKNOWN) entered.censored++;
    else entered.known.push(position);
  }
  return entered;
}

/** The positions whose entry becomes a transition; -1 stands for entering none. */
export function taughtBy({ known, unfinished, censored }: Entered): number[] {
  return known.length + unfinished + censored === 0 ? [-1] : known;
}

/**
 * Turns decisions with a known outcome into transitions, for the slate objective of the agent (SlateQ, Ie et al. 2019,
 * arXiv:1905.12767): one for each stream that the user entered, or one for entering none. The next state is the user's
 * next request, also in a later session.
 */
export class Objective {
  readonly options: Readonly<ReturnOptions>;
  /** Entered streams that taught nothing: their watch never ended, or the stream ended before anything was known. */
  unfinished = 0;
  censored = 0;
  readonly #reward: Reward;
  readonly #gamma: number;
  readonly #rows: number;
  readonly #awaitWatch: boolean;

  /**
   * @param gamma - Discount of the value of the next request, in [0, 1]; 0 counts the reward alone.
   * @param rows - Most rows of the candidates of a transition, >= 1; of longer slates the first ones count.
   * @param awaitWatch - As in `PendingOptions`. Default true.
   * @throws TypeError or RangeError when an option is unknown or out of its range.
   */
  constructor(
    reward: Reward,
    gamma: number,
    rows: number,
    options: Partial<ReturnOptions> = {},
    awaitWatch: boolean = true,
  ) {
    this.options = checked(options, TABLE, DEFAULTS, "returns.");
    this.#reward = reward;
    this.#gamma = gamma;
    this.#rows = rows;
    this.#awaitWatch = awaitWatch;
  }

  /** The transitions of a closed decision; empty when its outcome is unknown. */
  transitions({ decision, followers }: ClosedDecision): SlateTransition[] {
    const { outcomes } = decision;
    const ending = this.#ending(decision);
    let discount = ending.discount;
    let later = ending.reward;
    let back = ending.reward;
    let last = decision;
    for (const follower of followers) {
      const own = this.#ending(follower);
      later += discount * (this.#sum(follower.outcomes, () => true) + own.reward);
      back += discount * own.reward;
      discount *= own.discount;
      last = follower;
    }
    // Dislikes of streams that were not entered, and the like.
    later += this.#sum(outcomes, ({ clicked }) => !clicked);
    const entered = enteredOf(outcomes, this.#awaitWatch);
    this.unfinished += entered.unfinished;
    this.censored += entered.censored;
    return taughtBy(entered).map((position) => {
      const reward = later + (position < 0 ? 0 : this.#reward.of(outcomes[position]!));
      return {
        ...this.#choice(decision, position),
        user: decision.user,
        observation: decision.observation,
        reward,
        ...(this.options.heads === 2 && { rewards: [reward - back, back] }),
        terminated: last.next === undefined,
        nextObservation: last.next?.observation ?? decision.observation,
        nextCandidates: last.next?.candidates ?? NOTHING,
        ...(last.next?.slate !== undefined && { nextSlate: last.next.slate }),
        discount,
      };
    });
  }

  /**
   * The rows that a user chose from, as many as a transition holds, and which of them was entered; then, where there is
   * room, those of streams that were on offer and not shown.
   */
  #choice(decision: KnownDecision, position: number): Pick<SlateTransition, "candidates" | "shown" | "action"> {
    const { outcomes, seen, slate, candidates, offered = 0 } = decision;
    const size = candidates.length / Math.max(slate.length + offered, 1);
    const depth = examined(outcomes);
    const rows: number[] = [];
    for (let p = 0; p < depth; p++) if (p === position || seen?.[p] !== false) rows.push(p);
    if (rows.length > this.#rows) {
      rows.length = this.#rows;
      if (position >= 0 && !rows.includes(position)) rows[this.#rows - 1] = position;
    }
    const shown = rows.length;
    for (let i = 0; i < offered && rows.length < this.#rows; i++) rows.push(slate.length + i);
    const chosen = new Float32Array(rows.length * size);
    for (const [i, row] of rows.entries()) chosen.set(candidates.subarray(row * size, (row + 1) * size), i * size);
    return { candidates: chosen, shown, action: position < 0 ? -1 : rows.indexOf(position) };
  }

  #sum(outcomes: readonly Outcome[], counts: (outcome: Outcome) => boolean): number {
    let sum = 0;
    for (const outcome of outcomes) if (counts(outcome)) sum += this.#reward.of(outcome);
    return sum;
  }

  /**
   * What a decision ends with: the discount of what follows, gamma ** (1 + time away / scale), a semi-Markov step in
   * which watch time is not discounted (Sutton et al. 1999); and the discounted cost of a late return. A user who did
   * not come back pays as for the latest return, and nothing follows.
   */
  #ending({ time, next, outcomes }: KnownDecision): { discount: number; reward: number } {
    const { cost, gapScaleMs } = this.options;
    if (next === undefined) return { discount: 0, reward: -this.#gamma * cost * LATENESS_MAX };
    let away = next.time - time;
    for (const outcome of outcomes) away -= outcome.watchMs ?? 0;
    const discount = pow(this.#gamma, 1 + Math.max(away, 0) / gapScaleMs);
    return { discount, reward: -this.#gamma * cost * (next.lateness ?? 0) };
  }
}
