import fc from "fast-check";
import { expect, test } from "vitest";
import type { LiveEvent } from "../../src/protocol/events.js";
import { HOUR, MINUTE } from "../../src/protocol/time.js";
import type { QFunction } from "../../src/recommender/agent.js";
import type { SlateTransition } from "../../src/recommender/learning/index.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { everyGroup } from "../support/groups.js";

/** A decision, its rows as written, and the user's profile before it. */
interface Seen {
  observation: Float32Array;
  candidates: Float32Array;
  /** Floats of one candidate. */
  width: number;
  profile: string;
}

/** Records the rows of each decision and of each transition. */
class Recorder implements QFunction {
  readonly decisions: Pick<Seen, "observation" | "candidates">[] = [];
  readonly transitions: SlateTransition[] = [];
  readonly steps = 0;
  width = 0;
  readonly updates = 0;

  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    const rows = Float32Array.from(candidates);
    this.decisions.push({ observation: Float32Array.from(observation), candidates: rows });
    return new Float32Array(6); // As many as there can be streams.
  }

  observe(transition: SlateTransition): void {
    this.transitions.push(transition);
    if (transition.shown > 0) this.width = transition.candidates.length / transition.shown;
  }

  learn(): number {
    return Number.NaN;
  }

  save(): Uint8Array {
    return new Uint8Array();
  }

  dispose(): void {}
}

const user = fc.nat(3).map((i) => `u${i}`);
const stream = fc.nat(5).map((i) => `s${i}`);
const tags = fc.subarray(["blitz", "calm", "new", "late"]);
const embedding = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 });
const embeddings = fc.record({ text: embedding, image: embedding, audio: embedding }, { requiredKeys: [] });

/** An event without its time, or a request. */
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("request"), user }) },
  fc.record(
    {
      kind: fc.constant("on_air"),
      stream,
      streamer: fc.nat(3).map((i) => `r${i}`),
      category: fc.constantFrom("chess", "music"),
      tags,
      title: fc.constantFrom("Ranked blitz", "王者荣耀", ""),
      language: fc.constantFrom("en", "zh"),
      mature: fc.boolean(),
      embeddings,
    },
    { requiredKeys: ["kind", "stream", "streamer", "category"] },
  ),
  fc.record({ kind: fc.constant("update"), stream, viewers: fc.nat(1000), tags }),
  fc.record({ kind: fc.constant("off_air"), stream }),
  fc.record({
    kind: fc.constantFrom("impression", "click", "like", "comment", "share", "follow", "dislike"),
    user,
    stream,
  }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("watch"), user, stream, watchMs: fc.nat(HOUR) }) },
  fc.record({ kind: fc.constant("rating"), user, stream, rating: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant("gift"), user, stream, amount: fc.integer({ min: 1, max: 1000 }) }),
  fc.record({ kind: fc.constant("purchase"), user, stream, amount: fc.integer({ min: 0, max: 1000 }) }),
  fc.record({
    kind: fc.constant("signal"),
    user,
    stream,
    name: fc.constant("stars"),
    value: fc.integer({ min: -99, max: 99 }),
  }),
  fc.record({ kind: fc.constant("page_view"), user, dwellMs: fc.nat(100_000) }),
  fc.record(
    {
      kind: fc.constant("user"),
      user,
      age: fc.nat(99),
      region: fc.constantFrom("eu", "us"),
      language: fc.constantFrom("en", "zh"),
    },
    { requiredKeys: ["kind", "user"] },
  ),
  fc.record({ kind: fc.constantFrom("friend", "unfriend"), user, friend: user }),
);

type Act = { kind: string; user?: string };

/** A platform with everything that rows can hold, one act a minute. */
function run(acts: readonly Act[]): { seen: Seen[]; transitions: SlateTransition[] } {
  const agent = new Recorder();
  const recommender = new Recommender(
    {
      warmupUpdates: 0,
      trainEvery: 0,
      features: everyGroup({
        words: { size: 2, words: ["blitz", "ranked", "王者"], counts: [3, 2, 2], rows: [5, 1, 4, 2, -5, 1] },
        user: [{ name: "age", encode: { kind: "running" } }],
        stream: [
          { name: "title", encode: { kind: "words", size: 4, weighting: "count" } },
          { name: "viewers", encode: { kind: "running" } },
        ],
      }),
    },
    agent,
  );
  const profiles: string[] = [];
  for (const [i, { kind, ...rest }] of acts.entries()) {
    const time = i * MINUTE;
    if (kind !== "request") recommender.feedback({ kind, time, ...rest } as LiveEvent);
    else {
      profiles.push(JSON.stringify([recommender.profile(rest.user!), recommender.streamerProfile("r0")]));
      const before = agent.decisions.length;
      recommender.recommend({ user: rest.user!, now: time, k: 3 });
      // With nothing on air the agent is not called.
      if (agent.decisions.length === before) profiles.pop();
    }
  }
  return {
    seen: agent.decisions.map((rows, i) => ({ ...rows, width: agent.width, profile: profiles[i]! })),
    transitions: agent.transitions,
  };
}

/** Strings compare many times faster than arrays. */
function text({ observation, candidates, profile }: Seen): string {
  return [observation.join(), candidates.join(), profile].join("\n");
}

/** Whether each transition holds the state and the candidates written at its decision. */
function written(seen: readonly Seen[], transitions: readonly SlateTransition[]): boolean {
  const states = new Map<string, Set<string>>();
  // Without transitions there is nothing to check, and the width is unknown.
  for (const { observation, candidates, width } of transitions.length > 0 ? seen : []) {
    const rows = states.get(observation.join()) ?? new Set();
    for (let at = 0; at < candidates.length; at += width) rows.add(candidates.subarray(at, at + width).join());
    states.set(observation.join(), rows);
  }
  return transitions.every(({ observation, candidates, shown }) => {
    const rows = states.get(observation.join());
    const width = candidates.length / shown;
    const own = Array.from({ length: shown }, (_, i) => candidates.subarray(i * width, (i + 1) * width).join());
    return own.every((row) => rows?.has(row));
  });
}

const log = fc.array(act, { minLength: 10, maxLength: 30, size: "max" }) as fc.Arbitrary<Act[]>;
/** Streams to choose from at the first request. */
const START: Act[] = [0, 1, 2, 3].map((i) => ({
  kind: "on_air",
  stream: `s${i}`,
  streamer: `r${i}`,
  category: "chess",
  tags: ["blitz"],
  embeddings: { text: [1, i, 0], audio: [0, 1, i] },
}));

test("later events change neither the rows of a decision nor the profiles of user and streamer at the time", () => {
  let compared = 0;
  fc.assert(
    fc.property(log, log, log, (past, future, other) => {
      const expected = run([...START, ...past]).seen;
      for (const later of [future, other, [...future].reverse()]) {
        const { seen, transitions } = run([...START, ...past, ...later]);
        expect(seen.slice(0, expected.length).map(text)).toEqual(expected.map(text));
        compared += expected.length;
        expect(written(seen, transitions)).toBe(true);
      }
    }),
    { numRuns: 25, seed: 1 },
  );
  expect(compared).toBeGreaterThan(100);
});

test("earlier events do change them", () => {
  const watch = (stream: string) => ({ kind: "watch", user: "u0", stream, watchMs: 600_000 });
  const request = { kind: "request", user: "u0" };
  const [a, b] = ["s1", "s2"].map((stream) => run([...START, watch(stream), request]).seen[0]!);
  expect(a!.candidates).not.toEqual(b!.candidates);
  expect(a!.profile).not.toBe(b!.profile);
});

test("all rows are finite and in [-8, 8], after any events", () => {
  fc.assert(
    fc.property(log, (acts) => {
      for (const { observation, candidates } of run([...START, ...acts]).seen) {
        for (const row of [observation, candidates]) expect(row.every((x) => Math.abs(x) <= 8)).toBe(true);
        expect([observation.length % 4, (candidates.length / 4) % 1]).toEqual([0, 0]);
      }
    }),
    { numRuns: 40, seed: 1 },
  );
});
