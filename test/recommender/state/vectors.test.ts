import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { CollaborativeVectors } from "../../../src/recommender/state/vectors.js";
import { chiSquare } from "../../reference/moments.js";
import { loadVectors, savedVectors } from "../../support/vectors.js";

const TASTES = 4;
const STREAMERS = Array.from({ length: 80 }, (_, i) => ({
  id: `s${i}`,
  category: `c${i % TASTES}`,
  taste: i % TASTES,
}));

/** Users of taste t watch streamers of taste t nine times in ten; every name holds its taste. */
function planted(vectors: CollaborativeVectors, watches: number, seed = 1): void {
  const random = new Random(seed);
  for (const { id, category } of STREAMERS) vectors.offer(id, category);
  for (let i = 0; i < watches; i++) {
    const user = random.below(100);
    const taste = random.bernoulli(0.9) ? user % TASTES : random.below(TASTES);
    const { id, category } = STREAMERS[taste + TASTES * random.below(20)]!;
    vectors.learn(`u${user}`, id, category, 1, [], [`kind:${user % TASTES}`]);
  }
}

describe("collaborative vectors", () => {
  test("recover planted tastes, even with categories that carry no information", () => {
    for (const oneCategory of [false, true]) {
      const vectors = new CollaborativeVectors();
      const random = new Random(2);
      const category = (i: number) => (oneCategory ? "all" : `c${i % TASTES}`);
      for (const [i, { id }] of STREAMERS.entries()) vectors.offer(id, category(i));
      for (let n = 0; n < 20_000; n++) {
        const user = random.below(100);
        const i = (user % TASTES) + TASTES * random.below(20);
        vectors.learn(`u${user}`, STREAMERS[i]!.id, category(i), 1);
      }
      const total = Array.from({ length: 20 }, (_, u) => {
        const ranked = STREAMERS.map(({ id, taste }, i) => ({ taste, score: vectors.dot(`u${u}`, id, category(i)) }));
        ranked.sort((a, b) => b.score - a.score);
        return ranked.slice(0, 20).filter(({ taste }) => taste === u % TASTES).length / 20;
      }).reduce((sum, share) => sum + share / 20, 0);
      expect(total).toBeGreaterThan(0.95);
    }
  });

  test("have the same value before any learning", () => {
    const vectors = new CollaborativeVectors();
    for (const { id, category } of STREAMERS) expect(vectors.dot("u", id, category, ["t"], ["kind:1"])).toBe(0);
  });

  test("a new streamer ranks as its category does, a new user as the traits do", () => {
    const vectors = new CollaborativeVectors();
    planted(vectors, 10_000);
    const out = new Float32Array(16);
    expect(vectors.readStreamer("new", "c1", out, 0)).toBe(false);
    expect(vectors.readUser("nobody", out, 0)).toBe(false);
    for (const value of out) expect(Number.isFinite(value)).toBe(true);
    for (let u = 0; u < 20; u++) {
      const scores = Array.from({ length: TASTES }, (_, c) =>
        vectors.dot(`u${u}`, "new", `c${c}`, [], [`kind:${u % TASTES}`]),
      );
      expect(scores.indexOf(Math.max(...scores))).toBe(u % TASTES);
      const byTrait = Array.from({ length: TASTES }, (_, c) =>
        vectors.dot("nobody", "new", `c${c}`, [], [`kind:${u % TASTES}`]),
      );
      expect(byTrait.indexOf(Math.max(...byTrait))).toBe(u % TASTES);
    }
  });

  test("a new streamer in a new category is placed by tags", () => {
    const vectors = new CollaborativeVectors();
    const random = new Random(3);
    for (let n = 0; n < 6000; n++) {
      const [user, streamer] = [random.below(40), random.below(40)];
      if (user % 2 === streamer % 2) vectors.learn(`u${user}`, `s${streamer}`, `c${streamer}`, 1, [`t${streamer % 2}`]);
    }
    for (let u = 0; u < 40; u++) {
      const [own, other] = [u % 2, 1 - (u % 2)].map((t) => vectors.dot(`u${u}`, "new", "new", [`t${t}`]));
      expect(own).toBeGreaterThan(other!);
    }
  });

  test("dot is the inner product of the vectors read", () => {
    const vectors = new CollaborativeVectors({ size: 7 });
    planted(vectors, 500);
    const rows = new Float32Array(20).fill(9);
    expect(vectors.readUser("u3", rows, 2, ["kind:3"])).toBe(true);
    expect(vectors.readStreamer("s5", "c1", rows, 10)).toBe(true);
    let dot = 0;
    for (let f = 0; f < 7; f++) dot += rows[2 + f]! * rows[10 + f]!;
    expect(vectors.dot("u3", "s5", "c1", [], ["kind:3"])).toBeCloseTo(dot, 5);
    expect([rows[0], rows[1], rows[9], rows[17]]).toEqual([9, 9, 9, 9]);
  });

  test("one step is that of BPR: up the gradient of ln sigmoid(u · (i - j)), by central differences", () => {
    const [learningRate, weight] = [1e-3, 0.7];
    const vectors = new CollaborativeVectors({ size: 4, negatives: 1, regularization: 0, learningRate });
    vectors.learn("u", "i", "a", 1);
    vectors.learn("v", "j", "b", 1);
    vectors.offer("j", "b");
    const before = savedVectors(vectors);
    const read = () => {
      const rows = new Float32Array(12);
      vectors.readUser("u", rows, 0);
      vectors.readStreamer("i", "a", rows, 4);
      vectors.readStreamer("j", "b", rows, 8);
      return rows;
    };
    const rest = { ...JSON.parse(before.rest), offers: [["j", "b", []]], next: 1, offered: true };
    loadVectors(vectors, { ...before, rest: JSON.stringify(rest) });
    const start = Float64Array.from(read());
    const value = (x: Float64Array) => {
      let sum = 0;
      for (let f = 0; f < 4; f++) sum += x[f]! * (x[4 + f]! - x[8 + f]!);
      return -Math.log1p(Math.exp(-sum));
    };
    vectors.learn("u", "i", "a", weight);
    const end = read();
    for (let k = 0; k < 12; k++) {
      const [up, down] = [start.slice(), start.slice()];
      up[k]! += 1e-5;
      down[k]! -= 1e-5;
      // Two parts move for each vector: everybody and the user, the category and the streamer.
      const expected = 2 * learningRate * weight * ((value(up) - value(down)) / 2e-5);
      expect(end[k]! - start[k]!).toBeCloseTo(expected, 6);
    }
  });

  test("parts begin as normal numbers of their own, independent of earlier arrivals", () => {
    const [one, other] = [0, 1].map(() => new CollaborativeVectors({ regularization: 0, users: 3000 }));
    for (let i = 0; i < 2000; i++) one!.learn(`u${i}`, "s", "c", 0);
    for (let i = 1999; i >= 0; i--) other!.learn(`u${i}`, "s", "c", 0);
    const rows = savedVectors(one!).rows.slice(16, 16 + 2000 * 16);
    const mean = rows.reduce((sum, x) => sum + x, 0) / rows.length;
    const variance = rows.reduce((sum, x) => sum + x * x, 0) / rows.length;
    // Four standard errors of 32 000 numbers of deviation 0.1.
    expect(Math.abs(mean)).toBeLessThan(4 * (0.1 / Math.sqrt(32_000)));
    expect(Math.abs(variance / 0.01 - 1)).toBeLessThan(4 * Math.sqrt(2 / 32_000));
    const [a, b] = [one!, other!].map((vectors) => {
      const row = new Float32Array(16);
      vectors.readUser("u7", row, 0);
      return row;
    });
    expect(a).toEqual(b);
  });

  test("negatives are drawn evenly from the latest offers", () => {
    const drawn = new Map<string, number>();
    for (let seed = 0; seed < 1000; seed++) {
      const vectors = new CollaborativeVectors({ seed, size: 1, negatives: 1, window: 5 });
      for (let i = 0; i < 8; i++) vectors.offer(`s${i}`, `c${i}`);
      // Only existing parts can move: the category that moves is the drawn one.
      for (const i of [0, 1, 2, 3, 4, 5, 6, 7]) loadVectors(vectors, withCategory(vectors, `c${i}`));
      const before = categories(vectors);
      vectors.learn("u", "x", "cx", 8);
      for (const [name, value] of categories(vectors)) {
        if (name !== "cx" && before.get(name) !== value) drawn.set(name, (drawn.get(name) ?? 0) + 1);
      }
    }
    expect([...drawn.keys()].sort()).toEqual(["c3", "c4", "c5", "c6", "c7"]);
    expect(chiSquare([...drawn.values()], () => 200)).toBeLessThan(18.5); // 99.9 % of 4 degrees of freedom
  });

  test("stay finite and bounded after any watches", () => {
    const watch = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2), fc.double({ min: 0, max: 1e308, noNaN: true }));
    fc.assert(
      fc.property(fc.array(watch, { maxLength: 300 }), (watches) => {
        const vectors = new CollaborativeVectors({ size: 3, learningRate: 1, regularization: 0, negatives: 8 });
        for (const [user, streamer, category, weight] of watches) {
          vectors.learn(`u${user}`, `s${streamer}`, `c${category}`, weight, [`t${category}`]);
        }
        for (let u = 0; u < 4; u++) expect(Math.abs(vectors.dot(`u${u}`, "s0", "c0", ["t0"]))).toBeLessThan(1e4);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  test("memory is bounded, and the latest users and streamers stay", () => {
    const vectors = new CollaborativeVectors({ users: 20, streamers: 30, names: 10, window: 16 });
    for (let i = 0; i < 500; i++) vectors.learn(`u${i}`, `s${i}`, `c${i}`, 1, [`t${i}`], [`l${i}`]);
    const { users, streamers, categories, tags, traits, offers } = savedVectors(vectors);
    expect(users.length).toBeLessThanOrEqual(20);
    expect(streamers.length).toBeLessThanOrEqual(30);
    for (const names of [categories, tags, traits]) expect(names.length).toBeLessThanOrEqual(10);
    expect(offers.length).toBe(16);
    expect([users.at(-1), streamers.at(-1)]).toEqual(["u499", "s499"]);
  });

  test("saved and loaded, they continue the same, to the bit", () => {
    const original = new CollaborativeVectors({ users: 50, window: 64 });
    planted(original, 700);
    const saved = savedVectors(original);
    const copy = new CollaborativeVectors({ users: 50, window: 64 });
    planted(copy, 30, 9);
    loadVectors(copy, saved);
    expect(savedVectors(copy)).toEqual(saved);
    planted(original, 300, 4);
    planted(copy, 300, 4);
    expect(savedVectors(copy)).toEqual(savedVectors(original));
  });

  test("a save that does not fit is refused, by name", () => {
    const vectors = new CollaborativeVectors();
    planted(vectors, 50);
    const saved = savedVectors(vectors);
    const load = (changes: Partial<typeof saved>) => {
      return () => loadVectors(new CollaborativeVectors(), { ...saved, ...changes });
    };
    expect(load({ rows: saved.rows.slice(1) })).toThrow("cut off");
    expect(load({ rows: saved.rows.map((x, i) => (i === 5 ? Number.NaN : x)) })).toThrow(
      "must be numbers in [-4, 4], got NaN",
    );
    expect(load({ users: saved.users.map(() => saved.users[0]!) })).toThrow("new ids");
    expect(load({ rest: saved.rest.replace('"next":', '"nxt":') })).toThrow('"vectors.next"');
    expect(load({ rest: saved.rest.replace('"random":[', '"random":[-') })).toThrow('"vectors.random"');
    expect(load({ rest: saved.rest.slice(1) })).toThrow("must be JSON");
    expect(load({})).not.toThrow();
  });

  test("users and streamers can be forgotten: the parts of traits, categories and tags stay", () => {
    const vectors = new CollaborativeVectors({ window: 8 });
    planted(vectors, 400);
    expect([vectors.forget("u1"), vectors.forget("u1")]).toEqual([true, false]);
    expect(vectors.dot("u1", "s1", "c1")).toBe(vectors.dot("nobody", "s1", "c1"));
    expect([vectors.forgetStreamer("s79"), vectors.forgetStreamer("s79")]).toEqual([true, false]);
    expect(vectors.dot("u2", "s79", "c3")).toBe(vectors.dot("u2", "new", "c3"));
    expect(JSON.stringify(savedVectors(vectors))).not.toContain('"s79"');
    planted(vectors, 400);
    expect(savedVectors(vectors).offers.length).toBe(8);
  });

  test("wrong options and weights are refused", () => {
    expect(() => new CollaborativeVectors({ sise: 3 } as object)).toThrow('"vectors.sise" is not an option');
    expect(() => new CollaborativeVectors({ size: 0 })).toThrow(
      '"vectors.size" must be an integer in [1, 1024], got 0',
    );
    const vectors = new CollaborativeVectors();
    expect(() => vectors.learn("u", "s", "c", Number.NaN)).toThrow('"weight" must be a finite number >= 0, got NaN');
    expect(vectors.known).toEqual({ users: 0, streamers: 0 });
  });
});

function withCategory(vectors: CollaborativeVectors, name: string) {
  const saved = savedVectors(vectors);
  return { ...saved, categories: [...saved.categories, name], rows: [...Array.from(saved.rows), 0.1] };
}

function categories(vectors: CollaborativeVectors): Map<string, number> {
  const { users, traits, streamers, categories, rows } = savedVectors(vectors);
  const first = 1 + users.length + traits.length + streamers.length;
  return new Map(categories.map((name, i) => [name, rows[first + i]!]));
}
