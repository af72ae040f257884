import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { owncastAdapter, twitchAdapter } from "../../../src/logs/index.js";
import type { LiveEvent, Receipt } from "../../../src/protocol/index.js";
import {
  connectPlatforms,
  Follower,
  type PlatformParts,
  TwitchToken,
  Wire,
} from "../../../src/server/connect/index.js";
import { edgeApp, memoryEdge } from "../../../src/server/index.js";
import * as owncast from "../../logs/connectors/owncast.js";
import * as peertube from "../../logs/connectors/peertube.js";
import * as twitch from "../../logs/connectors/twitch.js";
import { FakePlatform } from "../../support/platform.js";

const NOW = Date.UTC(2026, 5, 30, 12);
const SECRET = "s3cre7s3cre7s3cre7";

let platform: FakePlatform;
let now: number;
let fed: LiveEvent[];
let logged: string[];
beforeAll(async () => {
  platform = await FakePlatform.open();
});
afterAll(() => platform.close());
beforeEach(() => {
  [now, fed, logged] = [NOW, [], []];
  platform.asked.length = 0;
});

const short = (events: readonly LiveEvent[]) =>
  events.map((event) => `${event.kind} ${"stream" in event ? event.stream : ""}`);

function parts(more: Partial<PlatformParts> = {}): PlatformParts {
  return {
    environment: {},
    feed: async (events) => {
      fed.push(...events);
      return events.map((): Receipt => "taken");
    },
    ...{ onAir: [], now: () => now, signal: new AbortController().signal, onLog: (text) => logged.push(text) },
    ...more,
  };
}

function wire(more: object = {}): Wire {
  return new Wire({ now: () => now, signal: new AbortController().signal, ...more });
}

const get = (path = "/api/status") => ({ method: "GET" as const, url: `${platform.url}${path}` });

describe("a request to a platform", () => {
  test("is answered with JSON of status 200, and with nothing else", async () => {
    platform.json({ "/api/status": { a: 1 } });
    expect(await wire().ask(get())).toEqual({ a: 1 });
    for (const [status, body, message] of [
      [500, "{}", "answered 500"],
      [404, "", "answered 404"],
      [204, "", "answered 204"],
      [200, "<html>", "answered with what is no JSON"],
      [200, "", "answered with what is no JSON"],
      [200, Buffer.from([0x22, 0xff, 0x22]), "answered with what is no JSON"],
    ] as const) {
      platform.answers = (_, response) => response.writeHead(status).end(body);
      await expect(wire().ask(get()), message).rejects.toThrow(`${platform.url}/api/status ${message}`);
    }
  });

  test("is bounded in bytes, whether or not it says how many, and in time", async () => {
    platform.answers = (_, response) => response.writeHead(200).end(`"${"x".repeat(2000)}"`);
    await expect(wire({ maxBytes: 1000 }).ask(get())).rejects.toThrow("answered with more than 1000 bytes");
    platform.answers = (_, response) => {
      // Without an end.
      const more = () => response.writable && response.write("x".repeat(500)) && setImmediate(more);
      more();
    };
    await expect(wire({ maxBytes: 100_000 }).ask(get())).rejects.toThrow("answered with more than 100000 bytes");
    platform.answers = () => {};
    await expect(wire({ timeoutMs: 30 }).ask(get())).rejects.toThrow("did not answer within 30 ms");
    platform.answers = (_, response) => response.writeHead(200).write("[1,");
    await expect(wire({ timeoutMs: 30 }).ask(get())).rejects.toThrow("did not answer within 30 ms");
    platform.answers = (request) => request.socket.destroy();
    await expect(wire().ask(get())).rejects.toThrow("cannot be reached: UND_ERR_SOCKET");
    const closed = createServer();
    await new Promise<void>((listening) => closed.listen(0, "127.0.0.1", listening));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    await expect(wire().ask({ method: "GET", url: `http://127.0.0.1:${port}/` })).rejects.toThrow("ECONNREFUSED");
  });

  test("ends when the server does", async () => {
    const end = new AbortController();
    platform.answers = () => end.abort();
    await expect(wire({ signal: end.signal }).ask(get())).rejects.toThrow("cannot be reached");
    await expect(wire({ signal: end.signal }).ask(get())).rejects.toThrow("cannot be reached");
    expect(platform.asked.length).toBe(1);
  });

  test("follows redirects within the host, a few of them, and never to another one with its token", async () => {
    const headers = async () => ({ authorization: "Bearer secret-token" });
    platform.answers = (_, response, path) => {
      const n = Number(path.slice(1));
      if (n === 0) response.writeHead(200).end("[7]");
      else response.writeHead(302, { location: `/${n - 1}` }).end();
    };
    expect(await wire({ headers }).ask(get("/3"))).toEqual([7]);
    expect(platform.headers.authorization).toBe("Bearer secret-token");
    await expect(wire().ask(get("/4"))).rejects.toThrow("redirects more than 3 times");
    const other = await FakePlatform.open();
    for (const location of [other.url, "//evil.example/", "file:///etc/passwd", "http://[", "https://127.0.0.1/"]) {
      platform.answers = (_, response) => response.writeHead(301, { location }).end();
      await expect(wire({ headers }).ask(get()), location).rejects.toThrow("redirects to another host");
    }
    expect(other.asked).toEqual([]);
    await other.close();
  });

  test("whose answer has an ETag is answered from memory while that holds", async () => {
    let version = 1;
    platform.answers = (request, response) => {
      const etag = `"${version}"`;
      if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
      else response.writeHead(200, { etag }).end(JSON.stringify({ version }));
    };
    const asking = wire();
    expect(await asking.ask(get())).toEqual({ version: 1 });
    expect(await asking.ask(get())).toEqual({ version: 1 });
    version = 2;
    expect(await asking.ask(get())).toEqual({ version: 2 });
    // 304 to who has nothing.
    platform.answers = (_, response) => response.writeHead(304).end();
    await expect(wire().ask(get())).rejects.toThrow("answered 304");
  });

  test.each([
    ["seconds", 429, { "retry-after": "30" }, 30_000],
    ["a date", 503, { "retry-after": new Date(NOW + 90_000).toUTCString() }, 90_000],
    ["a day, which is cut to an hour", 503, { "retry-after": "86400" }, 3_600_000],
    ["the time of Twitch's limit", 429, { "ratelimit-reset": String(NOW / 1000 + 12) }, 12_000],
    ["seconds of PeerTube's limit", 429, { "ratelimit-reset": "7", "ratelimit-remaining": "0" }, 7000],
    [
      "nothing left of a limit",
      200,
      { "ratelimit-reset": String(NOW / 1000 + 12), "ratelimit-remaining": "0" },
      12_000,
    ],
    ["nonsense", 429, { "retry-after": "soon", "ratelimit-reset": "-5" }, 0],
    ["the past", 503, { "retry-after": new Date(NOW - 90_000).toUTCString() }, 0],
  ] as const)("is not sent while the platform asks to wait, by %s", async (_, status, headers, ms) => {
    platform.answers = (__, response) => response.writeHead(status, headers).end("{}");
    const asking = wire();
    await asking.ask(get()).catch(() => {});
    expect(asking.waitUntil).toBe(ms === 0 ? 0 : NOW + ms);
    if (ms === 0) return;
    await expect(asking.ask(get())).rejects.toThrow("wants no request before 2026-06-30T1");
    expect(platform.asked.length).toBe(1);
    now = NOW + ms;
    await asking.ask(get()).catch(() => {});
    expect(platform.asked.length).toBe(2);
  });

  test("to Twitch has a token, which is renewed once when it is refused; no error has a secret", async () => {
    let tokens = 0;
    const ask = async () => Response.json({ access_token: `token-${++tokens}`, expires_in: 5, token_type: "bearer" });
    const token = new TwitchToken({ clientId: "app", clientSecret: "hush-hush", fetch: ask as typeof fetch });
    const asking = wire({ headers: (isRefused: boolean) => token.headers(isRefused) });
    platform.answers = (request, response) => {
      const isRight = request.headers.authorization === "Bearer token-2" && request.headers["client-id"] === "app";
      response.writeHead(isRight ? 200 : 401).end("{}");
    };
    expect(await asking.ask(get())).toEqual({});
    platform.answers = (_, response) => response.writeHead(401).end("{}");
    await expect(asking.ask(get())).rejects.toThrow("answered 401: the token is not right");
    for (const answer of [Response.json({}), new Response("<html>"), new Response("no", { status: 403 })]) {
      const none = new TwitchToken({ clientId: "app", clientSecret: "hush-hush", fetch: async () => answer });
      await expect(none.headers()).rejects.toThrow(/^Twitch gave no token: it answered \d+$/);
    }
  });
});

describe("a platform that is followed", () => {
  test("goes on and off air, backs off when it fails, stays until the time-out, and says how it does", async () => {
    const stream = `owncast:${platform.host}`;
    const [follower] = connectPlatforms([`owncast=${platform.url}/`], parts()) as [Follower];
    const config = owncast.config();
    platform.json({ "/api/status": owncast.status(), "/api/config": config });
    expect(follower.state()).toMatchObject({ isReached: undefined, polls: 0 });
    expect(await follower.poll()).toBe(15_000);
    expect(short(fed)).toEqual([`on_air ${stream}`, `update ${stream}`]);
    expect(follower.state()).toMatchObject({ isReached: true, polls: 1, onAir: 1, events: 2, lastReachedAt: NOW });
    platform.answers = (_, response) => response.writeHead(503).end();
    now += 60_000;
    expect(await follower.poll()).toBe(30_000);
    expect(await follower.poll()).toBe(60_000);
    for (let i = 0; i < 5; i++) await follower.poll();
    expect(await follower.poll()).toBe(300_000);
    expect(fed.length).toBe(2);
    now = NOW + 600_001;
    await follower.poll();
    expect(short(fed.slice(2))).toEqual([`off_air ${stream}`]);
    expect(follower.state()).toMatchObject({ isReached: false, failures: 9, onAir: 0 });
    platform.json({ "/api/status": owncast.status(), "/api/config": config });
    expect(await follower.poll()).toBe(15_000);
    expect(short(fed.slice(3))).toEqual([`on_air ${stream}`, `update ${stream}`]);
    platform.json({ "/api/status": owncast.OFF });
    await follower.poll();
    expect(short(fed.slice(5))).toEqual([`off_air ${stream}`]);
    const at = `(${platform.url})`;
    expect(logged).toEqual([
      `owncast is followed: 1 on air ${at}`,
      `owncast cannot be reached: ${platform.url}/api/status answered 503 ${at}`,
      `owncast is followed: 1 on air ${at}`,
    ]);
  });

  test("whose answers are odd is counted by reason, and followed on", async () => {
    const [follower] = connectPlatforms([`peertube=${platform.url}`], parts()) as [Follower];
    const odd = peertube.video(2, { name: 5 });
    platform.json({ "/api/v1/videos": peertube.list([peertube.video(1), odd, peertube.video(3)]) });
    await follower.poll();
    expect(short(fed).filter((event) => event.startsWith("on_air"))).toHaveLength(2);
    expect(follower.state()).toMatchObject({
      ...{ isReached: true, onAir: 2, dropped: { unreadable: 1 } },
      error: '"data.1.name" must be text of at most 1024 characters, got 5',
    });
    platform.json({ "/api/v1/videos": peertube.list([peertube.video(1)]) });
    await follower.poll();
    expect(follower.state().error).toBeUndefined();
  });

  test("while the log takes nothing: what changed waits, and is fed once, in its order", async () => {
    let isFull = true;
    const feed = async (events: readonly LiveEvent[]) => {
      if (isFull) throw new Error("no space is left");
      fed.push(...events);
      return events.map((): Receipt => "taken");
    };
    const [follower] = connectPlatforms([`owncast=${platform.url}`], parts({ feed })) as [Follower];
    platform.json({ "/api/status": owncast.status(), "/api/config": owncast.config() });
    await follower.poll();
    platform.json({ "/api/status": owncast.OFF });
    await follower.poll();
    expect(follower.state()).toMatchObject({ waiting: 3, events: 0, error: "no space is left" });
    isFull = false;
    await follower.poll();
    expect(fed.map(({ kind }) => kind)).toEqual(["on_air", "update", "off_air"]);
    expect(follower.state()).toMatchObject({ waiting: 0, events: 3 });
  });

  test("knows its streams of an earlier run from those of others", async () => {
    const host = platform.host;
    const onAir = [
      `peertube:${host}/${peertube.uuid(1)}`,
      `owncast:${host}`,
      "owncast:other.example",
      "s1",
      "twitch:5",
    ];
    const followers = connectPlatforms([`owncast=${platform.url}`, `peertube=${platform.url}`], parts({ onAir }));
    expect(followers.map((follower) => follower.state().onAir)).toEqual([1, 1]);
    platform.json({ "/api/status": owncast.OFF, "/api/v1/videos": peertube.list([]) });
    for (const follower of followers) await follower.poll();
    now += 200_000;
    for (const follower of followers) await follower.poll();
    expect(short(fed)).toEqual([`off_air owncast:${host}`, `off_air peertube:${host}/${peertube.uuid(1)}`]);
  });

  test("polls by itself until it is stopped, at once", async () => {
    const end = new AbortController();
    const options = parts({ signal: end.signal, intervalMs: 1, now: Date.now });
    const [follower] = connectPlatforms([`owncast=${platform.url}`], options) as [Follower];
    platform.json({ "/api/status": owncast.status(), "/api/config": owncast.config() });
    follower.start();
    while (follower.state().polls < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    platform.answers = () => {};
    const { polls } = follower.state();
    while (platform.asked.length <= 2 * polls) await new Promise((resolve) => setTimeout(resolve, 1));
    end.abort();
    await follower.stop();
    expect(follower.state()).toMatchObject({ failures: 0, isReached: true });
    const asked = platform.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(platform.asked.length).toBe(asked);
  });
});

describe("connections", () => {
  const environment = { LIVEQ_TWITCH_CLIENT_ID: "app", LIVEQ_TWITCH_TOKEN: "token", LIVEQ_OWNCAST_KEY: "short" };

  test("are named by platform, and Twitch's are filtered", async () => {
    const two = connectPlatforms(
      ["owncast=https://a.example", "owncast=https://b.example/live", "peertube=http://c"],
      parts(),
    );
    expect(two.map(({ name }) => name)).toEqual(["owncast", "owncast-2", "peertube"]);
    const spec = `twitch=${platform.url}/helix?user_id=5&user_id=6&language=en`;
    const { LIVEQ_OWNCAST_KEY: _, ...own } = environment;
    const [follower] = connectPlatforms([spec], parts({ environment: own })) as [Follower];
    platform.json({ "/helix/streams": twitch.streams([twitch.stream(5)]) });
    await follower.poll();
    expect(platform.asked).toEqual(["GET /helix/streams?first=100&user_id=5&user_id=6&language=en"]);
    expect(platform.headers).toMatchObject({ "client-id": "app", authorization: "Bearer token" });
    expect(short(fed)).toEqual(["on_air twitch:5", "update twitch:5"]);
    expect(JSON.stringify([follower.state(), follower.figures(), logged])).not.toContain("token");
  });

  test("that are none are refused by name, without the secret", () => {
    for (const [specs, message, given] of [
      [["kick=https://a"], '"connect" must be owncast=URL, peertube=URL or twitch=FILTERS, got "kick"', {}],
      [["owncast"], '"url" must be an http or https address', {}],
      [["owncast=https://u:hush@a"], '"url" must be an http or https address', {}],
      [
        ["owncast=https://a", "owncast=https://a/"],
        '"connect" must have each platform once, got "owncast:a" twice',
        {},
      ],
      [["twitch"], '"twitch" needs LIVEQ_TWITCH_CLIENT_ID, and LIVEQ_TWITCH_TOKEN or', {}],
      [["twitch=token=hush"], '"twitch" must have filters of user_id, game_id, language, got "token"', environment],
      [["owncast=https://a"], '"LIVEQ_OWNCAST_KEY" must have 16 to 100 visible characters, got 5', environment],
      [["twitch", "twitch=language=en"], 'must have each platform once, got "twitch:" twice', environment],
    ] as const) {
      expect(() => connectPlatforms(specs, parts({ environment: given })), message).toThrow(message);
    }
  });
});

describe("webhooks", () => {
  const environment = {
    LIVEQ_OWNCAST_KEY: SECRET,
    LIVEQ_TWITCH_EVENTSUB_SECRET: SECRET,
    ...{ LIVEQ_TWITCH_CLIENT_ID: "app", LIVEQ_TWITCH_TOKEN: "hush" },
  };

  async function served(more: Partial<PlatformParts> = {}) {
    const edge = await memoryEdge({ recommender: { seed: 1 }, now: () => now });
    const feed = (events: readonly LiveEvent[]) => edge.feed(events);
    const specs = [`owncast=${platform.url}`, `peertube=${platform.url}`, "twitch=user_id=1"];
    const followers = connectPlatforms(specs, parts({ environment, feed, ...more }));
    const app = edgeApp({ edge, connections: followers, now: () => now });
    const post = async (path: string, body: string | object, headers: Record<string, string> = {}) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const response = await app.fetch(
        new Request(`http://localhost/v1/connect/${path}`, { method: "POST", body: text, headers }),
      );
      return { status: response.status, text: await response.text(), headers: response.headers };
    };
    const read = async (path: string) => (await app.fetch(new Request(`http://localhost${path}`))).text();
    return { edge, followers, post, read };
  }

  test("of Owncast need the key of their address; a stream goes on air, and viewers come", async () => {
    const { edge, post, read } = await served();
    const path = `owncast?key=${SECRET}`;
    expect((await post("owncast", owncast.HOOKS.started())).status).toBe(403);
    expect((await post("owncast?key=wrong", owncast.HOOKS.started())).status).toBe(403);
    expect(edge.onAir()).toEqual([]);
    expect((await post(path, owncast.HOOKS.started())).status).toBe(204);
    expect(edge.onAir()).toEqual([`owncast:${platform.host}`]);
    expect((await post(path, owncast.HOOKS.chat())).status).toBe(204);
    expect((await post(path, owncast.HOOKS.chat())).status).toBe(204);
    expect(edge.profile(`owncast:${platform.host}/x9Kq-2`)).toBeDefined();
    const odd = await post(path, "{");
    expect([odd.status, odd.text]).toEqual([400, expect.stringContaining("must be JSON in UTF-8")]);
    expect((await post(path, { type: "CHAT", eventData: 5 })).status).toBe(204);
    expect((await post(path, "x".repeat(2 ** 18 + 1))).status).toBe(413);
    expect((await post("peertube", {})).status).toBe(404);
    expect((await post("nothing", {})).status).toBe(404);
    const { connections } = JSON.parse(await read("/v1/stats"));
    expect(connections[0]).toMatchObject({
      ...{ name: "owncast", onAir: 1, webhooks: 7, events: 2 },
      dropped: { "id seen before": 1, unreadable: 1, "odd webhook": 1, "unsigned webhook": 2 },
    });
    const page = await read("/metrics");
    expect(page).toContain('liveq_connect_streams_on_air{connection="owncast"} 1\n');
    expect(page).toContain('liveq_connect_dropped_total{connection="owncast",reason="unsigned webhook"} 2\n');
    // A family has one head.
    const heads = page.split("\n").filter((line) => line.startsWith("# TYPE "));
    expect(new Set(heads).size).toBe(heads.length);
    expect(page + JSON.stringify(connections)).not.toMatch(new RegExp(`${SECRET}|hush`));
  });

  test("of Twitch are challenged, verified, taken once, and told of their end", async () => {
    const { edge, followers, post } = await served();
    const send = (body: object, options: Parameters<typeof twitch.signed>[2] = {}) => {
      const text = JSON.stringify(body);
      return post("twitch", text, twitch.signed(text, SECRET, options));
    };
    const challenge = await send({ challenge: "abc-123" }, { type: "webhook_callback_verification" });
    expect([challenge.status, challenge.text]).toEqual([200, "abc-123"]);
    expect(challenge.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect((await post("twitch", "{}")).status).toBe(403);
    expect((await send(twitch.payload("stream.online", "1"), { id: "a" })).status).toBe(204);
    expect(edge.onAir()).toEqual(["twitch:1"]);
    for (let i = 0; i < 3; i++) {
      expect((await send(twitch.payload("channel.follow", "1"), { id: "b" })).status).toBe(204);
    }
    expect((await send(twitch.payload("stream.offline", "1"), { id: "c" })).status).toBe(204);
    expect(edge.onAir()).toEqual([]);
    const ended = { subscription: { type: "channel.follow", status: "authorization_revoked" } };
    expect((await send(ended, { id: "d", type: "revocation" })).status).toBe(204);
    expect((await send([1], { id: "e" })).status).toBe(400);
    expect(followers[2]!.state()).toMatchObject({
      ...{ events: 3, revoked: ["channel.follow: authorization_revoked"] },
      dropped: { "id seen before": 2, "odd webhook": 1, "unsigned webhook": 1 },
    });
    expect(logged.at(-1)).toContain("twitch has ended the subscription to channel.follow: authorization_revoked");
  });

  test("are asked for again while the log takes nothing, and then count once", async () => {
    let isFull = true;
    const feed = async (events: readonly LiveEvent[]) => {
      if (isFull) throw new Error("no space is left");
      fed.push(...events);
      return events.map((): Receipt => "taken");
    };
    const { post } = await served({ feed });
    const body = JSON.stringify(twitch.payload("stream.online", "1"));
    const headers = twitch.signed(body, SECRET);
    const refused = await post("twitch", body, headers);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    isFull = false;
    expect((await post("twitch", body, headers)).status).toBe(204);
    expect((await post("twitch", body, headers)).status).toBe(204);
    expect(short(fed)).toEqual(["on_air twitch:1"]);
  });

  test("random bytes, signed and unsigned, change nothing and are no 5xx", async () => {
    const { edge, post } = await served();
    const bodies = ["", "null", "0", "[]", '""', "{}", '{"type":"CHAT"}', '{"type":{},"eventData":[]}'];
    bodies.push(
      '{"subscription":null,"event":null}',
      '{"subscription":{"type":"stream.online"},"event":{"type":"live"}}',
    );
    bodies.push(`${"[".repeat(50_000)}`, `${'{"type":'.repeat(10_000)}`, "\u0000", '{"__proto__":{"type":"CHAT"}}');
    for (const body of bodies) {
      const types = ["notification", "webhook_callback_verification", "revocation", "", "x"];
      for (const [i, type] of types.entries()) {
        expect((await post("twitch", body, twitch.signed(body, SECRET, { type, id: `${i}` }))).status).toBeLessThan(
          500,
        );
      }
      expect((await post(`owncast?key=${SECRET}`, body)).status).toBeLessThan(500);
    }
    expect(edge.onAir()).toEqual([]);
  });
});

test("a follower needs no more than an adapter, a fetch and a feed", async () => {
  const asked: string[] = [];
  const ask = async ({ url }: { url: string }) => {
    asked.push(url);
    return twitch.streams([]);
  };
  const follower = new Follower({
    ...{ name: "own", adapter: twitchAdapter(), ask, now: () => now, intervalMs: 5, feed: async () => [] },
  });
  expect(await follower.poll()).toBe(5);
  expect(
    await follower.receive({ headers: new Headers(), query: new URLSearchParams(), body: new Uint8Array() }),
  ).toEqual({
    ...{ status: 404, error: { field: "", message: '"own" has no webhook: none of its secrets is set' } },
  });
  expect(owncastAdapter({ url: "https://a" }).platform).toBe("owncast");
});
