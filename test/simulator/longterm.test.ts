import { describe, expect, test } from "vitest";
import { DQN, evaluate, train } from "../../src/index.js";
import {
  bestMixture,
  chocDocuments,
  kaleDocuments,
  LongTermSatisfaction,
  mixedDocuments,
  mixtureValue,
  satisfactionReturns,
} from "../../src/simulator/longterm.js";
import { arithmeticMean, meanInterval } from "../../src/statistics/intervals.js";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Engagement of one episode of a mixture, restated without the class under test. */
function naiveEpisode(choc: number, sensitivity: number, candidates: number, draw: () => number): number {
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  let exposure = ((draw() - 0.5) * 10) / 3;
  let sum = 0;
  for (let step = 0; step < 60; step++) {
    const scores = Array.from({ length: candidates }, draw);
    const score = draw() < choc ? Math.max(...scores) : Math.min(...scores);
    const mean = (5 * score + 4 * (1 - score)) * sigmoid(sensitivity * exposure);
    sum += Math.exp(mean + normal());
    exposure = 0.7 * exposure - 2 * (score - 0.5) + 0.05 * normal();
  }
  return sum;
}

/** Mulberry32, which the library does not use. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("LongTermSatisfaction", () => {
  test("draws the exposure from [-5/3, 5/3] and scores from [0, 1], uniformly", () => {
    const environment = new LongTermSatisfaction();
    let [exposure, squares, score, scoreSquares] = [0, 0, 0, 0];
    for (let seed = 0; seed < 4000; seed++) {
      environment.reset(seed);
      expect(Math.abs(environment.exposure)).toBeLessThanOrEqual(5 / 3);
      expect(environment.satisfaction).toBeCloseTo(sigmoid(0.01 * environment.exposure), 12);
      exposure += environment.exposure / 4000;
      squares += environment.exposure ** 2 / 4000;
      for (const x of environment.scores) {
        expect(x >= 0 && x < 1).toBe(true);
        score += x / 40_000;
        scoreSquares += (x - 0.5) ** 2 / 40_000;
      }
    }
    // Uniform of width w: mean 0, variance w^2 / 12, and of the squares w^4 / 180; 4.5 standard errors.
    const w = 10 / 3;
    expect(Math.abs(exposure)).toBeLessThan(4.5 * (w / Math.sqrt(12 * 4000)));
    expect(Math.abs(squares - w ** 2 / 12)).toBeLessThan(4.5 * (w ** 2 / Math.sqrt(180 * 4000)));
    expect(Math.abs(score - 0.5)).toBeLessThan(4.5 / Math.sqrt(12 * 40_000));
    expect(Math.abs(scoreSquares - 1 / 12)).toBeLessThan(4.5 / Math.sqrt(180 * 40_000));
  });

  test("engages by a lognormal around (4 + c) s, at the satisfaction before the step", () => {
    const environment = new LongTermSatisfaction({ sensitivity: 2 });
    const noise: number[] = [];
    for (let seed = 0; seed < 5000; seed++) {
      environment.reset(seed);
      const { satisfaction } = environment;
      const c = environment.scores[seed % 10]!;
      noise.push(Math.log(environment.step(seed % 10).reward) - (4 + c) * satisfaction);
    }
    const mean = arithmeticMean(noise);
    const variance = arithmeticMean(noise.map((x) => x * x));
    expect(Math.abs(mean)).toBeLessThan(4.5 / Math.sqrt(5000));
    expect(Math.abs(variance - 1)).toBeLessThan(4.5 * Math.sqrt(2 / 5000));
  });

  test("keeps .7 of the exposure, adds 1 - 2 c and noise of deviation .05", () => {
    const environment = new LongTermSatisfaction();
    const noise: number[] = [];
    for (let seed = 0; seed < 5000; seed++) {
      environment.reset(seed);
      const { exposure } = environment;
      const c = environment.scores[3]!;
      environment.step(3);
      noise.push(environment.exposure - 0.7 * exposure - 1 + 2 * c);
    }
    expect(Math.abs(arithmeticMean(noise))).toBeLessThan((4.5 * 0.05) / Math.sqrt(5000));
    const variance = arithmeticMean(noise.map((x) => x * x));
    expect(Math.abs(variance - 0.0025)).toBeLessThan(4.5 * 0.0025 * Math.sqrt(2 / 5000));
  });

  test("observes the share of steps left and what the last steps showed and got, not satisfaction", () => {
    const environment = new LongTermSatisfaction({ steps: 4, history: 2, sensitivity: 10 });
    expect(environment.observationSize).toBe(5);
    expect(Array.from(environment.reset(1))).toEqual([1, 0, 0, 0, 0]);
    let past = [0, 0, 0, 0];
    for (let step = 1; step <= 4; step++) {
      const c = environment.scores[step]!;
      const { reward, observation, terminated, truncated } = environment.step(step);
      past = [1 - 2 * c, Math.log1p(Math.min(100, reward)), ...past.slice(0, 2)];
      expect(observation[0]).toBe(1 - step / 4);
      for (const [i, x] of past.entries()) expect(observation[1 + i]).toBeCloseTo(x, 5);
      expect([terminated, truncated]).toEqual([step === 4, false]);
    }
    expect(() => environment.step(0)).toThrow("the episode is over");
    const blind = new LongTermSatisfaction({ history: 0 });
    blind.reset(1);
    expect(Array.from(blind.step(0).observation)).toEqual([Math.fround(59 / 60)]);
  });

  test("repeats an episode for its seed; refuses other actions and options, and stays as it was", () => {
    const [a, b] = [new LongTermSatisfaction(), new LongTermSatisfaction()];
    expect(Array.from(a.reset(5))).toEqual(Array.from(b.reset(5)));
    for (let i = 0; i < 20; i++) expect(b.step(i % 10)).toEqual(a.step(i % 10));
    a.reset(6);
    b.reset();
    expect(b.scores).toEqual(a.scores);
    expect(Array.from(a.candidates())).toEqual(Array.from(a.scores, Math.fround));
    const { exposure } = a;
    for (const action of [10, -1, 0.5, Number.NaN, "0", [0]] as number[]) {
      expect(() => a.step(action)).toThrow(`"action" must be an integer in [0, 9], got ${action}`);
    }
    expect(a.exposure).toBe(exposure);
    for (const choc of [-0.1, 1.1, Number.NaN]) expect(() => mixtureValue(choc)).toThrow(`"choc" must be in [0, 1]`);
    expect(() => new LongTermSatisfaction({ sensitivity: 0 })).toThrow('"sensitivity" must be in (0, 10], got 0');
    expect(() => new LongTermSatisfaction({ slate: 1 } as object)).toThrow('"slate" is not an option');
  });
});

describe("its policies", () => {
  test("show the most or the least clickbait, or either with the chance of the mixture", () => {
    const environment = new LongTermSatisfaction();
    environment.reset(1);
    const { scores } = environment;
    const [most, least] = [scores.indexOf(Math.max(...scores)), scores.indexOf(Math.min(...scores))];
    expect([chocDocuments(environment), kaleDocuments(environment)]).toEqual([most, least]);
    const policy = mixedDocuments(0.3, 1);
    let choc = 0;
    for (let i = 0; i < 10_000; i++) {
      const shown = policy(environment);
      expect([most, least]).toContain(shown);
      choc += Number(shown === most) / 10_000;
    }
    expect(Math.abs(choc - 0.3)).toBeLessThan(4.5 * Math.sqrt(0.21 / 10_000));
  });

  test("are worth 60 e^2.5 E[e^(c / 2)] where satisfaction hardly moves", () => {
    const options = { candidates: 1, sensitivity: 1e-9 };
    const closed = 60 * Math.exp(2.5) * 2 * (Math.exp(0.5) - 1);
    for (const choc of [0, 0.5, 1]) expect(mixtureValue(choc, options) / closed).toBeCloseTo(1, 4);
    // Of two documents, the higher score has density 2 c, and the lower 2 (1 - c).
    const highest = 60 * Math.exp(2.5) * 2 * (2 * Math.exp(0.5) - 4 * (Math.exp(0.5) - 1));
    expect(mixtureValue(1, { candidates: 2, sensitivity: 1e-9 }) / highest).toBeCloseTo(1, 3);
    expect(mixtureValue(0, { candidates: 2, sensitivity: 1e-9 }) / (2 * closed - highest)).toBeCloseTo(1, 3);
  });

  test.each([0.01, 0.08, 0.3, 2])("have the value that episodes have, here and restated, at sensitivity %d", (s) => {
    const draw = uniforms(1 + 1000 * s);
    for (const choc of [0, 0.3, 1]) {
      const value = mixtureValue(choc, { sensitivity: s });
      const own = satisfactionReturns(mixedDocuments(choc, 1), { sensitivity: s }, 300, 1000);
      const restated = Array.from({ length: 300 }, () => naiveEpisode(choc, s, 10, draw));
      for (const returns of [[...own], restated]) {
        const { value: mean, hi } = meanInterval(returns);
        // 24 comparisons: 3.5 standard errors, and a thousandth for the grid.
        expect(Math.abs(mean - value)).toBeLessThan(((hi - mean) / 1.96) * 3.5 + value / 1000);
      }
    }
  });

  test("best mixed as by the naive maximum: only choc at .01, a third of it at .08, only kale at .3", () => {
    for (const [sensitivity, choc] of [
      [0.01, 1],
      [0.08, 0.33],
      [0.3, 0],
    ] as const) {
      const best = bestMixture({ sensitivity });
      expect(Math.abs(best.choc - choc)).toBeLessThan(0.02);
      for (let p = 0; p <= 1; p += 0.1) expect(mixtureValue(p, { sensitivity })).toBeLessThanOrEqual(best.value);
    }
    const both = [bestMixture({ sensitivity: 0.3 }).value, mixtureValue(0, { sensitivity: 0.3 })];
    expect(both[0]).toBe(both[1]);
  });
});

test("an agent that looks ahead learns to show kale, one that does not shows choc", async () => {
  const shown = async (gamma: number) => {
    const environment = new LongTermSatisfaction({ sensitivity: 0.3, history: 3 });
    const { observationSize: observation } = environment;
    using agent = new DQN({
      observation,
      candidates: { max: 10, features: 1 },
      seed: 1,
      hidden: [16],
      gamma,
      learningStarts: 200,
      batchSize: 32,
      learningRate: 1e-3,
      rewardScale: 0.02,
      epsilon: { type: "linear", from: 1, to: 0.1, steps: 3000 },
    });
    await train(agent, environment, { steps: 6000 });
    return arithmeticMean(evaluate(agent, environment, { episodes: 20 }));
  };
  expect(await shown(0)).toBeLessThan(0.45 * mixtureValue(0, { sensitivity: 0.3 }));
  expect(await shown(0.9)).toBeGreaterThan(0.75 * mixtureValue(0, { sensitivity: 0.3 }));
});
