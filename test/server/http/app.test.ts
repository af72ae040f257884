import { createHash } from "node:crypto";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { Edge } from "../../../src/server/edge/edge.js";
import { LocalLearner } from "../../../src/server/edge/local.js";
import { beginning } from "../../../src/server/edge/start.js";
import { type EdgeApp, edgeApp } from "../../../src/server/http/app.js";
import { DECISION_TYPE, REQUEST_TYPE } from "../../../src/server/http/binary.js";
import type { EdgeAppOptions } from "../../../src/server/http/options.js";
import { ROUTES } from "../../../src/server/http/table.js";
import { MemoryStore, openLog, StorageError, type StoredBlock } from "../../../src/storage/index.js";

// biome-ignore lint/suspicious/noExplicitAny: the answer of any route
type Json = any;

class Disk extends MemoryStore {
  isFull = false;
  override append(block: StoredBlock): void {
    if (this.isFull) throw new StorageError("full", "no space is left");
    super.append(block);
  }
}

let time = 1e12;
const disk = new Disk();
let edge: Edge;
let app: EdgeApp;
const appOf = (options: Partial<EdgeAppOptions> = {}) => edgeApp({ edge, now: () => time, ...options });
beforeAll(async () => {
  const { file, sequence } = beginning(undefined, { seed: 1, warmupUpdates: 10, learner: { learningStarts: 10 } });
  const learner = new LocalLearner(file, sequence, { modelUpdates: 10 });
  edge = await Edge.open({ log: openLog(disk), learner, file, sequence, now: () => time });
  app = appOf();
});
afterAll(() => edge.close());

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  to = app,
): Promise<{
  status: number; // biome-ignore lint/suspicious/noExplicitAny: of any route
  body: any;
  headers: Headers;
}> {
  const init: RequestInit = { method, headers: { "content-type": "application/json", ...headers } };
  if (body !== undefined) init.body = typeof body === "string" ? body : JSON.stringify(body);
  const response = await to.fetch(new Request(`http://x${path}`, init));
  if (response.headers.get("content-type") === "text/event-stream") {
    // It has no end: whoever goes ends it.
    await response.body!.cancel();
    return { status: response.status, body: "", headers: response.headers };
  }
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
}

describe("streams, requests and events", () => {
  test("a stream goes on air, changes, is shown, and goes off air", async () => {
    expect(await ask("PUT", "/v1/streams/s1", { streamer: "ann", category: "chess" })).toMatchObject({
      status: 200,
      body: { answer: "taken" },
    });
    await ask("PUT", "/v1/streams/s%2F2", { streamer: "bob", category: "talk", tags: ["a"] });
    expect((await ask("PATCH", "/v1/streams/s1", { viewers: 20 })).body).toEqual({ answer: "taken" });
    const { status, body } = await ask("POST", "/v1/recommend", { user: "u1", k: 5 });
    expect([status, body.user, [...body.slate].sort(), body.propensities.length]).toEqual([
      200,
      "u1",
      ["s/2", "s1"],
      2,
    ]);
    const click = { kind: "click", time, user: "u1", stream: body.slate[0], decision: body.id };
    expect((await ask("POST", "/v1/events", [click])).body).toMatchObject({ accepted: 1, faults: [] });
    expect((await ask("GET", "/v1/users/u1")).body).toMatchObject({ firstSeen: time });
    expect((await ask("DELETE", "/v1/streams/s%2F2")).body).toEqual({ answer: "taken" });
    expect((await ask("POST", "/v1/recommend", { user: "u1", k: 5 })).body.slate).toEqual(["s1"]);
  });

  test("a batch is answered one by one", async () => {
    const requests = [
      { user: "u1", k: 1 },
      { user: "u1", k: 0 },
      { user: "u2", k: 1, filter: { blocked: ["ann"] } },
      7,
    ];
    const { status, body } = await ask("POST", "/v1/recommend/batch", { requests });
    expect(status).toBe(200);
    expect(body.decisions.map(({ slate, error }: Record<string, Json>) => slate ?? error.field)).toEqual([
      ["s1"],
      "requests.1.k",
      [],
      "requests.3.",
    ]);
    for (const bad of [{}, { requests: [] }, { requests: Array(101).fill({}) }, { requests: [{}], more: 1 }]) {
      expect((await ask("POST", "/v1/recommend/batch", bad)).status).toBe(400);
    }
  });

  test("events of a batch are answered one by one, and a key is answered once", async () => {
    const like = { kind: "like", time, user: "u9", stream: "s1", id: "like-1" };
    const events = [like, like, { ...like, stream: "s7" }, { kind: "like" }, { ...like, id: "far", time: time + 1e9 }];
    const first = await ask("POST", "/v1/events", events, { "idempotency-key": "a" });
    expect(first.body).toMatchObject({ accepted: 1, duplicates: 1, rejected: 3 });
    expect(first.body.faults.map(({ index, answer }: Record<string, Json>) => [index, answer])).toEqual([
      ...[
        [1, "duplicate"],
        [2, "conflict"],
        [3, "invalid"],
        [4, "invalid"],
      ],
    ]);
    expect((await ask("POST", "/v1/events", events, { "idempotency-key": "a" })).body).toEqual(first.body);
    expect((await ask("POST", "/v1/events", [like], { "idempotency-key": "a" })).status).toBe(422);
    expect((await ask("POST", "/v1/events", [like], { "idempotency-key": "b" })).body).toMatchObject({ duplicates: 1 });
    expect((await ask("POST", "/v1/events", [like], { "idempotency-key": "a b" })).status).toBe(400);
    const lines = `${JSON.stringify({ ...like, id: "l1" })}\n\n${JSON.stringify({ ...like, id: "l2" })}\n`;
    expect((await ask("POST", "/v1/events", lines, { "content-type": "application/x-ndjson" })).body.accepted).toBe(2);
  });

  test("a user is read and forgotten", async () => {
    await ask("POST", "/v1/recommend", { user: "gone", k: 1 });
    expect((await ask("GET", "/v1/users/gone")).status).toBe(200);
    expect((await ask("DELETE", "/v1/users/gone")).body).toEqual({ wasKnown: true });
    expect((await ask("GET", "/v1/users/gone")).status).toBe(404);
  });

  test("where no space is left, events get 507 and requests their slates", async () => {
    disk.isFull = true;
    const like = { kind: "like", time, user: "u9", stream: "s1", id: "full" };
    expect((await ask("POST", "/v1/events", like, { "idempotency-key": "full" })).status).toBe(507);
    expect((await ask("POST", "/v1/recommend", { user: "u1", k: 1 })).status).toBe(200);
    disk.isFull = false;
    expect((await ask("POST", "/v1/events", like, { "idempotency-key": "full" })).body.accepted).toBe(1);
  });
});

test("the head of any route may be asked for, also with an idempotency key", async () => {
  for (const { method, path } of ROUTES) {
    const { status } = await ask("HEAD", path.replaceAll(/\{\w+\}/g, "a"), undefined, { "idempotency-key": "head" });
    expect(status, path).toBeLessThan(500);
    if (method === "GET" && !path.includes("{")) expect([200, 404], path).toContain(status);
  }
});

test("models are listed, and one goes back to one of them", async () => {
  for (let i = 0; i < 60; i++) {
    time += 60_000;
    const { body } = await ask("POST", "/v1/recommend", { user: `u${i % 5}`, k: 1 });
    const about = { user: `u${i % 5}`, stream: "s1", decision: body.id, time };
    await ask("POST", "/v1/events", [
      { kind: "click", ...about },
      { kind: "watch", watchMs: 0, ...about },
    ]);
  }
  await edge.settled();
  const { body } = await ask("GET", "/v1/models");
  expect(body.models.length).toBeGreaterThan(2);
  expect(body.model).toBe(body.models.at(-1).version);
  expect((await ask("POST", "/v1/models/rollback")).body).toMatchObject({ model: body.model - 1, isPinned: true });
  for (const version of [1e6, "x", 1.5, null]) {
    const answer = await ask("POST", "/v1/models/rollback", { version });
    expect([answer.status, answer.body.error.field]).toEqual([400, "version"]);
  }
  const wrong = await ask("POST", "/v1/models/rollback", { version: 1, more: 1 });
  expect([wrong.status, wrong.body.error.field]).toEqual([400, "more"]);
  // Bit for bit: the same values of the same streams, whenever one comes back, and those of that model alone.
  const hashOf = async (version: number) => {
    expect((await ask("POST", "/v1/models/rollback", { version })).body.model).toBe(version);
    const hashes = await Promise.all(
      ["u0", "u1", "u2", "nobody"].map(async (user) => (await ask("POST", "/v1/preview", { user, k: 5 })).body.scores),
    );
    return createHash("sha256").update(Float64Array.from(hashes.flat())).digest("hex");
  };
  const versions = body.models.map((model: { version: number }) => model.version) as number[];
  const there: string[] = [];
  for (const version of versions) there.push(await hashOf(version));
  const back: string[] = [];
  for (const version of [...versions].reverse()) back.push(await hashOf(version));
  expect(back.reverse()).toEqual(there);
  expect(new Set(there).size).toBe(there.length);
  expect((await ask("POST", "/v1/models/release")).body).toMatchObject({ isPinned: false });
  expect((await ask("GET", "/v1/stats")).body).toMatchObject({ recommender: { onAir: 1 } });
});

describe("what is refused", () => {
  test("bodies that are no JSON, no object, too large, or of another type, and routes and methods that are not there", async () => {
    const post = (body: unknown, headers = {}) => ask("POST", "/v1/recommend", body, headers);
    expect((await post("{")).status).toBe(400);
    expect((await post("[]")).status).toBe(400);
    expect((await post(`${'{"a":'.repeat(20)}1${"}".repeat(20)}`)).status).toBe(400);
    expect((await post({ user: "u", k: 1 }, { "content-type": "text/plain" })).status).toBe(415);
    expect(
      (await ask("POST", "/v1/recommend", { user: "u".repeat(300), k: 1 }, {}, appOf({ maxBytes: 100 }))).status,
    ).toBe(413);
    expect(await post({ user: "u" })).toMatchObject({ status: 400, body: { error: { field: "k" } } });
    expect(await post({ user: "u", k: 1, now: 5 })).toMatchObject({ status: 400, body: { error: { field: "now" } } });
    expect((await ask("GET", "/v1/recommend")).status).toBe(405);
    expect((await ask("GET", "/v1/recommend")).headers.get("allow")).toBe("POST");
    expect((await ask("GET", "/nothing")).status).toBe(404);
  });

  test("more requests than may wait", async () => {
    const small = appOf({ maxRequests: 1 });
    const like = { kind: "like", time, user: "u9", stream: "s1" };
    const answers = await Promise.all([
      ask("POST", "/v1/events", like, {}, small),
      ask("GET", "/live", undefined, {}, small),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 503]);
    expect(answers[1]!.headers.get("retry-after")).toBe("1");
  });

  test("requests without a token, with an unknown one, or one of other scopes: on every route", async () => {
    const secret = (name: string) => `${name}-0123456789abcdef`;
    const scopes = ["recommend", "events", "read", "admin"] as const;
    const guarded = appOf({ tokens: scopes.map((scope) => ({ secret: secret(scope), scopes: [scope] })) });
    const bearer = (name: string) => ({ authorization: `Bearer ${secret(name)}` });
    for (const { method, path, scope } of ROUTES) {
      const status = async (headers = {}) => {
        const given = method === "GET" || method === "DELETE" ? undefined : {};
        return (await ask(method, path.replace(/\{\w+\}/, "zz"), given, headers, guarded)).status;
      };
      if (scope === undefined) {
        // No platform of this name is followed.
        expect(await status(), path).toBe(path.startsWith("/v1/connect/") ? 404 : 200);
        continue;
      }
      expect(
        [await status(), await status(bearer("other")), await status({ authorization: `Basic ${secret(scope)}` })],
        path,
      ).toEqual([401, 401, 401]);
      for (const other of scopes) if (other !== scope) expect(await status(bearer(other)), path).toBe(403);
      expect([401, 403]).not.toContain(await status(bearer(scope)));
    }
    expect(() => appOf({ tokens: [{ secret: "short", scopes: [] }] })).toThrow(
      '"tokens.0.secret" must have at least 16',
    );
    expect(() => appOf({ tokens: [{ secret: secret("x"), scopes: ["all" as "read"] }] })).toThrow(
      '"tokens.0.scopes" must be of',
    );
  });

  test("random bodies on all routes: never a 5xx, and the learner stays as it is", async () => {
    const random = Random.named(1, "fuzz");
    await edge.settled();
    const before = JSON.stringify(edge.recommenderStats());
    const words = [
      "user",
      "k",
      "kind",
      "time",
      "stream",
      "filter",
      "candidates",
      "version",
      "requests",
      "explain",
      "id",
      "x",
      ...["actions", "features", "context", "eventId", "value", "exploration", "policy", "name", "a", "b", "model"],
    ];
    const value = (depth: number): unknown => {
      const which = random.below(depth > 3 ? 6 : 8);
      if (which === 0) return random.pick([0, -1, 1e308, 1.5, 2 ** 53, null]);
      if (which === 1) return random.pick(["", "u1", "s1", "\u0000", "💥", "x".repeat(300), "__proto__"]);
      if (which < 4) return random.pick([true, false, null, []]);
      if (which < 6) return random.pick([{}, [{}], [[]], { kind: "like" }, [{ id: "x" }], "popular"]);
      if (which === 6) return Array.from({ length: random.below(4) }, () => value(depth + 1));
      return Object.fromEntries(Array.from({ length: random.below(5) }, () => [random.pick(words), value(depth + 1)]));
    };
    const tried: Record<number, number> = {};
    const routes = ROUTES.filter(({ name }) => !["rollback", "release", "forget", "offAir"].includes(name));
    for (let i = 0; i < Number(process.env["FUZZ_BODIES"] ?? 2000); i++) {
      const { method, path } = random.pick(routes);
      const body =
        method === "GET"
          ? undefined
          : random.bernoulli(0.2)
            ? JSON.stringify(value(0)).slice(0, random.below(30))
            : value(0);
      const { status } = await ask(method, path.replace(/\{\w+\}/, "zz"), body);
      tried[status] = (tried[status] ?? 0) + 1;
      expect(status, JSON.stringify(body)).toBeLessThan(500);
    }
    console.log("answers to random bodies:", tried);
    // What was valid by chance was a request or an event, so compare what only learning changes.
    expect(JSON.parse(before).transitions).toBe(edge.recommenderStats().transitions);
  });
});

describe("the binary form of a request", () => {
  const text = (value: string) => [
    Buffer.byteLength(value) & 255,
    Buffer.byteLength(value) >> 8,
    ...Buffer.from(value),
  ];
  const post = async (bytes: readonly number[]) => {
    const headers = { "content-type": REQUEST_TYPE };
    return app.fetch(new Request("http://x/v1/recommend", { method: "POST", headers, body: Uint8Array.from(bytes) }));
  };

  test("gets the same slate as JSON would", async () => {
    await ask("PUT", "/v1/streams/zwölf", { streamer: "z", category: "talk" });
    const response = await post([1, 0, 1, 0, ...text("ü1"), 2, 0, ...text("zwölf"), ...text("none")]);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, DECISION_TYPE]);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([bytes[0], bytes[1], bytes.readUInt16LE(2), bytes.readDoubleLE(4)]).toEqual([1, 0, 1, time]);
    const id = bytes.subarray(14, 14 + bytes.readUInt16LE(12)).toString();
    let at = 14 + bytes.readUInt16LE(12);
    expect(bytes.readFloatLE(at)).toBe(1);
    expect(bytes.subarray(at + 10).toString()).toBe("zwölf");
    at += 10 + bytes.readUInt16LE(at + 8);
    expect(at).toBe(bytes.length);
    const click = { kind: "click", time, user: "ü1", stream: "zwölf", decision: id };
    expect((await ask("POST", "/v1/events", click)).body.accepted).toBe(1);
    const all = await post([1, 0, 9, 0, ...text("u1"), 255, 255]);
    expect(Buffer.from(await all.arrayBuffer()).readUInt16LE(2)).toBe(edge.recommenderStats().onAir);
    await ask("DELETE", "/v1/streams/zw%C3%B6lf");
  });

  test("is refused where it is cut off, too long, or of another version: never a 5xx", async () => {
    const whole = [1, 0, 1, 0, ...text("u1"), 1, 0, ...text("s1")];
    for (let length = 0; length < whole.length; length++) expect((await post(whole.slice(0, length))).status).toBe(400);
    for (const bad of [
      [...whole, 0],
      [2, ...whole.slice(1)],
      [1, 1, ...whole.slice(2)],
      [1, 0, 0, 0, ...text("u"), 0, 0],
    ]) {
      expect((await post(bad)).status).toBe(400);
    }
    expect((await post([1, 0, 1, 0, 1, 0, 0xff, 0, 0])).status).toBe(400);
    const random = Random.named(2, "bytes");
    for (let i = 0; i < 300; i++) {
      const bytes = whole.map((byte) => (random.bernoulli(0.2) ? random.below(256) : byte));
      expect((await post(bytes)).status).toBeLessThan(500);
    }
  });
});

describe("ranking, experiments and candidates", () => {
  test("an action is chosen, gets its reward once, and is counted", async () => {
    const body = { eventId: "r1", context: { device: "tv" }, actions: [{ id: "a", features: { x: 1 } }, { id: "b" }] };
    const first = await ask("POST", "/v1/rank", body);
    expect([first.status, first.body.eventId, first.body.ranking.length]).toEqual([200, "r1", 2]);
    expect((await ask("POST", "/v1/rank", body)).body).toEqual(first.body);
    expect((await ask("POST", "/v1/rank", { ...body, context: {} })).status).toBe(409);
    const wrong = await ask("POST", "/v1/rank", { ...body, actions: [{ id: "a", features: 7 }] });
    expect([wrong.status, wrong.body.error.field]).toEqual([400, "actions.0.features"]);
    const reward = (value: unknown, event = "r1") => ask("POST", `/v1/events/${event}/reward`, { value });
    expect((await reward(1)).body).toEqual({ answer: "taken" });
    expect((await reward(1)).body).toEqual({ answer: "duplicate" });
    expect([(await reward(2)).status, (await reward(1, "zz")).status, (await reward("1")).status]).toEqual([
      409, 404, 400,
    ]);
    await ask("POST", "/v1/rank", { ...body, eventId: "r2", deferActivation: true });
    expect((await reward(1, "r2")).status).toBe(409);
    expect((await ask("POST", "/v1/events/r2/activate")).body).toEqual({ answer: "taken" });
    expect((await reward(1, "r2")).body).toEqual({ answer: "taken" });
    expect((await ask("GET", "/v1/rank")).body).toMatchObject({ choices: 2, rewards: 2, isApprentice: false });
    expect((await ask("POST", "/v1/rank/graduate")).status).toBe(200);
    disk.isFull = true;
    await ask("POST", "/v1/rank", { ...body, eventId: "r3" });
    expect((await reward(1, "r3")).status).toBe(507);
    disk.isFull = false;
    expect((await reward(1, "r3")).body).toEqual({ answer: "taken" });
  });

  test("an experiment starts, reports and ends; a candidate scores in the shadow", async () => {
    expect((await ask("GET", "/v1/experiment")).status).toBe(404);
    const started = await ask("POST", "/v1/experiment", { name: "x", b: "popular" });
    expect(started.body).toMatchObject({
      options: { name: "x", b: "popular" },
      open: 0,
      result: { status: "running" },
    });
    await ask("POST", "/v1/recommend", { user: "u1", k: 1 });
    expect((await ask("GET", "/v1/experiment")).body.open).toBe(1);
    for (const [body, field] of [
      [{ name: "x", b: "best" }, "b"],
      [{ name: "x", b: "popular", share: 7 }, "share"],
      [{ name: "x", b: { model: 1e9 } }, "b"],
      [{ name: "x", b: "popular", windowMs: 0 }, "windowMs"],
    ] as const) {
      const { status, body: answer } = await ask("POST", "/v1/experiment", body);
      expect([status, answer.error.field]).toEqual([400, field]);
    }
    expect((await ask("DELETE", "/v1/experiment")).body.options.name).toBe("x");
    expect((await ask("DELETE", "/v1/experiment")).status).toBe(404);
    expect((await ask("GET", "/v1/shadow")).status).toBe(404);
    expect((await ask("POST", "/v1/shadow", { model: "best" })).status).toBe(400);
    expect((await ask("POST", "/v1/shadow", { model: 1e9 })).status).toBe(400);
    expect((await ask("POST", "/v1/shadow", { model: "newest" })).body).toMatchObject({
      candidate: "newest",
      requests: 0,
    });
    await ask("POST", "/v1/recommend", { user: "u1", k: 1 });
    expect((await ask("GET", "/v1/shadow")).body.sameBest).toBe(1);
    expect((await ask("GET", "/metrics")).body).toContain("liveq_shadow_same_best 1");
    expect((await ask("DELETE", "/v1/shadow")).status).toBe(200);
  });

  test("streams like one are found, and all that is held of a user is exported", async () => {
    await ask("PUT", "/v1/streams/s3", { streamer: "cy", category: "chess" });
    await ask("PUT", "/v1/streams/s4", { streamer: "dee", category: "talk" });
    expect((await ask("GET", "/v1/streams/s1/similar?k=1")).body).toEqual({ streams: ["s3"] });
    expect((await ask("GET", "/v1/streams/none/similar")).status).toBe(404);
    for (const k of ["0", "101", "x", "1.5"])
      expect((await ask("GET", `/v1/streams/s1/similar?k=${k}`)).status).toBe(400);
    const { body: decision } = await ask("POST", "/v1/recommend", { user: "me", k: 2 });
    await ask("POST", "/v1/events", { kind: "like", time, user: "me", stream: "s1", id: "mine" });
    await edge.settled();
    const { body } = await ask("GET", "/v1/users/me/export");
    expect(body).toMatchObject({ user: "me", profile: { firstSeen: time }, waiting: [{ id: decision.id }] });
    expect(body.log).toBeInstanceOf(Array);
    expect((await ask("GET", "/v1/users/nobody/export")).status).toBe(404);
    for (const stream of ["s3", "s4"]) await ask("DELETE", `/v1/streams/${stream}`);
  });
});

test("the OpenAPI document has every route, and its schemas take what the server takes", async () => {
  const { body } = await ask("GET", "/openapi.json");
  expect(body.openapi).toBe("3.1.0");
  for (const { path, method } of ROUTES) expect(body.paths[path][method.toLowerCase()].operationId).toBeDefined();
  const ajv = new Ajv2020({ strict: false });
  const request = ajv.compile(body.paths["/v1/recommend"].post.requestBody.content["application/json"].schema);
  expect([request({ user: "u", k: 3 }), request({ user: "u" }), request({ k: 3 })]).toEqual([true, false, false]);
  const event = ajv.compile(body.components.schemas.event);
  expect([event({ kind: "like", time: 1, user: "u", stream: "s" }), event({ kind: "like" })]).toEqual([true, false]);
  expect((await ask("GET", "/schemas.json")).body).toHaveProperty("decision");
});

test("metrics are what Prometheus reads, and a server that stops is not ready", async () => {
  const { body, headers } = await ask("GET", "/metrics");
  expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  for (const line of body.trimEnd().split("\n")) {
    expect(line).toMatch(
      /^(?:# (?:HELP|TYPE) liveq_\w+ .+|liveq_\w+(?:\{(?:\w+="[^"]*",?)+\})? (?:[-+\d.e]+|NaN|[-+]Inf))$/,
    );
  }
  expect(body).toContain('liveq_events_refused_total{reason="conflict"}');
  expect(body).toMatch(/liveq_request_seconds_bucket\{route="\/v1\/recommend",le="\+Inf"\} \d+/);
  const own = appOf();
  expect((await ask("GET", "/ready", undefined, {}, own)).status).toBe(200);
  own.drain();
  expect((await ask("GET", "/ready", undefined, {}, own)).status).toBe(503);
  expect((await ask("GET", "/live", undefined, {}, own)).status).toBe(200);
});
