/** Whether the default groups of features show viewers more of what fits them, where chat, pictures, regions or friends decide it. */

import type { Row } from "../../src/cli/writing/results.js";
import { DAY } from "../../src/protocol/time.js";
import {
  coreFeatures,
  defaultFeatures,
  type FeatureGroup,
  Recommender,
  type RecommenderOptions,
} from "../../src/recommender/index.js";
import { Platform, type PlatformOptions, type ViewerCauses } from "../../src/simulator/index.js";
import { meanInterval } from "../../src/statistics/intervals.js";

export type Cause = keyof ViewerCauses | "none";

export interface CausesOptions {
  /** The worlds: with one cause each, or with none. */
  causes: readonly Cause[];
  seeds: readonly number[];
  platform: Partial<Omit<PlatformOptions, "seed" | "causes">>;
  /** Strength of the one cause that is on, in (0, 1]. */
  strength: number;
  /** Options of both recommenders, beside their groups. */
  recommender: Partial<Omit<RecommenderOptions, "seed" | "features">>;
}

/** Larger and longer than the demo: learning the taste of a region takes the visits of many of its viewers. */
export const CAUSES: CausesOptions = {
  causes: ["none", "chat", "picture", "region", "friends"],
  seeds: [1, 2, 3, 4],
  platform: { viewers: 600, streamers: 600, days: 21, warmupDays: 14 },
  strength: 1,
  recommender: {},
};

/** The results of one recommender in one world, warm-up left out. */
interface CausedRun {
  /** Share of the shown streams that fit the viewer by the cause; 1 where there is no cause. */
  fittingShare: number;
  watchMinutesPerViewerDay: number;
}

/** Serves one world with a recommender of these options. */
export function runCausedWorld(platform: Partial<PlatformOptions>, options: Partial<RecommenderOptions>): CausedRun {
  const recommender = new Recommender(options);
  let shown = 0;
  let fitting = 0;
  const world = new Platform(recommender, platform, {
    onDecision({ user, time, slate }) {
      if (time < world.options.warmupDays * DAY) return;
      shown += slate.length;
      for (const stream of slate) if (world.fits(user, stream)) fitting++;
    },
  });
  world.advance(world.options.days * DAY);
  recommender.dispose();
  return { fittingShare: fitting / shown, watchMinutesPerViewerDay: world.metrics().watchMinutesPerViewerDay };
}

/** The rows of one recommender, and its gains over the other in the same worlds. */
function causedRows(name: string, runs: readonly CausedRun[], others?: readonly CausedRun[]): Row[] {
  const row = (metric: string, unit: string, values: readonly number[]): Row => {
    return { suite: "recommender", case: name, metric, unit, ...meanInterval(values) };
  };
  const shares = runs.map(({ fittingShare }) => fittingShare);
  const minutes = runs.map(({ watchMinutesPerViewerDay }) => watchMinutesPerViewerDay);
  const rows = [row("fitting_share", "share", shares), row("watch_min_per_user_day", "min", minutes)];
  if (!others) return rows;
  const moreFitting = shares.map((share, i) => share - others[i]!.fittingShare);
  const moreMinutes = minutes.map((value, i) => value - others[i]!.watchMinutesPerViewerDay);
  return [...rows, row("fitting_share_gain", "share", moreFitting), row("gain_min_per_user_day", "min", moreMinutes)];
}

/**
 * Serves the same worlds with the core groups and with the default ones: `causes/CAUSE/core` and `causes/CAUSE/default`.
 *
 * @param tell - Called with a line after each world.
 */
export function measureCauses(options: CausesOptions = CAUSES, tell: (text: string) => void = () => {}): Row[] {
  const { seeds, platform, strength, recommender } = options;
  const serve = (cause: Cause, name: string, features: readonly FeatureGroup[]) =>
    seeds.map((seed) => {
      const world = { ...platform, seed, causes: cause === "none" ? {} : { [cause]: strength } };
      const run = runCausedWorld(world, { ...recommender, features, seed });
      const minutes = run.watchMinutesPerViewerDay.toFixed(1);
      tell(`${name}, world ${seed}: ${run.fittingShare.toFixed(3)} of what is shown fits, ${minutes} min`);
      return run;
    });
  return options.causes.flatMap((cause) => {
    const names = [`causes/${cause}/core`, `causes/${cause}/default`] as const;
    const core = serve(cause, names[0], coreFeatures());
    const all = serve(cause, names[1], defaultFeatures());
    const rows = [...causedRows(names[0], core), ...causedRows(names[1], all, core)];
    return cause === "none" ? rows.filter(({ metric }) => !metric.startsWith("fitting_share")) : rows;
  });
}
