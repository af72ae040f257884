import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { Diversity } from "../../../src/recommender/serving/diversity.js";
import { type ExploreOptions, Explorer } from "../../../src/recommender/serving/explorer.js";
import { type Among, SlateBuilder, type SlateOptions } from "../../../src/recommender/serving/slate.js";

type Explore = Partial<ExploreOptions>;

function builder(explore: Explore, slate: Partial<SlateOptions> = {}): SlateBuilder {
  return new SlateBuilder(64, new Explorer(Random.named(1, "test"), explore), slate);
}

/** Random candidates with rows of some numbers, two streams a streamer, by one score set for each head. */
function scene(slates: SlateBuilder, n: number, heads: number, random: Random, size = 3): Among {
  return {
    candidates: Array.from({ length: n }, (_, i) => ({ streamer: `r${i >> 1}`, category: `c${i % 3}` })),
    rows: Float32Array.from({ length: n * size }, () => random.normal()),
    heads: Array.from({ length: heads }, () => {
      const scores = Float32Array.from({ length: n }, () => 3 * random.normal());
      return { scores, ranked: slates.rank(scores) };
    }),
  };
}

/** Likeness of all pairs, written a second time. */
function likenesses(rows: ArrayLike<number>, n: number): number[][] {
  const size = rows.length / n;
  const mean = Array.from({ length: size }, (_, f) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += rows[i * size + f]!;
    return sum / n;
  });
  const vectors = Array.from({ length: n }, (_, i) => mean.map((center, f) => rows[i * size + f]! - center));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, f) => sum + value * b[f]!, 0);
  return vectors.map((a, i) =>
    vectors.map((b, j) => (i === j ? 1 : (1 + dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))) / 2)),
  );
}

/** The determinant of the likenesses of a set, by expansion along the first row. */
function determinant(matrix: number[][]): number {
  if (matrix.length === 0) return 1;
  return matrix[0]!.reduce((sum, value, column) => {
    const minor = matrix.slice(1).map((row) => row.filter((_, j) => j !== column));
    return sum + (column % 2 === 0 ? 1 : -1) * value * determinant(minor);
  }, 0);
}

const volume = (alike: number[][], set: readonly number[]) =>
  determinant(set.map((i) => set.map((j) => alike[i]![j]!)));

function termOf(method: string, alike: number[][], chosen: readonly number[], i: number): number {
  if (chosen.length === 0) return 0;
  if (method === "mmr") return -Math.max(...chosen.map((j) => alike[i]![j]!));
  return Math.log(volume(alike, [...chosen, i]) / volume(alike, chosen));
}

/** One head's distribution of the next position, written a second time in f64. */
function naive(among: Among, scores: Float32Array, chosen: readonly number[], explore: Explore, slate: SlateOptions) {
  const { epsilon = 0.05, temperature = 1, top = 32 } = explore;
  const n = scores.length;
  const mean = scores.reduce((sum, score) => sum + score, 0) / n;
  const spread = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / n);
  const { method = "mmr", weight = 0.3 } = slate.diversity!;
  const alike = likenesses(among.rows!, n);
  const count = (key: "streamer" | "category", i: number) =>
    chosen.filter((j) => among.candidates[j]![key] === among.candidates[i]![key]).length;
  const may = [...scores.keys()].filter(
    (i) => !chosen.includes(i) && count("streamer", i) < slate.perStreamer && count("category", i) < slate.perCategory,
  );
  const isLate = (i: number) => (among.ignored?.(i) ?? 0) >= slate.seenMax;
  const open = may.filter((i) => !isLate(i));
  const eligible = open.length > 0 ? open : may;
  const share = chosen.length === 0 ? 0 : weight;
  const total = new Map(
    eligible.map((i) => [i, ((1 - share) * scores[i]!) / spread + share * termOf(method, alike, chosen, i)]),
  );
  const pool = eligible.sort((a, b) => total.get(b)! - total.get(a)!).slice(0, top);
  const weights = pool.map((i) => Math.exp((total.get(i)! - total.get(pool[0]!)!) / temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  return new Map(pool.map((i, at) => [i, (at === 0 ? 1 - epsilon : 0) + (epsilon * weights[at]!) / sum]));
}

/** The probability of each slate of k, by all heads followed from the start. */
function enumerated(among: Among, k: number, explore: Explore, slate: SlateOptions): Map<string, number> {
  const found = new Map<string, number>();
  for (const { scores } of among.heads) {
    const go = (chosen: number[], p: number): void => {
      const next = chosen.length < k ? naive(among, scores, chosen, explore, slate) : new Map<number, number>();
      if (next.size === 0) found.set(chosen.join(), (found.get(chosen.join()) ?? 0) + p / among.heads.length);
      for (const [i, chance] of next) go([...chosen, i], p * chance);
    };
    go([], 1);
  }
  return found;
}

const LIMITS: SlateOptions = { perStreamer: 1, perCategory: 64, seenMax: 1e9, order: "optimum" };

describe("diversity", () => {
  test("terms are minus the largest likeness, or logs of ratios of determinants, as computed one by one", () => {
    const random = new Random(3);
    for (const method of ["mmr", "dpp"] as const) {
      for (let round = 0; round < 10; round++) {
        const n = 9;
        const rows = Float32Array.from({ length: n * 6 }, () => random.normal() + 2);
        const diversity = new Diversity({ method });
        diversity.begin(new Array(n).fill({}), rows);
        const alike = likenesses(rows, n);
        const chosen: number[] = [];
        for (const index of random.shuffle([...rows.keys()].slice(0, n)).slice(0, 5)) {
          diversity.add(index);
          chosen.push(index);
          for (let i = 0; i < n; i++) {
            if (!chosen.includes(i)) expect(diversity.terms[i]).toBeCloseTo(termOf(method, alike, chosen, i), 7);
          }
        }
      }
    }
  });

  test("lets a worse but different stream go before a better copy, and no weight changes nothing", () => {
    for (const method of ["mmr", "dpp"] as const) {
      for (const [weight, expected] of [
        [0, [0, 1, 2, 3]],
        [0.8, [0, 3, 1, 2]],
      ] as const) {
        const slates = builder({ epsilon: 0 }, { diversity: { method, weight } });
        const scores = Float32Array.of(4, 3.9, 3.8, 3.7);
        const candidates = Array.from({ length: 4 }, (_, i) => ({ streamer: `r${i}`, category: "c" }));
        const rows = Float32Array.of(1, 0, 1, 0.1, 1, 0.2, -1, 0);
        const { indices } = slates.draw({ candidates, rows, heads: [{ scores, ranked: slates.rank(scores) }] }, 4);
        expect(indices.slice(0, 2)).toEqual(expected.slice(0, 2));
        expect(indices.length).toBe(4);
      }
    }
  });

  test("by embeddings reads the first kind that there is; a stream without one is half like any", () => {
    const diversity = new Diversity({ by: "embeddings" });
    const image = (...numbers: number[]) => ({ embeddings: { image: Float32Array.from(numbers) } });
    const candidates = [image(1, 0), image(-1, 0), {}, image(1, 2, 3), image(0, 1), image(0, -1)];
    diversity.begin(candidates, Float32Array.of(1, 1, 1, 1, 1, 2));
    const found = [0, 1, 2, 3, 4].map((i) => diversity.likeness(0, i));
    for (const [i, expected] of [1, 0, 0.5, 0.5, 0.5].entries()) expect(found[i]).toBeCloseTo(expected, 12);
    // Without any embedding, the rows.
    diversity.begin([{}, {}, {}], Float32Array.of(1, 2, 3));
    expect([diversity.likeness(0, 1), diversity.likeness(0, 2)]).toEqual([0.5, 0]);
  });

  test.each(["mmr", "dpp"] as const)("%s of streams all the same still fills a slate, by score", (method) => {
    const slates = builder({ epsilon: 0 }, { diversity: { method, weight: 0.9 } });
    const scores = Float32Array.from({ length: 40 }, (_, i) => -i);
    const candidates = Array.from({ length: 40 }, (_, i) => ({ streamer: `r${i}`, category: "c" }));
    const heads = [{ scores, ranked: slates.rank(scores) }];
    for (const rows of [undefined, new Float32Array(120).fill(7)]) {
      const { indices } = slates.draw({ candidates, heads, ...(rows && { rows }) }, 40);
      expect(indices).toEqual([...scores.keys()]);
    }
  });

  test("refuses options out of their range", () => {
    const make = (diversity: object) => () => builder({}, { diversity });
    expect(make({ method: "mrr" })).toThrow('"slate.diversity.method" must be "mmr" or "dpp", got "mrr"');
    expect(make({ weight: 2 })).toThrow('"slate.diversity.weight" must be in [0, 1], got 2');
    expect(make({ of: 2 })).toThrow('"slate.diversity.of" is not an option');
    expect(() => builder({}, { seenMax: 0 })).toThrow('"slate.seenMax" must be an integer >= 1, got 0');
    expect(() => builder({ heads: 65 })).toThrow('"explore.heads" must be an integer in [1, 64], got 65');
  });
});

const CASES: [string, number, Explore, Partial<SlateOptions>, boolean?][] = [
  ["mmr", 1, { epsilon: 0.5, top: 4 }, { diversity: { method: "mmr", weight: 0.6 } }],
  ["dpp within limits", 1, { epsilon: 0.7 }, { diversity: { method: "dpp", weight: 0.4 }, perCategory: 1 }],
  ["diversity alone", 2, { epsilon: 0.4, temperature: 0.3 }, { diversity: { method: "mmr", weight: 1 } }],
  ["five heads without softmax", 5, { epsilon: 0 }, { diversity: { weight: 0 } }],
  ["heads", 4, { epsilon: 0.3, top: 3, temperature: 0.5 }, { diversity: { weight: 0 }, perStreamer: 2 }],
  ["all together", 3, { epsilon: 0.4 }, { diversity: { method: "dpp" as const, weight: 0.3 }, seenMax: 2 }, true],
];

describe.each(CASES)("the slates of %s", (_name, heads, explore, options, isSeen = false) => {
  const slate = { ...LIMITS, ...options };
  const slates = builder(explore, slate);
  const among = {
    ...scene(slates, 8, heads, new Random(11)),
    ...(isSeen && { ignored: (i: number) => [0, 1, 2, 3, 1, 2, 0, 9][i]! }),
  };
  const exact = enumerated(among, 3, explore, slate);

  test("have the probabilities of an enumeration, head by head", () => {
    expect([...exact.values()].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
    for (const [key, p] of exact) {
      const indices = key.split(",").map(Number);
      const at = slates.chances(among, indices);
      const product = indices.reduce((joint, index, position) => joint * at[position]!.get(index)!, 1);
      expect(Math.abs(product - p)).toBeLessThan(1e-6);
      for (const chances of at) expect([...chances.values()].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    }
  });

  test("are drawn at this rate, with the same propensities", () => {
    const draws = 20_000;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const { indices, propensities } = slates.draw(among, 3);
      const key = indices.join();
      if (!counts.has(key)) {
        const at = slates.chances(among, indices);
        expect(propensities).toEqual(indices.map((index, position) => at[position]!.get(index)));
      }
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const key of counts.keys()) expect(exact.has(key)).toBe(true);
    for (const [key, p] of exact) {
      const rate = (counts.get(key) ?? 0) / draws;
      expect(Math.abs(rate - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / draws) + 1e-4);
    }
  });
});

describe("streamers shown too often", () => {
  const scores = Float32Array.of(6, 5, 4, 3, 2, 1);
  const candidates = Array.from(scores, (_, i) => ({ streamer: `r${i}`, category: `c${i % 2}` }));

  test("come last, best first, and fill a slate that would be shorter", () => {
    const slates = builder({ epsilon: 0 }, { seenMax: 3 });
    const heads = [{ scores, ranked: slates.rank(scores) }];
    const ignored = (i: number) => [3, 0, 9, 2, 1, 3][i]!;
    expect(slates.draw({ candidates, heads, ignored }, 6).indices).toEqual([1, 3, 4, 0, 2, 5]);
    expect(slates.draw({ candidates, heads, ignored: () => 3 }, 6).indices).toEqual([0, 1, 2, 3, 4, 5]);
    expect(slates.draw({ candidates, heads }, 2).indices).toEqual([0, 1]);
  });

  test("take a place that a limit keeps from all others", () => {
    const slates = builder({ epsilon: 0 }, { seenMax: 1, perCategory: 1 });
    const heads = [{ scores, ranked: slates.rank(scores) }];
    expect(slates.draw({ candidates, heads, ignored: (i) => (i + 1) % 2 }, 6).indices).toEqual([1, 0]);
  });
});

test("a prefix that no head would choose leaves the heads as likely as before", () => {
  const slates = builder({ epsilon: 0 });
  const heads = [
    [3, 2, 1, 0],
    [0, 3, 2, 1],
  ].map((numbers) => {
    const scores = Float32Array.from(numbers);
    return { scores, ranked: slates.rank(scores) };
  });
  const candidates = Array.from({ length: 4 }, (_, i) => ({ streamer: `r${i}`, category: "c" }));
  const at = slates.chances({ candidates, heads }, [3, -1, 1, 2]);
  const both = { 0: 0.5, 1: 0.5 };
  // The third position shows that the slate follows the second set.
  expect(at.map((chances) => Object.fromEntries([...chances].filter(([, p]) => p > 0)))).toEqual([
    both,
    both,
    both,
    { 2: 1 },
  ]);
});

test.each(["mmr", "dpp"] as const)("a slate is more diverse the more %s weighs", (method) => {
  const likeness = [0, 0.5, 1].map((weight) => {
    const slates = builder({ epsilon: 0 }, { diversity: { method, weight } });
    const random = new Random(8);
    let sum = 0;
    for (let round = 0; round < 40; round++) {
      const among = scene(slates, 30, 1, random, 5);
      const alike = likenesses(among.rows!, 30);
      const { indices } = slates.draw(among, 5);
      for (const i of indices) for (const j of indices) if (i < j) sum += alike[i]![j]! / 400;
    }
    return sum;
  });
  expect(likeness[1]!).toBeLessThan(likeness[0]! - 0.01);
  expect(likeness[2]!).toBeLessThan(likeness[1]!);
});
