import { checked, integer, optional, type Rule, type Rules } from "../../../check/index.js";
import type { Id } from "../../../protocol/index.js";
import { addressOf, isAddress } from "../address.js";
import type { PlatformAdapter, PlatformMessage, PlatformPage, ViewerAction } from "../connector.js";
import { PlatformFields } from "../fields.js";
import type { PlatformRoom } from "../rooms.js";

/** Which streams of Twitch to list; each kind of filter narrows the list. */
export interface TwitchOptions {
  /** Broadcasters, at most 100 ids. Default all. */
  users?: readonly Id[];
  /** Categories, at most 100 ids. Default all. */
  games?: readonly Id[];
  /** Languages such as `en`, at most 100. Default all. */
  languages?: readonly string[];
  /** Streams on a page of the list. Default 100, the most that Twitch gives. */
  pageSize?: number;
  /** The address of the API. Default `https://api.twitch.tv/helix`. */
  url?: string;
}

const ids: Rule = [
  (value) => Array.isArray(value) && value.length <= 100 && value.every((id) => /^[\w-]{1,64}$/.test(String(id))),
  "an array of at most 100 ids of letters, digits, - and _",
];
const TABLE: Rules<TwitchOptions> = {
  users: ids,
  games: ids,
  languages: ids,
  pageSize: integer(1, 100),
  url: optional(isAddress),
};
const DEFAULTS: TwitchOptions = {
  users: [],
  games: [],
  languages: [],
  pageSize: 100,
  url: "https://api.twitch.tv/helix",
};

/** A bit is worth a cent of a dollar to who streams. */
const BITS = 100;
/** Tiers of subscriptions are 1000, 2000 and 3000. */
const TIER = 1000;

/** What a notification of a type tells, or the reason to drop it. */
type ReadNotification = (event: PlatformFields, room: Id) => Pick<PlatformMessage, "room" | "actions"> | string;

function action(kind: ViewerAction["kind"], user: string): ReadNotification {
  return (event, room) => ({ actions: [{ kind, user: event.id(user), room }] });
}

const subscribed: ReadNotification = (event, room) => {
  const value = (event.count("tier") ?? TIER) / TIER;
  return { actions: [{ kind: "signal", user: event.id("user_id"), room, name: "subscription", value }] };
};

const NOTIFICATIONS: Readonly<Record<string, ReadNotification>> = {
  "stream.online": (event, room) => {
    // Others are reruns, premieres and parties.
    if (event.id("type") !== "live") return "not live";
    return { room: { room, isLive: true, start: event.time("started_at") } };
  },
  "stream.offline": (_, room) => ({ room: { room, isLive: false } }),
  "channel.update": (event, room) => ({
    room: { room, title: event.text("title"), category: event.name("category_name") },
  }),
  "channel.follow": action("follow", "user_id"),
  "channel.chat.message": action("comment", "chatter_user_id"),
  "channel.cheer": (event, room) => {
    if (event.flag("is_anonymous")) return "nobody's gift";
    const amount = (event.count("bits") ?? 0) / BITS;
    return amount > 0 ? { actions: [{ kind: "gift", user: event.id("user_id"), room, amount }] } : "free gift";
  },
  "channel.subscribe": subscribed,
  "channel.subscription.message": subscribed,
};

/** A message of EventSub as a WebSocket carries it: `{ metadata, payload: { subscription, event } }`. */
function readMessage(message: unknown): PlatformMessage | string {
  const whole = new PlatformFields(message);
  const metadata = whole.object("metadata");
  if (metadata.id("message_type") !== "notification") return "unknown message";
  const payload = whole.object("payload");
  const type = payload.object("subscription").id("type");
  const read = Object.hasOwn(NOTIFICATIONS, type) ? NOTIFICATIONS[type] : undefined;
  if (read === undefined) return "unknown message";
  const event = payload.object("event");
  const told = read(event, event.id("broadcaster_user_id"));
  if (typeof told === "string") return told;
  return { id: metadata.id("message_id"), time: metadata.time("message_timestamp"), ...told };
}

/** A page without a cursor is the last one. */
function readRooms(answer: PlatformFields): PlatformPage {
  const rooms = answer.elements("data");
  const cursor = answer.has("pagination") ? answer.object("pagination").text("cursor") : undefined;
  return { rooms, more: cursor !== undefined && rooms.length > 0, cursor };
}

function readRoom(stream: PlatformFields): PlatformRoom {
  // Twitch leaves the type empty if it does not know it.
  const type = stream.name("type");
  return {
    room: stream.id("user_id"),
    isLive: type === undefined ? undefined : type === "live",
    title: stream.text("title"),
    category: stream.name("game_name"),
    tags: stream.tags("tags"),
    language: stream.name("language"),
    mature: stream.truth("is_mature"),
    viewers: stream.count("viewer_count"),
    start: stream.time("started_at"),
  };
}

/**
 * Twitch: Get Streams of Helix, with pages by cursor, and notifications of EventSub. Streams are `twitch:USER_ID`: a
 * broadcaster has one at a time.
 *
 * Lists are https://dev.twitch.tv/docs/api/reference/#get-streams; the fetch adds `Client-Id` and the token. Messages are
 * those of https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/ as a WebSocket carries them, and as
 * `readTwitchWebhook` makes them from a webhook: stream.online and stream.offline are on and off air, channel.update an
 * update, channel.chat.message a comment, channel.follow a follow, channel.cheer a gift in US dollars, channel.subscribe
 * and channel.subscription.message a signal `subscription` of 1 to 3; others and anonymous cheers are dropped and counted.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function twitchAdapter(options: TwitchOptions = {}): PlatformAdapter {
  const given = checked<TwitchOptions>(options, TABLE, DEFAULTS) as Required<TwitchOptions>;
  const base = `${addressOf(given.url)}/streams`;
  const many = (name: string, values: readonly string[]) => values.map((value) => [name, value]);
  const of = [...many("game_id", given.games), ...many("language", given.languages)];
  const get = (...query: string[][]) => ({ method: "GET" as const, url: `${base}?${new URLSearchParams(query)}` });
  return {
    platform: "twitch",
    list(_, cursor) {
      const after = cursor === undefined ? [] : [["after", cursor]];
      return get(["first", String(given.pageSize)], ...many("user_id", given.users), ...of, ...after);
    },
    status: (rooms) => get(["first", "100"], ...many("user_id", rooms)),
    rooms: readRooms,
    room: readRoom,
    message: readMessage,
  };
}
