import { describe, expect, test } from "vitest";
import { PopularPolicy } from "../../src/baselines/index.js";
import { LiveMetrics, type LiveMetricsOptions } from "../../src/evaluation/live.js";
import { DAY } from "../../src/protocol/time.js";
import type { LiveEvent } from "../../src/recommender/index.js";
import { simulate } from "../../src/simulator/index.js";
import type { Figure } from "../../src/statistics/tally.js";
import { figureOf } from "../support/figures.js";
import { madeUpLog } from "../support/logs.js";

function measure(events: readonly LiveEvent[], options: Partial<LiveMetricsOptions> = {}): Figure[] {
  const live = new LiveMetrics(options);
  for (const event of events) live.feedback(event);
  return live.result({ resamples: 50 });
}

type ByUser = Extract<LiveEvent, { user: string }>;

/** What slices an event belongs to, by a look at all that came before it. */
function slicesOf(log: readonly LiveEvent[], at: number, streamerOf: Map<string, string>): string[] {
  const event = log[at] as Extract<LiveEvent, { stream: string; user: string }>;
  const before = log.slice(0, at).filter((e): e is ByUser => "user" in e);
  const streamer = (e: LiveEvent) => ("stream" in e ? streamerOf.get(e.stream) : undefined);
  const own = before.filter((e) => e.user === event.user && e.kind !== "impression");
  const isRepeat = own.some((e) => e.kind === "click" && streamer(e) === streamer(event));
  const shown = before.filter((e) => e.kind === "impression" && streamer(e) === streamer(event)).length;
  return [
    "all",
    isRepeat ? "repeat" : "novel",
    own.length < 3 ? "new_user" : "known_user",
    shown < 10 ? "new_streamer" : "known_streamer",
  ];
}

/** Sums by metric and slice, the slow way: what a visit is, is looked up for each. */
function naive(log: readonly LiveEvent[], from: number): Map<string, [amount: number, of: number]> {
  const sums = new Map<string, [number, number]>();
  const add = (metric: string, slices: string[], amount: number, of: number) => {
    for (const slice of slices) {
      const [a, o] = sums.get(`${metric}/${slice}`) ?? [0, 0];
      sums.set(`${metric}/${slice}`, [a + amount, o + of]);
    }
  };
  const streamerOf = new Map<string, string>();
  for (const e of log) if (e.kind === "on_air") streamerOf.set(e.stream, e.streamer);
  for (const [at, e] of log.entries()) {
    if (e.kind !== "impression" || e.time < from) continue;
    const slices = slicesOf(log, at, streamerOf);
    add("click_rate", slices, 0, 1);
    const click = log.find((c) => c.kind === "click" && c.decision === e.decision && c.stream === e.stream);
    if (click === undefined) continue;
    add("click_rate", slices, 1, 0);
    const visit = log
      .slice(log.indexOf(click))
      .filter((v) => "user" in v && "stream" in v && v.user === e.user && v.stream === e.stream);
    const end = visit.findIndex((v) => v.kind === "watch");
    const during = visit.slice(0, end + 1);
    add("conversion_follow", slices, during.some((v) => v.kind === "follow") ? 1 : 0, 1);
    add("conversion_gift", slices, during.some((v) => v.kind === "gift") ? 1 : 0, 1);
    const watch = visit[end];
    if (watch?.kind !== "watch") continue;
    const isCut = log.slice(0, log.indexOf(watch)).some((o) => o.kind === "off_air" && o.stream === e.stream);
    add("conversion_engaged", slices, watch.watchMs >= 60_000 ? 1 : 0, 1);
    add("bounce_share", slices, watch.watchMs < 5000 && !isCut ? 1 : 0, 1);
    add("watch_min_per_visit", slices, watch.watchMs / 60_000, 1);
  }
  return sums;
}

interface Session {
  start: number;
  end: number;
}

/** Sessions of each user by a gap of half an hour, where a watch reaches back to its start. */
function sessionsOf(log: readonly LiveEvent[]): Map<string, Session[]> {
  const all = new Map<string, Session[]>();
  for (const e of log) {
    if (!("user" in e)) continue;
    const start = e.kind === "watch" ? e.time - e.watchMs : e.time;
    const own = all.get(e.user) ?? [];
    const last = own.at(-1);
    if (last && start - last.end <= 1_800_000) last.end = e.time;
    else own.push({ start, end: e.time });
    all.set(e.user, own);
  }
  return all;
}

describe("live metrics", () => {
  const log = madeUpLog(25, 16, 1);
  const end = log.at(-1)!.time;

  test.each([0, 4 * DAY])("equal those counted slowly, slice by slice, from %i ms on", (from) => {
    const figures = measure(log, { from });
    let compared = 0;
    for (const [name, [amount, of]] of naive(log, from)) {
      const [metric, slice] = name.split("/");
      const figure = figures.find((f) => f.metric === metric && f.slice === slice);
      if (of === 0) expect(figure, name).toBeUndefined();
      else {
        expect(figure!.value, name).toBeCloseTo(amount / of, 10);
        expect(figure!.n, name).toBe(of);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(35);
  });

  test("divide watch time by the days of all users since their first activity", () => {
    const figures = measure(log);
    let minutes = 0;
    let days = 0;
    let active = 0;
    let sessions = 0;
    for (const e of log) if (e.kind === "watch") minutes += e.watchMs / 60_000;
    for (const own of sessionsOf(log).values()) {
      days += (end - own[0]!.start) / DAY;
      sessions += own.length;
    }
    active = new Set(log.flatMap((e) => ("user" in e ? [`${e.user} ${Math.floor(e.time / DAY)}`] : []))).size;
    expect(figureOf(figures, "watch_min_per_user_day")).toBeCloseTo(minutes / days, 10);
    expect(figureOf(figures, "watch_min_per_active_day")).toBeCloseTo(minutes / active, 10);
    expect(figureOf(figures, "sessions_per_user_day")).toBeCloseTo(sessions / days, 10);
    // Slices of a sum add up.
    const parts =
      figureOf(figures, "watch_min_per_user_day", "repeat") + figureOf(figures, "watch_min_per_user_day", "novel");
    expect(parts).toBeCloseTo(minutes / days, 10);
  });

  test("count returns only of users whose time to return is over", () => {
    const figures = measure(log, { cohortMs: 5 * DAY });
    const sessions = [...sessionsOf(log).values()];
    for (const days of [1, 3, 7]) {
      const due = sessions.filter(([first]) => first!.end + days * DAY <= end);
      const back = due.filter(([first, second]) => second && second.start - first!.end <= days * DAY);
      expect(figureOf(figures, `return_within_${days}d`)).toBeCloseTo(back.length / due.length, 12);
      const cohort = due.filter(([first]) => Math.floor(first!.start / (5 * DAY)) === 1);
      const its = back.filter((own) => cohort.includes(own));
      if (cohort.length > 0) {
        expect(figureOf(figures, `return_within_${days}d`, "cohort_1")).toBeCloseTo(its.length / cohort.length, 12);
      }
    }
    let seen = 0;
    let due = 0;
    for (const [user, [first]] of sessionsOf(log)) {
      if (first!.start + 4 * DAY > end) continue;
      due++;
      const since = (e: LiveEvent) => Math.floor((e.time - first!.start) / DAY);
      if (log.some((e) => "user" in e && e.user === user && since(e) === 3)) seen++;
    }
    expect(figureOf(figures, "retention_day_3")).toBeCloseTo(seen / due, 12);
    let away = 0;
    let returns = 0;
    for (const own of sessions) {
      for (let i = 1; i < own.length; i++) away += own[i]!.start - own[i - 1]!.end;
      away += end - own.at(-1)!.end;
      returns += own.length - 1;
    }
    expect(figureOf(figures, "hours_to_next_visit")).toBeCloseTo(away / returns / 3_600_000, 8);
  });

  test("count streams on air at `from`, and shares by streamer", () => {
    const from = 4 * DAY;
    const figures = measure(log, { from });
    const streams = log.flatMap((e) => (e.kind === "off_air" && e.time >= from ? [e.stream] : []));
    const shown = new Set(log.flatMap((e) => (e.kind === "impression" && e.time >= from ? [e.stream] : [])));
    expect(figureOf(figures, "stream_coverage")).toBeCloseTo(
      streams.filter((stream) => shown.has(stream)).length / streams.length,
      12,
    );
    expect(figureOf(figures, "exposure_gini")).toBeGreaterThan(0);
  });

  test("have intervals around their values", () => {
    for (const { metric, slice, value, lo, hi, n } of measure(log)) {
      expect(lo, `${metric} ${slice}`).toBeLessThanOrEqual(value);
      expect(hi, `${metric} ${slice}`).toBeGreaterThanOrEqual(value);
      expect(n).toBeGreaterThan(0);
    }
  });

  test("count an impression once, from the decision, the event or both", () => {
    const on = (stream: string, tag: string): LiveEvent => ({
      kind: "on_air",
      time: 0,
      stream,
      streamer: `by ${stream}`,
      category: "c",
      tags: [tag],
    });
    const decision = { id: "d", user: "u", time: 1, slate: ["a", "b"], propensities: [1, 1], scores: [0, 0] };
    const shown = (stream: string) => ({ kind: "impression", time: 1, user: "u", stream, decision: "d" }) as const;
    const live = new LiveMetrics();
    for (const event of [on("a", "x"), on("b", "y"), on("c", "x")]) live.feedback(event);
    live.decision(decision);
    for (const event of [shown("a"), shown("b")]) live.feedback(event);
    live.feedback({ kind: "click", time: 2, user: "u", stream: "a", decision: "d" });
    live.feedback({ kind: "like", time: 3, user: "u", stream: "a" });
    live.feedback({ kind: "watch", time: 60_002, user: "u", stream: "a", watchMs: 60_000, decision: "d" });
    const figures = live.result();
    expect(figures.find(({ metric, slice }) => metric === "click_rate" && slice === "novel")).toMatchObject({
      value: 0.5,
      n: 2,
    });
    // log(1 + 1 minute) and 0.2 for the like, of two impressions.
    expect(figureOf(figures, "reward_per_impression")).toBeCloseTo((Math.log(2) + 0.2) / 2, 12);
    // The streams share their category, of three things that either has.
    expect(figureOf(figures, "slate_diversity")).toBeCloseTo(2 / 3, 12);
    // Nobody had been anywhere: three streamers are as likely as each other.
    expect(figureOf(figures, "slate_novelty_bits")).toBeCloseTo(Math.log2(3), 12);
    expect(figureOf(figures, "stream_coverage")).toBeCloseTo(2 / 3, 12);
    // Shown 1, 1 and 0 times.
    expect(figureOf(figures, "exposure_gini")).toBeCloseTo(1 / 3, 12);
  });

  test("count no bounce where the stream ended the watch, and one conversion for two follows", () => {
    const live = new LiveMetrics();
    for (const stream of ["a", "b", "c"])
      live.feedback({ kind: "on_air", time: 0, stream, streamer: stream, category: "c" });
    for (const stream of ["a", "b", "c"]) live.feedback({ kind: "click", time: 10, user: "u", stream });
    for (const time of [11, 12]) live.feedback({ kind: "follow", time, user: "u", stream: "a" });
    for (const stream of ["a", "c"]) live.feedback({ kind: "off_air", time: 1000, stream });
    // On air again.
    live.feedback({ kind: "on_air", time: 1001, stream: "c", streamer: "c", category: "c" });
    for (const stream of ["a", "b", "c"])
      live.feedback({ kind: "watch", time: 1010, user: "u", stream, watchMs: 1000 });
    const figures = live.result({ resamples: 1 });
    expect(figureOf(figures, "bounce_share")).toBe(2 / 3);
    expect(figureOf(figures, "conversion_follow")).toBe(1 / 3);
  });

  test("count only the part of a watch after `from`", () => {
    const live = new LiveMetrics({ from: DAY });
    live.feedback({ kind: "click", time: DAY - 600_000, user: "u", stream: "s" });
    live.feedback({ kind: "watch", time: DAY + 120_000, user: "u", stream: "s", watchMs: 720_000 });
    live.feedback({ kind: "click", time: 2 * DAY, user: "u", stream: "s" });
    const figures = live.result({ resamples: 1 });
    expect(figureOf(figures, "watch_min_per_user_day")).toBeCloseTo(2, 12);
    // The visit itself is not one of those that count.
    expect(figureOf(figures, "watch_min_per_visit")).toBeNaN();
    expect(figureOf(figures, "repeat_share")).toBe(1);
  });

  test("count a user without activity as new, even after profile events", () => {
    const live = new LiveMetrics();
    live.feedback({ kind: "on_air", time: 0, stream: "s", streamer: "r", category: "c" });
    for (let time = 1; time < 6; time++) live.feedback({ kind: "user", time, user: "typed", age: time });
    for (let time = 6; time < 9; time++) live.feedback({ kind: "page_view", time, user: "there", dwellMs: 1 });
    for (const user of ["typed", "there"]) live.feedback({ kind: "impression", time: 10, user, stream: "s" });
    const n = (slice: string) =>
      live.result({ resamples: 1 }).find((f) => f.metric === "click_rate" && f.slice === slice)?.n;
    expect([n("all"), n("new_user"), n("known_user"), n("novel"), n("repeat")]).toEqual([2, 1, 1, 2, undefined]);
  });

  test("agree with the simulator's own metrics", () => {
    const live = new LiveMetrics();
    const options = { days: 4, warmupDays: 0, viewers: 80, streamers: 120, seed: 3 };
    const own = simulate(new PopularPolicy(), options, { onEvent: (event) => live.feedback(event) });
    const figures = live.result({ resamples: 20 });
    expect(figureOf(figures, "click_rate")).toBeCloseTo(own.clickRate, 12);
    expect(figureOf(figures, "repeat_share")).toBeCloseTo(own.repeatPerClick, 12);
    expect(figureOf(figures, "stream_coverage")).toBeCloseTo(own.coverage, 12);
  });

  test("refuse numbers that are not finite, and do not change", () => {
    const live = new LiveMetrics();
    for (const event of log.slice(0, 500)) live.feedback(event);
    const before = live.result({ resamples: 5 });
    const watch = { kind: "watch", time: log[500]!.time, user: "u1", stream: "s1", watchMs: Number.NaN } as const;
    expect(() => live.feedback(watch)).toThrow('"watchMs" must be a finite number >= 0, got NaN');
    expect(() => live.feedback({ ...watch, watchMs: 1, time: Infinity })).toThrow('"time" must be');
    expect(live.result({ resamples: 5 })).toEqual(before);
    expect(() => new LiveMetrics({ engagedMs: -1 })).toThrow('"engagedMs" must be a finite number > 0, got -1');
  });
});
