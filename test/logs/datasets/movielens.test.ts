import { describe, expect, test } from "vitest";
import { readMovieLens } from "../../../src/cli/reading/movielens.js";
import { MOVIELENS_GENRES, type MovieLensFiles, parseMovieLens } from "../../../src/logs/datasets/movielens.js";
import { latin1, lookAlike } from "../../support/movielens.js";
import { utf8 } from "../../support/pieces.js";
import { realData } from "../../support/realdata.js";

const FLAGS = "0|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0";
const GOOD = {
  data: "1\t10\t5\t881250949\n2\t20\t3\t881250949\n",
  item: `10|Pépé (1937)|28-Jan-1937||http://example.com|${FLAGS}\n20|unknown||||${FLAGS}\n`,
  user: "1|24|M|technician|85711\n2|53|F|other|V3N4P\n",
};

function files(change: Partial<Record<keyof MovieLensFiles, string>>): MovieLensFiles {
  const texts = { ...GOOD, ...change };
  return { data: latin1(texts.data), item: latin1(texts.item), user: latin1(texts.user) };
}

describe("reading MovieLens-100K", () => {
  test("keeps every rating of the look-alike, ordered by time and by line where the time is the same", () => {
    const { files, ratings: lines, users, items } = lookAlike(1);
    const { ratings } = parseMovieLens(files);
    expect([ratings.users, ratings.items]).toEqual([users, items]);
    const expected = lines.map((line, index) => ({ line, index }));
    expected.sort((a, b) => a.line[3] - b.line[3] || a.index - b.index);
    const read = Array.from(ratings.user, (user, e) => [
      user + 1,
      ratings.item[e]! + 1,
      ratings.value[e],
      ratings.time[e]! / 1000,
    ]);
    expect(read).toEqual(expected.map(({ line }) => line));
  });

  test("decodes latin-1, dates, genres and people", () => {
    const { users, items } = parseMovieLens(files({}));
    expect(items[0]).toEqual({
      id: 10,
      title: "Pépé (1937)",
      year: 1937,
      genres: 1 << MOVIELENS_GENRES.indexOf("Action"),
    });
    expect(items[1]!.year).toBeNaN();
    expect(users[1]).toEqual({ id: 2, age: 53, gender: "F", occupation: 13, zip: "V3N4P" });
  });

  test("reads CRLF and a last line without an end", () => {
    const { ratings } = parseMovieLens(files({ data: "1\t10\t5\t881250949\r\n2\t20\t3\t881250950" }));
    expect(Array.from(ratings.value)).toEqual([5, 3]);
  });

  const bad: [what: string, change: Partial<typeof GOOD>, message: string][] = [
    [
      "a rating that is no number",
      { data: "1\t10\tx\t1\n" },
      'u.data:1: "rating" must be an integer in [1, 5], got "x"',
    ],
    [
      "a rating out of range",
      { data: `${GOOD.data}1\t20\t6\t1\n` },
      'u.data:3: "rating" must be an integer in [1, 5], got "6"',
    ],
    ["a rating that is not whole", { data: "1\t10\t4.5\t1\n" }, '"rating" must be an integer in [1, 5], got "4.5"'],
    ["an empty field", { data: "1\t10\t\t1\n" }, 'u.data:1: "rating" must be an integer in [1, 5], got ""'],
    [
      "a time out of range",
      { data: "1\t10\t5\t-1\n" },
      'u.data:1: "timestamp" must be an integer in [0, 8640000000000], got "-1"',
    ],
    [
      "a missing column",
      { data: "1\t10\t5\n" },
      'u.data:1: must have 4 fields separated by tab, got 3; "timestamp" is missing',
    ],
    ["a column too many", { data: "1\t10\t5\t1\t1\n" }, "u.data:1: must have 4 fields separated by tab, got 5"],
    ["another separator", { data: "1,10,5,1\n" }, "u.data:1: must have 4 fields separated by tab, got 1"],
    ["an empty line", { data: `${GOOD.data}\n` }, "u.data:3: must have 4 fields separated by tab, got 1"],
    ["an empty file", { data: "" }, "u.data: must have at least one line, got an empty file"],
    ["an unknown item", { data: "1\t99\t5\t1\n" }, 'u.data:1: "item" must be in u.item, got "99"'],
    ["an unknown user", { data: "9\t10\t5\t1\n" }, 'u.data:1: "user" must be in u.user, got "9"'],
    [
      "a pair rated twice",
      { data: `${GOOD.data}1\t10\t5\t9\n` },
      'u.data:3: "item" must be rated once by user 1, got "10"',
    ],
    ["an item listed twice", { item: GOOD.item + GOOD.item }, 'u.item:3: "id" must be unique, got "10"'],
    ["an item without a title", { item: `10|||||${FLAGS}\n` }, 'u.item:1: "title" must not be empty, got ""'],
    [
      "a flag that is none",
      { item: `10|A|||b|2${FLAGS.slice(1)}\n` },
      'u.item:1: "unknown" must be an integer in [0, 1]',
    ],
    [
      "a date in another form",
      { item: `10|A|1995-01-01||b|${FLAGS}\n` },
      'u.item:1: "release date" must be a date such as 01-Jan-1995 or empty, got "1995-01-01"',
    ],
    ["a genre too few", { item: `10|A|||b|${FLAGS.slice(2)}\n` }, '"Western" is missing'],
    ["an age out of range", { user: "1|240|M|other|1\n" }, 'u.user:1: "age" must be an integer in [1, 120], got "240"'],
    ["an unknown gender", { user: "1|24|m|other|1\n" }, 'u.user:1: "gender" must be one of F, M, got "m"'],
    ["an unknown occupation", { user: "1|24|M|pilot|1\n" }, 'u.user:1: "occupation" must be one of administrator'],
    ["a user listed twice", { user: GOOD.user + GOOD.user }, 'u.user:3: "id" must be unique, got "1"'],
  ];
  test.each(bad)("refuses %s, with file, line and field", (_, change, message) => {
    expect(() => parseMovieLens(files(change))).toThrow(message);
  });

  const encoded: [what: string, bytes: Uint8Array, message: string][] = [
    ["UTF-8", utf8(GOOD.item), "u.item:1: must be latin-1 text, got UTF-8"],
    ["UTF-8 with C1 bytes", utf8(`\n${GOOD.item}À`), "u.item:2: must be latin-1 text, got UTF-8"],
    [
      "a UTF-8 byte-order mark",
      latin1(`\xef\xbb\xbf${GOOD.item}`),
      "u.item:1: must be latin-1 text, got a UTF-8 byte-order mark",
    ],
    ["UTF-16", new Uint8Array(Buffer.from(`\ufeff${GOOD.item}`, "utf16le")), "got a UTF-16 byte-order mark"],
    [
      "UTF-16 without a mark",
      new Uint8Array(Buffer.from(GOOD.item, "utf16le")),
      "u.item:1: must be latin-1 text, got byte 0x00",
    ],
    [
      "windows-1252",
      latin1(GOOD.item.replace("unknown", "\x93unknown\x94")),
      "u.item:2: must be latin-1 text, got byte 0x93",
    ],
  ];
  test.each(encoded)("refuses %s where latin-1 is due", (_, item, message) => {
    expect(() => parseMovieLens({ ...files({}), item })).toThrow(message);
  });

  test("names the file that is missing from a folder", async () => {
    await expect(readMovieLens("/nowhere/at/all")).rejects.toThrow(/u\.(data|item|user): must be a readable file in/);
  });

  const movielens = realData("ml-100k");
  test.skipIf(!movielens)("reads the real data", async () => {
    const { users, items, ratings } = await readMovieLens(movielens!);
    expect([users.length, items.length, ratings.user.length]).toEqual([943, 1682, 100_000]);
    expect(items.filter(({ year }) => Number.isNaN(year)).map(({ id }) => id)).toEqual([267]);
    expect(items[542]!.title).toBe("Misérables, Les (1995)");
    expect(ratings.time.every((time, e) => e === 0 || time >= ratings.time[e - 1]!)).toBe(true);
    expect(ratings.value.reduce((sum, value) => sum + value, 0)).toBe(352_986);
  });
});
