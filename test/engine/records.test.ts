import { describe, expect, test } from "vitest";
import type { Part, PartReader } from "../../src/engine/snapshot/part.js";
import {
  BytesReader,
  FloatsReader,
  floatsPart,
  jsonPart,
  LinesReader,
  linesPart,
} from "../../src/engine/snapshot/records.js";
import { SnapshotError } from "../../src/index.js";
import { numbers } from "../support/numbers.js";

const bytesOf = (part: Part) => Buffer.concat([...part.chunks()]);

/** Gives bytes to a reader in pieces, in memory that is overwritten after each. */
function read(reader: PartReader, bytes: Uint8Array, size: number): void {
  const memory = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    memory.set(piece);
    reader.write(memory.subarray(0, piece.length));
    memory.fill(0x5b);
  }
  reader.end();
}

describe("lines", () => {
  const records = [{ a: 1 }, [], "é\n\u2028 \ud800", null, { long: "x".repeat(200_000) }, ...numbers(4000, 1)];

  test("come back as they were, cut anywhere, in chunks of bounded size", () => {
    const part = linesPart("lines", () => records);
    const bytes = bytesOf(part);
    expect(bytesOf(part).equals(bytes)).toBe(true);
    for (const chunk of part.chunks()) expect(chunk.length).toBeLessThanOrEqual(1 << 18);
    for (const size of [1, 7, 4096, bytes.length]) {
      const found: unknown[] = [];
      read(new LinesReader("lines", (record) => found.push(record)), bytes, size);
      expect(JSON.stringify(found)).toBe(JSON.stringify(records));
    }
    read(new LinesReader("lines", () => expect.unreachable()), bytesOf(linesPart("none", () => [])), 1);
  });

  test("none is left out but undefined ones, and few are asked for in a step, whatever they hold", () => {
    let asked = 0;
    const sparse = function* () {
      for (let i = 0; i < 100_000; i++) {
        asked++;
        yield i % 40_000 === 39_999 ? i : undefined;
      }
    };
    let [text, before] = ["", 0];
    for (const chunk of linesPart("sparse", sparse).chunks()) {
      text += new TextDecoder().decode(chunk);
      expect(asked - before).toBeLessThanOrEqual(1024);
      before = asked;
    }
    expect(text).toBe("39999\n79999\n");
    expect(asked).toBe(100_000);
  });

  test.each([
    ["cut off", '{"a":1}\n{"a"'],
    ["without its last newline", "1"],
    ["not JSON", "{a:1}\n"],
    ["empty", "\n"],
    ["two", "1 2\n"],
    ["not UTF-8", Uint8Array.of(0x22, 0xff, 0x22, 10)],
    ["behind a mark of its bytes", Uint8Array.of(0xef, 0xbb, 0xbf, 0x31, 10)],
  ])("a line that is %s is refused", (_, text) => {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    for (const size of [1, 100]) {
      expect(() => read(new LinesReader("lines", () => {}), bytes, size)).toThrow(SnapshotError);
    }
  });

  test("a record that its taker refuses is a fault of the file", () => {
    const reader = () =>
      new LinesReader("lines", () => {
        throw new RangeError('"time" must be finite');
      });
    expect(() => read(reader(), new TextEncoder().encode("1\n"), 2)).toThrow(SnapshotError);
    expect(() => read(reader(), new TextEncoder().encode("1\n"), 2)).toThrow('"time" must be finite');
  });
});

describe("floats", () => {
  const lengths = [0, 3, 0, 0, 70_000, 1, 65_536, 0];
  const arrays = lengths.map((length, i) => numbers(length, i));
  const bytes = bytesOf(floatsPart("floats", () => arrays));

  test("come back as they were, cut anywhere", () => {
    expect(bytes.length).toBe(4 * lengths.reduce((sum, length) => sum + length, 0));
    for (const size of [1, 3, 4096, bytes.length]) {
      const reader = new FloatsReader("floats", lengths, bytes.length);
      read(reader, bytes, size);
      expect(lengths.map((length) => reader.take(length))).toEqual(arrays);
      expect(() => reader.take(0)).toThrow(SnapshotError);
    }
    const none = new FloatsReader("floats", [], 0);
    none.end();
    expect(bytesOf(floatsPart("none", () => [])).length).toBe(0);
  });

  test("that are not finite, of other lengths, too many or too few are refused, before memory is taken", () => {
    const refused: [readonly unknown[], Uint8Array][] = [
      [[1], new Uint8Array(Float32Array.of(Number.NaN).buffer)],
      [[1], new Uint8Array(Float32Array.of(Number.POSITIVE_INFINITY).buffer)],
      [[2], new Uint8Array(4)],
      [[1], new Uint8Array(8)],
      [[1], new Uint8Array(5)],
      [[0.5, 0.5], new Uint8Array(4)],
      [[-1, 2], new Uint8Array(4)],
      [[1e9, -1e9], new Uint8Array(0)],
      [[4e9], new Uint8Array(4)],
      [[1e300], new Uint8Array(4)],
      [[null], new Uint8Array(0)],
      [["1"], new Uint8Array(4)],
      [[Number.NaN], new Uint8Array(4)],
    ];
    for (const [given, from] of refused) {
      const load = () => read(new FloatsReader("floats", given as number[], from.length), from, 3);
      expect(load, String(given)).toThrow(SnapshotError);
    }
    const short = new FloatsReader("floats", [2], 8);
    short.write(new Uint8Array(7));
    expect(() => short.end()).toThrow(SnapshotError);
    const long = new FloatsReader("floats", [1], 4);
    long.write(new Uint8Array(4));
    expect(() => long.write(new Uint8Array(1))).toThrow(SnapshotError);
    expect(() => long.take(2)).toThrow(SnapshotError);
  });
});

describe("a value as JSON", () => {
  test.each([
    [{}],
    [[]],
    [{ a: undefined, b: [undefined, null, Number.NaN, -0], c: { d: {}, e: [] } }],
    [{ '\u2028"': "é\ud800", __proto__: 1, deep: [[[[[[[[1, { a: [2] }]]]]]]]] }],
    [
      {
        list: Array.from({ length: 300 }, (_, i) => ({ i, more: Array.from({ length: 100 }, (__, j) => [j, { j }]) })),
      },
    ],
    [Array.from({ length: 100_000 }, (_, i) => i)],
    [
      {
        time: new Date(0),
        a: [{ toJSON: () => ({ b: new Date(1) }) }],
        deep: { deep: { toJSON: () => undefined }, of: () => 1 },
      },
    ],
  ])("is as of JSON.stringify, of the time when it was made", (value) => {
    const text = JSON.stringify(value);
    const part = jsonPart("json", value);
    (value as Record<string, unknown>)["later"] = 1;
    expect(bytesOf(part).toString() === text).toBe(true);
    expect(bytesOf(part).toString() === text).toBe(true);
    const reader = new BytesReader();
    read(reader, bytesOf(part), 1000);
    expect(new TextDecoder().decode(reader.take()) === text).toBe(true);
    part.release();
  });
});
