import { expect, test } from "vitest";
import { DQN, type DQNOptions } from "../../src/index.js";
import { chiSquare } from "../reference/moments.js";
import { numbers } from "../support/numbers.js";

const FIXED: DQNOptions = { observation: 3, actions: 5, hidden: [8], temperature: 0.2, seed: 4 };
const MASKED: DQNOptions = { ...FIXED, masked: true };
const CHANGING = { ...FIXED, actions: undefined, candidates: { max: 6, features: 2 } } as unknown as DQNOptions;
const DRAWS = 20_000;

/** What is on offer in state s. */
function offerOf(options: DQNOptions, s: number): number[] | undefined {
  if (options.candidates) return Array.from(numbers(2 * (1 + (s % 6)), s + 50));
  return options.masked ? [1, 0, Number(s % 2), 1, 0] : undefined;
}

test.each([
  ["fixed actions", FIXED],
  ["masked actions", MASKED],
  ["candidates", CHANGING],
  ["with epsilon", { ...MASKED, epsilon: 0.3 }],
  ["quantiles and dueling", { ...FIXED, quantiles: 4, dueling: true }],
])("%s: actions are drawn by their propensities: chi-square over 20,000 draws", (_, options) => {
  const agent = new DQN(options);
  const observation = numbers(3, 9);
  const available = offerOf(options, 5);
  const first = agent.act(observation, available);
  const propensities = Array.from(agent.propensities);
  const n = options.candidates ? 6 : 5;
  const counts = new Array<number>(n).fill(0);
  counts[first]!++;
  for (let i = 1; i < DRAWS; i++) counts[agent.act(observation, available)]!++;
  expect(Array.from(agent.propensities)).toEqual(propensities);
  const values = Array.from(agent.evaluate(observation, available));
  const isOn = (a: number) => !options.masked || available![a] === 1;
  const e = values.map((q, a) => (isOn(a) ? Math.exp(q / 0.2) : 0));
  const sum = e.reduce((s, x) => s + x, 0);
  const [epsilon, on] = [Number(options.epsilon ?? 0), values.filter((__, a) => isOn(a)).length];
  const expected = e.map((x, a) => (isOn(a) ? epsilon / on + ((1 - epsilon) * x) / sum : 0));
  expected.forEach((p, a) => {
    expect(propensities[a]).toBeCloseTo(p, 6);
    if (!isOn(a)) expect(counts[a]).toBe(0);
  });
  // Each term is one of chi-square: its count against the expected one.
  const statistic = expected.reduce((s, p, a) => (p > 0 ? s + (counts[a]! - DRAWS * p) ** 2 / (DRAWS * p) : s), 0);
  // Mean n - 1, deviation sqrt(2 (n - 1)): five deviations.
  expect(statistic).toBeLessThan(on - 1 + 5 * Math.sqrt(2 * (on - 1)));
  expect(chiSquare(counts)).toBeGreaterThan(100);
  agent.dispose();
});

test.each([
  ["fixed actions", FIXED],
  ["masked actions with epsilon", { ...MASKED, epsilon: 0.2 }],
  ["candidates", CHANGING],
  ["noisy weights", { ...FIXED, noisySigma: 0.5 }],
])("%s: actBatch draws what single calls draw, and leaves the same state", (_, options) => {
  const [one, many] = [new DQN(options), new DQN(options)];
  const states = 150;
  const observations = numbers(3 * states, 3);
  const offers = Array.from({ length: states }, (__, s) => offerOf(options, s));
  const given = options.masked || options.candidates ? offers : undefined;
  const actions = many.actBatch(observations, given);
  const singly = offers.map((offer, s) => one.act(observations.slice(3 * s, 3 * s + 3), offer));
  expect(Array.from(actions)).toEqual(singly);
  expect(new Set(singly).size).toBeGreaterThan(1);
  expect(many.save()).toEqual(one.save());
  one.dispose();
  many.dispose();
});

test("an epsilon of one's own is greedy behind it, and a schedule that ends at 0 is too", () => {
  const agent = new DQN(FIXED);
  const observation = numbers(3, 9);
  const best = agent.evaluate(observation).indexOf(Math.max(...agent.evaluate(observation)));
  for (let i = 0; i < 50; i++) expect(agent.act(observation, undefined, 0)).toBe(best);
  const cold = new DQN({ ...FIXED, temperature: { type: "linear", from: 0, to: 0, steps: 1 } });
  for (let i = 0; i < 50; i++) expect(cold.act(observation)).toBe(best);
  expect(agent.epsilon).toBe(0);
  expect(new DQN({ observation: 3, actions: 5 }).propensities.length).toBe(0);
});

test("a saved agent draws on", () => {
  const agent = new DQN(FIXED);
  const observation = numbers(3, 9);
  for (let i = 0; i < 10; i++) agent.act(observation);
  const loaded = DQN.load(agent.save());
  const draws = (from: DQN) => Array.from({ length: 100 }, () => from.act(observation));
  expect(draws(loaded)).toEqual(draws(agent));
});

test("a wrong temperature is named, and slates have none", () => {
  expect(() => new DQN({ ...FIXED, temperature: -1 })).toThrow(/^"temperature" must be in \[0, 1000000\], or/);
  const slates = { observation: 2, candidates: { max: 4, features: 2 }, slate: { size: 2 }, temperature: 1 };
  expect(() => new DQN(slates)).toThrow('"temperature" and "slate" exclude each other');
});
