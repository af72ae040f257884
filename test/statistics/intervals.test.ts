import { describe, expect, test } from "vitest";
import { exponential, lognormal } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import {
  arithmeticMean,
  bootstrapInterval,
  interquartileMean,
  meanInterval,
  medianInterval,
  quantile,
  student975,
} from "../../src/statistics/intervals.js";

describe("Student's interval", () => {
  test("has the tabulated quantiles, through the change of formula", () => {
    // scipy.stats.t.ppf(0.975, freedom)
    const table: [number, number][] = [
      [1, 12.706204736174694],
      [2, 4.302652729749462],
      [3, 3.1824463052837078],
      [4, 2.7764451051977934],
      [5, 2.5705818356363146],
      [10, 2.228138851986274],
      [29, 2.045229642132703],
      [30, 2.0422724563012378],
      [100, 1.9839715185235518],
      [200, 1.9718962236339088],
      [201, 1.971836506779859],
      [1000, 1.9623390808264083],
    ];
    for (const [freedom, want] of table) expect(student975(freedom)).toBeCloseTo(want, 8);
    expect(() => student975(0)).toThrow('"freedom" must be an integer of at least 1, got 0');
  });

  test("is the textbook one for five numbers", () => {
    const { value, lo, hi, n } = meanInterval([1, 2, 3, 4, 5]);
    expect([value, n]).toEqual([3, 5]);
    expect(hi - 3).toBeCloseTo(2.7764451051977934 * Math.sqrt(2.5 / 5), 9);
    expect(3 - lo).toBeCloseTo(hi - 3, 12);
  });

  test("is unbounded for one value, and refuses no values", () => {
    expect(meanInterval([4])).toEqual({ value: 4, lo: -Infinity, hi: Infinity, n: 1 });
    expect(() => meanInterval([])).toThrow('"values" must not be empty');
  });

  test("covers the truth in 95 of 100 samples", () => {
    const random = new Random(4);
    let covered = 0;
    for (let i = 0; i < 2000; i++) {
      const { lo, hi } = meanInterval(Array.from({ length: 5 }, () => random.normal()));
      if (lo <= 0 && 0 <= hi) covered++;
    }
    expect(Math.abs(covered / 2000 - 0.95)).toBeLessThan(0.015);
  });
});

describe("the median's interval", () => {
  test("lies between the ranks of the tables, for any order", () => {
    // The largest r with P(Binomial(n, 1/2) < r) <= .025, from exact integer arithmetic.
    const ranks: [n: number, rank: number][] = [
      [6, 1],
      [8, 1],
      [9, 2],
      [20, 6],
      [100, 40],
      [200, 86],
      [201, 87],
      [1000, 469],
      [1001, 469],
    ];
    const random = new Random(7);
    for (const [n, rank] of ranks) {
      const values = random.shuffle(Array.from({ length: n }, (_, i) => i + 1));
      expect(medianInterval(values), `${n}`).toEqual({ value: (n + 1) / 2, lo: rank, hi: n + 1 - rank, n });
    }
  });

  test("is unbounded for five values, and refuses no values", () => {
    expect(medianInterval([5, 1, 4, 2, 3])).toEqual({ value: 3, lo: -Infinity, hi: Infinity, n: 5 });
    expect(() => medianInterval([])).toThrow('"values" must not be empty');
  });

  test("covers the median of a skewed distribution in at least 95 of 100 samples, and not always", () => {
    const random = new Random(8);
    let covered = 0;
    for (let i = 0; i < 4000; i++) {
      const { lo, hi } = medianInterval(Array.from({ length: 12 }, () => lognormal(random, 3, 2)));
      if (lo <= 3 && 3 <= hi) covered++;
    }
    // Ranks 3 and 10 of 12: 96.1 %.
    expect(Math.abs(covered / 4000 - 0.9614)).toBeLessThan(0.012);
  });
});

describe("bootstrap", () => {
  test("covers the truth in about 95 of 100 samples of forty", () => {
    const random = new Random(5);
    let covered = 0;
    for (let i = 0; i < 300; i++) {
      const values = Array.from({ length: 40 }, () => exponential(random, 2));
      const { lo, hi } = bootstrapInterval(values, { resamples: 400, seed: i });
      if (lo <= 2 && 2 <= hi) covered++;
    }
    expect(covered / 300).toBeGreaterThan(0.88);
    expect(covered / 300).toBeLessThan(0.98);
  });

  test("gives the same bounds for the same seed, others for another", () => {
    const values = [1, 5, 2, 8, 4, 4, 9];
    const a = bootstrapInterval(values, { seed: 1 });
    expect(bootstrapInterval(values, { seed: 1 })).toEqual(a);
    expect(bootstrapInterval(values, { seed: 2 })).not.toEqual(a);
    expect(a.value).toBe(arithmeticMean(values));
  });

  test("takes any statistic", () => {
    const { value, lo, hi } = bootstrapInterval([0, 1, 2, 3, 100], { statistic: interquartileMean });
    expect(value).toBe(2);
    expect(lo).toBeLessThan(2);
    expect(hi).toBeGreaterThan(2);
  });

  test("refuses no resamples", () => {
    expect(() => bootstrapInterval([1], { resamples: 0 })).toThrow(
      '"resamples" must be an integer of at least 1, got 0',
    );
  });
});

describe("location", () => {
  test("the interquartile mean drops a quarter at each end, rounded down", () => {
    expect(interquartileMean([100, 1, 2, -50])).toBe(1.5);
    expect(interquartileMean([9, 1, 2])).toBe(4);
    // scipy.stats.trim_mean(range(10), 0.25) drops two at each end.
    expect(interquartileMean([0, 1, 2, 3, 4, 5, 6, 7, 8, 90])).toBe(4.5);
  });

  test("quantiles interpolate between order statistics", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0)).toBe(1);
    expect(quantile([1, 2, 3, 4], 1)).toBe(4);
  });
});
