/** Whether policies that see more earn more, which a simulator must show before a learner is judged by it. */

import { PopularPolicy, RandomPolicy } from "../../src/baselines/index.js";
import {
  clickOracle,
  farsightedOracle,
  type PlatformOptions,
  type PolicyOrOracle,
  type SimulationResult,
  simulate,
  watchOracle,
} from "../../src/simulator/index.js";
import { type Interval, meanInterval } from "../../src/statistics/index.js";

/** Worth of a unit of satisfaction to the far-sighted oracle, in minutes. Set by hand. */
const MINUTES_OF_SATISFACTION = 60;

/** The policies, the one that should earn least first. */
export const LADDER: readonly { name: string; make: (seed: number) => PolicyOrOracle }[] = [
  { name: "random", make: (seed) => new RandomPolicy(seed) },
  { name: "popular", make: () => new PopularPolicy() },
  { name: "click-oracle", make: () => clickOracle },
  { name: "watch-oracle", make: () => watchOracle },
  { name: "farsighted-oracle", make: () => farsightedOracle(MINUTES_OF_SATISFACTION) },
];

export interface OrderOptions {
  seeds: readonly number[];
  platform: Partial<Omit<PlatformOptions, "seed">>;
}

/** The size of the demo. */
export const ORDER: OrderOptions = {
  seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  platform: { viewers: 300, streamers: 500, days: 12, warmupDays: 6 },
};

/** The figures of one policy, and how much more it earned than the one below it in the same worlds. */
export interface Rung {
  name: string;
  watchMinutesPerViewerDay: Interval;
  clickRate: Interval;
  engagedPerClick: Interval;
  satisfaction: Interval;
  /** Minutes a viewer and day more than the policy below, world by world; undefined for the first. */
  gain: Interval | undefined;
}

/**
 * Runs every policy in the same worlds.
 *
 * @param onRun - Called after each run with how many are done, of how many.
 */
export function measureOrder(
  options: OrderOptions = ORDER,
  onRun: (done: number, all: number) => void = () => {},
): Rung[] {
  const { seeds, platform } = options;
  let done = 0;
  const runs = LADDER.map(({ make }) =>
    seeds.map((seed) => {
      const result = simulate(make(seed), { ...platform, seed });
      onRun(++done, LADDER.length * seeds.length);
      return result;
    }),
  );
  return runs.map((results, i) => {
    const over = (of: (result: SimulationResult) => number) => meanInterval(results.map(of));
    const below = runs[i - 1];
    const gains = below?.map((other, s) => results[s]!.watchMinutesPerViewerDay - other.watchMinutesPerViewerDay);
    return {
      name: LADDER[i]!.name,
      watchMinutesPerViewerDay: over((result) => result.watchMinutesPerViewerDay),
      clickRate: over((result) => result.clickRate),
      engagedPerClick: over((result) => result.engagedPerClick),
      satisfaction: over((result) => result.satisfaction),
      gain: gains && meanInterval(gains),
    };
  });
}
