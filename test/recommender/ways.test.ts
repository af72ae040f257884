import { afterEach, describe, expect, test, vi } from "vitest";
import { DQN } from "../../src/engine/index.js";
import { MINUTE } from "../../src/protocol/time.js";
import { Features } from "../../src/recommender/features/index.js";
import { Pending } from "../../src/recommender/learning/index.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { Retriever } from "../../src/recommender/retrieval/index.js";
import { SlateBuilder } from "../../src/recommender/serving/index.js";
import { Catalogue, State } from "../../src/recommender/state/index.js";

/** The parts that data passes, by the name under which a way lists them. */
const STOPS: [name: string, prototype: object, method: string][] = [
  ["catalogue.find", Catalogue.prototype, "find"],
  ["catalogue.get", Catalogue.prototype, "get"],
  ["state.feedback", State.prototype, "feedback"],
  ["pending.find", Pending.prototype, "find"],
  ["pending.take", Pending.prototype, "take"],
  ["pending.next", Pending.prototype, "next"],
  ["retriever.retrieve", Retriever.prototype, "retrieve"],
  ["features.begin", Features.prototype, "begin"],
  ["dqn.evaluate", DQN.prototype, "evaluate"],
  ["slates.draw", SlateBuilder.prototype, "draw"],
  ["state.shown", State.prototype, "shown"],
  ["pending.add", Pending.prototype, "add"],
  ["dqn.observe", DQN.prototype, "observe"],
  ["dqn.learn", DQN.prototype, "learn"],
];

afterEach(() => vi.restoreAllMocks());

/** The stops of one call, in order. */
function wayOf(call: () => void): string[] {
  const way: string[] = [];
  for (const [name, prototype, method] of STOPS) {
    const real = (prototype as Record<string, (...given: unknown[]) => unknown>)[method]!;
    vi.spyOn(prototype as Record<string, () => unknown>, method).mockImplementation(function (
      this: unknown,
      ...given: unknown[]
    ) {
      way.push(name);
      return real.apply(this, given);
    } as () => unknown);
  }
  call();
  vi.restoreAllMocks();
  return way;
}

/** A recommender with every default group, two streams, and a user who was shown both and entered the first. */
function watched() {
  const recommender = new Recommender({ instance: "", warmupUpdates: 0, learner: { learningStarts: 1, batchSize: 1 } });
  for (const stream of ["s1", "s2"]) {
    recommender.feedback({ kind: "on_air", time: 0, stream, streamer: `of ${stream}`, category: "chess" });
  }
  const { id } = recommender.recommend({ user: "u", now: 1, k: 2 });
  recommender.feedback({ kind: "click", time: 2, user: "u", stream: "s1", decision: id });
  const watch = {
    kind: "watch",
    time: 5 * MINUTE,
    user: "u",
    stream: "s1",
    watchMs: 4 * MINUTE,
    decision: id,
  } as const;
  return { recommender, watch };
}

describe("the ways that data takes", () => {
  test("an event is looked up once: its stream, and the decision that showed it", () => {
    const { recommender, watch } = watched();
    expect(wayOf(() => recommender.feedback(watch))).toEqual([
      "pending.find",
      "catalogue.find",
      "state.feedback",
      "pending.take",
    ]);
    recommender.dispose();
  });

  test("an impression of a decision of its own changes that decision alone", () => {
    const { recommender } = watched();
    const impression = { kind: "impression", time: 3, user: "u", stream: "s2", decision: "dqn-0" } as const;
    expect(wayOf(() => recommender.feedback(impression))).toEqual(["pending.find", "pending.take"]);
    recommender.dispose();
  });

  test("a request is retrieved, written, valued and drawn once; it closes decisions, and does no update", () => {
    const { recommender, watch } = watched();
    recommender.feedback(watch);
    expect(wayOf(() => void recommender.recommend({ user: "u", now: 6 * MINUTE, k: 2 }))).toEqual([
      "retriever.retrieve",
      "features.begin",
      "dqn.evaluate",
      "slates.draw",
      "pending.next",
      "dqn.observe",
      "state.shown",
      "pending.add",
    ]);
    const next = { kind: "off_air", time: 7 * MINUTE, stream: "s2" } as const;
    expect(wayOf(() => recommender.feedback(next))).toEqual(["catalogue.find", "state.feedback", "dqn.learn"]);
    recommender.dispose();
  });
});
