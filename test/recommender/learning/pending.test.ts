import { describe, expect, test } from "vitest";
import {
  type DenseTransition,
  type NextState,
  Pending,
  type PendingDecision,
  type PendingOptions,
} from "../../../src/recommender/learning/pending.js";
import { Reward } from "../../../src/recommender/learning/reward.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const REWARD = new Reward({ click: 1, watch: 1, transform: "linear", bounce: 1 });

/** A table whose transitions are kept: by the first feature of the candidate, which is the number of the stream. */
function table(options: Partial<PendingOptions> = {}, admits?: (user: string) => boolean) {
  const seen: (DenseTransition & { stream: number })[] = [];
  const emit = (t: DenseTransition) => seen.push({ ...t, stream: t.candidate[0]! });
  const pending = new Pending(REWARD, emit, { evidence: "examined", ...options }, admits);
  return { pending, seen, streams: () => seen.map((transition) => transition.stream) };
}

/** Shows streams s0, s1, ...; candidate rows have two features. */
function decision(id: string, time: number, k = 3, user = "u"): PendingDecision {
  const numbers = Array.from({ length: k }, (_, i) => i);
  return {
    id,
    user,
    time,
    slate: numbers.map((i) => `s${i}`),
    observation: Float32Array.of(time),
    candidates: Float32Array.from(numbers.flatMap((i) => [i, 7])),
  };
}

function next(time: number): () => NextState {
  return () => ({ time, observation: Float32Array.of(time), candidates: Float32Array.of(5, 5) });
}

type Feedback = Parameters<Pending["take"]>[0];

function click(stream: string, decision?: string): Feedback {
  return { kind: "click", time: 0, user: "u", stream, ...(decision ? { decision } : {}) };
}

function watch(stream: string, watchMs: number, decision?: string): Feedback {
  return { kind: "watch", time: 1 + watchMs, user: "u", stream, watchMs, ...(decision ? { decision } : {}) };
}

describe("a decision", () => {
  test("closes at the user's next request, which is its next state", () => {
    const { pending, seen } = table();
    pending.add(decision("d", 1));
    pending.next("somebody else", next(2));
    expect(seen).toEqual([]);
    pending.next("u", next(3));
    expect(seen.length).toBe(3);
    for (const transition of seen) {
      expect(transition).toMatchObject({ reward: 0, terminated: false });
      expect(transition.observation[0]).toBe(1);
      expect(transition.nextObservation[0]).toBe(3);
      expect([...(transition.nextCandidates as Float32Array)]).toEqual([5, 5]);
    }
    expect(pending.size).toBe(0);
  });

  test("rewards what was done with the stream it was done with", () => {
    const { pending, seen } = table();
    pending.add(decision("d", 1));
    pending.take(click("s2", "d"), false);
    pending.take(watch("s2", 20 * MINUTE, "d"), false);
    pending.take({ kind: "like", time: 0, user: "u", stream: "s0" }, false);
    pending.next("u", next(30 * MINUTE));
    expect(seen.map(({ stream, reward }) => [stream, reward])).toEqual([
      [0, 0.2],
      [1, 0],
      [2, 3],
    ]);
  });

  test("a watch is worth no more than the time since the decision, and is no bounce when that is short", () => {
    const { pending, seen } = table();
    pending.add(decision("d", MINUTE));
    for (let i = 0; i < 1000; i++) pending.take({ ...watch("s0", 60 * MINUTE, "d"), time: MINUTE + i }, false);
    pending.take({ ...watch("s1", 60 * MINUTE, "d"), time: 11 * MINUTE }, false);
    pending.take({ ...watch("s2", 10_000, "d"), time: MINUTE }, false);
    pending.next("u", next(30 * MINUTE));
    const rewards = seen.map(({ reward }) => reward);
    expect(rewards[0]).toBeCloseTo(1 + 999 / MINUTE / 10, 12);
    expect(rewards[1]).toBeCloseTo(1 + 1, 12);
    expect(rewards[2]).toBeCloseTo(1 + 1 / 60, 12);
  });

  test("of a user who is admitted no more is dropped, and asks only when there is something to learn", () => {
    let asked = 0;
    const { pending, streams } = table({ evidence: "clicked" }, () => ++asked <= 2);
    for (let i = 1; i <= 4; i++) {
      pending.add(decision(`d${i}`, i));
      pending.take(watch("s1", MINUTE), false);
      pending.take(watch("s2", MINUTE), false);
      pending.add(decision(`ignored${i}`, i));
      pending.next("u", next(i));
    }
    expect([streams(), asked, pending.dropped]).toEqual([[1, 2, 1, 2], 4, 2]);
  });

  test("a stream below the last click is no evidence", () => {
    const { pending, streams } = table();
    pending.add(decision("d", 1));
    pending.take(click("s1"), false);
    pending.take(watch("s1", MINUTE), false);
    pending.next("u", next(2));
    expect(streams()).toEqual([0, 1]);
  });

  test("a stream that the platform did not show is no evidence, once it reports what it showed", () => {
    const { pending, streams } = table();
    pending.add(decision("d", 1));
    pending.take({ kind: "impression", time: 1, user: "u", stream: "s1", decision: "d" }, false);
    pending.next("u", next(2));
    expect(streams()).toEqual([1]);
  });

  test("by default only what was entered is learned from", () => {
    const { pending, streams } = table({ evidence: "clicked" });
    pending.add(decision("d", 1));
    pending.take(click("s1"), false);
    pending.take(watch("s1", MINUTE), false);
    pending.next("u", next(2));
    pending.add(decision("ignored", 2));
    pending.next("u", next(3));
    expect(streams()).toEqual([1]);
  });

  test("of a user who does not come back ends, and only then terminates", () => {
    const { pending, seen } = table({ timeoutMs: 14 * DAY });
    pending.add(decision("d", 1));
    pending.expire(14 * DAY);
    expect(seen).toEqual([]);
    pending.expire(14 * DAY + MINUTE);
    expect(seen.length).toBe(3);
    for (const transition of seen) {
      expect(transition).toMatchObject({ terminated: true, discount: 0 });
      expect(transition.nextCandidates!.length).toBe(0);
    }
  });

  test("a closed tab does not become a negative", () => {
    const { pending, streams } = table();
    pending.add(decision("d", 1));
    pending.take(click("s1"), false);
    pending.expire(15 * DAY);
    expect(streams()).toEqual([0]);
    expect(pending.untold).toBe(1);
  });

  test("a watch that the stream's end cut short does not become a negative", () => {
    const { pending, seen } = table();
    pending.add(decision("d", 1));
    pending.take(click("s0"), false);
    pending.take(watch("s0", 3000), true);
    pending.next("u", next(4000));
    expect(seen.length).toBe(1);
    expect(seen[0]!.reward).toBeGreaterThan(0);
  });

  test("waits for the end of a watch in another tab, and keeps its own next state", () => {
    const { pending, seen } = table();
    pending.add(decision("a", 1));
    pending.take(click("s0", "a"), false);
    pending.next("u", next(MINUTE));
    pending.add(decision("b", MINUTE));
    pending.next("u", next(2 * MINUTE));
    expect(seen.map((transition) => transition.observation[0])).toEqual([MINUTE, MINUTE, MINUTE]);
    pending.take(watch("s0", 10 * MINUTE, "a"), false);
    const late = seen.at(-1)!;
    expect(late).toMatchObject({ stream: 0, reward: 2 });
    expect(late.nextObservation[0]).toBe(MINUTE);
    expect(pending.size).toBe(0);
  });

  test("feedback without a decision goes to the latest that showed the stream to this user", () => {
    const { pending, seen } = table();
    pending.add(decision("old", 1));
    pending.take(click("s2", "old"), false);
    pending.next("u", next(2));
    pending.add(decision("new", 2, 2));
    expect(pending.take(watch("s1", MINUTE), false)).toBe(true);
    expect(pending.take(watch("s2", MINUTE), false)).toBe(true);
    expect(pending.take(watch("s9", MINUTE), false)).toBe(false);
    expect(pending.take({ kind: "click", time: 0, user: "other", stream: "s1" }, false)).toBe(false);
    expect(seen.map((transition) => transition.observation[0])).toEqual([1, 1, 1]);
  });

  test("of a forgotten user yields nothing", () => {
    const { pending, seen } = table();
    pending.add(decision("d", 1));
    pending.forget("u");
    pending.next("u", next(2));
    pending.expire(100 * DAY);
    expect([seen.length, pending.size]).toEqual([0, 0]);
  });
});

describe("the discount", () => {
  test.each([
    ["of a request at once is gamma", 0, 0, 0.9],
    ["counts the time away", DAY, 0, 0.81],
    ["does not count the watch", DAY, DAY, 0.9],
    ["of a watch longer than the gap is gamma", MINUTE, DAY, 0.9],
  ])("%s", (_, gap, watched, expected) => {
    const { pending, seen } = table({ gamma: 0.9, gapScaleMs: DAY });
    pending.add(decision("d", 1));
    if (watched > 0) pending.take(watch("s0", watched), false);
    pending.next("u", next(1 + gap));
    expect(seen[0]!.discount).toBeCloseTo(expected, 12);
  });

  test("without gamma is 0, and the end of a session is no termination", () => {
    const { pending, seen } = table({ gamma: 0 });
    pending.add(decision("d", 1));
    pending.next("u", next(5 * DAY));
    expect(seen[0]).toMatchObject({ discount: 0, terminated: false });
  });
});

describe("memory", () => {
  test("holds no more decisions than it may, and drops the oldest unlearned", () => {
    const { pending, seen } = table({ decisions: 10 });
    for (let i = 0; i < 25; i++) pending.add(decision(`d${i}`, i, 2, `u${i}`));
    expect([pending.size, pending.dropped, seen.length]).toEqual([10, 15, 0]);
    expect(pending.has("d14")).toBe(false);
    expect(pending.has("d15")).toBe(true);
  });

  test("holds no more open tabs of a user than it may", () => {
    const { pending } = table();
    for (let i = 0; i < 50; i++) {
      pending.next("u", next(i));
      pending.add(decision(`d${i}`, i));
      pending.take(click("s0", `d${i}`), false);
    }
    expect(pending.size).toBeLessThan(12);
  });

  test("saved and loaded, it goes on the same", () => {
    const original = table();
    original.pending.add(decision("a", 1));
    original.pending.take(click("s0", "a"), false);
    original.pending.next("u", next(5));
    original.pending.add(decision("b", 5));
    original.pending.take({ kind: "gift", time: 6, user: "u", stream: "s1", amount: 3 }, false);
    const floats: Float32Array[] = [];
    const saved = JSON.parse(JSON.stringify(original.pending.save(floats)));
    const copy = table();
    copy.pending.load(saved, Float32Array.from(floats.flatMap((array) => [...array])));
    for (const { pending } of [original, copy]) {
      pending.take(watch("s0", MINUTE, "a"), false);
      pending.next("u", next(9));
    }
    expect(copy.seen.length).toBe(4);
    expect(copy.seen).toEqual(original.seen);
  });
});

test("refuses options out of their range", () => {
  expect(() => table({ gamma: 1.5 })).toThrow('"pending.gamma" must be in [0, 1], got 1.5');
});
