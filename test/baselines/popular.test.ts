import { expect, test } from "vitest";
import { PopularPolicy } from "../../src/baselines/popular.js";
import { Random } from "../../src/numeric/random.js";

function withViewers(viewers: readonly number[]): PopularPolicy {
  const policy = new PopularPolicy();
  viewers.forEach((count, i) => {
    policy.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `x${i}`, category: "chess" });
    policy.feedback({ kind: "update", time: 0, stream: `s${i}`, viewers: count });
  });
  return policy;
}

test("shows the most watched first, ties by the lower index, with probability 1", () => {
  const decision = withViewers([3, 9, 3, 1, 9]).recommend({ user: "u", now: 0, k: 4 });
  expect(decision.slate).toEqual(["s1", "s4", "s0", "s2"]);
  expect(decision.scores).toEqual([9, 9, 3, 3]);
  expect(decision.propensities).toEqual([1, 1, 1, 1]);
});

test("follows the viewers as they come and go", () => {
  const policy = withViewers([3, 9]);
  policy.feedback({ kind: "update", time: 1, stream: "s0", viewers: 10 });
  expect(policy.recommend({ user: "u", now: 1, k: 1 }).slate).toEqual(["s0"]);
  policy.feedback({ kind: "off_air", time: 2, stream: "s0" });
  expect(policy.recommend({ user: "u", now: 2, k: 1 }).slate).toEqual(["s1"]);
});

test("chooses among the candidates on air only", () => {
  const { slate } = withViewers([3, 9, 4, 1]).recommend({ user: "u", now: 0, k: 2, candidates: ["s3", "s0", "x"] });
  expect(slate).toEqual(["s0", "s3"]);
});

test("agrees with a full sort for any number of viewers and k", () => {
  const random = new Random(2);
  for (let round = 0; round < 200; round++) {
    const viewers = Array.from({ length: 1 + random.below(40) }, () => random.below(12));
    const k = 1 + random.below(10);
    const want = viewers
      .map((count, i) => ({ count, i }))
      .sort((a, b) => b.count - a.count || a.i - b.i)
      .slice(0, k)
      .map(({ i }) => `s${i}`);
    expect(withViewers(viewers).recommend({ user: "u", now: 0, k }).slate).toEqual(want);
  }
});
