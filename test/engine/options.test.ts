import { describe, expect, test } from "vitest";
import { VARIANTS } from "../../bench/learning/recipes.js";
import { resolveOptions } from "../../src/engine/options.js";
import { valueAt } from "../../src/engine/schedule.js";
import { DQN, type DQNOptions } from "../../src/index.js";

const BASE = { observation: 4, actions: 2 };

describe("options", () => {
  test.each<[object, string]>([
    [{ ...BASE, gama: 1 }, '"gama" is not an option; there are observation, sparse, actions'],
    [{ ...BASE, gamma: 1.5 }, '"gamma" must be in [0, 1], got 1.5'],
    [{ ...BASE, gamma: Number.NaN }, '"gamma" must be in [0, 1], got NaN'],
    [{ ...BASE, observation: 0 }, '"observation" must be an integer in [1, 1048576], or 0 with "sparse", got 0'],
    [{ actions: 2 }, '"observation" must be an integer in [1, 1048576], or 0 with "sparse", got undefined'],
    [{ ...BASE, hidden: [] }, '"hidden" must be 1 to 8 integers in [1, 16384], got []'],
    [{ ...BASE, hidden: [4, 0] }, '"hidden" must be 1 to 8 integers in [1, 16384], got [4, 0]'],
    [{ ...BASE, learningRate: 0 }, '"learningRate" must be in (0, 1]'],
    [
      { ...BASE, epsilon: { type: "linear", from: 2, to: 0, steps: 10 } },
      '"epsilon" must be in [0, 1], or with values in [0, 1] { type: "linear" or "cosine", from, to, steps }',
    ],
    [{ ...BASE, epsilon: { type: "linear", from: 1, to: 0, steps: 10, x: 1 } }, '"epsilon" must be'],
    [{ ...BASE, loss: "mse" }, '"loss" must be "huber" or "squared", got "mse"'],
    [{ ...BASE, batchSize: 2.5 }, '"batchSize" must be an integer in [1, 65536], got 2.5'],
    [{ ...BASE, capacity: 10 }, '"learningStarts" must be at most "capacity" (10), got 1000'],
    [{ observation: 4 }, 'either "actions" (a fixed set) or "candidates" (a changing one) must be given, got neither'],
    [{ ...BASE, candidates: { max: 2, features: 2 } }, "got both"],
    [
      { observation: 4, candidates: { max: 2 } },
      '"candidates.features" must be an integer in [1, 65536], or 0 with "sparse", got undefined',
    ],
    [{ observation: 4, candidates: { max: 2, features: 1, n: 1 } }, '"candidates.n" is not an option'],
    [
      { observation: 4, candidates: { max: 2, features: 1 }, masked: true },
      '"masked" and "candidates" exclude each other',
    ],
    [{ ...BASE, sparse: { slots: 2 } }, '"sparse.size" must be an integer in [1, 16777216], got undefined'],
    [{ ...BASE, sparse: 3 }, '"sparse" must be { slots, size }, got 3'],
    [
      { observation: 4, candidates: { max: 2, features: 0 } },
      '"candidates.features" must be an integer in [1, 65536], or 0 with "sparse", got 0',
    ],
    [{ ...BASE, munchausen: { tau: 1 } }, '"munchausen.tau" is not an option; there are alpha, temperature, clip'],
    [{ ...BASE, munchausen: { clip: 1 } }, '"munchausen.clip" must be in [-1000000, 0], got 1'],
    [{ ...BASE, quantiles: 0 }, '"quantiles" must be an integer in [1, 256], got 0'],
    [{ ...BASE, normalization: "group" }, '"normalization" must be "none" or "layer" or "batch", got "group"'],
    [{ ...BASE, dropout: 1 }, '"dropout" must be in [0, 0.9], got 1'],
    [{ ...BASE, double: true, munchausen: {} }, '"double" and "munchausen" exclude each other: a soft target has no'],
    [
      { ...BASE, quantiles: 9, loss: "squared" },
      '"quantiles" above 1 and "loss": "squared" exclude each other: quantiles have a loss of their own',
    ],
    [
      { ...BASE, noisySigma: 0.5, normalization: "batch" },
      '"noisySigma" and "normalization": "batch" exclude each other: its statistics would measure the noise',
    ],
    [
      { ...BASE, normalization: "batch", batchSize: 1 },
      '"normalization": "batch" and "batchSize": 1 exclude each other: one row has no variance',
    ],
    [{ ...BASE, storage: "f64" }, '"storage" must be "f32" or "f16" or "u8" or { type: "u8", low, high }, got "f64"'],
    [{ ...BASE, storage: 8 }, '"storage" must be "f32" or "f16" or "u8" or { type: "u8", low, high }, got 8'],
    [{ ...BASE, storage: { type: "f16" } }, '"storage.type" must be "u8", got "f16"'],
    [{ ...BASE, storage: { type: "u8", min: 0 } }, '"storage.min" is not an option; there are type, low, high'],
    [{ ...BASE, storage: { type: "u8", low: -2e6 } }, '"storage.low" must be in [-1e6, 1e6], got -2000000'],
    [{ ...BASE, storage: { type: "u8", high: Number.NaN } }, '"storage.high" must be in [-1e6, 1e6], got NaN'],
    [
      { ...BASE, storage: { type: "u8", low: 0.5, high: 0.5 } },
      '"storage.high" must be at least 1e-6 above "storage.low" (0.5), as f32, got 0.5',
    ],
    [{ ...BASE, storage: { type: "u8", low: 1e6 - 1e-3, high: 1e6 } }, '"storage.high" must be at least 1e-6 above'],
    [{ ...BASE, seed: -1 }, '"seed" must be an integer in [0, 9007199254740991], got -1'],
  ])("%j is refused: %s", (options, message) => {
    expect(() => resolveOptions(options as DQNOptions)).toThrow(message);
  });

  test("an agent beyond 4 GB is refused before it takes memory, with the figure", () => {
    const options = { observation: 1000, actions: 2, capacity: 1_000_000 };
    expect(() => new DQN(options)).toThrow(
      /^"capacity": a replay of 1000000 transitions and the networks need 8\.0 GB; Wasm memory ends at 4 GB$/,
    );
    const candidates = { max: 65536, features: 65536, next: 65536 };
    expect(() => new DQN({ observation: 4, candidates, capacity: 2 ** 31 - 1 })).toThrow("Wasm memory ends at 4 GB");
    expect(() => new DQN({ ...BASE, hidden: [16384, 16384, 16384, 16384, 16384] })).toThrow("Wasm memory ends at 4 GB");
  });

  test("defaults are filled in, and given values kept", () => {
    const resolved = resolveOptions({ ...BASE, gamma: 0 });
    expect(resolved).toMatchObject({ gamma: 0, hidden: [64, 64], double: true, loss: "squared", batchSize: 64 });
    expect(resolved).toMatchObject(VARIANTS["layer-norm-small"]!);
    expect(resolveOptions({ ...BASE, quantiles: 5 }).loss).toBe("huber");
    expect(resolveOptions({ observation: 1, candidates: { max: 9, features: 2 } }).candidates?.next).toBe(9);
    const munchausen = resolveOptions({ ...BASE, munchausen: { alpha: 0.5 } });
    expect(munchausen).toMatchObject({ double: false, munchausen: { alpha: 0.5, temperature: 0.03, clip: -1 } });
    const storages = [undefined, "f16", "u8", { type: "u8", low: -1 }] as const;
    expect(storages.map((storage) => resolveOptions({ ...BASE, ...(storage && { storage }) }).storage)).toEqual([
      "f32",
      "f16",
      { type: "u8", low: 0, high: 1 },
      { type: "u8", low: -1, high: 1 },
    ]);
    const sparse = { slots: 2, size: 9 };
    expect(resolveOptions({ observation: 0, sparse, actions: 2 })).toMatchObject({ observation: 0, sparse });
  });
});

describe("schedule", () => {
  test("linear goes from its first to its last value and stays; exponential halves the distance", () => {
    const linear = { type: "linear", from: 1, to: 0.2, steps: 10 } as const;
    expect([0, 5, 10, 99].map((step) => valueAt(linear, step))).toEqual([1, 0.6, 0.2, 0.2]);
    const exponential = { type: "exponential", from: 1, to: 0, halfLife: 4 } as const;
    expect(valueAt(exponential, 0)).toBe(1);
    expect(valueAt(exponential, 4)).toBeCloseTo(0.5, 15);
    expect(valueAt(exponential, 12)).toBeCloseTo(0.125, 15);
    expect(valueAt(0.3, 1e9)).toBe(0.3);
  });

  test("cosine starts and ends flat, and is half way in the middle", () => {
    const cosine = { type: "cosine", from: 1, to: 0.5, steps: 8 } as const;
    expect([0, 4, 8, 20].map((step) => valueAt(cosine, step))).toEqual([1, 0.75, 0.5, 0.5]);
    expect(1 - valueAt(cosine, 1)).toBeLessThan(0.5 / 8);
    expect(valueAt(cosine, 2)).toBeCloseTo(0.75 + 0.25 * Math.SQRT1_2, 15);
  });

  test("piecewise goes through its points in straight lines, constant before and after", () => {
    const points = [
      [10, 1],
      [20, 0],
      [40, 0.5],
    ] as const;
    const piecewise = { type: "piecewise", points } as const;
    expect([0, 10, 15, 20, 30, 40, 99].map((step) => valueAt(piecewise, step))).toEqual([1, 1, 0.5, 0, 0.25, 0.5, 0.5]);
  });

  test.each([
    [{ type: "piecewise", points: [] }],
    [
      {
        type: "piecewise",
        points: [
          [0, 0.5],
          [0, 0.4],
        ],
      },
    ],
    [{ type: "piecewise", points: [[0, 2]] }],
    [{ type: "piecewise", points: [[0, 0.5, 1]] }],
    [{ type: "cosine", from: 1, to: 0, halfLife: 5 }],
    [{ type: "linear", from: 1, to: 0, steps: 0 }],
    [{ type: "step", from: 1, to: 0, steps: 5 }],
    [{ type: "toString", from: 1, to: 0, steps: 5 }],
  ])("%j is no schedule", (epsilon) => {
    expect(() => resolveOptions({ ...BASE, epsilon } as DQNOptions)).toThrow('"epsilon" must be in [0, 1], or');
  });

  test.each([
    [{ type: "cosine", from: 1, to: 0, steps: 5 }],
    [
      {
        type: "piecewise",
        points: [
          [0, 1],
          [100, 0.1],
        ],
      },
    ],
    [{ type: "exponential", from: 1, to: 0, halfLife: 5 }],
  ])("%j is one", (epsilon) => {
    expect(resolveOptions({ ...BASE, epsilon } as DQNOptions).epsilon).toEqual(epsilon);
  });
});
