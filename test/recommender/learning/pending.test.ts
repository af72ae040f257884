import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import type { FeedbackEvent } from "../../../src/protocol/events.js";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/time.js";
import {
  type ClosedDecision,
  type NextState,
  Pending,
  type PendingDecision,
  type PendingOptions,
  PendingReader,
} from "../../../src/recommender/learning/pending.js";

/** A table that keeps what closes. */
function table(options: Partial<PendingOptions> = {}, deadline?: (user: string, since: number) => number) {
  const pending = new Pending(options, deadline);
  const closed: ClosedDecision[] = [];
  const keep = (more: readonly ClosedDecision[]) => void closed.push(...more);
  /** Returns whether a decision showed the stream. */
  const take = (event: FeedbackEvent, isCut = false) => {
    const shown = pending.find(event);
    const watch = event.kind === "watch" ? { watchMs: event.watchMs, isCut } : undefined;
    if (shown !== undefined) keep(pending.take(shown, event, watch));
    return shown !== undefined;
  };
  return {
    pending,
    closed,
    take,
    add: (decision: PendingDecision) => keep(pending.add(decision)),
    next: (user: string, state: NextState) => keep(pending.next(user, state)),
    expire: (now: number) => keep(pending.expire(now)),
    /** Each closed decision with its followers. */
    ids: () => closed.map(({ decision, followers }) => [decision, ...followers].map(({ id }) => id).join("+")),
  };
}

/** The text of each part that a save holds. */
function textsOf({ pending }: { pending: Pending }): Record<string, string> {
  const texts = pending.parts().map((part) => {
    const bytes = Buffer.concat([...part.chunks()]);
    expect(Buffer.concat([...part.chunks()]).equals(bytes)).toBe(true);
    part.release();
    return [part.name, bytes.toString(part.name === "pending" ? "hex" : "utf8")];
  });
  return Object.fromEntries(texts);
}

/** Loads what `textsOf` gave. */
function loadTexts({ pending }: { pending: Pending }, texts: Record<string, string>, dropped: number): void {
  const reader = new PendingReader();
  for (const [name, readerOf] of reader.readers) {
    const bytes = Buffer.from(texts[name]!, name === "pending" ? "hex" : "utf8");
    const part = readerOf(bytes.length);
    for (let at = 0; at < bytes.length; at += 997) part.write(bytes.subarray(at, at + 997));
    part.end();
  }
  const { entries, deadlines } = reader;
  pending.load({ entries, deadlines, dropped }, (length) => reader.take(length));
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

function click(stream: string, decision?: string, time = 0): FeedbackEvent {
  return { kind: "click", time, user: "u", stream, ...(decision ? { decision } : {}) };
}

function watch(stream: string, watchMs: number, decision?: string, time = 1 + watchMs): FeedbackEvent {
  return { kind: "watch", time, user: "u", stream, watchMs, ...(decision ? { decision } : {}) };
}

describe("a decision", () => {
  test("closes at the user's next request, which is its next state", () => {
    const on = table();
    on.add(decision("d", 1));
    on.next("somebody else", state(2));
    expect(on.closed).toEqual([]);
    on.next("u", state(3));
    expect(on.ids()).toEqual(["d"]);
    expect(on.closed[0]!.decision).toMatchObject({ time: 1, next: state(3), seen: undefined });
    expect(on.pending.size).toBe(0);
  });

  test("keeps the actions in each of its streams", () => {
    const on = table();
    on.add(decision("d", 1));
    on.take(click("s2", "d"));
    on.take(watch("s2", 20 * MINUTE, "d"));
    on.take({ kind: "like", time: 0, user: "u", stream: "s0" });
    on.next("u", state(30 * MINUTE));
    expect(on.closed[0]!.decision.outcomes).toMatchObject([
      { clicked: true, waits: false, watchMs: undefined, likes: 1 },
      { clicked: false, likes: 0 },
      { clicked: true, watchMs: 20 * MINUTE, cut: false },
    ]);
  });

  test("holds a watch no longer than the time since, and is no bounce when that is short", () => {
    const on = table();
    on.add(decision("d", MINUTE));
    for (let i = 0; i < 1000; i++) on.take({ ...watch("s0", 60 * MINUTE, "d"), time: MINUTE + i });
    on.take({ ...watch("s1", 60 * MINUTE, "d"), time: 11 * MINUTE });
    on.take({ ...watch("s2", 10_000, "d"), time: MINUTE });
    on.next("u", state(30 * MINUTE));
    expect(on.closed[0]!.decision.outcomes).toMatchObject([
      { watchMs: 999, cut: true },
      { watchMs: 10 * MINUTE, cut: true },
      { watchMs: 10_000, cut: false },
    ]);
  });

  test("knows which streams were seen, once the platform reports impressions", () => {
    const on = table();
    on.add(decision("d", 1));
    on.take({ kind: "impression", time: 1, user: "u", stream: "s1", decision: "d" });
    on.next("u", state(2));
    expect(on.closed[0]!.decision.seen).toEqual([false, true, false]);
  });

  test("waits for the end of a watch in another tab, and keeps its own next state", () => {
    const on = table();
    on.add(decision("a", 1));
    on.take(click("s0", "a"));
    on.next("u", state(MINUTE));
    on.add(decision("b", MINUTE));
    on.next("u", state(2 * MINUTE));
    expect(on.ids()).toEqual(["b"]);
    on.take(watch("s0", 10 * MINUTE, "a"));
    expect(on.ids()).toEqual(["b", "a"]);
    expect(on.closed[1]!.decision.next).toEqual(state(MINUTE));
    expect(on.pending.size).toBe(0);
  });

  test("is the latest that showed the stream to this user, for feedback that names none", () => {
    const on = table();
    on.add(decision("old", 1));
    on.take(click("s2", "old"));
    on.next("u", state(2));
    on.add(decision("new", 2, 2));
    expect(on.take(watch("s1", MINUTE))).toBe(true);
    expect(on.take(watch("s2", MINUTE))).toBe(true);
    expect(on.take(watch("s9", MINUTE))).toBe(false);
    expect(on.take({ kind: "click", time: 0, user: "other", stream: "s1" })).toBe(false);
    expect(on.ids()).toEqual(["old"]);
  });

  test("of a forgotten user yields nothing, and no save names the user", () => {
    const on = table();
    on.add(decision("d", 1));
    on.pending.forget("u");
    expect(JSON.stringify(textsOf(on))).not.toContain('"u\\"');
    on.next("u", state(2));
    on.expire(100 * DAY);
    expect([on.closed.length, on.pending.size]).toEqual([0, 0]);
  });
});

describe("a user who does not come back", () => {
  test("has left after the time-out, not before, and all decisions close in their order, the last without a next", () => {
    const on = table({ timeoutMs: 14 * DAY, nStep: 2 });
    on.add(decision("a", 1));
    on.take(click("s0", "a"));
    on.next("u", state(HOUR));
    on.add(decision("b", HOUR));
    on.take(click("s1", "b"));
    on.add(decision("other", HOUR, 3, "v"));
    on.expire(14 * DAY + HOUR - 1);
    expect(on.closed).toEqual([]);
    on.expire(14 * DAY + HOUR);
    // The watch of b is unknown: a does not sum it.
    expect(on.ids()).toEqual(["other", "a", "b"]);
    expect(on.closed.map(({ decision }) => decision.next?.time)).toEqual([undefined, HOUR, undefined]);
    expect(on.pending.size).toBe(0);
  });

  test("has left at the own deadline where that is earlier, at the time-out where it is later", () => {
    const habits: Record<string, number> = { daily: 4 * DAY, monthly: 100 * DAY };
    const on = table({ timeoutMs: 14 * DAY }, (user, since) => since + habits[user]!);
    on.add(decision("d", 0, 3, "daily"));
    on.add(decision("m", 0, 3, "monthly"));
    on.expire(4 * DAY - 1);
    expect(on.ids()).toEqual([]);
    on.expire(4 * DAY);
    expect(on.ids()).toEqual(["d"]);
    on.expire(14 * DAY);
    expect(on.ids()).toEqual(["d", "m"]);
  });

  test("has not left while there are signs of presence", () => {
    let seen = 0;
    const on = table({}, (_, since) => Math.max(since, seen) + DAY);
    on.add(decision("d", 0));
    seen = 20 * HOUR;
    on.expire(DAY);
    on.expire(44 * HOUR - 1);
    expect(on.closed).toEqual([]);
    on.expire(44 * HOUR);
    expect(on.ids()).toEqual(["d"]);
  });
});

describe("a delay", () => {
  test("takes late purchases, and closes by itself when it is over", () => {
    const on = table({ delayMs: HOUR });
    on.add(decision("d", 0));
    on.take(watch("s1", 9000, "d"));
    on.next("u", state(MINUTE));
    on.expire(HOUR);
    expect(on.closed).toEqual([]);
    on.take({ kind: "purchase", time: HOUR, user: "u", stream: "s1", amount: 30, decision: "d" });
    on.expire(HOUR + MINUTE);
    expect(on.ids()).toEqual(["d"]);
    expect(on.closed[0]!.decision).toMatchObject({ next: state(MINUTE), outcomes: [{}, { purchases: 30 }, {}] });
  });

  test("that is over leaves a decision waiting for the end of its watch", () => {
    const on = table({ delayMs: MINUTE });
    on.add(decision("d", 0));
    on.take(click("s1", "d"));
    on.next("u", state(MINUTE));
    for (const minute of [1, 2, 3, 60]) on.expire(minute * MINUTE);
    expect(on.closed).toEqual([]);
    on.take(watch("s1", HOUR, "d"));
    expect(on.ids()).toEqual(["d"]);
  });

  test("of one decision ends before that of the next", () => {
    const on = table({ delayMs: HOUR });
    for (let i = 0; i < 4; i++) {
      if (i > 0) on.next("u", state(i * 10 * MINUTE));
      on.add(decision(`d${i}`, i * 10 * MINUTE));
    }
    for (const [minute, closed] of [
      [69, 0],
      [70, 1],
      [79, 1],
      [80, 2],
      [90, 3],
      [600, 3],
    ] as const) {
      on.expire(minute * MINUTE);
      expect(on.ids(), `minute ${minute}`).toEqual(["d0", "d1", "d2"].slice(0, closed));
    }
  });
});

describe("several steps", () => {
  /** Shows d0, d1, ..., the next request ending each; stream s0 of some is entered. */
  function run(nStep: number, decisions: number, entered: readonly number[] = []) {
    const on = table({ nStep });
    for (let i = 0; i < decisions; i++) {
      if (i > 0) on.next("u", state(i));
      on.add(decision(`d${i}`, i));
      if (entered.includes(i)) on.take(click("s0", `d${i}`, i));
    }
    return on;
  }

  test("close a decision once those that its target sums have their next states, in order", () => {
    expect(run(1, 4).ids()).toEqual(["d0", "d1", "d2"]);
    expect(run(3, 6).ids()).toEqual(["d0+d1+d2", "d1+d2+d3", "d2+d3+d4"]);
  });

  test("wait for an open watch of any of them, and close in order once it has ended", () => {
    const on = run(3, 7, [3]);
    expect(on.ids()).toEqual(["d0+d1+d2"]);
    on.take(watch("s0", 4, "d3", 7));
    expect(on.ids()).toEqual(["d0+d1+d2", "d1+d2+d3", "d2+d3+d4", "d3+d4+d5"]);
  });

  test("are fewer at the end of a user who has left", () => {
    const on = run(3, 4);
    on.expire(30 * DAY);
    expect(on.ids()).toEqual(["d0+d1+d2", "d1+d2+d3", "d2+d3", "d3"]);
    expect(on.closed.map(({ decision, followers }) => (followers.at(-1) ?? decision).next?.time)).toEqual([
      3,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("memory", () => {
  test("holds a bounded number of decisions, and drops the oldest unlearned", () => {
    const on = table({ decisions: 10 });
    for (let i = 0; i < 25; i++) on.add(decision(`d${i}`, i, 2, `u${i}`));
    expect([on.pending.size, on.pending.dropped, on.closed.length]).toEqual([10, 15, 0]);
    expect(on.pending.has("d14")).toBe(false);
    expect(on.pending.has("d15")).toBe(true);
  });

  test("full, closes and does not drop what waits for a watch or a delay alone", () => {
    const on = table({ decisions: 10, delayMs: DAY });
    for (let i = 0; i < 25; i++) {
      if (i > 0) on.next("u", state(i));
      on.add(decision(`d${i}`, i, 2));
    }
    expect(on.pending.dropped).toBe(0);
    expect(on.ids().slice(0, 3)).toEqual(["d0", "d1", "d2"]);
    expect(on.closed.length + on.pending.size).toBe(25);
  });

  test("holds a bounded number of open tabs of a user", () => {
    const on = table();
    for (let i = 0; i < 50; i++) {
      on.next("u", state(i));
      on.add(decision(`d${i}`, i));
      on.take(click("s0", `d${i}`));
    }
    expect(on.pending.size).toBeLessThan(12);
  });

  test("has one deadline for each user with decisions, however many come", () => {
    const on = table({ delayMs: MINUTE });
    for (let i = 0; i < 1000; i++) {
      const user = `u${i % 3}`;
      on.expire(i * HOUR);
      on.next(user, state(i * HOUR));
      on.add(decision(`d${i}`, i * HOUR, 2, user));
    }
    const deadlines = textsOf(on)["deadlines"]!.trim().split("\n");
    expect(deadlines.map((line) => JSON.parse(line).user).sort()).toEqual(["u0", "u1", "u2"]);
  });

  test.each<Partial<PendingOptions>>([
    {},
    { delayMs: 40 * MINUTE },
    { nStep: 3 },
    { nStep: 4, delayMs: 10 * MINUTE, decisions: 30 },
  ])("saved and loaded in the middle, with %o, it continues the same", (options) => {
    const deadline = (user: string, since: number) => since + (1 + Number(user.slice(1))) * HOUR;
    const act = (on: ReturnType<typeof table>, random: Random, from: number) => {
      for (let i = from; i < from + 300; i++) {
        const [user, time] = [`u${random.below(6)}`, i * 5 * MINUTE];
        on.expire(time);
        on.next(user, { ...state(time), ...(random.bernoulli(0.3) && { lateness: random.uniform(), slate: 2 }) });
        on.add({ ...decision(`d${i}`, time, 3, user), ...(random.bernoulli(0.3) && { times: random.below(3) }) });
        const about = { time: time + 1, user: `u${random.below(6)}`, stream: `s${random.below(3)}` };
        if (random.bernoulli(0.5)) on.take({ kind: "click", ...about });
        if (random.bernoulli(0.5)) on.take({ kind: "watch", watchMs: random.below(9 * MINUTE), ...about });
        if (random.bernoulli(0.2)) on.take({ kind: "gift", amount: 3, ...about });
        if (random.bernoulli(0.2)) on.take({ kind: "impression", ...about });
      }
    };
    const random = Random.named(1, "pending");
    const original = table(options, deadline);
    act(original, random, 0);
    const saved = textsOf(original);
    const copy = table(options, deadline);
    loadTexts(copy, saved, original.pending.dropped);
    expect(textsOf(copy)).toEqual(saved);
    const before = original.closed.length;
    const again = random.state();
    act(original, random, 300);
    random.restore(again);
    act(copy, random, 300);
    expect(copy.closed.length).toBeGreaterThan(100);
    expect(copy.closed).toEqual(original.closed.slice(before));
    expect(textsOf(copy)).toEqual(textsOf(original));
  });
});

test.each<Partial<PendingOptions>>([{}, { delayMs: 40 * MINUTE, decisions: 40 }, { nStep: 3 }])(
  "parts are those of one moment, whatever comes while they are read, with %o",
  (options) => {
    const on = table(options, (user, since) => since + (1 + Number(user.slice(1))) * HOUR);
    const random = Random.named(2, "pictures");
    let i = 0;
    const act = (steps: number) => {
      for (const end = i + steps; i < end; i++) {
        const [user, time] = [`u${random.below(9)}`, i * 5 * MINUTE];
        on.expire(time);
        if (random.bernoulli(0.3)) on.next(user, state(time));
        on.add({ ...decision(`d${i}`, time, 3, user), observation: new Float32Array(2000).fill(i) });
        const about = { time: time + 1, user: `u${random.below(9)}`, stream: `s${random.below(3)}` };
        on.take({ kind: "click", ...about });
        if (random.bernoulli(0.5)) on.take({ kind: "watch", watchMs: random.below(9 * MINUTE), ...about });
        if (random.bernoulli(0.5)) on.take({ kind: "impression", ...about });
        if (random.bernoulli(0.1)) on.pending.forget(`u${random.below(9)}`);
      }
    };
    act(100);
    for (let round = 0; round < 4; round++) {
      const expected = textsOf(on);
      const parts = on.pending.parts();
      const before = on.pending.size;
      expect(before).toBeGreaterThan(3);
      for (let pass = 0; pass < 2; pass++) {
        for (const part of parts) {
          const chunks: Uint8Array[] = [];
          for (const chunk of part.chunks()) {
            chunks.push(chunk);
            act(random.below(12));
          }
          const text = Buffer.concat(chunks).toString(part.name === "pending" ? "hex" : "utf8");
          expect(text === expected[part.name], `${part.name}, round ${round}, pass ${pass}`).toBe(true);
        }
      }
      for (const part of parts) part.release();
    }
  },
);

test("refuses options out of their range", () => {
  expect(() => table({ decisions: 0 })).toThrow('"pending.decisions" must be an integer >= 1, got 0');
  expect(() => table({ nStep: 17 })).toThrow('"pending.nStep" must be an integer in [1, 16], got 17');
  expect(() => new Pending({ gamma: 0.5 } as object)).toThrow('"pending.gamma" is not an option');
});
