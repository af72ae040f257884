import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/protocol/time.js";
import type { QFunction } from "../../../src/recommender/agent.js";
import type { Outcome } from "../../../src/recommender/learning/reward.js";
import { Recommender, type RecommenderOptions } from "../../../src/recommender/recommender.js";

/** An agent that keeps the rewards that it is given. */
function recorder(): QFunction & { rewards: number[] } {
  const rewards: number[] = [];
  return {
    rewards,
    steps: 0,
    updates: 0,
    observe: ({ reward }) => void rewards.push(reward),
    evaluate: (_, candidates) => new Float32Array(candidates.length),
    learn: () => Number.NaN,
    save: () => new Uint8Array(1),
    dispose: () => undefined,
  };
}

const OPTIONS = { seed: 1, trainEvery: 0, explore: { epsilon: 0 } };

function visited(reward: RecommenderOptions["reward"]) {
  const agent = recorder();
  const recommender = new Recommender({ ...OPTIONS, reward }, agent);
  recommender.feedback({ kind: "on_air", time: 0, stream: "s", streamer: "ann", category: "chess" });
  const { id: decision } = recommender.recommend({ user: "u", now: 1, k: 1 });
  const about = { user: "u", stream: "s", decision };
  recommender.feedback({ kind: "click", time: 2, ...about });
  recommender.feedback({ kind: "purchase", time: 3, ...about, amount: 99 });
  for (const [name, value] of [
    ["stars", 3],
    ["stars", 2],
    ["unknown", 50],
    ["help", 1],
  ] as const) {
    recommender.feedback({ kind: "signal", time: 4 + value, ...about, name, value });
  }
  return { agent, recommender, about };
}

function close({ user, stream, decision }: ReturnType<typeof visited>["about"], recommender: Recommender): void {
  recommender.feedback({ kind: "watch", time: MINUTE, user, stream, decision, watchMs: MINUTE / 2 });
  recommender.recommend({ user, now: 2 * MINUTE, k: 1 });
}

const SIGNALS = { stars: { weight: 2 }, help: { weight: -3 } };
const of = ({ watchMs = 0, purchases }: Readonly<Outcome>) => watchMs / 1000 + purchases;

describe("events of one's own", () => {
  test("purchases and declared signals are learned from, others are not", () => {
    const { agent, recommender, about } = visited({ watch: 0, signals: SIGNALS });
    close(about, recommender);
    expect(agent.rewards).toHaveLength(1);
    expect(agent.rewards[0]).toBeCloseTo(Math.log(100) + 2 * 5 - 3, 9);
    expect(recommender.profile("u")).toMatchObject({ pairs: [["ann", { approvals: 1 }]] });
  });

  test("signals of different names at one time are no duplicates", () => {
    const { recommender, about } = visited({});
    const signal = { kind: "signal", time: 9, ...about, value: 1 } as const;
    for (const name of ["a", "b", "a"]) recommender.feedback({ ...signal, name });
    expect(recommender.stats().duplicates).toBe(1);
  });

  test("of a waiting decision they are saved and restored exactly", () => {
    const { agent, recommender, about } = visited({ signals: SIGNALS });
    const loaded = recorder();
    const file = recommender.save();
    const copy = Recommender.load(file, { loadAgent: () => loaded });
    expect(copy.save()).toEqual(file);
    close(about, recommender);
    close(about, copy);
    expect(loaded.rewards).toEqual(agent.rewards);
  });
});

describe("a reward function of one's own", () => {
  test("adds to what is learned, and goes on after a load that is given it", () => {
    const { agent, recommender, about } = visited({ watch: 0, purchase: 0, of });
    const loaded = recorder();
    const file = recommender.save();
    const copy = Recommender.load(file, { reward: { of }, loadAgent: () => loaded });
    expect(copy.save()).toEqual(file);
    close(about, recommender);
    close(about, copy);
    expect(agent.rewards).toEqual([30 + 99]);
    expect(loaded.rewards).toEqual([30 + 99]);
  });

  test("must be given to a load that needs it, and to no other", () => {
    const loadAgent = recorder;
    const own = visited({ of }).recommender.save();
    expect(() => Recommender.load(own, { loadAgent })).toThrow(
      "the file's reward has a function: give it as { reward: { of } }",
    );
    const declared = visited({}).recommender.save();
    expect(() => Recommender.load(declared, { reward: { of }, loadAgent })).toThrow(
      "the file's reward has no function, but one is given",
    );
  });

  test("whose result is no number reaches no agent, and the recommender goes on", () => {
    let result = Number.NaN;
    const { agent, recommender, about } = visited({ of: () => result });
    expect(() => close(about, recommender)).toThrow('"reward.of" must be a function to numbers');
    result = 1;
    const { id, slate } = recommender.recommend({ user: "u", now: 3 * MINUTE, k: 1 });
    close({ user: "u", stream: slate[0]!, decision: id }, recommender);
    expect(agent.rewards.every(Number.isFinite)).toBe(true);
  });
});
