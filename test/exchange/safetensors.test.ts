import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSafetensors, type Tensor, writeTensors } from "../../src/exchange/container.js";
import { fromSafetensors, fromStableBaselines3, toSafetensors } from "../../src/exchange/index.js";
import { DQN, type DQNOptions, type LayerWeights, SnapshotError } from "../../src/index.js";
import { numbers } from "../support/numbers.js";
import { agentsOptions, inputsOf } from "../support/zoo.js";

const PLAIN: DQNOptions = { observation: 3, actions: 2, hidden: [4, 5], normalization: "none", seed: 7 };
const GOLDEN = "test/fixtures/weights.safetensors";

/** Names and shapes in a file of an agent's weights. */
function contents(options: DQNOptions): [string, number[]][] {
  const { tensors } = readSafetensors(toSafetensors(new DQN(options).weights()));
  return [...tensors].map(([name, { shape }]) => [name, shape]);
}

const f32 = (...shape: number[]): Tensor => ({
  dtype: "F32",
  shape,
  bytes: new Uint8Array(
    numbers(
      shape.reduce((a, b) => a * b, 1),
      3,
    ).buffer,
  ),
});

/** A file of f32 tensors with these shapes. */
function fileOf(shapes: Record<string, number[]>): Uint8Array {
  return writeTensors(new Map(Object.entries(shapes).map(([name, shape]) => [name, f32(...shape)])), {});
}

describe("toSafetensors", () => {
  test("names tensors as nn.Sequential does, with and without layer norms", () => {
    expect(contents(PLAIN)).toEqual([
      ["0.weight", [4, 3]],
      ["0.bias", [4]],
      ["2.weight", [5, 4]],
      ["2.bias", [5]],
      ["4.weight", [2, 5]],
      ["4.bias", [2]],
    ]);
    expect(contents({ ...PLAIN, hidden: [4], normalization: "layer" })).toEqual([
      ["0.weight", [4, 3]],
      ["0.bias", [4]],
      ["1.weight", [4]],
      ["1.bias", [4]],
      ["3.weight", [2, 4]],
      ["3.bias", [2]],
    ]);
  });

  test("names the three parts of a dueling network, of which candidates and one hidden layer share none", () => {
    const names = (options: DQNOptions) =>
      contents({ ...options, dueling: true }).flatMap(([name]) => (name.endsWith("weight") ? [name] : []));
    const heads = ["advantage.0.weight", "advantage.2.weight", "value.0.weight", "value.2.weight"];
    expect(names(PLAIN)).toEqual(["trunk.0.weight", ...heads]);
    expect(names({ ...PLAIN, hidden: [4] })).toEqual(heads);
    const { actions: _, ...rest } = PLAIN;
    const candidates = names({ ...rest, hidden: [4], candidates: { max: 3, features: 2 } });
    expect(candidates).toEqual(heads);
  });

  test("gives the committed bytes, which later versions must read", () => {
    const layer = (name: string, inputs: number, outputs: number): LayerWeights => {
      const ramp = (n: number, by: number) => Float32Array.from({ length: n }, (_, i) => (i + 1) * by);
      return { name, inputs, outputs, weight: ramp(inputs * outputs, 0.5), bias: ramp(outputs, -1) };
    };
    const norm = { gain: Float32Array.of(1, 2, 3), shift: Float32Array.of(0, -0, 0.25) };
    const layers = [{ ...layer("hidden.0", 2, 3), ...norm }, layer("head", 3, 1)];
    expect(Buffer.from(toSafetensors(layers, { note: "golden" })).equals(readFileSync(GOLDEN))).toBe(true);
    expect(fromSafetensors(readFileSync(GOLDEN))).toEqual(layers);
  });

  test.each<[string, (layers: LayerWeights[]) => LayerWeights[]]>([
    ['"layers[0].name" must be "hidden.0", got "hidden.1"', ([, b, c]) => [b!, c!]],
    ['"layers[2].name" must be "head", got "hidden.0"', ([a, b]) => [a!, b!, a!]],
    ['"hidden.0" must have a weight of (4, 4) and a bias of (4)', ([a, ...rest]) => [{ ...a!, inputs: 4 }, ...rest]],
    ['"layers" must hold layers, got none', () => []],
    ['"head.inputs" must be 4, got 5', ([a, , c]) => [a!, c!]],
  ])("refuses: %s", (message, change) => {
    expect(() => toSafetensors(change(new DQN(PLAIN).weights()))).toThrow(message);
  });
});

describe("fromSafetensors", () => {
  test("gives back the layers of any agent, bit for bit, and another agent acts by them", () => {
    fc.assert(
      fc.property(agentsOptions, (options) => {
        const agent = new DQN(options);
        const layers = agent.weights();
        const file = toSafetensors(layers);
        const read = fromSafetensors(file);
        expect(read.map(({ name }) => name)).toEqual(layers.map(({ name }) => name));
        expect(Buffer.from(toSafetensors(read)).equals(Buffer.from(file))).toBe(true);
        const other = new DQN({ ...options, seed: 12345 });
        other.setWeights(read);
        const { observation, candidates } = inputsOf(options, 3, 1);
        expect(other.evaluate(observation, candidates)).toEqual(agent.evaluate(observation, candidates));
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  test("takes halves, in any order of the tensors", () => {
    const half: Tensor = { dtype: "F16", shape: [1], bytes: new Uint8Array(Uint16Array.of(0x3c00).buffer) };
    const matrix = { ...half, shape: [1, 1] };
    const file = writeTensors(
      new Map([
        ["2.bias", half],
        ["2.weight", matrix],
        ["0.weight", matrix],
        ["0.bias", half],
      ]),
      {},
    );
    const one = { inputs: 1, outputs: 1, weight: Float32Array.of(1), bias: Float32Array.of(1) };
    expect(fromSafetensors(file)).toEqual([
      { name: "hidden.0", ...one },
      { name: "head", ...one },
    ]);
  });

  const two = { "0.weight": [4, 3], "0.bias": [4], "2.weight": [2, 4], "2.bias": [2] };

  test.each<[string, Record<string, number[]>]>([
    ['the file must hold "0.weight", of Sequential(Linear,', {}],
    ['the file must hold "0.bias"', { "0.weight": [4, 3] }],
    ['tensor "1.bias" has no place in Sequential(Linear, [LayerNorm,] ReLU, ..., Linear)', { ...two, "1.bias": [4] }],
    ['the file must hold "1.bias"', { ...two, "1.weight": [4] }],
    ['tensor "5.weight" has no place', { ...two, "5.weight": [2, 2] }],
    ['tensor "\\u001b[2J" has no place', { ...two, "\u001b[2J": [1] }],
    ['tensor "conv.weight" has no place', { ...two, "conv.weight": [1] }],
    ['tensor "0.weight" must have 2 dimensions, got (4, 3, 1)', { ...two, "0.weight": [4, 3, 1] }],
    ['tensor "0.weight" must have 2 dimensions, got (0, 3)', { ...two, "0.weight": [0, 3] }],
    ['tensor "0.bias" must have (4), got (5)', { ...two, "0.bias": [5] }],
    ['the layers do not fit each other: "head.inputs" must be 4, got 5', { ...two, "2.weight": [2, 5] }],
    ["the last layer has a LayerNorm", { ...two, "3.weight": [2], "3.bias": [2] }],
    [
      'the file must hold "value.0.weight", for it is dueling',
      { "advantage.0.weight": [2, 3], "advantage.0.bias": [2] },
    ],
    [
      '"trunk" must hold 0 layers, got 1',
      {
        ...{ "trunk.0.weight": [3, 3], "trunk.0.bias": [3], "advantage.0.weight": [2, 3], "advantage.0.bias": [2] },
        ...{ "value.0.weight": [3, 3], "value.0.bias": [3], "value.2.weight": [1, 3], "value.2.bias": [1] },
      },
    ],
    ['tensor "trunk.0.weight" has no place', { ...two, "trunk.0.weight": [3, 3] }],
  ])("refuses: %s", (message, shapes) => {
    expect(() => fromSafetensors(fileOf(shapes))).toThrow(SnapshotError);
    expect(() => fromSafetensors(fileOf(shapes))).toThrow(message);
  });
});

describe("fromStableBaselines3", () => {
  const online = {
    ...{ "q_net.q_net.0.weight": [64, 4], "q_net.q_net.0.bias": [64], "q_net.q_net.2.weight": [64, 64] },
    ...{ "q_net.q_net.2.bias": [64], "q_net.q_net.4.weight": [2, 64], "q_net.q_net.4.bias": [2] },
  };
  const target = { "q_net_target.q_net.0.weight": [64, 4], "q_net_target.anything": [3] };

  test("reads the online network into an agent of the same shape, and ignores the target", () => {
    const layers = fromStableBaselines3(fileOf({ ...target, ...online }));
    expect(layers.map(({ name, inputs, outputs }) => [name, inputs, outputs])).toEqual([
      ["hidden.0", 4, 64],
      ["hidden.1", 64, 64],
      ["head", 64, 2],
    ]);
    expect(layers[1]!.weight).toEqual(numbers(64 * 64, 3));
    const agent = new DQN({ observation: 4, actions: 2, normalization: "none" });
    agent.setWeights(layers);
    const relu = (x: number[]) => x.map((value) => Math.max(0, value));
    const dense = (x: number[], { bias, weight, inputs }: LayerWeights) =>
      Array.from(bias, (b, j) => x.reduce((sum, value, i) => sum + value * weight[j * inputs + i]!, b));
    const [a, b, c] = layers as [LayerWeights, LayerWeights, LayerWeights];
    const q = dense(relu(dense(relu(dense([1, -2, 0.5, 3], a)), b)), c);
    for (const [i, value] of agent.evaluate([1, -2, 0.5, 3]).entries()) {
      expect(Math.abs(value - q[i]!) / (1 + Math.abs(q[i]!))).toBeLessThan(1e-5);
    }
    expect(() => new DQN({ observation: 4, actions: 2 }).setWeights(layers)).toThrow(
      '"hidden.0.gain" must hold 64 numbers, for "normalization" is "layer", got nothing',
    );
  });

  test.each<[string, Record<string, number[]>]>([
    [
      'tensor "q_net.features_extractor.cnn.0.weight" must begin with "q_net.q_net." or "q_net_target."',
      { ...online, "q_net.features_extractor.cnn.0.weight": [1] },
    ],
    ['tensor "quantile_net.0.weight" must begin with', { "quantile_net.0.weight": [1] }],
    ['must hold tensors whose names begin with "q_net.q_net."', target],
    ['the file must hold "q_net.q_net.0.bias"', { "q_net.q_net.0.weight": [2, 2] }],
    ['tensor "q_net.q_net.4.extra" has no place', { ...online, "q_net.q_net.4.extra": [1] }],
  ])("refuses: %s", (message, shapes) => {
    expect(() => fromStableBaselines3(fileOf(shapes))).toThrow(message);
  });
});

describe("a prefix", () => {
  const layers = new DQN(PLAIN).weights();
  /** The weights with something before each name, beside other tensors. */
  const named = (prefix: string, ...others: string[]) => {
    const { tensors } = readSafetensors(toSafetensors(layers));
    const all = [...tensors].map(([name, tensor]): [string, Tensor] => [prefix + name, tensor]);
    return writeTensors(new Map([...all, ...others.map((name): [string, Tensor] => [name, f32(2, 2)])]), {});
  };

  test.each(["_orig_mod.", "network.", "quantile_net.", "quantile_net.quantile_net.", "module._orig_mod.q.", "q."])(
    "%j is taken off, and other tensors are ignored",
    (prefix) => {
      const file = named(prefix, "quantile_net_target.0.weight", "features.0.weight", "0.weightier");
      expect(fromSafetensors(file, { prefix })).toEqual(layers);
    },
  );

  test.each(["_orig_mod.", "network.", "quantile_net.quantile_net."])("%j that is needed is named", (prefix) => {
    expect(() => fromSafetensors(named(prefix))).toThrow(`; { prefix: "${prefix}" } reads the names that begin so`);
  });

  test("stands before Stable-Baselines3's names as well", () => {
    const file = named("_orig_mod.q_net.q_net.", "_orig_mod.q_net_target.0.weight");
    expect(fromStableBaselines3(file, { prefix: "_orig_mod." })).toEqual(layers);
  });

  test("that no name has, or of another type, is refused", () => {
    expect(() => fromSafetensors(named("a."), { prefix: "b." })).toThrow(
      'must hold tensors whose names begin with "b."',
    );
    expect(() => fromSafetensors(named("a."), { prefix: 1 } as object)).toThrow('"prefix" must be a string, got 1');
    expect(() => fromSafetensors(named("a."), { prefixes: "" } as object)).toThrow('"prefixes" is not an option');
  });
});
