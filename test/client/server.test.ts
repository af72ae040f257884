import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ClientError,
  type EventFault,
  type EventsAnswer,
  LiveQClient,
  type ModelsAnswer,
  type RankModelsAnswer,
  type RankReportAnswer,
  type ServerCounts,
  type ShadowAnswer,
} from "../../src/client/index.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import {
  type Edge,
  type EdgeApp,
  type EdgeAppOptions,
  type EdgeStats,
  edgeApp,
  type IngestAnswer,
  memoryEdge,
  type RankReport,
  type RankService,
} from "../../src/server/index.js";

const ADMIN = "a-token-that-may-do-all";
const PAGE = "a-token-for-a-page";
const TOKENS: EdgeAppOptions["tokens"] = [
  { secret: ADMIN, scopes: ["recommend", "events", "read", "admin"] },
  { secret: PAGE, scopes: ["recommend", "events"] },
];
/** The server's clock: far from the host's. */
const AHEAD_MS = 30 * 86_400_000;

let edge: Edge;
let app: EdgeApp;
const now = () => Date.now() + AHEAD_MS;
beforeEach(async () => {
  edge = await memoryEdge({ recommender: { seed: 1 }, now });
  app = edgeApp({ edge, tokens: TOKENS, now, maxEvents: 50 });
});
afterEach(() => edge.close());

/** @param lose - Says of each request whether it, or its answer, is lost. */
function clientOf(token: string | undefined, lose: () => "no" | "request" | "answer" = () => "no", rest: object = {}) {
  const send = async (url: string, init: RequestInit) => {
    const fate = lose();
    if (fate === "request") throw new TypeError("fetch failed");
    const { keepalive: _, ...plain } = init;
    const response = await app.fetch(new Request(url, plain));
    if (fate === "answer") throw new TypeError("fetch failed");
    return response;
  };
  const options = { url: "http://server", retryMs: 1, retryMaxMs: 2, batchMs: 1, ...rest };
  return new LiveQClient({ ...options, token, fetch: send as typeof fetch });
}

describe("a client of a server in this process", () => {
  test("makes each call of it", async () => {
    const client = clientOf(ADMIN);
    expect(await client.onAir("s/1", { streamer: "ann", category: "chess", tags: ["blitz"] })).toEqual({
      answer: "taken",
    });
    await client.onAir("s2", { streamer: "bob", category: "talk" });
    expect(await client.update("s/1", { viewers: 12 })).toEqual({ answer: "taken" });
    const decision = await client.recommend({ user: "u/1", k: 5 });
    expect([...decision.slate].sort()).toEqual(["s/1", "s2"]);
    const about = { user: "u/1", stream: "s/1", decision: decision.id };
    const answer = await client.events([
      { kind: "click", ...about },
      { kind: "watch", ...about, watchMs: 1000 },
      { kind: "watch", ...about, watchMs: -1 },
    ]);
    expect(answer).toMatchObject({
      accepted: 2,
      rejected: 1,
      faults: [{ index: 2, field: "watchMs", answer: "invalid" }],
    });
    expect(await client.offAir("s2")).toEqual({ answer: "taken" });
    const slates = await client.recommendBatch([
      { user: "u2", k: 3 },
      { user: "u2", k: 0 },
    ]);
    expect(slates).toMatchObject([{ slate: ["s/1"] }, { error: { field: "requests.1.k" } }]);
    expect(await client.profile("u/1")).toMatchObject({ lastSeen: expect.any(Number) });
    expect(await client.profile("nobody")).toBeUndefined();
    expect(await client.forget("u/1")).toEqual({ wasKnown: true });
    expect(await client.models()).toMatchObject({ models: [{ version: 0 }], model: 0 });
    expect(await client.rollback(0)).toMatchObject({ isPinned: true });
    expect(await client.release()).toMatchObject({ isPinned: false });
    expect(await client.stats()).toMatchObject({ requests: 2, recommender: { onAir: 1 } });
    expect(Math.abs(client.now() - now())).toBeLessThan(1000);
  });

  test("ranks, exports and compares", async () => {
    const client = clientOf(ADMIN);
    await client.onAir("s1", { streamer: "ann", category: "chess" });
    await client.onAir("s2", { streamer: "bob", category: "chess" });
    expect(await client.similar("s1", 5)).toEqual(["s2"]);
    expect(await client.similar("s9")).toBeUndefined();
    const actions = [{ id: "hero", features: { size: "large" } }, { id: "grid" }];
    const { eventId, ranking, rewardActionId } = await client.rank({ context: { hour: 21 }, actions });
    expect(ranking[0]!.id).toBe(rewardActionId);
    expect(await client.reward(eventId, 1)).toEqual({ answer: "taken" });
    expect(await client.reward(eventId, 1)).toEqual({ answer: "duplicate" });
    expect(await client.reward(eventId, 2).catch((error: unknown) => error)).toMatchObject({ status: 409 });
    await client.recommend({ user: "u1", k: 1 });
    expect(await client.exportUser("u1")).toMatchObject({ profile: expect.anything() });
    expect(await client.exportUser("nobody")).toBeUndefined();
    expect(await client.experiment()).toBeUndefined();
    expect(await client.startExperiment({ name: "first", b: "popular" })).toMatchObject({ open: 0 });
    expect(await client.experiment()).toMatchObject({ options: { b: "popular" } });
    expect(await client.stopExperiment()).toMatchObject({ options: { name: "first" } });
  });

  test("operates models, shadow and ranking", async () => {
    const client = clientOf(ADMIN);
    expect(await client.shadow()).toBeUndefined();
    expect(await client.startShadow("newest")).toMatchObject({ candidate: "newest", requests: 0, sameBest: null });
    expect(await client.startShadow({ model: 0 })).toMatchObject({ candidate: { model: 0 } });
    expect(await client.shadow()).toMatchObject({ candidate: { model: 0 } });
    expect(await client.startShadow({ model: 7 }).catch((error: unknown) => error)).toMatchObject({
      ...{ status: 400, field: "model" },
    });
    expect(await client.stopShadow()).toMatchObject({ candidate: { model: 0 } });
    expect(await client.rankReport()).toMatchObject({ isApprentice: false, model: 0, meanReward: null });
    expect(await client.graduate()).toMatchObject({ isApprentice: false });
    expect(await client.rankModels()).toMatchObject({ models: [{ version: 0, updates: 0, loss: null }], model: 0 });
    expect(await client.rankRollback(0)).toMatchObject({ model: 0, isPinned: true });
    expect(await client.rankRollback().catch((error: unknown) => error)).toMatchObject({
      ...{ status: 400, field: "version" },
    });
    expect(await client.rankRelease()).toMatchObject({ isPinned: false });
  });

  test("is told what is wrong: field, message and status", async () => {
    const client = clientOf(ADMIN);
    const failed = (call: Promise<unknown>) =>
      call.then(
        () => undefined,
        (error: ClientError) => error,
      );
    const wrong = await failed(client.recommend({ user: "u1", k: 0 }));
    expect(wrong).toBeInstanceOf(ClientError);
    expect(wrong).toMatchObject({ status: 400, field: "k", message: '"k" must be an integer >= 1, got 0' });
    expect(await failed(client.events([{ kind: "like", user: "", stream: "s" }]))).toMatchObject({
      status: 400,
      field: "user",
      answer: { accepted: 0, rejected: 1 },
    });
    const many = Array.from({ length: 51 }, () => ({ kind: "like", user: "u", stream: "s" }) as const);
    expect(await failed(client.events(many))).toMatchObject({ status: 413 });
    expect(await failed(client.rollback(9))).toMatchObject({ status: 400, field: "version" });
    expect(await failed(clientOf(undefined).recommend({ user: "u1", k: 1 }))).toMatchObject({ status: 401 });
    expect(await failed(clientOf("a-token-nobody-knows").stats())).toMatchObject({ status: 401 });
  });

  test("with a page's token asks for slates and sends events, and no more", async () => {
    const page = clientOf(PAGE);
    await page.onAir("s1", { streamer: "ann", category: "chess" });
    expect((await page.recommend({ user: "u1", k: 1 })).slate).toEqual(["s1"]);
    for (const call of [
      () => page.profile("u1"),
      () => page.forget("u1"),
      () => page.rollback(),
      () => page.startShadow("newest"),
      () => page.rankRollback(),
      () => page.rankReport(),
      () => page.models(),
    ]) {
      const error = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ status: 403, message: expect.stringContaining("the token must have the scope") });
    }
  });

  test("counts nothing twice, however much is lost", async () => {
    let count = 0;
    const fates = ["answer", "no", "request", "answer"] as const;
    const client = clientOf(ADMIN, () => fates[count++ % fates.length]!, { retries: 10, batchEvents: 7 });
    await client.onAir("s1", { streamer: "ann", category: "chess" });
    const decisions = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const { id } = await client.recommend({ user: `u${i}`, k: 1 });
      decisions.add(id);
      client.queue({ kind: "click", user: `u${i}`, stream: "s1", decision: id });
      client.queue({ kind: "watch", user: `u${i}`, stream: "s1", decision: id, watchMs: 1000 });
    }
    while (client.queueStats().queued > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(decisions.size).toBe(20);
    // One stream, and two events of each user; one slate each.
    expect(edge.stats()).toMatchObject({ events: 41, requests: 20 });
    expect(client.queueStats()).toMatchObject({ sent: 40, refused: 0, dropped: 0 });
  });

  test("tells which queued events it did not take", async () => {
    const refused: [LiveEvent, EventFault][] = [];
    const onRefused = (event: LiveEvent, fault: EventFault) => refused.push([event, fault]);
    const client = clientOf(PAGE, undefined, { onRefused });
    client.queue({ kind: "like", user: "", stream: "s1" });
    client.queue({ kind: "like", user: "u1", stream: "s1", time: 1 });
    client.queue({ kind: "like", user: "u1", stream: "s1" });
    while (client.queueStats().queued > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(refused.map(([, { answer, field }]) => [answer, field])).toEqual([
      ["invalid", "user"],
      ["late", "time"],
    ]);
  });
});

test("the answers have the types of the server's", () => {
  // The compiler looks: a change of the one must reach the other.
  const same = [
    (answer: IngestAnswer): EventsAnswer => answer,
    ({ failed, ...stats }: EdgeStats): ServerCounts => ({ ...stats, ...(failed !== undefined && { failed }) }),
    (models: ReturnType<Edge["models"]>): ModelsAnswer["models"] => models,
    ({ heldBack, ...report }: RankReport): RankReportAnswer => ({ ...report, ...(heldBack && { heldBack }) }),
    (models: ReturnType<RankService["models"]>): RankModelsAnswer["models"] => models,
    (shadow: NonNullable<EdgeStats["shadow"]>): ShadowAnswer => shadow,
  ];
  expect(same).toHaveLength(6);
});
