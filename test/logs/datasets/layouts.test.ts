import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  cleanEvents,
  collectBanditLog,
  collectRatings,
  detectLogFormat,
  emptyQualityReport,
  LOG_FORMATS,
  readBroadcasts,
  readKuaiLive,
  readMovieLens1M,
  readNetflix,
  readOpenBandit,
  readOpenBanditItems,
  readTwitch,
  splitTwitch,
  TWITCH_STEP_MS,
  toCsv,
  toJsonl,
  twitchEvents,
  twitchOnAir,
} from "../../../src/logs/index.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import * as made from "../../support/layouts.js";
import { lookAlike } from "../../support/movielens.js";
import { all, cut, utf8 } from "../../support/pieces.js";
import { realData } from "../../support/realdata.js";

describe("MovieLens-1M", () => {
  const { files, ratings, movieLines, userLines } = made.movieLens1MLookAlike(1);

  test("keeps every rating, ordered by time, with titles, genres and people", async () => {
    const read = await readMovieLens1M(files);
    const expected = ratings.map((rating, index) => ({ rating, index }));
    expected.sort((a, b) => a.rating[3] - b.rating[3] || a.index - b.index);
    const { user, item, value, time } = read.ratings;
    const found = Array.from(user, (u, e) => [read.users[u]!.id, read.items[item[e]!]!.id, value[e], time[e]! / 1000]);
    expect(found).toEqual(expected.map(({ rating }) => rating));
    const titles = read.items.map(({ id, title }) => movieLines[id - 1]!.startsWith(`${id}::${title}::`));
    expect(titles.every(Boolean)).toBe(true);
    expect(read.items.every(({ title, year }) => title.endsWith(`(${year})`))).toBe(true);
    expect(read.users.map((u) => `${u.id}::${u.gender}::${u.age}::${u.occupation}::${u.zip}\n`)).toEqual(userLines);
  });

  test.each([
    [{ ratings: "1::1::6::1\n" }, 'ratings.dat:1: "Rating" must be an integer in [1, 5], got "6"'],
    [{ ratings: "1::1::5\n" }, 'ratings.dat:1: must have 4 fields separated by "::", got 3'],
    [{ ratings: "1::999::5::1\n" }, "movies.dat: must have every rated id, 999 is missing"],
    [{ users: "1::F::19::1::1\n" }, 'users.dat:1: "Age" must be one of 1, 18, 25, 35, 45, 50, 56, got "19"'],
    [{ movies: "1::A (1990)::Drama|Romcom\n" }, 'movies.dat:1: "Genres" must be some of'],
  ])("refuses %o and says where", async (change, message) => {
    await expect(readMovieLens1M({ ...files, ...change })).rejects.toThrow(message);
  });
});

describe("the Netflix prize", () => {
  test("gives each rating its film, across files", async () => {
    const parts = [made.netflixLookAlike(1, 1), made.netflixLookAlike(1, 7)];
    const read = [];
    for (const { text } of parts) read.push(...(await all(readNetflix(cut(utf8(text), 1, 40)))));
    const expected = parts.flatMap(({ ratings }) => ratings);
    expect(
      read.map((r) => [Number(r.item), Number(r.user), r.value, new Date(r.time).toISOString().slice(0, 10)]),
    ).toEqual(expected);
    const log = await collectRatings(read);
    expect(log.ratings.user.length).toBe(expected.length);
    expect(log.ratings.time.every((time, i) => i === 0 || time >= log.ratings.time[i - 1]!)).toBe(true);
    const names = Array.from(log.ratings.user, (u, i) => `${log.users[u]}/${log.items[log.ratings.item[i]!]}`);
    expect(names.sort()).toEqual(read.map(({ user, item }) => `${user}/${item}`).sort());
  });

  test.each([
    ["6,5,2005-01-01\n", "line 1: must come after the line of a film"],
    ["1:\n6,9,2005-01-01\n", 'line 2: "rating" must be an integer in [1, 5], got "9"'],
    ["1:\n6,5,01/02/2005\n", 'line 2: "date" must be a date such as'],
    ["1:\nabc\n", 'line 2: must be a film such as "1:"'],
  ])("refuses %j and says where", async (text, message) => {
    await expect(all(readNetflix(text))).rejects.toThrow(message);
    const report = emptyQualityReport();
    await all(readNetflix(text, { onError: "skip", report }));
    expect(report.dropped).toBe(1);
  });
});

describe("Open Bandit", () => {
  const { log, context, clicks, propensities } = made.openBanditLookAlike(1);

  test("gives choices with their probabilities, and columns for off-policy evaluation", async () => {
    const records = await all(readOpenBandit(cut(utf8(log), 1, 300)));
    expect(records.length).toBe(400);
    expect(records.reduce((sum, { reward }) => sum + reward, 0)).toBe(clicks);
    expect(records.every(({ item, propensity }) => propensity === propensities[Number(item)])).toBe(true);
    expect(records[0]!.time).toBe(Date.UTC(2019, 10, 24) + 979.311);
    const items = await readOpenBanditItems(context);
    expect(items[3]).toMatchObject({ item: "3", words: ["word1", "w"] });
    const columns = await collectBanditLog(
      records,
      items.map(({ item }) => item),
    );
    expect(columns).toMatchObject({ n: 400, items: ["0", "1", "2", "3", "4"], positions: 3, affinities: 5 });
    expect([...columns.featureNames].sort()).toEqual(["0:aa", "0:bb", "1:aa", "1:cc", "1:dd"]);
    for (const [i, record] of records.entries()) {
      const row = columns.context.subarray(5 * i, 5 * i + 5);
      const own = columns.featureNames.filter((_, j) => row[j] === 1).sort();
      expect(own).toEqual(record.features.map((word, j) => `${j}:${word}`));
      expect(columns.affinity.subarray(5 * i, 5 * i + 5)).toEqual(record.affinity);
      expect(columns.action[i]).toBe(Number(record.item));
    }
  });

  test.each([
    [",timestamp,item_id,position,click\n0,2019-11-24,1,1,0\n", "must have a column propensity_score or action_prob"],
    [log.replace(/,0\.\d+,/, ",0,"), '"propensity_score" must be a number in (0, 1], got "0"'],
    [log.replace(/,[01],0\.\d+,/, ",2,0.5,"), '"click" must be an integer in [0, 1], got "2"'],
  ])("refuses a broken log and says where", async (text, message) => {
    await expect(all(readOpenBandit(text))).rejects.toThrow(message);
  });

  const folder = realData("open-bandit");
  test.skipIf(!folder).each([
    ["random", "men", 46, 34],
    ["bts", "men", 69, 34],
    ["random", "women", 46, 46],
    ["bts", "women", 46, 46],
  ])("reads the real %s policy on %s", async (policy, campaign, clicks, items) => {
    const bytes = await readFile(`${folder}/${policy}/${campaign}/${campaign}.csv`);
    const traits = await readOpenBanditItems(await readFile(`${folder}/${policy}/${campaign}/item_context.csv`));
    const columns = await collectBanditLog(
      readOpenBandit(bytes, `${campaign}.csv`),
      traits.map(({ item }) => item),
    );
    expect(columns).toMatchObject({ n: 10_000, positions: 3, affinities: items });
    expect(columns.items.length).toBe(items);
    expect(columns.reward.reduce((sum, reward) => sum + reward, 0)).toBe(clicks);
    expect(columns.time.every((time, i) => i === 0 || time >= columns.time[i - 1]!)).toBe(true);
    if (policy === "random") expect(columns.propensity.every((p) => Math.abs(p - 1 / items) < 1e-9)).toBe(true);
    else expect(columns.propensity.every((p) => p > 0 && p < 1)).toBe(true);
  });
});

describe("Twitch-100K", () => {
  const { text, rows, steps } = made.twitchLookAlike(1);

  test("keeps every row, in order of time, and when each stream was watched", async () => {
    const log = await readTwitch(cut(utf8(text), 1, 100));
    const { user, item, value, time } = log.interactions;
    const found = Array.from(user, (u, i) => {
      const start = time[i]! / TWITCH_STEP_MS;
      return [log.users[u], log.streams[log.stream[i]!], log.streamers[item[i]!], start, start + value[i]!].join();
    });
    expect(found.sort()).toEqual(rows.map((row) => row.join()).sort());
    expect(log.lastStep).toBe(steps);
    const spans = log.streams.map((id) => {
      const own = rows.filter((row) => String(row[1]) === id);
      return [Math.min(...own.map((row) => row[3])), Math.max(...own.map((row) => row[4]))] as const;
    });
    let step = 0;
    let wrong = 0;
    for (const onAir of twitchOnAir(log)) {
      spans.forEach(([start, stop], stream) => {
        if (onAir.has(stream) !== (start <= step && step < stop)) wrong++;
      });
      step++;
    }
    expect(wrong).toBe(0);
    expect(step).toBe(steps + 1);
  });

  test("is split by LiveRec's steps", async () => {
    const { train, validation, test } = splitTwitch(await readTwitch(text));
    expect(train.user.length + validation.user.length + test.user.length).toBe(rows.length);
    expect(test.user.length).toBe(rows.filter((row) => row[3] >= steps - 250).length);
    expect(validation.user.length).toBe(rows.filter((row) => row[3] >= steps - 500 && row[3] < steps - 250).length);
    expect(validation.user.length).toBeGreaterThan(0);
  });

  test("becomes events that cleaning leaves unchanged", async () => {
    const log = await readTwitch(text);
    const events = [...twitchEvents(log)];
    const cleaning = cleanEvents(events, { timeoutMs: 1e12 });
    expect(await all(cleaning)).toEqual(events);
    expect(cleaning.report).toMatchObject({ dropped: 0, changedBy: {}, open: 0 });
    expect(cleaning.report.diversity!.events).toEqual({
      on_air: 60,
      off_air: 60,
      click: rows.length,
      watch: rows.length,
    });
  });

  test("a row that ends before it begins, or whose stream has two streamers, is refused", async () => {
    await expect(readTwitch("1,2,a,5,4\n", "100k.csv")).rejects.toThrow(
      '100k.csv:1: "stop" must be an integer in [5, 10000000]',
    );
    await expect(readTwitch("1,2,a,5,6\n1,2,b,5,6\n")).rejects.toThrow('line 2: "streamer" must be the streamer that');
  });
});

describe("KuaiLive", () => {
  const { files, rooms, clicks, negatives } = made.kuaiLiveLookAlike(1);

  test("becomes events in order of time: users first, rooms, impressions, clicks, watches at their ends", async () => {
    const events = await all(readKuaiLive(files));
    expect(events.every((event, i) => i === 0 || event.time >= events[i - 1]!.time)).toBe(true);
    const of = (kind: LiveEvent["kind"]) => events.filter((event) => event.kind === kind);
    expect(of("on_air").map(({ time }) => time)).toEqual(rooms.map(({ start }) => start));
    expect(of("off_air").map(({ time }) => time)).toEqual(rooms.map(({ end }) => end).sort((a, b) => a - b));
    expect(of("impression").length).toBe(clicks.length + negatives.length);
    expect(of("watch").map(({ time }) => time)).toEqual(
      clicks.map(({ time, watch }) => time + watch).sort((a, b) => a - b),
    );
    expect([of("like").length, of("comment").length, of("gift").length]).toEqual([20, 20, 10]);
    expect(events.slice(0, 3)).toEqual([
      { kind: "user", time: rooms[0]!.start, user: "0", age: 20.5, gender: "M", region: "China", device: "APPLE" },
      { kind: "user", time: rooms[0]!.start, user: "1", age: 50, gender: "F", region: "China", device: "DESKTOP" },
      { kind: "user", time: rooms[0]!.start, user: "2" },
    ]);
    expect(events[3]).toMatchObject({ kind: "on_air", streamer: String(rooms[0]!.streamer), tags: ["type-1"] });
    const cleaning = cleanEvents(events, { giftAfterMs: 0, giftGapMs: 0, emptyWatch: "keep" });
    expect(await all(cleaning)).toEqual(events);
    expect(cleaning.report).toMatchObject({ read: events.length, dropped: 0, changedBy: {} });
  });

  test("a room with a row for each day goes off air once, at the last end", async () => {
    const header = files.room.split("\n")[0];
    const room = `${header}\n1,7,4,1,1000,2000,shop,0\n2,7,4,1,1000,5000,shop,0\n3,8,4,1,3000,4000,shop,0\n`;
    const ends = (await all(readKuaiLive({ room }))).filter(({ kind }) => kind === "off_air");
    expect(ends).toEqual([
      { kind: "off_air", time: 4000, stream: "8" },
      { kind: "off_air", time: 5000, stream: "7" },
    ]);
  });

  test("a file out of order is refused, and sorted where that is wanted", async () => {
    const [header, ...lines] = files.click.trimEnd().split("\n");
    const click = [header, ...lines.reverse()].join("\n");
    await expect(all(readKuaiLive({ ...files, click }))).rejects.toThrow("click.csv must be in order of time");
    const sorted = await all(readKuaiLive({ ...files, click }, { order: "sort" }));
    const key = (event: LiveEvent) => JSON.stringify(event);
    expect(sorted.map(key).sort()).toEqual((await all(readKuaiLive(files))).map(key).sort());
  });

  test("broken rows are named, or skipped and counted", async () => {
    const gift = files.gift.replace(/,2\n/, ",0\n");
    await expect(all(readKuaiLive({ gift }))).rejects.toThrow(
      'gift.csv:2: "amount" must be a finite number > 0, got 0',
    );
    const report = emptyQualityReport();
    const events = await all(readKuaiLive({ gift }, { onError: "skip", report }));
    expect([events.length, report.dropped]).toEqual([9, 1]);
    await expect(all(readKuaiLive({ click: "user_id\n1\n" }))).rejects.toThrow(
      'click.csv: must have a column "live_id"',
    );
  });
});

describe("broadcasts", () => {
  test("are read with their first category", async () => {
    expect(await all(readBroadcasts(made.BROADCASTS))).toEqual([
      {
        channel: "7",
        startMs: Date.UTC(2019, 5, 30, 23, 45),
        lengthMs: 165 * 60_000,
        category: "2",
        categories: ["2", "11"],
        averageViewers: 4,
        peakViewers: 7,
        watchMs: 660 * 60_000,
        followersGained: 2,
        views: 39,
      },
      expect.objectContaining({ channel: "8", lengthMs: 0, category: "unknown", categories: [], followersGained: -3 }),
    ]);
    const bad = made.BROADCASTS.replace("2019-06-30T", "30.06.2019 ");
    await expect(all(readBroadcasts(bad, "b.csv"))).rejects.toThrow('b.csv:2: "start" must be a date such as');
  });

  const folder = realData("twitch-broadcasts-2019");
  test.skipIf(!folder)("reads the real ones, in order", async () => {
    let n = 0;
    let last = 0;
    const channels = new Set<string>();
    for await (const broadcast of readBroadcasts(createReadStream(`${folder}/broadcasts.csv`))) {
      n++;
      if (broadcast.startMs < last) throw new Error(`${broadcast.startMs} after ${last}`);
      last = broadcast.startMs;
      channels.add(broadcast.channel);
    }
    expect([n, channels.size]).toEqual([108_276, 6635]);
  });
});

describe("formats", () => {
  const events: LiveEvent[] = [{ kind: "friend", time: 1, user: "u", friend: "v" }];
  const ml100k = lookAlike(1);
  const ml1m = made.movieLens1MLookAlike(1);
  const bandit = made.openBanditLookAlike(1);
  const kuai = made.kuaiLiveLookAlike(1);
  const folders: [name: string, files: () => Promise<Record<string, Uint8Array | string>>, records: number][] = [
    [
      "movielens-100k",
      async () => ({ "a/u.data": ml100k.files.data, "a/u.item": ml100k.files.item, "a/u.user": ml100k.files.user }),
      ml100k.ratings.length,
    ],
    ["movielens-1m", async () => ({ "ratings.dat": ml1m.files.ratings, "movies.dat": ml1m.files.movies }), 600],
    [
      "netflix",
      async () => ({ "combined_data_1.txt": made.netflixLookAlike(1, 1).text }),
      made.netflixLookAlike(1, 1).ratings.length,
    ],
    ["open-bandit", async () => ({ "x\\men.csv": bandit.log, "x\\item_context.csv": bandit.context }), 400],
    [
      "kuailive",
      async () => Object.fromEntries(Object.entries(kuai.files).map(([k, v]) => [`${k}.csv`, v])),
      2 * kuai.rooms.length + 3 * kuai.clicks.length + kuai.negatives.length + 53,
    ],
    ["twitch-broadcasts", async () => ({ "broadcasts.csv": made.BROADCASTS }), 2],
    [
      "twitch-100k",
      async () => ({ "100k_a.csv": made.twitchLookAlike(1).text }),
      2 * made.twitchLookAlike(1).rows.length + 120,
    ],
    ["jsonl", async () => ({ "log/one.jsonl": (await all(toJsonl(events))).join(""), "log/two.jsonl": "" }), 1],
    ["csv", async () => ({ "log.csv": (await all(toCsv(events))).join("") }), 1],
  ];

  test.each(folders)("%s is known by its files, and read through the registry", async (name, make, records) => {
    const files = await make();
    const bytes = Object.fromEntries(
      Object.entries(files).map(([file, content]) => [file, typeof content === "string" ? utf8(content) : content]),
    );
    const names = ["README.md", ...Object.keys(bytes)];
    const first = Object.fromEntries(Object.entries(bytes).map(([file, content]) => [file, content.subarray(0, 500)]));
    const format = detectLogFormat(names, first)!;
    expect(format.name).toBe(name);
    // Each look-alike is of one format alone, but that LiveQ's own files may have any name.
    expect(LOG_FORMATS.filter((one) => one.detect(names, first)).map((one) => one.name)).toEqual([name]);
    const read: unknown[] = await all(format.read(names, (file) => bytes[file]!) as AsyncIterable<unknown>);
    expect(read.length).toBe(records);
  });

  test("other files have no format", () => {
    expect(detectLogFormat(["notes.txt", "x.csv"], { "x.csv": utf8("a,b\n1,2\n") })).toBeUndefined();
    expect(detectLogFormat([], {})).toBeUndefined();
  });

  const movielens = realData("ml-100k");
  test.skipIf(!movielens)("MovieLens-100K itself is known and read", async () => {
    const names = ["README", "u.data", "u.item", "u.user"];
    const bytes: Record<string, Uint8Array> = {};
    for (const name of names) bytes[name] = await readFile(`${movielens}/${name}`);
    const format = detectLogFormat(names, bytes)!;
    expect(format.name).toBe("movielens-100k");
    const read = await all(format.read(names, (name) => bytes[name]!) as AsyncIterable<{ user: string; item: string }>);
    expect([
      read.length,
      new Set(read.map(({ user }) => user)).size,
      new Set(read.map(({ item }) => item)).size,
    ]).toEqual([100_000, 943, 1682]);
  });
});
