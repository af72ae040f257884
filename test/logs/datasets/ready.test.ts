import { describe, expect, test } from "vitest";
import {
  checkMapping,
  detectLogFormat,
  emptyQualityReport,
  LOG_FORMATS,
  type LogFormat,
} from "../../../src/logs/index.js";
import { EVENT_LAYOUTS } from "../../../src/logs/layouts/eventlayouts.js";
import { rows } from "../../support/exports.js";
import { all, cut, utf8 } from "../../support/pieces.js";

const made = rows(40);
const [one] = made;
const START = one!.time;
const [user, item] = [String(one!.user), String(one!.item)];
const iso = (time: number) => new Date(time).toISOString();
const lines = (header: string, line: (row: (typeof made)[number]) => string) =>
  [header, ...made.map(line), ""].filter((text, i) => i > 0 || text !== "").join("\n");
const american = (time: number) => {
  const [year, month, day, hour, minute, second] = iso(time).slice(0, 19).split(/[-T:]/).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const two = (n: number) => String(n).padStart(2, "0");
  return `${month}/${day}/${year} ${hour % 12 || 12}:${two(minute)}:${two(second)} ${hour < 12 ? "AM" : "PM"}`;
};

/** A made-up file in a public layout, and what it must read as. */
interface LookAlike {
  format: string;
  file: string;
  text: string;
  /** Events by kind, or the number of ratings. */
  counts: Readonly<Record<string, number>> | number;
  /** Some of the first records. */
  first: readonly object[];
}

const LOOK_ALIKES: readonly LookAlike[] = [
  {
    format: "movielens-latest",
    file: "ratings.csv",
    text: lines(
      "userId,movieId,rating,timestamp",
      (row) => `${row.user},${row.item},${(row.i % 10) / 2 + 0.5},${row.time / 1000}`,
    ),
    counts: 40,
    first: [{ user, item, value: 0.5, time: START }],
  },
  {
    format: "recbole",
    file: "ml-100k.inter",
    text: lines(
      "user_id:token\titem_id:token\trating:float\ttimestamp:float",
      (row) => `${row.user}\t${row.item}\t${row.i % 6}\t${row.time / 1000}`,
    ),
    counts: 40,
    first: [{ user, item, value: 0, time: START }],
  },
  {
    format: "recbole",
    file: "clicks.inter",
    text: lines("item_id:token\tuser_id:token", (row) => `${row.item}\t"${row.user}`),
    counts: 40,
    first: [{ user: `"${user}`, item, value: 1, time: 0 }],
  },
  {
    format: "yahoo-r3",
    file: "ydata-ymusic-rating-study-v1_0-train.txt",
    text: lines("", (row) => `${row.user}\t${row.item}\t${(row.i % 5) + 1}`),
    counts: 40,
    first: [{ user, item, value: 1, time: 0 }],
  },
  {
    format: "coat",
    file: "train.ascii",
    text: "0 5 0 1 \n3 0 0 2 \n",
    counts: 4,
    first: [
      { user: "0", item: "1", value: 5, time: 0 },
      { user: "0", item: "3", value: 1, time: 0 },
      { user: "1", item: "0", value: 3, time: 0 },
    ],
  },
  {
    format: "kuairand",
    file: "log_standard_4_08_to_4_21_pure.csv",
    text: lines(
      "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab",
      (row) =>
        `${row.user},${row.item},20210325,830,${row.time},${row.i % 2},${row.i % 4 === 1 ? 1 : 0},0,${row.i === 3 ? 1 : 0},${row.i === 5 ? 1 : 0},${row.i === 7 ? 1 : 0},0,${row.i % 2 ? 1500 : 0},9000,0,0,0,0,1`,
    ),
    counts: { impression: 40, click: 20, watch: 20, like: 10, comment: 1, share: 1, dislike: 1 },
    first: [
      { kind: "impression", user, stream: item, time: START },
      { kind: "impression", time: made[1]!.time },
      { kind: "click", time: made[1]!.time },
      { kind: "watch", time: made[1]!.time + 1500, watchMs: 1500 },
    ],
  },
  {
    format: "mind",
    file: "behaviors.tsv",
    text: lines("", (row) => `${row.i + 1}\tU${row.user}\t${american(row.time)}\tN9 N8\tN${row.i}-0 N${row.i + 1}-1`),
    counts: { impression: 80, click: 40 },
    first: [
      { kind: "impression", user: `U${user}`, stream: "N0", position: 0, time: START },
      { kind: "impression", user: `U${user}`, stream: "N1", position: 1, time: START },
      { kind: "click", user: `U${user}`, stream: "N1", time: START },
    ],
  },
  {
    format: "retailrocket",
    file: "events.csv",
    text: lines(
      "timestamp,visitorid,event,itemid,transactionid",
      (row) =>
        `${row.time},${row.user},${["view", "addtocart", "transaction"][row.i % 3]},${row.item},${row.i % 3 === 2 ? row.i : ""}`,
    ),
    counts: { click: 14, signal: 13, purchase: 13 },
    first: [
      { kind: "click", user, stream: item, time: START },
      { kind: "signal", name: "cart", value: 1 },
      { kind: "purchase", amount: 1 },
    ],
  },
  {
    format: "rees46",
    file: "2019-Oct.csv",
    text: lines(
      "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session",
      (row) =>
        `${iso(row.time).slice(0, 19).replace("T", " ")} UTC,${["view", "cart", "remove_from_cart", "purchase"][row.i % 4]},${row.item},2053,electronics.phone,,${row.i}.25,${row.user},aa-bb`,
    ),
    counts: { click: 10, signal: 20, purchase: 10 },
    first: [
      { kind: "click", user, stream: item, time: START },
      { name: "cart" },
      { name: "remove_from_cart" },
      { kind: "purchase", amount: 3.25 },
    ],
  },
  {
    format: "lastfm-1k",
    file: "userid-timestamp-artid-artname-traid-traname.tsv",
    text: lines(
      "",
      (row) =>
        `user_000${row.user}\t${iso(row.time).slice(0, 19)}Z\tart-1\t"Odd" Band\t${row.i % 2 ? "" : `track-${row.item}`}\tNULL`,
    ),
    counts: { click: 40 },
    first: [
      { kind: "click", user: `user_000${user}`, stream: `track-${item}`, time: START },
      { kind: "click", stream: '"Odd" Band: NULL' },
    ],
  },
  {
    format: "steam",
    file: "steam_reviews.jsonl",
    text: lines("", (row) =>
      JSON.stringify({
        username: `p${row.user}`,
        hours: row.i / 2,
        products: 3,
        product_id: item,
        date: iso(row.time).slice(0, 10),
        text: 'good, "hours"',
      }),
    ),
    counts: { click: 40, watch: 39 },
    first: [
      { kind: "click", user: `p${user}`, stream: item, time: Date.UTC(2021, 2, 25) },
      { kind: "click" },
      { kind: "watch", watchMs: 1_800_000 },
    ],
  },
  {
    format: "twitch-chat",
    file: "chat.csv",
    text: lines(
      "channel,created_at,username,message",
      (row) => `c${row.item},${iso(row.time)},${row.user},"hello, ""you"""`,
    ),
    counts: { comment: 40 },
    first: [{ kind: "comment", user, stream: `c${item}`, time: START }],
  },
  {
    format: "twitch-chat-jsonl",
    file: "chat.jsonl",
    text: lines("", (row) =>
      JSON.stringify({ timestamp: row.time, channel: `c${row.item}`, user: row.user, text: "hi" }),
    ),
    counts: { comment: 40 },
    first: [{ kind: "comment", user, stream: `c${item}`, time: START }],
  },
  {
    format: "twitch-streams",
    file: "streams.csv",
    text: lines(
      "stream_id,channel,started_at,ended_at,game,title,language",
      (row) =>
        `${row.i},c${row.item},${iso(row.time)},${row.i % 2 ? "" : iso(row.time + 60_000)},${row.i ? "Chess" : ""},Part ${row.i},en`,
    ),
    counts: { on_air: 40, off_air: 20 },
    first: [
      {
        kind: "on_air",
        stream: "0",
        streamer: `c${item}`,
        category: "live",
        title: "Part 0",
        language: "en",
        time: START,
      },
      { kind: "off_air", stream: "0", time: START + 60_000 },
    ],
  },
  {
    format: "twitch-streams-jsonl",
    file: "streams.jsonl",
    text: lines("", (row) =>
      JSON.stringify({
        id: row.i,
        user_login: `c${row.item}`,
        started_at: iso(row.time),
        game_name: "Go",
        viewer_count: 5,
      }),
    ),
    counts: { on_air: 40 },
    first: [{ kind: "on_air", stream: "0", streamer: `c${item}`, category: "Go", time: START }],
  },
];

async function recordsOf(format: LogFormat, file: string, text: string): Promise<object[]> {
  const open = () => cut(utf8(text), 5, 200);
  return all<object>(format.yields === "events" ? format.read([file], open, {}) : format.read([file], open));
}

describe("public layouts", () => {
  test.each(LOOK_ALIKES)(
    "$format in $file is known by its first bytes, and read",
    async ({ format, file, text, counts, first }) => {
      const found = detectLogFormat([`data/${file}`], { [`data/${file}`]: utf8(text).subarray(0, 400) })!;
      expect(found.name).toBe(format);
      const records = await recordsOf(found, `data/${file}`, text);
      if (typeof counts === "number") expect(records).toHaveLength(counts);
      else {
        const kinds: Record<string, number> = {};
        for (const { kind } of records as { kind: string }[]) kinds[kind] = (kinds[kind] ?? 0) + 1;
        expect(kinds).toEqual(counts);
      }
      for (const [i, expected] of first.entries()) expect(records[i]).toMatchObject(expected);
    },
  );

  test("each has a look-alike, and a mapping that is right", () => {
    expect(
      EVENT_LAYOUTS.map(({ name }) => name).filter((name) => !LOOK_ALIKES.some((one) => one.format === name)),
    ).toEqual([]);
    for (const { mapping } of EVENT_LAYOUTS) expect(checkMapping(mapping)).toBe(mapping);
  });

  test("names of formats are unique, and no look-alike is taken for LiveQ's own", () => {
    const names = LOG_FORMATS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const own = "kind,id,time,user,stream,streamer,category,title,text,start\n";
    expect(detectLogFormat(["x.csv"], { "x.csv": utf8(own) })?.name).toBe("csv");
    const event = '{"kind":"comment","time":1,"user":"text","stream":"channel"}\n';
    expect(detectLogFormat(["x.jsonl"], { "x.jsonl": utf8(event) })?.name).toBe("jsonl");
  });

  test.each(LOOK_ALIKES.filter(({ counts }) => typeof counts !== "number"))(
    "a broken row of $format is counted",
    async ({ format, file, text }) => {
      const found = LOG_FORMATS.find(({ name }) => name === format)!;
      const report = emptyQualityReport();
      const broken = text.replace(/\n[^\n]*\n$/, `\n${text.includes("{") ? '{"' : '"broken\tx'}\n`);
      if (found.yields === "events") await all(found.read([file], () => utf8(broken), { onError: "skip", report }));
      expect(report.dropped).toBe(1);
      expect(report.examples[0]).toMatch(new RegExp(`^${file.replaceAll(".", "\\.")}:\\d+: `));
    },
  );
});
