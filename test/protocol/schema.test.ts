import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LiveEvent, OnAir } from "../../src/protocol/events.js";
import { EventError, isEvent, parseEvent, parseRequest } from "../../src/protocol/schema.js";

const EVENTS: LiveEvent[] = [
  { kind: "on_air", time: 0, stream: "s", streamer: "ann", category: "chess", tags: ["blitz"], title: "" },
  { kind: "update", time: 1, stream: "s", viewers: 12, category: "go" },
  { kind: "off_air", time: 2, stream: "s" },
  { kind: "impression", time: 3, user: "u", stream: "s", decision: "d", position: 0 },
  { kind: "click", time: 4, user: "u", stream: "s" },
  { kind: "watch", time: 5, user: "u", stream: "s", watchMs: 0 },
  { kind: "like", time: 6, user: "u", stream: "s" },
  { kind: "comment", time: 6, user: "u", stream: "s" },
  { kind: "share", time: 6, user: "u", stream: "s" },
  { kind: "follow", time: 6, user: "u", stream: "s" },
  { kind: "dislike", time: 6, user: "u", stream: "s" },
  { kind: "gift", time: 7, user: "u", stream: "s", amount: 0.5 },
  { kind: "purchase", time: 7, user: "u", stream: "s", amount: 0, decision: "d" },
  { kind: "signal", time: 7, user: "u", stream: "s", name: "stars", value: -4.5, decision: "d" },
  { kind: "rating", time: 7, user: "u", stream: "s", rating: 1, id: "r-1" },
  { kind: "page_view", time: 8, user: "u", dwellMs: 900, page: "front" },
  { kind: "user", time: 9, user: "u", age: 31, gender: "f", region: "NO", language: "no", device: "phone" },
  { kind: "friend", time: 9, user: "u", friend: "v" },
  { kind: "unfriend", time: 9, user: "u", friend: "v" },
  {
    kind: "on_air",
    time: 9,
    stream: "s",
    streamer: "ann",
    category: "chess",
    description: "d",
    language: "en",
    mature: false,
    embeddings: { text: [0.5, -1], audio: [3] },
  },
];

const watch = { kind: "watch", time: 1, user: "u", stream: "s", watchMs: 5 };
const signal = { kind: "signal", time: 1, user: "u", stream: "s", name: "stars", value: 1 };
const onAir = { kind: "on_air", time: 1, stream: "s", streamer: "ann", category: "chess" };

describe("events", () => {
  test.each(EVENTS)("accepts $kind and returns a copy", (event) => {
    const parsed = parseEvent(event);
    expect(parsed).toEqual(event);
    expect(parsed).not.toBe(event);
  });

  test("are copied before they are judged: a getter cannot change what was valid", () => {
    for (let good = 0; good < 8; good++) {
      let reads = 0;
      const text = new Proxy([1, 2], {
        get: (list, key) => (key === "0" && reads++ >= good ? Number.NaN : Reflect.get(list, key)),
      });
      const changing = {
        ...watch,
        get watchMs() {
          return reads++ < good ? 5 : Number.NaN;
        },
      };
      for (const event of [changing, { ...onAir, embeddings: { text } }]) {
        reads = 0;
        let parsed: unknown = watch;
        try {
          parsed = parseEvent(event);
        } catch (error) {
          expect(error).toBeInstanceOf(EventError);
        }
        expect(JSON.stringify(parsed)).not.toContain("null");
      }
    }
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])("have no field named %s", (field) => {
    // From JSON: in source text `__proto__` would set the prototype.
    const given = (value: object) => JSON.parse(JSON.stringify(value).replace(/}$/, `,${JSON.stringify(field)}:1}`));
    expect(Object.keys(given(watch))).toContain(field);
    expect(isEvent(given(watch))).toBe(false);
    expect(() => parseEvent(given(watch))).toThrow(`"${field}" is not a field of an event`);
    const embeddings = given({ text: [1] });
    expect(() => parseEvent({ ...onAir, embeddings })).toThrow(`"embeddings.${field}" is not a field of an event`);
    expect(() => parseRequest(given({ user: "u", now: 1, k: 1 }))).toThrow(`"${field}" is not a field of a request`);
  });

  test.each([
    [{ ...watch, watchMs: -5 }, '"watchMs" must be a finite number >= 0, got -5', "watchMs"],
    [{ ...watch, watchMs: "5" }, '"watchMs" must be a finite number >= 0, got "5"', "watchMs"],
    [{ ...watch, watchMs: undefined }, '"watchMs" must be a finite number >= 0, got undefined', "watchMs"],
    [{ ...watch, time: Number.NaN }, '"time" must be a finite number >= 0, got NaN', "time"],
    [{ ...watch, user: "" }, '"user" must be a string of 1 to 256 characters, got ""', "user"],
    [{ ...watch, seconds: 5 }, '"seconds" is not a field of an event', "seconds"],
    [{ ...onAir, tags: ["a", 5] }, '"tags.1" must be a string of 1 to 256 characters, got 5', "tags.1"],
    [{ ...onAir, tags: "a" }, '"tags" must be an array of at most 32 strings, got "a"', "tags"],
    [{ kind: "update", time: 1, stream: "s", viewers: 1.5 }, '"viewers" must be an integer >= 0, got 1.5', "viewers"],
    [
      { kind: "gift", time: 1, user: "u", stream: "s", amount: 0 },
      '"amount" must be a finite number > 0, got 0',
      "amount",
    ],
    [
      { kind: "purchase", time: 1, user: "u", stream: "s", amount: -1 },
      '"amount" must be a finite number >= 0, got -1',
      "amount",
    ],
    [{ ...signal, name: "" }, '"name" must be a string of 1 to 64 characters, got ""', "name"],
    [{ ...signal, name: "n".repeat(65) }, '"name" must be a string of 1 to 64 characters, got "nnnnn', "name"],
    [{ ...signal, value: 2e9 }, '"value" must be a finite number in [-1000000000, 1000000000], got 2000', "value"],
    [{ ...signal, value: -Infinity }, '"value" must be a finite number in', "value"],
    [
      { ...onAir, embeddings: { text: [1, Number.NaN] } },
      '"embeddings.text.1" must be a finite number in [-1000000, 1000000], got NaN',
      "embeddings.text.1",
    ],
    [{ ...onAir, embeddings: { video: [1] } }, '"embeddings.video" is not a field of an event', "embeddings.video"],
    [{ ...onAir, mature: 1 }, '"mature" must be true or false, got 1', "mature"],
    [
      { kind: "rating", time: 1, user: "u", stream: "s", rating: 5 },
      '"rating" must be a finite number in [0, 1], got 5',
      "rating",
    ],
    [
      { kind: "friend", time: 1, user: "u" },
      '"friend" must be a string of 1 to 256 characters, got undefined',
      "friend",
    ],
    [null, "an event must be an object, got null", ""],
  ])("refuses %o with the reason", (value, message, field) => {
    expect(() => parseEvent(value)).toThrow(message);
    try {
      parseEvent(value);
    } catch (error) {
      expect(error).toBeInstanceOf(EventError);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as EventError).field).toBe(field);
    }
  });

  test("refuses an unknown kind and names the known ones", () => {
    expect(() => parseEvent({ kind: "wink", time: 1 })).toThrow(
      /"kind" must be one of on_air, .*, unfriend, got "wink"/,
    );
  });

  test("any value becomes an event or an EventError", () => {
    const kinds = fc.constantFrom(...EVENTS.map((event) => event.kind), "other");
    const noise = fc.record({ kind: kinds, time: fc.anything(), user: fc.anything(), stream: fc.string() });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), noise), (value) => {
        try {
          expect(EVENTS.map((event) => event.kind)).toContain(parseEvent(value).kind);
        } catch (error) {
          expect(error).toBeInstanceOf(EventError);
          expect((error as Error).message.length).toBeLessThan(400);
        }
      }),
    );
  });
});

describe("the quick check of events", () => {
  /** An instance of a class, which the quick check leaves to the schema. */
  class Slow {}

  function verdict(parse: () => LiveEvent): LiveEvent | string {
    try {
      return { ...parse() };
    } catch (error) {
      return (error as Error).message;
    }
  }

  test.each(EVENTS)("knows $kind", (event) => {
    expect(isEvent(event)).toBe(true);
    expect(isEvent(Object.assign(new Slow(), event))).toBe(false);
  });

  test("agrees with the schema on events with a field removed, changed or added", () => {
    const value = fc.oneof(
      fc.anything({ withSparseArray: true, withNullPrototype: true }),
      fc.constantFrom<unknown>("", "x", "x".repeat(256), "x".repeat(257), "x".repeat(1025), "x".repeat(16_385)),
      fc.constantFrom<unknown>(0, -0, 1, 1.5, -1, 150, 151, 5e-324, 1e308, Number.NaN, Infinity, 2 ** 53, true),
      fc.constantFrom<unknown>([], ["a"], ["a", 1], new Array(33).fill("a"), new Array(2), {}, { text: [1] }),
      fc.constantFrom<unknown>({ text: [] }, { audio: [1e6, -1e6] }, { image: [1e6 + 1] }, { video: [1] }),
    );
    const field = fc.constantFrom(...new Set(EVENTS.flatMap((event) => Object.keys(event))), "other", "toString");
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...EVENTS), field, fc.option(value, { nil: undefined }), (event, field, value) => {
        const changed: Record<string, unknown> = { ...event, [field]: value };
        if (value === undefined) delete changed[field];
        const quick = verdict(() => parseEvent(changed));
        expect(quick).toEqual(verdict(() => parseEvent(Object.assign(new Slow(), changed))));
        if (isEvent(changed)) accepted++;
        if (typeof quick === "object") expect(isEvent(quick)).toBe(true);
      }),
      { numRuns: 3000, seed: 1 },
    );
    expect(accepted).toBeGreaterThan(300);
  });

  test("gives copies of lists too", () => {
    const event = EVENTS.find((one) => one.kind === "on_air" && one.embeddings)!;
    const given = { ...event, tags: ["a"] };
    const parsed = parseEvent(given) as OnAir;
    expect(parsed).toEqual(given);
    expect(parsed.tags).not.toBe(given.tags);
    expect(parsed.embeddings!.text).not.toBe((event as OnAir).embeddings!.text);
  });

  test("sees through a field that is not enumerable, a hole and an inherited field", () => {
    const hidden = Object.defineProperty({ kind: "off_air", time: 1 }, "stream", { value: 5 });
    expect(isEvent(hidden)).toBe(false);
    expect(isEvent({ ...onAir, tags: new Array(1) })).toBe(false);
    expect(isEvent(Object.create(watch))).toBe(false);
  });
});

describe("requests", () => {
  test("accepts one with and without candidates", () => {
    expect(parseRequest({ user: "u", now: 1, k: 3 })).toEqual({ user: "u", now: 1, k: 3 });
    expect(parseRequest({ user: "u", now: 1, k: 3, candidates: ["a"] }).candidates).toEqual(["a"]);
  });

  test.each([
    [{ user: "u", now: 1, k: 1, explain: 0 }, '"explain" must be true, false or an integer >= 1, got 0'],
    [{ user: "u", now: 1, k: 1, explain: 1.5 }, '"explain" must be true, false or an integer >= 1, got 1.5'],
    [{ user: "u", now: 1, k: 1, explain: "yes" }, '"explain" must be true, false or an integer >= 1, got "yes"'],
    [{ user: "u", now: 1, k: 1, explain: null }, '"explain" must be true, false or an integer >= 1, got null'],
    [{ user: "u", now: 1, k: 0 }, '"k" must be an integer >= 1, got 0'],
    [{ user: "u", now: Number.POSITIVE_INFINITY, k: 1 }, '"now" must be a finite number >= 0, got Infinity'],
    [{ user: "u", now: 1, k: 1, candidates: ["a", ""] }, '"candidates.1" must be a string of 1 to 256 characters'],
    [{ user: "u", now: 1, k: 1, slate: 3 }, '"slate" is not a field of a request'],
  ])("refuses %o with the reason", (value, message) => {
    expect(() => parseRequest(value)).toThrow(message);
  });
});
