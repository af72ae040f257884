import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Sha256, sha256 } from "../../src/engine/snapshot/sha256.js";
import { packSnapshot, unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import { bytes, utf8 } from "../support/pieces.js";

const file = () =>
  packSnapshot(
    "dqn",
    { note: "hello" },
    new Map([
      ["a", bytes(5)],
      ["b", bytes(70)],
      ["empty", bytes(0)],
    ]),
  );

const ZEROS = "0".repeat(64);

/** The file with its header replaced. */
function withHeader(change: (header: Record<string, Record<string, unknown>>) => unknown): Uint8Array {
  const whole = file();
  const length = Number(new DataView(whole.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length)));
  header["__metadata__"]["sha256"] = ZEROS;
  const text = utf8(JSON.stringify(change(header) ?? header));
  const data = whole.subarray(8 + length);
  const digest = createHash("sha256").update(text).update(sha256(data)).digest("hex");
  const result = new Uint8Array(8 + text.length + data.length);
  new DataView(result.buffer).setBigUint64(0, BigInt(text.length), true);
  result.set(text, 8);
  result.set(data, 8 + text.length);
  // A digest that fits, unless the change was to it.
  const at = new TextDecoder().decode(text).indexOf(ZEROS);
  if (at >= 0) result.set(utf8(digest), 8 + at);
  return result;
}

test("sha256 equals Node's for every length to 200 and a long input", () => {
  for (const n of [...Array(201).keys(), 100_003]) {
    expect(sha256(bytes(n))).toBe(createHash("sha256").update(bytes(n)).digest("hex"));
  }
});

describe("a snapshot file", () => {
  test("gives back metadata and tensors, its data at a multiple of 64", () => {
    const whole = file();
    const { metadata, tensors } = unpackSnapshot("dqn", whole);
    expect(metadata).toMatchObject({ note: "hello", format: "liveq", kind: "dqn", min_reader: "1" });
    expect([...tensors].map(([name, data]) => [name, data.length])).toEqual([
      ["a", 5],
      ["b", 70],
      ["empty", 0],
    ]);
    expect(tensors.get("b")).toEqual(bytes(70));
    expect((Number(new DataView(whole.buffer).getBigUint64(0, true)) + 8) % 64).toBe(0);
  });

  test("read from a Buffer gives tensors whose slices are copies", () => {
    const { tensors } = unpackSnapshot("dqn", Buffer.from(file()));
    const slice = tensors.get("b")!.slice();
    expect(slice.buffer.byteLength).toBe(70);
    expect(slice).toEqual(bytes(70));
  });

  test.each<[string, Uint8Array]>([
    ["the file has 3 bytes: too short", bytes(3)],
    ["not a snapshot, or cut off", bytes(100)],
    ['the file holds "dqn", not "recommender"', file()],
    ['not a LiveQ file: "format" is "other"', withHeader((h) => void (h["__metadata__"]!["format"] = "other"))],
    ["the file needs reader 2; this one is 1", withHeader((h) => void (h["__metadata__"]!["min_reader"] = "2"))],
    ["its SHA-256 does not match", withHeader((h) => void (h["__metadata__"]!["sha256"] = "1".repeat(64)))],
    ["the header is not JSON as LiveQ writes it", withHeader((h) => void (h["__metadata__"]!["x"] = 1))],
    ['tensor "b" is not a byte tensor that follows', withHeader((h) => void (h["b"]!["data_offsets"] = [4, 74]))],
    ['tensor "a" is not a byte tensor', withHeader((h) => void (h["a"]!["dtype"] = "F32"))],
    ['tensor "a" is not a byte tensor', withHeader((h) => void (h["a"]!["extra"] = 1))],
    ["the tensors end at 5 of 75 bytes", withHeader(({ b: _, empty: __, ...rest }) => rest)],
    ["the header is not JSON as LiveQ writes it", withHeader(() => [])],
  ])("%s", (message, given) => {
    const kind = message.includes("recommender") ? "recommender" : "dqn";
    expect(() => unpackSnapshot(kind, given)).toThrow(message);
  });
});

test("a digest of pieces is that of the whole, however they are cut", () => {
  const whole = bytes(1000);
  for (const cuts of [[1], [63, 64, 65], [0, 0, 500], [64, 128, 192], [7, 7, 7, 900]]) {
    const digest = new Sha256();
    let at = 0;
    for (const cut of cuts) {
      digest.update(whole.subarray(at, at + cut));
      at += cut;
    }
    digest.update(whole.subarray(at));
    expect(digest.digest()).toBe(sha256(whole));
  }
});
