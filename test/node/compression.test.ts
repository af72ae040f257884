import { mkdirSync, readdirSync } from "node:fs";
import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { compressionOf, decompressed } from "../../src/node/compression.js";
import { Spool } from "../../src/node/spool.js";
import { temporaryFolder } from "../support/folder.js";
import { all, bytes, cut, utf8 } from "../support/pieces.js";

const { at } = temporaryFolder();
const whole = async (pieces: AsyncIterable<Uint8Array>) => Buffer.concat(await all(pieces));
const CONTENT = Buffer.from(bytes(200_000));
const zstd = (zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer }).zstdCompressSync;

describe("decompressing", () => {
  test.each<[string, Uint8Array]>([
    ["one member", zlib.gzipSync(CONTENT)],
    ["the best compression", zlib.gzipSync(CONTENT, { level: 9 })],
    ["no compression", zlib.gzipSync(CONTENT, { level: 0 })],
    ["two members", Buffer.concat([zlib.gzipSync(CONTENT.subarray(0, 777)), zlib.gzipSync(CONTENT.subarray(777))])],
    [
      "a member for each piece",
      Buffer.concat([...Array(50).keys()].map((i) => zlib.gzipSync(CONTENT.subarray(4000 * i, 4000 * (i + 1))))),
    ],
    ["an empty member first", Buffer.concat([zlib.gzipSync(""), zlib.gzipSync(CONTENT)])],
    ["no compression at all", CONTENT],
  ])("gives the content of %s, cut anywhere", async (_, packed) => {
    for (const most of [1, 3, 1000, 70_000]) {
      const few = most < 4 ? packed.subarray(0, packed.length) : packed;
      if (most < 4 && few.length > 50_000) continue;
      expect((await whole(decompressed(cut(few, most, most)))).equals(CONTENT)).toBe(true);
    }
    expect((await whole(decompressed([packed]))).equals(CONTENT)).toBe(true);
  });

  test.each([0, 1, 2, 3, 4, 5])("passes %i bytes as they are", async (length) => {
    const few = bytes(length);
    expect(await whole(decompressed(cut(few, 1, 1)))).toEqual(Buffer.from(few));
    expect(await whole(decompressed([few]))).toEqual(Buffer.from(few));
  });

  test("refuses damaged and cut bytes", async () => {
    const packed = zlib.gzipSync(CONTENT);
    for (const length of [10, 100, 1000, packed.length - 1]) {
      await expect(whole(decompressed([packed.subarray(0, length)]))).rejects.toThrow("unexpected end of file");
    }
    for (const place of [20, 500, packed.length - 6]) {
      const damaged = Uint8Array.from(packed, (byte, i) => (i === place ? byte ^ 255 : byte));
      await expect(whole(decompressed([damaged]))).rejects.toThrow();
    }
  });

  test("of zstd works where Node has it, and says which Node does", async () => {
    const mark = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
    expect([compressionOf(mark), compressionOf(zlib.gzipSync("")), compressionOf(utf8("{}"))]).toEqual([
      "zstd",
      "gzip",
      undefined,
    ]);
    if (zstd === undefined)
      await expect(whole(decompressed([mark]))).rejects.toThrow("zstd needs Node 22.15, 23.8 or later");
    else expect((await whole(decompressed(cut(zstd(CONTENT), 1, 500)))).equals(CONTENT)).toBe(true);
  });

  test("holds no more than a piece of what inflates to a thousand times its size, and ends its source when left", async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(2 ** 28));
    let given = 0;
    let isOver = false;
    function* pieces(): Generator<Uint8Array> {
      try {
        for (let from = 0; from < bomb.length; from += 1024) {
          given++;
          yield bomb.subarray(from, from + 1024);
        }
      } finally {
        isOver = true;
      }
    }
    let most = 0;
    for await (const piece of decompressed(pieces())) {
      most = Math.max(most, piece.length);
      break;
    }
    expect(most).toBeLessThanOrEqual(1 << 16);
    expect(given).toBeLessThan(100);
    expect(isOver).toBe(true);
  });

  test("passes the error of its source on", async () => {
    async function* torn(): AsyncGenerator<Uint8Array> {
      yield zlib.gzipSync(CONTENT).subarray(0, 50);
      throw new Error("torn");
    }
    await expect(whole(decompressed(torn()))).rejects.toThrow("torn");
  });
});

describe("a spool", () => {
  test.skipIf(process.platform === "win32")("has no name, so that no signal leaves it behind", () => {
    mkdirSync(at("spool"));
    const spool = new Spool(at("spool"));
    spool.write(utf8("abc"));
    expect(readdirSync(at("spool"))).toEqual([]);
    spool.write(utf8("defg"));
    expect([spool.read(0, 7), spool.read(2, 4), spool.read(7, 7)].map(String)).toEqual(
      ["abcdefg", "cd", ""].map((text) => String(utf8(text))),
    );
    expect(() => spool.read(2, 8)).toThrow('"from" and "to" must be in [0, 7], got 2 and 8');
    spool.close();
    spool.close();
    expect(() => new Spool(at("nowhere"))).toThrow("ENOENT");
  });
});
