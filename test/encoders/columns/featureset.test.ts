import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FeatureColumn, type FeatureEncoding, FeatureSet } from "../../../src/encoders/index.js";
import { lognormal } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/random.js";
import { DAY, HOUR } from "../../../src/protocol/time.js";
import { chiSquare } from "../../reference/moments.js";

function set(encode: FeatureEncoding, optional = false): FeatureSet {
  return new FeatureSet([{ name: "x", encode, optional }]);
}

function fitted(encode: FeatureEncoding, values: unknown[], optional = false): FeatureSet {
  const features = set(encode, optional);
  features.fit(values.map((x) => ({ x })));
  return features;
}

function rowOf(features: FeatureSet, record: unknown): number[] {
  const row = new Float32Array(features.width + 2).fill(7);
  features.write(record, row, 1);
  expect([row[0], row[row.length - 1]]).toEqual([7, 7]);
  return [...row.subarray(1, -1)];
}

function indicesOf(features: FeatureSet, record: unknown): number[] {
  const indices = new Int32Array(features.sparse!.slots + 2).fill(7);
  features.writeIndices(record, indices, 1);
  expect([indices[0], indices[indices.length - 1]]).toEqual([7, 7]);
  return [...indices.subarray(1, -1)];
}

/** One encoding of each kind, and how its values are drawn. */
const NUMBER = fc.double({ noNaN: true, noDefaultInfinity: true });
const COUNT = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 });
const NAME = fc.string({ maxLength: 3 });
const NAMES = fc.oneof(NAME, fc.array(NAME, { maxLength: 5 }));
const KINDS: [FeatureEncoding, fc.Arbitrary<unknown>][] = [
  [{ kind: "standard" }, NUMBER],
  [{ kind: "running" }, NUMBER],
  [{ kind: "minmax" }, NUMBER],
  [{ kind: "log" }, COUNT],
  [{ kind: "buckets", edges: [-1, 0, 10] }, NUMBER],
  [{ kind: "quantiles", buckets: 5 }, NUMBER],
  [{ kind: "age" }, fc.double({ noNaN: true, min: 0, max: 150 })],
  [{ kind: "rates" }, fc.array(COUNT, { maxLength: 9 })],
  [{ kind: "onehot", max: 4 }, NAME],
  [{ kind: "label", max: 4, as: "number" }, NAME],
  [{ kind: "label", max: 4 }, NAME],
  [{ kind: "tags", max: 4 }, NAMES],
  [{ kind: "hashed", size: 4 }, NAMES],
  [{ kind: "indices", size: 9, slots: 3 }, NAMES],
  [{ kind: "words", size: 8 }, fc.oneof(NAME, fc.lorem(), fc.array(NAME))],
  [{ kind: "words", size: 8, weighting: "count" }, fc.lorem()],
  [{ kind: "wordvectors", training: { size: 3, minCount: 1 } }, fc.oneof(NAME, fc.lorem(), fc.array(NAME))],
  [{ kind: "clock", of: "week", buckets: 7, offsetMs: -HOUR }, COUNT],
];

describe.each(KINDS)("%o", (encode, value) => {
  const training = fc.array(value, { maxLength: 20 });

  test("writes finite numbers in [-8, 8] and indices in their range, whatever it was fitted on", () => {
    fc.assert(
      fc.property(training, value, (values, x) => {
        const features = fitted(encode, values);
        for (const number of rowOf(features, { x })) expect(Math.abs(number)).toBeLessThanOrEqual(8);
        if (features.sparse === undefined) return;
        for (const index of indicesOf(features, { x })) {
          expect(Number.isInteger(index) && index >= -1 && index < features.sparse.size).toBe(true);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test("a value that is missing is not the same as any that is there, and nothing of it is left", () => {
    fc.assert(
      fc.property(training, value, fc.constantFrom(undefined, null), (values, x, missing) => {
        const features = fitted(encode, values, true);
        expect(rowOf(features, { x })[0]).toBe(1);
        for (const record of [{ x: missing }, {}, missing]) {
          // Written over what was there before.
          expect(rowOf(features, record)).toEqual(new Array(features.width).fill(0));
          if (features.sparse) expect(indicesOf(features, record)).toEqual(new Array(features.sparse.slots).fill(-1));
        }
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  test("values missing in training leave no trace", () => {
    fc.assert(
      fc.property(training, (values) => {
        const features = set(encode, true);
        features.fit(values.flatMap((x) => [{}, { x }, { x: null }]));
        expect(features.save()).toEqual(fitted(encode, values, true).save());
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test("writing measures nothing; saved and loaded, or made from the save, it is the same", () => {
    fc.assert(
      fc.property(training, value, (values, x) => {
        const features = fitted(encode, values);
        const saved = JSON.parse(JSON.stringify(features.save())) as FeatureColumn[];
        rowOf(features, { x });
        expect(JSON.parse(JSON.stringify(features.save()))).toEqual(saved);
        const copy = set(encode);
        copy.load(saved);
        for (const other of [copy, new FeatureSet(saved)]) {
          expect(other.names).toEqual(features.names);
          expect(other.names.length).toBe(other.width);
          expect(rowOf(other, { x })).toEqual(rowOf(features, { x }));
          other.learn({ x });
        }
        features.learn({ x });
        expect(copy.save()).toEqual(features.save());
      }),
      { numRuns: 30, seed: 1 },
    );
  });
});

describe("numbers", () => {
  test("standard gives mean 0 and deviation 1 on what it was fitted on, and 8 far outside", () => {
    const random = new Random(1);
    const values = Array.from({ length: 500 }, () => 1e6 + 3 * random.normal());
    const features = fitted({ kind: "standard" }, values);
    const out = values.map((x) => rowOf(features, { x })[0]!);
    const mean = out.reduce((sum, x) => sum + x / 500, 0);
    expect(mean).toBeCloseTo(0, 5);
    expect(out.reduce((sum, x) => sum + x * x, 0) / 500).toBeCloseTo(1, 4);
    expect(rowOf(features, { x: 2e6 })).toEqual([8]);
    expect(rowOf(fitted({ kind: "standard" }, [5, 5]), { x: 6 })).toEqual([0]);
  });

  test("running equals standard over the values so far, and fit forgets them", () => {
    const random = new Random(2);
    const values = Array.from({ length: 40 }, () => 1000 + random.normal());
    const running = set({ kind: "running" });
    for (const [n, x] of values.entries()) {
      running.learn({ x });
      if (n === 0) expect(rowOf(running, { x })).toEqual([0]);
      else {
        const standard = fitted({ kind: "standard" }, values.slice(0, n + 1));
        expect(rowOf(running, { x: 1001 })[0]).toBeCloseTo(rowOf(standard, { x: 1001 })[0]!, 10);
        const twin = twoPass(values.slice(0, n + 1), 1001);
        expect(rowOf(running, { x: 1001 })[0]).toBeCloseTo(Math.min(Math.max(twin, -8), 8), 4);
      }
    }
    running.fit([]);
    expect(running.save()).toEqual(set({ kind: "running" }).save());
  });

  test("minmax clamps values outside the training range", () => {
    const features = fitted({ kind: "minmax" }, [10, 30, 20]);
    expect([5, 10, 15, 30, 1e9].map((x) => rowOf(features, { x })[0])).toEqual([0, 0, 0.25, 1, 1]);
    expect(rowOf(fitted({ kind: "minmax" }, [-1e308, 1e308]), { x: 0 })).toEqual([0.5]);
  });

  test("log, buckets and ages", () => {
    expect(rowOf(set({ kind: "log", scale: 2 }), { x: Math.E ** 3 - 1 })[0]).toBeCloseTo(1.5, 6);
    const buckets = set({ kind: "buckets", edges: [0, 10] });
    expect([-1, 0, 9, 10].map((x) => rowOf(buckets, { x }).indexOf(1))).toEqual([0, 1, 1, 2]);
    expect(buckets.names).toEqual(["x.<0", "x.>=0", "x.>=10"]);
    const age = set({ kind: "age" });
    expect([0, 17, 18, 24, 150].map((x) => rowOf(age, { x }).indexOf(1))).toEqual([0, 1, 2, 2, 7]);
    expect(() => rowOf(age, { x: 151 })).toThrow('"x" must be a number of years in [0, 150], got 151');
  });

  test("quantiles hold about as many values each, whatever the distribution", () => {
    const random = new Random(3);
    const values = Array.from({ length: 4000 }, () => lognormal(random, 5, 2));
    const features = fitted({ kind: "quantiles", buckets: 8 }, values);
    const counts = new Array<number>(8).fill(0);
    for (let i = 0; i < 4000; i++) counts[rowOf(features, { x: lognormal(random, 5, 2) }).indexOf(1)]!++;
    // 500 each, a deviation of about 30 by the edges and the draw.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(120);
  });

  test("rates fade by half in each half-life", () => {
    const features = set({ kind: "rates", halfLivesMs: [HOUR, DAY], scale: 1 });
    const [hour, day] = rowOf(features, { x: [0, HOUR, 2 * HOUR] });
    expect(hour).toBeCloseTo(Math.log1p(1.75), 6);
    expect(day).toBeCloseTo(Math.log1p(1 + 2 ** (-1 / 24) + 2 ** (-2 / 24)), 6);
    expect(rowOf(features, { x: [] })).toEqual([0, 0]);
  });
});

describe("names", () => {
  const TRAINING = ["b", "a", "b", "c", "a", "b", "d"];

  test("one-hot keeps the most frequent, ties alphabetically, and puts the others at unknown", () => {
    const features = fitted({ kind: "onehot", max: 3 }, TRAINING);
    expect(features.names).toEqual(["x.unknown", "x.b", "x.a", "x.c"]);
    expect(["b", "c", "d", "never"].map((x) => rowOf(features, { x }).indexOf(1))).toEqual([1, 3, 0, 0]);
    expect(rowOf(set({ kind: "onehot", vocabulary: ["z"] }), { x: "z" })).toEqual([0, 1]);
  });

  test("labels have one code each, in alphabetical order, 0 unknown", () => {
    const features = fitted({ kind: "label" }, TRAINING);
    expect(["a", "b", "c", "d", "never"].map((x) => indicesOf(features, { x })[0])).toEqual([1, 2, 3, 4, 0]);
    const number = fitted({ kind: "label", as: "number", max: 8 }, TRAINING);
    expect(rowOf(number, { x: "d" })).toEqual([0.5]);
  });

  test("tags mark all that are there and the share of unknown ones", () => {
    const features = fitted({ kind: "tags", max: 2 }, [["a", "b"], ["a"], "b", ["c"]]);
    expect(rowOf(features, { x: ["b", "z", "y"] })).toEqual([Math.fround(2 / 3), 0, 1]);
    expect(rowOf(features, { x: [] })).toEqual([0, 0, 0]);
  });

  test("hashed names go to the same bucket always, evenly over buckets", () => {
    const features = set({ kind: "hashed", size: 16 });
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 3200; i++) counts[rowOf(features, { x: `name ${i}` }).indexOf(1)]!++;
    expect(chiSquare(counts)).toBeLessThan(37.7); // 99.9 % of 15 degrees of freedom
    const both = rowOf(features, { x: ["p", "q"] });
    expect(both.filter((x) => x === 1).length).toBe(2 - Number(both.indexOf(1) === both.lastIndexOf(1)));
  });

  test("indices of columns do not meet; repeated names count once, too many are left out", () => {
    const features = new FeatureSet([
      { name: "id", encode: { kind: "indices", size: 10 } },
      { name: "tags", encode: { kind: "indices", size: 20, slots: 3 } },
      { name: "kind", encode: { kind: "label", vocabulary: ["a", "b"] } },
    ]);
    expect(features.sparse).toEqual({ slots: 5, size: 33 });
    const indices = indicesOf(features, { id: "u", tags: ["t", "t", "v", "w"], kind: "b" });
    expect(indices[0]! < 10).toBe(true);
    for (const index of indices.slice(1, 4)) expect(index === -1 || (index >= 10 && index < 30)).toBe(true);
    expect(indices[2]).toBe(-1);
    expect(indices[4]).toBe(32);
    expect(indicesOf(features, {})).toEqual([-1, -1, -1, -1, -1]);
    expect(features.names).toEqual(["id.present", "tags.present", "kind.present"]);
  });
});

test("clocks go round, and know the hour", () => {
  const features = set({ kind: "clock", of: "day", harmonics: 1, buckets: 24, offsetMs: 2 * HOUR });
  const row = rowOf(features, { x: 5 * DAY + 4.5 * HOUR });
  expect(row[0]).toBeCloseTo(Math.sin((6.5 / 24) * 2 * Math.PI), 5);
  expect(row[1]).toBeCloseTo(Math.cos((6.5 / 24) * 2 * Math.PI), 5);
  expect(row.indexOf(1, 2) - 2).toBe(6);
  expect(
    rowOf(features, { x: DAY + 23 * HOUR })
      .slice(2)
      .indexOf(1),
  ).toBe(1);
  expect(rowOf(features, { x: 4.5 * HOUR })).toEqual(row);
});

test("words are weighed by the training texts", () => {
  const features = fitted({ kind: "words", size: 512 }, ["live now", "live", "live violin"]);
  const row = rowOf(features, { x: "Live! Violin?" }).map(Math.abs);
  const [violin, live] = row.filter((x) => x > 0).sort((a, b) => b - a);
  expect(violin! / live!).toBeCloseTo(1 + Math.log(4 / 2), 4);
});

test("word vectors are those of the training texts: others leave no trace, and their words are unknown, not zero", () => {
  const encode: FeatureEncoding = { kind: "wordvectors", training: { size: 4, minCount: 2 } };
  const training = ["violin cello", "cello violin live", ["blitz", "chess"], "chess blitz live", "rare violin"];
  const features = fitted(encode, training, true);
  const before = rowOf(features, { x: "cello" });
  expect(before.length).toBe(6);
  expect(before.slice(0, 2)).toEqual([1, 1]);
  for (const x of ["held out", "held out", "cello held"]) {
    rowOf(features, { x });
    features.learn({ x });
  }
  expect(rowOf(features, { x: "cello" })).toEqual(before);
  expect(rowOf(features, { x: "held out" })).toEqual([1, 0, 0, 0, 0, 0]);
  expect(rowOf(features, { x: "rare" })).toEqual([1, 0, 0, 0, 0, 0]);
  expect(rowOf(features, { x: ["held", "cello"] })).toEqual(before);
  // Fitted on other texts as well, it would be another.
  expect(rowOf(fitted(encode, [...training, "held out", "held out cello"], true), { x: "held" })[1]).toBe(1);
  const { vectors } = features.save()[0]!.encode as Extract<FeatureEncoding, { kind: "wordvectors" }>;
  const given = new FeatureSet([{ name: "x", encode: { kind: "wordvectors", vectors: vectors! } }]);
  expect(given.unfitted).toEqual([]);
  expect(rowOf(given, { x: "cello" })).toEqual(before);
});

describe("a feature set", () => {
  test("reads paths, writes column by column", () => {
    const features = new FeatureSet([
      { name: "age", from: "user.age", encode: { kind: "buckets", edges: [18] } },
      { name: "n", encode: { kind: "minmax", low: 0, high: 10 }, optional: false },
    ]);
    expect(features.names).toEqual(["age.present", "age.<18", "age.>=18", "n"]);
    expect(rowOf(features, { user: { age: 30 }, n: 5 })).toEqual([1, 0, 1, 0.5]);
    expect(rowOf(features, { user: null, n: 5 })).toEqual([0, 0, 0, 0.5]);
    // Only what is the record's own: not what all objects have.
    const inherited = new FeatureSet([{ name: "f", from: "user.toString.name", encode: { kind: "hashed" } }]);
    expect(rowOf(inherited, { user: {} })[0]).toBe(0);
  });

  test("refuses values that it cannot encode, with their name, and changes nothing", () => {
    const features = new FeatureSet([
      { name: "n", encode: { kind: "running" }, optional: false },
      { name: "tag", encode: { kind: "onehot", vocabulary: ["a"] } },
    ]);
    const row = new Float32Array(features.width).fill(7);
    for (const act of [
      (record: unknown) => features.write(record, row, 0),
      (record: unknown) => features.fit([record]),
      (record: unknown) => features.learn(record),
    ]) {
      expect(() => act({ n: 1, tag: 3 })).toThrow('"tag" must be a string, got 3');
      expect(() => act({ n: Number.NaN })).toThrow('"n" must be a finite number, got NaN');
      expect(() => act({ tag: "a" })).toThrow('"n" must be a finite number, got undefined');
    }
    expect([...row].every((x) => x === 7)).toBe(true);
    expect(features.save()[0]!.encode).toMatchObject({ count: 0 });
  });

  test("names the columns that must be fitted first", () => {
    const features = new FeatureSet([
      { name: "a", encode: { kind: "standard" } },
      { name: "b", encode: { kind: "log" } },
      { name: "c", encode: { kind: "words" } },
    ]);
    expect(features.unfitted).toEqual(["a", "c"]);
    expect(() => rowOf(features, { b: 1 })).toThrow('"a" must be fitted before it is written');
    features.fit([]);
    expect(features.unfitted).toEqual([]);
  });

  test("does not take the save of other columns", () => {
    const features = fitted({ kind: "minmax" }, [1, 2]);
    const before = features.save();
    expect(() => features.load(fitted({ kind: "standard" }, [1, 2]).save())).toThrow('"saved" must be');
    expect(() => features.load([])).toThrow('"saved" must be of the same columns');
    expect(features.save()).toEqual(before);
  });

  test.each([
    [[{ name: "", encode: { kind: "log" } }], '"columns.0.name" must be a string that is not empty, got ""'],
    [[{ name: "a", encode: { kind: "lgo" } }], '"columns.0.encode.kind" must be one of standard, running'],
    [[{ name: "a", encode: { kind: "log", scale: 0 } }], '"columns.0.encode.scale" must be in (0, 1000000], got 0'],
    [[{ name: "a", encode: { kind: "log", skale: 1 } }], '"columns.0.encode.skale" is not an option'],
    [[{ name: "a", encode: { kind: "buckets", edges: [2, 1] } }], '"columns.0.encode.edges" must be 1 to 64 finite'],
    [
      [{ name: "a", encode: { kind: "onehot", vocabulary: ["a", "a"] } }],
      '"columns.0.encode.vocabulary" must be at most',
    ],
    [
      [{ name: "a", encode: { kind: "wordvectors", training: { size: 0 } } }],
      '"columns.0.encode.training.size" must be an integer in [1, 256], got 0',
    ],
    [
      [{ name: "a", encode: { kind: "wordvectors", vectors: { size: 2, words: [], counts: [], rows: [1] } } }],
      '"columns.0.encode.vectors.rows" must be "size" integers',
    ],
    [[{ name: "a", encode: { kind: "words", documents: 3 } }], '"columns.0.encode.frequencies" must be 64 integers'],
    [[{ name: "a", encode: { kind: "log" }, form: "b" }], '"columns.0.form" is not an option'],
    [
      [
        { name: "a", encode: { kind: "log" } },
        { name: "a", encode: { kind: "log" } },
      ],
      '"columns.1.name" must be a name of its own',
    ],
    ["age", '"columns" must be an array of at most 256 columns, got "age"'],
  ])("refuses %j", (columns, message) => {
    expect(() => new FeatureSet(columns as FeatureColumn[])).toThrow(message);
  });
});

/** How many deviations `x` is from the mean, by the textbook. */
function twoPass(values: number[], x: number): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return (x - mean) / Math.sqrt(variance);
}
