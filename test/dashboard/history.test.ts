import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RandomPolicy } from "../../src/baselines/index.js";
import { followed, type History, quantileMs } from "../../src/dashboard/board/history.js";
import { filled } from "../../src/dashboard/widgets/histogram.js";
import { LiveMetrics } from "../../src/evaluation/index.js";
import type { WatchState } from "../../src/server/index.js";
import { simulate } from "../../src/simulator/index.js";

function stateOf(requests: number, counts: readonly number[], ns: readonly number[] = []): WatchState {
  const stats = { requests, events: 10 * requests, firstPlaces: requests, firstPropensities: 0.9 * requests };
  return {
    at: 0,
    stats,
    models: [{ loss: 2, qMean: Number.NaN }],
    figures: [],
    metrics: { bounds: [0.001, 0.01], latencies: [{ route: "/v1/recommend", counts, sum: 0, count: 0 }] },
    tail: ns.map((n) => ({ n, at: 0, kind: "click", streams: [] })),
  } as unknown as WatchState;
}

test("rates are by the page's clock, between two states", () => {
  const first = followed(undefined, stateOf(100, [0, 0, 0]), 5000);
  const second = followed(first, stateOf(150, [0, 0, 0]), 7000);
  expect(first.moments[0]).toMatchObject({ second: 0, slates: 0, events: 0, loss: 2, qMean: null });
  expect(second.moments[1]).toMatchObject({ second: 2, slates: 25, events: 250 });
  expect(second.moments[1]!.exploration).toBeCloseTo(0.1, 12);
});

test("a quantile is the bound of the bucket in which it falls, of the answers between two states", () => {
  const [before, now] = [stateOf(1, [100, 0, 0]), stateOf(2, [100, 99, 1])];
  expect(quantileMs(now, before, "/v1/recommend", 0.5)).toBe(10);
  expect(quantileMs(now, before, "/v1/recommend", 1)).toBe(Number.POSITIVE_INFINITY);
  expect(quantileMs(now, undefined, "/v1/recommend", 0.5)).toBe(1);
  expect(quantileMs(now, now, "/v1/recommend", 0.5)).toBeNull();
  expect(quantileMs(now, before, "/other", 0.5)).toBeNull();
});

test("a page that is open for a day keeps ten minutes of curves and 200 rows, the newest first", () => {
  let history: History | undefined;
  for (let i = 0; i < 2000; i++) history = followed(history, stateOf(i, [0, 0, 0], [2 * i, 2 * i + 1]), 1000 * i);
  expect(history!.moments).toHaveLength(600);
  expect(history!.tail).toHaveLength(200);
  expect(history!.tail.slice(0, 3).map(({ n }) => n)).toEqual([3999, 3998, 3997]);
});

test("figures and a test are kept each time that they become others; another test begins anew", () => {
  const figures = (value: number) => [{ metric: "click_rate", slice: "all", value, lo: 0, hi: 1, n: 10 }];
  const trial = (name: string, users: number) => {
    return { options: { name }, startedAt: 1, result: { a: { users }, b: { users } } };
  };
  let history: History | undefined;
  const see = (value: number, name: string | undefined, users = 0) => {
    const state = { ...stateOf(1, [0, 0, 0]), figures: figures(value), trial: name && trial(name, users) };
    history = followed(history, state as unknown as WatchState, 1000 * (history?.moments.length ?? 0));
    return [history.figures.length, history.trial.length];
  };
  expect(see(0.1, "one", 1)).toEqual([1, 1]);
  expect(see(0.1, "one", 1)).toEqual([1, 1]);
  expect(see(0.2, "one", 2)).toEqual([2, 2]);
  expect(history!.figures.map(({ second }) => second)).toEqual([0, 2]);
  expect(see(0.2, "other", 2)).toEqual([2, 1]);
  expect(see(0.2, undefined)).toEqual([2, 0]);
});

test("a histogram begins and ends with what holds something", () => {
  const buckets = [0, 0, 3, 0, 1, 0].map((count, i) => ({ title: String(i), count }));
  expect(filled(buckets).map(({ title }) => title)).toEqual(["2", "3", "4"]);
  expect(filled(buckets.slice(0, 2))).toEqual([]);
});

test("every figure of the policy that the page knows is one that a server measures", () => {
  const source = readFileSync("src/dashboard/board/brought.tsx", "utf8");
  const named = [...source.matchAll(/\["(\w+)", "[^"]+"\]/g)].map(([, metric]) => metric!);
  const metrics = new LiveMetrics();
  simulate(
    new RandomPolicy(1),
    { viewers: 20, streamers: 10, days: 9, slate: 3, seed: 1 },
    {
      onDecision: (one) => metrics.decision(one),
      onEvent: (one) => metrics.feedback(one),
    },
  );
  expect(named.length).toBeGreaterThan(8);
  expect(metrics.result({ resamples: 20 }).map(({ metric }) => metric)).toEqual(expect.arrayContaining(named));
});
