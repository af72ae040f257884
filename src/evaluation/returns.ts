import { checked, nonNegative, positive, type Rule, type Rules } from "../check/index.js";
import { Latest, pairKey } from "../collections/index.js";
import { pow } from "../numeric/index.js";
import { DAY, type Decision, type FeedbackEvent, type Id, type LiveEvent } from "../protocol/index.js";
import {
  emptyOutcome,
  hasActed,
  type Outcome,
  Reward,
  type RewardOptions,
  record,
} from "../recommender/learning/index.js";
import { Watches } from "../recommender/state/index.js";
import { type Figure, groupOf, type ResampleOptions, Tally } from "../statistics/index.js";
import { Broadcasts } from "./broadcasts.js";

export interface ReturnOptions {
  /** Discount of the value of the next request, in [0, 1), as in the policy. Default 0.9. */
  gamma: number;
  /** Milliseconds away that discount as much as one more request, > 0, as in the policy. Default 24 hours. */
  gapScaleMs: number;
  /** Milliseconds; earlier choices do not count, such as those before the policy had learned enough. Default 0. */
  from: number;
  /** Milliseconds of rewards in a return, > 0; decisions nearer to the end of the log are left out. Default 14 days. */
  horizonMs: number;
}

const DEFAULTS: ReturnOptions = { gamma: 0.9, gapScaleMs: DAY, from: 0, horizonMs: 14 * DAY };

const gamma: Rule = [(value) => typeof value === "number" && value >= 0 && value < 1, "in [0, 1)"];
const TABLE: Rules<ReturnOptions> = {
  gamma,
  gapScaleMs: positive,
  from: nonNegative,
  horizonMs: positive,
};

/** A return ends where its discount is below this. Set by hand. */
const NEGLIGIBLE = 1e-9;

/** One decision for a user, with its outcome. */
export interface DecisionStep {
  user: Id;
  /** Milliseconds. */
  time: number;
  /** Predicted value and reward of each stream that the user chose; empty where the user chose none. */
  chosen: { predicted: number; reward: number }[];
  /** Milliseconds that the user watched these streams; not part of the time away until the next request. */
  watchMs: number;
}

/** Predicted value and actual return of one choice. */
export interface RealisedReturn {
  user: Id;
  predicted: number;
  /** The reward, and the discounted later rewards until the horizon. */
  realised: number;
}

/**
 * The return of each choice: its own reward, and the rewards of the user's next requests within the horizon, discounted
 * by gamma ** (1 + time away / scale) from one request to the next: the semi-Markov step that the recommender learns
 * with (Sutton, Precup & Singh 1999).
 *
 * @param steps - In order of time.
 * @param end - End of the log, milliseconds: choices with a horizon beyond it are left out.
 * @throws TypeError or RangeError for unknown or wrong options.
 */
export function realisedReturns(
  steps: readonly DecisionStep[],
  end: number,
  options: Partial<ReturnOptions> = {},
): RealisedReturn[] {
  const { gamma, gapScaleMs, from, horizonMs } = checked<ReturnOptions>(options, TABLE, DEFAULTS);
  const ofUser = new Map<Id, DecisionStep[]>();
  for (const step of steps) {
    const own = ofUser.get(step.user);
    if (own === undefined) ofUser.set(step.user, [step]);
    else own.push(step);
  }
  const discountAfter = (step: DecisionStep, next: DecisionStep) =>
    pow(gamma, 1 + Math.max(next.time - step.time - step.watchMs, 0) / gapScaleMs);
  const all: RealisedReturn[] = [];
  for (const [user, own] of ofUser) {
    // From each step to the next one; 0 after the last.
    const discounts = own.map((step, i) => (i + 1 < own.length ? discountAfter(step, own[i + 1]!) : 0));
    for (const [i, { time, chosen }] of own.entries()) {
      if (chosen.length === 0 || time < from || time + horizonMs > end) continue;
      let after = 0;
      let discount = discounts[i]!;
      for (let j = i + 1; j < own.length && own[j]!.time <= time + horizonMs && discount > NEGLIGIBLE; j++) {
        for (const { reward } of own[j]!.chosen) after += discount * reward;
        discount *= discounts[j]!;
      }
      for (const { predicted, reward } of chosen) all.push({ user, predicted, realised: reward + after });
    }
  }
  return all;
}

/** Slices by predicted value, the lowest tenth first. */
const DECILES = Array.from({ length: 10 }, (_, i) => `decile_${i + 1}`);

/**
 * Compares predicted values with actual returns. A mean prediction above the mean return is the over-estimation of
 * Q-learning (Thrun & Schwartz 1993; van Hasselt et al. 2016).
 *
 * `predicted`, `realised`, `bias` (predicted minus realised) and `squared_error` are means, of all choices and of each
 * tenth by prediction; `rmse` is the root of `squared_error`.
 */
export function compareReturns(choices: readonly RealisedReturn[], options: Partial<ResampleOptions> = {}): Figure[] {
  const order = Int32Array.from(choices.keys()).sort((a, b) => {
    const difference = choices[a]!.predicted - choices[b]!.predicted;
    return difference === 0 ? a - b : difference;
  });
  const tally = new Tally(["predicted", "realised", "bias", "squared_error"], ["all", ...DECILES]);
  for (const [rank, index] of order.entries()) {
    const { user, predicted, realised } = choices[index]!;
    const bias = predicted - realised;
    const slices = 1 | (2 << Math.floor((rank * DECILES.length) / order.length));
    for (const [metric, value] of [predicted, realised, bias, bias * bias].entries()) {
      tally.add(groupOf(user), metric, slices, value, 1);
    }
  }
  const figures = tally.figures(options);
  const roots = figures
    .filter(({ metric }) => metric === "squared_error")
    .map(({ slice, value, lo, hi, n }) => ({
      metric: "rmse",
      slice,
      value: Math.sqrt(value),
      lo: Math.sqrt(Math.max(0, lo)),
      hi: Math.sqrt(hi),
      n,
    }));
  return [...figures, ...roots];
}

/** The newest decided streams that wait for feedback; older ones are forgotten. Set by hand. */
const WAITING = 65_536;

interface Open {
  decision: Id;
  predicted: number;
  outcome: Outcome;
  /** Where the outcome goes at the first click. */
  into: { predicted: number; outcome: Outcome }[];
}

/**
 * Compares the values that a policy predicted with the returns that followed, from the decisions and events of a run.
 * Each call takes O(1); memory grows with the decisions.
 *
 * The streams that a user entered are the chosen ones, as with the recommender's evidence `clicked`; the others earn
 * nothing.
 */
export class ReturnLog {
  readonly #reward: Reward;
  readonly #broadcasts = new Broadcasts();
  readonly #watches = new Watches();
  readonly #decided: { user: Id; time: number; chosen: Open["into"] }[] = [];
  readonly #open = new Latest<string, Open>(WAITING);
  #now = 0;

  /**
   * @param reward - Options of the policy's reward. Default those of the recommender.
   * @throws TypeError or RangeError for unknown or wrong options.
   */
  constructor(reward: Partial<RewardOptions> = {}) {
    this.#reward = new Reward(reward);
  }

  /**
   * Takes a decision, in order of time, before its events.
   * @throws RangeError for a score that is not finite.
   */
  decision({ id, user, time, slate, scores }: Decision): void {
    const wrong = scores.findIndex((score) => !Number.isFinite(score));
    if (wrong >= 0) throw new RangeError(`"scores.${wrong}" must be a finite number, got ${scores[wrong]}`);
    this.#now = Math.max(this.#now, time);
    for (const watch of this.#watches.settleRequest(user, time)) this.#take(watch);
    const chosen: Open["into"] = [];
    this.#decided.push({ user, time, chosen });
    for (const [position, stream] of slate.entries()) {
      const open = { decision: id, predicted: scores[position]!, outcome: emptyOutcome(), into: chosen };
      this.#open.set(pairKey(user, stream), open);
    }
  }

  /** Takes an event, in order of time; events without a decision are ignored. */
  feedback(event: LiveEvent): void {
    this.#now = Math.max(this.#now, event.time);
    for (const each of this.#watches.settle(event)) {
      this.#broadcasts.feedback(each);
      if ("user" in each && "stream" in each) this.#take(each);
    }
  }

  /** The steps so far, in order of time. A visit without a watch or another action yields no choice. */
  steps(): DecisionStep[] {
    return this.#decided.map(({ user, time, chosen }) => {
      const known = chosen.filter(({ outcome }) => outcome.watchMs !== undefined || hasActed(outcome));
      return {
        user,
        time,
        chosen: known.map(({ predicted, outcome }) => ({ predicted, reward: this.#reward.of(outcome) })),
        watchMs: known.reduce((sum, { outcome }) => sum + (outcome.watchMs ?? 0), 0),
      };
    });
  }

  /**
   * Mean prediction, return, bias and squared error so far, of all choices and by decile of the prediction, with
   * intervals.
   * @throws RangeError where no choice counts, with the reason: the log has none, or is shorter than the horizon.
   *   TypeError or RangeError for unknown or wrong options.
   */
  result(options: Partial<ReturnOptions> = {}, resample: Partial<ResampleOptions> = {}): Figure[] {
    const steps = this.steps();
    const returns = realisedReturns(steps, this.#now, options);
    if (returns.length === 0) throw new RangeError(`there is no return: ${this.#lack(steps, options)}`);
    return compareReturns(returns, resample);
  }

  /** Why no choice counts. */
  #lack(steps: readonly DecisionStep[], options: Partial<ReturnOptions>): string {
    const { from, horizonMs } = checked<ReturnOptions>(options, TABLE, DEFAULTS);
    if (steps.length === 0) return "the log has no decision";
    const chosen = steps.filter((step) => step.chosen.length > 0);
    if (chosen.length === 0) {
      return `none of its ${steps.length} decisions has a stream that was clicked and watched: events must name it`;
    }
    const later = chosen.filter(({ time }) => time >= from);
    if (later.length === 0) return `all ${chosen.length} decisions with a choice are before "from", ${from}`;
    const days = (ms: number) => `${Number((ms / DAY).toPrecision(3))} days`;
    const span = days(this.#now - later[0]!.time);
    return `its first choice is ${span} before the end of the log, but "horizonMs" is ${days(horizonMs)}; give less`;
  }

  #take(event: FeedbackEvent): void {
    const open = this.#open.get(pairKey(event.user, event.stream));
    if (open === undefined) return;
    if ("decision" in event && event.decision !== undefined && event.decision !== open.decision) return;
    const wasClicked = open.outcome.clicked;
    const isCut = this.#broadcasts.isGone(event.stream);
    if (this.#reward.counts(event))
      record(open.outcome, event, event.kind === "watch" ? { watchMs: event.watchMs, isCut } : undefined);
    if (open.outcome.clicked && !wasClicked) open.into.push({ predicted: open.predicted, outcome: open.outcome });
  }
}
