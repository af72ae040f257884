import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { HOUR, MINUTE } from "../../../src/protocol/time.js";
import { Watches } from "../../../src/recommender/state/index.js";

const about = { user: "u", stream: "s" };
const beat = (minute: number, minutes: number, more: { decision?: string; stream?: string; user?: string } = {}) =>
  ({ kind: "heartbeat", time: minute * MINUTE, ...about, watchMs: minutes * MINUTE, ...more }) as const;
const watch = (minute: number, minutes: number, more: { decision?: string } = {}) =>
  ({ kind: "watch", time: minute * MINUTE, ...about, watchMs: minutes * MINUTE, ...more }) as const;
const click = (minute: number) => ({ kind: "click", time: minute * MINUTE, ...about }) as const;

/** What a list of events comes to: for each watch the minute of its end, and its minutes. */
function settled(events: readonly LiveEvent[], watches = new Watches()): [end: number, minutes: number][] {
  return events
    .flatMap((event) => watches.settle(event))
    .flatMap((event) => (event.kind === "watch" ? [[event.time / MINUTE, event.watchMs / MINUTE]] : []));
}

describe("a running watch", () => {
  test("is replaced by its end, never added to it", () => {
    const watches = new Watches();
    expect(settled([beat(11, 1), beat(12, 2), watch(12.5, 2.5)], watches)).toEqual([[12.5, 2.5]]);
    expect([watches.size, watches.lostEnds, watches.stale, watches.late]).toEqual([0, 0, 0, 0]);
  });

  test("ends at its last heartbeat once none has come for the time-out, not before", () => {
    const watches = new Watches(5 * MINUTE);
    settled([beat(11, 1), beat(12, 2)], watches);
    expect(watches.expire(17 * MINUTE)).toEqual([]);
    expect(watches.expire(17 * MINUTE + 1)).toEqual([{ ...watch(12, 2) }]);
    expect([watches.size, watches.lostEnds]).toEqual([0, 1]);
  });

  test("goes on while heartbeats come, for hours", () => {
    const watches = new Watches();
    for (let minute = 1; minute <= 180; minute++) expect(settled([beat(minute, minute)], watches)).toEqual([]);
    expect(watches.leave("u")).toMatchObject([{ time: 3 * HOUR, watchMs: 3 * HOUR }]);
  });

  test("ends at the user's next request, and at nobody else's", () => {
    const watches = new Watches();
    settled([beat(11, 1, { decision: "d" }), beat(11, 1, { user: "v" })], watches);
    expect(watches.settleRequest("w", 12 * MINUTE)).toEqual([]);
    expect(watches.settleRequest("u", 12 * MINUTE)).toEqual([watch(11, 1, { decision: "d" })]);
    expect(watches.size).toBe(1);
  });

  test("ends where the user enters the stream anew, with or without a click", () => {
    expect(settled([beat(11, 1), beat(12, 2), click(13), beat(14, 1), watch(15, 2)])).toEqual([
      [12, 2],
      [15, 2],
    ]);
    expect(settled([beat(11, 1), beat(13, 3), beat(15, 1), watch(16, 2)])).toEqual([
      [13, 3],
      [16, 2],
    ]);
    // The end of a short visit after it, which sent no heartbeat.
    expect(settled([beat(13, 3), watch(15, 1)])).toEqual([
      [13, 3],
      [15, 1],
    ]);
    expect(settled([beat(13, 3, { decision: "a" }), beat(18, 5, { decision: "b" })])).toEqual([[13, 3]]);
  });

  test("keeps its time through a pause, in which heartbeats bring the same total", () => {
    expect(settled([beat(11, 1), beat(12, 1), beat(13, 1), beat(14, 2), watch(15, 3)])).toEqual([[15, 3]]);
  });

  test("is not ended by a click that comes late", () => {
    const watches = new Watches();
    settled([beat(11, 1)], watches);
    expect(watches.take({ ...click(10), time: 11 * MINUTE }, 10 * MINUTE)).toEqual({ ended: [], isTaken: true });
    expect(watches.size).toBe(1);
  });
});

describe("what comes late", () => {
  test("is ignored and counted: heartbeats of less than is known, and after the end", () => {
    const watches = new Watches();
    expect(settled([beat(12, 2), beat(12, 1), watch(13, 3), beat(12, 2), beat(13, 3)], watches)).toEqual([[13, 3]]);
    expect([watches.stale, watches.size]).toEqual([3, 0]);
  });

  test("is ignored and counted: the end of a watch that has ended at its last heartbeat", () => {
    const watches = new Watches();
    settled([beat(12, 2, { decision: "d" })], watches);
    watches.leave("u");
    expect(settled([watch(13, 3), watch(99, 4, { decision: "d" }), beat(13, 3)], watches)).toEqual([]);
    expect([watches.late, watches.stale]).toEqual([2, 1]);
    // Entered again, the stream has a new watch, of the same decision too.
    expect(settled([click(100), watch(104, 4, { decision: "d" })], watches)).toEqual([[104, 4]]);
  });

  test("leaves platforms without heartbeats alone", () => {
    const watches = new Watches();
    expect(settled([watch(12, 2), watch(12.5, 2), watch(13, 9)], watches)).toEqual([
      [12, 2],
      [12.5, 2],
      [13, 9],
    ]);
    expect(watches.save().ended).toEqual([]);
  });
});

test("memory is bounded: beyond 8 watches of a user the one without a heartbeat for longest ends", () => {
  const watches = new Watches();
  const events = Array.from({ length: 20 }, (_, i) => beat(1 + i / 100, 1, { stream: `s${i}` }));
  expect(settled(events, watches)).toHaveLength(12);
  expect([watches.size, watches.lostEnds]).toEqual([8, 12]);
  for (let i = 0; i < 70_000; i++) watches.take(beat(2, 1, { user: `u${i}` }));
  expect(watches.size).toBe(65_536);
  expect(watches.save().ended.length).toBeLessThanOrEqual(65_536);
});

const event: fc.Arbitrary<LiveEvent> = fc
  .record({
    kind: fc.constantFrom("heartbeat", "heartbeat", "watch", "click"),
    step: fc.nat(8),
    user: fc.constantFrom("u", "v"),
    stream: fc.constantFrom("s", "t"),
    watchMs: fc.nat(20).map((n) => n * MINUTE),
    decision: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
  })
  .map(({ kind, step, watchMs, decision, ...more }) => {
    const event = { kind, time: step, ...more, ...(kind !== "click" && { watchMs }), ...(decision && { decision }) };
    return event as LiveEvent;
  });
const log = fc.array(event, { maxLength: 40, size: "max" }).map((events) => {
  let time = HOUR;
  for (const one of events) one.time = time += one.time * MINUTE;
  return events;
});

test("a heartbeat counts at most once, and each reported time at most once, whatever comes", () => {
  fc.assert(
    fc.property(log, (events) => {
      const watches = new Watches();
      const out = events.flatMap((one) => watches.settle(one));
      const count = (kind: string, of: readonly LiveEvent[]) => of.filter((one) => one.kind === kind).length;
      const left = watches.size;
      expect(count("watch", out)).toBe(count("watch", events) - watches.late + watches.lostEnds);
      expect(count("heartbeat", out)).toBe(count("heartbeat", events) - watches.stale);
      expect(watches.lostEnds + left).toBeLessThanOrEqual(count("heartbeat", events));
      // Every watch is one that was reported.
      const reported = new Set(
        events.map((one) => ("watchMs" in one ? `${one.user} ${one.stream} ${one.watchMs}` : "")),
      );
      for (const one of out) {
        if (one.kind === "watch") expect(reported).toContain(`${one.user} ${one.stream} ${one.watchMs}`);
      }
    }),
  );
});

test("saved and loaded in the middle, it continues the same, with the same bytes", () => {
  fc.assert(
    fc.property(log, log, (before, after) => {
      const original = new Watches();
      for (const one of before) original.settle(one);
      const copy = new Watches();
      const saved = JSON.stringify(original.save());
      copy.load(JSON.parse(saved));
      expect(JSON.stringify(copy.save())).toBe(saved);
      const start = before.at(-1)?.time ?? 0;
      const rest = after.map((one) => ({ ...one, time: one.time + start }));
      expect(rest.flatMap((one) => copy.settle(one))).toEqual(rest.flatMap((one) => original.settle(one)));
      expect(JSON.stringify(copy.save())).toBe(JSON.stringify(original.save()));
    }),
  );
});

test("forgets a user: running watches end uncounted, and no save names the user", () => {
  const watches = new Watches();
  settled([beat(1, 1), watch(2, 2), beat(2, 1, { stream: "t" }), beat(2, 1, { user: "v" })], watches);
  watches.forget("u");
  expect(watches.leave("u")).toEqual([]);
  expect(JSON.stringify(watches.save())).not.toContain('"u"');
  expect(watches.size).toBe(1);
});
