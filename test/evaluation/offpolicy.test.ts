import { describe, expect, test } from "vitest";
import {
  type LoggedChoice,
  type OffPolicyEstimateOptions,
  OffPolicyEstimates,
  RewardModel,
} from "../../src/evaluation/index.js";
import { poisson, weightedIndex } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import { type Figure, groupOf, meanInterval } from "../../src/statistics/index.js";

/** OffPolicyEstimates by name. */
function valuesOf(figures: readonly Figure[]): Record<string, number> {
  return Object.fromEntries(figures.map(({ metric, value }) => [metric, value]));
}

const ONE = { resamples: 1 };

/** A bandit of two contexts and three actions, all of which is known. */
const CONTEXTS = 2;
const REWARDS = [
  [0.2, 0.5, 0.1],
  [0.6, 0.1, 0.3],
];
const LOGGING = [
  [0.6, 0.1, 0.3],
  [0.2, 0.5, 0.3],
];
const TARGET = [
  [0.1, 0.8, 0.1],
  [0.7, 0.2, 0.1],
];
const VALUE = TARGET.flatMap((chances, x) => chances.map((p, a) => (p * REWARDS[x]![a]!) / CONTEXTS)).reduce(
  (sum, part) => sum + part,
);

/** A model's predictions, by context and action. */
type Model = readonly (readonly number[])[];

function choiceOf(random: Random, model?: Model): LoggedChoice {
  const x = random.below(CONTEXTS);
  const a = weightedIndex(random, LOGGING[x]!);
  const reward = random.bernoulli(REWARDS[x]![a]!) ? 1 : 0;
  const choice = { propensity: LOGGING[x]![a]!, probability: TARGET[x]![a]!, reward };
  if (model === undefined) return choice;
  const expected = TARGET[x]!.reduce((sum, p, b) => sum + p * model[x]![b]!, 0);
  return { ...choice, predicted: model[x]![a]!, expected };
}

function logOf(n: number, seed: number, model?: Model): OffPolicyEstimates {
  const random = Random.named(seed, "bandit");
  const estimates = new OffPolicyEstimates({ minEss: 0 });
  for (let i = 0; i < n; i++) estimates.add(i % 1024, [choiceOf(random, model)]);
  return estimates;
}

/** How far a mean over repetitions is from the truth, in standard errors, and the standard deviation of one. */
function judged(values: number[], truth: number): { errors: number; deviation: number } {
  const { value } = meanInterval(values);
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (values.length - 1));
  return { errors: Math.abs(value - truth) / (deviation / Math.sqrt(values.length)), deviation };
}

/** Estimates of a policy that shows the logged choice in this share of 1000 decisions that were drawn by a tenth. */
function unlike(share: number, options: Partial<OffPolicyEstimateOptions> = {}) {
  const estimates = new OffPolicyEstimates(options);
  for (let i = 0; i < 1000; i++) {
    const probability = i < share * 1000 ? 1 : 0;
    estimates.add(i % 1024, [{ propensity: 0.1, probability, reward: i % 2, predicted: 0.5, expected: 0.5 }]);
  }
  return estimates.figures({ resamples: 10 });
}

test("estimates without support are refused, or marked where they are asked for", () => {
  const weightless = ["logged", "dm", "ess", "mean_weight", "clipped_share"];
  for (const share of [0, 0.001, 0.003, 0.049]) {
    const figures = unlike(share);
    expect(
      figures.every(({ metric }) => weightless.includes(metric)),
      `${share}`,
    ).toBe(true);
    expect(figures.some(({ isUnsupported }) => isUnsupported)).toBe(false);
    const all = unlike(share, { minEss: 0 });
    expect(all.find(({ metric }) => metric === "ips")).toMatchObject({ isUnsupported: true });
    for (const { metric, isUnsupported } of all) expect(isUnsupported === undefined).toBe(weightless.includes(metric));
  }
  expect(unlike(0.05).find(({ metric }) => metric === "ips")).not.toHaveProperty("isUnsupported");
  expect(unlike(0.05, { minEss: 51 }).some(({ metric }) => metric === "ips")).toBe(false);
  expect(() => new OffPolicyEstimates({ minEss: -1 })).toThrow('"minEss" must be a finite number >= 0, got -1');
});

describe("estimates of one choice a decision", () => {
  test("equal a computation by hand", () => {
    const estimates = new OffPolicyEstimates({ minEss: 0, switchAbove: 2 });
    // Weights 2, 0.5, 4 and 0; what the model missed: 0.5, -0.25, 1, -1.
    estimates.add(0, [{ propensity: 0.25, probability: 0.5, reward: 1, predicted: 0.5, expected: 0.25 }]);
    estimates.add(1, [{ propensity: 0.5, probability: 0.25, reward: 0, predicted: 0.25, expected: 0.5 }]);
    estimates.add(2, [{ propensity: 0.125, probability: 0.5, reward: 3, predicted: 2, expected: 1 }]);
    estimates.add(3, [{ propensity: 1, probability: 0, reward: 0, predicted: 1, expected: 0.25 }]);
    expect(valuesOf(estimates.figures(ONE))).toEqual({
      logged: 1,
      ips: (2 + 0 + 12) / 4,
      snips: 14 / 6.5,
      dm: 0.5,
      dr: 0.5 + (1 - 0.125 + 4) / 4,
      sndr: 0.5 + 4.875 / 6.5,
      switch_dr: 0.5 + 0.875 / 4,
      ess: 6.5 ** 2 / (4 + 0.25 + 16),
      mean_weight: 6.5 / 4,
      clipped_share: 0,
    });
    expect(estimates.figures(ONE)[0]!.n).toBe(4);
  });

  test("clip weights at `clip`, and count the clipped ones", () => {
    const estimates = new OffPolicyEstimates({ minEss: 0, clip: 3 });
    estimates.add(0, [{ propensity: 0.25, probability: 0.5, reward: 1 }]);
    estimates.add(1, [{ propensity: 0.125, probability: 0.5, reward: 3 }]);
    expect(valuesOf(estimates.figures(ONE))).toEqual({
      logged: 2,
      ips: (2 + 9) / 2,
      snips: 11 / 5,
      ess: 25 / 13,
      mean_weight: 2.5,
      clipped_share: 0.5,
    });
  });

  test("count every decision as effective where all weights are equal", () => {
    const estimates = new OffPolicyEstimates({ minEss: 0 });
    for (let i = 0; i < 50; i++) estimates.add(i, [{ propensity: 0.2, probability: 0.3, reward: 0 }]);
    expect(valuesOf(estimates.figures(ONE))["ess"]).toBeCloseTo(50, 10);
  });

  test("are unbiased: IPS, and DR with any model; SNIPS comes near with the number of decisions", () => {
    const wrong: Model = [
      [0.9, 0, 0.9],
      [0, 0.9, 0],
    ];
    const repetitions = 1500;
    const [ips, dr, snips]: number[][] = [[], [], []];
    for (let seed = 0; seed < repetitions; seed++) {
      const values = valuesOf(logOf(40, seed, wrong).figures(ONE));
      ips!.push(values["ips"]!);
      dr!.push(values["dr"]!);
      snips!.push(values["snips"]!);
    }
    expect(judged(ips!, VALUE).errors).toBeLessThan(4);
    expect(judged(dr!, VALUE).errors).toBeLessThan(4);
    // SNIPS trades a bias of the order 1 / n for less variance.
    expect(judged(snips!, VALUE).deviation).toBeLessThan(0.9 * judged(ips!, VALUE).deviation);
    expect(Math.abs(valuesOf(logOf(100_000, 1).figures(ONE))["snips"]! - VALUE)).toBeLessThan(0.01);
  });

  test("with a right model DR has less variance; DM is as wrong as its model", () => {
    const runs = (model: Model) =>
      Array.from({ length: 300 }, (_, seed) => valuesOf(logOf(60, seed, model).figures(ONE)));
    const right = runs(REWARDS);
    const flat = runs(REWARDS.map((row) => row.map(() => 0)));
    const drRight = judged(
      right.map((values) => values["dr"]!),
      VALUE,
    );
    const drFlat = judged(
      flat.map((values) => values["dr"]!),
      VALUE,
    );
    expect(drRight.errors).toBeLessThan(4);
    expect(drFlat.errors).toBeLessThan(4);
    expect(drRight.deviation).toBeLessThan(0.8 * drFlat.deviation);
    expect(flat[0]!["dm"]).toBe(0);
    // A model that predicts 0 leaves IPS.
    for (const values of flat.slice(0, 20)) expect(values["dr"]).toBeCloseTo(values["ips"]!, 12);
  });

  test("have intervals that hold the truth about 95 times in 100, for users of unequal zeal: 300 logs", () => {
    const held: Record<string, number> = { ips: 0, snips: 0, dr: 0, sndr: 0 };
    const logs = 300;
    for (let seed = 0; seed < logs; seed++) {
      const random = Random.named(seed, "coverage");
      const estimates = new OffPolicyEstimates({ minEss: 0 });
      for (let user = 0; user < 100; user++) {
        const group = groupOf(`${seed}-${user}`);
        const decisions = 1 + poisson(random, 3);
        for (let i = 0; i < decisions; i++) estimates.add(group, [choiceOf(random, REWARDS)]);
      }
      for (const { metric, lo, hi } of estimates.figures({ resamples: 200, seed })) {
        if (metric in held && lo <= VALUE && VALUE <= hi) held[metric]!++;
      }
    }
    for (const [metric, count] of Object.entries(held)) {
      expect(count / logs, metric).toBeGreaterThan(0.91);
      expect(count / logs, metric).toBeLessThan(0.985);
    }
  });

  test("refuse a field out of its range by name, and change nothing", () => {
    const estimates = new OffPolicyEstimates({ minEss: 0, positions: 2 });
    const good: LoggedChoice = { propensity: 0.5, probability: 0.5, reward: 1 };
    estimates.add(1, [good, good]);
    const before = estimates.figures();
    const refusals: [Partial<LoggedChoice>, string][] = [
      [{ propensity: 0 }, '"choices.1.propensity" must be in (0, 1], got 0'],
      [{ propensity: 1.5 }, '"choices.1.propensity" must be in (0, 1], got 1.5'],
      [{ probability: -0.1 }, '"choices.1.probability" must be in [0, 1], got -0.1'],
      [{ reward: Number.NaN }, '"choices.1.reward" must be in [-1e9, 1e9], got NaN'],
      [{ predicted: 1, expected: 1 }, '"choices.1.predicted" must be left out, as in the choices before, got 1'],
    ];
    for (const [wrong, message] of refusals)
      expect(() => estimates.add(1, [good, { ...good, ...wrong }])).toThrow(message);
    expect(() => estimates.add(1, [good, good, good])).toThrow('"choices" must be at most 2 ("positions"), got 3');
    const half = new OffPolicyEstimates({ minEss: 0 });
    expect(() => half.add(1, [{ ...good, predicted: 1 }])).toThrow(
      '"choices.0.expected" must be in [-1e9, 1e9], got undefined',
    );
    expect(() => new OffPolicyEstimates({ minEss: 0, clip: 0 })).toThrow('"clip" must be in (0, 1000000], got 0');
    expect(() => new OffPolicyEstimates({ cut: 1 } as object)).toThrow('"cut" is not an option');
    expect(estimates.figures()).toEqual(before);
  });

  test("stay finite for any propensities", () => {
    const estimates = new OffPolicyEstimates({ minEss: 0, positions: 3 });
    const choice = { propensity: 5e-324, probability: 1, reward: 1e9, predicted: -1e9, expected: 1e9 };
    estimates.add(1, [choice, choice, { ...choice, probability: 0 }]);
    estimates.add(2, []);
    for (const { metric, value } of estimates.figures()) expect(Number.isFinite(value), metric).toBe(true);
  });
});

/** All figures of slates, in the plainest way: position by position, over a list of decisions. */
function naive(log: readonly LoggedChoice[][], positions: number, clip: number, switchAbove: number) {
  const n = log.length;
  const mean = (of: (choices: LoggedChoice[]) => number) => log.reduce((sum, choices) => sum + of(choices), 0) / n;
  const ratio = ({ probability, propensity }: LoggedChoice) => probability / propensity;
  const down = (choices: LoggedChoice[], p: number) =>
    Math.min(
      clip,
      choices.slice(0, p + 1).reduce((product, choice) => product * ratio(choice), 1),
    );
  const over = (of: (p: number) => number) =>
    Array.from({ length: positions }, (_, p) => of(p)).reduce((a, b) => a + b);
  const reward = (choices: LoggedChoice[], p: number) => choices[p]?.reward ?? 0;
  const missed = (choices: LoggedChoice[], p: number) => reward(choices, p) - (choices[p]?.predicted ?? 0);
  const expected = (choices: LoggedChoice[], p: number) => choices[p]?.expected ?? 0;
  const last = positions - 1;
  const all = (choices: LoggedChoice[]) => over((p) => reward(choices, p));
  const whole = mean((choices) => down(choices, last) * all(choices));
  const weight = (p: number) => mean((choices) => down(choices, p));
  return {
    logged: mean(all),
    ips: whole,
    snips: whole / weight(last),
    rips: over((p) => mean((choices) => down(choices, p) * reward(choices, p))),
    snrips: over((p) => mean((choices) => down(choices, p) * reward(choices, p)) / weight(p)),
    iips: mean((choices) => choices.reduce((sum, one) => sum + Math.min(clip, ratio(one)) * one.reward, 0)),
    dm: mean((choices) => over((p) => expected(choices, p))),
    dr: over((p) => mean((c) => down(c, p - 1) * expected(c, p) + down(c, p) * missed(c, p))),
    sndr: over(
      (p) =>
        mean((c) => down(c, p - 1) * expected(c, p)) / weight(p - 1) +
        mean((c) => down(c, p) * missed(c, p)) / weight(p),
    ),
    switch_dr: over((p) =>
      mean((choices) => {
        const [before, here] = [down(choices, p - 1), down(choices, p)];
        const model = (before > switchAbove ? 1 : before) * expected(choices, p);
        return model + (here > switchAbove ? 0 : here * missed(choices, p));
      }),
    ),
    ess: (n * weight(last)) ** 2 / log.reduce((sum, choices) => sum + down(choices, last) ** 2, 0),
    mean_weight: weight(last),
    clipped_share: mean((choices) => {
      let product = 1;
      return choices.some((one) => ratio(one) > clip || (product *= ratio(one)) > clip) ? 1 : 0;
    }),
  };
}

describe("estimates of slates", () => {
  test.each([1e6, 2])("are those of a naive twin, of slates of unequal length, clipped at %d", (clip) => {
    const random = Random.named(1, "slates");
    const log = Array.from({ length: 80 }, (_, i) =>
      Array.from({ length: i % 4 }, () => ({
        propensity: 0.2 + 0.8 * random.uniform(),
        probability: random.uniform(),
        reward: random.normal(),
        predicted: random.normal(),
        expected: random.normal(),
      })),
    );
    const estimates = new OffPolicyEstimates({ minEss: 0, positions: 3, clip, switchAbove: 1.5 });
    for (const [i, choices] of log.entries()) estimates.add(i % 50, choices);
    const values = valuesOf(estimates.figures(ONE));
    const twin = naive(log, 3, clip, 1.5);
    expect(Object.keys(values)).toEqual(Object.keys(twin));
    for (const [metric, value] of Object.entries(twin)) expect(values[metric], metric).toBeCloseTo(value, 10);
  });

  // Two positions, three items, users who read from the top and click once: what a position earns depends on what is
  // above it. Items are drawn without repetition from weights.
  const APPEAL = [0.5, 0.2, 0.1];
  const logging = [1, 2, 3];
  const target = [3, 1, 1];
  const chance = (weights: number[], item: number, before: number[]) =>
    weights[item]! / weights.reduce((sum, w, i) => sum + (before.includes(i) ? 0 : w), 0);
  let truth = 0;
  for (const a of [0, 1, 2]) {
    for (const b of [0, 1, 2]) {
      if (a === b) continue;
      const p = chance(target, a, []) * chance(target, b, [a]);
      truth += p * (APPEAL[a]! + (1 - APPEAL[a]!) * APPEAL[b]!);
    }
  }
  const marginal = (weights: number[], item: number) =>
    [0, 1, 2].reduce((sum, a) => sum + (a === item ? 0 : chance(weights, a, []) * chance(weights, item, [a])), 0);

  function slates(n: number, seed: number, isMarginal: boolean, cascade: boolean) {
    const random = Random.named(seed, "cascade");
    const estimates = new OffPolicyEstimates({ minEss: 0, positions: 2 });
    for (let i = 0; i < n; i++) {
      const a = weightedIndex(random, logging);
      const b = weightedIndex(
        random,
        logging.map((w, item) => (item === a ? 0 : w)),
      );
      const first = random.bernoulli(APPEAL[a]!);
      const second = (!cascade || !first) && random.bernoulli(APPEAL[b]!);
      const below = isMarginal
        ? { propensity: marginal(logging, b), probability: marginal(target, b) }
        : { propensity: chance(logging, b, [a]), probability: chance(target, b, [a]) };
      estimates.add(i % 1024, [
        { propensity: chance(logging, a, []), probability: chance(target, a, []), reward: first ? 1 : 0 },
        { ...below, reward: second ? 1 : 0 },
      ]);
    }
    return valuesOf(estimates.figures(ONE));
  }

  test("given the positions before: IPS and RIPS are unbiased for users who read from the top, RIPS with less variance", () => {
    const runs = Array.from({ length: 500 }, (_, seed) => slates(100, seed, false, true));
    const of = (metric: string) =>
      judged(
        runs.map((values) => values[metric]!),
        truth,
      );
    expect(of("ips").errors).toBeLessThan(4);
    expect(of("rips").errors).toBeLessThan(4);
    expect(of("rips").deviation).toBeLessThan(of("ips").deviation);
    expect(of("iips").errors).toBeGreaterThan(10);
  });

  test("with marginal propensities IIPS is unbiased where positions are independent, and with conditional ones is not", () => {
    const independent = [0, 1, 2].reduce(
      (sum, item) => sum + APPEAL[item]! * (chance(target, item, []) + marginal(target, item)),
      0,
    );
    const runs = (isMarginal: boolean) =>
      judged(
        Array.from({ length: 500 }, (_, seed) => slates(100, seed, isMarginal, false)["iips"]!),
        independent,
      );
    expect(runs(true).errors).toBeLessThan(4);
    expect(runs(false).errors).toBeGreaterThan(8);
  });
});

describe("the reward model", () => {
  test("predicts as the normal equations of the other folds, and not from the user's own rewards", () => {
    const random = Random.named(1, "model");
    const rows = Array.from({ length: 60 }, (_, i) => ({
      group: i,
      row: [1, random.normal(), random.normal()],
      reward: random.normal(),
    }));
    const model = new RewardModel(3, { folds: 3, ridge: 0.5 });
    for (const { group, row, reward } of rows) model.add(group, row, reward);
    // Gradient descent on the same loss, of folds 1 and 2.
    const others = rows.filter(({ group }) => group % 3 !== 0);
    const theta = [0, 0, 0];
    for (let step = 0; step < 5000; step++) {
      const gradient = theta.map((x) => 0.5 * x);
      for (const { row, reward } of others) {
        const error = row.reduce((sum, x, i) => sum + x * theta[i]!, 0) - reward;
        for (let i = 0; i < 3; i++) gradient[i]! += error * row[i]!;
      }
      for (let i = 0; i < 3; i++) theta[i]! -= 0.01 * gradient[i]!;
    }
    const row = [1, 0.3, -2];
    expect(model.predict(0, row)).toBeCloseTo(
      row.reduce((sum, x, i) => sum + x * theta[i]!, 0),
      9,
    );
    const before = model.predict(0, row);
    model.add(3, row, 1000);
    expect(model.predict(0, row)).toBe(before);
    expect(model.predict(1, row)).not.toBe(before);
  });

  test("of one-hot actions predicts their mean reward, shrunk towards 0", () => {
    const model = new RewardModel(2, { folds: 2, ridge: 1 });
    for (const reward of [3, 5, 4]) model.add(1, [1, 0], reward);
    model.add(1, [0, 1], 8);
    expect(model.predict(0, [1, 0])).toBeCloseTo(3, 12);
    expect(model.predict(0, [0, 1])).toBeCloseTo(4, 12);
    expect(model.predict(1, [1, 0])).toBe(0);
    expect(model.predict(0, [0.5, 0.5])).toBeCloseTo(3.5, 12);
  });

  test("refuses an invalid row", () => {
    const model = new RewardModel(2);
    expect(() => model.add(0, [1], 1)).toThrow('"row" must have 2 numbers, got 1');
    expect(() => model.add(0, [1, Number.NaN], 1)).toThrow('"row.1" must be a finite number, got NaN');
    expect(() => model.add(0, [1, 1], Infinity)).toThrow('"reward" must be a finite number, got Infinity');
    expect(() => new RewardModel(0)).toThrow('"size" must be an integer in [1, 1024], got 0');
  });
});
