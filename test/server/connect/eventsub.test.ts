import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serve } from "../../../src/node/index.js";
import type { Receipt } from "../../../src/protocol/index.js";
import {
  createRequest,
  deleteRequest,
  type EventSubscription,
  listRequest,
  planOf,
  readSubscriptions,
  wantedOf,
} from "../../../src/server/connect/eventsub.js";
import { connectPlatforms, type Follower, type PlatformParts } from "../../../src/server/connect/index.js";
import { edgeApp, memoryEdge } from "../../../src/server/index.js";
import { signed } from "../../logs/connectors/twitch.js";
import { FakePlatform } from "../../support/platform.js";

const API = "https://api.twitch.tv/helix";
const SECRET = "s3cre7s3cre7s3cre7";
const CALLBACK = "https://live.example/v1/connect/twitch";

/** An answer to Get EventSub Subscriptions, in the form of Twitch's reference. */
const LISTED = {
  total: 2,
  data: [
    {
      ...{ id: "26b1c993-bfcf-44d9-b876-379dacafe75a", status: "enabled", type: "stream.online", version: "1" },
      condition: { broadcaster_user_id: "1234" },
      created_at: "2020-11-10T20:08:33.12345678Z",
      transport: { method: "webhook", callback: "https://this-is-a-callback.com" },
      cost: 1,
    },
    {
      ...{ id: "35016908-41ff-33ce-7879-61b8dfc2ee16", status: "webhook_callback_verification_pending" },
      ...{ type: "user.update", version: "1", condition: { user_id: "1234" } },
      created_at: "2020-11-10T14:32:18.730260295Z",
      transport: { method: "websocket", session_id: "x" },
      cost: 0,
    },
  ],
  ...{ total_cost: 1, max_total_cost: 10_000, pagination: { cursor: "next" } },
};

describe("requests about subscriptions", () => {
  test("are those of Twitch's reference", () => {
    expect(listRequest(API)).toEqual({ method: "GET", url: `${API}/eventsub/subscriptions` });
    expect(listRequest(API, "a b").url).toBe(`${API}/eventsub/subscriptions?after=a+b`);
    expect(deleteRequest(API, "26b1")).toEqual({ method: "DELETE", url: `${API}/eventsub/subscriptions?id=26b1` });
    const [online, , update] = wantedOf(["1234"]);
    expect(createRequest(API, online!, { callback: CALLBACK, secret: "s3cre7" })).toEqual({
      method: "POST",
      url: `${API}/eventsub/subscriptions`,
      body: {
        ...{ type: "stream.online", version: "1", condition: { broadcaster_user_id: "1234" } },
        transport: { method: "webhook", callback: CALLBACK, secret: "s3cre7" },
      },
    });
    expect(update).toEqual({ type: "channel.update", version: "2", broadcaster: "1234" });
  });

  test("are answered with a list, of which what is odd is left out", () => {
    const { subscriptions, cursor } = readSubscriptions(LISTED);
    expect(cursor).toBe("next");
    expect(subscriptions.map(({ broadcaster, callback }) => [broadcaster, callback])).toEqual([
      ["1234", "https://this-is-a-callback.com"],
      [undefined, undefined],
    ]);
    const odd = { data: [null, 7, [], {}, { id: 5 }, { ...LISTED.data[0], condition: null, transport: "x" }] };
    expect(readSubscriptions(odd).subscriptions).toHaveLength(1);
    for (const wrong of [null, 7, [], {}, { data: {} }]) expect(() => readSubscriptions(wrong)).toThrow("has no data");
  });
});

test("a plan makes what is missing, and removes what has ended, is not wanted or is there twice, of its own callback alone", () => {
  const wanted = wantedOf(["1", "2"]);
  const at = (n: number, more: Partial<EventSubscription> = {}): EventSubscription => {
    return { id: `s${n}-${Object.keys(more)}`, status: "enabled", callback: CALLBACK, ...wanted[n]!, ...more };
  };
  const there = [
    at(0),
    at(0, { status: "webhook_callback_verification_pending" }),
    at(1, { status: "notification_failures_exceeded" }),
    at(2, { version: "1" }),
    at(3, { callback: "https://other.example/v1/connect/twitch" }),
    at(4, { status: "webhook_callback_verification_pending" }),
    at(5, { broadcaster: "9" }),
  ];
  const { create, remove } = planOf(wanted, there, CALLBACK);
  expect(create).toEqual([1, 2, 3, 5].map((n) => wanted[n]));
  expect(remove).toEqual([1, 2, 3, 6].map((n) => there[n]));
  expect(
    planOf(
      wanted,
      wanted.map((_, n) => at(n)),
      CALLBACK,
    ),
  ).toEqual({ create: [], remove: [] });
  expect(planOf([], [at(0)], CALLBACK).remove).toHaveLength(1);
});

/** Twitch on this machine, as far as EventSub goes; it asks callbacks whether they are meant. */
class FakeTwitch {
  readonly subscriptions: EventSubscription[] = [];
  readonly secrets = new Map<string, string>();
  most = Number.POSITIVE_INFINITY;
  readonly #platform: FakePlatform;

  private constructor(platform: FakePlatform) {
    this.#platform = platform;
    platform.answers = (request, response, path) => {
      const url = new URL(request.url!, "http://x");
      const json = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
      if (path.endsWith("/streams")) return void json(200, { data: [], pagination: {} });
      if (request.headers["client-id"] !== "app") return void json(401, {});
      if (request.method === "GET") {
        // Pages of two.
        const from = Number(url.searchParams.get("after") ?? 0);
        const data = this.subscriptions.slice(from, from + 2).map(({ callback, broadcaster, ...rest }) => {
          const condition = { broadcaster_user_id: broadcaster };
          return { ...rest, condition, transport: { method: "webhook", callback } };
        });
        const pagination = from + 2 < this.subscriptions.length ? { cursor: String(from + 2) } : {};
        return void json(200, { data, pagination });
      }
      if (request.method === "DELETE") {
        const found = this.subscriptions.findIndex(({ id }) => id === url.searchParams.get("id"));
        if (found >= 0) this.subscriptions.splice(found, 1);
        return void response.writeHead(found < 0 ? 404 : 204).end();
      }
      let text = "";
      request.on("data", (piece) => (text += piece));
      request.on("end", () => {
        if (this.subscriptions.length >= this.most) return json(429, { message: "cost exceeds" });
        const { type, version, condition, transport } = JSON.parse(text);
        const id = `sub-${this.secrets.size}`;
        const own = { id, type, version, broadcaster: condition.broadcaster_user_id, callback: transport.callback };
        this.secrets.set(id, transport.secret);
        this.subscriptions.push({ ...own, status: "webhook_callback_verification_pending" });
        json(202, { data: [{ id }], total: 1, total_cost: 1, max_total_cost: 10 });
      });
    };
  }

  static async open(): Promise<FakeTwitch> {
    return new FakeTwitch(await FakePlatform.open());
  }

  get url(): string {
    return `${this.#platform.url}/helix`;
  }

  /** Asks the callback of each that is pending, and believes what is echoed. */
  async verify(): Promise<void> {
    for (const [i, one] of this.subscriptions.entries()) {
      if (!/pending/.test(one.status)) continue;
      const { challenge, echoed } = await this.send(one, "webhook_callback_verification", { challenge: `c-${i}` });
      const status = echoed === challenge ? "enabled" : "webhook_callback_verification_failed";
      this.subscriptions[i] = { ...one, status };
    }
  }

  /** Sends a signed message to the callback of a subscription. */
  async send({ id, type, version, callback }: EventSubscription, kind: string, more: { challenge?: string }) {
    const body = JSON.stringify({ subscription: { id, type, version, status: "enabled" }, ...more });
    const how = { type: kind, id: `m-${kind}-${id}`, time: new Date().toISOString() };
    const headers = signed(body, this.secrets.get(id)!, how);
    const response = await fetch(callback!, { method: "POST", body, headers });
    return { challenge: more.challenge, status: response.status, echoed: await response.text() };
  }

  close(): Promise<void> {
    return this.#platform.close();
  }
}

describe("a server with a public address", () => {
  let twitch: FakeTwitch;
  let now: number;
  beforeEach(async () => {
    twitch = await FakeTwitch.open();
    now = Date.now();
  });
  afterEach(() => twitch.close());
  const environment = {
    ...{ LIVEQ_TWITCH_CLIENT_ID: "app", LIVEQ_TWITCH_TOKEN: "hush", LIVEQ_TWITCH_EVENTSUB_SECRET: SECRET },
  };
  const parts = (more: Partial<PlatformParts> = {}): PlatformParts => ({
    ...{ environment, onAir: [], now: () => now, signal: new AbortController().signal },
    feed: async (events) => events.map((): Receipt => "taken"),
    ...more,
  });

  test("makes its subscriptions, answers their challenges, hears of streams, and keeps them as they shall be", async () => {
    const edge = await memoryEdge({ recommender: { seed: 1 }, now: () => now });
    // Its own port is its public address.
    let app: ReturnType<typeof edgeApp> | undefined;
    const { url, stop } = await serve((request) => app!.fetch(request), { port: 0 });
    const spec = `twitch=${twitch.url}?user_id=1&user_id=2`;
    const feed: PlatformParts["feed"] = (events) => edge.feed(events);
    const [follower] = connectPlatforms([spec], parts({ callback: `${url}/`, feed })) as [Follower];
    app = edgeApp({ edge, connections: [follower], now: () => now });
    await follower.poll();
    expect(follower.state()).toMatchObject({ subscriptions: 6, subscriptionError: undefined });
    expect(new Set(twitch.secrets.values())).toEqual(new Set([SECRET]));
    await twitch.verify();
    expect(twitch.subscriptions.map(({ status }) => status)).toEqual(new Array(6).fill("enabled"));
    const event = { id: "9", broadcaster_user_id: "1", type: "live", started_at: new Date(now).toISOString() };
    const told = await twitch.send(twitch.subscriptions[0]!, "notification", { event } as object);
    expect([told.status, edge.onAir()]).toEqual([204, ["twitch:1"]]);
    // One ends, one is of an earlier run for somebody else: the next look, ten minutes later, mends both.
    twitch.subscriptions[1] = { ...twitch.subscriptions[1]!, status: "notification_failures_exceeded" };
    twitch.subscriptions.push({ ...twitch.subscriptions[2]!, id: "old", broadcaster: "7" });
    await follower.poll();
    expect(twitch.subscriptions).toHaveLength(7);
    now += 600_001;
    await follower.poll();
    expect(twitch.subscriptions.map(({ broadcaster, type }) => `${broadcaster} ${type}`).sort()).toEqual(
      [1, 2].flatMap((user) => ["channel.update", "stream.offline", "stream.online"].map((type) => `${user} ${type}`)),
    );
    expect((await (await fetch(`${url}/metrics`)).text()).match(/^liveq_connect_subscriptions.*$/m)?.[0]).toBe(
      'liveq_connect_subscriptions{connection="twitch"} 6',
    );
    await follower.stop();
    expect(twitch.subscriptions).toHaveLength(6);
    await stop(0);
    await edge.close();
  });

  test("says where Twitch takes no more, goes on polling, and tries again", async () => {
    const logged: string[] = [];
    twitch.most = 2;
    const onLog = (text: string) => logged.push(text);
    const spec = `twitch=${twitch.url}?user_id=1`;
    const [follower] = connectPlatforms([spec], parts({ callback: "https://live.example", onLog })) as [Follower];
    await follower.poll();
    const state = follower.state();
    expect(state).toMatchObject({ isReached: true, subscriptions: undefined });
    expect(state.subscriptionError).toMatch(/eventsub\/subscriptions answered 429$/);
    expect(logged.join("\n")).not.toMatch(new RegExp(`${SECRET}|hush`));
    twitch.most = 3;
    await follower.poll();
    expect(twitch.subscriptions).toHaveLength(2);
    now += 60_001;
    await follower.poll();
    expect(follower.state()).toMatchObject({ subscriptions: 3, subscriptionError: undefined });
    expect(twitch.subscriptions.map(({ callback }) => callback)).toEqual(new Array(3).fill(CALLBACK));
    await follower.stop();
  });

  test("needs the secret that signs, and can subscribe to users alone", () => {
    const { LIVEQ_TWITCH_EVENTSUB_SECRET: _, ...without } = environment;
    const callback = "https://live.example";
    expect(() => connectPlatforms(["twitch=user_id=1"], parts({ environment: without, callback }))).toThrow(
      "LIVEQ_TWITCH_EVENTSUB_SECRET",
    );
    const logged: string[] = [];
    connectPlatforms(["twitch=language=en"], parts({ callback, onLog: (text) => logged.push(text) }));
    expect(logged).toEqual(['twitch is polled alone: only a "user_id" can be subscribed to']);
  });
});
