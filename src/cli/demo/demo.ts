import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { PlatformOptions, SimulationResult } from "../../simulator/index.js";
import { meanInterval } from "../../statistics/index.js";
import { cell } from "../writing/figures.js";
import { print, tryOutputs } from "../writing/output.js";
import { Progress } from "../writing/progress.js";
import { type Row, writeRows } from "../writing/results.js";
import { table } from "../writing/table.js";
import { CONTESTANTS, type Contestant, type Job } from "./contest.js";
import type { Message } from "./worker.js";

export interface DemoOptions extends Pick<PlatformOptions, "satiation" | "satisfactionEffect" | "newcomers"> {
  viewers: number;
  streamers: number;
  days: number;
  slate: number;
  seeds: number;
  firstSeed: number;
  gamma: number;
  json?: string;
}

interface Outcome {
  result: SimulationResult;
  seconds: number;
}

const METRICS = [
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

const TITLES: Record<Contestant, string> = {
  random: "random",
  popular: "most popular",
  "dqn-gamma-0": "DQN, gamma 0",
  dqn: "DQN",
  "stay-oracle": "oracle of the stay",
  "satisfaction-oracle": "oracle of satisfaction",
};

/** Runs one job in a worker; the worker ends with the signal. */
function run(job: Job, signal: AbortSignal, onFraction: (fraction: number) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: job });
    const stop = () => void worker.terminate();
    signal.addEventListener("abort", stop);
    worker.on("message", (message: Message) => {
      if ("result" in message) resolve(message);
      else onFraction(message.fraction);
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      signal.removeEventListener("abort", stop);
      reject(signal.aborted ? signal.reason : new Error(`a worker ended with code ${code} before its result`));
    });
  });
}

/** All jobs, as many at a time as there are cores; results in the order of the jobs. */
async function runAll(
  jobs: readonly Job[],
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<Outcome[]> {
  const fractions = new Float64Array(jobs.length);
  const outcomes = new Array<Outcome>(jobs.length);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < jobs.length; i = next++) {
      outcomes[i] = await run(jobs[i]!, signal, (fraction) => {
        fractions[i] = fraction;
        onProgress(fractions.reduce((sum, x) => sum + x, 0) / jobs.length);
      });
      fractions[i] = 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, work));
  return outcomes;
}

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
  // The longest first, so that no core idles at the end.
  const jobs: Job[] = [...CONTESTANTS]
    .reverse()
    .flatMap((contestant) => seeds.map((seed) => ({ contestant, platform: platform(seed), gamma })));
  const what = `${viewers} viewers, ${streamers} streamers, ${days} days, slates of ${slate}, ${seeds.length} seeds`;
  process.stderr.write(`live platform: ${what}; the last ${days - warmupDays} days count\n`);
  const progress = new Progress("days");
  const outcomes = await runAll(jobs, signal, (fraction) =>
    progress.show({ count: fraction * jobs.length * days, fraction, text: "serving and learning" }),
  );
  progress.end();

  const rows: Row[] = [];
  const watched = new Map<Contestant, number[]>();
  const lines = CONTESTANTS.map((contestant) => {
    const results = outcomes.filter((_, i) => jobs[i]!.contestant === contestant).map(({ result }) => result);
    const cells = METRICS.map(({ metric, unit, of }, i) => {
      const interval = meanInterval(results.map(of));
      if (i === 0) watched.set(contestant, results.map(of));
      rows.push({ suite: "recommender", case: `livesim/${contestant}`, metric, unit, ...interval, seeds });
      return cell(interval, i === 0 ? 2 : 3);
    });
    return [TITLES[contestant], ...cells];
  });
  print(`${table(["policy", ...METRICS.map(({ title }) => title)], lines)}\n`, options.json);
  const decisions = outcomes.reduce((sum, { result }) => sum + result.requests, 0);
  print(
    `mean [95 % interval] of ${seeds.length} seeds; ${decisions} slates in ${progress.seconds.toFixed(1)} s\n`,
    options.json,
  );
  if (options.json) writeRows(options.json, rows);
  return report(watched, options.json);
}

/**
 * Prints the DQN's gain over each other contestant, world by world, as all of them serve the same viewers and streams.
 * Returns whether its interval lies above the intervals of random and most popular.
 */
function report(watched: ReadonlyMap<Contestant, number[]>, json: string | undefined): boolean {
  const own = watched.get("dqn")!;
  const { lo } = meanInterval(own);
  for (const name of CONTESTANTS) {
    if (name === "dqn" || name.endsWith("-oracle")) continue;
    const gains = watched.get(name)!.map((value, i) => 100 * (own[i]! / value - 1));
    print(`watch time of the DQN over ${TITLES[name]}, world by world: ${cell(meanInterval(gains), 0)} %\n`, json);
  }
  return (["random", "popular"] as const).every((name) => lo > meanInterval(watched.get(name)!).hi);
}
