import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import { Random } from "../../src/numeric/random.js";
import type { FeedbackEvent, LiveEvent } from "../../src/protocol/events.js";
import { EventError } from "../../src/protocol/schema.js";
import { DAY, HOUR, MINUTE } from "../../src/protocol/time.js";
import type { QFunction } from "../../src/recommender/agent.js";
import { coreFeatures, featureSizes } from "../../src/recommender/features/index.js";
import type { SlateTransition } from "../../src/recommender/learning/index.js";
import { Recommender, type RecommenderOptions } from "../../src/recommender/recommender.js";
import { onAir } from "../support/events.js";
import { everyGroup } from "../support/groups.js";

const SECOND = 1000;

/** Keeps what it is given to learn. */
class Recorder implements QFunction {
  readonly transitions: SlateTransition[] = [];
  readonly updates = 0;

  get steps(): number {
    return this.transitions.length;
  }

  observe(transition: SlateTransition): void {
    this.transitions.push(transition);
  }

  evaluate(_: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    return new Float32Array(candidates.length / featureSizes(coreFeatures()).candidate);
  }

  learn(): number {
    return Number.NaN;
  }

  save(): Uint8Array {
    return new Uint8Array(4);
  }

  dispose(): void {}
}

/** A recommender that records, and streams on air. */
function recording(options: Partial<RecommenderOptions> = {}, streams = 3) {
  const agent = new Recorder();
  const recommender = new Recommender(
    { instance: "", features: coreFeatures(), explore: { epsilon: 0 }, gamma: 0.9, ...options },
    agent,
  );
  for (let i = 0; i < streams; i++) recommender.feedback(onAir(`s${i}`, { streamer: `r${i}`, category: `c${i % 2}` }));
  /** What was learned: which stream was entered, for what. */
  const learned = () =>
    agent.transitions.map(({ user, action, reward, discount, terminated, shown }) => ({
      ...{ user, action, reward, discount, terminated, shown },
    }));
  return { recommender, agent, learned };
}

/** Digests of all that a recommender knows and has learned; not of what it remembers of events and running watches. */
function known(recommender: Recommender): Record<string, unknown> {
  const { tensors } = unpackSnapshot("recommender", recommender.save());
  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  const json = JSON.parse(new TextDecoder().decode(tensors.get("json")!));
  const plain = ["scenes", "pending", "counts", "random", "lost"].map((part) => [part, JSON.stringify(json[part])]);
  const floats = ["pending", "state", "towers", "agent"].map((part) => [`${part} numbers`, digest(tensors.get(part)!)]);
  return Object.fromEntries([...plain, ...floats]);
}

type How = "watch alone" | "heartbeats and watch" | "heartbeats and no watch";

/**
 * Visits of three users, one after the other. Before the next event comes a visit is over for sure: that event is the
 * same user's request, or comes after the time-out.
 */
function visits(how: How): Recommender {
  const recommender = new Recommender({
    ...{ instance: "", seed: 3, features: everyGroup(), warmupUpdates: 20, updatesPerTrain: 1 },
    learner: { hidden: [8], learningStarts: 10, batchSize: 8, capacity: 500 },
    // Heartbeats are signs of a stream, between which a silent one may time out.
    profile: { streamTimeoutMs: 0 },
  });
  for (let i = 0; i < 12; i++) recommender.feedback(onAir(`s${i}`, { streamer: `r${i}`, category: `c${i % 3}` }));
  const random = Random.named(5, "visits");
  let now = HOUR;
  let user = "u0";
  for (let visit = 0; visit < 70; visit++) {
    const { id: decision, slate } = recommender.recommend({ user, now, k: 3 });
    const about = { user, stream: slate[random.below(slate.length)]!, ...(random.bernoulli(0.8) && { decision }) };
    now += 10 * SECOND;
    const start = now;
    if (random.bernoulli(0.8)) recommender.feedback({ kind: "click", time: now, ...about }, now);
    const everyMs = [SECOND, 30 * SECOND, 4 * MINUTE][random.below(3)]!;
    const beats = 1 + random.below(visit % 30 === 0 ? 90 : 9);
    for (let beat = 1; beat <= beats; beat++) {
      now += everyMs;
      const watchMs = now - start;
      if (how !== "watch alone") recommender.feedback({ kind: "heartbeat", time: now, ...about, watchMs }, now);
      if (beat === beats && how !== "heartbeats and no watch")
        recommender.feedback({ kind: "watch", time: now, ...about, watchMs }, now);
    }
    const staysAway = random.bernoulli(0.5);
    now += staysAway ? 6 * MINUTE + random.below(DAY) : 20 * SECOND;
    if (staysAway) user = `u${random.below(3)}`;
  }
  recommender.recommend({ user, now, k: 3 });
  return recommender;
}

describe("a watch by heartbeats", () => {
  test("leaves what is known and learned the same to the bit as its `watch` at the last heartbeat", () => {
    const alone = visits("watch alone");
    const both = visits("heartbeats and watch");
    const lost = visits("heartbeats and no watch");
    expect(alone.stats()).toMatchObject({ lostEnds: 0, late: 0 });
    expect(alone.stats().updates).toBeGreaterThan(40);
    expect(both.stats()).toEqual(alone.stats());
    expect(known(both)).toEqual(known(alone));
    expect(lost.stats()).toEqual({ ...alone.stats(), lostEnds: 70 });
    expect(known(lost)).toEqual(known(alone));
    for (const one of [alone, both, lost]) one.dispose();
  });

  test("continues to the bit from a save in its middle", () => {
    const { recommender, agent } = recording();
    const { id } = recommender.recommend({ user: "u", now: MINUTE, k: 2 });
    const about = { user: "u", stream: "s0", decision: id };
    const beat = (minute: number): LiveEvent => {
      return { kind: "heartbeat", time: minute * MINUTE, ...about, watchMs: (minute - 1) * MINUTE };
    };
    recommender.feedback(beat(2));
    recommender.feedback(beat(3));
    const copied = new Recorder();
    const copy = Recommender.load(recommender.save(), {
      features: coreFeatures(),
      instance: "",
      loadAgent: () => copied,
    });
    for (const one of [recommender, copy]) {
      one.feedback(beat(4));
      one.recommend({ user: "u", now: 5 * MINUTE, k: 2 });
    }
    expect(copied.transitions).toEqual(agent.transitions);
    expect(copied.transitions).toHaveLength(1);
    expect(Buffer.from(copy.save()).equals(Buffer.from(recommender.save()))).toBe(true);
  });

  test("of three hours keeps its decision waiting, the session going, and friends informed", () => {
    const { recommender, learned } = recording({ pending: { timeoutMs: HOUR } });
    recommender.feedback({ kind: "friend", time: 0, user: "u", friend: "v" });
    const { id } = recommender.recommend({ user: "u", now: 0, k: 2 });
    const about = { user: "u", stream: "s0", decision: id };
    const profile = () => recommender.profile("u")!;
    for (let minute = 1; minute <= 50; minute++) {
      recommender.feedback({ kind: "heartbeat", time: minute * MINUTE, ...about, watchMs: minute * MINUTE });
    }
    expect(learned()).toEqual([]);
    expect(profile()).toMatchObject({ lastSeen: 50 * MINUTE, watching: { streamer: "r0", since: 50 * MINUTE } });
    recommender.recommend({ user: "u", now: 52 * MINUTE, k: 2 });
    expect(profile()).toMatchObject({
      watching: null,
      session: { start: 0, gapMs: 0, minutes: 50 },
      rhythm: { returns: 0 },
    });
    expect(learned()).toMatchObject([{ action: 0, reward: Math.log1p(50) }]);
  });

  test("whose user does not come back ends at the time-out, and the gap counts from the last heartbeat", () => {
    const { recommender, learned } = recording();
    const { id } = recommender.recommend({ user: "u", now: 0, k: 2 });
    recommender.feedback({ kind: "heartbeat", time: HOUR, user: "u", stream: "s0", decision: id, watchMs: HOUR });
    recommender.feedback({ kind: "page_view", time: 2 * HOUR, user: "v", dwellMs: 1 });
    // The time of an event ends no watch of others.
    expect(recommender.stats().lostEnds).toBe(0);
    recommender.feedback({ kind: "page_view", time: 2 * HOUR + 1, user: "v", dwellMs: 1 }, 2 * HOUR + 1);
    expect(recommender.stats().lostEnds).toBe(1);
    expect(recommender.profile("u")!.recent).toMatchObject([{ time: HOUR, watchMs: HOUR }]);
    recommender.recommend({ user: "u", now: 9 * HOUR, k: 2 });
    expect(recommender.profile("u")!.session.gapMs).toBe(8 * HOUR);
    expect(learned()).toMatchObject([{ action: 0 }]);
  });

  test("moves the deadline of a user who is gone with each heartbeat", () => {
    const { recommender, learned } = recording({ pending: { beatTimeoutMs: DAY } });
    const { id } = recommender.recommend({ user: "u", now: 0, k: 2 });
    for (let hour = 1; hour <= 12 * 24; hour++) {
      recommender.feedback({
        ...{ kind: "heartbeat", user: "u", stream: "s0", decision: id },
        ...{ time: hour * HOUR, watchMs: hour * HOUR },
      } as const);
    }
    expect(recommender.stats()).toMatchObject({ pending: 1, lostEnds: 0 });
    expect(learned()).toEqual([]);
  });

  test("that its stream ends is cut: a short one tells nothing, a long one counts", () => {
    for (const [minutes, censored] of [
      [0.5, 1],
      [20, 0],
    ] as const) {
      const { recommender, learned } = recording();
      const { id } = recommender.recommend({ user: "u", now: 0, k: 2 });
      const about = { user: "u", stream: "s0", decision: id };
      const watchMs = minutes * MINUTE;
      recommender.feedback({ kind: "heartbeat", time: watchMs, ...about, watchMs });
      recommender.feedback({ kind: "off_air", time: watchMs + SECOND, stream: "s0" });
      recommender.recommend({ user: "u", now: HOUR, k: 2 });
      expect(recommender.stats()).toMatchObject({ lostEnds: 1, censored });
      expect(learned()).toHaveLength(1 - censored);
    }
  });

  test("learns a `watch` that comes after the close never again, and counts it as late", () => {
    const { recommender, learned } = recording({ pending: { delayMs: HOUR } });
    const { id } = recommender.recommend({ user: "u", now: 0, k: 2 });
    const about = { user: "u", stream: "s0", decision: id };
    recommender.feedback({ kind: "heartbeat", time: MINUTE, ...about, watchMs: MINUTE });
    recommender.recommend({ user: "u", now: 2 * MINUTE, k: 2 });
    recommender.feedback({ kind: "heartbeat", time: 1.5 * MINUTE, ...about, watchMs: 1.5 * MINUTE });
    recommender.feedback({ kind: "watch", time: 3 * MINUTE, ...about, watchMs: 2 * MINUTE });
    recommender.recommend({ user: "u", now: 5 * HOUR, k: 2 });
    expect(recommender.stats()).toMatchObject({ lostEnds: 1, late: 1, staleHeartbeats: 1, duplicates: 0 });
    expect(recommender.profile("u")!.recent).toMatchObject([{ watchMs: MINUTE }]);
    expect(learned()[0]).toMatchObject({ action: 0, reward: Math.log1p(1) });
  });

  test("of an unknown stream runs nowhere", () => {
    const { recommender } = recording();
    for (let i = 1; i <= 10; i++)
      recommender.feedback({ kind: "heartbeat", time: i, user: "u", stream: `x${i}`, watchMs: 1 });
    recommender.recommend({ user: "u", now: HOUR, k: 2 });
    expect(recommender.stats()).toMatchObject({ unknownStreams: 10, lostEnds: 0 });
  });

  test("of a forgotten user is forgotten", () => {
    const { recommender } = recording();
    recommender.feedback({ kind: "heartbeat", time: MINUTE, user: "uma", stream: "s0", watchMs: 1 });
    recommender.forget("uma");
    recommender.feedback({ kind: "page_view", time: HOUR, user: "v", dwellMs: 1 });
    expect(recommender.stats().lostEnds).toBe(0);
    expect(new TextDecoder().decode(recommender.save())).not.toContain('"uma"');
  });
});

/** Feedback to the first slate, in the clean order; all within the minutes by which an event may come late. */
function feedbackTo(decision: string, isLost: boolean): FeedbackEvent[] {
  const about = (stream: string) => ({ user: "u", stream, decision });
  const plain = { user: "u", stream: "s1" };
  return [
    ...[0, 1, 2].map((i) => ({ kind: "impression", time: SECOND, ...about(`s${i}`) }) as const),
    ...[30, 60, 90, 120].map(
      (s) => ({ kind: "heartbeat", time: (s + 10) * SECOND, ...about("s1"), watchMs: s * SECOND }) as const,
    ),
    { kind: "like", time: 50 * SECOND, ...plain },
    { kind: "gift", time: 55 * SECOND, ...plain, amount: 5 },
    { kind: "purchase", time: 70 * SECOND, ...about("s1"), amount: 20 },
    { kind: "signal", time: 71 * SECOND, ...about("s2"), name: "help", value: 2 },
    { kind: "dislike", time: 72 * SECOND, user: "u", stream: "s0" },
    ...(isLost ? [] : [{ kind: "watch", time: 150 * SECOND, ...about("s1"), watchMs: 140 * SECOND } as const]),
  ];
}

/** What is learned from feedback in some order, with a next request, and what comes after that. */
function learnedFrom(before: readonly FeedbackEvent[], after: readonly FeedbackEvent[]): unknown {
  const { recommender, learned } = recording({
    pending: { delayMs: HOUR },
    reward: { signals: { help: {} } },
    slate: {},
  });
  // The platform is known to send heartbeats.
  recommender.feedback({ kind: "heartbeat", time: 0, user: "other", stream: "s0", watchMs: 0 });
  const { id } = recommender.recommend({ user: "u", now: 0, k: 3 });
  recommender.feedback({ kind: "click", time: 10 * SECOND, user: "u", stream: "s1", decision: id });
  for (const event of before) recommender.feedback({ ...event });
  recommender.recommend({ user: "u", now: 4 * MINUTE, k: 3 });
  for (const event of after) recommender.feedback({ ...event });
  recommender.recommend({ user: "u", now: 3 * HOUR, k: 3 });
  recommender.feedback({ kind: "page_view", time: 5 * HOUR, user: "other", dwellMs: 1 }, 5 * HOUR);
  return learned();
}

describe("delayed, late and repeated feedback", () => {
  test("is learned once, in whatever order it comes", () => {
    const decision = "dqn-0";
    const late: FeedbackEvent[] = [
      { kind: "purchase", time: 4.2 * MINUTE, user: "u", stream: "s1", amount: 7, decision },
      { kind: "comment", time: 4.5 * MINUTE, user: "u", stream: "s2" },
    ];
    const click: FeedbackEvent = { kind: "click", time: 10 * SECOND, user: "u", stream: "s1", decision };
    for (const isLost of [false, true]) {
      const clean = feedbackTo(decision, isLost);
      const expected = learnedFrom(clean, late);
      expect(expected).toMatchObject([{ action: 1 }, { action: 2 }, { action: 2 }]);
      const disordered = fc.shuffledSubarray([...clean, ...clean, click, click], {
        minLength: 2 * clean.length + 2,
      });
      // Repeats of what had come before may come after the next request too.
      const after = fc.shuffledSubarray([...late, ...late, ...clean.slice(3), click], {
        minLength: 2 * late.length + clean.length - 2,
      });
      fc.assert(
        fc.property(disordered, after, (one, other) => {
          expect(learnedFrom(one, other)).toEqual(expected);
        }),
        { numRuns: 60 },
      );
    }
  });
});

test("an id belongs to its sender: nobody swallows the event of another by guessing it", () => {
  const { recommender } = recording();
  const { id: decision } = recommender.recommend({ user: "u", now: 0, k: 1 });
  recommender.feedback({ kind: "click", time: 1, id: "1", user: "guesser", stream: "s0" });
  const click: LiveEvent = { kind: "click", time: 2, id: "1", user: "u", stream: "s0", decision };
  recommender.feedback(click);
  recommender.feedback({ kind: "update", time: 3, id: "1", stream: "s0", viewers: 5 });
  expect(recommender.stats().duplicates).toBe(0);
  expect(recommender.profile("u")).toMatchObject({ session: { clicks: 1 } });
  expect(recommender.feedback(click)).toBe("duplicate");
  const other = recommender.feedback({ ...click, time: 4 });
  expect(other).toBeInstanceOf(EventError);
  expect(other).toMatchObject({ field: "id" });
  expect(recommender.stats()).toMatchObject({ duplicates: 1, conflicts: 1 });
  recommender.forget("u");
  // What came before brings nobody back.
  expect(recommender.feedback(click)).toBe("duplicate");
  expect(recommender.profile("u")).toBeUndefined();
});

describe("an entry without a click", () => {
  test.each<FeedbackEvent["kind"]>(["like", "comment", "share", "follow", "rating", "gift", "purchase", "signal"])(
    "is a %s: it closes with the decision and teaches its reward",
    (kind) => {
      const { recommender, learned } = recording({ reward: { signals: { help: {} } } });
      recommender.recommend({ user: "u", now: 0, k: 2 });
      const more = { amount: { amount: 3 }, rating: { rating: 1 }, signal: { name: "help", value: 1 } };
      const own =
        kind === "gift" || kind === "purchase" ? more.amount : kind === "rating" || kind === "signal" ? more[kind] : {};
      recommender.feedback({ kind, time: SECOND, user: "u", stream: "s1", ...own } as LiveEvent);
      recommender.recommend({ user: "u", now: MINUTE, k: 2 });
      expect(learned()).toMatchObject([{ action: 1, shown: 2 }]);
      expect(learned()[0]!.reward).toBeGreaterThan(0);
      expect(recommender.stats().unfinished).toBe(0);
    },
  );

  test("is no dislike", () => {
    const { recommender, learned } = recording();
    recommender.recommend({ user: "u", now: 0, k: 2 });
    recommender.feedback({ kind: "dislike", time: SECOND, user: "u", stream: "s1" });
    recommender.recommend({ user: "u", now: MINUTE, k: 2 });
    expect(learned()).toMatchObject([{ action: -1, reward: -1 }]);
  });
});

describe("a click without a watch", () => {
  /** A click on one stream, then days without the user. */
  function clicked(pending: RecommenderOptions["pending"], buys: boolean) {
    const { recommender, learned } = recording({ pending });
    const { id } = recommender.recommend({ user: "u", now: 0, k: 2 });
    const about = { user: "u", stream: "s0", decision: id };
    recommender.feedback({ kind: "click", time: SECOND, ...about });
    if (buys) recommender.feedback({ kind: "purchase", time: 2 * SECOND, ...about, amount: Math.E - 1 });
    recommender.recommend({ user: "u", now: MINUTE, k: 2 });
    const atOnce = learned();
    for (let day = 1; day <= 60; day++) {
      recommender.feedback({ kind: "page_view", time: day * DAY, user: "v", dwellMs: 1 }, day * DAY);
    }
    return { atOnce, all: learned(), unfinished: recommender.stats().unfinished };
  }

  test("waits for it, and teaches nothing when it never comes, unless the user did more", () => {
    const alone = clicked({}, false);
    expect(alone).toMatchObject({ atOnce: [], unfinished: 1 });
    expect(alone.all.filter(({ action }) => action >= 0)).toEqual([]);
    const bought = clicked({}, true);
    expect(bought).toMatchObject({ atOnce: [], unfinished: 0 });
    expect(bought.all[0]).toMatchObject({ action: 0, terminated: false });
    expect(bought.all[0]!.reward).toBeCloseTo(1, 12);
  });

  test("is complete with the decision where none is awaited, as in a shop", () => {
    const alone = clicked({ awaitWatch: false }, false);
    expect(alone).toMatchObject({ atOnce: [{ action: 0, reward: 0 }], unfinished: 0 });
    const [bought] = clicked({ awaitWatch: false }, true).atOnce;
    expect(bought!.action).toBe(0);
    expect(bought!.reward).toBeCloseTo(1, 12);
  });
});
