import { describe, expect, test } from "vitest";
import { PriorityQueue } from "../../src/collections/index.js";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import { MINUTE } from "../../src/protocol/time.js";
import { coreFeatures } from "../../src/recommender/features/index.js";
import { Recommender, type RecommenderOptions } from "../../src/recommender/recommender.js";

/** A world of ten streams, half of them bait, and users who come every 40 minutes whatever they see. */
interface World {
  visits: number;
  /** Probability that a user enters what is shown. */
  entry: number;
  minutes: { good: number; bait: number };
  /** Requests after a visit to bait at which the user enters nothing. */
  sulks: number;
}

/** Over the last third: the share of good in what free users are shown, and the mean value of all shown. */
function run({ visits, entry, minutes, sulks }: World, options: Partial<RecommenderOptions>) {
  const random = Random.named(99, "world");
  const recommender = new Recommender({
    ...{ seed: 1, warmupUpdates: 100, features: coreFeatures() },
    learner: { learningStarts: 50, learningRate: 2e-3, targetEvery: 50, capacity: 3000 },
    reward: { transform: "linear", bounce: 0 },
    explore: { epsilon: 0.1, temperature: 3 },
    // One user makes many decisions here.
    profile: { decisionsPerWindow: 1e6 },
    ...options,
  });
  for (let i = 0; i < 10; i++) {
    const category = i % 2 === 0 ? "good" : "bait";
    recommender.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `r${i}`, category });
  }
  const users = new PriorityQueue<{ time: number; user: string; sulking: number }>();
  for (let u = 0; u < 30; u++) users.push({ time: u * 1000, user: `u${u}`, sulking: 0 });
  const ends = new PriorityQueue<LiveEvent>();
  const from = Math.floor((2 * visits) / 3);
  let [good, free, predicted] = [0, 0, 0];
  for (let i = 0; i < visits; i++) {
    const me = users.pop();
    while (ends.size > 0 && ends.first!.time <= me.time) recommender.feedback(ends.pop());
    const { time, user } = me;
    const { id: decision, slate, scores } = recommender.recommend({ user, now: time, k: 1 });
    const stream = slate[0]!;
    const isGood = Number(stream.slice(1)) % 2 === 0;
    if (i >= from) {
      if (me.sulking === 0) {
        free++;
        good += isGood ? 1 : 0;
      }
      predicted += scores[0]!;
    }
    if (me.sulking > 0) me.sulking--;
    else if (random.bernoulli(entry)) {
      const watchMs = (isGood ? minutes.good : minutes.bait) * MINUTE;
      recommender.feedback({ kind: "click", time, user, stream, decision });
      ends.push({ kind: "watch", time: time + watchMs, user, stream, watchMs, decision });
      if (!isGood) me.sulking = sulks;
    }
    users.push({ ...me, time: time + 40 * MINUTE });
  }
  recommender.dispose();
  return { good: good / free, predicted: predicted / (visits - from) };
}

describe("known answers", () => {
  test.each([1, 0.3])(
    "where a share of %d of requests ends in an entry, its value is within a tenth of the truth",
    (p) => {
      const world = { visits: 3000, entry: p, minutes: { good: 30, bait: 30 }, sulks: 0 };
      const { predicted } = run(world, { gamma: 0.9, returns: { cost: 0 } });
      // 30 minutes are worth 3; the next request comes 10 minutes after the watch, or 40 after an entry of none.
      const [entered, ignored] = [0.9 ** (1 + 10 / 1440), 0.9 ** (1 + 40 / 1440)];
      const shown = (p * 3) / (1 - p * entered - (1 - p) * ignored);
      expect(Math.abs(predicted / (3 + entered * shown) - 1)).toBeLessThan(0.1);
    },
  );

  test("bait, after which nothing is entered for four requests, gives way to good", () => {
    const world = { visits: 3000, entry: 1, minutes: { good: 25, bait: 30 }, sulks: 4 };
    // Without gamma either may be preferred on one seed; the bench compares both on ten.
    expect(run(world, { gamma: 0.9 }).good).toBeGreaterThan(0.85);
  });
});
