import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { DAY, HOUR, MINUTE, WEEK } from "../../../src/protocol/time.js";
import { coreFeatures, neighbours } from "../../../src/recommender/features/index.js";
import { SCENE_DEFAULTS, Scenes } from "../../../src/recommender/retrieval/scenes.js";
import { framedReader } from "../../../src/recommender/state/index.js";
import { type Nearness, Neighbours } from "../../../src/recommender/state/neighbours.js";
import { onAir } from "../../support/events.js";
import { bytesOf, copyParts, readAll, textOf } from "../../support/parts.js";

function nearness(neighbours: Neighbours, user: string, streamer: string, now = 0): Nearness | undefined {
  const out = { all: 7, others: 7, weight: 7, nearest: 7 };
  neighbours.begin(user, now);
  return neighbours.read(streamer, out) ? out : undefined;
}

/** Everything that a save holds. */
function saved(neighbours: Neighbours): string {
  return JSON.stringify(neighbours.save()) + textOf(...neighbours.parts("near").map(bytesOf));
}

/** Visits of each streamer, and visits in common. */
function audiencesOf(neighbours: Neighbours): [streamer: string, visits: number, common: number][] {
  const all: [string, number, number][] = [];
  const part = neighbours.parts("near")[1]!;
  const names: string[] = [];
  const reader = framedReader("near", (frame) => {
    const [streamer, visits, common] = [frame.text(), frame.f64(), frame.varint()];
    for (let i = 0; i < common; i++) {
      if (frame.varint() === names.length) names.push(frame.text());
      frame.f64();
    }
    all.push([streamer, visits, common]);
  });
  readAll(reader, bytesOf(part));
  return all;
}

describe("neighbours", () => {
  test("are streamers that the same users liked; nearness excludes the streamer itself, and lists its sums", () => {
    const neighbours = new Neighbours({ shrinkage: 0, recency: 0.5 });
    for (const [user, streamer] of ["ua", "ub", "va", "vb", "wb", "wc"].map((pair) => [...pair] as [string, string])) {
      neighbours.learn(user, streamer, 0);
    }
    // a: u, v; b: u, v, w; c: w.
    const [ab, bc] = [2 / Math.sqrt(6), 1 / Math.sqrt(3)];
    const near = (x: number) => expect.closeTo(x, 12);
    expect(nearness(neighbours, "u", "c")).toEqual({ all: near(bc), others: near(bc), weight: 1.5, nearest: near(bc) });
    // Itself was liked last: `all` includes it, the others begin at the next weight.
    expect(nearness(neighbours, "u", "b")).toEqual({
      all: near(1 + 0.5 * ab),
      others: near(0.5 * ab),
      weight: 0.5,
      nearest: near(ab),
    });
    expect(nearness(neighbours, "nobody", "b")).toEqual({ all: 0, others: 0, weight: 0, nearest: 0 });
    expect(nearness(neighbours, "u", "never")).toBeUndefined();
  });

  test("a user who comes again and again, or in rounds, does not outweigh users who come once", () => {
    const neighbours = new Neighbours({ shrinkage: 0, history: 16, halfLifeMs: 4 * WEEK });
    const audience = (streamer: string, now: number) => {
      neighbours.learn("probe", streamer, now);
      const { all } = nearness(neighbours, "probe", streamer, now)!;
      return all;
    };
    for (let i = 0; i < 20; i++) {
      for (const streamer of ["x", "y"]) neighbours.learn(`honest${i}`, streamer, 0);
    }
    const before = audiencesOf(neighbours).find(([streamer]) => streamer === "x")!;
    for (let i = 0; i < 1000; i++) for (const streamer of ["x", "z"]) neighbours.learn("loud", streamer, i);
    for (let i = 0; i < 4000; i++) neighbours.learn("round", i % 40 === 0 ? "x" : `r${i % 40}`, i);
    const after = audiencesOf(neighbours);
    const visits = (name: string) => after.find(([streamer]) => streamer === name)![1];
    expect(before[1]).toBe(20);
    // One for each account, or two.
    expect(visits("x")).toBeLessThan(23);
    expect(visits("z")).toBe(1);
    const all = after.reduce((sum, [, count]) => sum + count, 0);
    expect(all).toBeLessThanOrEqual(40 + 2 + 16 + 0.1);
    expect(audience("y", 1)).toBeGreaterThan(0.9);
    // Half a year later its visits have faded, and it counts again.
    neighbours.learn("round", "x", 26 * WEEK);
    const later = audiencesOf(neighbours).find(([streamer]) => streamer === "x")![1];
    expect(later).toBeGreaterThan(visits("x"));
  });

  test("a forgotten user and a forgotten streamer are in no save", () => {
    const neighbours = new Neighbours();
    for (const user of ["secret", "v"]) for (const streamer of ["a", "hidden"]) neighbours.learn(user, streamer, 0);
    const text = () => saved(neighbours);
    for (const name of ["secret", "hidden"]) expect(text()).toContain(name);
    neighbours.forget("secret");
    neighbours.forgetStreamer("hidden");
    for (const name of ["secret", "hidden"]) expect(text()).not.toContain(name);
    expect(textOf([...neighbours.visits.memory()])).not.toContain("secret");
    expect(nearness(neighbours, "v", "a")).toMatchObject({ others: 0, weight: 0 });
    expect(nearness(neighbours, "v", "hidden")).toBeUndefined();
  });

  test("stay within their bounds, and saved and loaded are the same, to the bit", () => {
    const options = { users: 30, streamers: 40, history: 8, neighbours: 6, halfLifeMs: DAY };
    const act = (neighbours: Neighbours, random: Random, from: number) => {
      for (let i = from; i < from + 3000; i++) {
        neighbours.learn(`u${random.below(60)}`, `s${random.below(80)}`, i * 7 * MINUTE);
      }
    };
    const original = new Neighbours(options);
    const random = new Random(3);
    act(original, random, 0);
    const audiences = audiencesOf(original);
    const visits = [...original.visits.all()];
    expect([visits.length <= 30, audiences.length <= 40]).toEqual([true, true]);
    for (const streamers of visits) expect(streamers.length).toBeLessThanOrEqual(8);
    for (const [, , common] of audiences) expect(common).toBeLessThanOrEqual(6);
    const copy = new Neighbours(options);
    copy.load(JSON.parse(JSON.stringify(original.save())));
    copyParts(original.parts("near"), copy.readers("near"), 100);
    expect(saved(copy)).toBe(saved(original));
    const state = random.state();
    // Long enough that the origin moves.
    act(original, random, 300_000);
    random.restore(state);
    act(copy, random, 300_000);
    expect(saved(copy)).toBe(saved(original));
    expect(nearness(copy, "u1", "s2", 1e12)).toEqual(nearness(original, "u1", "s2", 1e12));
  });

  test("a read changes nothing, at any later time", () => {
    const neighbours = new Neighbours({ halfLifeMs: 1 });
    for (const user of ["u", "v"]) for (const streamer of ["a", "b"]) neighbours.learn(user, streamer, 0);
    const before = saved(neighbours);
    expect(nearness(neighbours, "u", "a", 1e9)!.all).toBeLessThan(1e-100);
    expect(saved(neighbours)).toBe(before);
  });
});

describe("the group neighbours", () => {
  const streamOf = (streamer: string, time = 0) => onAir(`of ${streamer}`, { time, streamer });
  const watch = (user: string, streamer: string, time: number, watchMs = 10 * MINUTE): LiveEvent => ({
    kind: "watch",
    time,
    user,
    stream: `of ${streamer}`,
    watchMs,
  });
  function platform(): Scenes {
    const scenes = new Scenes({ ...SCENE_DEFAULTS, features: [...coreFeatures(), neighbours()] });
    for (const streamer of ["a", "b", "c"]) scenes.feedback(streamOf(streamer));
    return scenes;
  }
  /** Its four floats for a streamer. */
  function row(scenes: Scenes, user: string, streamer: string, now: number): number[] {
    const { streams, candidates } = scenes.face({ user, now });
    const i = streams.findIndex((stream) => stream.streamer === streamer);
    const { candidateSize } = scenes.features;
    return [...candidates.subarray((i + 1) * candidateSize - 4, (i + 1) * candidateSize)];
  }

  test("counts a watch right after it, also of others, and not before", () => {
    const scenes = platform();
    const unknown = [0, 0, 0, 0];
    scenes.feedback(watch("v", "a", MINUTE));
    scenes.feedback(watch("v", "b", 2 * MINUTE));
    expect(row(scenes, "u", "b", 3 * MINUTE)).toEqual(unknown);
    scenes.feedback(watch("u", "a", 3 * MINUTE));
    // One user of sqrt(2 * 1), and 5 of shrinkage.
    const similarity = 1 / (Math.sqrt(2) + 5);
    const near = (x: number) => expect.closeTo(x, 4);
    const known = [1, near(similarity / (similarity + 1)), near(similarity), near(similarity)];
    expect(row(scenes, "u", "b", 3 * MINUTE)).toEqual(known);
    // A liked streamer is no evidence of itself, and nobody liked c.
    expect(row(scenes, "u", "a", 3 * MINUTE)).toEqual(unknown);
    expect(row(scenes, "u", "c", 3 * MINUTE)).toEqual(unknown);
    scenes.feedback(watch("w", "c", 4 * MINUTE));
    expect(row(scenes, "u", "c", 4 * MINUTE)).toEqual([1, 0, 0, 0]);
    scenes.feedback(watch("w", "a", HOUR));
    expect(row(scenes, "u", "c", HOUR)[1]).toBeGreaterThan(0);
  });

  test("counts likes and long watches, no bounces, and streams off air", () => {
    const scenes = platform();
    scenes.feedback(watch("v", "a", 1, 59_000));
    scenes.feedback({ kind: "click", time: 1, user: "v", stream: "of a" });
    scenes.feedback({ kind: "like", time: 2, user: "v", stream: "of b" });
    scenes.feedback({ kind: "dislike", time: 2, user: "u", stream: "of a" });
    expect(row(scenes, "v", "a", 3)).toEqual([0, 0, 0, 0]);
    scenes.feedback({ kind: "off_air", time: 4, stream: "of a" });
    scenes.feedback(watch("v", "a", DAY));
    scenes.feedback(streamOf("a", DAY + 1));
    expect(row(scenes, "v", "a", DAY + 1)[0]).toBe(1);
    expect(scenes.state.forget("v")).toBe(true);
    expect(row(scenes, "v", "a", DAY + 2)).toEqual([0, 0, 0, 0]);
    scenes.feedback(watch("v", "b", DAY + 3));
    expect(row(scenes, "v", "a", DAY + 3)[0]).toBe(1);
    scenes.forgetStreamer("b");
    expect(row(scenes, "v", "a", DAY + 3)).toEqual([0, 0, 0, 0]);
  });

  test("is neither built nor saved unless given", () => {
    const kept = (of: Scenes) => of.state.save([]).keepers;
    const scenes = new Scenes({ ...SCENE_DEFAULTS, features: coreFeatures() });
    scenes.feedback(streamOf("a"));
    scenes.feedback(watch("u", "a", 1));
    expect(kept(scenes)).toEqual([]);
    const asked = platform();
    asked.feedback(watch("u", "a", 1));
    expect(kept(asked)).toMatchObject([["neighbours", { origin: 1 }, 0]]);
    expect(textOf(...asked.parts().map(bytesOf))).toContain("u");
  });
});
