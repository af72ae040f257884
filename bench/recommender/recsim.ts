import {
  affinitySlates,
  type InterestEvolutionOptions,
  interestReturns,
  lifetimeSlates,
  qualitySlates,
  randomSlates,
  type SlatePolicy,
} from "../../src/simulator/interest.js";
import { meanInterval } from "../../src/statistics/intervals.js";
import type { Result } from "../harness/suite.js";

/** A measured figure beside the one that it restates. */
export interface RecsimRow extends Result {
  lo: number;
  hi: number;
  n: number;
  /** Of an independent restatement in NumPy, over 2000 episodes. */
  published: number;
  /** Whether the two differ by no more than chance lets the widest of all differences be, 19 times in 20. */
  agrees: boolean;
}

const POLICIES: Readonly<Record<string, SlatePolicy>> = {
  random: randomSlates(1),
  affinity: affinitySlates,
  quality: qualitySlates,
  lifetime: lifetimeSlates,
};

interface Published {
  options: InterestEvolutionOptions;
  /** Minutes, by policy. */
  minutes: Readonly<Record<string, number>>;
}

const PUBLISHED: readonly Published[] = [
  { options: { candidates: 10, slate: 3 }, minutes: { random: 160.6, affinity: 167.6, quality: 264.7 } },
  { options: { candidates: 20, slate: 3 }, minutes: { random: 160.6, affinity: 172.1, quality: 354.7 } },
  { options: { candidates: 10, slate: 2 }, minutes: { random: 153.7, affinity: 166.5, quality: 281.2 } },
  { options: { candidates: 50, slate: 2 }, minutes: { random: 154.2, affinity: 188.3, lifetime: 472 } },
];

const PUBLISHED_EPISODES = 2000;
/** Widths of a standard error within which all twelve differences lie 19 times in 20 (Bonferroni). */
const WIDEST = 2.87;
const NORMAL_975 = 1.96;

/**
 * Minutes of a session in RecSim's interest evolution, by policy, beside the restated ones.
 *
 * @param episodes - Of each policy in each case, at least 2.
 */
export function recsim(episodes: number): RecsimRow[] {
  return PUBLISHED.flatMap(({ options, minutes }) =>
    Object.entries(minutes).map(([name, published]) => {
      const interval = meanInterval(interestReturns(POLICIES[name]!, options, episodes));
      const error = (interval.hi - interval.lo) / 2 / NORMAL_975;
      // The published error is ours at its number of episodes: the returns are of the same distribution.
      const both = error * Math.sqrt(1 + episodes / PUBLISHED_EPISODES);
      return {
        case: `recsim/${options.candidates}-${options.slate}/${name}`,
        metric: "session_minutes",
        unit: "min",
        ...interval,
        published,
        agrees: Math.abs(interval.value - published) <= WIDEST * both,
      };
    }),
  );
}
