import { describe, expect, test } from "vitest";
import { sortedQuantile } from "../../bench/recommender/calibration/numbers.js";
import { STATISTICS } from "../../bench/recommender/calibration/statistics.js";
import { lognormal, poisson } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";

const USERS = 23_772;
const DAYS = 21;
const CLICKS = 4_909_515;

function published(name: string): number {
  return STATISTICS.find((statistic) => statistic.name === name)!.published;
}

function band(name: string): readonly [number, number] {
  return STATISTICS.find((statistic) => statistic.name === name)!.band;
}

/** Seconds of a visit: the mixture that was fitted to the published quantiles. */
function visit(random: Random): number {
  return random.bernoulli(published("visits engaged")) ? lognormal(random, 849, 1.4) : lognormal(random, 3.5, 0.9);
}

/** Visits of many whose own mean numbers of visits are lognormal around a mean; those without any are left out. */
function visitsOfEach(n: number, mean: number, sigma: number, random: Random): number[][] {
  const all: number[][] = [];
  for (let i = 0; i < n; i++) {
    const own = poisson(random, lognormal(random, mean / Math.exp(sigma ** 2 / 2), sigma));
    if (own > 0) all.push(Array.from({ length: own }, () => visit(random)));
  }
  return all;
}

const sumOf = (seconds: readonly number[]) => seconds.reduce((total, one) => total + one, 0);

/** What the notes of statistics that do not fit say of KuaiLive's published figures. */
describe("KuaiLive's published figures contradict each other:", () => {
  const visitsOfUser = published("watch time of a user, mean") / published("visit mean");

  test("users' sums are of 16 % of the visits, at 1.6 clicks and 5.7 exposures a user and day", () => {
    expect((visitsOfUser * USERS) / CLICKS).toBeCloseTo(0.16, 2);
    expect(CLICKS / USERS / DAYS).toBeCloseTo(published("clicks a user and day"), 1);
    expect(visitsOfUser / DAYS).toBeCloseTo(1.6, 1);
    expect(visitsOfUser / DAYS / published("clicks per exposure")).toBeCloseTo(5.7, 1);
  });

  test("visits that add up to the users' sums leave the favourite more than was published, though nobody comes back", () => {
    const random = Random.named(1, "users");
    const users = visitsOfEach(6000, visitsOfUser, 1, random).map((visits) => {
      return { sum: sumOf(visits), top: Math.max(...visits) / sumOf(visits) };
    });
    const sums = sortedQuantile(users.map(({ sum }) => sum));
    for (const p of [50, 90, 99]) {
      const [least, most] = band(`watch time of a user P${p}`);
      expect(sums(p / 100) > least && sums(p / 100) < most, `P${p} ${sums(p / 100)}`).toBe(true);
    }
    const tops = sortedQuantile(users.map(({ top }) => top));
    expect(tops(0.5)).toBeCloseTo(0.53, 1);
    expect(tops(0.5)).toBeGreaterThan(band("watch loyalty P50")[1]);
    expect(tops(0.9)).toBeGreaterThan(band("watch loyalty P90")[1]);
  });

  test("streamers' sums with the published median have a higher 90th percentile, however visits are spread", () => {
    const [least, most] = band("watch time of a streamer P50");
    for (const sigma of [0, 0.5, 1, 1.5]) {
      const random = Random.named(1, "streamers", 2 * sigma);
      const worlds = [0.6, 1.2, 1.8, 2.4, 3].map((mean) => {
        const at = sortedQuantile(visitsOfEach(10_000, mean, sigma, random).map(sumOf));
        return { median: at(0.5), high: at(0.9) };
      });
      const fitting = worlds.filter(({ median }) => median > least && median < most);
      expect(fitting.length, `${sigma}`).toBeGreaterThan(0);
      for (const { high } of fitting)
        expect(high, `${sigma}`).toBeGreaterThan(1.2 * band("watch time of a streamer P90")[1]);
    }
  });
});
