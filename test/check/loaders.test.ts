import { afterAll, expect, test } from "vitest";
import { LinUcb } from "../../src/baselines/linucb.js";
import { modelOf } from "../../src/cli/reading/model.js";
import { type FeatureColumn, FeatureSet, WordVectors } from "../../src/encoders/index.js";
import { DQN, packSnapshot, SnapshotError, unpackSnapshot } from "../../src/engine/index.js";
import { ABLog } from "../../src/evaluation/abtest/ablog.js";
import { ABTest } from "../../src/evaluation/abtest/sequential.js";
import { parseMovieLens } from "../../src/logs/index.js";
import { Random } from "../../src/numeric/index.js";
import { DqnRanker, trainDqnRanker } from "../../src/ranking/dqn/ranker.js";
import { Watches } from "../../src/recommender/state/index.js";
import { CartPole, resume, train } from "../../src/training/index.js";
import { type Json, mutate, pathsOf } from "../support/forged.js";
import { lookAlike } from "../support/movielens.js";

/** Mutants of each loader; `npm run test:fuzz` asks for more. */
const MUTANTS = Number(process.env["FUZZ_STATES"] ?? 150);

/** Something that is read from plain values: what it was saved as, and a use of it after loading. */
interface Loader {
  saved: Json;
  use(saved: Json): unknown;
}

const columns: FeatureColumn[] = [
  { name: "age", encode: { kind: "running" } },
  { name: "price", encode: { kind: "log" } },
  { name: "width", encode: { kind: "standard" } },
  { name: "part", encode: { kind: "quantiles" } },
  { name: "city", encode: { kind: "onehot" } },
  { name: "text", encode: { kind: "words", size: 4 } },
];
const records = Array.from({ length: 30 }, (_, i) => ({
  age: i,
  price: 2 * i,
  width: i % 7,
  part: i,
  city: `c${i % 3}`,
  text: `t${i % 5} of all`,
}));

function fitted(): FeatureSet {
  const set = new FeatureSet(columns);
  set.fit(records);
  for (const record of records) set.learn(record);
  return set;
}

function abLog(): ABLog {
  const log = new ABLog({ name: "t", users: 100 });
  for (let i = 0; i < 40; i++) {
    const [user, time] = [`u${i}`, i * 3_600_000];
    log.decision({ user, time });
    log.feedback({ kind: "watch", user, stream: "s", watchMs: 60_000, time: time + 70_000 });
    if (i % 5 === 0) log.feedback({ kind: "heartbeat", user, stream: "s2", watchMs: 1000, time: time + 80_000 });
  }
  return log;
}

function watches(): Watches {
  const all = new Watches();
  for (let i = 0; i < 9; i++) {
    all.take({ kind: "heartbeat", user: `u${i % 3}`, stream: `s${i}`, watchMs: 9000, time: 10_000 * i, decision: "d" });
  }
  all.leave("u0");
  return all;
}

const LOADERS: Record<string, Loader> = {
  ABTest: {
    saved: abLog().test.save(),
    use: (saved) => {
      const ab = ABTest.load(saved);
      for (let i = 0; i < 20; i++) ab.add(`new ${i}`, i);
      return [ab.result(), ABTest.load(JSON.parse(JSON.stringify(ab.save())))];
    },
  },
  ABLog: {
    saved: abLog().save(),
    use: (saved) => {
      const log = ABLog.load(saved);
      log.decision({ user: "new", time: 9e9 });
      log.feedback({ kind: "click", user: "new", stream: "s", time: 9e9 });
      log.advance(1e11);
      return [log.test.result(), ABLog.load(JSON.parse(JSON.stringify(log.save())))];
    },
  },
  Watches: {
    saved: watches().save(),
    use: (saved) => {
      const all = new Watches();
      all.load(saved);
      all.take({ kind: "heartbeat", user: "u1", stream: "s1", watchMs: 90_000, time: 1e6 });
      all.leave("u1");
      all.expire(1e15);
      return all.save();
    },
  },
  FeatureSet: {
    saved: fitted().save(),
    use: (saved) => {
      const set = new FeatureSet(saved);
      const row = new Float32Array(set.width);
      const answer = (run: () => void) => {
        try {
          run();
        } catch (error) {
          // A column of another kind or path refuses the record by its name.
          expect((error as Error).message).toMatch(/must be/);
        }
      };
      answer(() => set.write(records[3]!, row, 0));
      expect(row.every(Number.isFinite), String(row)).toBe(true);
      answer(() => set.learn(records[4]!));
      answer(() => fitted().load(set.save()));
      return set.save();
    },
  },
  WordVectors: {
    saved: new WordVectors({ size: 2, words: ["a", "b"], counts: [1, 3], rows: [1, 2, -2, 1] }).save(),
    use: (saved) => {
      const words = new WordVectors(saved);
      expect(words.embed("a b")?.every(Number.isFinite) ?? true).toBe(true);
      return words.nearest("a", 2);
    },
  },
};

const NAMED = /^(?!.*(?:Cannot read|iterable|not a function)).*(?:"[\w.$#-]+"|JSON|options|environment|the state)/s;

function answers(loader: Loader, seed: number): { refused: number; serves: number } {
  const random = new Random(seed);
  const text = JSON.stringify(loader.saved);
  const count = { refused: 0, serves: 0 };
  const wrong: string[] = [];
  expect(loader.use(JSON.parse(text))).toBeDefined();
  for (let i = 0; i < MUTANTS; i++) {
    const saved: Json = { root: JSON.parse(text) };
    const what = mutate(saved, random.pick(pathsOf(saved)), random);
    try {
      loader.use(JSON.parse(JSON.stringify(saved)).root);
      count.serves++;
    } catch (error) {
      const { name, message } = error as Error;
      if (/^(?:RangeError|TypeError|SnapshotError)$/.test(name) && NAMED.test(message)) count.refused++;
      else wrong.push(`${what}: ${name}: ${message}`);
    }
  }
  expect(wrong).toEqual([]);
  return count;
}

test.each(Object.entries(LOADERS))(
  `${MUTANTS} faults in the state of %s are refused by name, or harmless`,
  (_, loader) => {
    expect(answers(loader, 1).refused).toBeGreaterThan(MUTANTS / 5);
  },
);

test("LinUcb refuses bytes of another length and numbers that are not finite, and changes nothing", () => {
  const linucb = new LinUcb({ observation: 1, candidate: 1 });
  const saved = linucb.save();
  for (const [at, value] of [
    [0, -1],
    [0, 0.5],
    [1, Number.NaN],
    [3, Number.POSITIVE_INFINITY],
  ] as const) {
    const file = saved.slice();
    new DataView(file.buffer).setFloat64(8 * at, value, true);
    expect(() => linucb.load(file)).toThrow(`"file.${at}" must be`);
  }
  for (const length of [0, 7, saved.length - 8, saved.length + 8]) {
    expect(() => linucb.load(new Uint8Array(length))).toThrow('"file" must hold');
  }
  expect(linucb.save()).toEqual(saved);
});

/** The file with other metadata, by field, or with other bytes. */
function changed(
  kind: string,
  file: Uint8Array,
  change: (metadata: Record<string, string>, tensors: Map<string, Uint8Array>) => void,
) {
  const { metadata, tensors } = unpackSnapshot(kind, file);
  const { sha256: _, format: __, kind: ___, min_reader: ____, ...own } = metadata;
  const bytes = new Map(tensors);
  change(own, bytes);
  return packSnapshot(kind, own, bytes);
}

function refuses(load: () => { dispose(): void }, what: string): boolean {
  try {
    load().dispose();
    return false;
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw new Error(`${what}: ${String(error)}`, { cause: error });
    return true;
  }
}

test(`${MUTANTS} faults in the state of a training are refused, or it goes on`, async () => {
  const learner = { hidden: [4], capacity: 64, learningStarts: 8, batchSize: 4, seed: 1 };
  const agent = new DQN({ observation: 4, actions: 2, ...learner });
  const training = train(agent, new CartPole(), { steps: 60, progressEvery: 20 });
  let file = new Uint8Array(0);
  for await (const { step } of training) if (step === 20) file = Uint8Array.from(training.save());
  agent.dispose();
  const random = new Random(2);
  let refused = 0;
  for (let i = 0; i < MUTANTS; i++) {
    let what = "";
    const mutant = changed("training", file, (metadata) => {
      const saved: Json = { root: JSON.parse(metadata["training"]!) };
      what = mutate(saved, random.pick(pathsOf(saved)), random);
      metadata["training"] = JSON.stringify(saved.root) ?? "";
    });
    try {
      resume(mutant, new CartPole()).agent.dispose();
    } catch (error) {
      expect((error as Error).message, what).toMatch(NAMED);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(MUTANTS / 5);
});

const made: DqnRanker[] = [];
afterAll(() => {
  for (const ranker of made) ranker.dispose();
});

test(`${MUTANTS} faults in a ranker's file are refused, or it ranks`, async () => {
  const { ratings, items } = parseMovieLens(lookAlike(1).files);
  const ranker = await trainDqnRanker({ train: ratings, items }, { learner: { learningStarts: 100, capacity: 2000 } });
  made.push(ranker);
  const file = ranker.save();
  const random = new Random(3);
  const all = Int32Array.from({ length: 20 }, (_, i) => i);
  let refused = 0;
  for (let i = 0; i < Math.min(MUTANTS, 400); i++) {
    let what = "";
    const mutant = changed("ranker", file, (metadata, tensors) => {
      if (random.bernoulli(0.5)) {
        const field = random.pick(["sizes", "options"]);
        const saved: Json = { root: JSON.parse(metadata[field]!) };
        what = `${field}: ${mutate(saved, random.pick(pathsOf(saved)), random)}`;
        metadata[field] = JSON.stringify(saved.root) ?? "";
        return;
      }
      const name = random.pick([...tensors.keys()].filter((own) => own !== "agent"));
      const bytes = tensors.get(name)!.slice();
      what = `${name} changed`;
      if (random.bernoulli(0.3)) tensors.set(name, bytes.subarray(0, bytes.length - 4));
      else tensors.set(name, bytes.fill(random.pick([0, 127, 255]), 4 * random.below(bytes.length >> 2)));
    });
    const rank = () => {
      const loaded = DqnRanker.load(mutant);
      const scores = new Float64Array(all.length);
      loaded.score(0, 1e12, all, scores);
      if (!scores.every(Number.isFinite)) throw new Error(`scores are ${scores}`);
      return loaded;
    };
    if (refuses(rank, what)) refused++;
  }
  expect(refused).toBeGreaterThan(10);
}, 60_000);

test.each([
  "",
  "null",
  "[]",
  "{}",
  "{",
  '{"users":1,"titles":[]}',
  '{"users":[1],"titles":[]}',
  '{"users":[],"titles":null}',
  '{"users":[],"titles":[],"more":1}',
  '{"users":{},"titles":[]}',
  '"x"',
])("a model whose names are %s is refused", async (names) => {
  const file = packSnapshot(
    "model",
    {},
    new Map([
      ["ranker", made[0]!.save()],
      ["names", new TextEncoder().encode(names)],
    ]),
  );
  expect(() => modelOf(file)).toThrow(SnapshotError);
});
