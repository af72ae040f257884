import { boolean, checked, integer, type Rules } from "../../check/index.js";
import { EventError } from "../../protocol/index.js";
import { addressOf, isAddress, roomOfAddress } from "./address.js";
import type { PlatformAdapter, PlatformPage } from "./connector.js";
import type { PlatformFields } from "./fields.js";
import type { PlatformRoom } from "./rooms.js";

/** Which PeerTube instance to follow. */
export interface PeertubeOptions {
  /** The address of the instance, such as `https://video.example.org`. */
  url: string;
  /** Only the instance's own streams; false: also those of instances that it follows. Default true. */
  isLocal?: boolean;
  /** Streams on a page of the list. Default 100, the most that an instance gives. */
  pageSize?: number;
}

const TABLE: Rules<PeertubeOptions> = { url: isAddress, isLocal: boolean, pageSize: integer(1, 100) };
const DEFAULTS: Partial<PeertubeOptions> = { isLocal: true, pageSize: 100 };

/** The state of a video that can be watched; a live that waits is 4, one that ended 5. */
const PUBLISHED = 1;

/** A list, or a single video. */
function readRooms(answer: PlatformFields, pageSize: number): PlatformPage {
  if (!answer.has("data") && answer.has("uuid")) return { rooms: [answer.whole()], more: false };
  const rooms = answer.elements("data");
  return { rooms, more: rooms.length >= pageSize };
}

/** The `id` or `label` of a constant such as a category; those without an id are placeholders. */
function constant(video: PlatformFields, name: string, field: "id" | "label"): string | undefined {
  if (!video.has(name)) return undefined;
  const value = video.object(name);
  return value.has("id") ? value.name(field) : undefined;
}

function readRoom(video: PlatformFields, host: string): PlatformRoom {
  const state = video.has("state") ? video.object("state").count("id") : PUBLISHED;
  const channel = video.object("channel");
  return {
    room: `${host}/${video.id("uuid")}`,
    // The recording of a live that ended is a video.
    isLive: video.truth("isLive") !== false && state === PUBLISHED,
    streamer: `${host}/${channel.id("name")}@${channel.name("host") ?? host}`,
    title: video.text("name"),
    category: constant(video, "category", "label"),
    language: constant(video, "language", "id"),
    mature: video.truth("nsfw"),
    description: video.description("truncatedDescription"),
    viewers: video.count("viewers"),
    likes: video.count("likes"),
    start: video.time("publishedAt"),
  };
}

/**
 * The live streams of a PeerTube instance, `peertube:HOST/UUID`, by channels, `peertube:HOST/NAME@HOST`.
 *
 * Lists are `/api/v1/videos?isLive=true`, single streams `/api/v1/videos/UUID`, one a request, as in
 * https://docs.joinpeertube.org/api-rest-reference.html: streams that wait or ended are off air. Lists hold no tags; a
 * category or language without an id is missing. PeerTube has no push channel.
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function peertubeAdapter(options: PeertubeOptions): PlatformAdapter {
  const { url, isLocal, pageSize } = checked<PeertubeOptions>(options, TABLE, DEFAULTS) as Required<PeertubeOptions>;
  const [base, host] = [`${addressOf(url)}/api/v1/videos`, roomOfAddress(url)];
  const query = `isLive=true&nsfw=both&sort=-publishedAt${isLocal ? "&isLocal=true" : ""}&count=${pageSize}`;
  return {
    platform: "peertube",
    list: (page) => ({ method: "GET", url: `${base}?${query}&start=${page * pageSize}` }),
    status(rooms) {
      const uuid = rooms[0]?.slice(host.length + 1);
      if (rooms.length !== 1 || uuid === undefined)
        throw new EventError("rooms", '"rooms" must be one stream a request');
      return { method: "GET", url: `${base}/${encodeURIComponent(uuid)}` };
    },
    rooms: (answer) => readRooms(answer, pageSize),
    room: (fields) => readRoom(fields, host),
    message: (): string => "unknown message",
  };
}
