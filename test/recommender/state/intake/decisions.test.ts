import { expect, test } from "vitest";
import { Recommender } from "../../../../src/recommender/recommender.js";
import {
  DecisionNames,
  instanceName,
  newInstance,
  prefixOf,
} from "../../../../src/recommender/state/intake/decisions.js";
import { onAir } from "../../../support/events.js";

test("instances have names of their own, which can be part of an id", () => {
  const names = new Set(Array.from({ length: 1000 }, newInstance));
  expect(names.size).toBe(1000);
  for (const name of names) expect(instanceName[0](name)).toBe(true);
  for (const name of ["", "eu-1", "a.b_c", "x".repeat(64)]) expect(instanceName[0](name)).toBe(true);
  for (const name of ["a b", "a/b", "x".repeat(65), "ü", "a\n", 1, null]) expect(instanceName[0](name)).toBe(false);
  expect([prefixOf("dqn", ""), prefixOf("dqn", "eu")]).toEqual(["dqn-", "dqn-eu-"]);
});

test("names go on after a recorded one of the same instance, and after a save", () => {
  const names = new DecisionNames("dqn-eu-", 10);
  names.add("dqn-eu-41");
  names.add("dqn-us-99");
  expect(names.next()).toBe("dqn-eu-42");
  const copy = new DecisionNames("dqn-eu-", 10);
  copy.load(names.count, names.save());
  expect(["dqn-eu-41", "dqn-us-99", "dqn-eu-42", "dqn-eu-40"].map((id) => copy.has(id))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(copy.next()).toBe("dqn-eu-43");
});

const OWN = "eu";
const FORGED = [
  ...["dqn--5", "dqn-", "dqn-9007199254740991", "dqn-0", "dqn-eu", "dqn-eu-", "dqn-eu--1", "dqn-eu-1", "dqn-eu-00"],
  ...["dqn-eu-0 ", "DQN-eu-0", "dqn-eu-1e0", "dqn-eu-999999999999999", "dqn-us-0", "0", "eu-0"],
];

test.each(FORGED)("%j is no decision of its own, while one waits and after it has closed", (decision) => {
  const recommender = new Recommender({ instance: OWN, seed: 1 });
  recommender.feedback(onAir("s0"));
  const { id } = recommender.recommend({ user: "u", now: 1, k: 1 });
  expect(id).toBe("dqn-eu-0");
  recommender.feedback({ kind: "click", time: 2, user: "u", stream: "s0", decision });
  recommender.forget("u");
  recommender.feedback({ kind: "impression", time: 3, user: "u", stream: "s0", decision });
  expect(recommender.stats()).toMatchObject({ unknownDecisions: 2, late: 0 });
  // The impression of its own was counted at the decision; that of another was not.
  recommender.feedback({ kind: "impression", time: 4, user: "u", stream: "s0", decision: id });
  expect(recommender.stats()).toMatchObject({ unknownDecisions: 2, late: 1 });
  recommender.dispose();
});

test("a decision is recorded once, also after it has closed, and by a loaded recommender", () => {
  let recommender = new Recommender({ seed: 1 });
  recommender.feedback(onAir("s0"));
  const ids = Array.from({ length: 12 }, (_, i) => (i % 2 ? `theirs ${i}` : `dqn-other-${i}`));
  for (const [i, id] of ids.entries()) recommender.recordDecision({ id, user: "u", time: i + 1, slate: ["s0"] });
  const file = recommender.save();
  for (const each of [recommender, Recommender.load(file)]) {
    recommender = each;
    const { transitions, pending } = recommender.stats();
    for (const id of ids) recommender.recordDecision({ id, user: "u", time: 50, slate: ["s0"] });
    expect(recommender.stats()).toMatchObject({ duplicates: 12, transitions, pending, decisions: 0 });
    recommender.dispose();
  }
});

test("two processes of one file name apart, and both know what waits in it", () => {
  const first = new Recommender({ seed: 1 });
  for (let i = 0; i < 4; i++) first.feedback(onAir(`s${i}`));
  const waiting = first.recommend({ user: "u", now: 1, k: 1 });
  const file = first.save();
  const both = [Recommender.load(file), Recommender.load(file)];
  const ids = both.flatMap((each) => [2, 3, 4].map((now) => each.recommend({ user: "v", now, k: 1 }).id));
  expect(new Set([...ids, waiting.id]).size).toBe(7);
  for (const each of [first, ...both]) {
    each.feedback({ kind: "click", time: 5, user: "u", stream: waiting.slate[0]!, decision: waiting.id });
    expect(each.stats()).toMatchObject({ unknownDecisions: 0, late: 0 });
    each.dispose();
  }
});
