import { describe, expect, test } from "vitest";
import {
  type AgentState,
  agreementOf,
  pruneNeurons,
  pruneWeights,
  quantise,
  quantiseAware,
} from "../../../src/engine/compression/index.js";
import { cut } from "../../../src/engine/compression/neurons.js";
import { PlainNetwork } from "../../../src/engine/compression/plainnetwork.js";
import { rangesOf } from "../../../src/engine/compression/ranges.js";
import { DQN, type DQNOptions } from "../../../src/index.js";
import { live, rowsOf } from "../../support/live.js";

const SMALL = { capacity: 300, learningStarts: 16, batchSize: 16, hidden: [24, 16] } satisfies Partial<DQNOptions>;

const KINDS: Record<string, DQNOptions> = {
  "fixed actions": { observation: 5, actions: 3 },
  "no normalisation": { observation: 5, actions: 3, normalization: "none" },
  "dueling, shared": { observation: 5, actions: 3, dueling: true },
  "dueling, one hidden layer": { observation: 5, actions: 3, dueling: true, hidden: [16] },
  "candidates, dueling": { observation: 4, candidates: { max: 8, features: 4 }, dueling: true },
  "index inputs": { observation: 5, sparse: { slots: 2, size: 9 }, actions: 3 },
};

function trained(options: DQNOptions): DQN {
  const agent = new DQN({ ...SMALL, ...options });
  live(agent, 200);
  return agent;
}

function statesOf({ options }: DQN, n: number): AgentState[] {
  const { observation, sparse, candidates } = options;
  return Array.from({ length: n }, (_, i) => {
    const seen = rowsOf(observation, sparse, 1, 500 + i);
    return candidates
      ? { observation: seen, available: rowsOf(candidates.features, undefined, 2 + (i % 6), i) }
      : { observation: seen };
  });
}

const FAST = { updates: 150, batchSize: 32, every: 50 };

describe.each(Object.entries(KINDS))("%s", (_, options) => {
  const agent = trained(options);
  const states = statesOf(agent, 80);

  test("plain layers give the agent's values", () => {
    const network = new PlainNetwork(agent.options, agent.weights());
    const tops: Float64Array[] = [];
    const head = network.valueAt - 1;
    network.visit(agent, "states", states, (l, { dense }) => {
      if (l === head) tops.push(dense.slice());
    });
    if (options.dueling) return;
    const { weight, bias, inputs, outputs } = network.layers[head]!;
    const exact = states.flatMap(({ observation, available }) => [...agent.evaluate(observation, available)]);
    const got = tops.flatMap((top) =>
      Array.from({ length: outputs }, (_, o) => top.reduce((sum, x, i) => sum + x * weight[o * inputs + i]!, bias[o]!)),
    );
    expect(got.length).toBe(exact.length);
    for (const [i, q] of exact.entries()) expect(got[i]).toBeCloseTo(q, 4);
  });

  test("neurons that never fire are cut without a trace", () => {
    if (options.normalization !== "none") return;
    const layers = agent.weights();
    const dead = [1, 5, 6];
    for (const j of dead) {
      layers[0]!.weight.fill(0, j * layers[0]!.inputs, (j + 1) * layers[0]!.inputs);
      layers[0]!.bias[j] = -1;
    }
    const before = new DQN({ ...SMALL, ...options });
    before.setWeights(layers);
    const network = new PlainNetwork(before.options, before.weights());
    const { ranges, visit } = rangesOf(network);
    network.visit(before, "states", states, visit);
    const hidden = [24 - dead.length, 16];
    const after = new DQN({ ...SMALL, ...options, hidden });
    after.setWeights(cut(network, ranges, hidden, "activation"));
    expect(agreementOf(before, after, states).error).toBeLessThan(1e-5);
  });

  test("half of the neurons make an ordinary agent that agrees and goes on learning", async () => {
    const rounds: number[] = [];
    const {
      agent: small,
      agreement,
      weights,
    } = await pruneNeurons(agent, states, {
      rounds: 2,
      fineTune: FAST,
      onProgress: ({ round }) => rounds.push(round),
    });
    expect(small.options.hidden).toEqual(agent.options.hidden.map((width) => width / 2));
    expect(new Set(rounds)).toEqual(new Set([1, 2]));
    expect(weights.after).toBeLessThan(weights.before * 0.75);
    expect(agreement.tau).toBeGreaterThan(0.4);
    live(small, 60);
    expect(small.updates).toBeGreaterThan(0);
    expect(DQN.load(small.save()).options.hidden).toEqual(small.options.hidden);
  });
});

test("weights of least magnitude become 0 and stay so over more learning", async () => {
  const agent = trained(KINDS["fixed actions"]!);
  const states = statesOf(agent, 80);
  const { agent: small, apply, weights } = await pruneWeights(agent, states, { keep: 0.3, rounds: 2, fineTune: FAST });
  const zeros = () => small.weights().map(({ weight }) => weight.map((w) => Number(w === 0)));
  const before = zeros();
  expect(weights.after / weights.before).toBeCloseTo(0.3, 1);
  live(small, 100);
  expect(zeros()).not.toEqual(before);
  apply(small);
  expect(zeros()).toEqual(before);
});

test("pruning by the same seed gives the same agent, and leaves the first one as it was", async () => {
  const agent = trained(KINDS["fixed actions"]!);
  const before = agent.save();
  const states = statesOf(agent, 40);
  const options = { importance: "weight", rounds: 1, fineTune: FAST } as const;
  const [a, b] = [await pruneNeurons(agent, states, options), await pruneNeurons(agent, states, options)];
  expect(a.agent.copyWeights()).toEqual(b.agent.copyWeights());
  expect(agent.save()).toEqual(before);
});

test("learning that knows of the rounding agrees at least as well as rounding alone", async () => {
  for (const name of ["fixed actions", "candidates, dueling", "index inputs"]) {
    const agent = trained(KINDS[name]!);
    const states = statesOf(agent, 80);
    const aware = await quantiseAware(agent, states, { updates: 200, every: 50 });
    const plain = quantise(agent, states);
    expect(agreementOf(agent, aware, states).error).toBeLessThanOrEqual(agreementOf(agent, plain, states).error);
  }
});

test("bad input is refused", async () => {
  const agent = trained(KINDS["fixed actions"]!);
  const states = statesOf(agent, 10);
  await expect(pruneNeurons(agent, states, { keep: 1 })).rejects.toThrow('"keep" must be in [0.01, 1), got 1');
  await expect(pruneNeurons(agent, states, { fineTune: { more: 1 } as never })).rejects.toThrow('"fineTune.more"');
  await expect(pruneWeights(agent, [])).rejects.toThrow('"states" must hold at least one state');
  await expect(quantiseAware(agent, states, { updates: -1 })).rejects.toThrow('"updates" must be');
});
