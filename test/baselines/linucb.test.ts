import { describe, expect, test } from "vitest";
import { LinUcb } from "../../src/baselines/linucb.js";
import { Random } from "../../src/numeric/random.js";
import type { SlateTransition } from "../../src/recommender/learning/index.js";
import { naiveInverse } from "../reference/inverse.js";

function normals(n: number, random: Random): Float32Array {
  return Float32Array.from({ length: n }, () => random.normal());
}

function transition(observation: Float32Array, candidate: Float32Array, reward: number): SlateTransition {
  return {
    ...{ user: "u", observation, candidates: candidate, shown: 1, action: 0, reward, terminated: true },
    ...{ nextObservation: observation, nextCandidates: new Float32Array(0) },
  };
}

describe("LinUcb", () => {
  test("gives the upper bounds of ridge regression by a plain inversion", () => {
    const random = new Random(1);
    const options = { alpha: 0.7, ridge: 2, observation: 3, candidate: 4 };
    const bandit = new LinUcb(options);
    const size = 8;
    const a = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 2 : 0)));
    const b = new Array<number>(size).fill(0);
    for (let step = 0; step < 60; step++) {
      const observation = normals(3, random);
      const rows = normals(20, random);
      const inverse = naiveInverse(a);
      const scores = bandit.evaluate(observation, rows);
      expect(scores).toHaveLength(5);
      for (let c = 0; c < 5; c++) {
        const x = [1, ...observation, ...rows.subarray(4 * c, 4 * c + 4)];
        const product = inverse.map((row) => row.reduce((sum, v, j) => sum + v * x[j]!, 0));
        const mean = product.reduce((sum, v, i) => sum + v * b[i]!, 0);
        const spread = product.reduce((sum, v, i) => sum + v * x[i]!, 0);
        expect(scores[c]).toBeCloseTo(mean + 0.7 * Math.sqrt(spread), 5);
      }
      const candidate = rows.subarray(0, 4);
      const reward = random.normal();
      bandit.observe(transition(observation, candidate, reward));
      const x = [1, ...observation, ...candidate];
      for (let i = 0; i < size; i++) {
        b[i]! += reward * x[i]!;
        for (let j = 0; j < size; j++) a[i]![j]! += x[i]! * x[j]!;
      }
    }
    expect([bandit.steps, bandit.updates]).toEqual([60, 60]);
  });

  test("learns reward 0 of examined streams that were not entered, and nothing of streams that were not examined", () => {
    const random = new Random(4);
    const options = { observation: 2, candidate: 3 };
    const [slates, single] = [new LinUcb(options), new LinUcb(options)];
    for (let i = 0; i < 20; i++) {
      const observation = normals(2, random);
      const rows = normals(12, random);
      const action = (i % 4) - 1;
      slates.observe({ ...transition(observation, rows, i), shown: 3, action });
      for (let row = 0; row < 3; row++) {
        single.observe(transition(observation, rows.subarray(3 * row, 3 * row + 3), row === action ? i : 0));
      }
    }
    expect(slates.save()).toEqual(single.save());
    expect(slates.steps).toBe(60);
  });

  test("tries uncertain candidates more with a larger alpha", () => {
    const known = Float32Array.of(1, 0);
    const unknown = Float32Array.of(0, 1);
    const rows = Float32Array.of(...known, ...unknown);
    for (const [alpha, tries] of [
      [0, false],
      [2, true],
    ] as const) {
      const bandit = new LinUcb({ alpha, observation: 0, candidate: 2 });
      for (let i = 0; i < 20; i++) bandit.observe(transition(new Float32Array(0), known, 0.2));
      const [a, b] = bandit.evaluate([], rows) as unknown as [number, number];
      expect(b > a).toBe(tries);
    }
  });

  test("continues from a saved state to the bit, and refuses one of another size", () => {
    const random = new Random(2);
    const options = { observation: 2, candidate: 2 };
    const bandit = new LinUcb(options);
    const learn = (one: LinUcb, seed: number) => {
      const draws = new Random(seed);
      for (let i = 0; i < 10; i++) one.observe(transition(normals(2, draws), normals(2, draws), draws.normal()));
    };
    learn(bandit, 3);
    const other = new LinUcb(options);
    other.load(bandit.save());
    learn(bandit, 4);
    learn(other, 4);
    expect(other.save()).toEqual(bandit.save());
    expect(other.steps).toBe(20);
    expect(other.evaluate(normals(2, random), normals(2, random))).toHaveLength(1);
    expect(() => new LinUcb().load(bandit.save())).toThrow('"file" must hold 4356 numbers, got 36');
  });

  test("stays finite and positive over 20 000 rewards in nearly the same direction", () => {
    const random = new Random(5);
    const bandit = new LinUcb({ observation: 1, candidate: 3 });
    for (let i = 0; i < 20_000; i++) {
      const nearly = Float32Array.of(3, -3, 3 + 1e-3 * random.normal());
      bandit.observe(transition(Float32Array.of(1), nearly, 1));
    }
    const scores = bandit.evaluate([1], [3, -3, 3, 0, 0, 1]);
    expect(scores[0]).toBeCloseTo(1, 1);
    expect(scores.every(Number.isFinite)).toBe(true);
  });

  test("refuses options that are unknown or wrong", () => {
    expect(() => new LinUcb({ alpha: -1 })).toThrow('"alpha" must be a finite number >= 0, got -1');
    expect(() => new LinUcb({ beta: 1 } as object)).toThrow('"beta" is not an option');
  });
});
