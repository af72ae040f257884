/** What looking ahead earns on the simulated platform, in paired worlds. */

import { Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import { simulate } from "../../../src/simulator/index.js";
import type { CaseContext, ProcessCase, Result } from "../../harness/suite.js";

/** The demo's worlds; those after the first hundred were not used for tuning. */
const WORLD = { viewers: 400, streamers: 600, days: 14, warmupDays: 7 } as const;
const TUNED = 100;
const WORLDS = 48;

const ARMS: Record<string, Partial<RecommenderOptions>> = {
  dqn: {},
  "gamma-0": { gamma: 0 },
  "two-heads": { returns: { heads: 2 } },
};

/** Figures of one recommender in one world; the arm's name comes before that of the metric, with a colon. */
function figuresOf(arm: string, world: number): Result[] {
  const recommender = new Recommender({ seed: world, ...ARMS[arm] });
  const result = simulate(recommender, { ...WORLD, seed: world });
  recommender.dispose();
  return [
    { metric: `${arm}:watch_min_per_user_day`, unit: "min", value: result.watchMinutesPerViewerDay },
    { metric: `${arm}:sessions_per_user_day`, unit: "1", value: result.sessionsPerViewerDay },
    { metric: `${arm}:satisfaction`, unit: "1", value: result.satisfaction },
    { metric: `${arm}:exposure_gini`, unit: "1", value: result.gini },
  ];
}

/** One world with each recommender. */
export const LIVE: readonly ProcessCase[] = [
  {
    name: "farsight/live",
    title: "the simulated platform, paired worlds: with and without looking ahead",
    seeds: WORLDS,
    recipe: { WORLD, TUNED, ARMS },
    run: ({ seed }: CaseContext) => Object.keys(ARMS).flatMap((arm) => figuresOf(arm, TUNED + seed)),
  },
];
