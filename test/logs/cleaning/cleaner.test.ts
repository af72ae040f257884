import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CleanEventsOptions, cleanEvents, fitEventBounds, type QualityReport } from "../../../src/logs/index.js";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { cleanNaively, type TwinOptions } from "../../reference/cleaning.js";
import { all } from "../../support/pieces.js";

async function clean(events: readonly LiveEvent[], options: CleanEventsOptions = {}) {
  const cleaning = cleanEvents(events, options);
  return { events: await all(cleaning), report: cleaning.report };
}

const user = fc.constantFrom("u", "u", "v");
const stream = fc.constantFrom("s", "s", "t");
/** Few times and few ids, so that all meet all. */
const time = fc.oneof(fc.nat(15), fc.nat(100), fc.nat(1000)).map((n) => n * 500);
const id = fc.option(fc.constantFrom("1", "2", "3"), { nil: undefined, freq: 6 });
const base = { time, id };
const event: fc.Arbitrary<LiveEvent> = fc
  .oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("on_air"),
        ...base,
        stream,
        streamer: fc.constant("x"),
        category: fc.constant("c"),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("off_air", "update"), ...base, stream }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom("click", "impression", "like"), ...base, user, stream }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("watch"),
        ...base,
        user,
        stream,
        watchMs: fc.nat(60).map((n) => n * 1000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("gift"),
        ...base,
        user,
        stream,
        amount: fc.integer({ min: 1, max: 9 }),
      }),
    },
    fc.record({
      kind: fc.constant("purchase"),
      ...base,
      user,
      stream,
      amount: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({
      kind: fc.constant("signal"),
      ...base,
      user,
      stream,
      name: fc.constantFrom("stars", "help"),
      value: fc.integer({ min: -9, max: 9 }),
    }),
    fc.record({ kind: fc.constant("page_view"), ...base, user, dwellMs: fc.nat(90_000) }),
    fc.record({ kind: fc.constant("heartbeat"), ...base, user, stream, watchMs: fc.nat(60).map((n) => n * 1000) }),
    fc.record({ kind: fc.constantFrom("friend", "unfriend"), ...base, user, friend: user }),
  )
  .map((event) => {
    if (event.id === undefined) delete (event as { id?: unknown }).id;
    return event as LiveEvent;
  });
const events = fc.array(event, { maxLength: 60, size: "max" });

const twinOptions: fc.Arbitrary<TwinOptions> = fc.record({
  offAir: fc.constantFrom("drop", "keep"),
  graceMs: fc.constantFrom(0, 5000, 60_000),
  timeoutMs: fc.constantFrom(10_000, 60_000, 1e9),
  emptyWatch: fc.constantFrom("drop", "keep"),
  watchMaxMs: fc.constantFrom(30_000, 86_400_000),
  long: fc.constantFrom("clip", "drop"),
  giftAfterMs: fc.constantFrom(0, 10_000),
  giftGapMs: fc.constantFrom(0, 1000),
  userLimit: fc.constantFrom(0, 1, 3),
  pairLimit: fc.constantFrom(0, 1, 2),
  limitMs: fc.constantFrom(1000, 20_000),
  bounds: fc.constantFrom({}, { watchMs: 20_000, amount: 4, purchase: 3 }, { dwellMs: 1000 }),
});

/** Events of one moment in an order of their own: closures of one moment have none. */
function canonical(events: readonly LiveEvent[]): string[] {
  return events
    .map((event) => `${String(event.time).padStart(9)}${JSON.stringify(event, Object.keys(event).sort())}`)
    .sort();
}

function expectConserved({ read, kept, dropped, added, droppedBy, addedBy }: QualityReport, out: number): void {
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0);
  expect(kept + dropped).toBe(read);
  expect(sum(droppedBy)).toBe(dropped);
  expect(sum(addedBy)).toBe(added);
  expect(out).toBe(kept + added);
}

describe("cleaning events", () => {
  test("agrees with a naive twin under any options", async () => {
    const reasons = new Set<string>();
    await fc.assert(
      fc.asyncProperty(events, twinOptions, async (given, options) => {
        const { events: cleaned, report } = await clean(given, { ...options, latenessMs: 1e9 });
        const twin = cleanNaively(given, options);
        expect(canonical(cleaned)).toEqual(canonical(twin.kept));
        expect(report.added).toBe(twin.added);
        for (const reason of Object.keys({ ...report.droppedBy, ...report.changedBy, ...report.addedBy }))
          reasons.add(reason);
      }),
      { numRuns: 600, seed: 1 },
    );
    // Every rule has been at work.
    expect([...reasons].sort()).toEqual([
      "duplicate",
      "gift right after the click",
      "gifts too close",
      "id of another event",
      "id seen before",
      "longer than its stream",
      "off_air without on_air",
      "outlier",
      "rate limit",
      "stream never ended",
      "stream not on air",
      "too long",
      "update of a stream not on air",
      "watch of no time",
    ]);
  });

  test("emits events in order, without duplicates, all accounted for; a second cleaning changes nothing", async () => {
    const ordering = fc.record({
      latenessMs: fc.constantFrom(0, 5000, 1e6),
      late: fc.constantFrom("drop", "keep"),
      window: fc.constantFrom(30, 1000),
    });
    let late = 0;
    await fc.assert(
      fc.asyncProperty(events, twinOptions, ordering, async (given, twin, order) => {
        const options = { ...twin, ...order } as CleanEventsOptions;
        const before = JSON.stringify(given);
        const first = await clean(given, options);
        expect(JSON.stringify(given)).toBe(before);
        expectConserved(first.report, first.events.length);
        expect(first.events.every((event, i) => i === 0 || event.time >= first.events[i - 1]!.time)).toBe(true);
        const contents = first.events.map((e) => JSON.stringify(Object.entries(e).sort()));
        expect(new Set(contents).size).toBe(contents.length);
        late += (first.report.droppedBy["late"] ?? 0) + (first.report.changedBy["late"]?.["time"] ?? 0);
        const second = await clean(first.events, { ...options, window: 1000 });
        expect(second.events).toEqual(first.events);
        expect(second.report).toMatchObject({ dropped: 0, added: 0, changedBy: {} });
      }),
      { numRuns: 300, seed: 2 },
    );
    expect(late).toBeGreaterThan(300);
  });

  test("events that come late by less than is allowed are put in their places", async () => {
    const random = Random.named(1, "late");
    const ordered: LiveEvent[] = Array.from({ length: 2000 }, (_, i) => ({
      kind: "friend",
      time: i * 100,
      user: `u${i}`,
      friend: "f",
    }));
    const arrival = ordered.map((event) => ({ event, at: event.time + random.below(5000) }));
    arrival.sort((a, b) => a.at - b.at);
    const shuffled = arrival.map(({ event }) => event);
    const good = await clean(shuffled, { latenessMs: 5000 });
    expect(good.events).toEqual(ordered);
    const dropped = await clean(shuffled, { latenessMs: 1000 });
    expect(dropped.report.droppedBy["late"]).toBeGreaterThan(100);
    const kept = await clean(shuffled, { latenessMs: 1000, late: "keep" });
    expect(kept.report).toMatchObject({ kept: 2000, changedBy: { late: { time: dropped.report.droppedBy["late"] } } });
  });

  test("at most a window of events waits", async () => {
    const many: LiveEvent[] = Array.from({ length: 100 }, (_, i) => ({
      kind: "friend",
      time: 100 - i,
      user: `u${i}`,
      friend: "f",
    }));
    const { report } = await clean(many, { window: 10 });
    // Each is before all that wait, so that it goes out as soon as ten do.
    expect(report.kept).toBeGreaterThan(10);
    expect(report.droppedBy["late"]).toBe(100 - report.kept);
  });

  test("ids repeat within 15/16 of the window, and are forgotten beyond it", async () => {
    const like = (id: number, time: number): LiveEvent => ({
      kind: "like",
      id: `${id}`,
      time,
      user: "u",
      stream: `s${time}`,
    });
    const fresh = Array.from({ length: 200 }, (_, i) => like(i, i));
    const options: CleanEventsOptions = { window: 64, offAir: "keep" };
    const near = await clean([...fresh, like(140, 140)], options);
    expect(near.report.droppedBy).toEqual({ "id seen before": 1 });
    const far = await clean([...fresh, like(135, 135)], options);
    expect(far.report.dropped).toBe(0);
  });

  test("only the same event is a duplicate: other ids, amounts, pages and fields at one instant are other events", async () => {
    const on: LiveEvent = { kind: "on_air", time: 0, stream: "s", streamer: "a", category: "c" };
    const about = { time: 50_000, user: "u", stream: "s" };
    const gift: LiveEvent = { kind: "gift", ...about, amount: 1 };
    const view: LiveEvent = { kind: "page_view", time: 50_000, user: "u", dwellMs: 10, page: "a" };
    const update: LiveEvent = { kind: "update", time: 50_000, stream: "s", viewers: 5 };
    const user: LiveEvent = { kind: "user", time: 50_000, user: "u", age: 30 };
    const all: LiveEvent[] = [
      on,
      ...[1, 2, 3].map((i): LiveEvent => ({ kind: "comment", ...about, id: `m${i}` })),
      gift,
      { ...gift, amount: 500 },
      ...[1, 2].map((i): LiveEvent => ({ ...gift, id: `g${i}` })),
      ...Array.from({ length: 10 }, (_, i): LiveEvent => ({ ...gift, time: 50_000 + 100 * i, id: `c${i}` })),
      view,
      { ...view, page: "b" },
      update,
      { kind: "update", time: 50_000, stream: "s", title: "new" },
      user,
      { kind: "user", time: 50_000, user: "u", region: "de" },
    ];
    expect((await clean(all)).report).toMatchObject({ kept: all.length, dropped: 0 });
    const twice = await clean([
      ...all,
      gift,
      view,
      update,
      user,
      { ...gift, id: "g1" },
      { ...gift, id: "g1", amount: 9 },
    ]);
    expect(twice.report.droppedBy).toEqual({ duplicate: 4, "id seen before": 1, "id of another event": 1 });
    expect(twice.report.kept).toBe(all.length);
  });

  test("late duplicates are known by their own times", async () => {
    const act: LiveEvent = { kind: "like", time: 1, user: "u", stream: "s" };
    const later: LiveEvent[] = [5, 6, 7].map((time) => ({ kind: "like", time: time * 1e5, user: "v", stream: "s" }));
    const { report } = await clean([act, ...later, act], { late: "keep", offAir: "keep", latenessMs: 10 });
    expect(report).toMatchObject({ kept: 4, droppedBy: { duplicate: 1 } });
  });

  test("times out of range are dropped before they make others late", async () => {
    const good: LiveEvent = { kind: "friend", time: 5e5, user: "u", friend: "f" };
    const { report } = await clean([{ ...good, time: 4e12 }, good, { ...good, time: 1 }], { from: 100, to: 1e6 });
    expect(report).toMatchObject({ kept: 1, droppedBy: { "time out of range": 2 } });
  });

  test("ids with any characters are not taken for others", async () => {
    const like = (user: string, stream: string): LiveEvent => ({ kind: "like", time: 1, user, stream });
    const events = [like("a\nb", "c"), like("a", "b\nc"), like("1:a", "b"), like("1", ":ab"), like("1:", "ab")];
    expect((await clean(events, { offAir: "keep" })).report.kept).toBe(5);
  });

  test("measures the diversity of the log", async () => {
    const events: LiveEvent[] = [
      { kind: "on_air", time: 0, stream: "s", streamer: "ann", category: "chess" },
      { kind: "on_air", time: 0, stream: "t", streamer: "bob", category: "go" },
      { kind: "impression", time: 1000, user: "u", stream: "s" },
      { kind: "click", time: 2000, user: "u", stream: "s" },
      { kind: "click", time: 3000, user: "u", stream: "s" },
      { kind: "click", time: 4000, user: "v", stream: "s" },
      { kind: "update", time: 5000, stream: "s", category: "music" },
    ];
    const { report } = await clean(events);
    expect(report.open).toBe(2);
    expect(report.diversity).toEqual({
      users: 2,
      streams: 2,
      streamers: 2,
      categories: 3,
      events: { on_air: 2, impression: 1, click: 3, update: 1 },
      from: 0,
      to: 5000,
      repeatShare: 1 / 3,
      exposureGini: 0.5,
      exact: true,
    });
  });

  test("options are checked", () => {
    expect(() => cleanEvents([], { late: "hold" as "keep" })).toThrow('"late" must be "drop" or "keep", got "hold"');
    expect(() => cleanEvents([], { latenessMs: -1 })).toThrow('"latenessMs" must be a finite number >= 0, got -1');
    expect(() => cleanEvents([], { bounds: { watchMs: Number.NaN } })).toThrow(
      '"bounds.watchMs" must be a finite number > 0',
    );
    expect(() => cleanEvents([], { lateness: 1 } as object)).toThrow('"lateness" is not an option');
  });
});

describe("one event with a wrong time", () => {
  const T = 1.796e12;
  const WRONG = [
    T + 2 * 864e5,
    T + 365 * 864e5,
    1e15,
    1.796e15,
    1.796e18,
    8.64e15,
    9e15,
    1e300,
    Number.MAX_VALUE,
    0,
    1.796e9,
  ];

  test.each(WRONG)("at %d makes no other late, wherever it stands", async (time) => {
    // Each second event is 20 seconds late.
    const times = Array.from({ length: 40 }, (_, i) => T + 1000 * i - (i % 2 === 0 ? 0 : 20_000));
    const honest = times.map((at, i): LiveEvent => ({ kind: "page_view", time: at, user: "u", dwellMs: i + 1 }));
    const { events: expected } = await clean(honest);
    expect(expected).toHaveLength(40);
    for (const place of [0, 1, 2, 20, 38, 40]) {
      const wrong: LiveEvent = { kind: "page_view", time, user: "wrong", dwellMs: 1 };
      const { events, report } = await clean([...honest.slice(0, place), wrong, ...honest.slice(place)]);
      const others = events.filter((event) => !("user" in event) || event.user === "u");
      expect(others, `${place}`).toEqual(expected);
      expect(report.read).toBe(41);
    }
  });
});

describe("bounds of outliers", () => {
  const watches = Array.from(
    { length: 101 },
    (_, i): LiveEvent => ({ kind: "watch", time: i, user: "u", stream: "s", watchMs: i }),
  );

  test("are those of the quartiles, or of the deviation", async () => {
    expect(await fitEventBounds(watches)).toEqual({ watchMs: 75 + 1.5 * 50 });
    const z = await fitEventBounds(watches, { outliers: "z", factor: 2 });
    expect(z.watchMs).toBeCloseTo(50 + 2 * Math.sqrt((101 * 101 - 1) / 12), 9);
    expect(await fitEventBounds([])).toEqual({});
  });

  test("cut larger values, and are plain data", async () => {
    const bounds = JSON.parse(JSON.stringify(await fitEventBounds(watches)));
    const long: LiveEvent = { kind: "watch", time: 1, user: "u", stream: "s", watchMs: 1000 };
    const { events, report } = await clean([long], { bounds, offAir: "keep" });
    expect(events).toEqual([{ ...long, watchMs: 150 }]);
    expect(report.changedBy).toEqual({ outlier: { watchMs: 1 } });
  });
});
