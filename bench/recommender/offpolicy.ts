/** Whether the decisions of one policy foresee what another one earns: on the simulator, and on Open Bandit records. */
import { createReadStream, existsSync } from "node:fs";
import type { Row } from "../../src/cli/results.js";
import {
  type BanditLog,
  collectBandit,
  evaluateBandit,
  type Figure,
  itemShares,
  mean,
  meanInterval,
  OffPolicyLog,
  type OffPolicyOptions,
  type Policy,
  PopularPolicy,
  RandomPolicy,
  Recommender,
  readOpenBandit,
  simulate,
  type TargetPolicy,
  wilsonInterval,
} from "../../src/recommender/index.js";
import { SUITE } from "./part.js";

type Both = Policy & TargetPolicy;
type Reward = OffPolicyOptions["reward"];

/** The most watched streams, from which it departs now and then: a recommender that never learns. */
function explorer(epsilon: number, seed: number): Both {
  return new Recommender({ seed, trainEvery: 0, warmupUpdates: Number.MAX_SAFE_INTEGER, explore: { epsilon } });
}

interface Pair {
  name: string;
  slate: number;
  logging: (seed: number) => Both;
  target: (seed: number) => Both;
  /** Of which it is asked that they are right: those that hold for users who read from the top. */
  judged: readonly string[];
}

const PAIRS: readonly Pair[] = [
  {
    name: "random-to-popular-1",
    slate: 1,
    logging: (seed) => new RandomPolicy(seed),
    target: () => new PopularPolicy(),
    judged: ["ips", "snips", "dr", "sndr"],
  },
  {
    name: "explore-.5-to-.1-3",
    slate: 3,
    logging: (seed) => explorer(0.5, seed),
    target: (seed) => explorer(0.1, seed + 100),
    judged: ["ips", "snips", "rips", "snrips", "dr", "sndr"],
  },
  {
    name: "explore-.3-to-.6-6",
    slate: 6,
    logging: (seed) => explorer(0.3, seed),
    target: (seed) => explorer(0.6, seed + 100),
    judged: ["ips", "snips", "rips", "snrips", "dr", "sndr"],
  },
];

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const PLATFORM = { viewers: 300, streamers: 200, days: 5 };
const REWARDS: readonly Reward[] = ["click", "watch"];
/** Of everything that is no estimate. */
const ABOUT = ["logged", "ess", "mean_weight", "clipped_share"];

/** By reward, what the log of a policy says of another one. */
function evaluated(logging: Both, target: () => Both, slate: number, seed: number): Record<Reward, Figure[]> {
  const logs = REWARDS.map((reward) => new OffPolicyLog(target(), { reward }));
  const hooks = {
    onDecision: (decision: Parameters<OffPolicyLog["decision"]>[0]) => {
      for (const log of logs) log.decision(decision);
    },
    onEvent: (event: Parameters<OffPolicyLog["feedback"]>[0]) => {
      for (const log of logs) log.feedback(event);
    },
  };
  simulate(logging, { ...PLATFORM, slate, seed }, hooks);
  return { click: logs[0]!.result(), watch: logs[1]!.result() };
}

const earned = (figures: readonly Figure[], metric: string) => figures.find((one) => one.metric === metric)!.value;

/**
 * For each estimator, over worlds: how far it is from what the policy then earns a decision in the same world, relative to
 * that, and how many of its intervals hold it.
 */
function simulatedRows(tell: (text: string) => void): Row[] {
  return PAIRS.flatMap(({ name, slate, logging, target, judged }) => {
    const worlds = SEEDS.map((seed, i) => {
      const estimates = evaluated(logging(seed), () => target(seed), slate, seed);
      const own = evaluated(target(seed), () => target(seed), slate, seed);
      tell(`${name}: ${i + 1} of ${SEEDS.length} worlds`);
      return { estimates, own };
    });
    return REWARDS.flatMap((reward) => {
      const common = { suite: SUITE, case: `offpolicy/${name}/${reward}`, seeds: SEEDS };
      const truths = worlds.map(({ own }) => earned(own[reward], "logged"));
      const unit = reward === "click" ? "1" : "min";
      const rows: Row[] = [{ ...common, metric: "true_per_decision", unit, ...meanInterval(truths) }];
      const first = worlds[0]!.estimates[reward];
      for (const { metric } of first) {
        const values = worlds.map(({ estimates }) => earned(estimates[reward], metric));
        if (ABOUT.includes(metric)) {
          rows.push({ ...common, metric, unit: metric === "logged" ? unit : "1", ...meanInterval(values) });
          continue;
        }
        const bias = meanInterval(values.map((value, i) => value / truths[i]! - 1));
        const errors = values.map((value, i) => Math.abs(value / truths[i]! - 1));
        const held = worlds.filter(({ estimates }, i) => {
          const { lo, hi } = estimates[reward].find((one) => one.metric === metric)!;
          return lo <= truths[i]! && truths[i]! <= hi;
        }).length;
        const isJudged = judged.includes(metric);
        const met = { met: bias.lo <= 0 && bias.hi >= 0 };
        rows.push(
          { ...common, metric: `${metric}_relative_bias`, unit: "1", ...bias, ...(isJudged && { target: 0, ...met }) },
          { ...common, metric: `${metric}_relative_error`, unit: "1", ...meanInterval(errors) },
          { ...common, metric: `${metric}_held`, unit: "share", ...wilsonInterval(held, SEEDS.length) },
        );
      }
      return rows;
    });
  });
}

/** Where the small sample of the Open Bandit data is, if anywhere. */
const OPEN_BANDIT = process.env["LIVEQ_OPEN_BANDIT"] ?? "../shared/data/open-bandit";
const ITEMS = { men: 34, women: 46 };
type Campaign = keyof typeof ITEMS;

/** Relative errors of the Open Bandit Pipeline on its sample, of bts from the logs of random, for the campaign `all`. */
const PUBLISHED: Readonly<Record<string, number>> = {
  dm: 0.157,
  ips: 0.311,
  snips: 0.312,
  dr: 0.292,
  sndr: 0.302,
  switch_dr: 0.258,
};
const SOURCE =
  "Open Bandit Pipeline, small data, campaign all (not in the sample at hand), action distribution by its own simulator";
const UNBIASED = ["ips", "snips", "dr", "sndr"];

/**
 * What one policy's records say of the other's, beside the click rate of that one's own records. The probabilities of
 * random are known; those of bts, which moved with time, are the shares of its items by position, which its log has.
 */
async function banditRows(tell: (text: string) => void): Promise<Row[]> {
  if (!existsSync(OPEN_BANDIT)) {
    tell(`${OPEN_BANDIT} is not there: left out; LIVEQ_OPEN_BANDIT=DIR says where it is`);
    return [];
  }
  const rows: Row[] = [];
  for (const campaign of Object.keys(ITEMS) as Campaign[]) {
    const items = ITEMS[campaign];
    const read = (policy: string) => {
      const source = createReadStream(`${OPEN_BANDIT}/${policy}/${campaign}/${campaign}.csv`);
      return collectBandit(
        readOpenBandit(source),
        Array.from({ length: items }, (_, item) => String(item)),
      );
    };
    const [random, bts] = [await read("random"), await read("bts")];
    const even = new Float64Array(items * random.positions).fill(1 / items);
    rows.push(...banditCase(`${campaign}/random-to-bts`, random, bts, itemShares(bts, items), PUBLISHED));
    rows.push(...banditCase(`${campaign}/bts-to-random`, bts, random, even, {}));
  }
  return rows;
}

function banditCase(
  name: string,
  log: BanditLog,
  other: BanditLog,
  shares: Float64Array,
  published: Readonly<Record<string, number>>,
): Row[] {
  const items = log.items.length;
  const rowOf = (i: number) => shares.subarray(log.position[i]! * items, (log.position[i]! + 1) * items);
  const truth = mean(other.reward);
  const common = { suite: SUITE, case: `open-bandit/${name}` };
  const rows: Row[] = [{ ...common, metric: "true_click_rate", unit: "1", value: truth, n: other.n }];
  for (const { metric, value, lo, hi, n } of evaluateBandit(log, rowOf)) {
    const met = UNBIASED.includes(metric) ? { target: truth, met: lo <= truth && truth <= hi } : {};
    rows.push({ ...common, metric, unit: "1", value, lo, hi, n, ...met });
    if (ABOUT.includes(metric)) continue;
    const known = published[metric];
    const beside = known === undefined ? {} : { published: known, source: SOURCE };
    rows.push({
      ...common,
      metric: `${metric}_relative_error`,
      unit: "1",
      value: Math.abs(value / truth - 1),
      n,
      ...beside,
    });
  }
  return rows;
}

export async function measureOffPolicy(tell: (text: string) => void): Promise<Row[]> {
  return [...simulatedRows(tell), ...(await banditRows(tell))];
}
