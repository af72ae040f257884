import { afterEach, describe, expect, test } from "vitest";
import type { LiveEvent } from "../../../src/protocol/index.js";
import { fileOfModel, modelOf } from "../../../src/server/edge/agent.js";
import { Trials } from "../../../src/server/edge/trials.js";
import { Host, MINUTE } from "../../support/host.js";

let host: Host;
const made = async (requests = 120) => {
  host = new Host();
  await host.start();
  await host.air();
  await host.serve(requests);
  await host.edge.settled();
  return host.edge;
};
afterEach(() => host?.edge.close().catch(() => {}));
const scores = () => {
  const { slate, scores } = host.edge.recommend({ user: "u1", k: 8 });
  return slate.map((id, i) => [id, scores[i]]).sort();
};

test("a model comes back from its bytes, to the bit", () => {
  const model = {
    version: 3,
    sequence: 9,
    transitions: 5,
    updates: 4,
    loss: Number.NaN,
    qMean: 0.5,
    tdErrorP50: Number.NaN,
    tdErrorP90: 1,
    gradientNorm: 2,
  };
  const weights = Float32Array.of(1, -0, 1e-40);
  expect(modelOf(fileOfModel({ ...model, weights }))).toEqual({ ...model, weights });
  const { gradientNorm: _, ...older } = { ...model, weights };
  expect(modelOf(fileOfModel(older as typeof older & { gradientNorm: number })).gradientNorm).toBeNaN();
  expect(() => modelOf(new Uint8Array(3))).toThrow("the file of a model");
});

describe("models last over restarts", () => {
  test("the newest one answers after a kill, to the bit, and versions count on", async () => {
    const edge = await made();
    const versions = edge.models().map(({ version }) => version);
    const before = scores();
    host.kill();
    const again = await host.start();
    expect(again.stats().model).toBe(versions.at(-1));
    expect(again.models().map(({ version }) => version)).toEqual(versions.filter((version) => version > 0));
    expect(scores()).toEqual(before);
    await host.serve(60, 5);
    await again.settled();
    expect(again.models().at(-1)!.version).toBeGreaterThan(versions.at(-1)!);
    expect(again.models().length).toBeLessThanOrEqual(8);
  });

  test("who went back to a model stays there, until new ones may come", async () => {
    const edge = await made();
    const old = edge.models().at(-3)!;
    edge.rollback(old.version);
    const before = scores();
    host.kill();
    let again = await host.start();
    expect(again.stats()).toMatchObject({ model: old.version, isPinned: true, modelUpdates: old.updates });
    expect(scores()).toEqual(before);
    await host.serve(60, 5);
    await again.settled();
    expect(again.stats().model).toBe(old.version);
    // However many came since, the one that answers stays.
    expect(again.models().map(({ version }) => version)).toContain(old.version);
    again.release();
    host.kill();
    again = await host.start();
    expect(again.stats().isPinned).toBe(false);
    expect(again.stats().model).toBeGreaterThan(old.version);
  });

  test("a model whose file is damaged is left out", async () => {
    const edge = await made();
    const { length } = edge.models();
    const [name] = host.models
      .list()
      .filter((each) => each.endsWith(".item"))
      .slice(-1);
    const file = host.models.create(name!);
    file.write(new Uint8Array(40));
    file.close();
    host.kill();
    expect((await host.start()).models().length).toBeLessThan(length);
    expect(host.edge.recommend({ user: "u", k: 1 }).slate).toHaveLength(1);
  });
});

describe("an experiment", () => {
  test("splits users between two policies, measures them, and lasts over restarts", async () => {
    const edge = await made();
    const report = await edge.startTrial({ name: "x", b: "popular", windowMs: 60 * MINUTE, atLeast: 2 });
    expect(report.options).toMatchObject({ name: "x", a: "newest", b: "popular", share: 0.5, metric: "watch" });
    await host.edge.feed([{ kind: "update", time: host.time, stream: "s6", viewers: 1e6 }]);
    await host.serve(150, 3);
    const { a, b } = edge.trial()!.result;
    expect(Math.min(a.users, b.users)).toBeGreaterThan(2);
    // The most viewed stream comes first in one arm alone.
    const first = Array.from({ length: 60 }, (_, i) => edge.recommend({ user: `v${i}`, k: 1 }).slate[0]);
    expect(first.filter((stream) => stream === "s6").length).toBeGreaterThan(15);
    expect(first.filter((stream) => stream === "s1").length).toBeGreaterThan(10);
    await host.hash();
    const before = edge.trial();
    expect(before!.open).toBeGreaterThan(30);
    host.kill();
    const again = await host.start();
    expect(again.trial()).toEqual(before);
    const repeated = Array.from({ length: 60 }, (_, i) => again.recommend({ user: `v${i}`, k: 1 }).slate[0]);
    const same = repeated.filter((stream, i) => (stream === "s6") === (first[i] === "s6")).length;
    expect(same).toBeGreaterThan(50);
    expect(await again.stopTrial()).toEqual(before);
    expect(again.trial()).toBeUndefined();
    host.kill();
    expect((await host.start()).trial()).toBeUndefined();
  });

  test("compares kept models, which stay as long as it runs", async () => {
    const edge = await made();
    const old = edge.models().at(-4)!;
    await edge.startTrial({ name: "old", a: "newest", b: { model: old.version }, share: 0.9 });
    const asked = new Map<string, number>();
    for (const { user, time, slate, scores } of Array.from({ length: 20 }, () =>
      edge.recommend({ user: "u1", k: 1 }),
    )) {
      asked.set(`${user} ${time} ${slate}`, scores[0]!);
    }
    await host.serve(150, 4);
    await edge.settled();
    expect(edge.models().map(({ version }) => version)).toContain(old.version);
    await edge.stopTrial();
    await host.serve(30, 6);
    await edge.settled();
    expect(edge.models().map(({ version }) => version)).not.toContain(old.version);
  });

  test("refuses what is no policy, no model and no option", async () => {
    const edge = await made(20);
    for (const wrong of [
      {},
      { b: "best" },
      { b: { model: 1.5 } },
      { b: "popular", share: 2 },
      { b: "popular", more: 1 },
    ]) {
      await expect(edge.startTrial({ name: "x", ...wrong })).rejects.toThrow(/must be|option/);
    }
    await expect(edge.startTrial({ b: "popular" })).rejects.toThrow("name");
    await expect(edge.startTrial({ name: "x", b: { model: 99_999 } })).rejects.toMatchObject({ field: "b" });
    expect(edge.trial()).toBeUndefined();
  });

  test("keeps no names", () => {
    const trials = new Trials();
    trials.set(
      {
        name: "x",
        a: "newest",
        b: "popular",
        share: 0.5,
        alpha: 0.05,
        margin: 0,
        users: 100,
        atLeast: 2,
        metric: "watch",
        windowMs: 1000,
      },
      0,
    );
    for (let i = 0; i < 20; i++) {
      trials.decision({ user: `secret${i}`, time: i * 500 });
      const event: LiveEvent = { kind: "heartbeat", time: i * 500, user: `secret${i}`, stream: "s", watchMs: 10 };
      trials.feedback(event);
    }
    const saved = new TextDecoder().decode(trials.save());
    expect(saved).not.toContain("secret");
    expect(Trials.load(trials.save()).report()).toEqual(trials.report());
    expect(() => Trials.load(new TextEncoder().encode('{"options":{}}'))).toThrow("the file's experiment");
  });
});

test("a candidate in the shadow scores the same requests, and is not shown", async () => {
  const edge = await made();
  edge.shadow("newest");
  for (let i = 0; i < 10; i++) edge.recommend({ user: `n${i}`, k: 2, explain: true });
  expect(edge.stats().shadow).toMatchObject({
    candidate: "newest",
    requests: 10,
    sameBest: 1,
    difference: 0,
    rmsDifference: 0,
  });
  const old = edge.models().at(1)!;
  edge.shadow({ model: old.version });
  for (let i = 0; i < 10; i++) edge.recommend({ user: `n${i}`, k: 2 });
  expect(edge.stats().shadow!.requests).toBe(10);
  expect(edge.stats().shadow!.rmsDifference).toBeGreaterThan(0);
  edge.shadow(undefined);
  expect(edge.stats().shadow).toBeUndefined();
  expect(() => edge.shadow({ model: 99_999 })).toThrow("must be one of");
});

test("a candidate in the shadow stays there over a kill, until it is taken away", async () => {
  const edge = await made();
  const old = edge.models().at(2)!;
  await edge.shadow({ model: old.version });
  const before = edge.recommend({ user: "u1", k: 2 });
  expect(before.slate).toHaveLength(2);
  const { rmsDifference } = edge.stats().shadow!;
  host.kill();
  let again = await host.start();
  expect(again.stats().shadow).toMatchObject({ candidate: { model: old.version }, requests: 0 });
  again.recommend({ user: "u1", k: 2 });
  expect(again.stats().shadow!.requests).toBe(1);
  expect(again.stats().shadow!.rmsDifference).toBeCloseTo(rmsDifference, 1);
  await again.shadow("newest");
  host.kill();
  again = await host.start();
  expect(again.stats().shadow).toMatchObject({ candidate: "newest" });
  await again.shadow(undefined);
  host.kill();
  expect((await host.start()).stats().shadow).toBeUndefined();
});
