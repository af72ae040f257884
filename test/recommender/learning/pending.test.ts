import { describe, expect, test } from "vitest";
import type { FeedbackEvent } from "../../../src/protocol/events.js";
import { DAY, MINUTE } from "../../../src/protocol/time.js";
import {
  type ClosedDecision,
  type DenseTransition,
  type NextState,
  Pending,
  type PendingDecision,
  type PendingOptions,
} from "../../../src/recommender/learning/pending.js";
import { Reward } from "../../../src/recommender/learning/reward.js";

const REWARD = new Reward({ click: 1, watch: 1, transform: "linear", bounce: 1 });

/** A table that keeps its transitions by the first feature of the candidate, the number of the stream. */
function table({ gamma = 0.9, ...options }: Partial<PendingOptions> & { gamma?: number } = {}) {
  const seen: (DenseTransition & { stream: number })[] = [];
  const pending = new Pending(REWARD, gamma, { evidence: "examined", ...options });
  const keep = (closed: readonly ClosedDecision[]) => {
    for (const { transitions, times } of closed) {
      for (const t of transitions) for (let n = 0; n < times; n++) seen.push({ ...t, stream: t.candidate[0]! });
    }
  };
  /** Returns whether a decision showed the stream. */
  const take = (event: FeedbackEvent, isCut = false) => {
    const shown = pending.find(event);
    const watch = event.kind === "watch" ? { watchMs: event.watchMs, isCut } : undefined;
    if (shown !== undefined) keep(pending.take(shown, event, watch));
    return shown !== undefined;
  };
  const add = (decision: PendingDecision) => keep(pending.add(decision));
  const next = (user: string, state: NextState) => keep(pending.next(user, state));
  const expire = (now: number) => keep(pending.expire(now));
  return { pending, seen, streams: () => seen.map((transition) => transition.stream), take, add, next, expire };
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

function state(time: number): NextState {
  return { time, observation: Float32Array.of(time), candidates: Float32Array.of(5, 5) };
}

function click(stream: string, decision?: string): FeedbackEvent {
  return { kind: "click", time: 0, user: "u", stream, ...(decision ? { decision } : {}) };
}

function watch(stream: string, watchMs: number, decision?: string): FeedbackEvent {
  return { kind: "watch", time: 1 + watchMs, user: "u", stream, watchMs, ...(decision ? { decision } : {}) };
}

describe("a decision", () => {
  test("closes at the user's next request, which is its next state", () => {
    const on = table();
    const { pending, seen } = on;
    on.add(decision("d", 1));
    on.next("somebody else", state(2));
    expect(seen).toEqual([]);
    on.next("u", state(3));
    expect(seen.length).toBe(3);
    for (const transition of seen) {
      expect(transition).toMatchObject({ reward: 0, terminated: false });
      expect(transition.observation[0]).toBe(1);
      expect(transition.nextObservation[0]).toBe(3);
      expect([...(transition.nextCandidates as Float32Array)]).toEqual([5, 5]);
    }
    expect(pending.size).toBe(0);
  });

  test("rewards each stream for the actions in it", () => {
    const on = table();
    const { seen } = on;
    on.add(decision("d", 1));
    on.take(click("s2", "d"));
    on.take(watch("s2", 20 * MINUTE, "d"));
    on.take({ kind: "like", time: 0, user: "u", stream: "s0" });
    on.next("u", state(30 * MINUTE));
    expect(seen.map(({ stream, reward }) => [stream, reward])).toEqual([
      [0, 0.2],
      [1, 0],
      [2, 3],
    ]);
  });

  test("a watch is worth no more than the time since the decision, and is no bounce when that is short", () => {
    const on = table();
    const { seen } = on;
    on.add(decision("d", MINUTE));
    for (let i = 0; i < 1000; i++) on.take({ ...watch("s0", 60 * MINUTE, "d"), time: MINUTE + i });
    on.take({ ...watch("s1", 60 * MINUTE, "d"), time: 11 * MINUTE });
    on.take({ ...watch("s2", 10_000, "d"), time: MINUTE });
    on.next("u", state(30 * MINUTE));
    const rewards = seen.map(({ reward }) => reward);
    expect(rewards[0]).toBeCloseTo(1 + 999 / MINUTE / 10, 12);
    expect(rewards[1]).toBeCloseTo(1 + 1, 12);
    expect(rewards[2]).toBeCloseTo(1 + 1 / 60, 12);
  });

  test("a stream below the last click is no evidence", () => {
    const on = table();
    const { streams } = on;
    on.add(decision("d", 1));
    on.take(click("s1"));
    on.take(watch("s1", MINUTE));
    on.next("u", state(2));
    expect(streams()).toEqual([0, 1]);
  });

  test("a stream that the platform did not show is no evidence, once it reports impressions", () => {
    const on = table();
    const { streams } = on;
    on.add(decision("d", 1));
    on.take({ kind: "impression", time: 1, user: "u", stream: "s1", decision: "d" });
    on.next("u", state(2));
    expect(streams()).toEqual([1]);
  });

  test("by default only entered streams become transitions", () => {
    const on = table({ evidence: "clicked" });
    const { streams } = on;
    on.add(decision("d", 1));
    on.take(click("s1"));
    on.take(watch("s1", MINUTE));
    on.next("u", state(2));
    on.add(decision("ignored", 2));
    on.next("u", state(3));
    expect(streams()).toEqual([1]);
  });

  test("of a user who does not come back ends, and only then terminates", () => {
    const on = table({ timeoutMs: 14 * DAY });
    const { seen } = on;
    on.add(decision("d", 1));
    on.expire(14 * DAY);
    expect(seen).toEqual([]);
    on.expire(14 * DAY + MINUTE);
    expect(seen.length).toBe(3);
    for (const transition of seen) {
      expect(transition).toMatchObject({ terminated: true, discount: 0 });
      expect(transition.nextCandidates!.length).toBe(0);
    }
  });

  test("a closed tab does not become a negative", () => {
    const on = table();
    const { pending, streams } = on;
    on.add(decision("d", 1));
    on.take(click("s1"));
    on.expire(15 * DAY);
    expect(streams()).toEqual([0]);
    expect(pending.unfinished).toBe(1);
  });

  test("a watch that the stream's end cut short does not become a negative", () => {
    const on = table();
    const { seen } = on;
    on.add(decision("d", 1));
    on.take(click("s0"));
    on.take(watch("s0", 3000), true);
    on.next("u", state(4000));
    expect(seen.length).toBe(1);
    expect(seen[0]!.reward).toBeGreaterThan(0);
  });

  test("waits for the end of a watch in another tab, and keeps its own next state", () => {
    const on = table();
    const { pending, seen } = on;
    on.add(decision("a", 1));
    on.take(click("s0", "a"));
    on.next("u", state(MINUTE));
    on.add(decision("b", MINUTE));
    on.next("u", state(2 * MINUTE));
    expect(seen.map((transition) => transition.observation[0])).toEqual([MINUTE, MINUTE, MINUTE]);
    on.take(watch("s0", 10 * MINUTE, "a"));
    const late = seen.at(-1)!;
    expect(late).toMatchObject({ stream: 0, reward: 2 });
    expect(late.nextObservation[0]).toBe(MINUTE);
    expect(pending.size).toBe(0);
  });

  test("feedback without a decision goes to the latest that showed the stream to this user", () => {
    const on = table();
    const { seen } = on;
    on.add(decision("old", 1));
    on.take(click("s2", "old"));
    on.next("u", state(2));
    on.add(decision("new", 2, 2));
    expect(on.take(watch("s1", MINUTE))).toBe(true);
    expect(on.take(watch("s2", MINUTE))).toBe(true);
    expect(on.take(watch("s9", MINUTE))).toBe(false);
    expect(on.take({ kind: "click", time: 0, user: "other", stream: "s1" })).toBe(false);
    expect(seen.map((transition) => transition.observation[0])).toEqual([1, 1, 1]);
  });

  test("of a forgotten user yields nothing", () => {
    const on = table();
    const { pending, seen } = on;
    on.add(decision("d", 1));
    pending.forget("u");
    on.next("u", state(2));
    on.expire(100 * DAY);
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
    const on = table({ gamma: 0.9, gapScaleMs: DAY });
    const { seen } = on;
    on.add(decision("d", 1));
    if (watched > 0) on.take(watch("s0", watched));
    on.next("u", state(1 + gap));
    expect(seen[0]!.discount).toBeCloseTo(expected, 12);
  });

  test("without gamma is 0, and the end of a session is no termination", () => {
    const on = table({ gamma: 0 });
    const { seen } = on;
    on.add(decision("d", 1));
    on.next("u", state(5 * DAY));
    expect(seen[0]).toMatchObject({ discount: 0, terminated: false });
  });
});

describe("memory", () => {
  test("holds a bounded number of decisions, and drops the oldest unlearned", () => {
    const on = table({ decisions: 10 });
    const { pending, seen } = on;
    for (let i = 0; i < 25; i++) on.add(decision(`d${i}`, i, 2, `u${i}`));
    expect([pending.size, pending.dropped, seen.length]).toEqual([10, 15, 0]);
    expect(pending.has("d14")).toBe(false);
    expect(pending.has("d15")).toBe(true);
  });

  test("holds a bounded number of open tabs of a user", () => {
    const on = table();
    const { pending } = on;
    for (let i = 0; i < 50; i++) {
      on.next("u", state(i));
      on.add(decision(`d${i}`, i));
      on.take(click("s0", `d${i}`));
    }
    expect(pending.size).toBeLessThan(12);
  });

  test("saved and loaded, it continues the same", () => {
    const original = table();
    original.add(decision("a", 1));
    original.take(click("s0", "a"));
    original.next("u", state(5));
    original.add(decision("b", 5));
    original.take({ kind: "gift", time: 6, user: "u", stream: "s1", amount: 3 });
    const floats: Float32Array[] = [];
    const saved = JSON.parse(JSON.stringify(original.pending.save(floats)));
    const copy = table();
    copy.pending.load(saved, Float32Array.from(floats.flatMap((array) => [...array])));
    for (const on of [original, copy]) {
      on.take(watch("s0", MINUTE, "a"));
      on.next("u", state(9));
    }
    expect(copy.seen.length).toBe(4);
    expect(copy.seen).toEqual(original.seen);
  });
});

test("refuses options out of their range", () => {
  expect(() => table({ decisions: 0 })).toThrow('"pending.decisions" must be an integer >= 1, got 0');
  expect(() => new Pending(REWARD, 0.9, { gamma: 0.5 } as object)).toThrow('"pending.gamma" is not an option');
});
