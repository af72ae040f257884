import { describe, expect, test } from "vitest";
import type { OnAir } from "../../src/protocol/events.js";
import { DAY, HOUR } from "../../src/protocol/time.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { Platform } from "../../src/simulator/index.js";

const VIEWERS = 80;
const ACTS = 1500;

/** A recommender after most of a week on a platform, and a stream that ranks low for most users. */
function platform() {
  const recommender = new Recommender({
    seed: 1,
    warmupUpdates: 200,
    updatesPerTrain: 1,
    learner: { hidden: [32], learningStarts: 100, capacity: 2048 },
  });
  const onAir = new Map<string, OnAir>();
  const hooks = {
    onEvent: (event: { kind: string }) => {
      if (event.kind === "on_air") onAir.set((event as OnAir).stream, event as OnAir);
      else if (event.kind === "off_air") onAir.delete((event as OnAir).stream);
    },
  };
  new Platform(recommender, { viewers: VIEWERS, streamers: 200, days: 8, seed: 3 }, hooks).advance(6 * DAY + 20 * HOUR);
  const file = recommender.save();
  const ranked = [...onAir.values()].sort((a, b) => rankOf(recommender, a.stream) - rankOf(recommender, b.stream));
  recommender.dispose();
  return { file, victim: ranked.at(-2)!, streams: ranked.length };
}

/** The median rank of a stream among all on air, over the honest users. */
function rankOf(recommender: Recommender, stream: string): number {
  const ranks = Array.from({ length: VIEWERS }, (_, i) => {
    const request = { user: `viewer-${i}`, now: recommender.time, k: 500 };
    return recommender.rank(request).slate.indexOf(stream) + 1;
  });
  return ranks.sort((a, b) => a - b)[VIEWERS / 2]!;
}

describe("a click farm", () => {
  const { file, victim, streams } = platform();
  const { stream, streamer } = victim;
  type Outcome = ReturnType<typeof outcomeOf>;
  const outcomes = new Map<string, Outcome>();

  /** The outcome, of one run for all tests that ask for it. */
  function once(name: string, attack: (recommender: Recommender) => void): Outcome {
    const outcome = outcomes.get(name) ?? outcomeOf(attack);
    outcomes.set(name, outcome);
    return outcome;
  }

  /** The outcome: the stream's rank, and the estimate of its streamer. */
  function outcomeOf(attack: (recommender: Recommender) => void) {
    const recommender = Recommender.load(file);
    const before = recommender.stats().transitions;
    attack(recommender);
    const { estimate } = recommender.streamerProfile(streamer)!;
    const learned = recommender.stats().transitions - before;
    const result = { rank: rankOf(recommender, stream), estimate: estimate.long, learned };
    recommender.dispose();
    return result;
  }

  /** Each account comes ACTS / accounts times, clicks, reports an hour's watch, and likes; with or without a request. */
  function farm(accounts: number, asks: boolean) {
    return once(`farm ${accounts} ${asks}`, (recommender) => {
      for (let i = 1, now = recommender.time; i <= ACTS; i++) {
        now += 200;
        const user = `bot-${i % accounts}`;
        const decision = asks && recommender.recommend({ user, now, k: streams });
        if (decision && !decision.slate.includes(stream)) continue;
        const about = { user, stream, ...(decision && { decision: decision.id }) };
        recommender.feedback({ kind: "click", time: now, ...about });
        recommender.feedback({ kind: "watch", time: now + 1, watchMs: HOUR, ...about });
        recommender.feedback({ kind: "like", time: now + 2, user, stream });
      }
    });
  }

  /** As many accounts, each of which once does what the farm reports. */
  function honest(accounts: number) {
    return once(`honest ${accounts}`, (recommender) => {
      const { time } = recommender;
      const users = Array.from({ length: accounts }, (_, i) => `bot-${i}`);
      for (const user of users) recommender.feedback({ kind: "click", time, user, stream });
      for (const user of users) {
        recommender.feedback({ kind: "watch", time: time + HOUR, user, stream, watchMs: HOUR });
        recommender.feedback({ kind: "like", time: time + HOUR, user, stream });
      }
    });
  }

  test.each([
    [1, false],
    [5, false],
    [1, true],
    [5, true],
  ])("of %i accounts lifts a stream less than an hour of as many honest ones (asking for slates: %s)", (n, asks) => {
    const [attacked, visited] = [farm(n, asks), honest(n)];
    expect(attacked.rank).toBeGreaterThanOrEqual(visited.rank);
    for (const [name, value] of Object.entries(attacked.estimate)) {
      expect(value).toBeLessThanOrEqual(visited.estimate[name as keyof typeof visited.estimate] + 0.01);
    }
    // Hours within milliseconds are impossible: nothing is learned from them.
    expect(attacked.learned).toBe(0);
  });

  test.each([1, 5])("of %i accounts is learned from 64 times an account, whatever it asks for", (accounts) => {
    const asking = (recommender: Recommender) => {
      for (let i = 1, now = recommender.time; i <= ACTS; i++) {
        now += 200;
        recommender.recommend({ user: `bot-${i % accounts}`, now, k: streams });
      }
    };
    expect(outcomeOf(asking).learned).toBe(64 * accounts);
  });

  test("of one account moves the median rank by three places at most", () => {
    const before = honest(0).rank;
    expect(before).toBeGreaterThan(streams / 2);
    for (const asks of [false, true]) expect(Math.abs(farm(1, asks).rank - before)).toBeLessThanOrEqual(3);
  });

  test("counts as its accounts: honest viewers still lift a stream, more viewers further", () => {
    const ranks = [0, 1, 5].map((n) => honest(n).rank);
    expect(ranks[1]).toBeLessThan(ranks[0]!);
    expect(ranks[2]).toBeLessThan(ranks[1]!);
  });
});
