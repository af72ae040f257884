/** Samples that go round all peers, so that a slow spell of the machine falls on all of them alike. */
import type { PeerProcess } from "./process.js";

export const METRICS = ["train", "act", "act64"] as const;
export type Metric = (typeof METRICS)[number];

/** How long and how often it is measured. */
export interface Effort {
  /** Milliseconds before the first sample of each peer, for compilers that warm up. */
  warmup: number;
  /** Milliseconds of a sample, which is at least one call. */
  sample: number;
  rounds: number;
  /** Milliseconds of all samples of a slow peer, which is left out of some rounds. */
  budget: number;
}

export const EFFORT: Effort = { warmup: 2000, sample: 50, rounds: 31, budget: 8000 };
export const QUICK: Effort = { warmup: 300, sample: 20, rounds: 5, budget: 1000 };

/** A call as slow as this is its own first sample. */
const SLOW_MS = 5000;
const FEWEST = 3;
/** Samples by which the forms of one peer are told apart. */
const TRIALS = 5;
/** Calls as slow as this need no trial. */
const TRIAL_MS = 300;

/** A peer that is warm for a metric. */
export interface Runner {
  peer: PeerProcess;
  /** Microseconds of one call. */
  estimate: number;
  samples: number[];
  /** How it failed after it had passed its check. */
  fault?: string;
}

async function measure(peer: PeerProcess, metric: Metric, count: number): Promise<number> {
  return (await peer.ask(`${metric} ${count}`)).us / count;
}

export async function warm(peer: PeerProcess, metric: Metric, { warmup, sample }: Effort): Promise<Runner> {
  let count = 1;
  let spent = 0;
  let estimate = 0;
  try {
    while (spent < warmup) {
      estimate = await measure(peer, metric, count);
      const took = (estimate * count) / 1000;
      spent += took;
      if (took < sample) count *= 2;
    }
  } catch (error) {
    return { peer, estimate, samples: [], fault: (error as Error).message };
  }
  return { peer, estimate, samples: estimate >= 1000 * SLOW_MS ? [estimate] : [] };
}

const countOf = ({ estimate }: Runner, { sample }: Effort) => Math.max(1, Math.ceil((1000 * sample) / estimate));

/** How many rounds a peer takes part in. */
export function roundsOf({ estimate, samples }: Runner, effort: Effort): number {
  if (samples.length > 0) return 0;
  const affordable = Math.floor((1000 * effort.budget) / estimate);
  return Math.min(effort.rounds, Math.max(FEWEST, affordable));
}

/** Takes the samples of all runners. */
export async function interleave(runners: readonly Runner[], metric: Metric, effort: Effort): Promise<void> {
  const { rounds } = effort;
  const shares = runners.map((runner) => roundsOf(runner, effort));
  for (let round = 0; round < rounds; round++) {
    for (const [i, runner] of runners.entries()) {
      const taken = shares[i]!;
      if (Math.floor(((round + 1) * taken) / rounds) === Math.floor((round * taken) / rounds)) continue;
      if (runner.fault !== undefined) continue;
      try {
        runner.samples.push(await measure(runner.peer, metric, countOf(runner, effort)));
      } catch (error) {
        runner.fault = (error as Error).message;
      }
    }
  }
}

/** The fastest of the forms of a peer. */
export async function fastest(runners: readonly Runner[], metric: Metric, effort: Effort): Promise<Runner> {
  const quickest = runners.reduce((best, runner) => (runner.estimate < best.estimate ? runner : best));
  if (quickest.estimate >= 1000 * TRIAL_MS) return quickest;
  const trials = runners.map((runner) => ({ ...runner, samples: [] as number[] }));
  await interleave(trials, metric, { ...effort, rounds: TRIALS });
  const medians = trials.map(({ samples }) => median(samples));
  return runners[medians.indexOf(Math.min(...medians))]!;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
