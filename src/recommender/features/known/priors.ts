import { shrink, type UserProfile } from "../../state/index.js";
import { TASTE } from "../scale.js";

/** Weight of the priors, in watches and impressions of a user's own. */
export const PRIOR_WATCHES = 3;
export const PRIOR_IMPRESSIONS = 20;
/** An unknown user: clicks per impression, engaged visits and bounces per watch, repeats per watch. */
export const PRIOR = { clickRate: 0.1, engaged: 0.3, bounced: 0.5, repeated: 0.3, weight: 1 } as const;

/** The user's clicks per impression, over weeks. */
export function meanClickRate({ sums }: UserProfile): number {
  return shrink(sums.clicks[TASTE]!, sums.impressions[TASTE]!, PRIOR.clickRate, PRIOR_IMPRESSIONS);
}

/** The user's mean of log(1 + minutes) per watch, over weeks. */
export function meanWeight({ sums }: UserProfile): number {
  return shrink(sums.weight[TASTE]!, sums.watches[TASTE]!, PRIOR.weight, PRIOR_WATCHES);
}

/** 1 / the user's watching at a speed; 0 without watching. */
export function shareScale({ sums }: UserProfile, speed: number): number {
  const total = sums.weight[speed]!;
  return total < 1e-6 ? 0 : 1 / total;
}
