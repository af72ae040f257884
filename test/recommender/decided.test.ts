import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import type { Decision } from "../../src/protocol/policy.js";
import { EventError, parseDecision } from "../../src/protocol/schema.js";
import { Recommender, type RecommenderOptions } from "../../src/recommender/recommender.js";
import { simulate } from "../../src/simulator/index.js";
import { onAir } from "../support/events.js";

const OPTIONS: Partial<RecommenderOptions> = {
  instance: "",
  seed: 3,
  warmupUpdates: 100,
  learner: { hidden: [8], learningStarts: 50, capacity: 500 },
  updatesPerTrain: 1,
};

/** Digests of the arrays in a recommender's file; the rest holds the random numbers of exploration. */
function learned(recommender: Recommender): Map<string, string> {
  const { tensors } = unpackSnapshot("recommender", recommender.save());
  // Comparing buffers byte by byte would take seconds.
  const digest = (name: string) => createHash("sha256").update(tensors.get(name)!).digest("hex");
  return new Map(["agent", "pending", "state"].map((name) => [name, digest(name)]));
}

const numbered = (i: number) => onAir(`s${i}`, { streamer: `r${i}`, category: `c${i % 3}` });

/** Gives an event, and before the first impression its decision: a slate of one. */
function replay(recommender: Recommender, event: LiveEvent): void {
  if (event.kind === "impression" && event.position === 0) {
    const { user, time, stream } = event;
    recommender.recordDecision({ id: event.decision!, user, time, slate: [stream] });
  }
  recommender.feedback(event, event.time);
}

describe("a recommender with recorded decisions", () => {
  test("by another of its seed and options learns the same, to the bit, from the log alone", () => {
    const served = new Recommender(OPTIONS);
    const log: ({ event: LiveEvent } | { decision: Decision })[] = [];
    simulate(
      served,
      { viewers: 30, streamers: 60, days: 2, seed: 2 },
      {
        onEvent: (event) => log.push({ event }),
        onDecision: (decision) => log.push({ decision }),
      },
    );
    const taught = new Recommender(OPTIONS);
    for (const entry of log) {
      if ("event" in entry) taught.feedback(entry.event, entry.event.time);
      else taught.recordDecision(entry.decision);
    }
    expect(served.stats().updates).toBeGreaterThan(150);
    expect(taught.stats()).toEqual(served.stats());
    expect(taught.time).toBe(served.time);
    expect(learned(taught)).toEqual(learned(served));
    // Its own names continue after the other's.
    const { id } = taught.recommend({ user: "u", now: taught.time, k: 1 });
    expect(id).toBe(served.recommend({ user: "u", now: served.time, k: 1 }).id);
    served.dispose();
    taught.dispose();
  });

  test("continues to the bit from a save in the middle of watches as if it had never stopped", () => {
    const served = new Recommender(OPTIONS);
    const events: LiveEvent[] = [];
    simulate(
      served,
      { viewers: 60, streamers: 40, days: 1, seed: 2 },
      {
        onEvent: (event) => events.push(event),
      },
    );
    const watch = events.findIndex(({ kind }, i) => kind === "watch" && i > events.length / 2);
    const original = new Recommender(OPTIONS);
    for (const event of events.slice(0, watch)) replay(original, event);
    const copy = Recommender.load(original.save(), { instance: "" });
    for (const event of events.slice(watch)) {
      replay(original, event);
      replay(copy, event);
    }
    expect(original.stats().transitions).toBeGreaterThan(10);
    expect(Buffer.from(copy.save()).equals(original.save())).toBe(true);
    for (const recommender of [served, original, copy]) recommender.dispose();
  });

  test("leaves out streams not on air, and takes a decision once", () => {
    const recommender = new Recommender(OPTIONS);
    for (let i = 0; i < 4; i++) recommender.feedback(numbered(i));
    const decision = { id: "theirs", user: "u", time: 1, slate: ["s2", "gone", "s0"] };
    recommender.recordDecision(decision);
    recommender.recordDecision(decision);
    expect(recommender.stats()).toMatchObject({ decisions: 0, pending: 1, unknownStreams: 1, duplicates: 1 });
    recommender.feedback({ kind: "click", time: 2, user: "u", stream: "s0", decision: "theirs" });
    recommender.feedback({ kind: "watch", time: 9, user: "u", stream: "s0", watchMs: 7, decision: "theirs" });
    recommender.recommend({ user: "u", now: 10, k: 1 });
    expect(recommender.stats()).toMatchObject({ transitions: 1, unknownDecisions: 0 });
    recommender.dispose();
  });

  test.each(["dqn-9007199254740991", "dqn--5", "dqn-", "dqn-1e3"])(
    "gives its own names to decisions after %s",
    (id) => {
      const recommender = new Recommender(OPTIONS);
      recommender.feedback(numbered(0));
      recommender.recordDecision({ id, user: "u", time: 1, slate: ["s0"] });
      const ids = [1, 2, 3].map((now) => recommender.recommend({ user: "v", now, k: 1 }).id);
      expect(ids).toEqual(["dqn-0", "dqn-1", "dqn-2"]);
      expect(recommender.stats().pending).toBe(2);
      recommender.dispose();
    },
  );

  test.each(["dqn-999999999999999", "dqn-9999999999999999", "dqn-1e3"])("knows its own decisions after %s", (id) => {
    const recommender = new Recommender(OPTIONS);
    recommender.feedback(numbered(0));
    recommender.recordDecision({ id, user: "v", time: 1, slate: ["s0"] });
    const own = recommender.recommend({ user: "u", now: 2, k: 1 });
    recommender.recommend({ user: "u", now: 3, k: 1 });
    recommender.feedback({ kind: "click", time: 4, user: "u", stream: "s0", decision: own.id });
    expect(recommender.stats()).toMatchObject({ late: 1, unknownDecisions: 0 });
    recommender.dispose();
  });

  test("refuses an invalid decision, unchanged", () => {
    const recommender = new Recommender(OPTIONS);
    recommender.feedback({ ...numbered(0), time: 1e9 });
    const before = Buffer.from(recommender.save());
    const good = { id: "d", user: "u", time: 1e9, slate: ["s0"] };
    expect(() => recommender.recordDecision({ ...good, slate: [""] })).toThrow(
      '"slate.0" must be a string of 1 to 256',
    );
    expect(() => recommender.recordDecision({ ...good, time: Number.NaN })).toThrow(EventError);
    const request = { user: "u", now: 2e9, k: 1 };
    for (const slate of [undefined, null, "s0", { map: () => [] }] as unknown as string[][]) {
      expect(() => recommender.distributions(request, slate)).toThrow('"slate" must be an array of ids, got');
    }
    expect(Buffer.from(recommender.save()).equals(before)).toBe(true);
    recommender.dispose();
  });
});

test("rank puts all in the order of its values, and remembers no decision", () => {
  const recommender = new Recommender({ ...OPTIONS, warmupUpdates: 0, explore: { epsilon: 1 } });
  for (let i = 0; i < 20; i++) recommender.feedback(numbered(i));
  const { slate, scores } = recommender.rank({ user: "u", now: 1, k: 20 });
  expect(new Set(slate).size).toBe(20);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  expect(recommender.rank({ user: "u", now: 1, k: 3 }).slate).toEqual(slate.slice(0, 3));
  expect(recommender.rank({ user: "u", now: 1, k: 5, candidates: ["s1", "x", "s7"] }).slate.sort()).toEqual([
    "s1",
    "s7",
  ]);
  expect(recommender.stats()).toMatchObject({ decisions: 0, pending: 0 });
  // Its next slate and scores are the same as without the call.
  const shown = recommender.recommend({ user: "u", now: 1, k: 20 });
  const values = new Map(slate.map((stream, i) => [stream, scores[i]]));
  expect(shown.scores).toEqual(shown.slate.map((stream) => values.get(stream)));
  recommender.dispose();
});

describe("parseDecision", () => {
  const whole = {
    id: "d",
    user: "u",
    time: 5,
    slate: ["a", "b"],
    propensities: [1, 0.5],
    scores: [2, -1],
    sources: ["friend", "popular"],
  };

  test("takes a decision with and without propensities", () => {
    expect(parseDecision(whole)).toEqual(whole);
    const { propensities: _p, scores: _s, sources: _o, ...rest } = whole;
    expect(parseDecision(rest)).toEqual(rest);
    expect(parseDecision({ ...rest, slate: [] }).slate).toEqual([]);
  });

  test.each([
    [5, "a decision must be an object, got 5"],
    [{ ...whole, id: "" }, '"id" must be a string of 1 to 256 characters, got ""'],
    [{ ...whole, slate: ["a", "a"] }, '"slate" must be an array of at most 65536 ids, each once'],
    [{ ...whole, slate: ["a", 3] }, '"slate.1" must be a string of 1 to 256 characters, got 3'],
    [{ ...whole, propensities: [1, 0] }, '"propensities.1" must be a finite number in (0, 1], got 0'],
    [{ ...whole, scores: [1] }, '"scores" must be an array of as many numbers as the slate has streams, got 1 for 2'],
    [
      { ...whole, sources: ["all"] },
      '"sources" must be an array of as many sources as the slate has streams, got 1 for',
    ],
    [
      { ...whole, sources: ["all", "fate"] },
      '"sources.1" must be one of favourite, friend, newest, similar, popular, all',
    ],
    [{ ...whole, k: 2 }, '"k" is not a field of a decision'],
  ])("refuses %o with the reason", (value, message) => {
    expect(() => parseDecision(value)).toThrow(message);
  });
});
