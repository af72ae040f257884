import { afterEach, describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { chancesOf } from "../../../src/server/rank/exploration.js";
import { ACTION, actionRow, CONTEXT, contextRow, flattened } from "../../../src/server/rank/hashing.js";
import { Ledger, type RankChoice } from "../../../src/server/rank/ledger.js";
import { Ranker, type RankRecord } from "../../../src/server/rank/ranker.js";
import { parseRank } from "../../../src/server/rank/request.js";
import { Host } from "../../support/host.js";

const ROW = { indices: [1], weights: [1] };
const choice = (id: string, more: Partial<RankChoice> = {}): RankChoice => {
  return { id, digest: "", ranking: [["x", 1]], isDeferred: false, context: ROW, action: ROW, ...more };
};

describe("exploration", () => {
  const values = [3, 2, 2, -1];
  test.each([
    [{ policy: "epsilon", epsilon: 0.2 }, [0.85, 0.05, 0.05, 0.05]],
    [{ policy: "top", m: 2, epsilon: 0.4 }, [0.8, 0.2, 0, 0]],
    [{ policy: "top", m: 9, epsilon: 1 }, [0.25, 0.25, 0.25, 0.25]],
    [
      { policy: "boltzmann", temperature: 2 },
      [3, 2, 2, -1].map((v) => Math.exp(v / 2)).map((w, _, all) => w / (all[0]! + all[1]! + all[2]! + all[3]!)),
    ],
  ] as const)("%j gives each action its probability", (exploration, expected) => {
    const chances = chancesOf(exploration, values);
    for (const [i, chance] of chances.entries()) expect(chance).toBeCloseTo(expected[i]!, 12);
    expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 12);
  });

  test("values far apart give probabilities that are numbers", () => {
    expect(chancesOf({ policy: "boltzmann", temperature: 1e-6 }, [1000, -1000])).toEqual([1, 0]);
  });
});

describe("features", () => {
  test("are texts, numbers, true and false, in arrays and objects; rows fit the network", () => {
    const features = flattened(
      [{ device: "phone", hour: 13, isNew: true, none: null, tags: ["a", "b"] }, { geo: { city: "x" } }],
      "context",
    );
    expect(features.map(({ weight }) => weight)).toEqual([1, Math.fround(Math.log1p(13)), 1, 1, 1, 1]);
    expect(new Set(features.map(({ hash }) => hash)).size).toBe(6);
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`f${i}`, "v"]));
    const context = flattened(Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`c${i}`, 0.5])), "context");
    expect(contextRow(context).indices.length).toBeLessThanOrEqual(CONTEXT.slots);
    const row = actionRow("a", flattened(many, "actions.0.features"), context);
    expect(row.indices.length).toBeLessThanOrEqual(ACTION.slots);
    expect(Math.min(...row.indices)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...row.indices)).toBeLessThan(ACTION.size);
  });

  test.each([
    [{ actions: [] }, "actions"],
    [{ actions: [{ id: "a" }, { id: "a" }] }, "actions.1.id"],
    [{ actions: [{ id: "" }] }, "actions.0.id"],
    [{ actions: [{ id: "a\n" }] }, "actions.0.id"],
    [{ actions: [7] }, "actions.0"],
    [{ actions: [{ id: "a", more: 1 }] }, "actions.0.more"],
    [{ actions: [{ id: "a", features: { x: Number.NaN } }] }, "actions.0.features"],
    [{ actions: [{ id: "a", features: { x: "y".repeat(300) } }] }, "actions.0.features"],
    [{ actions: [{ id: "a" }], context: 5 }, "context"],
    [{ actions: [{ id: "a" }], context: { a: [[[[[1]]]]] } }, "context"],
    [
      { actions: [{ id: "a" }], context: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, "x"])) },
      "context",
    ],
    [{ actions: [{ id: "a" }], context: {}, contextFeatures: [] }, "contextFeatures"],
    [{ actions: [{ id: "a" }], excludedActions: ["a"] }, "excludedActions"],
    [{ actions: [{ id: "a" }], excludedActions: "a" }, "excludedActions"],
    [{ actions: [{ id: "a" }], deferActivation: 1 }, "deferActivation"],
    [{ actions: [{ id: "a" }], exploration: { policy: "epsilon", epsilon: 2 } }, "exploration"],
    [{ actions: [{ id: "a" }], exploration: { policy: "top", m: 0, epsilon: 1 } }, "exploration"],
    [{ actions: [{ id: "a" }], exploration: { policy: "constructor" } }, "exploration"],
    [{ actions: [{ id: "a" }], eventId: 5 }, "eventId"],
    [{ actions: [{ id: "a" }], k: 5 }, "k"],
  ])("a request with a wrong field is refused, and it is named: %#", (body, field) => {
    expect(() => parseRank(body as Record<string, unknown>)).toThrow(expect.objectContaining({ field }));
  });
});

describe("events that wait for a reward", () => {
  const options = { waitMs: 1000, defaultReward: -1, events: 4 };

  test("get the default reward when their time is over, and those never activated teach nothing", () => {
    const ledger = new Ledger(options);
    ledger.add(choice("a"), 0);
    ledger.add(choice("b", { isDeferred: true }), 0);
    ledger.add(choice("c", { isDeferred: true }), 10);
    ledger.activate("c");
    expect(ledger.follow(999)).toEqual([]);
    expect(ledger.follow(1010).map(({ reward }) => reward)).toEqual([-1, -1]);
    expect(["a", "b", "c"].map((id) => ledger.get(id)!.state)).toEqual(["expired", "expired", "expired"]);
    expect(ledger.get("b")!.reward).toBeUndefined();
    expect(ledger.reward("a", 5)).toBeUndefined();
    ledger.follow(24 * 3_600_000);
    expect([ledger.get("a"), ledger.get("c")?.state]).toEqual([undefined, "expired"]);
  });

  test("get one reward, and the oldest make room", () => {
    const ledger = new Ledger(options);
    for (const [i, id] of ["a", "b", "c", "d"].entries()) ledger.add(choice(id), i);
    expect(ledger.reward("b", 3)?.reward).toBe(3);
    expect(ledger.reward("b", 4)).toBeUndefined();
    expect(ledger.add(choice("e"), 5).map(({ reward }) => reward)).toEqual([-1]);
    expect(ledger.add(choice("f"), 5)).toEqual([]);
    expect([...ledger.events()].map(({ id }) => id)).toEqual(["c", "d", "e", "f"]);
  });
});

/** The reward of an action in a context: each likes one. */
const likes = (context: number, action: number) => Number(context === action);
const body = (context: number) => ({
  context: { who: `c${context}` },
  actions: [0, 1, 2].map((i) => ({ id: `a${i}`, features: { kind: `k${i}` } })),
});

describe("a ranker", () => {
  /** Random choices and their rewards. */
  function records(n: number): RankRecord[] {
    const random = new Random(3);
    return Array.from({ length: n }, (_, i): RankRecord[] => {
      const [context, action] = [random.below(3), random.below(3)];
      const request = parseRank(body(context));
      const { id, features } = request.actions[action]!;
      const rows = { context: contextRow(request.context), action: actionRow(id, features, request.context) };
      return [
        { kind: "rank", now: i, choice: choice(`e${i}`, rows) },
        { kind: "reward", now: i, id: `e${i}`, value: likes(context, action) },
      ];
    }).flat();
  }

  test("learns which action fits which context, and is saved and loaded to the bit", () => {
    const all = records(400);
    const ranker = new Ranker({ seed: 2 });
    for (const record of all) ranker.take(record);
    for (const context of [0, 1, 2]) {
      const request = parseRank(body(context));
      const rows = request.actions.map(({ id, features }) => actionRow(id, features, request.context));
      const values = [...ranker.evaluate(contextRow(request.context), rows)!];
      expect(values.indexOf(Math.max(...values))).toBe(context);
    }
    const half = new Ranker({ seed: 2 });
    for (const record of all.slice(0, 301)) half.take(JSON.parse(JSON.stringify(record)));
    const loaded = Ranker.load(half.save());
    for (const record of all.slice(301)) loaded.take(record);
    expect(Buffer.compare(loaded.save(), ranker.save())).toBe(0);
    const serving = Ranker.load(ranker.save(), true);
    expect(Buffer.from(serving.model()!.weights.buffer).equals(Buffer.from(ranker.model()!.weights.buffer))).toBe(true);
    expect(() => Ranker.load(ranker.save().subarray(0, 50))).toThrow("ranking");
    for (const each of [ranker, half, loaded, serving]) each.dispose();
  });
});

describe("over a server", () => {
  let host: Host;
  afterEach(() => host.edge.close());
  const made = async (rank: Host["rank"]) => {
    host = new Host();
    host.rank = rank;
    await host.start();
    return host.edge.rank;
  };
  const start = 1e9;

  test("the best action is chosen in its context after some rewards, with exact probabilities", async () => {
    const rank = await made({ exploration: { policy: "epsilon", epsilon: 0.3 } });
    const random = new Random(1);
    for (let i = 0; i < 250; i++) {
      const context = random.below(3);
      host.time += 1000;
      const { eventId, rewardActionId } = host.edge.rank.rank(body(context));
      expect(await rank.reward(eventId, { value: likes(context, Number(rewardActionId[1])) })).toBe("taken");
      if (i % 10 === 0) await host.edge.settled();
    }
    await host.edge.settled();
    const counts = new Map<string, number>();
    for (let i = 0; i < 600; i++) {
      const { ranking, rewardActionId } = rank.rank(body(1));
      counts.set(rewardActionId, (counts.get(rewardActionId) ?? 0) + 1);
      expect(ranking.find(({ id }) => id === "a1")!.probability).toBeCloseTo(0.8, 12);
      expect(ranking[0]!.id).toBe(rewardActionId);
    }
    expect(Math.abs(counts.get("a1")! / 600 - 0.8)).toBeLessThan(0.08);
    expect(rank.report()).toMatchObject({ choices: 850, rewards: 250 });
    // Excluded actions stay in the answer, and are never chosen.
    const { ranking, rewardActionId } = rank.rank({ ...body(1), excludedActions: ["a1"] });
    expect([ranking.length, ranking.at(-1), rewardActionId === "a1"]).toEqual([3, { id: "a1", probability: 0 }, false]);
  });

  test("the same calls again change nothing, and others are refused; also after a restart", async () => {
    const rank = await made({ waitMs: 60_000, defaultReward: 0 });
    const first = rank.rank({ ...body(0), eventId: "e" });
    expect(rank.rank({ ...body(0), eventId: "e" })).toEqual(first);
    expect(() => rank.rank({ ...body(1), eventId: "e" })).toThrow("another request came");
    expect(await rank.reward("e", { value: 1 })).toBe("taken");
    expect(await rank.reward("e", { value: 1 })).toBe("duplicate");
    await expect(rank.reward("e", { value: 2 })).rejects.toMatchObject({ status: 409 });
    await expect(rank.reward("f", { value: 1 })).rejects.toMatchObject({ status: 404 });
    for (const value of ["1", Number.NaN, 1e9, undefined])
      await expect(rank.reward("e", { value })).rejects.toThrow("value");
    // Logged behind its answer, before what is awaited below: the kill does not take it.
    rank.rank({ ...body(0), eventId: "late" });
    rank.rank({ ...body(0), eventId: "d", deferActivation: true });
    await expect(rank.reward("d", { value: 1 })).rejects.toThrow("not activated");
    expect(await rank.activate("d")).toBe("taken");
    expect(await rank.activate("d")).toBe("duplicate");
    await host.edge.settled();
    host.kill();
    const again = (await host.start()).rank;
    expect(await again.reward("e", { value: 1 })).toBe("duplicate");
    expect(again.rank({ ...body(0), eventId: "e" })).toEqual(first);
    const both = await Promise.all([again.reward("d", { value: 1 }), again.reward("d", { value: 1 })]);
    expect(both.sort()).toEqual(["duplicate", "taken"]);
    host.time += 60_001;
    await expect(again.reward("late", { value: 1 })).rejects.toThrow("time is over");
    await expect(again.activate("late")).rejects.toThrow("time is over");
    expect(again.report()).toMatchObject({ rewards: 2, expired: 1 });
    expect(host.time).toBeGreaterThan(start);
  });

  test("an apprentice shows the first action, learns to choose it, and acts when it graduates", async () => {
    const rank = await made({ apprentice: true, modelUpdates: 8 });
    const random = new Random(8);
    const ask = () => {
      const context = random.below(3);
      const { actions, ...rest } = body(context);
      // The caller's own choice comes first.
      const own = actions[(context + 1) % 3]!;
      const request = { ...rest, actions: [own, ...actions.filter((action) => action !== own)] };
      return { own: own.id, answer: rank.rank(request) };
    };
    for (let i = 0; i < 300; i++) {
      host.time += 1000;
      const { own, answer } = ask();
      expect([answer.rewardActionId, answer.ranking[0]!.probability]).toEqual([own, 1]);
      await rank.reward(answer.eventId, { value: 0.5 });
      if (i % 5 === 0) await host.edge.settled();
    }
    const { agreement, isApprentice } = rank.report();
    expect([isApprentice, agreement.compared]).toEqual([true, 300]);
    expect(agreement.share).toBeGreaterThan(0.7);
    await host.edge.settled();
    await rank.graduate();
    const shares = Array.from({ length: 200 }, () => ask()).map(({ own, answer }) => own === answer.rewardActionId);
    expect(shares.filter(Boolean).length).toBeGreaterThan(150);
    expect(rank.report().isApprentice).toBe(false);
    host.kill();
    expect((await host.start()).rank.report()).toMatchObject({ isApprentice: false, agreement: { compared: 300 } });
  });

  test("the same log gives the same learner, whenever it is told", async () => {
    const rank = await made({});
    for (let i = 0; i < 60; i++) {
      host.time += 1000;
      const { eventId } = rank.rank(body(i % 3));
      if (i % 4 > 0) await rank.reward(eventId, { value: i % 2 });
    }
    const hash = await host.hash();
    const other = new Host();
    other.store = host.store;
    await other.start();
    expect(await other.hash()).toBe(hash);
    await other.edge.close();
  });
});
