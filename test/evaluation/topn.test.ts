import { describe, expect, test } from "vitest";
import type { Ranker } from "../../src/evaluation/ranking.js";
import { evaluateLists } from "../../src/evaluation/topn.js";
import { Random } from "../../src/numeric/random.js";
import { scoreList } from "../../src/statistics/lists.js";
import { log } from "../support/interactions.js";

describe("lists against all held-out items of a user", () => {
  const users = 60;
  const items = 30;
  const random = new Random(3);
  const rows = Array.from({ length: 900 }, (): [number, number] => [random.below(users), random.below(items)]);
  const train = log(rows.slice(0, 500), users, items);
  const held = log(rows.slice(500), users, items);
  const scores = Float64Array.from({ length: users * items }, () => random.below(9));
  const ranker: Ranker = {
    name: "table",
    score: (user, _now, asked, out) => {
      for (const [j, item] of asked.entries()) out[j] = scores[user * items + item]!;
    },
  };

  test("give the means over users of the naive twin", () => {
    const { figures, tally } = evaluateLists(ranker, train, held, {
      k: 5,
      similarity: (a, b) => (a % 3 === b % 3 ? 1 : 0),
    });
    const value = (metric: string) => figures.find((figure) => figure.metric === metric)!.value;
    const shown = new Set<number>();
    const all = [];
    const diversity: number[] = [];
    for (let user = 0; user < users; user++) {
      const had = new Set(
        rows
          .slice(0, 500)
          .filter(([u]) => u === user)
          .map(([, item]) => item),
      );
      const wanted = rows.slice(500).filter(([u, item]) => u === user && !had.has(item));
      if (wanted.length === 0) continue;
      const list = [...Array(items).keys()].filter((item) => !had.has(item));
      list.sort((a, b) => scores[user * items + b]! - scores[user * items + a]! || a - b);
      for (const item of list.slice(0, 5)) shown.add(item);
      all.push(scoreList(list, new Set(wanted.map(([, item]) => item)), 5));
      const alike = list
        .slice(0, 5)
        .flatMap((a, i, top) => top.slice(i + 1).map((b): number => (a % 3 === b % 3 ? 1 : 0)));
      diversity.push(1 - alike.reduce((a, b) => a + b, 0) / 10);
    }
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(value("precision_at_5")).toBeCloseTo(mean(all.map(({ precision }) => precision)), 12);
    expect(value("recall_at_5")).toBeCloseTo(mean(all.map(({ recall }) => recall)), 12);
    expect(value("f1_at_5")).toBeCloseTo(mean(all.map(({ f1 }) => f1)), 12);
    expect(value("map_at_5")).toBeCloseTo(mean(all.map(({ averagePrecision }) => averagePrecision)), 12);
    expect(value("mrr")).toBeCloseTo(mean(all.map(({ reciprocalRank }) => reciprocalRank)), 12);
    expect(value("diversity_at_5")).toBeCloseTo(mean(diversity), 12);
    expect(value("coverage_at_5")).toBeCloseTo(shown.size / items, 12);
    for (const { metric, value, lo, hi } of figures) {
      expect(lo, metric).toBeLessThanOrEqual(value);
      expect(hi, metric).toBeGreaterThanOrEqual(value);
    }
    expect(tally.minus(tally).every(({ value, lo, hi }) => value === 0 && lo === 0 && hi === 0)).toBe(true);
  });

  test("refuse a test set without new items, and a score that is NaN", () => {
    expect(() => evaluateLists(ranker, train, log([], users, items))).toThrow('"test" must have an item');
    const broken: Ranker = { name: "broken", score: (_user, _now, _items, out) => void out.fill(Number.NaN) };
    expect(() => evaluateLists(broken, train, held)).toThrow("broken: the score of item");
  });
});
