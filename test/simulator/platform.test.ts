import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { calibrate, measureWorld } from "../../bench/recommender/calibration/calibration.js";
import { STATISTICS } from "../../bench/recommender/calibration/statistics.js";
import { measureOrder } from "../../bench/recommender/order.js";
import { measureSimulator } from "../../bench/recommender/speed/simulator.js";
import { PopularPolicy } from "../../src/baselines/popular.js";
import { RandomPolicy } from "../../src/baselines/random.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import type { Decision, Policy, Request } from "../../src/protocol/policy.js";
import { parseEvent } from "../../src/protocol/schema.js";
import { DAY, MINUTE } from "../../src/protocol/time.js";
import {
  Platform,
  type PlatformOptions,
  type PolicyOrOracle,
  simulate,
  simulatedEvents,
} from "../../src/simulator/index.js";

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
    const first = digest(eventsOf(new RandomPolicy(1, ""), SMALL));
    expect(digest(eventsOf(new RandomPolicy(1, ""), SMALL))).toBe(first);
    expect(first).toBe("23d0e044307c4ca02edc3fcf11eadae76ddbcb463f89077569f3b4ed942d5fda");
  });

  test("is another for another seed", () => {
    const other = digest(eventsOf(new RandomPolicy(1, ""), { ...SMALL, seed: 2 }));
    expect(other).not.toBe(digest(eventsOf(new RandomPolicy(1, ""), SMALL)));
  });

  test("is the same with heartbeats and with lost ends, beside these", () => {
    const plain = eventsOf(new RandomPolicy(1, ""), SMALL);
    const only = (events: readonly LiveEvent[], ...without: string[]) =>
      events.filter(({ kind }) => !without.includes(kind));
    const beaten = eventsOf(new RandomPolicy(1, ""), { ...SMALL, heartbeats: { everyMs: MINUTE } });
    expect(only(beaten, "heartbeat")).toEqual(plain);
    const lossy = eventsOf(new RandomPolicy(1, ""), { ...SMALL, heartbeats: { everyMs: MINUTE, lostEnds: 0.5 } });
    expect(only(lossy, "heartbeat", "watch")).toEqual(only(plain, "watch"));
    const ends = (events: readonly LiveEvent[]) => events.filter(({ kind }) => kind === "watch").length;
    expect(Math.abs(ends(lossy) / ends(plain) - 0.5)).toBeLessThan(0.1);
    // One a minute, until the end.
    const minutes = plain.map((event) => (event.kind === "watch" ? Math.ceil(event.watchMs / MINUTE) - 1 : 0));
    const beats = beaten.filter(({ kind }) => kind === "heartbeat").length;
    const running = beats - minutes.reduce((sum, n) => sum + n, 0);
    // Of watches that the end of the run cuts there is no `watch`.
    expect(running).toBeGreaterThanOrEqual(0);
    expect(running).toBeLessThan(0.2 * beats);
    expect(() => simulate(new RandomPolicy(1, ""), { heartbeats: { everyMs: 1 } })).toThrow(
      '"heartbeats.everyMs" must be in [1000, 3600000], got 1',
    );
    expect(() => simulate(new RandomPolicy(1, ""), { heartbeats: {} as never })).toThrow("heartbeats.everyMs");
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
    for (const event of eventsOf(new RandomPolicy(1, ""), SMALL)) {
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

  test("shows two policies the same world: the same streams, categories and people, the same first visits", () => {
    const world = (policy: PolicyOrOracle) => {
      const events = eventsOf(policy, SMALL);
      const first = new Map<string, number>();
      for (const event of events) {
        if (event.kind === "impression" && !first.has(event.user)) first.set(event.user, event.time);
      }
      const streams = events.filter(
        (event) =>
          event.kind === "on_air" ||
          event.kind === "off_air" ||
          event.kind === "user" ||
          event.kind === "friend" ||
          (event.kind === "update" && event.category !== undefined),
      );
      // How many viewers there are is what the policy may change.
      return { streams: streams.map((event) => ({ ...event, viewers: undefined })), first };
    };
    expect(world(new PopularPolicy())).toEqual(world(new RandomPolicy(7, "")));
  });

  test("does not depend on how the run is cut into pieces", () => {
    const events: LiveEvent[] = [];
    const platform = new Platform(new RandomPolicy(1, ""), SMALL, { onEvent: (event) => events.push(event) });
    for (let time = 0; time < 4 * DAY; time += 777_777) platform.advance(time);
    expect(digest(events)).toBe(digest(eventsOf(new RandomPolicy(1, ""), SMALL)));
    expect(platform.result()).toEqual(simulate(new RandomPolicy(1, ""), SMALL));
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
    simulate(new RandomPolicy(1, ""), { ...SMALL, slate: 100 });
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
    const result = simulate(new RandomPolicy(1, ""), { viewers: 5, streamers: 1, days: 2 });
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
  // The whole table is measured by bench/recommender; these bands are wider, as the world is small.
  const world = measureWorld(1, {
    seeds: [1],
    broadcasts: { streamers: 500, days: 28 },
    visits: { viewers: 250, streamers: 600, days: 21 },
  });
  const bands: readonly [name: string, published: number, least: number, most: number][] = [
    ["length P50", 185, 165, 205],
    ["length P90", 424, 380, 470],
    ["log viewers of a channel, sd", 1.61, 1.4, 1.85],
    ["log viewers within a channel, sd", 0.51, 0.42, 0.6],
    ["streams a week P50", 2.7, 2.2, 3.2],
    ["start hour, circular sd P50", 2.9, 2.4, 3.4],
    ["gap between starts P50", 24, 21, 27],
    ["live, peak / trough", 2.15, 1.7, 2.6],
    ["viewers, peak / trough", 3.65, 2.6, 4.7],
    ["same category next", 0.672, 0.64, 0.71],
    ["categories of a broadcast, mean", 1.3, 1.24, 1.37],
    ["peak / average viewers P50", 1.4, 1.3, 1.5],
    ["watch time, Gini of channels", 0.941, 0.86, 0.98],
    ["clicks per exposure", 0.279, 0.24, 0.32],
    ["visit P50", 4.87, 3.9, 5.9],
    ["visit P90", 1026, 720, 1450],
    ["visit mean", 514, 370, 660],
    ["visits engaged", 0.224, 0.18, 0.27],
    ["repeats among watches", 0.51, 0.35, 0.65],
    ["gifts of 1", 0.44, 0.3, 0.58],
    ["gifts in the first tenth", 0.904, 0.8, 0.98],
    ["gift loyalty P50", 1, 0.9, 1],
  ];

  test.each(bands)("%s is %d, in [%d, %d] here", (name, _published, least, most) => {
    expect(world.get(name)).toBeGreaterThanOrEqual(least);
    expect(world.get(name)).toBeLessThanOrEqual(most);
  });

  test("the table says what fits: a mean within its band", () => {
    const table = calibrate({
      seeds: [1, 2],
      broadcasts: { streamers: 60, days: 8 },
      visits: { viewers: 60, streamers: 80, days: 8 },
    });
    expect(table.map(({ name }) => name)).toEqual(STATISTICS.map(({ name }) => name));
    for (const { simulated, band, fits } of table) {
      expect(fits).toBe(band[0] <= simulated.value && simulated.value <= band[1]);
      expect(simulated.n).toBe(2);
    }
    expect(new Set(table.map(({ fits }) => fits)).size).toBe(2);
  });

  test("every statistic of the table is measured, and its band holds what was published", () => {
    expect([...world.keys()].sort()).toEqual(STATISTICS.map(({ name }) => name).sort());
    for (const { name, published, band } of STATISTICS) {
      expect(published, name).toBeGreaterThanOrEqual(band[0]);
      expect(published, name).toBeLessThanOrEqual(band[1]);
    }
  });
});

describe("what policies are worth", () => {
  const rungs = measureOrder({ seeds: [1, 2], platform: { viewers: 150, streamers: 250, days: 7, warmupDays: 2 } });
  const of = (name: string) => rungs.find((rung) => rung.name === name)!;
  const minutes = (name: string) => of(name).watchMinutesPerViewerDay.value;

  test("random < popular, click < myopic watch < far-sighted", () => {
    expect(minutes("popular")).toBeGreaterThan(1.05 * minutes("random"));
    expect(minutes("click-oracle")).toBeGreaterThan(1.1 * minutes("random"));
    expect(minutes("watch-oracle")).toBeGreaterThan(1.05 * minutes("click-oracle"));
    expect(minutes("farsighted-oracle")).toBeGreaterThan(1.05 * minutes("watch-oracle"));
  });

  test("chasing clicks gets the most clicks, and viewers who are less content than with a model of the watch", () => {
    for (const { name, clickRate } of rungs) {
      if (name !== "click-oracle") expect(clickRate.value, name).toBeLessThan(of("click-oracle").clickRate.value);
    }
    expect(of("watch-oracle").satisfaction.value).toBeGreaterThan(of("click-oracle").satisfaction.value + 0.2);
  });
});

describe("what viewers do by themselves", () => {
  const decisions = new Map<string, Decision>();
  const events: LiveEvent[] = [];
  let before = 0;
  const result = simulate(new RandomPolicy(1, ""), MODEST, {
    onDecision: (decision) => decisions.set(decision.id, decision),
    onEvent: (event) => {
      if (event.kind === "impression") before += Number(decisions.has(event.decision!));
      events.push(event);
    },
  });
  const only = <K extends LiveEvent["kind"]>(kind: K) =>
    events.filter((event): event is Extract<LiveEvent, { kind: K }> => event.kind === kind);

  test("every impression names a decision that was told before, with its place and a propensity", () => {
    const impressions = only("impression");
    expect(before).toBe(impressions.length);
    expect(impressions.length).toBe(result.impressions);
    for (const { decision, user, stream, position } of impressions) {
      const { user: asked, slate, propensities } = decisions.get(decision!)!;
      expect([asked, slate[position!]]).toEqual([user, stream]);
      expect(propensities[position!]).toBeGreaterThan(0);
    }
  });

  test("clicks without a decision go to a streamer whom the viewer has watched, and are no share of the click rate", () => {
    const streamerOf = new Map(only("on_air").map(({ stream, streamer }) => [stream, streamer]));
    const watched = new Set<string>();
    let sought = 0;
    for (const event of events) {
      if (event.kind === "watch") watched.add(`${event.user} ${streamerOf.get(event.stream)}`);
      if (event.kind !== "click" || event.decision !== undefined) continue;
      sought++;
      expect(watched.has(`${event.user} ${streamerOf.get(event.stream)}`)).toBe(true);
    }
    expect(sought).toBeGreaterThan(20);
    expect(result.sought).toBe(sought);
    expect(result.clickRate).toBeCloseTo((result.clicks - sought) / result.impressions, 12);
  });

  test("viewers tell once who they are, and their friendships, of which each is told once", () => {
    const users = only("user");
    expect(new Set(users.map(({ user }) => user)).size).toBe(users.length);
    const came = new Set(only("click").map(({ user }) => user));
    const introduced = new Set(users.map(({ user }) => user));
    expect([...came].filter((user) => !introduced.has(user))).toEqual([]);
    const pairs = only("friend").map(({ user, friend }) => [user, friend].sort().join(" "));
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs.length).toBeGreaterThan(1.5 * users.length);
  });

  test("a slate without a click is a page view as long as the look at it", () => {
    const views = only("page_view");
    const ignored = result.requests - (result.clicks - result.sought);
    // The last of them is still looked at when the run ends.
    expect(Math.abs(views.length - ignored)).toBeLessThan(3);
    const dwell = views.map(({ dwellMs }) => dwellMs).sort((a, b) => a - b);
    expect(Math.abs(dwell[dwell.length >> 1]! - 12_000)).toBeLessThan(1000);
  });
});

test("the events of a run are a source, in the order and of the decisions of `simulate`", () => {
  const decided: string[] = [];
  const events = eventsOf(new RandomPolicy(1, ""), SMALL);
  const source = simulatedEvents(new RandomPolicy(1, ""), SMALL, ({ id }) => decided.push(id));
  expect(digest([...source])).toBe(digest(events));
  const named = new Set(events.flatMap((event) => (event.kind === "impression" ? [event.decision] : [])));
  expect(decided.filter((id) => named.has(id)).length).toBe(named.size);
  const [first] = simulatedEvents(new RandomPolicy(1, ""), SMALL);
  expect(first).toEqual(events[0]);
});

test("its speed and its memory are measured at each number of viewers", () => {
  const rows = measureSimulator({ viewers: [10, 40], streamers: 40, days: 1, worlds: 6 });
  expect(rows.map(({ case: name }) => name)).toEqual([
    ...new Array(4).fill("simulator/10-viewers-40-streamers"),
    ...new Array(4).fill("simulator/40-viewers-40-streamers"),
  ]);
  const speeds = rows.filter(({ metric }) => metric === "events_per_second");
  for (const { value } of speeds) expect(value).toBeGreaterThan(0);
  for (const { metric, value, lo, hi, n } of rows) {
    expect([Number.isFinite(lo), Number.isFinite(hi), n], metric).toEqual([true, true, 6]);
    expect(lo! <= value && value <= hi!, metric).toBe(true);
  }
});
