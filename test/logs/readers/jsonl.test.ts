import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyQualityReport } from "../../../src/logs/basics/report.js";
import { readJsonl, toJsonl } from "../../../src/logs/readers/jsonl.js";
import { LineError } from "../../../src/logs/readers/lines.js";
import { type ByteSource, readLineBlocks } from "../../../src/logs/readers/text.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { all, cut, utf8 } from "../../support/pieces.js";

const EVENTS: LiveEvent[] = [
  { kind: "on_air", time: 1, stream: "s", streamer: "ünï", category: "象棋", tags: ["😀", "a,b"], title: 'say "hi"\n' },
  { kind: "watch", time: 2, user: "u😀", stream: "s", watchMs: 12.5 },
  { kind: "user", time: 3, user: "u", age: 40, region: "NO" },
];
const TEXT = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join("");

/** The lines of a source, as a plain split would have them. */
async function lines(source: ByteSource): Promise<string[]> {
  const blocks = await all(readLineBlocks(source));
  return blocks.flatMap((block) => block.lines.map((line) => (typeof line === "string" ? line : line.message)));
}

describe("lines", () => {
  test("are those of the text, wherever its bytes are cut, with and without a byte-order mark and a last line feed", async () => {
    const text = fc.array(fc.constantFrom("a", "é", "象", "😀", "\r\n", "\n", "\n", " "), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.boolean(), fc.nat(1000), async (parts, marked, seed) => {
        const whole = parts.join("");
        const expected = whole.split("\n");
        if (expected.at(-1) === "") expected.pop();
        const bytes = utf8((marked ? "\ufeff" : "") + whole);
        if (marked && whole === "") expected.push("");
        expect(await lines(cut(bytes, seed))).toEqual(expected);
        expect(await lines(bytes)).toEqual(expected);
        // Text pieces, cut within surrogate pairs too.
        expect(await lines(Array.from({ length: whole.length }, (_, i) => whole[i]!))).toEqual(
          marked && whole === "" ? [] : expected,
        );
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("name the one that is not UTF-8, and give the others", async () => {
    const bytes = Uint8Array.from([...utf8("a\né\n"), 0xff, 0x41, 10, ...utf8("b\n")]);
    const expected = ["a", "é", "line 3: must be UTF-8 text", "b"];
    expect(await lines(bytes)).toEqual(expected);
    expect(await lines(cut(bytes, 1, 2))).toEqual(expected);
  });

  test("longer than the limit are refused without being held, however they are cut", async () => {
    const bytes = utf8(`ok\n${"é".repeat(11)}\n${"é".repeat(10)}\n${"x".repeat(1000)}`);
    for (const source of [bytes, cut(bytes, 1, 3), cut(bytes, 2, 100)]) {
      const blocks = await all(readLineBlocks(source, { maxLine: 10 }));
      const found = blocks.flatMap((block) => block.lines.map(String));
      const refusal = (line: number) => `LineError: line ${line}: must have at most 10 characters`;
      expect(found).toEqual(["ok", refusal(2), "é".repeat(10), refusal(4)]);
    }
  });
});

describe("JSON lines", () => {
  test.each<[string, () => ByteSource]>([
    ["text", () => TEXT],
    ["bytes", () => utf8(TEXT)],
    ["CRLF, a mark and no last line feed", () => `\ufeff${TEXT.replaceAll("}\n", "}\r\n").trimEnd()}`],
    ["bytes one by one", () => cut(utf8(TEXT), 3, 1)],
    ["a Node stream", () => Readable.from(cut(utf8(TEXT), 4)) as AsyncIterable<Uint8Array>],
    ["the body of a response", () => new Response(TEXT).body as unknown as AsyncIterable<Uint8Array>],
    [
      "a stream that only has a reader",
      () => {
        const body = new Response(TEXT).body!;
        return { getReader: () => body.getReader() };
      },
    ],
  ])("are read from %s", async (_, source) => {
    expect(await all(readJsonl(source()))).toEqual(EVENTS);
  });

  test("errors name line and field", async () => {
    const bad = `${TEXT}\n{"kind":"watch","time":1,"user":"u","stream":"s","watchMs":-5}\n`;
    const error = await all(readJsonl(bad)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(LineError);
    expect(error).toMatchObject({
      line: 5,
      field: "watchMs",
      message: 'line 5: "watchMs" must be a finite number >= 0, got -5',
    });
    const named = all(readJsonl("{]\n", { name: "log.jsonl" }));
    await expect(named).rejects.toThrow("log.jsonl:1: must be one JSON object");
    await expect(all(readJsonl("[1]"))).rejects.toThrow('line 1: "kind" must be one of');
    await expect(all(readJsonl("5"))).rejects.toThrow("line 1: an event must be an object, got 5");
  });

  test("bad lines are skipped and counted where that is wanted", async () => {
    const report = emptyQualityReport();
    const source = `${TEXT}oops\n{"kind":"wink"}\n${TEXT}`;
    expect(await all(readJsonl(source, { onError: "skip", report }))).toEqual([...EVENTS, ...EVENTS]);
    expect(report).toMatchObject({ read: 2, kept: 0, dropped: 2, droppedBy: { unreadable: 2 } });
    expect(report.examples[0]).toBe("line 4: must be one JSON object");
  });

  test("written events read back the same", async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ ...EVENTS[i % 3]!, time: i }));
    const pieces = await all(toJsonl(many));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.every((piece) => piece.endsWith("\n"))).toBe(true);
    expect(await all(readJsonl(pieces))).toEqual(many);
  });

  test("options are checked", async () => {
    await expect(all(readJsonl("", { onError: "ignore" as "skip" }))).rejects.toThrow(
      '"onError" must be "throw" or "skip"',
    );
    await expect(all(readJsonl("", { maxLine: 0 }))).rejects.toThrow(
      '"maxLine" must be an integer in [1, 268435456], got 0',
    );
    await expect(all(readJsonl("", { line: 1 } as object))).rejects.toThrow('"line" is not an option');
  });

  test("an invalid source is refused", async () => {
    await expect(all(readJsonl(5 as unknown as string))).rejects.toThrow(
      '"source" must be bytes, text or pieces of them, got 5',
    );
    await expect(all(readJsonl([5] as unknown as string[]))).rejects.toThrow(
      "pieces of a source must be bytes or text, got 5",
    );
  });

  test("reading holds no more than a piece, however long the source", async () => {
    let given = 0;
    function* endless(): Generator<string> {
      for (;;) {
        given++;
        yield TEXT;
      }
    }
    let read = 0;
    for await (const _ of readJsonl(endless())) if (++read === 30) break;
    expect(given).toBe(10);
  });
});

describe("rows of databases in JSON lines", () => {
  const click = { kind: "click", time: 1, user: "u", stream: "s" };
  test.each<[object, object]>([
    [
      { ...click, user: 7 },
      { ...click, user: "7" },
    ],
    [
      { ...click, stream: 0 },
      { ...click, stream: "0" },
    ],
    [
      { ...click, user: 2 ** 53 - 1 },
      { ...click, user: "9007199254740991" },
    ],
    [
      { ...click, decision: 12, id: 9 },
      { ...click, decision: "12", id: "9" },
    ],
    [{ ...click, decision: null }, click],
    [{ ...click, watchMs: null, streamer: null }, click],
    [{ ...click, watchMs: 5 }, click],
    [{ ...click, extra: { a: [1] } }, click],
    [{ ...click, extra: null }, click],
    [
      { kind: "on_air", time: 1, stream: 1, streamer: 2, category: 3, tags: null },
      { kind: "on_air", time: 1, stream: "1", streamer: "2", category: "3" },
    ],
    [
      { kind: "friend", time: 1, user: 1, friend: 2 },
      { kind: "friend", time: 1, user: "1", friend: "2" },
    ],
  ])("%j is read as it is meant", async (row, event) => {
    expect(await all(readJsonl(JSON.stringify(row)))).toEqual([event]);
  });

  test.each<[object, string]>([
    [{ ...click, user: 1.5 }, '"user" must be a string of 1 to 256 characters, got 1.5'],
    [{ ...click, user: 2 ** 53 }, '"user" must be a string'],
    [{ ...click, user: null }, '"user" must be a string'],
    [{ ...click, user: true }, '"user" must be a string'],
    [{ ...click, time: null }, '"time" must be a finite number'],
    [{ ...click, time: "1" }, '"time" must be a finite number'],
    [{ ...click, kind: "wink", extra: 1 }, '"kind" must be one of'],
    [{ extra: 1 }, '"kind" must be one of'],
  ])("%j is refused", async (row, message) => {
    await expect(all(readJsonl(JSON.stringify(row)))).rejects.toThrow(message);
  });

  test("fields that no event has are counted, or refused when asked", async () => {
    const report = emptyQualityReport();
    const text = `${JSON.stringify({ ...click, x: 1 })}\n`.repeat(3);
    expect(await all(readJsonl(text, { report }))).toHaveLength(3);
    expect(report.changedBy).toEqual({ "unknown field left out": { x: 3 } });
    await expect(all(readJsonl(text, { unknown: "refuse" }))).rejects.toThrow('line 1: "x" is not a field of an event');
  });
});
