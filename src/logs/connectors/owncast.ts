import { checked, type Rules } from "../../check/index.js";
import { EventError, type Id } from "../../protocol/index.js";
import { addressOf, isAddress, roomOfAddress } from "./address.js";
import type { PlatformAdapter, PlatformMessage } from "./connector.js";
import { PlatformFields } from "./fields.js";
import type { PlatformRoom } from "./rooms.js";

/** Which Owncast server to follow. */
export interface OwncastOptions {
  /** The address of the server, such as `https://live.example.org`. */
  url: string;
}

const TABLE: Rules<OwncastOptions> = { url: isAddress };

/** The page of `/api/status`; the one after it is `/api/config`. */
const STATUS = 0;

function readRoom(fields: PlatformFields, room: Id, page: number): PlatformRoom {
  if (page !== STATUS) {
    const tags = fields.tags("tags");
    return { room, description: fields.description("summary"), tags, mature: fields.truth("nsfw") };
  }
  const isLive = fields.truth("online");
  if (isLive === undefined) throw fields.refuse("online", "true or false");
  // The number is left out where the server hides it.
  const viewers = fields.count("viewerCount");
  return { room, isLive, title: fields.text("streamTitle"), viewers, start: fields.time("lastConnectTime") };
}

function readMessage(message: unknown, room: Id): PlatformMessage | string {
  const whole = new PlatformFields(message);
  const type = whole.id("type");
  const isKnown = ["CHAT", "USER_JOINED", "STREAM_STARTED", "STREAM_STOPPED", "STREAM_TITLE_UPDATED"].includes(type);
  if (!isKnown) return "unknown message";
  const data = whole.object("eventData");
  const base = { id: data.name("id"), time: data.time("timestamp") };
  if (type.startsWith("STREAM_")) {
    const isLive = type === "STREAM_TITLE_UPDATED" ? undefined : type === "STREAM_STARTED";
    // Otherwise the title of the next broadcast would come after the end of this one.
    return { ...base, room: { room, isLive, ...(isLive !== false && { title: data.text("streamTitle") }) } };
  }
  const user = data.object("user");
  if (user.flag("isBot")) return "message of a bot";
  if (type === "CHAT" && data.truth("visible") === false) return "hidden message";
  const kind = type === "CHAT" ? "comment" : "click";
  return { ...base, actions: [{ kind, user: `${room}/${user.id("id")}`, room }] };
}

/**
 * An Owncast server: one stream, `owncast:HOST`.
 *
 * A list is `/api/status`, and while the server is on air `/api/config`, as in https://owncast.online/api: tags, summary and
 * `nsfw` are the server's own. It has no categories. Messages are the JSON of its webhooks
 * (https://owncast.online/thirdparty/webhooks): CHAT is a comment, USER_JOINED, of the chat, a click, STREAM_STARTED and
 * STREAM_STOPPED on and off air, STREAM_TITLE_UPDATED an update; others, bots and hidden messages are dropped and counted.
 * Users are `owncast:HOST/USER`.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function owncastAdapter(options: OwncastOptions): PlatformAdapter {
  const { url } = checked<OwncastOptions>(options, TABLE, {});
  const [base, room] = [addressOf(url), roomOfAddress(url)];
  const get = (path: string) => ({ method: "GET" as const, url: `${base}${path}` });
  return {
    platform: "owncast",
    list: (page) => get(page === STATUS ? "/api/status" : "/api/config"),
    status: (rooms) => {
      if (rooms.some((each) => each !== room)) throw new EventError("rooms", `"rooms" must be ${room} alone`);
      return get("/api/status");
    },
    // What it says of itself is of use while it is on air.
    rooms: (answer, page) => ({ rooms: [answer.whole()], more: page === STATUS && answer.flag("online") }),
    room: (fields, page) => readRoom(fields, room, page),
    message: (message) => readMessage(message, room),
  };
}
