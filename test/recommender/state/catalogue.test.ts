import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { type CatalogStream, Catalogue } from "../../../src/recommender/state/catalogue.js";
import { onAir } from "../../support/events.js";
import { copyParts, linesOf } from "../../support/parts.js";

describe("Catalogue", () => {
  test("holds the data of the events of each stream", () => {
    const catalog = new Catalogue();
    const described = { description: "d", language: "en", mature: true, embeddings: { text: [0.1, -2], audio: [3] } };
    catalog.feedback(onAir("a", { time: 5, tags: ["calm"], title: "hello", ...described }));
    catalog.feedback({ kind: "update", time: 9, stream: "a", viewers: 30, category: "music" });
    catalog.feedback({ kind: "update", time: 11, stream: "a", viewers: 20, likes: 4, tags: ["loud"] });
    const embeddings = { text: Float32Array.of(0.1, -2), audio: Float32Array.of(3) };
    expect({ ...catalog.get("a") }).toEqual({
      ...described,
      times: { start: 5, onAir: 5, viewers: 11, likes: 11, title: -1, category: 9, tags: 11 },
      isOnAir: true,
      embeddings,
      likes: 4,
      id: "a",
      index: 0,
      streamer: "of a",
      category: "music",
      tags: ["loud"],
      title: "hello",
      startedAt: 5,
      updatedAt: 11,
      viewers: 20,
      peakViewers: 30,
    });
  });

  test("an off-air stream is gone at once, and its place is taken by the last", () => {
    const catalog = new Catalogue();
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
    const catalog = new Catalogue();
    catalog.feedback(onAir("a", { time: 1 }));
    catalog.feedback({ kind: "update", time: 2, stream: "a", viewers: 9 });
    catalog.feedback({ kind: "off_air", time: 3, stream: "a" });
    catalog.feedback(onAir("a", { time: 4 }));
    expect(catalog.get("a")).toMatchObject({ startedAt: 4, viewers: 0, peakViewers: 0 });
  });

  test("a second on_air changes the description of the stream, not its start", () => {
    const catalog = new Catalogue();
    catalog.feedback(onAir("a", { time: 1 }));
    catalog.feedback({ kind: "update", time: 2, stream: "a", viewers: 9 });
    catalog.feedback(onAir("a", { time: 3, category: "music", tags: ["loud"] }));
    expect(catalog.size).toBe(1);
    expect(catalog.get("a")).toMatchObject({ category: "music", tags: ["loud"], startedAt: 1, viewers: 9 });
  });

  test("events for streams not on air are ignored and counted", () => {
    const catalog = new Catalogue();
    catalog.feedback({ kind: "off_air", time: 1, stream: "x" });
    catalog.feedback({ kind: "update", time: 1, stream: "x", viewers: 3 });
    catalog.feedback({ kind: "click", time: 1, stream: "x", user: "u" });
    expect([catalog.size, catalog.ignored]).toEqual([0, 2]);
  });

  test("among() keeps the order of the candidates, drops the absent and the repeated", () => {
    const catalog = new Catalogue();
    for (const id of ["a", "b", "c"]) catalog.feedback(onAir(id));
    expect(catalog.among(["c", "x", "a", "c"]).map((stream) => stream.id)).toEqual(["c", "a"]);
    expect(catalog.among().length).toBe(3);
    expect(catalog.among([])).toEqual([]);
  });

  test("keeps streams by viewers, by start, by streamer and by category, in any order of arrival", () => {
    const build = (order: readonly number[]) => {
      const catalog = new Catalogue();
      for (const i of order) {
        catalog.feedback(onAir(`s${i}`, { time: i >> 2, streamer: `r${i % 10}`, category: `c${i % 3}` }));
        catalog.feedback({ kind: "update", time: 50, stream: `s${i}`, viewers: i % 7, category: `c${i % 5}` });
      }
      for (const i of order) if (i % 6 === 0) catalog.feedback({ kind: "off_air", time: 60, stream: `s${i}` });
      return catalog;
    };
    const order = Array.from({ length: 300 }, (_, i) => i);
    const [one, other] = [build(order), build(new Random(2).shuffle([...order]))];
    const ids = (streams: Iterable<CatalogStream>) => [...streams].map((stream) => stream.id);
    expect(ids(one.popular)).toEqual(ids(other.popular));
    expect(ids(one.newest)).toEqual(ids(other.newest));
    expect(ids(one.popular).slice(0, 2)).toEqual(["s104", "s111"]);
    expect(ids(one.newest).slice(0, 3)).toEqual(["s296", "s297", "s298"]);
    expect(ids(one.of("r3")).sort()).toEqual(ids(other.of("r3")).sort());
    expect(ids(one.within("c4")).sort()).toEqual(ids([...one].filter(({ category }) => category === "c4")).sort());
    expect(one.of("nobody").size + one.within("nothing").size).toBe(0);
  });

  test("calls followers when the category or the tags may have changed, and only then", () => {
    const seen: string[] = [];
    const see = ({ category, tags }: CatalogStream) => seen.push([category, ...tags].join());
    const catalog = new Catalogue();
    catalog.follow({ entered: see, changed: see, left: () => seen.push("gone") });
    const update = (what: object) => catalog.feedback({ kind: "update", time: 2, stream: "a", ...what });
    catalog.feedback(onAir("a", { time: 1, category: "chess", tags: ["calm"] }));
    update({ viewers: 5 });
    update({ category: "music" });
    update({ tags: ["loud", "late"] });
    update({ title: "x" });
    catalog.feedback({ kind: "off_air", time: 3, stream: "a" });
    expect(seen).toEqual(["chess,calm", "music,calm", "music,loud,late", "gone"]);
  });

  test("calls followers for each stream at its index, and for the moved last one", () => {
    const rows: string[] = [];
    const write = ({ index, id, category }: CatalogStream) => {
      rows[index] = `${id} ${category}`;
    };
    const catalog = new Catalogue();
    catalog.follow({
      entered: write,
      changed: write,
      left: (index, last) => {
        rows[index] = rows[last]!;
        rows.length = last;
      },
    });
    const random = new Random(3);
    for (let step = 0; step < 3000; step++) {
      const stream = `s${random.below(30)}`;
      const category = `c${random.below(3)}`;
      const kind = random.pick(["on_air", "update", "off_air"] as const);
      if (kind === "on_air") catalog.feedback(onAir(stream, { time: step, category }));
      else if (kind === "update") catalog.feedback({ kind, time: step, stream, category });
      else catalog.feedback({ kind, time: step, stream });
      expect(rows).toEqual(catalog.streams.map(({ id, category }) => `${id} ${category}`));
    }
  });

  test("saved and loaded holds the same, and continues the same", () => {
    const random = new Random(4);
    const catalog = new Catalogue();
    const live = (into: Catalogue, from: number) => {
      for (let step = 0; step < 500; step++) {
        const [stream, time] = [`s${random.below(20)}`, from + step * 500];
        const kind = random.pick(["on_air", "update", "off_air", "click", "gift"] as const);
        if (kind === "on_air") into.feedback(onAir(stream, { time, embeddings: { image: [random.normal()] } }));
        else if (kind === "update") into.feedback({ kind, time, stream, viewers: random.below(99), likes: step });
        else if (kind === "off_air") into.feedback({ kind, time, stream });
        else if (kind === "click") into.feedback({ kind, time, stream, user: `u${random.below(5)}` });
        else into.feedback({ kind, time, stream, user: `u${random.below(5)}`, amount: 2 });
      }
    };
    live(catalog, 0);
    const copy = new Catalogue();
    copy.load(JSON.parse(JSON.stringify(catalog.save())));
    copyParts([catalog.part("catalogue")], [["catalogue", copy.reader("catalogue")]]);
    expect([...copy].map((stream) => ({ ...stream }))).toEqual([...catalog].map((stream) => ({ ...stream })));
    expect([...copy.popular].map(({ id }) => id)).toEqual([...catalog.popular].map(({ id }) => id));
    const state = random.state();
    live(catalog, 250_000);
    random.restore(state);
    live(copy, 250_000);
    expect(copy.save()).toEqual(catalog.save());
    expect(linesOf(copy.part("catalogue"))).toEqual(linesOf(catalog.part("catalogue")));
    expect(copy.ignored).toBeGreaterThan(0);
    for (let i = 0; i < 20; i++) expect(copy.find(`s${i}`)).toEqual(catalog.find(`s${i}`));
  });

  test("agrees with a plain set over random comings and goings", () => {
    const random = new Random(1);
    const catalog = new Catalogue();
    const model = new Set<string>();
    for (let step = 0; step < 20_000; step++) {
      const id = `s${random.below(60)}`;
      if (random.bernoulli(0.5)) {
        catalog.feedback(onAir(id, { time: step }));
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

  test("knows streams that went off air, the latest, until they come back or their streamer is forgotten", () => {
    const catalog = new Catalogue(16);
    for (let i = 0; i < 40; i++) {
      catalog.feedback(onAir(`s${i}`, { time: i }));
      catalog.feedback({ kind: "off_air", time: i, stream: `s${i}` });
    }
    expect(catalog.find("s0")).toBeUndefined();
    expect(catalog.find("s39")).toMatchObject({ id: "s39", isOnAir: false });
    catalog.feedback(onAir("s39", { time: 50 }));
    expect(catalog.find("s39")).toBe(catalog.get("s39"));
    const gone = catalog.find("s38")!;
    expect(catalog.goneOf(gone.streamer)).toContain("s38");
    catalog.forgetStreamer(gone.streamer);
    expect(catalog.find("s38")).toBeUndefined();
  });

  test("takes 100 000 streams on and off air", () => {
    const catalog = new Catalogue();
    for (let i = 0; i < 100_000; i++) catalog.feedback(onAir(`s${i}`, { time: i }));
    for (let i = 0; i < 100_000; i++) catalog.feedback({ kind: "update", time: i, stream: `s${i}`, viewers: i });
    for (let i = 0; i < 100_000; i++) catalog.feedback({ kind: "off_air", time: i, stream: `s${i}` });
    expect(catalog.size).toBe(0);
  });
});
