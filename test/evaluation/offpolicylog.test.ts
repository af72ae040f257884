import { createReadStream } from "node:fs";
import { describe, expect, test } from "vitest";
import { Baseline, EasePolicy, PopularPolicy, RandomPolicy } from "../../src/baselines/index.js";
import { evaluateBandit, itemShares, OffPolicyLog, type OffPolicyOptions } from "../../src/evaluation/index.js";
import { type BanditLog, collectBanditLog, readOpenBandit } from "../../src/logs/index.js";
import {
  type Decision,
  type LiveEvent,
  type LoggedDecision,
  type Policy,
  Recommender,
  type TargetPolicy,
} from "../../src/recommender/index.js";
import { type PlatformOptions, simulate } from "../../src/simulator/index.js";
import type { Figure } from "../../src/statistics/index.js";
import { realData } from "../support/realdata.js";

const SMALL = { viewers: 40, streamers: 60, days: 1, seed: 3, slate: 3 };

/** The most watched streams, from which it departs now and then: a recommender that never learns. */
function explorer(epsilon: number, seed: number): Recommender {
  return new Recommender({ seed, trainEvery: 0, warmupUpdates: 1e9, explore: { epsilon } });
}

/** The figures of a target from the log of another policy. */
function evaluated(
  logger: Policy,
  target: TargetPolicy,
  platform: Partial<PlatformOptions>,
  reward: OffPolicyOptions["reward"] = "click",
): Record<string, Figure> {
  const log = new OffPolicyLog(target, { reward });
  simulate(logger, platform, { onDecision: (one) => log.decision(one), onEvent: (one) => log.feedback(one) });
  return Object.fromEntries(log.result({ resamples: 300 }).map((figure) => [figure.metric, figure]));
}

/** Clicks a decision, as the platform itself counts them. */
function clicksOf(policy: Policy, platform: Partial<PlatformOptions>): number {
  const { clickRate, impressions, requests } = simulate(policy, platform);
  return (clickRate * impressions) / requests;
}

describe("probabilities of policies", () => {
  /** Asks a policy of each of its own decisions. */
  function asked<T extends Policy & TargetPolicy>(
    policy: T,
    see: (decision: Decision, chances: ReadonlyMap<string, number>[]) => void,
  ) {
    const asking: Policy = {
      name: policy.name,
      feedback: (event) => policy.feedback(event),
      recommend(request) {
        const decision = policy.recommend(request);
        see(decision, policy.distributions(request, decision.slate) as ReadonlyMap<string, number>[]);
        return decision;
      },
    };
    simulate(asking, SMALL);
  }

  test.each<[string, () => Policy & TargetPolicy]>([
    ["random", () => new RandomPolicy(1)],
    ["popular", () => new PopularPolicy()],
    ["ease", () => new EasePolicy()],
    ["a recommender", () => explorer(0.4, 1)],
  ])("%s: the propensities of its own decisions, among chances that sum to 1", (_name, make) => {
    let decisions = 0;
    asked(make(), ({ slate, propensities }, chances) => {
      decisions++;
      expect(chances).toHaveLength(slate.length);
      for (const [position, stream] of slate.entries()) {
        expect(chances[position]!.get(stream)).toBeCloseTo(propensities[position]!, 12);
        const sum = [...chances[position]!.values()].reduce((total, chance) => total + chance);
        expect(sum).toBeCloseTo(1, 10);
        expect(slate.slice(0, position).some((above) => chances[position]!.has(above))).toBe(false);
      }
    });
    expect(decisions).toBeGreaterThan(50);
  });

  test("a recommender draws as often as its probabilities", () => {
    const events: LiveEvent[] = ["a", "b", "c", "d"].map((stream, i) => ({
      ...{ kind: "on_air", time: i, stream, streamer: stream, category: "chess" },
    })) as LiveEvent[];
    const recommender = explorer(0.7, 5);
    for (const event of events) recommender.feedback(event);
    for (const [i, stream] of ["a", "b", "c", "d"].entries()) {
      recommender.feedback({ kind: "update", time: 10, stream, viewers: 3 ** i });
    }
    const request = { user: "u", now: 20, k: 2 };
    const [first] = recommender.distributions(request, ["d", "c"]);
    const counts = new Map<string, number>();
    const n = 4000;
    for (let i = 0; i < n; i++) {
      const [top] = recommender.recommend(request).slate;
      counts.set(top!, (counts.get(top!) ?? 0) + 1);
    }
    for (const [stream, chance] of first!) {
      const error = Math.sqrt((chance * (1 - chance)) / n);
      expect(Math.abs((counts.get(stream) ?? 0) / n - chance), stream).toBeLessThan(4 * error);
    }
    // Given the positions above: the best of the rest is the most likely.
    const [, after] = recommender.distributions(request, ["a", "b"]);
    expect([...after!.keys()].sort()).toEqual(["b", "c", "d"]);
    expect(after!.get("d")!).toBeGreaterThan(0.3);
    // What is not on air cannot be chosen, and takes nothing from the others.
    const [, same] = recommender.distributions(request, ["gone", "b"]);
    expect([...same!]).toEqual([...first!]);
  });

  test("a policy without known probabilities is refused by its name", () => {
    class Silent extends Baseline {
      readonly name = "silent";
      protected override choose() {
        return { chosen: [], propensities: [], scores: [] };
      }
    }
    const log = new OffPolicyLog(new Silent());
    const decision = { id: "d", user: "u", time: 1, slate: ["a"], propensities: [1] };
    expect(() => log.decision(decision)).toThrow('policy "silent" does not know its probabilities');
    expect(log.decisions).toBe(0);
  });

  test("asking for probabilities leaves no trace", () => {
    const run = (isAsked: boolean) => {
      const policy = explorer(0.4, 1);
      const log = new OffPolicyLog(policy);
      const slates: string[][] = [];
      const events: LiveEvent[] = [];
      simulate(new RandomPolicy(1), SMALL, { onEvent: (event) => events.push(event) });
      for (const event of events) {
        log.feedback(event);
        if (event.kind !== "click") continue;
        const request = { user: event.user, now: event.time, k: 3 };
        if (isAsked) policy.distributions(request, [event.stream]);
        slates.push(policy.recommend(request).slate);
      }
      return slates;
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe("a log of decisions", () => {
  test("of the policy itself has weights of 1 alone: every estimate is what it earned", () => {
    const figures = evaluated(new RandomPolicy(1), new RandomPolicy(9), SMALL);
    const { logged, ips, snips, rips, snrips, iips, ess, mean_weight: weight } = figures;
    for (const figure of [ips, snips, rips, snrips, iips]) expect(figure!.value).toBeCloseTo(logged!.value, 10);
    expect(weight!.value).toBeCloseTo(1, 12);
    expect(ess!.value).toBeCloseTo(logged!.n, 6);
    // The platform's own count, per impression.
    expect(logged!.n).toBe(simulate(new RandomPolicy(1), SMALL).requests);
    expect(logged!.value).toBeCloseTo(clicksOf(new RandomPolicy(1), SMALL), 10);
  });

  test("counts only events that name the decision", () => {
    const log = new OffPolicyLog(new RandomPolicy(1), { reward: "watch", from: 5, minEss: 0 });
    const onAir = (stream: string): LiveEvent => ({ kind: "on_air", time: 0, stream, streamer: stream, category: "c" });
    for (const stream of ["a", "b"]) log.feedback(onAir(stream));
    const decision = { id: "d-0", user: "u", time: 1, slate: ["a"], propensities: [0.5] };
    log.decision(decision);
    expect(log.decisions).toBe(0);
    log.decision({ ...decision, id: "d-1", time: 5 });
    log.feedback({ kind: "watch", time: 70_000, user: "u", stream: "a", watchMs: 60_000, decision: "d-0" });
    log.feedback({ kind: "watch", time: 70_000, user: "u", stream: "a", watchMs: 60_000 });
    log.feedback({ kind: "watch", time: 190_000, user: "u", stream: "a", watchMs: 120_000, decision: "d-1" });
    log.decision({ id: "d-2", user: "v", time: 200_000, slate: ["b"], propensities: [0.25] });
    const values = Object.fromEntries(log.result({ resamples: 1 }).map(({ metric, value }) => [metric, value]));
    expect(values).toMatchObject({ logged: 1, ips: 1, snips: 2 / 3, mean_weight: 1.5, ess: 9 / 5 });
  });

  test("needs propensities, and names the decision without them", () => {
    const log = new OffPolicyLog(new RandomPolicy(1));
    const decision = { id: "d-7", user: "u", time: 1, slate: ["a"] };
    expect(() => log.decision(decision)).toThrow('"propensities" of decision "d-7" must be given');
    expect(() => log.decision({ ...decision, propensities: [0] })).toThrow('"propensities.0" must be');
    expect(() => log.decision({ ...decision, propensities: [0.5, 0.5] })).toThrow('"propensities" must be');
    expect(() => new OffPolicyLog(new RandomPolicy(1), { reward: "joy" } as object)).toThrow(
      '"reward" must be "click"',
    );
    expect(() => new OffPolicyLog(new RandomPolicy(1), { model: { folds: 1 } })).toThrow('"folds" must be');
    expect(log.decisions).toBe(0);
  });
});

describe("a log of one policy predicts the reward of another on the simulated platform", () => {
  test("one stream at a time, from chance to the most watched: clicks and minutes a decision", () => {
    const size = { viewers: 300, streamers: 200, days: 5, seed: 3, slate: 1 };
    const figures = (policy: Policy) => {
      const logs = (["click", "watch"] as const).map((reward) => new OffPolicyLog(new PopularPolicy(), { reward }));
      const each = (take: (log: OffPolicyLog) => void) => {
        for (const log of logs) take(log);
      };
      const onDecision = (one: LoggedDecision) => each((log) => log.decision(one));
      simulate(policy, size, { onDecision, onEvent: (one) => each((log) => log.feedback(one)) });
      return logs.map((log) => Object.fromEntries(log.result({ resamples: 300 }).map((one) => [one.metric, one])));
    };
    const estimates = figures(new RandomPolicy(1));
    const truths = figures(new PopularPolicy());
    for (const [i, reward] of ["click", "watch"].entries()) {
      for (const metric of ["ips", "snips", "dr", "sndr"]) {
        const { lo, hi } = estimates[i]![metric]!;
        expect(lo, `${metric} of ${reward}`).toBeLessThan(truths[i]!["logged"]!.value);
        expect(hi, `${metric} of ${reward}`).toBeGreaterThan(truths[i]!["logged"]!.value);
      }
    }
    // The estimates are informative: the random policy earned less.
    expect(estimates[0]!["dr"]!.lo).toBeGreaterThan(estimates[0]!["logged"]!.value);
  });

  test("slates of three, from much exploration to little", () => {
    const size = { viewers: 120, streamers: 80, days: 3, seed: 5, slate: 3 };
    const figures = evaluated(explorer(0.5, 1), explorer(0.1, 2), size);
    const truth = clicksOf(explorer(0.1, 2), size);
    for (const metric of ["ips", "snips", "rips", "snrips", "dr", "sndr"]) {
      expect(figures[metric]!.lo, metric).toBeLessThan(truth);
      expect(figures[metric]!.hi, metric).toBeGreaterThan(truth);
    }
    const width = ({ lo, hi }: Figure) => hi - lo;
    expect(width(figures["rips"]!)).toBeLessThan(width(figures["ips"]!));
    expect(figures["mean_weight"]!.lo).toBeLessThan(1);
    expect(figures["mean_weight"]!.hi).toBeGreaterThan(1);
  });
});

const bandits = realData("open-bandit");

describe("Open Bandit records", () => {
  const log: BanditLog = {
    n: 4,
    items: ["x", "y"],
    positions: 2,
    time: Float64Array.of(1, 2, 3, 4),
    action: Int32Array.of(0, 1, 1, 0),
    position: Int32Array.of(0, 0, 0, 1),
    reward: Float32Array.of(1, 0, 1, 0),
    propensity: Float64Array.of(0.5, 0.25, 0.25, 0.5),
    context: new Float32Array(0),
    featureNames: [],
    affinity: new Float32Array(0),
    affinities: 0,
  };

  test("are counted by position, and weighted by the item shown", () => {
    expect([...itemShares(log, 3)]).toEqual([1 / 3, 2 / 3, 0, 1, 0, 0]);
    const figures = evaluateBandit(log, () => [0.75, 0.25], { minEss: 0 }, { resamples: 1 });
    const values = Object.fromEntries(figures.map(({ metric, value }) => [metric, value]));
    expect(values).toMatchObject({ logged: 0.5, ips: (1.5 + 1) / 4, snips: 2.5 / 5, mean_weight: 1.25 });
  });

  test.skipIf(!bandits)(
    "of the real sample: what chance logged foresees Thompson sampling within its interval",
    async () => {
      for (const campaign of ["men", "women"]) {
        const read = (policy: string) =>
          collectBanditLog(
            readOpenBandit(createReadStream(`${bandits}/${policy}/${campaign}/${campaign}.csv`)),
            Array.from({ length: campaign === "men" ? 34 : 46 }, (_, item) => String(item)),
          );
        const [chance, thompson] = [await read("random"), await read("bts")];
        const items = chance.items.length;
        const shares = itemShares(thompson, items);
        const rowOf = (i: number) => shares.subarray(chance.position[i]! * items, (chance.position[i]! + 1) * items);
        const figures = evaluateBandit(chance, rowOf, {}, { resamples: 300 });
        const truth = thompson.reward.reduce((sum, x) => sum + x, 0) / thompson.n;
        for (const metric of ["ips", "snips", "dr", "sndr", "switch_dr"]) {
          const { lo, hi } = figures.find((figure) => figure.metric === metric)!;
          expect(lo, `${campaign} ${metric}`).toBeLessThan(truth);
          expect(hi, `${campaign} ${metric}`).toBeGreaterThan(truth);
        }
      }
    },
  );
});

test("an estimate above the logging policy's earnings, or above another policy's, is paired by user", () => {
  const logs = [new RandomPolicy(1), new PopularPolicy()].map((target) => new OffPolicyLog(target));
  simulate(
    new RandomPolicy(1),
    { ...SMALL, slate: 1 },
    {
      onDecision: (one) => logs.forEach((log) => void log.decision(one)),
      onEvent: (one) => logs.forEach((log) => void log.feedback(one)),
    },
  );
  const [random, popular] = logs as [OffPolicyLog, OffPolicyLog];
  const value = (log: OffPolicyLog, metric: string) => log.result().find((one) => one.metric === metric)!.value;
  const own = random.above("sndr")!;
  expect(own.base).toBe(value(random, "logged"));
  expect(own.value).toBeCloseTo(value(random, "sndr") - own.base, 12);
  expect(own.lo <= own.value && own.value <= own.hi).toBe(true);
  // The logging policy beside itself: every resample has no difference.
  const same = random.above("sndr", random)!;
  expect([same.value, same.lo, same.hi]).toEqual([0, 0, 0]);
  const lead = popular.above("dm", random)!;
  expect(lead.value).toBeCloseTo(value(popular, "dm") - value(random, "dm"), 12);
  expect(random.above("nothing")).toBeUndefined();
});
