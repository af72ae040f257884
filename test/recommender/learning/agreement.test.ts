import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/index.js";
import { AgreementMeter, type Compared, kendall } from "../../../src/recommender/learning/agreement.js";
import { drawSome } from "../../../src/recommender/learning/offered.js";
import { chiSquare } from "../../reference/moments.js";

const compared = (more: Partial<Compared> = {}): Compared => ({
  ...{ shown: ["a", "b", "c"], scores: [3, 1, 2], own: ["a", "d", "b"], candidates: 12, values: undefined },
  ...more,
});

describe("Kendall's tau", () => {
  test("is 1 in order, -1 in reverse, and counts ties as neither", () => {
    expect(kendall([3, 2, 1], 3)).toBe(1);
    expect(kendall([1, 2, 3], 3)).toBe(-1);
    expect(kendall([3, 1, 2], 3)).toBeCloseTo(1 / 3, 12);
    expect(kendall([1, 1], 2)).toBe(0);
  });
});

describe("agreement", () => {
  test("is unknown before the first decision, and one without streams changes nothing", () => {
    const meter = new AgreementMeter();
    meter.add(compared({ shown: [], own: [] }));
    expect(meter.read()).toEqual({
      decisions: 0,
      ...{ overlap: NaN, first: NaN, rankCorrelation: NaN, chance: NaN, ownValue: NaN, otherValue: NaN },
    });
  });

  test("counts shared streams, first streams and pairs in order, beside what chance would give", () => {
    const meter = new AgreementMeter();
    meter.add(compared({ values: { own: 5, other: 4 } }));
    expect(meter.read()).toEqual({
      ...{ decisions: 1, overlap: 2 / 3, first: 1, rankCorrelation: expect.closeTo(1 / 3, 12), chance: 0.25 },
      ...{ ownValue: 5, otherValue: 4 },
    });
    meter.add(compared({ shown: ["e"], scores: [1], own: ["a"], candidates: 1 }));
    const { decisions, first, rankCorrelation, ownValue } = meter.read();
    expect([decisions, rankCorrelation, ownValue]).toEqual([2, expect.closeTo(1 / 3, 12), 5]);
    expect(first).toBeCloseTo(0.999 / 1.999, 12);
  });

  test("forgets: a thousand decisions ago counts 1 / e", () => {
    const meter = new AgreementMeter();
    for (let i = 0; i < 20_000; i++) meter.add(compared({ own: ["x"] }));
    for (let i = 0; i < 1000; i++) meter.add(compared());
    expect(meter.read().first).toBeCloseTo(1 - Math.exp(-1), 3);
  });

  test("continues from its plain values", () => {
    const meter = new AgreementMeter();
    for (let i = 0; i < 5; i++) meter.add(compared({ own: i % 2 ? ["a"] : ["b"] }));
    const copy = new AgreementMeter();
    copy.load(JSON.parse(JSON.stringify(meter.save())));
    for (const each of [meter, copy]) each.add(compared());
    expect(copy.read()).toEqual(meter.read());
  });
});

describe("streams on offer", () => {
  test("are drawn without repeats, all where there are fewer, with one number each", () => {
    const random = Random.named(1, "draws");
    expect(new Set(drawSome(random, [...Array(9).keys()], 4)).size).toBe(4);
    expect(drawSome(random, [5, 6], 4).sort()).toEqual([5, 6]);
    expect(drawSome(random, [], 4)).toEqual([]);
    const before = random.state();
    drawSome(random, [1, 2], 0);
    expect(random.state()).toEqual(before);
  });

  test("are any two of four in any order, equally often: chi-square over 24,000", () => {
    const random = Random.named(2, "draws");
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = drawSome(random, [0, 1, 2, 3], 2).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(12);
    expect(chiSquare([...counts.values()])).toBeLessThan(11 + 5 * Math.sqrt(22));
  });
});
