import { describe, expect, test } from "vitest";
import { poisson } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import { wilsonInterval } from "../../src/statistics/intervals.js";
import { groupOf, Tally } from "../../src/statistics/tally.js";

/** Users of unequal zeal and skill: clicks of one user are far from independent. */
function clicks(users: number, seed: number): { user: string; shown: number; clicked: number }[] {
  const random = Random.named(seed, "clicks");
  return Array.from({ length: users }, (_, i) => {
    const shown = 1 + poisson(random, 8);
    const skill = 0.1 + 0.3 * random.uniform();
    let clicked = 0;
    for (let j = 0; j < shown; j++) if (random.bernoulli(skill)) clicked++;
    return { user: `user-${seed}-${i}`, shown, clicked };
  });
}

function tallied(rows: ReturnType<typeof clicks>): Tally {
  const tally = new Tally(["click_rate"]);
  for (const { user, shown, clicked } of rows) tally.add(groupOf(user), 0, 1, clicked, shown);
  return tally;
}

describe("a tally", () => {
  test("divides sums by metric and slice, and leaves out ratios without a denominator", () => {
    const tally = new Tally(["rate", "minutes"], ["all", "new", "old"]);
    tally.add(groupOf("a"), 0, 0b011, 1, 2);
    tally.add(groupOf("b"), 0, 0b101, 2, 2);
    tally.add(groupOf("b"), 1, 0b001, 30, 0);
    const figures = tally.figures();
    expect(figures.map(({ metric, slice, value, n }) => [metric, slice, value, n])).toEqual([
      ["rate", "all", 3 / 4, 4],
      ["rate", "new", 1 / 2, 2],
      ["rate", "old", 1, 2],
    ]);
    // One user bounds nothing.
    expect([figures[1]!.lo, figures[1]!.hi]).toEqual([-Infinity, Infinity]);
    expect(figures[0]!.lo).toBe(1 / 2);
    expect(figures[0]!.hi).toBe(1);
  });

  test.each([60, 3000])("covers the truth in about 95 of 100 samples of %i users", (users) => {
    // E[clicked] / E[shown] = the mean skill, 0.25, as skill does not depend on zeal.
    let covered = 0;
    let naive = 0;
    const samples = users > 1000 ? 40 : 150;
    for (let seed = 0; seed < samples; seed++) {
      const rows = clicks(users, seed);
      const [figure] = tallied(rows).figures({ resamples: 200, seed });
      if (figure!.lo <= 0.25 && 0.25 <= figure!.hi) covered++;
      naive += figure!.hi - figure!.lo;
    }
    expect(covered / samples).toBeGreaterThan(0.88);
    expect(covered / samples).toBeLessThanOrEqual(0.99);
    // Variance of a ratio of means: (E[shown] p (1 - p) + (E[shown^2] - E[shown]) Var(skill)) / E[shown]^2 / users.
    const within = 9 * (0.25 * 0.75 - 0.0075) + (8 + 81) * 0.0075;
    const width = (2 * 1.96 * Math.sqrt(within / users)) / 9;
    expect(naive / samples / width).toBeGreaterThan(0.93);
    expect(naive / samples / width).toBeLessThan(1.07);
  });

  test("is wider than an interval for independent clicks", () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({ user: `u${i}`, shown: 50, clicked: i % 2 === 0 ? 50 : 0 }));
    const [figure] = tallied(rows).figures();
    const wrong = wilsonInterval(100 * 50, 200 * 50);
    expect(figure!.value).toBe(wrong.value);
    expect((figure!.hi - figure!.lo) / (wrong.hi - wrong.lo)).toBeGreaterThan(5);
  });

  test("of two policies on the same users bounds their difference, not each", () => {
    const rows = clicks(400, 1);
    const better = rows.map((row, i) => ({
      ...row,
      clicked: Math.min(row.shown, row.clicked + (i % 4 === 0 ? 1 : 0)),
    }));
    const [a] = tallied(rows).figures();
    const [b] = tallied(better).figures();
    const [difference] = tallied(better).minus(tallied(rows));
    expect(difference!.value).toBeCloseTo(b!.value - a!.value, 12);
    expect(difference!.lo).toBeGreaterThan(0);
    expect(difference!.hi - difference!.lo).toBeLessThan((a!.hi - a!.lo) / 2);
    const [none] = tallied(rows).minus(tallied(rows));
    expect(none).toMatchObject({ value: 0, lo: 0, hi: 0 });
    expect(() => tallied(rows).minus(new Tally(["other"]))).toThrow('"other" must have the same metrics and slices');
  });

  test("gives the same bounds for the same seed, and others for another", () => {
    const tally = tallied(clicks(50, 2));
    expect(tally.figures({ seed: 5 })).toEqual(tally.figures({ seed: 5 }));
    expect(tally.figures({ seed: 5 })).not.toEqual(tally.figures({ seed: 6 }));
    expect(() => tally.figures({ resamples: 0 })).toThrow('"resamples" must be an integer >= 1, got 0');
  });

  test("deals users evenly into 1024 groups", () => {
    const sizes = new Int32Array(1024);
    for (let i = 0; i < 40_960; i++) sizes[groupOf(`viewer-${i}`)]!++;
    let square = 0;
    for (const size of sizes) square += ((size - 40) * (size - 40)) / 40;
    // Chi-square with 1023 degrees of freedom: a standard deviation of 45.
    expect(Math.abs(square - 1023)).toBeLessThan(4 * 45.2);
  });
});

describe("Wilson's interval", () => {
  test("equals worked examples, and stays within [0, 1]", () => {
    const { value, lo, hi, n } = wilsonInterval(10, 50);
    expect([value, n]).toEqual([0.2, 50]);
    expect(lo).toBeCloseTo(0.1124375, 6);
    expect(hi).toBeCloseTo(0.33036, 4);
    expect(wilsonInterval(0, 10).lo).toBe(0);
    expect(wilsonInterval(0, 10).hi).toBeCloseTo(0.277533, 5);
    expect(wilsonInterval(10, 10).hi).toBe(1);
  });

  test("covers the truth in about 95 of 100 samples", () => {
    const random = new Random(8);
    let covered = 0;
    for (let i = 0; i < 4000; i++) {
      let hits = 0;
      for (let j = 0; j < 30; j++) if (random.bernoulli(0.1)) hits++;
      const { lo, hi } = wilsonInterval(hits, 30);
      if (lo <= 0.1 && 0.1 <= hi) covered++;
    }
    // Exactly 0.974 for these numbers.
    expect(Math.abs(covered / 4000 - 0.974)).toBeLessThan(0.01);
  });

  test("refuses an invalid share", () => {
    expect(() => wilsonInterval(0, 0)).toThrow('"n" must be a finite number >= 1, got 0');
    expect(() => wilsonInterval(3, 2)).toThrow('"successes" must be in [0, 2], got 3');
  });
});
