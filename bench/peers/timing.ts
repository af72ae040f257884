/** How peers are warmed up, and how many samples each gives. */
import { type Probe, sampleInTurn } from "../harness/rounds.js";
import type { Context } from "../harness/suite.js";
import { spreadOf } from "../harness/timing.js";
import type { PeerProcess } from "./process.js";

export const METRICS = ["train", "act", "act64"] as const;
export type Metric = (typeof METRICS)[number];

/** How long and how often peers are measured. */
export interface Effort {
  /** Milliseconds before the first sample of each peer, for compilers that warm up. */
  warmup: number;
  /** Milliseconds of a sample, which is at least one call. */
  sample: number;
  rounds: number;
  /** Milliseconds for all samples of a slow peer, which sits out some rounds. */
  budget: number;
}

export const EFFORT: Effort = { warmup: 2000, sample: 50, rounds: 31, budget: 8000 };
export const QUICK: Effort = { warmup: 300, sample: 20, rounds: 5, budget: 1000 };

/** A call as slow as this is its own first sample. */
const SLOW_MS = 5000;
const FEWEST = 3;
/** Samples by which the fastest form of a peer is found. */
const TRIALS = 5;
/** Calls as slow as this need no trial. */
const TRIAL_MS = 300;

/** A peer that is warm for a metric. */
export interface Runner {
  peer: PeerProcess;
  /** Microseconds of one call. */
  estimate: number;
  /** A sample already taken, where a call is as slow as a sample. */
  taken: number[];
}

async function measure(peer: PeerProcess, metric: Metric, count: number): Promise<number> {
  return (await peer.ask(`${metric} ${count}`)).us / count;
}

/** @throws Error where it fails, though it has passed its check. */
export async function warm(peer: PeerProcess, metric: Metric, { warmup, sample }: Effort): Promise<Runner> {
  let count = 1;
  let spent = 0;
  let estimate = 0;
  while (spent < warmup) {
    estimate = await measure(peer, metric, count);
    const took = (estimate * count) / 1000;
    spent += took;
    if (took < sample) count *= 2;
  }
  return { peer, estimate, taken: estimate >= 1000 * SLOW_MS ? [estimate] : [] };
}

const countOf = ({ estimate }: Runner, { sample }: Effort) => Math.max(1, Math.ceil((1000 * sample) / estimate));

/** How many rounds a peer takes part in. */
export function roundsOf({ estimate, taken }: Runner, effort: Effort): number {
  if (taken.length > 0) return 0;
  const affordable = Math.floor((1000 * effort.budget) / estimate);
  return Math.min(effort.rounds, Math.max(FEWEST, affordable));
}

/** A runner as a probe: its samples are microseconds of one call. */
export function probeOf(name: string, runner: Runner, metric: Metric, effort: Effort): Probe {
  const { peer, taken } = runner;
  const count = countOf(runner, effort);
  return {
    name,
    metrics: [{ metric: "median_us", unit: "us" }],
    prepare: () => ({
      samples: roundsOf(runner, effort),
      taken: taken.map((us) => [us]),
      sample: async () => [await measure(peer, metric, count)],
    }),
  };
}

/** The fastest of the forms of a peer. */
export async function fastest(
  runners: readonly Runner[],
  metric: Metric,
  effort: Effort,
  context: Context,
): Promise<Runner> {
  const quickest = runners.reduce((best, runner) => (runner.estimate < best.estimate ? runner : best));
  if (runners.length === 1 || quickest.estimate >= 1000 * TRIAL_MS) return quickest;
  const trials = runners.map((runner, i) => probeOf(`${i}`, { ...runner, taken: [] }, metric, effort));
  const series = await sampleInTurn(trials, TRIALS, context);
  if (series.length === 0) return quickest;
  const best = series.reduce((a, b) => (spreadOf(b.values).median < spreadOf(a.values).median ? b : a));
  return runners[Number(best.name)]!;
}
