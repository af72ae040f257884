import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { liveWorld, shopWorld } from "../../bench/recommender/logs/worlds.js";
import { Random } from "../../src/numeric/index.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import { liveq, rowsIn } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";

const { at } = temporaryFolder();
const SIZE = { users: 40, items: 24, groups: 3, days: 6, seed: 301 };

function write(name: string, events: readonly LiveEvent[]): string {
  writeFileSync(at(name), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  return at(name);
}

const rowOf = (out: string, metric: string) => rowsIn(out).find((row) => row.metric === metric)!.value;

describe("train on a log of users alone", () => {
  test("clicks alone train without options, and predict later clicks better than most popular", async () => {
    const events = liveWorld({ ...SIZE, days: 10 }, "clicks");
    const cut = Math.floor(events.length * 0.85);
    const [train, later] = [write("train.jsonl", events.slice(0, cut)), write("later.jsonl", events.slice(cut))];
    const model = at("clicks.liveq");
    const run = await liveq("train", "--events", train, "--epochs", "2", "--model", model, "--json", "-");
    expect(run.code).toBe(0);
    expect(rowOf(run.out, "updates")).toBeGreaterThan(1000);
    expect(run.err).toMatch(/no on_air events: \d+ streams on air from the first sign of a user, until \d+ minutes/);
    expect(run.err).toMatch(/no impressions: \d+ visits compared with streams drawn from those on air/);
    const words = ["--warmup", train, "--events", later, "--model", model, "--json", "-"];
    const judged = await liveq("evaluate", ...words);
    expect(judged.code).toBe(0);
    const gain = rowsIn(judged.out).find((row) => row.case.includes("above") && row.metric === "ndcg_at_10")!;
    expect(gain.lo).toBeGreaterThan(0);
  });

  test("continues where it was interrupted, draws and all", async () => {
    const events = liveWorld({ ...SIZE, days: 8 }, "watches");
    const [whole, half] = [
      write("whole.jsonl", events),
      write("half.jsonl", events.slice(0, Math.floor(events.length * 0.8))),
    ];
    const once = await liveq(
      "train",
      "--events",
      whole,
      "--catalogue",
      "--negatives",
      "4",
      "--model",
      at("once.liveq"),
    );
    expect(once.code).toBe(0);
    expect(once.err).toContain("for good");
    // The half ends with entries that the whole holds longer: the same words on the whole log go on from there.
    const words = ["--catalogue", "--negatives", "4", "--model", at("twice.liveq")];
    expect(await liveq("train", "--events", half, ...words)).toMatchObject({ code: 0 });
    const rest = await liveq("train", "--events", whole, ...words, "--resume", "--json", "-");
    expect(rest.code).toBe(0);
    expect(rowOf(rest.out, "updates")).toBeGreaterThan(100);
  });

  test("a held-out end stops the passes, and its figures stand beside most popular", async () => {
    const log = write("held.jsonl", liveWorld({ ...SIZE, days: 8 }, "clicks"));
    const words = ["train", "--events", log, "--hold-out", ".15", "--passes", "2", "--model", at("held.liveq")];
    const run = await liveq(...words, "--json", "-");
    expect(run.code).toBe(0);
    expect(run.err).toMatch(/held\.liveq written: pass [12] of 2/);
    expect(run.err).toMatch(/\d+ held-out visits/);
    const rows = rowsIn(run.out);
    const of = (name: string) =>
      rows.find((row) => row.case.endsWith(`held-out/${name}`) && row.metric === "ndcg_at_10")!.value;
    expect(of("difference")).toBeCloseTo(of("recommender") - of("most-popular"), 9);
    expect(await liveq("inspect", at("held.liveq"))).toMatchObject({ code: 0 });
    const piped = await liveq("train", "--events", "-", "--hold-out", ".1");
    expect(piped).toMatchObject({ code: 2, err: expect.stringContaining("it needs files, got -") });
    const resumed = await liveq(...words, "--resume");
    expect(resumed).toMatchObject({ code: 2, err: expect.stringContaining('does not go with "--resume"') });
  });

  test("a shuffled log is sorted as it is read, and teaches what the log in order does", async () => {
    const events = liveWorld({ ...SIZE, days: 8 }, "clicks");
    const shuffled = Random.named(3, "shuffled").shuffle(events.slice());
    const words = ["--model", at("order.liveq"), "--json", "-"];
    const inOrder = await liveq("train", "--events", write("order.jsonl", events), ...words);
    const run = await liveq("train", "--events", write("shuffled.jsonl", shuffled), ...words);
    expect([inOrder.code, run.code]).toEqual([0, 0]);
    expect(inOrder.err).not.toContain("sorted as they are read");
    expect(run.err).toMatch(/\d+ of \d+ events are late: sorted as they are read; liveq prepare does so once for all/);
    expect(rowsIn(run.out).map(({ value }) => value)).toEqual(rowsIn(inOrder.out).map(({ value }) => value));
    // What it means, without being asked for.
    expect(inOrder.err).toMatch(/\d+ visits in the last tenth of the time, each ranked before it was learned from/);
    expect(inOrder.err).toMatch(/(most popular|still shows the most watched streams)/);
  });

  test("several files of another platform are merged by time", async () => {
    const rows = liveWorld({ ...SIZE, days: 8 }, "clicks").map((event, i) => {
      const { time, user, stream } = event as { time: number; user: string; stream: string };
      return { server: i % 2, row: `${time},${user},${stream}` };
    });
    const files = [0, 1].map((server) => {
      const own = rows.flatMap((one) => (one.server === server ? [one.row] : []));
      writeFileSync(at(`server${server}.csv`), `at,who,what\n${own.join("\n")}\n`);
      return at(`server${server}.csv`);
    });
    writeFileSync(at("all.csv"), `at,who,what\n${rows.map(({ row }) => row).join("\n")}\n`);
    const mapping = { kind: "click", fields: { time: { column: "at", unit: "ms" }, user: "who", stream: "what" } };
    writeFileSync(at("map.json"), JSON.stringify(mapping));
    const words = ["--map", at("map.json"), "--model", at("merged.liveq"), "--json", "-"];
    const [once, merged] = [
      await liveq("train", "--events", at("all.csv"), ...words),
      await liveq("train", "--events", ...files, ...words),
    ];
    expect([once.code, merged.code]).toEqual([0, 0]);
    expect(merged.err).not.toContain("sorted as they are read");
    expect(rowOf(merged.out, "updates")).toBeCloseTo(rowOf(once.out, "updates"), -2);
  });

  test("a shop is a catalogue by its purchases", async () => {
    const log = write("shop.jsonl", shopWorld({ ...SIZE, days: 14 }));
    const run = await liveq("train", "--events", log, "--model", at("shop.liveq"), "--json", "-");
    expect(run.code).toBe(0);
    expect(run.err).toContain("from the first sign of a user, for good");
    expect(rowOf(run.out, "updates")).toBeGreaterThan(300);
    const user = shopWorld({ ...SIZE, days: 14 }).at(-1)! as { user: string };
    const shown = await liveq("recommend", "--model", at("shop.liveq"), "--user", user.user, "-k", "3", "--json");
    expect(JSON.parse(shown.out)).toHaveLength(3);
  });

  test("Twitch-100K, which has watches alone, trains", async () => {
    const rows = liveWorld(SIZE, "watches").flatMap((event) => {
      if (event.kind !== "watch") return [];
      const steps = (ms: number) => Math.floor(ms / 600_000);
      const day = Math.floor((event.time - event.watchMs) / 86_400_000);
      const start = steps(event.time - event.watchMs);
      const [user, streamer] = [event.user.slice(1), event.stream];
      return [`${user},${1000 * day + Number(streamer.slice(1))},${streamer},${start},${steps(event.time) + 1}`];
    });
    writeFileSync(at("100k.csv"), `${rows.sort().join("\n")}\n`);
    const run = await liveq("train", "--events", at("100k.csv"), "--model", at("twitch.liveq"), "--json", "-");
    expect(run.code).toBe(0);
    expect(rowOf(run.out, "updates")).toBeGreaterThan(100);
  });
});

test("prepare keeps a log that never says what is on air, without options", async () => {
  const events = liveWorld(SIZE, "clicks");
  const run = await liveq("prepare", write("raw.jsonl", events), "--out", at("prepared"), "--json");
  expect(run.code).toBe(0);
  expect(JSON.parse(run.out).quality).toMatchObject({ read: events.length, kept: events.length, dropped: 0 });
});

describe("a log that teaches nothing", () => {
  const click = (i: number, user: string, stream: string): LiveEvent => ({
    kind: "click",
    time: i * 1000,
    user,
    stream,
  });

  test.each<[string, LiveEvent[], string]>([
    ["no events", [], "it has no events"],
    [
      "no feedback",
      Array.from({ length: 9 }, (_, i) => ({ kind: "page_view", time: i, user: "u", dwellMs: 1 })),
      "none of its 9 events says that a user entered a stream",
    ],
    ["a user a stream", Array.from({ length: 9 }, (_, i) => click(i, `u${i}`, `s${i}`)), "users must share streams"],
    ["too few", Array.from({ length: 40 }, (_, i) => click(i, `u${i % 3}`, `s${i % 4}`)), "it needs a longer log"],
    [
      "streams never on air",
      [
        { kind: "on_air", time: 0, stream: "x", streamer: "r", category: "c" },
        ...Array.from({ length: 9 }, (_, i) => click(i, "u", "y")),
      ],
      "are of streams that never went on air",
    ],
  ])("%s: exit 1 with the cause, and the model stays as it was", async (_, events, message) => {
    const model = at("kept.liveq");
    writeFileSync(model, "what was there");
    const run = await liveq("train", "--events", write("nothing.jsonl", events), "--model", model);
    expect(run.code).toBe(1);
    expect(run.err).toContain("taught nothing: ");
    expect(run.err).toContain(message);
    expect(run.err).toContain("was not written");
    expect(readFileSync(model, "utf8")).toBe("what was there");
    expect(existsSync(`${model}.lock`)).toBe(false);
  });
});
