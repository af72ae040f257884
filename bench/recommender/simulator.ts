/**
 * How fast the simulator is, and how much memory it takes, by the number of viewers. Seconds are of processor time, which
 * says what one core does whatever else the machine is busy with.
 */
import { cpuUsage, memoryUsage } from "node:process";
import type { Row } from "../../src/cli/results.js";
import { Platform, type PlatformOptions, RandomPolicy } from "../../src/recommender/index.js";
import { SUITE } from "./part.js";

const DAY = 86_400_000;

export interface SimulatorOptions {
  viewers: readonly number[];
  streamers: number;
  /** Simulated days that are timed, after one that fills the platform. */
  days: number;
}

export const SIMULATOR: SimulatorOptions = { viewers: [1_000, 10_000, 100_000], streamers: 10_000, days: 1 };

/** Megabytes in use. Where garbage can be collected on demand (`node --expose-gc`) it is, and the figure is exact. */
function memory(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

function measure(viewers: number, { streamers, days }: SimulatorOptions): Row[] {
  const common = { suite: SUITE, case: `simulator/${viewers}-viewers-${streamers}-streamers` };
  const before = memory();
  const platform = new Platform(new RandomPolicy(1), size(viewers, streamers, days));
  platform.advance(DAY);
  const warm = platform.metrics().events;
  const start = cpuUsage();
  platform.advance((1 + days) * DAY);
  const { user, system } = cpuUsage(start);
  const seconds = (user + system) / 1e6;
  const { events, requests } = platform.metrics();
  const used = memory() - before;
  return [
    { ...common, metric: "events_per_second", value: (events - warm) / seconds, unit: "1/s" },
    { ...common, metric: "events", value: events - warm, unit: "1" },
    { ...common, metric: "requests", value: requests, unit: "1" },
    { ...common, metric: "memory", value: used, unit: "MB" },
  ];
}

/** Metrics that count from the end of the first day, as the timing does. */
function size(viewers: number, streamers: number, days: number): Partial<PlatformOptions> {
  return { viewers, streamers, days: days + 1, warmupDays: 1 };
}

/** Events a second and megabytes at each number of viewers. */
export function measureSimulator(options: SimulatorOptions = SIMULATOR): Row[] {
  return options.viewers.flatMap((viewers) => measure(viewers, options));
}
