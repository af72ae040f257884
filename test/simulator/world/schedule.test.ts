import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/time.js";
import { activityAt, afterActivity, crowdAt, drawHabit, planDay } from "../../../src/simulator/world/schedule.js";

describe("afterActivity", () => {
  test("passes a day of activity in exactly a day, from any hour", () => {
    for (const start of [0, 3.3 * HOUR, 19 * HOUR, 5 * DAY + 17 * MINUTE]) {
      expect(afterActivity(start, DAY)).toBeCloseTo(start + DAY, -1);
      expect(afterActivity(start, 30 * DAY)).toBeCloseTo(start + 30 * DAY, -1);
    }
  });

  test("agrees with the sum of activity over the minutes in between", () => {
    const random = new Random(1);
    for (let i = 0; i < 50; i++) {
      const start = random.below(7 * 1440) * MINUTE;
      const amount = random.uniform() * 2 * DAY;
      const end = afterActivity(start, amount);
      let sum = 0;
      for (let time = start; time < end; time += MINUTE) sum += activityAt(time) * Math.min(MINUTE, end - time);
      expect(Math.abs(sum - amount)).toBeLessThan(2);
    }
  });

  test("is 3.65 times as fast in the busiest hour as in the quietest", () => {
    const hours = Array.from({ length: 24 }, (_, hour) => activityAt(hour * HOUR));
    expect(Math.max(...hours) / Math.min(...hours)).toBeCloseTo(3.65, 2);
    expect(hours.reduce((a, b) => a + b) / 24).toBeCloseTo(1, 12);
  });
});

test("a habit is kept: so many broadcasts a day, around the hour, in order", () => {
  const random = new Random(2);
  const habit = { startHour: 20, startDeviation: 1, perDay: 1.5, phase: 0.3, encore: 0, length: 1 };
  let count = 0;
  for (let day = 0; day < 2000; day++) {
    const airings = planDay(habit, day, random);
    count += airings.length;
    for (let i = 0; i < airings.length; i++) {
      const { start, end } = airings[i]!;
      expect(end - start).toBeGreaterThanOrEqual(5 * MINUTE);
      if (i > 0) expect(start).toBeGreaterThanOrEqual(airings[i - 1]!.start);
    }
    if (airings.length === 1) expect(Math.abs(airings[0]!.start - day * DAY - 20 * HOUR)).toBeLessThan(5 * HOUR);
  }
  expect(count / 2000).toBeCloseTo(1.5, 1);
});

test("who comes back on the same day has no more broadcasts, but pairs of them", () => {
  const random = new Random(4);
  const habit = { startHour: 12, startDeviation: 0.5, perDay: 0.4, phase: 0, encore: 0.5, length: 0.1 };
  let count = 0;
  let pairs = 0;
  for (let day = 0; day < 4000; day++) {
    const airings = planDay(habit, day, random);
    count += airings.length;
    if (airings.length < 2) continue;
    pairs++;
    expect(airings[1]!.start).toBeGreaterThanOrEqual(airings[0]!.end);
  }
  expect(count / 4000).toBeCloseTo(0.4, 1);
  expect(pairs / (count - pairs)).toBeCloseTo(0.5, 1);
});

test("a crowd at a stream is the activity shared among those on air, whose number has its own day", () => {
  const live = Array.from({ length: 24 }, (_, hour) => activityAt(hour * HOUR) / crowdAt(hour * HOUR));
  expect(live.reduce((a, b) => a + b) / 24).toBeCloseTo(1, 12);
  expect(Math.max(...live) / Math.min(...live)).toBeCloseTo(2.05, 1);
});

test("channels differ: median 3.4 broadcasts a week planned, 90th percentile 7.8, two in five come back the same day", () => {
  const random = new Random(3);
  const habits = Array.from({ length: 5000 }, () => drawHabit(random));
  const weekly = habits.map((habit) => 7 * habit.perDay).sort((a, b) => a - b);
  expect(Math.abs(weekly[2500]! - 3.4)).toBeLessThan(0.15);
  expect(Math.abs(weekly[4500]! - 7.8)).toBeLessThan(0.4);
  const deviations = habits.map((habit) => habit.startDeviation).sort((a, b) => a - b);
  expect(Math.abs(deviations[2500]! - 1.7)).toBeLessThan(0.1);
  expect(habits.filter(({ encore }) => encore > 0).length / 5000).toBeCloseTo(0.4, 1);
});
