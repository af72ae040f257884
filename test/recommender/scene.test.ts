import { describe, expect, test } from "vitest";
import type { LiveEvent } from "../../src/protocol/events.js";
import { HOUR, MINUTE } from "../../src/protocol/time.js";
import { KNOWLEDGE, Knowledge, type KnowledgeOptions } from "../../src/recommender/scene.js";

const MAX = 16;
const STREAMS = 100;

function onAir(i: number, time = i): LiveEvent {
  return { kind: "on_air", time, stream: `s${i}`, streamer: `r${i}`, category: `c${i % 4}`, tags: [`t${i % 3}`] };
}

/** Many more on air than candidates; the first the most viewed, the last the newest. */
function filled(options: Partial<KnowledgeOptions> = {}): Knowledge {
  const knowledge = new Knowledge({ ...KNOWLEDGE, maxCandidates: MAX, ...options });
  for (let i = 0; i < STREAMS; i++) {
    knowledge.hear(onAir(i));
    knowledge.hear({ kind: "update", time: i, stream: `s${i}`, viewers: STREAMS - i });
  }
  return knowledge;
}

/** The streams that each source brings. */
function brought(knowledge: Knowledge, user: string, now = HOUR): Record<string, string[]> {
  const { streams, sources } = knowledge.face({ user, now });
  const all: Record<string, string[]> = {};
  for (const [i, { id }] of streams.entries()) (all[sources[i]!] ??= []).push(id);
  return all;
}

/** Users of two tastes, each of whom stays with the streamers of one category. */
function watched(knowledge: Knowledge): void {
  for (let round = 0; round < 3000; round++) {
    const user = round % 20;
    const i = 4 * ((round * 7) % 25) + (user % 2);
    const watch = { kind: "watch", user: `u${user}`, stream: `s${i}`, watchMs: 20 * MINUTE } as const;
    knowledge.hear({ ...watch, time: STREAMS + round });
  }
}

describe("what is known now", () => {
  test("says of which streams it has never heard, or no longer", () => {
    const knowledge = filled();
    const like = (stream: string): LiveEvent => ({ kind: "like", time: 1000, user: "u", stream });
    expect([knowledge.hear(like("s1")), knowledge.hear(like("never"))]).toEqual([true, false]);
    expect(knowledge.hear({ kind: "off_air", time: 1000, stream: "s1" })).toBe(true);
    expect(knowledge.hear({ kind: "off_air", time: 1000, stream: "s1" })).toBe(false);
    expect(knowledge.hear({ kind: "update", time: 1000, stream: "s1", viewers: 1 })).toBe(false);
    expect(knowledge.hear(like("s1"))).toBe(true);
    expect(knowledge.profiles.get("u")!.pairs.get("r1")!.approvals).toBe(2);
    expect(knowledge.hear({ kind: "friend", time: 1000, user: "u", friend: "v" })).toBe(true);
  });

  test("counts an impression once", () => {
    const knowledge = filled();
    const impression: LiveEvent = { kind: "impression", time: 1000, user: "u", stream: "s1" };
    knowledge.hear(impression, true);
    expect(knowledge.profiles.get("u")).toBeUndefined();
    knowledge.hear(impression);
    expect(knowledge.profiles.get("u")!.sums.impressions[0]).toBe(1);
  });

  test("brings a user what friends watch, as long as they do", () => {
    const knowledge = filled();
    expect(brought(knowledge, "u")["friend"]).toBeUndefined();
    knowledge.hear({ kind: "friend", time: 1000, user: "u", friend: "v" });
    knowledge.hear({ kind: "click", time: 1000, user: "v", stream: "s50" });
    expect(brought(knowledge, "u")["friend"]).toEqual(["s50"]);
    expect(brought(knowledge, "w")["friend"]).toBeUndefined();
    knowledge.hear({ kind: "watch", time: HOUR, user: "v", stream: "s50", watchMs: 1000 });
    expect(brought(knowledge, "u")["friend"]).toBeUndefined();
  });

  test("brings a user the streamers followed, though visited so long ago that the visit is forgotten", () => {
    const knowledge = filled({ profile: { pairs: 2 } });
    const visit = (i: number) => knowledge.hear({ kind: "click", time: 1000 + i, user: "u", stream: `s${i}` });
    knowledge.hear({ kind: "follow", time: 1000, user: "u", stream: "s40" });
    for (const i of [41, 42, 43]) visit(i);
    expect(brought(knowledge, "u")["favourite"]).toEqual(["s43", "s42", "s40"]);
  });

  test("brings whoever has watched what is near, and nobody else", () => {
    const knowledge = filled();
    expect(brought(knowledge, "u1")["similar"]).toBeUndefined();
    watched(knowledge);
    expect(brought(knowledge, "stranger")["similar"]).toBeUndefined();
    for (const user of [0, 1]) {
      const near = brought(knowledge, `u${user}`)["similar"]!;
      expect(near.length).toBeGreaterThan(3);
      for (const id of near) expect(Number(id.slice(1)) % 4).toBe(user);
    }
    const without = filled({ towers: false });
    watched(without);
    expect(brought(without, "u1")["similar"]).toBeUndefined();
  });

  test("brings nothing by the vector of a streamer who was forgotten, at once", () => {
    const knowledge = filled();
    watched(knowledge);
    const [nearest] = brought(knowledge, "u1")["similar"]!;
    knowledge.forgetStreamer(`r${nearest!.slice(1)}`);
    expect(brought(knowledge, "u1")["similar"]).not.toContain(nearest);
  });

  test("saved and loaded is the same, and brings the same", () => {
    const knowledge = filled();
    watched(knowledge);
    knowledge.face({ user: "u1", now: HOUR });
    const { state, numbers } = knowledge.save();
    const copy = new Knowledge({ ...KNOWLEDGE, maxCandidates: MAX });
    copy.load(JSON.parse(JSON.stringify(state)), numbers);
    expect(copy.save()).toEqual(knowledge.save());
    for (let now = HOUR; now < HOUR + 5; now++) {
      const [one, other] = [knowledge, copy].map((each) => each.face({ user: "u1", now }));
      expect(other!.sources).toEqual(one!.sources);
      expect(other!.candidates).toEqual(one!.candidates);
      expect(other!.observation).toEqual(one!.observation);
    }
  });
});
