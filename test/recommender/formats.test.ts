import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Random } from "../../src/numeric/index.js";
import { Recommender } from "../../src/recommender/index.js";

const MINUTE = 60_000;
const HISTORY = 60;

/** A recommender to which the same has happened as to those whose files are fixtures. */
function lived(): Recommender {
  const recommender = new Recommender({
    seed: 1,
    instance: "old",
    maxCandidates: 8,
    nextCandidates: 2,
    warmupUpdates: 10,
    seenEvents: 64,
    learner: { learningStarts: 10, capacity: 20, batchSize: 4, hidden: [2] },
    profile: { pairs: 6, interests: 5, friends: 4, follows: 4 },
  });
  goOn(recommender, HISTORY, 1);
  return recommender;
}

/** People come, ask and watch. Returns what they were shown. */
function goOn(recommender: Recommender, steps: number, seed: number): unknown[] {
  const random = Random.named(seed, "formats");
  const shown: unknown[] = [];
  let time = recommender.time > 0 ? recommender.time : 1e9;
  for (let i = 0; i < steps; i++) {
    time += random.below(30 * MINUTE);
    const user = `user-${random.below(7)}`;
    const stream = `s${random.below(12)}`;
    if (i % 5 === 0) {
      const about = { stream, streamer: `a${random.below(9)}`, category: `c${random.below(7)}` };
      recommender.feedback({ kind: "on_air", time, ...about, tags: [`t${random.below(9)}`, "chess"] });
    }
    const { id, slate, scores } = recommender.recommend({ user, now: time, k: 3 });
    shown.push([slate, scores]);
    for (const each of slate) {
      const about = { user, stream: each, time: ++time };
      recommender.feedback({ kind: "click", ...about, decision: id });
      recommender.feedback({ kind: "watch", ...about, watchMs: random.below(9 * MINUTE), decision: id });
      if (random.bernoulli(0.3)) recommender.feedback({ kind: "rating", ...about, rating: random.below(6) / 5 });
      if (random.bernoulli(0.3)) recommender.feedback({ kind: "follow", ...about });
      if (random.bernoulli(0.3)) {
        recommender.feedback({ kind: "friend", user, time, friend: `user-${random.below(7)}` });
      }
    }
    recommender.feedback({ kind: "user", user, time, age: 30, region: `r${random.below(2)}` });
    if (i % 20 === 10) recommender.forget(`user-${random.below(7)}`);
  }
  return shown;
}

test.each([8])("a file of version %d loads, serves on to the bit, and is saved as one of this version", (version) => {
  const file = readFileSync(new URL(`../fixtures/formats/recommender-${version}.liveq`, import.meta.url));
  const loaded = Recommender.load(file, { instance: "old" });
  const twin = lived();
  expect(Buffer.compare(loaded.save(), twin.save())).toBe(0);
  expect(goOn(loaded, 40, 2)).toEqual(goOn(twin, 40, 2));
  expect(Buffer.compare(loaded.save(), twin.save())).toBe(0);
});
