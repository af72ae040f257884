import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyQualityReport } from "../../../src/logs/basics/report.js";
import { parseIsoTime, parseNumber } from "../../../src/logs/basics/values.js";
import { type EventMapping, readCsv, readCsvEvents, readMapped, toCsv } from "../../../src/logs/index.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { latin1 } from "../../support/movielens.js";
import { all, cut, utf8 } from "../../support/pieces.js";

/** A field as RFC 4180 writes it; in quotes where it need not be, when asked. */
function quoted(field: string, always: boolean): string {
  return always || /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

describe("comma-separated records", () => {
  test("whatever is written reads back, wherever it is cut", async () => {
    const character = fc.constantFrom("a", "é", "😀", '"', ",", "\n", "\r\n", "\r", " ");
    const field = fc.array(character, { maxLength: 5 }).map((parts) => parts.join(""));
    const rows = fc.array(fc.array(field, { minLength: 3, maxLength: 3 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.boolean(),
        fc.constantFrom("\n", "\r\n"),
        fc.nat(1000),
        async (rows, always, end, seed) => {
          const filled = rows.filter((row) => always || row.some((field) => field !== ""));
          const lines = [["a", "b", "c"], ...filled].map((row) => row.map((field) => quoted(field, always)).join(","));
          const records = await all(readCsv(cut(utf8(lines.join(end)), seed)));
          expect(records).toEqual(filled.map(([a, b, c]) => ({ a, b, c })));
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });

  test("columns may be given, separators be others, bytes be latin-1", async () => {
    const options = { columns: ["x", "y"], separator: "::", encoding: "latin-1" } as const;
    expect(await all(readCsv(latin1("é::1\nü::2\n"), options))).toEqual([
      { x: "é", y: "1" },
      { x: "ü", y: "2" },
    ]);
  });

  test.each([
    ["a,b\n1\n", 'line 2: must have 2 fields separated by ",", got 1'],
    ["a,b\n1,2\n\n3,4,5\n", 'line 4: must have 2 fields separated by ",", got 3'],
    ['a,b\n1,"2', "line 2: must have an end to its quotes"],
    ['a,b\n1,"2"3\n', "line 2: must have a separator after the quotes of field 2"],
    ["a,a\n", 'columns must have names of their own, got "a" twice'],
  ])("refuses %j and says where", async (text, message) => {
    await expect(all(readCsv(text))).rejects.toThrow(message);
  });

  test("a quote that is never closed is refused at the limit, not held to the end", async () => {
    const text = `a,b\n1,"${"x\n".repeat(100)}`;
    await expect(all(readCsv(text, { maxLine: 50 }))).rejects.toThrow("must have at most 50 characters");
    const report = emptyQualityReport();
    const records = await all(readCsv('a,b\n1,2\n3\n4,"5"6\n7,8\n', { onError: "skip", report }));
    expect(records.map(({ a }) => a)).toEqual(["1", "7"]);
    expect(report.droppedBy).toEqual({ unreadable: 2 });
  });
});

describe("events in columns", () => {
  const mapping: EventMapping = {
    kind: { column: "what", values: { view: "watch", enter: "click" } },
    fields: {
      user: "uid",
      stream: "room|live",
      time: { column: "ts", unit: "s" },
      watchMs: { column: "minutes", scale: 60_000 },
    },
  };

  test("are mapped: kinds by value, seconds and minutes to milliseconds, dates, columns by one of two names", async () => {
    const text = "what,uid,live,ts,minutes\nenter,7,9,1.5,0\nview,7,9,1970-01-01T00:01:00Z,0.5\nlike,7,9,61,\n";
    expect(await all(readMapped(text, mapping))).toEqual([
      { kind: "click", user: "7", stream: "9", time: 1500 },
      { kind: "watch", user: "7", stream: "9", time: 60_000, watchMs: 30_000 },
      { kind: "like", user: "7", stream: "9", time: 61_000 },
    ]);
  });

  test("errors name line, field and value", async () => {
    const text = "what,uid,live,ts,minutes\nview,7,9,1,x\n";
    await expect(all(readMapped(text, mapping))).rejects.toThrow(
      'line 2: "watchMs" must be a number >= 0 or a duration as 01:23:45 or PT1H23M45S, got "x"',
    );
    await expect(all(readMapped("what,uid\n", mapping))).rejects.toThrow(
      'must have a column "room" or "live", got what, uid',
    );
    const report = emptyQualityReport();
    expect(await all(readMapped(text, mapping, { onError: "skip", report }))).toEqual([]);
    expect(report.examples).toEqual([
      'line 2: "watchMs" must be a number >= 0 or a duration as 01:23:45 or PT1H23M45S, got "x"',
    ]);
  });

  test("a mapping to an unknown field is refused before anything is read", async () => {
    const wrong = { kind: "click", fields: { watchMs: "w" } } as const;
    await expect(all(readMapped("", wrong))).rejects.toThrow('"fields.watchMs" is not a field of click');
    const kind = { kind: "wink" as "click", fields: {} };
    await expect(all(readMapped("", kind))).rejects.toThrow('"kind" must be one of on_air');
  });

  test("events of every kind read back as they were written", async () => {
    const id = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
    const common = { time: fc.double({ min: 0, max: 1e13, noNaN: true }) };
    const pair = { ...common, user: id, stream: id };
    const event = fc.oneof(
      fc.record({ kind: fc.constant("watch"), ...pair, watchMs: fc.double({ min: 0, max: 1e9, noNaN: true }) }),
      fc.record({ kind: fc.constantFrom("click", "like", "dislike"), ...pair }),
      fc.record({ kind: fc.constant("gift"), ...pair, amount: fc.double({ min: 1e-9, max: 1e9, noNaN: true }) }),
      fc.record({ kind: fc.constant("purchase"), ...pair, amount: fc.double({ min: 0, max: 1e9, noNaN: true }) }),
      fc.record({
        kind: fc.constant("signal"),
        ...pair,
        name: id,
        value: fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        decision: id,
      }),
      fc.record({ kind: fc.constantFrom("friend", "unfriend"), ...common, user: id, friend: id }),
      fc.record(
        {
          kind: fc.constant("on_air"),
          ...common,
          stream: id,
          streamer: id,
          category: id,
          tags: fc.array(id, { maxLength: 4 }),
          mature: fc.boolean(),
          embeddings: fc.record({ text: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 3 }) }),
        },
        { requiredKeys: ["kind", "time", "stream", "streamer", "category"] },
      ),
    ) as fc.Arbitrary<LiveEvent>;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 10 }), fc.nat(1000), async (events, seed) => {
        const text = (await all(toCsv(events))).join("");
        expect(await all(readCsvEvents(cut(utf8(text), seed, 50)))).toEqual(events);
      }),
      { numRuns: 150, seed: 1 },
    );
  });
});

describe("numbers and moments", () => {
  test.each([
    ["1970-01-02", 86_400_000],
    ["2019-06-30T23:45", Date.UTC(2019, 5, 30, 23, 45)],
    ["2019-11-24 00:01:03.979311+00:00", Date.UTC(2019, 10, 24, 0, 1, 3) + 979.311],
    ["2020-02-29T12:00:00+02:30", Date.UTC(2020, 1, 29, 9, 30)],
    ["2020-02-29T12:00:00.5-0100", Date.UTC(2020, 1, 29, 13) + 500],
    ["2019-02-29", Number.NaN],
    ["2019-13-01", Number.NaN],
    ["0050-01-01", Number.NaN],
    ["2019-01-01T24:00", Number.NaN],
    ["01/02/2019", Number.NaN],
    ["", Number.NaN],
  ])("%s is %d", (text, time) => {
    expect(parseIsoTime(text)).toBe(time);
  });

  test("times agree with Date.parse on ISO strings", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (time) => {
        expect(parseIsoTime(new Date(time).toISOString())).toBe(time);
      }),
    );
  });

  test("numbers are decimal, and nothing else is one", () => {
    expect(["1", "-1.5", ".5", "1e3", "+2."].map(parseNumber)).toEqual([1, -1.5, 0.5, 1000, 2]);
    for (const text of ["", " ", "0x10", "1,5", "Infinity", "1e", "--1"]) expect(parseNumber(text)).toBeNaN();
  });
});
