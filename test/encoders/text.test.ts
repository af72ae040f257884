import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BagOfWords, bucketOf, cosine, tokenize } from "../../src/encoders/text.js";
import { hashText } from "../../src/numeric/hash.js";
import { chiSquare } from "../reference/moments.js";

describe("tokenize", () => {
  test.each([
    ["Speedrun, any%! (2nd try)", ["speedrun", "any", "2nd", "try"]],
    ["CAFÉ naïve Ångström İstanbul", ["cafe", "naive", "angstrom", "istanbul"]],
    ["cafe\u0301", ["cafe"]],
    ["ＡＢＣ１２", ["abc12"]],
    ["王者荣耀 上分", ["王者", "者荣", "荣耀", "上分"]],
    ["歌", ["歌"]],
    ["ゲーム配信", ["ゲー", "ーム", "ム配", "配信"]],
    ["がか", ["がか"]],
    ["게임 방송", ["게임", "방송"]],
    ["LoL排位day1", ["lol", "排位", "day1"]],
    ["go🎮🎮 👍🏽!", ["go", "🎮", "🎮", "👍"]],
    ["हिन्दी गाने", ["हिन्दी", "गाने"]],
    ["Привет, Мир", ["привет", "мир"]],
    ["...   ", []],
    ["", []],
  ])("of %j", (text, expected) => {
    expect(tokenize(text)).toEqual(expected);
  });

  test("are never empty, ignore case, and are few", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const words = tokenize(text);
        for (const word of words) expect(word.length).toBeGreaterThan(0);
        expect(tokenize(text.toUpperCase().toLowerCase())).toEqual(tokenize(text.toUpperCase()));
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(tokenize("a ".repeat(20_000)).length).toBe(8192);
    expect(tokenize("歌".repeat(20_000)).length).toBe(8192);
  });
});

test("hashes fill buckets evenly", () => {
  expect(new Set(["", "a", "b"].map(hashText)).size).toBe(3);
  for (const size of [7, 64, 100]) {
    const counts = new Array<number>(size).fill(0);
    for (let i = 0; i < 100 * size; i++) counts[bucketOf(`name ${i}`, size)]!++;
    // Mean size - 1, standard deviation sqrt(2 (size - 1)): four of these.
    expect(Math.abs(chiSquare(counts) - (size - 1))).toBeLessThan(4 * Math.sqrt(2 * (size - 1)));
  }
});

describe("cosine", () => {
  test("is 1 along, 0 across, -1 against, and 0 of nothing", () => {
    expect(cosine([1, 2], [2, 4])).toBeCloseTo(1, 12);
    expect(cosine([1, 0], [0, 3])).toBe(0);
    expect(cosine([1, 2], [-1, -2])).toBeCloseTo(-1, 12);
    expect(cosine([0, 0], [1, 2])).toBe(0);
    expect(cosine([9, 1, 2], [8, 8, 1, 2], 2, 1, 2)).toBeCloseTo(1, 12);
  });

  test("stays in [-1, 1] for any numbers", () => {
    const row = fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(row, row, (a, b) => Math.abs(cosine(a, b)) <= 1),
      { seed: 1 },
    );
  });
});

describe("bags of words", () => {
  const vector = (words: BagOfWords, text: string, weighting?: "count" | "tfidf") => {
    const row = new Float32Array(words.size);
    words.write(tokenize(text), row, 0, weighting);
    return row;
  };

  test("have length 1; texts are alike by the words they share, whatever the order", () => {
    const words = new BagOfWords(256);
    const a = vector(words, "ranked chess blitz");
    expect(cosine(a, a)).toBeCloseTo(1, 6);
    expect(a.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 6);
    expect(cosine(a, vector(words, "blitz ranked chess"))).toBeCloseTo(1, 6);
    expect(cosine(a, vector(words, "ranked chess"))).toBeCloseTo(Math.sqrt(2 / 3), 6);
    expect(Math.abs(cosine(a, vector(words, "slow cooking")))).toBeLessThan(0.01);
    expect(vector(words, "!!").every((x) => x === 0)).toBe(true);
  });

  test("rare words weigh more, by the formula", () => {
    const words = new BagOfWords(1024);
    for (let i = 0; i < 99; i++) words.learn(tokenize("live live now"));
    words.learn(tokenize("violin live"));
    const row = vector(words, "live violin");
    const [live, violin] = ["live", "violin"].map((word) => Math.abs(row[bucketOf(word, 1024)]!));
    expect(violin! / live!).toBeCloseTo((1 + Math.log(101 / 2)) / (1 + Math.log(101 / 101)), 4);
    const plain = vector(words, "live violin", "count");
    expect(Math.abs(plain[bucketOf("live", 1024)]!)).toBeCloseTo(Math.SQRT1_2, 6);
  });

  test("inner products of hashed texts are right on average, however few the buckets", () => {
    const words = new BagOfWords(8);
    let sum = 0;
    for (let i = 0; i < 4000; i++) {
      sum += cosine(vector(words, `a${i} b${i}`), vector(words, `c${i} d${i}`));
    }
    expect(Math.abs(sum / 4000)).toBeLessThan(0.03);
  });

  test("saved and loaded, they are the same", () => {
    const words = new BagOfWords(32);
    for (let i = 0; i < 50; i++) words.learn(tokenize(`word${i % 7} word${i % 3}`));
    const copy = new BagOfWords(32);
    copy.load(JSON.parse(JSON.stringify(words.save())));
    for (const each of [words, copy]) each.learn(["word1", "word1"]);
    expect(copy.save()).toEqual(words.save());
    expect(vector(copy, "word1 word6")).toEqual(vector(words, "word1 word6"));
  });
});
