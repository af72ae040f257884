import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { LiveEvent } from "../../src/protocol/events.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { COMMAND, ended, liveq, signalled } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";

const { folder, at } = temporaryFolder();
const EVENTS = at("events.jsonl");
let log: string[];

beforeAll(async () => {
  const words = ["--viewers", "40", "--streamers", "30", "--days", "2"];
  expect(await liveq("simulate", ...words, "--out", EVENTS)).toMatchObject({ code: 0 });
  log = readFileSync(EVENTS, "utf8").trimEnd().split("\n");
});

const timeOf = (line: string) => (JSON.parse(line) as LiveEvent).time;

/** The time up to which a recommender in a file has heard; -1 while there is none. */
function heard(file: string): number {
  if (!existsSync(file)) return -1;
  const recommender = Recommender.load(readFileSync(file));
  const { time } = recommender;
  recommender.dispose();
  return time;
}

describe("train --follow", () => {
  test("learns as events arrive, saves at intervals and at SIGTERM, and continues as if it had never stopped", async () => {
    const [growing, model, whole] = [at("growing.jsonl"), at("follow.liveq"), at("whole.liveq")];
    const middle = log.length >> 1;
    writeFileSync(growing, `torn line\n${log.slice(0, middle).join("\n")}\n`);
    const words = ["train", "--events", growing, "--follow", "--save-every", "0.5", "--model", model];
    const child = spawn(process.execPath, [COMMAND, ...words], { stdio: "pipe" });
    onTestFinished(() => void child.kill("SIGKILL"));
    let said = "";
    child.stderr.on("data", (text: Buffer) => {
      said += text.toString();
    });
    // It saves when something comes, so that it is fed until it has saved what came after the start: slowly, for a busy
    // machine takes long to start it.
    let fed = middle;
    while (heard(model) < timeOf(log[middle]!)) {
      appendFileSync(growing, `${log[fed]!}\n`);
      fed++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(fed).toBeLessThan(log.length);
    child.kill("SIGTERM");
    expect(await ended(child)).toBe(143);
    expect(said).toContain("terminated");
    expect(said).toContain(`${model} written`);
    expect(said).toContain(`1 lines not read, such as ${growing}:1: must be one JSON object`);
    writeFileSync(growing, `${log.join("\n")}\n`);
    const resumed = await liveq("train", "--events", growing, "--resume", "--model", model);
    expect(resumed).toMatchObject({ code: 0 });
    expect(await liveq("train", "--events", EVENTS, "--model", whole)).toMatchObject({ code: 0 });
    expect(readFileSync(model).equals(readFileSync(whole))).toBe(true);
    const learned = Recommender.load(readFileSync(whole));
    expect(learned.stats().updates).toBeGreaterThan(20);
    learned.dispose();
    expect(readdirSync(folder).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  test("follows one file, and takes no decisions", async () => {
    for (const [words, message] of [
      [["--events", EVENTS, EVENTS.replace("events", "other")], "cannot be read"],
      [["--events", "-"], '"--follow" needs one file of "--events", got -'],
      [["--events", EVENTS, "--decisions", EVENTS], '"--follow" takes decisions from impressions'],
      [["--movielens", folder], "'--follow' and '--save-every' go with '--events'"],
    ] as const) {
      const { code, err } = await liveq("train", ...words, "--follow", "--model", at("none.liveq"));
      expect(err).toContain(message);
      expect(code).toBeGreaterThan(0);
    }
  });
});

describe("prepare", () => {
  const large = at("large.jsonl");
  const n = 150_000;
  beforeAll(() => {
    const click = (i: number) => `{"kind":"click","time":${i * 1000},"user":"u${i % 100}","stream":"s"}\n`;
    writeFileSync(large, Array.from({ length: n }, (_, i) => click(i)).join(""));
  });

  test.each([
    ["SIGINT", 130, "interrupted"],
    ["SIGTERM", 143, "terminated"],
  ] as const)("ended by %s while it splits says what is in no part: exit %i", async (signal, code, message) => {
    const out = at(signal);
    const words = [large, "--off-air", "keep", "--out", out, "--json"];
    const run = await signalled(signal, /events\/s.* split/, undefined, "prepare", ...words);
    expect([run.code, run.err.includes(message)]).toEqual([code, true]);
    const { complete, parts, unsplit, quality } = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
    const lines = Object.values<number>(parts).reduce((sum, count) => sum + count, 0);
    expect([complete, quality.kept, lines + unsplit]).toEqual([false, n, n]);
    expect(lines).toBeGreaterThan(0);
    expect(unsplit).toBeGreaterThan(0);
    expect(readdirSync(out).sort()).toEqual(["report.json", "test.jsonl", "train.jsonl", "validation.jsonl"]);
  });
});
