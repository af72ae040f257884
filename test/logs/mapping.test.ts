import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkMapping,
  type EventMapping,
  emptyQualityReport,
  type FieldMapping,
  readCsv,
  readMapped,
} from "../../src/logs/index.js";
import { all, cut, utf8 } from "../support/pieces.js";

/** The time that a text is read as. */
async function timeOf(text: string, time: Partial<FieldMapping> = {}): Promise<number> {
  const mapping: EventMapping = {
    source: { format: "jsonl" },
    kind: "page_view",
    fields: { time: { column: "t", ...time }, user: { value: "u" }, dwellMs: { value: 1 } },
  };
  const [event] = await all(readMapped(JSON.stringify({ t: text }), mapping));
  return event!.time;
}

const at = (...parts: [number, number, number, number?, number?, number?]) => Date.UTC(...parts);

describe("times", () => {
  test.each<[string, number]>([
    ["2021-01-02", at(2021, 0, 2)],
    ["2021-01-02T10:20", at(2021, 0, 2, 10, 20)],
    ["2021-01-02T10", at(2021, 0, 2, 10)],
    ["2021-01-02 10:20:30", at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02t10:20:30z", at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02T10:20:30Z", at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02T10:20:30.5Z", at(2021, 0, 2, 10, 20, 30) + 500],
    ["2021-01-02T10:20:30,250Z", at(2021, 0, 2, 10, 20, 30) + 250],
    ["2021-01-02 10:20:30.123456+00", at(2021, 0, 2, 10, 20, 30) + 123.456],
    ["2021-01-02T10:20:30.1234567890Z", at(2021, 0, 2, 10, 20, 30) + 123.456789],
    ["2021-01-02 10:20:30+00", at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02 10:20:30-03", at(2021, 0, 2, 13, 20, 30)],
    ["2021-01-02T10:20:30+0530", at(2021, 0, 2, 4, 50, 30)],
    ["2021-01-02T10:20:30-03:30", at(2021, 0, 2, 13, 50, 30)],
    ["2021-01-02 10:20:30 +02:00", at(2021, 0, 2, 8, 20, 30)],
    ["2021-01-02 10:20:30 UTC", at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02 10:20:30 GMT", at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02 10:20:30.7 UTC", at(2021, 0, 2, 10, 20, 30) + 700],
    ["2021-01-02 10:20:30 +0000 UTC", at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02 10:20:30.5 +0100 CET", at(2021, 0, 2, 9, 20, 30) + 500],
    ["2021-01-02 10:20:30.000 -0800", at(2021, 0, 2, 18, 20, 30)],
    ["2021-01-02 10:20:30.0000000 +00:00", at(2021, 0, 2, 10, 20, 30)],
    ["2016-12-31T23:59:60Z", at(2017, 0, 1)],
    ["20210102T102030Z", at(2021, 0, 2, 10, 20, 30)],
    ["20210102T1020", at(2021, 0, 2, 10, 20)],
    ["20210102 10:20:30", at(2021, 0, 2, 10, 20, 30)],
    ["20210102T102030.25+0100", at(2021, 0, 2, 9, 20, 30) + 250],
    ["2020-02-29T00:00:00Z", at(2020, 1, 29)],
    ["1883-11-18 12:00:00-04:56:02", Number.NaN],
    [" 2021-01-02 10:20:30 ", at(2021, 0, 2, 10, 20, 30)],
    ["1700000000000", 1_700_000_000_000],
    ["1.7e12", 1_700_000_000_000],
  ])("%s is read", async (text, time) => {
    // Before 1970 is read, but no time of an event.
    if (Number.isNaN(time)) await expect(timeOf(text)).rejects.toThrow('"time" must be a finite number >= 0, got -');
    else expect(await timeOf(text)).toBe(time);
  });

  test.each<[string, Partial<FieldMapping>, number]>([
    ["02/01/2021 10:20:30", { format: "DD/MM/YYYY HH:mm:ss" }, at(2021, 0, 2, 10, 20, 30)],
    ["1/2/2021 3:04 PM", { format: "M/D/YYYY h:mm A" }, at(2021, 0, 2, 15, 4)],
    ["1/2/2021 12:04 AM", { format: "M/D/YYYY h:mm A" }, at(2021, 0, 2, 0, 4)],
    ["12/31/2021 12:00 p.m.", { format: "M/D/YYYY h:mm A" }, at(2021, 11, 31, 12)],
    ["02-JAN-21 10.20.30.5 PM", { format: "DD-MMM-YY hh.mm.ss.S A" }, at(2021, 0, 2, 22, 20, 30) + 500],
    ["January 2, 2021", { format: "MMMM D, YYYY" }, at(2021, 0, 2)],
    ["Sat, 02 Jan 2021 10:20:30 +0100", { format: "ddd, DD MMM YYYY HH:mm:ss Z" }, at(2021, 0, 2, 9, 20, 30)],
    ["02/Jan/2021:10:20:30 +0000", { format: "DD/MMM/YYYY:HH:mm:ss Z" }, at(2021, 0, 2, 10, 20, 30)],
    ["Sat Jan 02 10:20:30 +0000 2021", { format: "ddd MMM DD HH:mm:ss Z YYYY" }, at(2021, 0, 2, 10, 20, 30)],
    ["20210102", { format: "YYYYMMDD" }, at(2021, 0, 2)],
    ["20210102102030", { format: "YYYYMMDDHHmmss" }, at(2021, 0, 2, 10, 20, 30)],
    ["on 2021.01.02 at 10h", { format: "[on] YYYY.MM.DD [at] HH[h]" }, at(2021, 0, 2, 10)],
    ["2.1.2021", { format: ["DD/MM/YYYY", "D.M.YYYY"] }, at(2021, 0, 2)],
    ["31/12/69", { format: "DD/MM/YY" }, Number.NaN],
    ["31/12/68", { format: "DD/MM/YY" }, at(2068, 11, 31)],
    ["2021-01-02 10:20:30", { zone: "+08:00" }, at(2021, 0, 2, 2, 20, 30)],
    ["2021-01-02 10:20:30Z", { zone: "+08:00" }, at(2021, 0, 2, 10, 20, 30)],
    ["2021-01-02 10:20", { zone: "Europe/Berlin" }, at(2021, 0, 2, 9, 20)],
    ["2021-07-02 10:20", { zone: "Europe/Berlin" }, at(2021, 6, 2, 8, 20)],
    ["2021-03-28 03:30", { zone: "Europe/Berlin" }, at(2021, 2, 28, 1, 30)],
    ["07/02/2021 10:20", { format: "MM/DD/YYYY HH:mm", zone: "America/New_York" }, at(2021, 6, 2, 14, 20)],
    ["1700000000", { unit: "s" }, 1_700_000_000_000],
    ["1700000000.25", { unit: "s" }, 1_700_000_000_250],
    ["1700000000123456", { unit: "us" }, 1_700_000_000_123.456],
    ["1700000000123456789", { unit: "ns" }, 1_700_000_000_123.4568],
    ["28333333", { unit: "s", scale: 60 }, 1_699_999_980_000],
    ["1700000000000", { add: { value: 5000 } }, 1_700_000_005_000],
  ])("%s is read as %j", async (text, time, expected) => {
    if (Number.isNaN(expected)) await expect(timeOf(text, time)).rejects.toThrow('"time" must be a finite number >= 0');
    else expect(await timeOf(text, time)).toBeCloseTo(expected, 2);
  });

  const READABLE = 'must be a number or a time such as 2019-06-30T23:45:00Z ("format" reads other forms), got';
  test.each<[string, Partial<FieldMapping>, string]>([
    ["2021-02-29", {}, READABLE],
    ["2021-13-01", {}, READABLE],
    ["2021-00-10", {}, READABLE],
    ["2021-01-32T10:00:00Z", {}, READABLE],
    ["2021-01-02T24:00:00Z", {}, READABLE],
    ["2021-01-02T10:60:00Z", {}, READABLE],
    ["2021-01-02T10:00:61Z", {}, READABLE],
    ["2021-01-02T10:00:00.Z", {}, READABLE],
    ["2021-01-02T10:00:00+25:00", {}, READABLE],
    ["2021-01-02T10:00:00 CET", {}, READABLE],
    ["2021-01-02X10:00", {}, READABLE],
    ["2021-1-2", {}, READABLE],
    ["2021/01/02", {}, READABLE],
    ["01/02/2021", {}, READABLE],
    ["yesterday", {}, READABLE],
    ["0000-00-00 00:00:00", {}, READABLE],
    ["2021-W01-1", {}, READABLE],
    ["31/02/2021", { format: "DD/MM/YYYY" }, "must be a time as DD/MM/YYYY, got"],
    ["2021-01-02", { format: "DD/MM/YYYY" }, "must be a time as DD/MM/YYYY, got"],
    ["13:00 PM 1/2/2021", { format: "h:mm A M/D/YYYY" }, "must be a time as h:mm A M/D/YYYY, got"],
    ["1/2/2021 x", { format: ["M/D/YYYY", "YYYY"].slice(0, 1) }, "must be a time as M/D/YYYY, got"],
    [`1/2/2021${"0".repeat(500)}`, { format: "M/D/YYYY" }, "must be a time as M/D/YYYY, got"],
  ])("%s is refused as %j", async (text, time, message) => {
    await expect(timeOf(text, time)).rejects.toThrow(message);
  });

  test("agree with Date on every hour of a leap year and its neighbours, in any zone", () => {
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 4.1e12 }), fc.integer({ min: -720, max: 840 }), async (time, zone) => {
        const text = new Date(time + zone * 60_000).toISOString().slice(0, 23).replace("T", " ");
        const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60].map((n) =>
          String(n).padStart(2, "0"),
        );
        expect(await timeOf(`${text}${zone < 0 ? "-" : "+"}${hours}:${minutes}`)).toBe(time);
        expect(await timeOf(text, { zone: `${zone < 0 ? "-" : "+"}${hours}:${minutes}` })).toBe(time);
      }),
    );
  });

  test("in another unit are counted as a warning", async () => {
    const mapping: EventMapping = { kind: "click", fields: { time: "t", user: "u", stream: "s" } };
    const report = emptyQualityReport();
    await all(
      readMapped("t,u,s\n1700000000,u,s\n1700000001,u,s\n1700000001000,u,s\n1700000001000000,u,s\n", mapping, {
        report,
      }),
    );
    expect(report.warnings).toEqual({
      'time: lies in 1970 to 1973 with "unit" "ms"; are the numbers in seconds?': 2,
      'time: lies after the year 5000 with "unit" "ms"; are the numbers in a smaller unit?': 1,
    });
  });
});

/** Reads rows of one column `x` into a field of an event, and gives that field. */
async function read(
  field: string,
  kind: string,
  from: object,
  text: string,
  source: EventMapping["source"] = {},
): Promise<unknown> {
  const spare = { on_air: { streamer: { value: "a" }, category: { value: "c" } }, watch: { user: { value: "u" } } }[
    kind
  ] ?? { user: { value: "u" } };
  const mapping = {
    source,
    kind,
    fields: { time: { value: 1 }, stream: { value: "s" }, ...spare, [field]: { column: "x", ...from } },
  };
  const [event] = await all(readMapped(text, mapping as unknown as EventMapping));
  return (event as unknown as Record<string, unknown>)[field];
}

describe("values", () => {
  test.each<[string, string, object, string, unknown]>([
    ["watchMs", "watch", {}, "2.5", 2.5],
    ["watchMs", "watch", { unit: "s" }, "2.5", 2500],
    ["watchMs", "watch", { unit: "min" }, "2", 120_000],
    ["watchMs", "watch", { unit: "h" }, "0.5", 1_800_000],
    ["watchMs", "watch", { unit: "s", scale: 60 }, "2", 120_000],
    ["watchMs", "watch", {}, "01:02:03", 3_723_000],
    ["watchMs", "watch", {}, "00:00:01.5", 1500],
    ["watchMs", "watch", {}, "1 day 00:00:01", 86_401_000],
    ["watchMs", "watch", {}, "PT1H2M3.5S", 3_723_500],
    ["amount", "gift", {}, "12.50", 12.5],
    ["amount", "gift", { scale: 0.01 }, "1250", 12.5],
    ["rating", "rating", { range: [1, 5] }, "4", 0.75],
    ["rating", "rating", { values: { up: 1, down: 0 } }, "up", 1],
    ["position", "impression", { offset: -1 }, "1", 0],
    ["position", "impression", { default: 7 }, "", 7],
    ["mature", "on_air", {}, "t", true],
    ["mature", "on_air", {}, "No", false],
    ["mature", "on_air", {}, "1", true],
    ["tags", "on_air", { separator: "|" }, "a| b|", ["a", "b"]],
    ["tags", "on_air", {}, '"[""a"",""b""]"', ["a", "b"]],
    ["stream", "click", { prefix: "film-" }, "12", "film-12"],
    ["stream", "click", { values: { 1: "one" } }, "1", "one"],
    ["title", "on_air", {}, '"a, ""b"""', 'a, "b"'],
  ])("%s of %s by %j from %s", async (field, kind, from, text, expected) => {
    expect(await read(field, kind, from, `x,y\n${text},\n`)).toEqual(expected);
  });

  test.each<[string, string, object, string, string]>([
    [
      "watchMs",
      "watch",
      {},
      "abc",
      '"watchMs" must be a number >= 0 or a duration as 01:23:45 or PT1H23M45S, got "abc"',
    ],
    ["watchMs", "watch", {}, "-5", '"watchMs" must be a finite number >= 0, got -5'],
    ["watchMs", "watch", {}, "12:30", '"watchMs" must be a number >= 0 or a duration'],
    ["rating", "rating", { range: [1, 5] }, "6", '"rating" must be a finite number in [0, 1], got 1.25'],
    ["amount", "gift", {}, "12,50", 'must have 2 fields separated by ",", got 3'],
    ["mature", "on_air", {}, "maybe", '"mature" must be true or false, got "maybe"'],
    ["tags", "on_air", {}, "a|b", '"tags" must be a list of texts ("separator" cuts a text), got "a|b"'],
    ["position", "impression", {}, "1.5", '"position" must be an integer >= 0, got 1.5'],
  ])("%s of %s by %j refuses %s", async (field, kind, from, text, message) => {
    await expect(read(field, kind, from, `x,y\n${text},\n`)).rejects.toThrow(message);
  });

  test.each<[unknown, unknown]>([
    [5, "5"],
    ["5", "5"],
    [2 ** 53 - 1, "9007199254740991"],
    [-3, "-3"],
  ])("an id %j of JSON is %j", async (id, expected) => {
    expect(await read("user", "click", {}, JSON.stringify({ x: id }), { format: "jsonl" })).toBe(expected);
  });

  test.each([[1.5], [2 ** 53], [true], [[1]], [{ a: 1 }]])("an id %j of JSON is refused", async (id) => {
    await expect(read("user", "click", {}, JSON.stringify({ x: id }), { format: "jsonl" })).rejects.toThrow(
      'line 1: "user" must be text, or an integer up to 2^53 - 1, got',
    );
  });
});

const BASE = { time: "t", user: "u", stream: "s" };

describe("how files are written", () => {
  test.each<[string, EventMapping["source"], string]>([
    ["tabs", { format: "tsv" }, "t\tu\ts\n1\ta\tb\n"],
    ["semicolons and decimal commas", { separator: ";", decimal: "," }, "t;u;s\n1,0;a;b\n"],
    ["bars, without header", { separator: "|", columns: ["t", "u", "s"] }, "1|a|b\n"],
    ["two colons", { separator: "::", columns: ["u", "s", "t"] }, "a::b::1\n"],
    ["spaces in the header", {}, " t , u,s\n1,a,b\n"],
    ["a byte-order mark and carriage returns", {}, "\ufefft,u,s\r\n1,a,b\r\n"],
    ["comments", { comment: "#" }, "# made by x\nt,u,s\n# more\n1,a,b\n"],
    ["lines before the header", { skip: 2 }, 'Export of 2021\n"odd\nt,u,s\n1,a,b\n'],
    ["single quotes", { quote: "'" }, "t,u,s\n1,'a','b'\n"],
    ["a column that nothing reads", {}, "t,u,s,x\n1,a,b,c\n"],
    ["objects of JSON", { format: "jsonl" }, '{"t":1,"u":"a","s":"b","x":null}\n\n'],
    ["a backslash before quotes", { escape: "backslash" }, 't,u,s,x\n1,"a",b,"c\\"d,\\n"\n'],
  ])("%s", async (_, source, text) => {
    expect(await all(readMapped(text, { source, kind: "click", fields: BASE }))).toEqual([
      { kind: "click", time: 1, user: "a", stream: "b" },
    ]);
  });

  test("without quoting a quote is text", async () => {
    const source = { quote: "none", columns: ["t", "u", "s"], separator: "\t" } as const;
    const [event] = await all(readMapped('1\t"Odd" Name\tb "\n', { source, kind: "click", fields: BASE }));
    expect(event).toEqual({ kind: "click", time: 1, user: '"Odd" Name', stream: 'b "' });
  });

  test("a backslash escapes separators, line feeds and itself, and \\N is null", async () => {
    const text = "1\ta\\\tb\\\\\tx\\\ny\n2\t\\N\tz\n";
    const rows = await all(
      readCsv(text, { separator: "\t", columns: ["t", "u", "s"], quote: "none", escape: "backslash" }),
    );
    expect(rows).toEqual([
      { t: "1", u: "a\tb\\", s: "x\ny" },
      { t: "2", u: "\\N", s: "z" },
    ]);
  });

  test.each(["", "NULL", "null", "\\N"])("%j is a missing value", async (text) => {
    const mapping: EventMapping = { kind: "click", fields: { ...BASE, decision: "d" } };
    expect(await all(readMapped(`t,u,s,d\n1,a,b,${text}\n`, mapping))).toEqual([
      { kind: "click", time: 1, user: "a", stream: "b" },
    ]);
  });

  test("other texts for missing values are told, and then the usual ones are text", async () => {
    const mapping: EventMapping = { source: { nulls: ["-"] }, kind: "click", fields: { ...BASE, decision: "d" } };
    const events = await all(readMapped("t,u,s,d\n1,a,b,-\n2,NULL,b,NaN\n", mapping));
    expect(events).toEqual([
      { kind: "click", time: 1, user: "a", stream: "b" },
      { kind: "click", time: 2, user: "NULL", stream: "b", decision: "NaN" },
    ]);
  });

  test("unknown columns are refused when asked", async () => {
    const options = { unknown: "refuse" } as const;
    const mapping: EventMapping = { kind: "click", fields: BASE };
    await expect(all(readMapped("t,u,s,x\n1,a,b,c\n", mapping, options))).rejects.toThrow(
      'the column "x" is not in the mapping',
    );
    const lines: EventMapping = { ...mapping, source: { format: "jsonl" } };
    await expect(all(readMapped('{"t":1,"u":"a","s":"b","y":1}', lines, options))).rejects.toThrow(
      'line 1: the column "y"',
    );
  });
});

describe("rules", () => {
  test("nested paths, in JSON and in columns of JSON; names with dots; alternatives", async () => {
    const fields = { time: "meta.t", user: "meta.user.id|uid", stream: "room.0.name" };
    const rows = [
      { meta: { t: 1, user: { id: 7 } }, room: [{ name: "r" }] },
      { meta: { t: 2 }, uid: "x", room: [{ name: "r" }] },
      { "meta.t": 3, uid: "y", room: [{ name: "__proto__" }] },
    ];
    const expected = [
      { kind: "click", time: 1, user: "7", stream: "r" },
      { kind: "click", time: 2, user: "x", stream: "r" },
      { kind: "click", time: 3, user: "y", stream: "__proto__" },
    ];
    const text = rows.map((row) => JSON.stringify(row)).join("\n");
    expect(await all(readMapped(text, { source: { format: "jsonl" }, kind: "click", fields }))).toEqual(expected);
    const csv = `meta,room\n${rows
      .slice(0, 1)
      .map(({ meta, room }) => [meta, room].map((one) => `"${JSON.stringify(one).replaceAll('"', '""')}"`).join(","))
      .join("\n")}\n`;
    expect(await all(readMapped(csv, { kind: "click", fields: { ...fields, user: "meta.user.id" } }))).toEqual(
      expected.slice(0, 1),
    );
    await expect(all(readMapped("meta,uid,room\n{x,1,2\n", { kind: "click", fields }))).rejects.toThrow(
      'the column "meta" must hold JSON',
    );
  });

  test("what objects inherit is no value", async () => {
    const fields = { time: "t", user: "constructor.name", stream: "s" };
    const mapping: EventMapping = { source: { format: "jsonl" }, kind: "click", fields };
    await expect(all(readMapped('{"t":1,"s":"b"}', mapping))).rejects.toThrow('"user" must be a string');
  });

  test("several events a row, by conditions, with fields that all share", async () => {
    const mapping: EventMapping = {
      fields: { time: { column: "start", unit: "s" }, user: "u", stream: { prefix: "film-", column: "s" } },
      events: [
        { kind: "impression", fields: { position: { column: "rank", offset: -1 } } },
        { kind: "click", when: { clicked: 1 } },
        {
          kind: "watch",
          when: { clicked: true, stop: { exists: true }, rank: { ">": 0, "<=": 2, not: [7, 8] } },
          fields: { watchMs: { from: "start", to: "stop", unit: "s" }, time: { column: "stop", unit: "s" } },
        },
        { kind: "signal", when: { cart: ["yes", "y"] }, fields: { name: { value: "cart" }, value: { value: 1 } } },
      ],
    };
    const report = emptyQualityReport();
    const text = "start,stop,u,s,rank,clicked,cart\n10,15,a,1,1,1,no\n20,,a,2,2,0,y\n30,40,a,3,3,1,\n";
    expect(await all(readMapped(text, mapping, { report }))).toEqual([
      { kind: "impression", time: 10_000, user: "a", stream: "film-1", position: 0 },
      { kind: "click", time: 10_000, user: "a", stream: "film-1" },
      { kind: "watch", time: 15_000, user: "a", stream: "film-1", watchMs: 5000 },
      { kind: "impression", time: 20_000, user: "a", stream: "film-2", position: 1 },
      { kind: "signal", time: 20_000, user: "a", stream: "film-2", name: "cart", value: 1 },
      { kind: "impression", time: 30_000, user: "a", stream: "film-3", position: 2 },
      { kind: "click", time: 30_000, user: "a", stream: "film-3" },
    ]);
  });

  test.each<[unknown, unknown, boolean]>([
    ["a", "a", true],
    ["a", "b", false],
    [1, "1.0", true],
    [1, 1, true],
    [true, "T", true],
    [true, "0", false],
    [["a", 2], "2", true],
    [["a", 2], "3", false],
    [{ equals: "x" }, "x", true],
    [{ in: ["x", "y"] }, "y", true],
    [{ exists: true }, "", false],
    [{ exists: false }, "", true],
    [{ ">": 2 }, "3", true],
    [{ ">": 2 }, "2", false],
    [{ ">=": 2, "<": 3 }, "2.5", true],
    [{ "<": 3 }, "x", false],
    [{ not: "a" }, "b", true],
    [{ not: { ">": 2 } }, "3", false],
    [{ not: { exists: true } }, "", true],
  ])("the condition %j on %j holds: %s", async (condition, value, holds) => {
    const mapping = {
      source: { format: "jsonl" },
      kind: "click",
      when: { x: condition },
      fields: BASE,
    } as EventMapping;
    const report = emptyQualityReport();
    const events = await all(readMapped(JSON.stringify({ t: 1, u: "a", s: "b", x: value }), mapping, { report }));
    expect([events.length, report.leftOut]).toEqual(holds ? [1, undefined] : [0, 1]);
    expect(report.dropped).toBe(0);
  });

  test.each<[string, EventMapping["each"], object, unknown[]]>([
    ['[{"id":1},{"id":2}]', "x", { stream: "$.id", position: "$index" }, ["1", "2"]],
    ['["a","b"]', "x", { stream: "$", position: "$index" }, ["a", "b"]],
    ['"N1-0 N2-1"', { column: "x", separator: " ", parts: "-" }, { stream: "$.0", position: "$.1" }, ["N1", "N2"]],
    ['"a,b"', { column: "x", separator: "," }, { stream: "$" }, ["a", "b"]],
    ["[]", "x", { stream: "$" }, []],
    ["null", "x", { stream: "$" }, []],
    ['{"y":["c"]}', "x.y", { stream: "$" }, ["c"]],
    ['[["d",1],["e",2]]', "x", { stream: "$.0" }, ["d", "e"]],
    ['"[1,2]"', "x", { stream: "$" }, ["1", "2"]],
    ['[{"a":{"b":"f"}}]', "x", { stream: "$.a.b" }, ["f"]],
  ])("the list %s by %j gives an event for each element", async (x, each, fields, streams) => {
    const mapping = {
      source: { format: "jsonl" },
      kind: "impression",
      each,
      fields: { time: "t", user: "u", ...fields },
    } as EventMapping;
    const events = await all(readMapped(`{"t":1,"u":"a","x":${x}}`, mapping));
    expect(events.map((event) => ("stream" in event ? event.stream : ""))).toEqual(streams);
  });

  test("an invalid element costs its own event", async () => {
    const report = emptyQualityReport();
    const mapping: EventMapping = {
      source: { format: "jsonl" },
      kind: "click",
      each: "x",
      fields: { time: "t", user: "u", stream: "$" },
    };
    const events = await all(
      readMapped('{"t":1,"u":"a","x":["b",1.5,"c"]}\n{"t":1,"u":"a","x":5}', mapping, { onError: "skip", report }),
    );
    expect(events).toHaveLength(2);
    expect(report.examples).toEqual([
      'line 1: "stream" must be text, or an integer up to 2^53 - 1, got 1.5',
      'line 2: "x" must be a list, got 5',
    ]);
  });

  test("kinds by value: left out, refused, or one for all others", async () => {
    const text = "k,t,u,s\nv,1,a,b\nodd,2,a,b\nlike,3,a,b\n";
    const kinds = async (otherwise?: "skip" | "click") => {
      const kind = { column: "k", values: { v: "impression" }, ...(otherwise && { otherwise }) } as const;
      return (await all(readMapped(text, { kind, fields: BASE }, {}))).map((event) => event.kind);
    };
    expect(await kinds("skip")).toEqual(["impression", "like"]);
    expect(await kinds("click")).toEqual(["impression", "click", "like"]);
    await expect(kinds()).rejects.toThrow('line 3: "kind" must be one of v, on_air, update');
  });

  test("ids are made of columns", async () => {
    const fields = { ...BASE, id: { join: ["u", "t"] }, decision: { join: ["u", "s"], separator: "/", prefix: "d:" } };
    expect(await all(readMapped("t,u,s\n1,a,b\n", { kind: "click", fields }))).toEqual([
      { kind: "click", time: 1, user: "a", stream: "b", id: "a-1", decision: "d:a/b" },
    ]);
  });
});

describe("a mapping is checked", () => {
  const fields = BASE;
  test.each<[object, string]>([
    [
      { kind: "click", fields: { ...fields, time: { column: "t", units: "s" } } },
      '"fields.time.units" is not an option; there are column, value',
    ],
    [
      { kind: "click", fields: { ...fields, time: { column: "t", unit: "min" } } },
      '"fields.time.unit" must be "ns" or "us" or "ms" or "s", got "min"',
    ],
    [
      { kind: "watch", fields: { ...fields, watchMs: { column: "w", unit: "us" } } },
      '"fields.watchMs.unit" must be "ms" or "s" or "min" or "h"',
    ],
    [{ kind: "click", fields: { ...fields, user: { column: "u", scale: 2 } } }, '"fields.user.scale" is not an option'],
    [
      { kind: "click", fields: { ...fields, watchMs: "w" } },
      '"fields.watchMs" is not a field of click; there are time',
    ],
    [{ kind: "watch", fields }, '"fields.watchMs" must be given: events of kind watch need it'],
    [{ kind: "wink", fields }, '"kind" must be one of on_air'],
    [{ fields }, '"kind" must be one of on_air'],
    [{ kind: { column: "k", values: { a: "wink" } }, fields }, '"kind.values.a" must be one of on_air'],
    [{ kind: { field: "k" }, fields }, '"kind.field" is not an option; there are column, values, otherwise'],
    [{ kind: { column: "k", otherwise: "drop" }, fields }, '"kind.otherwise" must be refuse, skip or one of on_air'],
    [{ events: [{ kind: "click", fields, when: { a: { eq: 1 } } }] }, '"events.0.when.a.eq" is not an option'],
    [
      { events: [{ kind: "click", fields, when: { a: { not: { in: 5 } } } }] },
      '"events.0.when.a.not.in" must be an array',
    ],
    [{ events: [{ kind: "click", fields, when: { a: {} } }] }, '"events.0.when.a" must have a condition'],
    [{ events: [{ kind: "click", fields, each: { columns: "a" } }] }, '"events.0.each.columns" is not an option'],
    [{ events: [], fields }, '"events" must be a rule or an array of rules'],
    [{ kind: "click", events: [{ kind: "click" }], fields }, '"kind" must be in the rules of "events"'],
    [
      { events: [{ kind: "click" }], fields: { ...fields, amount: "a" } },
      '"fields.amount" is not a field of any of the rules',
    ],
    [
      { events: { kind: "click", fields: { ...fields, time: {} } } },
      '"events.fields.time" must have one of column and value, got none',
    ],
    [
      { kind: "watch", fields: { ...fields, watchMs: { from: "a" } } },
      '"fields.watchMs" must have both from and to, got from alone',
    ],
    [
      { kind: "watch", fields: { ...fields, watchMs: { column: "w", from: "a", to: "b" } } },
      '"fields.watchMs" must have one of column, value, or from and to, got column and from and to',
    ],
    [
      { kind: "watch", fields: { ...fields, watchMs: { column: "w", zone: "UTC" } } },
      '"fields.watchMs.zone" goes with from and to',
    ],
    [
      { kind: "click", fields: { ...fields, time: { column: "t", format: "HH:mm" } } },
      '"fields.time.format" must be a form with a year',
    ],
    [
      { kind: "click", fields: { ...fields, time: { column: "t", format: "YYYY-MM-DD hh:mm" } } },
      '"fields.time.format" must be a form',
    ],
    [
      { kind: "click", fields: { ...fields, time: { column: "t", zone: "Mars/Base" } } },
      '"fields.time.zone" must be an offset such as',
    ],
    [
      { kind: "rating", fields: { ...fields, rating: { column: "r", range: [1, 1] } } },
      '"fields.rating.range" must be two different numbers',
    ],
    [{ kind: "click", fields: { ...fields, user: "" } }, '"fields.user" must be a text of at least one character'],
    [{ kind: "click", fields: { ...fields, user: 5 } }, '"fields.user" must be an object, got 5'],
    [{ kind: "click", fields, source: { seperator: ";" } }, '"source.seperator" is not an option'],
    [
      { kind: "click", fields, source: { format: "xml" } },
      '"source.format" must be "csv" or "tsv" or "jsonl" or "json", got',
    ],
    [{ kind: "click", fields, source: { separator: '"' } }, '"source.separator" must be text without quotes'],
    [{ kind: "click", fields, source: { nulls: "NULL" } }, '"source.nulls" must be an array of texts'],
    [{ kind: "click", fields, sources: {} }, '"sources" is not an option; there are source, kind'],
    [
      { kind: "click", fields: { ...fields, time: { column: "t", add: { column: "w", unit: "us" } } } },
      '"fields.time.add.unit" must be "ms"',
    ],
  ])("%j is refused", (mapping, message) => {
    expect(() => checkMapping(mapping)).toThrow(message);
  });

  test("unknown keys are a TypeError, wrong values a RangeError, before anything is read", async () => {
    expect(() => checkMapping(null)).toThrow(TypeError);
    expect(() => checkMapping({ kind: "click", fields, x: 1 })).toThrow(TypeError);
    expect(() => checkMapping({ kind: "wink", fields })).toThrow(RangeError);
    await expect(all(readMapped("", { kind: "wink" } as unknown as EventMapping))).rejects.toThrow(RangeError);
  });
});

describe("a stray quote", () => {
  test("that pairs up with another one later costs two rows, also where some records between have quotes", async () => {
    const rows = Array.from({ length: 400 }, (_, i) => (i % 9 === 4 ? `${i},"u, ${i}",s` : `${i},u,s`));
    for (const [first, second] of [
      [100, 320],
      [100, 112],
    ] as const) {
      const odd = rows.slice();
      odd[first] = `${first},"u,s`;
      odd[second] = `${second},u",s`;
      const report = emptyQualityReport();
      const text = ["a,b,c", ...odd, ""].join("\n");
      const read = await all(readCsv(utf8(text), { onError: "skip", report }));
      // The second quote is in the middle of its field: it is text there.
      expect([read.length, report.dropped]).toEqual([399, 1]);
    }
  });

  const width = 3;
  const line = (cells: readonly string[]) =>
    cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");

  test("anywhere costs one row at most, and is counted as one", async () => {
    // Texts that do not begin with a separator or a line feed: after a stray quote those could end it.
    const plain = fc.constantFrom("a", "bc", "1", "x y", "é");
    const cell = fc.oneof(
      { weight: 6, arbitrary: plain },
      { weight: 1, arbitrary: fc.constantFrom("p, q", 'say "hi"', "two\nlines", "") },
    );
    const table = fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 4, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(table, fc.nat(1e6), fc.nat(1000), async (cells, place, seed) => {
        const rows = cells.map((row, i) => [`k${i}`, row[1]!, row[2]!]);
        const text = `${rows.map(line).join("\n")}\n`;
        const at = place % text.length;
        const stray = `k,b,c\n${text.slice(0, at)}"${text.slice(at)}`;
        const report = emptyQualityReport();
        const read = await all(readCsv(cut(utf8(stray), seed, 40), { onError: "skip", report }));
        const intact = new Set(read.map((row) => JSON.stringify(Object.values(row))));
        const lost = rows.filter((row) => !intact.has(JSON.stringify(row))).length;
        expect(lost).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1500, seed: 3 },
    );
  });

  test.each([
    ["in a file without others", (i: number) => `${i},u${i},s`],
    ["where every field has quotes", (i: number) => `"${i}","u${i}","s"`],
    ["where one column has quotes", (i: number) => `${i},"u, ${i}",s`],
    ["where some texts have line feeds", (i: number) => `${i},"u\n${i}",s`],
    ["where some fields are empty quotes", (i: number) => `${i},"",s`],
  ])("%s costs its row of 5,000", async (_, row) => {
    const rows = Array.from({ length: 5000 }, (_, i) => row(i));
    for (const stray of ['2500,"u,s', '2500,u,"s', '"2500,u,s', '2500,"u"x,s']) {
      const text = ["a,b,c", ...rows.slice(0, 2500), stray, ...rows.slice(2501), ""].join("\n");
      const report = emptyQualityReport();
      expect(await all(readCsv(text, { onError: "skip", report }))).toHaveLength(4999);
      expect(report).toMatchObject({ read: 1, dropped: 1, droppedBy: { unreadable: 1 } });
    }
  });

  test("and another one 1,000 rows later cost a row each, not those between", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => (i === 1000 || i === 2000 ? `${i},u",s"` : `${i},u${i},s`));
    rows[1000] = '1000,"u,s';
    const read = await all(readCsv(["a,b,c", ...rows].join("\n"), { onError: "skip" }));
    expect(read.length).toBeGreaterThanOrEqual(2998);
  });

  test("in the header leaves its names", async () => {
    const text = 'time,"user,stream\n1,u,s\n2,v,s\n';
    expect(await all(readCsv(text))).toEqual([
      { time: "1", user: "u", stream: "s" },
      { time: "2", user: "v", stream: "s" },
    ]);
  });

  test("without skipping is an error at its own line", async () => {
    await expect(all(readCsv('a,b\n1,2\n3,"4\n5,6\n7,8\n'))).rejects.toThrow("line 3: must have an end to its quotes");
  });

  test("work is bounded by the text: lines that close and open quotes again and again", async () => {
    const text = `${Array.from({ length: 40 }, (_, i) => `c${i}`).join(",")}\n${'a","b\n'.repeat(20_000)}`;
    const report = emptyQualityReport();
    await all(readCsv(text, { onError: "skip", report }));
    expect(report.dropped).toBeGreaterThan(19_000);
  });
});
