import { checked, integer, nonNegativeInteger, type Rules } from "../../check/index.js";
import { EventError, type Id } from "../../protocol/index.js";
import type { PlatformAdapter, PlatformMessage, PlatformRequest, ViewerAction } from "./connector.js";
import { PlatformFields } from "./fields.js";
import type { PlatformRoom } from "./rooms.js";

const API = "https://api.live.bilibili.com";
/** Prices are in thousandths of a yuan: 1000 are 1 yuan or 10 batteries. */
const YUAN = 1000;

/** Which rooms of Bilibili to list. */
export interface BilibiliOptions {
  /** The area whose rooms to list; 0 for all. Default 0. */
  area?: number;
  /** The parent of that area; 0 for all. Default 0. */
  parentArea?: number;
  /** Rooms on a page of the list. Default 99, set by hand. */
  pageSize?: number;
}

const TABLE: Rules<BilibiliOptions> = {
  area: nonNegativeInteger,
  parentArea: nonNegativeInteger,
  pageSize: integer(1, 5000),
};
const DEFAULTS: BilibiliOptions = { area: 0, parentArea: 0, pageSize: 99 };

/** Reads a viewer's actions in a room, or the reason to drop the message. */
type ReadCommand = (data: PlatformFields, room: Id) => { actions: ViewerAction[] } | string;

function plain(kind: "click" | "like" | "comment"): ReadCommand {
  return (data, room) => ({ actions: [{ kind, user: data.id("open_id"), room }] });
}

/** Free gifts are dropped: a gift event needs an amount > 0. */
function gift(user: Id, room: Id, yuan: number): { actions: ViewerAction[] } | string {
  return yuan > 0 ? { actions: [{ kind: "gift", user, room, amount: yuan }] } : "free gift";
}

const COMMANDS: Readonly<Record<string, ReadCommand>> = {
  LIVE_OPEN_PLATFORM_DM: plain("comment"),
  LIVE_OPEN_PLATFORM_LIKE: plain("like"),
  LIVE_OPEN_PLATFORM_LIVE_ROOM_ENTER: plain("click"),
  LIVE_OPEN_PLATFORM_SEND_GIFT: (data, room) => {
    // For a discounted gift `price` is the full price, and `r_price` the price paid.
    const price = data.amount("r_price") || data.amount("price") || 0;
    const paid = data.flag("paid") ? ((data.count("gift_num") ?? 1) * price) / YUAN : 0;
    return gift(data.id("open_id"), room, paid);
  },
  LIVE_OPEN_PLATFORM_GUARD: (data, room) => {
    return gift(data.object("user_info").id("open_id"), room, (data.amount("price") ?? 0) / YUAN);
  },
  LIVE_OPEN_PLATFORM_SUPER_CHAT: (data, room) => {
    const user = data.id("open_id");
    const paid = gift(user, room, data.amount("rmb") ?? 0);
    const comment: ViewerAction = { kind: "comment", user, room };
    return { actions: typeof paid === "string" ? [comment] : [comment, ...paid.actions] };
  },
};

/** Messages that a room goes on (true) or off air (false). */
const LIVE_CHANGES: Readonly<Record<string, boolean>> = {
  LIVE_OPEN_PLATFORM_LIVE_START: true,
  LIVE_OPEN_PLATFORM_LIVE_END: false,
};

function readMessage(message: unknown): PlatformMessage | string {
  const whole = new PlatformFields(message);
  const command = whole.id("cmd");
  const readCommand = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (readCommand === undefined && !Object.hasOwn(LIVE_CHANGES, command)) return "unknown message";
  const data = whole.object("data");
  const base = { id: data.name("msg_id"), time: data.moment("timestamp") };
  const room = data.id("room_id");
  if (readCommand === undefined) {
    const about = { title: data.text("title"), category: data.name("area_name") };
    return { ...base, room: { room, isLive: LIVE_CHANGES[command]!, ...about } };
  }
  const read = readCommand(data, room);
  return typeof read === "string" ? read : { ...base, ...read };
}

/** A page of the list, or rooms by their ids; a page without rooms has no list. */
function readRooms(answer: PlatformFields): { rooms: [path: string, room: unknown][]; more: boolean } {
  answer.requireZero("code");
  const data = answer.object("data");
  if (data.has("by_room_ids")) return { rooms: data.elements("by_room_ids"), more: false };
  if (!data.has("list") && data.count("count") === 0) return { rooms: [], more: false };
  const rooms = data.elements("list");
  return { rooms, more: rooms.length > 0 && data.count("has_more") !== 0 };
}

function readRoom(room: PlatformFields): PlatformRoom {
  const parent = room.name("area_v2_parent_name") ?? room.name("parent_area_name");
  const tags = new Set([...(parent === undefined ? [] : [parent]), ...room.names("tags")]);
  return {
    room: room.id(room.has("room_id") ? "room_id" : "roomid"),
    // Lists hold only live rooms and lack this field; 2 is a replay.
    isLive: (room.count("live_status") ?? 1) === 1,
    title: room.text("title"),
    category: room.name("area_v2_name") ?? room.name("area_name"),
    tags: [...tags],
    viewers: room.count("online"),
    start: room.moment("live_time"),
  };
}

/**
 * Bilibili: the push channel of its live open platform, and the room lists of its web API.
 *
 * Messages are the parsed JSON of https://open-live.bilibili.com/document/f9ce25be-312e-1f4a-85fd-fef21f1637f8. DM and
 * SUPER_CHAT become comments; SEND_GIFT, GUARD and SUPER_CHAT gifts; LIKE one like, whatever its `like_count`;
 * LIVE_ROOM_ENTER a click; LIVE_START and LIVE_END on and off air; others are dropped and counted. Users are `open_id`.
 * There is no message for a follow. Lists come from `getRoomList`, single rooms from `getRoomBaseInfo`, as in
 * https://github.com/SocialSisterYi/bilibili-API-collect: the category is the area, the tags are its parent and the room's
 * own, and viewers is `online`, the platform's measure of popularity.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function bilibiliAdapter(options: BilibiliOptions = {}): PlatformAdapter {
  const { area, parentArea, pageSize } = checked<BilibiliOptions>(options, TABLE, DEFAULTS);
  const get = (path: string, query: string): PlatformRequest => ({ method: "GET", url: `${API}${path}?${query}` });
  return {
    platform: "bilibili",
    list(page) {
      const of = `parent_area_id=${parentArea}&area_id=${area}&sort_type=online`;
      return get("/room/v3/area/getRoomList", `${of}&page=${page + 1}&page_size=${pageSize}`);
    },
    status(rooms) {
      const ids = rooms.map((room) => `&room_ids=${encodeURIComponent(room)}`).join("");
      return get("/xlive/web-room/v1/index/getRoomBaseInfo", `req_biz=web_room_componet${ids}`);
    },
    rooms: readRooms,
    room: readRoom,
    message: readMessage,
  };
}

/** The input of a signature for Bilibili's live open platform. */
export interface BilibiliSigning {
  accessKeyId: string;
  accessKeySecret: string;
  /** MD5 of the body, in lower-case hex, which Web Crypto lacks: `createHash("md5")` in Node. */
  contentMd5: string;
  /** A text never used before. */
  nonce: string;
  /** Milliseconds. */
  now: number;
}

/**
 * The headers that sign a request to Bilibili's live open platform, as in
 * https://open-live.bilibili.com/document/74eec767-e594-7ddd-6aba-257e8317c05d: HMAC-SHA256 of the other headers in order.
 *
 * @throws EventError for a `contentMd5` that is not 32 digits of lower-case hex.
 */
export async function signBilibiliRequest(signing: BilibiliSigning): Promise<Record<string, string>> {
  if (!/^[0-9a-f]{32}$/.test(signing.contentMd5)) {
    throw new EventError("contentMd5", '"contentMd5" must be 32 digits of lower-case hex');
  }
  const headers = {
    "x-bili-accesskeyid": signing.accessKeyId,
    "x-bili-content-md5": signing.contentMd5,
    "x-bili-signature-method": "HMAC-SHA256",
    "x-bili-signature-nonce": signing.nonce,
    "x-bili-signature-version": "1.0",
    "x-bili-timestamp": String(Math.floor(signing.now / 1000)),
  };
  const text = Object.entries(headers).map(([name, value]) => `${name}:${value}`);
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", encoder.encode(signing.accessKeySecret), algorithm, false, [
    "sign",
  ]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", secret, encoder.encode(text.join("\n"))));
  return { ...headers, Authorization: [...signature].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
}
