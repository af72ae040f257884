import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PopularPolicy } from "../../../src/baselines/popular.js";
import { RandomPolicy } from "../../../src/baselines/random.js";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent, OnAir } from "../../../src/protocol/events.js";
import type { Filter } from "../../../src/protocol/policy.js";
import { EventError } from "../../../src/protocol/schema.js";
import { MINUTE } from "../../../src/protocol/time.js";
import { coreFeatures } from "../../../src/recommender/features/features.js";
import { Recommender } from "../../../src/recommender/recommender.js";
import {
  favouritesOf,
  type Query,
  type RetrievalOptions,
  Retriever,
} from "../../../src/recommender/retrieval/retriever.js";
import { Towers, type Vectors } from "../../../src/recommender/retrieval/towers.js";
import { type CatalogStream, Catalogue } from "../../../src/recommender/state/catalogue.js";
import { Users } from "../../../src/recommender/state/users.js";
import { onAir } from "../../support/events.js";
import { copyParts } from "../../support/parts.js";
import { judgeAt } from "../../support/watch.js";

/** Users and streamers on a circle, at the degrees of their number. */
const circle: Vectors = {
  size: 2,
  readUser: (user, out, offset) => place(Number(user.slice(1)), out, offset),
  readStreamer: (streamer, _, out, offset) => place(Number(streamer.slice(1)), out, offset),
};

function place(degrees: number, out: Float32Array, offset: number): boolean {
  out[offset] = Math.fround(1 - Math.abs((degrees % 360) - 180) / 90);
  out[offset + 1] = Math.fround(1 - Math.abs(((degrees + 90) % 360) - 180) / 90);
  return true;
}

function numbered(i: number, time = i): OnAir {
  return onAir(`s${i}`, {
    time,
    streamer: `r${i}`,
    category: `c${i % 7}`,
    mature: i % 5 === 0,
    ...(i % 3 > 0 && { language: i % 3 === 1 ? "en" : "ja" }),
  });
}

function filled(n: number, options: Partial<RetrievalOptions> = {}, order = Array.from({ length: n }, (_, i) => i)) {
  const towers = new Towers(circle);
  const catalog = new Catalogue();
  catalog.follow(towers);
  for (const i of order) catalog.feedback(numbered(i));
  for (const i of order) catalog.feedback({ kind: "update", time: n, stream: `s${i}`, viewers: (i * 37) % 50 });
  return { catalog, towers, retriever: new Retriever(catalog, options, towers) };
}

const query = (more: Partial<Query> = {}): Query => ({ user: "u90", now: 10_000, max: 32, favourites: [], ...more });
const ids = (streams: readonly CatalogStream[]) => streams.map(({ id }) => id);

describe("retrieval", () => {
  test("returns all when they fit: the most viewed first, or requested ones in their order", () => {
    const { retriever } = filled(20);
    const all = retriever.retrieve(query({ max: 20 }));
    expect(new Set(all.sources)).toEqual(new Set(["all"]));
    expect(all.streams.map(({ viewers }) => viewers)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i * 37) % 50).sort((a, b) => b - a),
    );
    const asked = retriever.retrieve(query({ candidates: ["s7", "gone", "s2", "s7"] }));
    expect(ids(asked.streams)).toEqual(["s7", "s2"]);
  });

  test("keeps places for each source, and returns the source of each stream", () => {
    const { retriever } = filled(500);
    const favourites = Array.from({ length: 60 }, (_, i) => `r${100 + i}`);
    const friends = ["r3", "r3", "r4", "r5", "off"];
    const { streams, sources } = retriever.retrieve(query({ favourites, friends }));
    const by = (source: string) => ids(streams.filter((_, i) => sources[i] === source));
    expect(by("favourite")).toEqual(Array.from({ length: 12 }, (_, i) => `s${100 + i}`));
    expect(by("friend")).toEqual(["s3", "s4"]);
    expect(by("newest")).toEqual(["s499", "s498", "s497", "s496"]);
    expect(by("similar")).toEqual(["s450", "s90", "s449", "s451", "s89", "s91", "s448", "s452"]);
    expect(by("popular")).toEqual(["s127", "s177", "s227", "s27", "s277", "s327"]);
    expect(streams.length).toBe(32);
  });

  test("leaves no place empty: favourites, near and popular streams fill the places of other sources", () => {
    const { retriever } = filled(500);
    const { streams, sources } = retriever.retrieve(query({ favourites: ["r200"] }));
    expect(streams.length).toBe(32);
    const places = { favourite: 1, newest: 4, similar: 21, popular: 6 };
    for (const [source, n] of Object.entries(places)) expect(sources.filter((each) => each === source).length).toBe(n);
    const { streams: most, sources: of } = new Retriever(filled(500).catalog).retrieve(query());
    expect(most.length).toBe(32);
    expect([...new Set(of)]).toEqual(["newest", "popular"]);
  });

  test("always keeps the sixteen most watched and all followed streamers among 5,000 streams", () => {
    // A follow is remembered as a pair too.
    const options = { maxCandidates: 64, warmupUpdates: 1e9, profile: { pairs: 256 } };
    const recommender = new Recommender({ features: coreFeatures(), ...options });
    for (let i = 0; i < 5000; i++) recommender.feedback({ ...numbered(i, 0), mature: false });
    const user = "u90";
    let time = 1;
    const watch = (i: number, watchMs: number) => {
      recommender.feedback({ kind: "click", time: ++time, user, stream: `s${i}` });
      recommender.feedback({ kind: "watch", time: (time += watchMs), user, stream: `s${i}`, watchMs });
    };
    // Long ago the dear ones, i minutes each; then others, shorter but later; of the dear ones two are disliked.
    for (let i = 1; i <= 20; i++) watch(3400 + i, (10 + i) * MINUTE);
    for (let i = 1; i <= 10; i++) recommender.feedback({ kind: "follow", time: ++time, user, stream: `s${2000 + i}` });
    for (let i = 1; i <= 30; i++) watch(3700 + i, MINUTE);
    for (const i of [3419, 2005]) recommender.feedback({ kind: "dislike", time: ++time, user, stream: `s${i}` });
    recommender.feedback({ kind: "dislike", time: ++time, user, stream: "s2005" });
    const slateOf = () => new Set(recommender.rank({ user, now: ++time, k: 64 }).slate);
    const slate = slateOf();
    expect(slate.size).toBe(64);
    const dear = Array.from({ length: 17 }, (_, i) => 3404 + i).filter((i) => i !== 3419);
    const followed = Array.from({ length: 10 }, (_, i) => 2001 + i).filter((i) => i !== 2005);
    for (const i of [...dear, ...followed]) expect(slate, String(i)).toContain(`s${i}`);
    for (const i of [3419, 2005]) expect(slate, String(i)).not.toContain(`s${i}`);
    // At most three quarters: a hundred follows leave places for the newest.
    for (let i = 1; i <= 100; i++) recommender.feedback({ kind: "follow", time: ++time, user, stream: `s${4000 + i}` });
    const most = slateOf();
    for (const i of dear) expect(most, String(i)).toContain(`s${i}`);
    const latest = Array.from({ length: 100 }, (_, i) => `s${4001 + i}`).filter((id) => most.has(id));
    expect(latest).toEqual(Array.from({ length: 32 }, (_, i) => `s${4069 + i}`));
    recommender.dispose();
  });

  test("returns no stream twice, none that a filter excludes, and does not depend on the order of arrival", () => {
    const filters: fc.Arbitrary<Filter> = fc.record(
      {
        languages: fc.subarray(["en", "ja", "no"]),
        mature: fc.boolean(),
        categories: fc.record(
          { include: fc.subarray(["c0", "c1", "c2", "c3"]), exclude: fc.subarray(["c0", "c5"]) },
          { requiredKeys: [] },
        ),
        blocked: fc.subarray(["r1", "r2", "r3", "r45", "r90"]),
        minAgeMs: fc.constantFrom(0, 9000, 9900),
        maxAgeMs: fc.constantFrom(9950, 20_000),
        minViewers: fc.constantFrom(0, 10, 49),
      },
      { requiredKeys: [] },
    );
    const order = Array.from({ length: 200 }, (_, i) => i);
    const shuffled = new Random(5).shuffle([...order]);
    fc.assert(
      fc.property(
        filters,
        filters,
        fc.constantFrom(1, 4, 40, 250),
        fc.option(fc.array(fc.nat(220), { maxLength: 150 })),
        (filter, always, max, given) => {
          const candidates = given?.map((i) => `s${i}`);
          const [one, other] = [filled(200, { filter: always }), filled(200, { filter: always }, shuffled)];
          const favourites = ["r1", "r7", "r8", "r90"];
          const asked = query({ filter, max, favourites, friends: ["r2", "r9"], ...(candidates && { candidates }) });
          const { streams, sources } = one.retriever.retrieve(asked);
          expect(other.retriever.retrieve(asked).sources).toEqual(sources);
          expect(ids(other.retriever.retrieve(asked).streams)).toEqual(ids(streams));
          const may = [...one.catalog].filter(
            (stream) => passes(stream, filter) && passes(stream, always) && (candidates?.includes(stream.id) ?? true),
          );
          expect(new Set(streams).size).toBe(streams.length);
          expect(streams.length).toBe(Math.min(max, may.length));
          for (const stream of streams) expect(may).toContain(stream);
        },
      ),
      { numRuns: 150, seed: 2 },
    );
  });

  test("favourites are the latest visited first, then the latest followed, without disliked ones", () => {
    const profiles = new Users();
    const traits = (streamer: string) => ({ streamer, category: "c", tags: [] });
    for (const [i, streamer] of ["a", "b", "c"].entries()) profiles.click("u", traits(streamer), i);
    judgeAt(profiles, "u", traits("d"), false, 3);
    judgeAt(profiles, "u", traits("b"), true, 4);
    for (const streamer of ["e", "b", "a", "f"]) profiles.follow("u", traits(streamer), 4);
    expect(favouritesOf(profiles.open("u", 5))).toEqual(["d", "c", "a", "f", "e"]);
  });

  test.each<[object, string]>([
    [{ share: {} }, '"retrieval.share" is not an option'],
    [{ shares: { newest: 2 } }, '"retrieval.shares.newest" must be in [0, 1], got 2'],
    [{ shares: { newest: 0.9 } }, '"retrieval.shares" must be at most 1 together'],
    [{ filter: { language: ["en"] } }, '"retrieval.filter.language" is not an option'],
    [{ filter: { languages: [""] } }, '"retrieval.filter.languages" must be an array of strings that are not empty'],
    [{ filter: { categories: { include: "x" } } }, '"retrieval.filter.categories.include" must be an array of strings'],
    [{ filter: { minAgeMs: Number.NaN } }, '"retrieval.filter.minAgeMs" must be a finite number >= 0, got NaN'],
  ])("refuses the options %o", (options, message) => {
    expect(() => new Retriever(new Catalogue(), options)).toThrow(message);
    expect(() => new Recommender({ retrieval: options })).toThrow(message);
  });
});

/** The filter, written a second time. */
function passes(stream: CatalogStream, filter: Filter): boolean {
  const age = 10_000 - stream.startedAt;
  if (filter.languages && stream.language && !filter.languages.includes(stream.language)) return false;
  if (filter.mature === false && stream.mature) return false;
  if (filter.categories?.include && !filter.categories.include.includes(stream.category)) return false;
  if (filter.categories?.exclude?.includes(stream.category)) return false;
  if (filter.blocked?.includes(stream.streamer)) return false;
  return age >= (filter.minAgeMs ?? 0) && age <= (filter.maxAgeMs ?? 1e9) && stream.viewers >= (filter.minViewers ?? 0);
}

const WRONG: [object, string][] = [
  [
    { categories: { include: ["a", 5] } },
    '"filter.categories.include.1" must be a string of 1 to 256 characters, got 5',
  ],
  [{ categories: "chess" }, '"filter.categories" must be an object of include and exclude, got "chess"'],
  [{ languages: "en" }, '"filter.languages" must be an array of at most 4096 strings, got "en"'],
  [{ mature: 1 }, '"filter.mature" must be true or false, got 1'],
  [{ blocked: [""] }, '"filter.blocked.0" must be a string of 1 to 256 characters, got ""'],
  [{ minAgeMs: -1 }, '"filter.minAgeMs" must be a finite number >= 0, got -1'],
  [{ minViewers: 1.5 }, '"filter.minViewers" must be an integer >= 0, got 1.5'],
  [{ color: 1 }, '"filter.color" is not a field of a request'],
  [5 as unknown as object, '"filter" must be an object, got 5'],
];

describe("a request's filter", () => {
  test("holds for the slate, and changes nothing when it is wrong", () => {
    const recommender = new Recommender({ maxCandidates: 16 });
    for (let i = 0; i < 100; i++) recommender.feedback(numbered(i, 0));
    for (let now = 1; now < 60; now++) {
      const filter = { mature: false, languages: ["en"], categories: { exclude: [`c${now % 7}`] }, blocked: ["r7"] };
      const { slate } = recommender.recommend({ user: "u", now, k: 6, filter });
      expect(slate.length).toBe(6);
      for (const id of slate) {
        const i = Number(id.slice(1));
        expect([i % 5 === 0, i % 3 === 2, i % 7 === now % 7, i === 7]).toEqual([false, false, false, false]);
      }
    }
    const before = recommender.save();
    for (const [wrong, message] of WRONG) {
      const call = () => recommender.recommend({ user: "u", now: 70, k: 1, filter: wrong as Filter });
      expect(call).toThrow(EventError);
      expect(call).toThrow(message);
    }
    expect(Buffer.compare(recommender.save(), before)).toBe(0);
    recommender.dispose();
  });
});

describe("an off-air stream", () => {
  const STREAMS = 6;
  const moves = fc.array(
    fc.record({
      dt: fc.constantFrom(0, 0, 0, 1, 5, 40 * MINUTE),
      what: fc.constantFrom("on_air", "on_air", "off_air", "update", "click", "follow", "save"),
      stream: fc.nat(STREAMS - 1),
    }),
    { minLength: 5, maxLength: 60 },
  );
  const everyId = Array.from({ length: STREAMS }, (_, i) => `s${i}`);

  function eventOf(what: string, i: number, time: number): LiveEvent {
    const stream = `s${i}`;
    if (what === "on_air") return { ...numbered(i, time), streamer: `r${i % 4}` };
    if (what === "update") return { kind: what, time, stream, viewers: time % 97, category: "other" };
    if (what === "off_air") return { kind: what, time, stream };
    return { kind: what as "click", time, user: "u1", stream };
  }

  test("is no candidate of any source, index or list at any edge of the schedule, nor after a save", () => {
    fc.assert(
      fc.property(moves, fc.constantFrom(1, 2, 4, 100), (steps, max) => {
        let towers = new Towers(circle);
        let catalog = new Catalogue();
        catalog.follow(towers);
        const live = new Set<string>();
        let now = 0;
        for (const { dt, what, stream } of steps) {
          now += dt;
          if (what === "save") {
            const saved = JSON.parse(JSON.stringify([catalog.save(), towers.save()]));
            const parts = [catalog.part("catalogue"), towers.part("towers")];
            towers = new Towers(circle);
            catalog = new Catalogue();
            catalog.follow(towers);
            catalog.load(saved[0]);
            towers.load(saved[1]);
            copyParts(parts, [
              ["catalogue", catalog.reader("catalogue")],
              ["towers", towers.reader("towers")],
            ]);
          } else catalog.feedback(eventOf(what, stream, now));
          if (what === "on_air") live.add(`s${stream}`);
          if (what === "off_air") live.delete(`s${stream}`);
          const doors: Iterable<CatalogStream>[] = [catalog, catalog.streams, catalog.popular, catalog.newest];
          doors.push(
            catalog.among(),
            towers.nearest("u1", 100, () => true),
          );
          for (const door of doors) expect(ids([...door]).sort()).toEqual([...live].sort());
          expect(ids([...catalog.among(everyId)])).toEqual(everyId.filter((id) => live.has(id)));
          for (let i = 0; i < 4; i++) for (const { id } of catalog.of(`r${i}`)) expect(live.has(id)).toBe(true);
          for (const c of ["other", "c1"]) for (const { id } of catalog.within(c)) expect(live.has(id)).toBe(true);
          const retriever = new Retriever(catalog, {}, towers);
          const [favourites, friends] = [
            ["r0", "r1"],
            ["r2", "r3"],
          ];
          for (const candidates of [undefined, everyId]) {
            const asked = { user: "u1", now, max, favourites, friends, ...(candidates && { candidates }) };
            const found = ids(retriever.retrieve(asked).streams);
            expect(found.length).toBe(Math.min(max, live.size));
            for (const id of found) expect(live.has(id)).toBe(true);
          }
        }
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  test("is in no policy's slate at any edge of the schedule, nor after a save", () => {
    const learner = { hidden: [4], capacity: 300 };
    fc.assert(
      fc.property(moves, (steps) => {
        let recommender = new Recommender({ maxCandidates: 3, trainEvery: 0, learner, explore: { epsilon: 0.5 } });
        const others = [new PopularPolicy(), new RandomPolicy()];
        const live = new Set<string>();
        let now = 0;
        for (const { dt, what, stream } of steps) {
          now += dt;
          if (what === "save") {
            const file = recommender.save();
            recommender.dispose();
            recommender = Recommender.load(file);
          } else for (const policy of [recommender, ...others]) policy.feedback(eventOf(what, stream, now));
          if (what === "on_air") live.add(`s${stream}`);
          if (what === "off_air") live.delete(`s${stream}`);
          for (const policy of [recommender, ...others]) {
            for (const candidates of [undefined, everyId]) {
              const { slate } = policy.recommend({ user: "u1", now, k: 4, ...(candidates && { candidates }) });
              for (const id of slate) expect(live.has(id), policy.name).toBe(true);
              expect(slate.length > 0).toBe(live.size > 0);
            }
          }
        }
        recommender.dispose();
      }),
      { numRuns: 40, seed: 4 },
    );
  });
});
