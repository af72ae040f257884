import { describe, expect, test } from "vitest";
import { calibrateSatiation } from "../../../bench/recommender/calibration/calibration.js";
import { RandomPolicy } from "../../../src/baselines/random.js";
import { HOUR } from "../../../src/protocol/time.js";
import { Platform } from "../../../src/simulator/index.js";
import { habitsOf, Returns } from "../../../src/simulator/world/returns.js";

describe("how often viewers come", () => {
  test("is 25 hours and a deviation of 1.5 at the default satiation, and below it", () => {
    for (const satiation of [45, 44.9, 1, 1e-9]) {
      expect(habitsOf(satiation)).toEqual({ baseMs: 25 * HOUR, activitySigma: 1.5 });
    }
  });

  test("has the fitted figures at the fitted satiations, and is linear in 1 / satiation between", () => {
    const [a, b, c, d] = [45, 120, 180, Number.POSITIVE_INFINITY].map(habitsOf);
    expect([b, c, d].map((habits) => habits!.baseMs / HOUR)).toEqual([29.2, 30.2, 30.4]);
    expect([b, c, d].map((habits) => habits!.activitySigma)).toEqual([0.9, 0.8, 0.55]);
    // 1 / 360 lies in the middle between 1 / 180 and 0; 360 / 5.5 between 8 / 360 and 3 / 360.
    const half = habitsOf(360);
    expect(half.baseMs).toBeCloseTo((c!.baseMs + d!.baseMs) / 2, 5);
    expect(half.activitySigma).toBeCloseTo((c!.activitySigma + d!.activitySigma) / 2, 12);
    const other = habitsOf(360 / 5.5);
    expect(other.baseMs).toBeCloseTo((a!.baseMs + b!.baseMs) / 2, 5);
    expect(other.activitySigma).toBeCloseTo((a!.activitySigma + b!.activitySigma) / 2, 12);
  });

  test("multiplies the gap by e after as many minutes as satiation says, and by nothing without", () => {
    const gaps = (satiation: number, satisfactionEffect = 1) => {
      const returns = new Returns({ satiation, satisfactionEffect });
      return (satisfaction: number, minutes: number) => returns.meanGap(2, satisfaction, minutes) / returns.baseMs;
    };
    expect(gaps(120)(0, 0)).toBe(0.5);
    expect(gaps(120)(0, 120)).toBeCloseTo(Math.E / 2, 12);
    expect(gaps(Number.POSITIVE_INFINITY)(0, 600)).toBe(0.5);
    expect(gaps(120)(1, 0)).toBeCloseTo(Math.exp(-0.9) / 2, 12);
    expect(gaps(120, 0)(1, 0)).toBe(0.5);
  });

  test.each([45, 120, Number.POSITIVE_INFINITY])("differs between viewers by the deviation for satiation %d", (s) => {
    const platform = new Platform(new RandomPolicy(1, ""), { viewers: 4000, streamers: 1, days: 1, satiation: s });
    const logs = Array.from({ length: 4000 }, (_, i) => Math.log(platform.viewer(`viewer-${i}`).activity));
    const variance = logs.reduce((sum, x) => sum + x * x, 0) / 4000;
    expect(Math.abs(variance / habitsOf(s).activitySigma ** 2 - 1)).toBeLessThan(4.5 * Math.sqrt(2 / 4000));
  });
});

test("viewers watch about as long at every satiation", () => {
  // npm run bench:recommender -- --only calibration/ measures larger worlds.
  const small = { seeds: [4], visits: { viewers: 300, streamers: 150, days: 21 } };
  const sums = (satiation: number) => calibrateSatiation(satiation, small).map(({ simulated }) => simulated.value);
  const [median, mean] = sums(45);
  for (const satiation of [120, Number.POSITIVE_INFINITY]) {
    const [otherMedian, otherMean] = sums(satiation);
    expect(Math.abs(otherMedian! / median! - 1), `${satiation} median`).toBeLessThan(0.4);
    expect(Math.abs(otherMean! / mean! - 1), `${satiation} mean`).toBeLessThan(0.25);
  }
});
