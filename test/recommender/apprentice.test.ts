import { describe, expect, test } from "vitest";
import { Random } from "../../src/numeric/index.js";
import { MINUTE } from "../../src/protocol/time.js";
import type { QFunction } from "../../src/recommender/agent.js";
import type { SlateTransition } from "../../src/recommender/learning/index.js";
import { Recommender, type RecommenderOptions } from "../../src/recommender/recommender.js";
import { onAir } from "../support/events.js";

const STREAMS = 12;
const OPTIONS: Partial<RecommenderOptions> = {
  seed: 2,
  apprentice: true,
  warmupUpdates: 0,
  learner: { hidden: [16], learningStarts: 30, learningRate: 3e-3, clone: { updates: 5000 } },
};

/** A recommender with streams on air, of four categories. */
function opened(options: Partial<RecommenderOptions> = OPTIONS, agent?: QFunction): Recommender {
  const recommender = new Recommender(options, agent);
  for (let i = 0; i < STREAMS; i++) {
    recommender.feedback(onAir(`s${i}`, { streamer: `r${i}`, category: `c${i % 4}` }));
  }
  return recommender;
}

const SLATE = ["s4", "s8", "s3"];

/** Gives decisions of a teacher who shows the same three streams, in order; each is entered a quarter of the time. */
function teach(recommender: Recommender, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const time = (1 + i) * MINUTE;
    const about = { user: `u${i % 41}`, stream: SLATE[i % 4]!, decision: `theirs-${i}` };
    recommender.recordDecision({ id: about.decision, user: about.user, time, slate: SLATE });
    if (i % 4 === 3) continue;
    recommender.feedback({ kind: "click", time, ...about });
    recommender.feedback({ kind: "watch", time: time + 30_000, watchMs: 30_000, ...about });
  }
}

describe("an apprentice", () => {
  test("comes to agree with its teacher, and its slate when it graduates is the teacher's", () => {
    const recommender = opened();
    teach(recommender, 0, 30);
    expect(recommender.agreement()).toMatchObject({ decisions: 30, chance: expect.closeTo(0.25, 12) });
    expect(recommender.agreement().overlap).toBeLessThan(0.7);
    teach(recommender, 30, 500);
    const { slate } = recommender.rank({ user: "u1", now: recommender.time, k: 3 });
    expect(slate).toEqual(SLATE);
    const { first, overlap, rankCorrelation, ownValue, otherValue } = recommender.agreement();
    expect(first).toBeGreaterThan(0.6);
    expect(rankCorrelation).toBeGreaterThan(0.5);

    expect(overlap).toBeGreaterThan(0.7);
    expect(ownValue).toBeGreaterThanOrEqual(otherValue - 1e-6);
    recommender.dispose();
  });

  test("does not act until it has graduated, and nothing changes when it is asked to", () => {
    const recommender = opened();
    const before = Buffer.from(recommender.save());
    expect(() => recommender.recommend({ user: "u", now: 1, k: 1 })).toThrow("an apprentice does not act");
    expect(before.equals(recommender.save())).toBe(true);
    expect(recommender.isApprentice).toBe(true);
    recommender.graduate();
    const copy = Recommender.load(recommender.save());
    for (const each of [recommender, copy]) {
      expect(each.isApprentice).toBe(false);
      expect(each.recommend({ user: "u", now: 1, k: 2 }).slate).toHaveLength(2);
      each.dispose();
    }
  });

  test("continues to the bit from a save in the middle of cloning as if it had never stopped", () => {
    const original = opened();
    teach(original, 0, 100);
    const { updates } = original.stats();
    expect(updates).toBeGreaterThan(0);
    const copy = Recommender.load(original.save());
    for (const each of [original, copy]) teach(each, 100, 150);
    expect(original.stats().updates).toBeGreaterThan(updates);
    expect(copy.agreement()).toEqual(original.agreement());
    expect(Buffer.from(copy.save()).equals(original.save())).toBe(true);
    for (const each of [original, copy]) each.dispose();
  });

  test.each<[Partial<RecommenderOptions>, string]>([
    [{ apprentice: 1 as never }, '"apprentice" must be true or false, got 1'],
    [{ offered: -1 }, '"offered" must be an integer >= 0, got -1'],
    [{ learner: { clone: {} as never } }, '"clone.updates" must be an integer in [1, 1000000000], got undefined'],
    [{ learner: { clone: { updates: 1, alpha: -1 } } }, '"clone.alpha" must be in [0, 1000], got -1'],
  ])("%j is refused: %s", (options, message) => {
    expect(() => new Recommender(options)).toThrow(message);
  });
});

describe("transitions with the conservative term", () => {
  /** An agent that only remembers what it observed, with the first candidate the best. */
  function witness(): QFunction & { seen: SlateTransition[] } {
    const seen: SlateTransition[] = [];
    return {
      ...{ seen, steps: 0, updates: 0 },
      observe: (transition) => void seen.push(transition),
      evaluate: (_, candidates) => new Float32Array(candidates.length),
      learn: () => Number.NaN,
      save: () => new Uint8Array(),
      dispose: () => {},
    };
  }

  function observed(options: Partial<RecommenderOptions>): SlateTransition[] {
    const agent = witness();
    const recommender = opened({ warmupUpdates: 1e9, ...options }, agent);
    for (let now = 1; now <= 40; now++) recommender.recommend({ user: "u", now, k: 3 });
    recommender.recordDecision({ id: "theirs", user: "u", time: 41, slate: ["s1", "s2"] });
    recommender.recommend({ user: "u", now: 42, k: 3 });
    return agent.seen;
  }

  const rows = (each: SlateTransition, options: Partial<RecommenderOptions>) => {
    const size = each.candidates.length / (each.shown + (options.offered ?? 0));
    return Array.from({ length: each.candidates.length / size }, (_, i) =>
      each.candidates.slice(i * size, (i + 1) * size).join(),
    );
  };

  test("hold streams that were not shown behind those that were, of own decisions and of others", () => {
    const options = { offered: 4, learner: { cqlAlpha: 1 } };
    const seen = observed(options);
    expect(seen.map(({ shown }) => shown)).toEqual([...new Array<number>(40).fill(3), 2]);
    const plain = observed({ offered: 4 });
    for (const [i, each] of seen.entries()) {
      // The same streams are shown, in front; and the others come from what was left.
      expect(each.candidates.subarray(0, plain[i]!.candidates.length)).toEqual(plain[i]!.candidates);
      expect(rows(each, options)).toHaveLength(each.shown + 4);
    }
  });

  test("hold as many as there is room for; none for 0", () => {
    const few = observed({ nextCandidates: 5, offered: 4, learner: { clone: { updates: 9 } } });
    const none = observed({ nextCandidates: 5, offered: 0, learner: { clone: { updates: 9 } } });
    const size = none[0]!.candidates.length / 3;
    expect(few.map(({ candidates }) => candidates.length / size)).toEqual(new Array<number>(41).fill(5));
    expect(none.map(({ candidates }) => candidates.length / size)).toEqual([...new Array<number>(40).fill(3), 2]);
  });
});

test("a random teacher is agreed with by chance", () => {
  const recommender = opened({ ...OPTIONS, learner: { ...OPTIONS.learner, hidden: [4] } });
  const random = Random.named(5, "teacher");
  for (let i = 0; i < 600; i++) {
    const slate = random.shuffle([...Array(STREAMS).keys()]).slice(0, 3);
    const time = (1 + i) * MINUTE;
    recommender.recordDecision({ id: `t${i}`, user: `u${i % 40}`, time, slate: slate.map((s) => `s${s}`) });
  }
  const { overlap, chance, first, rankCorrelation } = recommender.agreement();
  expect(Math.abs(overlap - chance)).toBeLessThan(0.06);
  expect(Math.abs(first - 1 / STREAMS)).toBeLessThan(0.06);
  expect(Math.abs(rankCorrelation)).toBeLessThan(0.15);
  recommender.dispose();
});
