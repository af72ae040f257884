import { describe, expect, test } from "vitest";
import { RandomPolicy } from "../../src/baselines/random.js";
import { routerOf, type SplitOptions, shareOut } from "../../src/cli/commands/data/split.js";
import { cutEventsAt, holdOutUserEvents, kFoldEvents, splitInstants } from "../../src/logs/index.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import { simulate } from "../../src/simulator/index.js";

const events: LiveEvent[] = [];
simulate(
  new RandomPolicy(1),
  { viewers: 40, streamers: 50, days: 2, seed: 4 },
  { onEvent: (event) => events.push(event) },
);
const times = Float64Array.from(events, ({ time }) => time);
const users = [...new Set(events.flatMap((event) => ("user" in event ? [event.user] : [])))];

function parts(options: Partial<SplitOptions>): Record<string, LiveEvent[]> {
  const whole: SplitOptions = { split: "time", fractions: [0.8, 0.1, 0.1], folds: 3, seed: 7, ...options };
  const instants = splitInstants(times, whole.fractions);
  const router = routerOf(whole, { instants, users });
  const split = router.parts.map((): LiveEvent[] => []);
  for (const event of events) for (const part of router.of(event)) split[part]!.push(event);
  return Object.fromEntries(router.parts.map((part, i) => [part, split[i]!]));
}

describe("events go, one by one, where the library puts them when it has all", () => {
  test("by time", () => {
    const [train, validation, test] = cutEventsAt(events, splitInstants(times, [0.8, 0.1, 0.1]));
    expect(parts({ split: "time" })).toEqual({ train, validation, test });
    const [before, after] = cutEventsAt(events, splitInstants(times, [0.5, 0.5]));
    expect(parts({ split: "time", fractions: [0.5, 0.5] })).toEqual({ train: before, test: after });
  });

  test("by users", () => {
    expect(events.some(({ kind }) => kind === "friend")).toBe(true);
    expect(parts({ split: "users", fractions: [0.7, 0.3] })).toEqual(holdOutUserEvents(events, 0.3, 7));
  });

  test("by folds of users", () => {
    const folds = kFoldEvents(events, 3, 7);
    const expected = folds.flatMap(({ train, test }, i) => [
      [`fold-${i + 1}/train`, train],
      [`fold-${i + 1}/test`, test],
    ]);
    expect(parts({ split: "folds" })).toEqual(Object.fromEntries(expected));
  });
});

test("shares of users are as asked for, drawn by the seed", () => {
  const part = shareOut(1000, [0.7, 0.2, 0.1], 1);
  const count = (p: number) => part.filter((one) => one === p).length;
  expect([count(0), count(1), count(2)]).toEqual([700, 200, 100]);
  expect(shareOut(1000, [0.7, 0.2, 0.1], 1)).toEqual(part);
  expect(shareOut(1000, [0.7, 0.2, 0.1], 2)).not.toEqual(part);
  // Each part is drawn from all: its mean place is the middle, give or take four deviations.
  for (const p of [1, 2]) {
    const places = [...part.keys()].filter((i) => part[i] === p);
    const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
    expect(Math.abs(mean - 499.5)).toBeLessThan((4 * 289) / Math.sqrt(places.length));
  }
});
