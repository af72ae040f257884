import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TopK, topK } from "../../src/statistics/topk.js";

const scores = fc.array(fc.nat(6));
const k = fc.integer({ min: 0, max: 20 });

describe("topK", () => {
  test("is the head of a stable sort by falling score", () => {
    fc.assert(
      fc.property(scores, k, (scores, k) => {
        const sorted = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
        expect(Array.from(topK(scores, k))).toEqual(sorted.slice(0, k));
      }),
    );
  });

  test("orders equal scores by a rule of one's own", () => {
    fc.assert(
      fc.property(scores, k, (scores, k) => {
        const sorted = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || b - a);
        expect(Array.from(topK(scores, k, (a, b) => a > b))).toEqual(sorted.slice(0, k));
      }),
    );
  });

  test("does not depend on the order of the offers, and needs none below the least", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(30).keys()]), fc.integer({ min: 1, max: 10 }), (items, k) => {
        const top = new TopK(k);
        const scoreOf = (item: number) => item % 5;
        for (const item of items) if (scoreOf(item) >= top.least) top.offer(item, scoreOf(item));
        expect(top.isFull).toBe(items.length >= k);
        const sorted = [...items].sort((a, b) => scoreOf(b) - scoreOf(a) || a - b);
        expect(Array.from(top.take())).toEqual(sorted.slice(0, k));
      }),
    );
  });
});
