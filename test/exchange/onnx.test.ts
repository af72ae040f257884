import fc from "fast-check";
import { env, InferenceSession, Tensor } from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { toOnnx } from "../../src/exchange/index.js";
import { Message } from "../../src/exchange/protobuf.js";
import { DQN, type DQNOptions } from "../../src/index.js";
import { agentsOptions, denseRows, fed, inputsOf } from "../support/zoo.js";

// One thread: the threads' workers outlive a test.
env.wasm.numThreads = 1;

const FIXED: DQNOptions = {
  ...{ observation: 5, actions: 4, hidden: [24, 16], normalization: "none" as const, seed: 3 },
  ...{ learningStarts: 4, batchSize: 4, capacity: 64 },
};
const CHANGING: DQNOptions = { ...FIXED, actions: undefined, candidates: { max: 9, features: 6 } } as DQNOptions;
const SPARSE = { slots: 2, size: 7 };
const BOTH_SPARSE: DQNOptions = { ...CHANGING, sparse: SPARSE, candidates: { max: 9, features: 6, sparse: SPARSE } };

/** The greatest distance of the runtime's values to the agent's, relative to 1 + |q|, over some inputs. */
async function distance(options: DQNOptions): Promise<number> {
  const agent = fed(new DQN(options), 40);
  const session = await InferenceSession.create(toOnnx(agent));
  let worst = 0;
  for (let seed = 0; seed < 6; seed++) {
    const n = 1 + seed;
    const { observation, candidates } = inputsOf(options, n, 100 + seed);
    const row = denseRows(observation, 1, options.sparse?.size ?? 0);
    const feeds: Record<string, Tensor> = { observation: new Tensor("float32", row, [1, row.length]) };
    if (candidates) {
      const rows = denseRows(candidates, n, options.candidates?.sparse?.size ?? 0);
      feeds["candidates"] = new Tensor("float32", rows, [n, rows.length / n]);
    }
    const { q } = await session.run(feeds);
    const values = agent.evaluate(observation, candidates);
    expect(q!.dims).toEqual(candidates ? [n] : [1, options.actions]);
    for (const [i, value] of values.entries()) {
      worst = Math.max(worst, Math.abs(Number(q!.data[i]) - value) / (1 + Math.abs(value)));
    }
  }
  await session.release();
  agent.dispose();
  return worst;
}

describe("toOnnx", () => {
  test.each<[string, DQNOptions]>([
    ["plain", FIXED],
    ["one hidden layer, one action", { ...FIXED, hidden: [3], actions: 1 }],
    ["layer norm", { ...FIXED, normalization: "layer" }],
    ["tanh", { ...FIXED, activation: "tanh" }],
    ["GELU behind layer norm", { ...FIXED, activation: "gelu", normalization: "layer" }],
    ["GELU, candidates", { ...CHANGING, activation: "gelu" }],
    ["linear", { ...FIXED, activation: "linear" }],
    ["batch norm, folded", { ...FIXED, normalization: "batch" }],
    ["dueling", { ...FIXED, dueling: true, normalization: "layer" }],
    ["dueling without a shared layer", { ...FIXED, dueling: true, hidden: [12] }],
    ["quantiles", { ...FIXED, quantiles: 7 }],
    [
      "dueling quantiles with noise",
      { ...FIXED, dueling: true, quantiles: 5, noisySigma: 0.5, normalization: "layer" },
    ],
    ["index inputs, written out", { ...FIXED, sparse: SPARSE }],
    ["candidates", CHANGING],
    ["candidates with layer norm and quantiles", { ...CHANGING, normalization: "layer", quantiles: 5 }],
    ["slates with parts and quantiles", { ...CHANGING, slate: { size: 2, parts: 3 }, quantiles: 2 }],
    ["dueling candidates", { ...CHANGING, dueling: true, quantiles: 3, normalization: "layer" }],
    ["candidates with index inputs, dueling", { ...BOTH_SPARSE, dueling: true }],
  ])("%s: onnxruntime-web gives the agent's values within 1e-5", async (_, options) => {
    expect(await distance(options)).toBeLessThan(1e-5);
  });

  test("so it does for networks of any other shape", async () => {
    await fc.assert(
      fc.asyncProperty(agentsOptions, async (options) => {
        expect(await distance(options)).toBeLessThan(1e-5);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  test("takes any number of observations at once", async () => {
    const agent = new DQN({ ...FIXED, dueling: true, quantiles: 3 });
    const session = await InferenceSession.create(toOnnx(agent));
    const rows = [0, 1, 2].map((i) => inputsOf(FIXED, 1, i).observation as Float32Array);
    const all = Float32Array.from(rows.flatMap((row) => [...row]));
    const { q } = await session.run({ observation: new Tensor("float32", all, [3, 5]) });
    for (const [i, row] of rows.entries()) {
      for (const [a, value] of agent.evaluate(row).entries()) expect(q!.data[i * 4 + a]).toBeCloseTo(value, 5);
    }
    expect([session.inputNames, session.outputNames]).toEqual([["observation"], ["q"]]);
    await session.release();
  });

  test("names its producer, version and options", () => {
    const { version } = packageJson;
    const agent = new DQN(FIXED);
    const text = new TextDecoder("latin1").decode(toOnnx(agent));
    // Field 3, the producer's version.
    expect(text).toContain(`liveq\u001a${String.fromCharCode(version.length)}${version}`);
    expect(text).toContain(JSON.stringify(agent.options));
  });
});

test("protobuf: numbers are varints, and messages nest by length", () => {
  const bytes = (message: Message) => [...message.encode()];
  expect(bytes(new Message().integer(1, 150))).toEqual([0x08, 0x96, 0x01]);
  expect(bytes(new Message().text(2, "testing"))).toEqual([0x12, 7, ...Buffer.from("testing")]);
  expect(bytes(new Message().message(3, new Message().integer(1, 150)))).toEqual([0x1a, 3, 0x08, 0x96, 0x01]);
  expect(bytes(new Message().integer(16, 0))).toEqual([0x80, 0x01, 0]);
  expect(bytes(new Message().float(2, 1))).toEqual([0x15, 0, 0, 0x80, 0x3f]);
  expect(bytes(new Message().integer(1, 2 ** 53 - 1))).toEqual([0x08, ...Array(7).fill(0xff), 0x0f]);
});
