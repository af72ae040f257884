import { readMovieLens } from "../../src/cli/reading/movielens.js";
import {
  evaluateRanking,
  hitRate,
  ndcg,
  placeHeldOut,
  type Ranker,
  type RankingProtocol,
  reciprocalRank,
} from "../../src/evaluation/ranking.js";
import type { MovieLens } from "../../src/logs/datasets/movielens.js";
import { type InteractionSplit, leaveLastOut, userHistories } from "../../src/logs/index.js";
import { defaultRankerFeatures, type RankerFeatureGroup } from "../../src/ranking/dqn/groups.js";
import { type DqnRankerOptions, trainDqnRanker } from "../../src/ranking/dqn/ranker.js";
import { Ease } from "../../src/ranking/ease.js";
import { ItemKnn } from "../../src/ranking/itemknn.js";
import { ItemPop } from "../../src/ranking/itempop.js";
import { arithmeticMean, bootstrapInterval } from "../../src/statistics/intervals.js";
import type { Goal } from "../harness/goals.js";
import type { Result } from "../harness/suite.js";

const K = 10;
const FULL: RankingProtocol = { kind: "full" };
const SAMPLED: RankingProtocol = { kind: "sampled", negatives: 99, seed: 1 };
const METRICS = ["hr_at_10", "ndcg_at_10", "mrr", "hr_at_10_sampled_99", "ndcg_at_10_sampled_99"] as const;
/** Of the reported ranker. */
const SEEDS = [1, 2];

/** The ranker finds a user's last film among its first ten for one user in five. */
export const RANKER_GOALS: readonly Goal[] = [{ case: /^ml-100k\/dqn$/, metric: "hr_at_10", atLeast: 0.2 }];

/** A setting of the ranker that was tried on earlier items. */
export interface RankerTrial {
  name: string;
  options: DqnRankerOptions;
}

/** What needs no pairs of items. */
const ALONE = ["popularity", "factors", "genres", "year", "rating"] as const;

/**
 * What was tried on the last but one interactions, in this order: groups of features one after the other, each beside
 * those that had raised NDCG@10; then what counts as near.
 */
export const RANKER_TRIALS: readonly RankerTrial[] = [
  trial("items-alone", []),
  trial("overlap", ["overlap"]),
  trial("overlap+nearness", ["overlap", "nearness"]),
  trial("overlap+order", ["overlap", "order"]),
  trial("overlap+nearness+order", ["overlap", "nearness", "order"]),
  trial("overlap+order, window 50, decay .95", ["overlap", "order"], 50, 0.95),
  trial("overlap+order, window 5, decay .7", ["overlap", "order"], 5, 0.7),
  trial("overlap+order+pace", ["overlap", "order", "pace"]),
  trial("overlap+order+trend", ["overlap", "order", "trend"]),
  trial("overlap+order+moment", ["overlap", "order", "moment"]),
  trial("overlap+order+ease", ["overlap", "order", "ease"]),
];

function trial(name: string, more: readonly RankerFeatureGroup[], window = 20, decay = 0.9): RankerTrial {
  return { name, options: { features: [...ALONE, ...more], window, decay } };
}

/** By metric, of each user: how a ranker places the held-out items. */
function judge(ranker: Ranker, { train, test }: InteractionSplit): Float64Array[] {
  const full = placeHeldOut(ranker, train, test, FULL);
  const sampled = placeHeldOut(ranker, train, test, SAMPLED);
  return [hitRate(full, K), ndcg(full, K), reciprocalRank(full), hitRate(sampled, K), ndcg(sampled, K)];
}

/** What a trained ranker reached: by metric, of each user; and its coverage of the catalogue. */
interface JudgedDqn {
  values: Float64Array[];
  coverage: Omit<Result, "metric" | "unit">;
}

async function judgeDqn({ items }: MovieLens, split: InteractionSplit, options: DqnRankerOptions): Promise<JudgedDqn> {
  const ranker = await trainDqnRanker({ train: split.train, items }, options);
  const values = judge(ranker, split);
  const { coverage } = evaluateRanking(ranker, split.train, split.test, FULL, K);
  ranker.dispose();
  return { values, coverage: coverage! };
}

/** Of the default options by seed: cases that run in one process train it once. */
const judgedBySeed = new Map<number, JudgedDqn>();

async function judgeDefault(data: MovieLens, split: InteractionSplit, seed: number): Promise<JudgedDqn> {
  const judged = judgedBySeed.get(seed) ?? (await judgeDqn(data, split, { seed }));
  judgedBySeed.set(seed, judged);
  return judged;
}

/** Means, place by place, of arrays of the same length. */
function meansOf(lists: readonly Float64Array[]): Float64Array {
  return lists[0]!.map((_, i) => arithmeticMean(lists.map((list) => list[i]!)));
}

/** The rows of a ranker, each with its interval over users. */
function rowsOf(name: string, values: readonly Float64Array[], seeds: readonly number[]): Result[] {
  return METRICS.map((metric, m) => ({
    case: name,
    metric,
    unit: "1",
    ...bootstrapInterval(values[m]!),
    seeds: [...seeds],
  }));
}

/** One ranker's lead over another, user by user. */
function leads(a: readonly Float64Array[], b: readonly Float64Array[]): Float64Array[] {
  return a.map((values, m) => values.map((value, user) => value - b[m]![user]!));
}

/** How a setting places the last but one interactions; the last ones are taken away before anything is read of them. */
export async function rankerTrialRows(dir: string, { name, options }: RankerTrial): Promise<Result[]> {
  const data = await readMovieLens(dir);
  const earlier = leaveLastOut(leaveLastOut(data.ratings).train);
  const { values } = await judgeDqn(data, earlier, { ...options, seed: 1 });
  return rowsOf(`ml-100k-tuning/${name}`, values, [1]).slice(0, 3);
}

/** How the ranker and others place the last interactions: `ml-100k/NAME`, and the leads over ItemPop, user by user. */
export async function rankerRows(dir: string): Promise<Result[]> {
  const data = await readMovieLens(dir);
  const split = leaveLastOut(data.ratings);
  const { train, test } = split;
  const judged: JudgedDqn[] = [];
  for (const seed of SEEDS) judged.push(await judgeDefault(data, split, seed));
  const values = METRICS.map((_, m) => meansOf(judged.map((one) => one.values[m]!)));
  const popular = judge(new ItemPop(train), split);
  const rows: Result[] = [];
  for (const ranker of [new ItemPop(train), new ItemKnn(train), new Ease(train)]) {
    const { coverage } = evaluateRanking(ranker, train, test, FULL, K);
    rows.push(...rowsOf(`ml-100k/${ranker.name}`, judge(ranker, split), [1]), covered(ranker.name, coverage!));
  }
  rows.push(...rowsOf("ml-100k/dqn", values, SEEDS), covered("dqn", judged[0]!.coverage));
  rows.push(...rowsOf("ml-100k/dqn-above-itempop", leads(values, popular), SEEDS));
  const shared = sharesItsTime(split);
  for (const [name, wanted] of [
    ["last-alone", 0],
    ["last-shared", 1],
  ] as const) {
    const part = values.map((each) => each.filter((_, t) => shared[t] === wanted));
    rows.push(...rowsOf(`ml-100k/dqn/${name}`, part, SEEDS).slice(0, 3));
  }
  return rows;
}

function covered(name: string, coverage: Omit<Result, "metric" | "unit">): Result {
  return { case: `ml-100k/${name}`, metric: "catalogue_coverage_at_10", unit: "1", ...coverage };
}

/** Of each held-out interaction: whether the user had others at the same time, so that the order of the file picked it. */
function sharesItsTime({ train, test }: InteractionSplit): Uint8Array {
  const { start, event } = userHistories(train);
  return Uint8Array.from(test.user, (user, t) => {
    const before = event[start[user + 1]! - 1];
    return before !== undefined && start[user]! < start[user + 1]! && train.time[before] === test.time[t] ? 1 : 0;
  });
}

/** How much more the ranker has on the last interactions with a group of features than without it, user by user. */
export async function rankerGroupRows(dir: string, group: RankerFeatureGroup): Promise<Result[]> {
  const data = await readMovieLens(dir);
  const split = leaveLastOut(data.ratings);
  const whole = await judgeDefault(data, split, 1);
  const features = defaultRankerFeatures.filter((name) => name !== group);
  const { values } = await judgeDqn(data, split, { features, seed: 1 });
  return [
    ...rowsOf(`ml-100k-groups/without-${group}`, values, [1]).slice(0, 2),
    ...rowsOf(`ml-100k-groups/${group}-brings`, leads(whole.values, values), [1]).slice(0, 2),
  ];
}
