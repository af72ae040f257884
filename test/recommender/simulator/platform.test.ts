import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { DAY, HOUR } from "../../../src/recommender/decay.js";
import type { LiveEvent } from "../../../src/recommender/events.js";
import { PopularPolicy } from "../../../src/recommender/policies/popular.js";
import { RandomPolicy } from "../../../src/recommender/policies/random.js";
import type { Decision, Policy, Request } from "../../../src/recommender/policy.js";
import { parseEvent } from "../../../src/recommender/schema.js";
import {
  clickOracle,
  farsightedOracle,
  Platform,
  type PlatformOptions,
  type PolicyOrOracle,
  simulate,
  watchOracle,
} from "../../../src/recommender/simulator/index.js";

const SMALL = { viewers: 40, streamers: 80, days: 3, seed: 1 };
const MODEST = { viewers: 150, streamers: 250, days: 7 };

function eventsOf(policy: PolicyOrOracle, options: Partial<PlatformOptions>): LiveEvent[] {
  const events: LiveEvent[] = [];
  simulate(policy, options, { onEvent: (event) => events.push(event) });
  return events;
}

function digest(events: readonly LiveEvent[]): string {
  const hash = createHash("sha256");
  for (const event of events) hash.update(`${JSON.stringify(event)}\n`);
  return hash.digest("hex");
}

/** Shows what `choose` says. */
class Scripted implements Policy {
  readonly name = "scripted";
  readonly #choose: (request: Request) => string[];
  readonly #hear: (event: LiveEvent) => void;

  constructor(choose: (request: Request) => string[], hear: (event: LiveEvent) => void = () => {}) {
    this.#choose = choose;
    this.#hear = hear;
  }

  recommend(request: Request): Decision {
    const slate = this.#choose(request);
    const ones = slate.map(() => 1);
    return { id: "d", user: request.user, time: request.now, slate, propensities: ones, scores: ones };
  }

  feedback(event: LiveEvent): void {
    this.#hear(event);
  }
}

describe("the event log", () => {
  test("is the same, byte for byte, for the same seed, and is the committed one", () => {
    const first = digest(eventsOf(new RandomPolicy(1), SMALL));
    expect(digest(eventsOf(new RandomPolicy(1), SMALL))).toBe(first);
    expect(first).toBe("75cd02faf145c942fe4ddae65ef09ee01dc036e82fd75dc909935ce1f3bfb87e");
  });

  test("is another for another seed", () => {
    const other = digest(eventsOf(new RandomPolicy(1), { ...SMALL, seed: 2 }));
    expect(other).not.toBe(digest(eventsOf(new RandomPolicy(1), SMALL)));
  });

  test("is in order of time and every event is valid", () => {
    let last = 0;
    for (const event of eventsOf(new PopularPolicy(), SMALL)) {
      expect(event.time).toBeGreaterThanOrEqual(last);
      last = event.time;
      expect(parseEvent(event)).toEqual(event);
    }
    expect(last).toBeGreaterThan(2.9 * DAY);
    expect(last).toBeLessThan(3 * DAY);
  });

  test("every watch belongs to one click, is as long as it took, and ends with its stream at the latest", () => {
    const clicks = new Map<string, number>();
    const offAir = new Map<string, number>();
    let watches = 0;
    for (const event of eventsOf(new RandomPolicy(1), SMALL)) {
      if (event.kind === "off_air") offAir.set(event.stream, event.time);
      if (event.kind === "click") {
        expect(clicks.has(event.user)).toBe(false);
        expect(offAir.has(event.stream)).toBe(false);
        clicks.set(event.user, event.time);
      }
      if (event.kind !== "watch") continue;
      watches++;
      expect(event.watchMs).toBe(event.time - clicks.get(event.user)!);
      expect(event.watchMs).toBeGreaterThan(0);
      expect(event.time).toBeLessThanOrEqual(offAir.get(event.stream) ?? Infinity);
      clicks.delete(event.user);
    }
    expect(watches).toBeGreaterThan(100);
  });

  test("shows two policies the same world: the same streams, the same first visits", () => {
    const world = (policy: PolicyOrOracle) => {
      const events = eventsOf(policy, SMALL);
      const first = new Map<string, number>();
      for (const event of events) {
        if (event.kind === "impression" && !first.has(event.user)) first.set(event.user, event.time);
      }
      return { streams: events.filter(({ kind }) => kind === "on_air" || kind === "off_air"), first };
    };
    expect(world(new PopularPolicy())).toEqual(world(new RandomPolicy(7)));
  });

  test("does not depend on how the run is cut into pieces", () => {
    const events: LiveEvent[] = [];
    const platform = new Platform(new RandomPolicy(1), SMALL, { onEvent: (event) => events.push(event) });
    for (let time = 0; time < 4 * DAY; time += 777_777) platform.advance(time);
    expect(digest(events)).toBe(digest(eventsOf(new RandomPolicy(1), SMALL)));
    expect(platform.result()).toEqual(simulate(new RandomPolicy(1), SMALL));
  });
});

describe("the check of what a policy shows", () => {
  test("an off-air stream is never offered at any schedule edge", () => {
    // Asking for all that is on air would hit a stream that the catalogue keeps a moment too long.
    const onAir = new Set<string>();
    const hear = (event: LiveEvent) => {
      if (event.kind === "on_air") onAir.add(event.stream);
      if (event.kind === "off_air") onAir.delete(event.stream);
    };
    let asked = 0;
    const everything = new Scripted(({ k }) => {
      asked++;
      return [...onAir].slice(0, k);
    }, hear);
    simulate(everything, { ...SMALL, slate: 100 });
    simulate(new RandomPolicy(1), { ...SMALL, slate: 100 });
    simulate(new PopularPolicy(), { ...SMALL, slate: 100 });
    expect(asked).toBeGreaterThan(200);
  });

  test("a policy that clings to a stream that has gone is stopped, and the stream is named", () => {
    let known = "";
    const clinging = new Scripted(
      () => (known === "" ? [] : [known]),
      (event) => {
        if (event.kind === "on_air" && known === "") known = event.stream;
      },
    );
    expect(() => simulate(clinging, SMALL)).toThrow(
      /^policy "scripted" recommended "streamer-\d+-\d+", not on air at \d+ ms$/,
    );
  });

  test("a stream shown twice, and more than were asked for, are refused", () => {
    const onAir: string[] = [];
    const hear = (event: LiveEvent) => {
      if (event.kind === "on_air") onAir.push(event.stream);
    };
    expect(() => simulate(new Scripted(() => [onAir[0]!, onAir[0]!], hear), SMALL)).toThrow("twice at");
    expect(() => simulate(new Scripted(() => onAir, hear), { ...SMALL, slate: 1 })).toThrow(
      /recommended \d+ streams where 1 were asked for/,
    );
  });

  test("nothing on air means empty slates, and viewers who give up and come back", () => {
    const result = simulate(new RandomPolicy(1), { viewers: 5, streamers: 1, days: 2 });
    expect(result.requests).toBeGreaterThan(5);
  });
});

describe("options and hooks", () => {
  test("wrong options are refused by name", () => {
    const run = (options: object) => () => simulate(new RandomPolicy(), options);
    expect(run({ viewers: 0 })).toThrow(new RangeError('"viewers" must be an integer in [1, 100000], got 0'));
    expect(run({ days: 1.5 })).toThrow(new RangeError('"days" must be an integer in [1, 3650], got 1.5'));
    expect(run({ seed: -1 })).toThrow(RangeError);
    expect(run({ days: 3, warmupDays: 3 })).toThrow(new RangeError('"warmupDays" must be below "days" (3), got 3'));
    expect(run({ users: 3 })).toThrow(/"users" is not an option/);
  });

  test("a signal ends the run with its reason", () => {
    const controller = new AbortController();
    let calls = 0;
    const onProgress = () => {
      if (++calls === 5) controller.abort(new Error("enough"));
    };
    expect(() => simulate(new RandomPolicy(), SMALL, { signal: controller.signal, onProgress })).toThrow("enough");
    expect(calls).toBe(5);
  });

  test("progress goes from 0 to 1 by the hour, and the metrics add up", () => {
    const fractions: number[] = [];
    let watched = 0;
    let last = 0;
    const result = simulate(new RandomPolicy(), SMALL, {
      onProgress: (fraction, day, metrics) => {
        fractions.push(fraction);
        expect(day).toBeCloseTo(3 * fraction, 9);
        last = metrics.watchMinutesPerViewerDay;
      },
      onEvent: (event) => {
        if (event.kind === "watch") watched += event.watchMs;
      },
    });
    expect(fractions.length).toBe(72);
    expect(fractions[71]).toBe(1);
    expect(last).toBe(result.watchMinutesPerViewerDay);
    expect(result.watchMinutesPerViewerDay).toBeCloseTo(watched / 60_000 / 40 / 3, 9);
    expect(result.watchMinutesByDay.reduce((a, b) => a + b) / 3).toBeCloseTo(result.watchMinutesPerViewerDay, 9);
  });

  test("the warm-up is left out of every rate", () => {
    const counts = { impression: 0, click: 0 };
    const result = simulate(
      new RandomPolicy(),
      { ...SMALL, warmupDays: 1 },
      {
        onEvent: ({ kind, time }) => {
          if (time >= DAY && (kind === "impression" || kind === "click")) counts[kind]++;
        },
      },
    );
    expect([result.impressions, result.clicks]).toEqual([counts.impression, counts.click]);
    const [, second, third] = result.watchMinutesByDay;
    expect(result.watchMinutesPerViewerDay).toBeCloseTo((second! + third!) / 2, 9);
  });
});

describe("calibration against what was measured on Twitch and KuaiLive", () => {
  const lengths: number[] = [];
  const started = new Map<string, number>();
  const byHour = new Float64Array(24);
  let live = 0;
  let liveHours = 0;
  let hour = 0;
  const result = simulate(
    new RandomPolicy(1),
    { seed: 1, days: 14 },
    {
      onEvent: (event) => {
        for (; hour * HOUR <= event.time; hour++) liveHours += live;
        if (event.kind === "impression" && event.position === 0) byHour[Math.floor((event.time % DAY) / HOUR)]!++;
        if (event.kind === "on_air") {
          live++;
          if (event.time > 0) started.set(event.stream, event.time);
        }
        if (event.kind === "off_air") {
          live--;
          if (started.has(event.stream)) lengths.push(event.time - started.get(event.stream)!);
        }
      },
    },
  );

  test("broadcasts last 185 min at the median, 424 at the 90th percentile; about 45 of 600 are live", () => {
    lengths.sort((a, b) => a - b);
    const minutes = (p: number) => lengths[Math.floor(p * lengths.length)]! / 60_000;
    expect(Math.abs(minutes(0.5) - 185)).toBeLessThan(15);
    expect(Math.abs(minutes(0.9) - 424)).toBeLessThan(35);
    expect(Math.abs(liveHours / hour - 45)).toBeLessThan(5);
  });

  test("viewers come 3.65 times as often at the peak as in the trough", () => {
    const ratio = Math.max(...byHour) / Math.min(...byHour);
    expect(ratio).toBeGreaterThan(3);
    expect(ratio).toBeLessThan(5);
  });

  test("watches have the quantiles of KuaiLive: 4.87 s, 1026 s, 9231 s, mean 514 s; 22 % engage", () => {
    const { p50, p90, p99, mean } = result.watchSeconds;
    expect(Math.abs(p50 - 4.87)).toBeLessThan(1.5);
    expect(Math.abs(p90 / 1026 - 1)).toBeLessThan(0.35);
    expect(Math.abs(p99 / 9231 - 1)).toBeLessThan(0.35);
    expect(Math.abs(mean / 514 - 1)).toBeLessThan(0.25);
    expect(Math.abs(result.engagedPerClick - 0.224)).toBeLessThan(0.03);
  });

  test("showing what is popular concentrates watching as on Twitch, at a Gini of 0.94", () => {
    const popular = simulate(new PopularPolicy(), { seed: 1, days: 7 });
    expect(Math.abs(popular.gini - 0.94)).toBeLessThan(0.04);
    expect(popular.gini).toBeGreaterThan(result.gini + 0.15);
  });
});

describe("what policies are worth", () => {
  const minutes = (policy: PolicyOrOracle, seed: number) =>
    simulate(policy, { ...MODEST, seed }).watchMinutesPerViewerDay;

  test("random < popular < myopic watch < far-sighted, in every world", () => {
    for (const seed of [1, 2, 3]) {
      const random = minutes(new RandomPolicy(seed), seed);
      const popular = minutes(new PopularPolicy(), seed);
      const myopic = minutes(watchOracle, seed);
      const farsighted = minutes(farsightedOracle(60), seed);
      expect(popular).toBeGreaterThan(1.1 * random);
      expect(myopic).toBeGreaterThan(1.2 * popular);
      expect(farsighted).toBeGreaterThan(1.1 * myopic);
    }
  });

  test("chasing clicks gets the most clicks and much less watching than a model of the watch", () => {
    const click = simulate(clickOracle, { ...MODEST, seed: 1 });
    const watch = simulate(watchOracle, { ...MODEST, seed: 1 });
    expect(click.clickRate).toBeGreaterThan(watch.clickRate);
    expect(watch.watchMinutesPerViewerDay).toBeGreaterThan(1.2 * click.watchMinutesPerViewerDay);
    expect(watch.satisfaction).toBeGreaterThan(click.satisfaction);
  });
});
