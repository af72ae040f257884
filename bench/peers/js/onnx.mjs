/** onnxruntime-web, one thread: the network as LiveQ exports it, inference alone. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as ort from "onnxruntime-web";
import { toOnnx } from "../../../dist/exchange/index.js";
import { argmax } from "./layers.mjs";
import { agentOf } from "./liveq.mjs";

const require = createRequire(import.meta.url);
const { version } = JSON.parse(
  readFileSync(join(dirname(require.resolve("onnxruntime-web")), "..", "package.json"), "utf8"),
);

export async function create(data) {
  const { observation, actions } = data;
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(toOnnx(agentOf(data)), { executionProviders: ["wasm"] });
  const rows = data.staged.length / observation;
  const choose = async (n) => {
    const input = new ort.Tensor("float32", data.staged.subarray(0, n * observation), [n, observation]);
    const { q } = await session.run({ observation: input });
    return Array.from({ length: n }, (_, i) => argmax(q.data, i * actions, actions));
  };
  const chooseOften = async (n, count) => {
    let chosen = [];
    for (let i = 0; i < count; i++) chosen = await choose(n);
    return chosen;
  };
  return {
    version,
    act: async (count) => (await chooseOften(1, count))[0],
    act64: (count) => chooseOften(rows, count),
    chosen: () => choose(rows),
  };
}
