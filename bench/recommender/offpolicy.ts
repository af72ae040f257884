/** Estimates of one policy's reward from the decisions of another, on the simulator and on Open Bandit records. */
import { createReadStream, existsSync } from "node:fs";
import { PopularPolicy, RandomPolicy } from "../../src/baselines/index.js";
import { evaluateBandit, itemShares, OffPolicyLog, type OffPolicyOptions } from "../../src/evaluation/index.js";
import { type BanditLog, collectBanditLog, readOpenBandit } from "../../src/logs/index.js";
import { Random } from "../../src/numeric/random.js";
import {
  type Decision,
  type LiveEvent,
  type Policy,
  Recommender,
  type Request,
  type TargetPolicy,
} from "../../src/recommender/index.js";
import { simulate } from "../../src/simulator/index.js";
import { type Figure, meanInterval, wilsonInterval } from "../../src/statistics/index.js";
import { arithmeticMean } from "../../src/statistics/intervals.js";
import type { Result } from "../harness/suite.js";

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
  /** The estimators that must be right: those that hold for users who read from the top. */
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
/** Metrics that are no estimates. */
const ABOUT = ["logged", "ess", "mean_weight", "clipped_share"];

type Estimated = Record<Reward, Figure[]>;

/** Runs a policy in a world: estimates of another policy, by reward, from those of its decisions that `counts` accepts. */
function evaluated(
  serving: Policy,
  target: () => Both,
  world: { slate: number; seed: number },
  counts: (decision: Decision) => boolean = () => true,
): Estimated {
  const logs = REWARDS.map((reward) => new OffPolicyLog(target(), { reward }));
  simulate(
    serving,
    { ...PLATFORM, ...world },
    {
      onDecision(decision) {
        if (counts(decision)) for (const log of logs) log.decision(decision);
      },
      onEvent(event) {
        for (const log of logs) log.feedback(event);
      },
    },
  );
  return { click: logs[0]!.result(), watch: logs[1]!.result() };
}

/** The share of decisions that the evaluated policy makes where two policies serve one world. */
const SHARE = 0.2;

/** Two policies that serve one world, the second now and then, so that both meet the users that the first one makes. */
class InTwoHands implements Policy {
  readonly name = "in two hands";
  readonly #hands: Readonly<Record<"a" | "b", Policy>>;
  readonly #seed: number;

  constructor(a: Policy, b: Policy, seed: number) {
    this.#hands = { a, b };
    this.#seed = seed;
  }

  recommend(request: Request): Decision {
    const hand = Random.named(this.#seed, "hand", request.user, request.now).uniform() < SHARE ? "b" : "a";
    const decision = this.#hands[hand].recommend(request);
    return { ...decision, id: `${hand}:${decision.id}` };
  }

  feedback(event: LiveEvent): void {
    for (const policy of Object.values(this.#hands)) policy.feedback(event);
  }
}

/** The estimates from a log, the earnings of the estimated policy, and both where the two policies serve one world. */
interface World {
  estimates: Estimated;
  own: Estimated;
  estimatesInOne: Estimated;
  ownInOne: Estimated;
}

function worldOf({ slate, logging, target }: Pair, seed: number): World {
  const world = { slate, seed };
  const made = () => target(seed);
  const inOne = (hand: "a" | "b") =>
    evaluated(new InTwoHands(logging(seed), made(), seed), made, world, ({ id }) => id.startsWith(hand));
  return {
    estimates: evaluated(logging(seed), made, world),
    own: evaluated(made(), made, world),
    estimatesInOne: inOne("a"),
    ownInOne: inOne("b"),
  };
}

const figureOf = (figures: readonly Figure[], metric: string) => figures.find((one) => one.metric === metric)!;

/**
 * For each estimator, over worlds and relative to the truth: its distance from the policy's reward a decision when it
 * alone serves the same world, and the share of its intervals that hold that reward. A policy changes the platform that
 * it serves, so this distance need not be 0. That of the one step must be: from the reward of the policy's own decisions
 * in the same world, a fifth of all, at random, amid the others.
 */
function pairRows(pair: Pair, worlds: readonly World[], reward: Reward): Result[] {
  const common = { case: `offpolicy/${pair.name}/${reward}`, seeds: SEEDS };
  const unit = reward === "click" ? "1" : "min";
  const over = (of: (world: World) => number) => meanInterval(worlds.map(of));
  const truth = over(({ own }) => figureOf(own[reward], "logged").value);
  const truthInOne = over(({ ownInOne }) => figureOf(ownInOne[reward], "logged").value);
  const rows: Result[] = [
    { ...common, metric: "true_per_decision", unit, ...truth },
    { ...common, metric: "true_in_one_step", unit, ...truthInOne },
  ];
  for (const { metric } of worlds[0]!.estimates[reward]) {
    const estimate = ({ estimates }: World) => figureOf(estimates[reward], metric);
    if (ABOUT.includes(metric)) {
      const own = { unit: metric === "logged" ? unit : "1", ...over((world) => estimate(world).value) };
      rows.push({ ...common, metric, ...own });
      continue;
    }
    const bias = over((world) => estimate(world).value / figureOf(world.own[reward], "logged").value - 1);
    const held = worlds.filter((world) => {
      const { lo, hi } = estimate(world);
      const { value } = figureOf(world.own[reward], "logged");
      return lo <= value && value <= hi;
    });
    const inOne = over(({ estimatesInOne, ownInOne }) => {
      const difference = figureOf(estimatesInOne[reward], metric).value - figureOf(ownInOne[reward], "logged").value;
      return difference / truthInOne.value;
    });
    const isJudged = pair.judged.includes(metric);
    const judgement = isJudged ? { target: 0, met: inOne.lo <= 0 && inOne.hi >= 0 } : {};
    rows.push(
      { ...common, metric: `${metric}_bias`, unit: "1", ...bias },
      { ...common, metric: `${metric}_held`, unit: "share", ...wilsonInterval(held.length, worlds.length) },
      { ...common, metric: `${metric}_bias_in_one_step`, unit: "1", ...inOne, ...judgement },
    );
  }
  return rows;
}

function simulatedRows(say: (text: string) => void): Result[] {
  return PAIRS.flatMap((pair) => {
    const worlds = SEEDS.map((seed, i) => {
      say(`${pair.name}: ${i} of ${SEEDS.length} worlds`);
      return worldOf(pair, seed);
    });
    return REWARDS.flatMap((reward) => pairRows(pair, worlds, reward));
  });
}

/** The folder of the small sample of the Open Bandit data. */
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
 * Estimates of each policy from the other one's records, beside the click rate of its own records. The probabilities of
 * random are known; those of bts, which moved with time, are the shares of its items by position in its log.
 */
async function banditRows(say: (text: string) => void): Promise<Result[]> {
  if (!existsSync(OPEN_BANDIT)) {
    say(`${OPEN_BANDIT} is not there: left out; set LIVEQ_OPEN_BANDIT to its folder`);
    return [];
  }
  const rows: Result[] = [];
  for (const campaign of Object.keys(ITEMS) as Campaign[]) {
    const items = ITEMS[campaign];
    const read = (policy: string) => {
      const source = createReadStream(`${OPEN_BANDIT}/${policy}/${campaign}/${campaign}.csv`);
      return collectBanditLog(
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
): Result[] {
  const items = log.items.length;
  const rowOf = (i: number) => shares.subarray(log.position[i]! * items, (log.position[i]! + 1) * items);
  const clicks = wilsonInterval(Math.round(arithmeticMean(other.reward) * other.n), other.n);
  const truth = clicks.value;
  const common = { case: `open-bandit/${name}` };
  const rows: Result[] = [{ ...common, metric: "true_click_rate", unit: "1", ...clicks, n: other.n }];
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
      // Of the estimate; the truth is taken as it was measured.
      lo: Math.max(lo / truth - 1, 1 - hi / truth, 0),
      hi: Math.max(Math.abs(lo / truth - 1), Math.abs(hi / truth - 1)),
      n,
      ...beside,
    });
  }
  return rows;
}

export async function measureOffPolicy(say: (text: string) => void): Promise<Result[]> {
  return [...simulatedRows(say), ...(await banditRows(say))];
}
