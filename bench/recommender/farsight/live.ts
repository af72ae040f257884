/** What looking ahead earns on the simulated platform, in paired worlds. */

import { StreamWeights } from "../../../src/baselines/index.js";
import { Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import { type PlatformLatents, type PlatformOptions, simulate } from "../../../src/simulator/index.js";
import type { CaseContext, ProcessCase, Result } from "../../harness/suite.js";
import { Newness } from "./newness.js";

/** The demo's worlds; those after the first hundred were not used for tuning. */
const WORLD = { viewers: 400, streamers: 600, days: 14, warmupDays: 7 } as const;
const TUNED = 100;

const ARMS: Record<string, Partial<RecommenderOptions>> = {
  dqn: {},
  "gamma-0": { gamma: 0 },
  "two-heads": { returns: { heads: 2 } },
  // Its own weights order the slates that it learns from.
  "stream-weights": { warmupUpdates: 0 },
};

/** A setting of the platform, the arms that are measured in it, and in how many worlds. */
interface Setting {
  returns: Partial<PlatformOptions>;
  worlds: number;
  title: string;
  /** Default: `dqn`. All are measured beside `gamma-0`. */
  arm?: string;
}

/** What brings viewers back, by case. */
const SETTINGS: Record<string, Setting> = {
  live: { returns: {}, worlds: 48, title: "the default satiation" },
  "live-120": { returns: { satiation: 120 }, worlds: 16, title: "satiation 120" },
  "live-180": { returns: { satiation: 180 }, worlds: 16, title: "satiation 180" },
  "live-none": { returns: { satiation: Number.POSITIVE_INFINITY }, worlds: 16, title: "no satiation" },
  "live-heads": { returns: {}, worlds: 16, title: "a head for each part of the reward", arm: "two-heads" },
  "live-weights": {
    returns: {},
    worlds: 16,
    title: "weights of an actor over the features of streams",
    arm: "stream-weights",
  },
  "live-no-effect": { returns: { satisfactionEffect: 0 }, worlds: 16, title: "satisfaction has no effect" },
};

function recommenderOf(arm: string, seed: number): Recommender {
  return new Recommender({ seed, ...ARMS[arm] }, arm === "stream-weights" ? new StreamWeights({ seed }) : undefined);
}

/** Figures of one recommender in one world; the arm's name comes before that of the metric, with a colon. */
export function figuresOf(
  arm: string,
  world: Partial<PlatformOptions> & { seed: number; warmupDays: number },
  recommender = recommenderOf(arm, world.seed),
): Result[] {
  let newness: Newness | undefined;
  const serve = (latents: PlatformLatents) => {
    newness = new Newness(latents, world.warmupDays);
    return recommender;
  };
  const result = simulate(serve, world, { onEvent: (event) => newness!.feedback(event) });
  recommender.dispose();
  return [
    { metric: `${arm}:watch_min_per_user_day`, unit: "min", value: result.watchMinutesPerViewerDay },
    { metric: `${arm}:sessions_per_user_day`, unit: "1", value: result.sessionsPerViewerDay },
    { metric: `${arm}:satisfaction`, unit: "1", value: result.satisfaction },
    { metric: `${arm}:exposure_gini`, unit: "1", value: result.gini },
    ...newness!.results(arm),
  ];
}

/** One world with each recommender, for each setting. */
export const LIVE: readonly ProcessCase[] = Object.entries(SETTINGS).map(([name, setting]) => {
  const { returns, worlds, title, arm = "dqn" } = setting;
  const arms = [arm, "gamma-0"];
  return {
    name: `farsight/${name}`,
    title: `the simulated platform, paired worlds: with and without looking ahead; ${title}`,
    seeds: worlds,
    recipe: { WORLD, TUNED, arms: arms.map((each) => ARMS[each]), returns, setting: name },
    run: ({ seed }: CaseContext) =>
      arms.flatMap((each) => figuresOf(each, { ...WORLD, ...returns, seed: TUNED + seed })),
  };
});
