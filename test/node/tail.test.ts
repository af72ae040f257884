import { appendFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJsonl } from "../../src/logs/readers/jsonl.js";
import { type TailOptions, type TailPosition, tail } from "../../src/node/tail.js";
import { temporaryFolder } from "../support/folder.js";
import { cut, utf8 } from "../support/pieces.js";

const { at } = temporaryFolder();
let files = 0;
const fresh = () => at(`${files++}.jsonl`);

const FAST = 5;

/** What is read until so many lines have come; `onFirst` runs when the first have. */
async function read(
  path: string,
  lines: number,
  options: TailOptions = {},
  onFirst?: () => void,
): Promise<[string[], TailPosition]> {
  const stop = new AbortController();
  const source = tail(path, { intervalMs: FAST, signal: stop.signal, ...options });
  let text = "";
  if (lines === 0) setTimeout(() => stop.abort(), 8 * FAST);
  for await (const piece of source) {
    if (text === "") onFirst?.();
    text += new TextDecoder().decode(piece);
    expect(text.endsWith("\n")).toBe(true);
    if (text.split("\n").length > lines) stop.abort();
  }
  return [text.split("\n").slice(0, -1), source.position!];
}

const soon = (run: () => void) => setTimeout(run, 3 * FAST);

describe("a tail", () => {
  test("gives existing lines, then new ones, and holds a line until its end", async () => {
    const path = fresh();
    writeFileSync(path, "a\nb\nhal");
    soon(() => appendFileSync(path, "f"));
    const later = setTimeout(() => appendFileSync(path, "\nc\n"), 12 * FAST);
    const [lines, { offset, inode }] = await read(path, 4);
    clearTimeout(later);
    expect(lines).toEqual(["a", "b", "half", "c"]);
    expect([offset, inode]).toEqual([11, statSync(path).ino]);
  });

  test("gives the lines that were written, however their writing is cut", async () => {
    const texts = fc.array(fc.constantFrom("a", "é", "象😀", "\n", "\n", ""), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(1000), async (parts, seed) => {
        const path = fresh();
        const whole = `${parts.join("")}\nend\n`;
        writeFileSync(path, "");
        const pieces = cut(utf8(whole), seed, 9);
        const write = async () => {
          for (const piece of pieces) {
            appendFileSync(path, piece);
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        const expected = whole.split("\n").slice(0, -1);
        const [[lines, position]] = await Promise.all([read(path, expected.length), write()]);
        expect(lines).toEqual(expected);
        expect(position.offset).toBe(utf8(whole).length);
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  test("goes on where another has ended, at the end of a whole line", async () => {
    const path = fresh();
    writeFileSync(path, "a\nb\nc");
    const [first, from] = await read(path, 2);
    appendFileSync(path, "d\ne\n");
    const [second] = await read(path, 2, { from });
    expect([...first, ...second]).toEqual(["a", "b", "cd", "e"]);
  });

  test("counts a piece as used up when the next is asked for, so that none is lost", async () => {
    const path = fresh();
    writeFileSync(path, "a\nb\n");
    const source = tail(path, { intervalMs: FAST });
    for await (const _ of source) break;
    expect(source.position).toEqual({ offset: 0, inode: statSync(path).ino });
  });

  test("reads a renamed file to its end, and then the new one of its name", async () => {
    const path = fresh();
    writeFileSync(path, "a\n");
    const [lines, { offset, inode }] = await read(path, 5, {}, () => {
      appendFileSync(path, "b\n");
      renameSync(path, `${path}.1`);
      appendFileSync(`${path}.1`, "c\nno end");
      setTimeout(() => writeFileSync(path, "d\n"), 2 * FAST);
    });
    expect(lines).toEqual(["a", "b", "c", "no end", "d"]);
    expect([offset, inode]).toEqual([2, statSync(path).ino]);
  });

  test("goes on in a file that was renamed meanwhile, and starts anew where that is gone", async () => {
    const path = fresh();
    writeFileSync(path, "a\nb\n");
    const [, from] = await read(path, 2);
    appendFileSync(path, "c\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "d\n");
    expect((await read(path, 2, { from }))[0]).toEqual(["c", "d"]);
    rmSync(`${path}.1`);
    expect((await read(path, 1, { from }))[0]).toEqual(["d"]);
  });

  test("starts again in a file that became shorter, and drops a half-written line", async () => {
    const path = fresh();
    writeFileSync(path, "first\nhalf of a line");
    const cutShort = () => {
      truncateSync(path, 0);
      setTimeout(() => appendFileSync(path, "new\n"), 4 * FAST);
    };
    expect((await read(path, 2, {}, cutShort))[0]).toEqual(["first", "new"]);
    const short = { offset: 1000, inode: statSync(path).ino };
    expect((await read(path, 1, { from: short }))[0]).toEqual(["new"]);
  });

  test("waits for a missing file, and ends at the signal", async () => {
    const path = fresh();
    soon(() => writeFileSync(path, "a\n"));
    expect((await read(path, 1))[0]).toEqual(["a"]);
    expect(await read(fresh(), 0)).toEqual([[], undefined]);
    expect((await read(path, 1, { signal: AbortSignal.abort() }))[0]).toEqual([]);
  });

  test("is a source of events, and a line that is too long is not held", async () => {
    const path = fresh();
    const click = (time: number) => `${JSON.stringify({ kind: "click", time, user: "u", stream: "s" })}\n`;
    writeFileSync(path, `${click(1)}${"x".repeat(6_000_000)}\n${click(2)}`);
    const stop = new AbortController();
    const times: number[] = [];
    const source = tail(path, { signal: stop.signal, intervalMs: FAST });
    for await (const { time } of readJsonl(source, { onError: "skip" })) {
      times.push(time);
      if (time === 2) stop.abort();
    }
    expect(times).toEqual([1, 2]);
    expect(source.position!.offset).toBe(statSync(path).size);
  });
});

test("an unknown option is refused", () => {
  expect(() => tail("x", { interval: 1 } as TailOptions)).toThrow('"interval" is not an option');
  expect(() => tail("x", { intervalMs: 0 })).toThrow('"intervalMs" must be');
  expect(() => tail("x", { from: { offset: -1, inode: 1 } })).toThrow('"from.offset" must be an integer >= 0, got -1');
});
