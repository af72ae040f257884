import { describe, expect, test } from "vitest";
import { BprPolicy, ContextPolicy, ItemKnnPolicy } from "../../src/baselines/index.js";
import { ABLog, LiveMetrics, ReturnLog } from "../../src/evaluation/index.js";
import { HOUR, MINUTE } from "../../src/protocol/time.js";
import { coreFeatures, type Decision, type LiveEvent, type Policy, Recommender } from "../../src/recommender/index.js";
import { CollaborativeVectors } from "../../src/recommender/state/index.js";
import { simulate } from "../../src/simulator/index.js";
import { figureOf, findFigure } from "../support/figures.js";

type Entry = LiveEvent | Decision;

/** Two users who watch for 10 and for 20 minutes, then ask again; `ends` of the watches are sent or lost. */
function log(ends: boolean, beats: boolean): Entry[] {
  const entries: Entry[] = [{ kind: "on_air", time: 0, stream: "s", streamer: "r", category: "c" }];
  for (const [user, minutes, start] of [
    ["u", 10, HOUR],
    ["v", 20, 2 * HOUR],
  ] as const) {
    const [decision, again] = [`${user}1`, `${user}2`];
    const asked = { user, slate: ["s"], propensities: [1], scores: [3] };
    const about = { user, stream: "s", decision };
    entries.push({ id: decision, time: start, ...asked }, { kind: "click", time: start, ...about });
    for (let minute = 1; minute <= minutes; minute++) {
      const [time, watchMs] = [start + minute * MINUTE, minute * MINUTE];
      if (beats) entries.push({ kind: "heartbeat", time, ...about, watchMs });
      if (ends && minute === minutes) entries.push({ kind: "watch", time, ...about, watchMs });
    }
    entries.push({ id: again, time: start + (minutes + 1) * MINUTE, ...asked });
  }
  return entries;
}

const LOGS = [
  ["ends alone", log(true, false)],
  ["heartbeats and ends", log(true, true)],
  ["heartbeats, and ends lost", log(false, true)],
] as const;

function feed(
  into: { decision?(decision: Decision): void; feedback(event: LiveEvent): void },
  entries: readonly Entry[],
) {
  for (const entry of entries) {
    if ("kind" in entry) into.feedback(entry);
    else into.decision?.(entry);
  }
}

describe.each(LOGS)("of a log with %s", (_, entries) => {
  test("live metrics count each watch once", () => {
    const live = new LiveMetrics();
    feed(live, entries);
    const figures = live.result({ resamples: 20 });
    expect(findFigure(figures, "watch_min_per_visit")).toMatchObject({ value: 15, n: 2 });
    expect(figureOf(figures, "click_rate")).toBe(0.5);
    expect(figureOf(figures, "bounce_share")).toBe(0);
  });

  test("an A/B test counts each watch once, before and after a load", () => {
    const whole = new ABLog({ name: "t" }, { windowMs: 4 * HOUR });
    feed(whole, entries);
    let loaded = new ABLog({ name: "t" }, { windowMs: 4 * HOUR });
    for (const entry of entries) {
      feed(loaded, [entry]);
      loaded = ABLog.load(JSON.parse(JSON.stringify(loaded.save())));
    }
    expect(loaded.save()).toEqual(whole.save());
    expect(whole.save().open.map(([, { value }]) => value)).toEqual([10, 20]);
  });

  test("returns count each watch once", () => {
    const returns = new ReturnLog();
    feed(returns, entries);
    expect(returns.steps().map(({ watchMs }) => watchMs / MINUTE)).toEqual([10, 0, 20, 0]);
  });

  test.each<() => Policy>([
    () => new ItemKnnPolicy(),
    () => new ContextPolicy(),
    () => new BprPolicy(new CollaborativeVectors({ seed: 1 })),
  ])("a baseline learns each watch once: %o", (make) => {
    const scores = (of: readonly Entry[]) => {
      const policy = make();
      feed(
        {
          feedback: (event) => void policy.feedback(event, event.time),
          decision: ({ user, time }) => void policy.recommend({ user, now: time, k: 1 }),
        },
        of,
      );
      return ["u", "v"].flatMap((user) => policy.recommend({ user, now: 4 * HOUR, k: 1 }).scores);
    };
    expect(scores(entries)).toEqual(scores(LOGS[0][1]));
  });
});

test("a visit that ends in a purchase without a watch is a choice of the return log", () => {
  const returns = new ReturnLog();
  const [onAir, decision] = log(false, false);
  feed(returns, [onAir!, decision!]);
  returns.feedback({ kind: "purchase", time: HOUR, user: "u", stream: "s", amount: Math.E - 1, decision: "u1" });
  expect(returns.steps()[0]!.chosen).toEqual([{ predicted: 3, reward: expect.closeTo(1, 12) }]);
});

test("a recommender on a platform that loses ends learns from as many visits as on one that loses none", () => {
  const learned = (heartbeats: { everyMs: number; lostEnds: number } | undefined) => {
    const recommender = new Recommender({ features: coreFeatures(), warmupUpdates: 1e9, trainEvery: 0 });
    const live = new LiveMetrics();
    simulate(
      recommender,
      { viewers: 40, streamers: 60, days: 1, ...(heartbeats && { heartbeats }) },
      { onEvent: (event) => live.feedback(event), onDecision: (decision) => live.decision(decision) },
    );
    const stats = recommender.stats();
    recommender.dispose();
    return { stats, minutes: figureOf(live.result({ resamples: 10 }), "watch_min_per_user_day") };
  };
  const none = learned(undefined);
  const lost = learned({ everyMs: 2000, lostEnds: 0.4 });
  expect(lost.stats.lostEnds).toBeGreaterThan(10);
  // Visits shorter than the first heartbeat whose end is lost leave no trace.
  expect(lost.stats.transitions).toBeGreaterThan(0.8 * none.stats.transitions);
  expect(lost.minutes / none.minutes).toBeGreaterThan(0.98);
  expect(lost.minutes / none.minutes).toBeLessThanOrEqual(1);
});
