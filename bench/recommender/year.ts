/**
 * A year of a platform whose viewers come and go: whether what the recommender earns, what it values, its memory and its
 * time a request stay as they are. Each world is cut into quarters of 91 days.
 */

import { DAY } from "../../src/protocol/index.js";
import { type Decision, type Policy, Recommender, type Request } from "../../src/recommender/index.js";
import { Platform, type PlatformOptions } from "../../src/simulator/index.js";
import { meanInterval, quantile } from "../../src/statistics/intervals.js";
import type { Goal } from "../harness/goals.js";
import type { Result } from "../harness/suite.js";
import { liveBytes } from "./speed/memory.js";

/** Viewers who are lost are replaced after a fortnight: in a year most of the first ones are gone. */
const WORLD: Partial<PlatformOptions> = { viewers: 150, streamers: 240 };
const QUARTERS = 4;
const QUARTER_DAYS = 91;
const WORLDS = [201, 202, 203, 204];

/** Figures of one quarter in one world, by metric. */
type Figures = Record<string, { value: number; unit: string }>;

/** A recommender whose requests are timed, in CPU time. */
class Timed implements Policy {
  readonly name = "dqn";
  readonly recommender: Recommender;
  cpu: number[] = [];
  values = 0;
  shown = 0;

  constructor(seed: number) {
    this.recommender = new Recommender({ seed });
  }

  recommend(request: Request): Decision {
    const from = process.cpuUsage();
    const decision = this.recommender.recommend(request);
    const { user, system } = process.cpuUsage(from);
    this.cpu.push(user + system);
    for (const value of decision.scores ?? []) this.values += value;
    this.shown += decision.slate.length;
    return decision;
  }

  feedback: Policy["feedback"] = (...given) => this.recommender.feedback(...given);
}

/** What is counted since the start of a run. */
function countsOf(platform: Platform, days: number, viewers: number) {
  const { watchMinutesPerViewerDay, sessionsPerViewerDay, newcomers } = platform.metrics();
  return {
    minutes: watchMinutesPerViewerDay * days * viewers,
    sessions: sessionsPerViewerDay * days * viewers,
    newcomers,
  };
}

/** Bytes that a loaded recommender takes outside the memory of its agent, which is constant. */
function bytesOf(file: Uint8Array): number {
  const before = liveBytes();
  const loaded = Recommender.load(file);
  const bytes = liveBytes() - before;
  loaded.dispose();
  return bytes;
}

/** The figures of each quarter of one world. */
function quartersOf(seed: number, world: Partial<PlatformOptions>, quarterDays: number): Figures[] {
  const days = QUARTERS * quarterDays;
  const timed = new Timed(seed);
  const platform = new Platform(timed, { ...WORLD, ...world, days, seed });
  const { viewers } = platform.options;
  let before = { minutes: 0, sessions: 0, newcomers: 0 };
  const quarters = Array.from({ length: QUARTERS }, (_, quarter): Figures => {
    const until = (quarter + 1) * quarterDays;
    Object.assign(timed, { cpu: [], values: 0, shown: 0 });
    platform.advance(until * DAY);
    const now = countsOf(platform, until, viewers);
    const { users, onAir, pending } = timed.recommender.stats();
    const { qMean = Number.NaN, lossMean = Number.NaN } = timed.recommender.agentStats() ?? {};
    const of = (value: number, unit: string) => ({ value, unit });
    const figures = {
      watch_min_per_user_day: of((now.minutes - before.minutes) / viewers / quarterDays, "min"),
      sessions_per_user_day: of((now.sessions - before.sessions) / viewers / quarterDays, "1"),
      newcomers: of(now.newcomers - before.newcomers, "users"),
      satisfaction: of(platform.result().satisfaction, "1"),
      shown_value: of(timed.values / timed.shown, "1"),
      q_mean: of(qMean, "1"),
      loss_mean: of(lossMean, "1"),
      request_cpu_p50_us: of(quantile(Float64Array.from(timed.cpu).sort(), 0.5), "us"),
      users: of(users, "users"),
      on_air: of(onAir, "streams"),
      pending: of(pending, "decisions"),
      state_bytes: of(bytesOf(timed.recommender.save()), "B"),
    };
    before = now;
    return figures;
  });
  timed.recommender.dispose();
  return quarters;
}

/** What must stay: the last quarter beside the second, as the first has the learning from nothing. */
const FLAT = ["watch_min_per_user_day", "sessions_per_user_day", "shown_value", "request_cpu_p50_us"];

export const YEAR_GOALS: readonly Goal[] = [
  { case: /^year\/flat$/, metric: "watch_min_per_user_day_ratio", atLeast: 0.9 },
  { case: /^year\/flat$/, metric: "sessions_per_user_day_ratio", atLeast: 0.9 },
  { case: /^year\/flat$/, metric: "shown_value_ratio", atMost: 1.25 },
  { case: /^year\/flat$/, metric: "request_cpu_p50_us_ratio", atMost: 1.25 },
  { case: /^year\/flat$/, metric: "bytes_a_known_user_ratio", atMost: 1.25 },
];

/**
 * Rows of each quarter, and of the last beside the second.
 * @param sizes - For tests: shorter and fewer than are worth a figure.
 */
export function measureYear(
  say: (text: string) => void,
  { seeds = WORLDS, world = {} as Partial<PlatformOptions>, quarterDays = QUARTER_DAYS } = {},
): Result[] {
  const worlds = seeds.map((seed, i) => {
    const quarters = quartersOf(seed, world, quarterDays);
    say(`${i + 1} of ${seeds.length} worlds`);
    return quarters;
  });
  const rows = Array.from({ length: QUARTERS }, (_, quarter) =>
    Object.entries(worlds[0]![quarter]!).map(([metric, { unit }]): Result => {
      const values = worlds.map((quarters) => quarters[quarter]![metric]!.value);
      return { case: `year/quarter-${quarter + 1}`, metric, unit, seeds, ...meanInterval(values) };
    }),
  ).flat();
  const perUser = ({ state_bytes, users }: Figures) => state_bytes!.value / users!.value;
  const ratioOf = (metric: string, of: (figures: Figures) => number): Result => {
    const ratios = worlds.map((quarters) => of(quarters[QUARTERS - 1]!) / of(quarters[1]!));
    return { case: "year/flat", metric: `${metric}_ratio`, unit: "x", seeds, ...meanInterval(ratios) };
  };
  const flat = FLAT.map((metric) => ratioOf(metric, (figures) => figures[metric]!.value));
  return [...rows, ...flat, ratioOf("bytes_a_known_user", perUser)];
}
