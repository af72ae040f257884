import { describe, expect, test } from "vitest";
import { edgeApp, memoryEdge, type WatchState } from "../../../src/server/index.js";

async function served() {
  let now = 1_700_000_000_000;
  const edge = await memoryEdge({ now: () => now });
  const tokens = [
    { secret: "reader-0123456789", scopes: ["read"] as const },
    { secret: "writer-0123456789", scopes: ["events", "recommend"] as const },
  ];
  const app = edgeApp({ edge, tokens, now: () => now });
  const ask = (method: string, path: string, body?: unknown, secret = "reader-0123456789") => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${secret}` };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return app.fetch(new Request(`http://here${path}`, init));
  };
  const writer = (method: string, path: string, body?: unknown) => ask(method, path, body, "writer-0123456789");
  for (const stream of ["s1", "s2", "s3"]) {
    await writer("PUT", `/v1/streams/${stream}`, { streamer: `of ${stream}`, category: "chess" });
  }
  return { edge, app, ask, writer, later: (ms: number) => (now += ms) };
}

/** The first `count` states of a watcher. */
async function states(response: Response, count: number): Promise<WatchState[]> {
  const reader = response.body!.getReader();
  const found: WatchState[] = [];
  while (found.length < count) {
    const { value, done } = await reader.read();
    if (done) break;
    found.push(JSON.parse(new TextDecoder().decode(value).replace(/^data: /, "")) as WatchState);
  }
  await reader.cancel();
  return found;
}

describe("/v1/watch", () => {
  test("tells the state at once, with what happened; each thing once", async () => {
    const { ask, writer, edge } = await served();
    const slate = (await (await writer("POST", "/v1/recommend", { user: "ann", k: 2 })).json()) as {
      id: string;
      slate: string[];
    };
    const response = await ask("GET", "/v1/watch");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const [first, second] = await states(response, 2);
    expect(first!.stats.requests).toBe(1);
    expect(first!.recommender.onAir).toBe(3);
    expect(first!.tail.map(({ kind }) => kind)).toEqual(["on_air", "on_air", "on_air", "decision"]);
    expect(first!.tail.at(-1)).toMatchObject({ user: "ann", streams: slate.slate });
    expect(second!.tail).toEqual([]);
    await edge.close();
  });

  test("needs the scope read, and at most 32 watch at one time; one who goes makes room", async () => {
    const { ask, edge } = await served();
    expect((await ask("GET", "/v1/watch", undefined, "writer-0123456789")).status).toBe(403);
    const watchers = await Promise.all(Array.from({ length: 32 }, () => ask("GET", "/v1/watch")));
    expect((await ask("GET", "/v1/watch")).status).toBe(429);
    await watchers[0]!.body!.cancel();
    const again = await ask("GET", "/v1/watch");
    expect(again.status).toBe(200);
    await Promise.all([again, ...watchers.slice(1)].map(({ body }) => body!.cancel()));
    await edge.close();
  });

  test("of the head alone watches nothing, however often", async () => {
    const { ask, edge } = await served();
    for (let i = 0; i < 40; i++) {
      const { status, headers, body } = await ask("HEAD", "/v1/watch");
      expect([status, headers.get("content-type"), body]).toEqual([200, "text/event-stream", null]);
    }
    const response = await ask("GET", "/v1/watch");
    expect(response.status).toBe(200);
    await response.body!.cancel();
    await edge.close();
  });

  test("counts who watches; those who have gone cost nothing", async () => {
    const { ask, edge } = await served();
    const watchers = async () =>
      Number(/^liveq_watchers (\d+)$/m.exec(await (await ask("GET", "/metrics")).text())![1]);
    const open = [await ask("GET", "/v1/watch"), await ask("GET", "/v1/watch")];
    expect(await watchers()).toBe(2);
    for (const { body } of open) await body!.cancel();
    expect(await watchers()).toBe(0);
    await edge.close();
  });

  test("ends when the server stops", async () => {
    const { ask, app, edge } = await served();
    const response = await ask("GET", "/v1/watch");
    app.drain();
    expect((await states(response, 5)).length).toBeLessThanOrEqual(2);
    await edge.close();
  });

  test("what a forgotten user did is no longer told", async () => {
    const { ask, writer, edge } = await served();
    await writer("POST", "/v1/recommend", { user: "ann", k: 2 });
    await edge.forget("ann");
    const [first] = await states(await ask("GET", "/v1/watch"), 1);
    expect(JSON.stringify(first)).not.toContain("ann");
    await edge.close();
  });
});

test("/v1/preview says what would be shown and why, and changes nothing", async () => {
  const { ask, edge } = await served();
  const before = await edge.file();
  const preview = (await (await ask("POST", "/v1/preview", { user: "ann", k: 2 })).json()) as {
    slate: string[];
    propensities: number[];
    explanations: { stream: string; facts: { category: string } }[];
  };
  expect(preview.slate).toHaveLength(2);
  expect(preview.explanations.map(({ stream }) => stream)).toEqual(preview.slate);
  expect(preview.explanations[0]!.facts.category).toBe("chess");
  expect(preview.propensities).toHaveLength(2);
  for (const chance of preview.propensities) expect(chance > 0 && chance <= 1).toBe(true);
  expect(await edge.file()).toEqual(before);
  expect(edge.stats().requests).toBe(0);
  expect((await ask("POST", "/v1/preview", { user: "", k: 2 })).status).toBe(400);
  await edge.close();
});

test("what the policy has brought is measured beside the learner", async () => {
  const { writer, edge, later } = await served();
  const { id, slate } = (await (await writer("POST", "/v1/recommend", { user: "ann", k: 2 })).json()) as {
    id: string;
    slate: string[];
  };
  const visit = { user: "ann", stream: slate[0]!, decision: id };
  const time = later(1000);
  await writer("POST", "/v1/events", [{ kind: "click", time, ...visit }]);
  await writer("POST", "/v1/events", [{ kind: "watch", time: later(60_000), watchMs: 60_000, ...visit }]);
  await edge.settled();
  const rate = (await edge.figures()).find(({ metric }) => metric === "click_rate");
  expect(rate).toMatchObject({ slice: "all", value: 0.5 });
  await edge.close();
});
