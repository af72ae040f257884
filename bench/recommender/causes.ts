/** Whether groups of features make people watch what fits, on platforms whose viewers follow the cause that a group reads. */

import type { Row } from "../../src/cli/writing/results.js";
import { DAY } from "../../src/protocol/time.js";
import {
  content,
  coreFeatures,
  type FeatureGroup,
  moments,
  Recommender,
  type RecommenderOptions,
  social,
  taste,
  traits,
} from "../../src/recommender/index.js";
import { Platform, type PlatformOptions, type ViewerCauses } from "../../src/simulator/index.js";
import { meanInterval } from "../../src/statistics/intervals.js";

export type Cause = keyof ViewerCauses | "none";

/** The groups of features that read each cause, beside those that are always there; where there is no cause, all of them. */
const GROUPS: Readonly<Record<Cause, readonly FeatureGroup[]>> = {
  none: [moments(), content(), traits(), taste(), social()],
  chat: [moments()],
  picture: [content()],
  region: [traits(), taste()],
  friends: [social()],
};

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
  seeds: [1, 2, 3, 4, 5, 6],
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
 * Serves the same worlds without and with the groups that read their cause: `causes/CAUSE/plain` and `causes/CAUSE/groups`.
 *
 * @param tell - Called with a line after each world.
 */
export function measureCauses(options: CausesOptions = CAUSES, tell: (text: string) => void = () => {}): Row[] {
  const { seeds, platform, strength, recommender } = options;
  const serve = (cause: Cause, name: string, groups: readonly FeatureGroup[]) =>
    seeds.map((seed) => {
      const world = { ...platform, seed, causes: cause === "none" ? {} : { [cause]: strength } };
      const run = runCausedWorld(world, { ...recommender, features: [...coreFeatures(), ...groups], seed });
      const minutes = run.watchMinutesPerViewerDay.toFixed(1);
      tell(`${name}, world ${seed}: ${run.fittingShare.toFixed(3)} of what is shown fits, ${minutes} min`);
      return run;
    });
  return options.causes.flatMap((cause) => {
    const names = [`causes/${cause}/plain`, `causes/${cause}/groups`] as const;
    const plain = serve(cause, names[0], []);
    const grouped = serve(cause, names[1], GROUPS[cause]);
    const rows = [...causedRows(names[0], plain), ...causedRows(names[1], grouped, plain)];
    return cause === "none" ? rows.filter(({ metric }) => !metric.startsWith("fitting_share")) : rows;
  });
}
