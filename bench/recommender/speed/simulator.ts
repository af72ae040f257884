/**
 * Speed and memory of the simulator, by the number of viewers. Seconds are of processor time, so that other work on the
 * machine hardly counts.
 */
import { cpuUsage } from "node:process";
import { RandomPolicy } from "../../../src/baselines/index.js";
import { DAY } from "../../../src/protocol/index.js";
import { Platform, type PlatformOptions } from "../../../src/simulator/index.js";
import type { Result } from "../../harness/suite.js";
import { liveBytes } from "./memory.js";
import { type Measured, REPEATS, repeatedRows } from "./repeats.js";

export interface SimulatorOptions {
  viewers: readonly number[];
  streamers: number;
  /** Simulated days that are timed, after one that fills the platform. */
  days: number;
  /** How many worlds of each size, at least 6. */
  worlds: number;
}

export const SIMULATOR: SimulatorOptions = {
  viewers: [1_000, 10_000, 100_000],
  streamers: 10_000,
  days: 1,
  worlds: REPEATS,
};

function measure(seed: number, viewers: number, { streamers, days }: SimulatorOptions): Measured[] {
  const before = liveBytes();
  const platform = new Platform(new RandomPolicy(seed), { ...size(viewers, streamers, days), seed });
  platform.advance(DAY);
  const warm = platform.metrics().events;
  const start = cpuUsage();
  platform.advance((1 + days) * DAY);
  const { user, system } = cpuUsage(start);
  const seconds = (user + system) / 1e6;
  const { events, requests } = platform.metrics();
  const used = (liveBytes() - before) / 1e6;
  return [
    ["events_per_second", (events - warm) / seconds, "1/s"],
    ["events", events - warm, "1"],
    ["requests", requests, "1"],
    ["memory", used, "MB"],
  ];
}

/** Metrics that count from the end of the first day, as the timing does. */
function size(viewers: number, streamers: number, days: number): Partial<PlatformOptions> {
  return { viewers, streamers, days: days + 1, warmupDays: 1 };
}

/** Events a second and megabytes at each number of viewers. */
export function measureSimulator(options: SimulatorOptions = SIMULATOR): Result[] {
  return options.viewers.flatMap((viewers) => {
    const worlds = Array.from({ length: options.worlds }, (_, i) => measure(i + 1, viewers, options));
    return repeatedRows(`simulator/${viewers}-viewers-${options.streamers}-streamers`, worlds);
  });
}
