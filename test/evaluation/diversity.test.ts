import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cosineSimilarity,
  intraListSimilarity,
  personalisation,
  selfInformation,
  traitSimilarity,
} from "../../src/evaluation/diversity.js";

describe("similarity", () => {
  test("of vectors is the cosine between them", () => {
    expect(cosineSimilarity([1, 2], [2, 4])).toBeCloseTo(1, 12);
    expect(cosineSimilarity([1, 0], [0, 3])).toBe(0);
    expect(cosineSimilarity([1, 1], [-1, -1])).toBeCloseTo(-1, 12);
    expect(cosineSimilarity([0, 0], [1, 1])).toBe(0);
  });

  test("of streams is Jaccard's index of category and tags", () => {
    const stream = (category: string, ...tags: string[]) => ({ streamer: "s", category, tags });
    expect(traitSimilarity(stream("chess", "fast", "en"), stream("chess", "en", "old"))).toBe(2 / 4);
    expect(traitSimilarity(stream("chess"), stream("chess"))).toBe(1);
    expect(traitSimilarity(stream("chess"), stream("go"))).toBe(0);
    // A tag is not a category of the same name.
    expect(traitSimilarity(stream("chess", "go"), stream("go", "chess"))).toBe(0);
    const tags = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom("x", "y"), tags, tags, (category, own, its) => {
        const a = new Set(["#x", ...own]);
        const b = new Set([`#${category}`, ...its]);
        const expected = [...a].filter((t) => b.has(t)).length / new Set([...a, ...b]).size;
        expect(traitSimilarity(stream("x", ...own), stream(category, ...its))).toBeCloseTo(expected, 12);
      }),
    );
  });

  test("within a list is the mean over ordered pairs, as equation 13 of DRN has it", () => {
    const vectors = [
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    expect(intraListSimilarity(vectors, cosineSimilarity)).toBeCloseTo((2 * Math.SQRT1_2) / 3, 12);
    const list = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 1, max: 3 })), { minLength: 2 });
    fc.assert(
      fc.property(list, (list) => {
        let sum = 0;
        let pairs = 0;
        for (const [i, a] of list.entries()) {
          for (const [j, b] of list.entries()) {
            if (i === j) continue;
            sum += cosineSimilarity(a, b);
            pairs++;
          }
        }
        expect(intraListSimilarity(list, cosineSimilarity)).toBeCloseTo(sum / pairs, 9);
      }),
    );
    expect(intraListSimilarity([[1]], cosineSimilarity)).toBeNaN();
  });
});

describe("metrics beyond a single list", () => {
  test("self-information adds one visit to each item", () => {
    // 3 + 1 of 12 + 4.
    expect(selfInformation(3, 12, 4)).toBeCloseTo(2, 12);
    expect(selfInformation(0, 0, 8)).toBeCloseTo(3, 12);
  });

  test("personalisation is 1 minus the mean overlap of two lists", () => {
    expect(
      personalisation([
        [1, 2],
        [1, 2],
      ]),
    ).toBe(0);
    expect(
      personalisation([
        [1, 2],
        [3, 4],
      ]),
    ).toBe(1);
    const lists = fc.array(fc.uniqueArray(fc.nat(6), { minLength: 3, maxLength: 3 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(lists, (lists) => {
        const overlaps = lists.flatMap((a, i) =>
          lists.slice(i + 1).map((b) => a.filter((item) => b.includes(item)).length / 3),
        );
        const mean = overlaps.reduce((a, b) => a + b, 0) / overlaps.length;
        expect(personalisation(lists)).toBeCloseTo(1 - mean, 12);
      }),
    );
  });
});
