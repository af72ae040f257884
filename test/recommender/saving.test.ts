import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { beforeAll, describe, expect, test } from "vitest";
import { packSnapshot, unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import { SnapshotError } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import {
  content,
  coreFeatures,
  defaultFeatures,
  moments,
  neighbours,
  pages,
  Recommender,
  type RecommenderOptions,
  social,
  taste,
  traits,
  vectors,
} from "../../src/recommender/index.js";

const MINUTE = 60_000;
const ALL = [traits(), pages(), social(), taste(), vectors(), moments(), content(), neighbours()];
const OPTIONS: Partial<RecommenderOptions> = {
  seed: 3,
  instance: "",
  warmupUpdates: 10,
  learner: { learningStarts: 20, capacity: 150, batchSize: 8 },
  features: [...coreFeatures(), ...ALL],
};

/** Lets people ask, watch and leave; the same `random` gives the same calls. */
class Platform {
  #time = 1e9;
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = Random.named(seed, "platform");
  }

  /** One step of the platform. Returns what it was shown. */
  step(recommender: Recommender): unknown {
    const random = this.#random;
    const time = (this.#time += random.below(4 * MINUTE));
    const user = `u${random.below(30)}`;
    const stream = `s${random.below(12)}`;
    if (random.bernoulli(0.2)) {
      recommender.feedback({
        kind: "on_air",
        time,
        stream,
        streamer: `a${random.below(8)}`,
        category: `c${random.below(3)}`,
        tags: ["chess"],
        title: "blitz chess",
      });
    }
    if (random.bernoulli(0.05)) recommender.feedback({ kind: "off_air", time, stream });
    if (random.bernoulli(0.2)) recommender.feedback({ kind: "page_view", time, user, dwellMs: 1000 });
    if (random.bernoulli(0.1)) recommender.feedback({ kind: "friend", time, user, friend: `u${random.below(30)}` });
    if (random.bernoulli(0.05)) recommender.forget(`u${random.below(30)}`);
    const { id, slate, scores } = recommender.recommend({ user, now: time, k: 3 });
    for (const each of slate) {
      const about = { user, stream: each, decision: id };
      if (random.bernoulli(0.4)) recommender.feedback({ kind: "click", time: ++this.#time, ...about });
      if (random.bernoulli(0.3)) recommender.feedback({ kind: "heartbeat", time: ++this.#time, watchMs: 1, ...about });
      if (random.bernoulli(0.3)) {
        const watchMs = random.below(9 * MINUTE);
        this.#time += watchMs;
        recommender.feedback({ kind: "watch", time: this.#time, watchMs, ...about });
      }
      if (random.bernoulli(0.1))
        recommender.feedback({ kind: "gift", time: ++this.#time, amount: 3, user, stream: each });
    }
    return [slate, scores];
  }

  steps(recommender: Recommender, count: number): string {
    const digest = createHash("sha256");
    for (let i = 0; i < count; i++) digest.update(JSON.stringify(this.step(recommender)));
    return digest.digest("hex");
  }
}

const LOADING = { features: ALL, instance: "" };
const same = (a: Uint8Array, b: Uint8Array) => Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(b);

/** A recommender that has lived for a while, and the platform where it lives. */
function grown(steps = 250, options = OPTIONS): { recommender: Recommender; platform: Platform } {
  const recommender = new Recommender(options);
  const platform = new Platform(1);
  platform.steps(recommender, steps);
  return { recommender, platform };
}

/** Faults of each region of a file; `npm run test:fuzz` asks for more. */
const DAMAGES = Number(process.env["FUZZ_DAMAGES"] ?? 5);

describe("a save in chunks", () => {
  test("while it serves and learns is the file of its beginning, to the byte", () => {
    for (const between of [1, 9]) {
      const { recommender, platform } = grown();
      const whole = recommender.save();
      const chunks: Uint8Array[] = [];
      for (const chunk of recommender.saveChunks()) {
        chunks.push(chunk);
        platform.steps(recommender, between);
      }
      expect(chunks.length).toBeGreaterThan(10);
      expect(chunks.every(({ byteLength }) => byteLength <= 1 << 20)).toBe(true);
      expect(same(whole, Buffer.concat(chunks))).toBe(true);
    }
  });

  test("changes nothing, and what is loaded from it goes on as if it had never stopped", async () => {
    const { recommender, platform } = grown();
    const twin = grown();
    const chunks: Uint8Array[] = [];
    const own: string[] = [];
    for (const chunk of recommender.saveChunks()) {
      chunks.push(chunk);
      own.push(platform.steps(recommender, 2));
    }
    const copy = await Recommender.loadChunks(chunks, LOADING);
    // A platform at the moment of the save.
    const again = grown().platform;
    for (const expected of own) {
      expect(again.steps(copy, 2)).toBe(expected);
      expect(twin.platform.steps(twin.recommender, 2)).toBe(expected);
    }
    expect(same(copy.save(), twin.recommender.save())).toBe(true);
    expect(same(recommender.save(), twin.recommender.save())).toBe(true);
  });

  test("beside another one of a later moment, and one that was left, is still its own", () => {
    const { recommender, platform } = grown();
    const [first, early] = [recommender.save(), recommender.saveChunks()];
    platform.steps(recommender, 20);
    const left = recommender.saveChunks();
    const [second, late] = [recommender.save(), recommender.saveChunks()];
    const given: [Uint8Array[], Uint8Array[]] = [[], []];
    for (let i = 0; i < 9; i++) {
      given[0].push(early.next().value!);
      platform.steps(recommender, 3);
      left.next();
      given[1].push(late.next().value!);
    }
    left.return();
    for (const chunk of early) given[0].push(chunk);
    platform.steps(recommender, 20);
    for (const chunk of late) given[1].push(chunk);
    expect(same(first, Buffer.concat(given[0]))).toBe(true);
    expect(same(second, Buffer.concat(given[1]))).toBe(true);
  });

  test("of an agent that saves only as a whole is the same file", async () => {
    const { recommender } = grown(60);
    const agent = {
      observe() {},
      learn: () => Number.NaN,
      evaluate: (_: ArrayLike<number>, rows: ArrayLike<number>) => new Float32Array(rows.length),
      save: () => new Uint8Array(300_000).fill(7),
      dispose() {},
      steps: 3,
      updates: 0,
    };
    const stand = new Recommender({ ...OPTIONS }, agent);
    new Platform(1).steps(stand, 60);
    const whole = stand.save();
    expect(same(whole, Buffer.concat([...stand.saveChunks()]))).toBe(true);
    const files: Uint8Array[] = [];
    const loadAgent = (file: Uint8Array) => {
      files.push(file);
      return agent;
    };
    for (const load of [
      () => Recommender.load(whole, { ...LOADING, loadAgent }),
      () => Recommender.loadChunks(stand.saveChunks(), { ...LOADING, loadAgent }),
    ]) {
      expect(same((await load()).save(), whole)).toBe(true);
    }
    expect(files.map(({ length }) => length)).toEqual([300_000, 300_000]);
    expect(recommender.stats().users).toBeGreaterThan(3);
  });
});

describe("loading chunks", () => {
  let file: Uint8Array;
  let heads: Record<string, number>;
  beforeAll(() => {
    file = grown().recommender.save();
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(Buffer.from(file.subarray(8, 8 + length)).toString());
    heads = { "the length": 0, "the header": 8, "the digest": 40 };
    for (const [name, entry] of Object.entries<{ data_offsets?: number[] }>(header)) {
      const [from, to] = entry.data_offsets ?? [0, 0];
      if (to! > from!) Object.assign(heads, { [name]: 8 + length + from! });
    }
  });

  const pieces = function* (of: Uint8Array, size: number) {
    for (let at = 0; at < of.length; at += size) yield of.subarray(at, at + size);
  };

  test("gives the same recommender as loading the whole, from any stream, cut anywhere", async () => {
    const streams = [
      [file],
      pieces(file, 4093),
      pieces(file, 1 << 18),
      Readable.from(pieces(file, 65536)),
      Readable.toWeb(Readable.from(pieces(file, 1000))) as ReadableStream<Uint8Array>,
      new Blob([file as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>,
    ];
    for (const stream of streams) {
      const loaded = await Recommender.loadChunks(stream, LOADING);
      expect(same(loaded.save(), file)).toBe(true);
      loaded.dispose();
    }
  });

  test("refuses what is damaged or cut off in any part, with a SnapshotError and nothing else", async () => {
    const random = Random.named(1, "damage");
    const answers: Record<string, number> = {};
    for (const [name, start] of Object.entries(heads)) {
      const next = Object.values(heads).filter((at) => at > start);
      const end = Math.min(...next, file.length);
      for (let i = 0; i < DAMAGES; i++) {
        const at = i === 0 ? start : i === 1 ? end - 1 : start + random.below(end - start);
        const bad = file.slice();
        // A bit, a byte, a newline, a quote, or zeros from here on.
        if (i % 5 < 4) bad[at] = [bad[at]! ^ (1 << random.below(8)), bad[at]! ^ 0xff, 10, 34][i % 5]!;
        else bad.fill(0, at, Math.min(end, at + 64));
        if (same(bad, file)) bad[at]! ^= 1;
        for (const given of [bad, file.subarray(0, at)]) {
          const load = Recommender.loadChunks(pieces(given, 10_000), LOADING);
          await expect(load, `${name} at ${at}`).rejects.toThrow(SnapshotError);
          expect(() => Recommender.load(given, LOADING), `${name} at ${at}`).toThrow(SnapshotError);
          answers[name] = (answers[name] ?? 0) + 2;
        }
      }
    }
    expect(Object.keys(answers).sort()).toEqual(Object.keys(heads).sort());
    console.log("damaged and cut files that were refused, by part:", answers);
  });

  test("refuses parts that are missing, strange or in another order, also with a fitting digest", async () => {
    const { metadata, tensors } = unpackSnapshot("recommender", file);
    const { sha256: _, format: __, kind: ___, min_reader: ____, ...own } = metadata;
    const names = [...tensors.keys()];
    const forged = (order: readonly string[], more: [string, Uint8Array][] = []) =>
      packSnapshot("recommender", own, new Map([...order.map((name) => [name, tensors.get(name)!] as const), ...more]));
    expect(same(forged(names), file)).toBe(true);
    const files = [
      ...names.map((name) => forged(names.filter((each) => each !== name))),
      ...names.slice(1).map((name) => forged([name, ...names.filter((each) => each !== name)])),
      forged(names, [["more", new Uint8Array(3)]]),
      forged([], []),
      ...names.map((name) => forged(names, [[name, new Uint8Array()]])),
      ...names.map((name) => forged(names, [[name, tensors.get(name)!.slice(1)]])),
      ...names.map((name) => forged(names, [[name, tensors.get(name)!.slice(0, -1)]])),
      ...names.map((name) => forged(names, [[name, new Uint8Array(tensors.get(name)!.length).fill(255)]])),
      ...names.map((name) => forged(names, [[name, new Uint8Array(tensors.get(name)!.length).fill(10)]])),
    ];
    const answers = { refused: 0, served: 0 };
    for (const bad of files) {
      const loads = [async () => Recommender.load(bad, LOADING), () => Recommender.loadChunks([bad], LOADING)];
      for (const load of loads) {
        const loaded = await load().catch((error: unknown) => error);
        if (loaded instanceof Recommender) {
          // A list of watches without some of them is one too.
          loaded.recommend({ user: "u1", now: loaded.time, k: 3 });
          loaded.dispose();
          answers.served++;
        } else {
          expect(loaded).toBeInstanceOf(SnapshotError);
          answers.refused++;
        }
      }
    }
    expect(answers.refused).toBeGreaterThan(90);
    console.log("forged files:", answers);
  });

  test("passes on what the stream throws, and ends it where reading ends", async () => {
    let isEnded = false;
    async function* cut() {
      try {
        yield file.subarray(0, 20_000);
        throw new Error("the network is gone");
      } finally {
        isEnded = true;
      }
    }
    await expect(Recommender.loadChunks(cut(), LOADING)).rejects.toThrow("the network is gone");
    expect(isEnded).toBe(true);
    isEnded = false;
    async function* foreign() {
      try {
        for (;;) yield new Uint8Array(100);
      } finally {
        isEnded = true;
      }
    }
    await expect(Recommender.loadChunks(foreign(), LOADING)).rejects.toThrow(SnapshotError);
    expect(isEnded).toBe(true);
  });
});

test("the default groups, and none but the core ones, save the same both ways", () => {
  for (const features of [defaultFeatures(), coreFeatures()]) {
    const { recommender } = grown(80, { ...OPTIONS, features });
    expect(same(recommender.save(), Buffer.concat([...recommender.saveChunks()]))).toBe(true);
  }
});
