import { checked, type Rule, type Rules, rules } from "../check/index.js";
import { Latest, pairKey } from "../collections/index.js";
import { pow } from "../numeric/index.js";
import { DAY, type Decision, type FeedbackEvent, type Id, type LiveEvent } from "../protocol/index.js";
import { emptyOutcome, type Outcome, Reward, type RewardOptions, record } from "../recommender/learning/index.js";
import { type Figure, groupOf, type ResampleOptions, Tally } from "../statistics/index.js";
import { Broadcasts } from "./broadcasts.js";

export interface ReturnOptions {
  /** Discount of the value of the next request, in [0, 1); that of the policy. Default 0.9. */
  gamma: number;
  /** Milliseconds away that discount as much as one more request does, > 0; that of the policy. Default 24 hours. */
  gapScaleMs: number;
  /** Milliseconds from which choices count, such as when the policy had learned enough to predict. Default 0. */
  from: number;
  /** Milliseconds of rewards that make a return; decisions nearer to the end of the log are left out. Default 14 days. */
  horizonMs: number;
}

const DEFAULTS: ReturnOptions = { gamma: 0.9, gapScaleMs: DAY, from: 0, horizonMs: 14 * DAY };

const gamma: Rule = [(value) => typeof value === "number" && value >= 0 && value < 1, "in [0, 1)"];
const TABLE: Rules<ReturnOptions> = {
  gamma,
  gapScaleMs: rules.positive,
  from: rules.nonNegative,
  horizonMs: rules.positive,
};

/** What is left to add of a return, as a share of the reward at hand, from which it is not worth the time. Set by hand. */
const NEGLIGIBLE = 1e-9;

/** One decision of a user, with what came of it. */
export interface DecisionStep {
  user: Id;
  /** Milliseconds. */
  time: number;
  /** Of what was chosen: the value that the policy predicted, and the reward. Empty where nothing was. */
  chosen: { predicted: number; reward: number }[];
  /** Milliseconds watched of it, by which the user was not away until the next request. */
  watchMs: number;
}

/** One choice: what was predicted of it, and what it came to. */
export interface RealisedReturn {
  user: Id;
  predicted: number;
  /** The reward and the discounted rewards of all that followed, until the horizon. */
  realised: number;
}

/**
 * The return that followed each choice: its own reward, and the rewards of the user's next requests within the horizon,
 * each discounted by gamma ** (1 + time away / scale) from one to the next: the semi-Markov step that the recommender
 * learns with (Sutton, Precup & Singh 1999).
 *
 * @param steps - In order of time.
 * @param end - Until when the log tells all, milliseconds: choices whose horizon lies beyond are left out.
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
    // From each step to the one after it; 0 after the last.
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

/** The deciles of a calibration, from the lowest predictions to the highest. */
const DECILES = Array.from({ length: 10 }, (_, i) => `decile_${i + 1}`);

/**
 * How predicted values compare with the returns that came. The mean prediction above the mean return is the
 * over-estimation of Q-learning (Thrun & Schwartz 1993; van Hasselt et al. 2016).
 *
 * `predicted`, `realised` and `bias` (predicted minus realised) are means, of all and of each tenth of the
 * predictions; `squared_error` is a mean too, and `rmse` its root.
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

/** Streams of decisions that may still get feedback, the newest. Set by hand. */
const WAITING = 65_536;

interface Open {
  decision: Id;
  predicted: number;
  outcome: Outcome;
  /** Takes the outcome at its first click. */
  into: { predicted: number; outcome: Outcome }[];
}

/**
 * Puts together what was decided, predicted and earned, from the decisions and events of a run. Takes O(1) a call;
 * memory grows with the decisions.
 *
 * What was entered is what was chosen, as with the recommender's evidence `clicked`; what was left aside earns nothing.
 */
export class ReturnLog {
  readonly #reward: Reward;
  readonly #broadcasts = new Broadcasts();
  readonly #decided: { user: Id; time: number; chosen: Open["into"] }[] = [];
  readonly #open = new Latest<string, Open>(WAITING);
  #now = 0;

  /**
   * @param reward - That of the policy.
   * @throws TypeError or RangeError for unknown or wrong options.
   */
  constructor(reward: Partial<RewardOptions> = {}) {
    this.#reward = new Reward(reward);
  }

  /**
   * A decision, before the events that belong to it, in order of time.
   * @throws RangeError for a score that is not finite.
   */
  decision({ id, user, time, slate, scores }: Decision): void {
    const wrong = scores.findIndex((score) => !Number.isFinite(score));
    if (wrong >= 0) throw new RangeError(`"scores.${wrong}" must be a finite number, got ${scores[wrong]}`);
    this.#now = Math.max(this.#now, time);
    const chosen: Open["into"] = [];
    this.#decided.push({ user, time, chosen });
    for (const [position, stream] of slate.entries()) {
      const open = { decision: id, predicted: scores[position]!, outcome: emptyOutcome(), into: chosen };
      this.#open.set(pairKey(user, stream), open);
    }
  }

  /** An event; one that belongs to no decision is passed over. */
  feedback(event: LiveEvent): void {
    this.#now = Math.max(this.#now, event.time);
    this.#broadcasts.feedback(event);
    if ("user" in event && "stream" in event) this.#take(event);
  }

  /** The steps so far, in order of time. A watch whose end was never told yields no choice, neither good nor bad. */
  steps(): DecisionStep[] {
    return this.#decided.map(({ user, time, chosen }) => {
      const known = chosen.filter(({ outcome }) => outcome.watchMs !== undefined);
      return {
        user,
        time,
        chosen: known.map(({ predicted, outcome }) => ({ predicted, reward: this.#reward.of(outcome) })),
        watchMs: known.reduce((sum, { outcome }) => sum + outcome.watchMs!, 0),
      };
    });
  }

  /** Mean prediction against realised return, of what is known so far: {@link realisedReturns}, {@link compareReturns}. */
  result(options: Partial<ReturnOptions> = {}, resample: Partial<ResampleOptions> = {}): Figure[] {
    return compareReturns(realisedReturns(this.steps(), this.#now, options), resample);
  }

  #take(event: FeedbackEvent): void {
    const open = this.#open.get(pairKey(event.user, event.stream));
    if (open === undefined) return;
    if ("decision" in event && event.decision !== undefined && event.decision !== open.decision) return;
    const wasClicked = open.outcome.clicked;
    const isCut = this.#broadcasts.isGone(event.stream);
    record(open.outcome, event, event.kind === "watch" ? { watchMs: event.watchMs, isCut } : undefined);
    if (open.outcome.clicked && !wasClicked) open.into.push({ predicted: open.predicted, outcome: open.outcome });
  }
}
