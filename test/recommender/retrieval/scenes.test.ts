import { describe, expect, test } from "vitest";
import type { LiveEvent, OnAir } from "../../../src/protocol/events.js";
import { HOUR, MINUTE } from "../../../src/protocol/time.js";
import { coreFeatures, taste } from "../../../src/recommender/features/index.js";
import { SCENE_DEFAULTS, type SceneOptions, Scenes } from "../../../src/recommender/retrieval/scenes.js";
import { onAir } from "../../support/events.js";
import { bytesOf, copyParts, textOf } from "../../support/parts.js";

const OPTIONS: SceneOptions = { ...SCENE_DEFAULTS, maxCandidates: 16, features: [...coreFeatures(), taste()] };
const STREAMS = 100;

function numbered(i: number): OnAir {
  return onAir(`s${i}`, { time: i, streamer: `r${i}`, category: `c${i % 4}`, tags: [`t${i % 3}`] });
}

/** All that a save holds, as text. */
function packed(scenes: Scenes): string {
  return JSON.stringify(scenes.save([])) + textOf(...scenes.parts().map(bytesOf));
}

/** Many more streams on air than candidates; the first is the most viewed, the last the newest. */
function filled(options: Partial<SceneOptions> = {}): Scenes {
  const scenes = new Scenes({ ...OPTIONS, ...options });
  for (let i = 0; i < STREAMS; i++) {
    scenes.feedback(numbered(i));
    scenes.feedback({ kind: "update", time: i, stream: `s${i}`, viewers: STREAMS - i });
  }
  return scenes;
}

/** The streams that each source brings. */
function brought(scenes: Scenes, user: string, now = HOUR): Record<string, string[]> {
  const { streams, sources } = scenes.face({ user, now });
  const all: Record<string, string[]> = {};
  for (const [i, { id }] of streams.entries()) (all[sources[i]!] ??= []).push(id);
  return all;
}

/** Users of two tastes, each of whom stays with the streamers of one category. */
function watched(scenes: Scenes): void {
  for (let round = 0; round < 3000; round++) {
    const user = round % 20;
    const i = 4 * ((round * 7) % 25) + (user % 2);
    const watch = { kind: "watch", user: `u${user}`, stream: `s${i}`, watchMs: 20 * MINUTE } as const;
    scenes.feedback({ ...watch, time: STREAMS + round });
  }
}

describe("scenes", () => {
  test("report streams that are unknown, or no longer known", () => {
    const scenes = filled();
    const like = (stream: string): LiveEvent => ({ kind: "like", time: 1000, user: "u", stream });
    expect([like("s1"), like("never")].map((event) => scenes.feedback(event).isKnown)).toEqual([true, false]);
    expect(scenes.feedback({ kind: "off_air", time: 1000, stream: "s1" }).isKnown).toBe(true);
    expect(scenes.feedback({ kind: "off_air", time: 1000, stream: "s1" }).isKnown).toBe(false);
    expect(scenes.feedback({ kind: "update", time: 1000, stream: "s1", viewers: 1 }).isKnown).toBe(false);
    expect(scenes.feedback(like("s1")).isKnown).toBe(true);
    expect(scenes.state.users.get("u")!.pairs.get("r1")!.approvals).toBe(2);
    expect(scenes.feedback({ kind: "friend", time: 1000, user: "u", friend: "v" }).isKnown).toBe(true);
  });

  test("count an impression of another policy", () => {
    const scenes = filled();
    const impression: LiveEvent = { kind: "impression", time: 1000, user: "u", stream: "s1" };
    scenes.feedback(impression);
    expect(scenes.state.users.get("u")!.sums.impressions[0]).toBe(1);
  });

  test.each([
    [6 * HOUR, 20 * MINUTE],
    [0, 2 * HOUR],
  ])(
    "bounds a watch by when its stream was shown, unless users share names: window %i",
    (influenceWindowMs, watchMs) => {
      const scenes = filled({ profile: { influenceWindowMs } });
      const watch: LiveEvent = { kind: "watch", time: 2 * HOUR + 100, user: "u", stream: "s1", watchMs: 2 * HOUR };
      expect(scenes.feedback(watch, watch.time - 20 * MINUTE).watch).toEqual({ watchMs, isCut: watchMs < 2 * HOUR });
    },
  );

  test("bring streams that friends watch, as long as they watch", () => {
    const scenes = filled();
    expect(brought(scenes, "u")["friend"]).toBeUndefined();
    scenes.feedback({ kind: "friend", time: 1000, user: "u", friend: "v" });
    scenes.feedback({ kind: "click", time: 1000, user: "v", stream: "s50" });
    expect(brought(scenes, "u")["friend"]).toEqual(["s50"]);
    expect(brought(scenes, "w")["friend"]).toBeUndefined();
    scenes.feedback({ kind: "watch", time: HOUR, user: "v", stream: "s50", watchMs: 1000 });
    expect(brought(scenes, "u")["friend"]).toBeUndefined();
  });

  test("bring followed streamers, even when the visit is forgotten", () => {
    const scenes = filled({ profile: { pairs: 2 } });
    const visit = (i: number) => scenes.feedback({ kind: "click", time: 1000 + i, user: "u", stream: `s${i}` });
    scenes.feedback({ kind: "follow", time: 1000, user: "u", stream: "s40" });
    for (const i of [41, 42, 43]) visit(i);
    expect(brought(scenes, "u")["favourite"]).toEqual(["s40", "s43", "s42"]);
  });

  test("bring streams near the user's vector to users with watches, and to no others", () => {
    const scenes = filled();
    expect(brought(scenes, "u1")["similar"]).toBeUndefined();
    watched(scenes);
    expect(brought(scenes, "stranger")["similar"]).toBeUndefined();
    for (const user of [0, 1]) {
      const near = brought(scenes, `u${user}`)["similar"]!;
      expect(near.length).toBeGreaterThan(3);
      for (const id of near) expect(Number(id.slice(1)) % 4).toBe(user);
    }
    const without = filled({ towers: false });
    watched(without);
    expect(brought(without, "u1")["similar"]).toBeUndefined();
  });

  test("bring nothing by the vector of a forgotten streamer, at once", () => {
    const scenes = filled();
    watched(scenes);
    const [nearest] = brought(scenes, "u1")["similar"]!;
    scenes.forgetStreamer(`r${nearest!.slice(1)}`);
    expect(brought(scenes, "u1")["similar"]).not.toContain(nearest);
  });

  test("saved and loaded are the same, and bring the same", () => {
    const scenes = filled();
    watched(scenes);
    scenes.face({ user: "u1", now: HOUR });
    const copy = new Scenes(OPTIONS);
    copyParts(scenes.parts(), copy.readers());
    copy.load(JSON.parse(JSON.stringify(scenes.save([]))), new Float32Array());
    expect(packed(copy)).toBe(packed(scenes));
    for (let now = HOUR; now < HOUR + 5; now++) {
      const [one, other] = [scenes, copy].map((each) => each.face({ user: "u1", now }));
      expect(other!.sources).toEqual(one!.sources);
      expect(other!.candidates).toEqual(one!.candidates);
      expect(other!.observation).toEqual(one!.observation);
    }
  });
});
