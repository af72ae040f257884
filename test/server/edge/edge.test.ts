import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { DQN } from "../../../src/engine/index.js";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent } from "../../../src/protocol/index.js";
import { type DecisionRows, Recommender } from "../../../src/recommender/index.js";
import { Learner } from "../../../src/server/edge/learner.js";
import { openEdgeFile } from "../../../src/server/edge/log/file.js";
import { decodeRecord, type EdgeRecord, encodeRecord } from "../../../src/server/edge/log/records.js";
import { beginning } from "../../../src/server/edge/start.js";
import { Trials } from "../../../src/server/edge/trials.js";
import { Ranker } from "../../../src/server/rank/index.js";
import { MemoryStore, openLog, StorageError, type StoredBlock } from "../../../src/storage/index.js";
import { Host, MINUTE, OPTIONS } from "../../support/host.js";

let host: Host;
const made = async (...given: Parameters<Host["start"]>) => {
  host = new Host();
  await host.start(...given);
  await host.air();
  return host;
};
afterEach(() => host?.edge.close().catch(() => {}));

test("records come back as they were", () => {
  const records: EdgeRecord[] = [
    { type: "event", now: 12.5, event: { kind: "click", time: 3, user: "ü", stream: "s" } },
    { type: "decision", decision: { id: "d", user: "u", time: 1, slate: ["a"], propensities: [1] } },
    { type: "forget", user: 'u"\n' },
    { type: "nothing" },
  ];
  for (const record of records) expect(decodeRecord(encodeRecord(record))).toEqual(record);
  const random = new Random(5);
  const floats = (n: number) =>
    Float32Array.from({ length: n }, () => (random.bernoulli(0.5) ? 0 : random.pick([-0, 1e-40, random.normal()])));
  for (let i = 0; i < 200; i++) {
    const [size, slate, offered, ahead] = [1 + random.below(40), random.below(4), random.below(3), random.below(6)];
    const candidates = floats((slate + offered) * size);
    const best = floats(ahead * size);
    if (ahead > 2 && slate > 1) best.set(candidates.subarray(size, 2 * size), size);
    const next = { candidates: best, slate: 3, lateness: 0.25 };
    const rows = { observation: floats(random.below(50)), candidates, offered, next: i % 3 === 0 ? undefined : next };
    const decision = { id: "ü", user: "u", time: 1, slate: Array.from({ length: slate }, (_, s) => `s${s}`) };
    // At any address.
    const bytes = new Uint8Array(encodeRecord({ type: "decision", decision, rows }).length + 3);
    bytes.set(encodeRecord({ type: "decision", decision, rows }), i % 4);
    expect(decodeRecord(bytes.subarray(i % 4, bytes.length - 3 + (i % 4)))).toEqual({
      type: "decision",
      decision,
      rows,
    });
  }
  expect(() => decodeRecord(new TextEncoder().encode('x""'))).toThrow('got "x"');
});

test("a server learns from what it is told, behind the back of requests, and acts by what was learned", async () => {
  const { edge } = await made();
  await host.serve(150);
  await edge.settled();
  expect(edge.stats()).toMatchObject({ requests: 150, events: 308, unlogged: 0, behind: 0, isPinned: false });
  expect(edge.stats().model).toBeGreaterThan(3);
  expect(edge.recommenderStats().updates).toBe(edge.models().at(-1)!.updates);
  const slates = Array.from({ length: 40 }, (_, i) => edge.recommend({ user: `new${i}`, k: 1 }).slate[0]);
  expect(slates.filter((stream) => stream === "s1").length).toBeGreaterThan(25);
  expect(host.errors).toEqual([]);
});

test("a request may say how it explores, with exact propensities, and for itself alone", async () => {
  const { edge } = await made();
  await host.serve(60);
  await edge.settled();
  const shares = (explore?: object) => {
    const asked = Array.from({ length: 200 }, (_, i) =>
      edge.recommend({ user: `w${i % 20}`, k: 1, ...(explore && { explore }) }),
    );
    const best = asked.filter(({ propensities }) => propensities[0]! >= 0.5).length;
    return { best, first: asked[0]!.propensities[0]! };
  };
  expect(shares({ epsilon: 0 })).toEqual({ best: 200, first: 1 });
  const uniform = Array.from({ length: 200 }, () => {
    return edge.recommend({ user: "w1", k: 1, explore: { epsilon: 1, temperature: 1e9, top: 2 } });
  });
  for (const { propensities } of uniform) expect(propensities[0]).toBeCloseTo(0.5, 6);
  expect(shares().best).toBeLessThan(200);
  for (const [explore, field] of [
    [{ epsilon: 2 }, "explore.epsilon"],
    [{ top: 0 }, "explore.top"],
    [{ heads: 3 }, "explore.heads"],
    [null, "explore"],
  ] as const) {
    expect(() => edge.recommend({ user: "w1", k: 1, explore: explore as object })).toThrow(
      expect.objectContaining({ field }),
    );
  }
});

test("events get receipts one by one, once they are on disk", async () => {
  const { edge, time, store } = await made();
  const click: LiveEvent = { kind: "click", time, user: "u", stream: "s0", id: "e1" };
  const blocks = store.blocks.length;
  const answer = edge.feed([click, click, { ...click, stream: "s1" }, { ...click, time: time + 1e9, id: "e2" }]);
  expect(store.blocks.length).toBe(blocks);
  const receipts = await answer;
  expect(store.blocks.length).toBe(blocks + 1);
  expect(receipts.map((receipt) => (receipt instanceof Error ? receipt.message.slice(0, 8) : receipt))).toEqual([
    ...["taken", "duplicate"],
    ...['"id" mus', '"time" m'],
  ]);
});

test("the same log gives the same learner, whenever it is told and however often it starts anew", async () => {
  const run = async (lives: readonly number[]) => {
    await made();
    for (const [i, requests] of lives.entries()) {
      if (i > 0) {
        host.kill();
        await host.start();
      }
      await host.serve(requests, i);
    }
    const { blocks } = host.store;
    return { hash: await host.hash(), blocks };
  };
  const { hash, blocks } = await run([40, 30, 50]);
  // The whole log at once, by another host.
  const other = new Host();
  other.store = new MemoryStore(blocks);
  await other.start({ modelUpdates: 1000 });
  expect(await other.hash()).toBe(hash);
  await other.edge.close();
});

describe("a decision is logged with its rows", () => {
  /** In lockstep: each request is answered by the newest weights, with all that is logged known. */
  async function lockstep(): Promise<EdgeRecord[]> {
    await made({ modelUpdates: 1, lossFactor: 0 });
    const { edge } = host;
    const [recommend, feed] = [edge.recommend.bind(edge), edge.feed.bind(edge)];
    const random = Random.named(4, "viewers");
    for (let i = 0; i < 90; i++) {
      host.time += MINUTE;
      const user = `u${random.below(6)}`;
      const { id: decision, slate } = recommend({ user, k: 3 });
      await edge.settled();
      const about = { user, stream: slate[random.below(slate.length)]!, decision };
      const watch: LiveEvent = { kind: "watch", time: host.time + 5000, watchMs: 5000, ...about };
      if (i % 4 > 0) await feed([{ kind: "click", time: host.time, ...about }, watch]);
      if (i % 20 === 7) await feed([{ kind: "off_air", time: host.time, stream: `s${i % 8}` }]);
      await edge.settled();
    }
    const records: EdgeRecord[] = [];
    for await (const { bytes } of openLog(host.store).read(0)) records.push(decodeRecord(bytes));
    return records;
  }

  /** What a learner is after some records: weights, replay and optimiser, and what it knows. */
  function learned(records: readonly EdgeRecord[]) {
    let agent: DQN | undefined;
    const loadAgent = (bytes: Uint8Array) => {
      agent = DQN.load(bytes);
      return agent;
    };
    const recommender = Recommender.load(openEdgeFile(beginning(undefined, OPTIONS).file).recommender, { loadAgent });
    const learner = new Learner({ recommender, ranker: new Ranker(), trials: new Trials() }, 0);
    for (const record of records) learner.take(encodeRecord(record));
    const sha256 = createHash("sha256").update(agent!.save()).digest("hex");
    const users = Array.from({ length: 6 }, (_, i) => recommender.profile(`u${i}`));
    const result = { sha256, users, stats: recommender.stats() };
    recommender.dispose();
    return result;
  }

  test("and a learner that is told them is to the bit what one is that computes them", async () => {
    const records = await lockstep();
    const bare = records.map((record): EdgeRecord => {
      return record.type === "decision" ? { type: "decision", decision: record.decision } : record;
    });
    const [told, computed] = [learned(records), learned(bare)];
    expect(told.stats.updates).toBeGreaterThan(50);
    expect(told).toEqual(computed);
    expect(records.filter((record) => record.type === "decision" && record.rows?.next).length).toBeGreaterThan(50);
  });

  test("rows that do not fit are computed anew: of another size, not finite, or without the next state that waits", async () => {
    const records = await lockstep();
    const spoilt: ((rows: DecisionRows) => DecisionRows)[] = [
      (rows) => ({ ...rows, observation: rows.observation.slice(1) }),
      // As many floats, but no whole rows.
      ({ candidates, ...rows }) => ({ ...rows, candidates: candidates.slice(0, -1) }),
      (rows) => ({ ...rows, observation: rows.observation.map(() => Number.NaN) }),
      (rows) => ({ ...rows, next: undefined }),
    ];
    const bad = records.map((record, i): EdgeRecord => {
      if (record.type !== "decision" || record.rows === undefined) return record;
      return { ...record, rows: spoilt[i % spoilt.length]!(record.rows) };
    });
    expect(learned(bad)).toEqual(learned(records));
  });
});

test("a killed server goes on where its log ends: nothing acknowledged is lost or counted twice", async () => {
  const { edge } = await made();
  await host.serve(30);
  const user = edge.profile("u3");
  const before = edge.recommenderStats();
  if (host.edge) await edge.save();
  await host.serve(10, 2);
  const late = host.edge.profile("u3");
  host.kill();
  const again = await host.start();
  expect(again.profile("u3")).toEqual(late);
  expect(user).toBeDefined();
  expect(again.recommenderStats().users).toBeGreaterThanOrEqual(before.users);
  // Sent again by a client that saw no answer.
  const event: LiveEvent = { kind: "like", time: host.time, user: "u3", stream: "s1", id: "once" };
  expect(await again.feed([event])).toEqual(["taken"]);
  host.kill();
  expect(await (await host.start()).feed([event])).toEqual(["duplicate"]);
});

test("an event counts once in 24 hours, over restarts and where only a checkpoint knows it; later it is late", async () => {
  await made();
  const event: LiveEvent = { kind: "like", time: host.time, user: "u3", stream: "s1", id: "once" };
  expect(await host.edge.feed([event])).toEqual(["taken"]);
  for (let i = 0; i < 4; i++) {
    await host.serve(3, i);
    await host.edge.save();
  }
  expect(await openLog(host.store).first()).toBeGreaterThan(9);
  host.kill();
  await host.start();
  expect(await host.edge.feed([event])).toEqual(["duplicate"]);
  host.time = event.time + 86_400_000;
  expect(await host.edge.feed([event])).toEqual(["duplicate"]);
  host.kill();
  await host.start();
  host.time += 120_000;
  expect(["late", "duplicate"]).toContain((await host.edge.feed([event]))[0]);
});

test("feedback for a decision that was never made teaches nothing, however its name was guessed", async () => {
  await made();
  const { id, slate } = host.edge.recommend({ user: "u1", k: 2 });
  const [, number] = /^(.*-)\d+$/.exec(id)!;
  host.kill();
  await host.start();
  const { id: later } = host.edge.recommend({ user: "u2", k: 2 });
  expect(later).not.toBe(id);
  const before = host.edge.recommenderStats().unknownDecisions;
  const guesses = [`${number}7`, `${number}-1`, "dqn-0", later.replace(/\d+$/, "99")];
  const events = guesses.map((decision): LiveEvent => {
    return { kind: "click", time: host.time, user: "u9", stream: slate[0]!, decision };
  });
  await host.edge.feed(events);
  expect(host.edge.recommenderStats().unknownDecisions).toBe(before + guesses.length);
  await host.edge.settled();
  expect(host.edge.recommenderStats().transitions).toBe(0);
});

test("what happened is learned once it is settled, decisions that are answered and not yet logged among it", async () => {
  const { edge } = await made();
  await host.air();
  await edge.settled();
  const before = openLog(host.store).next;
  for (let i = 0; i < 5; i++) edge.recommend({ user: `u${i}`, k: 2 });
  expect(openLog(host.store).next).toBe(before);
  await edge.settled();
  expect([openLog(host.store).next, edge.stats().behind]).toEqual([before + 5, 0]);
});

test("decisions of two lives have other names", async () => {
  await made();
  const names = new Set<string>();
  for (let life = 0; life < 3; life++) {
    for (let i = 0; i < 20; i++) names.add(host.edge.recommend({ user: "u", k: 1 }).id);
    host.kill();
    await host.start();
  }
  expect(names.size).toBe(60);
});

describe("models", () => {
  test("one goes back at once and bit for bit, and newer ones wait until they may come", async () => {
    const { edge } = await made();
    await host.serve(120);
    await edge.settled();
    const [old, newest] = [edge.models().at(-3)!, edge.models().at(-1)!];
    const scores = () => [...edge.recommend({ user: "u1", k: 8 }).scores].sort((a, b) => a - b);
    edge.rollback(old.version);
    expect(edge.stats()).toMatchObject({ model: old.version, modelUpdates: old.updates, isPinned: true });
    const was = scores();
    await host.serve(40, 7);
    await edge.settled();
    expect(edge.stats().model).toBe(old.version);
    expect(edge.models().at(-1)!.version).toBeGreaterThan(newest.version);
    edge.release();
    expect(edge.stats().model).toBe(edge.models().at(-1)!.version);
    expect(was).not.toEqual(scores());
    expect(() => edge.rollback(99_999)).toThrow('"version" must be one of');
  });

  test("with values or losses beyond their bounds are held back, and the old one serves on", async () => {
    const { edge } = await made({ modelUpdates: 20, valueMax: 1e-9 });
    await host.serve(120);
    await edge.settled();
    expect(edge.stats()).toMatchObject({
      model: 0,
      heldBack: { reason: expect.stringMatching(/^it gives a stream the value/) },
    });
  });
});

test("forgets a user in state, log and checkpoints' end, also after a restart", async () => {
  const { edge } = await made();
  await host.serve(40);
  expect(edge.profile("u3")).toBeDefined();
  expect(await edge.forget("u3")).toBe(true);
  expect(await edge.forget("nobody")).toBe(false);
  expect(edge.profile("u3")).toBeUndefined();
  host.kill();
  expect((await host.start()).profile("u3")).toBeUndefined();
});

test("all that is held of a user is exported: profile, waiting decisions, and the log as far as it goes", async () => {
  const { edge } = await made();
  await host.serve(20);
  const held = (await edge.export("u3"))!;
  const kinds = held.log.map((record) => (record.type === "event" ? record.event.kind : record.type));
  expect(held.profile).toEqual(edge.profile("u3"));
  expect(kinds.filter((kind) => kind === "decision").length).toBeGreaterThan(0);
  expect(kinds.filter((kind) => kind === "click").length).toBe(kinds.filter((kind) => kind === "decision").length);
  expect(held.waiting[0]).toMatchObject({ slate: expect.any(Array), outcomes: expect.any(Array) });
  for (let i = 0; i < 3; i++) {
    await host.serve(5, i);
    await edge.save();
  }
  await host.serve(1, 9);
  expect((await edge.export("u3"))?.user).toBe("u3");
  expect(await edge.export("nobody")).toBeUndefined();
});

test("where the disk is full, events are refused and requests are answered", async () => {
  class Full extends MemoryStore {
    isFull = false;
    override append(block: StoredBlock): void {
      if (this.isFull) throw new StorageError("full", "no space is left");
      super.append(block);
    }
  }
  const store = new Full();
  const { edge } = await made({}, store);
  store.isFull = true;
  const event: LiveEvent = { kind: "click", time: host.time, user: "u", stream: "s0" };
  await expect(edge.feed([event])).rejects.toMatchObject({ reason: "full" });
  expect(edge.recommend({ user: "u", k: 2 }).slate).toHaveLength(2);
  await new Promise((resolve) => setImmediate(resolve));
  expect([edge.stats().unlogged, host.errors.length]).toEqual([1, 1]);
  store.isFull = false;
  expect(await edge.feed([event])).toEqual(["taken"]);
});

test("without its learner a server serves on, says so, and stops all the same", async () => {
  const { edge } = await made();
  host.learner.take = () => Promise.reject(new Error("the learner ended"));
  await host.serve(3);
  await expect(edge.settled()).rejects.toThrow("the learner no longer works");
  expect(edge.stats()).toMatchObject({ failed: "learner", model: 0 });
  expect(edge.recommend({ user: "u", k: 2 }).slate).toHaveLength(2);
  await edge.close();
  expect(host.errors.map((error) => (error as Error).message)).toEqual([
    "the learner ended",
    expect.stringMatching(/^the learner no longer works/),
  ]);
});

test("where the disk failed, no more events are taken, slates are answered, and the state says so", async () => {
  class Broken extends MemoryStore {
    isBroken = false;
    override append(block: StoredBlock): void {
      if (this.isBroken) throw new StorageError("failed", "the disk failed");
      super.append(block);
    }
  }
  const store = new Broken();
  const { edge } = await made({}, store);
  store.isBroken = true;
  await expect(edge.feed([{ kind: "click", time: host.time, user: "u", stream: "s0" }])).rejects.toThrow("failed");
  expect(edge.stats().failed).toBe("log");
  expect(edge.recommend({ user: "u", k: 2 }).slate).toHaveLength(2);
});
