import { expect, test } from "vitest";
import { traitSimilarity } from "../../src/evaluation/index.js";
import { type EventMapping, readMapped } from "../../src/logs/index.js";
import { type LiveEvent, parseEvent } from "../../src/protocol/index.js";
import {
  content,
  coreFeatures,
  moments,
  neighbours,
  pages,
  Recommender,
  social,
  taste,
  traits,
  vectors,
} from "../../src/recommender/index.js";

const FEATURES = [
  ...coreFeatures(),
  traits(),
  pages(),
  social(),
  taste(),
  vectors(),
  moments(),
  content(),
  neighbours(),
];
const TIME = 1e9;

function onAir(n: number, more: object = {}): LiveEvent {
  return parseEvent({ kind: "on_air", time: TIME + n, stream: `s${n}`, streamer: `ann${n}`, title: "knots", ...more });
}

/** A recommender of streams without a category, whose users watch some. */
function watched(): Recommender {
  const recommender = new Recommender({
    ...{ seed: 1, instance: "", features: FEATURES, slate: { perCategory: 1 } as never },
    learner: { learningStarts: 5, capacity: 60, batchSize: 4 },
  });
  for (let n = 0; n < 8; n++) recommender.feedback(onAir(n), TIME + n);
  recommender.feedback(onAir(8, { category: "chess" }), TIME + 8);
  for (let i = 0; i < 40; i++) {
    const now = TIME + 60_000 * (i + 1);
    const { id, slate } = recommender.recommend({ user: `u${i % 4}`, now, k: 6 });
    const about = { user: `u${i % 4}`, stream: slate[i % slate.length]!, decision: id };
    recommender.feedback({ kind: "click", time: now + 1, ...about });
    recommender.feedback({ kind: "watch", time: now + 30_000, watchMs: 29_000, ...about });
  }
  return recommender;
}

test("streams without a category are watched, learned, explained, and share no category", () => {
  const recommender = watched();
  const now = TIME + 1e7;
  // One of a category a slate: those without one do not count as one.
  const { slate, explanations } = recommender.recommend({ user: "u0", now, k: 6, explain: true });
  expect(slate.length).toBe(6);
  expect(JSON.stringify(explanations)).not.toMatch(/NaN|undefined/);
  const include = recommender.recommend({ user: "u0", now, k: 6, filter: { categories: { include: ["chess"] } } });
  expect(include.slate).toEqual(["s8"]);
  const exclude = recommender.recommend({ user: "u0", now, k: 9, filter: { categories: { exclude: ["chess"] } } });
  expect(exclude.slate).not.toContain("s8");
  expect(recommender.stats().updates).toBeGreaterThan(0);
  const bare = { streamer: "a", category: "", tags: [] };
  expect(traitSimilarity(bare, { ...bare, streamer: "b" })).toBe(0);
});

test("streams without a category are saved, and may get one later", () => {
  const recommender = watched();
  const loaded = Recommender.load(recommender.save(), { features: FEATURES });
  const now = TIME + 1e7;
  const request = { user: "u1", now, k: 6 };
  const [again, before] = [loaded.recommend(request), recommender.recommend(request)];
  expect({ ...again, id: "" }).toEqual({ ...before, id: "" });
  expect(loaded.onAir().sort()).toEqual(Array.from({ length: 9 }, (_, n) => `s${n}`));
  loaded.feedback({ kind: "update", time: now, stream: "s3", category: "talk" });
  const filter = { categories: { include: ["talk"] } };
  expect(loaded.recommend({ user: "u1", now: now + 1, k: 6, filter }).slate).toEqual(["s3"]);
});

test("a mapping needs no category, and an empty cell is none", async () => {
  const mapping: EventMapping = {
    source: { format: "csv" },
    kind: "on_air",
    fields: { time: "at", stream: "id", streamer: "who", category: "game" },
  } as never;
  const events: LiveEvent[] = [];
  for await (const event of readMapped("at,id,who,game\n5,s1,ann,chess\n6,s2,bob,\n", mapping)) events.push(event);
  expect(events).toMatchObject([{ category: "chess" }, { stream: "s2" }]);
  expect(events[1]).not.toHaveProperty("category");
});
