import { describe, expect, test } from "vitest";
import { attackRanking, type ScoreFunction } from "../../src/evaluation/index.js";
import { DQN } from "../../src/index.js";
import { numbers } from "../support/numbers.js";

const FEATURES = 3;

/** score = w . row + u . observation * (row's first number): slopes are known. */
const linear: ScoreFunction = (observation, rows) =>
  Array.from({ length: rows.length / FEATURES }, (_, i) => {
    const [a, b, c] = rows.subarray(i * FEATURES) as unknown as [number, number, number];
    return 2 * a - b + 0.5 * c + observation[0]! * a;
  });

const states = (count: number) =>
  Array.from({ length: count }, (_, s) => ({ observation: numbers(2, s), candidates: numbers(6 * FEATURES, 100 + s) }));

/** The order of scores, and the most that an attack can move each: the sum of absolute slopes. */
function bounds(state: { observation: Float32Array; candidates: Float32Array }): { scores: number[]; reach: number } {
  const scores = Array.from(linear(state.observation, state.candidates));
  return { scores: scores.sort((a, b) => b - a), reach: Math.abs(2 + state.observation[0]!) + 1.5 };
}

describe("attacks on rankings", () => {
  test("without a change nothing moves", () => {
    const result = attackRanking(linear, states(10), { features: FEATURES, epsilon: 0 });
    expect(result).toEqual({ tau: 1, topFlips: 0, shift: 0, random: { tau: 1, topFlips: 0 }, states: 10 });
  });

  test("on candidates topple the first exactly where the gap is below twice the reach", () => {
    for (const epsilon of [0.01, 0.05, 0.1, 0.3]) {
      for (const state of states(30)) {
        const { scores, reach } = bounds(state);
        const { topFlips } = attackRanking(linear, [state], { features: FEATURES, epsilon, inputs: "candidates" });
        const gap = scores[0]! - scores[1]!;
        if (Math.abs(gap - 2 * epsilon * reach) > 1e-4) expect(topFlips).toBe(Number(gap < 2 * epsilon * reach));
      }
    }
  });

  test("on the order reverse all pairs across the middle when they reach far enough, and no chance does", () => {
    const result = attackRanking(linear, states(20), { features: FEATURES, epsilon: 10, inputs: "candidates" });
    // Of 15 pairs of 6 candidates, 9 lie across the middle.
    expect(result.tau).toBeCloseTo((6 - 9) / 15, 9);
    expect(result.topFlips).toBe(1);
    const small = attackRanking(linear, states(200), { features: FEATURES, epsilon: 0.05 });
    expect(small.tau).toBeLessThan(small.random.tau);
    expect(small.topFlips).toBeGreaterThan(small.random.topFlips);
  });

  test("on the observation alone leave rows as they are", () => {
    let rows: Float32Array | undefined;
    const watched: ScoreFunction = (observation, candidates) => {
      rows ??= candidates.slice();
      expect(candidates).toEqual(rows);
      return linear(observation, candidates);
    };
    const [state] = states(1);
    const { shift } = attackRanking(watched, [state!], { features: FEATURES, epsilon: 0.2, inputs: "observation" });
    expect(shift).toBeGreaterThan(0);
  });

  test("find for a network the signs of slopes that its plain layers have in f64", () => {
    const agent = new DQN({
      observation: 2,
      candidates: { max: 6, features: 3 },
      hidden: [16],
      normalization: "none",
      seed: 4,
    });
    const layers = agent.weights();
    const score: ScoreFunction = (observation, rows) => agent.evaluate(observation, rows);
    const [first, head] = layers as [(typeof layers)[0], (typeof layers)[0]];
    let agreed = 0;
    let all = 0;
    for (const { observation, candidates } of states(20)) {
      const attacked = candidates.slice();
      const base = Float32Array.from(score(observation, candidates));
      for (let i = 0; i < 6; i++) {
        const x = [...observation, ...candidates.subarray(i * 3, i * 3 + 3)];
        for (let f = 0; f < 3; f++) {
          let slope = 0;
          for (let h = 0; h < 16; h++) {
            const z = x.reduce((sum, value, j) => sum + value * first.weight[h * 5 + j]!, first.bias[h]!);
            if (z > 0) slope += head.weight[h]! * first.weight[h * 5 + 2 + f]!;
          }
          attacked[i * 3 + f]! += 1e-3 * Math.sign(slope);
          const moved = candidates.slice();
          moved[i * 3 + f]! += 1e-3;
          all++;
          if (Math.sign(score(observation, moved)[i]! - base[i]!) === Math.sign(slope)) agreed++;
        }
      }
      // All rows rise where each input follows its slope.
      const risen = score(observation, attacked);
      for (let i = 0; i < 6; i++) expect(risen[i]!).toBeGreaterThan(base[i]!);
    }
    expect(agreed / all).toBeGreaterThan(0.97);
    agent.dispose();
  });

  test("name what is wrong", () => {
    const attack =
      (options: object, given = states(1)) =>
      () =>
        attackRanking(linear, given, { features: FEATURES, epsilon: 0.1, ...options });
    expect(attack({ epsilon: -1 })).toThrow('"attack.epsilon" must be in [0, 1000000], got -1');
    expect(attack({ features: 4 })).toThrow('"states[0].candidates" must be two or more rows of 4');
    expect(attack({}, [])).toThrow('"states" must be at least one');
    expect(() => attackRanking(() => [Number.NaN], states(1), { features: FEATURES, epsilon: 1 })).toThrow(
      '"scores of states[0]" must be 6 finite numbers',
    );
  });
});
