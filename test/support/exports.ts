import { Random } from "../../src/numeric/index.js";

/** A generated export of a platform, and what `liveq map` must find in it. */
export interface GeneratedExport {
  name: string;
  text: string;
  /** Number of events by kind that the mapping reads. */
  events: Readonly<Record<string, number>>;
  /** Fields of the first event of a kind. */
  first: Readonly<Record<string, unknown>>;
}

const START = Date.UTC(2021, 2, 25, 8, 30);
const ROWS = 120;

/** Numbers by which a row of an export is made. */
export interface ExportRow {
  i: number;
  user: number;
  item: number;
  /** An item that was shown and not chosen. */
  other: number;
  time: number;
  /** Time in an export whose dates are ambiguous. */
  dated: number;
  x: number;
}

/** Rows of random users and items, 10 minutes apart. */
export function rows(count = ROWS): ExportRow[] {
  const random = Random.named(7, "exports");
  return Array.from({ length: count }, (_, i) => ({
    i,
    user: 100 + random.below(30),
    item: 5000 + random.below(40),
    other: 4900 - i,
    time: START + i * 600_000,
    dated: Date.UTC(2021, Math.floor(i / 12) % 9, (i % 12) + 1, 10),
    x: random.uniform(),
  }));
}

const iso = (time: number) => new Date(time).toISOString();
const day = (time: number, form: (parts: string[]) => string) => form(iso(time).slice(0, 19).split(/[-T:]/));

/** Exports of shops, films, music, live platforms and chats, in the dialects of databases. */
export function exportsOf(made: readonly ExportRow[]): readonly GeneratedExport[] {
  const table = (header: string, line: (row: ExportRow) => string, end = "\n") =>
    [...(header === "" ? [] : [header]), ...made.map(line)].join(end) + end;
  const [one] = made;
  const id = { user: String(one!.user), stream: String(one!.item) };
  const START = one!.time;
  return [
    {
      name: "a shop's events with dates of BigQuery and prices",
      text: table(
        "event_time,event_type,product_id,category_id,price,user_id",
        ({ i, user, item, time }) =>
          `${iso(time).slice(0, 19).replace("T", " ")} UTC,${["view", "view", "cart", "purchase"][i % 4]},${item},${i % 3},${i}.50,${user}`,
      ),
      events: { click: 60, signal: 30, purchase: 30 },
      first: { kind: "click", time: START, ...id },
    },
    {
      name: "a shop's visitors in milliseconds",
      text: table(
        "timestamp,visitorid,event,itemid,transactionid",
        ({ i, user, item, time }) =>
          `${time},${user},${["view", "addtocart", "transaction"][i % 3]},${item},${i % 3 === 2 ? i : ""}`,
      ),
      events: { click: 40, signal: 40, purchase: 40 },
      first: { kind: "click", time: START, ...id },
    },
    {
      name: "ratings in seconds",
      text: table(
        "userId,movieId,rating,timestamp",
        ({ i, user, item, time }) => `${user},${item},${(i % 10) / 2 + 0.5},${time / 1000}`,
      ),
      events: { rating: 120 },
      first: { kind: "rating", time: START, ...id, rating: 0 },
    },
    {
      name: "tabs, no header, seconds",
      text: table("", ({ i, user, item, time }) => `${user}\t${item}\t${(i % 5) + 1}\t${time / 1000}`),
      events: { rating: 120 },
      first: { kind: "rating", time: START, ...id, rating: 0 },
    },
    {
      name: "plays with German dates, semicolons and decimal commas",
      text: table(
        "Benutzer;uid;video_id;gesehen_am;watch_minutes;timestamp",
        ({ i, user, item, time }) =>
          `n${i};${user};${item};x;${i % 9},5;${day(time, ([y, m, d, h, n, s]) => `${d}.${m}.${y} ${h}:${n}:${s}`)}`,
      ),
      events: { click: 120, watch: 120 },
      first: { kind: "click", time: START, ...id },
    },
    {
      name: "American dates with AM and PM",
      text: table(
        "Customer ID,SKU,Order Date,Revenue,Action",
        ({ user, item, time, x }) =>
          `${user},${item},${day(time, ([y, m, d, h, n]) => `${Number(m)}/${Number(d)}/${y} ${Number(h) % 12 || 12}:${n} ${Number(h) < 12 ? "AM" : "PM"}`)},${(100 * x).toFixed(2)},purchase`,
      ),
      events: { purchase: 120 },
      first: { kind: "purchase", time: START, ...id },
    },
    {
      name: "a live platform's visits from start to stop",
      text: table(
        "viewer_id,room_id,start_time,end_time",
        ({ i, user, item, time }) => `${user},${item},${iso(time)},${iso(time + 60_000 * (1 + (i % 5)))}`,
      ),
      events: { click: 120, watch: 120 },
      first: { kind: "click", time: START, ...id },
    },
    {
      name: "impressions with columns of 0 and 1",
      text: table(
        "user_id,video_id,time_ms,is_click,is_like,is_follow,play_time_ms,duration_ms,tab",
        ({ i, user, item, time }) =>
          `${user},${item},${time},${i % 2},${i % 4 === 1 ? 1 : 0},0,${i % 2 === 1 ? 1000 * i : 0},90000,1`,
      ),
      events: { impression: 120, click: 60, like: 30, watch: 60 },
      first: { kind: "impression", time: START, ...id },
    },
    {
      name: "lists of impressions, by tabs, without header",
      text: table(
        "",
        ({ i, user, item, other, time }) =>
          `${i}\tU${user}\t${day(time, ([y, m, d, h, n, s]) => `${Number(m)}/${Number(d)}/${y} ${Number(h) % 12 || 12}:${n}:${s} ${Number(h) < 12 ? "AM" : "PM"}`)}\tN1 N2\tN${other}-0 N${item}-1 N7-0`,
      ),
      events: { impression: 360, click: 120 },
      first: { kind: "impression", time: START, stream: `N${one!.other}`, position: 0 },
    },
    {
      name: "chat lines as JSON",
      text: table("", ({ user, item, time, i }) =>
        JSON.stringify({
          channel: `c${item}`,
          ts: time / 1000,
          sender: { id: user, badges: [] },
          message: `hello ${i} "you"`,
        }),
      ),
      events: { comment: 120 },
      first: { kind: "comment", time: START, user: id.user, stream: `c${id.stream}` },
    },
    {
      name: "events of a tracker, nested, with microseconds",
      text: table("", ({ user, item, time, i }) =>
        JSON.stringify({
          event_timestamp: time * 1000,
          event_name: ["view_item", "click", "purchase"][i % 3],
          user: { user_id: `u${user}` },
          ecommerce: { item_id: item, value: 5 },
          geo: null,
        }),
      ),
      events: { click: 80, purchase: 40 },
      first: { kind: "click", time: START, user: `u${id.user}` },
    },
    {
      name: "a music log without quoting, whose names hold quotes",
      text: table(
        "",
        ({ user, item, time, i }) =>
          `user_${user}\t${iso(time)}\tid-${item}\t"Odd" Band ${i % 7}\tx${item}\tSong "${i % 5}`,
      ),
      events: { click: 120 },
      first: { kind: "click", time: START, user: `user_${id.user}` },
    },
    {
      name: "a dump with backslashes, bars and nulls",
      text: table(
        "uid|item|action|created_at|price",
        ({ i, user, item, time }) =>
          `${user}|${item}|${i % 2 ? "buy" : "click"}|${iso(time).slice(0, 19).replace("T", " ")}+00|${i % 2 ? `${i}.0` : "\\N"}`,
      ),
      events: { click: 60, purchase: 60 },
      first: { kind: "click", time: START, ...id },
    },
    {
      name: "columns in quotes, with line feeds in the text",
      text: table(
        '"id","createdAt","channelName","userName","text"',
        ({ i, user, item, time }) => `"${i}","${iso(time)}","room ${item}","${user}","first, ${i}\nsecond ""${i}"""`,
        "\r\n",
      ),
      events: { comment: 120 },
      first: { kind: "comment", time: START, user: id.user, stream: `room ${id.stream}` },
    },
    {
      name: "broadcasts",
      text: table(
        "channel,started_at,ended_at,game,title,language",
        ({ i, item, time }) => `c${item},${iso(time)},${iso(time + 3_600_000)},${["Chess", "Go"][i % 2]},Part ${i},en`,
      ),
      events: { on_air: 120, off_air: 120 },
      first: { kind: "on_air", time: START, stream: `c${id.stream}`, streamer: `c${id.stream}`, category: "Chess" },
    },
    {
      name: "an array of JSON on many lines",
      text: JSON.stringify(
        made.map(({ user, item, time, i }) => ({
          createdAt: iso(time),
          member: user,
          video: { id: item },
          watched: { seconds: i },
        })),
        null,
        2,
      ),
      events: { click: 120, watch: 120 },
      first: { kind: "click", time: START, ...id },
    },
    {
      name: "typed headers of atomic files",
      text: table(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float",
        ({ i, user, item, time }) => `${user}\t${item}\t${(i % 5) + 1}\t${time / 1000}`,
      ),
      events: { rating: 120 },
      first: { kind: "rating", time: START, ...id, rating: 0 },
    },
    {
      name: "nanoseconds, and play times as clocks",
      text: table(
        "member,track_id,ts,play_duration",
        ({ i, user, item, time }) => `${user},${item},${time}000000,00:0${i % 9}:30`,
      ),
      events: { click: 120, watch: 120 },
      first: { kind: "click", time: START, ...id },
    },
    {
      name: "clicks alone, day before month decided by the order of rows",
      text: table(
        "visitor,article,date",
        ({ user, item, dated }) => `${user},${item},${day(dated, ([y, m, d, h, n]) => `${d}/${m}/${y} ${h}:${n}`)}`,
      ),
      events: { click: 120 },
      first: { kind: "click", time: one!.dated, ...id },
    },
  ];
}

/** Those of 120 random rows: numbers of events are theirs. */
export const EXPORTS = exportsOf(rows());
