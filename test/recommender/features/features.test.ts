import { describe, expect, test } from "vitest";
import { Contents } from "../../../src/encoders/content.js";
import { Random } from "../../../src/numeric/random.js";
import type { OnAir } from "../../../src/protocol/events.js";
import { DAY, MINUTE } from "../../../src/protocol/time.js";
import {
  candidateSize,
  type FeatureOptions,
  Features,
  observationSize,
} from "../../../src/recommender/features/features.js";
import { INPUTS, jaccard, type StreamOnAir } from "../../../src/recommender/features/inputs.js";
import { Neighbours } from "../../../src/recommender/state/neighbours.js";
import { Users } from "../../../src/recommender/state/users.js";
import { CollaborativeVectors } from "../../../src/recommender/state/vectors.js";

const STREAMS: StreamOnAir[] = Array.from({ length: 20 }, (_, i) => ({
  id: `${i}`,
  streamer: `s${i % 15}`,
  title: "",
  category: `c${i % 4}`,
  tags: [`t${i % 3}`, `t${i % 5}`],
  viewers: i ** 4,
  startedAt: i * MINUTE,
}));

interface Act {
  user: string;
  stream: number;
  watchMs: number;
  dislike: boolean;
}

function draw(random: Random): Act {
  const [user, stream, watchMs] = [`u${random.below(4)}`, random.below(20), random.lognormal(30_000, 3)];
  return { user, stream, watchMs, dislike: random.bernoulli(0.3) };
}

function take(profiles: Users, act: Act, now: number): void {
  const stream = STREAMS[act.stream]!;
  profiles.shown(act.user, [stream, STREAMS[(act.stream + 1) % 20]!], now);
  profiles.click(act.user, stream, now);
  profiles.watch(act.user, stream, act.watchMs, false, now);
  profiles.interact(act.user, stream, act.dislike, now);
}

function plain(profiles: Users, options: Partial<FeatureOptions> = {}): Features {
  return new Features(
    { profiles, vectors: new CollaborativeVectors(), contents: new Contents(1), neighbours: new Neighbours() },
    options,
  );
}

/** All rows for a user at a moment: the state, then each candidate. */
function rows(profiles: Users, user: string, now: number): Float32Array {
  const out = new Float32Array(observationSize + STREAMS.length * candidateSize).fill(Number.NaN);
  const profile = profiles.open(user, now);
  const moment = { now, onAir: STREAMS.length, viewersMax: 19 ** 4 };
  const features = plain(profiles);
  features.begin(user, profile, moment);
  features.writeObservation(out, 0);
  for (const [i, stream] of STREAMS.entries()) {
    features.write(out, observationSize + i * candidateSize, stream);
  }
  return out;
}

function candidate(all: Float32Array, i: number): Float32Array {
  const start = observationSize + i * candidateSize;
  return all.slice(start, start + candidateSize);
}

describe("features", () => {
  test("are all written, finite and in [-1, 3], after any history", () => {
    const random = new Random(1);
    const profiles = new Users();
    let now = 0;
    for (let i = 0; i < 2000; i++) {
      now += random.bernoulli(0.02) ? 30 * DAY : random.lognormal(MINUTE, 3);
      const act = draw(random);
      take(profiles, random.bernoulli(0.01) ? { ...act, watchMs: 1e300 } : act, now);
      if (i % 20 !== 0) continue;
      const values = rows(profiles, random.pick(["u0", "u1", "nobody"]), now);
      expect(values.every((value) => value >= -1 && value <= 3)).toBe(true);
    }
  });

  test("of an event do not change when the future is shuffled", () => {
    const random = new Random(2);
    const acts = Array.from({ length: 200 }, () => draw(random));
    const past = acts.slice(0, 100);
    const at = (order: Act[]) => {
      const profiles = new Users();
      const seen: Float32Array[] = [];
      for (const [i, act] of order.entries()) {
        if (i <= 100) seen.push(rows(profiles, past[i % 100]!.user, i * MINUTE));
        take(profiles, act, i * MINUTE);
      }
      return seen;
    };
    expect(at([...past, ...random.shuffle(acts.slice(100))])).toEqual(at(acts));
  });

  test("do not change a profile by being read", () => {
    const profiles = new Users();
    for (let i = 0; i < 50; i++) take(profiles, draw(new Random(i)), i * MINUTE);
    const first = rows(profiles, "u1", DAY);
    expect(rows(profiles, "u1", DAY)).toEqual(first);
  });

  test("are the same for a stream whatever other streams there are", () => {
    const profiles = new Users();
    take(profiles, { user: "u", stream: 3, watchMs: MINUTE, dislike: false }, 0);
    const alone = new Float32Array(candidateSize);
    const moment = { now: DAY, onAir: STREAMS.length, viewersMax: 19 ** 4 };
    const features = plain(profiles);
    features.begin("u", profiles.open("u", DAY), moment);
    features.write(alone, 0, STREAMS[3]!);
    expect(candidate(rows(profiles, "u", DAY), 3)).toEqual(alone);
  });

  test("tell a visited streamer from others, a liked from a disliked, and users apart", () => {
    const profiles = new Users();
    take(profiles, { user: "u", stream: 3, watchMs: 30 * MINUTE, dislike: false }, 0);
    take(profiles, { user: "v", stream: 3, watchMs: 30 * MINUTE, dislike: true }, 0);
    const [u, v, w] = ["u", "v", "w"].map((user) => candidate(rows(profiles, user, MINUTE), 3));
    expect(u).not.toEqual(v);
    expect(u).not.toEqual(w);
    expect(candidate(rows(profiles, "u", MINUTE), 7)).not.toEqual(u);
    const sizes = new Set([u, v, w].map((row) => row!.length));
    expect([...sizes]).toEqual([candidateSize]);
  });

  test("go round with the day", () => {
    const profiles = new Users();
    const clock = (now: number) => rows(profiles, "u", now).slice(0, 4);
    expect(clock(DAY)).toEqual(clock(2 * DAY));
    expect(clock(DAY)).not.toEqual(clock(1.5 * DAY));
  });
});

const NOW = DAY;

/** A platform's memory, to which tests add what they are about. */
function memory() {
  const profiles = new Users();
  const vectors = new CollaborativeVectors({ size: 6 });
  const contents = new Contents(1);
  const neighbours = new Neighbours({ shrinkage: 1 });
  const ANN: StreamOnAir = { ...STREAMS[0]!, id: "live", streamer: "ann", category: "chess", tags: ["blitz"] };
  const rowsWith = (options: Partial<FeatureOptions>, stream = ANN, user = "u") => {
    const features = new Features({ profiles, vectors, contents, neighbours }, options);
    const observation = new Float32Array(features.observationSize).fill(Number.NaN);
    const candidate = new Float32Array(features.candidateSize).fill(Number.NaN);
    features.begin(user, profiles.open(user, NOW), { now: NOW, onAir: 1, viewersMax: 1 });
    features.writeObservation(observation, 0);
    features.write(candidate, 0, stream);
    return { observation: [...observation.subarray(32)], candidate: [...candidate.subarray(32)], features };
  };
  return { profiles, vectors, contents, neighbours, ANN, rowsWith };
}

describe("inputs", () => {
  test.each(INPUTS)("%s only adds to the rows, in fours", (name) => {
    const profiles = new Users();
    for (let i = 0; i < 50; i++) take(profiles, draw(new Random(i)), i * MINUTE);
    const profile = profiles.open("u1", DAY);
    const write = (options: Partial<FeatureOptions>) => {
      const features = plain(profiles, options);
      const row = new Float32Array(features.observationSize + features.candidateSize).fill(Number.NaN);
      features.begin("u1", profile, { now: DAY, onAir: 20, viewersMax: 9 });
      features.writeObservation(row, 0);
      features.write(row, features.observationSize, STREAMS[3]!);
      const { observationSize: n } = features;
      expect([n % 4, features.candidateSize % 4]).toEqual([0, 0]);
      expect(row.every((x) => Math.abs(x) <= 3)).toBe(true);
      return { n, width: row.length, base: [...row.slice(0, 32), ...row.slice(n, n + 32)] };
    };
    const without = write({});
    const withIt = write({ inputs: [name] });
    expect([without.n, without.width]).toEqual([observationSize, observationSize + candidateSize]);
    expect(withIt.width).toBeGreaterThan(without.width);
    expect(withIt.base).toEqual(without.base);
  });

  test("traits: an age of zero is not an age unknown; one trait does not touch another's place", () => {
    const { profiles, rowsWith } = memory();
    const rows = () => rowsWith({ inputs: ["traits"] }).observation;
    expect(rows().every((x) => x === 0)).toBe(true);
    profiles.update("u", { age: 0 }, NOW);
    const baby = rows();
    expect(baby.filter((x) => x === 1).length).toBe(2);
    profiles.update("u", { region: "eu" }, NOW);
    const both = rows();
    for (const [i, x] of baby.entries()) if (x !== 0) expect(both[i]).toBe(x);
    expect(both.filter((x) => x === 1).length).toBe(4);
    profiles.update("u", { region: "us" }, NOW);
    expect(rows()).not.toEqual(both);
  });

  test("pages and ratings: none is not the same as those that add up to nothing", () => {
    const { profiles, rowsWith, ANN } = memory();
    const rows = () => rowsWith({ inputs: ["pages"] });
    expect([...rows().observation, ...rows().candidate].every((x) => x === 0)).toBe(true);
    profiles.page("u", 0, NOW);
    expect(rows().observation.slice(0, 5)).toEqual([
      1,
      Math.fround(Math.log(2) / 3),
      Math.fround(Math.log(2) / 2),
      1,
      0,
    ]);
    profiles.rate("u", ANN, 0.5, NOW);
    expect(rows().observation.slice(5)).toEqual([1, Math.fround(Math.log(2) / 3), 0]);
    expect(rows().candidate).toEqual([1, 0, Math.fround(1 / 3), 0]);
  });

  test("social: friends in the stream, friends who follow by how alike they are, own follows", () => {
    const { profiles, rowsWith, ANN } = memory();
    const rows = () => rowsWith({ inputs: ["social"] });
    expect([...rows().observation, ...rows().candidate].every((x) => x === 0)).toBe(true);
    const of = (streamer: string) => ({ ...ANN, streamer });
    profiles.befriend("u", "v", true, NOW);
    profiles.befriend("u", "w", true, NOW);
    expect(rows().observation[0]).toBe(1);
    for (const streamer of ["ann", "ben"]) profiles.follow("v", of(streamer), NOW);
    for (const streamer of ["ben", "cleo"]) profiles.follow("u", of(streamer), NOW);
    profiles.click("w", ANN, NOW);
    profiles.click("stranger", ANN, NOW);
    // {ben, cleo} and {ann, ben}: one of three.
    const following = 0.5 + 1 / 3;
    expect(rows().candidate).toEqual([0, 1, 1 / 3, following / (1 + following)].map(Math.fround));
    expect(rows().observation[3]).toBeCloseTo(1 / 6, 6);
    profiles.follow("u", ANN, NOW);
    profiles.watch("w", ANN, MINUTE, false, NOW);
    expect(rows().candidate.slice(0, 3)).toEqual([1, 0, 0]);
    profiles.befriend("w", "u", false, NOW);
    profiles.delete("v");
    expect(rows().observation[0]).toBe(0);
    expect(rows().candidate.slice(1)).toEqual([0, 0, 0]);
  });

  test("the share in common is that of sets, by the definition", () => {
    const random = new Random(4);
    for (let n = 0; n < 200; n++) {
      const [a, b] = [0, 1].map(() => new Set(Array.from({ length: random.below(8) }, () => `${random.below(9)}`)));
      const both = [...a!].filter((x) => b!.has(x)).length;
      const all = new Set([...a!, ...b!]).size;
      const [mapA, mapB] = [a!, b!].map((set) => new Map([...set].map((x) => [x, true])));
      expect(jaccard(mapA!, mapB!)).toBe(all === 0 ? 0 : both / all);
    }
  });

  test("taste is the vectors' inner product, and the vectors are what it is of", () => {
    const { profiles, vectors, rowsWith } = memory();
    profiles.update("u", { language: "en" }, NOW);
    for (let i = 0; i < 30; i++) {
      vectors.learn("u", "ann", "chess", 2, ["blitz"], ["language:en"]);
      vectors.learn("v", "ben", "music", 2, ["calm"]);
    }
    const { observation, candidate } = rowsWith({ inputs: ["vectors", "taste"] });
    const dot = vectors.dot("u", "ann", "chess", ["blitz"], ["language:en"]);
    expect(dot).toBeGreaterThan(0.3);
    expect(candidate.slice(8)).toEqual([expect.closeTo(dot / (1 + dot), 5), expect.any(Number), 1, 1]);
    const back = (x: number) => x / (1 - Math.abs(x));
    const own = observation.slice(0, 6).map(back);
    const theirs = candidate.slice(0, 6).map(back);
    expect(own.reduce((sum, x, f) => sum + x * theirs[f]!, 0)).toBeCloseTo(dot, 4);
    expect([...observation.slice(6), ...candidate.slice(6, 8)]).toEqual([0, 0, 0, 0]);
    const nobody = rowsWith({ inputs: ["taste"] }, { ...memory().ANN, streamer: "new" }, "nobody").candidate;
    expect(nobody.slice(2)).toEqual([0, 0]);
    expect(nobody[0]).toBe(nobody[1]);
  });

  test("moments: a rate of zero is not a rate unknown", () => {
    const { rowsWith, ANN } = memory();
    const rows = (more: Partial<StreamOnAir>) => rowsWith({ inputs: ["moments"] }, { ...ANN, ...more }).candidate;
    expect(rows({}).every((x) => x === 0)).toBe(true);
    expect(rows({ commentRate: 0 })).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(rows({ viewerTrend: -1, joinRate: Math.E - 1 })).toEqual([
      1,
      Math.fround(1 / 3),
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      -0.5,
      0,
      0,
    ]);
  });

  test("content: likeness by modality, language and maturity, each with whether it is known", () => {
    const { profiles, contents, rowsWith, ANN } = memory();
    const rows = (id: string) => rowsWith({ inputs: ["content"] }, { ...ANN, id }).candidate;
    const onAir = (stream: string, more: Partial<OnAir>): void =>
      contents.onAir({ kind: "on_air", time: 0, stream, streamer: "ann", category: "chess", ...more });
    onAir("bare", {});
    onAir("seen", { title: "violin", embeddings: { image: [1, 2, 3] } });
    onAir("alike", { title: "violin", language: "en", mature: false, embeddings: { image: [1, 2, 3.1] } });
    onAir("unlike", { language: "zh", mature: true, embeddings: { image: [-1, -2, -3], audio: [1] } });
    expect(rows("alike")).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1]);
    profiles.watch("u", ANN, MINUTE, false, NOW, contents.get("seen"));
    profiles.update("u", { language: "en" }, NOW);
    for (const id of ["bare", "never"]) expect(rows(id).every((x) => x === 0)).toBe(true);
    const near = (x: number) => expect.closeTo(x, 2);
    expect(rows("alike")).toEqual([1, near(1), 0, 0, 1, near(1), 0, 0, 1, 1, 1, -1]);
    expect(rows("unlike")).toEqual([0, 0, 0, 0, 1, near(-1), 0, 0, 1, -1, 1, 1]);
  });

  test("declared columns read what the user told, and the stream", () => {
    const { profiles, contents, rowsWith, ANN } = memory();
    contents.onAir({ kind: "on_air", time: 0, stream: "live", streamer: "ann", category: "chess", language: "en" });
    const options: Partial<FeatureOptions> = {
      user: [{ name: "grown", from: "age", encode: { kind: "buckets", edges: [18] } }],
      stream: [
        { name: "category", encode: { kind: "onehot", vocabulary: ["music", "chess"] } },
        { name: "language", encode: { kind: "onehot", vocabulary: ["en"] } },
        { name: "age", from: "ageMs", encode: { kind: "minmax", low: 0, high: 2 * DAY } },
      ],
    };
    const before = rowsWith(options);
    expect(before.observation).toEqual([0, 0, 0, 0]);
    expect(before.candidate).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 0.5, 0, 0, 0]);
    profiles.update("u", { age: 20 }, NOW);
    expect(rowsWith(options).observation).toEqual([1, 0, 1, 0]);
    expect(rowsWith(options, { ...ANN, id: "never" }).candidate.slice(4, 7)).toEqual([0, 0, 0]);
  });

  test("running columns go on with each slate, and are saved", () => {
    const { rowsWith, ANN } = memory();
    const options: Partial<FeatureOptions> = { stream: [{ name: "viewers", encode: { kind: "running" } }] };
    const { features } = rowsWith(options);
    const read = (of: Features, viewers: number) => {
      const row = new Float32Array(of.candidateSize);
      of.write(row, 0, { ...ANN, viewers });
      return row[33];
    };
    features.shown([
      { ...ANN, viewers: 10 },
      { ...ANN, viewers: 20 },
    ]);
    expect([10, 15, 25].map((viewers) => read(features, viewers))).toEqual([-1, 0, 2]);
    const copy = rowsWith(options).features;
    expect(read(copy, 25)).toBe(0);
    copy.load(JSON.parse(JSON.stringify(features.save())));
    expect(read(copy, 25)).toBe(2);
  });

  test.each([
    [{ inputs: ["tast"] }, '"features.inputs" must be an array of different ones of traits, pages'],
    [{ inputs: ["taste", "taste"] }, '"features.inputs" must be an array of different ones'],
    [
      { user: [{ name: "age", encode: { kind: "standard" } }] },
      '"features.user" must be fitted: what FeatureSet.save gives',
    ],
    [
      { stream: [{ name: "id", encode: { kind: "indices" } }] },
      '"features.stream" must be of columns that write numbers',
    ],
    [{ user: [{ name: "age", encode: { kind: "age" }, optional: false }] }, '"features.user.0.optional" must be true'],
    [
      { user: [{ name: "x", from: "age", encode: { kind: "hashed" } }] },
      '"x" must be a string or an array of strings, got 30',
    ],
    [{ stream: [{ name: "x", encode: { kind: "lgo" } }] }, '"features.stream.0.encode.kind" must be one of'],
    [{ users: [] }, '"features.users" is not an option'],
  ])("refuses %j", (options, message) => {
    expect(() => plain(new Users(), options as object)).toThrow(message);
  });
});
