import { afterEach, describe, expect, test } from "vitest";
import { DQN, type DQNOptions, SnapshotError } from "../../src/engine/index.js";
import { packSnapshot, unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import { lognormal } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent, OnAir } from "../../src/protocol/events.js";
import type { Decision } from "../../src/protocol/policy.js";
import { DAY, HOUR, MINUTE } from "../../src/protocol/time.js";
import type { QFunction } from "../../src/recommender/agent.js";
import { coreFeatures, featureGroup, featureSizes, taste } from "../../src/recommender/features/index.js";
import type { SlateTransition } from "../../src/recommender/learning/index.js";
import { Recommender, type RecommenderOptions } from "../../src/recommender/recommender.js";
import { onAir } from "../support/events.js";
import { everyGroup } from "../support/groups.js";

const { observation: observationSize, candidate: candidateSize } = featureSizes(coreFeatures());

/** A linear Q-function that keeps its transitions and takes a gradient step on each `learn`. */
class LinearQ implements QFunction {
  readonly transitions: SlateTransition[] = [];
  readonly weights: Float64Array;
  readonly #values = new Float32Array(65_536);
  updates = 0;

  constructor(weights = new Float64Array(candidateSize)) {
    this.weights = weights;
  }

  get steps(): number {
    return this.transitions.length;
  }

  observe(transition: SlateTransition): void {
    const copy = (array: ArrayLike<number>) => Float32Array.from(array);
    this.transitions.push({
      ...transition,
      observation: copy(transition.observation),
      candidates: copy(transition.candidates),
      nextObservation: copy(transition.nextObservation),
      nextCandidates: copy(transition.nextCandidates),
    });
  }

  learn(updates = 1): number {
    const last = this.transitions.at(-1);
    if (last === undefined) return Number.NaN;
    this.updates += updates;
    const offset = last.action * candidateSize;
    if (offset < 0) return 0;
    const error = last.reward - this.#value(last.candidates, offset);
    for (let i = 0; i < candidateSize; i++) this.weights[i]! += 0.01 * error * last.candidates[offset + i]!;
    return error * error;
  }

  evaluate(_: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    const n = candidates.length / candidateSize;
    for (let i = 0; i < n; i++) this.#values[i] = this.#value(candidates, i * candidateSize);
    return this.#values.subarray(0, n);
  }

  save(): Uint8Array {
    return new Uint8Array(this.weights.slice().buffer);
  }

  static load(bytes: Uint8Array): LinearQ {
    return new LinearQ(new Float64Array(bytes.slice().buffer));
  }

  dispose(): void {}

  #value(rows: ArrayLike<number>, offset: number): number {
    let sum = 0;
    for (let i = 0; i < candidateSize; i++) sum += this.weights[i]! * rows[offset + i]!;
    return sum;
  }
}

const GREEDY: Partial<RecommenderOptions> = {
  explore: { epsilon: 0 },
  warmupUpdates: 0,
};

function numbered(i: number, time = 0): OnAir {
  return onAir(`s${i}`, {
    time,
    streamer: `r${i}`,
    category: `c${i % 3}`,
    tags: [`t${i % 5}`],
    title: `title ${i % 7}`,
    language: i % 2 === 0 ? "en" : "zh",
    embeddings: i % 3 === 0 ? { audio: [1, i] } : { text: [1, i, i % 3] },
  });
}

function fake(options: Partial<RecommenderOptions> = GREEDY, streams = 8) {
  const agent = new LinearQ();
  const recommender = new Recommender({ features: coreFeatures(), ...options }, agent);
  for (let i = 0; i < streams; i++) recommender.feedback(numbered(i));
  return { agent, recommender };
}

function clickAndWatch(
  recommender: Recommender,
  { id, user, slate, time }: Decision,
  i: number,
  watchMs: number,
): void {
  const stream = slate[i]!;
  recommender.feedback({ kind: "click", time: time + 1, user, stream, decision: id });
  recommender.feedback({ kind: "watch", time: time + 1 + watchMs, user, stream, watchMs, decision: id });
}

describe("recommending", () => {
  test("an off-air stream is never recommended", () => {
    const random = new Random(1);
    const { recommender } = fake({ maxCandidates: 12, explore: { epsilon: 0.5 } }, 0);
    const live = new Set<string>();
    for (let now = 0; now < 2000; now++) {
      const stream = random.below(40);
      if (live.has(`s${stream}`)) {
        recommender.feedback({ kind: "off_air", time: now, stream: `s${stream}` });
        live.delete(`s${stream}`);
      } else {
        recommender.feedback(numbered(stream, now));
        live.add(`s${stream}`);
      }
      const candidates = random.bernoulli(0.3) ? Array.from({ length: 10 }, () => `s${random.below(50)}`) : undefined;
      const { slate } = recommender.recommend({ user: `u${now % 7}`, now, k: 4, candidates });
      for (const id of slate) {
        expect(live.has(id)).toBe(true);
        if (candidates) expect(candidates).toContain(id);
      }
      expect(new Set(slate).size).toBe(slate.length);
    }
  });

  test("with nothing on air gives an empty slate, and pending decisions get a next state without candidates", () => {
    const { recommender, agent } = fake(GREEDY, 1);
    recommender.recommend({ user: "u", now: 1, k: 3 });
    recommender.feedback({ kind: "off_air", time: 2, stream: "s0" });
    expect(recommender.recommend({ user: "u", now: 3, k: 3 }).slate).toEqual([]);
    expect(agent.transitions.map((transition) => transition.nextCandidates.length)).toEqual([0]);
  });

  test("shows the k best by the agent's values, best first", () => {
    const agent = new LinearQ(new Float64Array(candidateSize).fill(0, 1).fill(1, 0, 1));
    const recommender = new Recommender({ features: coreFeatures(), ...GREEDY }, agent);
    for (let i = 0; i < 8; i++) {
      recommender.feedback(numbered(i));
      recommender.feedback({ kind: "update", time: 0, stream: `s${i}`, viewers: (i * 5) % 8 });
    }
    const { slate, scores, propensities } = recommender.recommend({ user: "u", now: 1, k: 3 });
    expect(slate).toEqual(["s3", "s6", "s1"]);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(propensities).toEqual([1, 1, 1]);
  });

  test("with too many on air scores the user's own streamers, new streams and the most viewed", () => {
    const { recommender } = fake({ ...GREEDY, maxCandidates: 16 }, 0);
    for (let i = 0; i < 100; i++) {
      recommender.feedback(numbered(i, i));
      recommender.feedback({ kind: "update", time: i, stream: `s${i}`, viewers: i === 7 ? 0 : 1000 - i });
    }
    recommender.feedback({ kind: "watch", time: 100, user: "u", stream: "s7", watchMs: MINUTE });
    const { slate, sources } = recommender.recommend({ user: "u", now: 101, k: 16 });
    expect(sources![slate.indexOf("s7")]).toBe("favourite");
    expect(sources![slate.indexOf("s99")]).toBe("newest");
    expect(sources!.length).toBe(16);
    expect(recommender.recommend({ user: "u", now: 101, k: 2, candidates: ["s1", "s2"] }).sources).toBeUndefined();
    expect(slate).toContain("s7");
    expect(slate).toContain("s99");
    expect(slate).toContain("s0");
    expect(slate).not.toContain("s60");
  });
});

describe("learning", () => {
  test("each entered stream becomes a transition with the user's next request, or a slate with none entered", () => {
    const { recommender, agent } = fake();
    const first = recommender.recommend({ user: "u", now: 1000, k: 3 });
    clickAndWatch(recommender, first, 1, 10 * MINUTE);
    expect(agent.transitions).toEqual([]);
    recommender.recommend({ user: "u", now: 1000 + 11 * MINUTE, k: 3 });
    recommender.recommend({ user: "u", now: 1000 + 12 * MINUTE, k: 2 });
    const summary = agent.transitions.map(({ reward, shown, action, nextSlate }) => [reward, shown, action, nextSlate]);
    // All of a slate with none entered was examined; of another one all above the entered stream.
    expect(summary).toEqual([
      [expect.closeTo(Math.log(11), 6), 2, 1, 3],
      [0, 3, -1, 2],
    ]);
    for (const { terminated, observation, nextObservation, nextCandidates } of agent.transitions) {
      expect(terminated).toBe(false);
      expect(nextObservation).not.toEqual(observation);
      expect(nextObservation.length).toBe(observationSize);
      expect(nextCandidates!.length).toBe(8 * candidateSize);
    }
  });

  test("keeps at most nextCandidates of the next request, the best by their values at that time", () => {
    const { recommender, agent } = fake({ ...GREEDY, nextCandidates: 2 });
    recommender.recommend({ user: "u", now: 1, k: 3 });
    recommender.recommend({ user: "u", now: 2, k: 3 });
    expect(agent.transitions[0]!.nextCandidates!.length).toBe(2 * candidateSize);
  });

  test("runs updates every trainEvery transitions, in feedback, and none when it is 0", () => {
    for (const trainEvery of [0, 2]) {
      const { recommender, agent } = fake({ ...GREEDY, trainEvery, updatesPerTrain: 3 });
      for (let now = 1; now < 12; now++) recommender.recommend({ user: "u", now, k: 4 });
      expect(agent.updates).toBe(0);
      recommender.feedback({ kind: "update", time: 12, stream: "s0", viewers: 1 });
      // 10 transitions: each request ends the one before it.
      expect(agent.updates).toBe(trainEvery === 0 ? 0 : 15);
      expect(recommender.learn(5)).not.toBeNaN();
      expect(agent.updates).toBe(trainEvery === 0 ? 5 : 20);
    }
  });

  test("clips what declared rewards add up to at 1e6, and at a clip of its own: no event makes a later call throw", () => {
    const signals = { boon: { weight: 1000, cap: 1e6 }, bane: { weight: -1000, cap: 1e6 } };
    for (const learner of [{}, { rewardScale: 1e6 }, { rewardClip: 0 }, { rewardClip: 5 }]) {
      for (const heads of [1, 2]) {
        const recommender = new Recommender({
          features: coreFeatures(),
          reward: { signals },
          returns: { heads },
          learner,
        });
        recommender.feedback(onAir("s1"));
        for (const [i, name] of ["boon", "bane", "boon"].entries()) {
          recommender.recommend({ user: "u", now: i * MINUTE, k: 1 });
          recommender.feedback({ kind: "signal", time: i * MINUTE + 1, user: "u", stream: "s1", name, value: 1e9 });
        }
        recommender.recommend({ user: "u", now: 3 * MINUTE, k: 1 });
        expect(recommender.stats()).toMatchObject({ transitions: 3, pending: 1 });
        recommender.dispose();
      }
    }
  });

  test("prefers watched streams to streams left at once", () => {
    const recommender = new Recommender({
      seed: 3,
      trainEvery: 1,
      gamma: 0.5,
      learner: { learningStarts: 100, hidden: [16] },
      explore: { epsilon: 0.3 },
      warmupUpdates: 0,
    });
    for (let i = 0; i < 10; i++) recommender.feedback(numbered(i));
    let now = 1;
    let good = 0;
    for (let round = 0; round < 600; round++) {
      const decision = recommender.recommend({ user: `u${round % 20}`, now, k: 1 });
      const isGood = Number(decision.slate[0]!.slice(1)) < 3;
      clickAndWatch(recommender, decision, 0, isGood ? 20 * MINUTE : 1000);
      now += 30 * MINUTE;
      if (round >= 400 && isGood) good++;
    }
    recommender.dispose();
    expect(good / 200).toBeGreaterThan(0.7);
  });
});

describe("feedback", () => {
  test("a bad event names its field and changes nothing", () => {
    const { recommender } = fake();
    recommender.recommend({ user: "u", now: 1000, k: 3 });
    const before = recommender.save();
    const bad = { kind: "watch", time: 2000, user: "u", stream: "s1", watchMs: -5 } as LiveEvent;
    expect(() => recommender.feedback(bad)).toThrow('"watchMs" must be a finite number >= 0, got -5');
    expect(() => recommender.recommend({ user: "u", now: 2000, k: 0 })).toThrow('"k" must be an integer >= 1, got 0');
    expect(same(recommender.save(), before)).toBe(true);
  });

  test("a step back in time is taken at its own time and counted; more than a day late, an event is dropped", () => {
    const { recommender } = fake();
    recommender.feedback(numbered(1, 2 * DAY), 2 * DAY);
    const click = (time: number): LiveEvent => ({ kind: "click", time, user: "u", stream: "s1" });
    expect(recommender.feedback(click(2 * DAY - HOUR), 2 * DAY)).toBe("taken");
    expect(recommender.stats()).toMatchObject({ steppedBack: 1, lateDropped: 0 });
    expect(recommender.profile("u")!.lastSeen).toBe(2 * DAY - HOUR);
    expect(recommender.feedback(click(DAY - 1))).toBe("late");
    expect(recommender.stats()).toMatchObject({ steppedBack: 1, lateDropped: 1 });
    expect(recommender.recommend({ user: "u", now: 0, k: 1 }).slate).toHaveLength(1);
  });

  test("an event that comes twice counts once", () => {
    const { recommender, agent } = fake({ ...GREEDY, returns: { cost: 0 } });
    const decision = recommender.recommend({ user: "u", now: 1000, k: 3 });
    for (let i = 0; i < 3; i++) clickAndWatch(recommender, decision, 0, 10 * MINUTE);
    expect(recommender.profile("u")!.pairs[0]![1]).toMatchObject({ visits: 1, watches: 1, minutes: 10 });
    expect(recommender.stats().duplicates).toBe(4);
    recommender.recommend({ user: "u", now: DAY, k: 3 });
    expect(agent.transitions[0]!.reward).toBeCloseTo(Math.log(11), 5);
  });

  test("an event of no decision, or of a closed one, is counted and kept for the profile", () => {
    const { recommender } = fake();
    const { id, slate } = recommender.recommend({ user: "u", now: 1000, k: 3 });
    recommender.recommend({ user: "u", now: 2000, k: 3 });
    const stream = slate[0]!;
    recommender.feedback({ kind: "watch", time: 3000, user: "u", stream, watchMs: MINUTE, decision: id });
    recommender.feedback({ kind: "click", time: 3000, user: "u", stream, decision: "of another system" });
    recommender.feedback({ kind: "click", time: 3000, user: "v", stream, decision: "dqn-1" });
    recommender.feedback({ kind: "click", time: 3000, user: "v", stream: "never on air" });
    expect(recommender.stats()).toMatchObject({ late: 1, unknownDecisions: 2, unknownStreams: 1 });
    expect(recommender.profile("u")!.pairs[0]![1].watches).toBe(1);
  });

  test("a stream that goes off air during a watch is no bounce, and teaches nothing", () => {
    const { recommender, agent } = fake();
    const { id, slate } = recommender.recommend({ user: "u", now: 1000, k: 1 });
    const stream = slate[0]!;
    recommender.feedback({ kind: "click", time: 2000, user: "u", stream, decision: id });
    recommender.feedback({ kind: "off_air", time: 4000, stream });
    recommender.feedback({ kind: "watch", time: 4000, user: "u", stream, watchMs: 2000, decision: id });
    recommender.recommend({ user: "u", now: 5000, k: 1 });
    expect(agent.transitions).toEqual([]);
    expect(recommender.stats()).toMatchObject({ censored: 1, unfinished: 0, pending: 1 });
    expect(recommender.profile("u")!.session.bounces).toBe(0);
  });

  test("a slate is counted as shown once, whether or not the platform reports it", () => {
    const { recommender } = fake();
    const { id, slate } = recommender.recommend({ user: "u", now: 1000, k: 2 });
    for (const [position, stream] of slate.entries()) {
      recommender.feedback({ kind: "impression", time: 1000, user: "u", stream, decision: id, position });
    }
    recommender.feedback({ kind: "impression", time: 1001, user: "u", stream: "s7" });
    recommender.recommend({ user: "u", now: 1002, k: 1 });
    recommender.feedback({ kind: "impression", time: 1003, user: "u", stream: slate[1]!, decision: id });
    expect(recommender.profile("u")!.sums.impressions[2]).toBeCloseTo(4, 6);
  });
});

describe("a user", () => {
  test("can be read and forgotten", () => {
    const { recommender, agent } = fake();
    const decision = recommender.recommend({ user: "u", now: 1000, k: 3 });
    clickAndWatch(recommender, decision, 0, MINUTE);
    expect(recommender.profile("u")!.pairs.length).toBe(1);
    expect(recommender.forget("u")).toBe(true);
    expect(recommender.profile("u")).toBeUndefined();
    expect(recommender.stats()).toMatchObject({ pending: 0, users: 0 });
    recommender.recommend({ user: "u", now: DAY, k: 3 });
    expect(agent.transitions).toEqual([]);
  });

  test("forgotten is in no part of a save, nor as anybody's friend", () => {
    const { recommender } = fake();
    const secret = "secret-user";
    for (const [i, user] of [secret, "v"].entries()) {
      clickAndWatch(recommender, recommender.recommend({ user, now: (i + 1) * HOUR, k: 3 }), 0, 10 * MINUTE);
    }
    recommender.feedback({ kind: "friend", time: DAY, user: "v", friend: secret });
    recommender.feedback({ kind: "user", time: DAY, user: secret, age: 40 });
    recommender.feedback({ kind: "follow", time: DAY, user: secret, stream: "s1" });
    expect(recommender.profile("v")!.friends).toEqual([secret]);
    expect(holds(recommender.save(), secret)).toBe(true);
    recommender.forget(secret);
    expect(recommender.profile("v")!.friends).toEqual([]);
    expect(holds(recommender.save(), secret)).toBe(false);
  });

  test("has traits, friends, follows, pages and ratings in the profile", () => {
    const { recommender } = fake();
    recommender.feedback({ kind: "user", time: 1, user: "u", language: "en", age: 20, id: "e1" });
    recommender.feedback({ kind: "user", time: 2, user: "u", age: 21 });
    recommender.feedback({ kind: "friend", time: 3, user: "u", friend: "v" });
    recommender.feedback({ kind: "follow", time: 4, user: "u", stream: "s1" });
    recommender.feedback({ kind: "page_view", time: 5, user: "u", dwellMs: 100 });
    recommender.feedback({ kind: "rating", time: 6, user: "u", stream: "s1", rating: 1 });
    const { traits, friends, follows, session, pairs } = recommender.profile("u")!;
    expect(traits).toEqual({ language: "en", age: 21 });
    expect([friends, follows, session.pages]).toEqual([["v"], ["r1"], 1]);
    expect(pairs[0]![1]).toMatchObject({ approvals: 2, ratings: 1, ratingSum: 1 });
    recommender.feedback({ kind: "unfriend", time: 7, user: "v", friend: "u" });
    expect(recommender.profile("u")!.friends).toEqual([]);
  });
});

describe("a streamer", () => {
  test("has a profile over all streams, which can be read and forgotten", () => {
    const { recommender } = fake();
    const watch = { kind: "watch", user: "u", stream: "s1", watchMs: 10 * MINUTE } as const;
    recommender.feedback({ ...watch, time: DAY });
    recommender.feedback({ kind: "follow", time: DAY, user: "u", stream: "s1" });
    recommender.feedback(numbered(1, DAY));
    expect(recommender.streamerProfile("r1")).toMatchObject({ streams: 1, followers: 1, meanWatchMinutes: 10 });
    recommender.feedback({ kind: "off_air", time: DAY, stream: "s1" });
    recommender.feedback(numbered(1, 2 * DAY));
    expect(recommender.streamerProfile("r1")).toMatchObject({
      streams: 2,
      categories: [["c1", 2]],
      lastOnAir: 2 * DAY,
    });
    recommender.feedback({ kind: "off_air", time: 2 * DAY, stream: "s1" });
    expect(recommender.forgetStreamer("r1")).toBe(true);
    expect(recommender.streamerProfile("r1")).toBeUndefined();
    expect(recommender.profile("u")).toMatchObject({ pairs: [], follows: [], recent: [] });
    expect(holds(recommender.save(), '"r1"')).toBe(false);
    expect(recommender.forgetStreamer("r1")).toBe(false);
  });
});

/** Other events: long watches, traits, friends, pages, ratings. */
function other(recommender: Recommender, random: Random, time: number): void {
  const [user, friend, stream] = [`u${random.below(9)}`, `u${random.below(9)}`, `s${random.below(30)}`];
  const events: LiveEvent[] = [
    { kind: "watch", time, user, stream, watchMs: 3 * MINUTE },
    { kind: "user", time, user, age: random.below(90), language: random.pick(["en", "zh"]) },
    { kind: random.pick(["friend", "unfriend"]), time, user, friend },
    { kind: "page_view", time, user, dwellMs: random.below(60_000) },
    { kind: "follow", time, user, stream },
    { kind: "rating", time, user, stream, rating: random.uniform() },
  ];
  recommender.feedback(random.pick(events));
}

/** A small platform with random users, the same for each seed. */
function live(recommender: Recommender, random: Random, from: number, rounds: number): Decision[] {
  const decisions: Decision[] = [];
  for (let i = 0; i < rounds; i++) {
    const now = from + i * MINUTE;
    const stream = random.below(30);
    const isOver = random.bernoulli(0.4);
    recommender.feedback(isOver ? { kind: "off_air", time: now, stream: `s${stream}` } : numbered(stream, now));
    recommender.feedback({ kind: "update", time: now, stream: `s${random.below(30)}`, viewers: random.below(500) });
    const decision = recommender.recommend({ user: `u${random.below(9)}`, now, k: 4 });
    decisions.push(decision);
    const i2 = random.below(4);
    const watchMs = Math.floor(lognormal(random, 20_000, 1));
    if (i2 < decision.slate.length) clickAndWatch(recommender, decision, i2, Math.min(watchMs, MINUTE - 2));
    other(recommender, random, now + MINUTE - 1);
  }
  return decisions;
}

function holds(file: Uint8Array, text: string): boolean {
  return Buffer.from(file).includes(text);
}

/** Compares millions of bytes quickly. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

describe("a save", () => {
  const options: Partial<RecommenderOptions> = {
    instance: "",
    seed: 5,
    trainEvery: 2,
    maxCandidates: 12,
    nextCandidates: 4,
    learner: { learningStarts: 50, hidden: [8], capacity: 500 },
    explore: { epsilon: 0.2 },
    warmupUpdates: 20,
  };
  const made: Recommender[] = [];
  const keep = (recommender: Recommender) => {
    made.push(recommender);
    return recommender;
  };
  afterEach(() => {
    for (const recommender of made.splice(0)) recommender.dispose();
  });

  const ALL_GROUPS: Partial<RecommenderOptions> = {
    ...options,
    features: everyGroup({
      size: 6,
      words: { size: 2, words: ["t0", "t1"], counts: [1, 1], rows: [1, 2, -2, 1] },
      user: [{ name: "age", encode: { kind: "running" } }],
      stream: [{ name: "viewers", encode: { kind: "running" } }],
    }),
  };

  test.each([
    ["with taste", { ...options, features: [...coreFeatures(), taste()] }],
    ["with two heads", { ...options, features: [...coreFeatures(), taste()], returns: { heads: 2 } }],
    ["with all groups", ALL_GROUPS],
  ])("loaded continues to the bit as if it had never stopped, %s", (_, given) => {
    const random = new Random(8);
    const original = keep(new Recommender(given));
    live(original, random, 0, 300);
    const file = original.save();
    const copy = keep(Recommender.load(file, { instance: "", features: everyGroup() }));
    expect(copy.stats()).toEqual(original.stats());
    expect(same(copy.save(), file)).toBe(true);
    const state = random.state();
    const expected = live(original, random, DAY, 300);
    random.restore(state);
    expect(live(copy, random, DAY, 300)).toEqual(expected);
    expect(new Set(expected.flatMap(({ sources = [] }) => sources))).toContain("similar");
    expect(same(copy.save(), original.save())).toBe(true);
    expect(copy.stats().updates).toBeGreaterThan(100);
  });

  test("of the same seed and the same calls is the same bytes", () => {
    const run = (seed: number) => {
      const recommender = keep(new Recommender({ ...options, seed }));
      live(recommender, new Random(8), 0, 200);
      return recommender.save();
    };
    expect(same(run(5), run(5))).toBe(true);
    expect(same(run(5), run(6))).toBe(false);
  });

  test("of another version is refused with a message", () => {
    const { metadata, tensors } = unpackSnapshot("recommender", keep(new Recommender(options)).save());
    const { version: _, ...first } = { features: metadata["features"]!, version: metadata["version"]! };
    expect(() => Recommender.load(packSnapshot("recommender", first, tensors))).toThrow(SnapshotError);
    expect(() => Recommender.load(packSnapshot("recommender", first, tensors))).toThrow(
      "is of version 1, here it is 9",
    );
    const later = { ...first, version: metadata["version"]!, features: "99" };
    expect(() => Recommender.load(packSnapshot("recommender", later, tensors))).toThrow("features are version 99");
    tensors.delete("towers");
    const same = { ...first, version: metadata["version"]! };
    expect(() => Recommender.load(packSnapshot("recommender", same, tensors))).toThrow('must hold "towers"');
  });

  test("is refused with a group that writes rows of another width", () => {
    const own = (size: number) =>
      featureGroup("own", {}, () => ({ observation: size, candidate: 0, begin() {}, writeObservation() {} }));
    const file = keep(new Recommender({ ...options, features: [...coreFeatures(), own(1)] })).save();
    keep(Recommender.load(file, { features: [own(1)] }));
    expect(() => Recommender.load(file, { features: [own(9)] })).toThrow(SnapshotError);
    expect(() => Recommender.load(file, { features: [own(9)] })).toThrow(
      "the file's features have sizes 32,32, the given ones 40,32",
    );
  });

  test("that is damaged or foreign is refused", () => {
    const file = keep(new Recommender(options)).save();
    const damaged = file.slice();
    damaged[damaged.length - 10]! ^= 1;
    expect(() => Recommender.load(damaged)).toThrow(SnapshotError);
    expect(() => Recommender.load(file.subarray(0, 100))).toThrow(SnapshotError);
    const { recommender } = fake();
    expect(Recommender.load(recommender.save(), { loadAgent: LinearQ.load }).stats().onAir).toBe(8);
  });
});

test("every option of the agent works, or is refused with the reason", () => {
  const given: DQNOptions = {
    ...{ observation: 1, actions: 1, candidates: { max: 1, features: 1 }, masked: true, sparse: { slots: 1, size: 1 } },
    ...{
      hidden: [8],
      gamma: 0.5,
      learningRate: 1e-3,
      beta1: 0.8,
      beta2: 0.99,
      adamEpsilon: 1e-6,
      weightDecay: 0.1,
      batchSize: 8,
      capacity: 500,
    },
    ...{ storage: "f16", learningStarts: 10, trainEvery: 2, gradientSteps: 2, targetEvery: 5, tau: 0.5, epsilon: 0.5 },
    ...{ double: false, dueling: true, quantiles: 4, munchausen: {}, noisySigma: 0.5, normalization: "layer" },
    ...{ dropout: 0.1, cqlAlpha: 1, clone: { updates: 5 }, activation: "gelu", adversarialEpsilon: 0.01 },
    ...{ temperature: 1, frozenUnits: 2, normalizeObservations: true, normalizeRewards: true },
    ...{ loss: "huber", maxGradNorm: 1, rewardScale: 0.5, rewardClip: 2, nStep: 3 },
    ...{ slate: { size: 2 }, environments: 2, priorityExponent: 0.5, importanceExponent: 0.5, seed: 3 },
  };
  const { options } = new DQN({ observation: 1, actions: 1 });
  expect(Object.keys(options).filter((name) => !Object.hasOwn(given, name))).toEqual([]);
  const refused: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    let recommender: Recommender;
    try {
      const learner = { batchSize: 8, learningStarts: 10, [name]: value };
      recommender = new Recommender({ seed: 1, warmupUpdates: 1, features: coreFeatures(), learner });
    } catch (error) {
      expect((error as Error).message).toMatch(new RegExp(`^"learner\\.${name}" cannot be given: .{10}`));
      refused.push(name);
      continue;
    }
    live(recommender, new Random(8), 0, 100);
    expect(recommender.stats().updates, name).toBeGreaterThan(10);
    recommender.dispose();
  }
  expect(refused.length).toBe(20);
});

test.each([
  [{ gama: 0.5 }, '"gama" is not an option'],
  [{ gamma: 1.5 }, '"gamma" must be in [0, 1], got 1.5'],
  [{ trainEvery: -1 }, '"trainEvery" must be an integer >= 0, got -1'],
  [{ learner: { hidden: [0] } }, '"hidden" must be 1 to 8 integers'],
  [{ explore: { temprature: 1 } }, '"explore.temprature" is not an option'],
  [{ features: "all" }, '"features" must be an array of groups of features, such as [session(), pair()], got "all"'],
  [{ features: [taste()] }, '"features" must be groups of which one writes an observation, got ["taste"]'],
  [{ learner: { nStep: 3 } }, '"learner.nStep" cannot be given: it would join the transitions of different users'],
  [{ learner: { dueling: true } }, '"learner.dueling" cannot be given'],
  [{ learner: { gamma: 0.5 } }, '"learner.gamma" cannot be given: use "gamma" of the recommender'],
  [{ pending: { gamma: 0.5 } }, '"pending.gamma" is not an option'],
  [{ reward: { bounceMs: 1 } }, '"reward.bounceMs" is not an option: use "profile.bounceMs"'],
  [{ towers: true }, '"towers" must be an object, or false, got true'],
  [{ towers: { probe: 2 } }, '"towers.probe" must be in (0, 1], got 2'],
  [{ maxCandidates: 1e6 }, '"maxCandidates" must be an integer in [1, 65536], got 1000000'],
])("refuses the options %o", (options, message) => {
  expect(() => new Recommender(options as object)).toThrow(message);
});
