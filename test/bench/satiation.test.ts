import { expect, test } from "vitest";
import {
  betweenPeople,
  rankCorrelation,
  ratingSessions,
  type Session,
  withinPeople,
} from "../../bench/recommender/satiation.js";
import { Random } from "../../src/numeric/random.js";
import { HOUR } from "../../src/protocol/time.js";

/** Sessions whose log gap to the next is `slope` times the log of their size, plus noise, on top of the person's own. */
function person(index: number, slope: number): Session[] {
  const random = Random.named(1, "person", index);
  const own = 5 * random.normal();
  const sessions: Session[] = [];
  let start = 0;
  for (let i = 0; i < 12; i++) {
    const size = Math.exp(3 + 2 * index * 0.1 + random.normal());
    sessions.push({ size, start, end: start + 1000 });
    start += 1000 + HOUR * Math.exp(own + slope * Math.log(size) + random.normal());
  }
  return sessions;
}

test("rank correlation shares ranks between equal values", () => {
  expect(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 40])).toBeCloseTo(1, 12);
  expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
  // Ranks 0.5 0.5 2 3 against 0 1 2 3.
  expect(rankCorrelation([1, 1, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
});

test("an hour without a rating ends a session", () => {
  const times = [0, 1, HOUR, HOUR + 1, 3 * HOUR, 3 * HOUR + 5];
  expect(ratingSessions(times)).toEqual([
    { size: 4, start: 0, end: HOUR + 1 },
    { size: 2, start: 3 * HOUR, end: 3 * HOUR + 5 },
  ]);
});

test("finds what a session does to the next gap within people, whatever they differ by", () => {
  for (const [slope, sign] of [
    [1, 1],
    [-1, -1],
    [0, 0],
  ] as const) {
    const people = Array.from({ length: 40 }, (_, i) => person(i, slope));
    const [after, detrended, before] = withinPeople(people);
    for (const { lo, hi } of [after!, detrended!]) {
      if (sign === 0) expect(lo! < 0.05 && hi! > -0.05).toBe(true);
      else expect(sign * (sign > 0 ? lo! : hi!)).toBeGreaterThan(0.4);
    }
    // Means over a dozen gaps tie each gap to the others a little.
    expect(Math.abs(before!.value)).toBeLessThan(0.25);
  }
});

test("and the difference between people apart from it", () => {
  const steady = (index: number): Session[] =>
    Array.from({ length: 6 }, (_, i) => ({ size: index + 1, start: i * HOUR * (50 - index), end: 0 }));
  expect(betweenPeople(Array.from({ length: 40 }, (_, i) => steady(i))).value).toBeCloseTo(-1, 12);
});
