import { between, fields, numbers, type Shape, where } from "../../check/index.js";
import { fade, log } from "../../numeric/index.js";
import { DAY, HOUR } from "../../protocol/index.js";

/** How often a user comes back, and in what mood. */
export interface Rhythm {
  /** Fading number of returns, and the sum of their gaps in log(hours). */
  returns: number;
  logGaps: number;
  /** Lateness of the latest return; 0 before the first. */
  lateness: number;
  /** Fading sum of good visits less bad ones, [-1, 1]. */
  mood: number;
  /** Minutes watched, with a half-life of 8 hours, and when they were last updated. */
  fresh: number;
  freshAt: number;
}

/** A user's own returns fade by this at each new one: about the last five count. [set by hand] */
const FORGET = 0.8;
/** Weight of everybody's mean gap in a user's habit, in returns. [set by hand] */
const PRIOR_RETURNS = 2;
/** Bounds of lateness: a return at e^-2.5 of the usual gap, and one at 4.5 times it. [set by hand] */
export const LATENESS_MIN = -2.5;
export const LATENESS_MAX = 1.5;
/** What remains of the mood at each visit, and what a visit adds or takes. [set by hand] */
const MOOD_LEFT = 0.7;
const FRESH_HALF_LIFE = 8 * HOUR;
/** Longest gap that counts: a clock that jumped must not own everybody's mean. */
const GAP_MAX = 365 * DAY;

/** The mean gap before anything is known of it, log(hours), and its weight in returns. */
const LOG_DAY = log(DAY / HOUR);
const DAY_WEIGHT = 4;
/** Everybody's returns fade by this at each new one, so that about the last 2,000 count. */
const FORGET_ALL = 0.9995;

/** Inputs of the regression: 1, fresh minutes, mood, requests. */
const INPUTS = 4;
/** Strength of the prior on the weights of the regression, in returns. */
const RIDGE = 10;

export function emptyRhythm(now: number): Rhythm {
  return { returns: 0, logGaps: 0, lateness: 0, mood: 0, fresh: 0, freshAt: now };
}

/** Minutes watched of late, as they stand at `now`. */
export function freshMinutes({ fresh, freshAt }: Rhythm, now: number): number {
  return fresh * fade(now - freshAt, FRESH_HALF_LIFE);
}

/** A visit ended: `worth` is 1 for an engaged one, -1 for a bounce, else 0. */
export function visited(rhythm: Rhythm, minutes: number, worth: number, now: number): void {
  rhythm.mood = MOOD_LEFT * rhythm.mood + (1 - MOOD_LEFT) * worth;
  rhythm.fresh = freshMinutes(rhythm, now) + minutes;
  rhythm.freshAt = Math.max(rhythm.freshAt, now);
}

/** The plain values of `Returns.save`. */
export interface SavedReturns {
  returns: number;
  logGaps: number;
  weights: number[];
  covariance: number[];
}

/** A sum that a file may hold: far beyond any, so that products and quotients of two stay finite. */
const SUM_MAX = 1e12;

/** The shape of saved returns. */
export const returnsShape: Shape = fields<SavedReturns>({
  returns: between(0, SUM_MAX),
  logGaps: between(-SUM_MAX, SUM_MAX),
  weights: numbers(4, between(-1e3, 1e3)),
  covariance: where<number[]>(numbers(16, between(-1, 1)), isCovariance, "a covariance"),
});

/** Whether a 4 x 4 matrix can be a covariance: elimination leaves no pivot below 0, but for rounding. */
function isCovariance(given: readonly number[]): boolean {
  const p = [...given];
  for (let k = 0; k < 4; k++) {
    const pivot = p[5 * k]!;
    if (pivot < -1e-9) return false;
    for (let i = k + 1; i < 4; i++) {
      if (given[4 * i + k] !== given[4 * k + i]) return false;
      for (let j = k + 1; j < 4; j++) if (pivot > 1e-9) p[4 * i + j]! -= (p[4 * i + k]! * p[4 * k + j]!) / pivot;
    }
  }
  return true;
}

/**
 * The gaps between sessions of all users: how late a return is for its user, and what of that the user's own watching,
 * mood and requests before explain (recursive least squares). The rest is the streamers' part.
 *
 * Lateness is relative to the user's own habit, as in RLUR (Cai et al. 2023, arXiv:2302.01724): it is the differential
 * semi-Markov reward `r - rho dt` with a rho for each user.
 */
export class Returns {
  #returns = 0;
  #logGaps = 0;
  #weights = new Float64Array(INPUTS);
  #covariance = new Float64Array(INPUTS * INPUTS);
  readonly #input = new Float64Array(INPUTS);
  readonly #gain = new Float64Array(INPUTS);

  constructor() {
    for (let i = 0; i < INPUTS; i++) this.#covariance[i * INPUTS + i] = 1 / RIDGE;
  }

  /** The usual gap of a user, log(hours): the mean of the own ones, shrunk to everybody's. */
  logHabit({ returns, logGaps }: Rhythm): number {
    const mean = (this.#logGaps + DAY_WEIGHT * LOG_DAY) / (this.#returns + DAY_WEIGHT);
    return (logGaps + PRIOR_RETURNS * mean) / (returns + PRIOR_RETURNS);
  }

  /** log(gap / usual gap), in [-2.5, 1.5]. */
  lateness(rhythm: Rhythm, gapMs: number): number {
    const lateness = log(Math.max(gapMs, 1) / HOUR) - this.logHabit(rhythm);
    return Math.min(LATENESS_MAX, Math.max(LATENESS_MIN, lateness));
  }

  /**
   * A user came back: updates the user's rhythm, and with `isCounted` everybody's.
   * @param requests - Requests of the session before.
   * @returns The lateness that the user's own watching, mood and requests do not explain.
   */
  returned(rhythm: Rhythm, gapMs: number, requests: number, now: number, isCounted: boolean): number {
    const lateness = this.lateness(rhythm, gapMs);
    const logGap = log(Math.min(Math.max(gapMs, 1), GAP_MAX) / HOUR);
    rhythm.lateness = lateness;
    rhythm.returns = FORGET * rhythm.returns + 1;
    rhythm.logGaps = FORGET * rhythm.logGaps + logGap;
    const input = this.#input;
    input[0] = 1;
    input[1] = Math.min(freshMinutes(rhythm, now - gapMs) / 60, 8);
    input[2] = rhythm.mood;
    input[3] = Math.min(requests, 20) / 5;
    let error = lateness;
    for (let i = 0; i < INPUTS; i++) error -= this.#weights[i]! * input[i]!;
    if (!isCounted) return error;
    this.#returns = FORGET_ALL * this.#returns + 1;
    this.#logGaps = FORGET_ALL * this.#logGaps + logGap;
    this.#regress(error);
    return error;
  }

  /** Plain values for `JSON.stringify`; `load` restores them. */
  save(): SavedReturns {
    return {
      returns: this.#returns,
      logGaps: this.#logGaps,
      weights: [...this.#weights],
      covariance: [...this.#covariance],
    };
  }

  /** Restores the values of `save`. */
  load({ returns, logGaps, weights, covariance }: SavedReturns): void {
    this.#returns = returns;
    this.#logGaps = logGaps;
    this.#weights = Float64Array.from(weights);
    this.#covariance = Float64Array.from(covariance);
  }

  /**
   * One step of recursive least squares for the present input: gain k = P x / (1 + x'P x), w += k error, P -= k x'P.
   * The trace of P is bounded by its prior, as nothing is divided by a forgetting factor: old returns never fade here.
   */
  #regress(error: number): void {
    const [x, k, p] = [this.#input, this.#gain, this.#covariance];
    let scale = 1;
    for (let i = 0; i < INPUTS; i++) {
      k[i] = 0;
      for (let j = 0; j < INPUTS; j++) k[i]! += p[i * INPUTS + j]! * x[j]!;
      scale += x[i]! * k[i]!;
    }
    for (let i = 0; i < INPUTS; i++) this.#weights[i]! += (k[i]! / scale) * error;
    for (let i = 0; i < INPUTS; i++) {
      for (let j = 0; j < INPUTS; j++) p[i * INPUTS + j]! -= (k[i]! * k[j]!) / scale;
    }
  }
}
