import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import type { LoggedDecision } from "../../../src/protocol/schema.js";
import { MINUTE } from "../../../src/protocol/time.js";
import type { QFunction } from "../../../src/recommender/agent.js";
import type { SlateTransition } from "../../../src/recommender/learning/index.js";
import { UserShares } from "../../../src/recommender/learning/shares.js";
import { Recommender } from "../../../src/recommender/recommender.js";

type Entry = LiveEvent | LoggedDecision;

/** Records the rows of transitions. */
class Recorder implements QFunction {
  readonly transitions: string[] = [];
  readonly steps = 0;
  readonly updates = 0;

  evaluate(_observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    return new Float32Array(candidates.length / 32);
  }

  observe({ observation, candidates, action, reward, discount }: SlateTransition): void {
    this.transitions.push(JSON.stringify([[...observation], [...candidates], action, reward, discount]));
  }

  learn(): number {
    return Number.NaN;
  }

  save(): Uint8Array {
    return new Uint8Array();
  }

  dispose(): void {}
}

/**
 * A log in which user i has about twice as many decisions as user i + 1, with everything that can go wrong: streams off
 * air, clicks without a decision, repeated decisions, clicks without a watch, impossible watches, slates without a click.
 */
function logOf(users: number, decisions: number, seed: number): Entry[] {
  const random = new Random(seed);
  const log: Entry[] = [];
  for (let i = 0; i < 12; i++) {
    log.push({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `r${i}`, category: `c${i % 3}` });
  }
  for (let n = 0; n < decisions; n++) {
    const time = 1 + n * MINUTE;
    const user = `u${Math.floor(users * random.uniform() ** 3)}`;
    const slate = random.shuffle(["s0", "s1", "s2", "s3", "s4", "s11"]).slice(0, 3);
    const decision = { id: `d${n}`, user, time, slate };
    log.push(decision);
    if (random.bernoulli(0.1)) log.push(decision);
    const stream = random.pick(random.bernoulli(0.1) ? ["s7"] : slate);
    if (random.bernoulli(0.8)) log.push({ kind: "click", time, user, stream, decision: decision.id });
    const watchMs = random.bernoulli(0.1) ? 100_000 : random.below(50_000);
    const watch = { kind: "watch", time: time + 50_000, user, stream, watchMs } as const;
    if (random.bernoulli(0.9)) log.push({ ...watch, decision: decision.id });
    if (n === decisions >> 1) log.push({ kind: "off_air", time, stream: "s11" });
  }
  return log;
}

/** The transitions that a recommender without other bounds learns from a log, with or without shares. */
function taught(log: readonly Entry[], shares?: UserShares): string[] {
  const agent = new Recorder();
  const recommender = new Recommender({ trainEvery: 0, profile: { decisionsPerWindow: log.length } }, agent);
  for (const entry of log) {
    if ("kind" in entry) recommender.feedback(entry);
    else recommender.recordDecision(entry, shares?.times(entry));
  }
  return agent.transitions;
}

function sharesOf(log: readonly Entry[], seed = 1, timesMax = Number.POSITIVE_INFINITY): UserShares {
  const shares = new UserShares(seed, {}, timesMax);
  for (const entry of log) shares.count(entry);
  return shares;
}

describe("shares of users", () => {
  test("count the transitions of a recommender on the same log, whatever goes wrong", () => {
    for (const seed of [1, 2, 3]) {
      const log = logOf(20, 400, seed);
      const { transitions, users } = sharesOf(log).counted;
      expect(transitions).toBe(taught(log).length);
      expect(transitions).toBeGreaterThan(200);
      expect(users).toBeGreaterThan(10);
    }
  });

  test("give every user the same share, and the same total as before", () => {
    const USERS = 15;
    const log = logOf(USERS, 3000, 4);
    const drawn = new Map<string, number>();
    const had = new Map<string, number>();
    const SEEDS = 20;
    for (let seed = 0; seed < SEEDS; seed++) {
      const shares = sharesOf(log, seed);
      // A decision yields no transition where the stream was entered and the watch never ended, or was impossible.
      const slates = new Map(log.flatMap((entry) => ("kind" in entry ? [] : [[entry.id, entry.slate] as const])));
      const unknown = new Set<string>();
      for (const entry of log) {
        if (!("kind" in entry) || (entry.kind !== "click" && entry.kind !== "watch")) continue;
        const decision = entry.decision!;
        if (entry.kind === "watch" && entry.watchMs <= 50_000) unknown.delete(decision);
        else if (slates.get(decision)!.includes(entry.stream)) unknown.add(decision);
      }
      const seen = new Set<string>();
      for (const entry of log) {
        if ("kind" in entry || seen.has(entry.id) || unknown.has(entry.id)) continue;
        seen.add(entry.id);
        drawn.set(entry.user, (drawn.get(entry.user) ?? 0) + shares.times(entry) / SEEDS);
        had.set(entry.user, (had.get(entry.user) ?? 0) + 1 / SEEDS);
      }
    }
    const spread = (counts: Map<string, number>) => Math.max(...counts.values()) / Math.min(...counts.values());
    expect(had.size).toBe(USERS);
    expect(spread(had)).toBeGreaterThan(10);
    expect(spread(drawn)).toBeLessThan(1.6);
    const sum = (counts: Map<string, number>) => [...counts.values()].reduce((all, n) => all + n, 0);
    expect(Math.abs(sum(drawn) / sum(had) - 1)).toBeLessThan(0.05);
  });

  test("change the number of repeats of a transition, and nothing in it", () => {
    const log = logOf(10, 600, 5);
    const shares = sharesOf(log);
    const [all, some] = [taught(log), taught(log, shares)];
    const known = new Set(all);
    expect(known.size).toBe(all.length);
    for (const transition of some) expect(known.has(transition)).toBe(true);
    expect(Math.abs(some.length / all.length - 1)).toBeLessThan(0.15);
    expect(new Set(some).size).toBeLessThan(0.7 * all.length);
    // In the order of time, as they were.
    const order = some.map((transition) => all.indexOf(transition));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test("have a bound: users with little have less, and nobody has more", () => {
    const log = logOf(15, 3000, 4);
    const [bounded, free] = [sharesOf(log, 1, 2), sharesOf(log)];
    let lowered = 0;
    for (const entry of log) {
      if ("kind" in entry) continue;
      const times = free.times(entry);
      expect(bounded.times(entry)).toBe(Math.min(times, 2));
      if (times > 2) lowered++;
    }
    expect(lowered).toBeGreaterThan(10);
    expect(() => new UserShares(1, {}, 0)).toThrow('"timesMax" must be an integer >= 1, got 0');
  });

  test("are drawn by the name of the decision: the same from any place on, others with another seed", () => {
    const log = logOf(10, 300, 6);
    const [one, again, other] = [sharesOf(log), sharesOf(log), sharesOf(log, 2)];
    const decisions = log.filter((entry): entry is LoggedDecision => !("kind" in entry));
    const times = decisions.map((decision) => one.times(decision));
    expect(
      [...decisions]
        .reverse()
        .map((decision) => again.times(decision))
        .reverse(),
    ).toEqual(times);
    expect(decisions.map((decision) => other.times(decision))).not.toEqual(times);
    expect(one.times({ id: "d", user: "never counted" })).toBe(1);
  });
});

describe("a decision with a number of times", () => {
  test("yields its transitions as many times, and continues from a save in between", () => {
    const log = logOf(1, 1, 7).filter((entry) => !("kind" in entry) || entry.kind === "on_air");
    const decision = log.find((entry): entry is LoggedDecision => !("kind" in entry))!;
    for (const times of [0, 1, 3]) {
      const recommender = new Recommender({ trainEvery: 0 });
      for (const entry of log) {
        if ("kind" in entry) recommender.feedback(entry);
        else recommender.recordDecision(entry, times);
      }
      const [stream] = decision.slate;
      recommender.feedback({ kind: "watch", time: 9000, user: decision.user, stream: stream!, watchMs: 5000 });
      const copy = Recommender.load(recommender.save());
      copy.recordDecision({ id: "next", user: decision.user, time: 10_000, slate: ["s1"] }, 1);
      expect(copy.stats()).toMatchObject({ transitions: times, pending: 1, unfinished: 0 });
      for (const each of [recommender, copy]) each.dispose();
    }
  });

  test.each([-1, 0.5, Number.NaN, "1"])("%s times is refused, unchanged", (times) => {
    const recommender = new Recommender({}, new Recorder());
    const record = () => recommender.recordDecision({ id: "d", user: "u", time: 5, slate: [] }, times as number);
    expect(record).toThrow(
      `"times" must be an integer in [0, 10000], got ${JSON.stringify(times) ?? times}`.replace("null", "NaN"),
    );
    expect(recommender.time).toBe(0);
  });
});
