import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosine, tokenize } from "../../src/encoders/text.js";
import { Frequent, WordCounts } from "../../src/encoders/wordvectors/counts.js";
import { eigen, mutualInformation, type Sparse, singular } from "../../src/encoders/wordvectors/svd.js";
import { WordVectorTrainer, type WordVectorTrainerOptions } from "../../src/encoders/wordvectors/trainer.js";
import { type SavedWordVectors, WordVectors } from "../../src/encoders/wordvectors/wordvectors.js";
import { Random } from "../../src/numeric/random.js";
import { naivePpmi } from "../reference/ppmi.js";
import { jacobiSvd } from "../reference/svd.js";
import { realData } from "../support/realdata.js";
import { titles } from "../support/titles.js";

function trained(texts: Iterable<string>, options: Partial<WordVectorTrainerOptions> = {}): WordVectors {
  const trainer = new WordVectorTrainer(options);
  for (const text of texts) trainer.learn(tokenize(text));
  return trainer.vectors();
}

function full({ rows, start, columns, values }: Sparse): number[][] {
  const matrix = Array.from({ length: rows }, () => new Array<number>(rows).fill(0));
  for (let i = 0; i < rows; i++) {
    for (let at = start[i]!; at < start[i + 1]!; at++) matrix[i]![columns[at]!] = values[at]!;
  }
  return matrix;
}

describe("counts in bounded memory", () => {
  test("are exact until the table is full; beyond, none is too high, nor too low by more than the error", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 400 }), fc.integer({ min: 1, max: 40 }), (keys, max) => {
        const frequent = new Frequent<number>(max);
        for (const key of keys) frequent.add(key);
        const counts = new Map(frequent.entries());
        expect(counts.size).toBeLessThanOrEqual(max);
        if (new Set(keys).size <= max) expect(frequent.error).toBe(0);
        expect(frequent.error).toBeLessThanOrEqual((2 * keys.length) / max);
        for (const key of new Set(keys)) {
          const exact = keys.filter((each) => each === key).length;
          const count = counts.get(key) ?? 0;
          expect(count).toBeLessThanOrEqual(exact);
          expect(count).toBeGreaterThanOrEqual(exact - frequent.error);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("of words and pairs are those of a naive count", () => {
    const word = fc.nat(9).map((i) => `w${i}`);
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { maxLength: 8 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        (texts, window) => {
          const counts = new WordCounts(10, 100, window);
          for (const text of texts) counts.learn(text);
          const { words, counts: found, pairs } = counts.count(10, 2);
          for (const [i, each] of words.entries()) {
            expect(found[i]).toBe(texts.filter((text) => text.includes(each)).length);
            if (i > 0) expect(found[i - 1]! > found[i]! || words[i - 1]! < each).toBe(true);
          }
          const all = new Set(texts.flat());
          expect(words.length).toBe(
            [...all].filter((each) => texts.filter((text) => text.includes(each)).length > 1).length,
          );
          const matrix = full(mutualInformation({ words, pairs }, 0.75));
          const naive = naivePpmi(texts, words, window, 0.75);
          for (const [i, row] of naive.entries())
            for (const [j, x] of row.entries()) expect(matrix[i]![j]).toBeCloseTo(x, 12);
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  test("find the frequent words and pairs among any number of rare ones, of which nothing is left", () => {
    const random = new Random(3);
    const counts = new WordCounts(20, 200, 8);
    for (let i = 0; i < 4000; i++) counts.learn(["tea", `a${random.uint32()}`, "cup", `b${random.uint32()}`]);
    const { words, counts: found, pairs } = counts.count(20, 100);
    expect(words).toEqual(["cup", "tea"]);
    for (const count of found) expect(count).toBeGreaterThan(3500);
    expect(pairs).toEqual([[0, 1, expect.any(Number)]]);
    // 200 pairs held, six of each text.
    expect(pairs[0]![2]).toBeGreaterThan(4000 - (2 * 6 * 4000) / 200);
    expect(pairs[0]![2]).toBeLessThanOrEqual(4000);
  });
});

describe("singular values and vectors", () => {
  /** About so dense, with numbers that are no squares of each other. */
  function random(n: number, density: number, seed: number): Sparse {
    const draw = new Random(seed);
    const rows = Array.from({ length: n }, () =>
      Array.from({ length: n }, (_, j): [number, number] => [j, draw.bernoulli(density) ? draw.uniform() : 0]).filter(
        ([, x]) => x > 0,
      ),
    );
    const start = Int32Array.from({ length: n + 1 }, (_, i) =>
      rows.slice(0, i).reduce((sum, row) => sum + row.length, 0),
    );
    const flat = rows.flat();
    return {
      rows: n,
      start,
      columns: Int32Array.from(flat, ([j]) => j),
      values: Float64Array.from(flat, ([, x]) => x),
    };
  }

  test.each([
    [40, 0.3, 6],
    [40, 0.05, 10],
    [12, 0.9, 12],
    [5, 0.5, 32],
    [1, 1, 4],
  ])("of a matrix of %d rows are those of a full Jacobi", (n, density, rank) => {
    const matrix = random(n, density, n);
    const { values, vectors } = singular(matrix, rank, new Random(1));
    const twin = jacobiSvd(full(matrix));
    expect(values.length).toBe(Math.min(rank, n));
    for (const [i, value] of values.entries()) {
      expect(Math.abs(value - twin.values[i]!)).toBeLessThan(1e-6 * twin.values[0]!);
      // Vectors of values apart from their neighbours are unique but for the sign.
      const apart = Math.min(
        twin.values[i]! - (twin.values[i + 1] ?? 0),
        i > 0 ? twin.values[i - 1]! - twin.values[i]! : 1,
      );
      if (apart > 0.02 * twin.values[0]!) expect(Math.abs(cosine(vectors[i]!, twin.vectors[i]!))).toBeCloseTo(1, 4);
    }
  });

  test("of an empty matrix are empty, and of zeros are zero", () => {
    const zeros = (rows: number): Sparse => ({
      rows,
      start: new Int32Array(rows + 1),
      columns: new Int32Array(),
      values: new Float64Array(),
    });
    expect(singular(zeros(0), 3, new Random(1))).toEqual({ values: [], vectors: [] });
    expect(singular(zeros(4), 3, new Random(1)).values).toEqual([0, 0, 0]);
  });

  test("eigenvectors of a symmetric matrix are orthonormal, and make it up again", () => {
    const random = new Random(5);
    const n = 15;
    const matrix = Array.from({ length: n }, () => new Float64Array(n));
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) matrix[i]![j] = matrix[j]![i] = random.normal();
    const { values, vectors } = eigen(matrix.map((row) => row.slice()));
    for (let i = 0; i < n; i++) {
      if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]!);
      for (let j = 0; j < n; j++) {
        const made = vectors.reduce((sum, vector, k) => sum + values[k]! * vector[i]! * vector[j]!, 0);
        expect(made).toBeCloseTo(matrix[i]![j]!, 12);
        expect(vectors[i]!.reduce((sum, x, k) => sum + x * vectors[j]![k]!, 0)).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    }
  });
});

describe("word vectors", () => {
  const TOPICS = 8;
  const log = titles(3000, TOPICS, new Random(1));
  const vectors = trained(
    log.map(({ title }) => title),
    { size: 16 },
  );

  test("of one topic are nearer to each other than to those of others", () => {
    const topical = vectors.words.filter((word) => word.startsWith("t") && word.includes("x"));
    expect(topical.length).toBeGreaterThan(TOPICS * 25);
    let right = 0;
    for (const word of topical) {
      const topic = word.slice(0, word.indexOf("x") + 1);
      const near = vectors.nearest(word, 10);
      for (let i = 1; i < near.length; i++) expect(near[i]!.similarity).toBeLessThanOrEqual(near[i - 1]!.similarity);
      right += near.filter((each) => each.word.startsWith(topic)).length / 10;
    }
    expect(right / topical.length).toBeGreaterThan(0.95);
    expect(vectors.similarity("t1x0", "t1x1")).toBeGreaterThan(vectors.similarity("t1x0", "t2x1")! + 0.5);
  });

  test("predict the topic of titles from few labels better than the words themselves", () => {
    const random = new Random(9);
    const held = titles(600, TOPICS, random);
    const labelled = Array.from({ length: TOPICS }, (_, topic) =>
      log.filter((each) => each.topic === topic).slice(0, 2),
    );
    /** The share of held-out titles whose nearest topic, by the cosine to the sum of the labelled ones, is theirs. */
    const accuracy = (vectorOf: (title: string) => Float64Array) => {
      const centres = labelled.map((own) => {
        const all = own.map(({ title }) => vectorOf(title));
        return all[0]!.map((_, i) => all.reduce((sum, each) => sum + each[i]!, 0));
      });
      const right = held.filter(({ title, topic }) => {
        const similarities = centres.map((centre) => cosine(centre, vectorOf(title)));
        return similarities.indexOf(Math.max(...similarities)) === topic;
      });
      return right.length / held.length;
    };
    const vocabulary = [...new Set(log.flatMap(({ title }) => tokenize(title)))];
    const frequency = new Map(vocabulary.map((word) => [word, 0]));
    for (const { title } of log)
      for (const word of new Set(tokenize(title))) frequency.set(word, frequency.get(word)! + 1);
    const rarity = new Map(vocabulary.map((word) => [word, Math.log(log.length / frequency.get(word)!)]));
    const bag = (title: string) => {
      const own = new Set(tokenize(title));
      return Float64Array.from(vocabulary, (word) => (own.has(word) ? rarity.get(word)! : 0));
    };
    const byVectors = accuracy((title) => Float64Array.from(vectors.embed(title) ?? new Float32Array(16)));
    const byWords = accuracy(bag);
    expect(byVectors).toBeGreaterThan(0.95);
    expect(byWords).toBeLessThan(0.85);
  });

  test("of a text have length 1, ignore unknown words, and are masked if no word is known", () => {
    for (const { title } of log.slice(0, 50)) {
      const vector = vectors.embed(title)!;
      expect(vector.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
      expect(vectors.embed(`never ${title} seen`)).toEqual(vector);
    }
    const row = new Float32Array(18).fill(7);
    expect(vectors.write(["never"], row, 1)).toBe(false);
    expect([...row]).toEqual([7, ...new Array<number>(16).fill(0), 7]);
    expect(vectors.embed("")).toBeNull();
    expect(vectors.embed("never seen")).toBeNull();
    expect(vectors.similarity("never", "live")).toBeUndefined();
    expect(vectors.nearest("never", 3)).toEqual([]);
  });

  test("pull titles that share only everyday words apart", () => {
    expect(vectors.similarity("live the new t1x0", "live the new t2x0")).toBeLessThan(0.5);
    expect(vectors.similarity("live the new t1x0", "playing first t1x1")).toBeGreaterThan(0.5);
  });

  test("are of scripts without spaces too", () => {
    const random = new Random(2);
    const games = ["王者荣耀", "原神", "绝地求生", "英雄联盟", "我的世界"];
    const music = ["钢琴", "吉他演奏", "弾き語り", "소리꾼", "古筝"];
    const texts = Array.from({ length: 400 }, () => {
      const own = random.bernoulli(0.5) ? games : music;
      return [random.pick(own), random.pick(["直播", "live"]), random.pick(own), random.pick(own)].join(" ");
    });
    const cjk = trained(texts, { size: 4 });
    for (const [own, other] of [
      [games, music],
      [music, games],
    ] as const) {
      for (const name of own) {
        const mean = (names: string[]) =>
          names.reduce((sum, each) => sum + cjk.similarity(name, each)! / names.length, 0);
        expect(mean(own)).toBeGreaterThan(mean(other) + 0.5);
      }
    }
    expect(cjk.embed("围棋")).toBeNull();
  });

  test("leave out words in too few texts, and those that are alone", () => {
    const texts = ["a b", "a b", "a b", "a rare", "alone", "alone", "alone", "a a a a"];
    expect(trained(texts).words).toEqual(["a", "b"]);
    expect(trained(texts, { minCount: 1 }).words).toEqual(["a", "b", "rare"]);
    expect(trained([]).words).toEqual([]);
    expect(trained(["a", "b"]).embed("a")).toBeNull();
  });

  test("are the same bits for the same texts, and nearly the same for another seed", () => {
    const texts = log.slice(0, 500).map(({ title }) => title);
    const hash = (given: WordVectors) => createHash("sha256").update(JSON.stringify(given.save())).digest("hex");
    expect(hash(trained(texts))).toBe(hash(trained(texts)));
    // Changes with anything that the vectors are made of: then files of vectors are to be made again.
    expect(hash(trained(texts)).slice(0, 16)).toBe("8f40e1354d155d72");
    const [one, other] = [trained(texts, { size: 6 }), trained(texts, { size: 6, seed: 2 })];
    expect(one.similarity("t1x0", "t1x3")).toBeCloseTo(other.similarity("t1x0", "t1x3")!, 2);
    const trainer = new WordVectorTrainer();
    for (const text of texts.slice(0, 250)) trainer.learn(tokenize(text));
    trainer.vectors();
    for (const text of texts.slice(250)) trainer.learn(tokenize(text));
    expect(trainer.texts).toBe(500);
    expect(hash(trainer.vectors())).toBe(hash(trained(texts)));
  });

  test("saved and loaded, they are the same", () => {
    const saved = JSON.parse(JSON.stringify(vectors.save())) as SavedWordVectors;
    const copy = new WordVectors(saved);
    expect(copy.save()).toEqual(saved);
    expect(copy.embed(log[0]!.title)).toEqual(vectors.embed(log[0]!.title));
    expect(copy.nearest("t1x0", 5)).toEqual(vectors.nearest("t1x0", 5));
  });

  test.each<[object, string]>([
    [{ size: 0 }, '"words.size" must be an integer in [1, 256], got 0'],
    [{ words: ["a", "a"] }, '"words.words" must be an array of different strings'],
    [{ counts: [1] }, '"words.counts" must be an integer >= 1 for each word'],
    [{ counts: [1, 0] }, '"words.counts" must be an integer >= 1 for each word'],
    [{ rows: [1, 2, 3] }, '"words.rows" must be "size" integers in [-32767, 32767] for each word'],
    [{ rows: [1, 2, 3, Number.NaN] }, '"words.rows" must be'],
    [{ rows: [1, 2, 3, 4e4] }, '"words.rows" must be'],
    [{ rows: undefined }, '"words.rows" must be'],
  ])("refuse invalid saved vectors: %j", (wrong, message) => {
    const saved = { size: 2, words: ["a", "b"], counts: [2, 1], rows: [1, 2, 3, 4] };
    expect(new WordVectors(saved).has("a")).toBe(true);
    expect(() => new WordVectors({ ...saved, ...wrong } as SavedWordVectors)).toThrow(message);
    expect(() => new WordVectors(null as unknown as SavedWordVectors)).toThrow(
      '"words" must be saved by WordVectors.save',
    );
  });

  test("options are checked", () => {
    expect(() => new WordVectorTrainer({ window: 0 })).toThrow('"window" must be an integer in [1, 1024], got 0');
    expect(() => new WordVectorTrainer({ windows: 1 } as object)).toThrow('"windows" is not an option');
  });
});

const movielens = realData("ml-100k");

test.skipIf(!movielens)("of the titles and genres of films make sense", () => {
  const genres = readFileSync(`${movielens}/u.genre`, "latin1")
    .split("\n")
    .map((line) => line.split("|")[0]!);
  const films = readFileSync(`${movielens}/u.item`, "latin1")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("|"));
  const texts = films.map(([, title, , , , ...flags]) =>
    [title!.replace(/\(\d{4}\)/, ""), ...flags.flatMap((flag, i) => (flag === "1" ? [genres[i]!] : []))].join(" "),
  );
  const vectors = trained(texts, { minCount: 2 });
  const near = (word: string) => vectors.nearest(word, 8).map((each) => each.word);
  expect(near("trek")).toContain("star");
  expect(near("animation")).toContain("aladdin");
  expect(near("horror")).toContain("blood");
  expect(vectors.similarity("aladdin", "animation")).toBeGreaterThan(vectors.similarity("aladdin", "horror")!);
});
