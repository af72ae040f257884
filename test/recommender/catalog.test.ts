import { describe, expect, test } from "vitest";
import { Random } from "../../src/random.js";
import { Catalog } from "../../src/recommender/catalog.js";
import type { OnAir } from "../../src/recommender/events.js";

function onAir(stream: string, time = 0, more: Partial<OnAir> = {}): OnAir {
  return { kind: "on_air", time, stream, streamer: `of ${stream}`, category: "chess", ...more };
}

describe("Catalog", () => {
  test("holds what the events told of each stream", () => {
    const catalog = new Catalog();
    catalog.feedback(onAir("a", 5, { tags: ["calm"], title: "hello" }));
    catalog.feedback({ kind: "update", time: 9, stream: "a", viewers: 30, category: "music" });
    catalog.feedback({ kind: "update", time: 11, stream: "a", viewers: 20 });
    expect(catalog.get("a")).toEqual({
      id: "a",
      index: 0,
      streamer: "of a",
      category: "music",
      tags: ["calm"],
      title: "hello",
      startedAt: 5,
      updatedAt: 11,
      viewers: 20,
      peakViewers: 30,
    });
  });

  test("an off-air stream is gone at once, and its place is taken by the last", () => {
    const catalog = new Catalog();
    for (const id of ["a", "b", "c"]) catalog.feedback(onAir(id));
    catalog.feedback({ kind: "off_air", time: 1, stream: "a" });
    expect(catalog.has("a")).toBe(false);
    expect(catalog.get("a")).toBeUndefined();
    expect(catalog.streams.map((stream) => [stream.id, stream.index])).toEqual([
      ["c", 0],
      ["b", 1],
    ]);
  });

  test("a stream that comes back starts anew", () => {
    const catalog = new Catalog();
    catalog.feedback(onAir("a", 1));
    catalog.feedback({ kind: "update", time: 2, stream: "a", viewers: 9 });
    catalog.feedback({ kind: "off_air", time: 3, stream: "a" });
    catalog.feedback(onAir("a", 4));
    expect(catalog.get("a")).toMatchObject({ startedAt: 4, viewers: 0, peakViewers: 0 });
  });

  test("a second on_air changes what the stream is, not when it started", () => {
    const catalog = new Catalog();
    catalog.feedback(onAir("a", 1));
    catalog.feedback({ kind: "update", time: 2, stream: "a", viewers: 9 });
    catalog.feedback(onAir("a", 3, { category: "music", tags: ["loud"] }));
    expect(catalog.size).toBe(1);
    expect(catalog.get("a")).toMatchObject({ category: "music", tags: ["loud"], startedAt: 1, viewers: 9 });
  });

  test("events for streams not on air are ignored and counted", () => {
    const catalog = new Catalog();
    catalog.feedback({ kind: "off_air", time: 1, stream: "x" });
    catalog.feedback({ kind: "update", time: 1, stream: "x", viewers: 3 });
    catalog.feedback({ kind: "click", time: 1, stream: "x", user: "u" });
    expect([catalog.size, catalog.ignored]).toEqual([0, 2]);
  });

  test("among() keeps the order of the candidates, drops the absent and the repeated", () => {
    const catalog = new Catalog();
    for (const id of ["a", "b", "c"]) catalog.feedback(onAir(id));
    expect(catalog.among(["c", "x", "a", "c"]).map((stream) => stream.id)).toEqual(["c", "a"]);
    expect(catalog.among().length).toBe(3);
    expect(catalog.among([])).toEqual([]);
  });

  test("agrees with a plain set over random comings and goings", () => {
    const random = new Random(1);
    const catalog = new Catalog();
    const model = new Set<string>();
    for (let step = 0; step < 20_000; step++) {
      const id = `s${random.below(60)}`;
      if (random.bernoulli(0.5)) {
        catalog.feedback(onAir(id, step));
        model.add(id);
      } else {
        catalog.feedback({ kind: "off_air", time: step, stream: id });
        model.delete(id);
      }
      if (step % 97 !== 0) continue;
      expect(catalog.size).toBe(model.size);
      for (const stream of catalog) {
        expect(model.has(stream.id)).toBe(true);
        expect(catalog.streams[stream.index]).toBe(stream);
      }
    }
  });

  test("takes 100 000 streams on and off air", () => {
    const catalog = new Catalog();
    for (let i = 0; i < 100_000; i++) catalog.feedback(onAir(`s${i}`, i));
    for (let i = 0; i < 100_000; i++) catalog.feedback({ kind: "update", time: i, stream: `s${i}`, viewers: i });
    for (let i = 0; i < 100_000; i++) catalog.feedback({ kind: "off_air", time: i, stream: `s${i}` });
    expect(catalog.size).toBe(0);
  });
});
