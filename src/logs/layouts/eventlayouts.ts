import type { EventMapping } from "../mapping/mapping.js";

/** A layout of public data: its files, and how their rows become events. */
export interface EventLayout {
  /** The name for `--format`. */
  name: string;
  /** One line. */
  description: string;
  /** Matches the names of its files, without their folder. */
  pattern: RegExp;
  /** The content of the files, in a few words. */
  about: string;
  /** Matches the first line of each. */
  first: RegExp;
  mapping: EventMapping;
}

const AT = { user: "user_id", stream: "video_id" };
const CART = { kind: "signal", fields: { name: { value: "cart" }, value: { value: 1 } } } as const;
const UNCART = { kind: "signal", fields: { name: { value: "remove_from_cart" }, value: { value: 1 } } } as const;

const CHAT: EventMapping = {
  kind: "comment",
  fields: {
    time: "time|timestamp|created_at|sent_at|date",
    user: "user|username|user_name|author|chatter|commenter|display_name|nick",
    stream: "channel|channel_name|broadcaster|streamer",
  },
};

const BROADCAST: EventMapping = {
  fields: { stream: "stream_id|broadcast_id|id", time: "started_at|start_time|start" },
  events: [
    {
      kind: "on_air",
      fields: {
        streamer: "channel|channel_name|user_login|user_name|streamer",
        category: { column: "?game_name|game|category", default: "live" },
        title: "?title",
        language: "?language",
      },
    },
    {
      kind: "off_air",
      when: { "?ended_at|end_time|end|stopped_at": { exists: true } },
      fields: { time: "?ended_at|end_time|end|stopped_at" },
    },
  ],
};
/** Matches a line with one of the names of each field, as a column or as a key of JSON. */
function naming(fields: EventMapping["fields"], more: string, start: string): RegExp {
  const lists = [...Object.values(fields!).filter((names) => typeof names === "string"), more];
  return new RegExp(`^${start}${lists.map((names) => `(?=(?:.*[,"{])?(?:${names})(?:[,"]|$))`).join("")}`);
}

const MESSAGE = "message|text|body|msg|content";
const SHOWN = "game_name|game|category|title";
/** Rows with a kind are LiveQ's own. */
const COLUMNS = "(?!\\{)(?!(?:.*,)?kind(?:,|$))";
const OBJECT = '(?=\\{)(?!.*"kind":)';

/** Public logs of events, and exports of live platforms: the most specific first. */
export const EVENT_LAYOUTS: readonly EventLayout[] = [
  {
    name: "kuairand",
    description: "KuaiRand: videos shown, with clicks, play times, likes, follows, comments, shares and dislikes",
    pattern: /^log_standard_\w+\.csv$/,
    about: "videos shown, and what users did",
    first: /^user_id,video_id,date,hourmin,time_ms,is_click,/,
    mapping: {
      fields: { ...AT, time: "time_ms" },
      events: [
        { kind: "impression" },
        { kind: "click", when: { is_click: 1 } },
        {
          kind: "watch",
          when: { play_time_ms: { ">": 0 } },
          fields: { watchMs: "play_time_ms", time: { column: "time_ms", add: { column: "play_time_ms" } } },
        },
        { kind: "like", when: { is_like: 1 } },
        { kind: "follow", when: { is_follow: 1 } },
        { kind: "comment", when: { is_comment: 1 } },
        { kind: "share", when: { is_forward: 1 } },
        { kind: "dislike", when: { is_hate: 1 } },
      ],
    },
  },
  {
    name: "mind",
    description: "MIND: news shown in lists, with a mark for those clicked",
    pattern: /^behaviors\.tsv$/,
    about: "impression, user, time, history, news shown",
    first: /^\d+\tU?\d+\t\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d\d:\d\d [AP]M\t/,
    mapping: {
      source: { format: "tsv", quote: "none", columns: ["impression", "user", "time", "history", "news"] },
      fields: { time: { column: "time", format: "M/D/YYYY h:mm:ss A" }, user: "user", stream: "$.0" },
      events: [
        { kind: "impression", each: { column: "news", separator: " ", parts: "-" }, fields: { position: "$index" } },
        { kind: "click", each: { column: "news", separator: " ", parts: "-" }, when: { "$.1": 1 } },
      ],
    },
  },
  {
    name: "retailrocket",
    description: "Retailrocket: views, carts and purchases of a shop; a purchase counts as an amount of 1",
    pattern: /\.csv$/i,
    about: "views, carts and purchases",
    first: /^timestamp,visitorid,event,itemid,transactionid$/,
    mapping: {
      fields: { time: "timestamp", user: "visitorid", stream: "itemid" },
      events: [
        { kind: "click", when: { event: "view" } },
        { ...CART, when: { event: "addtocart" } },
        { kind: "purchase", when: { event: "transaction" }, fields: { amount: { value: 1 } } },
      ],
    },
  },
  {
    name: "rees46",
    description: "REES46: views, carts and purchases of shops, with prices",
    pattern: /\.csv$/i,
    about: "views, carts and purchases",
    first: /^event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session$/,
    mapping: {
      fields: { time: "event_time", user: "user_id", stream: "product_id" },
      events: [
        { kind: "click", when: { event_type: "view" } },
        { ...CART, when: { event_type: "cart" } },
        { ...UNCART, when: { event_type: "remove_from_cart" } },
        { kind: "purchase", when: { event_type: "purchase" }, fields: { amount: "price" } },
      ],
    },
  },
  {
    name: "lastfm-1k",
    description: "Last.fm 1K: tracks heard; a track without an id goes by the names of artist and track",
    pattern: /^userid-timestamp-artid-artname-traid-traname\.tsv$/,
    about: "tracks heard",
    first: /^user_\d+\t\d{4}-\d\d-\d\dT[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*$/,
    mapping: {
      source: {
        format: "tsv",
        quote: "none",
        nulls: [""],
        columns: ["user", "time", "artist_id", "artist", "track_id", "track"],
      },
      fields: { time: "time", user: "user" },
      events: [
        { kind: "click", when: { track_id: { exists: true } }, fields: { stream: "track_id" } },
        {
          kind: "click",
          when: { track_id: { exists: false } },
          fields: { stream: { join: ["artist", "track"], separator: ": " } },
        },
      ],
    },
  },
  {
    name: "steam",
    description: "Steam: games played, JSON lines with username, product_id, hours and date",
    pattern: /\.(?:jsonl|ndjson|json)$/i,
    about: "games played",
    first: /^\{(?=.*"username")(?=.*"product_id")(?=.*"hours")(?=.*"date")/,
    mapping: {
      source: { format: "jsonl" },
      fields: { time: "date", user: "username", stream: "product_id" },
      events: [
        { kind: "click" },
        { kind: "watch", when: { hours: { ">": 0 } }, fields: { watchMs: { column: "hours", unit: "h" } } },
      ],
    },
  },
  {
    name: "twitch-chat",
    description: "Chat of channels: messages with user, channel, time and text, columns with a header",
    pattern: /\.csv$/i,
    about: "chat messages",
    first: naming(CHAT.fields, MESSAGE, COLUMNS),
    mapping: CHAT,
  },
  {
    name: "twitch-chat-jsonl",
    description: "Chat of channels: messages with user, channel, time and text, JSON lines",
    pattern: /\.(?:jsonl|ndjson|json)$/i,
    about: "chat messages",
    first: naming(CHAT.fields, MESSAGE, OBJECT),
    mapping: { ...CHAT, source: { format: "jsonl" } },
  },
  {
    name: "twitch-streams",
    description: "Broadcasts: stream, channel, start, end, game, title, columns with a header",
    pattern: /\.csv$/i,
    about: "broadcasts",
    first: naming(BROADCAST.fields, SHOWN, COLUMNS),
    mapping: BROADCAST,
  },
  {
    name: "twitch-streams-jsonl",
    description: "Broadcasts: stream, channel, start, end, game, title, JSON lines",
    pattern: /\.(?:jsonl|ndjson|json)$/i,
    about: "broadcasts",
    first: naming(BROADCAST.fields, SHOWN, OBJECT),
    mapping: { ...BROADCAST, source: { format: "jsonl" } },
  },
];
