import { describe, expect, test } from "vitest";
import { type Affinities, BprPolicy } from "../../src/baselines/bpr.js";
import { ContextPolicy } from "../../src/baselines/context.js";
import { EasePolicy } from "../../src/baselines/ease.js";
import { ItemKnnPolicy } from "../../src/baselines/itemknn.js";
import { Random } from "../../src/numeric/random.js";
import type { Policy } from "../../src/protocol/policy.js";
import { DAY, HOUR, MINUTE, WEEK } from "../../src/protocol/time.js";
import { naiveEase } from "../reference/inverse.js";
import { putOnAir } from "../support/events.js";

function watch(policy: Policy, user: string, streamer: number, time = 0, watchMs = 10 * MINUTE): void {
  policy.feedback({ kind: "watch", time, user, stream: `s${streamer}`, watchMs }, time);
}

/** The score of each stream, in the order of their numbers. */
function scoresOf(policy: Policy, user: string, n: number, now = 0): number[] {
  const { slate, scores } = policy.recommend({ user, now, k: n });
  const byStream = new Map(slate.map((stream, position) => [stream, scores[position]!]));
  return Array.from({ length: n }, (_, i) => byStream.get(`s${i}`)!);
}

/** Random watches: who, of whom, when. */
function randomWatches(n: number, users: number, streamers: number, random: Random): [string, number, number][] {
  const times = Array.from({ length: n }, () => Math.floor(random.uniform() * 8 * WEEK)).sort((a, b) => a - b);
  return times.map((time) => [`u${random.below(users)}`, random.below(streamers), time]);
}

describe("ItemKnnPolicy", () => {
  test("agrees with its formula over any watches, and fades pairs from when they were complete", () => {
    const random = new Random(1);
    const [streamers, halfLifeMs, shrinkage, recency] = [8, 2 * WEEK, 0.5, 0.9];
    const policy = new ItemKnnPolicy({ halfLifeMs, shrinkage, recency });
    putOnAir(policy, new Array<string>(streamers).fill("chess"));
    const watches = randomWatches(120, 12, streamers, random);
    for (const [user, streamer, time] of watches) watch(policy, user, streamer, time);
    const now = 8 * WEEK;
    // First visits, and the order of the last ones.
    const first = new Map<string, Map<number, number>>();
    const last = new Map<string, number[]>();
    for (const [user, streamer, time] of watches) {
      const own = first.get(user) ?? new Map<number, number>();
      if (!own.has(streamer)) own.set(streamer, time);
      first.set(user, own);
      last.set(user, [...(last.get(user) ?? []).filter((each) => each !== streamer), streamer]);
    }
    const common = (a: number, b: number) => {
      let sum = 0;
      for (const own of first.values()) {
        if (own.has(a) && own.has(b)) sum += 2 ** ((Math.max(own.get(a)!, own.get(b)!) - now) / halfLifeMs);
      }
      return sum;
    };
    const similarity = (a: number, b: number) => common(a, b) / (Math.sqrt(common(a, a) * common(b, b)) + shrinkage);
    for (const [user, liked] of last) {
      const latestFirst = [...liked].reverse();
      const expected = Array.from({ length: streamers }, (_, a) =>
        latestFirst.reduce((sum, b, n) => sum + recency ** n * similarity(a, b), 0),
      );
      for (const [a, score] of scoresOf(policy, user, streamers, now).entries()) {
        expect(score).toBeCloseTo(expected[a]!, 9);
      }
    }
  });

  test("gives the same scores after growing weights are rescaled", () => {
    const make = (halfLifeMs: number) => {
      const policy = new ItemKnnPolicy({ halfLifeMs, shrinkage: 0 });
      putOnAir(policy, ["a", "a", "a"]);
      return policy;
    };
    // 300 days are 150 half-lives: the first pair is worth nothing beside the second.
    const policy = make(2 * DAY);
    watch(policy, "u", 0, 0);
    watch(policy, "u", 1, 0);
    watch(policy, "v", 1, 300 * DAY);
    watch(policy, "v", 2, 300 * DAY);
    watch(policy, "w", 1, 300 * DAY);
    const [first, second, third] = scoresOf(policy, "w", 3, 300 * DAY) as [number, number, number];
    expect(first).toBeLessThan(1e-9);
    expect(second).toBeCloseTo(1, 9);
    expect(third).toBeCloseTo(1 / Math.sqrt(2), 9);
  });

  test("forgets the weakest neighbours first, and stays within its bounds", () => {
    const policy = new ItemKnnPolicy({ neighbours: 8, history: 64, shrinkage: 0 });
    putOnAir(policy, new Array<string>(40).fill("a"));
    for (let user = 0; user < 3; user++) for (const streamer of [0, 1]) watch(policy, `loyal${user}`, streamer);
    for (let streamer = 0; streamer < 40; streamer++) if (streamer !== 1) watch(policy, "glutton", streamer);
    watch(policy, "new", 1);
    // The pair of 0 and 1, thrice seen, has outlived 38 others of 0; three of its four visitors are common.
    expect(scoresOf(policy, "new", 40)[0]).toBe(0.75);
    let near = 0;
    for (let streamer = 2; streamer < 40; streamer++) {
      watch(policy, `only${streamer}`, streamer);
      if (scoresOf(policy, `only${streamer}`, 40)[0]! > 0) near++;
    }
    expect(near).toBeGreaterThan(0);
    expect(near).toBeLessThan(8);
  });

  test("counts likes as visits, ignores bounces, and scores unvisited streamers as their category", () => {
    const policy = new ItemKnnPolicy();
    putOnAir(policy, ["a", "a", "a", "b"], [1, 1, 1, 9]);
    watch(policy, "u", 0, 0, 1000);
    expect(scoresOf(policy, "u", 4)).toEqual([0, 0, 0, 0]);
    policy.feedback({ kind: "like", time: 0, user: "u", stream: "s0" });
    policy.feedback({ kind: "follow", time: 0, user: "v", stream: "s1" });
    const [liked, other, unknown, foreign] = scoresOf(policy, "u", 4) as [number, number, number, number];
    expect(liked).toBeGreaterThan(0);
    expect(other).toBe(0);
    // Stream 2 counts as the mean of its category; that of 3 has none, so it counts as the mean of all.
    expect(unknown).toBe(liked / 2);
    expect(foreign).toBe(liked / 2);
  });
});

describe("EasePolicy", () => {
  test("agrees with the closed form over liked streamers", () => {
    const random = new Random(2);
    const streamers = 7;
    const policy = new EasePolicy({ lambda: 3, refitEvery: 1, repeat: 0.5 });
    putOnAir(policy, new Array<string>(streamers).fill("a"));
    const liked = new Map<string, Set<number>>();
    for (const [user, streamer, time] of randomWatches(80, 15, streamers, random)) {
      watch(policy, user, streamer, time);
      liked.set(user, (liked.get(user) ?? new Set()).add(streamer));
    }
    const weights = naiveEase(
      [...liked.values()].map((own) => [...own]),
      streamers,
      3,
    );
    for (const [user, own] of liked) {
      const expected = weights.map((row, i) => [...own].reduce((sum, j) => sum + (i === j ? 0.5 : row[j]!), 0));
      for (const [i, score] of scoresOf(policy, user, streamers, 8 * WEEK).entries()) {
        expect(score).toBeCloseTo(expected[i]!, 9);
      }
    }
  });

  test("shows the most popular until its first fit, and fits the streamers with the most users", () => {
    const policy = new EasePolicy({ lambda: 1, refitEvery: 6, streamers: 2, repeat: 0 });
    putOnAir(policy, ["a", "a", "b"], [1, 5, 3]);
    for (const [user, streamer] of [
      ["u", 0],
      ["v", 0],
      ["u", 2],
      ["v", 2],
      ["w", 1],
    ] as const)
      watch(policy, user, streamer);
    expect(policy.recommend({ user: "u", now: 0, k: 3 }).slate).toEqual(["s1", "s2", "s0"]);
    watch(policy, "x", 0);
    const [zero, one, two] = scoresOf(policy, "x", 3) as [number, number, number];
    expect(two).toBeGreaterThan(0);
    expect(zero).toBe(0);
    // Not among the two: it counts as its category, in which only 0 is known.
    expect(one).toBe(zero);
  });
});

describe("ContextPolicy", () => {
  let shows = 0;

  /** Shows a stream to a user and has it watched, or not. */
  function show(policy: Policy, user: string, streamer: number, time: number, minutes = 0): void {
    const about = { time, user, stream: `s${streamer}` };
    policy.feedback({ kind: "impression", id: `i${shows++}`, ...about }, time);
    if (minutes === 0) return;
    policy.feedback({ kind: "watch", id: `w${shows}`, ...about, watchMs: minutes * MINUTE }, time);
  }

  test("shrinks the worth of a category in a context towards the wider one, and multiplies by the viewers", () => {
    const policy = new ContextPolicy({ prior: 10, halfLifeMs: WEEK });
    putOnAir(policy, ["a", "b"], [4, 1]);
    policy.feedback({ kind: "user", time: 0, user: "u", gender: "x", age: 34 });
    for (let i = 0; i < 20; i++) show(policy, "u", 0, 0, i < 5 ? 9 : 0);
    show(policy, "v", 1, 0, 3);
    const [nine, three] = [Math.log1p(9), Math.log1p(3)];
    const all = (5 * nine + three + 10 * 0.1) / (21 + 10);
    const towards = (prior: number, sum: number, n: number) => (sum + 10 * prior) / (n + 10);
    const a = towards(towards(towards(all, 5 * nine, 20), 5 * nine, 20), 5 * nine, 20);
    const b = towards(towards(all, three, 1), three, 1);
    const [first, second] = scoresOf(policy, "u", 2) as [number, number];
    expect(first).toBeCloseTo(5 * a, 9);
    // b was shown to nobody of the group of u: the category at this time of day counts.
    expect(second).toBeCloseTo(2 * b, 9);
    // A week later all counts weigh half; at another time of day the category alone is known.
    const later = (2.5 * nine + 0.5 * three + 10 * 0.1) / (10.5 + 10);
    const faded = towards(towards(towards(later, 2.5 * nine, 10), 2.5 * nine, 10), 2.5 * nine, 10);
    expect(scoresOf(policy, "u", 2, WEEK)[0]).toBeCloseTo(5 * faded, 9);
    const night = 0.5 ** ((12 * HOUR) / WEEK);
    const allThen = (night * (5 * nine + three) + 10 * 0.1) / (night * 21 + 10);
    expect(scoresOf(policy, "u", 2, 12 * HOUR)[0]).toBeCloseTo(5 * towards(allThen, night * 5 * nine, night * 20), 9);
  });

  test("groups users by the latest traits", () => {
    const policy = new ContextPolicy({ segment: ["language"], prior: 1 });
    putOnAir(policy, ["a", "b"], [5, 5]);
    for (const [user, language] of [
      ["u", "en"],
      ["v", "fr"],
    ] as const) {
      policy.feedback({ kind: "user", time: 0, user, language });
      for (let i = 0; i < 30; i++)
        for (const s of [0, 1]) show(policy, user, s, 0, (user === "u") === (s === 0) ? 9 : 0);
    }
    const first = (user: string) => policy.recommend({ user, now: 0, k: 1 }).slate[0];
    expect([first("u"), first("v")]).toEqual(["s0", "s1"]);
    policy.feedback({ kind: "user", time: 0, user: "u", language: "fr" });
    expect(first("u")).toBe("s1");
  });

  test("refuses options that are unknown or wrong", () => {
    expect(() => new ContextPolicy({ segment: ["age", "age"] })).toThrow(
      '"segment" must be an array of different traits out of',
    );
    expect(() => new ContextPolicy({ segments: [] } as object)).toThrow('"segments" is not an option');
    expect(() => new ItemKnnPolicy({ recency: 0 })).toThrow('"recency" must be in (0, 1], got 0');
    expect(() => new EasePolicy({ lambda: 0 })).toThrow(
      '"lambda" must be in (0, 1e9], got 0'.replace("1e9", "1000000000"),
    );
  });
});

describe("BprPolicy", () => {
  test("gives its vectors the streams on offer and the engaged watches, and ranks by their products", () => {
    const calls: unknown[][] = [];
    const affinities: Affinities = {
      offer: (...given) => void calls.push(["offer", ...given]),
      learn: (...given) => void calls.push(["learn", ...given]),
      dot: (user, streamer, category) => (user === "u" ? Number(streamer) : -Number(streamer)) + category.length,
    };
    const policy = new BprPolicy(affinities, { engagedMs: 2 * MINUTE, popularity: 0.5 });
    putOnAir(policy, ["a", "bb", "a"]);
    watch(policy, "u", 1, 5, 3 * MINUTE);
    watch(policy, "u", 2, 5, MINUTE);
    expect(calls).toEqual([
      ["offer", "0", "a", []],
      ["offer", "1", "bb", []],
      ["offer", "2", "a", []],
      ["learn", "u", "1", "bb", expect.closeTo(Math.log1p(3), 12), []],
    ]);
    expect(scoresOf(policy, "u", 3)).toEqual([1, 3, 3]);
    policy.feedback({ kind: "update", time: 8, stream: "s2", viewers: 3 });
    expect(scoresOf(policy, "u", 3, 8)[2]).toBeCloseTo(3 + 0.5 * Math.log1p(3), 12);
    // Of v nothing has been learned yet.
    expect(policy.recommend({ user: "v", now: 9, k: 2 }).slate).toEqual(["s2", "s0"]);
    watch(policy, "v", 1, 10, 3 * MINUTE);
    expect(policy.recommend({ user: "v", now: 11, k: 2 }).slate).toEqual(["s0", "s1"]);
  });
});
