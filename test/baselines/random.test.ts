import { expect, test } from "vitest";
import { RandomPolicy } from "../../src/baselines/random.js";

function withStreams(n: number, seed = 1): RandomPolicy {
  const policy = new RandomPolicy(seed, "");
  for (let i = 0; i < n; i++) {
    policy.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `x${i}`, category: "chess" });
  }
  return policy;
}

test("shows every ordered pair of four streams equally often", () => {
  const policy = withStreams(4);
  const counts = new Map<string, number>();
  for (let i = 0; i < 12_000; i++) {
    const pair = policy.recommend({ user: "u", now: i, k: 2 }).slate.join();
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  expect(counts.size).toBe(12);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4.5 * Math.sqrt(1000));
});

test("has a propensity of one over the number of streams left at each position", () => {
  const decision = withStreams(4).recommend({ user: "u", now: 3, k: 9 });
  expect(decision.propensities).toEqual([1 / 4, 1 / 3, 1 / 2, 1]);
  expect(new Set(decision.slate).size).toBe(4);
  expect(decision).toMatchObject({ user: "u", time: 3 });
});

test("chooses among the candidates on air only", () => {
  const policy = withStreams(9);
  policy.feedback({ kind: "off_air", time: 1, stream: "s2" });
  for (let i = 0; i < 200; i++) {
    const { slate } = policy.recommend({ user: "u", now: i, k: 6, candidates: ["s7", "s2", "nobody", "s1", "s7"] });
    expect([...slate].sort()).toEqual(["s1", "s7"]);
  }
});

test("gives an empty slate when nothing is on air", () => {
  expect(withStreams(0).recommend({ user: "u", now: 0, k: 3 })).toMatchObject({ slate: [], propensities: [] });
});

test("repeats its choices for the same seed, with another id for every decision", () => {
  const a = withStreams(50, 5);
  const b = withStreams(50, 5);
  const ids = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const decision = a.recommend({ user: "u", now: i, k: 6 });
    expect(b.recommend({ user: "u", now: i, k: 6 })).toEqual(decision);
    ids.add(decision.id);
  }
  expect(ids.size).toBe(100);
});
