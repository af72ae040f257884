import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyQualityReport } from "../../../src/logs/basics/report.js";
import { EventCleaner } from "../../../src/logs/cleaning/cleaner.js";
import { parseDouyuMessage } from "../../../src/logs/connectors/stt.js";
import {
  bilibiliAdapter,
  type ConnectorOptions,
  DouyuPackets,
  douyuAdapter,
  douyuGiftPrices,
  type PlatformAdapter,
  PlatformConnector,
  type PlatformFetch,
  parseBilibiliFrame,
  signBilibiliRequest,
} from "../../../src/logs/index.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { isEvent } from "../../../src/protocol/schema.js";
import { cut, utf8 } from "../../support/pieces.js";
import { frame, type ListedRoom, packed, page, MESSAGES as SAID, STATUS } from "./bilibili.js";
import * as fish from "./douyu.js";

const NOW = 1_782_820_800_000;
const SECONDS = NOW / 1000;

const nobody: PlatformFetch = () => Promise.reject(new Error("nothing is to be fetched"));

/** A connector that is answered with these, one after the other. */
function answered(
  answers: readonly unknown[],
  options: ConnectorOptions = {},
  adapter: PlatformAdapter = bilibiliAdapter(),
) {
  const waiting = [...answers];
  const asked: string[] = [];
  const fetch: PlatformFetch = async ({ method, url, body }) => {
    asked.push(`${method} ${url}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`);
    const next = waiting.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  return { connector: new PlatformConnector(adapter, fetch, options), asked };
}

const room = (roomid: number, more: Partial<ListedRoom> = {}): ListedRoom => ({ roomid, ...more });
const short = (events: LiveEvent[]) => events.map((event) => `${event.kind} ${"stream" in event ? event.stream : ""}`);

describe("polls", () => {
  test("give the differences: on air, updates, and after the grace off air", async () => {
    const polls = [
      page([room(1), room(2, { online: 5 })]),
      page([room(1, { title: "棋", online: 11 }), room(3)]),
      page([room(1, { title: "棋", online: 11 }), room(3)]),
    ];
    const { connector } = answered(polls, { graceMs: 60_000 });
    const onAir = { kind: "on_air", time: NOW, category: "聊天", tags: ["娱乐"], title: "夜聊" };
    expect(await connector.refresh(NOW)).toEqual([
      { ...onAir, stream: "bilibili:1", streamer: "bilibili:1" },
      { kind: "update", time: NOW, stream: "bilibili:1", viewers: 10 },
      { ...onAir, stream: "bilibili:2", streamer: "bilibili:2" },
      { kind: "update", time: NOW, stream: "bilibili:2", viewers: 5 },
    ]);
    expect(await connector.refresh(NOW + 60_000)).toEqual([
      { ...onAir, time: NOW + 60_000, stream: "bilibili:3", streamer: "bilibili:3" },
      { kind: "update", time: NOW + 60_000, stream: "bilibili:3", viewers: 10 },
      { kind: "update", time: NOW + 60_000, stream: "bilibili:1", title: "棋", viewers: 11 },
    ]);
    expect(await connector.refresh(NOW + 60_001)).toEqual([
      { kind: "off_air", time: NOW + 60_001, stream: "bilibili:2" },
    ]);
    expect(connector.report).toMatchObject({ read: 6, kept: 6, dropped: 0 });
  });

  test("read page after page until the last one, at most `pages`", async () => {
    const pages = [page([room(1), room(2)], 1), page([room(2), room(3)], 1), page([room(4)])];
    const { connector, asked } = answered(pages, {}, bilibiliAdapter({ area: 86, parentArea: 2, pageSize: 2 }));
    expect(short(await connector.refresh(NOW)).filter((one) => one.startsWith("on_air"))).toEqual(
      [1, 2, 3, 4].map((id) => `on_air bilibili:${id}`),
    );
    const url = "https://api.live.bilibili.com/room/v3/area/getRoomList";
    const of = "parent_area_id=2&area_id=86&sort_type=online";
    expect(asked).toEqual([1, 2, 3].map((number) => `GET ${url}?${of}&page=${number}&page_size=2`));
    const bounded = answered([...pages, ...pages], { pages: 2, graceMs: 0 });
    await bounded.connector.refresh(NOW);
    expect(bounded.asked.length).toBe(2);
    const none = answered([page([room(1)]), { code: 0, data: { count: 0, list: null } }], { graceMs: 0 });
    await none.connector.refresh(NOW);
    expect(short(await none.connector.refresh(NOW + 1))).toEqual(["off_air bilibili:1"]);
    // What was on the pages that were not read may still be there.
    const rest = answered([page([room(1)]), page([room(2)], 1)], { pages: 1, graceMs: 0 });
    await rest.connector.refresh(NOW);
    expect(short(await rest.connector.refresh(NOW + 1))).toEqual(["on_air bilibili:2", "update bilibili:2"]);
  });

  test("that are lost in part or whole take nothing off air", async () => {
    const options: ConnectorOptions = { graceMs: 0, onError: "skip" };
    const polls = [page([room(1), room(2)]), page([room(3)], 1), new Error("no line"), { code: -412 }, page([room(3)])];
    const { connector } = answered(polls, options);
    await connector.refresh(NOW);
    expect(short(await connector.refresh(NOW + 1000))).toEqual(["on_air bilibili:3", "update bilibili:3"]);
    expect(await connector.refresh(NOW + 2000)).toEqual([]);
    expect(short(await connector.refresh(NOW + 3000))).toEqual(["off_air bilibili:1", "off_air bilibili:2"]);
    expect(connector.report.examples).toEqual(["no line", '"code" must be 0, got -412']);
  });

  test("drop an invalid room, or end with an error that names it and change nothing", async () => {
    const broken = page([room(1), room(2, { title: 5 as unknown as string }), room(3)]);
    const strict = answered([broken, page([room(1)])]);
    const message = '"data.list.1.title" must be text of at most 1024 characters, got 5';
    await expect(strict.connector.refresh(NOW)).rejects.toThrow(message);
    expect(strict.connector.report.read).toBe(0);
    expect(short(await strict.connector.refresh(NOW))).toEqual(["on_air bilibili:1", "update bilibili:1"]);
    const lax = answered([page([room(2)]), broken], { onError: "skip", graceMs: 0 });
    await lax.connector.refresh(NOW);
    // PlatformRoom 2 is in the answer, if unreadable: it is not off air.
    expect(short(await lax.connector.refresh(NOW + 1))).not.toContain("off_air bilibili:2");
    const paged = answered([broken, page([room(4)])], { onError: "skip" }, bilibiliAdapter({ pageSize: 3 }));
    (broken as { data: { has_more: number } }).data.has_more = 1;
    expect(short(await paged.connector.refresh(NOW))).toContain("on_air bilibili:4");
    expect(lax.connector.report).toMatchObject({ read: 4, kept: 3, dropped: 1, examples: [message] });
  });

  test("refuse invalid answers", async () => {
    for (const [answer, message] of [
      ["<html>", 'an answer must be an object, got "<html>"'],
      [{ code: 0 }, '"data" must be an object, got undefined'],
      [{ code: 0, data: { list: 3 } }, '"data.list" must be a list of at most 5000, got 3'],
      [{ code: 0, data: {} }, '"data.list" must be a list of at most 5000, got undefined'],
      [{ code: 0, data: { list: [null] } }, '"data.list.0" must be an object, got null'],
      [{ code: 0, data: { list: [{ roomid: -1 }] } }, '"data.list.0.roomid" must be an integer >= 0 or text'],
      [{ code: 0, data: { list: Array(5001).fill({}) } }, '"data.list" must be a list of at most 5000, got an array'],
    ] as const) {
      await expect(answered([answer]).connector.refresh(NOW), message).rejects.toThrow(message);
    }
  });

  test("start streams already on air at the platform's time, in order, but not before `since`", async () => {
    const rooms = [room(1, { live_time: SECONDS - 60 }), room(2, { live_time: SECONDS - 7200 }), room(3)];
    const since = NOW - 3_600_000;
    const { connector } = answered([page(rooms), page([...rooms, room(4, { live_time: SECONDS - 60 })])], { since });
    const first = (await connector.refresh(NOW)).filter(({ kind }) => kind === "on_air");
    expect(first.map(({ time }) => time - NOW)).toEqual([-3_600_000, -60_000, 0]);
    expect(short(first)).toEqual([2, 1, 3].map((id) => `on_air bilibili:${id}`));
    // Nothing is told for a time before what was told already.
    expect((await connector.refresh(NOW + 1000))[0]!.time).toBe(NOW);
  });

  test("watch no more rooms than they may", async () => {
    const { connector } = answered([page([room(1), room(2), room(3)])], { rooms: 2 });
    expect((await connector.refresh(NOW)).filter(({ kind }) => kind === "on_air").length).toBe(2);
    expect(connector.report).toMatchObject({ read: 3, kept: 2, droppedBy: { "too many rooms": 1 } });
  });

  test("of single rooms find who is live, and leave other rooms alone", async () => {
    const off = { code: 0, data: { by_room_ids: { 501: { ...STATUS.data.by_room_ids[501], live_status: 2 } } } };
    const { connector, asked } = answered([page([room(7)]), STATUS, off], { graceMs: 0, since: 0 });
    await connector.refresh(NOW);
    const told = await connector.check(["501", "502"], NOW + 1000);
    // 20:00 in China is noon, before what was told last.
    expect(told).toEqual([
      {
        kind: "on_air",
        time: NOW,
        stream: "bilibili:501",
        streamer: "bilibili:501",
        category: "单机·恐怖",
        tags: ["单机游戏", "恐怖", "解谜"],
        title: "试炼",
      },
      { kind: "update", time: NOW + 1000, stream: "bilibili:501", viewers: 4321 },
    ]);
    expect(asked[1]).toMatch(/getRoomBaseInfo\?req_biz=\w+&room_ids=501&room_ids=502$/);
    expect(short(await connector.check(["501"], NOW + 2000))).toEqual(["off_air bilibili:501"]);
  });

  test("without a loss give exactly the differences of the sets", async () => {
    const polls = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 12 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(polls, async (lists) => {
        const { connector } = answered(
          lists.map((ids) => page(ids.map((id) => room(id)))),
          { graceMs: 0 },
        );
        let before = new Set<number>();
        for (const [i, ids] of lists.entries()) {
          const told = await connector.refresh(NOW + i);
          const came = ids.filter((id) => !before.has(id));
          const went = [...before].filter((id) => !ids.includes(id));
          expect(told.flatMap((event) => (event.kind === "on_air" ? event.stream : []))).toEqual(
            came.map((id) => `bilibili:${id}`),
          );
          expect(new Set(told.flatMap((event) => (event.kind === "off_air" ? event.stream : [])))).toEqual(
            new Set(went.map((id) => `bilibili:${id}`)),
          );
          before = new Set(ids);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("with losses, pages that shift and messages among them give valid events in order, on and off in turn", async () => {
    const step = fc.record({
      after: fc.integer({ min: 0, max: 90_000 }),
      ids: fc.array(fc.integer({ min: 500, max: 504 }), { maxLength: 6 }),
      lost: fc.boolean(),
      turn: fc.constantFrom(undefined, "start", "end", "comment"),
      late: fc.integer({ min: -400, max: 400 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const answers = steps.map(({ ids, lost }) => (lost ? new Error("lost") : page(ids.map((id) => room(id)))));
        const { connector } = answered(answers, { onError: "skip" });
        let now = NOW;
        const all: LiveEvent[] = [];
        for (const { after, turn, late } of steps) {
          now += after;
          const seconds = Math.floor(now / 1000) + late;
          if (turn === "comment") all.push(...connector.message(SAID.comment(`m${now}`, seconds), now));
          else if (turn !== undefined) all.push(...connector.message(SAID[turn](seconds), now));
          all.push(...(await connector.refresh(now)));
          for (const event of all) expect(event.time).toBeLessThanOrEqual(now);
        }
        expect(all.every(isEvent)).toBe(true);
        const onAir = new Set<string>();
        for (const [i, event] of all.entries()) {
          expect(event.time).toBeGreaterThanOrEqual(all[i - 1]?.time ?? 0);
          if (event.kind === "on_air") expect(onAir.size < onAir.add(event.stream).size).toBe(true);
          if (event.kind === "off_air") expect(onAir.delete(event.stream)).toBe(true);
          if (event.kind === "update") expect(onAir.has(event.stream)).toBe(true);
        }
        const { read, kept, dropped } = connector.report;
        expect(read).toBe(kept + dropped);
        // The cleaning finds nothing to say against them but what comments on rooms off air.
        const report = emptyQualityReport();
        const cleaner = new EventCleaner({ report, timeoutMs: 1e12, graceMs: 0 }, () => {});
        for (const event of all) cleaner.push(event);
        cleaner.end();
        const { "stream not on air": _, ...faults } = report.droppedBy;
        expect(Object.keys(faults).filter((fault) => fault !== "duplicate")).toEqual([]);
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  test("that are lost for less than the grace close no room, however many", async () => {
    const lists = fc.array(fc.boolean(), { minLength: 3, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(lists, async (drawn) => {
        // Seen at least every third minute.
        const seen = drawn.map((isSeen, i) => isSeen || i % 3 === 0);
        const answers = seen.map((isSeen) => page(isSeen ? [room(1)] : []));
        const { connector } = answered(answers, { graceMs: 3 * 60_000 });
        const all: LiveEvent[] = [];
        for (let i = 0; i < seen.length; i++) all.push(...(await connector.refresh(NOW + i * 60_000)));
        expect(short(all)).toEqual(["on_air bilibili:1", "update bilibili:1"]);
      }),
      { numRuns: 50, seed: 3 },
    );
  });
});

describe("messages of Bilibili", () => {
  const connected = (options: ConnectorOptions = {}) => new PlatformConnector(bilibiliAdapter(), nobody, options);
  const who = { time: NOW, user: "bilibili:a81c5023-0001", stream: "bilibili:501" };

  test("are comments, clicks, likes and gifts in yuan", () => {
    const connector = connected();
    const told = (message: object) => connector.message(message, NOW);
    expect(told(SAID.comment("m1", SECONDS))).toEqual([{ kind: "comment", ...who, id: "bilibili:m1" }]);
    expect(told(SAID.enter("m2", SECONDS))).toEqual([{ kind: "click", ...who, id: "bilibili:m2" }]);
    expect(told(SAID.like("m3", SECONDS))).toEqual([{ kind: "like", ...who, id: "bilibili:m3" }]);
    expect(told(SAID.gift("m4", SECONDS))).toEqual([{ kind: "gift", ...who, id: "bilibili:m4", amount: 0.3 }]);
    const cheap = SAID.gift("m5", SECONDS, { price: 1000, r_price: 500 });
    expect(told(cheap)).toEqual([{ kind: "gift", ...who, id: "bilibili:m5", amount: 1.5 }]);
    expect(told(SAID.guard("m6", SECONDS))).toEqual([{ kind: "gift", ...who, id: "bilibili:m6", amount: 198 }]);
    expect(told(SAID.superChat("m7", SECONDS, 30))).toEqual([
      { kind: "comment", ...who, id: "bilibili:m7" },
      { kind: "gift", ...who, id: "bilibili:m7/1", amount: 30 },
    ]);
    expect(connector.report).toMatchObject({ read: 7, kept: 7 });
  });

  test("that come again, cost nothing, are of no known kind or of another time are counted and dropped", () => {
    const connector = connected();
    const told = (message: object) => connector.message(message, NOW);
    expect(told(SAID.comment("m1", SECONDS)).length).toBe(1);
    expect(told(SAID.comment("m1", SECONDS))).toEqual([]);
    expect(told(SAID.gift("m2", SECONDS, { paid: false }))).toEqual([]);
    expect(told({ cmd: "LIVE_OPEN_PLATFORM_INTERACTION_END", data: { game_id: "g", timestamp: SECONDS } })).toEqual([]);
    expect(told({ cmd: "constructor" })).toEqual([]);
    expect(told(SAID.comment("m3", SECONDS + 301))).toEqual([]);
    expect(told(SAID.comment("m3", SECONDS - 301))).toEqual([]);
    expect(connector.report.droppedBy).toEqual({
      "id seen before": 1,
      "free gift": 1,
      "unknown message": 2,
      "time out of range": 2,
    });
    expect(connector.report).toMatchObject({ read: 7, kept: 1, dropped: 6 });
  });

  test("that are not of their shape are refused with the path", () => {
    const { data } = SAID.gift("m", SECONDS);
    const gift = (more: object) => ({ cmd: "LIVE_OPEN_PLATFORM_SEND_GIFT", data: { ...data, ...more } });
    for (const [message, text] of [
      ["hello", 'an answer must be an object, got "hello"'],
      [{ data: {} }, '"cmd" must be an integer >= 0 or text of 1 to 200 characters, got undefined'],
      [gift({ open_id: "" }), '"data.open_id" must be'],
      [gift({ open_id: "x".repeat(201) }), '"data.open_id" must be'],
      [gift({ gift_num: 1.5 }), '"data.gift_num" must be an integer >= 0, got 1.5'],
      [gift({ r_price: -1 }), '"data.r_price" must be a number in [0, 1e12], got -1'],
      [gift({ r_price: Number.NaN }), '"data.r_price" must be'],
      [gift({ timestamp: "soon" }), '"data.timestamp" must be seconds, or a time such as'],
      [gift({ paid: "yes" }), '"data.paid" must be true or false, got "yes"'],
      [{ cmd: "LIVE_OPEN_PLATFORM_GUARD", data: { ...data, user_info: [] } }, '"data.user_info" must be an object'],
    ] as const) {
      expect(() => connected().message(message, NOW), text).toThrow(text);
      const lax = connected({ onError: "skip" });
      expect(lax.message(message, NOW)).toEqual([]);
      expect(lax.report).toMatchObject({ read: 1, dropped: 1, droppedBy: { unreadable: 1 } });
    }
  });

  test("take rooms on and off air at once, and polls that lag change nothing of it", async () => {
    const lagging = page([room(501)]);
    const { connector } = answered([lagging, lagging, page([]), page([])], { graceMs: 60_000 });
    expect(short(await connector.refresh(NOW))).toEqual(["on_air bilibili:501", "update bilibili:501"]);
    expect(short(connector.message(SAID.end(SECONDS + 10), NOW + 10_500))).toEqual(["off_air bilibili:501"]);
    expect(connector.message(SAID.end(SECONDS + 10), NOW + 10_600)).toEqual([]);
    expect(await connector.refresh(NOW + 20_000)).toEqual([]);
    const again = connector.message(SAID.start(SECONDS + 30), NOW + 30_000);
    expect(again).toMatchObject([{ kind: "on_air", category: "单机·恐怖", title: "试炼", time: NOW + 30_000 }]);
    expect(connector.message(SAID.start(SECONDS + 30), NOW + 30_500)).toEqual([]);
    // The list has not had it since, so that its absence says nothing.
    expect(await connector.refresh(NOW + 40_000)).toEqual([]);
    expect(await connector.refresh(NOW + 400_000)).toEqual([]);
  });

  test("are cut out of frames, plain and packed; other bytes are refused", async () => {
    const said = [SAID.comment("m1", SECONDS), SAID.like("m2", SECONDS), SAID.end(SECONDS)];
    const bodies = said.map((message) => utf8(JSON.stringify(message)));
    expect(await parseBilibiliFrame(frame(bodies))).toEqual(said);
    expect(await parseBilibiliFrame(packed(bodies))).toEqual(said);
    const mixed = Uint8Array.from([...frame([Uint8Array.of(0, 0, 0, 9)], 1, 3), ...packed(bodies), ...frame(bodies)]);
    // Frames are views of larger buffers.
    expect(await parseBilibiliFrame(Uint8Array.from([9, ...mixed]).subarray(1))).toEqual([...said, ...said]);
    expect(await parseBilibiliFrame(new Uint8Array())).toEqual([]);
    const whole = frame(bodies);
    for (const [bytes, message] of [
      [whole.subarray(0, -1), "must have its length"],
      [whole.subarray(0, 10), "must have its length"],
      [frame([utf8("{")]), "must hold JSON in UTF-8"],
      [frame([utf8("no zlib")], 2), "must hold zlib data if it is marked so"],
      [frame([deflateSync(packed(bodies))], 2), "must be JSON, or packets in zlib"],
      [frame(bodies, 3), "must be JSON, or packets in zlib"],
      [frame([deflateSync(new Uint8Array(9_000_000))], 2), "must inflate to at most 8388608 bytes"],
    ] as const) {
      await expect(parseBilibiliFrame(bytes), message).rejects.toThrow(`a packet ${message}`);
    }
  });

  test("give events no later than now, and not before the last event", () => {
    const connector = connected({ since: 0 });
    const time = (seconds: number, now: number) =>
      connector.message(SAID.like(`${seconds}-${now}`, seconds), now)[0]!.time;
    expect(time(SECONDS - 5, NOW)).toBe(NOW - 5000);
    expect(time(SECONDS + 5, NOW)).toBe(NOW);
    expect(time(SECONDS - 3, NOW + 1)).toBe(NOW);
  });
});

test("requests to Bilibili are signed as its documentation has it", async () => {
  const key = {
    accessKeyId: "xxxx",
    accessKeySecret: "JzOzZfSHeYYnAMZ",
    contentMd5: "fa6837e35b2f591865b288dfd859ce9d",
  };
  const said = { ...key, nonce: "ad184c09-095f-91c3-0849-230dd3744045", now: 1_624_594_467_999 };
  const headers = await signBilibiliRequest(said);
  expect(headers.Authorization).toBe("a81c50234b6bbf15bc56e387ee4f19c6f871af2f70b837dc56db16517d4a341f");
  expect(headers["x-bili-timestamp"]).toBe("1624594467");
  await expect(signBilibiliRequest({ ...said, contentMd5: "" })).rejects.toThrow('"contentMd5" must be');
});

describe("Douyu", () => {
  const gifts = douyuGiftPrices(fish.DETAIL);

  test("lists, states and the older lists are rooms", async () => {
    const polls = [fish.page([71, 72]), fish.page([73]), fish.STATUS, fish.OLD_PAGE];
    const { connector, asked } = answered(polls, {}, douyuAdapter({ pageSize: 2, category: { level: 2, id: 1 } }));
    const told = await connector.refresh(NOW);
    expect(told[0]).toEqual({
      kind: "on_air",
      time: NOW,
      stream: "douyu:71",
      streamer: "douyu:71",
      category: "英雄联盟",
      tags: ["网游竞技", "高手对局"],
      title: "room 71",
    });
    expect(told[1]).toEqual({ kind: "update", time: NOW, stream: "douyu:71", viewers: 1071 });
    expect(asked.slice(0, 2)).toEqual(
      [0, 2].map((offset) => {
        const body = { cid_type: 2, cid: 1, offset, limit: 2 };
        return `POST https://openapi.douyu.com/api/thirdPart/live ${JSON.stringify(body)}`;
      }),
    );
    expect(short(await connector.check(["71", "72"], NOW + 1))).toEqual(["update douyu:71", "off_air douyu:72"]);
    expect(asked[2]).toMatch(/batchGetRoomInfo {"rids":\[71,72\]}$/);
    const old = answered([fish.OLD_PAGE], { since: 0 }, douyuAdapter());
    expect(await old.connector.refresh(NOW + 60_000)).toMatchObject([{ time: 1_782_820_800_000 }, { viewers: 1200 }]);
  });

  test("messages are comments, clicks, gifts at the prices that are known, on and off air", () => {
    expect([...gifts]).toEqual([
      ["196", 500],
      ["192", 0.1],
      ["191", 0],
    ]);
    const connector = new PlatformConnector(douyuAdapter({ gifts }), nobody);
    const told = (message: unknown) => connector.message(message, NOW);
    const who = { time: NOW, user: "douyu:9LA18", stream: "douyu:71" };
    expect(told(fish.MESSAGES.on)).toMatchObject([{ kind: "on_air", stream: "douyu:71", streamer: "douyu:71" }]);
    expect(told(fish.MESSAGES.comment)).toEqual([{ kind: "comment", ...who, id: "douyu:c1" }]);
    expect(told(fish.MESSAGES.comment)).toEqual([]);
    expect(told(fish.MESSAGES.gift)).toEqual([{ kind: "gift", ...who, amount: 1000 }]);
    expect(told(fish.MESSAGES.gift.replace("196", "191"))).toEqual([]);
    expect(told(fish.MESSAGES.gift.replace("196", "1"))).toEqual([]);
    expect(told(fish.MESSAGES.enter)).toEqual([{ kind: "click", ...who, user: "douyu:4" }]);
    expect(told(fish.MESSAGES.login)).toEqual([]);
    expect(told(fish.MESSAGES.off)).toEqual([{ kind: "off_air", time: NOW, stream: "douyu:71" }]);
    expect(connector.report.droppedBy).toEqual({
      "id seen before": 1,
      "free gift": 1,
      "gift of unknown price": 1,
      "unknown message": 1,
    });
    for (const text of ["type", "x@=1/", 7, "a".repeat(70_000), "a@=b/".repeat(600)]) {
      expect(() => told(text), String(text).slice(0, 20)).toThrow(/must/);
    }
  });

  test("texts are read back as they were escaped, whatever is in them", () => {
    const escaped = (text: string) => text.replaceAll("@", "@A").replaceAll("/", "@S");
    const value = fc.array(fc.constantFrom("@", "/", "A", "S", "=", "@=", "象", "")).map((parts) => parts.join(""));
    const pairs = fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), value, { maxKeys: 6 });
    fc.assert(
      fc.property(pairs, (fields) => {
        const text = Object.entries(fields).map(([key, one]) => `${escaped(key)}@=${escaped(one)}/`);
        expect(parseDouyuMessage(text.join(""))).toEqual({ ...fields });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("packets are cut into texts wherever their bytes are cut; other bytes are refused", () => {
    const texts = [fish.MESSAGES.comment, "type@=chatmsg/txt@=象棋😀/", fish.MESSAGES.off];
    const packets = [...texts.map((text) => fish.packet(text)), fish.packet("type@=keeplive/", 689)];
    const bytes = Uint8Array.from(packets.flatMap((packet) => [...packet]));
    for (let seed = 0; seed < 50; seed++) {
      const channel = new DouyuPackets();
      expect(cut(bytes, seed, 30).flatMap((piece) => channel.push(piece))).toEqual(texts);
    }
    expect(() => new DouyuPackets().push(utf8("HTTP/1.1 400 Bad Request"))).toThrow("must be packets");
    const huge = fish.packet("a");
    new DataView(huge.buffer).setUint32(0, 1 << 30, true);
    new DataView(huge.buffer).setUint32(4, 1 << 30, true);
    expect(() => new DouyuPackets().push(huge)).toThrow("must be packets");
  });
});

test("unknown options and invalid times are refused", () => {
  const wrong = { grace: 1 } as ConnectorOptions;
  expect(() => new PlatformConnector(bilibiliAdapter(), nobody, wrong)).toThrow('"grace" is not an option');
  expect(() => new PlatformConnector(bilibiliAdapter(), nobody, { since: -1 })).toThrow('"since" must be');
  expect(() => bilibiliAdapter({ pageSize: 0 })).toThrow('"pageSize" must be an integer in [1, 5000], got 0');
  expect(() => douyuAdapter({ gifts: new Map([["1", Number.NaN]]) })).toThrow(
    '"gifts" must be a Map of finite numbers >= 0',
  );
  expect(() => douyuAdapter({ category: { level: 4 as 3, id: 1 } })).toThrow('"category" must be');
  const connector = new PlatformConnector(bilibiliAdapter(), nobody);
  expect(() => connector.message(SAID.start(SECONDS), Number.NaN)).toThrow(
    '"now" must be a finite number >= 0, got NaN',
  );
});
