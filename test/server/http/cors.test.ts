import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edge, type EdgeAppOptions, edgeApp, memoryEdge } from "../../../src/server/index.js";

const SHOP = "https://shop.example";
const SECRET = "a-token-for-a-page";
const TOKENS = [{ secret: SECRET, scopes: ["recommend", "events"] as const }];
let edge: Edge;
beforeAll(async () => {
  edge = await memoryEdge({ recommender: { seed: 1 }, now: () => 1e12 });
});
afterAll(() => edge.close());

const appOf = (options: Partial<EdgeAppOptions> = {}) => edgeApp({ edge, now: () => 1e12, ...options });
function ask(options: Partial<EdgeAppOptions>, headers: Record<string, string>, method = "GET", path = "/live") {
  return appOf(options).fetch(new Request(`http://server${path}`, { method, headers }));
}
const PREFLIGHT = {
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization,content-type,idempotency-key",
};

describe("pages of other origins", () => {
  test("may not call by default: neither is a preflight answered, nor an answer opened", async () => {
    const preflight = await ask({}, { origin: SHOP, ...PREFLIGHT }, "OPTIONS", "/v1/events");
    expect(preflight.status).toBe(405);
    for (const { headers } of [preflight, await ask({}, { origin: SHOP })]) {
      expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  test("may call where they are named, those alone", async () => {
    const options = { origins: [SHOP] };
    const preflight = await ask(options, { origin: SHOP, ...PREFLIGHT }, "OPTIONS", "/v1/events");
    expect([preflight.status, await preflight.text()]).toEqual([204, ""]);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": SHOP,
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "authorization, content-type, content-encoding, idempotency-key",
      "access-control-max-age": "86400",
      vary: "origin",
    });
    // No cookies: nothing here needs them.
    expect(preflight.headers.has("access-control-allow-credentials")).toBe(false);
    const answer = await ask(options, { origin: SHOP });
    expect(answer.headers.get("access-control-allow-origin")).toBe(SHOP);
    expect(answer.headers.get("access-control-expose-headers")).toBe("liveq-now, retry-after, date");
    for (const origin of ["https://other.example", "http://shop.example", "https://shop.example:8443", "null"]) {
      const refused = await ask(options, { origin, ...PREFLIGHT }, "OPTIONS", "/v1/events");
      expect([refused.status, refused.headers.has("access-control-allow-origin")], origin).toEqual([405, false]);
      expect(refused.headers.get("vary")).toBe("origin");
    }
  });

  test("may read why they were refused", async () => {
    const options = { origins: [SHOP], tokens: TOKENS };
    const answer = await ask(options, { origin: SHOP }, "GET", "/v1/stats");
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([401, SHOP]);
    const busy = await ask({ ...options, maxRequests: 1 }, { origin: SHOP }, "GET", "/nowhere");
    expect([busy.status, busy.headers.get("access-control-allow-origin")]).toEqual([404, SHOP]);
  });

  test("may all call where a token is needed, and only there", async () => {
    const answer = await ask({ origins: ["*"], tokens: TOKENS }, { origin: "https://any.example" });
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://any.example");
    expect(() => appOf({ origins: ["*"] })).toThrow('"origins" must be without "*" where no tokens are given');
  });

  test("are named as browsers name them", () => {
    for (const origin of ["shop.example", `${SHOP}/`, `${SHOP}/feed`, "HTTPS://shop.example", "null", ""]) {
      expect(() => appOf({ origins: [origin] }), origin).toThrow('"origins.0" must be an origin such as');
    }
    expect(() => appOf({ origins: SHOP as never })).toThrow('"origins" must be an array of origins');
  });
});

test("each answer has the server's time, also those that say no", async () => {
  for (const [method, path, status] of [
    ["GET", "/live", 200],
    ["GET", "/nowhere", 404],
    ["PUT", "/live", 405],
  ] as const) {
    const { status: given, headers } = await ask({}, {}, method, path);
    expect([given, headers.get("liveq-now")]).toEqual([status, "1000000000000"]);
  }
});

describe("a key", () => {
  const json = { "content-type": "application/json" };
  const send = (app: ReturnType<typeof appOf>, method: string, path: string, body: object, key: string) =>
    app.fetch(
      new Request(`http://server${path}`, {
        method,
        headers: { ...json, "idempotency-key": key },
        body: JSON.stringify(body),
      }),
    );

  test("of any call that changes something is answered once", async () => {
    const app = appOf();
    const air = { streamer: "ann", category: "chess" };
    for (let i = 0; i < 2; i++) {
      expect(await (await send(app, "PUT", "/v1/streams/s1", air, "k1")).json()).toEqual({ answer: "taken" });
    }
    const events = edge.stats().events;
    await send(app, "PUT", "/v1/streams/s1", air, "k1");
    expect(edge.stats().events).toBe(events);
    const request = { user: "u1", k: 2 };
    const [first, again, other] = await Promise.all([
      send(app, "POST", "/v1/recommend", request, "k2").then((answer) => answer.json()),
      send(app, "POST", "/v1/recommend", request, "k2").then((answer) => answer.json()),
      send(app, "POST", "/v1/recommend", request, "k3").then((answer) => answer.json()),
    ]);
    expect(again).toEqual(first);
    expect(other.id).not.toBe(first.id);
    expect((await send(app, "POST", "/v1/recommend", { user: "u1", k: 3 }, "k2")).status).toBe(422);
    expect((await send(app, "PUT", "/v1/streams/s2", air, "k1")).status).toBe(422);
  });

  test("of a call that was refused is free again", async () => {
    const app = appOf();
    expect((await send(app, "POST", "/v1/recommend", { user: "u1" }, "k4")).status).toBe(400);
    expect((await send(app, "POST", "/v1/recommend", { user: "u1", k: 1 }, "k4")).status).toBe(200);
  });
});
