import { describe, expect, test } from "vitest";
import { emptyQualityReport, qualityReportLines } from "../../../src/logs/basics/report.js";
import { DiversityMeter } from "../../../src/logs/cleaning/diversity.js";
import { Sample } from "../../../src/logs/cleaning/sample.js";
import { Mode, Sketch } from "../../../src/logs/cleaning/sketch.js";
import { exponential, lognormal } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/random.js";

describe("the sketch of quantiles", () => {
  const N = 100_000;
  const random = Random.named(1, "sketch");
  const orders: [string, (i: number) => number][] = [
    ["lognormal numbers", () => lognormal(random, 3.5, 2)],
    ["rising numbers", (i) => i],
    ["falling numbers", (i) => -i],
    ["a saw", (i) => i % 97],
    ["runs of equal numbers", (i) => Math.floor(i / 5000)],
  ];
  test.each(orders)("finds ranks of %s to within its bound", (_, value) => {
    const sketch = new Sketch();
    const values = Float64Array.from({ length: N }, (_, i) => value(i));
    for (const one of values) sketch.add(one);
    values.sort();
    for (const p of [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1]) {
      const found = sketch.quantile(p);
      const first = values.findIndex((one) => one >= found) / N;
      let last = N - 1;
      while (values[last]! > found) last--;
      // log2(n / 2048) / 2048 of n.
      expect(Math.max(first - p, p - (last + 1) / N), `p = ${p}`).toBeLessThan(0.0028);
    }
  });

  test("gives the same twice, and nothing of nothing", () => {
    const of = () => {
      const sketch = new Sketch();
      const numbers = Random.named(2, "sketch");
      for (let i = 0; i < 10_000; i++) sketch.add(numbers.normal());
      return [0.1, 0.5, 0.9].map((p) => sketch.quantile(p));
    };
    expect(of()).toEqual(of());
    expect(new Sketch().quantile(0.5)).toBeNaN();
  });
});

test("the mode is found among more values than are counted", () => {
  const mode = new Mode<number>(10);
  const random = Random.named(3, "mode");
  for (let i = 0; i < 5000; i++) mode.add(random.bernoulli(0.3) ? -1 : random.below(100_000));
  expect(mode.value).toBe(-1);
});

describe("the sample of ids", () => {
  test("holds all while there is room, then estimates their number", () => {
    const errors = Array.from({ length: 40 }, (_, run) => {
      const sample = new Sample<true>(1000);
      for (let i = 0; i < 1000; i++) sample.set(`${run}-${i}`, true);
      expect([sample.total, sample.exact]).toEqual([1000, true]);
      for (let i = 0; i < 20_000; i++) sample.set(`${run}-${i}`, true);
      expect(sample.values.size).toBeLessThanOrEqual(1000);
      expect(sample.exact).toBe(false);
      return sample.total / 20_000 - 1;
    });
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const sd = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    // 1.2 / sqrt(1000) is 0.038, and the mean of 40 runs has a deviation of 0.006.
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(sd).toBeLessThan(0.06);
    expect(sd).toBeGreaterThan(0.01);
  });

  test("makes estimates of diversity that are near the exact figures", () => {
    const random = Random.named(4, "diversity");
    const exact = new DiversityMeter(1_000_000);
    const rough = new DiversityMeter(2000);
    for (let i = 0; i < 40_000; i++) {
      const stream = `s${Math.floor(exponential(random, 800))}`;
      const event = { kind: "click", time: i, user: `u${random.below(6000)}`, stream } as const;
      exact.feedback(event);
      rough.feedback(event);
    }
    const [e, r] = [exact.report, rough.report];
    expect([e.exact, r.exact]).toEqual([true, false]);
    expect(Math.abs(r.users / e.users - 1)).toBeLessThan(0.1);
    expect(Math.abs(r.streams / e.streams - 1)).toBeLessThan(0.1);
    expect(Math.abs(r.repeatShare - e.repeatShare)).toBeLessThan(0.005);
    expect(Math.abs(r.exposureGini - e.exposureGini)).toBeLessThan(0.03);
  });
});

test("nothing shown is shared equally", () => {
  const meter = new DiversityMeter(10);
  for (const streamer of ["a", "b"]) {
    meter.feedback({ kind: "on_air", time: 1, stream: streamer, streamer, category: "c" });
  }
  expect(meter.report.exposureGini).toBe(0);
  meter.feedback({ kind: "impression", time: 2, user: "u", stream: "a" });
  expect(meter.report.exposureGini).toBe(0.5);
});

test("a report prints as a table", () => {
  const report = {
    ...emptyQualityReport(),
    read: 200,
    kept: 150,
    dropped: 50,
    droppedBy: { late: 50 },
    examples: ["line 3: no"],
  };
  report.changedBy = { outlier: { watchMs: 7 } };
  expect(qualityReportLines(report)).toEqual([
    "read                      200",
    "kept                      150  75.00 %",
    "dropped                    50  25.00 %",
    "  late                     50  25.00 %",
    "changed watchMs: outlier    7   3.50 %",
    "e.g. line 3: no",
  ]);
});
