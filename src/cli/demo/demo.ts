import type { PlatformOptions, SimulationResult } from "../../simulator/index.js";
import { type Interval, meanInterval } from "../../statistics/index.js";
import { JOBS, Pool } from "../jobs/pool.js";
import type { WorldTask } from "../jobs/tasks.js";
import { type Bar, Progress, textBars } from "../reports/index.js";
import { calibrationOfWorlds, valuesOfWorld, verdict } from "../verdicts/index.js";
import { cell } from "../writing/figures.js";
import { print, tryOutputs } from "../writing/output.js";
import { noteCalibration, printVerdicts, type Row, writeRows } from "../writing/results.js";
import { table } from "../writing/table.js";

export interface DemoOptions extends Pick<PlatformOptions, "satiation" | "satisfactionEffect" | "newcomers"> {
  viewers: number;
  streamers: number;
  days: number;
  slate: number;
  seeds: number;
  firstSeed: number;
  gamma: number;
  json?: string;
  report?: string;
}

/** The contestants of the demo, by name. */
const CHOSEN = ["random", "popular", "dqn-gamma-0", "dqn", "stay-oracle", "satisfaction-oracle"] as const;
type Chosen = (typeof CHOSEN)[number];

export const METRICS = [
  {
    metric: "watch_min_per_user_day",
    title: "watch min/viewer/day",
    unit: "min",
    of: (r: SimulationResult) => r.watchMinutesPerViewerDay,
  },
  {
    metric: "sessions_per_user_day",
    title: "sessions/viewer/day",
    unit: "1",
    of: (r: SimulationResult) => r.sessionsPerViewerDay,
  },
  { metric: "satisfaction", title: "satisfaction", unit: "1", of: (r: SimulationResult) => r.satisfaction },
  { metric: "click_rate", title: "clicks/impression", unit: "1", of: (r: SimulationResult) => r.clickRate },
  { metric: "catalogue_coverage", title: "coverage", unit: "1", of: (r: SimulationResult) => r.coverage },
] as const;

const TITLES: Record<Chosen, string> = {
  random: "random",
  popular: "most popular",
  "dqn-gamma-0": "DQN, gamma 0",
  dqn: "DQN",
  "stay-oracle": "oracle of the stay",
  "satisfaction-oracle": "oracle of satisfaction",
};

/**
 * Each contestant serves the viewers of a generated live platform, and learns while it serves. Prints a table; returns
 * whether the DQN beat random and most popular on watch time with separate intervals.
 */
export async function demo(options: DemoOptions, signal: AbortSignal): Promise<boolean> {
  tryOutputs(options.json);
  const { viewers, streamers, days, slate, gamma, satiation, satisfactionEffect, newcomers } = options;
  const seeds = Array.from({ length: options.seeds }, (_, i) => options.firstSeed + i);
  const warmupDays = Math.floor(days / 2);
  const size = { viewers, streamers, days, slate, warmupDays };
  const platform = (seed: number) => ({ ...size, seed, satiation, satisfactionEffect, newcomers });
  const valued = { gamma, warmupDays, days };
  // The longest first, so that no core idles at the end.
  const jobs: WorldTask[] = [...CHOSEN].reverse().flatMap((contestant) =>
    seeds.map((seed) => {
      const own = contestant === "dqn" ? { options: { gamma }, ...(options.report && { valued }) } : {};
      return { kind: "world", contestant, platform: platform(seed), ...own };
    }),
  );
  const what = `${viewers} viewers, ${streamers} streamers, ${days} days, slates of ${slate}, ${seeds.length} seeds`;
  process.stderr.write(`live platform: ${what}; the last ${days - warmupDays} days count\n`);
  const progress = new Progress("days");
  const outcomes = await new Pool(JOBS, signal).runAll(jobs, (fraction) =>
    progress.show({ count: fraction * jobs.length * days, fraction, text: "serving and learning" }),
  );
  progress.end();

  const rows: Row[] = [];
  const watched = new Map<Chosen, number[]>();
  const bars: Bar[] = [];
  const lines = CHOSEN.map((contestant) => {
    const results = outcomes.filter((_, i) => jobs[i]!.contestant === contestant).map(({ result }) => result);
    const cells = METRICS.map(({ metric, unit, of }, i) => {
      const interval = meanInterval(results.map(of));
      if (i === 0) {
        watched.set(contestant, results.map(of));
        bars.push({ name: TITLES[contestant], ...interval });
      }
      rows.push({ suite: "recommender", case: `livesim/${contestant}`, metric, unit, ...interval, seeds });
      return cell(interval, i === 0 ? 2 : 3);
    });
    return [TITLES[contestant], ...cells];
  });
  print(`${table(["policy", ...METRICS.map(({ title }) => title)], lines)}\n`, options.json);
  print(`\n${METRICS[0].title}\n${textBars(bars).join("\n")}\n`, options.json);
  const decisions = outcomes.reduce((sum, { result }) => sum + result.requests, 0);
  print(
    `mean [95 % interval] of ${seeds.length} seeds; ${decisions} slates in ${progress.seconds.toFixed(1)} s\n`,
    options.json,
  );
  writeRows(options.json, rows);
  const returns = outcomes.map(({ result }) => result.returns).filter((figures) => figures !== undefined);
  if (options.report) noteCalibration(calibrationOfWorlds(returns, valuesOfWorld(valued)));
  const isRight = report(watched, options.json);
  process.stderr.write(NEXT);
  return isRight;
}

/** The last words of a demo. */
const NEXT =
  "To see it serve and learn over HTTP, with pages to look at: liveq serve --simulate (in a clone: npm run serve)\n";

/** A contestant's gain over another world by world, as a share of the other's: both serve the same viewers and streams. */
export function gainByWorld(own: readonly number[], other: readonly number[]): Interval {
  return meanInterval(own.map((value, i) => value / other[i]! - 1));
}

/**
 * Prints the DQN's gain over each other contestant. Returns whether its interval lies above the intervals of random and
 * most popular.
 */
function report(watched: ReadonlyMap<Chosen, number[]>, json: string | undefined): boolean {
  const own = watched.get("dqn")!;
  const { lo } = meanInterval(own);
  const paired = { name: "dqn", metric: "watch time", base: 1, unit: "worlds" };
  const sentences = CHOSEN.filter((name) => name !== "dqn" && !name.endsWith("-oracle")).map((reference) =>
    verdict({ ...paired, reference: TITLES[reference], ...gainByWorld(own, watched.get(reference)!) }),
  );
  printVerdicts(sentences, json);
  return (["random", "popular"] as const).every((name) => lo > meanInterval(watched.get(name)!).hi);
}
