import { describe, expect, test } from "vitest";
import { readCsvEvents } from "../../../src/logs/readers/csvevents.js";
import { readJsonArray } from "../../../src/logs/readers/jsonarray.js";
import { readJsonl } from "../../../src/logs/readers/jsonl.js";
import { readLineBlocks } from "../../../src/logs/readers/text.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { all, cut, utf8 } from "../../support/pieces.js";

const EVENTS: LiveEvent[] = [
  { kind: "on_air", time: 1, stream: "s", streamer: "ünï", category: "象棋", tags: ["😀", "a,b"], title: 'say "hi"' },
  { kind: "click", time: 2, user: "u😀", stream: "s" },
  { kind: "user", time: 3, user: "u", age: 40, region: "NO" },
];
const TEXT = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join("");

function utf16(text: string, isBig: boolean): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), !isBig);
  return bytes;
}

const ENDS = { "line feeds": "\n", CRLF: "\r\n", "carriage returns": "\r" };
const CODES: Record<string, (text: string) => Uint8Array> = {
  "UTF-8": utf8,
  "UTF-8 with a mark": (text) => utf8(`\ufeff${text}`),
  "UTF-16, low byte first": (text) => utf16(`\ufeff${text}`, false),
  "UTF-16, high byte first": (text) => utf16(`\ufeff${text}`, true),
};

describe.each(Object.entries(CODES))("%s", (_, encode) => {
  test.each(Object.entries(ENDS))("with %s, with and without the last one, cut anywhere", async (_, end) => {
    for (const text of [TEXT, TEXT.trimEnd(), `${TEXT}\n\n`]) {
      const bytes = encode(text.replaceAll("\n", end));
      for (const source of [bytes, cut(bytes, 1, 1), cut(bytes, 2, 2), cut(bytes, 3, 5), cut(bytes, 4, 100)]) {
        expect(await all(readJsonl(source))).toEqual(EVENTS);
      }
    }
  });
});

test("text too may end its lines in carriage returns", async () => {
  const text = TEXT.replaceAll("\n", "\r");
  expect(await all(readJsonl(text))).toEqual(EVENTS);
  expect(await all(readJsonl([...text]))).toEqual(EVENTS);
  const rows = `kind,time,user,stream\rclick,2,u😀,s\r`;
  expect(await all(readCsvEvents(rows))).toEqual([EVENTS[1]]);
});

test("a carriage return is text where lines end in line feeds, however long the first of them", async () => {
  const long = "x".repeat(70_000);
  for (const text of ["a\rb\nc\r\nd", `a\r\n${long}\n`]) {
    const blocks = await all(readLineBlocks(text));
    const expected = text.split("\n").filter((line, i, lines) => i < lines.length - 1 || line !== "");
    expect(blocks.flatMap(({ lines }) => lines)).toEqual(expected);
  }
});

test("half a unit of UTF-16 and what is no UTF-16 cost their lines", async () => {
  const whole = CODES["UTF-16, low byte first"]!(TEXT);
  const cutOff = whole.slice(0, -3);
  await expect(all(readJsonl(cutOff))).rejects.toThrow("line 3: must be one JSON object");
  // Two names with different lone surrogates stay two names.
  const names = ["\ud800", "\udc00"].map((user) => ({ kind: "click", time: 1, user, stream: "s" }));
  const text = names.map((one) => `{"kind":"click","time":1,"user":"${one.user}","stream":"s"}\n`).join("");
  expect(await all(readJsonl(utf16(`\ufeff${text}`, true)))).toEqual(names);
});

const many = Array.from({ length: 40 }, (_, i) => EVENTS[i % 3]!);

describe("JSON arrays", () => {
  test.each<[string, string]>([
    ["on one line", JSON.stringify(many)],
    ["on many lines", JSON.stringify(many, null, 2)],
    ["one element a line", `[\n${many.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`],
    ["with tabs and CRLF", JSON.stringify(many, null, "\t").replaceAll("\n", "\r\n")],
    ["with carriage returns", JSON.stringify(many, null, 1).replaceAll("\n", "\r")],
    ["with a mark", `\ufeff${JSON.stringify(many)}`],
    ["with blanks around", ` \n\n ${JSON.stringify(many)} \n`],
    ["without an array around", many.map((one) => JSON.stringify(one, null, 2)).join("\n")],
    ["objects side by side", many.map((one) => JSON.stringify(one)).join("")],
    ["whose end is missing", JSON.stringify(many).slice(0, -1)],
    ["with a comma at the end", `${JSON.stringify(many).slice(0, -1)},]`],
  ])("%s", async (_, text) => {
    expect(await all(readJsonArray(text))).toEqual(many);
    const bytes = utf8(text);
    for (const most of [1, 3, 50]) expect(await all(readJsonArray(cut(bytes, most, most)))).toEqual(many);
    expect(await all(readJsonArray(utf16(text.startsWith("\ufeff") ? text : `\ufeff${text}`, false)))).toEqual(many);
  });

  test.each<[string, string]>([
    ["empty", "[]"],
    ["nothing", ""],
    ["blanks", " \n "],
  ])("%s", async (_, text) => {
    expect(await all(readJsonArray(text))).toEqual([]);
  });

  const [a, b, c] = EVENTS.map((event) => JSON.stringify(event));
  test.each<[string, string, number, string]>([
    ["a word", `[${a},oops,${b},${c}]`, 3, "line 1: must be one JSON object"],
    ["a number", `[${a},\n5,\n${b},${c}]`, 3, "line 2: an event must be an object, got 5"],
    ["null", `[${a},${b},null,${c}]`, 3, "line 1: an event must be an object, got null"],
    ["text with brackets", `[${a},"]}{[",${b},${c}]`, 3, "line 1: an event must be an object"],
    ["an array", `[${a},[${a}],${b},${c}]`, 3, 'line 1: "kind" must be one of'],
    ["another object", `[${a},{},${b},${c}]`, 3, 'line 1: "kind" must be one of'],
    ["a stray brace", `[${a},},${b},${c}]`, 3, "line 1: must be one JSON object"],
    ["an object without end", `[${a.slice(0, -1)},\n${b},\n${c}]`, 2, "line 1: must have an end to its object"],
    ["the last without end", `[${a},${b},\n${c.slice(0, -5)}`, 2, "line 2: must have an end to its object"],
    ["a stray quote", `[${a},\n{"kind":"click","time":3,"user":"u,"stream":"s"},\n${b},\n${c}\n]`, 3, "line 2: "],
    [
      "a text without end",
      `[${a},\n{"kind":"click","time":3,"user":"u},\n${b},\n${c}\n]`,
      3,
      "line 2: must have an end to its quotes",
    ],
    [
      "deep nesting",
      `[${a},{"kind":${"[".repeat(5000)}${"]".repeat(5000)}},${b},${c}]`,
      3,
      "line 1: must nest at most 8 deep",
    ],
  ])("count %s, and go on", async (_, text, kept, message) => {
    const skipped: string[] = [];
    const report = { read: 0, kept: 0, dropped: 0, added: 0, droppedBy: {}, changedBy: {}, addedBy: {}, open: 0 };
    const whole = { ...report, examples: skipped, examplesBy: {} };
    expect(await all(readJsonArray(text, { onError: "skip", report: whole }))).toHaveLength(kept);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]).toContain(message);
    await expect(all(readJsonArray(cut(utf8(text), 1, 9)))).rejects.toThrow(message);
  });

  test("end at what has no end within the longest element, whatever the options", async () => {
    const text = `[${a},{"kind":"click","x":[${"1,".repeat(3000)}`;
    const read = all(readJsonArray(text, { maxLine: 1000, onError: "skip", name: "log.json" }));
    await expect(read).rejects.toThrow("log.json:1: must have an end to the object that begins here");
  });

  test("hold one piece and one element, however many there are", async () => {
    let given = 0;
    function* endless(): Generator<string> {
      yield "[";
      for (;;) {
        given++;
        yield `${a},\n${b},`;
      }
    }
    let read = 0;
    for await (const _ of readJsonArray(endless())) if (++read === 30) break;
    expect(given).toBeLessThan(20);
  });
});
