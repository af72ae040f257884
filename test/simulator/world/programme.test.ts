import { describe, expect, test } from "vitest";
import { PopularPolicy } from "../../../src/baselines/popular.js";
import { RandomPolicy } from "../../../src/baselines/random.js";
import { lognormal } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import type { Policy } from "../../../src/protocol/policy.js";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/time.js";
import { type PlatformOptions, type ScheduledBroadcast, simulate } from "../../../src/simulator/index.js";
import { realBroadcasts } from "../../support/broadcasts.js";
import { realData } from "../../support/realdata.js";

const EPOCH = Date.UTC(2020, 5, 1);

/** Broadcasts of made-up channels, in no order; no two start at once. */
function generated(seed: number, channels: number, days: number): ScheduledBroadcast[] {
  const random = Random.named(seed, "broadcasts");
  const broadcasts: ScheduledBroadcast[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const averageViewers = Math.round(lognormal(random, 20, 1.5));
    for (let day = 0; day < days; day++) {
      if (!random.bernoulli(0.6)) continue;
      broadcasts.push({
        channel: `channel ${channel}`,
        startMs: EPOCH + day * DAY + random.below(24 * 60) * MINUTE + channel,
        lengthMs: (30 + random.below(300)) * MINUTE,
        category: `game ${random.below(7)}`,
        averageViewers,
      });
    }
  }
  return random.shuffle(broadcasts);
}

function replay(
  schedule: readonly ScheduledBroadcast[],
  options: Partial<PlatformOptions>,
  policy: Policy = new RandomPolicy(1, ""),
) {
  const events: LiveEvent[] = [];
  const result = simulate(policy, { schedule, ...options }, { onEvent: (event) => events.push(event) });
  const only = <K extends LiveEvent["kind"]>(kind: K) =>
    events.filter((event): event is Extract<LiveEvent, { kind: K }> => event.kind === kind);
  return { events, result, only };
}

describe("a replay of broadcasts", () => {
  const schedule = generated(1, 60, 5);
  const { only, result } = replay(schedule, { viewers: 80, days: 6 });

  test("puts each of them on air when it was, by whom it was, in its category, and off air when it ended", () => {
    const off = new Map(only("off_air").map(({ stream, time }) => [stream, time]));
    const told = only("on_air").map(({ time, stream, streamer, category }) =>
      [time, off.get(stream), streamer, category].join(" "),
    );
    const given = schedule.map(({ channel, startMs, lengthMs, category }) =>
      [startMs - EPOCH, startMs - EPOCH + lengthMs, channel, category].join(" "),
    );
    expect(told.sort()).toEqual(given.sort());
  });

  test("publishes about as many viewers as there were", () => {
    const streamerOf = new Map(only("on_air").map(({ stream, streamer }) => [stream, streamer]));
    const sums = new Map<string, { sum: number; n: number }>();
    for (const { stream, viewers } of only("update")) {
      const of = sums.get(streamerOf.get(stream)!) ?? { sum: 0, n: 0 };
      sums.set(streamerOf.get(stream)!, { sum: of.sum + viewers!, n: of.n + 1 });
    }
    let checked = 0;
    for (const { channel, averageViewers } of schedule) {
      if (averageViewers < 50) continue;
      const { sum, n } = sums.get(channel)!;
      checked++;
      expect(sum / n / averageViewers).toBeGreaterThan(0.7);
      expect(sum / n / averageViewers).toBeLessThan(1.4);
    }
    expect(checked).toBeGreaterThan(20);
  });

  test("has viewers who watch, and a policy that shows what is popular finds it", () => {
    expect(result.watchMinutesPerViewerDay).toBeGreaterThan(3);
    const options = { viewers: 80, days: 6, slate: 1 };
    const popular = replay(schedule, options, new PopularPolicy()).result;
    expect(popular.coverage).toBeLessThan(0.7 * replay(schedule, options).result.coverage);
  });

  test("is the same whatever the order of the broadcasts, and another for another seed", () => {
    const first = replay(schedule, { viewers: 20, days: 3 }).events;
    const turned = [...schedule].reverse();
    expect(replay(turned, { viewers: 20, days: 3 }).events).toEqual(first);
    expect(replay(schedule, { viewers: 20, days: 3, seed: 2 }).events).not.toEqual(first);
  });

  test("refuses what is no schedule, by the place and the field", () => {
    const run = (options: object) => () => simulate(new RandomPolicy(), options);
    const [good] = schedule;
    expect(run({ schedule: [] })).toThrow(
      new RangeError('"schedule" must be a list of at least one broadcast, got []'),
    );
    expect(run({ schedule: [good, { ...good, lengthMs: 0 }] })).toThrow(
      new RangeError('"schedule.1.lengthMs" must be a finite number > 0, got 0'),
    );
    expect(run({ schedule: [{ ...good, averageViewers: "1" }] })).toThrow(
      new RangeError('"schedule.0.averageViewers" must be a finite number >= 0, got "1"'),
    );
    expect(run({ schedule: [{ channel: "c" }] })).toThrow(
      /"schedule\.0\.startMs" must be a finite number, got undefined/,
    );
    expect(run({ schedule, streamers: 5 })).toThrow(/"streamers" must not be given with "schedule"/);
  });
});

const twitch = realData("twitch-broadcasts-2019");

test.skipIf(!twitch)("two days of Twitch in 2019 are replayed, broadcast by broadcast", () => {
  const schedule = realBroadcasts(twitch!, 2);
  const { only, result } = replay(schedule, { viewers: 60, days: 2 });
  expect(schedule.length).toBeGreaterThan(3000);
  const first = Math.floor(Math.min(...schedule.map(({ startMs }) => startMs)) / DAY) * DAY;
  const within = schedule.filter(({ startMs }) => startMs - first < 2 * DAY);
  expect(only("on_air").length).toBe(within.length);
  expect(result.watchMinutesPerViewerDay).toBeGreaterThan(3);
  const atNine = only("update").filter(({ time }) => Math.floor(time / HOUR) === 45);
  expect(atNine.length).toBeGreaterThan(1000);
});
