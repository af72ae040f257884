import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClientError, LiveQClient } from "../../src/client/index.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import { type Fate, MemoryStorage, PretendServer } from "./pretend.js";

const HOUR = 3_600_000;
const START = 1.8e12;
const like = (user: string) => ({ kind: "like", user, stream: "s1" }) as const;
const beat = (watchMs: number, decision = "d1") =>
  ({ kind: "heartbeat", user: "u1", stream: "s1", watchMs, decision }) as const;

let server: PretendServer;
beforeEach(() => {
  vi.useFakeTimers({ now: START, toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  server = new PretendServer();
});
afterEach(() => vi.useRealTimers());
/** Lets time pass, and all that it sets off. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const busy = (status = 503, seconds?: string): Fate => {
  const headers: Record<string, string> = seconds === undefined ? {} : { "retry-after": seconds };
  return { status, headers, body: { error: { field: "", message: "later" } } };
};

describe("a call", () => {
  test("has a token, JSON and a key, and goes below the path of its server", async () => {
    const client = server.client({ token: "page-token" });
    await client.onAir("a/b", { streamer: "ann", category: "chess" });
    await client.offAir("a/b");
    const [put, gone] = server.arrived;
    expect(put).toMatchObject({ method: "PUT", path: "/base/v1/streams/a%2Fb", body: { streamer: "ann" } });
    expect(put!.headers).toMatchObject({ authorization: "Bearer page-token", "content-type": "application/json" });
    expect(put!.headers["idempotency-key"]).toMatch(/^\w{20}$/);
    expect(gone).toMatchObject({ method: "DELETE", body: undefined });
    expect(gone!.headers["content-type"]).toBeUndefined();
  });

  test.each([408, 425, 429, 500, 502, 503, 504, 507])("is made again after %s, under the same key", async (status) => {
    server.fates = [busy(status), "lost", "unanswered"];
    const done = server.client().update("s1", { viewers: 3 });
    await pass(60_000);
    expect(await done).toEqual({ answer: "taken" });
    expect(new Set(server.arrived.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(server.arrived).toHaveLength(3);
  });

  test.each([400, 401, 403, 404, 405, 409, 413, 415, 422])("is not made again after %s", async (status) => {
    server.fates = [{ status, body: { error: { field: "k", message: '"k" must be an integer >= 1, got 0' } } }];
    const error: ClientError = await server
      .client()
      .stats()
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ status, field: "k", message: '"k" must be an integer >= 1, got 0' });
    expect(error).toMatchObject({ fault: "refused", mayPass: false, name: "ClientError" });
    expect(server.arrived).toHaveLength(1);
  });

  test("ends with the last error when no attempt is left", async () => {
    server.fates = ["lost", "lost", busy(503)];
    const done = server
      .client({ retries: 2 })
      .stats()
      .catch((reason) => reason);
    await pass(60_000);
    expect(await done).toMatchObject({ status: 503, fault: "busy", mayPass: true, message: "later" });
  });

  test("waits as long as the server asks, and longer by chance", async () => {
    server.fates = [busy(429, "7")];
    const done = server.client({ retryMs: 100 }).stats();
    await pass(6999);
    expect(server.arrived).toHaveLength(1);
    await pass(101);
    await done;
    expect(server.arrived).toHaveLength(2);
  });

  test("reads a date to wait for, and does not wait a day", async () => {
    const headers = { date: "Sun, 29 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 29 Nov 2026 10:00:05 GMT" };
    server.fates = [{ status: 503, headers }, busy(429, "86400")];
    const done = server
      .client()
      .stats()
      .catch((reason) => reason);
    await pass(4999);
    expect(server.arrived).toHaveLength(1);
    await pass(1000);
    expect(await done).toMatchObject({ status: 429, retryAfterMs: 86_400_000 });
  });

  test("waits at random between attempts, up to a bound that doubles", async () => {
    const waits = [0, 1, 2].map(() => [] as number[]);
    for (let i = 0; i < 200; i++) {
      const own = new PretendServer();
      const times: number[] = [];
      own.fates = ["lost", "lost", "lost"];
      const fetched = own.fetch;
      const client = own.client({
        retryMs: 1000,
        fetch: ((...all: Parameters<typeof fetched>) => {
          times.push(Date.now());
          return fetched(...all);
        }) as typeof fetch,
      });
      const done = client.stats();
      await pass(10_000);
      await done;
      for (const [n, wait] of waits.entries()) wait.push(times[n + 1]! - times[n]!);
    }
    for (const [n, wait] of waits.entries()) {
      const bound = 1000 * 2 ** n;
      expect(Math.max(...wait)).toBeLessThanOrEqual(bound);
      // Of 200 uniform numbers: the largest, the least, and the mean within five of its deviations.
      expect(Math.max(...wait)).toBeGreaterThan(0.9 * bound);
      expect(Math.min(...wait)).toBeLessThan(0.1 * bound);
      expect(Math.abs(wait.reduce((a, b) => a + b) / 200 - bound / 2)).toBeLessThan((5 * bound) / Math.sqrt(12 * 200));
    }
  });

  test("is given up after its time, and tried again", async () => {
    server.latencyMs = 5000;
    const done = server
      .client({ timeoutMs: 1000, retries: 1 })
      .stats()
      .catch((reason) => reason);
    await pass(10_000);
    expect(await done).toMatchObject({
      fault: "timeout",
      status: 0,
      message: "the server did not answer within 1000 ms",
    });
  });

  test("ends with the reason of its signal, on its way and between attempts", async () => {
    server.latencyMs = 5000;
    const controller = new AbortController();
    const { signal } = controller;
    const done = server
      .client()
      .stats({ signal })
      .catch((reason) => reason);
    await pass(10);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await done).toBe(reason);
    expect(
      await server
        .client()
        .stats({ signal })
        .catch((other) => other),
    ).toBe(reason);
    server.latencyMs = 0;
    server.fates = [busy(503, "30")];
    const late = new AbortController();
    const waiting = server
      .client()
      .stats({ signal: late.signal })
      .catch((other) => other);
    await pass(10);
    late.abort(reason);
    expect(await waiting).toBe(reason);
  });

  test("does not take a page of a proxy for an answer", async () => {
    server.fates = [{ status: 200, body: "<html>sign in</html>" }];
    const error = await server
      .client()
      .stats()
      .catch((reason) => reason);
    expect(error).toMatchObject({ fault: "answer", status: 200, message: "the answer must be JSON" });
  });

  test("of rank and reward, similar streams, an export and an experiment is as the server lists it", async () => {
    const client = server.client();
    const actions = [{ id: "a" }, { id: "b", features: { size: "large" } }];
    await client.rank({ context: { hour: 21 }, actions });
    await client.rank({ eventId: "e1", actions });
    await client.reward("e/1", 0.5);
    await client.activate("e1");
    await client.similar("s1", 3);
    await client.exportUser("u1");
    await client.startExperiment({ b: "popular", name: "first" });
    await client.experiment();
    await client.stopExperiment();
    expect(server.arrived.map(({ method, path, body }) => [method, path.slice(5), body])).toEqual([
      ["POST", "/v1/rank", { eventId: expect.stringMatching(/^\w{20}$/), context: { hour: 21 }, actions }],
      ["POST", "/v1/rank", { eventId: "e1", actions }],
      ["POST", "/v1/events/e%2F1/reward", { value: 0.5 }],
      ["POST", "/v1/events/e1/activate", {}],
      ["GET", "/v1/streams/s1/similar", undefined],
      ["GET", "/v1/users/u1/export", undefined],
      ["POST", "/v1/experiment", { b: "popular", name: "first" }],
      ["GET", "/v1/experiment", undefined],
      ["DELETE", "/v1/experiment", undefined],
    ]);
  });

  test("of an unknown user has no profile", async () => {
    server.fates = [{ status: 404, body: { error: { field: "", message: "the user is not known" } } }];
    expect(await server.client().profile("nobody")).toBeUndefined();
  });
});

test("options are checked", () => {
  const given = (options: object) => () => new LiveQClient({ url: "http://x", ...options });
  expect(given({ url: "" })).toThrow('"url" must be a string of at least one character, got ""');
  expect(given({ retry: 1 })).toThrow('"retry" is not an option');
  expect(given({ batchBytes: 70_000 })).toThrow('"batchBytes" must be an integer in [1024, 60000], got 70000');
  expect(given({ storage: 7 })).toThrow('"storage" must be an object, got 7');
});

describe("queued events", () => {
  test("go together, after a while or when they are many", async () => {
    const client = server.client({ batchEvents: 3 });
    client.queue(like("u1"));
    client.queue(like("u2"));
    await pass(900);
    expect(server.taken).toHaveLength(0);
    await pass(200);
    expect(server.taken).toHaveLength(2);
    for (let i = 0; i < 7; i++) client.queue(like(`v${i}`));
    await pass(0);
    expect(server.taken.map(({ id }) => id).length).toBe(9);
    const sizes = server.arrived
      .filter(({ path }) => path === "/base/v1/events")
      .map(({ body }) => (body as []).length);
    expect(sizes).toEqual([2, 3, 3, 1]);
    expect(client.queueStats()).toEqual({ queued: 0, queuedBytes: 0, sent: 9, refused: 0, dropped: 0 });
  });

  test("count once, in their order, whatever is lost on the way", async () => {
    const fate = fc.constantFrom<Fate>("ok", "lost", "unanswered", busy(503), busy(429, "2"), busy(500));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fate, { maxLength: 30 }),
        fc.array(fc.integer({ min: 0, max: 3000 })),
        async (fates, gaps) => {
          const own = new PretendServer();
          own.fates = [...fates];
          const client = own.client({ batchEvents: 4, retryMaxMs: 2000, onError: () => {} });
          for (const [i, gap] of gaps.entries()) {
            client.queue(like(`u${i}`));
            await pass(gap);
          }
          await pass(200_000);
          expect(own.taken.map((event) => "user" in event && event.user)).toEqual(gaps.map((_, i) => `u${i}`));
          expect(client.queueStats()).toMatchObject({ queued: 0, sent: gaps.length, refused: 0, dropped: 0 });
        },
      ),
      { numRuns: 150 },
    );
  });

  test("wait while the server cannot be reached: the oldest are dropped and counted", async () => {
    const errors: unknown[] = [];
    const client = server.client({ queueEvents: 10, batchEvents: 4, onError: (error) => errors.push(error) });
    await client.stats();
    server.fates = Array(1000).fill("lost");
    for (let i = 0; i < 25; i++) {
      client.queue(like(`u${i}`));
      await pass(1000);
    }
    expect(client.queueStats()).toMatchObject({ queued: 10, dropped: 15, sent: 0 });
    expect(errors[0]).toMatchObject({ fault: "unreachable" });
    server.fates = [];
    await pass(60_000);
    expect(server.taken.map((event) => "user" in event && event.user)).toEqual(
      Array.from({ length: 10 }, (_, i) => `u${15 + i}`),
    );
    expect(client.queueStats()).toMatchObject({ queued: 0, sent: 10, dropped: 15 });
  });

  test("have a bound in bytes", async () => {
    const client = server.client({ queueBytes: 4000 });
    server.fates = Array(100).fill("lost");
    for (let i = 0; i < 100; i++) client.queue(like(`u${i}`));
    expect(client.queueStats().queuedBytes).toBeLessThanOrEqual(4000);
    expect(client.queueStats().queued + client.queueStats().dropped).toBe(100);
    expect(client.queueStats().queued).toBeGreaterThan(20);
    client.clear();
    expect(client.queueStats()).toMatchObject({ queued: 0, queuedBytes: 0 });
  });

  test("that the server does not take are told, and not sent again", async () => {
    const refused: [LiveEvent, string][] = [];
    server.judge = (event) => ("user" in event && event.user === "bad" ? "invalid" : undefined);
    const client = server.client({ onRefused: (event, { answer }) => refused.push([event, answer]) });
    client.queue(like("u1"));
    client.queue(like("bad"));
    await pass(2000);
    expect(refused).toEqual([[expect.objectContaining({ user: "bad" }), "invalid"]]);
    expect(client.queueStats()).toMatchObject({ queued: 0, sent: 2, refused: 1 });
  });

  test("that come in a body that is refused as a whole are told too", async () => {
    const refused: string[] = [];
    const client = server.client({ onRefused: (_, { message }) => refused.push(message) });
    await client.stats();
    server.fates = [{ status: 400, body: { error: { field: "", message: "the body must be JSON" } } }];
    client.queue(like("u1"));
    await pass(2000);
    expect(refused).toEqual(["the body must be JSON"]);
  });

  test("come in halves where a body is too large, and under another key where theirs was used", async () => {
    const client = server.client({ batchEvents: 8 });
    await client.stats();
    server.fates = [
      { status: 413, body: {} },
      { status: 413, body: {} },
      { status: 422, body: {} },
    ];
    for (let i = 0; i < 8; i++) client.queue(like(`u${i}`));
    await pass(60_000);
    expect(server.taken).toHaveLength(8);
    const sizes = server.arrived.slice(1).map(({ body }) => (body as []).length);
    expect(sizes).toEqual([8, 4, 2, 2, 2, 2, 2]);
    const keys = server.arrived.slice(1).map(({ headers }) => headers["idempotency-key"]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each([401, 403, 404, 415])("wait where the token or the address is wrong: %s", async (status) => {
    const client = server.client({ retryMaxMs: 20_000 });
    await client.stats();
    server.fates = [{ status, body: {} }];
    client.queue(like("u1"));
    await pass(15_000);
    expect(client.queueStats()).toMatchObject({ queued: 1, sent: 0 });
    await pass(10_000);
    expect(client.queueStats()).toMatchObject({ queued: 0, sent: 1 });
  });

  test("wait behind a page of a proxy", async () => {
    const client = server.client();
    await client.stats();
    server.fates = [
      { status: 200, body: "<html>" },
      { status: 200, body: { hello: 1 } },
    ];
    client.queue(like("u1"));
    await pass(100_000);
    expect(server.taken).toHaveLength(1);
  });

  test("are sent before a request of their user, unless that takes long", async () => {
    const client = server.client();
    client.queue(like("u1"));
    await client.recommend({ user: "u1", k: 3 });
    expect(server.arrived.map(({ path }) => path)).toEqual(["/base/live", "/base/v1/events", "/base/v1/recommend"]);
    expect(server.arrived[2]!.body).toEqual({ user: "u1", k: 3 });
    server.latencyMs = 2000;
    client.queue(like("u1"));
    const asked = client.recommend({ user: "u1", k: 3 });
    await pass(300);
    await pass(1000);
    expect(server.arrived.at(-1)!.path).toBe("/base/v1/recommend");
    await pass(2000);
    await asked;
  });

  test("obey Retry-After, also when somebody asks to send them", async () => {
    const client = server.client();
    await client.stats();
    server.fates = [busy(429, "30")];
    client.queue(like("u1"));
    await pass(2000);
    const { length } = server.arrived;
    await client.flush();
    client.beacon();
    await pass(27_000);
    expect(server.arrived).toHaveLength(length);
    await pass(5000);
    expect(server.taken).toHaveLength(1);
  });

  test("of heartbeats: a later one takes the place of one that waits, and a watch of all", async () => {
    const client = server.client();
    for (let i = 1; i <= 5; i++) {
      client.queue(beat(1000 * i));
      vi.setSystemTime(Date.now() + 100);
    }
    client.queue(beat(700, "d2"));
    expect(client.queueStats().queued).toBe(2);
    client.queue({ kind: "watch", user: "u1", stream: "s1", watchMs: 5500, decision: "d1" });
    await pass(2000);
    expect(server.taken.map((event) => "watchMs" in event && event.watchMs)).toEqual([700, 5500]);
  });
});

describe("times", () => {
  test.each([-6 * HOUR, 0, 5 * HOUR])("are the server's, where the page's clock is %s ms off", async (aheadMs) => {
    server.aheadMs = aheadMs;
    server.latencyMs = 400;
    const client = server.client();
    client.queue(like("u1"));
    await pass(2000);
    client.queue(like("u2"));
    await pass(2000);
    const [first, second] = server.taken;
    expect(first!.time - (START + aheadMs)).toBeCloseTo(0, -1);
    expect(second!.time - (START + 2000 + aheadMs)).toBeCloseTo(0, -1);
    expect(Math.abs(client.now() - (Date.now() + aheadMs))).toBeLessThan(10);
  });

  test("stay right when the clock is set back or ahead, or the machine sleeps", async () => {
    const client = server.client();
    await client.stats();
    // Set back: the server stays where it was.
    vi.setSystemTime(Date.now() - HOUR);
    server.aheadMs = HOUR;
    client.queue(like("back"));
    await pass(2000);
    expect(server.taken[0]!.time).toBe(START);
    // Set ahead.
    vi.setSystemTime(Date.now() + 3 * HOUR);
    server.aheadMs = -2 * HOUR;
    client.queue(like("ahead"));
    await pass(2000);
    expect(server.taken[1]!.time).toBe(START + 2000);
    // Asleep: the server's clock went on, and that which is never set did not.
    vi.setSystemTime(Date.now() + 8 * HOUR);
    client.queue(like("woken"));
    await pass(2000);
    expect(server.taken[2]!.time).toBe(START + 4000 + 8 * HOUR);
  });

  test("come from the header Date where there is no better, and from the page's clock where there is none", async () => {
    server.aheadMs = undefined;
    const headers = { date: new Date(START + HOUR).toUTCString() };
    server.fates = [{ status: 404, headers }];
    const client = server.client();
    await client.profile("u1");
    expect(client.now()).toBe(START + HOUR + 500);
    const other = server.client();
    other.queue(like("u1"));
    await pass(2000);
    expect(server.taken[0]!.time).toBe(START);
  });

  test("of the quickest answer count, until a clock drifts", async () => {
    server.aheadMs = HOUR;
    const client = server.client();
    await client.stats();
    server.latencyMs = 3000;
    // Its answer comes after two thirds of the round trip, not a half.
    server.aheadMs = HOUR - 500;
    const done = client.stats();
    await pass(3000);
    await done;
    expect(client.now()).toBe(Date.now() + HOUR);
  });

  test("of events that were sent at once are the server's too", async () => {
    server.aheadMs = -HOUR;
    const client = server.client();
    const answer = await client.events([like("u1"), { ...like("u2"), time: 5, id: "mine" }]);
    expect(answer).toMatchObject({ accepted: 2 });
    expect(server.taken).toMatchObject([{ time: START - HOUR }, { time: 5, id: "mine" }]);
    expect(server.taken[0]!.id).toMatch(/^\w{20}-0$/);
  });
});

describe("a storage", () => {
  test("keeps what a page could not send, for the next one", async () => {
    const storage = new MemoryStorage();
    server.fates = Array(100).fill("lost");
    const first = server.client({ storage });
    first.queue(like("u1"));
    await pass(500);
    first.queue(like("u2"));
    await first.close();
    await pass(500);
    expect([...storage.items.keys()]).toEqual([expect.stringMatching(/^liveq\.queue\.\w{20}$/)]);
    server.fates = [];
    const second = server.client({ storage });
    second.queue(like("u3"));
    await pass(3000);
    expect(server.taken.map((event) => "user" in event && event.user)).toEqual(["u1", "u2", "u3"]);
    expect(storage.items.size).toBe(0);
  });

  test("shared by pages that are open at once counts nothing twice", async () => {
    const storage = new MemoryStorage();
    const first = server.client({ storage, batchMs: 3000 });
    await first.stats();
    first.queue(like("u1"));
    await pass(500);
    const second = server.client({ storage });
    second.queue(like("u2"));
    await pass(10_000);
    expect(server.taken.map((event) => "user" in event && event.user).sort()).toEqual(["u1", "u2"]);
    expect(first.queueStats()).toMatchObject({ queued: 0, refused: 0 });
    expect(storage.items.size).toBe(0);
  });

  test("of another program or of long ago is left alone", async () => {
    const storage = new MemoryStorage();
    storage.items.set("other", "1");
    storage.items.set("liveq.queue.a", "{");
    storage.items.set(
      "liveq.queue.b",
      JSON.stringify({ at: START - 30 * HOUR, items: [[{ kind: "like", id: "x", time: 1 }, 0]] }),
    );
    storage.items.set(
      "liveq.queue.c",
      JSON.stringify({ at: START, items: [null, [], [{}, 1], [{ kind: "like", id: 5, time: 1 }, 0]] }),
    );
    const client = server.client({ storage });
    client.queue(like("u1"));
    await pass(3000);
    expect(server.taken).toHaveLength(1);
    expect([...storage.items]).toEqual([["other", "1"]]);
  });

  test("that fails does no harm, and is told", async () => {
    const errors: unknown[] = [];
    const broken = () => {
      throw new Error("forbidden");
    };
    const storage = { getItem: broken, setItem: broken, removeItem: broken, keys: broken };
    const client = server.client({ storage, onError: (error) => errors.push(error) });
    client.queue(like("u1"));
    await pass(3000);
    expect(server.taken).toHaveLength(1);
    expect(errors[0]).toMatchObject({ message: "forbidden" });
  });
});

describe("a beacon", () => {
  test("sends what waits behind the back of a page that ends, in parts of at most 64 KiB together", async () => {
    const client = server.client({ batchBytes: 20_000, batchEvents: 1000, batchMs: 60_000, queueEvents: 5000 });
    await client.stats();
    const title = "x".repeat(200);
    for (let i = 0; i < 60; i++) client.queue({ kind: "update", stream: `s${i}`, title });
    client.beacon();
    await pass(0);
    const sizes = server.arrived.slice(1).map(({ body, keepalive }) => [JSON.stringify(body).length, keepalive]);
    expect(sizes.length).toBeGreaterThan(0);
    for (const [size, keepalive] of sizes) expect([(size as number) <= 20_000, keepalive]).toEqual([true, true]);
    expect(server.taken).toHaveLength(60);
    const many = server.client({ batchBytes: 60_000, batchEvents: 1000, batchMs: 60_000, queueEvents: 5000 });
    await many.stats();
    const before = server.arrived.length;
    for (let i = 0; i < 600; i++) many.queue({ kind: "update", stream: `t${i}`, title });
    many.beacon();
    await pass(0);
    const beacons = server.arrived.slice(before).filter(({ keepalive }) => keepalive);
    expect(beacons.length).toBeGreaterThan(0);
    const together = beacons.reduce((sum, { body }) => sum + JSON.stringify(body).length, 0);
    expect(together).toBeLessThanOrEqual(65_536);
    await pass(120_000);
    expect(server.taken).toHaveLength(660);
  });

  test("repeats what is on its way, and counts it once", async () => {
    const client = server.client();
    await client.stats();
    server.latencyMs = 1000;
    client.queue(like("u1"));
    await pass(1100);
    client.beacon();
    await pass(5000);
    const sent = server.arrived.filter(({ path }) => path.endsWith("events"));
    expect(sent.map(({ keepalive }) => keepalive)).toEqual([false, true]);
    expect(sent[0]!.headers["idempotency-key"]).toBe(sent[1]!.headers["idempotency-key"]);
    expect(server.taken).toHaveLength(1);
    expect(client.queueStats()).toMatchObject({ queued: 0, sent: 1 });
  });

  test("that fails leaves its events to a page that goes on", async () => {
    const client = server.client();
    await client.stats();
    server.fates = ["lost"];
    client.queue(like("u1"));
    client.beacon();
    await pass(60_000);
    expect(server.taken).toHaveLength(1);
    expect(client.queueStats()).toMatchObject({ queued: 0, sent: 1 });
  });
});
