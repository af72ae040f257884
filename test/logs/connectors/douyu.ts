/** What Douyu answers and sends, written by hand in the documented shapes; no such room or viewer exists. */
import { utf8 } from "../../support/pieces.js";

/** A page of `thirdPart/live`. */
export function page(rooms: readonly number[]): object {
  const data = rooms.map((rid) => ({
    rid,
    room_src: "https://example.org/room.jpg",
    room_name: `room ${rid}`,
    hn: 1000 + rid,
    nickname: `anchor ${rid}`,
    avatar: "",
    cid1: 1,
    cname1: "网游竞技",
    cid2: 1,
    cname2: "英雄联盟",
    cid3: 2,
    cname3: "高手对局",
  }));
  return { code: 0, msg: "success", data };
}

/** An answer of `thirdPart/batchGetRoomInfo`: one live, one not. */
export const STATUS = {
  code: 0,
  msg: "success",
  data: [
    { rid: 71, room_name: "a", hn: 5, nickname: "x", cname1: "娱乐", cname2: "音乐", cname3: "", show_status: 1 },
    { rid: 72, room_name: "b", hn: 0, nickname: "y", cname1: "娱乐", cname2: "音乐", cname3: "", show_status: 2 },
  ],
};

/** A page of the older `RoomApi/live`, whose numbers are text. */
export const OLD_PAGE = {
  error: 0,
  data: [
    {
      room_id: "71",
      room_name: "old",
      owner_uid: "9001",
      nickname: "x",
      online: 1200,
      show_status: "1",
      show_time: "1782820800",
      game_name: "英雄联盟",
    },
  ],
};

/** An answer of `RoomApi/room`. */
export const DETAIL = {
  error: 0,
  data: {
    room_id: "71",
    cate_name: "英雄联盟",
    room_name: "old",
    room_status: "1",
    start_time: "2026-06-30 20:00",
    gift: [
      { id: "196", name: "rocket", type: "2", pc: 500, gx: 5000 },
      { id: "192", name: "praise", type: "2", pc: 0.1, gx: 1 },
      { id: "191", name: "fish balls", type: "1", pc: 100, gx: 1 },
    ],
  },
};

export const MESSAGES = {
  comment:
    "type@=chatmsg/rid@=71/ct@=8/hashid@=9LA18/nn@=a@Sb@Ac/txt@=6@AS6/cid@=c1/level@=1/el@=eid@AA=1@ASetp@AA=1@AS@S/",
  gift: "type@=dgb/gfid@=196/gs@=5/gfcnt@=2/hashid@=9LA18/rid@=71/nn@=a/level@=1/dw@=1/",
  enter: "type@=uenter/rid@=71/uid@=4/nn@=a/str@=1/level@=30/el@=/",
  on: "type@=rss/rid@=71/ss@=1/code@=0/rt@=0/notify@=1/endtime@=0/",
  off: "type@=rss/rid@=71/ss@=0/code@=0/rt@=0/notify@=1/endtime@=1782824400/",
  login: "type@=loginresp/msg@=ok/rid@=71/",
};

/** A packet of the push channel. */
export function packet(text: string, type = 690): Uint8Array {
  const body = utf8(`${text}\0`);
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - 4, true);
  view.setUint32(4, bytes.length - 4, true);
  view.setUint16(8, type, true);
  bytes.set(body, 12);
  return bytes;
}
