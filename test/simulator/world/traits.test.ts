import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { Content, TOPICS, tagsOf, titleOf } from "../../../src/simulator/world/content.js";
import { drawStreamer } from "../../../src/simulator/world/streamers.js";
import { drawFriends, drawTraits } from "../../../src/simulator/world/traits.js";

function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length;
}

describe("friends are a small world", () => {
  const n = 2000;
  const made = drawFriends(3, n);
  const near = (a: number, b: number) => Math.min((a - b + n) % n, (b - a + n) % n) <= 2;

  test("nobody is a friend of themselves, and no friendship stands twice", () => {
    const pairs = made.flatMap((friends, i) => friends.map((j) => [Math.min(i, j), Math.max(i, j)].join(" ")));
    expect(made.every((friends, i) => !friends.includes(i))).toBe(true);
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs.length / n).toBeGreaterThan(1.97);
  });

  test("a tenth of them live far away, which makes every viewer near to every other", () => {
    const far = made.flatMap((friends, i) => friends.filter((j) => !near(i, j)));
    expect(Math.abs(far.length / (2 * n) - 0.1)).toBeLessThan(0.02);
    const neighbours = Array.from({ length: n }, () => [] as number[]);
    made.forEach((friends, i) => {
      for (const j of friends) {
        neighbours[i]!.push(j);
        neighbours[j]!.push(i);
      }
    });
    const distance = new Map([[0, 0]]);
    for (const [at, steps] of distance) {
      for (const next of neighbours[at]!) if (!distance.has(next)) distance.set(next, steps + 1);
    }
    expect(distance.size).toBe(n);
    const mean = [...distance.values()].reduce((a, b) => a + b) / n;
    // A ring without shortcuts would have n / 8 = 250.
    expect(mean).toBeLessThan(15);
  });

  test("few viewers have few friends", () => {
    expect(drawFriends(1, 1)).toEqual([[]]);
    expect(drawFriends(1, 2).flat().length).toBe(1);
  });
});

test("viewers are of all ages and languages, by their shares, and a little of the taste goes with it", () => {
  const viewers = Array.from({ length: 4000 }, (_, i) => drawTraits(Random.named(1, "traits", i)));
  const ages = viewers.map(({ age }) => age).sort((a, b) => a - b);
  expect(Math.abs(ages[2000]! - 26)).toBeLessThan(2);
  expect(ages[0]).toBeGreaterThanOrEqual(13);
  expect(ages[3999]).toBeLessThanOrEqual(80);
  expect(share(viewers, ({ language }) => language === "en")).toBeCloseTo(0.6, 1);
  expect(share(viewers, ({ gender }) => gender === "female")).toBeCloseTo(0.34, 1);
  expect(share(viewers, ({ language, region }) => language === "ja" && region !== "jp")).toBe(0);
  const retro = TOPICS.indexOf("retro");
  for (const { age, leaning } of viewers) expect(leaning[retro]).toBe(age < 30 ? 0 : 0.15);
});

test("channels have the quantiles of Twitch: 8, 87 and 1337 viewers, and the better the more", () => {
  const content = new Content(1);
  const streamers = Array.from({ length: 8000 }, (_, i) => drawStreamer(1, i, Number.NEGATIVE_INFINITY, content));
  const logs = streamers.map(({ logAudience }) => logAudience).sort((a, b) => a - b);
  expect(Math.abs(logs[4000]! - Math.log(8))).toBeLessThan(0.15);
  expect(Math.abs(logs[7200]! - Math.log(87))).toBeLessThan(0.25);
  expect(Math.abs(logs[7920]! - Math.log(1337))).toBeLessThan(0.35);
  const top = [...streamers].sort((a, b) => b.logAudience - a.logAudience).slice(0, 800);
  const quality = top.reduce((sum, { quality }) => sum + quality, 0) / 800;
  expect(quality).toBeGreaterThan(0.2);
  for (const { repertoire } of streamers) expect(new Set(repertoire).size).toBe(repertoire.length);
});

test("a title has a word of each tag, and the category", () => {
  const topics = new Content(1).topics(3, 2);
  const random = new Random(1);
  const titles = new Set(Array.from({ length: 50 }, () => titleOf(topics, "chess", random)));
  expect(titles.size).toBeGreaterThan(1);
  for (const title of titles) expect(title.split(" ").length).toBe(tagsOf(topics).length + 1);
});
