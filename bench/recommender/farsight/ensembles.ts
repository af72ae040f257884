/** What following the members of an ensemble shows of new streamers on the simulated platform, in paired worlds. */

import { Ensemble } from "../../../src/engine/ensemble/index.js";
import { Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import type { CaseContext, ProcessCase } from "../../harness/suite.js";
import { figuresOf } from "./live.js";

/** Worlds after the first hundred, which tuning did not use. */
const WORLD = { viewers: 200, streamers: 300, days: 6, warmupDays: 3 } as const;
const TUNED = 100;
const WORLDS = 6;
const ENSEMBLE = { members: 5, mask: 0.5 } as const;

/** How each explores; the first by one agent, all others by an ensemble. */
const ARMS: Readonly<Record<string, RecommenderOptions["explore"]>> = {
  epsilon: {},
  thompson: { members: "thompson" },
};

function recommenderOf(arm: string, seed: number): Recommender {
  const options = { seed, explore: ARMS[arm]! };
  return new Recommender(options, arm === "epsilon" ? undefined : (agent) => new Ensemble(agent, ENSEMBLE));
}

/** One world with each way to explore. */
export const ENSEMBLES: readonly ProcessCase[] = [
  {
    name: "farsight/explore",
    title: "the simulated platform, paired worlds: epsilon-greedy beside an ensemble of five, by its members",
    seeds: WORLDS,
    recipe: { WORLD, TUNED, ENSEMBLE, ARMS },
    run: ({ seed, say }: CaseContext) =>
      Object.keys(ARMS).flatMap((arm) => {
        say(arm);
        return figuresOf(arm, { ...WORLD, seed: TUNED + seed }, recommenderOf(arm, TUNED + seed));
      }),
  },
];
