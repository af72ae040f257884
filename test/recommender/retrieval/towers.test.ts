import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { Towers, type Vectors } from "../../../src/recommender/retrieval/towers.js";
import { type CatalogStream, Catalogue } from "../../../src/recommender/state/catalogue.js";
import { copyParts } from "../../support/parts.js";

/** Vectors from names: small whole numbers, so that products tie; moved on by `version`. */
class Named implements Vectors {
  readonly size: number;
  version = 0;

  constructor(size: number) {
    this.size = size;
  }

  readUser(user: string, out: Float32Array, offset: number): boolean {
    return this.#write(user, out, offset);
  }

  readStreamer(streamer: string, category: string, out: Float32Array, offset: number): boolean {
    return this.#write(`${streamer} ${category} ${this.version}`, out, offset);
  }

  #write(name: string, out: Float32Array, offset: number): boolean {
    if (name.startsWith("none")) return false;
    const random = Random.named(1, name);
    for (let i = 0; i < this.size; i++) out[offset + i] = random.below(5) - 2;
    return true;
  }
}

/** Multiplies and sorts everything. */
function naive(streams: Iterable<CatalogStream>, vectors: Vectors, user: string, count: number): string[] {
  const own = new Float32Array(vectors.size);
  if (!vectors.readUser(user, own, 0)) return [];
  const row = new Float32Array(vectors.size);
  const scored: { id: string; score: number }[] = [];
  for (const { id, streamer, category } of streams) {
    if (!vectors.readStreamer(streamer, category, row, 0, [])) continue;
    scored.push({ id, score: row.reduce((sum, value, i) => sum + value * own[i]!, 0) });
  }
  scored.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  return scored.slice(0, count).map(({ id }) => id);
}

const ids = (streams: readonly CatalogStream[]) => streams.map(({ id }) => id);
const everything = () => true;

function filled(vectors: Vectors, n: number, seed = 1, probe = 1): { catalog: Catalogue; towers: Towers } {
  const towers = new Towers(vectors, { probe });
  const catalog = new Catalogue();
  catalog.follow(towers);
  const random = new Random(seed);
  for (const i of random.shuffle(Array.from({ length: n }, (_, i) => i))) {
    const streamer = i % 11 === 0 ? `none ${i}` : `r${i}`;
    catalog.feedback({ kind: "on_air", time: i, stream: `s${i}`, streamer, category: `c${i % 4}` });
  }
  return { catalog, towers };
}

describe("Towers", () => {
  test.each([1, 3, 4, 7, 32])(
    "give what multiplying and sorting everything gives, ties by the lower id: size %i",
    (size) => {
      const vectors = new Named(size);
      const { catalog, towers } = filled(vectors, 300);
      const random = new Random(size);
      for (let step = 0; step < 120; step++) {
        const i = random.below(320);
        const kind = random.pick(["on_air", "update", "off_air"] as const);
        const stream = `s${i}`;
        if (kind === "off_air") catalog.feedback({ kind, time: step, stream });
        else if (kind === "update") catalog.feedback({ kind, time: step, stream, category: `c${random.below(6)}` });
        else catalog.feedback({ kind, time: step, stream, streamer: `r${random.below(400)}`, category: "c1" });
        const count = 1 + random.below(40);
        expect(ids(towers.nearest(`u${step}`, count, everything))).toEqual(naive(catalog, vectors, `u${step}`, count));
      }
      expect(ids(towers.nearest("u", 1000, everything))).toEqual(naive(catalog, vectors, "u", 1000));
    },
  );

  test("with a probe find most, independent of the history of streams, and never too few", () => {
    const vectors = new Named(4);
    const random = new Random(9);
    const order = Array.from({ length: 400 }, (_, i) => i);
    const build = (probe: number, detours: boolean) => {
      const towers = new Towers(vectors, { probe });
      const catalog = new Catalogue();
      catalog.follow(towers);
      const on = (i: number, category: number) =>
        catalog.feedback({
          kind: "on_air",
          time: 0,
          stream: `s${i}`,
          streamer: `r${i}`,
          category: `c${category % 40}`,
        });
      for (const i of detours ? random.shuffle([...order, ...order]) : order) {
        if (detours) on(i, i + 1);
        if (detours && i % 3 === 0) catalog.feedback({ kind: "off_air", time: 0, stream: `s${i}` });
        on(i, i);
        if (i % 5 === 0) towers.refresh(7);
      }
      for (let i = 0; i < 100; i++) catalog.feedback({ kind: "off_air", time: 0, stream: `s${i}` });
      return towers;
    };
    const [all, few, same] = [build(1, false), build(0.25, false), build(0.25, true)];
    let found = 0;
    for (let user = 0; user < 50; user++) {
      const best = ids(all.nearest(`u${user}`, 20, everything));
      const near = ids(few.nearest(`u${user}`, 20, everything));
      expect(ids(same.nearest(`u${user}`, 20, everything))).toEqual(near);
      found += near.filter((id) => best.includes(id)).length;
      expect(ids(few.nearest(`u${user}`, 300, everything))).toEqual(ids(all.nearest(`u${user}`, 300, everything)));
    }
    expect(found / 1000).toBeGreaterThan(0.35);
    expect(found / 1000).toBeLessThan(1);
    expect(() => new Towers(vectors, { probe: 0 })).toThrow('"towers.probe" must be in (0, 1], got 0');
  });

  test("return only accepted streams among the given ones, and none without a vector", () => {
    const vectors = new Named(8);
    const { catalog, towers } = filled(vectors, 200);
    const few = catalog.streams.filter(({ category }) => category === "c2");
    expect(ids(towers.nearest("u", 20, ({ category }) => category === "c2"))).toEqual(naive(few, vectors, "u", 20));
    expect(ids(towers.nearest("u", 20, everything, few))).toEqual(naive(few, vectors, "u", 20));
    expect(towers.nearest("none", 20, everything)).toEqual([]);
    expect(towers.nearest("u", 0, everything)).toEqual([]);
  });

  test("do not depend on the order in which streams came", () => {
    const vectors = new Named(4);
    const [one, other] = [filled(vectors, 250, 1), filled(vectors, 250, 2)];
    for (let user = 0; user < 20; user++) {
      const of = ({ towers }: typeof one) => ids(towers.nearest(`u${user}`, 30, everything));
      expect(of(one)).toEqual(of(other));
    }
  });

  test("take moved vectors in turn, as many rows at a time as given", () => {
    const vectors = new Named(8);
    const { catalog, towers } = filled(vectors, 100);
    const old = naive(catalog, vectors, "u", 10);
    vectors.version = 1;
    const moved = naive(catalog, vectors, "u", 10);
    expect(moved).not.toEqual(old);
    expect(ids(towers.nearest("u", 10, everything))).toEqual(old);
    for (let i = 0; i < 3; i++) towers.refresh(40);
    expect(ids(towers.nearest("u", 10, everything))).toEqual(moved);
  });

  test.each([1, 0.2])("saved and loaded continue with the saved rows: probe %d", (probe) => {
    const vectors = new Named(8);
    const { catalog, towers } = filled(vectors, 100, 1, probe);
    vectors.version = 1;
    towers.refresh(33);
    const copy = new Towers(vectors, { probe });
    const copied = new Catalogue();
    copied.follow(copy);
    copy.load(JSON.parse(JSON.stringify(towers.save())));
    copyParts(
      [catalog.part("catalogue"), towers.part("towers")],
      [
        ["catalogue", copied.reader("catalogue")],
        ["towers", copy.reader("towers")],
      ],
    );
    for (let round = 0; round < 4; round++) {
      expect(ids(copy.nearest("u", 9, everything))).toEqual(ids(towers.nearest("u", 9, everything)));
      copy.refresh(10);
      towers.refresh(10);
    }
  });
});
