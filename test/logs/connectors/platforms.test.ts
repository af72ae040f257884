import { describe, expect, test } from "vitest";
import {
  type ConnectorOptions,
  owncastAdapter,
  type PlatformAdapter,
  PlatformConnector,
  peertubeAdapter,
  readTwitchWebhook,
  TwitchSocket,
  twitchAdapter,
} from "../../../src/logs/index.js";
import { isEvent, type LiveEvent } from "../../../src/protocol/index.js";
import * as owncast from "./owncast.js";
import * as peertube from "./peertube.js";
import * as twitch from "./twitch.js";

const NOW = Date.UTC(2026, 5, 30, 12);
const URLS = { owncast: "https://live.example/", peertube: "https://video.example" };

/** A connector whose requests are answered one after the other, the last answer again and again. */
function answered(adapter: PlatformAdapter, answers: unknown[], options: ConnectorOptions = {}) {
  const asked: string[] = [];
  const fetch = async ({ url }: { url: string }) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(url);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const connector = new PlatformConnector(adapter, fetch, { onError: "skip", ...options });
  return { connector, asked };
}

const short = (events: readonly LiveEvent[]) =>
  events.map((event) => `${event.kind} ${"stream" in event ? event.stream : ""}`);

describe("Owncast", () => {
  const adapter = owncastAdapter({ url: URLS.owncast });

  test("is one stream without a category, with the server's tags, and goes off air when nobody streams", async () => {
    const { connector, asked } = answered(adapter, [owncast.status(), owncast.config(), owncast.OFF], { since: 0 });
    const told = await connector.refresh(NOW);
    const stream = "owncast:live.example";
    expect(told).toEqual([
      {
        kind: "on_air",
        time: NOW - 1_799_500,
        stream,
        streamer: stream,
        title: "Knots and ropes",
        description: "Boats, all day",
        mature: false,
        tags: ["boats", "knots"],
      },
      { kind: "update", time: NOW, stream, viewers: 7 },
    ]);
    expect(told.every(isEvent)).toBe(true);
    expect(asked).toEqual(["https://live.example/api/status", "https://live.example/api/config"]);
    expect(short(await connector.refresh(NOW + 1))).toEqual([`off_air ${stream}`]);
    // Nothing more is asked of a server off air.
    expect(asked.length).toBe(3);
  });

  test("that hides its viewers, or says nothing of itself, is on air all the same", async () => {
    const { viewerCount: _, ...hidden } = owncast.status() as Record<string, unknown>;
    const { connector } = answered(adapter, [hidden, new Error("no line")]);
    expect(short(await connector.refresh(NOW))).toEqual(["on_air owncast:live.example"]);
    const odd = answered(adapter, [owncast.status(), owncast.config({ tags: ["x", 5] })]);
    expect(await odd.connector.refresh(NOW)).toHaveLength(2);
    expect(odd.connector.report.examples).toEqual([
      '"tags" must be an array of at most 31 names of 1 to 200 characters, got ["x", 5]',
    ]);
  });

  test("of answers that are none: the field is named, nothing goes off air", async () => {
    for (const [odd, message] of [
      [{}, '"online" must be true or false, got undefined'],
      [{ ...owncast.status(), online: "yes" }, '"online" must be true or false, got "yes"'],
      [{ ...owncast.status(), viewerCount: -1 }, '"viewerCount" must be an integer >= 0, got -1'],
      [{ ...owncast.status(), lastConnectTime: 5 }, '"lastConnectTime" must be a time such as 2026-06-30T23:45:00Z'],
      [{ ...owncast.status(), streamTitle: {} }, '"streamTitle" must be text of at most 1024 characters'],
      [null, "an answer must be an object, got null"],
      ["<html>", 'an answer must be an object, got "<html>"'],
      [[], "an answer must be an object"],
    ] as const) {
      const { connector } = answered(adapter, [owncast.status(), owncast.config(), odd, owncast.config()], {
        graceMs: 0,
      });
      await connector.refresh(NOW);
      expect(await connector.refresh(NOW + 60_000), message).toEqual([]);
      expect(connector.report.examples[0]).toContain(message);
      expect(connector.report).toMatchObject({ dropped: 1, droppedBy: { unreadable: 1 } });
    }
  });

  test("tells by webhook of chat, of who comes, and of its beginning, title and end", () => {
    const { connector } = answered(adapter, []);
    const told = (message: object) => connector.message(message, NOW);
    const stream = "owncast:live.example";
    const who = { time: NOW, user: `${stream}/x9Kq-2`, stream };
    const start = told(owncast.HOOKS.started());
    expect(start).toEqual([{ kind: "on_air", time: NOW, stream, streamer: stream, title: "Tides" }]);
    expect(told(owncast.HOOKS.chat())).toEqual([{ kind: "comment", ...who, id: "owncast:CHAT-1" }]);
    expect(told(owncast.HOOKS.chat())).toEqual([]);
    expect(told(owncast.HOOKS.joined())).toEqual([{ kind: "click", ...who, id: "owncast:USER_JOINED-1" }]);
    expect(told(owncast.HOOKS.titled())).toEqual([{ kind: "update", time: NOW, stream, title: "Low tide" }]);
    expect(short(told(owncast.HOOKS.stopped()))).toEqual([`off_air ${stream}`]);
    for (const nothing of [owncast.HOOKS.renamed(), owncast.HOOKS.bot(), owncast.HOOKS.chat({ id: 9, visible: false })])
      expect(told(nothing)).toEqual([]);
    expect(connector.report.droppedBy).toEqual({
      "id seen before": 1,
      "unknown message": 1,
      "message of a bot": 1,
      "hidden message": 1,
    });
    expect(told(owncast.HOOKS.chat({ user: null }))).toEqual([]);
    expect(connector.report.examples).toEqual(['"eventData.user" must be an object, got undefined']);
  });

  test("refuses addresses with secrets or of other kinds", () => {
    for (const url of [
      "ftp://x",
      "live.example",
      "https://u:p@x",
      "https://x?token=1",
      "https://x#a",
      5,
      "javascript:1",
    ])
      expect(() => owncastAdapter({ url: url as string }), String(url)).toThrow(
        '"url" must be an http or https address',
      );
    expect(() => owncastAdapter({ url: "https://x", x: 1 } as never)).toThrow('"x" is not an option');
  });
});

describe("PeerTube", () => {
  const adapter = peertubeAdapter({ url: URLS.peertube, pageSize: 2 });
  const name = (n: number) => `peertube:video.example/${peertube.uuid(n)}`;

  test("lists live videos page by page, by channel, some without category and language", async () => {
    const bare = { category: { id: null, label: "Unknown" }, language: { id: null, label: "Unknown" }, viewers: null };
    const pages = [
      peertube.list([peertube.video(1), peertube.video(2, bare)], 3),
      peertube.list([peertube.video(3, { isLive: false })], 3),
    ];
    const { connector, asked } = answered(adapter, pages, { since: 0 });
    const streamer = "peertube:video.example/lab@video.example";
    const about = { description: "All about it", mature: false };
    const time = NOW - 1_800_000;
    expect(await connector.refresh(NOW)).toEqual([
      {
        kind: "on_air",
        time,
        stream: name(1),
        streamer,
        title: "Stream 1",
        ...about,
        language: "fr",
        category: "Science & Technology",
      },
      { kind: "update", time: NOW, stream: name(1), viewers: 12, likes: 3 },
      { kind: "on_air", time, stream: name(2), streamer, title: "Stream 2", ...about },
      { kind: "update", time: NOW, stream: name(2), likes: 3 },
    ]);
    const query = "isLive=true&nsfw=both&sort=-publishedAt&isLocal=true&count=2&start=";
    expect(asked).toEqual([0, 2].map((start) => `https://video.example/api/v1/videos?${query}${start}`));
  });

  test("takes streams off air that wait, ended or became recordings", async () => {
    const off = [{ state: { id: 4, label: "Waiting" } }, { state: { id: 5, label: "Ended" } }, { isLive: false }];
    const videos = [1, 2, 3, 4].map((n) => peertube.video(n, { state: { id: 1, label: "Published" } }));
    const later = [...off.map((more, i) => peertube.video(i + 1, more)), videos[3]];
    const { connector } = answered(peertubeAdapter({ url: URLS.peertube }), [
      peertube.list(videos),
      peertube.list(later),
    ]);
    expect(connector.onAir()).toEqual([]);
    await connector.refresh(NOW);
    expect(short(await connector.refresh(NOW + 1))).toEqual([1, 2, 3].map((n) => `off_air ${name(n)}`));
    expect(connector.onAir()).toEqual([name(4)]);
  });

  test("of a page with an odd video the others count; the odd ones are named", async () => {
    const odd = [
      [peertube.video(9, { uuid: null }), '"data.1.uuid" must be an integer >= 0 or text of 1 to 200 characters'],
      [peertube.video(9, { channel: null }), '"data.1.channel" must be an object, got undefined'],
      [peertube.video(9, { channel: { name: "a\nb" } }), '"data.1.channel.name" must be'],
      [peertube.video(9, { isLive: 1 }), '"data.1.isLive" must be true or false, got 1'],
      [peertube.video(9, { viewers: 1.5 }), '"data.1.viewers" must be an integer >= 0, got 1.5'],
      [peertube.video(9, { publishedAt: "soon" }), '"data.1.publishedAt" must be a time'],
      [peertube.video(9, { category: "chess" }), '"data.1.category" must be an object, got "chess"'],
      [17, '"data.1" must be an object, got 17'],
    ] as const;
    for (const [video, message] of odd) {
      const page = peertube.list([peertube.video(1), video, peertube.video(2)]);
      const { connector } = answered(peertubeAdapter({ url: URLS.peertube }), [page]);
      expect(short(await connector.refresh(NOW)).filter((event) => event.startsWith("on_air"))).toEqual(
        [1, 2].map((n) => `on_air ${name(n)}`),
      );
      expect(connector.report.examples[0]).toContain(message);
    }
    const huge = answered(adapter, [peertube.list(Array(5001).fill(peertube.video(1)))]);
    expect(await huge.connector.refresh(NOW)).toEqual([]);
    expect(huge.connector.report.examples[0]).toContain('"data" must be a list of at most 5000');
  });

  test("that cannot be reached stays on air until the time-out, and comes back", async () => {
    const list = peertube.list([peertube.video(1)]);
    const { connector } = answered(peertubeAdapter({ url: URLS.peertube }), [
      ...[list, new Error("down"), new Error("down"), new Error("down"), list],
    ]);
    await connector.refresh(NOW);
    expect(await connector.refresh(NOW + 300_000)).toEqual([]);
    expect(await connector.refresh(NOW + 600_000)).toEqual([]);
    expect(short(await connector.refresh(NOW + 600_001))).toEqual([`off_air ${name(1)}`]);
    expect(short(await connector.refresh(NOW + 700_000))).toEqual([`on_air ${name(1)}`, `update ${name(1)}`]);
  });

  test("takes off air what was on air before and is so no longer", async () => {
    const onAir = [name(1), name(2), "owncast:live.example"];
    const options = { onAir, graceMs: 60_000 };
    const { connector } = answered(
      peertubeAdapter({ url: URLS.peertube }),
      [peertube.list([peertube.video(1)])],
      options,
    );
    const first = await connector.refresh(NOW);
    expect(first).toMatchObject([{ kind: "update", stream: name(1), viewers: 12, title: "Stream 1" }]);
    expect(await connector.refresh(NOW + 60_000)).toEqual([]);
    expect(short(await connector.refresh(NOW + 60_001))).toEqual([`off_air ${name(2)}`]);
  });
});

describe("Twitch", () => {
  const adapter = twitchAdapter({ games: ["509658"], languages: ["en"] });

  test("lists streams by cursor pages", async () => {
    const pages = [
      twitch.streams([twitch.stream(1), twitch.stream(2, { game_name: "", tags: null, is_mature: true })], "a=="),
      twitch.streams([twitch.stream(3)], "b"),
      twitch.streams([]),
    ];
    const { connector, asked } = answered(adapter, pages, { since: 0 });
    const told = await connector.refresh(NOW);
    const about = { time: NOW - 3_600_000, language: "en" };
    expect(told.filter(({ kind }) => kind === "on_air")).toMatchObject([
      {
        ...{ kind: "on_air", stream: "twitch:1", streamer: "twitch:1", category: "Just Chatting", title: "hello 1" },
        ...{ ...about, tags: ["English", "Cosy"], mature: false },
      },
      { stream: "twitch:2", ...about, mature: true },
      { stream: "twitch:3" },
    ]);
    expect(told[2]).not.toHaveProperty("category");
    const of = "https://api.twitch.tv/helix/streams?first=100&game_id=509658&language=en";
    expect(asked).toEqual([of, `${of}&after=a%3D%3D`, `${of}&after=b`]);
  });

  test("cursors that come again end the list, which then takes nothing off air", async () => {
    const page = (n: number, cursor: string) => twitch.streams([twitch.stream(n)], cursor);
    const pages = [twitch.streams([twitch.stream(9)]), page(1, "a"), page(2, "b"), page(3, "a")];
    const { connector, asked } = answered(adapter, pages, { graceMs: 0 });
    await connector.refresh(NOW);
    const opened = short(await connector.refresh(NOW + 1)).filter((event) => event.startsWith("o"));
    expect(opened).toEqual(["on_air twitch:1", "on_air twitch:2", "on_air twitch:3"]);
    expect(asked.length).toBe(4);
    expect(connector.report.examples).toEqual(['"cursor" must be new on each page, got "a" again']);
    // A list without an end is left after its most pages.
    let n = 0;
    const endless = new PlatformConnector(adapter, async () => twitch.streams([twitch.stream(1)], `c${n++}`), {
      pages: 7,
    });
    await endless.refresh(NOW);
    expect(n).toBe(7);
  });

  test("notifications are on and off air, updates, comments, follows, gifts in dollars and subscriptions", () => {
    const { connector } = answered(adapter, []);
    let sent = 0;
    const told = (type: string, more: object = {}) => {
      return connector.message(twitch.message("notification", twitch.payload(type, "1", more), `m${sent++}`), NOW);
    };
    const stream = "twitch:1";
    const who = (n: number) => ({ time: NOW, user: "twitch:u5", stream, id: `twitch:m${n}` });
    expect(told("channel.update")).toEqual([]);
    expect(told("stream.online")).toEqual([{ kind: "on_air", time: NOW, stream, streamer: stream }]);
    expect(told("channel.update")).toEqual([
      { kind: "update", time: NOW, stream, title: "new title", category: "Chess" },
    ]);
    expect(told("channel.follow")).toEqual([{ kind: "follow", ...who(3) }]);
    expect(told("channel.cheer")).toEqual([{ kind: "gift", ...who(4), amount: 2.5 }]);
    expect(told("channel.chat.message")).toEqual([{ kind: "comment", ...who(5) }]);
    const signal = { kind: "signal", ...who(6), name: "subscription", value: 2 };
    expect(told("channel.subscribe")).toEqual([signal]);
    expect([signal].every(isEvent)).toBe(true);
    expect(short(told("stream.offline"))).toEqual(["off_air twitch:1"]);
    for (const [type, more] of [
      ["channel.cheer", { is_anonymous: true, user_id: null }],
      ["stream.online", { type: "rerun" }],
      ["channel.raid", {}],
      ["constructor", {}],
    ] as const) {
      expect(told(type, more)).toEqual([]);
    }
    expect(connector.message(twitch.message("notification", twitch.payload("channel.follow", "1"), "m3"), NOW)).toEqual(
      [],
    );
    expect(connector.report.droppedBy).toEqual({
      "nobody's gift": 1,
      "not live": 1,
      "unknown message": 2,
      "id seen before": 1,
    });
  });

  test("refuses filters that Twitch does not have", () => {
    expect(() => twitchAdapter({ users: ["a&b=1"] })).toThrow('"users" must be an array of at most 100 ids');
    expect(() => twitchAdapter({ games: Array(101).fill("1") })).toThrow('"games" must be an array of at most 100 ids');
    expect(() => twitchAdapter({ pageSize: 101 })).toThrow('"pageSize" must be an integer in [1, 100], got 101');
  });
});

describe("webhooks of EventSub", () => {
  const secret = "s3cre7s3cre7s3cre7";
  const read = (body: string, headers: Record<string, string>, now = NOW) =>
    readTwitchWebhook((name) => headers[name], new TextEncoder().encode(body), secret, now);

  test("with the right signature are challenges, notifications and revocations", async () => {
    const challenge = JSON.stringify({ challenge: "pogchamp-kappa-360noscope-vohiyo", subscription: {} });
    expect(await read(challenge, twitch.signed(challenge, secret, { type: "webhook_callback_verification" }))).toEqual({
      kind: "challenge",
      challenge: "pogchamp-kappa-360noscope-vohiyo",
    });
    const body = JSON.stringify(twitch.payload("channel.follow", "1"));
    const found = await read(body, twitch.signed(body, secret, { id: "m7" }));
    expect(found?.kind).toBe("notification");
    const { connector } = answered(twitchAdapter(), []);
    const { message } = found as { message: object };
    expect(connector.message(message, NOW)).toMatchObject([{ kind: "follow", id: "twitch:m7", user: "twitch:u5" }]);
    expect(connector.message(message, NOW)).toEqual([]);
    const ended = JSON.stringify({ subscription: { type: "channel.follow", status: "authorization_revoked" } });
    expect(await read(ended, twitch.signed(ended, secret, { type: "revocation" }))).toEqual({
      ...{ kind: "revocation", type: "channel.follow", reason: "authorization_revoked" },
    });
  });

  test("that are forged, changed, unsigned or replayed are none", async () => {
    const body = JSON.stringify(twitch.payload("channel.follow", "1"));
    const headers = twitch.signed(body, secret);
    const signature = "twitch-eventsub-message-signature";
    expect(await read(`${body} `, headers)).toBeUndefined();
    expect(await read(body, twitch.signed(body, "another secret"))).toBeUndefined();
    for (const value of ["", "sha256=", `sha1=${"0".repeat(40)}`, headers[signature]!.slice(0, -1), "sha256=zz"]) {
      expect(await read(body, { ...headers, [signature]: value }), value).toBeUndefined();
    }
    const { [signature]: _, ...unsigned } = headers;
    expect(await read(body, unsigned)).toBeUndefined();
    expect(await read(body, { ...headers, "twitch-eventsub-message-id": "m2" })).toBeUndefined();
    expect(await read(body, headers, NOW + 600_200)).toBeUndefined();
    expect(await read(body, headers, NOW - 600_200)).toBeUndefined();
    expect(await read(body, headers, NOW + 599_000)).toBeDefined();
  });

  test("that are signed but odd name the field", async () => {
    for (const [type, body, message] of [
      ["notification", "{", "the body must be JSON in UTF-8"],
      ["notification", "[]", "an answer must be an object"],
      ["webhook_callback_verification", '{"challenge":"<script>"}', '"challenge" must be text of 1 to 512'],
      ["webhook_callback_verification", "{}", '"challenge" must be text of 1 to 512'],
      ["revocation", "{}", '"subscription" must be an object, got undefined'],
      ["surprise", "{}", '"message_type" must be one that Twitch documents, got "surprise"'],
    ] as const) {
      await expect(read(body, twitch.signed(body, secret, { type })), message).rejects.toThrow(message);
    }
  });
});

describe("the WebSocket of EventSub", () => {
  const url = "wss://eventsub.wss.twitch.tv/ws";
  const session = (more: object = {}) => ({
    session: { id: "s1", status: "connected", keepalive_timeout_seconds: 10, reconnect_url: null, ...more },
  });

  test("welcomes, is kept alive, reconnects and goes silent", () => {
    const socket = new TwitchSocket(url, NOW);
    expect(socket.take(twitch.message("session_welcome", session()), NOW)).toEqual({
      ...{ kind: "welcome", session: "s1", isResumed: false },
    });
    expect(socket.isSilent(NOW + 11_000)).toBe(false);
    expect(socket.isSilent(NOW + 11_001)).toBe(true);
    expect(socket.take(twitch.message("session_keepalive", {}), NOW + 9000)).toEqual({ kind: "keepalive" });
    expect(socket.isSilent(NOW + 20_000)).toBe(false);
    const notification = twitch.message("notification", twitch.payload("channel.follow", "1"));
    expect(socket.take(notification, NOW)).toEqual({ kind: "notification", message: notification });
    const there = `${url}?challenge=xyz`;
    expect(socket.take(twitch.message("session_reconnect", session({ reconnect_url: there })), NOW)).toEqual({
      ...{ kind: "reconnect", url: there },
    });
    const again = session({ id: "s1", keepalive_timeout_seconds: null });
    expect(socket.take(twitch.message("session_welcome", again), NOW)).toMatchObject({ isResumed: true });
    const ended = { subscription: { type: "channel.follow", status: "user_removed" } };
    expect(socket.take(twitch.message("revocation", ended), NOW)).toMatchObject({ reason: "user_removed" });
  });

  test("refuses what does not fit its protocol, and other hosts to connect to", () => {
    const fresh = () => new TwitchSocket(url, NOW);
    for (const [message, text] of [
      [twitch.message("notification", {}), '"metadata.message_type" must be session_welcome first, got "notification"'],
      [twitch.message("session_welcome", {}), '"payload.session" must be an object'],
      [twitch.message("session_welcome", session({ id: null })), '"payload.session.id" must be'],
      [
        twitch.message("session_welcome", session({ keepalive_timeout_seconds: 601 })),
        '"payload.session.keepalive_timeout_seconds" must be in [1, 600], got 601',
      ],
      [
        twitch.message("session_reconnect", session({ reconnect_url: "wss://evil.example/ws" })),
        '"payload.session.reconnect_url" must be an address of eventsub.wss.twitch.tv',
      ],
      [
        twitch.message("session_reconnect", session({ reconnect_url: "http://eventsub.wss.twitch.tv/" })),
        "must be an address of eventsub.wss.twitch.tv",
      ],
      ["PING", 'an answer must be an object, got "PING"'],
    ] as const) {
      expect(() => fresh().take(message, NOW), text).toThrow(text);
    }
  });
});
