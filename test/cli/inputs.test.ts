import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as zlib from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { peakBytes } from "../../bench/recommender/speed/preparing.js";
import { RandomPolicy } from "../../src/baselines/random.js";
import { readCsvEvents, toCsv } from "../../src/logs/index.js";
import { Random } from "../../src/numeric/index.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import { simulate } from "../../src/simulator/index.js";
import { COMMAND, ended, liveq, liveqOn } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";
import { lookAlike } from "../support/movielens.js";
import { all } from "../support/pieces.js";

const { folder, at } = temporaryFolder();
/** In order of time, with the fields in the order of CSV. */
let events: LiveEvent[] = [];
/** What every way of giving them must come to. */
let expected = "";
const zstd = (zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer }).zstdCompressSync;

const jsonl = (some: readonly LiveEvent[]) => some.map((event) => `${JSON.stringify(event)}\n`).join("");
const isOfStreams = ({ kind }: LiveEvent) => kind === "on_air" || kind === "update" || kind === "off_air";
const prepared = (name: string) => readFileSync(at(name, "events.jsonl"), "utf8");

beforeAll(async () => {
  const log: LiveEvent[] = [];
  const world = { viewers: 50, streamers: 40, days: 1, seed: 3 };
  simulate(new RandomPolicy(1), world, { onEvent: (event) => log.push(event) });
  events = await all(readCsvEvents(toCsv(log)));
  writeFileSync(at("all.jsonl"), jsonl(events));
  expect(await liveq("prepare", at("all.jsonl"), "--split", "none", "--out", at("whole"))).toMatchObject({ code: 0 });
  expected = prepared("whole");
  expect(expected.split("\n").length).toBeGreaterThan(1000);
});

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Rows of CSV with another separator, every cell in quotes. */
async function csv(some: readonly LiveEvent[], separator: string): Promise<string> {
  if (separator === ",") return (await all(toCsv(some))).join("");
  const names = [...new Set(events.flatMap((event) => Object.keys(event)))];
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const cell = (value: unknown) =>
    quoted(value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
  const row = (event: LiveEvent) => names.map((name) => cell((event as unknown as Record<string, unknown>)[name]));
  return [names.map(quoted), ...some.map(row)].map((cells) => `${cells.join(separator)}\n`).join("");
}

const LAYOUTS: Record<string, (some: readonly LiveEvent[]) => string | Promise<string>> = {
  jsonl,
  array: (some) => JSON.stringify(some),
  lines: (some) => `[\n${some.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`,
  pretty: (some) => JSON.stringify(some, null, 2),
  csv: (some) => csv(some, ","),
  semicolons: (some) => csv(some, ";"),
  tabs: (some) => csv(some, "\t"),
};
const ENDS = ["\n", "\n", "\r\n", "\r"];
const CODES: ((text: string) => Buffer)[] = [
  (text) => Buffer.from(text),
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(`\ufeff${text}`, "utf16le"),
  (text) => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
];
const PACKS: [ending: string, (bytes: Buffer) => Uint8Array][] = [
  ["", (bytes) => bytes],
  [".gz", (bytes) => zlib.gzipSync(bytes)],
  ["", (bytes) => zlib.gzipSync(bytes)],
  [
    ".gz",
    (bytes) => {
      const middle = bytes.length >> 1;
      return Buffer.concat([zlib.gzipSync(bytes.subarray(0, middle)), zlib.gzipSync(bytes.subarray(middle))]);
    },
  ],
  ...(zstd === undefined ? [] : [[".zst", zstd] as [string, (bytes: Buffer) => Uint8Array]]),
];
const ORDERS: ((some: readonly LiveEvent[], random: Random) => LiveEvent[])[] = [
  (some) => [...some],
  shuffled,
  (some) => [...some].reverse(),
  // Late by less than a minute, as networks are.
  (some, random) => {
    const keys = some.map((event) => event.time + 50_000 * random.uniform());
    return [...some.keys()].sort((a, b) => keys[a]! - keys[b]!).map((i) => some[i]!);
  },
];

/** Writes the events over files of a folder as chance has it; returns their paths. */
async function scattered(seed: number): Promise<{ paths: string[]; title: string }> {
  const random = Random.named(seed, "inputs");
  const one = <T>(choices: readonly T[]): T => choices[random.below(choices.length)]!;
  const n = 1 + random.below(4);
  const order = one(ORDERS);
  // By kind, by server, by day.
  const route = one([
    (event: LiveEvent) => (isOfStreams(event) ? 0 : n - 1),
    () => random.below(n),
    (_: LiveEvent, i: number) => Math.floor((i * n) / events.length),
  ]);
  const parts = Array.from({ length: n }, (): LiveEvent[] => []);
  for (const [i, event] of events.entries()) parts[route(event, i)]!.push(event);
  mkdirSync(at(`in-${seed}`));
  const titles: string[] = [];
  const paths: string[] = [];
  for (const [i, part] of shuffled(parts, random).entries()) {
    if (part.length === 0) continue;
    const layout = one(Object.keys(LAYOUTS));
    const [ending, pack] = one(PACKS);
    const end = one(ENDS);
    const text = await LAYOUTS[layout]!(order(part, random));
    const path = at(`in-${seed}`, `part-${i}${ending}`);
    // Titles hold no line feeds: every one ends a line.
    writeFileSync(path, pack(one(CODES)(text.replaceAll("\n", end))));
    paths.push(path);
    titles.push(`${layout}${ending}${JSON.stringify(end)}`);
  }
  return { paths, title: titles.join(", ") };
}

describe("prepare gives the same bytes", () => {
  test("for any order, any split over files, any layout, encoding and compression", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const { paths, title } = await scattered(seed);
      const given = seed % 3 === 0 ? [at(`in-${seed}`)] : paths;
      const { code, err } = await liveq("prepare", ...given, "--split", "none", "--out", at(`out-${seed}`));
      expect({ code, err }, title).toMatchObject({ code: 0 });
      expect(prepared(`out-${seed}`) === expected, `${seed}: ${title}`).toBe(true);
    }
  });

  test("for files by kind, a folder of them, and a shuffled file, which are the ways that logs come", async () => {
    const random = Random.named(1, "ways");
    mkdirSync(at("ways"));
    writeFileSync(at("ways", "streams.jsonl"), jsonl(events.filter(isOfStreams)));
    writeFileSync(at("ways", "acts.jsonl"), jsonl(events.filter((event) => !isOfStreams(event))));
    writeFileSync(at("shuffled.jsonl"), jsonl(shuffled(events, random)));
    const ways = [
      [at("ways", "streams.jsonl"), at("ways", "acts.jsonl")],
      [at("ways", "acts.jsonl"), at("ways", "streams.jsonl")],
      [at("ways")],
      [at("shuffled.jsonl")],
    ];
    for (const [i, way] of ways.entries()) {
      const run = await liveq("prepare", ...way, "--split", "none", "--out", at(`way-${i}`));
      expect(run.code).toBe(0);
      expect(prepared(`way-${i}`) === expected).toBe(true);
      const report = JSON.parse(readFileSync(at(`way-${i}`, "report.json"), "utf8"));
      expect(report.sorted).toBe(i === 3);
      expect(report.quality.read).toBe(events.length);
    }
  });

  test("for more overlapping files than can be open at a time, and files of days, packed or not", async () => {
    mkdirSync(at("many"));
    const hundreds = Array.from({ length: 300 }, (_, i) => events.filter((_, j) => j % 300 === i));
    for (const [i, part] of hundreds.entries()) writeFileSync(at("many", `${i}.jsonl`), jsonl(part));
    await liveq("prepare", at("many"), "--split", "none", "--out", at("many-out"));
    expect(prepared("many-out") === expected).toBe(true);
    expect(JSON.parse(readFileSync(at("many-out", "report.json"), "utf8")).sorted).toBe(true);
    mkdirSync(at("days"));
    for (let i = 0; i < 300; i++) {
      const part = jsonl(
        events.slice(Math.floor((i * events.length) / 300), Math.floor(((i + 1) * events.length) / 300)),
      );
      writeFileSync(at("days", `day-${String(i).padStart(3, "0")}.jsonl.gz`), zlib.gzipSync(part));
    }
    await liveq("prepare", at("days"), "--split", "none", "--out", at("days-out"));
    expect(prepared("days-out") === expected).toBe(true);
    expect(JSON.parse(readFileSync(at("days-out", "report.json"), "utf8")).sorted).toBe(false);
  });

  test("of packed data sets, which are known by the names of their files without the packing", async () => {
    const { files } = lookAlike(1);
    for (const folder of ["films", "packed"]) mkdirSync(at(folder));
    for (const name of ["data", "item", "user"] as const) {
      writeFileSync(at("films", `u.${name}`), files[name]);
      writeFileSync(at("packed", `u.${name}.gz`), zlib.gzipSync(files[name]));
    }
    for (const folder of ["films", "packed"]) {
      const run = await liveq("prepare", at(folder), "--split", "none", "--out", at(`${folder}-out`));
      expect(run.out).toContain("format: movielens-100k");
    }
    const ratings = (folder: string) => readFileSync(at(folder, "ratings.jsonl"), "utf8");
    expect(ratings("packed-out")).toBe(ratings("films-out"));
  });

  test("through pipes, in whatever order, and with each --order that can", async () => {
    const text = jsonl(shuffled(events, Random.named(2, "pipe")));
    for (const [input, order] of [
      [text, "auto"],
      [text, "sort"],
      [jsonl(events), "auto"],
      [jsonl(events), "sort"],
    ]) {
      const words = ["prepare", "-", "--split", "none", "--order", order!, "--out", "-"];
      const { code, out } = await liveqOn(input!, ...words);
      expect([code, out === expected]).toEqual([0, true]);
    }
    const { code, out } = await liveq("prepare", at("shuffled.jsonl"), "--split", "none", "--out", "-");
    expect([code, out === expected]).toEqual([0, true]);
  });

  test("in the parts of a split by time", async () => {
    await liveq("prepare", at("shuffled.jsonl"), "--out", at("parts"));
    const parts = ["train", "validation", "test"].map((part) => readFileSync(at("parts", `${part}.jsonl`), "utf8"));
    expect(parts.join("") === expected).toBe(true);
    const files = parts.map((_, i) => at("parts", `${["train", "validation", "test"][i]}.jsonl`));
    // A folder of prepared parts holds its report too.
    const again = await liveq("prepare", at("parts"), "--split", "none", "--out", at("again"));
    expect(again.err).toContain(`not read, as they hold no events: ${at("parts", "report.json")}`);
    expect(prepared("again") === expected).toBe(true);
    await liveq("prepare", ...[...files].reverse(), "--split", "none", "--out", at("reversed"));
    expect(prepared("reversed") === expected).toBe(true);
  });
});

test("train and evaluate read files in order of time, in whatever order they are given", async () => {
  // Between two days of files no instant is in both.
  const place = (share: number) => {
    let at = Math.floor(share * events.length);
    while (at > 0 && at < events.length && events[at]!.time === events[at - 1]!.time) at++;
    return at;
  };
  const cut = (from: number, to: number) => events.slice(place(from), place(to));
  for (const [name, part] of Object.entries({ one: cut(0, 0.4), two: cut(0.4, 0.7), three: cut(0.7, 1) })) {
    writeFileSync(at(`${name}.jsonl`), jsonl(part));
  }
  const files = (names: string[]) => names.map((name) => at(`${name}.jsonl`));
  const models: Buffer[] = [];
  for (const given of [files(["one", "two", "three"]), files(["three", "one", "two"]), [at("all.jsonl")]]) {
    await liveq("train", "--events", ...given, "--model", at("m.liveq"));
    models.push(readFileSync(at("m.liveq")));
  }
  expect(models[1]!.equals(models[0]!)).toBe(true);
  expect(models[2]!.equals(models[0]!)).toBe(true);
  const figures: string[] = [];
  for (const names of [
    ["two", "three"],
    ["three", "two"],
  ]) {
    const words = ["--warmup", at("one.jsonl"), "--events", ...files(names), "--json", at("f.json")];
    expect(await liveq("evaluate", ...words, "--policies", "popular")).toMatchObject({ code: 0 });
    figures.push(readFileSync(at("f.json"), "utf8"));
  }
  expect(figures[0]).toBe(figures[1]);
});

describe("a run that keeps too little fails, and says why", () => {
  const click = (time: number, more: object = {}) => ({ kind: "click", time, user: "u", stream: "s", ...more });
  const lines = (items: unknown[]) =>
    items.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join("\n");
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  test.each<[string, string, string[], string[]]>([
    [
      "no stream on air",
      lines(hundred.map((i) => click(i))),
      [],
      [
        "kept 0 of 100 events (0 %), less than --min-kept 50 %:",
        '100 stream not on air, such as {"kind":"click","time":0,"user":"u","stream":"s"}; "--off-air keep" keeps them',
      ],
    ],
    [
      "unreadable lines",
      lines(hundred.map((i) => (i % 5 < 3 ? "oops" : click(i)))),
      ["--off-air", "keep"],
      ["kept 40 of 100 events (40 %)", "60 unreadable, such as ", "log:1: must be one JSON object"],
    ],
    [
      "late events",
      lines([click(8e7), ...hundred.map((i) => click(99 - i))]),
      ["--off-air", "keep", "--order", "keep"],
      ["of 101 events", 'late, such as {"kind":"click"', '"--order sort" sorts them in'],
    ],
    [
      "times in microseconds",
      lines(hundred.map((i) => click(1.7e15 + i))),
      ["--off-air", "keep"],
      ["100 time out of range", "times must be milliseconds since 1970"],
    ],
    [
      "duplicates",
      lines(hundred.map(() => click(5))),
      ["--off-air", "keep"],
      ["kept 1 of 100 events (1.0 %)", "99 duplicate, such as {"],
    ],
    [
      "ids seen before",
      lines(hundred.map(() => click(5, { id: "e" }))),
      ["--off-air", "keep"],
      ["99 id seen before, such as {"],
    ],
    [
      "ids of others",
      lines(hundred.map((i) => click(i, { id: "e" }))),
      ["--off-air", "keep"],
      ["99 id of another event, such as {"],
    ],
    [
      "limits",
      lines(hundred.map((i) => click(i))),
      ["--off-air", "keep", "--user-limit", "10"],
      ["90 rate limit, such as {"],
    ],
    [
      "watches of no time",
      lines(hundred.map((i) => click(i, { kind: "watch", watchMs: 0 }))),
      ["--off-air", "keep"],
      ["100 watch of no time"],
    ],
    [
      "a greater share asked for",
      lines(hundred.map((i) => (i < 30 ? "{}" : click(i)))),
      ["--off-air", "keep", "--min-kept", ".9"],
      ["kept 70 of 100 events (70 %), less than --min-kept 90 %", '"kind" must be one of'],
    ],
    [
      "nothing in the range of time",
      lines(hundred.map((i) => click(i))),
      ["--off-air", "keep", "--from", "1000"],
      ["kept 0 of 0 events in the range of time"],
    ],
    [
      "several reasons",
      lines(hundred.map((i) => (i % 5 === 0 ? "x" : click(i)))),
      [],
      ["80 stream not on air", "\n  20 unreadable, such as "],
    ],
  ])("%s", async (_, text, options, messages) => {
    writeFileSync(at("log"), text);
    for (const more of [[], ["--json"], ["--split", "none", "--out", at("few")], ["--split", "none", "--out", "-"]]) {
      const { code, err } = await liveq("prepare", at("log"), ...options, ...more);
      expect(code, more.join(" ")).toBe(1);
      for (const message of messages) expect(err).toContain(message);
      expect(err).toContain(`liveq: ${at("log")}: kept `);
      const any = await liveq("prepare", at("log"), ...options, ...more, "--min-kept", "0");
      expect(any.code).toBe(0);
    }
    // What could be kept is written all the same.
    const report = JSON.parse(readFileSync(at("few", "report.json"), "utf8"));
    expect(prepared("few").split("\n").length - 1).toBe(report.quality.kept);
  });

  test("a range of time that was asked for is no loss", async () => {
    writeFileSync(at("log"), lines(hundred.map((i) => click(i))));
    const words = ["--off-air", "keep", "--from", "95"];
    expect(await liveq("prepare", at("log"), ...words)).toMatchObject({ code: 0 });
  });

  test.each<[string, Uint8Array, string, string]>([
    ["nothing", Buffer.from(""), "holds no events: an empty file", "got an empty file"],
    ["blank lines", Buffer.from("\n \n\n"), "holds no events: nothing but blank lines", ""],
    ["gzip of nothing", zlib.gzipSync(""), "holds no events: gzip of an empty file", "got gzip of an empty file"],
    ["gzip of a line feed", zlib.gzipSync("\n"), "holds no events: nothing but blank lines", ""],
    ["a mark", Buffer.from("\ufeff"), "holds no events", ""],
    ["an empty array", Buffer.from("[]"), "holds no events", ""],
    ["a header", Buffer.from("kind,time\n"), "holds no events", ""],
    [
      "a cut gzip",
      zlib.gzipSync(jsonlOf(50)).subarray(0, 40),
      "cannot be read: unexpected end of file",
      "cannot be read: unexpected end of file",
    ],
    ["a damaged gzip", damaged(zlib.gzipSync(jsonlOf(50))), "cannot be read: ", "cannot be read: "],
    ["some text", Buffer.from("hello\nworld\n"), "unknown layout", "unknown layout"],
  ])("%s", async (_, bytes, message, inspected) => {
    writeFileSync(at("void"), bytes);
    for (const more of [[], ["--json"], ["--split", "none", "--out", at("void-out")], ["--min-kept", "0"]]) {
      const { code, err, out } = await liveq("prepare", at("void"), ...more);
      expect([code, out]).toEqual([1, ""]);
      expect(err).toContain(`${at("void")}: ${message}`);
    }
    const seen = await liveq("inspect", at("void"));
    if (inspected === "") return;
    expect(seen.code).toBe(1);
    expect(seen.err).toContain(`${at("void")}: `);
    expect(seen.err).toContain(inspected);
  });
});

function jsonlOf(n: number): string {
  const one = (i: number): LiveEvent => ({ kind: "page_view", time: i, user: `u${(i * 7919) % 1000}`, dwellMs: i * i });
  return jsonl(Array.from({ length: n }, (_, i) => one(i)));
}

function damaged(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => (i > 30 && i < 60 ? byte ^ 0x5a : byte));
}

describe("inspect", () => {
  test.each<[string, (text: string) => Uint8Array, string]>([
    ["plain", (text) => Buffer.from(text), "events as jsonl\n"],
    ["gzip", (text) => zlib.gzipSync(text), "events as jsonl, compressed by gzip\n"],
    ["UTF-16", (text) => Buffer.from(`\ufeff${text}`, "utf16le"), "events as jsonl\n"],
    ["carriage returns", (text) => Buffer.from(text.replaceAll("\n", "\r")), "events as jsonl\n"],
    ["an array", (text) => Buffer.from(`[${text.trimEnd().replaceAll("\n", ",")}]`), "events as json\n"],
    [
      "a packed array",
      (text) => zlib.gzipSync(`[${text.trimEnd().replaceAll("\n", ",\n")}]`),
      "events as json, compressed by gzip\n",
    ],
  ])("names the kind of %s", async (_, encode, kind) => {
    writeFileSync(at("some"), encode(jsonl(events)));
    const { code, out } = await liveq("inspect", at("some"));
    expect(code).toBe(0);
    expect(out).toContain(`${at("some")}: ${kind}`);
    expect(out).toMatch(new RegExp(`kept +${expected.split("\n").length - 1} `));
  });

  test("says that a log is not in order, and the reasons with an example each", async () => {
    const shuffledText = jsonl(shuffled(events, Random.named(4, "inspect")));
    writeFileSync(at("odd"), `oops\n${shuffledText}${jsonl([{ kind: "click", time: 9e13, user: "u", stream: "s" }])}`);
    const { out } = await liveq("inspect", at("odd"));
    expect(out).toContain("events as jsonl, not in order of time\n");
    expect(out).toContain("e.g. stream not on air: {");
    expect(out).toContain(`e.g. ${at("odd")}:1: must be one JSON object`);
    const json = JSON.parse((await liveq("inspect", at("odd"), "--json")).out);
    expect(json).toMatchObject({ kind: "events as jsonl", inOrder: false, quality: { droppedBy: { unreadable: 1 } } });
  });

  test("reads a compressed model", async () => {
    await liveq("train", "--events", at("all.jsonl"), "--model", at("model"));
    writeFileSync(at("model.gz"), zlib.gzipSync(readFileSync(at("model"))));
    const plain = await liveq("inspect", at("model"));
    const packed = await liveq("inspect", at("model.gz"));
    expect(packed.code).toBe(0);
    expect(packed.out).toBe(plain.out.replace(`${at("model")}: `, `${at("model.gz")}: gzip of `));
    const json = JSON.parse((await liveq("inspect", at("model.gz"), "--json")).out);
    expect(json).toMatchObject({ kind: "recommender", compression: "gzip" });
  });

  test("refuses what inflates beyond any model", async () => {
    writeFileSync(at("bomb"), zlib.gzipSync(Buffer.alloc(2 ** 28)));
    const { code, err } = await liveq("inspect", at("bomb"));
    expect(code).toBe(1);
    expect(err).toContain("bomb: ");
  });
});

test("Ctrl-C while events are sorted writes those that were read, and leaves no temporary files", async () => {
  mkdirSync(at("cut"));
  const words = ["prepare", "-", "--order", "sort", "--split", "none", "--out", at("cut")];
  const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ["pipe", "ignore", "pipe"] });
  child.stderr!.once("data", () => child.kill("SIGINT"));
  child.stdin!.on("error", () => {});
  child.stdin!.write(jsonl(shuffled(events, Random.named(5, "cut"))));
  expect(await ended(child)).toBe(130);
  expect(readdirSync(at("cut")).sort()).toEqual(["events.jsonl", "report.json"]);
  expect(JSON.parse(readFileSync(at("cut", "report.json"), "utf8"))).toMatchObject({ complete: false, sorted: true });
  const times = prepared("cut")
    .trimEnd()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line).time);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(readdirSync(folder).filter((name) => name.startsWith(".") || name.includes(".tmp"))).toEqual([]);
});

test("the memory of reading and cleaning does not grow with the log", async () => {
  setFlagsFromString("--expose-gc");
  Object.assign(globalThis, { gc: runInNewContext("gc") });
  const small = { window: 1024, ids: 1000 };
  const few = await peakBytes(60_000, 30, small);
  const many = await peakBytes(600_000, 300, small);
  expect(many).toBeLessThan(1.3 * few + 2 ** 22);
});
