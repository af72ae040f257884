import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { PopularPolicy } from "../../src/baselines/popular.js";
import { recommenderOf } from "../../src/cli/reading/model.js";
import { tokenize } from "../../src/encoders/text.js";
import { WordVectorTrainer } from "../../src/encoders/wordvectors/trainer.js";
import { LiveMetrics } from "../../src/evaluation/live.js";
import { evaluateLog } from "../../src/evaluation/replay.js";
import type { RatingRecord } from "../../src/logs/index.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import { parseDecision, parseEvent } from "../../src/protocol/schema.js";
import { UserShares } from "../../src/recommender/learning/shares.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { explanationLines } from "../../src/recommender/serving/sentences.js";
import { COMMAND, ended, interrupted, liveq, liveqOn, rowsIn } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";
import { lookAlike } from "../support/movielens.js";

const { folder, at } = temporaryFolder();
const SMALL = ["--viewers", "120", "--streamers", "70", "--days", "2"];
const EVENTS = at("events.jsonl");
const DECISIONS = at("decisions.jsonl");
const DATA = at("data");
const MODEL = at("live.liveq");
/** The first half of the training events. */
const SHORT = at("short.jsonl");

function lines(file: string): string[] {
  const text = readFileSync(file, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

const eventsIn = (file: string): LiveEvent[] => lines(file).map((line) => parseEvent(JSON.parse(line)));
const temporaries = (where: string) => readdirSync(where).filter((name) => name.includes(".tmp"));

beforeAll(async () => {
  const made = await liveq("simulate", ...SMALL, "--out", EVENTS, "--decisions", DECISIONS);
  expect(made).toMatchObject({ code: 0 });
  expect(made.out).toContain("\nwatch_min_per_user_day ");
  const prepared = await liveq("prepare", EVENTS, "--out", DATA);
  expect(prepared).toMatchObject({ code: 0 });
  const train = lines(at("data", "train.jsonl"));
  writeFileSync(SHORT, `${train.slice(0, train.length >> 1).join("\n")}\n`);
  const words = ["--events", at("data", "train.jsonl"), "--decisions", DECISIONS, "--model", MODEL];
  expect(await liveq("train", ...words)).toMatchObject({ code: 0 });
});

describe("simulate", () => {
  test("gives the same bytes for the same seed, to stdout too, where nothing else goes", async () => {
    const again = at("again.jsonl");
    const { code, out, err } = await liveq("simulate", ...SMALL, "--out", "-", "--decisions", again);
    expect(code).toBe(0);
    expect(out === readFileSync(EVENTS, "utf8")).toBe(true);
    expect(readFileSync(again).equals(readFileSync(DECISIONS))).toBe(true);
    expect(err).toContain("watch_min_per_user_day");
    for (const line of lines(DECISIONS)) expect(parseDecision(JSON.parse(line)).propensities).toBeDefined();
  });

  test("writes the figures of the log as rows", async () => {
    const { code, out } = await liveq("simulate", ...SMALL, "--json", "-");
    expect(code).toBe(0);
    const live = new LiveMetrics();
    const decisions = lines(DECISIONS).map((line) => parseDecision(JSON.parse(line)));
    for (const event of eventsIn(EVENTS)) {
      const due = "decision" in event ? decisions.findIndex(({ id }) => id === event.decision) : -1;
      for (const each of decisions.splice(0, due + 1)) live.decision({ propensities: [], scores: [], ...each });
      live.feedback(event);
    }
    const rows = rowsIn(out);
    const figures = live.result().filter(({ slice }) => slice === "all");
    expect(figures.length).toBeGreaterThan(10);
    for (const { metric, value } of figures) {
      const row = rows.find((one) => one.metric === metric && one.case === "livesim/random");
      expect(row, metric).toMatchObject({ suite: "recommender", value, seeds: [1] });
    }
    expect(rows.some((row) => row.case === "livesim/random/repeat")).toBe(true);
  });

  test("replays a schedule", async () => {
    const header = "channel,start,length_min,watch_min,avg_viewers,peak_viewers,followers_gained,views,categories";
    const broadcast = (i: number) =>
      `ch${i % 9},2026-01-0${1 + (i % 2)}T${String(i % 24).padStart(2, "0")}:30,${i === 3 ? 0 : 60 + i},600,${10 + i},20,1,30,Chess|Music`;
    writeFileSync(
      at("broadcasts.csv"),
      `${[header, ...Array.from({ length: 40 }, (_, i) => broadcast(i))].join("\n")}\n`,
    );
    const words = ["simulate", "--viewers", "10", "--days", "2", "--schedule", at("broadcasts.csv")];
    const { code, out, err } = await liveq(...words, "--out", "-");
    expect(code).toBe(0);
    expect(err).toContain("39 broadcasts; 1 of no length left out");
    const onAir = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as LiveEvent)
      .filter((event) => event.kind === "on_air");
    expect(onAir).toHaveLength(39);
    expect(new Set(onAir.map(({ streamer }) => streamer)).size).toBe(9);
    expect(new Set(onAir.map(({ category }) => category))).toEqual(new Set(["Chess"]));
    writeFileSync(at("bad.csv"), `${header}\nch,2026-01-01,x,1,1,1,1,1,a\n`);
    const bad = await liveq("simulate", "--schedule", at("bad.csv"));
    expect(bad).toMatchObject({ code: 1, out: "" });
    expect(bad.err).toContain('bad.csv:2: "length_min" must be a number in [0, 1000000000000], got "x"');
  });

  test("at Ctrl-C ends early: exit 130, and both logs are the beginning of the whole", async () => {
    const [out, decisions] = [at("cut.jsonl"), at("cut-decisions.jsonl")];
    const words = [...SMALL, "--days", "3000", "--out", out, "--decisions", decisions];
    const run = await interrupted(/events\/s/, undefined, "simulate", ...words);
    expect(run.code).toBe(130);
    expect(run.err).toContain("interrupted");
    const [cut, whole] = [eventsIn(out), eventsIn(EVENTS)];
    const both = Math.min(cut.length, whole.length);
    expect(both).toBeGreaterThan(10);
    expect(cut.slice(0, both)).toEqual(whole.slice(0, both));
    for (const line of lines(decisions)) parseDecision(JSON.parse(line));
    expect(temporaries(folder)).toEqual([]);
  });

  test("ends quietly when nobody reads on", async () => {
    const words = [COMMAND, "simulate", "--viewers", "200", "--days", "3000", "--out", "-"];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
    let err = "";
    child.stderr.on("data", (text: Buffer) => {
      err += text.toString();
    });
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await ended(child)).toBe(0);
    expect(err).not.toMatch(/EPIPE|Error|\bat \w+ \(/);
  });
});

describe("prepare", () => {
  test("cuts a log in time: the parts together are the clean whole, and the report counts them", async () => {
    const { code, out, err } = await liveqOn(
      readFileSync(EVENTS, "utf8"),
      "prepare",
      "-",
      "--split",
      "none",
      "--out",
      "-",
    );
    expect(code).toBe(0);
    const parts = ["train", "validation", "test"].map((part) => readFileSync(at("data", `${part}.jsonl`), "utf8"));
    expect(out === parts.join("")).toBe(true);
    expect(err).toContain("format: jsonl\nread ");
    const report = JSON.parse(readFileSync(at("data", "report.json"), "utf8"));
    const counts = parts.map((part) => part.split("\n").length - 1);
    expect(report).toMatchObject({ format: "jsonl", complete: true, quality: { read: lines(EVENTS).length } });
    expect(Object.values(report.parts)).toEqual(counts);
    expect(report.quality.kept).toBe(counts.reduce((sum, n) => sum + n, 0));
    expect(counts[0]! / report.quality.kept).toBeCloseTo(0.8, 2);
    expect(readdirSync(DATA).sort()).toEqual(["report.json", "test.jsonl", "train.jsonl", "validation.jsonl"]);
  });

  test("takes its policies, counts lines that cannot be read, or ends at them with file, line and field", async () => {
    const watch = (time: number, watchMs: number) =>
      JSON.stringify({ kind: "watch", time, user: "u", stream: "s", watchMs });
    writeFileSync(at("odd.log"), `${watch(1, 5e6)}\n{}\n${watch(2, -1)}\n${watch(3, 0)}\n`);
    const words = [
      "prepare",
      at("odd.log"),
      "--off-air",
      "keep",
      "--watch-max",
      "60",
      "--empty-watch",
      "keep",
      "--json",
    ];
    const counted = await liveq(...words);
    expect(counted.code).toBe(0);
    const { quality, parts } = JSON.parse(counted.out);
    expect(quality).toMatchObject({ read: 4, kept: 2, droppedBy: { unreadable: 2 } });
    expect(quality.changedBy).toEqual({ "too long": { watchMs: 1 } });
    expect(parts).toEqual({});
    const strict = await liveq("prepare", at("odd.log"), "--strict", "--out", at("never"));
    expect(strict).toMatchObject({ code: 1, out: "" });
    expect(strict.err).toMatch(/odd\.log:2: "kind" must be one of/);
    expect(readdirSync(at("never"))).toEqual([]);
  });

  test("splits ratings, of which it knows the layout", async () => {
    const { files } = lookAlike(1);
    mkdirSync(at("films"));
    for (const name of ["data", "item", "user"] as const) writeFileSync(at("films", `u.${name}`), files[name]);
    const run = await liveq("prepare", at("films"), "--split", "leave-last-out", "--out", at("ratings"));
    expect(run.code).toBe(0);
    expect(run.out).toContain("format: movielens-100k");
    const part = (name: string) =>
      lines(at("ratings", `${name}.jsonl`)).map((line) => JSON.parse(line) as RatingRecord);
    const [train, validation, held] = [part("train"), part("validation"), part("test")];
    const all = new TextDecoder()
      .decode(files.data)
      .trim()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(train.length + validation.length + held.length).toBe(all.length);
    const latest = (user: string, ratings: RatingRecord[]) =>
      Math.max(...ratings.filter((one) => one.user === user).map(({ time }) => time));
    expect(new Set(held.map(({ user }) => user)).size).toBe(held.length);
    for (const { user, time } of held) expect(latest(user, [...train, ...validation])).toBeLessThanOrEqual(time);
    const original = all.map(([user, item, value, time]) => `${user} ${item} ${value} ${Number(time) * 1000}`);
    const written = [...train, ...validation, ...held].map(
      ({ user, item, value, time }) => `${user} ${item} ${value} ${time}`,
    );
    expect(written.sort()).toEqual(original.sort());
  });

  test("at Ctrl-C writes the part that was read: exit 130, and the report is incomplete", async () => {
    const half = lines(EVENTS).slice(0, 4000).join("\n");
    const words = ["prepare", "-", "--split", "users", "--fractions", ".5,.5", "--out", at("half")];
    const run = await interrupted(/gone/, half, ...words);
    expect(run.code).toBe(130);
    const report = JSON.parse(readFileSync(at("half", "report.json"), "utf8"));
    expect(report.complete).toBe(false);
    const [train, held] = [eventsIn(at("half", "train.jsonl")), eventsIn(at("half", "test.jsonl"))];
    expect([train.length, held.length]).toEqual([report.parts["train.jsonl"], report.parts["test.jsonl"]]);
    const usersOf = (events: LiveEvent[]) => new Set(events.flatMap((event) => ("user" in event ? [event.user] : [])));
    const [seen, unseen] = [usersOf(train), usersOf(held)];
    expect(unseen.size).toBeGreaterThan(3);
    const clicks = held.filter((event) => event.kind === "click");
    for (const { user } of clicks) expect(seen.has(user)).toBe(false);
    expect(readdirSync(at("half")).sort()).toEqual(["report.json", "test.jsonl", "train.jsonl"]);
  });
});

describe("train on a log", () => {
  test("learns the same as a recommender that gets the same events and decisions", () => {
    const recommender = new Recommender({ seed: 1, gamma: 0.9, updatesPerTrain: 2, learner: { cqlAlpha: 0.3 } });
    const decisions = lines(DECISIONS).map((line) => parseDecision(JSON.parse(line)));
    for (const event of eventsIn(at("data", "train.jsonl"))) {
      const due = "decision" in event ? decisions.findIndex(({ id }) => id === event.decision) : -1;
      for (const decision of decisions.splice(0, due + 1)) recommender.recordDecision(decision);
      recommender.feedback(event, event.time);
    }
    expect(recommender.stats().updates).toBeGreaterThan(50);
    expect(Buffer.from(recommender.save()).equals(readFileSync(MODEL))).toBe(true);
    recommender.dispose();
  });

  test("goes on after Ctrl-C as if it had never stopped, to the bit", async () => {
    const file = at("resumed.liveq");
    // Without decisions, which it then takes from the impressions; with so many updates that it takes a while.
    const words = ["train", "--events", SHORT, "--epochs", "3"];
    const [whole, cut] = await Promise.all([
      liveq(...words, "--model", at("whole.liveq")),
      interrupted(/events\/s/, undefined, ...words, "--model", file),
    ]);
    expect([whole.code, cut.code]).toEqual([0, 130]);
    expect(cut.err).toContain("resumed.liveq written");
    expect(readFileSync(file).equals(readFileSync(at("whole.liveq")))).toBe(false);
    const rest = await liveq(...words, "--model", file, "--resume", "--json", "-");
    expect(rest.code).toBe(0);
    expect(readFileSync(file).equals(readFileSync(at("whole.liveq")))).toBe(true);
    expect(rowsIn(rest.out).find(({ metric }) => metric === "updates")!.value).toBeGreaterThan(150);
  });

  test("imitates the logging policy on request, and prints how far it agrees with it", async () => {
    const words = ["train", "--events", at("data", "train.jsonl"), "--decisions", DECISIONS, "--epochs", "2"];
    const imitation = [...words, "--model", at("clone.liveq"), "--clone-updates", "100000", "--cql-alpha", "0.3"];
    const [run, plain] = [
      await liveq(...imitation, "--json", "-"),
      await liveq(...words, "--model", at("plain.liveq"), "--json", "-"),
    ];
    expect([run.code, plain.code]).toEqual([0, 0]);
    const share = (out: string) => rowsIn(out).find(({ metric }) => metric === "agreement_of_slates")!.value;
    expect(share(run.out)).not.toBe(share(plain.out));
    for (const each of [run, plain]) expect(share(each.out)).toBeLessThanOrEqual(1);
    const { options } = Recommender.load(readFileSync(at("clone.liveq")));
    expect(options.learner).toEqual({ cqlAlpha: 0.3, clone: { updates: 100_000 } });
    const other = await liveq(...imitation, "--resume", "--clone-updates", "5");
    expect(other).toMatchObject({
      code: 2,
      err: expect.stringContaining('"--clone-updates" must be as in the resumed'),
    });
  });
});

describe("train on a log, drawn by users", () => {
  test("learns as often as the shares ask, and continues after Ctrl-C to the bit", async () => {
    const file = at("drawn.liveq");
    const words = ["train", "--events", SHORT, "--decisions", DECISIONS, "--draw", "users"];
    const slow = [...words, "--epochs", "2"];
    const [whole, cut] = await Promise.all([
      liveq(...slow, "--model", at("drawn-whole.liveq")),
      // When it has counted: before it has learned anything, or soon after.
      interrupted(/users, all with equal weight/, undefined, ...slow, "--model", file),
    ]);
    expect([whole.code, cut.code]).toEqual([0, 130]);
    expect(whole.err).toMatch(/\d+ transitions of \d+ users, all with equal weight/);
    expect(readFileSync(file).equals(readFileSync(at("drawn-whole.liveq")))).toBe(false);
    const rest = await liveq(...slow, "--model", file, "--resume");
    expect(rest.code).toBe(0);
    expect(readFileSync(file).equals(readFileSync(at("drawn-whole.liveq")))).toBe(true);

    const shares = new UserShares(1);
    const recommender = new Recommender({ seed: 1, gamma: 0.9, updatesPerTrain: 4, learner: { cqlAlpha: 0.3 } });
    const decisions = lines(DECISIONS).map((line) => parseDecision(JSON.parse(line)));
    const log = eventsIn(SHORT).flatMap((event) => {
      const due = "decision" in event ? decisions.findIndex(({ id }) => id === event.decision) : -1;
      return [...decisions.splice(0, due + 1), event];
    });
    for (const entry of log) shares.count(entry);
    for (const entry of log) {
      if ("kind" in entry) recommender.feedback(entry, entry.time);
      else recommender.recordDecision(entry, shares.times(entry));
    }
    expect(Buffer.from(recommender.save()).equals(readFileSync(file))).toBe(true);
    recommender.dispose();
  });
});

describe("train on titles", () => {
  const VECTORS = at("words.json");

  test("writes word vectors, the same from stdin, of which a recommender keeps its own copy", async () => {
    const words = ["train", "--titles", at("data", "train.jsonl"), "--model", VECTORS];
    const run = await liveq(...words);
    expect(run.code).toBe(0);
    expect(run.err).toMatch(/words\.json written: \d+ words of \d+ titles in/);
    expect(run.out).toMatch(/^\S+: \S+ -?[01]\.\d\d, /);
    const trainer = new WordVectorTrainer({ seed: 1 });
    for (const event of eventsIn(at("data", "train.jsonl"))) {
      if (event.kind !== "on_air" && event.kind !== "update") continue;
      const words = tokenize([event.title ?? "", ...(event.tags ?? [])].join(" "));
      if (words.length > 0) trainer.learn(words);
    }
    const saved = JSON.parse(readFileSync(VECTORS, "utf8"));
    expect(saved).toEqual(trainer.vectors().save());
    expect(saved.words.length).toBeGreaterThan(10);
    const rows = await liveq(...words, "--json", "-");
    expect(rowsIn(rows.out).map(({ metric, value }) => [metric, value])).toEqual([
      ["titles", trainer.texts],
      ["words", saved.words.length],
    ]);
    const piped = at("piped.json");
    const text = readFileSync(at("data", "train.jsonl"), "utf8");
    expect(await liveqOn(text, "train", "--titles", "-", "--model", piped)).toMatchObject({ code: 0, out: run.out });
    expect(readFileSync(piped).equals(readFileSync(VECTORS))).toBe(true);

    const model = at("worded.liveq");
    const learned = ["train", "--events", at("data", "train.jsonl"), "--words", VECTORS, "--model", model];
    expect(await liveq(...learned)).toMatchObject({ code: 0 });
    const recommender = recommenderOf(readFileSync(model));
    const group = recommender.options.features.find(({ name }) => name === "content");
    expect(JSON.parse(JSON.stringify(group?.options))).toMatchObject({ words: saved });
    recommender.dispose();
  });

  test("at Ctrl-C writes the vectors of the part that was read: exit 130", async () => {
    const half = lines(EVENTS).slice(0, 4000).join("\n");
    const run = await interrupted(/titles\/s/, half, "train", "--titles", "-", "--model", at("half.json"));
    expect(run.code).toBe(130);
    expect(JSON.parse(readFileSync(at("half.json"), "utf8")).words.length).toBeGreaterThan(0);
  });
});

describe("evaluate on a log", () => {
  const words = [
    "--warmup",
    at("data", "train.jsonl"),
    at("data", "validation.jsonl"),
    "--events",
    at("data", "test.jsonl"),
  ];

  test("has the figures of evaluateLog, and each policy's lead over the first", async () => {
    const { code, out } = await liveq(
      "evaluate",
      ...words,
      "--model",
      MODEL,
      "--policies",
      "popular,random",
      "--json",
      at("rows.json"),
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^ +popular +random +live\n/);
    expect(out).toContain("above popular, user by user");
    const log = ["train", "validation", "test"].flatMap((part) => eventsIn(at("data", `${part}.jsonl`)));
    const from = eventsIn(at("data", "test.jsonl"))[0]!.time;
    const { figures, cases } = evaluateLog(new PopularPolicy(), log, { from, seed: 1 });
    expect(cases).toBeGreaterThan(5);
    expect(out).toContain(`${cases} cases`);
    const rows = rowsIn(readFileSync(at("rows.json"), "utf8"));
    for (const { metric, slice, value } of figures) {
      const name = slice === "all" ? "log/popular" : `log/popular/${slice}`;
      expect(rows.find((row) => row.case === name && row.metric === metric)?.value, `${name} ${metric}`).toBe(value);
    }
    const mrrOf = (name: string) => rows.find((row) => row.case === name && row.metric === "mrr")!.value;
    expect(mrrOf("log/live-above-popular")).toBeCloseTo(mrrOf("log/live") - mrrOf("log/popular"), 12);
  });

  test("at Ctrl-C prints the figures of the part that was read: exit 130", async () => {
    const half = lines(EVENTS).slice(0, 4000).join("\n");
    const run = await interrupted(/gone/, half, "evaluate", "--events", "-", "--policies", "popular", "-k", "5");
    expect(run.code).toBe(130);
    expect(run.out).toMatch(/\nhr_at_5 +0\.\d+ \[/);
    expect(run.err).toContain("interrupted");
  });

  test.each([
    [["--events", EVENTS, "--model", MODEL], 2, '"--model" needs "--warmup"'],
    [["--movielens", "x", "--events", EVENTS], 2, 'one of "--events", "--movielens" and "--bandit" must be given'],
    [["--warmup", EVENTS, "--events", EVENTS, "--model", MODEL], 1, '"--events" must be later, got a request at'],
    [["--events", at("none.jsonl")], 1, "none.jsonl: cannot be read: ENOENT"],
    [["--events", DECISIONS], 1, 'decisions.jsonl:1: "kind" must be one of'],
  ])("%j: says what is wrong", async (given, code, message) => {
    const run = await liveq("evaluate", ...given);
    expect([run.code, run.out]).toEqual([code, ""]);
    expect(run.err).toContain(message);
  });
});

describe("what cannot be is said in one line", () => {
  test.each([
    [["prepare", at("events.jsonl"), at("events.jsonl")], 2, "events.jsonl must be read once only"],
    [
      ["prepare", at("nothing.jsonl"), "--out", at("nothing")],
      1,
      "nothing.jsonl: holds no events: nothing but blank lines",
    ],
    [["prepare", at("text.txt")], 1, 'text.txt: unknown layout; "--format" must be one of movielens-100k,'],
    [["prepare", at("empty")], 1, "empty: must hold files, got an empty folder"],
    [["prepare", EVENTS, "--split", "leave-last-out"], 2, '"--split leave-last-out" is for ratings'],
    [["prepare", at("broadcasts.csv")], 1, "liveq simulate --schedule takes it"],
    [["prepare", at("mixed.jsonl"), "--split", "folds", "--out", at("x")], 1, '"folds" must be an integer in [2, '],
    [
      ["train", "--events", EVENTS, "--model", MODEL, "--resume", "--gamma", ".5"],
      2,
      '"--gamma" must be as in the resumed model',
    ],
    [["train", "--events", EVENTS, "--decisions", EVENTS], 1, 'events.jsonl:1: "id" must be a string'],
    [["train", "--events", "-", "--draw", "users"], 2, '"--draw users" reads the log twice: it needs files, got -'],
    [["train", "--events", EVENTS, "--words", at("text.txt")], 1, "text.txt: must be a file that liveq train --titles"],
    [["train", "--titles", at("sparse.jsonl")], 1, "sparse.jsonl: must hold titles or tags with words that are in 3"],
    [["simulate", "--out", at("log.jsonl"), "--decisions", at("no", "such")], 1, "such: cannot be written: ENOENT"],
    [["recommend", "--model", at("text.txt"), "--user", "u"], 1, "text.txt: "],
    [["inspect", at("text.txt")], 1, "text.txt: unknown layout"],
  ])("%j", async (words, code, message) => {
    writeFileSync(at("nothing.jsonl"), "\n");
    writeFileSync(at("text.txt"), "some text\n");
    writeFileSync(at("sparse.jsonl"), '{"kind":"on_air","time":0,"stream":"s","streamer":"r","category":"c"}\n');
    mkdirSync(at("empty"), { recursive: true });
    writeFileSync(at("mixed.jsonl"), `${lines(EVENTS).at(-1)}\n${lines(EVENTS)[0]}\n`);
    const run = await liveq(...words);
    expect([run.code, run.out]).toEqual([code, ""]);
    const messages = run.err
      .trimEnd()
      .split("\n")
      .filter((line) => !line.includes(" gone"));
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain(message);
    expect(temporaries(folder)).toEqual([]);
  });
});

test("train learns from the others where single entries are stale, ahead, or in another unit", async () => {
  const odd = lines(EVENTS);
  const words = ["train", "--gamma", "0.5", "--events", at("odd.jsonl"), "--model", at("odd.liveq")];
  writeFileSync(at("odd.jsonl"), `${odd.join("\n")}\n`);
  const clean = await liveq(...words);
  const DAYS = 864e5;
  const wrong = [3 * DAYS, 1e15, 1e18, 8.64e15, 1e300, Number.MAX_SAFE_INTEGER, 40 * DAYS, 9 * DAYS, 1e30, -1.5 * DAYS];
  for (const [n, by] of wrong.entries()) {
    const place = Math.floor(((n + 3) * odd.length) / (wrong.length + 4));
    const time = JSON.parse(odd[place]!).time + by;
    odd.splice(place, 0, JSON.stringify({ kind: "page_view", time, user: "wrong", dwellMs: n }));
  }
  writeFileSync(at("odd.jsonl"), `${odd.join("\n")}\n`);
  const run = await liveq(...words);
  expect([run.code, run.out]).toEqual([0, clean.out]);
  expect(run.err).toMatch(/10 entries not learned from, such as page_view at .*; liveq prepare puts a log in order/);
});

describe("recommend and inspect", () => {
  test("streams for anybody, with their propensities, as the recommender itself draws them", async () => {
    const fresh = ["--events", at("data", "validation.jsonl")];
    const run = await liveq("recommend", "--model", MODEL, "--user", "a stranger", "-k", "2", ...fresh, "--json");
    expect(run.code).toBe(0);
    const recommender = Recommender.load(readFileSync(MODEL));
    for (const event of eventsIn(at("data", "validation.jsonl"))) recommender.feedback(event, event.time);
    const { slate, scores, propensities } = recommender.recommend({ user: "a stranger", now: recommender.time, k: 2 });
    expect(slate).toHaveLength(2);
    const expected = slate.map((stream, i) => ({ stream, score: scores[i], propensity: propensities[i] }));
    expect(JSON.parse(run.out)).toEqual(expected);
    recommender.dispose();
    const told = ["--user", "a stranger", "-k", "2", "--explain"];
    const { streams, runnersUp } = JSON.parse((await liveq("recommend", "--model", MODEL, ...told, "--json")).out);
    const loaded = Recommender.load(readFileSync(MODEL));
    const decision = loaded.recommend({ user: "a stranger", now: loaded.time, k: 2, explain: true });
    loaded.dispose();
    expect(streams.map(({ explanation }: { explanation: object }) => explanation)).toEqual(decision.explanations);
    expect(runnersUp).toEqual(decision.runnersUp);
    const why = await liveq("recommend", "--model", MODEL, ...told);
    for (const explanation of decision.explanations!) {
      for (const line of explanationLines(explanation)) expect(why.out).toContain(line);
      const [strongest] = explanation.groups;
      expect(why.out).toContain(` ${strongest!.group} ${strongest!.score < 0 ? "-" : "+"}`);
    }
    for (const { stream, reason } of decision.runnersUp!)
      expect(why.out).toMatch(new RegExp(`${stream} .* ${reason}\n`));
    const table = await liveq("recommend", "--model", MODEL, "--user", "a stranger", "-k", "2");
    expect(table.out).toMatch(/^ {2}# {2}stream +score +propensity\n-.*\n {2}1 {2}\S+ +\S+ +[01]\.\d{4}\n {2}2 /);
    const past = await liveq("recommend", "--model", MODEL, "--user", "u", "--now", "1970-01-01");
    expect(past.code).toBe(0);
  });

  test("inspect prints a recommender's users and streams, and the quality of events, from stdin too", async () => {
    const recommender = Recommender.load(readFileSync(MODEL));
    const { users, onAir } = recommender.stats();
    recommender.dispose();
    const model = await liveq("inspect", MODEL);
    expect(model.out).toContain(`users ${users}, streams on air ${onAir}, decisions 0`);
    const events = await liveqOn(readFileSync(EVENTS, "utf8"), "inspect", "-", "--json");
    expect(events.code).toBe(0);
    const { kind, quality } = JSON.parse(events.out);
    expect([kind, quality.read]).toEqual(["events as jsonl", lines(EVENTS).length]);
    const csv = "kind,time,stream,streamer,category\non_air,1,s,r,c\noff_air,2,s,,\nupdate,x,s,,\n";
    const table = await liveqOn(csv, "inspect", "-");
    expect(table.out).toMatch(/^stdin: events as csv\nread +3\nkept +2 /);
    expect(table.out).toContain('e.g. stdin:4: "time" must be a finite number >= 0, got "x"');
  });
});
