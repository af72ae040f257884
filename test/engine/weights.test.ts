import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DQN, type DQNOptions, type LayerWeights } from "../../src/index.js";
import { digestOf } from "../support/live.js";
import { numbers } from "../support/numbers.js";
import { agentsOptions, fed, inputsOf } from "../support/zoo.js";

const PLAIN: DQNOptions = { observation: 3, actions: 2, hidden: [5, 4], normalization: "none", seed: 1 };
const NORMALISED: DQNOptions = { ...PLAIN, normalization: "layer", dueling: true };

/** The layers with their numbers as text, which compares faster. */
function bits(layers: LayerWeights[]): unknown {
  return layers.map((layer) =>
    Object.entries(layer).map(([key, x]) => [key, typeof x === "object" ? Buffer.from(x.buffer).toString("hex") : x]),
  );
}

describe("setWeights", () => {
  test("of another agent's weights() gives its values and its parameters, bit for bit, whatever the options", () => {
    fc.assert(
      fc.property(agentsOptions, fc.integer({ min: 0, max: 1000 }), (options, seed) => {
        const from = fed(new DQN(options));
        const to = fed(new DQN({ ...options, seed: 99 }));
        const layers = from.weights();
        to.setWeights(layers);
        expect(bits(to.weights())).toEqual(bits(layers));
        const { observation, candidates } = inputsOf(options, 3, seed);
        expect(to.evaluate(observation, candidates)).toEqual(from.evaluate(observation, candidates));
        // With noise the scales stay the agent's own; without, all is equal, zeros in the padding too.
        if (!options.noisySigma)
          expect(Buffer.from(to.copyWeights().buffer).equals(Buffer.from(from.copyWeights().buffer))).toBe(true);
        const before = digestOf(to);
        to.syncTarget(1);
        expect(digestOf(to), "the target is the online network").toBe(before);
        from.dispose();
        to.dispose();
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test("takes layers in any order and plain arrays, and keeps moments, counters and replay", () => {
    const options = { ...NORMALISED, learningStarts: 4, batchSize: 4, capacity: 16 };
    const from = new DQN({ ...options, seed: 5 });
    const agent = fed(new DQN(options), 12);
    const { steps, updates, replaySize } = agent;
    expect(updates).toBeGreaterThan(0);
    const layers = from.weights().reverse();
    agent.setWeights(layers.map((layer) => ({ ...layer, bias: Array.from(layer.bias) as unknown as Float32Array })));
    expect(agent.copyWeights()).toEqual(from.copyWeights());
    expect([agent.steps, agent.updates, agent.replaySize]).toEqual([steps, updates, replaySize]);
    expect(agent.learn()).toBeGreaterThan(0);
  });

  /** The layers with one of them changed. */
  const changed = (i: number, change: Partial<LayerWeights>) => (layers: LayerWeights[]) =>
    layers.map((layer, l) => (l === i ? { ...layer, ...change } : layer));
  const names = "hidden.0, hidden.1, head";
  const all = `${names}, value.hidden.0, value.head`;

  test.each<[string, DQNOptions, (layers: LayerWeights[]) => unknown]>([
    ['"layers" must be an array of layers, got an object', PLAIN, () => ({})],
    [`"layers" must hold ${names}; "head" is missing`, PLAIN, (layers) => layers.slice(0, 2)],
    [`"layers[1].name" must be one of ${names}, each once, got "hidden.0"`, PLAIN, ([a]) => [a, a]],
    [`"layers[0].name" must be one of ${all}, each once, got "trunk"`, NORMALISED, changed(0, { name: "trunk" })],
    [`"layers[0].name" must be one of ${names}, each once, got undefined`, PLAIN, () => [undefined]],
    ['"hidden.0.inputs" must be 3, got 4', PLAIN, changed(0, { inputs: 4 })],
    ['"head.outputs" must be 2, got 3', PLAIN, changed(2, { outputs: 3 })],
    ['"hidden.1.weight" must hold 20 numbers, got 19', PLAIN, changed(1, { weight: numbers(19, 1) })],
    ['"head.bias" must hold 2 numbers, got nothing', PLAIN, changed(2, { bias: undefined as unknown as Float32Array })],
    [
      '"hidden.1.weight[7]" must be in [-1e9, 1e9], got NaN',
      PLAIN,
      changed(1, { weight: numbers(20, 1).map((x, i) => (i === 7 ? Number.NaN : x)) }),
    ],
    [
      '"head.bias[1]" must be in [-1e9, 1e9], got 1e+39',
      PLAIN,
      changed(2, { bias: [0, 1e39] as unknown as Float32Array }),
    ],
    [
      '"value.hidden.0.shift" must hold 4 numbers, for "normalization" is "layer", got nothing',
      NORMALISED,
      changed(3, { shift: undefined }),
    ],
    ['"hidden.0.gain" must be absent: "normalization" is "none"', PLAIN, changed(0, { gain: numbers(5, 1) })],
    ['"head.shift" must be absent: a head is not normalised', NORMALISED, changed(2, { shift: numbers(2, 1) })],
    ['"normalization": "batch" takes no plain layers', { ...PLAIN, normalization: "batch" }, (layers) => layers],
  ])("refuses, and changes nothing: %s", (message, options, change) => {
    const agent = new DQN(options);
    const before = digestOf(agent);
    expect(() => agent.setWeights(change(agent.weights()) as LayerWeights[])).toThrow(message);
    expect(digestOf(agent)).toBe(before);
  });
});
