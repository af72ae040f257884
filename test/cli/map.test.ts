import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { guessMapping } from "../../src/cli/guessing/guess.js";
import { sampleOf } from "../../src/cli/guessing/sample.js";
import { checkMapping, emptyQualityReport, readMapped } from "../../src/logs/index.js";
import { Random } from "../../src/numeric/index.js";
import { liveq, liveqOn } from "../support/command.js";
import { EXPORTS } from "../support/exports.js";
import { temporaryFolder } from "../support/folder.js";
import { all, utf8 } from "../support/pieces.js";

describe("a mapping is guessed", () => {
  test.each(EXPORTS)("of $name", async ({ text, events, first }) => {
    const guessed = guessMapping(await sampleOf(utf8(text), true));
    expect(guessed.missing).toEqual([]);
    const report = emptyQualityReport();
    const read = await all(readMapped(text, checkMapping(guessed.mapping), { onError: "skip", report }));
    const counts: Record<string, number> = {};
    for (const { kind } of read) counts[kind] = (counts[kind] ?? 0) + 1;
    expect(report.examples).toEqual([]);
    expect(counts).toEqual(events);
    expect(read.find(({ kind }) => kind === first["kind"])).toMatchObject(first);
  });
});

describe("liveq map", () => {
  test("writes a mapping that prepare reads, explains its guesses, and names the next command", async () => {
    const { at } = temporaryFolder();
    const [{ text }] = EXPORTS as [(typeof EXPORTS)[number]];
    const [log, map] = [at("export.csv"), at("map.json")];
    writeFileSync(log, text);
    const guessed = await liveq("map", log, "--out", map);
    expect(guessed.code).toBe(0);
    expect(guessed.err).toContain("time      event_time: by its name; dates in the order of ISO 8601");
    expect(guessed.err).toContain("the mapping reads 120 events of 120 rows: 60 click, 30 signal, 30 purchase");
    expect(guessed.err).toContain(`next: liveq prepare ${log} --map ${map}`);
    const prepared = await liveq("prepare", log, "--map", map, "--out", at("data"));
    expect(prepared.out).toMatch(/^format: map\nread +120\nkept +120 /);
    const typed = await liveqOn(text, "map", "-");
    expect(JSON.parse(typed.out)).toEqual(JSON.parse(readFileSync(map, "utf8")));
  });

  test.each([
    ["a,b\n1,x\n2,y\n", "no column found for a time and a user and an item or a stream among a, b"],
    ["user_id,item_id\n1,2\n3,4\n", "no column found for a time among user_id, item_id"],
    ["ts,item_id\n1700000000,2\n1700000001,4\n", "no column found for a user among ts, item_id"],
    ["ts,user_id\n1700000000,2\n1700000001,4\n", "no column found for an item or a stream among ts, user_id"],
    ["", "stdin: must hold rows, got none"],
    ["\0\0", "stdin: must hold text, got zero bytes"],
  ])("of %j exits with 1 and says what is missing", async (text, message) => {
    const { code, out, err } = await liveqOn(text, "map", "-");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
  });
});

describe("from an export to recommendations", () => {
  const { at } = temporaryFolder();
  const random = Random.named(3, "walkthrough");
  const visits = Array.from({ length: 1500 }, (_, i) => {
    const user = random.below(40);
    // Most visits are to what the user's own group likes.
    const item = random.bernoulli(0.8) ? 5 * (user % 8) + random.below(5) : random.below(40);
    return { user, item, time: Date.UTC(2021, 0, 1) + 60_000 * i, kind: random.below(10) };
  });
  const kinds = ["purchase", "cart"];
  const shop = visits.map(({ user, item, time, kind }) => {
    const [date, clock] = new Date(time).toISOString().slice(0, 19).split("T") as [string, string];
    return `${date.split("-").reverse().join(".")} ${clock};c${user};sku${item};${kinds[kind] ?? "view"};${item},50`;
  });
  const chat = visits.map(({ user, item, time }) =>
    JSON.stringify({ channel: `room${item}`, sender: { id: user }, message: "hello", sent_at: time / 1000 }),
  );

  const ratings = visits.map(({ user, item, time, kind }) => {
    const isLiked = Math.floor(item / 5) === user % 8;
    return `u${user},film${item},${isLiked ? 4 + (kind % 2) : 1 + (kind % 2)},${time / 1000}`;
  });

  test.each([
    ["ratings.csv", `userId,movieId,rating,timestamp\n${ratings.join("\n")}\n`, "u1"],
    ["shop.csv", `timestamp;customer_id;sku;event_type;price\n${shop.join("\n")}\n`, "c1"],
    ["chat.jsonl", `${chat.join("\n")}\n`, "1"],
  ])("%s is mapped, prepared, learned and recommended from", async (file, text, user) => {
    const [log, map, data, model] = [at(file), at(`${file}.json`), at(`${file}-data`), at(`${file}.liveq`)];
    writeFileSync(log, text);
    for (const words of [
      ["map", log, "--out", map],
      ["prepare", log, "--map", map, "--out", data],
      ["train", "--events", join(data, "train.jsonl"), "--model", model],
    ]) {
      const { code, err } = await liveq(...words);
      expect(code, err).toBe(0);
    }
    const shown = await liveq("recommend", "--model", model, "--user", user, "-k", "5");
    const items = [...shown.out.matchAll(/ (?:sku|room|film)(\d+) /g)].map((match) => Number(match[1]));
    expect(items).toHaveLength(5);
    // What the group of user 1 likes: items 5 to 9.
    expect(items.filter((item) => item >= 5 && item < 10).length).toBeGreaterThanOrEqual(4);
  });
});

test("a live platform is simulated, prepared, learned, judged and recommended from", async () => {
  const { at } = temporaryFolder();
  const [events, decisions, data, model] = [at("events.jsonl"), at("decisions.jsonl"), at("data"), at("live.liveq")];
  const [train, validation, later] = ["train", "validation", "test"].map((part) => join(data, `${part}.jsonl`));
  const size = ["--days", "3", "--viewers", "80", "--streamers", "60"];
  for (const words of [
    ["simulate", ...size, "--out", events, "--decisions", decisions],
    ["prepare", events, "--out", data],
    ["train", "--events", train!, "--decisions", decisions, "--model", model],
    ["evaluate", "--warmup", train!, validation!, "--events", later!, "--model", model],
  ]) {
    const { code, err } = await liveq(...words);
    expect(code, err).toBe(0);
  }
  const shown = await liveq("recommend", "--model", model, "--user", "anybody", "-k", "5");
  expect(shown.code, shown.err).toBe(0);
  expect(shown.out.match(/streamer-\d+-\d+/g)!.length).toBeGreaterThanOrEqual(5);
});

describe("--map", () => {
  test("of a wrong mapping fails, naming the file and the path", async () => {
    const { at } = temporaryFolder();
    const map = at("map.json");
    writeFileSync(map, '{"kind":"click","fields":{"time":{"column":"t","units":"s"}}}');
    const { code, err } = await liveqOn("t\n1\n", "prepare", "-", "--map", map);
    expect(code).toBe(1);
    expect(err).toContain(`${map}: "fields.time.units" is not an option; there are column`);
  });

  test("warns of seconds that pass as milliseconds, once", async () => {
    const { at } = temporaryFolder();
    const map = at("map.json");
    writeFileSync(map, '{"kind":"click","fields":{"time":"t","user":"u","stream":"s"}}');
    const text = `t,u,s\n${Array.from({ length: 50 }, (_, i) => `${1_700_000_000 + i},u,s`).join("\n")}\n`;
    const prepared = await liveqOn(text, "prepare", "-", "--map", map, "--off-air", "keep", "--split", "none");
    const warning = /warning: time: lies in 1970 to 1973 with "unit" "ms"; are the numbers in seconds\? \(50 rows\)/g;
    expect(prepared.out.match(warning)).toHaveLength(1);
    const evaluated = await liveqOn(text, "evaluate", "--events", "-", "--map", map, "--policies", "popular");
    expect(evaluated.err.match(warning)).toHaveLength(1);
  });

  test("and unknown fields of LiveQ's own events are left out and counted, or refused", async () => {
    const text = '{"kind":"click","time":1,"user":7,"stream":"s","watchMs":null,"x":1}\n';
    const common = ["prepare", "-", "--off-air", "keep", "--split", "none"];
    const kept = await liveqOn(text, ...common);
    expect(kept.out).toMatch(/kept +1 /);
    expect(kept.out).toMatch(/changed x: unknown field left out +1 /);
    const refused = await liveqOn(text, ...common, "--unknown", "refuse");
    expect(refused.out).toContain('"x" is not a field of an event');
  });
});
