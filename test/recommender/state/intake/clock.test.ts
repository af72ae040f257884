import { describe, expect, test } from "vitest";
import { EventError } from "../../../../src/protocol/schema.js";
import { DAY, HOUR, MINUTE } from "../../../../src/protocol/time.js";
import { Clock } from "../../../../src/recommender/state/intake/clock.js";

const NOW = 1.796e12;
const LIMITS = { maxAheadMs: 5 * MINUTE, maxLateMs: DAY };

/** Times that no event of the present can have, with what the message says of them. */
const AHEAD: readonly [number, string][] = [
  [NOW + 5 * MINUTE + 9, "at most"],
  [NOW + HOUR, "at most"],
  [NOW + DAY, "at most"],
  [NOW + 365 * DAY, "at most"],
  [1e3 * NOW, "(microseconds?)"],
  [1e3 * (NOW + DAY), "(microseconds?)"],
  [1e6 * NOW, "(nanoseconds?)"],
  [1e6 * NOW - 1e9, "(nanoseconds?)"],
  [Number.MAX_SAFE_INTEGER, "at most"],
  [8.64e15, "at most"],
  [1e300, "at most"],
  [Number.MAX_VALUE, "at most"],
];
const SECONDS = [NOW / 1e3, NOW / 1e3 - 86_400, NOW / 1e3 + 86_400, 1.7e9, 1.2e9, 1e9, 2e9, 1.5e9, 1.6e9, 3e9];

describe("with the host's time", () => {
  test.each(AHEAD)("an event at %d is refused, and moves nothing", (time, said) => {
    const clock = new Clock(LIMITS);
    clock.follow(NOW - 1);
    const judged = clock.judge(time, NOW);
    expect(judged).toBeInstanceOf(EventError);
    expect(judged).toMatchObject({ field: "time" });
    expect((judged as EventError).message).toContain(said);
    expect([clock.time, clock.settled]).toEqual([NOW - 1, NOW - 1]);
  });

  test.each(SECONDS)("%d is taken for seconds, not for late", (time) => {
    const judged = new Clock(LIMITS).judge(time, NOW);
    expect((judged as EventError).message).toBe(`"time" must be in milliseconds, got ${time} (seconds?)`);
  });

  test.each([0, 1, 1e5, 1e8, 1e10, 1e11, NOW / 2, NOW - 40 * DAY, NOW - 2 * DAY, NOW - DAY - 1])(
    "%d is late",
    (time) => {
      expect(new Clock(LIMITS).judge(time, NOW)).toBe("late");
    },
  );

  test.each([NOW - DAY, NOW - HOUR, NOW - 1, NOW, NOW + 1, NOW + 5 * MINUTE])("%d is taken", (time) => {
    const clock = new Clock(LIMITS);
    expect(clock.judge(time, NOW)).toBeUndefined();
    clock.take(time, NOW);
    expect([clock.time, clock.settled]).toEqual([NOW, NOW]);
  });

  test("it is followed back and ahead, but what expires by it goes on by a day at a call", () => {
    const clock = new Clock(LIMITS);
    expect(clock.settled).toBe(Number.NEGATIVE_INFINITY);
    const walk = [NOW, NOW + 400 * DAY, NOW + 1, 0, NOW + 2, NOW + 3].map((now) => {
      clock.follow(now);
      return [clock.time, clock.settled];
    });
    expect(walk).toEqual([
      [NOW, NOW],
      [NOW + 400 * DAY, NOW + DAY],
      [NOW + 1, NOW + 1],
      [0, 0],
      [NOW + 2, DAY],
      [NOW + 3, 2 * DAY],
    ]);
  });

  test("times of a simulation that begins with 0 are in no other unit", () => {
    expect(new Clock(LIMITS).judge(1, 1000)).toBeUndefined();
    expect(new Clock(LIMITS).judge(100_000, 1e8)).toBe("late");
  });
});

describe("without the host's time", () => {
  const following = () => {
    const clock = new Clock(LIMITS);
    clock.follow(NOW);
    return clock;
  };

  test.each(AHEAD.filter(([, said]) => said === "at most").map(([time]) => time))(
    "one event at %d moves no clock, nor one of each",
    (time) => {
      const clock = following();
      clock.take(NOW + 1);
      expect(clock.judge(time)).toBeUndefined();
      clock.take(time);
      expect(clock.time).toBe(NOW + 1);
      clock.take(NOW + 2);
      clock.take(time);
      expect([clock.time, clock.settled]).toEqual([NOW + 2, NOW]);
    },
  );

  test("many ahead in a row move it by five minutes each, and the next request sets it right", () => {
    const clock = following();
    for (let i = 0; i < 10; i++) clock.take(9e15);
    expect(clock.time).toBe(NOW + 9 * 5 * MINUTE);
    clock.follow(NOW + 1);
    expect([clock.time, clock.settled]).toEqual([NOW + 1, NOW + 1]);
  });

  test("events move it on as they come, if none leaps", () => {
    const clock = following();
    for (let i = 1; i <= 24; i++) clock.take(NOW + i * 5 * MINUTE);
    expect(clock.time).toBe(NOW + 2 * HOUR);
    expect(clock.judge(NOW - 2 * HOUR)).toBeUndefined();
  });

  test("another unit than the host's is refused", () => {
    for (const time of [1e3 * NOW, 1e6 * NOW, NOW / 1e3]) expect(following().judge(time)).toBeInstanceOf(EventError);
  });

  test("before the first request no single event decides the time, wherever it comes", () => {
    const honest = Array.from({ length: 6 }, (_, i) => NOW + 1000 * i);
    for (const [wrong] of [...AHEAD.slice(1), [0], [NOW / 1e3], [NOW - 9 * DAY]] as [number][]) {
      for (let place = 0; place <= 4; place++) {
        const clock = new Clock(LIMITS);
        for (const time of [...honest.slice(0, place), wrong, ...honest.slice(place)]) {
          expect(clock.judge(time)).toBeUndefined();
          clock.take(time);
        }
        // A little ahead harms nobody: all others are just not new.
        const isFirst = place === 0 && wrong > NOW && wrong <= NOW + DAY;
        expect(clock.time, `${wrong} at ${place}`).toBe(isFirst ? wrong : honest.at(-1));
        expect(clock.settled).toBe(Number.NEGATIVE_INFINITY);
      }
    }
  });

  test("a log of months moves on with its second event after each gap", () => {
    const clock = new Clock(LIMITS);
    for (let day = 0; day < 90; day++) {
      clock.take(day * DAY);
      clock.take(day * DAY + 1);
      expect(clock.time).toBe(day * DAY + 1 - (day === 0 ? 0 : 1));
    }
  });
});

test("a save continues as if it had never stopped", () => {
  const original = new Clock(LIMITS);
  const copy = new Clock(LIMITS);
  copy.load(JSON.parse(JSON.stringify(original.save())));
  expect(copy.save()).toEqual(original.save());
  original.follow(NOW);
  for (const time of [NOW + 1, 9e15]) original.take(time);
  copy.load(JSON.parse(JSON.stringify(original.save())));
  for (const clock of [original, copy]) clock.take(9e15);
  expect(copy.time).toBe(NOW + 1 + 5 * MINUTE);
  expect(copy.save()).toEqual(original.save());
});
