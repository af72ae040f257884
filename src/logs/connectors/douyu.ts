import { checked, integer, type Rules, rules } from "../../check/index.js";
import type { Id } from "../../protocol/index.js";
import type { Adapter, Message } from "./connector.js";
import { Fields } from "./fields.js";
import type { Room } from "./rooms.js";
import { parseStt } from "./stt.js";

const API = "https://openapi.douyu.com/api/thirdPart";
/** A gift of this type is paid for in fish fins, each of 1 yuan; the others in fish balls, which are free. */
const PAID = 2;
/** A room that is live; 2 is one that is not. */
const LIVE = 1;

export interface DouyuOptions {
  /** Yuan by the id of a gift: messages name gifts without a price. Those not here are counted. Default none. */
  gifts?: ReadonlyMap<Id, number>;
  /** The category whose list is read, `cid`, and its level, `cid_type`, 1 to 3. Default all. */
  category?: { level: 1 | 2 | 3; id: number };
  /** Rooms on a page of the list. Default 100, set by hand. */
  pageSize?: number;
}

function isPrices(value: unknown): boolean {
  return value instanceof Map && [...value.values()].every(rules.nonNegative[0]);
}

function isCategory(value: unknown): boolean {
  if (value === undefined) return true;
  const { level, id } = (value ?? {}) as { level?: unknown; id?: unknown };
  return [1, 2, 3].includes(level as number) && rules.count[0](id);
}

const TABLE: Rules<DouyuOptions> = {
  gifts: [isPrices, "a Map of finite numbers >= 0"],
  category: [isCategory, "{ level: 1 to 3, id }"],
  pageSize: integer(1, 5000),
};
const DEFAULTS: DouyuOptions = { gifts: new Map(), pageSize: 100 };
type Resolved = DouyuOptions & Required<Omit<DouyuOptions, "category">>;

/**
 * The prices of a room's gifts, in yuan by id, of an answer of `RoomApi/room`: fish fins, each 1 yuan; gifts of fish balls
 * are 0, as they are free.
 *
 * @throws EventError that names the path of what is not of this shape.
 */
export function douyuGifts(answer: unknown): Map<Id, number> {
  const gifts = new Fields(answer).object("data").elements("gift");
  return new Map(
    gifts.map(([path, value]) => {
      const gift = new Fields(value, path);
      return [gift.id("id"), gift.count("type") === PAID ? (gift.amount("pc") ?? 0) : 0];
    }),
  );
}

/** Their own ids where they are told; `uid` is another numbering. */
function userOf(said: Fields): Id {
  return said.id(said.has("hashid") ? "hashid" : "uid");
}

function readMessage(gifts: ReadonlyMap<Id, number>, message: unknown): Message | string {
  const said = new Fields(parseStt(message));
  const type = said.id("type");
  const isKnown = ["chatmsg", "dgb", "uenter", "rss"].includes(type);
  if (!isKnown) return "unknown message";
  const room = said.id("rid");
  if (type === "rss") return { room: { room, isLive: said.count("ss") === LIVE } };
  const user = userOf(said);
  if (type === "chatmsg") return { id: said.name("cid"), acts: [{ kind: "comment", user, room }] };
  if (type === "uenter") return { acts: [{ kind: "click", user, room }] };
  const price = gifts.get(said.id("gfid"));
  if (price === undefined) return "gift of unknown price";
  const amount = price * (said.count("gfcnt") ?? 1);
  return amount > 0 ? { acts: [{ kind: "gift", user, room, amount }] } : "free gift";
}

/** Answers of the open platform have `code`, those of `RoomApi` have `error`; one room, or many. */
function readRooms(answer: Fields, pageSize: number): { rooms: [path: string, room: unknown][]; more: boolean } {
  answer.requireZero(answer.has("code") ? "code" : "error");
  const rooms = answer.elements("data");
  return { rooms, more: rooms.length >= pageSize };
}

function readRoom(room: Fields): Room {
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
 * Messages are the texts of https://open.douyu.com/source/api/63, `type@=chatmsg/...`, as `SttPackets` cuts them: chatmsg
 * is a comment, dgb a gift, uenter a click (only viewers of some rank are told of), rss on and off air; others are
 * counted. They have no time, so theirs is that of the call. Users are `hashid`, or `uid` where only that is told. No
 * message tells a like or a follow. Lists are `thirdPart/live`, single rooms `thirdPart/batchGetRoomInfo`; a fetch may
 * answer with the older `RoomApi/live`, which needs no key. The category is the second level, the tags are the first and
 * the third, and viewers is `hn`, which is the platform's measure of popularity. Requests are signed by MD5, which Web
 * Crypto has not: that is the fetch's matter.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function douyu(options: DouyuOptions = {}): Adapter {
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
