import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { actionRow, contextRow, flattened } from "../../../src/server/rank/hashing.js";
import { Ranker, type RankRecord } from "../../../src/server/rank/ranker.js";
import { RankGate } from "../../../src/server/rank/rankgate.js";
import { isKept, lastBefore } from "../../../src/server/rank/rankmodels.js";
import { Host } from "../../support/host.js";

const context = flattened({ who: "a" }, "context");
const row = (id: string) => actionRow(id, [], context);
const records = (n: number, value: (i: number) => number): RankRecord[] =>
  Array.from({ length: n }, (_, i): RankRecord[] => {
    const action = row(`a${i % 3}`);
    const about = { id: `e${i}`, digest: "", ranking: [["a0", 1]] as const, isDeferred: false };
    return [
      { kind: "rank", now: i, choice: { ...about, context: contextRow(context), action } },
      { kind: "reward", now: i, id: `e${i}`, value: value(i) },
    ];
  }).flat();

describe("the gates of models of ranking", () => {
  const OPTIONS = { goldenQueries: 8, valueMax: 1e5, lossFactor: 10 };
  /** The models that pass, and why others do not. */
  const passed = (options: typeof OPTIONS, value: (i: number) => number) => {
    const ranker = new Ranker({ seed: 4, modelUpdates: 8 });
    const gate = new RankGate(ranker, options, 0);
    const [versions, reasons]: [number[], string[]] = [[], []];
    for (const record of records(200, value)) {
      ranker.take(record);
      gate.take(record);
      const model = gate.model();
      if (model !== undefined) versions.push(model.version);
      else if (gate.heldBack !== undefined) reasons.push(gate.heldBack.reason);
    }
    ranker.dispose();
    return { versions, reasons };
  };

  test("count what passes from 1, and say why another does not", () => {
    const { versions, reasons } = passed(OPTIONS, (i) => Number(i % 3 === 1));
    expect(versions.slice(0, 3)).toEqual([1, 2, 3]);
    expect(reasons).toEqual([]);
    const bounded = passed({ ...OPTIONS, valueMax: 1e-9 }, (i) => i % 3);
    expect(bounded.versions).toEqual([]);
    expect(bounded.reasons.at(-1)).toMatch(/^of ranking: it gives an action the value/);
  });

  test("hold back a loss far above that of before, and not the first reward after many of 0", () => {
    const late = passed({ ...OPTIONS, lossFactor: 1.5 }, (i) => (i < 150 ? i % 2 : 1000));
    expect(late.reasons.at(-1) ?? "").toMatch(/^(of ranking: its loss of \S+ is above \S+)?$/);
    const rare = passed(OPTIONS, (i) => Number(i === 150));
    expect(rare.reasons).toEqual([]);
    expect(rare.versions.length).toBeGreaterThan(30);
  });

  test("hold back a first model too", () => {
    const first = passed({ ...OPTIONS, lossFactor: 1e-6 }, (i) => i % 3);
    expect(first.versions).toEqual([]);
    expect(first.reasons[0]).toMatch(/^of ranking: its loss of \S+ is above \S+$/);
  });

  test("one of 16 models is kept, and counting goes on before the next that is", () => {
    expect([0, 1, 2, 16, 17, 33].map(isKept)).toEqual([false, true, false, false, true, true]);
    expect(isKept(lastBefore(17) + 1)).toBe(true);
  });
});

describe("models of ranking", () => {
  let host: Host;
  afterEach(() => host?.edge.close().catch(() => {}));
  const actions = ["a0", "a1", "a2"].map((id) => ({ id }));
  let asked = 0;
  const feed = async (rounds: number, seed = 1) => {
    const random = new Random(seed);
    for (let i = 0; i < rounds; i++) {
      host.time += 1000;
      const { eventId, rewardActionId } = host.edge.rank.rank({
        eventId: `e${asked++}`,
        context: { who: "a" },
        actions,
      });
      await host.edge.rank.reward(eventId, { value: Number(rewardActionId === "a1") + random.uniform() / 10 });
      if (i % 4 === 3) await host.edge.settled();
    }
    await host.edge.settled();
  };
  /** SHA-256 of the probabilities of all actions, under which values stand to the bit. */
  const hash = () => {
    const exploration = { policy: "boltzmann", temperature: 1 };
    const { ranking } = host.edge.rank.rank({ context: { who: "a" }, actions, exploration });
    const sorted = [...ranking].sort((a, b) => (a.id < b.id ? -1 : 1));
    return createHash("sha256")
      .update(Float64Array.from(sorted, (one) => one.probability))
      .digest("hex");
  };
  const made = async () => {
    host = new Host();
    host.rank = { modelUpdates: 2, updatesPerReward: 4 };
    await host.start();
    await feed(100);
    return host.edge.rank;
  };

  test("one goes back at once and bit for bit, stays there over a kill, and newer ones wait until they may come", async () => {
    const rank = await made();
    const versions = rank.models().map(({ version }) => version);
    expect(versions.slice(0, 3)).toEqual([0, 1, 17]);
    expect(rank.report()).toMatchObject({ model: versions.at(-1), isPinned: false, heldBack: undefined });
    const newest = hash();
    await rank.rollback(17);
    const old = hash();
    expect(old).not.toBe(newest);
    expect(rank.report()).toMatchObject({ model: 17, isPinned: true });
    await feed(20, 2);
    expect([rank.report().model, hash()]).toEqual([17, old]);
    host.kill();
    const again = (await host.start()).rank;
    expect(again.report()).toMatchObject({ model: 17, isPinned: true });
    expect(hash()).toBe(old);
    await feed(20, 3);
    expect(hash()).toBe(old);
    // No number comes twice, whatever the kill has taken.
    expect(again.models().at(-1)!.version).toBeGreaterThan(versions.at(-1)!);
    await again.release();
    expect(again.report()).toMatchObject({ model: again.models().at(-1)!.version, isPinned: false });
    expect(hash()).not.toBe(old);
    expect(host.errors).toEqual([]);
  });

  test("by default one goes to the one before that is kept, at last to none, and no further", async () => {
    const rank = await made();
    const kept = rank.models().filter(({ version }) => version === 0 || isKept(version));
    const live = rank.report().model;
    for (const { version } of kept.reverse().filter(({ version }) => version < live)) {
      await rank.rollback();
      expect(rank.report().model).toBe(version);
    }
    // Nothing learned: the caller's order counts.
    expect(rank.report()).toMatchObject({ model: 0, updates: 0 });
    const exploration = { policy: "epsilon", epsilon: 0 };
    expect(rank.rank({ actions, exploration }).rewardActionId).toBe("a0");
    await expect(rank.rollback()).rejects.toMatchObject({ field: "version" });
    await expect(rank.rollback(2)).rejects.toThrow('"version" must be one of 0, 1, 17');
    host.kill();
    expect((await host.start()).rank.report()).toMatchObject({ model: 0, isPinned: true });
  });

  test("at most eight are kept, the one that ranks among them, in memory and on the disk", async () => {
    const rank = await made();
    await rank.rollback(1);
    for (let i = 0; i < 3; i++) await feed(100, 10 + i);
    const versions = rank.models().map(({ version }) => version);
    expect(versions.slice(0, 2)).toEqual([0, 1]);
    expect(versions.filter((version) => isKept(version))).toHaveLength(8);
    await rank.rollback(1);
    const files = host.rankModels.list().filter((name) => name.endsWith(".item"));
    expect(files.map((name) => Number(name.slice(0, 12)))).toEqual(versions.filter((version) => isKept(version)));
  });
});
