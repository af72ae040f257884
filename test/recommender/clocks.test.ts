import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { POLICIES, type PolicyName } from "../../src/baselines/registry.js";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent, StreamEvent } from "../../src/protocol/events.js";
import { EventError } from "../../src/protocol/schema.js";
import { DAY, HOUR, MINUTE } from "../../src/protocol/time.js";
import { Recommender, type RecommenderOptions } from "../../src/recommender/recommender.js";
import { Catalogue } from "../../src/recommender/state/catalogue.js";
import { onAir } from "../support/events.js";

/** Interleavings of the last test; `npm run test:fuzz` asks for more. */
const RUNS = Number(process.env["FUZZ_CLOCKS"] ?? 15);

const T = 1.796e12;
/** Times that are wrong: ahead, in other units, absurd, and long ago. */
const WRONG = [
  ...[T + 6 * MINUTE, T + HOUR, T + DAY, T + 1e9, T + 365 * DAY, 1e3 * T, 1e6 * T, Number.MAX_SAFE_INTEGER],
  ...[8.64e15, 9e15, 1e300, 1.7e308, Number.MAX_VALUE, T / 1e3, 0, 1, 5e-324, T - 2 * DAY, T - 365 * DAY, T / 2],
];

const made: { dispose?(): void }[] = [];
const keep = <P extends { dispose?(): void }>(policy: P): P => {
  made.push(policy);
  return policy;
};
afterEach(() => {
  for (const policy of made.splice(0)) policy.dispose?.();
});

const OPTIONS: Partial<RecommenderOptions> = {
  ...{ instance: "", seed: 1, warmupUpdates: 1e9 },
  learner: { hidden: [4], learningStarts: 5, batchSize: 4, capacity: 200 },
};

function platform(options: Partial<RecommenderOptions> = OPTIONS, streams = 6): Recommender {
  const recommender = keep(new Recommender(options));
  for (let i = 0; i < streams; i++) recommender.feedback(onAir(`s${i}`, { time: T, streamer: `r${i}` }));
  return recommender;
}

/** What a caller of a recommender may do with a wrong time. */
const WAYS: Readonly<Record<string, (recommender: Recommender, time: number) => void>> = {
  "an event": (r, time) => void r.feedback({ kind: "page_view", time, user: "evil", dwellMs: 1 }),
  "a click": (r, time) => void r.feedback({ kind: "click", time, user: "evil", stream: "s1" }),
  "a heartbeat": (r, time) => void r.feedback({ kind: "heartbeat", time, user: "evil", stream: "s1", watchMs: 5 }),
  "a watch": (r, time) => void r.feedback({ kind: "watch", time, user: "evil", stream: "s1", watchMs: HOUR }),
  viewers: (r, time) => void r.feedback({ kind: "update", time, stream: "s5", viewers: 1 }),
  "an event with the host's time": (r, time) =>
    void r.feedback({ kind: "like", time, user: "evil", stream: "s1" }, T + 1),
  "a request": (r, now) => void r.recommend({ user: "evil", now, k: 1 }),
  "a ranking": (r, now) => void r.rank({ user: "evil", now, k: 1 }),
  probabilities: (r, now) => void r.distributions({ user: "evil", now, k: 1 }, ["s1"]),
  "a decision": (r, time) => r.recordDecision({ id: "theirs", user: "evil", time, slate: ["s1"] }),
};

describe.each(Object.entries(WAYS))("%s with a wrong time", (_, doIt) => {
  test.each(WRONG)("%d stops nobody, before the first request and after, nor through a save", (time) => {
    const before = platform();
    doIt(before, time);
    const after = platform();
    after.recommend({ user: "first", now: T + 1, k: 2 });
    doIt(after, time);
    for (const each of [before, after, keep(Recommender.load(before.save())), keep(Recommender.load(after.save()))]) {
      const { id, slate } = each.recommend({ user: "u", now: T + 1000, k: 2 });
      expect(slate).toHaveLength(2);
      const about = { user: "u", stream: slate[0]!, decision: id };
      expect(each.feedback({ kind: "click", time: T + 2000, ...about })).toBe("taken");
      expect(each.feedback({ kind: "watch", time: T + 62_000, ...about, watchMs: MINUTE }, T + 62_000)).toBe("taken");
      each.recommend({ user: "u", now: T + 70_000, k: 2 });
      expect(each.profile("u")).toMatchObject({ session: { clicks: 1, minutes: 1, gapMs: 0 } });
      expect(each.stats().transitions).toBeGreaterThan(0);
      expect(each.time).toBe(T + 70_000);
    }
  });
});

test.each(WRONG)("rank and distributions at %d read: they leave no byte, and no user", (now) => {
  const recommender = platform();
  recommender.recommend({ user: "u", now: T + 1, k: 2 });
  const before = Buffer.from(recommender.save());
  for (const user of ["u", "stranger"]) {
    expect(recommender.rank({ user, now, k: 3 }).slate).toHaveLength(3);
    expect(recommender.distributions({ user, now, k: 1 }, ["s1"])).toHaveLength(1);
  }
  expect(before.equals(recommender.save())).toBe(true);
  expect(recommender.profile("stranger")).toBeUndefined();
});

describe.each(Object.keys(POLICIES) as PolicyName[])("%s", (name) => {
  test("serves and takes events after any wrong time", () => {
    const policy = keep(POLICIES[name].create(1));
    policy.feedback(onAir("s0", { time: T }));
    for (const [i, time] of WRONG.entries()) {
      const now = T + 1000 * i;
      policy.feedback({ kind: "page_view", time, user: "evil", dwellMs: i });
      policy.feedback({ kind: "watch", time, user: "evil", stream: "s0", watchMs: 2 * MINUTE + i });
      policy.recommend({ user: "evil", now: time, k: 1 });
      const { id: decision, slate } = policy.recommend({ user: "u", now, k: 1 });
      expect(slate).toEqual(["s0"]);
      expect(policy.feedback({ kind: "click", time: now, user: "u", stream: "s0", decision }, now)).toBe("taken");
      const ahead = policy.feedback({ kind: "like", time: T + 8 * DAY, user: "u", stream: "s0" }, now);
      expect(ahead).toBeInstanceOf(EventError);
      expect(policy.feedback({ kind: "like", time: now - 2 * DAY, user: "u", stream: "s0" }, now)).toBe("late");
      const again = policy.feedback({ kind: "click", time: now, user: "u", stream: "s0", decision }, now);
      expect(again).toBe("duplicate");
    }
  });

  test("names its decisions as no other instance does", () => {
    const both = [1, 1].map((seed) => keep(POLICIES[name].create(seed)));
    const ids = both.flatMap((each) =>
      Array.from({ length: 9 }, (_, now) => each.recommend({ user: "u", now, k: 1 }).id),
    );
    expect(new Set(ids).size).toBe(18);
    const mine = keep(POLICIES[name].create(1, undefined, "eu-1")).recommend({ user: "u", now: 1, k: 1 }).id;
    expect(mine).toMatch(/^[a-z-]+-eu-1-0$/);
  });
});

/** All numbers in plain values. */
function numbersOf(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}

describe("a host whose clock jumps", () => {
  test.each(WRONG.filter((time) => time > T))("to %d and back loses no decision that waits, and no number", (wrong) => {
    const recommender = platform();
    const waiting = Array.from({ length: 20 }, (_, i) => recommender.recommend({ user: `u${i}`, now: T + i, k: 2 }));
    recommender.recommend({ user: "other", now: wrong, k: 2 });
    expect(recommender.stats().pending).toBe(21);
    for (const [i, { id, user, slate }] of waiting.entries()) {
      const now = T + MINUTE + i;
      const about = { user, stream: slate[0]!, decision: id };
      expect(recommender.feedback({ kind: "click", time: now, ...about }, now)).toBe("taken");
      expect(recommender.feedback({ kind: "watch", time: now, ...about, watchMs: 1000 }, now)).toBe("taken");
      recommender.recommend({ user, now: now + 1, k: 2 });
    }
    expect(recommender.stats()).toMatchObject({ transitions: 20, late: 0, unknownDecisions: 0 });
    // The user whom it served while it was wrong has sessions and learns again.
    recommender.recommend({ user: "other", now: T + HOUR, k: 2 });
    recommender.recommend({ user: "other", now: T + 3 * HOUR, k: 2 });
    // What is within two days may be a late event's: it heals by itself.
    if (wrong > T + 3 * DAY || wrong < T + HOUR)
      expect(recommender.profile("other")!.session).toMatchObject({ start: T + 3 * HOUR, gapMs: 2 * HOUR });
    expect(numbersOf(recommender.profile("other")).every(Number.isFinite)).toBe(true);
    expect(recommender.streamerProfile("r0")!.estimate.long.clickRate).toBeGreaterThan(0);
  });

  test("back to 1970 and forth again: watches and decisions end when their time has come", () => {
    const recommender = platform();
    recommender.feedback({ kind: "heartbeat", time: T, user: "v", stream: "s0", watchMs: 0 }, T);
    recommender.recommend({ user: "u", now: T, k: 2 });
    recommender.recommend({ user: "w", now: 0, k: 2 });
    recommender.feedback({ kind: "heartbeat", time: 5, user: "w", stream: "s1", watchMs: 0 }, 5);
    let days = 0;
    for (; recommender.stats().pending > 0; days++) {
      recommender.feedback({ kind: "page_view", time: T + days * DAY, user: "x", dwellMs: 1 }, T + days * DAY);
      expect(days).toBeLessThan(30_000);
    }
    expect(recommender.stats()).toMatchObject({ lostEnds: 2, pending: 0 });
  });

  test("leaves the sums of streamers able to fade", () => {
    const recommender = platform();
    recommender.recommend({ user: "u", now: 9e15, k: 6 });
    recommender.feedback({ kind: "watch", time: T + 1, user: "u", stream: "s0", watchMs: HOUR }, T + 1);
    const fresh = recommender.streamerProfile("r0")!.estimate;
    recommender.feedback({ kind: "page_view", time: T + 20 * DAY, user: "v", dwellMs: 1 }, T + 20 * DAY);
    const old = recommender.streamerProfile("r0")!.estimate;
    expect(fresh.watches).toBeCloseTo(1, 6);
    expect(old.watches).toBeLessThan(0.2);
  });
});

test("a watch of two hours starts no session", () => {
  const recommender = platform();
  const { id, slate } = recommender.recommend({ user: "u1", now: T + 1000, k: 1 });
  const about = { user: "u1", stream: slate[0]!, decision: id };
  recommender.feedback({ kind: "click", time: T + 2000, ...about });
  recommender.feedback({ kind: "watch", time: T + 2000 + 2 * HOUR, ...about, watchMs: 2 * HOUR });
  const { session } = recommender.profile("u1")!;
  expect(session).toMatchObject({ start: T + 1000, gapMs: 0, clicks: 1, requests: 1, minutes: 120 });
});

describe("many decisions at once", () => {
  const options = { ...OPTIONS, updatesPerTrain: 2, maxUpdatesPerEvent: 16, pending: { timeoutMs: DAY / 2 } };

  test("after a quiet fortnight are learned from bit by bit, and the backlog is seen", () => {
    const recommender = platform(options);
    const users = 1000;
    for (let i = 0; i < users; i++) recommender.recommend({ user: `u${i}`, now: T + i, k: 1 });
    let events = 0;
    let backlog = 0;
    for (; recommender.stats().pending + recommender.stats().backlog > 0; events++) {
      const before = recommender.stats();
      const now = T + 14 * DAY + events;
      recommender.feedback({ kind: "page_view", time: now, user: "v", dwellMs: 1 }, now);
      const after = recommender.stats();
      expect(after.updates - before.updates).toBeLessThanOrEqual(16);
      expect(before.pending - after.pending).toBeLessThanOrEqual(64);
      backlog = Math.max(backlog, after.backlog);
      expect(events).toBeLessThan(400);
    }
    const { transitions, updates } = recommender.stats();
    expect(transitions).toBe(users);
    // The first transitions are too few to learn from: their rounds do nothing.
    expect(updates).toBeGreaterThan(2 * users - 40);
    expect(backlog).toBeGreaterThan(1000);
  });

  test("`learn` works on the backlog", () => {
    const recommender = platform(options);
    for (let i = 0; i < 64; i++) recommender.recommend({ user: `u${i}`, now: T + i, k: 1 });
    for (let i = 1; i <= 2; i++) {
      recommender.feedback({ kind: "page_view", time: T + i * DAY, user: "v", dwellMs: 1 }, T + i * DAY);
    }
    const { backlog } = recommender.stats();
    expect(backlog).toBe(2 * 64 - 2 * 16);
    recommender.learn(backlog - 20);
    expect(recommender.stats().backlog).toBe(20);
    recommender.learn(1000);
    expect(recommender.stats().backlog).toBe(0);
  });
});

describe("events of streams", () => {
  const fields = ["category", "title", "viewers", "likes", "tags"] as const;
  const kinds = fc.constantFrom("on_air", "off_air", "viewers", "likes", "title", "category", "tags");

  function eventOf(kind: string, stream: string, time: number): StreamEvent {
    if (kind === "off_air") return { kind, time, stream };
    if (kind === "on_air") {
      return onAir(stream, {
        time,
        category: `c${time % 7}`,
        title: `t${time % 5}`,
        tags: [`x${time % 3}`],
      }) as StreamEvent;
    }
    const value = {
      viewers: time % 97,
      likes: time % 89,
      title: `n${time % 83}`,
      category: `d${time % 79}`,
      tags: [`y${time % 73}`],
    };
    return { kind: "update", time, stream, [kind]: value[kind as keyof typeof value] };
  }

  const stateOf = (catalogue: Catalogue) =>
    [...catalogue]
      .map((stream) => [stream.id, ...fields.map((field) => stream[field])])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));

  function feed(events: readonly StreamEvent[], now: number): Catalogue {
    const catalogue = new Catalogue();
    for (const event of events) {
      const early = catalogue.feedback(event, catalogue.find(event.stream), now);
      for (const update of early) catalogue.feedback(update, catalogue.find(update.stream), now);
    }
    return catalogue;
  }

  test("out of order by seconds end in the state of their times: no ghost, and no live stream off", () => {
    const steps = fc.array(fc.tuple(kinds, fc.nat(2), fc.integer({ min: 1, max: 900 }), fc.nat(4000)), {
      maxLength: 24,
    });
    fc.assert(
      fc.property(steps, (moves) => {
        let time = T;
        const live = new Set<number>();
        // As a platform sends them: a stream goes on air when it is off, and changes while it is on.
        const events = moves.flatMap(([kind, stream, dt, delay]) => {
          if (live.has(stream) === (kind === "on_air")) return [];
          if (kind === "on_air") live.add(stream);
          if (kind === "off_air") live.delete(stream);
          time += dt;
          return [{ event: eventOf(kind, `s${stream}`, time), arrives: time + delay }];
        });
        const inOrder = feed(
          events.map(({ event }) => event),
          time + 5000,
        );
        const late = [...events].sort((a, b) => a.arrives - b.arrives).map(({ event }) => event);
        expect(stateOf(feed(late, time + 5000))).toEqual(stateOf(inOrder));
      }),
      { numRuns: 10 * RUNS, seed: 7 },
    );
  });

  test("that went off air are not held against those that come back, once a clock was wrong", () => {
    const recommender = platform();
    recommender.feedback({ kind: "off_air", time: 9e15, stream: "s0" }, 9e15);
    recommender.feedback(onAir("s9", { time: 9e15 }), 9e15);
    expect(recommender.feedback(onAir("s0", { time: T + 1 }), T + 1)).toBe("taken");
    expect(recommender.stats().onAir).toBe(7);
    recommender.feedback({ kind: "off_air", time: T + 2, stream: "s9" }, T + 2);
    expect(recommender.stats().onAir).toBe(6);
  });

  test("ahead of the host's time begin now, for the newest of all would be shown for ever", () => {
    const recommender = platform();
    for (const [i, time] of WRONG.filter((one) => one > T).entries()) {
      recommender.feedback(onAir(`ahead${i}`, { time }));
    }
    recommender.recommend({ user: "u", now: T + 1, k: 1 });
    recommender.feedback(onAir("new", { time: T + 2 }), T + 2);
    const { slate, sources } = keep(Recommender.load(recommender.save())).recommend({ user: "u", now: T + 3, k: 20 });
    expect([slate.length, sources]).toEqual([20, undefined]);
    const json = new TextDecoder().decode(recommender.save());
    const starts = [...json.matchAll(/"startedAt":([^,]+),/g)].map(([, at]) => Number(at));
    expect(Math.max(...starts)).toBe(T + 2);
  });
});

/** A well-behaved flow: requests, clicks, watches, streams; the same whatever happens between its calls. */
function honest(recommender: Recommender, between: (now: number) => void, withHost: boolean): unknown[] {
  const random = new Random(11);
  const said: unknown[] = [];
  let now = T + 1000;
  for (let i = 0; i < 60; i++) {
    const tell = (event: LiveEvent) => {
      now = Math.max(now, event.time);
      between(now);
      said.push(withHost ? recommender.feedback(event, now) : recommender.feedback(event));
    };
    now += 1 + random.below(20 * MINUTE);
    between(now);
    const decision = recommender.recommend({ user: `u${random.below(5)}`, now, k: 2 });
    said.push(decision.slate, decision.propensities);
    const about = { user: decision.user, stream: decision.slate[0]!, decision: decision.id };
    tell({ kind: "click", time: now + 1, ...about });
    const watchMs = random.below(4 * MINUTE);
    tell({ kind: "watch", time: now + watchMs, ...about, watchMs });
    tell({ kind: "update", time: now, stream: `s${random.below(6)}`, viewers: 10 + random.below(90) });
  }
  for (let i = 0; i < 5; i++) {
    const { session, pairs, requests, watching } = recommender.profile(`u${i}`)!;
    const visits = pairs.map(([streamer, pair]) => [streamer, pair.visits, pair.watches, pair.minutes, pair.lastVisit]);
    said.push([requests, watching, session.start, session.gapMs, session.clicks, session.minutes, visits]);
  }
  return said;
}

/** An event of somebody who means ill, or whose clock is wrong. */
function hostile(random: Random, now: number): LiveEvent {
  const wrong = random.bernoulli(0.3) ? now + (random.uniform() - 0.5) * 3 * DAY : random.pick(WRONG);
  const time = Math.max(0, wrong);
  const about = { time, user: `evil${random.below(3)}`, stream: `s${random.below(6)}` };
  const id = `${random.below(4)}`;
  const events: LiveEvent[] = [
    { kind: "page_view", time, user: about.user, dwellMs: 1 },
    { kind: "click", ...about, decision: `dqn-${random.below(70)}` },
    { kind: "watch", ...about, watchMs: random.below(HOUR), id },
    { kind: "heartbeat", ...about, watchMs: random.below(HOUR) },
    { kind: "impression", ...about, decision: "dqn--5" },
    { kind: "gift", ...about, amount: 5, id },
    { kind: "user", time, user: about.user, age: 5 },
    { kind: "friend", time, user: about.user, friend: "evil9" },
    { kind: "off_air", time, stream: "none" },
    { kind: "update", time, stream: "none", viewers: 1e6 },
  ];
  return random.pick(events);
}

test("hostile events among a well-behaved flow change nothing of it", () => {
  for (const withHost of [true, false]) {
    const expected = honest(platform(), () => {}, withHost);
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), (seed, most) => {
        const random = new Random(seed);
        const recommender = platform();
        const between = (now: number) => {
          for (let n = random.below(most + 1); n > 0; n--) {
            const event = hostile(random, now);
            // Requests that only read may come with any time.
            if (random.bernoulli(0.2)) recommender.rank({ user: "u1", now: event.time, k: 2 });
            else if (withHost || random.bernoulli(0.3)) recommender.feedback(event, now);
            else recommender.feedback(event);
          }
        };
        expect(honest(recommender, between, withHost)).toEqual(expected);
        recommender.dispose();
      }),
      { numRuns: RUNS, seed: 3 },
    );
  }
}, 3_600_000);
