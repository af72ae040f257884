import { describe, expect, test } from "vitest";
import { lognormal } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent, OnAir } from "../../../src/protocol/events.js";
import { DAY, MINUTE } from "../../../src/protocol/time.js";
import {
  columns,
  content,
  coreFeatures,
  type FeatureGroup,
  Features,
  type FeatureWriter,
  featureGroup,
  featureSizes,
  moments,
  neighbours,
  pages,
  social,
  taste,
  traits,
  vectors,
} from "../../../src/recommender/features/index.js";
import { jaccard } from "../../../src/recommender/features/known/social.js";
import { SCENE_DEFAULTS, Scenes } from "../../../src/recommender/retrieval/scenes.js";
import { type CatalogStream, type CollaborativeVectors, State } from "../../../src/recommender/state/index.js";
import { onAir } from "../../support/events.js";
import { bytesOf, textOf } from "../../support/parts.js";
import { judgeAt, watchAt } from "../../support/watch.js";

const { observation: OBSERVATION, candidate: CANDIDATE } = featureSizes(coreFeatures());

/** 20 streams on air, of 15 streamers. */
function platform(): State {
  const state = new State();
  for (let i = 0; i < 20; i++) {
    const tags = [`t${i % 3}`, `t${i % 5}`];
    const event: OnAir = {
      kind: "on_air",
      time: i * MINUTE,
      stream: `${i}`,
      streamer: `s${i % 15}`,
      category: `c${i % 4}`,
      tags,
    };
    state.feedback(event, undefined);
    state.feedback({ kind: "update", time: i * MINUTE, stream: `${i}`, viewers: i ** 4 }, state.catalogue.find(`${i}`));
  }
  return state;
}

interface Act {
  user: string;
  stream: number;
  watchMs: number;
  dislike: boolean;
}

function draw(random: Random): Act {
  const [user, stream, watchMs] = [`u${random.below(4)}`, random.below(20), lognormal(random, 30_000, 3)];
  return { user, stream, watchMs, dislike: random.bernoulli(0.3) };
}

function take({ users, catalogue }: State, act: Act, now: number): void {
  const [stream, next] = [act.stream, (act.stream + 1) % 20].map((i) => catalogue.get(`${i}`)!);
  users.shown(act.user, [stream!, next!], now);
  users.click(act.user, stream!, now);
  watchAt(users, act.user, stream!, act.watchMs, false, now);
  judgeAt(users, act.user, stream!, act.dislike, now);
}

/** All rows for a user at a moment: the observation, then each candidate. */
function rows(state: State, user: string, now: number, groups: readonly FeatureGroup[] = coreFeatures()): Float32Array {
  const features = new Features(groups, { state, seed: 1 });
  const { observationSize, candidateSize } = features;
  const out = new Float32Array(observationSize + state.catalogue.size * candidateSize).fill(Number.NaN);
  features.begin(user, state.users.open(user, now), { now, onAir: state.catalogue.size, viewersMax: 19 ** 4 });
  features.writeObservation(out);
  features.writeCandidates(out.subarray(observationSize), state.catalogue.streams);
  return out;
}

function candidate(all: Float32Array, i: number): Float32Array {
  const start = OBSERVATION + i * CANDIDATE;
  return all.slice(start, start + CANDIDATE);
}

describe("features", () => {
  test("are all written, finite and in [-1, 3], after any history", () => {
    const random = new Random(1);
    const state = platform();
    let now = 0;
    for (let i = 0; i < 2000; i++) {
      now += random.bernoulli(0.02) ? 30 * DAY : lognormal(random, MINUTE, 3);
      const act = draw(random);
      take(state, random.bernoulli(0.01) ? { ...act, watchMs: 1e300 } : act, now);
      if (i % 20 !== 0) continue;
      const values = rows(state, random.pick(["u0", "u1", "nobody"]), now);
      expect(values.every((value) => value >= -1 && value <= 3)).toBe(true);
    }
  });

  test("of an event do not change when the future is shuffled", () => {
    const random = new Random(2);
    const acts = Array.from({ length: 200 }, () => draw(random));
    const past = acts.slice(0, 100);
    const at = (order: Act[]) => {
      const state = platform();
      const seen: Float32Array[] = [];
      for (const [i, act] of order.entries()) {
        if (i <= 100) seen.push(rows(state, past[i % 100]!.user, i * MINUTE));
        take(state, act, i * MINUTE);
      }
      return seen;
    };
    expect(at([...past, ...random.shuffle(acts.slice(100))])).toEqual(at(acts));
  });

  test("do not change a profile by being read", () => {
    const state = platform();
    for (let i = 0; i < 50; i++) take(state, draw(new Random(i)), i * MINUTE);
    const first = rows(state, "u1", DAY);
    expect(rows(state, "u1", DAY)).toEqual(first);
  });

  test("are the same for a stream among any other streams", () => {
    const state = platform();
    take(state, { user: "u", stream: 3, watchMs: MINUTE, dislike: false }, 0);
    const all = rows(state, "u", DAY);
    for (const { id } of [...state.catalogue]) {
      if (id !== "3") state.feedback({ kind: "off_air", time: DAY, stream: id }, state.catalogue.find(id));
    }
    // The number of streams on air is part of the observation, not of a candidate.
    expect(candidate(rows(state, "u", DAY), 0)).toEqual(candidate(all, 3));
  });

  test("differ between a visited streamer and others, a liked and a disliked, and users", () => {
    const state = platform();
    take(state, { user: "u", stream: 3, watchMs: 30 * MINUTE, dislike: false }, 0);
    take(state, { user: "v", stream: 3, watchMs: 30 * MINUTE, dislike: true }, 0);
    const [u, v, w] = ["u", "v", "w"].map((user) => candidate(rows(state, user, MINUTE), 3));
    expect(u).not.toEqual(v);
    expect(u).not.toEqual(w);
    expect(candidate(rows(state, "u", MINUTE), 7)).not.toEqual(u);
    const sizes = new Set([u, v, w].map((row) => row!.length));
    expect([...sizes]).toEqual([CANDIDATE]);
  });

  test("go round with the day", () => {
    const clock = (now: number) => rows(platform(), "u", now).slice(0, 4);
    expect(clock(DAY)).toEqual(clock(2 * DAY));
    expect(clock(DAY)).not.toEqual(clock(1.5 * DAY));
  });
});

const NOW = DAY;

/** A platform with these groups beside the core ones, for the events of tests. */
function withGroups(...groups: FeatureGroup[]) {
  const scenes = new Scenes({ ...SCENE_DEFAULTS, features: [...coreFeatures(), ...groups] });
  const { users } = scenes.state;
  const feed = (...events: LiveEvent[]) => {
    for (const event of events) scenes.feedback(event);
  };
  const goLive = (stream: string, more: Partial<OnAir> = {}) =>
    feed(onAir(stream, { streamer: "ann", tags: ["blitz"], ...more }));
  goLive("live");
  /** The numbers of the groups beside the core ones. */
  const rowsOf = (stream = "live", user = "u", now = NOW) => {
    const { streams, observation, candidates } = scenes.face({ user, now });
    const at = streams.findIndex(({ id }) => id === stream) * scenes.features.candidateSize;
    const row = candidates.subarray(at + 32, at + scenes.features.candidateSize);
    return { observation: [...observation.subarray(31)], candidate: [...row] };
  };
  const ANN = scenes.state.catalogue.get("live")!;
  return { scenes, users, feed, goLive, rowsOf, ANN };
}

const GROUPS = [traits(), pages(), social(), taste(), vectors(), moments(), content(), neighbours()];

describe("groups", () => {
  test.each(GROUPS.map((group) => [group.name, group] as const))("%s only adds to the rows, in fours", (_, group) => {
    const state = platform();
    for (let i = 0; i < 50; i++) take(state, draw(new Random(i)), i * MINUTE);
    const write = (groups: FeatureGroup[]) => {
      const features = new Features(groups, { state, seed: 1 });
      const { observationSize: n, candidateSize } = features;
      const row = new Float32Array(n + candidateSize).fill(Number.NaN);
      features.begin("u1", state.users.open("u1", DAY), { now: DAY, onAir: 20, viewersMax: 9 });
      features.writeObservation(row);
      features.writeCandidates(row.subarray(n), [state.catalogue.get("3")!]);
      expect([n % 4, candidateSize % 4]).toEqual([0, 0]);
      expect(row.every((x) => Math.abs(x) <= 3)).toBe(true);
      return { n, width: row.length, base: [...row.slice(0, 31), ...row.slice(n, n + 32)] };
    };
    const without = write(coreFeatures());
    const withIt = write([...coreFeatures(), group]);
    expect([without.n, without.width]).toEqual([OBSERVATION, OBSERVATION + CANDIDATE]);
    expect(withIt.width).toBeGreaterThan(without.width);
    expect(withIt.base).toEqual(without.base);
  });

  test("traits: an age of zero is not an age unknown; one trait does not touch another's place", () => {
    const { users, rowsOf } = withGroups(traits());
    const rows = () => rowsOf().observation;
    expect(rows().every((x) => x === 0)).toBe(true);
    users.update("u", { age: 0 }, NOW);
    const baby = rows();
    expect(baby.filter((x) => x === 1).length).toBe(2);
    users.update("u", { region: "eu" }, NOW);
    const both = rows();
    for (const [i, x] of baby.entries()) if (x !== 0) expect(both[i]).toBe(x);
    expect(both.filter((x) => x === 1).length).toBe(4);
    users.update("u", { region: "us" }, NOW);
    expect(rows()).not.toEqual(both);
  });

  test("pages and ratings: none is not the same as a sum of nothing", () => {
    const { users, rowsOf, ANN } = withGroups(pages());
    expect([...rowsOf().observation, ...rowsOf().candidate].every((x) => x === 0)).toBe(true);
    users.page("u", 0, NOW);
    const [log3, log2] = [Math.fround(Math.log(2) / 3), Math.fround(Math.log(2) / 2)];
    expect(rowsOf().observation.slice(0, 5)).toEqual([1, log3, log2, 1, 0]);
    users.rate("u", ANN, 0.5, NOW);
    expect(rowsOf().observation.slice(5, 8)).toEqual([1, log3, 0]);
    expect(rowsOf().candidate).toEqual([1, 0, Math.fround(1 / 3), 0]);
  });

  test("social: friends in the stream, friends who follow, weighted by likeness, own follows", () => {
    const { users, rowsOf, ANN } = withGroups(social());
    expect([...rowsOf().observation, ...rowsOf().candidate].every((x) => x === 0)).toBe(true);
    const of = (streamer: string) => ({ ...ANN, streamer });
    users.befriend("u", "v", true, NOW);
    users.befriend("u", "w", true, NOW);
    expect(rowsOf().observation[0]).toBe(1);
    for (const streamer of ["ann", "ben"]) users.follow("v", of(streamer), NOW);
    for (const streamer of ["ben", "cleo"]) users.follow("u", of(streamer), NOW);
    users.click("w", ANN, NOW);
    users.click("stranger", ANN, NOW);
    // {ben, cleo} and {ann, ben}: one of three.
    const following = 0.5 + 1 / 3;
    expect(rowsOf().candidate).toEqual([0, 1, 1 / 3, following / (1 + following)].map(Math.fround));
    expect(rowsOf().observation[3]).toBeCloseTo(1 / 6, 6);
    users.follow("u", ANN, NOW);
    watchAt(users, "w", ANN, MINUTE, false, NOW);
    expect(rowsOf().candidate.slice(0, 3)).toEqual([1, 0, 0]);
    users.befriend("w", "u", false, NOW);
    users.delete("v");
    expect(rowsOf().observation[0]).toBe(0);
    expect(rowsOf().candidate.slice(1)).toEqual([0, 0, 0]);
  });

  test("the share in common is the Jaccard index of sets", () => {
    const random = new Random(4);
    for (let n = 0; n < 200; n++) {
      const [a, b] = [0, 1].map(() => new Set(Array.from({ length: random.below(8) }, () => `${random.below(9)}`)));
      const both = [...a!].filter((x) => b!.has(x)).length;
      const all = new Set([...a!, ...b!]).size;
      const [mapA, mapB] = [a!, b!].map((set) => new Map([...set].map((x) => [x, true])));
      expect(jaccard(mapA!, mapB!)).toBe(all === 0 ? 0 : both / all);
    }
  });

  test("taste is the vectors' inner product, and both groups read the same vectors", () => {
    const { scenes, users, feed, rowsOf, goLive } = withGroups(vectors({ size: 6 }), taste({ size: 6 }));
    users.update("u", { language: "en" }, 0);
    goLive("calm", { streamer: "ben", category: "music", tags: ["calm"] });
    for (let i = 1; i <= 30; i++) {
      feed({ kind: "watch", time: i * 10 * MINUTE, user: "u", stream: "live", watchMs: 9 * MINUTE });
      feed({ kind: "watch", time: i * 10 * MINUTE, user: "v", stream: "calm", watchMs: 9 * MINUTE });
    }
    const kept = scenes.state.keeper("vectors") as unknown as { vectors: CollaborativeVectors };
    const dot = kept.vectors.dot("u", "ann", "chess", ["blitz"], ["language:en"]);
    expect(dot).toBeGreaterThan(0.05);
    const { observation, candidate } = rowsOf();
    expect(candidate.slice(6, 10)).toEqual([expect.closeTo(dot / (1 + dot), 5), expect.any(Number), 1, 1]);
    const back = (x: number) => x / (1 - Math.abs(x));
    const own = observation.slice(0, 6).map(back);
    const theirs = candidate.slice(0, 6).map(back);
    expect(own.reduce((sum, x, f) => sum + x * theirs[f]!, 0)).toBeCloseTo(dot, 4);
    goLive("new", { streamer: "new", category: "new", tags: [] });
    const nobody = rowsOf("new", "nobody").candidate.slice(6);
    expect(nobody.slice(2, 4)).toEqual([0, 0]);
    expect(nobody[0]).toBe(nobody[1]);
    expect(() => withGroups(vectors({ size: 6 }), taste({ size: 7 }))).toThrow("they share vectors");
  });

  test("moments: a rate of zero is not a rate unknown", () => {
    const { feed, rowsOf, goLive } = withGroups(moments());
    expect(rowsOf().candidate.every((x) => x === 0)).toBe(true);
    goLive("other");
    feed({ kind: "comment", time: NOW - 5 * MINUTE, user: "v", stream: "other" });
    expect(rowsOf().candidate.slice(0, 10)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    feed({ kind: "update", time: NOW - 2 * MINUTE, stream: "live", viewers: 10 });
    feed({ kind: "update", time: NOW - MINUTE, stream: "live", viewers: 3 });
    feed({ kind: "click", time: NOW, user: "v", stream: "live" });
    const now = rowsOf().candidate;
    expect([now[0], now[8]]).toEqual([1, 1]);
    expect(now[1]).toBeGreaterThan(0);
    expect(now[9]).toBeLessThan(0);
  });

  test("content: likeness by modality, language and maturity, each with a mask", () => {
    const { scenes, feed, rowsOf, goLive } = withGroups(content());
    const rows = (id: string) => rowsOf(id).candidate;
    goLive("bare", { tags: [] });
    goLive("seen", { tags: [], title: "violin", embeddings: { image: [1, 2, 3] } });
    const alike = { title: "violin", language: "en", mature: false, embeddings: { image: [1, 2, 3.1] } };
    goLive("alike", { tags: [], ...alike });
    goLive("unlike", { tags: [], language: "zh", mature: true, embeddings: { image: [-1, -2, -3], audio: [1] } });
    expect(rows("alike")).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1]);
    feed({ kind: "watch", time: NOW - DAY / 2, user: "u", stream: "seen", watchMs: 59_000 });
    expect(scenes.state.profile("u")).not.toHaveProperty("content");
    feed({ kind: "watch", time: NOW, user: "u", stream: "seen", watchMs: MINUTE });
    feed({ kind: "user", time: NOW, user: "u", language: "en" });
    expect(rows("bare").every((x) => x === 0)).toBe(true);
    const near = (x: number) => expect.closeTo(x, 2);
    expect(rows("alike")).toEqual([1, near(1), 0, 0, 1, near(1), 0, 0, 1, 1, 1, -1]);
    expect(rows("unlike")).toEqual([0, 0, 0, 0, 1, near(-1), 0, 0, 1, -1, 1, 1]);
    // A user's watched content is in the exported profile, and is forgotten with it; faded content is unknown again.
    const kept = (scenes.state.profile("u") as { content?: unknown[] }).content;
    expect(kept?.map((sum) => sum !== null)).toEqual([true, false, true, false]);
    expect(
      rowsOf("alike", "u", 400 * DAY)
        .candidate.slice(0, 8)
        .every((x) => x === 0),
    ).toBe(true);
    scenes.state.forget("u");
    expect(
      rows("alike")
        .slice(0, 8)
        .every((x) => x === 0),
    ).toBe(true);
  });

  test("declared columns read the user's traits, and the stream", () => {
    const { users, rowsOf, goLive } = withGroups(
      columns({
        user: [{ name: "grown", from: "age", encode: { kind: "buckets", edges: [18] } }],
        stream: [
          { name: "category", encode: { kind: "onehot", vocabulary: ["music", "chess"] } },
          { name: "language", encode: { kind: "onehot", vocabulary: ["en"] } },
          { name: "age", from: "ageMs", encode: { kind: "minmax", low: 0, high: 2 * DAY } },
        ],
      }),
    );
    goLive("english", { language: "en" });
    const before = rowsOf("english");
    expect(before.observation.slice(0, 3)).toEqual([0, 0, 0]);
    expect(before.candidate).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 0.5, 0, 0, 0]);
    users.update("u", { age: 20 }, NOW);
    expect(rowsOf("english").observation.slice(0, 3)).toEqual([1, 0, 1]);
    expect(rowsOf("live").candidate.slice(4, 7)).toEqual([0, 0, 0]);
  });

  test("running columns update with each slate, and are saved", () => {
    const make = () => withGroups(columns({ stream: [{ name: "viewers", encode: { kind: "running" } }] }));
    const { scenes, feed, ANN } = make();
    const read = (of: Scenes, viewers: number) => {
      const row = new Float32Array(of.features.candidateSize);
      of.features.writeCandidates(row, [{ ...ANN, viewers } as CatalogStream]);
      return row[33];
    };
    feed({ kind: "click", time: 0, user: "u", stream: "live" });
    scenes.face({ user: "u", now: NOW });
    scenes.state.shown("u", [{ ...ANN, viewers: 10 } as CatalogStream, { ...ANN, viewers: 20 } as CatalogStream], NOW);
    expect([10, 15, 25].map((viewers) => read(scenes, viewers))).toEqual([-1, 0, 2]);
    const copy = make().scenes;
    copy.face({ user: "u", now: NOW });
    expect(read(copy, 25)).toBe(0);
    const { keepers } = scenes.state.save([]);
    copy.state.keeper("columns")!.load(JSON.parse(JSON.stringify(keepers[0]![1])), new Float32Array(0));
    expect(read(copy, 25)).toBe(2);
  });

  test("of your own write, keep, and are saved, forgotten and fed like any other", () => {
    const seen: string[] = [];
    const mine = featureGroup("mine", { half: 2 }, ({ state }, { half }) => {
      const counts = new Map<string, number>();
      state.keep("mine", () => ({
        feedback: ({ event, stream }) => {
          seen.push(`${event.kind} ${stream?.streamer}`);
          if (event.kind === "click") counts.set(event.user, (counts.get(event.user) ?? 0) + 1);
        },
        forget: (user) => counts.delete(user),
        save: () => [...counts],
        load: (saved) => {
          for (const [user, n] of saved as [string, number][]) counts.set(user, n);
        },
      }));
      let clicks = 0;
      return {
        observation: 1,
        candidate: 0,
        begin: (user) => {
          clicks = counts.get(user) ?? 0;
        },
        writeObservation: (row, offset) => {
          row[offset] = clicks / (clicks + half);
        },
      };
    });
    const { scenes, feed, rowsOf } = withGroups(mine);
    feed({ kind: "click", time: 1, user: "u", stream: "live" }, { kind: "like", time: 1, user: "u", stream: "never" });
    feed({ kind: "click", time: 2, user: "u", stream: "live" }, { kind: "friend", time: 2, user: "u", friend: "v" });
    expect(seen).toEqual(["on_air ann", "click ann", "click ann", "friend undefined"]);
    expect(rowsOf().observation[0]).toBe(0.5);
    expect(scenes.state.save([]).keepers).toEqual([["mine", [["u", 2]], 0]]);
    scenes.state.forget("u");
    expect(rowsOf().observation[0]).toBe(0);
  });

  /** A group of one number of a state and one of a candidate, but for what is given. */
  const own = (writer: Partial<FeatureWriter>) =>
    featureGroup("own", {}, () => ({
      observation: 1,
      candidate: 1,
      begin() {},
      writeObservation: (row, offset) => void row.fill(1, offset, offset + 1),
      writeCandidate: (row, offset) => void row.fill(1, offset, offset + 1),
      ...writer,
    }));

  test.each<[string, Partial<FeatureWriter>, string]>([
    ["NaN in a state", { writeObservation: (row, at) => void row.fill(Number.NaN, at, at + 1) }, "observation"],
    ["NaN in a candidate", { writeCandidate: (row, at) => void row.fill(Number.NaN, at, at + 1) }, "candidate"],
    ["more than f32 holds", { writeCandidate: (row, at) => void row.fill(1e39, at, at + 1) }, "candidate"],
  ])("of one's own that write %s are refused by name", (_, writer, where) => {
    expect(() => withGroups(own(writer)).rowsOf()).toThrow(
      `"features.own" must be a group that writes finite numbers of the ${where}`,
    );
  });

  test("of one's own that write too many numbers, or too few, leave all others as they are", () => {
    const { rowsOf } = withGroups(own({ writeCandidate: (row, at) => void row.fill(7, at, at + 99) }), pages());
    expect(rowsOf().candidate).toEqual([7, 0, 0, 0, 0, 0, 0, 0]);
    let isFirst = true;
    const once = (row: Float32Array, at: number) => {
      if (isFirst) row[at] = 7;
      isFirst = false;
    };
    const lazy = withGroups(own({ writeCandidate: once }));
    expect(lazy.rowsOf().candidate).toEqual([7, 0, 0, 0]);
    expect(lazy.rowsOf().candidate).toEqual([0, 0, 0, 0]);
  });

  test.each<[Partial<FeatureWriter>, string]>([
    [{ candidate: 1.5 }, '"features.own" must be a group that builds a FeatureWriter'],
    [{ observation: -4 }, '"features.own" must be a group that builds a FeatureWriter'],
    [{ writeCandidate: undefined as never }, '"features.own" must be a group that builds a FeatureWriter'],
  ])("of one's own are refused when they are built: %o", (writer, message) => {
    expect(() => withGroups(own(writer))).toThrow(message);
  });

  test("neighbours: a watch counts as long as it can have been", () => {
    const { scenes, feed } = withGroups(neighbours());
    feed({ kind: "click", time: NOW, user: "u", stream: "live" });
    feed({ kind: "watch", time: NOW + 15_000, user: "u", stream: "live", watchMs: DAY });
    const liked = () => textOf(...scenes.state.keeper("neighbours")!.parts!("near").map(bytesOf)).includes("ann");
    expect(liked()).toBe(false);
    feed({ kind: "click", time: NOW + 15_000, user: "u", stream: "live" });
    feed({ kind: "watch", time: NOW + 15_000 + DAY, user: "u", stream: "live", watchMs: DAY });
    expect(liked()).toBe(true);
  });

  test("taste and neighbours learn from clicks and approvals where watching is not measured, by choice alone", () => {
    const audiences = ({ state }: ReturnType<typeof withGroups>["scenes"]) =>
      textOf(...state.keeper("neighbours")!.parts!("near").map(bytesOf));
    const known = (learnFrom: "watches" | "visits") => {
      const { scenes, feed } = withGroups(taste({ learnFrom }), neighbours({ learnFrom }));
      feed({ kind: "click", time: NOW, user: "u", stream: "live" });
      const { vectors } = scenes.state.keeper("vectors") as unknown as { vectors: CollaborativeVectors };
      const clicked = vectors.known.users;
      feed({ kind: "purchase", time: NOW, user: "v", stream: "live", amount: 3 });
      feed({ kind: "rating", time: NOW, user: "w", stream: "live", rating: 0.2 });
      return [clicked, vectors.known.users, audiences(scenes).includes("ann")];
    };
    expect(known("watches")).toEqual([0, 0, true]);
    expect(known("visits")).toEqual([1, 2, true]);
    const own = withGroups(neighbours({ learnFrom: "visits" }));
    own.feed({ kind: "click", time: NOW, user: "u", stream: "live" });
    expect(audiences(own.scenes)).toContain("ann");
    expect(() => withGroups(taste({ learnFrom: "clicks" as "visits" }))).toThrow('"learnFrom" must be');
    expect(() => withGroups(neighbours({ learnFrom: "clicks" as "visits" }))).toThrow('"neighbours.learnFrom" must be');
  });

  test("columns: a stream that may be for adults is not one that is for all", () => {
    const { rowsOf, goLive } = withGroups(
      columns({ stream: [{ name: "mature", encode: { kind: "minmax", low: 0, high: 1 } }] }),
    );
    goLive("all", { mature: false });
    expect(rowsOf("all").candidate).not.toEqual(rowsOf("live").candidate);
  });

  test.each([
    [() => [...coreFeatures(), taste(), taste()], '"features" must be groups of different names'],
    [() => [taste()], '"features" must be groups of which one writes an observation, got ["taste"]'],
    [
      () => [...coreFeatures(), columns({ user: [{ name: "age", encode: { kind: "standard" } }] })],
      '"columns.user" must be fitted, as FeatureSet.save gives them',
    ],
    [
      () => [...coreFeatures(), columns({ stream: [{ name: "id", encode: { kind: "indices" } }] })],
      '"columns.stream" must be of columns that write numbers',
    ],
    [
      () => [...coreFeatures(), columns({ user: [{ name: "age", encode: { kind: "age" }, optional: false }] })],
      '"columns.user.0.optional" must be true',
    ],
    [
      () => [...coreFeatures(), columns({ user: [{ name: "x", from: "age", encode: { kind: "hashed" } }] })],
      '"x" must be a string or an array of strings, got 30',
    ],
    [
      () => [...coreFeatures(), columns({ stream: [{ name: "x", encode: { kind: "lgo" } as never }] })],
      '"columns.stream.0.encode.kind" must be one of',
    ],
  ])("refuses %s", (groups, message) => {
    expect(() => new Features(groups(), { state: new State(), seed: 1 })).toThrow(message);
  });
});
