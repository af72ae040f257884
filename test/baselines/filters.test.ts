import { afterAll, describe, expect, test } from "vitest";
import {
  BprPolicy,
  ContextPolicy,
  EasePolicy,
  ItemKnnPolicy,
  POLICIES,
  PopularPolicy,
  RandomPolicy,
} from "../../src/baselines/index.js";
import { ArmAssignment, SplitPolicy } from "../../src/evaluation/index.js";
import { Random } from "../../src/numeric/random.js";
import type { Id, LiveEvent, OnAir } from "../../src/protocol/events.js";
import type { Filter, Policy, Request, TargetPolicy } from "../../src/protocol/policy.js";
import { EventError } from "../../src/protocol/schema.js";
import { MINUTE } from "../../src/protocol/time.js";
import { Recommender } from "../../src/recommender/index.js";
import { CollaborativeVectors } from "../../src/recommender/state/index.js";
import {
  clickOracle,
  farsightedOracle,
  Platform,
  type PlatformLatents,
  satisfactionOracle,
  stayOracle,
  watchOracle,
} from "../../src/simulator/index.js";

const HOURS = 60 * MINUTE;
const NOW = 10 * HOURS;
/** Two of them have streams of their own. */
const USERS = ["u1", "r3", "u2", "new", "r2"];

/** What is known of the streams on air and of visits, kept a second time. */
class Witness {
  readonly streams = new Map<Id, OnAir & { viewers: number }>();
  readonly #visits = new Map<string, number>();
  readonly #streamerOf = new Map<Id, Id>();

  feedback(event: LiveEvent): void {
    if (event.kind === "on_air") {
      this.streams.set(event.stream, { ...event, viewers: 0 });
      this.#streamerOf.set(event.stream, event.streamer);
    } else if (event.kind === "off_air") this.streams.delete(event.stream);
    else if (event.kind === "update") {
      const stream = this.streams.get(event.stream)!;
      stream.viewers = event.viewers ?? stream.viewers;
      stream.category = event.category ?? stream.category;
    } else if (event.kind === "click" || event.kind === "watch") {
      this.#visits.set(`${event.user} ${this.#streamerOf.get(event.stream)}`, event.time);
    }
  }

  /** How many streamers some streams have: a recommender shows one stream of each. */
  streamersOf(streams: readonly Id[]): number {
    return new Set(streams.map((id) => this.streams.get(id)!.streamer)).size;
  }

  /** The ids of the streams that a request may show. */
  allowed({ user, now, candidates, filter = {} }: Request): Id[] {
    return [...this.streams.values()]
      .filter((stream) => {
        const age = now - stream.time;
        const visit = this.#visits.get(`${user} ${stream.streamer}`);
        const seen = visit !== undefined && visit >= stream.time && now - visit <= (filter.seenWithinMs ?? 0);
        if (filter.seenWithinMs && seen) return false;
        if (filter.languages && stream.language && !filter.languages.includes(stream.language)) return false;
        if (filter.mature === false && stream.mature) return false;
        if (filter.categories?.include && !filter.categories.include.includes(stream.category!)) return false;
        if (filter.categories?.exclude?.includes(stream.category!)) return false;
        if (filter.blocked?.includes(stream.streamer)) return false;
        if (filter.streams?.exclude?.includes(stream.stream)) return false;
        if (!filter.own && stream.streamer === user) return false;
        if (stream.viewers < (filter.minViewers ?? 0)) return false;
        return age >= (filter.minAgeMs ?? 0) && age <= (filter.maxAgeMs ?? Number.POSITIVE_INFINITY);
      })
      .map(({ stream }) => stream)
      .filter((id) => candidates === undefined || candidates.includes(id));
  }
}

/** 24 streams of 12 streamers in four categories; some streamers are users too, who watch each other. */
function events(): LiveEvent[] {
  const random = new Random(3);
  const all: LiveEvent[] = [];
  for (let i = 0; i < 26; i++) {
    const language = ["en", "ja", undefined][i % 3];
    all.push({
      ...{ kind: "on_air", time: i * 10 * MINUTE, stream: `s${i}`, streamer: `r${i % 12}`, category: `c${i % 4}` },
      ...(language && { language }),
      ...(i % 5 === 0 && { mature: true }),
    });
  }
  for (let i = 0; i < 26; i++)
    all.push({ kind: "update", time: 5 * HOURS, stream: `s${i}`, viewers: random.below(100) });
  all.push({ kind: "off_air", time: 5 * HOURS, stream: "s24" }, { kind: "off_air", time: 5 * HOURS, stream: "s25" });
  for (let i = 0; i < 300; i++) {
    const time = 5 * HOURS + i * MINUTE;
    const about = { user: random.pick(["u1", "u2", "u3", "r2", "r3"]), stream: `s${random.below(24)}` };
    all.push(
      { kind: "click", time, ...about },
      { kind: "watch", time: time + MINUTE / 2, ...about, watchMs: MINUTE / 2 },
    );
  }
  return all;
}

/** Ten and more of each kind, of a world with these streams, streamers and categories. */
function filters(streams: readonly Id[], streamers: readonly Id[], categories: readonly string[]) {
  const ten = [...Array(10).keys()];
  const some = <T>(all: readonly T[], i: number, n = 1 + (i % 4)) =>
    ten.slice(0, n).map((j) => all[(i * 3 + j) % all.length]!);
  const own = (filter: Filter): Partial<Request> => ({ filter });
  return {
    "a blocked streamer": ten.map((i) => own({ blocked: some(streamers, i) })),
    "a category left out": ten.map((i) => own({ categories: { exclude: some(categories, i, 1 + (i % 2)) } })),
    "one category of many": ten.map((i) => own({ categories: { include: some(categories, i, 1 + (i % 2)) } })),
    "a stream left out": ten.map((i) => own({ streams: { exclude: some(streams, i) } })),
    candidates: ten.map((i) => ({ candidates: [...some(streams, i), "off", ...some(streams, i), "s24"] })),
    "candidates and a filter": ten.map((i) => ({
      candidates: some(streams, i, 10),
      filter: { blocked: some(streamers, i), streams: { exclude: some(streams, i, 1) } },
    })),
    "an empty result": [
      { candidates: [] },
      { candidates: ["off", "gone"] },
      ...[{ blocked: [...streamers] }, { streams: { exclude: [...streams] } }, { minViewers: 1e9 }].map(own),
      ...[{ categories: { include: [] } }, { categories: { include: ["none"] } }, { minAgeMs: 1e12 }].map(own),
      ...[{ categories: { exclude: [...categories] } }, { maxAgeMs: 0 }].map(own),
      { candidates: [streams[0]!], filter: { streams: { exclude: [streams[0]!] } } },
    ],
    "unknown ids": ten.map((i) =>
      own({
        ...(i % 2 ? { blocked: [`no${i}`, "constructor"] } : { streams: { exclude: ["__proto__", `no${i}`] } }),
        ...(i % 3 ? {} : { categories: { exclude: ["toString"] } }),
      }),
    ),
    "what was seen": ten.map((i) =>
      own({ seenWithinMs: [1, MINUTE, 30 * MINUTE, HOURS, 4 * HOURS, 1e9][i % 6]! * (1 + i) }),
    ),
    "the own streams": ten.map((i) => own(i % 2 ? { own: i % 3 === 0 } : { blocked: some(streamers, i, 1) })),
    "ages and viewers": ten.map((i) =>
      own({ minAgeMs: i * 20 * MINUTE, maxAgeMs: (9 + i / 10) * HOURS, minViewers: i * 5 }),
    ),
    "languages, and adults only": ten.map((i) =>
      own({ languages: [["en"], ["ja"], [], ["en", "ja"]][i % 4]!, mature: i % 3 === 0 }),
    ),
  };
}

/** Wrong values, and the field that the message must name. */
const WRONG: [object, string][] = [
  [{ filter: { streams: { exclude: "s1" } } }, "filter.streams.exclude"],
  [{ filter: { streams: { exclude: [1] } } }, "filter.streams.exclude.0"],
  [{ filter: { streams: { exclude: ["s1", ""] } } }, "filter.streams.exclude.1"],
  [{ filter: { streams: { include: ["s1"] } } }, "filter.streams.include"],
  [{ filter: { streams: "s1" } }, "filter.streams"],
  [{ filter: { streams: { exclude: Array(4097).fill("s1") } } }, "filter.streams.exclude"],
  [{ filter: { own: "no" } }, "filter.own"],
  [{ filter: { seenWithinMs: -1 } }, "filter.seenWithinMs"],
  [{ filter: { seenWithinMs: Number.NaN } }, "filter.seenWithinMs"],
  [{ filter: { seenWithinMs: "1h" } }, "filter.seenWithinMs"],
  [{ filter: { blocked: [null] } }, "filter.blocked.0"],
  [{ filter: { seen: 1 } }, "filter.seen"],
  [{ candidates: "s1" }, "candidates"],
];

let asked = 0;
const kinds = new Set<string>();

/**
 * Asks a policy for all kinds of filters, and compares with what may be shown. lengthOf: how many of these it shows where
 * it is asked for all.
 */
function askAll(
  policy: Policy,
  witness: Witness,
  users: readonly Id[],
  from: number,
  lengthOf = (may: Id[]) => may.length,
): void {
  const streams = [...witness.streams.values()];
  const of = (field: "streamer" | "category") => [...new Set(streams.map((stream) => stream[field]!))];
  const all = filters([...witness.streams.keys()], of("streamer"), of("category"));
  let now = from;
  for (const [kind, requests] of Object.entries(all)) {
    kinds.add(kind);
    expect(requests.length, kind).toBeGreaterThanOrEqual(10);
    for (const [i, given] of requests.entries()) {
      const request: Request = { user: users[i % users.length]!, now: now++, k: i % 3 ? 100 : 3, ...given };
      const why = `${policy.name}, ${kind} ${i}: ${JSON.stringify(request)}`;
      const may = witness.allowed(request);
      const { slate, propensities, scores } = policy.recommend(request);
      asked++;
      expect(
        slate.filter((id) => !may.includes(id)),
        why,
      ).toEqual([]);
      expect(new Set(slate).size, why).toBe(slate.length);
      expect(slate.length, why).toBe(Math.min(request.k, lengthOf(may)));
      expect([propensities.length, scores.length], why).toEqual([slate.length, slate.length]);
      if (!("distributions" in policy)) continue;
      const target = policy as unknown as TargetPolicy;
      for (const chances of target.distributions({ ...request, now: now++ }, slate))
        expect(
          [...chances.keys()].filter((id) => !may.includes(id)),
          why,
        ).toEqual([]);
    }
  }
  for (const [wrong, field] of WRONG) {
    const request = { user: users[0]!, now, k: 3, ...wrong } as Request;
    expect(() => policy.recommend(request), field).toThrow(expect.objectContaining({ name: "EventError", field }));
    expect(() => policy.recommend(request), field).toThrow(EventError);
    asked++;
  }
  expect(policy.recommend({ user: users[0]!, now, k: 3 }).slate.length).toBe(3);
}

const vectors = () => new CollaborativeVectors({ seed: 1 });
const OWN: Record<string, () => Policy & { dispose?: () => void }> = {
  RandomPolicy: () => new RandomPolicy(2),
  PopularPolicy: () => new PopularPolicy(),
  ContextPolicy: () => new ContextPolicy(),
  ItemKnnPolicy: () => new ItemKnnPolicy(),
  BprPolicy: () => new BprPolicy(vectors()),
  EasePolicy: () => new EasePolicy({ refitEvery: 10 }),
  Recommender: () => new Recommender({ seed: 2 }),
  "two arms": () => new SplitPolicy(new ArmAssignment({ name: "filters" }), new RandomPolicy(3), new PopularPolicy()),
  ...Object.fromEntries(Object.entries(POLICIES).map(([name, { create }]) => [`POLICIES.${name}`, () => create(1)])),
};

describe("what a request says may be shown", () => {
  test.each(Object.keys(OWN))("%s obeys", (name) => {
    const policy = OWN[name]!();
    const witness = new Witness();
    for (const event of events()) {
      witness.feedback(event);
      policy.feedback(structuredClone(event), event.time);
    }
    const isRecommender = /Recommender|dqn|greedy|linucb/.test(name);
    askAll(policy, witness, USERS, NOW + HOURS, isRecommender ? (may) => witness.streamersOf(may) : undefined);
    policy.dispose?.();
  });

  test("a recommender obeys where more is on air than it scores, beside the filter of its options", () => {
    const slate = { perStreamer: 9 };
    const retrieval = { filter: { blocked: ["r5"] } };
    const policy = new Recommender({ seed: 2, maxCandidates: 4, slate, retrieval });
    const witness = new Witness();
    for (const event of events()) {
      if (!(event.kind === "on_air" && event.streamer === "r5")) policy.feedback(structuredClone(event), event.time);
      witness.feedback(event);
    }
    for (const id of ["s5", "s17"]) witness.streams.delete(id);
    askAll(policy, witness, USERS, NOW + HOURS, (may) => Math.min(4, may.length));
    policy.dispose();
  });

  const ORACLES: Record<string, (latents: PlatformLatents) => Policy> = {
    clickOracle,
    watchOracle,
    stayOracle,
    satisfactionOracle,
    farsightedOracle: farsightedOracle(30),
  };
  test.each(Object.keys(ORACLES))("%s obeys", (name) => {
    const witness = new Witness();
    const viewers = new Set<Id>();
    let oracle: Policy | undefined;
    const make = (latents: PlatformLatents) => (oracle = ORACLES[name]!(latents));
    const platform = new Platform(
      make,
      { viewers: 6, streamers: 300, days: 2, seed: 4 },
      {
        onEvent(event) {
          witness.feedback(event);
          if (event.kind === "impression") viewers.add(event.user);
        },
      },
    );
    platform.advance(30 * HOURS);
    expect(witness.streams.size).toBeGreaterThan(8);
    askAll(oracle!, witness, [...viewers], 30 * HOURS);
  });

  test.each<[Filter | undefined, Filter | undefined, string[]]>([
    [undefined, undefined, ["s1", "s2"]],
    [{ own: true }, undefined, ["s0", "s1", "s2"]],
    [{ own: true }, { own: false }, ["s1", "s2"]],
    [undefined, { own: true }, ["s0", "s1", "s2"]],
    [{ seenWithinMs: HOURS }, undefined, ["s2"]],
    [{ seenWithinMs: HOURS }, { seenWithinMs: 1 }, ["s2"]],
    [{ seenWithinMs: 1 }, { seenWithinMs: HOURS }, ["s2"]],
    [{ seenWithinMs: 1 }, { own: true, seenWithinMs: 2 }, ["s0", "s1", "s2"]],
    [{ streams: { exclude: ["s2"] } }, undefined, ["s1"]],
    [{ streams: { exclude: ["s2"] } }, { streams: { exclude: ["s1"] } }, []],
  ])("the filter of the options %o and of a request %o", (always, filter, shown) => {
    const policy = new Recommender({ seed: 1, retrieval: always ? { filter: always } : {} });
    for (const [i, streamer] of ["me", "r1", "r2"].entries())
      policy.feedback({ kind: "on_air", time: i, stream: `s${i}`, streamer, category: "c" });
    policy.feedback({ kind: "click", time: 10, user: "me", stream: "s1" });
    const { slate } = policy.recommend({ user: "me", now: MINUTE, k: 5, ...(filter && { filter }) });
    expect([...slate].sort()).toEqual(shown);
    policy.dispose();
  });

  test.each<[object, string]>([
    [{ streams: ["s1"] }, '"retrieval.filter.streams" must be an object'],
    [{ streams: { include: [] } }, '"retrieval.filter.streams.include" is not an option'],
    [{ streams: { exclude: [""] } }, '"retrieval.filter.streams.exclude" must be an array of strings'],
    [{ own: 1 }, '"retrieval.filter.own" must be true or false, got 1'],
    [{ seenWithinMs: -1 }, '"retrieval.filter.seenWithinMs" must be a finite number >= 0, got -1'],
  ])("a recommender refuses the filter %o", (filter, message) => {
    expect(() => new Recommender({ retrieval: { filter: filter as Filter } })).toThrow(message);
  });

  test("a stream that began after the visit has not been seen, nor one whose streamer was only shown or followed", () => {
    for (const name of ["Recommender", "PopularPolicy"]) {
      const policy = OWN[name]!();
      const about = { user: "u", stream: "s0" };
      policy.feedback({ kind: "on_air", time: 0, stream: "s0", streamer: "a", category: "c" });
      policy.feedback({ kind: "on_air", time: 0, stream: "s1", streamer: "b", category: "c" });
      policy.feedback({ kind: "impression", time: 1, user: "u", stream: "s1" });
      policy.feedback({ kind: "follow", time: 1, user: "u", stream: "s1" });
      policy.feedback({ kind: "click", time: 1, ...about });
      policy.feedback({ kind: "watch", time: MINUTE, ...about, watchMs: MINUTE - 1 });
      const slateAt = (now: number) => [
        ...policy.recommend({ user: "u", now, k: 5, filter: { seenWithinMs: HOURS } }).slate,
      ];
      expect(slateAt(2 * MINUTE)).toEqual(["s1"]);
      policy.feedback({ kind: "off_air", time: 3 * MINUTE, stream: "s0" });
      policy.feedback({ kind: "on_air", time: 4 * MINUTE, stream: "s9", streamer: "a", category: "c" });
      expect(slateAt(5 * MINUTE).sort()).toEqual(["s1", "s9"]);
      expect(policy.recommend({ user: "v", now: 6 * MINUTE, k: 5, filter: { seenWithinMs: HOURS } }).slate.length).toBe(
        2,
      );
      policy.dispose?.();
    }
  });

  // For the table of faults in README.md.
  afterAll(() => console.info(`${asked} requests of ${kinds.size} kinds`));
});
