import { exp } from "../../numeric/index.js";
import { HOUR } from "../../protocol/index.js";

/** What brings viewers back. */
export interface ReturnOptions {
  satiation: number;
  satisfactionEffect: number;
}

/** Log of the factor on the gap, for each unit of satisfaction at effect 1. Set by hand. */
const GAP_OF_SATISFACTION = -0.9;

/**
 * What makes viewers watch as long as users of KuaiLive in three weeks (median 8115 s, mean 17 052 s), by satiation in
 * minutes: the mean gap at activity 1 and satisfaction 0, in hours, and how viewers differ, as the deviation of log activity. The
 * less watching delays those who come often, the less viewers have to differ. Fitted together, on worlds 1 to 3. Between two
 * rows linear in 1 / satiation; below the first as at the first.
 */
const HABITS: readonly (readonly [satiation: number, hours: number, sigma: number])[] = [
  [45, 25, 1.5],
  [120, 29.2, 0.9],
  [180, 30.2, 0.8],
  [Number.POSITIVE_INFINITY, 30.4, 0.55],
];

/** How often viewers of a platform come. */
interface Habits {
  /** Mean gap at activity 1 and satisfaction 0, milliseconds. */
  baseMs: number;
  /** Deviation of log activity. */
  activitySigma: number;
}

/** The habits for a satiation in minutes. */
export function habitsOf(satiation: number): Habits {
  const after = HABITS.findIndex(([knot]) => satiation <= knot);
  const [upper, hours, sigma] = HABITS[after]!;
  if (after === 0 || satiation === upper) return { baseMs: hours * HOUR, activitySigma: sigma };
  const [lower, hoursBefore, sigmaBefore] = HABITS[after - 1]!;
  const part = (1 / lower - 1 / satiation) / (1 / lower - 1 / upper);
  return {
    baseMs: (hoursBefore + part * (hours - hoursBefore)) * HOUR,
    activitySigma: sigmaBefore + part * (sigma - sigmaBefore),
  };
}

/** When viewers come back: sooner where they were content, later where they have just watched much. */
export class Returns {
  /** Mean gap at activity 1 and satisfaction 0, milliseconds. */
  readonly baseMs: number;
  /** Deviation of the logarithm of viewers' activity. */
  readonly activitySigma: number;
  readonly #ofSatisfaction: number;
  readonly #satiation: number;

  constructor({ satiation, satisfactionEffect }: ReturnOptions) {
    ({ baseMs: this.baseMs, activitySigma: this.activitySigma } = habitsOf(satiation));
    this.#ofSatisfaction = GAP_OF_SATISFACTION * satisfactionEffect;
    this.#satiation = satiation;
  }

  /** Mean gap in milliseconds of mean activity. */
  meanGap(activity: number, satisfaction: number, recentMinutes: number): number {
    return (this.baseMs / activity) * exp(this.#ofSatisfaction * satisfaction + recentMinutes / this.#satiation);
  }
}
