import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../src/protocol/time.js";
import { defaultFeatures, neighbours, pages, traits, vectors } from "../../src/recommender/features/index.js";
import { Recommender, type RecommenderOptions } from "../../src/recommender/recommender.js";
import { SCENE_DEFAULTS, Scenes } from "../../src/recommender/retrieval/scenes.js";
import { onAir } from "../support/events.js";
import { bytesOf, textOf } from "../support/parts.js";

const GROUPS = [...defaultFeatures(), traits(), pages(), neighbours(), vectors()];

function made(options: Partial<RecommenderOptions> = {}): Recommender {
  return new Recommender({ seed: 1, features: GROUPS, learner: { capacity: 200, learningStarts: 50 }, ...options });
}

function filled(recommender: Recommender, streams = 40, time = 1000): void {
  for (let i = 0; i < streams; i++) {
    recommender.feedback(onAir(`s${i}`, { time, streamer: `r${i}`, category: `c${i % 7}`, tags: [`t${i}`] }));
  }
}

/** Requests, visits and whatever else a user does. */
function lives(recommender: Recommender, user: string, from: number): void {
  recommender.feedback({ kind: "user", time: from, user, region: `of ${user}`, gender: `of ${user}`, age: 41 });
  for (let i = 0; i < 40; i++) {
    const now = from + i * 10 * MINUTE;
    const { id: decision, slate } = recommender.recommend({ user, now, k: 5 });
    const seen = { user, stream: slate[i % 5]!, decision };
    recommender.feedback({ kind: "click", time: now + 1, ...seen });
    recommender.feedback({ kind: "heartbeat", time: now + 60_000, ...seen, watchMs: 60_000 });
    recommender.feedback({ kind: "watch", time: now + 5 * MINUTE, ...seen, watchMs: 5 * MINUTE - 1 });
    recommender.feedback({ kind: "follow", time: now + 5 * MINUTE, user, stream: seen.stream });
    recommender.feedback({ kind: "comment", time: now + 5 * MINUTE, user, stream: seen.stream, id: `${i} of ${user}` });
    recommender.feedback({ kind: "friend", time: now, user, friend: `friend ${i}` });
    recommender.feedback({ kind: "page_view", time: now, user, dwellMs: 7777 });
  }
}

describe("a forgotten user", () => {
  test("is in no byte of a save: no profile, pending decision, window, trait or event id", () => {
    const recommender = made();
    filled(recommender);
    lives(recommender, "secret", 2000);
    lives(recommender, "other", 2000 + DAY);
    expect(textOf(recommender.save()).split("secret").length).toBeGreaterThan(5);
    expect(recommender.forget("secret")).toBe(true);
    expect(recommender.profile("secret")).toBeUndefined();
    const text = textOf(recommender.save());
    expect(text.includes("secret")).toBe(false);
    expect(text.includes("of other")).toBe(true);
    expect(recommender.forget("secret")).toBe(false);
    const loaded = Recommender.load(recommender.save(), { features: GROUPS });
    expect(textOf(loaded.save())).toBe(text);
  });

  test("does not come back by an event from before, also after a load; a later one is a new start", () => {
    const first = made();
    filled(first);
    lives(first, "secret", 2000);
    first.feedback({ kind: "user", time: first.time + 1, user: "other", region: "eu" });
    first.forget("secret");
    for (const recommender of [first, Recommender.load(first.save(), { features: GROUPS })]) {
      const { time } = recommender;
      const late = [
        { kind: "watch", time: time - 1, user: "secret", stream: "s1", watchMs: 1000 },
        { kind: "click", time: time - 60_000, user: "secret", stream: "s1" },
        { kind: "friend", time: time - 1, user: "other", friend: "secret" },
        { kind: "user", time: time - 1, user: "secret", age: 3 },
      ] as const;
      for (const event of late) recommender.feedback(event);
      expect(recommender.profile("secret")).toBeUndefined();
      expect(recommender.profile("other")!.friends).not.toContain("secret");
      expect(recommender.stats().forgotten).toBe(4);
      recommender.feedback({ kind: "click", time: time + 1, user: "secret", stream: "s1" });
      expect(recommender.profile("secret")).toMatchObject({ firstSeen: time + 1, requests: 0, traits: {} });
    }
  });
});

describe("retention", () => {
  test("by age forgets users and streamers without a sign, a few at each event, and counts them", () => {
    const scenes = new Scenes({
      ...SCENE_DEFAULTS,
      profile: { userMaxAgeMs: DAY, streamerMaxAgeMs: 2 * DAY, streamTimeoutMs: 0 },
    });
    const { state } = scenes;
    scenes.feedback(onAir("s", { streamer: "kept" }));
    for (let i = 0; i < 30; i++) {
      scenes.feedback(onAir(`s${i}`, { streamer: `r${i}` }));
      scenes.feedback({ kind: "click", time: i, user: `u${i}`, stream: `s${i}` });
      scenes.feedback({ kind: "off_air", time: i, stream: `s${i}` });
    }
    for (const time of [DAY / 2, DAY - 1]) scenes.feedback({ kind: "page_view", time, user: "u0", dwellMs: 1 });
    scenes.feedback({ kind: "page_view", time: DAY + 100, user: "u0", dwellMs: 1 });
    expect(state.stats().droppedUsers).toBe(8);
    for (let i = 0; i < 5; i++) scenes.feedback({ kind: "page_view", time: DAY + 100, user: "u0", dwellMs: 1 });
    expect(state.stats().droppedUsers).toBe(29);
    expect([state.users.size, state.profile("u0") !== undefined]).toEqual([1, true]);
    scenes.feedback({ kind: "update", time: 2 * DAY, stream: "s", viewers: 3 });
    for (let i = 0; i < 12; i++) scenes.feedback({ kind: "update", time: 3 * DAY, stream: "s", viewers: i });
    expect(state.users.streamers.profile("kept", 3 * DAY)).toBeDefined();
    expect(state.users.streamers.profile("r3", 3 * DAY)).toBeUndefined();
    expect(state.stats().droppedStreamers).toBe(30);
  });

  test("by number counts what it drops", () => {
    const scenes = new Scenes({ ...SCENE_DEFAULTS, profile: { users: 5, streamers: 3 } });
    for (let i = 0; i < 9; i++) {
      scenes.feedback(onAir(`s${i}`, { streamer: `r${i}` }));
      scenes.feedback({ kind: "click", time: i, user: `u${i}`, stream: `s${i}` });
    }
    expect(scenes.state.stats()).toEqual({ droppedUsers: 4, droppedStreamers: 6, timedOut: 0 });
    expect(scenes.state.profile("u4")).toBeDefined();
    expect(scenes.state.profile("u3")).toBeUndefined();
  });
});

test("a stream without a sign for the time-out goes off air, a few at each event; a sign keeps it", () => {
  const scenes = new Scenes({ ...SCENE_DEFAULTS, profile: { streamTimeoutMs: 2 * HOUR } });
  for (let i = 0; i < 20; i++) scenes.feedback(onAir(`s${i}`, { streamer: `r${i}` }));
  scenes.feedback({ kind: "heartbeat", time: HOUR, user: "u", stream: "s3", watchMs: 1000 });
  scenes.feedback({ kind: "update", time: HOUR, stream: "s4", viewers: 1 });
  scenes.feedback({ kind: "page_view", time: 2 * HOUR, user: "u", dwellMs: 1 });
  expect(scenes.state.catalogue.size).toBe(20);
  const parts = () => textOf(...scenes.parts().map(bytesOf));
  expect(parts().length).toBeGreaterThan(0);
  for (let i = 1; i < 5; i++) scenes.feedback({ kind: "page_view", time: 2 * HOUR + i, user: "u", dwellMs: 1 });
  expect(Array.from(scenes.state.catalogue, ({ id }) => id).sort()).toEqual(["s3", "s4"]);
  expect(scenes.state.stats().timedOut).toBe(18);
  expect(scenes.state.catalogue.find("s1")).toMatchObject({ isOnAir: false });
  const never = new Scenes({ ...SCENE_DEFAULTS, profile: { streamTimeoutMs: 0 } });
  never.feedback(onAir("s"));
  never.feedback({ kind: "page_view", time: 1000 * DAY, user: "u", dwellMs: 1 });
  expect(never.state.catalogue.size).toBe(1);
});
