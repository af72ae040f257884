import { describe, expect, test } from "vitest";
import { exponential, lognormal, poisson, weibull, weightedIndex } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import { chiSquare } from "../reference/moments.js";

const DRAWS = 100_000;

function moments(draw: () => number): { mean: number; sd: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < DRAWS; i++) {
    const x = draw();
    sum += x;
    squares += x * x;
  }
  const mean = sum / DRAWS;
  return { mean, sd: Math.sqrt(squares / DRAWS - mean * mean) };
}

function quantile(draw: () => number, p: number): number {
  const values = Float64Array.from({ length: DRAWS }, draw).sort();
  return values[Math.floor(p * DRAWS)]!;
}

/** Pearson's statistic over its degrees of freedom, in standard deviations from its mean. */
function deviationOf(counts: ArrayLike<number>, expected: (bin: number) => number): number {
  const freedom = counts.length - 1;
  return (chiSquare(counts, expected) - freedom) / Math.sqrt(2 * freedom);
}

describe("the sequence", () => {
  test("is the committed one for seed 1", () => {
    const random = new Random(1);
    expect(Array.from({ length: 6 }, () => random.uint32())).toEqual([
      1717690583, 3959225890, 4091431470, 290960012, 762876751, 3968206986,
    ]);
    expect(Array.from({ length: 3 }, () => random.uniform())).toEqual([
      0.46889244583344414, 0.18837363102452453, 0.2512526351462395,
    ]);
    expect(random.normal()).toEqual(-0.25155628234439725);
    expect([random.below(1000), poisson(random, 5), weibull(random, 1.5, 250)]).toEqual([269, 10, 182.57830693667992]);
  });

  test("continues from a saved state as if it had never stopped", () => {
    const random = Random.named(3, "a");
    random.normal();
    const state = random.state();
    const want = [random.uint32(), random.normal(), random.below(9)];
    const other = new Random(0);
    other.restore(state);
    expect([other.uint32(), other.normal(), other.below(9)]).toEqual(want);
    expect(() => other.restore(new Uint32Array(3))).toThrow('"state" must have 4 words, got 3');
  });

  test("differs for every seed and every name, however alike", () => {
    const first = new Set<number>();
    let streams = 0;
    const add = (random: Random) => {
      first.add(random.uint32() * 2 ** 20 + (random.uint32() >>> 12));
      streams++;
    };
    for (let seed = 0; seed < 2000; seed++) add(new Random(seed));
    for (let user = 0; user < 2000; user++) add(Random.named(0, "viewer", user));
    for (let user = 0; user < 2000; user++) add(Random.named(0, "viewer", `${user}`));
    for (const names of [["ab"], ["a", "b"], ["b", "a"], ["", "ab"], [1, 2], [12], [2, 1], [-1], [2 ** 32]]) {
      add(Random.named(0, ...names));
    }
    add(new Random(2 ** 32));
    add(new Random(-1));
    expect(first.size).toBe(streams);
  });

  test("is uncorrelated between streams of neighbouring names", () => {
    let product = 0;
    for (let i = 0; i < 20_000; i++) {
      product += (Random.named(1, "u", i).uniform() - 0.5) * (Random.named(1, "u", i + 1).uniform() - 0.5);
    }
    expect(Math.abs((product / 20_000) * 12)).toBeLessThan(4 / Math.sqrt(20_000));
  });

  test("refuses anything but safe integers", () => {
    expect(() => new Random(0.5)).toThrow('"seed" must be a safe integer, got 0.5');
    expect(() => Random.named(1, Number.NaN)).toThrow('"name" must be a safe integer, got NaN');
  });
});

describe("uniform draws", () => {
  test("every bit of uint32 is set half of the time", () => {
    const random = new Random(11);
    const ones = new Float64Array(32);
    for (let i = 0; i < DRAWS; i++) {
      const word = random.uint32();
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1;
    }
    for (const count of ones) expect(Math.abs(count / DRAWS - 0.5)).toBeLessThan(4 * (0.5 / Math.sqrt(DRAWS)));
  });

  test("uniform fills [0, 1) evenly, and pairs fill the square", () => {
    const random = new Random(12);
    const bins = new Float64Array(400);
    for (let i = 0; i < DRAWS; i++) bins[Math.floor(20 * random.uniform()) * 20 + Math.floor(20 * random.uniform())]!++;
    expect(Math.abs(deviationOf(bins, () => DRAWS / 400))).toBeLessThan(4);
  });

  test("below(n) is even for n that does not divide 2^32", () => {
    const random = new Random(13);
    for (const n of [1, 2, 3, 7, 100]) {
      const bins = new Float64Array(n);
      for (let i = 0; i < DRAWS; i++) bins[random.below(n)]!++;
      if (n > 1) expect(Math.abs(deviationOf(bins, () => DRAWS / n))).toBeLessThan(4);
    }
    // At 3 * 2^30 a biased generator (word % n) gives the lower third of the range twice as often.
    let low = 0;
    for (let i = 0; i < DRAWS; i++) if (random.below(3 * 2 ** 30) < 2 ** 30) low++;
    expect(Math.abs(low / DRAWS - 1 / 3)).toBeLessThan(0.007);
    expect(() => random.below(0)).toThrow('"n" must be an integer in [1, 4294967296], got 0');
    expect(() => random.below(1.5)).toThrow(RangeError);
  });
});

describe("distributions", () => {
  test("normal has mean 0, deviation 1 and the tails of a normal", () => {
    const random = new Random(21);
    const { mean, sd } = moments(() => random.normal());
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(DRAWS));
    expect(Math.abs(sd - 1)).toBeLessThan(0.01);
    let beyond = 0;
    for (let i = 0; i < DRAWS; i++) if (Math.abs(random.normal()) > 1.959964) beyond++;
    expect(Math.abs(beyond / DRAWS - 0.05)).toBeLessThan(0.003);
  });

  test("lognormal has the median and the 90th percentile asked for", () => {
    const random = new Random(22);
    expect(quantile(() => lognormal(random, 849, 1.4), 0.5) / 849).toBeCloseTo(1, 1);
    expect(quantile(() => lognormal(random, 3.5, 0.9), 0.9) / (3.5 * Math.exp(0.9 * 1.2816))).toBeCloseTo(1, 1);
  });

  test("exponential has equal mean and deviation", () => {
    const random = new Random(23);
    const { mean, sd } = moments(() => exponential(random, 9));
    expect(mean / 9).toBeCloseTo(1, 1);
    expect(sd / 9).toBeCloseTo(1, 1);
  });

  test("weibull has its closed-form quantiles", () => {
    const random = new Random(24);
    for (const p of [0.1, 0.5, 0.9]) {
      const want = 250 * (-Math.log(1 - p)) ** (1 / 1.5);
      expect(quantile(() => weibull(random, 1.5, 250), p) / want).toBeCloseTo(1, 1);
    }
  });

  test("poisson has equal mean and variance, also beyond one piece", () => {
    const random = new Random(25);
    for (const mean of [0.3, 5, 32, 75.5]) {
      const got = moments(() => poisson(random, mean));
      expect(Math.abs(got.mean - mean)).toBeLessThan(4 * Math.sqrt(mean / DRAWS));
      expect(got.sd ** 2 / mean).toBeCloseTo(1, 1);
    }
    expect(poisson(random, 0)).toBe(0);
    expect(() => poisson(random, -1)).toThrow('"mean" must be finite and at least 0, got -1');
  });

  test("weighted choice follows the weights and never takes a zero weight", () => {
    const random = new Random(26);
    const weights = [0, 1, 2, 0, 7, 0];
    const bins = new Float64Array(6);
    for (let i = 0; i < DRAWS; i++) bins[weightedIndex(random, weights)]!++;
    expect([bins[0], bins[3], bins[5]]).toEqual([0, 0, 0]);
    expect(deviationOf([bins[1]!, bins[2]!, bins[4]!], (i) => DRAWS * [0.1, 0.2, 0.7][i]!)).toBeLessThan(4);
    expect(() => weightedIndex(random, [0, 0])).toThrow('"weights" must have a positive sum, got 0');
  });

  test("pick and bernoulli have the stated chances", () => {
    const random = new Random(27);
    let a = 0;
    let hits = 0;
    for (let i = 0; i < DRAWS; i++) {
      if (random.pick(["a", "b", "c"]) === "a") a++;
      if (random.bernoulli(0.2)) hits++;
    }
    expect(a / DRAWS).toBeCloseTo(1 / 3, 2);
    expect(hits / DRAWS).toBeCloseTo(0.2, 2);
  });

  test("shuffle gives all orders of four items equally often", () => {
    const random = new Random(28);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle([0, 1, 2, 3]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(Math.abs(deviationOf([...counts.values()], () => 1000))).toBeLessThan(4);
  });
});
