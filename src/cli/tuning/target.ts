import type { SimulationResult } from "../../simulator/index.js";
import { type Interval, meanInterval, Tally } from "../../statistics/index.js";
import type { SearchSpace } from "../../training/index.js";
import type { FilmTask, Judged, LogFiles, LogTask, Task, Who, WorldTask } from "../jobs/tasks.js";
import { UsageError } from "../reading/arguments.js";
import { checkRanker, checkRecommender, type JsonOptions } from "../reading/options.js";
import { entriesOf } from "./fit.js";

/** A part of a trial: a task of its own. */
export interface Part {
  /** Unique in the trial; the trials' file names parts by it. */
  name: string;
  task: (who: Who) => Task;
}

/** What options are tuned for. */
export interface Target {
  /** The space that is searched unless there is a file. */
  space: SearchSpace;
  metric: string;
  title: string;
  /** What is independent. */
  unit: "users" | "worlds";
  /** Where trials are judged, and where the winner is once more. */
  judgedOn: string;
  checkedOn: string;
  /** What two runs must share for one to use the other's trials, beside the data. */
  setting: Readonly<Record<string, unknown>>;
  /** @throws TypeError or RangeError for options that the learner does not take. */
  check: (options: JsonOptions) => void | Promise<void>;
  parts: (budget: number) => Part[];
  checks: () => Part[];
}

const RECOMMENDER_SPACE: SearchSpace = {
  gamma: { min: 0.5, max: 0.99 },
  "learner.learningRate": { min: 1e-4, max: 3e-3, log: true },
  "learner.batchSize": [32, 64, 128],
  "learner.hidden": [[32], [64], [64, 32]],
  "learner.loss": ["squared", "huber"],
  updatesPerTrain: [1, 2, 4],
  features: ["core", "default"],
};

const RANKER_SPACE: SearchSpace = {
  gamma: { min: 0, max: 0.9 },
  learningRate: { min: 3e-4, max: 3e-3, log: true },
  epochs: [1, 2, 3],
  hard: [0, 2, 4, 8],
  trainEvery: [20, 40, 80],
  "learner.hidden": [[32], [64, 32], [128, 64]],
};

/** Shares of the time of a log that trials learn from, and are judged on; the rest checks the winner. Set by hand. */
const [LEARN, JUDGE] = [0.7, 0.15] as const;

/**
 * A log: learned from until 70 % of its decisions, judged on the clicks until 85 %; the winner is checked on the rest, with
 * all before it to learn from. A part of the budget is the latest decisions that teach.
 * @throws Error for a log without decisions.
 */
export async function logTarget(
  files: LogFiles,
  { k, seed }: { k: number; seed: number },
  signal: AbortSignal,
): Promise<Target> {
  const times: number[] = [];
  for await (const { entry } of entriesOf(files, signal)) if ("slate" in entry) times.push(entry.time);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(Math.floor(share * times.length), times.length - 1)]!;
  const [judge, check] = [at(LEARN), at(LEARN + JUDGE)];
  if (times.length < 20 || !(check > judge && at(1) > check)) {
    throw new Error(
      `${files.events.join(", ")}: must hold at least 20 decisions over time (impressions that name one, or "--decisions"), got ${times.length}`,
    );
  }
  const task =
    (cuts: LogTask["cuts"]) =>
    (who: Who): LogTask => ({ kind: "log", ...files, who, seed, k, cuts });
  return {
    ...{ space: { ...RECOMMENDER_SPACE, "learner.cqlAlpha": [0, 0.1, 1] }, metric: `ndcg_at_${k}`, title: `NDCG@${k}` },
    ...{ unit: "users", judgedOn: "the 15 % of decisions after the training part" },
    ...{ checkedOn: "the last 15 % of decisions, which no trial has seen", setting: { target: "log", k, seed } },
    check: checkRecommender,
    parts: (budget) => [{ name: `of ${budget.toFixed(4)}`, task: task([at(LEARN * (1 - budget)), judge, check]) }],
    checks: () => [{ name: "check", task: task([at(0), check, Number.MAX_VALUE]) }],
  };
}

/** MovieLens: judged by each user's last but one item, checked by the last. A part of the budget is a share of the users. */
export function filmTarget(folder: string, { k, seed }: { k: number; seed: number }): Target {
  const task =
    (share: number, isLast: boolean) =>
    (who: Who): FilmTask => {
      return { kind: "films", folder, who, seed, k, share, isLast };
    };
  return {
    ...{ space: RANKER_SPACE, metric: `ndcg_at_${k}`, title: `NDCG@${k}`, unit: "users" },
    ...{ judgedOn: "each user's last but one item", checkedOn: "each user's last item, which no trial has seen" },
    ...{ setting: { target: "films", k, seed }, check: checkRanker },
    parts: (budget) => [{ name: `of ${budget.toFixed(4)}`, task: task(budget, false) }],
    checks: () => [{ name: "check", task: task(1, true) }],
  };
}

export interface WorldOptions {
  viewers: number;
  streamers: number;
  days: number;
  slate: number;
  seeds: number;
  firstSeed: number;
}

/** Added to the seeds of worlds that check the winner. */
const CHECKS = 1_000_000;

/** Generated worlds: judged by watch time, checked in as many others. A part of the budget is a part of the worlds. */
export function worldTarget({ seeds, firstSeed, ...size }: WorldOptions): Target {
  const platform = { ...size, warmupDays: Math.floor(size.days / 2) };
  const worlds = (first: number, count: number, name: string) =>
    Array.from({ length: count }, (_, i): Part => {
      const seed = first + i;
      const task = (who: Who): WorldTask => {
        const own = who === "popular" ? { contestant: who } : { contestant: "dqn" as const, options: who };
        return { kind: "world", platform: { ...platform, seed }, ...own };
      };
      return { name: `${name} ${seed}`, task };
    });
  return {
    ...{ space: RECOMMENDER_SPACE, metric: "watch_min_per_user_day", title: "watch time", unit: "worlds" },
    ...{ judgedOn: `${seeds} worlds`, checkedOn: `${seeds} other worlds, which no trial has seen` },
    ...{ setting: { target: "worlds", ...platform }, check: checkRecommender },
    parts: (budget) => worlds(firstSeed, Math.max(1, Math.ceil(budget * seeds - 1e-9)), "world"),
    checks: () => worlds(firstSeed + CHECKS, seeds, "world"),
  };
}

/** What a task measured. */
export function judgedOf(task: Task, result: unknown): Judged {
  if (task.kind !== "world") return result as Judged;
  const { watchMinutesPerViewerDay } = result as SimulationResult;
  return { sums: [[task.platform.seed, watchMinutesPerViewerDay, 1]] };
}

/** The value of a trial, from all its parts. */
export function meanOf(sums: Judged["sums"]): number {
  const [amount, of] = sums.reduce(([a, b], [, amount, of]) => [a + amount, b + of], [0, 0]);
  return amount / of;
}

function tallyOf(sums: Judged["sums"]): Tally {
  const tally = new Tally(["value"]);
  for (const [group, amount, of] of sums) tally.add(group, 0, 1, amount, of);
  return tally;
}

/** The value of a trial with its interval. */
export function figureOf(sums: Judged["sums"], unit: Target["unit"]): Interval {
  if (unit === "worlds") return meanInterval(sums.map(([, amount]) => amount));
  return tallyOf(sums).figures()[0]!;
}

/** How far one is above another on the same users or worlds: a difference, and the other's value. */
export function pairedOf(
  own: Judged["sums"],
  other: Judged["sums"],
  unit: Target["unit"],
): Interval & { base: number } {
  if (unit === "users") {
    const { value, lo, hi, n } = tallyOf(own).minus(tallyOf(other))[0]!;
    return { value, lo, hi, n, base: meanOf(other) };
  }
  const its = new Map(other.map(([world, amount]) => [world, amount]));
  const gains = own.map(([world, amount]) => amount / its.get(world)! - 1);
  return { ...meanInterval(gains), base: 1 };
}

/** @throws UsageError that names the path in the space for a value that the learner does not take. */
export async function requireTaken(
  space: SearchSpace,
  target: Target,
  nest: (point: object) => JsonOptions,
): Promise<void> {
  for (const [name, values] of Object.entries(space)) {
    const tried = Array.isArray(values) ? values : [(values as { min: number }).min, (values as { max: number }).max];
    for (const value of tried) {
      try {
        await target.check(nest({ [name]: value }));
      } catch (error) {
        throw new UsageError(`the search space's ${JSON.stringify(name)}: ${(error as Error).message}`);
      }
    }
  }
}
