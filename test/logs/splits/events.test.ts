import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutEventsAt, holdOutUserEvents, kFoldEvents } from "../../../src/logs/splits/events.js";
import type { LiveEvent } from "../../../src/recommender/index.js";

const seed = fc.nat(1000);

describe("logs of events", () => {
  const anyEvent = fc.oneof(
    fc.record({ kind: fc.constant("off_air" as const), stream: fc.constant("s") }),
    fc.record({ kind: fc.constant("click" as const), user: fc.constantFrom("a", "b", "c"), stream: fc.constant("s") }),
    fc.record({
      kind: fc.constant("friend" as const),
      user: fc.constantFrom("a", "d"),
      friend: fc.constantFrom("b", "e"),
    }),
  );
  const anyLog = fc
    .array(anyEvent, { maxLength: 30 })
    .map((events): LiveEvent[] => [
      ...events.map((event, time) => ({ ...event, time })),
      { kind: "click", time: 98, user: "a", stream: "s" },
      { kind: "click", time: 99, user: "z", stream: "s" },
    ]);

  test("are cut at instants", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(100), (events, instant) => {
        const [before, after] = cutEventsAt(events, [instant]);
        expect([...before!, ...after!]).toEqual(events);
        expect(before).toEqual(events.filter(({ time }) => time < instant));
      }),
    );
  });

  test("leave a friendship with a held-out user to the test", () => {
    const events: LiveEvent[] = ["a", "b"].map((user, time) => ({ kind: "click", time, user, stream: "s" }));
    events.push({ kind: "friend", time: 2, user: "a", friend: "b" });
    for (const { train, test } of kFoldEvents(events, 2, 1)) {
      expect(train.map(({ kind }) => kind)).toEqual(["click"]);
      expect(test.map(({ kind }) => kind)).toEqual(["click", "friend"]);
    }
  });

  test("share the events of streams, and no user", () => {
    fc.assert(
      fc.property(anyLog, seed, (events, seed) => {
        const splits = [...kFoldEvents(events, 2, seed), holdOutUserEvents(events, 0.3, seed)];
        for (const { train, test } of splits) {
          const people = new Set(train.flatMap((event) => ("user" in event ? [event.user] : [])));
          for (const event of test)
            if ("user" in event && event.kind !== "friend") expect(people).not.toContain(event.user);
          const onPlatform = events.filter((event) => !("user" in event));
          expect(train.filter((event) => !("user" in event))).toEqual(onPlatform);
          expect(test.filter((event) => !("user" in event))).toEqual(onPlatform);
          expect(train.length + test.length).toBe(events.length + onPlatform.length);
        }
        const [first, second] = splits.map(
          ({ test }) => new Set(test.flatMap((e) => (e.kind === "click" ? [e.user] : []))),
        );
        for (const user of first!) expect(second).not.toContain(user);
      }),
    );
  });
});
