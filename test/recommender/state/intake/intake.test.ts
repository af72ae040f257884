import { describe, expect, test } from "vitest";
import type { LiveEvent } from "../../../../src/protocol/events.js";
import { takeEach } from "../../../../src/protocol/receipts.js";
import { EventError } from "../../../../src/protocol/schema.js";
import { DAY, MINUTE } from "../../../../src/protocol/time.js";
import { Recommender } from "../../../../src/recommender/recommender.js";
import { INTAKE_DEFAULTS, Intake } from "../../../../src/recommender/state/intake/intake.js";
import { onAir } from "../../../support/events.js";

const T = 1.796e12;
const about = { time: T, user: "u", stream: "s" };

/** Pairs of events at one instant that are two. */
const OTHERS: readonly [LiveEvent, LiveEvent][] = [
  [
    { kind: "gift", ...about, amount: 1 },
    { kind: "gift", ...about, amount: 500 },
  ],
  [
    { kind: "gift", ...about, amount: 1, id: "a" },
    { kind: "gift", ...about, amount: 1, id: "b" },
  ],
  [
    { kind: "comment", ...about, id: "m1" },
    { kind: "comment", ...about, id: "m2" },
  ],
  [
    { kind: "comment", ...about },
    { kind: "comment", ...about, id: "m2" },
  ],
  [
    { kind: "page_view", time: T, user: "u", dwellMs: 10, page: "a" },
    { kind: "page_view", time: T, user: "u", dwellMs: 10, page: "b" },
  ],
  [
    { kind: "page_view", time: T, user: "u", dwellMs: 10 },
    { kind: "page_view", time: T, user: "u", dwellMs: 20 },
  ],
  [
    { kind: "update", time: T, stream: "s", viewers: 5 },
    { kind: "update", time: T, stream: "s", title: "new" },
  ],
  [
    { kind: "user", time: T, user: "u", age: 30 },
    { kind: "user", time: T, user: "u", region: "de" },
  ],
  [
    { kind: "signal", ...about, name: "a", value: 1 },
    { kind: "signal", ...about, name: "a", value: 2 },
  ],
  [
    { kind: "rating", ...about, rating: 0 },
    { kind: "rating", ...about, rating: 1 },
  ],
  [
    { kind: "watch", ...about, watchMs: 1 },
    { kind: "watch", ...about, watchMs: 2 },
  ],
  [
    { kind: "click", ...about, decision: "d1" },
    { kind: "click", ...about, decision: "d2" },
  ],
  [
    { kind: "friend", time: T, user: "u", friend: "v" },
    { kind: "unfriend", time: T, user: "u", friend: "v" },
  ],
];

describe("identity", () => {
  test.each(OTHERS)("%j and %j are two events, each of which comes once", (one, other) => {
    const intake = new Intake();
    expect([one, other, one, other].map((event) => intake.receive(event))).toEqual([
      ...["taken", "taken", "duplicate", "duplicate"],
    ]);
    expect(intake.counts).toMatchObject({ duplicates: 2, conflicts: 0 });
  });

  test("another content under a used id of a sender is refused and counted, and the honest event stays known", () => {
    const intake = new Intake();
    const first: LiveEvent = { kind: "click", ...about, id: "e" };
    expect(intake.receive(first)).toBe("taken");
    const forged: LiveEvent[] = [
      { ...first, time: T + 1 },
      { ...first, stream: "other" },
      { ...first, decision: "d" },
      { ...about, kind: "like", id: "e" },
      { ...about, kind: "dislike", id: "e" },
      { ...about, kind: "gift", amount: 1, id: "e" },
      { ...about, kind: "watch", watchMs: 1, id: "e" },
      { ...about, kind: "heartbeat", watchMs: 1, id: "e" },
      { kind: "page_view", time: T, user: "u", dwellMs: 1, id: "e" },
      { kind: "friend", time: T, user: "u", friend: "v", id: "e" },
    ];
    for (const event of forged) {
      expect(intake.receive(event)).toBeInstanceOf(EventError);
      expect(intake.receive(event)).toMatchObject({ field: "id" });
    }
    expect(intake.counts).toMatchObject({ conflicts: 20, duplicates: 0 });
    expect(intake.receive(first)).toBe("duplicate");
    for (const user of ["v", "w"]) expect(intake.receive({ ...first, user })).toBe("taken");
    expect(intake.receive({ kind: "off_air", time: T, stream: "s", id: "e" })).toBe("taken");
  });

  test("a window holds a batch of the largest size, and more", () => {
    const recommender = new Recommender({ seed: 1 });
    recommender.feedback(onAir("s", { time: T }), T);
    const batch = Array.from({ length: 10_000 }, (_, i): LiveEvent => {
      return { kind: "rating", time: T + i, user: "u", stream: "s", rating: 1, ...(i % 2 && { id: `g${i}` }) };
    });
    expect(new Set(takeEach(recommender, batch, T + 10_000))).toEqual(new Set(["taken"]));
    expect(new Set(takeEach(recommender, batch, T + 20_000))).toEqual(new Set(["duplicate"]));
    expect(recommender.profile("u")!.pairs[0]![1].ratings).toBe(10_000);
    const copy = Recommender.load(recommender.save());
    expect(new Set(takeEach(copy, batch, T + 30_000))).toEqual(new Set(["duplicate"]));
    expect(copy.stats().duplicates).toBe(20_000);
    for (const each of [recommender, copy]) each.dispose();
  });

  test("`seenEvents` is how many it knows: of more the latest", () => {
    const intake = new Intake({ ...INTAKE_DEFAULTS, seenEvents: 3 });
    const click = (i: number): LiveEvent => ({ kind: "click", ...about, time: T + i });
    for (let i = 0; i < 4; i++) intake.receive(click(i));
    expect([3, 2, 1, 0].map((i) => intake.receive(click(i)))).toEqual(["duplicate", "duplicate", "duplicate", "taken"]);
    for (const seenEvents of [0, 1.5, 1e7 + 1]) {
      expect(() => new Recommender({ seenEvents })).toThrow('"seenEvents" must be an integer in [1, 10000000]');
    }
  });

  test("a stream that goes on air, off and on again at one instant is on air", () => {
    const recommender = new Recommender({ seed: 1 });
    const on = onAir("s", { time: T });
    const off: LiveEvent = { kind: "off_air", time: T, stream: "s" };
    expect([on, on, off, off, on].map((event) => recommender.feedback(event, T))).toEqual([
      ...["taken", "duplicate", "taken", "duplicate", "taken"],
    ]);
    expect(recommender.stats()).toMatchObject({ onAir: 1, duplicates: 2 });
    recommender.dispose();
  });
});

test("a batch is answered event by event, whatever it mixes, and again when it comes again", () => {
  const recommender = new Recommender({ seed: 1 });
  const click = (time: number, id: string): LiveEvent => ({ kind: "click", time, user: "u", stream: "s", id });
  const batch: LiveEvent[] = [
    onAir("s", { time: T }),
    click(T, "1"),
    click(T + DAY, "2"),
    click(1e3 * T, "3"),
    click(T / 1e3, "4"),
    click(T - 2 * DAY, "5"),
    click(T, "1"),
    click(T + 1, "1"),
    click(T - DAY, "6"),
    click(T + 5 * MINUTE, "7"),
    { kind: "off_air", time: T - 1, stream: "s" },
  ];
  const said = (receipts: ReturnType<typeof takeEach>) =>
    receipts.map((receipt) => (receipt instanceof EventError ? receipt.field : receipt));
  const refused = ["time", "time", "time", "late"];
  expect(said(takeEach(recommender, batch, T))).toEqual([
    ...["taken", "taken", ...refused, "duplicate", "id", "taken", "taken", "taken"],
  ]);
  expect(recommender.stats()).toMatchObject({ ahead: 3, lateDropped: 1, duplicates: 1, conflicts: 1, onAir: 1 });
  expect(said(takeEach(recommender, batch, T + 1))).toEqual([
    ...["duplicate", "duplicate", ...refused, "duplicate", "id", "duplicate", "duplicate", "duplicate"],
  ]);
  expect(recommender.profile("u")!.session.clicks).toBe(3);
  recommender.dispose();
});

test.each([Number.NaN, -1, Infinity, "0", null])("refuses %j as the host's time, unchanged", (now) => {
  const recommender = new Recommender({ seed: 1 });
  const before = Buffer.from(recommender.save());
  expect(() => recommender.feedback(onAir("s"), now as number)).toThrow('"now" must be a finite number >= 0, got');
  expect(before.equals(recommender.save())).toBe(true);
  recommender.dispose();
});

test.each(["a\u0000b", "\u0000", "tab\t", "line\n", "\r", "\u001b[31m", "\u007f", "\u0080", "\u009f", "a\u0001"])(
  "%j is no name of anybody or anything",
  (name) => {
    const recommender = new Recommender({ seed: 1 });
    const fields = { user: "u", stream: "s", id: "e", decision: "d" };
    for (const field of Object.keys(fields)) {
      const event = { kind: "click", time: T, ...fields, [field]: name } as LiveEvent;
      expect(() => recommender.feedback(event)).toThrow(`"${field}" must be without control characters, got`);
    }
    const on = onAir("s", { streamer: name });
    expect(() => recommender.feedback(on)).toThrow('"streamer" must be without control characters');
    expect(() => recommender.recommend({ user: name, now: T, k: 1 })).toThrow('"user" must be without');
    expect(() => recommender.recordDecision({ id: name, user: "u", time: T, slate: [] })).toThrow(
      '"id" must be without',
    );
    expect(() => recommender.recordDecision({ id: "d", user: "u", time: T, slate: [name] })).toThrow(
      '"slate.0" must be',
    );
    recommender.dispose();
  },
);
