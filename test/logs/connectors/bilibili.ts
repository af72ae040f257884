/** What Bilibili answers and sends, written by hand in the documented shapes; no such room or viewer exists. */

import { deflateSync } from "node:zlib";

/** Packets of the push channel, in one frame. */
export function frame(bodies: readonly Uint8Array[], version = 0, operation = 5): Uint8Array {
  const packets = bodies.map((body) => {
    const bytes = new Uint8Array(16 + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length);
    view.setUint16(4, 16);
    view.setUint16(6, version);
    view.setUint32(8, operation);
    view.setUint32(12, 1);
    bytes.set(body, 16);
    return bytes;
  });
  return Uint8Array.from(packets.flatMap((packet) => [...packet]));
}

/** The same, packed in a packet of zlib. */
export function packed(bodies: readonly Uint8Array[]): Uint8Array {
  return frame([deflateSync(frame(bodies))], 2);
}

export interface ListedRoom {
  roomid: number;
  title?: string;
  online?: number;
  area?: string;
  parent?: string;
  live_time?: number;
}

/** A page of `getRoomList`. */
export function page(rooms: readonly ListedRoom[], has_more = 0): object {
  const list = rooms.map(({ roomid, title = "夜聊", online = 10, area = "聊天", parent = "娱乐", live_time }) => ({
    roomid,
    uid: 9_000_000 + roomid,
    title,
    uname: `anchor ${roomid}`,
    online,
    user_cover: "",
    area_v2_id: 5,
    area_v2_name: area,
    area_v2_parent_id: 1,
    area_v2_parent_name: parent,
    ...(live_time === undefined ? {} : { live_time }),
  }));
  return { code: 0, message: "success", ttl: 1, data: { count: rooms.length, has_more, list } };
}

/** An answer of `getRoomBaseInfo`. */
export const STATUS = {
  code: 0,
  message: "0",
  data: {
    by_uids: {},
    by_room_ids: {
      "501": {
        room_id: 501,
        uid: 9_000_501,
        area_id: 236,
        area_name: "单机·恐怖",
        parent_area_id: 6,
        parent_area_name: "单机游戏",
        live_status: 1,
        live_time: "2026-06-30 20:00:00",
        title: "试炼",
        tags: "恐怖,解谜",
        online: 4321,
        uname: "anchor 501",
      },
      "502": {
        room_id: 502,
        uid: 9_000_502,
        area_name: "",
        live_status: 0,
        live_time: "0000-00-00 00:00:00",
        title: "",
        tags: "",
      },
    },
  },
};

const VIEWER = {
  uid: 0,
  open_id: "a81c5023-0001",
  uname: "viewer",
  uface: "https://example.org/face.jpg",
  fans_medal_level: 3,
  fans_medal_name: "medal",
  fans_medal_wearing_status: true,
};

const said = (msg_id: string, timestamp: number) => ({ room_id: 501, msg_id, timestamp });

/** Messages of room 501, sent at these Unix seconds. */
export const MESSAGES = {
  comment: (id: string, seconds: number) => ({
    cmd: "LIVE_OPEN_PLATFORM_DM",
    data: { ...VIEWER, ...said(id, seconds), msg: "hello", dm_type: 0, emoji_img_url: "", guard_level: 0, is_admin: 0 },
  }),
  gift: (id: string, seconds: number, gift = {}) => ({
    cmd: "LIVE_OPEN_PLATFORM_SEND_GIFT",
    data: {
      ...VIEWER,
      ...said(id, seconds),
      gift_id: 31036,
      gift_name: "flower",
      gift_num: 3,
      price: 100,
      r_price: 100,
      paid: true,
      guard_level: 0,
      anchor_info: { uid: 0, open_id: "anchor", uname: "anchor 501", uface: "" },
      combo_gift: false,
      ...gift,
    },
  }),
  superChat: (id: string, seconds: number, rmb: number) => ({
    cmd: "LIVE_OPEN_PLATFORM_SUPER_CHAT",
    data: {
      ...VIEWER,
      ...said(id, seconds),
      message_id: 77,
      message: "look",
      rmb,
      start_time: seconds,
      end_time: seconds + 60,
    },
  }),
  guard: (id: string, seconds: number) => ({
    cmd: "LIVE_OPEN_PLATFORM_GUARD",
    data: { ...said(id, seconds), user_info: VIEWER, guard_level: 3, guard_num: 1, guard_unit: "月", price: 198_000 },
  }),
  like: (id: string, seconds: number) => ({
    cmd: "LIVE_OPEN_PLATFORM_LIKE",
    data: { ...VIEWER, ...said(id, seconds), like_text: "liked", like_count: "4" },
  }),
  enter: (id: string, seconds: number) => ({
    cmd: "LIVE_OPEN_PLATFORM_LIVE_ROOM_ENTER",
    data: { ...VIEWER, ...said(id, seconds) },
  }),
  start: (seconds: number) => ({
    cmd: "LIVE_OPEN_PLATFORM_LIVE_START",
    data: { room_id: 501, open_id: "anchor", timestamp: seconds, area_name: "单机·恐怖", title: "试炼" },
  }),
  end: (seconds: number) => ({
    cmd: "LIVE_OPEN_PLATFORM_LIVE_END",
    data: { room_id: 501, open_id: "anchor", timestamp: seconds, area_name: "单机·恐怖", title: "试炼" },
  }),
};
