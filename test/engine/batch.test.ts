import { describe, expect, test } from "vitest";
import { type AgentInput, DQN, type DQNOptions, type SparseInput } from "../../src/index.js";
import { digestOf, live, randomOptions, rowsOf } from "../support/live.js";
import { numbers } from "../support/numbers.js";

/** Row i of inputs. */
function rowAt(input: AgentInput, i: number, width: number, slots = 0): AgentInput {
  const cut = (values: ArrayLike<number>, n: number) => Array.from({ length: n }, (_, j) => values[i * n + j]!);
  if (!("indices" in input)) return cut(input, width);
  const { dense = [], indices, weights } = input;
  return { dense: cut(dense, width), indices: cut(indices, slots), weights: cut(weights!, slots) };
}

interface States {
  all: AgentInput;
  each: AgentInput[];
  available: AgentInput[] | undefined;
}

/** n states, one after the other and each alone, with sets of all sizes from 0 on, or masks, some of which hide all. */
function statesOf({ options }: DQN, n: number, seed: number): States {
  const { observation, sparse, candidates, masked, actions } = options;
  const all = rowsOf(observation, sparse, n, seed);
  const each = Array.from({ length: n }, (_, i) => rowAt(all, i, observation, sparse?.slots));
  const offer = (i: number): AgentInput => {
    if (!candidates) return Array.from({ length: actions }, (_, a) => Number((i + a) % 3 === 0 || i % 4 === 1));
    return rowsOf(candidates.features, candidates.sparse, (7 * i + seed) % (candidates.max + 1), seed + i);
  };
  return { all, each, available: candidates || masked ? each.map((_, i) => offer(i)) : undefined };
}

const of = (states: States, i: number) => states.available?.[i];

const FIXED: DQNOptions = { observation: 3, actions: 4, hidden: [8], batchSize: 4, epsilon: 0.4, seed: 1 };
const SETS: DQNOptions = { observation: 3, candidates: { max: 5, features: 2 }, hidden: [8], batchSize: 4, seed: 1 };

describe("many states at once", () => {
  test("have the bits that each has alone, and draw what as many acts draw, whatever the options", () => {
    for (let i = 0; i < 160; i++) {
      const options = randomOptions(i);
      const [together, alone] = [new DQN(options), new DQN(options)];
      for (const agent of [together, alone]) live(agent, 20);
      for (const n of [1, 2, 3, 8, 19]) {
        const states = statesOf(together, n, i + n);
        const values = states.each.flatMap((state, s) => [...alone.evaluate(state, of(states, s))]);
        expect([...together.evaluateBatch(states.all, states.available)], `${i}, ${n}`).toEqual(values);
        for (const epsilon of [undefined, 0, 0.5, 1]) {
          const actions = states.each.map((state, s) => alone.act(state, of(states, s), epsilon));
          expect([...together.actBatch(states.all, states.available, epsilon)], `${i}, ${n}`).toEqual(actions);
        }
      }
      // Nor does any of it reach what is learned.
      for (const agent of [together, alone]) live(agent, 20, 20);
      expect(digestOf(together)).toBe(digestOf(alone));
      for (const agent of [together, alone]) agent.dispose();
    }
  });

  test("have an epsilon each", () => {
    const [together, alone] = [new DQN(FIXED), new DQN(FIXED)];
    const states = statesOf(together, 40, 1);
    const epsilons = states.each.map((_, i) => (i % 5) / 4);
    const actions = states.each.map((state, i) => alone.act(state, undefined, epsilons[i]));
    expect([...together.actBatch(states.all, undefined, epsilons)]).toEqual(actions);
    expect(digestOf(together)).toBe(digestOf(alone));
  });

  test("explore as often as epsilon says, among what is available alone", () => {
    const agent = new DQN({ ...FIXED, masked: true, epsilon: 0.3 });
    const n = 20_000;
    const rows = new Float32Array(3 * n).fill(0.5);
    const [best] = agent.actBatch([0.5, 0.5, 0.5], [[1, 1, 0, 1]], 0);
    const counts = [0, 0, 0, 0];
    const masks = Array.from({ length: n }, () => [1, 1, 0, 1]);
    for (const action of agent.actBatch(rows, masks)) counts[action]!++;
    expect(counts[2]).toBe(0);
    for (const action of [0, 1, 3]) {
      const p = action === best ? 0.8 : 0.1;
      expect(Math.abs(counts[action]! / n - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
    }
  });

  test("written to the agent's own view are not copied, and have the same values", () => {
    const agent = new DQN(FIXED);
    const rows = Float32Array.from(numbers(9, 3));
    const expected = agent.evaluateBatch(rows);
    const own = agent.observations.subarray(0, 9);
    own.set(rows);
    expect(agent.evaluateBatch(own)).toEqual(expected);
    expect(agent.observations).toHaveLength(12);
  });

  test("may be none", () => {
    expect(new DQN(FIXED).evaluateBatch([])).toEqual(new Float32Array(0));
    expect(new DQN(SETS).actBatch([], [])).toEqual(new Int32Array(0));
  });

  test("are the same on several threads", async () => {
    const options: DQNOptions = { observation: 64, actions: 40, hidden: [64, 64], batchSize: 64, seed: 1 };
    const [one, two] = [new DQN(options), new DQN(options, { threads: 2 })];
    for (let i = 0; i < 200 && two.stats().threads < 2; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    const rows = numbers(64 * 100, 5);
    expect(two.evaluateBatch(rows)).toEqual(one.evaluateBatch(rows));
    two.dispose();
  });
});

describe("what is refused changes nothing", () => {
  const rows = (n: number) => Float32Array.from(numbers(3 * n, 1));

  test.each<[string, string, (agent: DQN) => unknown]>([
    [
      "a number in a later part",
      '"observations[19]" must be in [-1e6, 1e6], got NaN',
      (agent) => agent.actBatch(rows(9).fill(Number.NaN, 19)),
    ],
    [
      "a row that is not whole",
      '"observations" must hold rows of 3 numbers, got 8 numbers',
      (agent) => agent.actBatch(rows(3).subarray(1)),
    ],
    ["text", '"observations[1]" must be a number, got "2"', (agent) => agent.actBatch([1, "2" as never, 3])],
    [
      "masks without the option",
      'masks of the 4 actions need the option "masked": true',
      (agent) => agent.actBatch(rows(1), [[1, 1, 1, 1]]),
    ],
    ["too few epsilons", '"epsilon" must hold 9 numbers, got 2', (agent) => agent.actBatch(rows(9), undefined, [0, 1])],
    ["an epsilon", '"epsilon" must be in [0, 1], got 2', (agent) => agent.actBatch(rows(2), undefined, [0, 2])],
  ])("%s", (_, message, call) => {
    const agent = new DQN(FIXED);
    const before = digestOf(agent);
    expect(() => call(agent)).toThrow(message);
    expect(digestOf(agent)).toBe(before);
  });

  test.each<[string, string, readonly AgentInput[] | undefined]>([
    ["none", '"candidates" must be an array with one for each of the 6 states, got undefined', undefined],
    ["too few", '"candidates" must be an array with one for each of the 6 states', [[1, 2]]],
    [
      "half a row",
      '"candidates[2]" must hold at most 5 rows of 2 numbers, got 3 numbers',
      [[], [1, 2], [1, 2, 3], [], [], []],
    ],
    [
      "a number",
      '"candidates[4][3]" must be in [-1e6, 1e6], got Infinity',
      [[], [1, 2], [1, 2, 1, 2], [], [1, 2, 3, Number.POSITIVE_INFINITY], []],
    ],
  ])("sets: %s", (_, message, sets) => {
    const agent = new DQN({ ...SETS, epsilon: 1 });
    const before = digestOf(agent);
    expect(() => agent.actBatch(rows(6), sets)).toThrow(message);
    expect(digestOf(agent)).toBe(before);
    expect(Object.keys(agent.stats().refused)).toEqual(["candidates"]);
  });

  test("index inputs: an index, and weights that add up to too much", () => {
    const agent = new DQN({
      observation: 1,
      sparse: { slots: 2, size: 4 },
      actions: 2,
      hidden: [4],
      batchSize: 2,
      seed: 1,
    });
    const input = (indices: number[], weights = [1, 1, 1, 1, 1, 1]): SparseInput => ({
      dense: [1, 2, 3],
      indices,
      weights,
    });
    const most = [1, 1, 1, 1, 9e5, 9e5];
    expect(() => agent.actBatch(input([0, 1, 2, 3, 4, 0]))).toThrow(
      '"observations.indices[4]" must be an integer in [0, 3]',
    );
    expect(() => agent.actBatch(input([0, 1, 2, 3, 1, 1], most))).toThrow(
      '"observations.weights" of one index must add up to a number in [-1e6, 1e6]',
    );
  });

  test("agents with slates, and disposed ones", () => {
    const agent = new DQN({ ...SETS, slate: { size: 2 } });
    expect(() => agent.evaluateBatch(rows(1), [[1, 2]])).toThrow(
      'with the option "slate" states are not taken in batches',
    );
    agent.dispose();
    expect(() => agent.evaluateBatch(rows(1), [[1, 2]])).toThrow("the agent is disposed");
  });
});
