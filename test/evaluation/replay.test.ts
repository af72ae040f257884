import { describe, expect, test } from "vitest";
import { PopularPolicy, RandomPolicy } from "../../src/baselines/index.js";
import { evaluateLog, LogReplay, type LogReplayOptions, type RankingPolicy } from "../../src/evaluation/replay.js";
import { DAY } from "../../src/protocol/time.js";
import { type LiveEvent, Recommender, type Request } from "../../src/recommender/index.js";
import { Catalogue } from "../../src/recommender/state/index.js";
import { mean } from "../reference/moments.js";
import { figureOf } from "../support/figures.js";
import { madeUpLog } from "../support/logs.js";

const QUICK = { resamples: 1 };

/** Ranks streams by the visits to their streamer so far, then by id, and notes what it was asked and told. */
class Spy implements RankingPolicy {
  readonly name: string = "spy";
  readonly asked: { request: Request; events: number; ranking: string[] }[] = [];
  readonly events: LiveEvent[] = [];
  readonly catalog = new Catalogue();
  readonly visits = new Map<string, number>();
  readonly streamers = new Map<string, string>();

  rank(request: Request): { slate: string[] } {
    const visits = (id: string) => this.visits.get(this.streamers.get(id)!) ?? 0;
    const streams = this.catalog.among(request.candidates).map(({ id }) => id);
    const ranking = streams.sort((a, b) => visits(b) - visits(a) || (a < b ? -1 : 1)).slice(0, request.k);
    this.asked.push({ request, events: this.events.length, ranking });
    return { slate: ranking };
  }

  recommend(): never {
    throw new Error("was asked to decide where it can rank");
  }

  feedback(event: LiveEvent): void {
    this.events.push(event);
    this.catalog.feedback(event);
    if (event.kind === "on_air") this.streamers.set(event.stream, event.streamer);
    if (event.kind !== "click") return;
    const streamer = this.streamers.get(event.stream)!;
    this.visits.set(streamer, (this.visits.get(streamer) ?? 0) + 1);
  }
}

const log = madeUpLog(25, 10, 2);

/** Ranks of what was clicked, the slow way: with all events before the first impression of the decision given anew. */
function naive(options: Partial<LogReplayOptions>): { ranks: number[]; repeats: number[] } {
  const ranks: number[] = [];
  const repeats: number[] = [];
  for (const [at, click] of log.entries()) {
    if (click.kind !== "click") continue;
    const opened = log.findIndex((e) => e.kind === "impression" && e.decision === click.decision);
    if (log[opened]!.time < (options.from ?? 0)) continue;
    if (options.target === "engaged") {
      const watch = log.slice(at).find((e) => e.kind === "watch" && e.decision === click.decision);
      if (watch?.kind !== "watch" || watch.watchMs < 60_000) continue;
    }
    const spy = new Spy();
    for (const event of log.slice(0, opened)) spy.feedback(event);
    const { slate } = spy.rank({ user: click.user, now: log[opened]!.time, k: spy.catalog.size });
    const rank = slate.indexOf(click.stream);
    expect(rank).toBeGreaterThanOrEqual(0);
    ranks.push(rank);
    const streamer = spy.streamers.get(click.stream);
    const been = (e: LiveEvent) =>
      e.kind === "click" && e.user === click.user && spy.streamers.get(e.stream) === streamer;
    if (log.slice(0, opened).some(been)) repeats.push(rank);
  }
  return { ranks, repeats };
}

describe("the replay of a log", () => {
  test.each([{}, { from: 5 * DAY }, { target: "engaged" }] as const)(
    "places what was clicked where the naive twin does: %o",
    (options) => {
      const { ranks, repeats } = naive(options);
      const { figures, cases, skipped } = evaluateLog(new Spy(), log, { ...options, k: 3 }, { resamples: 50 });
      expect([cases, skipped]).toEqual([ranks.length, 0]);
      expect(cases).toBeGreaterThan(30);
      expect(figureOf(figures, "accuracy")).toBeCloseTo(mean(ranks.map((rank) => (rank === 0 ? 1 : 0))), 12);
      expect(figureOf(figures, "hr_at_3")).toBeCloseTo(mean(ranks.map((rank) => (rank < 3 ? 1 : 0))), 12);
      expect(figureOf(figures, "mrr")).toBeCloseTo(mean(ranks.map((rank) => 1 / (rank + 1))), 12);
      const ndcg = ranks.map((rank) => (rank < 3 ? 1 / Math.log2(rank + 2) : 0));
      expect(figureOf(figures, "ndcg_at_3")).toBeCloseTo(mean(ndcg), 12);
      expect(figureOf(figures, "precision_at_3")).toBeCloseTo(figureOf(figures, "hr_at_3") / 3, 12);
      expect(figureOf(figures, "mrr", "repeat")).toBeCloseTo(mean(repeats.map((rank) => 1 / (rank + 1))), 12);
      const n = (slice: string) => figures.find((f) => f.metric === "mrr" && f.slice === slice)?.n ?? 0;
      expect(n("repeat")).toBe(repeats.length);
      for (const [one, other] of [
        ["repeat", "novel"],
        ["new_user", "known_user"],
        ["new_streamer", "known_streamer"],
      ]) {
        expect(n(one!) + n(other!)).toBe(cases);
      }
    },
  );

  test("gives the policy every event in order, and ranks before the slate with the answer", () => {
    const spy = new Spy();
    evaluateLog(spy, log, {}, QUICK);
    expect(spy.events).toEqual(log);
    const clicks = log.filter((event) => event.kind === "click");
    expect(spy.asked).toHaveLength(clicks.length);
    for (const { request, events } of spy.asked) {
      expect(log[events]).toMatchObject({ kind: "impression", user: request.user, time: request.now, position: 0 });
    }
  });

  test("ranks right before the click beyond `lookMs`, or where the click names no decision", () => {
    const bare = log.map((event) =>
      event.kind === "click" ? { ...event, decision: undefined } : event,
    ) as LiveEvent[];
    for (const [events, lookMs] of [
      [log, 0],
      [bare, 600_000],
    ] as const) {
      const spy = new Spy();
      evaluateLog(spy, events, { lookMs }, QUICK);
      expect(spy.asked.length).toBeGreaterThan(0);
      for (const { events: count } of spy.asked) expect(events[count]!.kind).toBe("click");
    }
  });

  test("does not let the future into a ranking", () => {
    const half = log.length >> 1;
    const now = log[half]!.time - 600_000;
    const answers = (events: LiveEvent[]) => {
      const spy = new Spy();
      evaluateLog(spy, events, {}, QUICK);
      return spy.asked.filter(({ request }) => request.now < now);
    };
    // The same past, and another future: each event happens to another user and stream.
    const other = log.map((event, i): LiveEvent => {
      return i < half || !("stream" in event && "user" in event) ? event : { ...event, user: "u0", stream: "s0" };
    });
    expect(answers(other)).toEqual(answers(log));
    expect(answers(log).length).toBeGreaterThan(10);
  });

  test("counts a watch without a click as a visit", () => {
    const watches = log.filter((event) => event.kind !== "click" && event.kind !== "impression");
    const { cases, skipped } = evaluateLog(new Spy(), watches, {}, QUICK);
    const all = watches.filter((event) => event.kind === "watch").length;
    expect(cases + skipped).toBe(all);
    // Some streams were gone when the watch ended.
    expect(skipped).toBeGreaterThan(0);
    const { cases: engaged } = evaluateLog(new Spy(), watches, { target: "engaged" }, QUICK);
    expect(engaged).toBeLessThan(cases);
  });

  test("scores 0 for a target that a policy leaves out", () => {
    const blind: RankingPolicy = { name: "blind", recommend: () => ({ ...EMPTY }), feedback: () => {} };
    const { figures, cases } = evaluateLog(blind, log, {}, QUICK);
    expect(cases).toBeGreaterThan(0);
    expect([
      figureOf(figures, "mrr"),
      figureOf(figures, "hr_at_10"),
      figureOf(figures, "stream_coverage_at_10"),
    ]).toEqual([0, 0, 0]);
  });

  test("refuses a list with a stream that is not on offer, or twice", () => {
    const fixed = (slate: string[]): RankingPolicy => ({
      name: "odd",
      recommend: () => ({ ...EMPTY, slate }),
      feedback: () => {},
    });
    expect(() => evaluateLog(fixed(["nowhere"]), log)).toThrow('policy "odd" ranked "nowhere", not on offer at');
    const first = log.find((event) => event.kind === "click")!;
    const { stream } = first as Extract<LiveEvent, { kind: "click" }>;
    expect(() => evaluateLog(fixed([stream, stream]), log)).toThrow(`policy "odd" ranked "${stream}" twice at`);
  });

  test("refuses a log that is not in order of time", () => {
    const replay = new LogReplay(new PopularPolicy());
    replay.feed({ kind: "off_air", time: 5, stream: "s" });
    expect(() => replay.feed({ kind: "off_air", time: 4, stream: "s" })).toThrow(
      '"time" must be finite and at least 5, got 4',
    );
  });
});

const EMPTY = { id: "d", user: "u", time: 0, slate: [], propensities: [], scores: [] };

describe("sampled negatives", () => {
  test("give the random policy the figures of chance", () => {
    const long = madeUpLog(120, 10, 3);
    const { figures, cases } = evaluateLog(new RandomPolicy(1), long, { negatives: 3, k: 1 }, { resamples: 50 });
    const deviation = Math.sqrt((0.25 * 0.75) / cases);
    expect(cases).toBeGreaterThan(500);
    expect(Math.abs(figureOf(figures, "accuracy") - 0.25)).toBeLessThan(4 * deviation);
  });

  test("are distinct other streams on air, each equally often", () => {
    const events: LiveEvent[] = [];
    for (let s = 0; s < 9; s++)
      events.push({ kind: "on_air", time: 0, stream: `s${s}`, streamer: `r${s}`, category: "c" });
    for (let i = 1; i <= 4000; i++) events.push({ kind: "click", time: i, user: `u${i % 50}`, stream: "s4" });
    const spy = new Spy();
    evaluateLog(spy, events, { negatives: 4, lookMs: 0 }, QUICK);
    const times = new Map<string, number>();
    for (const { ranking } of spy.asked) {
      expect(ranking).toHaveLength(5);
      expect(new Set(ranking).size).toBe(5);
      for (const id of ranking) times.set(id, (times.get(id) ?? 0) + 1);
    }
    expect(times.get("s4")).toBe(4000);
    // 2000 each of the other eight, with a standard deviation of 32.
    for (const [id, n] of times) if (id !== "s4") expect(Math.abs(n - 2000), id).toBeLessThan(32 * 4.5);
  });
});

test("two policies on the same cases are compared by their difference", () => {
  const judged = [new PopularPolicy(), new RandomPolicy(2)].map((policy) => evaluateLog(policy, log, {}, QUICK));
  const [popular, random] = judged.map(({ figures, tally }) => ({ mrr: figureOf(figures, "mrr"), tally }));
  const difference = popular!.tally.minus(random!.tally, { resamples: 200 });
  const mrr = difference.find(({ metric, slice }) => metric === "mrr" && slice === "all")!;
  expect(mrr.value).toBeCloseTo(popular!.mrr - random!.mrr, 12);
  expect(mrr.lo).toBeLessThan(mrr.value);
  expect(mrr.hi).toBeGreaterThan(mrr.value);
});

test("the recommender ranks without a trace, and learns nothing where it is judged as it is", () => {
  const asked = new Recommender({ seed: 1 });
  const follower = new Recommender({ seed: 1 });
  const { figures, cases } = evaluateLog(asked, log, { learns: false }, QUICK);
  for (const event of log) follower.feedback(event, event.time);
  expect(cases).toBeGreaterThan(30);
  // Before it has learned anything it shows what most people watch.
  expect(figureOf(figures, "mrr")).toBeCloseTo(
    figureOf(evaluateLog(new PopularPolicy(), log, {}, QUICK).figures, "mrr"),
    1,
  );
  expect(asked.stats()).toEqual(follower.stats());
  expect(asked.profile("u1")).toEqual(follower.profile("u1"));
  asked.dispose();
  follower.dispose();
});

test("the recommender learns from the log's decisions as the replay goes, as one that is given them does", () => {
  const asked = new Recommender({ seed: 1, learner: { learningStarts: 50 } });
  const follower = new Recommender({ seed: 1, learner: { learningStarts: 50 } });
  evaluateLog(asked, log, {}, QUICK);
  const known = new Set<string>();
  for (const event of log) {
    if (event.kind === "impression" && !known.has(event.decision!)) {
      known.add(event.decision!);
      const own = log.filter((one) => one.kind === "impression" && one.decision === event.decision);
      const slate = own.map((one) => (one as typeof event).stream);
      follower.recordDecision({ id: event.decision!, user: event.user, time: event.time, slate });
    }
    follower.feedback(event, event.time);
  }
  expect(asked.stats().updates).toBeGreaterThan(100);
  expect(asked.stats()).toEqual(follower.stats());
  asked.dispose();
  follower.dispose();
});

test("a policy ranks before it gets the decision that the ranking is about", () => {
  const known = new Set<string>();
  const users = new Map(log.flatMap((event) => (event.kind === "impression" ? [[event.decision, event]] : [])));
  class Learner extends Spy {
    recordDecision({ id }: { id: string }): void {
      known.add(id);
    }

    override rank(request: Request): { slate: string[] } {
      const same = [...users.values()].filter(({ user, time }) => user === request.user && time === request.now);
      for (const { decision } of same) expect(known.has(decision!)).toBe(false);
      return super.rank(request);
    }
  }
  evaluateLog(new Learner(), log, {}, QUICK);
  expect(known.size).toBe(new Set(users.keys()).size);
});
