import { Random } from "../../../src/numeric/random.js";
import { MINUTE } from "../../../src/protocol/index.js";
import { chatTimes, type Look, ratingsOf, type Shown, type Visit, walkLive, walkShop, walkShown } from "./worlds.js";

/** Files in the layout of a public data set, by name. */
export type Files = Readonly<Record<string, string>>;

/** A public layout, and a generated log in it that is large enough to learn from. */
export interface LookAlikeLog {
  /** The name for `--format`. */
  format: string;
  /** What it is, in words. */
  title: string;
  make(seed: number): Files;
  /** Whether nothing goes off air, as `--catalogue` says. */
  isCatalogue?: true;
  /** Whether it holds ratings, on which rankers are judged by each user's last one. */
  isRated?: true;
}

/** The first day of generated logs. */
const START = Date.UTC(2026, 1, 2);
const LIVE = { users: 120, items: 80, groups: 5, days: 12 };
/** So many that far more than ten are on air at a time. */
const LARGE = { ...LIVE, items: 240 };
const SHOP = { users: 150, items: 80, groups: 5, days: 21 };
const RATED = { users: 600, items: 240, groups: 6, days: 200 };
const SHOWN = { users: 150, items: 80, groups: 5, days: 12 };
/** LiveRec's step. */
const STEP = 10 * MINUTE;

const iso = (time: number) => new Date(START + time).toISOString();
const seconds = (time: number) => Math.floor((START + time) / 1000);
const lines = (header: string, rows: readonly string[]) => `${header === "" ? "" : `${header}\n`}${rows.join("\n")}\n`;

/** Rows in order of time. */
function ordered<T extends { time: number }>(rows: T[]): T[] {
  return rows.sort((a, b) => a.time - b.time);
}

function visits(seed: number, size = LIVE): Visit[] {
  const all: Visit[] = [];
  walkLive({ ...size, seed }, (visit) => all.push(visit));
  return ordered(all);
}

function looks(seed: number): Look[] {
  const all: Look[] = [];
  walkShop({ ...SHOP, seed }, (look) => all.push(look));
  return ordered(all);
}

function shown(seed: number, length: number): Shown[] {
  const all: Shown[] = [];
  walkShown({ ...SHOWN, seed }, length, (one) => all.push(one));
  return ordered(all);
}

/** Ratings without times come in any order. */
function shuffledRatings(seed: number) {
  return Random.named(seed, "ratings-order").shuffle(ratingsOf({ ...RATED, seed }));
}

function movieLens1M(seed: number): Files {
  const rows = ratingsOf({ ...RATED, seed });
  const genres = ["Action", "Comedy", "Drama", "Film-Noir", "Sci-Fi", "Western"];
  const films = Array.from(
    { length: RATED.items },
    (_, i) => `${i + 1}::Film ${i} (${1950 + (i % 50)})::${genres[i % 6]}`,
  );
  return {
    "ratings.dat": lines(
      "",
      rows.map((row) => `${row.user + 1}::${row.item + 1}::${row.rating}::${seconds(row.time)}`),
    ),
    "movies.dat": lines("", films),
  };
}

function netflix(seed: number): Files {
  const rows = ratingsOf({ ...RATED, seed });
  const blocks = Array.from({ length: RATED.items }, (_, item) => {
    const own = rows.filter((row) => row.item === item);
    return [`${item + 1}:`, ...own.map((row) => `${row.user + 6},${row.rating},${iso(row.time).slice(0, 10)}`)].join(
      "\n",
    );
  });
  return { "combined_data_1.txt": lines("", blocks) };
}

function coat(seed: number): Files {
  const cells = Array.from({ length: RATED.users }, () => new Array<number>(RATED.items).fill(0));
  for (const { user, item, rating } of ratingsOf({ ...RATED, seed })) cells[user]![item] = rating;
  return {
    "train.ascii": lines(
      "",
      cells.map((row) => row.join(" ")),
    ),
  };
}

function kuaiRand(seed: number): Files {
  const columns = ["user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate"];
  columns.push("long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab");
  const rows = shown(seed, 6).flatMap(({ user, time, items }) => {
    let at = START + time;
    return items.map(({ item, isChosen, playMs }) => {
      const row = `${user},${item},20260202,830,${at},${isChosen ? 1 : 0},${playMs > 60_000 ? 1 : 0},0,0,0,0,0,${playMs},90000,0,0,0,1,1`;
      at += 2000;
      return { time: at, row };
    });
  });
  return {
    "log_standard_4_08_to_4_21_pure.csv": lines(
      columns.join(","),
      ordered(rows).map(({ row }) => row),
    ),
  };
}

function mind(seed: number): Files {
  const american = (time: number) => {
    const [, y, m, d, h, rest] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+:\d+)/.exec(iso(time))!;
    const hour = Number(h);
    return `${Number(m)}/${Number(d)}/${y} ${hour % 12 || 12}:${rest} ${hour < 12 ? "AM" : "PM"}`;
  };
  const rows = shown(seed, 8).map(({ user, time, items }, i) => {
    const list = items.map(({ item, isChosen }) => `N${item}-${isChosen ? 1 : 0}`).join(" ");
    return `${i + 1}\tU${user}\t${american(time)}\tN1 N2\t${list}`;
  });
  return { "behaviors.tsv": lines("", rows) };
}

/** Rows of a shop, one for each act. */
function acts(seed: number) {
  return ordered(
    looks(seed).flatMap((look) => [
      { ...look, act: "view" },
      ...(look.isInCart ? [{ ...look, time: look.time + 2000, act: "cart" }] : []),
      ...(look.isBought ? [{ ...look, time: look.time + 4000, act: "purchase" }] : []),
    ]),
  );
}

function retailrocket(seed: number): Files {
  const names: Record<string, string> = { view: "view", cart: "addtocart", purchase: "transaction" };
  const rows = acts(seed).map(({ time, user, act, product }, i) => {
    return `${START + time},${user},${names[act]},${product},${act === "purchase" ? i : ""}`;
  });
  return { "events.csv": lines("timestamp,visitorid,event,itemid,transactionid", rows) };
}

function rees46(seed: number): Files {
  const rows = acts(seed).map(({ time, user, act, product, price }) => {
    const at = `${iso(time).slice(0, 19).replace("T", " ")} UTC`;
    return `${at},${act},${product},2053,electronics.phone,,${price}.25,${user},s-${user}`;
  });
  const header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session";
  return { "2026-Feb.csv": lines(header, rows) };
}

function lastfm(seed: number): Files {
  const rows = looks(seed).map(({ time, user, product }) => {
    return `user_00${user}\t${iso(time).slice(0, 19)}Z\ta-${product % 20}\tArtist ${product % 20}\ttrack-${product}\tSong ${product}`;
  });
  // The data set has each user's tracks from the latest on.
  return { "userid-timestamp-artid-artname-traid-traname.tsv": lines("", rows.reverse()) };
}

function steam(seed: number): Files {
  const rows = ratingsOf({ ...RATED, users: 150, items: 100, seed }).map(({ user, item, rating, time }) =>
    JSON.stringify({
      username: `p${user}`,
      hours: rating * rating * 1.5,
      product_id: `${item}`,
      date: iso(time).slice(0, 10),
    }),
  );
  return { "steam_reviews.jsonl": lines("", rows) };
}

function twitch100K(seed: number): Files {
  const rows = visits(seed, LARGE).map(({ user, streamer, broadcast, time, watchMs, end }) => {
    const from = Math.floor(time / STEP);
    const to = Math.max(from + 1, Math.ceil(Math.min(time + watchMs, end) / STEP));
    return { user, row: `${user},${34_000_000 + streamer * 100 + broadcast + 1},streamer${streamer},${from},${to}` };
  });
  return {
    "100k_a.csv": lines(
      "",
      rows.sort((a, b) => a.user - b.user).map(({ row }) => row),
    ),
  };
}

function kuaiLive(seed: number): Files {
  const all = visits(seed, LARGE);
  const live = ({ streamer, broadcast }: Pick<Visit, "streamer" | "broadcast">) => streamer * 100 + broadcast + 1;
  const rooms = new Map(all.map((visit) => [live(visit), visit]));
  const random = Random.named(seed, "kuailive-negatives");
  const negatives: string[] = [];
  const clicks = all.map((visit) => {
    const { user, streamer, time, watchMs, on, end } = visit;
    const others = random.shuffle(on.filter((one) => one !== streamer)).slice(0, 5);
    for (const other of others) {
      const room = [...rooms.values()].find((one) => one.streamer === other && one.begin <= time && time < one.end);
      if (room !== undefined) negatives.push(`${user},${live(room)},${other},${START + time}`);
    }
    return `${user},${live(visit)},${streamer},${START + time},${Math.max(1, Math.min(watchMs, end - time))}`;
  });
  const opened = [...rooms].sort(([, a], [, b]) => a.begin - b.begin);
  const columns = "user_id,live_id,streamer_id,timestamp";
  return {
    "room.csv": lines(
      "p_date,live_id,streamer_id,live_type,start_timestamp,end_timestamp,live_content_category,live_name_id",
      opened.map(
        ([id, { streamer, begin, end }]) => `20260202,${id},${streamer},1,${START + begin},${START + end},game,0`,
      ),
    ),
    "click.csv": lines(`${columns},watch_live_time`, clicks),
    "negative.csv": lines(columns, negatives),
  };
}

function chatLines(seed: number) {
  const all: { time: number; user: number; streamer: number }[] = [];
  walkLive({ ...LIVE, seed }, ({ user, streamer, time, watchMs }, random) => {
    for (const at of chatTimes(time, watchMs, random)) all.push({ time: at, user, streamer });
  });
  return ordered(all);
}

/** Every public layout that can be ranked, but those whose data are at hand. */
export const LOOK_ALIKES: readonly LookAlikeLog[] = [
  { format: "movielens-1m", title: "MovieLens-1M", make: movieLens1M, isRated: true },
  {
    format: "movielens-latest",
    title: "MovieLens latest, 20M, 25M and 32M",
    isRated: true,
    make: (seed) => ({
      "ratings.csv": lines(
        "userId,movieId,rating,timestamp",
        ratingsOf({ ...RATED, seed }).map((row) => `${row.user},${row.item},${row.rating - 0.5},${seconds(row.time)}`),
      ),
    }),
  },
  { format: "netflix", title: "the Netflix prize", make: netflix, isRated: true },
  {
    format: "recbole",
    title: "atomic files of RecBole",
    isRated: true,
    make: (seed) => ({
      "films.inter": lines(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float",
        ratingsOf({ ...RATED, seed }).map((row) => `${row.user}\t${row.item}\t${row.rating}\t${seconds(row.time)}`),
      ),
    }),
  },
  {
    format: "yahoo-r3",
    title: "Yahoo! R3, without times",
    isRated: true,
    make: (seed) => ({
      "ydata-ymusic-rating-study-v1_0-train.txt": lines(
        "",
        shuffledRatings(seed).map((row) => `${row.user + 1}\t${row.item + 1}\t${row.rating}`),
      ),
    }),
  },
  { format: "coat", title: "Coat, a matrix without times", make: coat, isRated: true },
  { format: "kuairand", title: "KuaiRand", make: kuaiRand },
  { format: "mind", title: "MIND", make: mind },
  { format: "retailrocket", title: "Retailrocket", make: retailrocket },
  { format: "rees46", title: "REES46", make: rees46 },
  { format: "lastfm-1k", title: "Last.fm 1K", make: lastfm, isCatalogue: true },
  { format: "steam", title: "Steam", make: steam, isCatalogue: true },
  { format: "twitch-100k", title: "Twitch-100K", make: twitch100K },
  { format: "kuailive", title: "KuaiLive", make: kuaiLive },
  {
    format: "twitch-chat",
    title: "a chat's log, columns",
    make: (seed) => ({
      "chat.csv": lines(
        "channel,created_at,username,message",
        chatLines(seed).map(({ time, user, streamer }) => `c${streamer},${iso(time)},viewer${user},"hello, ""you"""`),
      ),
    }),
  },
  {
    format: "twitch-chat-jsonl",
    title: "a chat's log, JSON lines",
    make: (seed) => ({
      "chat.jsonl": lines(
        "",
        chatLines(seed).map(({ time, user, streamer }) =>
          JSON.stringify({ timestamp: START + time, channel: `c${streamer}`, user: `viewer${user}`, text: "hi" }),
        ),
      ),
    }),
  },
];

/** Broadcasts, without anybody who watches. */
export function broadcastsOf(seed: number, isJson: boolean): Files {
  const seen = new Map(visits(seed).map((visit) => [`${visit.streamer}-${visit.broadcast}`, visit]));
  const rows = [...seen].map(([id, { streamer, begin, end }]) => ({ id, streamer, begin, end, time: begin }));
  if (isJson) {
    const made = ordered(rows).map(({ id, streamer, begin, end }) =>
      JSON.stringify({ id, user_login: `c${streamer}`, started_at: iso(begin), ended_at: iso(end), game_name: "Go" }),
    );
    return { "streams.jsonl": lines("", made) };
  }
  const made = ordered(rows).map(({ id, streamer, begin, end }) => {
    return `${id},c${streamer},${iso(begin)},${iso(end)},Chess,Part ${id},en`;
  });
  return { "streams.csv": lines("stream_id,channel,started_at,ended_at,game,title,language", made) };
}

/** Rows by which exports of other platforms are made: the visits of a live platform, or the looks of a shop. */
export function exportRows(seed: number, from: "live" | "shop") {
  const acts =
    from === "live"
      ? visits(seed).map(({ user, streamer, time }) => ({ user, item: streamer, time }))
      : looks(seed).map(({ user, product, time }) => ({ user, item: product, time }));
  const random = Random.named(seed, "exports");
  return acts.map(({ user, item, time }, i) => {
    // Whole minutes: some dialects have no seconds.
    const at = START + Math.floor(time / MINUTE) * MINUTE;
    const other = 5000 + random.below(LIVE.items);
    return { i, user: 100 + user, item: 5000 + item, other, time: at, dated: at, x: random.uniform() };
  });
}
