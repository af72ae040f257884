import { checked, integer, nonNegative, nonNegativeInteger, type Rules } from "../../check/index.js";
import type { Id } from "../../protocol/index.js";
import type { PlatformAdapter, PlatformMessage } from "./connector.js";
import { PlatformFields } from "./fields.js";
import type { PlatformRoom } from "./rooms.js";
import { parseDouyuMessage } from "./stt.js";

const API = "https://openapi.douyu.com/api/thirdPart";
/** The type of gifts paid for in fish fins, each worth 1 yuan; others cost fish balls, which are free. */
const PAID = 2;
/** The status of a live room; 2 is off air. */
const LIVE = 1;

/** Which rooms of Douyu to list, and the prices of gifts. */
export interface DouyuOptions {
  /** Prices in yuan by gift id, as messages hold no prices; gifts without a price here are dropped. Default none. */
  gifts?: ReadonlyMap<Id, number>;
  /** The category whose rooms to list, `cid`, and its level, `cid_type`, 1 to 3. Default all. */
  category?: { level: 1 | 2 | 3; id: number };
  /** Rooms on a page of the list. Default 100, set by hand. */
  pageSize?: number;
}

function isPrices(value: unknown): boolean {
  return value instanceof Map && [...value.values()].every(nonNegative[0]);
}

function isCategory(value: unknown): boolean {
  if (value === undefined) return true;
  const { level, id } = (value ?? {}) as { level?: unknown; id?: unknown };
  return [1, 2, 3].includes(level as number) && nonNegativeInteger[0](id);
}

const TABLE: Rules<DouyuOptions> = {
  gifts: [isPrices, "a Map of finite numbers >= 0"],
  category: [isCategory, "{ level: 1 to 3, id }"],
  pageSize: integer(1, 5000),
};
const DEFAULTS: DouyuOptions = { gifts: new Map(), pageSize: 100 };
type Resolved = DouyuOptions & Required<Omit<DouyuOptions, "category">>;

/**
 * The prices of a room's gifts, in yuan by id, from an answer of `RoomApi/room`; free gifts have price 0.
 *
 * @throws EventError that names the path of an invalid field.
 */
export function douyuGiftPrices(answer: unknown): Map<Id, number> {
  const gifts = new PlatformFields(answer).object("data").elements("gift");
  return new Map(
    gifts.map(([path, value]) => {
      const gift = new PlatformFields(value, path);
      return [gift.id("id"), gift.count("type") === PAID ? (gift.amount("pc") ?? 0) : 0];
    }),
  );
}

/** Prefers `hashid`; `uid` is another numbering of users. */
function userOf(fields: PlatformFields): Id {
  return fields.id(fields.has("hashid") ? "hashid" : "uid");
}

function readMessage(gifts: ReadonlyMap<Id, number>, message: unknown): PlatformMessage | string {
  const fields = new PlatformFields(parseDouyuMessage(message));
  const type = fields.id("type");
  const isKnown = ["chatmsg", "dgb", "uenter", "rss"].includes(type);
  if (!isKnown) return "unknown message";
  const room = fields.id("rid");
  if (type === "rss") return { room: { room, isLive: fields.count("ss") === LIVE } };
  const user = userOf(fields);
  if (type === "chatmsg") return { id: fields.name("cid"), actions: [{ kind: "comment", user, room }] };
  if (type === "uenter") return { actions: [{ kind: "click", user, room }] };
  const price = gifts.get(fields.id("gfid"));
  if (price === undefined) return "gift of unknown price";
  const amount = price * (fields.count("gfcnt") ?? 1);
  return amount > 0 ? { actions: [{ kind: "gift", user, room, amount }] } : "free gift";
}

/** Answers of the open platform have `code`, answers of `RoomApi` have `error`. */
function readRooms(
  answer: PlatformFields,
  pageSize: number,
): { rooms: [path: string, room: unknown][]; more: boolean } {
  answer.requireZero(answer.has("code") ? "code" : "error");
  const rooms = answer.elements("data");
  return { rooms, more: rooms.length >= pageSize };
}

function readRoom(room: PlatformFields): PlatformRoom {
  const [first, second, third] = ["cname1", "cname2", "cname3"].map((name) => room.name(name));
  const category = second ?? room.name("game_name") ?? room.name("cate_name");
  const status = room.count("show_status") ?? room.count("room_status") ?? LIVE;
  return {
    room: room.id(room.has("rid") ? "rid" : "room_id"),
    isLive: status === LIVE,
    title: room.text("room_name"),
    category,
    tags: [first, third].filter((tag) => tag !== undefined && tag !== category) as string[],
    viewers: room.count("hn") ?? room.count("online"),
    start: room.moment(room.has("start_time") ? "start_time" : "show_time"),
  };
}

/**
 * Douyu's open platform (https://open.douyu.com/source/api): its lists of live rooms, and its push channel.
 *
 * Messages are the texts of https://open.douyu.com/source/api/63, `type@=chatmsg/...`, as `DouyuPackets` returns them.
 * chatmsg becomes a comment, dgb a gift, uenter a click (sent only for viewers of some rank), rss on and off air; others
 * are dropped and counted. Messages have no time, so the time of the call counts. Users are `hashid`, or `uid` without it.
 * There is no message for a like or a follow. Lists come from `thirdPart/live`, single rooms from
 * `thirdPart/batchGetRoomInfo`; a fetch may answer with the older `RoomApi/live`, which needs no key. The category is the
 * second level, the tags are the first and the third, and viewers is `hn`, the platform's measure of popularity. The
 * fetch must sign requests by MD5, which Web Crypto lacks.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function douyuAdapter(options: DouyuOptions = {}): PlatformAdapter {
  const { gifts, category, pageSize } = checked<DouyuOptions>(options, TABLE, DEFAULTS) as Resolved;
  const of = category === undefined ? {} : { cid_type: category.level, cid: category.id };
  return {
    platform: "douyu",
    list: (page) => ({
      method: "POST",
      url: `${API}/live`,
      body: { ...of, offset: page * pageSize, limit: pageSize },
    }),
    status: (rooms) => ({ method: "POST", url: `${API}/batchGetRoomInfo`, body: { rids: rooms.map(Number) } }),
    rooms: (answer) => readRooms(answer, pageSize),
    room: readRoom,
    message: (message) => readMessage(gifts, message),
  };
}
