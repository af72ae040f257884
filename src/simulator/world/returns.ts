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
 * Mean gap at activity 1 and satisfaction 0, in hours, by satiation in minutes. The first is set so that
 * calibration gives the time that users of KuaiLive watch in three weeks; the others are not fitted yet, and viewers watch
 * more with them. Between two of them linear in 1 / satiation; below the first as at the first.
 */
const BASE_GAP: readonly (readonly [satiation: number, hours: number])[] = [
  [45, 25],
  [120, 25],
  [180, 25],
  [Number.POSITIVE_INFINITY, 25],
];

/** Mean gap at activity 1 and satisfaction 0, milliseconds, for a satiation in minutes. */
export function baseGapMs(satiation: number): number {
  const after = BASE_GAP.findIndex(([knot]) => satiation <= knot);
  const [upper, most] = BASE_GAP[after]!;
  if (after === 0 || satiation === upper) return most * HOUR;
  const [lower, least] = BASE_GAP[after - 1]!;
  const part = (1 / lower - 1 / satiation) / (1 / lower - 1 / upper);
  return (least + part * (most - least)) * HOUR;
}

/** When viewers come back: sooner where they were content, later where they have just watched much. */
export class Returns {
  /** Mean gap at activity 1 and satisfaction 0, milliseconds. */
  readonly baseMs: number;
  readonly #ofSatisfaction: number;
  readonly #satiation: number;

  constructor({ satiation, satisfactionEffect }: ReturnOptions) {
    this.baseMs = baseGapMs(satiation);
    this.#ofSatisfaction = GAP_OF_SATISFACTION * satisfactionEffect;
    this.#satiation = satiation;
  }

  /** Mean gap in milliseconds of mean activity. */
  meanGap(activity: number, satisfaction: number, recentMinutes: number): number {
    return (this.baseMs / activity) * exp(this.#ofSatisfaction * satisfaction + recentMinutes / this.#satiation);
  }
}
